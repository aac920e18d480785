"""The connector's process in a seed: set up by what was drawn, started, ticked, and killed at failpoints."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

from pydantic import SecretStr

from connector.clock import FakeClock
from connector.engine.reading import End
from connector.engine.sync import Steps
from connector.engine.wiring import Wiring
from connector.errors import ConnectorError, LeaseLost
from connector.mapping import CompiledMapping, Entity, MappingFile
from connector.model import Resend
from connector.settings import Settings
from tests.in_process import SandboxTransport
from tests.simulation.backfilling import Backfilling
from tests.simulation.crm import Crm
from tests.simulation.gong import WatchedApi
from tests.simulation.promises import Broken, Promise
from tests.simulation.telling import Tally, Trace
from tests.simulation.variety import Variety

LEASE_SECONDS: Final = 91.0
_FILES: Final[dict[str, MappingFile]] = {}
"""Mapping files by what is written in them: reading one takes as long as a hundred ticks, compiling it half as long."""


class Crash(BaseException):
    """The process is killed here. Nothing may catch it, so it is no Exception."""


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


class Process:
    """The connector's process in a seed: started when it is needed, ticked, ended, killed at failpoints."""

    def __init__(
        self,
        crm: Crm,
        ledger_url: str,
        spool: Path,
        clock: FakeClock,
        trace: Trace,
        api: WatchedApi,
        chance: random.Random,
        tally: Tally,
        backfilling: Backfilling | None,
        meanwhile: Callable[[], object],
    ) -> None:
        """`meanwhile`: something that the CRM's users do between two steps of the process."""
        self.calm = False
        """Neither crashes nor changes meanwhile any more."""
        self._crm = crm
        self._ledger_url = ledger_url
        self._spool = spool
        self._clock = clock
        self._trace = trace
        self._api = api
        self._chance = chance
        self._tally = tally
        self._backfilling = backfilling
        self._meanwhile = meanwhile
        self._wiring: Wiring | None = None
        self._settings: Settings | None = None
        """Read once: that takes as long as ten ticks."""
        self._mappings: dict[str, CompiledMapping] = {}
        self._crash_in = 0
        self._spool_at_crash: dict[str, bytes] = {}
        self._renewed_at = 0.0

    def tick(self, name: str, work: Callable[[Wiring], Any]) -> Any:
        """Do one piece of the engine's work; an error of its own ends the piece, a crash the process."""
        self._trace.event(name)
        try:
            wiring = self.wired()
            if self._clock.now() - self._renewed_at > 20.0:
                wiring.lease.renew()
                self._renewed_at = self._clock.now()
            return work(wiring)
        except Crash as crash:
            self._die(str(crash))
        except LeaseLost as error:
            raise Broken(Promise.ONE_AT_A_TIME, f"the only process lost its lease: {error}") from error
        except ConnectorError as error:
            self._trace.event("error", type=type(error).__name__, words=str(error)[:150])
        return None

    # -- starting, stopping, dying ---------------------------------------------------------------

    def wired(self) -> Wiring:
        """Return the process's parts; start it when it is not running."""
        while self._wiring is None:
            try:
                self._start()
            except Crash as crash:
                self._die(str(crash))
            except ConnectorError as error:
                self._trace.event("start failed", type=type(error).__name__, words=str(error)[:150])
                self.drop()
                self._clock.advance(LEASE_SECONDS)
        return self._wiring

    def _start(self) -> None:
        if self._settings is None:
            self._settings = settings_for(self._crm, self._ledger_url, self._spool)
        chance = self._chance
        self._wiring = wiring = Wiring(
            self._settings,
            self._clock,
            self._trace,
            transport=SandboxTransport(self._api, chance),
            new_id=lambda: self._new_id(wiring),
        )
        written = self._crm.mapping_path.read_text(encoding="utf-8")
        if written in _FILES:
            wiring.__dict__["mapping_file"] = _FILES[written]
        if written in self._mappings:
            wiring.__dict__["mapping"] = self._mappings[written]
        try:
            wiring.take_lease()
            self._renewed_at = self._clock.now()
            file = _FILES[written] = wiring.mapping_file
            self._mappings[written] = wiring.mapping
            wiring.binding.check()
            wiring.binding.register(wiring.client, file.integration_name, file.owner_email, adopt=False)
            wiring.binding.bind_source()
            wiring.rounds.courier.tidy()
        except BaseException:
            if self._wiring is wiring:
                close(wiring)
            self._wiring = None
            raise

    def _new_id(self, wiring: Wiring) -> str:
        made = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        if self._backfilling is not None:
            self._backfilling.spooled(wiring, made)
        return made

    def drop(self) -> None:
        """Be gone: connections are closed, work under way is forgotten, the lease stays taken."""
        if self._backfilling is not None:
            self._backfilling.forget()
        if self._wiring is not None:
            close(self._wiring)
            self._wiring = None

    def restart(self) -> None:
        """End the process as SIGTERM would, and start it anew."""
        if self._wiring is not None:
            self._trace.event("restart")
            try:
                self._wiring.__exit__(None, None, None)
            except Crash as crash:
                self._die(str(crash))
            self.drop()

    def leave(self) -> Steps[Any] | None:
        """Make room for another process without ending this one; return the rest of its backfill."""
        self._wiring = None
        return None if self._backfilling is None else self._backfilling.forget()

    # -- crashes ---------------------------------------------------------------------------------

    def next_crash(self) -> None:
        """Draw how many failpoints on the next crash comes."""
        every = self._crm.variety.crash_every
        self._crash_in = self._chance.randint(1, every) if every else 0

    def failpoint(self, name: str) -> None:
        """What happens at a failpoint: nothing, a change of the CRM, or a crash."""
        if self.calm:
            return
        if self._chance.random() < 0.04:
            self._trace.event("meanwhile", at=name)
            self._meanwhile()
        if self._crash_in:
            self._crash_in -= 1
            if self._crash_in == 0:
                self._spool_at_crash = {path.name: path.read_bytes() for path in self._spool.glob("*")}
                raise Crash(name)

    def _die(self, where: str) -> None:
        """Be gone as after kill -9: what the unwinding removed from the spool is there again."""
        self._trace.event("crash", at=where)
        self.drop()
        self.crashed(where)
        for name, data in self._spool_at_crash.items():
            path = self._spool / name
            if not path.exists():
                path.write_bytes(data)
        self._clock.advance(LEASE_SECONDS)

    def crashed(self, where: str) -> None:
        """Count a crash, and draw the next one."""
        self._tally.crashes[where] += 1
        self._api.caller_died()
        self.next_crash()


def close(wiring: Wiring) -> None:
    """Close the connections of a process that is gone, and nothing else: its lease stays taken."""
    for name in ("gong", "source", "database"):
        part = wiring.__dict__.get(name)
        if part is not None:
            part.close()
