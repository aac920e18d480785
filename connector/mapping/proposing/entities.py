"""What is proposed for each type: its key, its times, its fields, each with the reason. Pure."""

import re
from collections.abc import Collection, Mapping
from itertools import chain, count
from typing import Any, Final

from connector.facts import ColumnFacts, Looks, TableFacts
from connector.mapping.kinds import EXPECTED
from connector.mapping.proposing.drafts import Context, Draft
from connector.mapping.proposing.links import link, satellite, through
from connector.mapping.proposing.matching import (
    MOMENTS,
    NUMBERS,
    TEXTS,
    WHOLE,
    Match,
    find,
    is_true,
    matches,
    own_words,
)
from connector.mapping.proposing.others import other_fields
from connector.mapping.proposing.states import state_map, state_of
from connector.mapping.proposing.tables import Candidate, key_of, kind_of_leads
from connector.mapping.proposing.wanted import (
    ACCOUNT_LINK,
    ARCHIVED,
    CONTACT_LINK,
    DELETED,
    FIELDS,
    MODIFIED,
    OWNER,
    PERSON,
    STAGE_COLUMN,
    STATUS_COLUMN,
    SURE_WORDS,
    Phrase,
    Wanted,
)
from connector.model import ColumnKind
from connector.object_types import ObjectType

_FLAGS: Final = frozenset({ColumnKind.BOOLEAN, ColumnKind.INTEGER, ColumnKind.TEXT, ColumnKind.BINARY})
_CODES: Final = TEXTS | WHOLE | {ColumnKind.UUID}
_FULL_NAME: Final = FIELDS[ObjectType.ACCOUNT]["name"]
_CONVERTED: Final = {
    "convertedToAccountId": ObjectType.ACCOUNT,
    "convertedToContactId": ObjectType.CONTACT,
    "convertedToDealId": ObjectType.DEAL,
}
_CONVERSION: Final = Wanted((frozenset({"convert"}), frozenset({"convert", "flag"}), frozenset({"convert", "at"})))


def business_user(context: Context, reason: str, _drafts: Mapping[ObjectType, Draft]) -> Draft:
    """The CRM's users, by the address by which Gong knows them."""
    draft = _begun(ObjectType.BUSINESS_USER, context.tables[ObjectType.BUSINESS_USER], reason)
    _email(context, draft, FIELDS[ObjectType.BUSINESS_USER]["emailAddress"])
    if not draft.fields:
        draft.lacks = f"{draft.table.name} has no e-mail addresses, by which Gong knows its users"
    return draft


def account(context: Context, reason: str, _drafts: Mapping[ObjectType, Draft]) -> Draft:
    """The companies."""
    draft = _begun(ObjectType.ACCOUNT, context.tables[ObjectType.ACCOUNT], reason)
    wanted = FIELDS[ObjectType.ACCOUNT]
    _take(draft, "name", wanted["name"], TEXTS)
    found = _find(draft, wanted["domains"], TEXTS | {ColumnKind.ARRAY})
    if found is not None:
        separator = found.column.shape.separator if found.column.shape is not None else None
        several = {} if separator is None else {"split": separator}
        draft.add("domains", {"column": found.column.name, **several, "convert": "host"}, found.reason)
    return _ended(context, draft)


def contact(context: Context, reason: str, _drafts: Mapping[ObjectType, Draft]) -> Draft:
    """The persons at the companies."""
    draft = _begun(ObjectType.CONTACT, context.tables[ObjectType.CONTACT], reason)
    _account_of(context, draft)
    _person(context, draft)
    return _ended(context, draft)


