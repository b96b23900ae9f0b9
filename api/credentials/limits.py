"""Counts bad credentials by client address, a minute at a time.

One rule: only bad credentials count and only they are refused; good ones pass whatever their neighbours send.
"""

import ipaddress
import math
import time
from collections.abc import Callable

_WINDOW_SECONDS = 60.0
# The oldest addresses are forgotten beyond this many, so that a flood of addresses costs no memory.
_ADDRESSES = 10_000
_IPV6_NETWORK = 64  # what one IPv6 subscriber commonly holds


class BadCredentials:
    """A window of one minute per address, begun by its first bad credentials; a limit of 0 counts nothing."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, client: str) -> int | None:
        """Count one more; beyond the limit, the whole seconds until this address may fail again."""
        if not self._limit:
            return None
        address, now = _network(client), self._clock()
        begun, bad = self._windows.pop(address, (now, 0))
        if now - begun >= _WINDOW_SECONDS:
            begun, bad = now, 0
        self._windows[address] = (begun, bad + 1)
        if len(self._windows) > _ADDRESSES:
            del self._windows[next(iter(self._windows))]
        return math.ceil(begun + _WINDOW_SECONDS - now) if bad >= self._limit else None


def _network(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 4:  # noqa: PLR2004 - the name of the protocol
        return client
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
