"""What a pass takes is a prefix of every log, within its budget; waves keep each tenant's order and mix no kinds."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.postgres.passes import OpenOperation
from workers.waves import Budget, is_unbounded, select, waves

AMPLE = Budget(operations=1_000, items=10_000, bytes=10_000_000)


def operation(number, *, tenant_id=1, kind="users.put", items=1, size=10, attempts=0, dry_run=False):
    return OpenOperation(
        tenant_id=tenant_id,
        id=UUID(int=number),
        seq=number,
        kind=kind,
        request={},
        dry_run=dry_run,
        attempts=attempts,
        deaths_alone=0,
        failures=0,
        items=items,
        bytes=size,
        reply_to=None,
        request_id=None,
        traceparent=None,
        queued_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def queues_of(*tenants):
    """One queue a tenant, of (kind, items, bytes, attempts, dry_run) each."""
    numbers = iter(range(1, 1_000))
    return {
        tenant_id: [
            operation(
                next(numbers), tenant_id=tenant_id, kind=kind, items=items, size=size, attempts=attempts, dry_run=dry
            )
            for kind, items, size, attempts, dry in queue
        ]
        for tenant_id, queue in enumerate(tenants, start=1)
    }


UNBOUNDED = "group_licenses.set"
SPECS = st.tuples(
    st.sampled_from(("a", "b", "c", UNBOUNDED)),
    st.integers(1, 9),
    st.integers(1, 99),
    st.sampled_from((0, 0, 0, 0, 0, 1)),
    st.sampled_from((False, False, True)),
)
QUEUES = st.lists(st.lists(SPECS, min_size=1, max_size=8), min_size=1, max_size=5).map(lambda specs: queues_of(*specs))
BUDGETS = st.builds(Budget, operations=st.integers(1, 12), items=st.integers(1, 30), bytes=st.integers(1, 400))
examples = settings(max_examples=120, deadline=None, database=None)


@examples
@given(queues=QUEUES, budget=BUDGETS)
def test_a_pass_takes_a_prefix_of_each_tenants_log(queues, budget):
    selection = select(queues, budget)
    for tenant_id, taken in selection.taken.items():
        assert taken == queues[tenant_id][: len(taken)]
        assert taken


@examples
@given(queues=QUEUES, budget=BUDGETS)
def test_a_pass_stays_within_its_budget_but_for_its_very_first_operation(queues, budget):
    taken = select(queues, budget).operations
    if len(taken) > 1:
        assert len(taken) <= budget.operations
        assert sum(one.items for one in taken) <= budget.items
        assert sum(one.bytes for one in taken) <= budget.bytes


@examples
@given(queues=QUEUES, budget=BUDGETS)
def test_a_pass_takes_something_or_names_those_that_come_back_alone(queues, budget):
    selection = select(queues, budget)
    assert selection.taken or selection.suspected | selection.unbounded
    assert (selection.suspected | selection.unbounded).isdisjoint(selection.taken)


@examples
@given(queues=QUEUES, budget=BUDGETS)
def test_an_operation_with_attempts_and_an_unbounded_one_are_alone_in_their_pass(queues, budget):
    taken = select(queues, budget).operations
    assert len(taken) <= 1 or not any(one.attempts or one.kind == UNBOUNDED for one in taken)


def test_whoever_is_first_in_line_is_served_however_large_its_operation():
    queues = queues_of([("a", 500, 5, 0, False)], [("a", 1, 5, 0, False)])
    assert select(queues, Budget(operations=9, items=10, bytes=99)).taken == {1: queues[1]}


def test_tenants_take_turns_so_that_a_long_queue_does_not_use_up_the_budget():
    queues = queues_of([("a", 1, 1, 0, False)] * 8, [("a", 1, 1, 0, False)] * 2)
    taken = select(queues, Budget(operations=4, items=99, bytes=99)).taken
    assert {tenant_id: len(queue) for tenant_id, queue in taken.items()} == {1: 2, 2: 2}


def test_a_suspect_at_the_head_sends_its_tenant_back_and_further_down_it_ends_the_prefix():
    queues = queues_of([("a", 1, 1, 1, False), ("a", 1, 1, 0, False)], [("a", 1, 1, 0, False), ("a", 1, 1, 2, False)])
    selection = select(queues, AMPLE)
    assert selection.taken == {2: queues[2][:1]}
    assert selection.suspected == {1}
    assert select({1: queues[1]}, AMPLE).taken == {1: queues[1][:1]}


def test_a_cascade_is_unbounded_and_a_deletion_of_what_nobody_uses_is_not():
    plain = operation(1, kind="groups.delete")
    assert not is_unbounded(dataclasses.replace(plain, request={"keys": ["g"], "cascade": False}))
    assert is_unbounded(dataclasses.replace(plain, request={"keys": ["g"], "cascade": True}))


@examples
@given(queues=QUEUES)
def test_waves_hold_everything_once_and_keep_every_tenants_order(queues):
    flat = [one for wave in waves(queues) for one in wave]
    assert {tenant_id: [one for one in flat if one.tenant_id == tenant_id] for tenant_id in queues} == queues


@examples
@given(queues=QUEUES)
def test_a_wave_is_of_one_kind_and_a_dry_run_is_a_wave_of_its_own(queues):
    for wave in waves(queues):
        assert len({one.kind for one in wave}) == 1
        assert len(wave) == 1 or not any(one.dry_run for one in wave)


def test_the_head_runs_of_all_tenants_go_together():
    queues = queues_of(
        [("a", 1, 1, 0, False), ("a", 1, 1, 0, False), ("b", 1, 1, 0, False)],
        [("a", 1, 1, 0, False), ("b", 1, 1, 0, False)],
        [("b", 1, 1, 0, False)],
    )
    shape = [[(one.tenant_id, one.kind) for one in wave] for wave in waves(queues)]
    assert shape == [[(1, "a"), (1, "a"), (2, "a")], [(3, "b")], [(1, "b"), (2, "b")]]