def lead(context: Context, reason: str, _drafts: Mapping[ObjectType, Draft]) -> Draft:
    """The persons who may become contacts."""
    draft = _begun(ObjectType.LEAD, context.tables[ObjectType.LEAD], reason)
    shared = kind_of_leads(draft.table) if context.tables.get(ObjectType.DEAL) is draft.table else None
    if shared is not None:
        draft.strip = "contact"
        draft.keep(f"COALESCE({shared.column.sql}, '') <> '{shared.value}'")
    _person(context, draft)
    if shared is not None:  # what is called a title there is the deal's
        draft.fields = [one for one in draft.fields if one.name != "title"]
    converted = find(_CONVERSION, draft.table, _FLAGS | MOMENTS) is not None
    for name, kind in _CONVERTED.items():
        target = context.tables.get(kind)
        word = SURE_WORDS[kind]
        phrases: tuple[Phrase, ...] = (frozenset({"convert", word}), frozenset({"create", word}))
        if converted:
            phrases += (frozenset({word}),)
        found = None if target is None else link(draft.table, target, Wanted(phrases))
        declared = kind is ObjectType.DEAL and found is not None and found.column.name in draft.table.references
        if found is not None and (converted or declared or "convert" in found.column.name.lower()):
            draft.add(name, found.column.name, found.reason)
    return _ended(context, draft)


def deal(context: Context, reason: str, drafts: Mapping[ObjectType, Draft]) -> Draft:
    """The deals, with their owner, their stage and their state."""
    draft = _begun(ObjectType.DEAL, context.tables[ObjectType.DEAL], reason)
    wanted = FIELDS[ObjectType.DEAL]
    _account_of(context, draft, drafts.get(ObjectType.CONTACT))
    _owner(draft, drafts.get(ObjectType.BUSINESS_USER))
    _take(draft, "name", wanted["name"], TEXTS)
    _take(draft, "createdDate", wanted["createdDate"], MOMENTS | TEXTS | {ColumnKind.INTEGER})
    _take(draft, "closeDate", wanted["closeDate"], MOMENTS | TEXTS)
    stage_column = _stage(context, draft)
    _status(context, draft, stage_column)
    _take(draft, "amount", wanted["amount"], NUMBERS)
    _currencies(draft)
    shared = kind_of_leads(draft.table)
    if shared is not None and context.tables.get(ObjectType.LEAD) is draft.table:
        draft.keep(f"{shared.column.sql} = '{shared.value}'")
    return _ended(context, draft)


def _currencies(draft: Draft) -> None:
    for column in draft.table.columns.values():
        several = column.shape is not None and column.shape.distinct > 1
        if several and "currency" in own_words(column, draft.table) and column.kind in TEXTS:
            draft.remarks.append(
                f"Amounts are in several currencies (`{column.name}`), and Gong's amount knows of none: docs/recipes.md"
                " says how they are made one."
            )
            return


def stage(context: Context, candidate: Candidate | None, deals: Draft | None) -> Draft | None:
    """The stages: the table that the deals' column points to, or the values that it holds."""
    if deals is None:
        return None
    found = next((one for one in deals.fields if one.name == "stage"), None)
    if found is None:
        return None
    column = found.block if isinstance(found.block, str) else found.block["column"]
    if deals.rows:
        draft = Draft(ObjectType.STAGE, deals.table, f"the values of {deals.table.name}.{column}")
        draft.rows, deals.rows = deals.rows, []
        draft.remarks.append("Put them in the order of your pipeline, and give them the names that people know.")
        draft.remarks.append("A stage that is new in the CRM has to be added here.")
        return draft
    target = _stage_target(context, deals.table.columns[column], deals.table)
    assert target is not None, "a stage that is no list points to a table"
    why = candidate.reason if candidate is not None and candidate.table == target.name else ""
    draft = _begun(ObjectType.STAGE, target, f"{deals.table.name}.{column} points to it" + (f"; {why}" if why else ""))
    wanted = FIELDS[ObjectType.STAGE]
    _take(draft, "name", wanted["name"], TEXTS)
    order = _find(draft, wanted["sortOrder"], NUMBERS)
    if order is not None:
        least = order.column.shape.least if order.column.shape is not None else None
        if least is not None and least < 1:
            sql = f"ROW_NUMBER() OVER (ORDER BY t.{order.column.sql}, t.{target.columns[draft.key[0]].sql})"
            draft.compute("sortOrder", "place", sql, f"{order.column.name} begins with {least}, Gong's order with 1")
        else:
            draft.add("sortOrder", order.column.name, order.reason)
    active = find(wanted["isActive"], target, {ColumnKind.BOOLEAN, ColumnKind.INTEGER})
    if active is not None:
        draft.add("isActive", active.column.name, active.reason)
    if "name" not in {one.name for one in draft.fields}:
        draft.lacks = f"{target.name} has no column that names a stage"
    return draft


