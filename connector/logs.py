"""Sets logging up: one line a step on stderr, for people or as JSON, without values and secrets."""

import logging
import os
import sys
import threading
import traceback
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from connector.words import discreet

Event = MutableMapping[str, Any]

OURS: Final = "connector"
"""The logger of the connector's own lines."""
_QUIET: Final = {
    # It warns each time that a tick is still at work when the next is due: usual during a long reading.
    "apscheduler": logging.ERROR,
}
_TROUBLE: Final = ("failed", "lost", "denied", "postponed")


def configure(log_format: str, level: str, run: str | None) -> None:
    """Send every log line of the process to stderr.

    Args:
        log_format: `console` or `json`.
        level: DEBUG, INFO, WARNING or ERROR, in any case.
        run: stands on every line, to tell one process's lines from another's; None leaves it out.
    """

    def add_run(_logger: object, _method: str, event: Event) -> Event:
        if run is not None:
            event["run"] = run
        return event

    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.contextvars.merge_contextvars,
        add_run,
        _without_error_texts,
        _discreet,
    ]
    renderer: structlog.typing.Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
        before.append(_event_first)
    else:
        colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        renderer = structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=16, sort_keys=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Below WARNING, libraries tell what they are given: statements with their parameters, addresses with their keys.
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.getLogger(OURS).setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class LogObserver:
    """Writes a log line for each of the engine's steps (an engine.observe.Observer)."""

    def __init__(self) -> None:
        self._log = structlog.stdlib.get_logger(OURS)

    def event(self, name: str, **facts: str | int | float | bool | None) -> None:
        """Log a step; what a person should look at is a warning."""
        alarm = facts.pop("alarm", False)
        if alarm or is_trouble(name):
            self._log.warning(name, **facts)
        else:
            self._log.info(name, **facts)


def is_trouble(name: str) -> bool:
    """Tell whether a step's name says that something went wrong."""
    return name.rpartition(".")[2] in _TROUBLE


def guard_threads() -> None:
    """Log what ends a thread, or comes of an object's end, by its place and kind. Python itself would print the text of
    the error, and its logging what it cannot format.
    """

    def of_thread(hook: threading.ExceptHookArgs) -> None:
        _unexpected("thread.failed", hook.exc_value, thread=None if hook.thread is None else hook.thread.name)

    def of_object(hook: "sys.UnraisableHookArgs") -> None:
        _unexpected("object.failed", hook.exc_value)

    threading.excepthook = of_thread
    sys.unraisablehook = of_object
    logging.raiseExceptions = False


def _unexpected(name: str, error: BaseException | None, **facts: Any) -> None:
    if error is not None and not isinstance(error, SystemExit):
        structlog.stdlib.get_logger(OURS).error(name, exc_info=error, **facts)


def new_run() -> str:
    """Return a name for what this process logs."""
    return uuid.uuid4().hex[:8]


def flush() -> None:
    """Write out what is still waiting, before the process ends abruptly."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def _event_first(_logger: object, _method: str, event: Event) -> Event:
    """Let each JSON line begin with when and what, for people who read it all the same."""
    first = {key: event.pop(key) for key in ("timestamp", "level", "event", "run") if key in event}
    return {**first, **event}


def bare_trace(error: BaseException) -> str:
    """Return where an unexpected error came from and its kind, without its text: that might hold values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__module__}.{type(error).__qualname__}"


def _without_error_texts(_logger: object, _method: str, event: Event) -> Event:
    """Replace an unexpected error by its place and kind."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    if isinstance(error, tuple) and error[1] is not None:
        event["exception"] = bare_trace(error[1])
    return event


def _discreet(_logger: object, _method: str, event: Event) -> Mapping[str, Any]:
    """Leave out what Gong said, and e-mail addresses."""
    return {key: discreet(value) if isinstance(value, str) else value for key, value in event.items()}
