"""The number of SQL statements of a pass does not depend on how much it applies: 1, 100 and 5,000 items are alike."""

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from domain.commands import AssignmentOp, Kind
from domain.license_commands import CreateProgramLicense, DeleteLicenses, ReplaceUserBundles, UpdateProgramLicense
from infra.postgres.database import Database, Transaction
from tests.support.directory_commands import (
    change,
    delete_groups,
    delete_roles,
    delete_users,
    put_groups,
    put_roles,
    put_users,
)
from tests.support.engine import Asked, Engine, accept, add_tenant, operations
from tests.support.seats import assign, bundle, grant, program, put, unassign
from workers.handlers import HANDLERS

SIZES = (1, 100, 5_000)
# Commands of one item each: as many operations, as many as one tenant brings into a pass.
ALONE = (1, 100, 250)
# Those run alone in a pass, in chunks or one after the other; their own tests say what a chunk asks.
UNBOUNDED = {
    Kind.SET_GROUP_LICENSE,
    Kind.REMOVE_GROUP_LICENSE,
    Kind.REPLACE_GROUP_BUNDLES,
    Kind.REPROCESS_GROUP,
    Kind.CHECK_LICENSES,
    Kind.REPAIR_COUNTS,
    Kind.REDRIVE_DEAD_LETTERS,
    Kind.DISCARD_DEAD_LETTERS,
}


def with_assignments(size):
    """Everybody has the first role in the first group; the other groups and roles are nobody's."""
    return [put_users(size), put_groups(size), put_roles(size), change(AssignmentOp.CREATE, size)]


def carried(size, *, capacity=None):
    """The first group gives two licences; as many people and roles as may be wanted."""
    licenses = put(program("a", capacity), bundle("b", "IDU", capacity, program_key="b"))
    return [put_users(size), put_groups(2), put_roles(1), licenses, give("a"), give("b")]


def members(size, *, capacity=None):
    """Everybody is in the first group, which gives two licences."""
    return [*carried(size, capacity=capacity), change(AssignmentOp.CREATE, size)]


def give(license_key):
    """The grant of the licence to the first group, which nobody is in yet, as it lies in the tables."""

    async def write(database, tenant_id):
        await grant(database, SimpleNamespace(id=tenant_id), "g0", license_key)

    return write


def licenses(size, **fields):
    return put(*(bundle(f"l{n}", f"L{n}", program_key=f"p{n}", **fields) for n in range(size)))


def keys(size):
    return [f"u{n}" for n in range(size)]


def created(size):
    sent = {"program_key": "p", "name": "n", "count": 1, "started": "2026-01-01T00:00:00Z"}
    return [CreateProgramLicense(sent=sent | {"external_id": f"x{n}"}) for n in range(size)]


def updated(size):
    return [UpdateProgramLicense(external_id=f"x{n}", sent={"count": 2}) for n in range(size)]


# Of each kind: what must be there before, and the command that is measured.
MEASURED = {
    "people created": (Kind.PUT_USERS, lambda n: [put_groups(1)], lambda n: put_users(n, primary_group="g0")),
    "people moved": (
        Kind.PUT_USERS,
        lambda n: [put_groups(2), put_users(n, primary_group="g0")],
        lambda n: put_users(n, name="x", primary_group="g1"),
    ),
    "people deactivated": (
        Kind.PUT_USERS,
        lambda n: [put_groups(1), put_users(n, primary_group="g0")],
        lambda n: put_users(n, primary_group="g0", active=False),
    ),
    "people with seats deactivated": (Kind.PUT_USERS, members, lambda n: put_users(n, active=False)),
    "people whose addresses have seats": (
        Kind.PUT_USERS,
        lambda n: [put(program("a", None)), assign("a", *(f"u{i}@example.org" for i in range(n)))],
        put_users,
    ),
    "people deleted": (Kind.DELETE_USERS, with_assignments, delete_users),
    "people with seats deleted": (Kind.DELETE_USERS, members, delete_users),
    "groups created": (Kind.PUT_GROUPS, lambda n: [], put_groups),
    "groups renamed": (Kind.PUT_GROUPS, lambda n: [put_groups(n)], lambda n: put_groups(n, name="Another name")),
    "groups deleted": (Kind.DELETE_GROUPS, lambda n: [put_groups(n)], lambda n: delete_groups(n, cascade=False)),
    "roles created": (Kind.PUT_ROLES, lambda n: [], put_roles),
    "roles changed": (Kind.PUT_ROLES, lambda n: [put_roles(n)], lambda n: put_roles(n, title="Another title")),
    "roles deleted": (Kind.DELETE_ROLES, lambda n: [put_roles(n)], lambda n: delete_roles(n, cascade=False)),
    "assignments created": (
        Kind.CHANGE_ASSIGNMENTS,
        lambda n: [put_users(n), put_groups(1), put_roles(1)],
        lambda n: change(AssignmentOp.CREATE, n),
    ),
    "assignments deleted": (
        Kind.CHANGE_ASSIGNMENTS,
        with_assignments,
        lambda n: change(AssignmentOp.DELETE, n),
    ),
    "members joining a carrier": (Kind.CHANGE_ASSIGNMENTS, carried, lambda n: change(AssignmentOp.CREATE, n)),
    "members leaving a carrier": (Kind.CHANGE_ASSIGNMENTS, members, lambda n: change(AssignmentOp.DELETE, n)),
    "licences created": (Kind.PUT_LICENSES, lambda n: [], licenses),
    "licences changed": (
        Kind.PUT_LICENSES,
        lambda n: [licenses(n)],
        lambda n: licenses(n, name="Another name", expires_at=datetime(2100, 1, 1, tzinfo=UTC)),
    ),
    "licences deleted": (
        Kind.DELETE_LICENSES,
        lambda n: [licenses(n)],
        lambda n: DeleteLicenses(keys=tuple(f"l{i}" for i in range(n))),
    ),
    "licences created by the catalogue": (Kind.CREATE_PROGRAM_LICENSE, lambda n: [], created),
    "licences updated by the catalogue": (Kind.UPDATE_PROGRAM_LICENSE, created, updated),
    "seats given": (Kind.CHANGE_SEATS, carried, lambda n: assign("a", *keys(n))),
    "seats of members given": (Kind.CHANGE_SEATS, members, lambda n: assign("a", *keys(n))),
    "seats taken": (
        Kind.CHANGE_SEATS,
        lambda n: [*carried(n), assign("a", *keys(n))],
        lambda n: unassign("a", *keys(n)),
    ),
    "bundles given": (
        Kind.REPLACE_USER_BUNDLES,
        carried,
        lambda n: ReplaceUserBundles(users=tuple(keys(n)), codes=("IDU",)),
    ),
}


