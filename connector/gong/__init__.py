"""Speaks Gong's CRM API: one method a call, every answer turned into a value or an error of ours."""

from connector.gong.address import gong_host
from connector.gong.auth import AccessKeyAuth, GongAuth
from connector.gong.client import MOST_OBJECTS, GongClient, Limiter
from connector.gong.errors import AlreadyRegistered, DataFileChanged, GongRefused, GongUnavailable
from connector.gong.outcomes import Integration, StatusOutcome, StatusResult, UploadOutcome, UploadResult
from connector.gong.retry_after import retry_at
from connector.gong.wire import Transport

__all__ = [
    "MOST_OBJECTS",
    "AccessKeyAuth",
    "AlreadyRegistered",
    "DataFileChanged",
    "GongAuth",
    "GongClient",
    "GongRefused",
    "GongUnavailable",
    "Integration",
    "Limiter",
    "StatusOutcome",
    "StatusResult",
    "Transport",
    "UploadOutcome",
    "UploadResult",
    "gong_host",
    "retry_at",
]
