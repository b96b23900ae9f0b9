"""What the relay may mark, whom it leaves aside, and that a message is the same each time it is published."""

from hypothesis import given
from hypothesis import strategies as st

from infra.postgres.outbox_relay import PendingMessage
from workers.relay import Backoff, HeldTenants, event_message, published


def message(place, tenant_id=1):
    return PendingMessage(
        id=place,
        tenant_id=tenant_id,
        first_sequence=place,
        last_sequence=place,
        routing_key="demo.user.updated",
        body=b"[]",
    )


def test_everything_confirmed_is_marked():
    assert published([message(1), message(2)], [True, True]) == ([1, 2], set())


def test_what_follows_an_unconfirmed_message_of_a_tenant_stays_pending():
    messages = [message(1, 1), message(2, 2), message(3, 1), message(4, 2), message(5, 1)]
    assert published(messages, [True, True, False, True, True]) == ([1, 2, 4], {1})


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=30))
def test_publishing_again_until_all_is_confirmed_keeps_every_tenants_order(draws):
    pending = [message(place, tenant_id) for place, (tenant_id, _) in enumerate(draws)]
    confirmed = [is_confirmed for _, is_confirmed in draws]
    marked = []
    while pending:
        ids, stalled = published(pending, confirmed[: len(pending)])
        marked += ids
        assert stalled == {item.tenant_id for item in pending if item.id not in ids}
        pending = [item for item in pending if item.id not in ids]
        confirmed = [True] * len(pending)
    for tenant_id in range(1, 5):
        own = [place for place in marked if draws[place][0] == tenant_id]
        assert own == sorted(own)
    assert sorted(marked) == list(range(len(draws)))


def test_a_message_is_named_after_its_tenant_and_first_sequence():
    sent = event_message(message(12))
    assert sent == event_message(message(12))
    assert sent.message_id == "demo-0000000000000000012"
    assert sent.headers == {"first_sequence": "0000000000000000012", "last_sequence": "0000000000000000012"}


def test_a_refused_tenant_is_left_aside_for_a_while_and_longer_the_next_time():
    held = HeldTenants()
    held.hold(1, now=100.0)
    assert held.at(100.05) == [1]
    assert held.at(100.3) == []
    held.hold(1, now=200.0)
    held.hold(1, now=200.0)
    assert held.at(200.35) == [1]
    held.release(1)
    assert held.at(200.0) == []


def test_the_delay_after_failures_grows_to_a_limit():
    backoff = Backoff()
    delays = [backoff.failed() for _ in range(10)]
    assert 0.1 <= delays[0] <= 0.2
    assert all(2.5 <= delay <= 5.0 for delay in delays[6:])
