"""What the CRM's users do, at random: every kind of change that a real CRM sees."""

import random
from collections.abc import Callable
from typing import Any, Final

from tests.simulation.behind import Behind
from tests.simulation.crm import TABLES, Crm, Row
from tests.simulation.expectation import INDUSTRIES, Unfit

_TEXTS: Final = (
    "Zoë Ångström",
    "line\nbreak\ttab",
    "sep\u2028arator\u2029",
    "\U0001f600 \U0001f468\u200d\U0001f469",
    'quo"te\\back/slash',
    "\x7f\x01control",
    "nul\x00inside",
    "\ufeffbom",
    "  blanks  ",
    "",
    "null",
    "\uffff\ufffe",
    "e\u0301 combining",
    "{brace} [bracket] ;,",
)
_LONG: Final = "x" * 3000
_BROKEN: Final = b"\xff\xfe broken"
_FAR_ACCOUNT: Final = 900_000
"""Accounts from here on never come by themselves."""


class Workload:
    """Changes the CRM step by step. Draws from `chance` only."""

    def __init__(self, crm: Crm, chance: random.Random) -> None:
        self._crm = crm
        self._chance = chance
        self._count = 0
        self._old: dict[tuple[str, Any], list[Row]] = {}
        self.behind = Behind(crm, chance, self.values)
        self._steps: list[tuple[int, Callable[[], object]]] = [
            (14, self._insert),
            (24, self._update),
            (8, self._update_repeatedly),
            (5, self._touch),
            (6, self._delete),
            (4, self._undelete),
            (5, self._revert),
            (6, self._spoil),
            (6, self._mend_one),
            (4, self._bulk),
            (6, self._users),
            (4, self._orphan),
            (3, self._adopt),
            (2, self._forget_stamp),
            *self.behind.steps,
        ]

    def fill(self) -> None:
        """Write what is there before the connector is first started."""
        size = self._crm.variety.size
        for kind in TABLES:
            if kind not in self._crm.kinds:
                continue
            for _ in range(self._chance.randint(0 if self._chance.random() < 0.1 else 1, size)):
                self._crm.noted_age = self._chance.uniform(0, 10_000_000)
                with self._crm.transaction():
                    key = self._new(kind, age=self._crm.noted_age)
                if kind == self._crm.keeps:
                    self._live_earlier(kind, key)
        self._crm.noted_age = 0.0

    def _live_earlier(self, kind: str, key: Any) -> None:
        """Have an object changed a few times before the connector is first started."""
        for _ in range(self._chance.choice((0, 1, 2, 4))):
            self._crm.noted_age *= self._chance.uniform(0.2, 1.0)
            with self._crm.transaction():
                self._change(kind, key, self._crm.stamp(kind, self._crm.noted_age))

    def step(self) -> None:
        """Commit one random change."""
        weights = [weight for weight, _ in self._steps]
        self._chance.choices([work for _, work in self._steps], weights)[0]()

    def mend(self, *, everything: bool) -> None:
        """Make unfit rows fit again; with `everything`, also settle disputes over accounts and addresses."""
        for kind in self._crm.kinds:
            for row in self._crm.rows(kind):
                if isinstance(self._crm.expectation.line(kind, row), Unfit) or everything:
                    with self._crm.transaction():
                        self._mend(kind, row)
        if not everything:
            return
        wanted = {row["account_id"] for kind in ("CONTACT", "DEAL") for row in self._crm.rows(kind)}
        with self._crm.transaction():
            for number in sorted(wanted - {None}):
                there = self._crm.row("ACCOUNT", number)
                if there is None or there["is_deleted"]:
                    self._put("ACCOUNT", number, self.values("ACCOUNT") | {"is_deleted": 0})
        with self._crm.transaction():
            for user in self._crm.rows("BUSINESS_USER"):
                self._put("BUSINESS_USER", user["id"], {"email": f"own-{user['id']}@crm.example"})

    def change_for_a_while(self) -> Callable[[], None]:
        """Change some objects; return what gives them back the content that they had."""
        chosen = {self._any() for _ in range(self._chance.randint(1, 4))} - {None}
        before = []
        for kind, key in sorted((one for one in chosen if one is not None), key=str):
            row = self._crm.row(kind, key)
            assert row is not None
            before.append((kind, key, {name: row[name] for name in TABLES[kind].columns}))
            with self._crm.transaction():
                self._change(kind, key)

        def change_back() -> None:
            for kind, key, values in before:
                if self._crm.row(kind, key) is not None:
                    with self._crm.transaction():
                        self._put(kind, key, values)

        return change_back

    # -- steps -----------------------------------------------------------------------------------

    def _insert(self) -> None:
        with self._crm.transaction():
            self._new(self._chance.choice(self._crm.kinds))

    def _update(self) -> None:
        chosen = self._any()
        if chosen is not None:
            with self._crm.transaction():
                self._change(*chosen)

    def _update_repeatedly(self) -> None:
        """Change one object several times, so that the later ones come while it is in flight."""
        chosen = self._any()
        if chosen is not None:
            for _ in range(self._chance.randint(2, 4)):
                with self._crm.transaction():
                    self._change(*chosen)

    def _touch(self) -> None:
        chosen = self._any()
        if chosen is not None and TABLES[chosen[0]].modified is not None:
            with self._crm.transaction():
                self._crm.write(*chosen, self._stamp(chosen[0]))

    def _delete(self) -> None:
        self._set_gone(1)

    def _undelete(self) -> None:
        self._set_gone(0)

    def _set_gone(self, value: int) -> None:
        kind = self._chance.choice(self._crm.kinds)
        table = TABLES[kind]
        rows = [row for row in self._crm.rows(kind) if bool(row[table.gone]) != bool(value)]
        if rows:
            with self._crm.transaction():
                self._put(kind, self._chance.choice(rows)[table.key], {table.gone: value})

    def _revert(self) -> None:
        """Give a row the very content that it had before."""
        if self._old:
            kind, key = self._chance.choice(sorted(self._old, key=str))
            with self._crm.transaction():
                self._put(kind, key, self._chance.choice(self._old[kind, key]))

    def _spoil(self) -> None:
        """Give a row a value that cannot be told to Gong, or that Gong will refuse."""
        kind = self._chance.choice(self._crm.kinds)
        rows = self._crm.rows(kind)
        if not rows:
            return
        bad: dict[str, list[Row]] = {
            "BUSINESS_USER": [{"email": None}, {"email": "  "}, {"email": _BROKEN}],
            "STAGE": [{"label": None}, {"place": 0}, {"place": "first"}, {"label": _BROKEN}],
            "ACCOUNT": [{"name": _BROKEN}, {"revenue": "a lot"}, {"industry": "Piracy"}, {"name": _LONG}],
            "CONTACT": [{"last": _BROKEN}, {"phone": _LONG}],
            "DEAL": [
                {"state": "limbo"},
                {"amount": "much"},
                {"discount": 250},
                {"close_on": "soon"},
                {"next_call": "2026-02-30 25:00:00"},
            ],
            "LEAD": [{"hot": 7}, {"score": "high"}, {"email": _BROKEN}],
        }
        with self._crm.transaction():
            if kind == "LEAD" and self._chance.random() < 0.2:
                self._count += 1
                self._put(kind, "long-" * 15 + str(self._count), self.values(kind))
            else:
                self._put(kind, self._chance.choice(rows)[TABLES[kind].key], self._chance.choice(bad[kind]))

    def _mend_one(self) -> None:
        for kind in self._crm.kinds:
            for row in self._crm.rows(kind):
                if isinstance(self._crm.expectation.line(kind, row), Unfit) and self._chance.random() < 0.5:
                    with self._crm.transaction():
                        self._mend(kind, row)
                    return

    def _bulk(self) -> None:
        """Change or add many rows in one commit, all with one stamp; sometimes more than Gong lists errors."""
        kind = self._chance.choice(("ACCOUNT", "CONTACT", "DEAL", "LEAD"))
        stamp = self._crm.stamp(kind, self._age())
        with self._crm.transaction():
            if self._chance.random() < 0.3:
                for _ in range(self._chance.randint(5, 30)):
                    self._new(kind, stamp=stamp)
            for key in self._crm.keys(kind):
                if self._chance.random() < 0.8:
                    self._change(kind, key, stamp)

    def _users(self) -> None:
        """Move addresses between users: renamed, taken over, swapped, shared, or only spelt otherwise."""
        users = [user for user in self._crm.rows("BUSINESS_USER") if isinstance(user["email"], str)]
        if not users:
            return
        one, other = self._chance.choice(users), self._chance.choice(users)
        self._count += 1
        new = f"u{self._count}@crm.example"
        changes = self._chance.choice(
            [
                [(one, new)],
                [(one, new), (other, one["email"])],
                [(one, other["email"]), (other, one["email"])],
                [(one, other["email"])],
                [(one, one["email"].swapcase())],
            ]
        )
        with self._crm.transaction():
            for user, email in changes:
                self._put("BUSINESS_USER", user["id"], {"email": email})

    def _orphan(self) -> None:
        """Name an account that is not there: it comes later, or never."""
        chosen = self._any(("CONTACT", "DEAL"))
        if chosen is not None:
            number = self._chance.choice((_FAR_ACCOUNT, _FAR_ACCOUNT + 1, self._next_account()))
            with self._crm.transaction():
                self._put(*chosen, {"account_id": number})

    def _adopt(self) -> None:
        """Bring the account that an orphan names."""
        known = set(self._crm.keys("ACCOUNT"))
        named = {row["account_id"] for kind in ("CONTACT", "DEAL") for row in self._crm.rows(kind)}
        missing = sorted(named - known - {None})
        if missing:
            with self._crm.transaction():
                self._put("ACCOUNT", self._chance.choice(missing), self.values("ACCOUNT"))

    def _forget_stamp(self) -> None:
        chosen = self._any(("ACCOUNT", "CONTACT", "DEAL", "LEAD"))
        if chosen is not None:
            modified = TABLES[chosen[0]].modified
            assert modified is not None
            with self._crm.transaction():
                self._change(*chosen, {modified: None})

    # -- rows ------------------------------------------------------------------------------------

    def _any(self, kinds: tuple[str, ...] | None = None) -> tuple[str, Any] | None:
        kind = self._chance.choice(kinds or tuple(self._crm.kinds))
        keys = self._crm.keys(kind)
        return (kind, self._chance.choice(keys)) if keys else None

    def _new(self, kind: str, *, age: float | None = None, stamp: Row | None = None) -> Any:
        self._count += 1
        key: Any = {
            "BUSINESS_USER": f"u-{self._count}",
            "STAGE": f"st-{self._count}",
            "ACCOUNT": self._next_account(),
            "CONTACT": f"c-{self._count}",
            "DEAL": self._count,
            "LEAD": self._chance.choice((f"lead{self._count}@crm.example", f"L-{self._count}")),
        }[kind]
        if stamp is None:
            stamp = self._stamp(kind) if age is None else self._crm.stamp(kind, age)
        self._put(kind, key, self.values(kind), stamp)
        return key

    def _change(self, kind: str, key: Any, stamp: Row | None = None) -> None:
        values = self.values(kind)
        names = self._chance.sample(sorted(values), k=self._chance.randint(1, min(3, len(values))))
        self._put(kind, key, {name: values[name] for name in names}, stamp)

    def _put(self, kind: str, key: Any, values: Row, stamp: Row | None = None) -> None:
        before = self._crm.row(kind, key)
        if before is not None:
            self._old.setdefault((kind, key), []).append({name: before[name] for name in TABLES[kind].columns})
        self._crm.write(kind, key, values | (self._stamp(kind) if stamp is None else stamp))

    def _mend(self, kind: str, row: Row) -> None:
        table = TABLES[kind]
        fine = self.values(kind)
        fine = {name: value for name, value in fine.items() if value is not None or name not in _NEEDED}
        if kind in ("CONTACT", "DEAL"):
            fine.pop("account_id", None)
        self._put(kind, row[table.key], fine)

    def _stamp(self, kind: str) -> Row:
        return self._crm.stamp(kind, self._age())

    def _age(self) -> float:
        """Seconds between a row's stamp and its commit: less than the overlap, sometimes of a clock that is fast."""
        overlap = self._crm.variety.overlap
        dice = self._chance.random()
        if dice < 0.3 and overlap > 1:
            return self._chance.uniform(0, overlap - 1)
        return -self._chance.uniform(1, 600) if dice > 0.95 else 0.0

    def _next_account(self) -> int:
        return max((key for key in self._crm.keys("ACCOUNT") if key < _FAR_ACCOUNT), default=0) + 1

    def values(self, kind: str) -> Row:
        """Return a full set of fit values."""
        chance = self._chance
        self._count += 1
        text = f"{self._words()} {self._count}"
        accounts = self._crm.keys("ACCOUNT")
        match kind:
            case "BUSINESS_USER":
                return {"email": f"user{self._count}@crm.example"}
            case "STAGE":
                return {"label": text, "place": chance.choice((None, self._count))}
            case "ACCOUNT":
                return {
                    "name": text,
                    "sites": chance.choice((None, "", "a.example", " b.example , c.example,,b.example")),
                    "industry": chance.choice((None, "", *INDUSTRIES)),
                    "revenue": self._number(),
                    "region": chance.choice((None, self._words())),
                }
            case "CONTACT":
                return {
                    "account_id": chance.choice([*accounts, None]) if chance.random() < 0.95 else _FAR_ACCOUNT,
                    "email": chance.choice((None, f"c{self._count}@crm.example")),
                    "first": chance.choice((None, self._words())),
                    "last": text,
                    "job": chance.choice((None, self._words())),
                    "phone": chance.choice((None, "+1 555 0100")),
                }
            case "DEAL":
                users = self._crm.keys("BUSINESS_USER")
                return {
                    "account_id": chance.choice([*accounts, None]) if chance.random() < 0.95 else _FAR_ACCOUNT,
                    "owner_id": chance.choice([*users, None, "u-nobody"]),
                    "title": chance.choice((text, text, "-")),
                    "created_at": chance.choice((None, "2026-02-03 04:05:06.789", "2026-02-03T04:05:06+02:00")),
                    "close_on": chance.choice((None, "2026-12-31")),
                    "state": chance.choice((None, "open", "won", "lost")),
                    "stage_code": chance.choice((None, "s-1", "st-1")),
                    "amount": self._number(),
                    "discount": chance.choice((None, 0, 100, 12.5)),
                    "next_call": chance.choice((None, "2026-07-01", "2026-07-01 10:00")),
                }
            case _:
                return {
                    "email": chance.choice((None, f"l{self._count}@crm.example")),
                    "first": self._words(),
                    "last": text,
                    "job": chance.choice((None, self._words())),
                    "account_ref": chance.choice([*accounts, None, _FAR_ACCOUNT]),
                    "contact_ref": chance.choice((None, "c-1")),
                    "deal_ref": chance.choice((None, 1)),
                    "score": self._number(),
                    "hot": chance.choice((None, 0, 1)),
                }

    def _words(self) -> str:
        return self._chance.choice(_TEXTS)

    def _number(self) -> Any:
        return self._chance.choice((None, 0, -1, 2**53 + 1, 0.1, 1e15, 123456.78, self._count))


_NEEDED: Final = {"email", "label", "name", "title", "first", "last"}
"""Columns that a mended row has a value in."""
