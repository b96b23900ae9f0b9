"""Bundles of large groups: codes, quotas and what they free go on in chunks, and nobody in between sees it wrong."""

import pytest

from domain.license_commands import ReplaceGroupBundles
from infra.postgres.verify import VerifiedTenant
from tests.support.engine import Asked, Engine, events_of, state_of
from tests.support.license_state import continuations
from tests.support.oracle import assert_sound
from tests.support.running import apply, assert_running_sound, begin, view_of
from tests.support.seats import (
    assign,
    bundle,
    grants_of,
    groups,
    join,
    leave,
    outcomes,
    people,
    pools_of,
    program,
    put,
    seats_of,
)
from workers.recount import recount

NAMES = [f"p{n}" for n in range(9)]


@pytest.fixture
def engine(database):
    return Engine(database, rows=2)


@pytest.fixture
async def crowd(engine, tenant):
    """Nine people in one group, one of whom is in another too; a bundle without limit and one of nine seats."""
    pools = put(bundle("idu", "IDU", None), bundle("pmd", "PMD", 9))
    await apply(engine, tenant, people(*NAMES), groups("g", "h"), pools, join("g", *NAMES), join("h", "p0"))


def replacing(*codes, group="g", **quotas):
    """The group's codes, some with a quota."""
    return ReplaceGroupBundles(group=group, codes=codes, quotas=quotas)


async def finished(engine, tenant):
    """Run to the end, looking after every chunk whether all is well; whoever recounts finds nothing wrong."""
    while len(engine.ready) or len(engine.lane):
        await engine.turn()
        await engine.chunk()
        await assert_running_sound(engine.database, tenant)
    assert await continuations(engine.database, tenant.id) == []
    state = await state_of(engine.database, tenant.id)
    assert_sound(state, await events_of(engine.database, tenant.id))
    assert list((await recount(engine.database, VerifiedTenant(id=tenant.id, key=tenant.key))).findings) == []


async def holders(database, tenant, license_key="idu"):
    """Who holds a seat."""
    seats = await seats_of(database, tenant)
    return [name for name in NAMES if seats.get((license_key, name), ("",))[0] == "active"]


async def test_several_codes_of_one_operation_go_on_side_by_side(database, tenant, engine, crowd):
    view = await begin(engine, tenant, replacing("PMD", "IDU"))
    assert (view.status.value, view.done, view.total) == ("running", 2, 18)
    assert len(await continuations(database, tenant.id)) == 2
    assert view.response["items"][0]["demand"] == {
        "PMD": {"requested": 9, "available": 9, "would_wait": 0},
        "IDU": {"requested": 9, "available": None, "would_wait": 0},
    }
    await finished(engine, tenant)
    after = await view_of(engine, tenant, view.id)
    assert (after.status.value, after.done, after.total, after.response) == ("succeeded", 18, 18, view.response)
    assert await holders(database, tenant) == await holders(database, tenant, "pmd") == NAMES


async def test_codes_that_end_and_codes_that_begin_in_one_operation(database, tenant, engine, crowd):
    await begin(engine, tenant, replacing("IDU"))
    await finished(engine, tenant)
    view = await begin(engine, tenant, replacing("PMD"))
    assert (view.status.value, view.total) == ("running", 18)
    await finished(engine, tenant)
    assert await pools_of(database, tenant) == {"idu": (0, 0, 0), "pmd": (9, 0, 0)}


async def test_a_withdrawal_takes_the_fan_out_over(database, tenant, engine, crowd):
    first = await begin(engine, tenant, replacing("PMD"))
    second = await begin(engine, tenant, replacing())
    earlier = await view_of(engine, tenant, first.id)
    assert (earlier.status.value, earlier.superseded_by) == ("succeeded", second.id)
    await finished(engine, tenant)
    assert await seats_of(database, tenant) == {}