def _begun(object_type: ObjectType, table: TableFacts, reason: str) -> Draft:
    draft = Draft(object_type, table, reason)
    key = key_of(table)
    if key is None:
        draft.lacks = f"nothing identifies a row of {table.name}: it has neither key nor unique column"
        return draft
    draft.key = key
    draft.modified = _modified(table)
    if draft.modified is None:
        draft.remarks.append("No column says when a row changed last: every pass reads the whole table and compares.")
    draft.deleted = _deleted(table)
    if draft.deleted is None:
        draft.remarks.append("No column marks deleted rows: rows that vanish are found by full comparison.")
        archived = find(ARCHIVED, table, _FLAGS | MOMENTS)
        if archived is not None:
            draft.remarks.append(
                f"`{archived.column.name}` may mean that a row is out of use: under `deleted`, such rows would be"
                " deleted in Gong."
            )
    return draft


def _modified(table: TableFacts) -> tuple[str, str] | None:
    kinds = MOMENTS | TEXTS | {ColumnKind.INTEGER}
    for match in matches(MODIFIED, table, kinds):
        column, shape = match.column, match.column.shape
        if shape is not None and shape.rows and not shape.filled:
            continue
        if column.kind in TEXTS and (shape is None or shape.share(Looks.MOMENT) < 1):
            continue
        reason = match.reason
        if column.name not in table.indexed:
            reason += "; has no index"
        return column.name, reason
    return None


def _deleted(table: TableFacts) -> tuple[str, str, str] | None:
    for match in matches(DELETED, table, _FLAGS | MOMENTS):
        condition = is_true(match.column, match.column.sql)
        if condition is not None:
            return condition, match.reason, match.column.name
    return None


def _find(draft: Draft, wanted: Wanted, kinds: Collection[ColumnKind]) -> Match | None:
    strip = draft.strip or SURE_WORDS[draft.type]
    return find(wanted, draft.table, kinds, strip=strip, but=draft.used)


def _take(draft: Draft, name: str, wanted: Wanted, kinds: Collection[ColumnKind]) -> None:
    found = _find(draft, wanted, kinds)
    if found is not None:
        draft.add(name, found.column.name, found.reason)


def _email(context: Context, draft: Draft, wanted: Wanted) -> None:
    found = _find(draft, wanted, TEXTS)
    if found is not None:
        draft.add("emailAddress", {"column": found.column.name, "convert": "email"}, found.reason)
        return
    way = satellite(context.facts, draft.table, FIELDS[ObjectType.CONTACT]["emailAddress"])
    if way is not None:
        draft.detour("emailAddress", "email_address", way)
        draft.fields[-1].block = {"column": draft.fields[-1].block, "convert": "email"}


def _person(context: Context, draft: Draft) -> None:
    wanted = FIELDS[ObjectType.CONTACT]
    for name in PERSON:
        if name == "emailAddress":
            _email(context, draft, wanted[name])
        else:
            _take(draft, name, wanted[name], TEXTS)
        if name == "lastName" and not {"firstName", "lastName"} & {one.name for one in draft.fields}:
            whole = _find(draft, _FULL_NAME, TEXTS)
            if whole is not None:
                draft.add("lastName", whole.column.name, "the whole name: no columns hold first and last names")


