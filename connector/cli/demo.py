"""`demo`: everything embedded and at work, told step by step."""

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from connector import logs
from connector.cli import daemon
from connector.cli.exits import Status
from connector.cli.output import count, heading, say, seconds, table
from connector.cli.page import page
from connector.cli.parts import shipped, working
from connector.cli.sync import Synced, one_pass, summary, verdict
from connector.clock import Clock, SystemClock
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.object_types import SCHEMA_TYPES, ObjectType
from connector.sandbox import demo_crm
from connector.sandbox.api import Credentials, SandboxApi
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.server import running
from connector.sandbox.world import World
from connector.settings import Settings

SEED: Final = 2
ACCOUNTS: Final = 250
CHANGE_SECONDS: Final = 4.0
READ_BACK: Final = 100
"""Objects that Gong gives back in one call."""
_CREDENTIALS: Final = Credentials("demo", "demo-secret")


class _DemoSettings(Settings):
    """Settings that come from the demo alone, whatever the environment says."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as pydantic-settings calls it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo(*, keep: bool, directory: Path | None) -> Status:
    """Show the connector at work in `directory`, or in a temporary one.

    Raises:
        ConfigError: the directory cannot be made, or holds a demo already.
    """
    clock = SystemClock()
    with _home(directory) as home:
        behaviour = Behaviour(pending_seconds=0.05, processing_seconds=0.3)
        world = World(home / "gong.db", now=clock.now, behaviour=behaviour)
        try:
            with running(SandboxApi(world, _CREDENTIALS)) as gong:
                return _Show(home, world, clock).run(gong, keep=keep)
        finally:
            world.close()


@contextmanager
def _home(directory: Path | None) -> Iterator[Path]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="gong-connector-demo-") as temporary:
            yield Path(temporary)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--directory {directory}: {error.strerror}") from None
    if any(directory.iterdir()):
        raise ConfigError(f"--directory {directory}: is not empty; name a new one")
    yield directory


def mapping_file() -> Path:
    """Where the demo's mapping file lies."""
    return shipped("demo.yaml")