async def test_of_two_codes_one_is_taken_over_and_the_other_goes_on(database, tenant, engine, crowd):
    first = await begin(engine, tenant, replacing("IDU", "PMD"))
    second = await begin(engine, tenant, replacing("PMD"))
    assert (await view_of(engine, tenant, first.id)).status.value == "running"
    await finished(engine, tenant)
    earlier = await view_of(engine, tenant, first.id)
    assert (earlier.status.value, earlier.superseded_by) == ("succeeded", second.id)
    assert 9 <= earlier.done < earlier.total == 18
    assert await holders(database, tenant, "pmd") == NAMES


async def test_too_few_seats_of_one_code_change_nothing(database, tenant, engine, crowd):
    await apply(engine, tenant, assign("pmd", "p0"), put(bundle("pmd", "PMD", 8)))
    view = await begin(engine, tenant, replacing("IDU", "PMD"))
    shown = view.response["items"][0]
    assert (view.status.value, shown["code"]) == ("rejected", "QUANTITIES_EXCEEDED")
    assert shown["details"] == {"codes": {"PMD": {"requested": 8, "available": 7}}}
    assert await grants_of(database, tenant) == {}
    await finished(engine, tenant)


async def test_a_dry_run_of_a_large_group_tells_and_leaves_nothing(database, tenant, engine, crowd):
    command = replacing("PMD", PMD=4)
    [view] = await engine.run(Asked(tenant_id=tenant.id, command=command, dry_run=True))
    assert view.response["items"][0]["demand"] == {"PMD": {"requested": 4, "available": 9, "would_wait": 0}}
    assert await grants_of(database, tenant) == {}
    await finished(engine, tenant)


async def test_a_quota_serves_the_first_members_and_reserves_for_no_others(database, tenant, engine, crowd):
    await apply(engine, tenant, put(bundle("pmd", "PMD", 4)))
    await begin(engine, tenant, replacing("PMD", PMD=4))
    await finished(engine, tenant)
    assert await holders(database, tenant, "pmd") == NAMES[:4]
    assert await grants_of(database, tenant) == {("g", "pmd"): (4, 4, 5, 0)}


async def test_who_joins_while_it_runs_does_not_take_a_promised_place(database, tenant, engine, crowd):
    await begin(engine, tenant, replacing("IDU", group="h", IDU=3))
    await finished(engine, tenant)
    await apply(engine, tenant, leave("g", "p8"))
    await begin(engine, tenant, replacing("IDU", IDU=8))
    await apply(engine, tenant, join("g", "p8"))
    assert (await seats_of(database, tenant))["idu", "p8"] == ("blocked", ["g blocked"])
    await finished(engine, tenant)
    assert await holders(database, tenant) == NAMES[:8]


async def test_a_place_that_comes_free_while_it_runs_goes_to_the_next_member(database, tenant, engine, crowd):
    """Places for six: p5 goes before anybody has come to p6, p1 when p7 is still to come."""
    await begin(engine, tenant, replacing("PMD", PMD=6))
    await apply(engine, tenant, leave("g", "p5"))
    await assert_running_sound(database, tenant)
    await apply(engine, tenant, leave("g", "p1"))
    await assert_running_sound(database, tenant)
    await finished(engine, tenant)
    assert await holders(database, tenant, "pmd") == ["p0", "p2", "p3", "p4", "p6", "p7"]


async def test_a_member_behind_the_boundary_who_was_met_before_moves_up_in_turn(database, tenant, engine, crowd):
    await begin(engine, tenant, replacing("IDU", IDU=4))
    await apply(engine, tenant, join("h", "p5", "p6"), leave("g", "p0"))
    await finished(engine, tenant)
    assert await holders(database, tenant) == ["p1", "p2", "p3", "p4"]


