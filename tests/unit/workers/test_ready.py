"""Ready tenants: woken once however often they are named, taken in turn, alone while they are under suspicion."""

import asyncio

import pytest

from workers.ready import ReadySet


@pytest.fixture
def ready():
    return ReadySet(share=8, tenants=3)


async def test_a_tenant_that_is_woken_again_is_ready_once_and_all_its_claims_end_with_its_pass(ready):
    acked = []
    ready.add(1, lambda: acked.append("first"))
    ready.add(1)
    ready.add(1, lambda: acked.append("second"))
    batch = await ready.next()
    assert batch.shares == {1: 8}
    assert len(ready) == 0
    for ack in batch.acks:
        ack()
    assert acked == ["first", "second"]


async def test_tenants_are_taken_in_the_order_in_which_they_became_ready_and_no_more_than_a_pass_takes(ready):
    for tenant_id in (5, 2, 9, 1, 5):
        ready.add(tenant_id)
    assert list((await ready.next()).shares) == [5, 2, 9]
    assert list((await ready.next()).shares) == [1]


async def test_waiting_ends_when_somebody_becomes_ready(ready):
    waiting = asyncio.create_task(ready.next())
    await asyncio.wait([waiting], timeout=0)
    assert not waiting.done()
    ready.add(7)
    assert (await asyncio.wait_for(waiting, timeout=5)).shares == {7: 8}


async def test_after_it_was_emptied_waiting_waits_again(ready):
    ready.add(1)
    await ready.next()
    waiting = asyncio.create_task(ready.next())
    await asyncio.wait([waiting], timeout=0)
    assert not waiting.done()
    waiting.cancel()


async def test_a_suspect_is_taken_alone_with_its_limit_and_holds_nobody_up(ready):
    ready.suspect(1, 2)
    for tenant_id in (3, 1, 4):
        ready.add(tenant_id)
    assert (await ready.next()).shares == {3: 8, 4: 8}
    assert (await ready.next()).shares == {1: 2}


async def test_a_suspects_limit_doubles_with_every_good_pass_until_it_is_nothing_special(ready):
    ready.suspect(1, 1)
    limits = []
    for _ in range(5):
        ready.add(1)
        limits.append((await ready.next()).shares[1])
        ready.relieve([1])
    assert limits == [1, 2, 4, 8, 8]
    ready.add(1)
    ready.add(2)
    assert (await ready.next()).shares == {1: 8, 2: 8}


async def test_a_limit_is_never_less_than_one(ready):
    ready.suspect(1, 0)
    ready.add(1)
    assert (await ready.next()).shares == {1: 1}


async def test_relief_of_a_tenant_that_was_never_suspected_changes_nothing(ready):
    ready.relieve([1])
    ready.add(1)
    assert (await ready.next()).shares == {1: 8}


async def test_a_tenant_that_is_set_apart_is_taken_alone_once_with_its_full_share(ready):
    ready.set_apart(1)
    for tenant_id in (1, 2):
        ready.add(tenant_id)
    assert (await ready.next()).shares == {1: 8}
    ready.add(1)
    assert (await ready.next()).shares == {2: 8, 1: 8}
