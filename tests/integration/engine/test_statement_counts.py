"""The number of SQL statements of a pass does not depend on how much it applies: 1, 100 and 5,000 items are alike."""

from collections import Counter

import pytest

from domain.commands import AssignmentOp, Kind
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
from workers.handlers import HANDLERS

SIZES = (1, 100, 5_000)


def with_assignments(size):
    """Everybody has the first role in the first group; the other groups and roles are nobody's."""
    return [put_users(size), put_groups(size), put_roles(size), change(AssignmentOp.CREATE, size)]


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
    "people deleted": (Kind.DELETE_USERS, with_assignments, delete_users),
    "groups created": (Kind.PUT_GROUPS, lambda n: [], put_groups),
    "groups renamed": (Kind.PUT_GROUPS, lambda n: [put_groups(n)], lambda n: put_groups(n, name="Another name")),
    "groups deleted": (Kind.DELETE_GROUPS, with_assignments, delete_groups),
    "roles created": (Kind.PUT_ROLES, lambda n: [], put_roles),
    "roles changed": (Kind.PUT_ROLES, lambda n: [put_roles(n)], lambda n: put_roles(n, title="Another title")),
    "roles deleted": (Kind.DELETE_ROLES, with_assignments, delete_roles),
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
    counts = [await _counted_pass(database, counted, before(size), [command(size)]) for size in SIZES]
    assert counts[0] == counts[1] == counts[2]
    assert max(counts[0].values()) == 1


@pytest.mark.parametrize("name", MEASURED)
async def test_commands_of_one_kind_share_their_statements_over_operations_and_tenants(database, counted, name):
    _, before, command = MEASURED[name]
    alone = await _counted_pass(database, counted, before(10), [command(10)])
    assert await _counted_pass(database, counted, before(10), [command(10)], tenants=20) == alone


async def test_a_batch_of_refusals_costs_no_more_than_one(database, counted):
    refused = [await _counted_pass(database, counted, [], [change(AssignmentOp.CREATE, size)]) for size in SIZES[:2]]
    assert refused[0] == refused[1]


async def test_acceptance_is_one_statement_however_many_commands_come_together(database, counted, tenant):
    counted.clear()
    await accept(database, [Asked(tenant_id=tenant.id, command=put_groups(1)) for _ in range(100)])
    assert counted == {"accept_operations": 1}


def test_every_kind_is_measured():
    assert {kind for kind, _, _ in MEASURED.values()} == set(Kind) == set(HANDLERS)


async def _counted_pass(database, counted, before, commands, *, tenants=1):
    """The statements of the one pass that applies the commands, for each of the tenants."""
    engine = Engine(database)
    ids = [(await add_tenant(database)).id for _ in range(tenants)]
    await accept(database, [Asked(tenant_id=tenant_id, command=one) for tenant_id in ids for one in before])
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
