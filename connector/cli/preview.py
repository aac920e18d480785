"""`preview`: rows as the lines that would be sent; sends nothing."""

import json
import sys
from collections.abc import Iterator, Sequence

import orjson
from rich.console import Console

from connector import lines
from connector.cli.exits import Status
from connector.cli.explain import explain, next_step
from connector.cli.output import count, remarks, results, say, table
from connector.cli.parts import looking
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.mapping import Entity
from connector.mapping.bindings import Binding
from connector.model import DELETED, FIRST_COLUMN, KEY, MODIFIED, Encoded, Relation, Row
from connector.object_types import ObjectType


def preview(object_type: ObjectType, limit: int, object_id: str | None, *, as_json: bool) -> Status:
    """Show lines of a type: of one row, or of the first `limit` rows; on a terminal beside what they come from. Of one
    row, say what Gong was last told of it, and what the next pass does.

    Raises:
        ConfigError: the mapping file does not have the type.
    """
    pretty = results.is_terminal and not as_json
    shown = refused = 0
    hidden: dict[tuple[str, str], int] = {}
    with looking() as wiring:
        entities = [entity for entity in wiring.mapping.entities if entity.type is object_type]
        if not entities:
            raise ConfigError(f"{wiring.settings.mapping} says nothing of {object_type}")
        bindings = {origin.name: origin.bindings for origin in wiring.mapping_file.origins}
        for entity, row in _rows(wiring, entities, limit, object_id):
            now = int(wiring.clock.now())
            encoded = entity.encode([row], now)
            shown += 1
            refused += len(encoded.refusals)
            for key, number in encoded.not_shown.items():
                hidden[key] = hidden.get(key, 0) + number
            if pretty and entity.relation is not None:
                _beside(entity.relation, bindings[entity.name], row, encoded, now)
            else:
                _show(encoded, now, pretty=pretty)
            if object_id is not None and not as_json:
                line = next(iter(encoded.lines), None)
                say(f"Digest: {line.digest.hex()}" if line is not None else "No digest: it has no line.", to=remarks)
                say(next_step(wiring, entity, line), to=remarks)
        if object_id is not None and not as_json:
            for text in explain(wiring, object_type, object_id):
                say(text, to=remarks)
    if not shown:
        what = f"no row with the key {object_id}" if object_id is not None else "no row"
        say(f"The source of {object_type} has {what}.", to=remarks)
        return Status.WELL if object_id is None else Status.FAILED
    for (field, reason), number in hidden.items():
        say(f"Gong takes but may not show: {number:,} of these ({field} is {reason})", to=remarks)
    if refused:
        say(f"{count(refused, 'row')} of {shown:,} would be refused.", "yellow", to=remarks)
    return Status.UNSETTLED if refused else Status.WELL


def _rows(wiring: Wiring, entities: list[Entity], limit: int, object_id: str | None) -> Iterator[tuple[Entity, Row]]:
    """Yield rows with their entity source, `limit` at most."""
    left = limit
    for entity in entities:
        for chunk in _chunks(wiring, entity, object_id):
            for row in chunk[:left]:
                yield entity, row
            left -= len(chunk[:left])
            if not left:
                return


def _chunks(wiring: Wiring, entity: Entity, object_id: str | None) -> Iterator[list[Row]]:
    if entity.relation is None:
        rows = list(entity.static_rows)
        yield rows if object_id is None else [row for row in rows if str(row[KEY]) == object_id]
    elif object_id is not None:
        yield wiring.source.by_key(entity.relation, [object_id])
    else:
        yield from wiring.source.everything(entity.relation)


def _beside(relation: Relation, bindings: Sequence[Binding], row: Row, encoded: Encoded, now: int) -> None:
    """Write a line's fields beside the columns that they come from."""
    values = dict(zip(relation.columns, row[FIRST_COLUMN:], strict=True))
    sources = {"objectId": relation.key, "modifiedDate": relation.modified or "", "isDeleted": relation.deleted or ""}
    held = {"objectId": row[KEY], "modifiedDate": row[MODIFIED], "isDeleted": row[DELETED]}
    names = {binding.field: binding.columns for binding in bindings}
    line = next(iter(encoded.lines), None)
    content: dict[str, object] = {}
    if line is not None:
        content = orjson.loads(lines.seal(line.body, now if line.stamp is None else line.stamp))
    rows: list[tuple[str, str, str, str]] = []
    for name in content or names:
        columns = names.get(name, ())
        from_ = ", ".join(columns) or sources.get(name, "")
        was = " | ".join(_raw(values[column]) for column in columns) if columns else _raw(held.get(name))
        rows.append((name, _raw(content[name]) if name in content else "", from_, was if from_ else ""))
    table(("Field", "In the line", "Column", "In the row"), rows)
    if line is not None and line.deleted:
        say("(a deletion: sent only if Gong was told of the object)", "dim")
    _say_refused(encoded, to=results)
    say()


def _raw(value: object) -> str:
    """Return a value as people read it; control characters would act on the terminal."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _say_refused(encoded: Encoded, *, to: Console) -> None:
    for refusal in encoded.refusals:
        sys.stdout.flush()
        say(f"Refused: {refusal.object_id}: {refusal.reason}", "red", to=to)


def _show(encoded: Encoded, now: int, *, pretty: bool) -> None:
    for line in encoded.lines:
        # The time of the call stands in where a row has no stamp; the engine may move it, never its content.
        sealed = lines.seal(line.body, now if line.stamp is None else line.stamp).decode()
        if not pretty:
            sys.stdout.write(sealed)
            continue
        results.print_json(sealed, ensure_ascii=False)
        if line.deleted:
            say("(a deletion: sent only if Gong was told of the object)", "dim")
    _say_refused(encoded, to=results if pretty else remarks)
