"""Explains one object: what Gong was last told of it, and why its line is or is not sent. In words."""

from collections.abc import Iterator

from connector.cli.output import moment
from connector.engine.wiring import Wiring
from connector.ledger.finder import Found
from connector.ledger.records import Cursor, ObjectState
from connector.mapping import Entity
from connector.model import Line
from connector.object_types import ObjectType
from connector.web.answers import answer


def explain(wiring: Wiring, object_type: ObjectType, object_id: str) -> Iterator[str]:
    """Yield what the ledger knows of an object."""
    if wiring.ledger_is_absent:
        yield "Gong was told nothing yet: there is no ledger."
        return
    found = wiring.finder.find(object_id, object_type)
    if not found:
        yield "Gong was told nothing of it, and no pass has read it."
    for one in found:
        told = answer(one)
        yield f"In Gong? {told.words}"
        yield from told.reasons
        yield from _sent(one)


def next_step(wiring: Wiring, entity: Entity, line: Line | None) -> str:
    """Return what the next pass does with the line of a row; None where the row is refused."""
    if wiring.ledger_is_absent:
        cursor, state = None, None
    else:
        cursor = wiring.store.cursor(entity.name)
        state = None if line is None else wiring.store.lookup(entity.type, [line.object_id]).get(line.object_id)
    if entity.type in wiring.store.pauses():
        return f"Next: nothing, for {entity.type} is paused: `gong-connector resume {entity.type}`."
    return f"Next: {_next(entity, line, state, cursor)}."


def _sent(found: Found) -> Iterator[str]:
    if found.changed is not None:
        yield f"Its latest line has the modifiedDate {moment(found.changed)}."
    file = found.file
    if file is not None:
        settled = "not settled yet" if file.settled_at is None else f"settled at {moment(file.settled_at)}"
        line = "" if file.line is None else f", line {file.line}"
        made = f"{file.state}, made at {moment(file.created_at)}"
        yield f"Its file: clientRequestId {file.request_id}{line}, {made}, {settled}."


def _next(entity: Entity, line: Line | None, state: ObjectState | None, cursor: Cursor | None) -> str:
    if line is None:
        return "it is refused, and not sent until its row or the mapping changes"
    if state is not None and state.pending is not None:
        return f"it is read again when what it waits for is over ({state.pending})"
    heard = state is not None and state.last_modified is not None
    if line.deleted and not heard:
        return "nothing, for it is deleted in the CRM and Gong never heard of it"
    if state is not None and line.digest == state.in_flight:
        return "nothing, for it is on its way"
    if state is not None and line.digest == state.told:
        return "nothing, for this is what Gong was told"
    if state is not None and line.digest == state.refused:
        return "nothing, for this line was refused; it is sent when its row or the mapping changes"
    if cursor is None or cursor.loaded_at is None:
        return "it is sent with the first load"
    what = "its line differs from what Gong was told" if heard else "it is new"
    what = "it is deleted in the CRM" if line.deleted else what
    if cursor.fingerprint != entity.fingerprint:
        return f"{what}; the comparison that the changed mapping starts sends that"
    if line.stamp is not None and cursor.cursor_at is not None and line.stamp < int(cursor.cursor_at):
        return f"{what}; its stamp is earlier than where reading stands, so that the next full comparison sends that"
    return f"{what}; the next pass sends that"
