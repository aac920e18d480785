"""SQL text and bound values, as each way of marking parameters wants them."""

from datetime import UTC, datetime

import pytest
from crm import relation
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FatalError
from connector.source import positions
from connector.source.statements import Bind, Keyset, Selects, Statement, raw


@pytest.mark.parametrize(
    ("paramstyle", "text", "parameters"),
    [
        ("qmark", "a LIKE '5%' AND b = ? AND c = ?", (1, "x")),
        ("format", "a LIKE '5%%' AND b = %s AND c = %s", (1, "x")),
        ("pyformat", "a LIKE '5%%' AND b = %s AND c = %s", (1, "x")),
        ("numeric", "a LIKE '5%' AND b = :1 AND c = :2", (1, "x")),
        ("numeric_dollar", "a LIKE '5%' AND b = $1 AND c = $2", (1, "x")),
        ("named", "a LIKE '5%' AND b = :p1 AND c = :p2", {"p1": 1, "p2": "x"}),
    ],
)
def test_every_paramstyle(paramstyle: str, text: str, parameters: object) -> None:
    statement = Statement(("a LIKE '5%' AND b = ", Bind(1), " AND c = ", Bind("x")))
    assert statement.render(paramstyle) == (text, parameters)


def test_values_never_stand_in_the_text() -> None:
    selects = Selects(relation(), lambda name: f'"{name}"')
    statement = selects.changes(Keyset(Bind("2026' OR '1'='1"), Bind("x'; DROP TABLE deals; --")))
    text, parameters = statement.render("qmark")
    assert "DROP" not in text
    assert parameters == ("2026' OR '1'='1",) * 3 + ("x'; DROP TABLE deals; --",)


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT 1;", " SELECT 1 ;\n; "])
def test_a_querys_last_semicolon_is_left_out(query: str) -> None:
    assert raw(query).render("qmark") == ("SELECT 1", ())


ORDERED = st.one_of(
    st.integers(), st.text(), st.floats(allow_nan=False), st.decimals(allow_nan=False), st.dates(), st.uuids(),
    st.datetimes(), st.datetimes(timezones=st.timezones()), st.binary(),
)  # fmt: skip


@given(ORDERED)
def test_every_stamp_and_key_survives_as_text(value: object) -> None:
    found = positions.decode(positions.encode(value))
    # Of times that a zone has twice or never, Python holds none equal to one of another zone.
    assert found == (value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value)
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "7", "text", "int:x", "utc:yesterday", "float:1", "uuid:1", "decimal:abc"])
def test_a_position_that_is_not_of_this_source_is_refused(text: str) -> None:
    with pytest.raises(FatalError, match="stored cursor"):
        positions.decode(text)
