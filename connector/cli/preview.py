"""`preview`: rows as the lines that would be sent; sends nothing."""

import sys
from collections.abc import Iterator

from connector import lines
from connector.cli.exits import Status
from connector.cli.output import count, remarks, results, say
from connector.cli.parts import looking
from connector.engine.wiring import Wiring
from connector.errors import ConfigError
from connector.mapping import Entity
from connector.model import KEY, Encoded, Row
from connector.object_types import ObjectType


def preview(object_type: ObjectType, limit: int, object_id: str | None, *, as_json: bool) -> Status:
    """Show lines of a type: of one row, or of the first `limit` rows.

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
        for entity, row in _rows(wiring, entities, limit, object_id):
            now = int(wiring.clock.now())
            encoded = entity.encode([row], now)
            shown += 1
            refused += len(encoded.refusals)
            for key, number in encoded.not_shown.items():
                hidden[key] = hidden.get(key, 0) + number
            _show(encoded, now, pretty=pretty)
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
    for refusal in encoded.refusals:
        sys.stdout.flush()
        say(f"Refused: {refusal.object_id}: {refusal.reason}", "red", to=results if pretty else remarks)
