"""How a broken promise is told."""

from enum import StrEnum


class Stated(StrEnum):
    """What users are promised, by the words that begin a row of docs/guarantees.md."""

    NOTHING_LOST = "Nothing lost"
    NO_STALE_OVERWRITE = "No stale overwrite"
    ONE_ID_ONE_FILE = "One id, one file"
    HONEST = "Honest status"
    BOUNDED = "Bounded"
    HARMLESS = "Harmless"
    DISCREET = "Discreet"
    ONE_AT_A_TIME = "One at a time"
    HISTORY = "A history arrives in its order"
    QUOTA = "The quota is kept"
    RESTORED = "A ledger restored from a backup is noticed"


class Promise(StrEnum):
    """What the connector promises, as far as a simulation can see it."""

    NOTHING_LOST = "nothing lost"
    NO_STALE_OVERWRITE = "no stale overwrite"
    PARENTS_FIRST = "parents first"
    ONE_ID_ONE_FILE = "one id, one file"
    HONEST = "honest status"
    HARMLESS = "harmless"
    BOUNDED = "bounded"
    BUDGET = "within the budget"
    NO_NEEDLESS_LINES = "no lines for unchanged objects"
    ADDRESSES = "one user, one address"
    ONE_AT_A_TIME = "one at a time"
    COMES_TO_REST = "comes to rest"
    NO_TRACEBACK = "no unforeseen error"


class Broken(AssertionError):
    """A promise does not hold."""

    def __init__(self, promise: Promise, what: str) -> None:
        self.promise = promise
        self.what = what
        super().__init__(f"{promise.value}: {what}")
