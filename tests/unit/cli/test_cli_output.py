"""What results, progress and logs look like, on a terminal and elsewhere."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from rich.console import Console

from connector import logs
from connector.cli import output, status
from connector.cli.progress import Bars
from connector.ledger.records import Pending
from connector.object_types import ObjectType
from connector.words import quoted
from tests.unit.engine.company import Company


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_tables_elsewhere_are_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "a reason that is longer than any terminal is wide, " * 4
    output.table(("Type", "Rows", "Reason"), [("DEAL", 12000, reason), ("LEAD", 3, "[bold]short[/bold]")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Type    Rows  Reason",
        f"DEAL  12,000  {reason}".rstrip(),
        "LEAD       3  [bold]short[/bold]",
    ]


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_500, "1.5 kB"), (190_000_000, "190.0 MB"), (5e9, "5.0 GB")],
)
def test_sizes(number: int, words: str) -> None:
    assert output.size(int(number)) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (190, "3 min 10 s"), (7500, "2 h 5 min")]
)
def test_durations(number: float, words: str) -> None:
    assert output.seconds(number) == words


def test_bars_show_rows_files_and_troubles() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    bars = Bars(console)
    with bars.live():
        bars.event("pass.started", entity="DEAL", kind="load", pass_id=1)
        bars.event("batch.spooled", type="DEAL", lines=1200)
        bars.event("pass.progress", entity="DEAL", rows=1250, lines=1200, refused=50)
        bars.event("pass.ended", entity="DEAL", rows=1250, lines=1200)
        bars.event("pass.progress", entity="DEAL", rows=3, lines=3, refused=0)
        bars.event("batch.failed", type="DEAL", batch=1)
        bars.event("batch.resolved", type="DEAL", batch=1, refused=2, errors=2, again=True)
        bars.event("pass.failed", entity="LEAD", error="the table has gone", alarm=True)
    shown = screen.getvalue()
    assert "1,250 read, 1,200 to send" in shown
    assert "3 read" not in shown, "pending objects, read by key, are no rows of the source's pass"
    assert "1 of 1 file settled" in shown
    assert "DEAL: Gong refused 2 lines" in shown
    assert "pass.failed: entity LEAD, error the table has gone" in shown


def test_json_logs_hold_the_run_and_no_address_or_error_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO", "run-1")
    observer = logs.LogObserver()
    observer.event("pass.failed", entity="DEAL", error="no user rep@acme.example (id 7)", alarm=True)
    value = "".join(["some", " value"])
    try:
        raise ValueError(value)
    except ValueError:
        logging.getLogger("apscheduler.executors.delivery").exception("Job %s raised", "deliver")
    logging.getLogger("httpx").info("GET https://api.gong.io/?integrationId=1")
    first, second = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert list(first)[:4] == ["timestamp", "level", "event", "run"]
    assert first["level"] == "warning"
    assert first["error"] == "no user (address) (id 7)"
    assert second["event"] == "Job deliver raised"
    assert second["exception"].endswith("builtins.ValueError")
    assert value not in json.dumps(second)


def test_whatever_is_logged_within_a_pass_bears_its_id_and_type(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    company = Company(tmp_path)
    company.put("accounts", id=1, name="Initech")
    logs.configure("json", "INFO", "run-1")
    company.notes.event = logs.LogObserver().event  # type: ignore[method-assign]
    company.sync()
    company.close()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (began,) = [line for line in lines if line["event"] == "pass.started" and line["entity"] == "ACCOUNT"]
    (spooled,) = [line for line in lines if line["event"] == "batch.spooled"]
    assert (spooled["pass_id"], spooled["type"], spooled["run"]) == (began["pass_id"], "ACCOUNT", "run-1")
    (done,) = [line for line in lines if line["event"] == "batch.done"]
    assert (done["request_id"], done["type"]) == (spooled["request_id"], "ACCOUNT")
    assert "pass_id" not in done
    for line in lines:
        if line["event"].startswith(("pass.", "batch.")):
            assert line["type"] in set(ObjectType)


def test_libraries_say_nothing_below_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "DEBUG", None)
    for name in ("sqlalchemy.engine.Engine", "httpx", "httpcore.connection", "psycopg", "asyncio", "any.other"):
        logging.getLogger(name).info("SELECT %s", "a value")
    assert capsys.readouterr().err == ""
    logs.LogObserver().event("daemon.started")
    assert "daemon.started" in capsys.readouterr().err


def test_what_ends_a_thread_is_logged_without_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    logs.configure("json", "INFO", None)
    logs.guard_threads()
    value = "".join(["some", " value"])

    def fail() -> None:
        raise ValueError(value)

    thread = threading.Thread(target=fail, name="watch")
    thread.start()
    thread.join()
    logging.getLogger("any").warning("%d", value)  # cannot be formatted
    said = capsys.readouterr().err
    first = json.loads(said.splitlines()[0])
    assert (first["event"], first["thread"]) == ("thread.failed", "watch")
    assert first["exception"].endswith("builtins.ValueError")
    assert value not in said


def test_what_gong_said_is_left_out_of_logs(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO", None)
    said = quoted("Jane Roe ” is “ no owner")
    logs.LogObserver().event("pass.failed", entity="DEAL", error=f"Gong refused POST /x: HTTP 400: {said}. Look")
    logs.LogObserver().event("pass.failed", entity="DEAL", error=said[:9])
    first, second = [json.loads(line)["error"] for line in capsys.readouterr().err.splitlines()]
    assert first == "Gong refused POST /x: HTTP 400: (see status). Look"
    assert second == "(see status)", "cut in the middle"


def test_console_logs_are_plain_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("console", "warning", None)
    observer = logs.LogObserver()
    observer.event("pass.started", entity="DEAL")
    observer.event("batch.failed", type="DEAL", batch=7)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "batch.failed" in said
    assert "batch=7" in said
    assert "\x1b" not in said


def test_status_has_words_for_every_reason_to_wait() -> None:
    assert status.WAITS.keys() == {reason.value for reason in Pending}
