"""Speaks Gong's CRM API: one method a call, every answer turned into a value or an error of ours."""

from connector.gong.address import gong_host
from connector.gong.auth import Access, AccessKeyAuth, GongAuth
from connector.gong.client import MOST_OBJECTS, GongClient
from connector.gong.errors import AlreadyRegistered, ClientDenied, DataFileChanged, GongRefused, GongUnavailable
from connector.gong.limiting import Limiter
from connector.gong.oauth import SCOPES, Grant, TokenEndpoint, authorize_url
from connector.gong.outcomes import Integration, StatusOutcome, StatusResult, UploadOutcome, UploadResult
from connector.gong.retry_after import retry_at
from connector.gong.wire import Transport

__all__ = [
    "MOST_OBJECTS",
    "SCOPES",
    "Access",
    "AccessKeyAuth",
    "AlreadyRegistered",
    "ClientDenied",
    "DataFileChanged",
    "GongAuth",
    "GongClient",
    "GongRefused",
    "GongUnavailable",
    "Grant",
    "Integration",
    "Limiter",
    "StatusOutcome",
    "StatusResult",
    "TokenEndpoint",
    "Transport",
    "UploadOutcome",
    "UploadResult",
    "authorize_url",
    "gong_host",
    "retry_at",
]
