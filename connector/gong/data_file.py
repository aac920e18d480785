"""Streams a data file as a multipart body, piece by piece, with its length known beforehand."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from connector.gong.errors import DataFileChanged
from connector.object_types import ObjectType

PIECE = 1024 * 1024
"""Bytes read and sent at a time."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class DataFileBody:
    """A request body of one part, `dataFile`, holding the file at `path` (GONG_API: "The data file").

    Each iteration reads the file anew. `size` is the file's length in bytes as booked: a file of another
    length raises DataFileChanged before the end of the body is sent, so that what Gong got is not a valid
    request. `begin` is called right before the first byte of the body, and `keep` before each piece after it; what
    they raise ends the body in the same way.
    """

    def __init__(
        self,
        object_type: ObjectType,
        request_id: str,
        path: Path,
        size: int,
        begin: Callable[[], None] = lambda: None,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        if not _REQUEST_ID.fullmatch(request_id):
            raise ValueError("a client request id holds letters, digits, - and _ only")
        # Lines of JSON hold no raw carriage return, so no boundary can occur in them: it need not be random.
        boundary = "gong-connector-" + hashlib.sha256(request_id.encode("ascii")).hexdigest()[:32]
        self._prefix = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="dataFile"; filename="{object_type}-{request_id}.jsonl"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode("ascii")
        self._suffix = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._path = path
        self._size = size
        self._begin = begin
        self._keep = keep
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.length = len(self._prefix) + size + len(self._suffix)
        """Bytes of the whole body."""
        self.sent_whole = False
        """True once the last try handed over every byte of the body."""

    def check(self) -> None:
        """Raise DataFileChanged when the file is not there in the booked length."""
        try:
            length = self._path.stat().st_size
        except OSError as error:
            raise self._unreadable(error) from None
        if length != self._size:
            raise self._wrong_length()

    def __iter__(self) -> Iterator[bytes]:
        self.sent_whole = False
        try:
            file = self._path.open("rb", buffering=0)
        except OSError as error:
            raise self._unreadable(error) from None
        with file:
            self._begin()
            yield self._prefix
            sent = 0
            while piece := self._read(file.read):
                sent += len(piece)
                if sent > self._size:
                    raise self._wrong_length()
                self._keep()
                yield piece
            if sent != self._size:
                raise self._wrong_length()
        self._keep()
        yield self._suffix
        self.sent_whole = True

    def _read(self, read: Callable[[int], bytes | None]) -> bytes | None:
        try:
            return read(PIECE)
        except OSError as error:
            raise self._unreadable(error) from None

    def _wrong_length(self) -> DataFileChanged:
        return DataFileChanged(
            f"data file {self._path.name} does not hold the {self._size} bytes that were booked; it must be made again"
        )

    def _unreadable(self, error: OSError) -> DataFileChanged:
        return DataFileChanged(f"data file {self._path.name} cannot be read ({error.strerror}); it must be made again")
