"""How a seed's process is set up: its settings, its ticks of reading, and the engine's portions cut small."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from pydantic import SecretStr

from connector.engine.reader import End
from connector.engine.wiring import Wiring
from connector.mapping import Entity
from connector.model import Resend
from connector.settings import Settings
from tests.simulation.crm import Crm
from tests.simulation.variety import Variety


def settings_for(crm: Crm, ledger_url: str, spool: Path) -> Settings:
    """Return what the user has set in this seed."""
    variety = crm.variety
    return Settings(
        _env_file=None,
        source_url=SecretStr(f"sqlite:///{crm.path}"),
        state_url=SecretStr(ledger_url),
        spool_dir=spool,
        spool_max_bytes=variety.spool_max_bytes,
        mapping=crm.mapping_path,
        gong_base_url="https://gong.example",
        gong_access_key=SecretStr("sandbox-key"),
        gong_access_key_secret=SecretStr("sandbox-secret"),
        overlap_seconds=variety.overlap,
        calls_per_day=variety.calls_per_day,
        delete_guard_count=variety.delete_guard_count,
        account_wait_seconds=variety.account_wait,
        poll_min_seconds=variety.poll_min,
        poll_max_seconds=variety.poll_max,
        max_file_bytes=variety.max_file_bytes,
        resend=Resend(variety.resend),
    )  # type: ignore[call-arg] # pydantic-settings' own argument


def memory() -> str | None:
    """Return a directory in memory where there is one: a seed syncs files thousands of times."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def reading(entity: Entity) -> Callable[[Wiring], bool]:
    """Return a tick that reads an entity source when it is its turn, and tells whether it came to the end."""

    def tick(wiring: Wiring) -> bool:
        if wiring.rounds.read_at(entity) > wiring.clock.now():
            return False
        return wiring.rounds.read(entity).end is End.FINISHED

    return tick


@contextmanager
def small_portions(variety: Variety) -> Iterator[None]:
    """Cut the engine's portions, so that few rows go through what many rows would."""
    with (
        mock.patch("connector.engine.intake.MOST_LINES", variety.lines_at_once),
        mock.patch("connector.engine.intake.MOST_DECISIONS", variety.lines_at_once),
        mock.patch("connector.engine.reader.AGAIN_AT_ONCE", variety.lines_at_once),
        mock.patch("connector.engine.isolation.SMALL_FILE", variety.small_file),
        mock.patch("connector.engine.isolation.EXPECTED", variety.behaviour.max_errors_listed * 5 / 4),
        mock.patch("connector.engine.reconciler.AT_ONCE", variety.lines_at_once),
        mock.patch("connector.engine.backfill.MOST_LINES", variety.lines_at_once),
        mock.patch("connector.engine.backfill.AT_ONCE", variety.lines_at_once),
        mock.patch("connector.engine.history.OBJECTS_AT_ONCE", variety.lines_at_once),
        mock.patch("connector.source.engines.CHUNK_ROWS", variety.rows_at_once),
    ):
        yield
