"""Unreadable messages are looked at as often as anybody likes, and go only when they are thrown away."""

import aio_pika
import pytest

from infra.rabbitmq.topology import Topology
from tests.support.api import serving
from tests.support.brokers import outside_channel
from tests.support.operators import operator_token
from tests.support.waiting import found

PATH = "/v1/ops/unreadable"
# More often than a queue gives a message to anybody by itself.
LOOKS = 25


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def api(database_url, amqp_url, broker_prefix, channel):
    async with serving(database_url, amqp_url=amqp_url, name_prefix=broker_prefix) as api:
        yield api


async def look(api, operator, parameters=""):
    response = await api.call("GET", f"{PATH}{parameters}", headers=operator)
    assert response.status_code == 200, response.text
    return response.json()


async def poison(channel, broker_prefix, *bodies):
    """Claims that are none, where claims go."""
    exchange = await channel.get_exchange(Topology(prefix=broker_prefix).commands_exchange)
    for body in bodies:
        await exchange.publish(aio_pika.Message(body), routing_key="claim")


async def test_a_message_that_no_worker_could_read_is_seen_again_and_again_and_then_discarded(
    api, operator, channel, broker_prefix
):
    await poison(channel, broker_prefix, b'{"v": 99}', b"\xff\xfe" * 4000)

    async def both():
        page = await look(api, operator)
        return page if page["total"] == 2 else None

    page = await found(both)
    for _ in range(LOOKS):
        assert await look(api, operator) == page
    shown = {item["encoding"]: item for item in page["items"]}
    assert page["broker"] == "up"
    assert shown["text"]["body"] == '{"v": 99}'
    assert "version 99" in shown["text"]["reason"]
    assert shown["text"]["headers"] == {}
    assert shown["text"]["received_at"] is not None
    assert (shown["base64"]["size"], len(shown["base64"]["body"])) == (8000, 5464)
    assert [item["position"] for item in page["items"]] == [0, 1]
    assert len((await look(api, operator, "?limit=1"))["items"]) == 1
    first = await api.call("POST", f"{PATH}:discard", {"reason": "a test", "count": 1}, headers=operator)
    assert (first.status_code, first.json()) == (200, {"discarded": 1})
    assert [item["body"] for item in (await look(api, operator))["items"]] == [page["items"][1]["body"]]
    rest = await api.call("POST", f"{PATH}:discard", {"reason": "a test"}, headers=operator)
    assert rest.json() == {"discarded": 1}
    assert await look(api, operator) == {"items": [], "total": 0, "broker": "up"}
    audit = await api.call("GET", "/v1/ops/audit?action=unreadable.discard", headers=operator)
    assert [one["details"] for one in audit.json()["items"]] == [{"reason": "a test", "count": 1}] * 2


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "r", "count": 0}, {"reason": "r", "colour": "red"}])
async def test_a_discard_without_a_reason_is_refused(api, operator, body):
    response = await api.call("POST", f"{PATH}:discard", body, headers=operator)
    assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_FAILED")


async def test_without_a_broker_the_page_is_empty(database_url):
    async with serving(database_url, with_worker=False) as api:
        operator = await operator_token(api, "on call", "ops:write")
        assert await look(api, operator) == {"items": [], "total": 0, "broker": "none"}
        done = await api.call("POST", f"{PATH}:discard", {"reason": "r"}, headers=operator)
        assert done.json() == {"discarded": 0}


async def test_while_the_broker_is_away_the_page_says_so(database_url):
    async with serving(database_url, with_worker=False, amqp_url="amqp://x:y@127.0.0.1:1/") as api:
        operator = await operator_token(api, "on call", "ops:write")
        assert await look(api, operator) == {"items": [], "total": None, "broker": "down"}
        done = await api.call("POST", f"{PATH}:discard", {"reason": "r"}, headers=operator)
        assert (done.status_code, done.json()["code"]) == (503, "BROKER_UNAVAILABLE")


async def test_a_queue_from_before_with_other_arguments_does_as_well(database_url, amqp_url, broker_prefix):
    name = Topology(prefix=broker_prefix).unreadable_queue
    connection = await aio_pika.connect(amqp_url)
    async with connection, connection.channel() as channel:
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 20})
        async with (
            outside_channel(amqp_url, broker_prefix),
            serving(database_url, amqp_url=amqp_url, name_prefix=broker_prefix) as api,
        ):
            await found(lambda: _reachable(api))
            operator = await operator_token(api, "on call", "ops:write")
            assert (await look(api, operator))["broker"] == "up"


async def _reachable(api):
    return api.services.broker.reachable or None
