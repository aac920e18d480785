"""The promise to be discreet: secrets and values of records are planted everywhere, and looked for in every sink.

A life with everything in it that makes software talk: a database whose errors repeat values, a Gong whose answers do,
proxies' web pages, wrong settings, a daemon with its page, metrics and webhook, all at the most talkative log level.
"""

import base64
import json
import os
import re
import secrets
import sqlite3
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy
from cli_site import CREDENTIALS, Said, Site, connected, eventually
from databases import postgres_database
from webhooks import SECRET_PATH, webhook

from connector.object_types import ObjectType
from connector.sandbox.faults import Fault, FaultKind
from connector.sandbox.http import Request, Response

SECRETS = {
    "password of the source": "canary-source-4d1a",
    "password of the ledger": "canary-ledger-77b0",
    "password of a proxy": "canary-proxy-c3e9",
    "password of the page": "canary-page-09af",
    "access key secret": CREDENTIALS.access_key_secret,
    "address of the webhook": SECRET_PATH.rpartition("/")[2],
}
NAME, PERSON, AMOUNT, PHONE = "Zyxcanary Ltd", "Canarius", "77310942canary", "+49 555 0199 4471"
ADDRESS, LOCAL = "canary.user@acme.example", "canary.user"
VALUES = {"name": NAME, "last name": PERSON, "amount": AMOUNT, "phone": PHONE, "address": LOCAL}
SAYS = f"the value '{NAME}' of {PERSON} <{ADDRESS}>, {AMOUNT}, {PHONE} is not fit"
"""What Gong says of nearly everything."""

CRM = f"""
CREATE TABLE users (email text PRIMARY KEY, title text);
CREATE TABLE accounts (id int PRIMARY KEY, name text, tier text, updated timestamptz NOT NULL DEFAULT now());
CREATE TABLE contacts (id int PRIMARY KEY, last text, email text, phone text, account int,
                       updated timestamptz NOT NULL DEFAULT now());
CREATE TABLE deals (id int PRIMARY KEY, name text, amount text, account int,
                    updated timestamptz NOT NULL DEFAULT now());
CREATE TABLE leads (id int PRIMARY KEY, last text, email text, tier text);
INSERT INTO users VALUES ('{ADDRESS}', 'x'), ('not an address of {PERSON}', 'x');
INSERT INTO accounts SELECT n, '{NAME} ' || n, 'gold' FROM generate_series(1, 5) n;
INSERT INTO contacts SELECT n, '{PERSON}', '{ADDRESS}', '{PHONE}', 1 + mod(n, 5) FROM generate_series(1, 5) n;
INSERT INTO deals VALUES (1, '{NAME}', '{AMOUNT}', 1);
"""
MAPPING = """
version: 1
integration: {name: Canary CRM, owner_email: owner@acme.example}
entities:
  BUSINESS_USER: {table: users, key: email, fields: {emailAddress: email}}
  ACCOUNT:
    table: accounts
    key: id
    modified: updated
    fields: {name: name}
    additional_fields: [{name: tier, label: Tier, type: STRING, column: tier}]
  CONTACT:
    table: contacts
    key: id
    modified: updated
    fields: {lastName: last, emailAddress: email, phoneNumber: phone, accountId: account}
  DEAL:
    query: SELECT id, name, account, updated, amount::numeric AS amount FROM deals
    key: id
    modified: updated
    fields: {name: name, accountId: account, amount: amount}
  LEAD:
    table: leads
    key: id
    fields: {lastName: last, emailAddress: email}
    additional_fields: [{name: tier, label: Tier, type: STRING, column: tier}]
"""


@dataclass
class Life:
    """What was said where, in the course of it."""

    commands: list[Said] = field(default_factory=list)
    sinks: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """What commands showed to whoever gave them."""
        return "\n".join(said.out + said.err for said in self.commands)


class Talkative:
    """A Gong that repeats what it was given, where `answer` says so, for uploads of a type or the schema."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._handle = site.api.handle
        self.answers: dict[str, Response] = {}
        """By what stands in the call's method, path and query."""
        site.api.handle = self.handle  # type: ignore[method-assign]

    def handle(self, request: Request) -> Response:
        call = f"{request.method} {request.path} {dict(request.query)}"
        for part, answer in self.answers.items():
            if re.search(part, call):
                for _ in request.pieces():
                    pass
                return answer
        return self._handle(request)


