"""Which accounts' deletions wait, because those of their contacts, deals and leads go first."""

from collections.abc import Callable, Mapping, Sequence

from connector import lines
from connector.errors import ConnectorError, LeaseLost, LedgerUnavailable
from connector.ledger.records import Child
from connector.ledger.store import Store
from connector.mapping import Entity
from connector.model import Row
from connector.object_types import ObjectType


class Families:
    """Looks after the children of accounts that are to be deleted. Belongs to the reading thread."""

    def __init__(
        self,
        entities: Mapping[ObjectType, Sequence[Entity]],
        rows: Callable[[Entity, Sequence[str]], Sequence[Row]],
        store: Store,
        now: Callable[[], float],
    ) -> None:
        """`rows` reads rows of an entity source by key; `now` is the time in seconds since 1970 UTC."""
        self._entities = entities
        self._rows = rows
        self._store = store
        self._now = now

    def waiting(self, account_ids: Sequence[str]) -> set[str]:
        """Return those of some accounts a child of which is being deleted: held deletions are not waited for. Children
        whose rows say that they are deleted, and that no pass has come to yet, are read next.
        """
        waiting: set[str] = set()
        unread: dict[tuple[ObjectType, int], list[Child]] = {}
        for child in self._store.children(account_ids):
            if child.deleting:
                waiting.add(child.account_id)
            else:
                unread.setdefault((child.type, child.source), []).append(child)
        for (object_type, source), children in unread.items():
            deleted = self._deleted(object_type, source, children)
            if deleted:
                self._store.relate(object_type, [child.object_id for child in deleted])
                waiting.update(child.account_id for child in deleted)
        return waiting

    def _deleted(self, object_type: ObjectType, source: int, children: Sequence[Child]) -> list[Child]:
        """Return the children whose rows say that they are deleted, but for those whose deletion Gong refused."""
        entities = self._entities.get(object_type, ())
        if source >= len(entities):
            return []
        entity = entities[source]
        asked = [child for child in children if child.refused != _deletion_digest(child)]
        try:
            rows = self._rows(entity, [child.object_id for child in asked])
        except (LeaseLost, LedgerUnavailable):
            raise
        except ConnectorError:
            return []  # the type's own passes say so; what cannot be read is not known to be deleted
        encoded = entity.encode(rows, int(self._now()))
        deleted = {line.object_id for line in encoded.lines if line.deleted}
        return [child for child in asked if child.object_id in deleted]


def _deletion_digest(child: Child) -> bytes:
    return lines.digest(lines.deletion_body(child.type, child.object_id))
