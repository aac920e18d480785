"""The measured figures as a Markdown table and as a plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from bench.measure import Group, middle, ratio

DOCS: Final = Path(__file__).parents[1] / "docs"
BEGIN: Final = "<!-- made by make bench -->\n"
END: Final = "<!-- end -->"


def table(groups: Sequence[Group], count: int, times: int) -> str:
    """Return one table for each group."""
    lines = [
        f"{count:,} deals of 18 columns; medians of {times} runs in turn (the slow peers: one), whole processes.",
        "",
    ]
    for group in groups:
        lines += [
            f"**{group.title}**", "",
            "| What | Seconds | Against the first | Target | CPU seconds | Memory |",
            "|---|---:|---:|---:|---:|---:|",
        ]  # fmt: skip
        for case in group.cases:
            target = group.targets.get(case.name)
            lines.append(
                f"| {case.name.replace('|', '/')} | {middle(case, lambda run: run.wall):.2f}"
                f" | {ratio(case, group.cases[0]):.2f} | {'' if target is None else f'{target:g}'}"
                f" | {middle(case, lambda run: run.cpu):.2f} | {middle(case, lambda run: run.memory) / 1e6:,.0f} MB |"
            )
        lines.append("")
    return "\n".join(lines)


def write(groups: Sequence[Group], tables: str) -> None:
    """Put tables and plot into docs/."""
    page = DOCS / "performance.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    page.write_text(
        before
        + BEGIN
        + "\n![Times against the first of each group](performance.svg)\n\n"
        + tables
        + "\n"
        + END
        + rest.split(END, 1)[1],
        encoding="utf-8",
    )
    (DOCS / "performance.svg").write_text(plot(groups), encoding="utf-8")


def plot(groups: Sequence[Group]) -> str:
    """Return a bar a case, as long as its time against the group's first."""
    bars: list[str] = []
    y = 10
    for group in groups:
        y += 22
        bars.append(f'<text x="10" y="{y}" font-weight="bold">{escape(group.title)}</text>')
        for case in group.cases:
            y += 20
            share = ratio(case, group.cases[0])
            colour = "#2a7" if "connector" in case.name else "#999"
            bars.append(f'<text x="20" y="{y}">{escape(case.name)}</text>')
            bars.append(f'<rect x="300" y="{y - 11}" width="{min(share, 4.5) * 80:.0f}" height="14" fill="{colour}"/>')
            bars.append(f'<text x="{305 + min(share, 4.5) * 80:.0f}" y="{y}">{share:.2f}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y + 20}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join(bars)}</svg>\n'
    )
