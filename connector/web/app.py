"""The paths of the status page, each to what it shows. All of them only read."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from connector.engine.judgement import State
from connector.engine.wording import TO_DO, WAITS, backfill_words, budget_words
from connector.errors import ConnectorError, LedgerInUse
from connector.ledger.finder import Finder
from connector.object_types import ObjectType
from connector.web import health
from connector.web.answers import WHY, answer
from connector.web.guard import Guard
from connector.web.lookout import Lookout, Sight
from connector.web.metrics import registry_for
from connector.web.rendering import HERE, environment
from connector.web.series import bars, budget, lags
from connector.words import size

PER_PAGE: Final = 100
AUDIT: Final = 200
"""Requests that are listed."""
DESTRUCTIVE: Final = ("unregister", "schema apply")
LONGEST_ID: Final = 1000


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the connector was started, without secrets."""

    settings: Sequence[Any]
    """Each with `name`, `value`, `is_default` and `meaning`."""
    mapping: Callable[[], str]
    """Gives the mapping file's text as it was taken up."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the page is made of."""

    lookout: Lookout
    configuration: Configuration
    password: str | None
    host: str
    spool_max_bytes: int
    registry: CollectorRegistry
    """Holds what counts already."""
    clock: Callable[[], float]
    """Seconds since 1970 UTC."""


def create_app(site: Site) -> Starlette:
    """Return the ASGI application."""
    pages = _Pages(site)
    registry = registry_for(site.lookout.look, site.registry)

    def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=None, headers={"Content-Type": content_type})

    routes = [
        Route("/", pages.status),
        Route("/refused", pages.refused),
        Route("/waiting", pages.waiting),
        Route("/object", pages.object),
        Route("/audit", pages.audit),
        Route("/configuration", pages.configuration),
        Route("/charts.json", pages.charts),
        Route("/healthz", lambda _request: PlainTextResponse("alive\n")),
        Route("/readyz", pages.readyz),
        Route("/metrics", metrics),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, password=site.password, host=site.host)],
        exception_handlers={ConnectorError: pages.unreadable, HTTPException: pages.wrong},
    )


