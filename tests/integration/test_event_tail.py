"""Following events on a real broker: a lost connection, a lost message and a repeated one leave no trace."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from itertools import groupby

import httpx
import pytest

from domain.events import EventType
from infra.cloudevents import encode, wire_sequence, wire_type
from infra.rabbitmq import EventMessage, Subscription
from tests.support.brokers import outside_channel, running_broker
from tests.support.sample_events import SAMPLES, numbered
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually
from workers.cli.event_log import EventLog
from workers.cli.event_tail import Tail

USER, GROUP = EventType.USER_UPDATED, EventType.GROUP_UPDATED
AT = datetime(2026, 5, 4, tzinfo=UTC)


class Service:
    """A tenant's log behind `/v1/events`, and the messages that a relay would publish of it."""

    def __init__(self, broker):
        self._broker = broker
        self._last = {}
        self.events = []
        self.requests = []
        self.failures = 0
        self.earliest = 1

    def add(self, *types):
        """Append events; their messages."""
        messages = []
        for event_type, same in groupby(types):
            first, count = len(self.events) + 1, len(list(same))
            run = numbered(SAMPLES[event_type], first=first, count=count, previous=self._last.get(event_type, 0))
            self._last[event_type] = first + count - 1
            added = list(encode(run, tenant_key="demo", at=AT))
            self.events += [event for message in added for event in json.loads(message.body)]
            messages += added
        return messages

    async def publish(self, messages):
        """Publish as the relay does."""
        sent = [
            EventMessage(
                message_id=f"demo-{message.first_sequence}",
                routing_key=message.routing_key,
                body=message.body,
                headers={},
            )
            for message in messages
        ]
        assert all(await self._broker.publish_events(sent))

    async def __call__(self, request):
        """Answer as the API does."""
        self.requests.append(dict(request.url.params))
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        after, types = int(request.url.params["after"]), request.url.params.get("types")
        if after + 1 < self.earliest:
            return httpx.Response(410, json={"code": "EVENTS_EXPIRED", "earliest": wire_sequence(self.earliest)})
        wanted = types.split(",") if types else None
        page = [event for event in self.events[after:] if wanted is None or event["type"] in wanted][
            : int(request.url.params["limit"])
        ]
        return httpx.Response(200, json={"events": page})


@pytest.fixture
async def channel(amqp_url, broker_prefix):
    async with outside_channel(amqp_url, broker_prefix) as channel:
        yield channel


@pytest.fixture
async def service(amqp_url, broker_prefix, channel):
    async with running_broker(amqp_url, broker_prefix) as broker:
        yield Service(broker)


@pytest.fixture
async def proxy(amqp_url):
    async with TcpProxy(amqp_url) as proxy:
        yield proxy


class Watching:
    """A tail that runs in the background; what it has shown and said."""

    def __init__(self, service, url, prefix, *, types=(), after=None, has_log=True):
        self.shown, self.said = [], []
        transport = httpx.MockTransport(service)
        log = EventLog(url="http://log", token="t", tenant="demo", say=self.said.append, transport=transport)
        self._log = log
        self._tail = Tail(
            types=[wire_type(item) for item in types],
            after=after,
            log=log if has_log else None,
            show=self.shown.append,
            say=self.said.append,
        )
        keys = [f"demo.{item}" for item in types or ("#",)]
        self._subscription = Subscription(url=url, prefix=prefix, keys=keys, connection_name="test tail")

    async def __aenter__(self):
        await self._subscription.start()
        self._task = asyncio.create_task(self._tail.follow(self._subscription))
        await self.connected(1)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._subscription.stop()
        await self._log.close()
        if not self._task.cancelled():
            self._task.result()

    async def connected(self, times):
        await eventually(lambda: self.said.count("connected") == times)

    async def sees(self, events):
        await eventually(lambda: len(self.shown) >= len(events))
        assert self.shown == events


