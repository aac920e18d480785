"""Shows the engine's steps while a command works: bars on a terminal, log lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from connector.cli.output import count, remarks
from connector.engine.observe import Fact, Observer, Silent
from connector.logs import LogObserver, is_trouble


@contextmanager
def shown(*, quiet: bool) -> Iterator[Observer]:
    """Give the observer that suits stderr; `quiet` asks for no log lines where there is no terminal."""
    if not remarks.is_terminal:
        yield Silent() if quiet else LogObserver()
        return
    bars = Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<14}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
        console=remarks,
        transient=True,
    )
    with bars:
        yield Bars(bars)


class Bars:
    """A bar for each entity source being read, and one for the files that Gong has to settle."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._sources: dict[str, TaskID] = {}
        self._reading: str | None = None
        self._files: TaskID | None = None
        self._spooled = self._settled = 0

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
            case "batch.spooled":
                self._spooled += 1
                self._gong()
            case "batch.done":
                self._settled += 1
                self._gong()
            case "batch.failed":
                self._settled += 1
                self._gong()
                return  # what it means is known when it is resolved
            case "batch.resolved" if facts.get("refused"):
                number = int(facts["refused"] or 0)
                self._remark(f"{facts['type']}: Gong refused {count(number, 'line')}; the others are seen to")
        if facts.get("alarm") or is_trouble(name):
            words = ", ".join(f"{key} {value}" for key, value in facts.items() if key not in ("alarm", "request_id"))
            self._remark(f"{name}: {words}")

    def _remark(self, words: str) -> None:
        self._bars.console.print(Text(words, style="yellow"))

    def _source(self, name: str, rows: Fact, lines: Fact, *, done: bool = False) -> None:
        if name not in self._sources:
            self._sources[name] = self._bars.add_task(name, total=None, said="")
        total = 1 if done else None
        said = f"{_number(rows)} read, {_number(lines)} to send"
        self._bars.update(self._sources[name], said=said, total=total, completed=int(done))

    def _gong(self) -> None:
        # Files of an earlier run may settle, too.
        total = max(self._spooled, self._settled)
        said = f"{self._settled} of {count(total, 'file')} settled"
        if self._files is None:
            self._files = self._bars.add_task("Gong", total=total, said=said)
        self._bars.update(self._files, total=total, completed=self._settled, said=said)


def _number(value: Fact) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
