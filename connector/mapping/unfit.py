"""The refusal of one value while a row is mapped; it never leaves the package."""


class Unfit(Exception):
    """A value cannot be told to Gong as it is; the text says why, without the value: "is not a number"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreadable(Unfit):
    """A converter found nothing that it could read; the mapping says whether that is null or a refusal."""


class NotListed(Unfit):
    """A picklist that grows lacks the value yet."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text
