"""How many requests a tenant may send a minute to one API process.

One rule: counted per tenant, not per token, so that more tokens do not make more room.
"""

import math
import time
from collections.abc import Callable

_WINDOW_SECONDS = 60.0


class RequestRates:
    """A window of one minute per tenant; a limit of 0 counts nothing."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._windows: dict[int, tuple[float, int]] = {}

    def count(self, tenant_id: int) -> int | None:
        """Count one request; beyond the limit, the whole seconds until the next window."""
        if not self._limit:
            return None
        now = self._clock()
        begun, sent = self._windows.get(tenant_id, (now, 0))
        if now - begun >= _WINDOW_SECONDS:
            begun, sent = now, 0
        self._windows[tenant_id] = (begun, sent + 1)
        return max(1, math.ceil(begun + _WINDOW_SECONDS - now)) if sent >= self._limit else None