def _account_of(context: Context, draft: Draft, contacts: Draft | None = None) -> None:
    accounts = context.tables.get(ObjectType.ACCOUNT)
    if accounts is None or key_of(accounts) is None:
        return
    found = link(draft.table, accounts, ACCOUNT_LINK)
    if found is not None:
        draft.add("accountId", found.column.name, found.reason)
        return
    way = through(context.facts, draft.table, accounts, ACCOUNT_LINK)
    if way is not None:
        draft.detour("accountId", "account_id", way)
        return
    if contacts is None or contacts.lacks is not None:
        return
    person = link(draft.table, contacts.table, CONTACT_LINK)
    own = next((one.block for one in contacts.fields if one.name == "accountId"), None)
    if person is not None and isinstance(own, str) and own in contacts.table.columns:
        table, key = contacts.table, contacts.table.columns[contacts.key[0]].sql
        sql = f"(SELECT p.{table.columns[own].sql} FROM {table.sql} p\n WHERE p.{key} = t.{person.column.sql})"
        draft.compute("accountId", "account_id", sql, f"the account of the person in {person.column.name}")


def _owner(draft: Draft, users: Draft | None) -> None:
    if users is None or not users.key[0]:
        return
    table = users.table
    found = link(draft.table, table, OWNER)
    if found is not None:
        draft.add("ownerId", found.column.name, found.reason)
        return
    named = find(OWNER, draft.table, TEXTS, but=draft.used)
    if named is None or named.column.shape is None:
        return
    wanted = FIELDS[ObjectType.BUSINESS_USER]["emailAddress"]
    login = Wanted((frozenset({"login"}), frozenset({"code"}), frozenset({"short", "name"})))
    by = find(wanted if named.column.shape.share(Looks.EMAIL) else login, table, TEXTS)
    if by is not None:
        key = table.columns[users.key[0]].sql
        sql = f"(SELECT u.{key} FROM {table.sql} u\n WHERE u.{by.column.sql} = t.{named.column.sql})"
        draft.compute("ownerId", "owner_id", sql, f"{named.column.name} holds a user's {by.column.name}, as it seems")


def _stage_target(context: Context, column: ColumnFacts, table: TableFacts) -> TableFacts | None:
    """Return the table that a column of the deals points to."""
    declared = table.references.get(column.name)
    if declared is not None:
        return context.facts.tables.get(declared)
    chosen = context.tables.get(ObjectType.STAGE)
    if chosen is not None and key_of(chosen) is not None:
        found = link(table, chosen, STAGE_COLUMN)
        if found is not None and found.column.name == column.name:
            return chosen
    return None


def _stage(context: Context, draft: Draft) -> ColumnFacts | None:
    """Propose the deal's stage; return its column."""
    chosen = context.tables.get(ObjectType.STAGE)
    found = None if chosen is None else link(draft.table, chosen, STAGE_COLUMN)
    for match in [*([found] if found else []), *matches(STAGE_COLUMN, draft.table, _CODES, strip="deal")]:
        column = match.column
        if _stage_target(context, column, draft.table) is not None:
            draft.add("stage", column.name, match.reason)
            return column
        values = column.shape.values if column.shape is not None else None
        if values:
            ids = _ids_of(values)
            block: str | dict[str, Any] = column.name
            reason = f"{match.reason}; the stages are its values"
            if any(value != made for value, made in ids.items()):
                block = {"column": column.name, "map": ids}
                reason += ", as ids that Gong takes: one that is new in the CRM refuses its deals until it is added"
            draft.add("stage", block, reason)
            draft.listed.append(column.name)
            states = {value: state_of(value) for value in values}
            order = ["OPEN", None, "WON", "LOST"]
            draft.rows = [
                {"objectId": ids[value], "name": value}
                for value in sorted(values, key=lambda value: order.index(states[value]))
            ]
            return column
    return None


def _ids_of(values: Collection[str]) -> dict[str, str]:
    """Return an id for each value, of letters, digits, `-` and `_` (GONG_API, "Data files"): itself where it is one."""
    ids: dict[str, str] = {}
    for value in values:
        plain = re.sub(r"[^A-Za-z0-9_]+", "-", value).strip("-") or "stage"
        taken = set(ids.values())
        ids[value] = next(
            name for name in chain([plain], (f"{plain}-{number}" for number in count(2))) if name not in taken
        )
    return ids


