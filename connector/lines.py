"""The bytes of a line that steps agree on: its digest, its closing by `modifiedDate`, and bare deletions.

A line is made in two moments: the mapping writes the body, and the engine closes it when it knows the
`modifiedDate`. The digest is over the body alone, so that a mere touch of a row is no change.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Final

import orjson
import xxhash

from connector.object_types import ObjectType

_EPOCH = date(1970, 1, 1)


digest: Final[Callable[[bytes], bytes]] = xxhash.xxh3_128_digest
"""Returns the 16 bytes that stand for a body: equal digests mean that Gong would be told the same.

By chance, two of a billion bodies share one with a probability of 1 to 10^20. Somebody who may write the CRM could make
two such on purpose, and would keep one change of their own record from Gong: no reason for a hash twenty times slower.
"""


@lru_cache(maxsize=4096)
def _opening(day: int) -> bytes:
    """Return what stands before the time of day, for the day `day` days after 1970-01-01."""
    return b',"modifiedDate":"%sT' % (_EPOCH + timedelta(days=day)).isoformat().encode()


_MINUTES = tuple(b"%02d:%02d:" % divmod(minute, 60) for minute in range(24 * 60))
_SECONDS = tuple(b'%02dZ"}\n' % second for second in range(60))


def closings(modified: Iterable[int]) -> list[bytes]:
    """Return what `seal` puts behind each line's body."""
    return [
        _opening(day) + _MINUTES[second // 60] + _SECONDS[second % 60]
        for day, second in map(divmod, modified, repeat(86400))
    ]


def seal(body: bytes, modified: int) -> bytes:
    """Return the complete line: `body` closed by `modifiedDate` and a newline.

    `modified` is in whole seconds since 1970 UTC (GONG_API, "The data file": no fractions of a second).
    Raises OverflowError for a moment outside the years 1 to 9999.
    """
    return body + closings((modified,))[0]


def deletion_body(object_type: ObjectType, object_id: str) -> bytes:
    """Return the body of the line that tells Gong that the object is gone, from its id alone.

    The bytes are the same whether a row said so or only its absence. A stage is never deleted in Gong: it
    becomes inactive (GONG_API, STAGE: "removal is `isActive:false`"), and since a stage must have a name, its
    id stands in for the one that is no longer known.
    """
    quoted = orjson.dumps(object_id)
    if object_type is ObjectType.STAGE:
        return b'{"objectId":%s,"name":%s,"isActive":false' % (quoted, quoted)
    return b'{"objectId":%s,"isDeleted":true' % quoted
