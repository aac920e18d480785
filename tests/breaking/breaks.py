"""The breaks: what is promised, in what way it is broken, and which test has to notice."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

import httpx

from connector import logs
from connector.cli import ending
from connector.engine import intake
from connector.engine.schema import SchemaKeeper
from connector.gong import data_file
from connector.ledger.budget import Budget
from connector.ledger.database import Database
from connector.ledger.store import Store
from connector.source import engines
from connector.source.backends.sqlite import SQLite
from connector.spool import Spool
from tests.simulation.promises import Stated

FAR_TOO_MANY: Final = 10**9


@dataclass(frozen=True, slots=True)
class Break:
    """One promise, broken."""

    promise: Stated
    name: str
    test: str
    """What pytest calls the test that notices."""
    apply: Callable[[], AbstractContextManager[Any]]


def _ignore(*_: Any, **__: Any) -> None:
    pass


def _writable(backend: SQLite) -> Any:
    return sqlite3.connect(backend.path(), isolation_level=None, check_same_thread=False)


_open = os.open


def _open_to_all(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
    return _open(path, flags, 0o666 if mode == 0o600 else mode, **more)


_client = httpx.Client.__init__


def _following(client: httpx.Client, **options: Any) -> None:
    _client(client, **(options | {"follow_redirects": True}))


_apply = SchemaKeeper._apply


def _destructive(keeper: SchemaKeeper, *given: Any, **_: Any) -> Any:
    return _apply(keeper, *given, destructive=True)


BREAKS: Final = (
    Break(
        Stated.ONE_ID_ONE_FILE,
        "a file that was altered since it was sealed is uploaded",
        "tests/unit/engine/test_spool_hazards.py::test_an_altered_file_is_never_uploaded",
        lambda: mock.patch.object(Spool, "verify", _ignore),
    ),
    Break(
        Stated.HONEST,
        "refused objects leave the exit status at 0",
        "tests/acceptance/test_cli_sync.py::test_refused_objects_are_listed_shown_retried_and_go_once_mended",
        lambda: mock.patch.object(ending, "exceptions_of", return_value=[]),
    ),
    Break(
        Stated.HONEST,
        "a pass that cannot begin leaves no trace",
        "tests/acceptance/test_cli_sync.py::test_a_pass_that_cannot_begin_is_a_failure_in_the_status_until_one_does",
        lambda: mock.patch.object(Store, "fail_start", _ignore),
    ),
    Break(
        Stated.BOUNDED,
        "reading goes on though the spool is full",
        "tests/unit/engine/test_spool_hazards.py::test_reading_pauses_while_the_spool_is_full_and_drops_nothing",
        lambda: mock.patch.object(Spool, "room", return_value=True),
    ),
    Break(
        Stated.BOUNDED,
        "all rows of the source are fetched at once",
        "tests/contract/test_connections.py::test_rows_are_not_held_in_memory[sqlite]",
        lambda: mock.patch.object(engines, "CHUNK_ROWS", FAR_TOO_MANY),
    ),
    Break(
        Stated.BOUNDED,
        "a first load of any size becomes one file",
        "tests/unit/engine/test_passes.py::test_a_file_holds_no_more_lines_than_may_be_decided_in_memory",
        lambda: mock.patch.object(intake.Intake, "full", False),
    ),
    Break(
        Stated.BOUNDED,
        "a file is read whole before it is sent",
        "tests/unit/gong/test_gong_upload.py::test_a_file_is_never_held_in_memory",
        lambda: mock.patch.object(data_file, "PIECE", FAR_TOO_MANY),
    ),
    Break(
        Stated.HARMLESS,
        "the source is opened for writing",
        "tests/contract/test_connections.py::test_nothing_can_be_written[sqlite-DELETE FROM deals]",
        lambda: mock.patch.multiple(SQLite, connect=_writable, prepare=_ignore),
    ),
    Break(
        Stated.HARMLESS,
        "Gong's schema follows the mapping, data or not",
        "tests/unit/engine/test_schema.py::test_data_is_destroyed_only_when_asked",
        lambda: mock.patch.object(SchemaKeeper, "_apply", _destructive),
    ),
    Break(
        Stated.DISCREET,
        "e-mail addresses are logged",
        "tests/unit/cli/test_cli_output.py::test_json_logs_hold_the_run_and_no_address_or_error_text",
        lambda: mock.patch.object(logs, "_discreet", lambda _logger, _method, event: event),
    ),
    Break(
        Stated.DISCREET,
        "what Gong says is logged",
        "tests/unit/cli/test_cli_output.py::test_what_gong_said_is_left_out_of_logs",
        lambda: mock.patch.object(logs, "discreet", lambda text: text),
    ),
    Break(
        Stated.DISCREET,
        "passwords stand in messages about the ledger",
        "tests/unit/ledger/test_migrations.py::test_a_ledger_that_cannot_be_reached_is_named_without_its_password",
        lambda: mock.patch.object(Database, "describe", lambda ledger: ledger.url.render_as_string(False)),
    ),
    Break(
        Stated.DISCREET,
        "spool files can be read by everybody",
        "tests/unit/spool/test_spool.py::test_only_the_owner_may_read",
        lambda: mock.patch.object(os, "open", _open_to_all),
    ),
    Break(
        Stated.DISCREET,
        "redirects are followed",
        "tests/unit/gong/test_gong_calls.py::test_redirects_are_not_followed",
        lambda: mock.patch.object(httpx.Client, "__init__", _following),
    ),
    Break(
        Stated.ONE_AT_A_TIME,
        "the fencing token is not looked at",
        "tests/unit/ledger/test_lease.py::test_who_lost_the_lease_can_neither_write_nor_renew_nor_upload",
        lambda: mock.patch.object(Database, "_check_token", _ignore),
    ),
    Break(
        Stated.QUOTA,
        "calls go on though the day's are spent",
        "tests/unit/ledger/test_budget.py::test_the_days_calls_are_never_exceeded_and_come_back_a_day_later",
        lambda: mock.patch.object(Budget, "_wait_for_day", return_value=0.0),
    ),
)
