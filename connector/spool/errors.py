"""What can go wrong with the spool, and the one place where the disk's errors become ours."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from connector.errors import ConnectorError, RetriableError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class SpoolUnavailable(RetriableError):
    """The spool's disk gave an error (input/output, read-only, permissions); nothing was booked."""


class SpoolFull(SpoolUnavailable):
    """The spool's disk or quota is full; nothing was booked, and the partial file is gone."""


class SpoolMissing(ConnectorError):
    """A sealed file is not there (another host, a lost volume): ask Gong, or spool its objects anew."""


class SpoolDamaged(ConnectorError):
    """A sealed file is not what was sealed; its bytes must not be sent."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn an OSError into SpoolFull or SpoolUnavailable; `what` names the step and the file."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise SpoolFull(
                f"{what}: no room on the disk ({error.strerror}); free some, or move CONNECTOR_SPOOL_DIR "
                "to a larger disk"
            ) from error
        raise SpoolUnavailable(
            f"{what}: {error.strerror}; check the disk and the permissions of CONNECTOR_SPOOL_DIR"
        ) from error
