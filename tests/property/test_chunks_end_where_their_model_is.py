"""Random commands over groups that do not fit into one chunk: whatever interleaves, it ends where it should.

Days pass between the chunks as well: licences start and expire in the middle of what is given and taken.
"""

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
    LicenseKind,
    PutLicenses,
    ReplaceGroupBundles,
    UpdateProgramLicense,
)
from infra.postgres.statements import compile_block
from infra.postgres.verify import VerifiedTenant
from tests.property.commands import KINDS, SEEDS, TIMES, bounded, drawn_by, opening
from tests.property.license_commands import TODAY
from tests.support.chunked_oracle import ChunkedOracle
from tests.support.clock import Clock, in_accept_order, operations_of_dates
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
STEPS = st.lists(st.tuples(SEEDS, st.sampled_from(MOVES), TIMES), min_size=10, max_size=40)
_STILL = (0, False)
_EXPIRED = compile_block("expired", "SELECT used FROM license WHERE tenant_id = :tenant_id AND expires_at <= now()")
NAMED_LATER = frozenset({Kind.REMOVE_GROUP_LICENSE})
"""Kinds that name by number what only the end of the run tells the model the number of."""


@bounded(25)
@given(rows=st.integers(1, 3), steps=st.lists(st.tuples(SEEDS, TIMES), min_size=4, max_size=12))
async def test_a_command_that_has_gone_on_to_its_end_has_done_what_the_model_says(database, rows, steps):
    run = await _Run.begin(database, Engine(database, rows=rows))
    oracle = ChunkedOracle(database, run.tenant.id)
    drafts = [*_opening(), *drawn_by(seed for seed, _ in steps)]
    for time, (draft, dry_run) in zip([_STILL for _ in _opening()] + [time for _, time in steps], drafts, strict=True):
        await run.pass_time(time)
        await run.accept(draft, dry_run=dry_run)
        await run.drain()
        ids = (await in_accept_order(database, run.tenant.id))[oracle.held :]
        await oracle.assert_agrees([run.asked[number] for number in ids], ids)


# Equality with the model ends here: who asks while seats are held back, or still being taken away, may be refused or
# wait where one after the other they would not (CONTRACT: "may find seats lacking").
@bounded(40)
@given(rows=st.integers(1, 3), steps=STEPS)
async def test_commands_between_chunks_leave_nothing_unsound(database, rows, steps):
    run = await _run(database, rows, steps, KINDS, _as_it_is)
    state = await state_of(database, run.tenant.id)
    assert_sound(state, await events_of(database, run.tenant.id))


@bounded(40)
@given(rows=st.integers(1, 3), steps=STEPS)
async def test_where_seats_never_lack_commands_between_chunks_do_what_the_model_says(database, rows, steps):
    run = await _run(database, rows, steps, KINDS - NAMED_LATER, _without_limits)
    ids = await in_accept_order(database, run.tenant.id)
    oracle = ChunkedOracle(database, run.tenant.id, interleaved=True)
    await oracle.assert_agrees([run.asked[number] for number in ids], ids)


async def _run(database, rows, steps, kinds, changed):
    """The tenant after all of this has been asked and done."""
    run = await _Run.begin(database, Engine(database, rows=rows), Engine(database, rows=rows))
    for draft, dry_run in _opening():
        await run.accept(lambda ids, draft=draft: changed(draft(ids)), dry_run=dry_run)
        await run.drain()
    drafts = drawn_by((seed for seed, *_ in steps), kinds)
    for (_, then, time), (draft, dry_run) in zip(steps, drafts, strict=True):
        await run.pass_time(time)
        await run.accept(lambda ids, draft=draft: changed(draft(ids)), dry_run=dry_run)
        await run.move(then)
        await run.assert_recounted()
    await run.drain()
    while await run.look():
        await run.drain()
    await run.assert_recounted()
    assert all(pool["used"] == 0 for pool in await run.expired())
    return run


class _Run:
    """A tenant whose groups do not fit into one chunk, what was asked of it, and those who do it."""

    def __init__(self, database, tenant, engines):
        self.database, self.tenant, self.engines = database, tenant, engines
        self.clock, self.asked, self.turn = Clock(database), {}, 0

    @classmethod
    async def begin(cls, database, *engines):
        run = cls(database, await add_tenant(database), engines)
        await run.clock.begin()
        return run

    async def accept(self, draft, *, dry_run):
        ids = await ids_of(self.database, self.tenant.id) | {TODAY: self.clock.day}
        asked = Asked(tenant_id=self.tenant.id, command=draft(ids), dry_run=dry_run)
        [number] = await accept(self.database, [asked])
        self.asked[number] = asked
        self._wake()

    def _wake(self):
        self.turn += 1
        self.engines[self.turn % len(self.engines)].ready.add(self.tenant.id)

    async def pass_time(self, time):
        days, looks = time
        if days:
            await self.clock.pass_days(days)
        if looks:
            await self.look()

    async def look(self):
        fired = await self.clock.look()
        self.asked |= await operations_of_dates(self.database, self.tenant.id, known=self.asked)
        self._wake()
        return fired

    async def move(self, then):
        if then in {"turn", "both", "far"}:
            await asyncio.gather(*(engine.turn() for engine in self.engines))
        for _ in range({"chunk": 1, "both": 1, "far": 6}.get(then, 0)):
            await asyncio.gather(*(engine.chunk() for engine in self.engines))

    async def drain(self):
        await asyncio.gather(*(engine.drain(self.tenant.id) for engine in self.engines))
        assert await open_operations(self.database) == 0

    async def expired(self):
        return await self.database.fetch(_EXPIRED, tenant_id=self.tenant.id)

    async def assert_recounted(self):
        """Counts and reservations are right between any two chunks."""
        report = await recount(self.database, VerifiedTenant(id=self.tenant.id, key=self.tenant.key))
        assert report.findings == []


def _as_it_is(command):
    return command


def _without_limits(command):
    """The same of pools that are never full and never idle, without quotas.

    Bundles do not expire: whether an expired one suffices depends on who has been reached before it did.
    """
    match command:
        case PutLicenses():
            return PutLicenses(items=tuple(_pool_without_limits(item) for item in command.items))
        case CreateProgramLicense() | UpdateProgramLicense():
            return dataclasses.replace(command, sent={**command.sent, "count": None, "active": True})
        case ReplaceGroupBundles():
            return dataclasses.replace(command, quotas={})
        case ChangeSeats():
            return dataclasses.replace(command, items=tuple(item for item in command.items if not item.assignment_id))
        case DeleteGroups() | DeleteRoles() | DeleteLicenses():
            return dataclasses.replace(command, cascade=True)
    return command


def _pool_without_limits(item):
    ends = item.expires_at if item.kind is LicenseKind.PROGRAM else None
    return dataclasses.replace(item, capacity=None, active=True, expires_at=ends)


def _opening():
    return [*opening(), *((partial(_plain, command), False) for command in BEGINNING)]


def _plain(command, _ids):
    return command
