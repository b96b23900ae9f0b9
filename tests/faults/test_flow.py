"""The users dialect from the first call to the last event, with a healthy broker and with one that keeps failing."""

import asyncio
import json

import pytest

from tests.support.api import groups, people, roles, serving
from tests.support.brokers import outside_channel
from tests.support.outbox import firsts, subscribed
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually, found

DOOR = "/api/admin/users/v4/user-groups"
PEOPLE = [f"p{number}" for number in range(20)]
# More than API and worker say to the broker while they connect, and more than the largest message of the flow.
OFTEN = 40_000


@pytest.fixture
async def outside(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def proxy(amqp_url):
    async with TcpProxy(amqp_url) as proxy:
        yield proxy


@pytest.fixture(params=["healthy", "flaky"])
async def flow(request, database_url, proxy, broker_prefix, outside):
    """The API, a worker and a subscriber; a flaky broker loses its connections before each call and now and then."""
    arrived = await subscribed(outside, broker_prefix, "#")
    async with serving(database_url, amqp_url=proxy.url, name_prefix=broker_prefix) as api:
        if request.param == "flaky":
            proxy.reset_every(OFTEN)
            api.client.event_hooks = {"request": [cutting(proxy)]}
        await eventually(lambda: api.services.broker.reachable)
        yield api, arrived


def cutting(proxy: TcpProxy):
    async def cut(_request: object) -> None:
        proxy.cut()

    return cut


def given(group: str, person: str) -> dict:
    return {"group_id": group, "body": {"role_id": "trainer", "user_id": person}}


async def test_every_call_is_answered_and_every_event_arrives(flow):
    api, arrived = flow
    await api.arrange(groups("sales"), roles("trainer"), people(*PEOPLE))
    batch = {"items": [given("sales", person) for person in [*PEOPLE[1:], "nobody"]]}
    first, repeated = [
        await api.call("POST", f"{DOOR}/assignments/batch", batch, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    single = await api.call("POST", f"{DOOR}/sales/assignments", {"role_id": "trainer", "user_id": "p0"})
    taken_back = await api.call("DELETE", f"{DOOR}/sales/assignments/p3/trainer")
    later = await api.call("DELETE", "/v1/users/p4", headers={"Prefer": "respond-async"})
    operation = await finished(api, later.headers["Location"])

    assert [item["status"] for item in first.json()["items"]] == [201] * 19 + [404]
    assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert (single.status_code, taken_back.status_code, later.status_code) == (201, 200, 202)
    assert operation["status"] == "succeeded"
    assert (await api.call("GET", "/v1/groups/sales")).json()["user_count"] == 18
    await announced(api, arrived)


async def finished(api, location: str) -> dict:
    async def look():
        body = (await api.call("GET", location)).json()
        return body["status"] not in {"queued", "running"} and body

    return await found(look)


async def announced(api, arrived: asyncio.Queue) -> None:
    """All events of the log have come, each the same in every repetition, without a gap."""
    log = (await api.call("GET", "/v1/events?limit=1000")).json()["events"]
    assert [int(event["sequence"]) for event in log] == list(range(1, len(log) + 1))
    bodies: list[bytes] = []
    async with asyncio.timeout(40):
        while (heard := [event for body in firsts(bodies) for event in json.loads(body)]) != log:
            assert heard == log[: len(heard)]
            bodies.append((await arrived.get()).body)
