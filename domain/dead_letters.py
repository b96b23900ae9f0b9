"""Dead letters: operations that failed, which of them failed alike, and which of them are meant.

One rule: two failed alike where their kinds, their codes and their texts are equal, numbers and quoted values aside.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import JSON
from domain.outcomes import timestamp

LONGEST_MESSAGE = 300
MOST_IDS = 1_000
LONGEST_REASON = 500

_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b[0-9a-f]*\d[0-9a-f]*\b|\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters are meant; None asks nothing. `since` and `until` bound when they failed."""

    fingerprint: str | None = None
    code: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def document(self) -> dict[str, JSON]:
        """What is asked, as it is stored and recorded."""
        asked: dict[str, JSON] = {"fingerprint": self.fingerprint, "code": self.code, "kind": self.kind}
        asked |= {name: None if at is None else timestamp(at) for name, at in self._instants}
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def _instants(self) -> tuple[tuple[str, datetime | None], ...]:
        return (("since", self.since), ("until", self.until))


def read_filter(document: Mapping[str, Any]) -> DeadLetterFilter:
    """The filter that `document` was made of."""
    instants = {name: datetime.fromisoformat(document[name]) for name in ("since", "until") if name in document}
    return DeadLetterFilter(**{**document, **instants})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveDeadLetters:
    """Queue dead letters again: those with these ids, or those that match. `matched` is how many were counted."""

    ids: tuple[UUID, ...] | None = None
    matching: DeadLetterFilter = DeadLetterFilter()
    matched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardDeadLetters:
    """Give dead letters up, and say why: those with these ids, or those that match."""

    reason: str
    ids: tuple[UUID, ...] | None = None
    matching: DeadLetterFilter = DeadLetterFilter()
    matched: int = 0


DeadLetterCommand = RedriveDeadLetters | DiscardDeadLetters


def fingerprint_of(*, kind: str, code: str, message: str) -> str:
    """What operations of a kind that failed alike have in common, as 16 hex digits."""
    text = "\n".join((code, kind, _VALUES.sub("#", first_line(message))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_line(message: str) -> str:
    """The message as far as a list of errors shows it."""
    return message.partition("\n")[0][:LONGEST_MESSAGE]


def encode_dead_letter_command(command: DeadLetterCommand) -> dict[str, JSON]:
    """The command as a JSON document."""
    document: dict[str, JSON] = {"filter": command.matching.document, "matched": command.matched}
    if command.ids is not None:
        document["ids"] = [str(one) for one in command.ids]
    if isinstance(command, DiscardDeadLetters):
        document["reason"] = command.reason
    return document


def read_redrive(document: Mapping[str, Any]) -> RedriveDeadLetters:
    """What `encode_dead_letter_command` made this document of."""
    return RedriveDeadLetters(ids=_ids(document), matching=read_filter(document["filter"]), matched=document["matched"])


def read_discard(document: Mapping[str, Any]) -> DiscardDeadLetters:
    """What `encode_dead_letter_command` made this document of."""
    return DiscardDeadLetters(
        reason=document["reason"],
        ids=_ids(document),
        matching=read_filter(document["filter"]),
        matched=document["matched"],
    )


def _ids(document: Mapping[str, Any]) -> tuple[UUID, ...] | None:
    return tuple(UUID(text) for text in document["ids"]) if "ids" in document else None
