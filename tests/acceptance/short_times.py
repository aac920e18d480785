"""The connector's command line for tests of what comes and goes: what takes minutes as a rule takes seconds."""

import sys
from typing import Any

import short_lease

import connector.cli.daemon
import connector.cli.page
import connector.engine.daemon
import connector.engine.incidents
import connector.engine.judgement
import connector.ledger.database
import connector.ledger.lease
import connector.source.backends.sqlite
from connector.cli import main
from connector.engine.pacing import Pacer

_init = Pacer.__init__


def _each_second(self: Pacer, *arguments: Any) -> None:
    _init(self, *arguments)
    self.set_interval = 1.0


if __name__ == "__main__":
    Pacer.__init__ = _each_second  # type: ignore[method-assign]
    connector.ledger.lease.LEASE_SECONDS = short_lease.LEASE_SECONDS  # type: ignore[misc]
    connector.ledger.database.BUSY_SECONDS = 0.3  # type: ignore[misc]
    connector.source.backends.sqlite._BUSY_SECONDS = 0.3  # type: ignore[misc]
    connector.cli.daemon.AGAIN_SECONDS = 0.5  # type: ignore[misc]
    connector.cli.page.WATCH_SECONDS = 0.5  # type: ignore[misc]
    connector.cli.page.HINDERED_SECONDS = 3.0  # type: ignore[misc]
    connector.engine.daemon.FAILED_SECONDS = 0.5  # type: ignore[misc]
    connector.engine.judgement.UNREACHED_SECONDS = 1.0  # type: ignore[misc]
    connector.engine.incidents.PATIENCE.clear()
    connector.engine.incidents.CALM_SECONDS = 0.5  # type: ignore[misc]
    sys.exit(main())
