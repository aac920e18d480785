"""What goes into and comes out of the sandbox's API, whatever carries it: a socket or a test's transport."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox import jsontext
from connector.sandbox.refusal import Refusal

_MAX_JSON_BYTES = 16_000_000
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """Decoded, without the query."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes | Iterable[bytes] = b""
    """Whole, or in pieces as they come in; read at most once."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        if isinstance(self.body, bytes):
            for start in range(0, len(self.body), _PIECE_BYTES):
                yield self.body[start : start + _PIECE_BYTES]
        else:
            yield from self.body

    def text(self) -> str:
        """Return the body of a JSON call, decoded; raise Refusal (400) when it is too long or not UTF-8."""
        collected = bytearray()
        for piece in self.pieces():
            collected += piece
            if len(collected) > _MAX_JSON_BYTES:
                raise Refusal(400, "The body is too large")
        try:
            return collected.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refusal(400, "The body is not valid UTF-8") from error

    def parameter(self, name: str) -> str:
        """Return a query parameter that must stand exactly once; raise Refusal (400) otherwise."""
        values = [value for key, value in self.query if key == name]
        if len(values) != 1 or not values[0]:
            raise Refusal(400, f"Query parameter [{name}] is missing, empty or repeated")
        return values[0]


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; Content-Length is the carrier's business."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def json_value(text: str) -> Any:
    """Return the value of a JSON body; raise Refusal (400) for what is none."""
    try:
        return jsontext.read(text)
    except ValueError as error:
        raise Refusal(400, "The body is not valid JSON") from error


def json_answer(status: int, value: Any, *headers: tuple[str, str]) -> Response:
    """Return an answer with a JSON body."""
    return Response(status, (("Content-Type", "application/json"), *headers), jsontext.write(value).encode())
