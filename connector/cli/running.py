"""Runs a command and turns however it ends into words on stderr and an exit status; the one place that does."""

import errno
import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from connector.cli.exits import Status
from connector.errors import ConfigError, ConnectorError

_NEW_OBJECTS = 10_000
"""After how many new objects to look for dead ones. Imports make ten times as many, nearly all of which stay: looking
after each 700, as Python does by itself, takes a tenth of the time in which a command starts.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; `arguments` are the process's own when left out."""
    gc.set_threshold(_NEW_OBJECTS)
    from connector.cli.arguments import commands

    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = commands.main(arguments, prog_name="gong-connector", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return Status.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ConfigError as error:
        return _say(error, Status.WRONG)
    except ConnectorError as error:
        return _say(error, Status.FAILED)
    except OSError as error:
        if error.errno != errno.EPIPE:
            return _unexpected(error)
        # Whoever read our output has gone (`| head`): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.FAILED
    except Exception as error:
        return _unexpected(error)
    return int(status or Status.WELL)


def _say(error: ConnectorError, status: Status) -> Status:
    click.echo(f"gong-connector: {error}", err=True)
    return status


def _unexpected(error: Exception) -> Status:
    from connector.logs import bare_trace

    click.echo(bare_trace(error), err=True)
    click.echo(
        "gong-connector: this is a fault of the connector; please report it with the lines above (they hold no "
        "record's values)",
        err=True,
    )
    return Status.FAILED


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """End in good order: what is open is closed, and the lease is given back."""
    raise SystemExit(Status.TERMINATED)