class _Show:
    """The steps, in order."""

    def __init__(self, home: Path, world: World, clock: Clock) -> None:
        self._home = home
        self._world = world
        self._clock = clock
        self._crm = home / "crm.db"
        self._lines = self._rows = 0

    def run(self, gong: str, *, keep: bool) -> Status:
        started = self._clock.monotonic()
        demo_crm.create(self._crm, SEED, self._clock.now(), accounts=ACCOUNTS)
        settings = self._settings(gong)
        heading("1. A CRM in a SQL database, and a Gong to try things on")
        say(f"The CRM: SQLite, {self._crm}. The mapping: {mapping_file()}.")
        say(f"Gong: a sandbox at {gong} with Gong's rules, 3 calls a second among them.")
        with working(settings, quiet=True) as wiring:
            self._register(wiring)
            self._first_load(wiring)
            self._changes(wiring)
            self._mend(wiring)
            self._no_changes(wiring)
            well = self._read_back(wiring)
            used = wiring.budget.used()
        self._close(used, self._clock.monotonic() - started)
        if keep:
            return self._keep(settings)
        _what_next()
        return Status.WELL if well else Status.FAILED

    def _settings(self, gong: str) -> Settings:
        return _DemoSettings.model_validate(
            {
                "source_url": f"sqlite:///{self._crm}",
                "state_url": f"sqlite:///{self._home / 'connector.db'}",
                "spool_dir": self._home / "spool",
                "mapping": mapping_file(),
                "gong_base_url": gong,
                "gong_access_key": _CREDENTIALS.access_key,
                "gong_access_key_secret": _CREDENTIALS.access_key_secret,
                "sync_interval_seconds": 10,
                "account_wait_seconds": 0,
                "poll_min_seconds": 0.4,
                "web_port": 0,
            }
        )

    def _register(self, wiring: Wiring) -> None:
        heading("2. register: the integration, once")
        file = wiring.mapping_file
        client = wiring.client
        wiring.take_lease()
        integration_id, _ = wiring.binding.register(client, file.integration_name, file.owner_email, adopt=False)
        say(f"{file.integration_name!r} is integration {integration_id} in Gong.")

    def _first_load(self, wiring: Wiring) -> None:
        heading("3. sync: the first load, in Gong's order, with the schema of additional fields before it")
        self._pass(wiring)
        refused = wiring.queries.failures()
        heading("Refused, and why (`failures list`)")
        table(
            ("Type", "Id", "By", "Reason"),
            [(one.type, one.object_id, one.origin, one.reason) for one in reversed(refused)],
        )

    def _changes(self, wiring: Wiring) -> None:
        heading("4. People work in the CRM; the next pass sends only that")
        for sentence in demo_crm.change(self._crm, SEED, self._clock.now()):
            say(f"  - {sentence}")
        self._pass(wiring)

    def _mend(self, wiring: Wiring) -> None:
        heading("5. The unfit rows are mended in the CRM, and go by themselves")
        for sentence in demo_crm.mend(self._crm, self._clock.now()):
            say(f"  - {sentence}")
        self._pass(wiring)

    def _no_changes(self, wiring: Wiring) -> None:
        heading("6. A pass without changes costs no call")
        synced = one_pass(wiring, [], wait=True, timeout=None)
        self._note(synced)
        say(f"Uploaded: {count(synced.uploads.files, 'file')}. Calls to Gong: {synced.calls}.")

    def _pass(self, wiring: Wiring) -> None:
        synced = one_pass(wiring, [], wait=True, timeout=None)
        self._note(synced)
        summary(synced)
        verdict(synced, waited=True)

    def _note(self, synced: Synced) -> None:
        self._lines += synced.uploads.lines
        self._rows += sum(reading.counts.rows for reading in synced.report.readings.values())

    def _read_back(self, wiring: Wiring) -> bool:
        """Compare every object in Gong with the mapped source; return whether all are equal."""
        heading("7. Every object in Gong is compared with its row")
        rows, equal, wanted = [], 0, 0
        for object_type in ObjectType:
            mapped = self._mapped(wiring, object_type)
            if object_type in SCHEMA_TYPES:
                found: Mapping[str, Any] = self._held(wiring, object_type, list(mapped))
                how = "read back"
            else:  # Gong does not give these back
                found, how = self._world.objects(object_type), "the sandbox's own state"
            same = sum(_content(found.get(object_id)) == body for object_id, body in mapped.items())
            rows.append((str(object_type), len(mapped), same, how))
            equal += same
            wanted += len(mapped)
        table(("Type", "In the CRM", "Equal in Gong", "Known by"), rows)
        say()
        say(f"Objects equal: {equal:,} of {wanted:,}.", "bold green" if equal == wanted else "bold red")
        return equal == wanted

    def _held(self, wiring: Wiring, object_type: ObjectType, ids: list[str]) -> dict[str, dict[str, Any] | None]:
        """Return what Gong gives back (GONG_API, "Calls": 100 objects a call)."""
        found: dict[str, dict[str, Any] | None] = {}
        for start in range(0, len(ids), READ_BACK):
            some = ids[start : start + READ_BACK]
            found.update(wiring.client.objects(wiring.integration_id(), object_type, some))
        return found

    def _mapped(self, wiring: Wiring, object_type: ObjectType) -> dict[str, Any]:
        """Return what Gong should hold; the demo's CRM is small enough for it to be in memory at once."""
        found = {}
        for entity in wiring.mapping.entities:
            if entity.type is object_type and entity.relation is not None:
                for rows in wiring.source.everything(entity.relation):
                    lines = entity.encode(rows, int(self._clock.now())).lines
                    found.update({line.object_id: json.loads(line.body + b"}") for line in lines if not line.deleted})
        return found

    def _close(self, calls: int, took: float) -> None:
        heading("All in all")
        say(
            f"{self._rows:,} rows read, {self._lines:,} lines sent, {calls:,} of 9,000 calls of a day used, "
            f"{seconds(took)}."
        )

    def _keep(self, settings: Settings) -> Status:
        heading("8. run: the daemon keeps Gong equal while people work on; the log names its page. Ctrl-C ends it")
        logs.configure("console", "INFO", None)
        with (
            daemon.stop_by_signal() as stop,
            page(settings, self._clock, logs.LogObserver()) as shown,
            Wiring(settings, self._clock, shown.observer) as wiring,
        ):
            threading.Thread(target=self._work_on, args=(stop,), name="people", daemon=True).start()
            return daemon.serve(wiring, shown.observer, stop, shown.postpone)

    def _work_on(self, stop: daemon.Stop) -> None:
        seed = SEED
        while not stop.asked.wait(CHANGE_SECONDS):
            seed += 1
            for sentence in demo_crm.change(self._crm, seed, self._clock.now()):
                say(f"  - {sentence}")


def _content(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if held is None else {name: value for name, value in held.items() if name != "modifiedDate"}


def _what_next() -> None:
    heading("With your own database")
    say("1. Copy config/mapping.example.yaml (or config/demo.yaml) to config/mapping.yaml and change it.")
    say("2. Set CONNECTOR_SOURCE_URL, CONNECTOR_GONG_ACCESS_KEY and CONNECTOR_GONG_ACCESS_KEY_SECRET.")
    say("3. gong-connector check           what is wrong, changing nothing")
    say("   gong-connector preview DEAL    the lines that would be sent")
    say("   gong-connector register        once")
    say("   gong-connector sync            the first load; then changes")
    say("   gong-connector run             the same for ever")