@pytest.fixture
def counted(monkeypatch):
    """How often each statement ran, by name."""
    ran = Counter()

    def count(owner, method):
        inner = getattr(owner, method)

        async def counting(self, statement, **binds):
            ran[statement.name] += 1
            return await inner(self, statement, **binds)

        monkeypatch.setattr(owner, method, counting)

    for owner, method in ((Transaction, "fetch"), (Transaction, "execute"), (Database, "fetch")):
        count(owner, method)
    return ran


@pytest.mark.parametrize("name", MEASURED)
async def test_a_pass_runs_the_same_statements_for_any_number_of_items(database, counted, name):
    _, before, command = MEASURED[name]
    sizes = ALONE if isinstance(command(1), list) else SIZES
    counts = [await _counted_pass(database, counted, before(size), _listed(command(size))) for size in sizes]
    assert counts[0] == counts[1] == counts[2]
    assert max(counts[0].values()) == 1


@pytest.mark.parametrize("name", MEASURED)
async def test_commands_of_one_kind_share_their_statements_over_operations_and_tenants(database, counted, name):
    _, before, command = MEASURED[name]
    alone = await _counted_pass(database, counted, before(10), _listed(command(10)))
    assert await _counted_pass(database, counted, before(10), _listed(command(10)), tenants=20) == alone


async def test_a_batch_of_refusals_costs_no_more_than_one(database, counted):
    refused = [await _counted_pass(database, counted, [], [change(AssignmentOp.CREATE, size)]) for size in SIZES[:2]]
    assert refused[0] == refused[1]


async def test_acceptance_is_one_statement_however_many_commands_come_together(database, counted, tenant):
    counted.clear()
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1)) for _ in range(100)])
    assert counted == {"accept_operations": 1}


def test_every_kind_is_measured():
    assert {kind for kind, _, _ in MEASURED.values()} | UNBOUNDED == set(Kind) == set(HANDLERS)


async def _counted_pass(database, counted, before, commands, *, tenants=1):
    """The statements of the one pass that applies the commands, for each of the tenants."""
    engine = Engine(database)
    ids = [(await add_tenant(database)).id for _ in range(tenants)]
    for step in before:
        if callable(step):
            await engine.drain(*ids)
        await _take(database, ids, step)
    await engine.drain(*ids)
    accepted = await accept(
        database, [Asked(tenant_id=tenant_id, command=one) for tenant_id in ids for one in commands]
    )
    passes = engine.delivery.passes
    counted.clear()
    await engine.drain(*ids)
    ran = counted.copy()
    assert engine.delivery.passes == passes + 1
    last = (await operations(database, ids[-1], accepted))[-1]
    assert not last.status.is_open
    return ran


async def _take(database, ids, step):
    """One step of what must be there before: a command, or something that is written for each of the tenants."""
    if callable(step):
        for tenant_id in ids:
            await step(database, tenant_id)
    else:
        await accept(database, [Asked(tenant_id=tenant_id, command=step) for tenant_id in ids])


def _listed(commands):
    return commands if isinstance(commands, list) else [commands]
