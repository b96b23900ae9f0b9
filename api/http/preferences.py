"""The headers with which a caller says how a write is to be answered: Prefer (RFC 7240) and Idempotency-Key.

One rule: a preference that cannot be read or met is passed over, as RFC 7240 wants; a bad key is refused.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from starlette.datastructures import Headers

from api.errors.api_error import ApiError
from domain.errors import ErrorCode

LONGEST_WAIT = 60
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How long to wait for the answer. `wait` is None where the caller did not say."""

    respond_async: bool = False
    wait: timedelta | None = None

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """What the Prefer headers ask for; the first of a repeated preference counts (RFC 7240, section 2)."""
        respond_async, wait = False, None
        for part in ",".join(headers.getlist("prefer")).split(","):
            preference = part.partition(";")[0].strip()
            if preference.lower() == "respond-async":
                respond_async = True
            match = _WAIT.fullmatch(preference)
            if match and wait is None and int(match[1]) <= LONGEST_WAIT:
                wait = timedelta(seconds=int(match[1]))
        return cls(respond_async=respond_async, wait=wait)

    def limit(self, default: timedelta) -> timedelta:
        """How long to wait."""
        if self.wait is not None:
            return self.wait
        return timedelta() if self.respond_async else default

    def applied(self, *, accepted_only: bool) -> str:
        """The Preference-Applied header; empty where nothing that was asked for took effect.

        An answer that only accepts (202) always says so, also where the default wait ran out.
        """
        words = []
        if accepted_only and (self.respond_async or self.wait is None):
            words.append("respond-async")
        if self.wait is not None:
            words.append(f"wait={int(self.wait.total_seconds())}")
        return ", ".join(words)


def idempotency_key(headers: Headers) -> str | None:
    """The key of the Idempotency-Key header, if there is one.

    Raises:
        ApiError: it is not 1 to 255 visible ASCII characters, or there are several.
    """
    keys = headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise ApiError(ErrorCode.IDEMPOTENCY_KEY_INVALID)
    return keys[0]