class _Pages:
    """One method a path."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = environment()
        self._templates.globals |= {"types": [str(kind) for kind in ObjectType], "static": _versions()}

    def _page(self, name: str, request: Request, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(
            self._templates.get_template(name).render(path=request.url.path, **values), status_code=status
        )

    # -- pages -----------------------------------------------------------------------------------

    def status(self, request: Request) -> Response:
        sight = self._site.lookout.look()
        seen = sight.overview
        refused = self._site.lookout.find(lambda finder: finder.refused(None, 0, 10))
        (calls, short), *more = budget_words(seen.pacing, seen.now, running=seen.running)
        return self._page(
            "status.html",
            request,
            **self._common(sight),
            seen=seen,
            lags=lags(sight.settled),
            bars=bars(sight.settled, seen.now),
            budget=budget(sight.calls, seen.now, seen.pacing.standing.last_hour),
            calls=[(calls, short), *more],
            refused=refused,
            waits=WAITS,
            to_do=TO_DO,
            backfill_words=backfill_words,
            cursors={one.name: one for one in seen.cursors},
            searches=self._site.lookout.find(Finder.searches),
            spooled=None if sight.spooled is None else size(sight.spooled),
            spool_max=size(self._site.spool_max_bytes),
        )

    def refused(self, request: Request) -> Response:
        kind, offset = _type(request), _offset(request)
        rows = self._site.lookout.find(lambda finder: finder.refused(kind, offset, PER_PAGE + 1))
        return self._list("refused.html", request, rows, offset, kind=kind or "", to_do=TO_DO)

    def waiting(self, request: Request) -> Response:
        now, offset = self._site.clock(), _offset(request)
        rows = self._site.lookout.find(lambda finder: finder.waits(now, offset, PER_PAGE + 1))
        return self._list("waiting.html", request, rows, offset, why=WHY)

    def object(self, request: Request) -> Response:
        kind, object_id = _type(request), request.query_params.get("id", "").strip()
        if len(object_id) > LONGEST_ID:
            raise HTTPException(400, f"An id has {LONGEST_ID} characters at most.")
        if "\0" in object_id:
            raise HTTPException(400, "No id holds the character NUL.")
        found = self._site.lookout.find(lambda finder: finder.find(object_id, kind)) if object_id else []
        accounts = {
            one.account_id: self._site.lookout.find(partial(_account, str(one.account_id)))
            for one in found
            if one.account_id is not None and one.pending is not None
        }
        return self._page(
            "object.html",
            request,
            **self._common(self._site.lookout.look()),
            kind=kind or "",
            object_id=object_id,
            found=[(one, answer(one)) for one in found],
            accounts={key: (one, answer(one)) for key, one in accounts.items() if one is not None},
            to_do=TO_DO,
        )

    def audit(self, request: Request) -> Response:
        asked = self._site.lookout.find(lambda finder: finder.asked(AUDIT))
        approvals = self._site.lookout.approvals()
        return self._page(
            "audit.html",
            request,
            **self._common(self._site.lookout.look()),
            asked=asked,
            approvals=approvals,
            destructive=DESTRUCTIVE,
        )

    def configuration(self, request: Request) -> Response:
        sight = self._site.lookout.look()
        return self._page("configuration.html", request, **self._common(sight), shown=self._site.configuration)

    def _list(self, name: str, request: Request, rows: Sequence[Any], offset: int, **values: Any) -> Response:
        return self._page(
            name,
            request,
            **self._common(self._site.lookout.look()),
            rows=rows[:PER_PAGE],
            earlier=max(offset - PER_PAGE, 0) if offset else None,
            later=offset + PER_PAGE if len(rows) > PER_PAGE else None,
            **values,
        )

    def _common(self, sight: Sight) -> dict[str, Any]:
        verdict = sight.verdict
        return {"now": sight.overview.now, "verdict": verdict, "answer": verdict.answer}

    # -- for machines ----------------------------------------------------------------------------

    def charts(self, _request: Request) -> Response:
        sight = self._site.lookout.look()
        now, day = sight.overview.now, sight.overview.pacing.standing
        found, used = bars(sight.settled, now), budget(sight.calls, now, day.last_hour)
        document = {
            "now": int(now),
            "lines": [[one.start for one in found], [one.lines for one in found]],
            "lag": [[one.start for one in found], [one.lag for one in found]],
            "calls": [
                [one.at for one in used],
                [None if one.foreseen else one.calls for one in used],
                [one.calls if one.foreseen or one.at == int(now) else None for one in used],
                [day.per_day for _ in used],
            ],
        }
        return Response(orjson.dumps(document), media_type="application/json")

    def readyz(self, _request: Request) -> Response:
        try:
            found = health.parts(self._site.lookout.look())
        except LedgerInUse:
            # Ready to take over. A rolling upgrade waits for this before it ends the earlier version.
            found = [health.Part("ledger", True, "an earlier version is at work on it; this one waits to upgrade it")]
        except ConnectorError:
            found = [health.Part("ledger", False, "it cannot be read")]
        return PlainTextResponse(health.words(found), 200 if all(part.well for part in found) else 503)

    # -- what goes wrong -------------------------------------------------------------------------

    def unreadable(self, request: Request, error: Exception) -> Response:
        """Say that the ledger cannot be read: then nothing is known."""
        return self._page(
            "unreadable.html", request, 503, state=State.STOPPED.value, words=str(error), now=self._site.clock()
        )

    def wrong(self, request: Request, error: Exception) -> Response:
        """Say what is wrong with what was asked for."""
        assert isinstance(error, HTTPException)
        words = "There is no such page." if error.status_code == 404 else error.detail
        return self._page("wrong.html", request, error.status_code, words=words)


def _account(account_id: str, finder: Any) -> Any:
    return next(iter(finder.find(account_id, ObjectType.ACCOUNT)), None)


def _type(request: Request) -> ObjectType | None:
    given = request.query_params.get("type", "")
    if given and given not in list(ObjectType):
        raise HTTPException(400, "There is no such object type.")
    return ObjectType(given) if given else None


def _offset(request: Request) -> int:
    given = request.query_params.get("from", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise HTTPException(400, "`from` is a number.")
    return int(given)


def _versions() -> dict[str, str]:
    """Return where each static file is found, with a mark of its content so that browsers never show an old one."""
    return {
        file.name: f"/static/{file.name}?{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"
        for file in (HERE / "static").iterdir()
    }
