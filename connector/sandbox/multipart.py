"""Reading the `dataFile` part of a multipart upload to disk, piece by piece."""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from connector.sandbox.refusal import Refusal
from connector.sandbox.store import Received

_MISSING = "dataFile part is missing"


def receive(content_type: str, chunks: Iterable[bytes], directory: Path, max_bytes: int) -> Received:
    """Write the `dataFile` part to a new `.part` file in `directory`; the caller removes it.

    Raises Refusal (400) for a body that is not multipart or breaks off, for a missing part (one without a file
    name is a form field, not a file), for two of them, and for one over `max_bytes`.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refusal(400, _MISSING)
    with tempfile.NamedTemporaryFile(dir=directory, suffix=".part", delete=False) as file:
        path = Path(file.name)
        try:
            part = _DataFile(file, max_bytes)
            part.read(boundary, chunks)
        except BaseException:
            path.unlink()
            raise
    return Received(path, part.bytes, part.lines, part.sha256)


class _DataFile:
    """The parser's callbacks: finds the part, writes and counts it."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._newlines = 0
        self._last = b"\n"
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._wanted = False
        self._found = 0
        self._ended = False
        self.bytes = 0

    def read(self, boundary: bytes, chunks: Iterable[bytes]) -> None:
        try:
            parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_begin": self._on_header_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
            for chunk in chunks:
                parser.write(chunk)
        except FormParserError as error:
            raise Refusal(400, "The body is not valid multipart/form-data") from error
        if not self._ended:
            raise Refusal(400, "The multipart body ends before its last boundary")
        if self._found == 0:
            raise Refusal(400, _MISSING)
        if self._found > 1:
            raise Refusal(400, "dataFile part appears more than once")
        if self.bytes > self._max_bytes:
            raise Refusal(400, f"The data file is larger than {self._max_bytes} bytes")

    @property
    def lines(self) -> int:
        """Lines of the file; the last one may lack its newline."""
        return self._newlines + (self._last != b"\n")

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_begin(self) -> None:
        self._header_name = self._header_value = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._wanted = options.get(b"name") == b"dataFile" and b"filename" in options
        self._found += self._wanted

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if not self._wanted or start == end:
            return
        self.bytes += end - start
        if self.bytes > self._max_bytes or self._found > 1:
            return
        piece = data[start:end]
        self._file.write(piece)
        self._hash.update(piece)
        self._newlines += piece.count(b"\n")
        self._last = piece[-1:]

    def _on_end(self) -> None:
        self._ended = True
