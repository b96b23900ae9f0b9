"""Decides what becomes of licence pools: put, created and updated by the catalogue, deleted.

One rule: seats that a change adds go to those who wait, in the item that adds them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.entitlements import license_event
from domain.errors import JSON, ErrorCode, Refusal
from domain.events import Event
from domain.items import InvalidItem
from domain.license_commands import (
    CreateProgramLicense,
    DeleteLicenses,
    LicenseKind,
    LicensePut,
    PutLicenses,
    UpdateProgramLicense,
)
from domain.licenses import License, LicenseBook, follow, pool_of, reported
from domain.outcomes import Deleted, Outcome, Result
from domain.planning import Decision, Order, in_order, refusal_of
from domain.seats import SeatBook
from domain.users import compact

Item = LicensePut | InvalidItem | CreateProgramLicense | UpdateProgramLicense


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseWave:
    """A wave of commands about pools: both books hold the net effect afterwards."""

    licenses: LicenseBook
    seats: SeatBook
    at: datetime

    def put(self, orders: Sequence[Order[PutLicenses]]) -> list[Decision]:
        """Decide every command in turn."""
        return [self._decide(order, order.command.items, self._put) for order in orders]

    def create(self, orders: Sequence[Order[CreateProgramLicense]]) -> list[Decision]:
        """Decide every command in turn."""
        return [self._decide(order, [order.command], self._create) for order in orders]

    def update(self, orders: Sequence[Order[UpdateProgramLicense]]) -> list[Decision]:
        """Decide every command in turn."""
        return [self._decide(order, [order.command], self._update) for order in orders]

    def delete(self, orders: Sequence[Order[DeleteLicenses]]) -> list[Decision]:
        """Decide every command in turn; what is in use stays."""
        return [self._decide(order, order.command.keys, self._delete) for order in orders]

    def _decide(
        self,
        order: Order[Any],
        items: Sequence[Any],
        decide: Callable[[Order[Any], Any], tuple[Outcome, list[Event]]],
    ) -> Decision:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        self.seats.begin(operation_id=order.operation_id, seq=order.seq)
        for item in items:
            outcome, followed = decide(order, item)
            outcomes.append(outcome)
            events += followed
        events += self.seats.end()
        return Decision(result=Result(outcomes=outcomes, titles={}), events=in_order(events))

    def _put(self, order: Order[PutLicenses], item: LicensePut | InvalidItem) -> tuple[Outcome, list[Event]]:
        if isinstance(item, InvalidItem):
            return refusal_of(item), []
        old = self.licenses.rows.get(order.tenant_id, item.key)
        if old is not None and old.kind is not item.kind:
            return Refusal(code=ErrorCode.LICENSE_KIND_IS_FIXED, field="kind"), []
        new = _as_put(item, old, self)
        return self._store(order.tenant_id, old, new, field="capacity")

    def _create(self, order: Order[CreateProgramLicense], item: CreateProgramLicense) -> tuple[Outcome, list[Event]]:
        number = next(self.licenses.fresh_ids)
        key = key_of(number)
        if self.licenses.rows.get(order.tenant_id, key) is not None:
            key = f"{key}.{order.operation_id}"
        program_key = str(item.sent["program_key"])
        blank = License(
            id=number,
            key=key,
            name="",
            kind=LicenseKind.PROGRAM,
            capacity=None,
            created_at=self.at,
            updated_at=self.at,
            program_key=program_key,
            program_name=program_key,
        )
        return self._store(order.tenant_id, None, _with_sent(blank, item.sent), field="count")

    def _update(self, order: Order[UpdateProgramLicense], item: UpdateProgramLicense) -> tuple[Outcome, list[Event]]:
        old = None
        if item.license_id is not None:
            old = self.licenses.by_id(order.tenant_id, item.license_id)
        elif item.external_id is not None:
            old = self.licenses.by_external_id(order.tenant_id, item.external_id)
        if old is None or old.kind is not LicenseKind.PROGRAM:
            field = "external_id" if item.license_id is None else "license_id"
            return Refusal(code=ErrorCode.LICENSE_DOES_NOT_EXIST, field=field), []
        return self._store(order.tenant_id, old, _with_sent(old, item.sent), field="count")

    def _store(self, tenant_id: int, old: License | None, new: License, *, field: str) -> tuple[Outcome, list[Event]]:
        """Store the licence where its names and its seats in use allow it; `field` is where the capacity was sent."""
        refusal = self.licenses.taken(tenant_id, new) or self._below_usage(old, new, field)
        if refusal is not None:
            return refusal, []
        if new == old:
            return reported(old, self.seats.facts.pools[old.id], created=False), []
        stored = self.licenses.put(tenant_id, dataclasses.replace(new, updated_at=self.at))
        if old is None:
            self.seats.add(pool_of(tenant_id, stored))
        pool = self.seats.facts.pools[stored.id]
        if old is not None:
            self.seats.stir(pool)
            follow(pool, stored)
        events = self.seats.drain()
        told = license_event(pool.named, pool.counts, active=pool.active)
        return reported(stored, pool, created=old is None), [told, *events]

    def _below_usage(self, old: License | None, new: License, field: str) -> Refusal | None:
        if old is None or new.capacity is None:
            return None
        pool = self.seats.facts.pools[old.id]
        if new.capacity >= pool.used + pool.reserved:
            return None
        details: dict[str, JSON] = {"used": pool.used + pool.reserved}
        return Refusal(code=ErrorCode.COUNT_BELOW_USAGE, field=field, details=details)

    def _delete(self, order: Order[DeleteLicenses], key: str) -> tuple[Outcome, list[Event]]:
        row = self.licenses.rows.get(order.tenant_id, key)
        if row is None:
            return Refusal(code=ErrorCode.LICENSE_DOES_NOT_EXIST, field="key"), []
        if row.is_in_use:
            return Refusal(code=ErrorCode.LICENSE_IN_USE, field="key"), []
        self.licenses.remove(order.tenant_id, key)
        pool = pool_of(order.tenant_id, row)
        return Deleted(key=key, id=row.id), [license_event(pool.named, pool.counts, active=row.active, deleted=True)]


def key_of(license_id: int) -> str:
    """The key that the service chooses for a licence which the catalogue creates."""
    return f"program-{license_id}"


def _as_put(item: LicensePut, old: License | None, wave: LicenseWave) -> License:
    """What the native API sends replaces the row; what it does not know stays."""
    if old is None:
        old = License(
            id=next(wave.licenses.fresh_ids),
            key=item.key,
            name=item.name,
            kind=item.kind,
            capacity=item.capacity,
            created_at=wave.at,
            updated_at=wave.at,
        )
    return dataclasses.replace(
        old,
        name=item.name,
        capacity=item.capacity,
        code=item.code,
        program_key=item.program_key,
        program_name=item.program_name,
        starts_at=item.starts_at,
        expires_at=item.expires_at,
        active=item.active,
    )


_INSTANTS = {"started": "starts_at", "expired": "expires_at"}
_DOCUMENTS = ("metadata", "enrollment_config")
_PLAIN = {
    "name": "name",
    "count": "capacity",
    "program_name": "program_name",
    "external_id": "external_id",
    "active": "active",
    "source": "source",
    "transaction_id": "transaction_id",
    "change_type": "change_type",
}


def _with_sent(row: License, sent: Mapping[str, JSON]) -> License:
    """The licence with the fields that the catalogue sent."""
    fields: dict[str, Any] = {column: sent[name] for name, column in _PLAIN.items() if name in sent}
    fields |= {column: instant(sent[name]) for name, column in _INSTANTS.items() if name in sent}
    fields |= {name: _text(sent[name]) for name in _DOCUMENTS if name in sent}
    return dataclasses.replace(row, **fields)


def instant(sent: JSON) -> datetime | None:
    """A date as the catalogue sends it."""
    return None if sent is None else datetime.fromisoformat(str(sent))


def _text(sent: JSON) -> str | None:
    return compact(sent) if isinstance(sent, dict) else None
