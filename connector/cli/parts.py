"""Puts the connector's parts together for a command, logging included."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector import logs
from connector.cli.output import remarks
from connector.cli.progress import observer
from connector.clock import SystemClock
from connector.engine.observe import Silent
from connector.engine.wiring import Wiring
from connector.settings import Settings, load_settings


@contextmanager
def working(settings: Settings | None = None, *, quiet: bool = False) -> Iterator[Wiring]:
    """Give the parts to a command that does something, and tell the user's screen or log what the engine does.

    Args:
        settings: the user's when left out.
        quiet: write no log lines where there is no terminal for bars.

    Raises:
        ConfigError: the settings are wrong.
    """
    settings = settings or load_settings()
    # On a terminal the bars say what happens; only what a person should look at is logged beside them.
    level = "WARNING" if remarks.is_terminal and settings.log_level.upper() == "INFO" else settings.log_level
    run = logs.new_run() if settings.log_format == "json" else None
    logs.configure(settings.log_format or "console", level, run)
    with Wiring(settings, SystemClock(), observer(quiet=quiet)) as wiring:
        yield wiring


@contextmanager
def looking(settings: Settings | None = None, *, long: bool = False) -> Iterator[Wiring]:
    """Give the parts to a command that only looks; a ledger that is not there yet is not created.

    Args:
        settings: the user's when left out.
        long: show bars on a terminal, and log lines elsewhere, of what the engine does.

    Raises:
        ConfigError: the settings are wrong.
    """
    settings = settings or load_settings()
    watched = long and not remarks.is_terminal
    logs.configure(settings.log_format or "console", settings.log_level if watched else "WARNING", None)
    with Wiring(settings, SystemClock(), observer(quiet=False) if long else Silent(), looking=True) as wiring:
        yield wiring


def shipped(name: str) -> Path:
    """Return where a file of config/ lies: inside the installed package, or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    folder = package / "_config"
    return (folder if folder.is_dir() else package.parent / "config") / name


def log_format_of_a_service(settings: Settings) -> str:
    """Return how a long-running process logs: for people on a terminal, else as JSON for collectors."""
    return settings.log_format or ("console" if sys.stderr.isatty() else "json")
