"""What others do, a process each: `python -m bench.peers WHAT ...`. Each writes deals as lines of JSON to a file."""

import argparse
import json
import sqlite3
from collections.abc import Callable
from typing import Any, Final

import orjson
from sqlalchemy import create_engine, select
from sqlalchemy.ext.automap import automap_base

PSQL_JSON: Final = (
    "select json_build_object('objectId', id::text, 'url', 'https://crm.example.com/deals/' || id,"
    " 'accountId', account_id::text, 'ownerId', owner_id::text, 'name', name, 'createdDate', created_at,"
    " 'closeDate', close_date, 'status', case state when 'won' then 'WON' when 'lost' then 'LOST' else 'OPEN' end,"
    " 'isOpen', state = 'open', 'isWon', state = 'won', 'stage', stage, 'amount', amount, 'currency', currency,"
    " 'description', description, 'next_step', next_step, 'probability', probability, 'region', region,"
    " 'renewal', is_renewal, 'seats', seats, 'source', source, 'modifiedDate', updated_at)::text from deals"
)


def core(url: str, out: str) -> None:
    """SQLAlchemy Core: rows streamed, a dict each, orjson."""
    engine = create_engine(url)
    with engine.connect() as connection, open(out, "wb") as file:
        rows = connection.execution_options(yield_per=1000).exec_driver_sql("SELECT * FROM deals")
        for row in rows.mappings():
            file.write(orjson.dumps(dict(row), default=str) + b"\n")


def orm(url: str, out: str) -> None:
    """SQLAlchemy ORM: `.all()`, and json.dumps of each object's attributes."""
    base = automap_base()
    engine = create_engine(url)
    base.prepare(autoload_with=engine)
    deal = base.classes.deals
    names = [column.name for column in deal.__table__.columns]
    with engine.connect() as connection, open(out, "w", encoding="utf-8") as file:
        from sqlalchemy.orm import Session

        for found in Session(connection).scalars(select(deal)).all():
            file.write(json.dumps({name: getattr(found, name) for name in names}, default=str) + "\n")


def sqlite(path: str, out: str) -> None:
    """Bare iteration: every row is fetched, nothing is done with it."""
    count = 0
    for _ in sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT * FROM deals ORDER BY updated_at, id"):
        count += 1
    print(count, out)


def upload(url: str, path: str) -> None:
    """The connector's own upload of a file, alone."""
    from pathlib import Path

    from connector.clock import SystemClock
    from connector.gong import AccessKeyAuth, GongClient
    from connector.object_types import ObjectType

    class Unlimited:
        def acquire(self, _priority: int) -> float:
            return 0.0

        def __getattr__(self, _name: str) -> Callable[..., Any]:
            return lambda *_args, **_more: None

    client = GongClient(AccessKeyAuth(url, "a", "b"), Unlimited(), SystemClock())
    print(client.upload(1, ObjectType.DEAL, "bench", Path(path), Path(path).stat().st_size))


_WORK: Final[dict[str, Callable[[str, str], None]]] = {"core": core, "orm": orm, "sqlite": sqlite, "upload": upload}


def main() -> None:
    """Do what one of them does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=[*_WORK])
    parser.add_argument("source", help="URL or path")
    parser.add_argument("file")
    options = parser.parse_args()
    _WORK[options.what](options.source, options.file)


if __name__ == "__main__":
    main()
