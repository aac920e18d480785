"""The rules of a data file as a whole: order, duplicates, parents, and the count of what failed."""

from collections.abc import Callable, Iterable, Iterator

from connector.object_types import ObjectType
from connector.sandbox.behaviour import Behaviour
from connector.sandbox.faults import Effects
from connector.sandbox.lines import LineFault, LineRules, ParsedLine

PARENT_TYPES = (ObjectType.CONTACT, ObjectType.DEAL)
"""The types that name an account."""


class DataFileCheck:
    """One reading of one data file: yields the good lines and books the bad ones."""

    def __init__(
        self,
        object_type: ObjectType,
        rules: LineRules,
        effects: Effects,
        behaviour: Behaviour,
        account_exists: Callable[[str], bool],
    ) -> None:
        self._rules = rules
        self._effects = effects
        self._refused_lines, self._refused_objects = frozenset(effects.lines), frozenset(effects.object_ids)
        self._behaviour = behaviour
        self._account_exists = account_exists
        self._asks_parent = behaviour.reject_unknown_parent and object_type in PARENT_TYPES
        self._seen: set[str] = set()
        self._latest: int | None = None
        self.listed: list[tuple[int, str]] = []
        """The first errors, as many as request-status lists: (line from 1, description)."""
        self.error_count = 0
        self.success_count = 0

    def good_lines(self, raw_lines: Iterable[bytes]) -> Iterator[ParsedLine]:
        """Yield the lines that keep every rule, in order; totals and errors are right once it is exhausted."""
        for number, raw in enumerate(raw_lines, start=1):
            try:
                line = self._check(number, raw.rstrip(b"\r\n"))
            except LineFault as fault:
                self.error_count += 1
                if len(self.listed) < self._behaviour.max_errors_listed:
                    self.listed.append((number, str(fault)))
            else:
                self.success_count += 1
                yield line

    def _check(self, number: int, raw: bytes) -> ParsedLine:
        every = self._effects.every
        if number in self._refused_lines or (every > 0 and number % every == 0):
            raise LineFault(self._effects.description)
        line = self._rules.parse(raw)
        if line.object_id in self._refused_objects:
            raise LineFault(self._effects.description)
        if line.object_id in self._seen:
            raise LineFault("Field [objectId] appears more than once in the file")
        self._seen.add(line.object_id)
        if self._behaviour.unsorted_lines_fail and self._latest is not None and line.modified < self._latest:
            raise LineFault("Lines are not in ascending order of [modifiedDate]")
        self._latest = line.modified
        self._check_parent(line)
        return line

    def _check_parent(self, line: ParsedLine) -> None:
        account = line.fields.get("accountId")
        if self._asks_parent and not line.deleted and account and not self._account_exists(account):
            raise LineFault(f"accountId [{account}] was not found")
