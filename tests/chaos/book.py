"""What was asked and what became of it: every attempt is ok, refused or unknown, and every call ends with one answer.

One rule: nothing is guessed. A call whose fate is unknown is sent again under its Idempotency-Key until it is known.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FAILED_STATUS, UNAVAILABLE, ACCEPTED = 500, 503, 202


class Fate(StrEnum):
    """What one attempt has told its caller."""

    OK = "ok"
    """Accepted; with 202 the answer is still to come."""
    REFUSED = "refused"
    """The answer is no: by a door, by a worker, or because nobody could be reached."""
    UNKNOWN = "unknown"
    """Accepted or not: the connection broke, nobody answered in time, or the commit's fate is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller wants, in the words of one dialect."""

    dialect: str
    method: str
    path: str
    body: Any = None
    is_deferred: bool = False
    """Sent with `Prefer: respond-async` the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = b""
    operation_id: str | None = None

    @property
    def fate(self) -> Fate:
        """What it says to the caller."""
        if self.status == UNAVAILABLE:
            return Fate.UNKNOWN if self.operation_id else Fate.REFUSED
        if self.status >= FAILED_STATUS:
            return Fate.REFUSED if self.operation_id else Fate.UNKNOWN
        return Fate.OK if self.status < 300 else Fate.REFUSED

    @property
    def is_final(self) -> bool:
        """Whether nothing else will ever be said about the call."""
        if self.status in {ACCEPTED, UNAVAILABLE, 429}:
            return False
        return self.status < FAILED_STATUS or self.operation_id is not None


@dataclass(slots=True, kw_only=True)
class Call:
    """One request under one Idempotency-Key, however often it is sent."""

    key: str
    tenant: str
    request: Request
    begun: float = field(default_factory=time.monotonic)
    fates: list[Fate] = field(default_factory=list)
    answer: Answer | None = None
    operation_ids: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    is_given_up: bool = False
    """Its caller was told that nothing was accepted, and went away."""
    poison: str | None = None

    def take(self, answer: Answer) -> None:
        """Note what an attempt brought; a second final answer must be the first."""
        self.fates.append(answer.fate)
        if answer.operation_id is not None and answer.status != UNAVAILABLE:
            self.operation_ids.add(answer.operation_id)
        if not answer.is_final:
            return
        if self.answer is None:
            self.answer = answer
        elif self.answer != answer:
            self.contradictions.append(f"{_short(self.answer)}, then {_short(answer)}")

    @property
    def was_accepted(self) -> bool:
        """Whether some answer named its operation."""
        return bool(self.operation_ids)

    @property
    def certainly_not_accepted(self) -> bool:
        """Whether every attempt was refused without an operation."""
        return not self.operation_ids and all(fate is Fate.REFUSED for fate in self.fates)


@dataclass(slots=True)
class Book:
    """All calls of a run, and when each tenant was answered."""

    calls: dict[str, Call] = field(default_factory=dict)
    open: dict[str, Call] = field(default_factory=dict)
    fates: Counter[Fate] = field(default_factory=Counter)
    dialects: Counter[str] = field(default_factory=Counter)
    stalls: dict[str, "Stall"] = field(default_factory=dict)

    def begin(self, call: Call) -> None:
        """A caller is about to send it for the first time."""
        self.calls[call.key] = self.open[call.key] = call
        self.dialects[call.request.dialect] += 1

    def took(self, call: Call, answer: Answer) -> None:
        """An attempt has ended with this answer."""
        call.take(answer)
        self.fates[answer.fate] += 1
        if answer.is_final:
            self._ended(call)
            self.stalls.setdefault(call.tenant, Stall(call.tenant)).answered(call.begun)

    def lost_sight(self, call: Call, fate: Fate) -> None:
        """An attempt has ended without an answer."""
        call.fates.append(fate)
        self.fates[fate] += 1

    def give_up(self, call: Call) -> None:
        """Nothing was accepted, and the caller goes away."""
        call.is_given_up = True
        self._ended(call)

    @property
    def attempts(self) -> int:
        """How often anything was sent."""
        return sum(self.fates.values())

    def oldest_open(self) -> float | None:
        """When the oldest call that is not yet known began."""
        return min((call.begun for call in self.open.values()), default=None)

    def answered_since(self, tenant: str, instant: float) -> bool:
        """Whether a call of this tenant that began later than that has its answer."""
        stall = self.stalls.get(tenant)
        return stall is not None and stall.youngest_answered > instant

    def accepted(self) -> Iterator[Call]:
        """The calls that have become operations."""
        return (call for call in self.calls.values() if call.was_accepted)

    def _ended(self, call: Call) -> None:
        self.open.pop(call.key, None)


@dataclass(slots=True)
class Stall:
    """The longest time between two answers of one tenant, whose callers always ask."""

    tenant: str
    longest: float = 0.0
    at: float = 0.0
    youngest_answered: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    def answered(self, begun: float) -> None:
        """An answer to a call that began then has come now."""
        now = time.monotonic()
        if now - self._last > self.longest:
            self.longest, self.at = now - self._last, self._last
        self._last = now
        self.youngest_answered = max(self.youngest_answered, begun)


def _short(answer: Answer) -> str:
    text = answer.body[:200].decode(errors="replace")
    return json.dumps({"status": answer.status, "operation": answer.operation_id, "body": text}, ensure_ascii=False)
