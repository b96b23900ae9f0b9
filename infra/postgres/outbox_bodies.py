"""How the body of a message lies in the outbox: long ones deflated, since Postgres' own compression is slow at it.

One rule: what is stored gives back the very bytes that were encoded.
"""

import zlib
from typing import NamedTuple

# Shorter rows are not compressed by Postgres either (TOAST_TUPLE_THRESHOLD).
_LEAST_BYTES = 2_000
# A hundred events of one type repeat themselves: level 1 makes a twentieth of them, level 6 no less in thrice the time.
_LEVEL = 1


class StoredBody(NamedTuple):
    """The columns `body` and `bytes`: None for `bytes` says that the body lies there as it is, else its length."""

    body: bytes
    bytes: int | None


def pack(body: bytes) -> StoredBody:
    """The body as it is stored."""
    if len(body) < _LEAST_BYTES:
        return StoredBody(body, None)
    return StoredBody(zlib.compress(body, _LEVEL), len(body))


def unpack(stored: StoredBody) -> bytes:
    """The body as it was encoded."""
    return stored.body if stored.bytes is None else zlib.decompress(stored.body, bufsize=stored.bytes)
