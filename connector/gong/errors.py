"""What can go wrong in a call to Gong, by what the caller does next."""

from connector.errors import ConnectorError, FatalError, GongDenied, RetriableError


class GongUnavailable(RetriableError):
    """Gong could not be reached, was busy, or gave an answer that nobody can read; try again later.

    Whether Gong carried the call out is not known.
    """

    def __init__(self, message: str, until: float | None = None) -> None:
        super().__init__(message)
        self.until = until
        """Epoch seconds before which no call makes sense (429), None where Gong named no time."""


class ClientDenied(GongDenied):
    """Gong does not take the app's client id and secret; that says nothing of a token."""


class GongRefused(FatalError):
    """Gong understood the call and turned it down (400 and its like); the text holds Gong's own words."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AlreadyRegistered(GongRefused):
    """Gong holds an integration already (409 to a registration): a generic one or a native one."""


class DataFileChanged(ConnectorError):
    """The data file is not what was booked (gone, shorter, longer, unreadable): it was not sent whole.

    Its bytes cannot be had again, so its objects must be spooled anew under another request id.
    """