def error(status: int, kind: str = "application/json") -> Response:
    body = json.dumps({"requestId": "r", "errors": [SAYS]}) if kind.endswith("json") else f"<html>{SAYS}</html>"
    return Response(status, (("Content-Type", kind),), body.encode())


@contextmanager
def crm() -> Iterator[tuple[str, sqlalchemy.URL]]:
    """Give the URLs of a CRM: of the connector's account, which has a password, and of its owner."""
    with postgres_database() as url:
        role = f"canary_{secrets.token_hex(6)}"
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            for statement in CRM.split(";\n"):
                connection.exec_driver_sql(statement.strip() or "SELECT 1")
            password = SECRETS["password of the source"]
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        yield f"postgresql://{role}:{password}@{url.host}:{url.port}/{url.database}", url
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    home = tmp_path_factory.mktemp("canaries")
    with crm() as (url, owner), connected(home, home / "none") as site, webhook() as chat:
        (home / "mapping.yaml").write_text(MAPPING)
        site.environment |= {
            "CONNECTOR_SOURCE_URL": url,
            "CONNECTOR_MAPPING": str(home / "mapping.yaml"),
            "CONNECTOR_LOG_LEVEL": "DEBUG",
            "CONNECTOR_LOG_FORMAT": "json",
            "CONNECTOR_WEB_PASSWORD": SECRETS["password of the page"],
            "CONNECTOR_ALERT_WEBHOOK_URL": chat.url,
            "HTTPS_PROXY": f"http://proxy:{SECRETS['password of a proxy']}@127.0.0.1:1",
        }
        made = Life()
        old = os.umask(0)  # files must be private by themselves
        try:
            _commands(made, site, Talkative(site), owner)
            _daemon(made, site)
        finally:
            os.umask(old)
        made.sinks["alerts"] = chat.text
        with closing(sqlite3.connect(home / "connector.db")) as ledger:
            made.sinks["ledger"] = "\n".join(ledger.iterdump())
        yield made


def _commands(life: Life, site: Site, gong: Talkative, crm_url: sqlalchemy.URL) -> None:
    """Everything that commands can run into."""

    def say(*arguments: str, **settings: str) -> None:
        life.commands.append(site.connector(*arguments, status=None, **settings))

    far = {"CONNECTOR_GONG_BASE_URL": "https://gong.example"}
    say("check", **far)  # by the proxy
    for name in ("SOURCE", "STATE"):
        password = SECRETS["password of the source" if name == "SOURCE" else "password of the ledger"]
        for url in (f"postgresql://x:{password}@127.0.0.1:1/x", f"nonsense://x:{password}@x", f"//x:{password}@[x"):
            for command in (("check",), ("status",), ("sync",)):
                say(*command, **{f"CONNECTOR_{name}_URL": url})
    say("check", CONNECTOR_ALERT_WEBHOOK_URL=f"http://chat.example{SECRET_PATH}")
    say("check", "--alert", CONNECTOR_ALERT_WEBHOOK_URL=f"http://127.0.0.1:1{SECRET_PATH}")
    say("check", CONNECTOR_GONG_ACCESS_KEY="wrong")
    say("check")
    say("preview", "CONTACT")
    say("validate")
    say("register")
    bad = f"Mandatory field [x]: {SAYS}"
    site.faults.add(Fault(kind=FaultKind.GENERAL, object_type=ObjectType.BUSINESS_USER, description=SAYS))
    site.faults.add(Fault(kind=FaultKind.LINE_ERRORS, object_type=ObjectType.ACCOUNT, lines=(1,), description=bad))
    gong.answers = schema = {"POST /v2/crm/entity-schema .*LEAD": error(400)}
    say("sync", "--timeout", "3")
    say("verify")
    engine = sqlalchemy.create_engine(crm_url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE contacts SET last = last || ' the second', updated = now()")
    for answer in (error(400), error(401), error(403), error(429), error(500), error(502, "text/html")):
        gong.answers = schema | {"POST /v2/crm/entities .*CONTACT": answer}
        _hurry(site)
        say("sync", "--no-wait")
    for answer in (error(500), error(404, "text/html"), error(422)):
        gong.answers = schema | {"request-status": answer, "POST /v2/crm/entities .*CONTACT": error(422)}
        _hurry(site)
        say("sync", "--no-wait")
    del gong.answers["request-status"]
    say("status")
    say("status", "--json")
    say("failures", "list")


def _hurry(site: Site) -> None:
    """Let no file wait for its next try."""
    with closing(sqlite3.connect(site.home / "connector.db")) as ledger, ledger:
        ledger.execute("UPDATE batches SET due_at = 0")
        ledger.execute("UPDATE budget SET blocked_until = 0")


def _daemon(life: Life, site: Site) -> None:
    """A daemon that finds that all of it lasts for an hour."""
    with closing(sqlite3.connect(site.home / "connector.db")) as ledger, ledger:
        ledger.execute("UPDATE passes SET started_at = started_at - 3600")
        ledger.execute("UPDATE batches SET created_at = created_at - 3600, sent_at = sent_at - 3600, due_at = 0")
    with site.started("run") as process:
        eventually(lambda: '"alert.sent"' in site.printed("run").err, "an alert")
        eventually(lambda: '"batch.rejected"' in site.printed("run").err, "a file that Gong turns away")
        eventually(lambda: "Gong refused" in site.printed("run").err, "a schema that Gong refuses")
        (address,) = re.findall(r'"event": "web.started".*?"url": "(http[^"]+)"', site.printed("run").err)
        life.sinks["process list"] = _arguments(process.pid)
        life.sinks["metrics"] = _get(f"{address}metrics")
        paths = ("", "refused", "waiting", "object?id=1", "audit", "configuration", "charts.json", "readyz", "healthz")
        life.sinks["page"] = "\n".join(_get(address + path) for path in paths)
        found = {"spool": site.home / "spool"} | {path.name: path for path in (site.home / "spool").iterdir()}
        found |= {path.name: path for path in site.home.glob("connector.db*")}
        life.modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in found.items()}
    said = "".join(said.err for said in life.commands) + site.printed("run").err
    life.sinks["logs"] = "\n".join(line for line in said.splitlines() if line.startswith("{"))
    life.sinks["stderr of the daemon"] = site.printed("run").err + site.printed("run").out
    life.sinks["commands"] = life.shown


