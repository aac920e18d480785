"""`init`: writes a first mapping file for the CRM's database; asks on a terminal."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from connector.cli.exits import Status
from connector.cli.output import count, heading, remarks, say, table
from connector.cli.parts import looking, shipped
from connector.engine.proposer import LONGEST_STATEMENT_SECONDS, Proposer, adapted
from connector.errors import ConfigError, Problem
from connector.mapping import load
from connector.mapping.converters import EMAIL_ADDRESS
from connector.mapping.proposing import Head, Proposal, ReadyMade, needs_zone, written
from connector.object_types import ObjectType
from connector.settings import Settings, load_settings, shown

_LEFT_OUT: Final = "-"
_OFFERED: Final = 5
_LISTED: Final = 40
_MEANT: Final = {
    ObjectType.BUSINESS_USER: "the people who sell and use Gong",
    ObjectType.STAGE: "the stages that deals go through",
    ObjectType.ACCOUNT: "companies",
    ObjectType.CONTACT: "persons at companies",
    ObjectType.DEAL: "what is sold, with amount and stage",
    ObjectType.LEAD: "persons who may become customers",
}
"""What the rows of a type are, where no table looks like it."""
STDOUT: Final = Path("-")


def init(
    *,
    output: Path | None,
    force: bool,
    yes: bool,
    name: str | None,
    owner_email: str | None,
    timezone: str | None,
    tables: Mapping[ObjectType, str | None],
    generic: bool,
) -> Status:
    """Look at the source, have a mapping proposed, and write it.

    Raises:
        ConfigError: the file is there already, the owner's address is missing, or the source cannot be read.
    """
    settings = load_settings()
    path = output or settings.mapping
    asks = not yes and sys.stdin.isatty() and remarks.is_terminal
    if path != STDOUT and path.exists() and not force:
        raise ConfigError(f"{path} is there already: give another --output, or --force to write over it")
    if owner_email is None and not asks:
        raise ConfigError("say who will own the integration: --owner-email with the address of a user of Gong's")
    if owner_email is not None and not EMAIL_ADDRESS.fullmatch(owner_email.strip()):
        raise ConfigError(f"--owner-email: {owner_email!r} is no e-mail address")
    timeout = min(settings.source_statement_timeout_seconds, LONGEST_STATEMENT_SECONDS)
    brief = settings.model_copy(update={"source_statement_timeout_seconds": timeout})
    with looking(brief) as wiring:
        say("Looking at the database ...", to=remarks)
        proposer = Proposer(wiring.source)
        found = f"{count(len(proposer.catalog.tables), 'table')} in {_named(settings)}"
        say(f"{found}.", to=remarks)
        ready = None if generic or tables else _ready_made(proposer, asks=asks)
        if ready is not None:
            name, owner_email = _identity(name or ready.name, owner_email, asks=asks)
            _write(path, adapted(shipped(ready.file).read_text(encoding="utf-8"), name, owner_email))
        else:
            proposal = _chosen(proposer, tables) if asks else proposer.propose(tables)
            if not proposal.drafts:
                raise ConfigError(_nothing(proposal))
            _remark_unread(proposer.unread)
            name, owner_email = _identity(name or "CRM", owner_email, asks=asks)
            zone = _zone(proposal, timezone, asks=asks)
            _write(path, written(proposal, Head(name, owner_email, zone, _named(settings))))
            if path != STDOUT:
                _summary(proposal)
        if path == STDOUT:
            return Status.WELL
        return _ended(path, settings, proposer.check(path), ready)


def _ready_made(proposer: Proposer, *, asks: bool) -> ReadyMade | None:
    ready = proposer.ready_made
    if ready is None:
        return None
    say(f"These are the tables of {ready.name}, for which a mapping is ready-made.", "bold", to=remarks)
    if asks and not click.confirm("Take it?", default=True, err=True):
        return None
    return ready


def _chosen(proposer: Proposer, tables: Mapping[ObjectType, str | None]) -> Proposal:
    """Ask for each type which table holds it, and propose until the answers stand."""
    answers = dict(tables)
    proposal = proposer.propose(answers)
    for object_type in ObjectType:
        if object_type in answers or (object_type is ObjectType.STAGE and object_type not in proposal.drafts):
            continue
        draft = proposal.drafts.get(object_type)
        if draft is not None and draft.rows:
            continue
        offered = draft.table.name if draft is not None else _LEFT_OUT
        others = [one.table for one in proposal.ranking[object_type] if one.table != offered][:_OFFERED]
        why = f": {draft.reason}" if draft is not None else f": {proposal.absent.get(object_type, '')}"
        say(f"{object_type}{why}", to=remarks)
        if draft is None and not others:
            taken = {one.table.name for one in proposal.drafts.values()}
            others = [name for name in proposer.catalog.tables if name not in taken][:_LISTED]
            say(f"  {_MEANT[object_type]}; there are: {', '.join(others)}", to=remarks)
        elif others:
            say(f"  others that may be meant: {', '.join(others)}", to=remarks)
        answer = _asked(f"  table ({_LEFT_OUT} for none)", offered, [*proposer.catalog.tables, _LEFT_OUT])
        if answer != offered:
            answers[object_type] = None if answer == _LEFT_OUT else answer
            proposal = proposer.propose(answers)
    return proposal


def _asked(question: str, default: str, known: Sequence[str]) -> str:
    while True:
        answer = str(click.prompt(question, default=default, err=True)).strip()
        if answer in known:
            return answer
        say(f"  There is no table or view {answer!r}.", "red", to=remarks)


def _identity(name: str, owner_email: str | None, *, asks: bool) -> tuple[str, str]:
    if asks:
        name = click.prompt("Name of the integration, as Gong shows it", default=name, err=True)
    while owner_email is None:
        answer = str(click.prompt("E-mail address of the Gong user who owns it", err=True)).strip()
        if EMAIL_ADDRESS.fullmatch(answer):
            owner_email = answer
        else:
            say(f"  {answer!r} is no e-mail address.", "red", to=remarks)
    return name.strip(), owner_email


def _zone(proposal: Proposal, given: str | None, *, asks: bool) -> str:
    column = needs_zone(proposal)
    if given is None and asks and column is not None:
        given = click.prompt(f"Time zone of times without offset, such as {column}", default="UTC", err=True)
    zone = (given or "UTC").strip()
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise ConfigError(f"--timezone: {zone!r} is not an IANA time zone, such as UTC or Europe/Berlin") from None
    return zone


def _nothing(proposal: Proposal) -> str:
    reasons = "; ".join(f"{kind}: {why}" for kind, why in proposal.absent.items())
    return f"no table looks like one of Gong's types ({reasons}): name the tables, as in --table ACCOUNT=clients"


def _write(path: Path, text: str) -> None:
    if path == STDOUT:
        sys.stdout.write(text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _remark_unread(unread: Mapping[str, str]) -> None:
    for name, why in unread.items():
        say(f"{name} was not looked at: {why}", "yellow", to=remarks)


def _summary(proposal: Proposal) -> None:
    rows: list[tuple[str, str | None, str]] = []
    for object_type in ObjectType:
        draft = proposal.drafts.get(object_type)
        if draft is None:
            rows.append((object_type, None, "left out" if object_type not in proposal.absent else "nothing found"))
        elif draft.rows:
            rows.append((object_type, draft.table.name, f"{count(len(draft.rows), 'stage')}, listed in the file"))
        else:
            rows.append((object_type, draft.table.name, ", ".join(one.name for one in draft.fields)))
    heading("Proposed")
    table(("Type", "Table", "Fields found"), rows)


def _ended(path: Path, settings: Settings, problems: Sequence[Problem], ready: ReadyMade | None) -> Status:
    say()
    say(f"Written to {path}.", "bold green" if not problems else "")
    for problem in problems:
        say(str(problem), "red", to=remarks)
    if problems:
        say(f"Mend {'these' if len(problems) > 1 else 'this'} first; then:")
    elif ready is not None:
        say("Its first lines say what to change. Then:")
    else:
        say("Read it through: names and samples are all that it went by. Then:")
    if path.absolute() != settings.mapping.absolute():
        say(f"  export CONNECTOR_MAPPING={path}")
    kinds = {origin.type for origin in load(path).origins} if not problems else set()
    first = next((kind for kind in (ObjectType.DEAL, ObjectType.ACCOUNT, *kinds) if kind in kinds), ObjectType.DEAL)
    say("  gong-connector check")
    say(f"  gong-connector preview {first}")
    say("  gong-connector plan")
    return Status.FAILED if problems else Status.WELL


def _named(settings: Settings) -> str:
    return next(one.value for one in shown(settings) if one.name == "CONNECTOR_SOURCE_URL")
