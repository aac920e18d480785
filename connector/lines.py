"""The bytes of a line that steps agree on: its digest, its closing by `modifiedDate`, and bare deletions.

A line is made in two moments: the mapping writes the body, and the engine closes it when it knows the
`modifiedDate`. The digest is over the body alone, so that a mere touch of a row is no change.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson

from connector.object_types import ObjectType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest(body: bytes) -> bytes:
    """Return the 16 bytes that stand for `body`: equal digests mean that Gong would be told the same."""
    return hashlib.blake2b(body, digest_size=16).digest()


@lru_cache(maxsize=4096)
def _closing(modified: int) -> bytes:
    moment = _EPOCH + timedelta(seconds=modified)
    return b',"modifiedDate":"%sZ"}\n' % moment.replace(tzinfo=None).isoformat().encode()


def seal(body: bytes, modified: int) -> bytes:
    """Return the complete line: `body` closed by `modifiedDate` and a newline.

    `modified` is in whole seconds since 1970 UTC (GONG_API, "The data file": no fractions of a second).
    Raises OverflowError for a moment outside the years 1 to 9999.
    """
    return body + _closing(modified)


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
