"""The subscriber that the README shows works as it stands, but for the names, which belong to this test."""

import asyncio
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
from aio_pika.exceptions import PublishError

from domain.events import EventType
from infra.cloudevents import encode
from tests.support.brokers import outside_channel
from tests.support.sample_events import SAMPLES, numbered
from tests.support.waiting import found

ROOT = Path(__file__).resolve().parents[2]


async def test_the_subscriber_of_the_readme_prints_what_is_published(amqp_url, broker_prefix):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    program = example.replace("seatline.events", f"{broker_prefix}.events").replace("my-service", broker_prefix)
    event = SAMPLES[EventType.GROUP_ASSIGNMENT_CREATED]
    (message,) = encode(numbered(event), tenant_key="demo", at=datetime.now(UTC))
    async with outside_channel(amqp_url, broker_prefix) as channel:
        subscriber = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program,
            env={**os.environ, "SEATLINE_AMQP_URL": amqp_url}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await found(lambda: published(channel, broker_prefix, message))
            async with asyncio.timeout(20):
                line = await subscriber.stdout.readline()
        finally:
            subscriber.kill()
            await subscriber.wait()
            await channel.queue_delete(broker_prefix)
    assert line.decode().split() == [f"{1:019}", "seatline.group_assignment.created.v1", event.subject]


async def published(channel, prefix, message):
    """Whether somebody is bound by now, and has the message."""
    exchange = await channel.get_exchange(f"{prefix}.events")
    try:
        await exchange.publish(aio_pika.Message(message.body), routing_key=message.routing_key, mandatory=True)
    except PublishError:
        return False
    return True
