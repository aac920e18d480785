"""A call that the rules turn down, with the HTTP status that says so."""


class Refusal(Exception):
    """The call is refused with `status` and these messages (Gong's error body: `{requestId, errors}`)."""

    def __init__(self, status: int, *messages: str) -> None:
        self.status = status
        self.messages = messages
        super().__init__("; ".join(messages))