async def test_a_risen_quota_lets_many_in_and_they_come_in_chunks(database, tenant, engine, crowd):
    await begin(engine, tenant, replacing("PMD", PMD=2))
    await finished(engine, tenant)
    view = await begin(engine, tenant, replacing("PMD", PMD=8))
    assert (view.status.value, view.done, view.total) == ("running", 2, 6)
    assert await pools_of(database, tenant) == {"pmd": (4, 0, 5), "idu": (0, 0, 0)}
    [refused] = await outcomes_now(engine, tenant, assign("pmd", "p8", "p7"))
    assert refused["outcome"] == "seat"
    await finished(engine, tenant)
    assert await grants_of(database, tenant) == {("g", "pmd"): (8, 9, 0, 0)}


async def outcomes_now(engine, tenant, command):
    """The outcomes of a command that comes between two chunks; the first."""
    [view] = await apply(engine, tenant, command)
    return view.response["items"][:1]


async def test_a_lifted_quota_without_seats_for_all_serves_who_has_waited_for_longest(database, tenant, engine, crowd):
    await apply(engine, tenant, put(bundle("pmd", "PMD", 4)))
    await begin(engine, tenant, replacing("PMD", PMD=2))
    await finished(engine, tenant)
    await begin(engine, tenant, replacing("PMD"))
    await apply(engine, tenant, leave("g", "p0"), assign("pmd", "p0", wait=True))
    await assert_running_sound(database, tenant)
    await finished(engine, tenant)
    assert await holders(database, tenant, "pmd") == ["p1", "p2", "p3", "p4"]
    assert (await seats_of(database, tenant))["pmd", "p0"] == ("queued", ["direct"])


async def test_a_quota_raised_twice_is_taken_over_and_ends_where_the_second_says(database, tenant, engine, crowd):
    await begin(engine, tenant, replacing("IDU", IDU=1))
    await finished(engine, tenant)
    first = await begin(engine, tenant, replacing("IDU", IDU=5))
    second = await begin(engine, tenant, replacing("IDU", IDU=8))
    assert (await view_of(engine, tenant, first.id)).superseded_by == second.id
    await finished(engine, tenant)
    assert await holders(database, tenant) == NAMES[:8]


async def test_a_quota_raised_while_the_fan_out_runs_waits_for_its_end(database, tenant, engine, crowd):
    first = await begin(engine, tenant, replacing("PMD", PMD=3))
    second = await begin(engine, tenant, replacing("PMD", PMD=7))
    assert (await view_of(engine, tenant, first.id)).superseded_by is None
    assert second.status.value == "running"
    below = await begin(engine, tenant, replacing("PMD", PMD=6))
    assert below.response["items"][0]["details"] == {"codes": {"PMD": {"limit": 6, "current_usage": 7}}}
    await finished(engine, tenant)
    assert await holders(database, tenant, "pmd") == NAMES[:7]


async def test_a_place_that_comes_free_goes_to_who_has_been_behind_the_quota_for_longest(
    database, tenant, engine, crowd
):
    await begin(engine, tenant, replacing("IDU", IDU=2))
    await finished(engine, tenant)
    await apply(engine, tenant, leave("g", "p2"), join("g", "p2"), leave("g", "p0"))
    assert await holders(database, tenant) == ["p1", "p3"]


async def test_a_small_group_is_done_in_the_operations_own_pass(database, tenant, crowd):
    engine = Engine(database)
    [shown] = await outcomes(engine, tenant, replacing("IDU", "PMD", IDU=4))
    assert shown["quotas"] == [{"code": "IDU", "limit": 4, "current_usage": 4}]
    assert await grants_of(database, tenant) == {("g", "idu"): (4, 4, 5, 0), ("g", "pmd"): (9, 9, 0, 0)}
    await finished(engine, tenant)


async def test_grants_of_programs_are_left_alone(database, tenant, engine, crowd):
    await apply(engine, tenant, put(program("photo", 3)))
    await begin(engine, tenant, replacing("IDU"))
    await finished(engine, tenant)
    await begin(engine, tenant, replacing())
    await finished(engine, tenant)
    assert await pools_of(database, tenant) == {"idu": (0, 0, 0), "pmd": (0, 0, 0), "photo": (0, 0, 0)}
