"""What the catalogue API shows of program licences: the pools, who has one, and the groups that give it.

One rule: a list counts with what the workers keep; only what is rare beside it is counted when it is asked for.
"""

from collections.abc import Mapping, Sequence

from domain.users import fold
from infra.postgres.database import Reads, Row, Transaction
from infra.postgres.reads.catalog_values import (
    AssignmentsWanted,
    GroupsWanted,
    Part,
    Program,
    ProgramsWanted,
    ShownAssignment,
    ShownGroup,
    ShownProgram,
)
from infra.postgres.statements import load

_SQL = load("read_catalog")


async def page_of_programs(
    database: Reads, tenant_id: int, wanted: ProgramsWanted
) -> tuple[Sequence[ShownProgram], int]:
    """A page of the tenant's program licences, and how many match."""
    filters = {
        "tenant_id": tenant_id,
        "active": wanted.active,
        "external_id": wanted.external_id,
        "name": wanted.name,
        "program_id": wanted.program_id,
        "part": wanted.part_of_name,
        "source": wanted.source,
    }
    async with database.transaction() as tx:
        await tx.execute(_SQL["plan_for_these_values"])
        rows = await tx.fetch(_SQL["programs"], **filters, **_binds(wanted.part), verbose=wanted.verbose)
        total: int = (await tx.fetch(_SQL["count_programs"], **filters))[0]["matching"]
    return [ShownProgram(**row) for row in rows], total


async def page_of_assignments(
    database: Reads, tenant_id: int, wanted: AssignmentsWanted
) -> tuple[Program, Sequence[ShownAssignment], int] | None:
    """The licence, a page of its assignments, and how many match; None where there is no such program licence."""
    async with database.transaction() as tx:
        program = await _program(tx, tenant_id, wanted.license_id)
        if program is None:
            return None
        await tx.execute(_SQL["plan_for_these_values"])
        ids, total = await _matching(tx, tenant_id, wanted, program)
        rows = await tx.fetch(_SQL["assignments"], tenant_id=tenant_id, ids=ids) if ids else []
    return program, [ShownAssignment(**row) for row in rows], total


async def page_of_groups(
    database: Reads, tenant_id: int, wanted: GroupsWanted
) -> tuple[Program, Sequence[ShownGroup], int] | None:
    """The licence, a page of the groups that have it, and how many match; None where there is no such licence."""
    filters: dict[str, object] = {
        "tenant_id": tenant_id,
        "license_id": wanted.license_id,
        "group_id": wanted.group_id,
        "active": wanted.active,
    }
    async with database.transaction() as tx:
        program = await _program(tx, tenant_id, wanted.license_id)
        if program is None:
            return None
        if wanted.fulfilled and not program.has_started:
            return program, [], 0
        filters["fulfilled"] = wanted.fulfilled if program.has_started else None
        await tx.execute(_SQL["plan_for_these_values"])
        rows = await tx.fetch(_SQL["group_assignments"], **filters, **_binds(wanted.part))
        total: int = (await tx.fetch(_SQL["count_group_assignments"], **filters))[0]["matching"]
    return program, [ShownGroup(**row) for row in rows], total


def _binds(part: Part) -> dict[str, object]:
    return {"descending": part.descending, "offset": part.offset, "limit": part.limit}


async def _program(tx: Transaction, tenant_id: int, license_id: int) -> Program | None:
    rows = await tx.fetch(_SQL["program"], tenant_id=tenant_id, license_id=license_id)
    return Program(**rows[0]) if rows else None


async def _matching(
    tx: Transaction, tenant_id: int, wanted: AssignmentsWanted, program: Program
) -> tuple[Sequence[int], int]:
    """The ids of the page, and how many match."""
    if wanted.fulfilled and (wanted.active is False or not program.has_started):
        return [], 0
    fulfilled = wanted.fulfilled if program.has_started else None
    filters = {
        "tenant_id": tenant_id,
        "license_id": wanted.license_id,
        "active": wanted.active,
        "fulfilled": fulfilled,
        "descending": wanted.part.descending,
    }
    if wanted.user_id is not None or wanted.email is not None:
        ids = await _of_person(tx, wanted, filters)
        return ids[wanted.part.offset :][: wanted.part.limit], len(ids)
    rows = await tx.fetch(_SQL["assignments_in_order"], **filters, offset=wanted.part.offset, limit=wanted.part.limit)
    exceptions = (await tx.fetch(_SQL["exceptions"], tenant_id=tenant_id, license_id=wanted.license_id))[0]
    return _ids(rows), _total(program, exceptions, active=wanted.active, fulfilled=fulfilled)


async def _of_person(tx: Transaction, wanted: AssignmentsWanted, filters: Mapping[str, object]) -> Sequence[int]:
    """The assignments of this user, of this address, or of the user who must also have this address."""
    user_id, email_key = wanted.user_id, None if wanted.email is None else fold(wanted.email)
    if email_key is not None:
        found = await tx.fetch(_SQL["user_of_address"], tenant_id=filters["tenant_id"], email_key=email_key)
        owner: int | None = found[0]["id"] if found else None
        if user_id is not None and user_id != owner:
            return []
        user_id = owner
    # An address that is filtered beside its owner has no row of its own.
    email_key = email_key if wanted.user_id is None else None
    return _ids(await tx.fetch(_SQL["assignments_of_person"], **filters, user_id=user_id, email_key=email_key))


def _ids(rows: Sequence[Row]) -> list[int]:
    return [row["id"] for row in rows]


def _total(program: Program, exceptions: Row, *, active: bool | None, fulfilled: bool | None) -> int:
    """How many match, out of the counts that are kept: seats held, people waiting, and the exceptions."""
    not_suspended, suspended = program.used + program.waiting, int(exceptions["suspended"])
    total = {None: not_suspended + suspended, True: not_suspended, False: suspended}[active]
    if fulfilled is None or active is False:
        return total
    held = program.used - int(exceptions["addresses"])
    return held if fulfilled else total - held
