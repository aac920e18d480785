"""Carries out what commands ask of the daemon, step by step beside its own work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.clock import Clock
from connector.engine.observe import Observer
from connector.engine.operations import Operation
from connector.engine.sync import Steps
from connector.errors import ConfigError, ConnectorError, LeaseLost, LedgerUnavailable
from connector.ledger.requests import Outcome, Request, Requests


@dataclass(slots=True)
class _UnderWay:
    steps: Steps[str]
    due: float
    """When the next step makes sense (seconds since 1970 UTC)."""


class Clerk:
    """A daemon's view of the requests. Each thread that carries some out has a clerk of its own.

    A request that was begun when an earlier daemon ended is begun anew: operations may be repeated.
    """

    def __init__(
        self,
        requests: Requests,
        clock: Clock,
        observer: Observer,
        steps: Callable[[Request], Steps[str]],
        takes: Callable[[Request], bool],
        is_last: Callable[[Request], bool],
    ) -> None:
        """Note what to work with.

        Args:
            requests: the ledger's.
            clock: the one source of time.
            observer: is told of every request.
            steps: carries a request out, up to its stored result; raises ConnectorError.
            takes: which requests are this clerk's.
            is_last: after which the daemon has no work any more.
        """
        self._requests = requests
        self._clock = clock
        self._observer = observer
        self._steps = steps
        self._takes = takes
        self._is_last = is_last
        self.last: Request | None = None
        """What the daemon is to come to rest for; `carry_out_last` does it."""
        self._under_way: dict[int, _UnderWay] = {}

    def tick(self) -> None:
        """Take up new requests, and go on with those under way whose time has come, a step each.

        Raises:
            LeaseLost, LedgerUnavailable: nothing can be booked; what is under way is begun anew by whoever can.
        """
        for request in self._requests.open():
            if not request.for_daemon or not self._takes(request):
                continue
            if self._is_last(request):
                self.last = request
                return
            work = self._under_way.get(request.id)
            if work is None:
                work = self._begin(request)
            if work.due <= self._clock.now():
                self._go_on(request, work)

    def begin_anew(self) -> None:
        """Have what is under way begun anew at the next tick, as after a restart."""
        for work in self._under_way.values():
            work.steps.close()
        self._under_way.clear()

    def carry_out_last(self, *, rested: bool) -> Outcome | None:
        """Carry out, once the daemon's threads have come to rest, what it came to rest for; return how that ended.

        Args:
            rested: they have; otherwise the request fails, for an upload may still be under way.

        Raises:
            LeaseLost, LedgerUnavailable: as `tick`.
        """
        if self.last is None:
            return None
        if not rested:
            busy = "an upload or a statement did not end in time: run the command again"
            self._requests.finish(self.last.id, Outcome.FAILED, error=busy)
        else:
            self._go_on(self.last, self._begin(self.last))
        return self._requests.get(self.last.id).outcome

    def _begin(self, request: Request) -> _UnderWay:
        self._requests.start(request.id, for_daemon=True)
        self._observer.event("request.started", request=request.id, operation=request.operation)
        work = self._under_way[request.id] = _UnderWay(self._steps(request), 0.0)
        return work

    def _go_on(self, request: Request, work: _UnderWay) -> None:
        try:
            until = next(work.steps)
        except StopIteration as end:
            self._end(request, Outcome.DONE, result=end.value)
        except (LeaseLost, LedgerUnavailable):
            del self._under_way[request.id]
            raise
        except ConnectorError as error:
            self._end(request, Outcome.WRONG if isinstance(error, ConfigError) else Outcome.FAILED, error=str(error))
        except Exception:
            self._end(request, Outcome.FAILED, error="a fault of the connector; the daemon's log has it")
            raise
        else:
            work.due = 0.0 if until is None else until

    def _end(self, request: Request, outcome: Outcome, *, result: str | None = None, error: str | None = None) -> None:
        del self._under_way[request.id]
        self._requests.finish(request.id, outcome, result=result, error=error)
        self._observer.event(
            "request.ended", request=request.id, operation=request.operation, outcome=outcome.value, error=error
        )


def refuse(operation: Operation[Any, Any] | None, request: Request, mapping: str) -> None:
    """Refuse what this daemon, which works with that version of the mapping file, cannot do as it was meant.

    Raises:
        ConfigError: the operation is unknown here, or means another version of the mapping file.
    """
    if operation is None:
        raise ConfigError(f"the daemon does not know {request.operation!r}: it is of another version of the connector")
    if operation.mapped and request.mapping is not None and request.mapping != mapping:
        raise ConfigError(
            "the daemon works with another version of the mapping file than the one that this command sees: send it "
            "SIGHUP or restart it, so that it takes up the changes"
        )
