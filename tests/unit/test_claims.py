"""The wire format of claims and replies, and acknowledgement in any order."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from aio_pika import DeliveryMode
from hypothesis import given
from hypothesis import strategies as st

from infra.rabbitmq.acks import Acks, shared_ack
from infra.rabbitmq.claims import TOGETHER, Claim, UnreadableClaimError, decode_claims, encode_claims
from infra.rabbitmq.faults import BrokerLostError, guarded
from infra.rabbitmq.replies import decode_reply, encode_reply

CLAIM = Claim(
    tenant_id=7,
    operation_id=UUID("0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"),
    request_id="r-1",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


OTHER = Claim(tenant_id=8, operation_id=UUID("0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b41"))


def test_claims_are_on_the_wire_as_reviewed(golden):
    golden("broker/claim.json", encode_claims([CLAIM]).body + b"\n")
    golden("broker/claims.json", encode_claims([CLAIM, OTHER]).body + b"\n")


def test_a_reply_is_on_the_wire_as_reviewed(golden):
    golden("broker/reply.json", encode_reply([CLAIM.operation_id, CLAIM.operation_id]).body + b"\n")


def test_a_claim_outlives_the_broker_and_a_reply_does_not():
    assert encode_claims([CLAIM]).delivery_mode is DeliveryMode.PERSISTENT
    assert encode_reply([CLAIM.operation_id]).delivery_mode is DeliveryMode.NOT_PERSISTENT


CLAIMS = st.builds(
    Claim,
    tenant_id=st.integers(1, 2**62),
    operation_id=st.uuids(),
    request_id=st.none() | st.text(max_size=40),
    traceparent=st.none() | st.text(max_size=60),
)


@given(st.lists(CLAIMS, min_size=1, max_size=TOGETHER))
def test_claims_are_decoded_as_they_were_encoded(claims):
    assert decode_claims(encode_claims(claims).body) == claims


def test_fields_of_a_later_release_are_left_aside():
    body = json.loads(encode_claims([CLAIM]).body)
    assert decode_claims(json.dumps({**body, "priority": 3}).encode()) == [CLAIM]


def test_the_first_claim_of_a_message_is_all_that_an_earlier_release_reads():
    body = json.loads(encode_claims([CLAIM, OTHER]).body)
    del body["also"]
    assert body == json.loads(encode_claims([CLAIM]).body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"claim"',
        b"{}",
        b'{"v":2,"tenant_id":7,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"tenant_id":"7","operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"tenant_id":true,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"tenant_id":0,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"tenant_id":9223372036854775808,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
        b'{"v":1,"tenant_id":7,"operation_id":"not an id"}',
        b'{"v":1,"tenant_id":7,"operation_id":12}',
        b'{"v":1,"tenant_id":7,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40","request_id":5}',
        b'{"v":1,"tenant_id":7,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40","also":7}',
        b'{"v":1,"tenant_id":7,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40","also":[null]}',
        b'{"v":1,"tenant_id":7,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40","also":[{"tenant_id":8}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_claim_is_unreadable(body):
    with pytest.raises(UnreadableClaimError):
        decode_claims(body)


@given(st.binary(max_size=60))
def test_no_body_makes_the_decoder_fail_in_another_way(body):
    with pytest.raises(UnreadableClaimError):
        decode_claims(body)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_a_message_is_acked_when_each_of_its_claims_is_done(places):
    acked = []
    acks = shared_ack(lambda: acked.append(True), 5)
    done = set()
    for place in places:
        acks[place]()
        done.add(place)
        assert bool(acked) == (len(done) == 5)


def test_a_reply_is_decoded_as_it_was_encoded():
    operations = [uuid4() for _ in range(3)]
    assert decode_reply(encode_reply(operations).body) == operations


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"v":2,"operations":[]}', b'{"v":1,"operations":["x"]}', b"7"])
def test_a_reply_that_cannot_be_read_names_nothing(body):
    assert decode_reply(body) == []


class Channel:
    """Acknowledges as RabbitMQ does: an unknown tag closes the channel."""

    def __init__(self, delivered):
        self.unacked = set(range(1, delivered + 1))
        self.frames = 0

    async def basic_ack(self, tag, multiple=False, wait=True):
        assert tag in self.unacked, "the broker would close the channel: unknown delivery tag"
        self.unacked -= {other for other in self.unacked if other < tag} if multiple else set()
        self.unacked.remove(tag)
        self.frames += 1


@given(st.integers(1, 30), st.data())
def test_exactly_what_is_done_is_acked_whatever_the_order(delivered, data):
    rounds = data.draw(st.lists(st.lists(st.integers(1, delivered), max_size=10), max_size=8))

    async def acked():
        channel, done = Channel(delivered), set()
        acks = Acks(channel)
        for tags in rounds:
            for tag in tags:
                acks.done(tag)
            done |= set(tags)
            await acks.flush()
            assert channel.unacked == set(range(1, delivered + 1)) - done

    asyncio.run(acked())


async def test_a_pass_over_everything_that_was_delivered_is_one_frame():
    channel = Channel(500)
    acks = Acks(channel)
    for tag in range(500, 0, -1):
        acks.done(tag)
    await acks.flush()
    assert (channel.unacked, channel.frames) == (set(), 1)


async def test_an_ack_after_the_channels_end_changes_nothing():
    channel = Channel(2)
    acks = Acks(channel)
    running = asyncio.create_task(acks.run())
    await asyncio.wait({running}, timeout=0)
    running.cancel()
    await asyncio.wait({running})
    acks.done(1)
    await acks.flush()
    assert channel.unacked == {1, 2}


async def test_a_lost_connection_is_told_from_a_cancelled_task():
    async def rejected_by_the_driver():
        raise asyncio.CancelledError

    with pytest.raises(BrokerLostError):
        await guarded(rejected_by_the_driver())


async def test_a_cancelled_task_stays_cancelled():
    waiting = asyncio.create_task(guarded(asyncio.Event().wait()))
    await asyncio.wait({waiting}, timeout=0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
