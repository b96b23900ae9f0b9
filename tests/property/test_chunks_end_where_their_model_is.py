"""Random commands over groups that do not fit into one chunk: whatever interleaves, it ends where it should."""

import asyncio
import dataclasses
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    DeleteGroups,
    DeleteRoles,
    Kind,
    PutUsers,
    UserPut,
)
from domain.license_commands import (
    ChangeSeats,
    CreateProgramLicense,
    DeleteLicenses,
    PutLicenses,
    ReplaceGroupBundles,
    UpdateProgramLicense,
)
from infra.postgres.verify import VerifiedTenant
from tests.property.commands import KINDS, SEEDS, bounded, drawn_by, opening
from tests.support.chunked_oracle import ChunkedOracle
from tests.support.engine import Asked, Engine, accept, add_tenant, events_of, open_operations, state_of
from tests.support.invariants import assert_sound
from tests.support.license_state import ids_of
from workers.recount import recount

CROWD = tuple(f"c{n}" for n in range(1, 6))
BEGINNING = (
    PutUsers(items=tuple(UserPut(key=key, username=key) for key in CROWD)),
    ChangeAssignments(
        items=tuple(
            AssignmentChange(op=AssignmentOp.ASSIGN, group=group, user=user, role="member")
            for group, users in (("g1", ("u1", "u2", *CROWD)), ("g2", ("u2", "u3", *CROWD[2:])))
            for user in users
        )
    ),
)
"""Members of both groups whom no other command names: they come and go with what their groups are given."""

MOVES = ("accept", "turn", "chunk", "both", "far", "far")
"""What follows a command: nothing, a pass, a chunk, one of each by both workers, or chunks until most is done."""
STEPS = st.lists(st.tuples(SEEDS, st.sampled_from(MOVES)), min_size=10, max_size=40)
NAMED_LATER = frozenset({Kind.REMOVE_GROUP_LICENSE})
"""Kinds that name by number what only the end of the run tells the model the number of."""


@bounded(25)
@given(rows=st.integers(1, 3), seeds=st.lists(SEEDS, min_size=4, max_size=12))
async def test_a_command_that_has_gone_on_to_its_end_has_done_what_the_model_says(database, rows, seeds):
    tenant = await add_tenant(database)
    engine, oracle = Engine(database, rows=rows), ChunkedOracle(database, tenant.id)
    for draft, dry_run in [*_opening(), *drawn_by(seeds)]:
        asked = Asked(tenant_id=tenant.id, command=draft(await ids_of(database, tenant.id)), dry_run=dry_run)
        [operation] = await engine.run(asked)
        await oracle.assert_agrees([asked], [operation.id])


# Equality with the model ends here: who asks while seats are held back, or still being taken away, may be refused or
# wait where one after the other they would not (CONTRACT: "may find seats lacking").
@bounded(40)
@given(rows=st.integers(1, 3), steps=STEPS)
async def test_commands_between_chunks_leave_nothing_unsound(database, rows, steps):
    tenant, _, _ = await _run(database, rows, steps, KINDS, _as_it_is)
    state = await state_of(database, tenant.id)
    assert_sound(state, await events_of(database, tenant.id))


@bounded(40)
@given(rows=st.integers(1, 3), steps=STEPS)
async def test_where_seats_never_lack_commands_between_chunks_do_what_the_model_says(database, rows, steps):
    tenant, asked, ids = await _run(database, rows, steps, KINDS - NAMED_LATER, _without_limits)
    await ChunkedOracle(database, tenant.id).assert_agrees(asked, ids)


async def _run(database, rows, steps, kinds, changed):
    """What was asked of the tenant, by what operations; all of it is done."""
    tenant = await add_tenant(database)
    engines = [Engine(database, rows=rows), Engine(database, rows=rows)]
    asked, ids = [], []
    drafts = [*_opening(), *drawn_by((seed for seed, _ in steps), kinds)]
    moves = ["drain" for _ in _opening()] + [then for _, then in steps]
    for place, (then, (draft, dry_run)) in enumerate(zip(moves, drafts, strict=True)):
        command = changed(draft(await ids_of(database, tenant.id)))
        asked.append(Asked(tenant_id=tenant.id, command=command, dry_run=dry_run))
        ids += await accept(database, asked[-1:])
        engines[place % 2].ready.add(tenant.id)
        await _move(engines, then)
        await _assert_recounted(database, tenant)
    await asyncio.gather(*(engine.drain(tenant.id) for engine in engines))
    assert await open_operations(database) == 0
    await _assert_recounted(database, tenant)
    return tenant, asked, ids


def _as_it_is(command):
    return command


def _without_limits(command):
    """The same of pools that are never full, never idle and never expire, without quotas."""
    match command:
        case PutLicenses():
            free = {"capacity": None, "active": True, "expires_at": None}
            return PutLicenses(items=tuple(dataclasses.replace(item, **free) for item in command.items))
        case CreateProgramLicense() | UpdateProgramLicense():
            free = {"count": None, "active": True, "expired": None}
            return dataclasses.replace(command, sent={**command.sent, **free})
        case ReplaceGroupBundles():
            return dataclasses.replace(command, quotas={})
        case ChangeSeats():
            return dataclasses.replace(command, items=tuple(item for item in command.items if not item.assignment_id))
        case DeleteGroups() | DeleteRoles() | DeleteLicenses():
            return dataclasses.replace(command, cascade=True)
    return command


def _opening():
    return [*opening(), *((partial(_plain, command), False) for command in BEGINNING)]


def _plain(command, _ids):
    return command


async def _move(engines, then):
    if then == "drain":
        await asyncio.gather(*(engine.drain() for engine in engines))
    if then in {"turn", "both", "far"}:
        await asyncio.gather(*(engine.turn() for engine in engines))
    for _ in range({"chunk": 1, "both": 1, "far": 6}.get(then, 0)):
        await asyncio.gather(*(engine.chunk() for engine in engines))


async def _assert_recounted(database, tenant):
    """Counts and reservations are right between any two chunks."""
    report = await recount(database, VerifiedTenant(id=tenant.id, key=tenant.key))
    assert report.findings == []
