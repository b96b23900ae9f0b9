"""How many requests a tenant may send a minute to one API process, and how a tenant is told.

One rule: counted per tenant, not per token, so that more tokens do not make more room.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What is left of a tenant's minute after one more request."""

    limit: int
    remaining: int
    reset: int
    is_exceeded: bool

    @property
    def headers(self) -> Mapping[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers (08 to 10) spells it: the policy, and what is left of it."""
        return {
            "RateLimit-Policy": f'"tenant";q={self.limit};w={_WINDOW_SECONDS}',
            "RateLimit": f'"tenant";r={self.remaining};t={self.reset}',
        }


class RequestRates:
    """A window of one minute per tenant; a limit of 0 counts nothing."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._windows: dict[int, tuple[float, int]] = {}

    def count(self, tenant_id: int) -> Share | None:
        """Count one request; None where nothing is counted."""
        if not self._limit:
            return None
        now = self._clock()
        begun, sent = self._windows.get(tenant_id, (now, 0))
        if now - begun >= _WINDOW_SECONDS:
            begun, sent = now, 0
        self._windows[tenant_id] = (begun, sent + 1)
        return Share(
            limit=self._limit,
            remaining=max(0, self._limit - sent - 1),
            reset=max(1, math.ceil(begun + _WINDOW_SECONDS - now)),
            is_exceeded=sent >= self._limit,
        )
