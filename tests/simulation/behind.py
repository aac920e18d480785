"""What happens to the CRM behind the application's back: rows really deleted and put back, stamps that do not move."""

import random
from collections.abc import Callable
from typing import Any, Final

from tests.simulation.crm import TABLES, Crm, Key, Row
from tests.simulation.expectation import LONGEST_ID, Unfit

FEWEST_LEFT: Final = 1
"""A table that loses its last usable row is not believed; so many stay."""


class Behind:
    """Steps of the workload. Draws from `chance` only."""

    def __init__(self, crm: Crm, chance: random.Random, values: Callable[[str], Row]) -> None:
        self._crm = crm
        self._chance = chance
        self._values = values
        self._erased: dict[str, list[Any]] = {kind: [] for kind in TABLES}
        self._before: dict[tuple[str, Any], Row] = {}
        self.steps: list[tuple[int, Callable[[], object]]] = [
            (14, self.erase),
            (2, self._erase_unfit),
            (4, self._erase_named_account),
            (4, self._erase_user_and_pass_on),
            (9, self.insert_again),
            (3, self._update_silently),
        ]
        if crm.variety.joined_emails:
            self.steps += [(8, self.mail), (1, self._erase_mail)]

    # -- rows really deleted ---------------------------------------------------------------------

    def erase(self, kind: str | None = None) -> None:
        """Delete one row or a few, of any type."""
        kind = self._chance.choice(self._crm.kinds) if kind is None else kind
        keys = self._crm.keys(kind)
        usable = sum(len(str(key)) <= LONGEST_ID for key in keys)
        count = min(self._chance.choice((1, 1, 1, 4)), usable - FEWEST_LEFT)
        if count > 0:
            with self._crm.transaction():
                for key in self._chance.sample(keys, k=count):
                    self._take(kind, key)

    def _erase_unfit(self) -> None:
        """Delete rows that could not be told to Gong."""
        for kind in self._crm.kinds:
            rows = self._crm.rows(kind)
            unfit = [row for row in rows if isinstance(self._crm.expectation.line(kind, row), Unfit)]
            if unfit and len(rows) - len(unfit) >= FEWEST_LEFT:
                with self._crm.transaction():
                    self._take(kind, self._chance.choice(unfit)[TABLES[kind].key])
                return

    def _erase_named_account(self) -> None:
        """Delete an account that contacts or deals still name."""
        accounts = self._crm.keys("ACCOUNT")
        named = {row["account_id"] for kind in ("CONTACT", "DEAL") for row in self._crm.rows(kind)}
        chosen = sorted(named & set(accounts))
        if chosen and len(accounts) > FEWEST_LEFT:
            with self._crm.transaction():
                self._take("ACCOUNT", self._chance.choice(chosen))

    def _erase_user_and_pass_on(self) -> None:
        """Delete a user whose address another user gets, new or old, in the same moment."""
        users = [user for user in self._crm.rows("BUSINESS_USER") if isinstance(user["email"], str)]
        if len(users) <= FEWEST_LEFT:
            return
        leaves, follows = self._chance.sample(users, k=2)
        with self._crm.transaction():
            self._take("BUSINESS_USER", leaves["id"])
            heir = follows["id"] if self._chance.random() < 0.6 else f"heir-of-{leaves['id']}"[:60]
            self._crm.write("BUSINESS_USER", heir, {"email": leaves["email"], "gone": 0})

    def insert_again(self, kind: str | None = None) -> Key | None:
        """Insert a deleted row again under its key: as it was, with its old stamp or a new one, or as another one.

        Returns:
            The object; None when there is none to be inserted.
        """
        kind = self._chance.choice(self._crm.kinds) if kind is None else kind
        there = set(self._crm.keys(kind))
        keys = [key for key in self._erased[kind] if key not in there]
        if not keys:
            return None
        key = self._chance.choice(keys[-3:])
        self._erased[kind].remove(key)
        before = {name: value for name, value in self._before[kind, key].items() if name != TABLES[kind].key}
        stamp = TABLES[kind].modified
        with self._crm.transaction():
            if self._chance.random() < 0.3:  # from a backup
                self._crm.write(kind, key, before)
                if stamp is not None:
                    self._crm.silent.add((kind, str(key)))
            else:
                values = before if self._chance.random() < 0.5 else before | self._values(kind)
                self._crm.write(kind, key, values | self._crm.stamp(kind))
        return kind, str(key)

    def _take(self, kind: str, key: Any) -> None:
        row = self._crm.row(kind, key)
        assert row is not None
        self._before[kind, key] = row
        self._erased[kind].append(key)
        self._crm.erase(kind, key)
        if kind == "CONTACT" and key in self._crm.mails() and self._chance.random() < 0.5:
            self._crm.erase_mail(key)

    # -- stamps that do not move -----------------------------------------------------------------

    def _update_silently(self) -> None:
        """Change a column of one row or many by hand: no stamp moves."""
        kind = self._chance.choice(("ACCOUNT", "CONTACT", "DEAL", "LEAD"))
        share = self._chance.choice((0.1, 0.9))
        names = sorted(set(self._values(kind)) - {"email"})
        changed = self._chance.sample(names, k=self._chance.randint(1, 2))
        with self._crm.transaction():
            for key in self._crm.keys(kind):
                if self._chance.random() < share:
                    values = self._values(kind)
                    self._crm.write(kind, key, {name: values[name] for name in changed})

    # -- the table of addresses ------------------------------------------------------------------

    def mail(self) -> None:
        """Change addresses of contacts where they stand, be the contacts there or not."""
        contacts = sorted({*self._crm.keys("CONTACT"), *self._crm.mails()})
        overlap = self._crm.variety.overlap
        age = self._chance.uniform(0, overlap - 1) if overlap > 1 and self._chance.random() < 0.3 else 0.0
        count = min(self._chance.choice((1, 1, 2, 12)), len(contacts))
        with self._crm.transaction():
            for contact in self._chance.sample(contacts, k=count):
                email = None if self._chance.random() < 0.1 else f"m{self._chance.getrandbits(24)}@crm.example"
                self._crm.write_mail(contact, email, age)

    def _erase_mail(self) -> None:
        mails = sorted(self._crm.mails())
        if mails:
            with self._crm.transaction():
                self._crm.erase_mail(self._chance.choice(mails))
