"""Decides what becomes of a licence's grant to a group: what it is, what it needs, and how it is shown.

One rule: a grant that begins to give reserves the seats of everybody who lacks one, or is refused, before it gives any.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.errors import JSON, ErrorCode, Refusal
from domain.license_commands import Shortage
from domain.outcomes import timestamp
from domain.seat_rows import Grant, Group, Pool
from domain.users import compact

_FIELDS = ("active", "hold", "shortage", "redirect_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Seats that a grant needs and seats that newcomers could have; `available` None is without limit."""

    requested: int
    available: int | None

    @property
    def served(self) -> int:
        """How many get a seat."""
        return self.requested if self.available is None else min(self.requested, self.available)

    @property
    def would_wait(self) -> int:
        """How many do not."""
        return self.requested - self.served

    @property
    def document(self) -> dict[str, JSON]:
        """As answers show it."""
        return {"requested": self.requested, "available": self.available, "would_wait": self.would_wait}


def changed(grant: Grant, sent: Mapping[str, JSON], at: datetime) -> Grant:
    """The grant with the fields that were sent; its instant moves where one of them is another than before."""
    fields: dict[str, object] = {name: sent[name] for name in _FIELDS if name in sent}
    if "metadata" in sent:
        metadata = sent["metadata"]
        fields["metadata"] = compact(metadata) if isinstance(metadata, dict) else None
    if all(getattr(grant, name) == value for name, value in fields.items()):
        return grant
    return dataclasses.replace(grant, **fields, updated_at=at)  # type: ignore[arg-type]


def refusal_to_give(pool: Pool, at: datetime) -> Refusal | None:
    """Why the pool gives nobody a seat just now."""
    if not pool.active:
        return Refusal(code=ErrorCode.LICENSE_IS_NOT_ACTIVE, field="license")
    if pool.has_expired(at):
        return Refusal(code=ErrorCode.LICENSE_EXPIRED, field="license")
    return None


def refusal_of_demand(demand: Demand, shortage: str) -> Refusal | None:
    """Too few seats, and the caller wants all of them or none."""
    if not demand.would_wait or shortage == Shortage.WAITLIST:
        return None
    return Refusal(
        code=ErrorCode.NOT_ENOUGH_SEATS,
        field="license",
        details={"requested": demand.requested, "available": demand.available},
    )


def grant_document(grant: Grant, group: Group, pool: Pool, at: datetime) -> dict[str, JSON]:
    """The grant as answers show it."""
    return {
        "id": grant.id,
        "group": {**group.named.document, "name": group.name},
        "license": {
            **pool.named.document,
            "name": pool.name,
            "kind": pool.kind.value,
            "program_key": pool.program_key,
            "program_name": pool.program_name,
            "starts_at": None if pool.starts_at is None else timestamp(pool.starts_at),
        },
        "active": grant.active,
        "hold": grant.hold,
        "shortage": grant.shortage,
        "redirect_to": grant.redirect_to,
        "metadata": None if grant.metadata is None else json.loads(grant.metadata),
        "created_at": timestamp(grant.created_at),
        "modified_at": timestamp(grant.updated_at),
        "fulfilled": is_fulfilled(grant, group, pool, at),
        "user_count": group.user_count,
        "assigned_count": grant.assigned,
        "waiting_count": grant.waiting,
        "suspended_count": grant.suspended,
    }


def is_fulfilled(grant: Grant, group: Group, pool: Pool, at: datetime) -> bool:
    """The grant gives, the licence has started, and every member holds a seat."""
    has_started = pool.starts_at is None or pool.starts_at <= at
    return grant.gives and has_started and grant.assigned == group.user_count
