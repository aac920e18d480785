"""SQL Server's statements as text: there is no server to run them on."""

from datetime import UTC, datetime

import pytest
from crm import relation
from sqlalchemy.dialects.mssql.base import MSDialect
from sqlalchemy.engine import make_url

from connector.model import ColumnKind
from connector.source.backends.mssql import SQLServer
from connector.source.statements import Keyset, Selects

SERVER = SQLServer(MSDialect(), make_url("mssql+pyodbc://reader:x@host/crm"), None)


def _changes(kind: ColumnKind, stamp: object) -> tuple[str, object]:
    selects = Selects(
        relation(), SERVER.quote, nullable_modified=False, nullable_key=False,
        stamp=lambda column: SERVER.stamp(column, kind),
    )  # fmt: skip
    return selects.changes(Keyset(SERVER.bind_stamp(stamp, kind), SERVER.bind(7))).render("qmark")


def test_stamps_of_100_nanoseconds_travel_as_text_and_are_compared_as_times() -> None:
    text, values = _changes(ColumnKind.DATETIME, "2026-05-28 20:26:40.1234567")
    column, bound = "[deals].[updated_at]", "CAST(? AS DATETIME2(7))"
    assert text == (
        f"SELECT [deals].[id], CONVERT(VARCHAR(27), CAST({column} AS DATETIME2(7)), 121), 0, [deals].[name]"
        f" FROM [deals] WHERE {column} >= {bound}"
        f" AND ({column} > {bound} OR ({column} = {bound} AND [deals].[id] >= ?))"
        f" ORDER BY {column}, [deals].[id]"
    )
    assert values == ("2026-05-28 20:26:40.1234567",) * 3 + (7,)


@pytest.mark.parametrize(
    ("kind", "stamp", "expected"),
    [
        (ColumnKind.DATETIME, datetime(2026, 5, 28, 20, 26, 40), "2026-05-28 20:26:40"),  # noqa: DTZ001 - naive
        (ColumnKind.DATETIME_TZ, datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC), "2026-05-28 20:26:40+00:00"),
        (ColumnKind.INTEGER, 1_780_000_000, 1_780_000_000),
    ],
)
def test_a_bound_is_given_in_the_form_of_the_column(kind: ColumnKind, stamp: object, expected: object) -> None:
    _, values = _changes(kind, stamp)
    assert values == (expected,) * 3 + (7,)


def test_a_bracket_in_a_name_is_quoted() -> None:
    assert SERVER.quote("a]b") == "[a]]b]"


def test_transactions_and_requests_hold_the_horizon() -> None:
    asked: list[str] = []

    def ask(sql: str) -> list[tuple[object, ...]]:
        asked.append(sql)
        return [(52, "app", "CRM", "sleeping", datetime(2026, 5, 28, 20, 0))]  # noqa: DTZ001 - UTC, as asked for

    (holder,) = SERVER.opened(ask).holders
    assert str(holder) == "session 52 of app (CRM), sleeping"
    assert holder.since == datetime(2026, 5, 28, 20, 0, tzinfo=UTC).timestamp()
    (sql,) = asked
    for view in ("dm_tran_session_transactions", "dm_tran_active_transactions", "dm_exec_requests", "@@SPID"):
        assert view in sql
    assert SERVER.unseen.endswith("GRANT VIEW SERVER STATE TO [reader];")