async def test_events_are_shown_as_they_are_published(service, amqp_url, broker_prefix):
    async with Watching(service, amqp_url, broker_prefix) as watching:
        await service.publish(service.add(USER, USER, GROUP))
        await watching.sees(service.events)


async def test_a_repeated_message_is_shown_once(service, amqp_url, broker_prefix):
    async with Watching(service, amqp_url, broker_prefix) as watching:
        first, second = service.add(USER), service.add(GROUP)
        await service.publish([*first, *second, *first, *second])
        await service.publish(service.add(USER))
        await watching.sees(service.events)


async def test_a_message_that_was_lost_is_read_from_the_log(service, amqp_url, broker_prefix):
    async with Watching(service, amqp_url, broker_prefix) as watching:
        await service.publish(service.add(USER))
        service.add(USER, GROUP)
        await service.publish(service.add(USER))
        await watching.sees(service.events)
        assert service.requests[0]["after"] == "1"


async def test_the_log_is_shown_first_when_it_is_asked_for(service, amqp_url, broker_prefix):
    service.add(USER, GROUP, USER)
    async with Watching(service, amqp_url, broker_prefix, after=1) as watching:
        await service.publish(service.add(GROUP))
        await watching.sees(service.events[1:])


async def test_what_happened_while_the_connection_was_down_is_shown_when_it_is_back(service, proxy, broker_prefix):
    async with Watching(service, proxy.url, broker_prefix) as watching:
        await service.publish(service.add(USER))
        await watching.sees(service.events)
        proxy.cut(refuse=True)
        await service.publish(service.add(USER, GROUP))
        proxy.heal()
        await watching.connected(2)
        await watching.sees(service.events)
        await service.publish(service.add(USER))
        await watching.sees(service.events)


async def test_followed_types_are_complete_though_other_types_come_between(service, amqp_url, broker_prefix):
    async with Watching(service, amqp_url, broker_prefix, types=[USER], after=0) as watching:
        await service.publish(service.add(GROUP, USER, GROUP))
        service.add(USER, GROUP)
        await service.publish(service.add(GROUP, USER))
        await watching.sees([event for event in service.events if event["type"] == wire_type(USER)])


async def test_a_log_that_is_away_is_asked_again(service, amqp_url, broker_prefix):
    service.add(USER)
    service.failures = 2
    async with Watching(service, amqp_url, broker_prefix, after=0) as watching:
        await watching.sees(service.events)
        assert any("trying again" in text for text in watching.said)


async def test_what_the_log_no_longer_has_is_said_and_the_rest_is_shown(service, amqp_url, broker_prefix):
    service.add(USER, USER, USER)
    service.earliest = 3
    async with Watching(service, amqp_url, broker_prefix, after=0) as watching:
        await watching.sees(service.events[2:])
        assert any("begins at 3" in text for text in watching.said)


async def test_a_gap_without_a_log_is_said_and_passed(service, amqp_url, broker_prefix):
    async with Watching(service, amqp_url, broker_prefix, has_log=False) as watching:
        await service.publish(service.add(USER))
        service.add(USER)
        await service.publish(service.add(USER))
        await watching.sees([service.events[0], service.events[2]])
        assert any("were missed" in text for text in watching.said)


async def test_the_command_prints_the_stored_bytes_and_ends_cleanly_on_an_interruption(
    service, amqp_url, broker_prefix
):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "events", "tail", "--json", "--type", "user.updated"),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", "."),
            "SEATLINE_AMQP_URL": amqp_url,
            "SEATLINE_NAME_PREFIX": broker_prefix,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            assert await process.stderr.readline() == b"# connected\n"
            messages = service.add(USER, USER)
            await service.publish(messages)
            printed = [await process.stdout.readline(), await process.stdout.readline()]
            process.send_signal(signal.SIGINT)
            rest, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert messages[0].body == b"[" + b",\n".join(line.rstrip(b"\n") for line in printed) + b"]"
    assert (process.returncode, rest, errors) == (0, b"", b"")
