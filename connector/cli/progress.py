"""Shows the engine's steps while a command works: bars on a terminal, log lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from connector.cli.output import count, remarks
from connector.engine.observe import Fact, Observer, Silent
from connector.logs import LogObserver, is_trouble


def observer(*, quiet: bool) -> Observer:
    """Return the observer that suits stderr; `quiet` asks for no log lines where there is no terminal."""
    if remarks.is_terminal:
        return Bars(remarks)
    return Silent() if quiet else LogObserver()


@contextmanager
def showing(told: Observer) -> Iterator[None]:
    """Show bars during the block, where there are any; nothing else may be written to the terminal in it."""
    if not isinstance(told, Bars):
        yield
        return
    with told.live():
        yield


@contextmanager
def waiting(words: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something is waited for; give a function that changes the words."""
    if not remarks.is_terminal:
        yield lambda _words: None
        return
    with remarks.status(Text(words)) as status:
        yield lambda words: status.update(Text(words))


class Bars:
    """A bar for each entity source being read, and one for the files that Gong has to settle."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._reading: str | None = None
        self._spooled = self._settled = 0

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the bars of one pass during the block; they leave no trace."""
        self._tasks = {}
        self._spooled = self._settled = 0
        with Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<14}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[said]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        ) as self._bars:
            yield
        self._bars = None

    def event(self, name: str, **facts: Fact) -> None:
        """Move the bars; what went wrong stays on the screen above them."""
        match name:
            case "pass.started":
                self._reading = str(facts["entity"])
                self._source(self._reading, 0, 0)
            case "pass.progress" if self._reading is not None and facts["entity"] == self._reading:
                # Pending objects are read outside of any pass; they are not the source's rows.
                self._source(self._reading, facts["rows"], facts["lines"])
            case "pass.ended" if self._reading is not None:
                self._source(self._reading, facts["rows"], facts["lines"], done=True)
                self._reading = None
            case "validate.started" | "validate.progress" | "validate.ended":
                done = name == "validate.ended"
                said = f"{_number(facts['rows'])} read, {_number(facts['refused'])} refused"
                self._show(str(facts["entity"]), said, int(done), 1 if done else None)
            case "backfill.progress" if "wave" not in facts:
                said = f"{_number(facts['objects'])} with a history, {_number(facts['versions'])} versions"
                self._show(f"{facts['entity']} past", said, 0, None)
            case "backfill.progress":
                booked, versions = int(facts["booked"] or 0), int(facts["versions"] or 0)
                said = f"wave {facts['wave']} of {facts['waves']}, {booked:,} of {versions:,} versions"
                self._show(f"{facts['entity']} past", said, booked, versions)
            case "verify.progress":
                self._show(str(facts["type"]), f"{_number(facts['compared'])} compared", 0, None)
            case "batch.spooled":
                self._files(spooled=1)
            case "batch.done":
                self._files(settled=1)
            case "batch.failed":
                self._files(settled=1)
                return  # what it means is known when it is resolved
            case "batch.resolved" if facts.get("refused"):
                number = int(facts["refused"] or 0)
                self._remark(f"{facts['type']}: Gong refused {count(number, 'line')}; the others are seen to")
        if facts.get("alarm") or is_trouble(name):
            words = ", ".join(f"{key} {value}" for key, value in facts.items() if key not in ("alarm", "request_id"))
            self._remark(f"{name}: {words}")

    def _remark(self, words: str) -> None:
        self._console.print(Text(words, style="yellow"))

    def _source(self, name: str, rows: Fact, lines: Fact, *, done: bool = False) -> None:
        self._show(name, f"{_number(rows)} read, {_number(lines)} to send", int(done), 1 if done else None)

    def _files(self, *, spooled: int = 0, settled: int = 0) -> None:
        self._spooled += spooled
        self._settled += settled
        total = max(self._spooled, self._settled)  # files of an earlier run may settle, too
        self._show("Gong", f"{self._settled} of {count(total, 'file')} settled", self._settled, total)

    def _show(self, name: str, said: str, completed: int, total: int | None) -> None:
        if self._bars is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, said=said)
        self._bars.update(self._tasks[name], said=said, total=total, completed=completed)


def _number(value: Fact) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