def _status(context: Context, draft: Draft, stage_column: ColumnFacts | None) -> None:
    """Propose what tells whether a deal is open, won or lost: its state, flags, or else its stage."""
    for match in matches(STATUS_COLUMN, draft.table, _CODES, strip="deal"):
        if _states(context, draft, match.column, match.reason):
            return
    if _by_flags(draft):
        return
    if stage_column is not None and _states(context, draft, stage_column, "by what the stages are called"):
        return
    draft.remarks.append("Nothing says which deals are open, won or lost: say it under `status`, or isOpen and isWon.")


def _states(context: Context, draft: Draft, column: ColumnFacts, reason: str) -> bool:
    values: Mapping[str, str] | Collection[str] | None = column.shape.values if column.shape is not None else None
    declared = draft.table.references.get(column.name)
    target = context.facts.tables.get(declared) if declared else _stage_target(context, column, draft.table)
    if target is not None:
        values = _called(target)
    else:
        draft.listed += [column.name] if column.name not in draft.listed else []
    found = state_map(values) if values else None
    if found is None:
        return False
    if isinstance(values, Mapping):
        found = {key: state for key, state in found.items() if state != "OPEN"}
        reason += "; " + ", ".join(f"{key} is `{values[key]}`" for key in found)
    guessed = [value for value in found if state_of(value) is None and not isinstance(values, Mapping)]
    if guessed:
        draft.remarks.append(f"Taken to be OPEN, for want of a word that says it: {', '.join(sorted(guessed))}.")
    draft.add("status", {"column": column.name, "map": found, "default": "OPEN"}, reason)
    return True


def _called(table: TableFacts) -> dict[str, str]:
    """Return the names in a short list by its keys, flags for won and lost among them."""
    key = key_of(table)
    name = find(FIELDS[ObjectType.STAGE]["name"], table, TEXTS, strip="stage") or find(
        FIELDS[ObjectType.STAGE]["name"], table, TEXTS, strip="status"
    )
    if key is None or not table.content:
        return {}
    found = {}
    for row in table.content:
        text = row.get(name.column.name, "") if name is not None else ""
        for state in ("won", "lost"):
            flag = find(Wanted((frozenset({state}), frozenset({"flag", state}))), table, _FLAGS)
            if flag is not None and row.get(flag.column.name, "").lower() in ("1", "true", "t", "y", "yes"):
                text = state
        if key[0] in row:
            found[row[key[0]]] = text
    return found


def _by_flags(draft: Draft) -> bool:
    flags = {}
    for state in ("won", "lost", "close"):
        wanted = Wanted((frozenset({"flag", state}), frozenset({state})), frozenset({"at", "reason", "by"}))
        for match in matches(wanted, draft.table, _FLAGS):
            condition = is_true(match.column, f"t.{match.column.sql}")
            if condition is not None:
                flags[state] = (condition, match.column.name)
                break
    if "won" not in flags:
        return False
    sql = f"CASE WHEN {flags['won'][0]} THEN 'WON'"
    over = flags.get("lost") or flags.get("close")
    sql += f" WHEN {over[0]} THEN 'LOST'" if over else ""
    names = " and ".join(name for _, name in flags.values())
    draft.compute("status", "deal_status", f"{sql} ELSE 'OPEN' END", f"from {names}")
    return True


def _ended(context: Context, draft: Draft) -> Draft:
    """Note what Gong misses, and what else could be sent."""
    if draft.lacks is not None:
        return draft
    present = {one.name for one in draft.fields}
    for name, why in EXPECTED[draft.type].items():
        if name not in present and name != "status":
            why = why.removeprefix("empty: ").removeprefix("empty, though ")
            draft.remarks.append(f"Nothing found for {name}: {why}.")
    skipped = {draft.modified[0]} if draft.modified is not None else set()
    skipped |= {draft.deleted[2]} if draft.deleted is not None else set()
    by_table = {table.name: kind for kind, table in context.tables.items()}
    draft.others = other_fields(draft.type, draft.table, draft.used | skipped, by_table)
    return draft
