"""What differs from seed to seed: how the CRM writes, how Gong behaves, what the user has set."""

import random
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from connector.sandbox.behaviour import Behaviour

START: Final = 1_781_000_000.0
"""June 2026: no clock is set back or forward within weeks."""

STAMP_STYLES: Final = ("seconds", "micros", "zulu", "epoch", "millis")


@dataclass(frozen=True, slots=True)
class Variety:
    """One seed's circumstances."""

    zone: ZoneInfo
    stamps: dict[str, str]
    """How each table writes its times of change."""
    listed_stages: bool
    """Stages stand in the mapping file instead of a table."""
    joined_emails: bool
    """The contacts' addresses are in a table of their own, with stamps of their own."""
    overlap: float
    max_file_bytes: int
    spool_max_bytes: int
    resend: str
    account_wait: float
    poll_min: float
    poll_max: float
    calls_per_day: int
    delete_guard_count: int
    lines_at_once: int
    """What the engine's own limits for one file and one booking are cut to, so that few rows reach them."""
    small_file: int
    """Lines of a file whose lines may all be bad without being taken for spoilt as a whole."""
    rows_at_once: int
    """What a chunk of rows read from the source is cut to."""
    behaviour: Behaviour
    fault_probability: float
    crash_every: int
    """A crash comes after at most so many failpoints; 0: never."""
    steps: int
    size: int
    """How many objects of a type there are at the start, about."""
    history: tuple[str, str, str] | None
    """The type that a history is kept of, its shape, and how its times are written; None where there is none."""


def draw(chance: random.Random) -> Variety:
    """Draw the circumstances of a seed."""
    resend = chance.choice(("file", "file", "corrected"))
    small_files = chance.random() < 0.5
    return Variety(
        zone=ZoneInfo(chance.choice(("UTC", "America/New_York", "Asia/Kolkata"))),
        stamps={table: chance.choice(STAMP_STYLES) for table in ("accounts", "contacts", "deals", "leads", "emails")},
        listed_stages=chance.random() < 0.3,
        joined_emails=chance.random() < 0.5,
        overlap=chance.choice((0.0, 30.0, 300.0)),
        max_file_bytes=chance.choice((2000, 5000)) if small_files else 190_000_000,
        spool_max_bytes=chance.choice((4000, 50_000, 10**9, 10**9)),
        resend=resend,
        account_wait=chance.choice((0.0, 5.0, 60.0)),
        poll_min=chance.choice((1.0, 2.0, 10.0)),
        poll_max=chance.choice((10.0, 60.0, 300.0)),
        calls_per_day=chance.choice((9000,) * 9 + (120,)),
        delete_guard_count=chance.choice((100, 100, 3, 0)),
        lines_at_once=chance.choice((3, 8, 30, 100_000)),
        small_file=chance.choice((4, 200)),
        rows_at_once=chance.choice((2, 7, 1000)),
        behaviour=_behaviour(chance, resend),
        fault_probability=chance.choice((0.0, 0.1, 0.2, 0.4)),
        crash_every=chance.choice((0, 40, 100, 300)),
        steps=chance.choice((60, 120, 200)),
        size=chance.choice((2, 5, 12, 30)),
        history=None,
    )


def with_history(variety: Variety, chance: random.Random) -> Variety:
    """Return the circumstances, with a history in nearly half of the seeds."""
    if chance.random() >= 0.45:  # of those that may have one
        return variety
    kinds = ["ACCOUNT", "DEAL", "LEAD", *([] if variety.joined_emails else ["CONTACT"])]
    shape = chance.choice(("versions", "field_log"))
    return replace(variety, history=(chance.choice(kinds), shape, chance.choice(STAMP_STYLES)))


def _behaviour(chance: random.Random, resend: str) -> Behaviour:
    switches: dict[str, Any] = {
        # RESEND=corrected is the user's word that Gong keeps good lines.
        "keep_good_lines": resend == "corrected" or chance.random() < 0.5,
        "latest_by": chance.choice(("modified", "arrival")),
        "reject_unknown_parent": chance.random() < 0.4,
        "unknown_status": chance.choice((400, 404)),
        "no_integration": chance.choice(("empty", 404)),
        "schema_name_key": chance.choice(("uniqueName", "name")),
        "schema_lists_standard_fields": chance.random() < 0.3,
        "schema_upload_status": chance.choice((200, 201)),
        "strict_object_id": chance.random() < 0.3,
        # Few listed errors, and every file has bad lines that are not listed.
        "max_errors_listed": chance.choice((20, 20, 3, 1)),
        "older_reference": chance.random() < 0.15,
        "refused_calls_count": chance.random() < 0.3,
        "retry_after": chance.choice(("seconds", "date", "junk", "absent")),
        "pending_seconds": chance.choice((0.0, 0.2, 20.0)),
        "processing_seconds": chance.choice((0.0, 1.0, 30.0, 120.0)),
        "seconds_per_line": chance.choice((0.0, 0.5)),
    }
    return Behaviour(**switches)
