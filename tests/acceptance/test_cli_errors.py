"""Every mistake that a user makes gets a sentence that names where it is and what to do: a table of them."""

import contextlib
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from cli_site import CANARY_SECRET, DEMO_MAPPING, Site, company
from databases import MYSQL_URL, POSTGRES_URL
from sqlalchemy.engine import make_url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A company whose integration is registered, so that `sync` gets as far as it can."""
    with company(tmp_path_factory.mktemp("errors"), accounts=2) as made:
        (made.home / "no.db").write_text("this is no database, but a text that is long enough to be looked at")
        made.connector("register")
        yield made


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


PG, MARIA = make_url(POSTGRES_URL), make_url(MYSQL_URL)


WRONG = 2


class Mistake(NamedTuple):
    """What is wrong, and what is said of it."""

    setting: str
    value: str
    words: str
    status: int


SETTINGS = [
    Mistake("SOURCE_URL", "", "CONNECTOR_SOURCE_URL is not set: give the URL", 2),
    Mistake("SOURCE_URL", f"crm.acme.example/{CANARY_SECRET}", "CONNECTOR_SOURCE_URL is not a database URL. Write", 2),
    Mistake("SOURCE_URL", "oracle://a@b/c", "CONNECTOR_SOURCE_URL: no driver for 'oracle' is installed", 2),
    Mistake("SOURCE_URL", "sqlite:///nowhere/crm.db", "there is no file", 1),
    Mistake("SOURCE_URL", "sqlite:///no.db", "file is not a database", 2),
    Mistake("SOURCE_URL", f"postgresql://a:{CANARY_SECRET}@127.0.0.1:{closed_port()}/crm", "Connection refused", 1),
    Mistake("SOURCE_URL", f"mysql://a:{CANARY_SECRET}@127.0.0.1:{closed_port()}/crm", "Connection refused", 1),
    Mistake(
        "SOURCE_URL",
        f"mysql://nobody:{CANARY_SECRET}@{MARIA.host}:{MARIA.port}/crm",
        "refuses the account of CONNECTOR_SOURCE_URL",
        1,
    ),
    Mistake("SOURCE_URL", f"mysql://root@{MARIA.host}:{MARIA.port}/no_such_crm", "CONNECTOR_SOURCE_URL: ", 2),
    Mistake("SOURCE_URL", f"postgresql://postgres@{PG.host}:{PG.port}/no_such_crm", "CONNECTOR_SOURCE_URL: ", 2),
    Mistake("SOURCE_URL", f"postgresql://no_such_role@{PG.host}:{PG.port}/postgres", "CONNECTOR_SOURCE_URL: ", 1),
    Mistake("STATE_URL", "mysql://a@b/c", "CONNECTOR_STATE_URL", 2),
    Mistake("STATE_URL", "sqlite:///no.db", "CONNECTOR_STATE_URL: ", 2),
    Mistake("GONG_ACCESS_KEY", "", "CONNECTOR_GONG_ACCESS_KEY is not set", 2),
    Mistake("GONG_ACCESS_KEY_SECRET", "wrong", "CONNECTOR_GONG_ACCESS_KEY", 1),
    Mistake("GONG_BASE_URL", f"http://127.0.0.1:{closed_port()}", "Gong", 1),
    Mistake("GONG_BASE_URL", "http://api.gong.io", "must be https", 2),
    Mistake("CALLS_PER_DAY", "many", "CONNECTOR_CALLS_PER_DAY", 2),
    Mistake("MAX_FILE_BYTES", "1", "CONNECTOR_MAX_FILE_BYTES", 2),
    Mistake("SYNC_INTERVAL_SECONDS", "1", "CONNECTOR_SYNC_INTERVAL_SECONDS", 2),
    Mistake("RESEND", "everything", "CONNECTOR_RESEND", 2),
    Mistake("LOG_LEVEL", "LOUD", "CONNECTOR_LOG_LEVEL", 2),
    Mistake("WEB_HOST", "0.0.0.0", "CONNECTOR_WEB_PASSWORD", 2),
    Mistake("SECRETS_DIR", "nowhere", "CONNECTOR_SECRETS_DIR: nowhere is not a directory", 2),
    Mistake("MAPPING", "nowhere.yaml", "nowhere.yaml", 2),
]


@pytest.mark.parametrize("mistake", SETTINGS, ids=[f"{at} {one.setting}" for at, one in enumerate(SETTINGS)])
def test_a_wrong_setting_is_said_by_check_and_stops_sync(site: Site, mistake: Mistake) -> None:
    wrong = {f"CONNECTOR_{mistake.setting}": mistake.value}
    said = site.connector("check", status=mistake.status, **wrong)
    problems = [line for line in said.out.splitlines() if line.startswith("problem ")]
    assert problems, said
    assert any(mistake.words in line for line in problems), problems
    texts = [said.out, said.err]
    if mistake.status == WRONG:  # what may pass by itself is waited for
        texts.append(site.connector("sync", status=WRONG, **wrong).err)
        assert mistake.words in texts[-1]
    for text in texts:
        assert "Traceback" not in text
        assert "fault of the connector" not in text


MAPPINGS = [
    ("version: 1", "version: 2", ":2 version: 1 is meant here"),
    ("version: 1", "versoin: 1", "Did you mean 'version'?"),
    ("owner_email: revops@acme.example", "owner_email: revops", "owner_email: an e-mail address"),
    ("timezone: UTC", "timezone: Mars", "'Mars' is not an IANA time zone"),
    ("  DEAL:", "  DEEL:", "Did you mean 'DEAL'?"),
    ("table: deals", "table: dels", "no table 'dels'. Did you mean 'deals'?"),
    ("closeDate: close_on", "closeDate: closed_on", "no column 'closed_on'. Did you mean 'close_on'?"),
    ("closeDate: close_on", "closDate: close_on", "Did you mean 'closeDate'?"),
    ("amount: amount", "amount: {colum: amount}", "Did you mean 'column'?"),
    ("amount: amount", "amount: {column: amount, convert: money}", "money"),
    ("amount: amount", "amount: is_deleted", "and amount holds a number"),
    ("map: {open: OPEN, won: WON, lost: LOST}", "map: {open: Open}", "'Open'"),
    ("type: PERCENT", "type: PERCENTAGE", "Did you mean 'PERCENT'?"),
    (
        "values: [Webinar, Website, Referral, Partner, Cold call]",
        "unlisted: null",
        "has a meaning together with `values` only",
    ),
    ("SELECT name FROM industries", "SELECT nam FROM industries", "nam"),
    ("deleted: is_deleted = 1", "deleted: is_deletd = 1", "is_deletd"),
    ("entities:\n", "entities:\n\t", "the line is indented with a tab"),
]


@pytest.mark.parametrize(("right", "wrong", "words"), MAPPINGS, ids=[wrong.strip() for _, wrong, _ in MAPPINGS])
def test_a_mistake_in_the_mapping_is_said_with_its_line(site: Site, right: str, wrong: str, words: str) -> None:
    text = DEMO_MAPPING.read_text()
    assert right in text
    path = site.home / "wrong.yaml"
    path.write_text(text.replace(right, wrong))
    said = site.connector("check", status=2, CONNECTOR_MAPPING="wrong.yaml").out
    problems = [line for line in said.splitlines() if line.startswith("problem ")]
    assert any(words in line for line in problems), problems
    assert any("wrong.yaml:" in line for line in problems), problems
    assert words in site.connector("sync", status=2, CONNECTOR_MAPPING="wrong.yaml").err


def test_a_key_that_is_revoked_is_named_by_every_command_that_calls(site: Site) -> None:
    revoked = {"CONNECTOR_GONG_ACCESS_KEY_SECRET": "revoked"}
    for command in (["sync"], ["register"], ["schema", "plan"], ["unregister", "--yes"]):
        said = site.connector(*command, status=1, **revoked).err
        assert "CONNECTOR_GONG_ACCESS_KEY" in said, (command, said)
    assert "CONNECTOR_GONG_ACCESS_KEY" in site.connector("status", status=1, **revoked).out


@pytest.mark.parametrize("command", [["check"], ["plan"], ["status"], ["preview", "CONTACT"]], ids=" ".join)
def test_a_terminal_of_80_columns_is_enough(site: Site, command: list[str]) -> None:
    _, seen = site.on_terminal(*command)
    assert max(map(len, seen.splitlines())) <= 80


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured(site: Site, no_color: str, coloured: bool) -> None:
    """Seen by a process of its own, on a terminal."""
    ours, theirs = pty.openpty()
    environment = site.environment | {"NO_COLOR": no_color, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "connector", "check"]
    with subprocess.Popen(
        command, env=environment, cwd=site.home, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # how a terminal says that its program has ended
            while piece := os.read(ours, 4096):
                seen += piece
        assert process.wait() == 0, seen
    os.close(ours)
    assert (b"\x1b[32m" in seen) == coloured
    assert b"the database answers" in seen
