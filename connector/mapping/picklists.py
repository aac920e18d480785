"""The values that Gong's PICKLIST fields may have: from the file, from a query, or those that occur."""

import threading
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

from connector.errors import ConfigProblems, Problem, SourceChanged

MOST_VALUES: Final = 1_000
"""A field with more different values than this is no list that anybody picks from."""


class Unlisted(StrEnum):
    """What becomes of a value that is not in the list."""

    REFUSE = "refuse"
    NULL = "null"
    ADD = "add"


class Picklist:
    """The values of one PICKLIST field, which all sources of its type share. They change while lines are made: with the
    query's result, or with the values that occur.
    """

    def __init__(
        self, place: str, unlisted: Unlisted, query: str | None, listed: Sequence[str], own: Iterable[str] = ()
    ) -> None:
        """Note what the file says of it.

        Args:
            place: names it in a message.
            unlisted: what becomes of other values.
            query: gives the values; None where the file lists them, or they are those that occur.
            listed: the values that the file lists.
            own: values that the file has lines say, such as a default: of a list that grows they are part, and a query
                has to give them.
        """
        self.place = place
        self.unlisted = unlisted
        self.query = query
        self.unknown = query is not None
        """The query was not answered yet, or cannot be."""
        self.on_growth: Callable[[], None] | None = None
        """Sees to it that Gong has the new values before lines say them; None where nothing is sent."""
        self._listed = tuple(listed)
        self._own = frozenset(own)
        self._more: frozenset[str] = self._own if unlisted is Unlisted.ADD else frozenset()
        self._known: frozenset[str] = self._more.union(listed)
        self._memos: list[dict[str, Any]] = []
        self._growing = threading.Lock()

    @property
    def grows(self) -> bool:
        """Whether values that occur are added to it."""
        return self.unlisted is Unlisted.ADD

    @property
    def values(self) -> tuple[str, ...]:
        """All of them: those listed in their order, then the others by the alphabet."""
        more = self._more.difference(self._listed)
        return (*self._listed, *sorted(more, key=lambda text: (text.casefold(), text)))

    def __contains__(self, text: object) -> bool:
        """Tell whether lines may say it.

        Raises:
            SourceChanged: nobody knows: the query was not answered.
        """
        if self.unknown:
            raise SourceChanged(f"{self.place}: the query for the values of the picklist could not be answered")
        return text in self._known

    def memo(self) -> dict[str, Any]:
        """Return where an encoder may keep what becomes of raw texts; it is emptied when values leave the list."""
        memo: dict[str, Any] = {}
        self._memos.append(memo)
        return memo

    def relist(self, values: Iterable[str]) -> None:
        """Take the query's answer of now.

        Raises:
            ConfigProblems: there are none, or far too many, or a default is not among them.
        """
        listed = tuple(dict.fromkeys(value for value in values if value.strip()))
        if not listed and not self.grows:
            raise self._wrong("the query gives no values")
        self._fits(len(listed))
        for lacking in sorted(self._own.difference(listed, self._more)):
            raise self._wrong(f"the query does not give '{lacking}', which the field has lines say")
        gone = not self._known.issubset(listed)
        self._listed, self._known, self.unknown = listed, self._more.union(listed), False
        for memo in self._memos if gone else ():
            memo.clear()

    def add(self, values: Iterable[str]) -> bool:
        """Let a list that grows have values that occur; return whether any of them was new.

        Raises:
            ConfigProblems: there are too many by now.
        """
        with self._growing:
            known = self._known.union(values)
            if len(known) == len(self._known):
                return False
            self._fits(len(known))
            self._more = self._more.union(values)
            self._known = known
            return True

    def _fits(self, number: int) -> None:
        if number > MOST_VALUES:
            raise self._wrong(
                f"there are more than {MOST_VALUES:,} different values, which makes no list to pick from: make the"
                " field a STRING, or give the `values` that count and say what becomes of others (`unlisted`)"
            )

    def _wrong(self, message: str) -> ConfigProblems:
        return ConfigProblems([Problem(self.place, message)])
