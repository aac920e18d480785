"""The products and libraries that one would use instead: what to install, each in an environment of its own, and how
it is run.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from bench.measure import Case

PROGRAMS: Final = Path(__file__).parent / "programs"
_DLT: Final = (
    "dlt[filesystem]==1.31.0", "connectorx==0.4.6", "pandas==3.1.1", "psycopg[binary]==3.3.9", "pyarrow==26.0.1",
    "sqlalchemy==2.1.9",
)  # fmt: skip
_POLARS: Final = ("polars==2.1.0", "adbc-driver-postgresql==1.13.0", "pyarrow==26.0.1")


@dataclass(frozen=True, slots=True)
class Other:
    """A peer that reads PostgreSQL's deals and writes a file."""

    name: str
    packages: tuple[tuple[str, ...], ...]
    """What pip installs, by environment: a tap and a target seldom agree on their libraries."""
    command: Callable[[list[Path], URL, Path], list[str]]
    """Makes the command of the environments' directories of programs, the database, and a directory to write to."""
    slow: bool = False
    """Takes more than half a minute for a million deals: run once."""


def _dlt(backend: str) -> Callable[[list[Path], URL, Path], list[str]]:
    def command(bins: list[Path], url: URL, out: Path) -> list[str]:
        address = url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        if backend == "connectorx":
            address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return [str(bins[0] / "python"), str(PROGRAMS / "with_dlt.py"), address, str(out), backend]

    return command


def _polars(bins: list[Path], url: URL, out: Path) -> list[str]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return [str(bins[0] / "python"), str(PROGRAMS / "with_polars.py"), address, str(out / "deals.jsonl")]


def _singer(bins: list[Path], url: URL, out: Path) -> list[str]:
    tap, target = str(bins[0] / "tap-postgres"), str(bins[1] / "target-jsonl")
    login = [url.host or "127.0.0.1", str(url.port or 5432), url.username or "postgres", url.password or "none"]
    return [sys.executable, str(PROGRAMS / "with_singer.py"), tap, target, *login, str(url.database), str(out)]


def _sling(bins: list[Path], url: URL, out: Path) -> list[str]:
    address = url.set(drivername="postgresql", password=url.password or "none", query={"sslmode": "disable"})
    source = ["--src-conn", address.render_as_string(hide_password=False), "--src-stream", "public.deals"]
    return [str(bins[0] / "sling"), "run", *source, "--tgt-object", f"file://{out}/deals.jsonl"]


OTHERS: Final = (
    Other("Polars over ADBC, in batches", (_POLARS,), _polars),
    Other("dlt, default (JSON)", (_DLT,), _dlt("sqlalchemy"), slow=True),
    Other("dlt, pyarrow (Parquet)", (_DLT,), _dlt("pyarrow"), slow=True),
    Other("dlt, connectorx (Parquet)", (_DLT,), _dlt("connectorx")),
    Other("sling", (("sling==1.4.10", "sling-linux-amd64==1.4.10", "pyarrow==26.0.1"),), _sling),
    Other(
        "Singer: pipelinewise-tap-postgres, target-jsonl",
        (("pipelinewise-tap-postgres==1.8.4",), ("target-jsonl==0.1.4",)),
        _singer,
        slow=True,
    ),
    Other(
        "Singer: meltanolabs-tap-postgres, target-jsonl",
        (("meltanolabs-tap-postgres==0.10.0",), ("target-jsonl==0.1.4",)),
        _singer,
        slow=True,
    ),
)  # fmt: skip


def cases(directory: Path, url: URL, out: Path, prepare: Callable[[], None]) -> Iterator[Case]:
    """Yield the peers that can be installed here; of the others it is printed that they are not measured, and why."""
    for other in OTHERS:
        try:
            bins = [_environment(directory, packages) for packages in other.packages]
        except subprocess.CalledProcessError as error:
            print(f"-- {other.name} is not measured: {' '.join(error.stderr.split())[-300:]}", flush=True)
            continue
        quiet = {"DATA_WRITER__DISABLE_COMPRESSION": "true", "RUNTIME__DLTHUB_TELEMETRY": "false",
                 "SLING_DISABLE_TELEMETRY": "TRUE"}  # fmt: skip
        yield Case(other.name, other.command(bins, url, out), quiet, prepare, once=other.slow)


def _environment(directory: Path, packages: tuple[str, ...]) -> Path:
    """Return the directory of an environment's programs, made unless it is there."""
    name = packages[0].split("==")[0].split("[")[0]
    made = directory / "environments" / name
    done = made / "done"
    if not done.exists():
        print(f"-- installing {', '.join(packages)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", made], check=True, capture_output=True, text=True)
        install = [
            str(made / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            *packages,
        ]
        subprocess.run(install, check=True, capture_output=True, text=True)
        done.touch()
    return made / "bin"
