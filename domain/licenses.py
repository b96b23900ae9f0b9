"""Licence pools as rows, and the book of them in the middle of a wave: who has which key, code, external id, program.

One rule: the book says of every name that a wave wants who has it now, so that items are decided one after the other.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.errors import JSON, ErrorCode, Refusal
from domain.ledger import Ledger
from domain.license_commands import LicenseKind
from domain.outcomes import Reported, timestamp
from domain.seat_rows import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """A licence's row but for its counts, which are the pool's. JSON columns are text, as in domain/users.py."""

    id: int
    key: str
    name: str
    kind: LicenseKind
    capacity: int | None
    created_at: datetime
    updated_at: datetime
    code: str | None = None
    program_id: int | None = None
    program_key: str | None = None
    program_name: str | None = None
    external_id: str | None = None
    source: str = ""
    transaction_id: str | None = None
    change_type: str | None = None
    metadata: str | None = None
    enrollment_config: str | None = None
    active: bool = True
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    is_in_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFacts:
    """The licences that a wave names or whose names it wants, by (tenant, key).

    `programs` maps (tenant, program key) to the program's numeric id and to how many licences have it.
    """

    found: Mapping[tuple[int, str], License]
    programs: Mapping[tuple[int, str], tuple[int, int]]
    fresh_ids: Iterator[int]
    fresh_program_ids: Iterator[int]


class LicenseBook:
    """Licences as they stand in the middle of a wave."""

    def __init__(self, facts: LicenseFacts) -> None:
        self.rows = Ledger(facts.found)
        self.fresh_ids = facts.fresh_ids
        # Licences one of whose dates has moved, even if it moved back: what was due of them may have been done.
        self.dated: set[tuple[int, str]] = set()
        self._fresh_program_ids = facts.fresh_program_ids
        self._programs = dict(facts.programs)
        self._by_id = {(tenant, row.id): row.key for (tenant, _), row in facts.found.items()}
        self._codes = {(tenant, row.code): row.key for (tenant, _), row in facts.found.items() if row.code}
        self._external_ids = {
            (tenant, row.external_id): row.key for (tenant, _), row in facts.found.items() if row.external_id
        }

    def by_id(self, tenant_id: int, license_id: int) -> License | None:
        """The licence with this numeric id."""
        key = self._by_id.get((tenant_id, license_id))
        return None if key is None else self.rows.get(tenant_id, key)

    def by_external_id(self, tenant_id: int, external_id: str) -> License | None:
        """The licence with this external id."""
        key = self._external_ids.get((tenant_id, external_id))
        return None if key is None else self.rows.get(tenant_id, key)

    def taken(self, tenant_id: int, row: License) -> Refusal | None:
        """Why this licence cannot have the names it asks for."""
        if row.code and self._codes.get((tenant_id, row.code), row.key) != row.key:
            return Refusal(code=ErrorCode.LICENSE_CODE_TAKEN, field="code")
        if row.external_id and self._external_ids.get((tenant_id, row.external_id), row.key) != row.key:
            return Refusal(code=ErrorCode.EXTERNAL_ID_TAKEN, field="external_id")
        return None

    def put(self, tenant_id: int, row: License) -> License:
        """Store the licence and move its names; returns it with the number that its program has."""
        old = self.rows.get(tenant_id, row.key)
        stored = dataclasses.replace(row, program_id=self._program_id(tenant_id, old, row.program_key))
        if old is not None:
            self._forget(tenant_id, old)
        if (row.starts_at, row.expires_at) != ((old.starts_at, old.expires_at) if old else (None, None)):
            self.dated.add((tenant_id, row.key))
        self.rows.put(tenant_id, stored)
        self._by_id[tenant_id, row.id] = row.key
        if row.code:
            self._codes[tenant_id, row.code] = row.key
        if row.external_id:
            self._external_ids[tenant_id, row.external_id] = row.key
        return stored

    def moved_dates(self) -> list[tuple[int, License]]:
        """(tenant, licence) whose dates are to be kept anew."""
        rows = ((tenant_id, self.rows.get(tenant_id, key)) for tenant_id, key in sorted(self.dated))
        return [(tenant_id, row) for tenant_id, row in rows if row is not None]

    def remove(self, tenant_id: int, key: str) -> None:
        """Take the licence away and free its names."""
        old = self.rows.remove(tenant_id, key)
        if old is not None:
            self._forget(tenant_id, old)
            self._program_id(tenant_id, old, None)

    def _forget(self, tenant_id: int, old: License) -> None:
        del self._by_id[tenant_id, old.id]
        if old.code:
            del self._codes[tenant_id, old.code]
        if old.external_id:
            del self._external_ids[tenant_id, old.external_id]

    def _program_id(self, tenant_id: int, old: License | None, program_key: str | None) -> int | None:
        """The program's number: that of any licence with the same key, else a fresh one."""
        if old is not None and old.program_key is not None:
            if old.program_key == program_key:
                return old.program_id
            number, licenses = self._programs[tenant_id, old.program_key]
            self._programs[tenant_id, old.program_key] = (number, licenses - 1)
        if program_key is None:
            return None
        number, licenses = self._programs.get((tenant_id, program_key), (0, 0))
        number = number if licenses else next(self._fresh_program_ids)
        self._programs[tenant_id, program_key] = (number, licenses + 1)
        return number


def pool_of(tenant_id: int, row: License) -> Pool:
    """The pool of a licence that has just been made."""
    pool = Pool(tenant_id=tenant_id, id=row.id, key=row.key, name=row.name, kind=row.kind, capacity=row.capacity)
    follow(pool, row)
    return pool


def follow(pool: Pool, row: License) -> None:
    """Bring the pool to what its licence says now."""
    pool.name, pool.code = row.name, row.code
    pool.program_key, pool.program_name = row.program_key, row.program_name
    pool.capacity, pool.active = row.capacity, row.active
    pool.starts_at, pool.expires_at = row.starts_at, row.expires_at


def reported(row: License, pool: Pool, *, created: bool) -> Reported:
    """The licence as answers show it."""
    shown: dict[str, JSON] = {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "kind": row.kind.value,
        "code": row.code,
        "program_id": row.program_id,
        "program_key": row.program_key,
        "program_name": row.program_name,
        "external_id": row.external_id,
        "source": row.source,
        "transaction_id": row.transaction_id,
        "change_type": row.change_type,
        "metadata": None if row.metadata is None else json.loads(row.metadata),
        "enrollment_config": None if row.enrollment_config is None else json.loads(row.enrollment_config),
        **pool.counts.document,
        "active": row.active,
        "starts_at": None if row.starts_at is None else timestamp(row.starts_at),
        "expires_at": None if row.expires_at is None else timestamp(row.expires_at),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }
    return Reported("license", {"created": created, "license": shown})