def _arguments(pid: int) -> str:
    """Every process of the daemon's, as a process list shows it."""
    pids = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return "\n".join(Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ") for one in pids)


def _get(url: str) -> str:
    key = base64.b64encode(f"x:{SECRETS['password of the page']}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {key}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # http: this machine's own
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as failed:
        return failed.read().decode()


SINKS = ("logs", "stderr of the daemon", "process list", "metrics", "alerts", "page", "commands", "ledger")
NOT_FOR_VALUES = ("logs", "stderr of the daemon", "process list", "metrics", "alerts")
"""The page and the commands show values to whoever may see the CRM; the ledger holds the reasons of refusals."""


@pytest.mark.parametrize("sink", SINKS)
def test_no_secret_is_in(life: Life, sink: str) -> None:
    encoded = base64.b64encode(f"{CREDENTIALS.access_key}:{CREDENTIALS.access_key_secret}".encode()).decode()
    for what, secret in SECRETS.items() | {("key in a header", encoded)}:
        assert secret not in life.sinks[sink], what


@pytest.mark.parametrize("sink", NOT_FOR_VALUES)
def test_no_value_of_a_record_is_in(life: Life, sink: str) -> None:
    for what, value in VALUES.items():
        assert value not in life.sinks[sink], what


def test_files_are_for_their_owner_alone(life: Life) -> None:
    assert len(life.modes) > 2
    assert {name: mode for name, mode in life.modes.items() if mode & 0o077} == {}


def test_the_canaries_did_sing(life: Life) -> None:
    """What is not found anywhere else was really there to be found."""
    for value in VALUES.values():
        assert value in life.shown
    for event in ("pass.failed", "batch.rejected", "batch.denied", "batch.ambiguous", "batch.resolved", "alert.sent"):
        assert f'"{event}"' in life.sinks["logs"], event
    assert "(see status)" in life.sinks["logs"]
    assert "(see status)" in life.sinks["alerts"]
    told = {incident["kind"] for message in json.loads(life.sinks["alerts"]) for incident in message["incidents"]}
    assert {"source", "refused", "file"} <= told
    assert NAME in life.sinks["page"]
    assert "gong_connector_objects" in life.sinks["metrics"]
    assert "run" in life.sinks["process list"]
