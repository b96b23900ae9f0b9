"""How many events a second the relay takes from the outbox to the exchange, and what it costs while nothing happens.

Run: PYTHONPATH=. python -m tests.benchmarks.relay_rate, with SEATLINE_TEST_DATABASE_URL and SEATLINE_TEST_AMQP_URL set.
"""

import asyncio
import os
import time
import uuid
from datetime import UTC, datetime

import asyncpg
import click

from domain.events import EventType
from infra.cloudevents import EVENTS_PER_MESSAGE, OutboxMessage, encode
from infra.local import databases
from infra.postgres.database import Database
from infra.postgres.outbox_bodies import pack
from infra.rabbitmq import Broker
from tests.support.brokers import outside_channel
from tests.support.sample_events import SAMPLES, numbered
from tests.support.waiting import eventually
from workers.relay import Relay

IDLE_SECONDS = 10


@click.command()
@click.option("--messages", default=3_000, help="How many messages lie in the outbox.")
@click.option("--tenants", default=10, help="Over how many tenants they are spread.")
@click.option("--events", default=EVENTS_PER_MESSAGE, help="How many events are in each.")
@click.option("--listen/--nobody", default=True, help="Whether a quorum queue is bound to the exchange.")
def main(messages: int, tenants: int, events: int, *, listen: bool) -> None:
    """Measure once and print."""
    url = databases.create(os.environ["SEATLINE_TEST_DATABASE_URL"])
    try:
        asyncio.run(_measure(url, messages, tenants, events, listen=listen))
    finally:
        databases.drop(url)


async def _measure(url: str, messages: int, tenants: int, events: int, *, listen: bool) -> None:
    amqp_url, prefix = os.environ["SEATLINE_TEST_AMQP_URL"], f"bench{uuid.uuid4().hex[:8]}"
    size = await _fill(url, messages, tenants, events)
    database = Database(url, size=2)
    broker = Broker(url=amqp_url, prefix=prefix, connection_name="bench")
    relay = Relay(database=database, broker=broker)
    async with outside_channel(amqp_url, prefix) as channel:
        if listen:
            queue = await channel.declare_queue(f"{prefix}.all", durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind(f"{prefix}.events", routing_key="#")
        await broker.start()
        await eventually(lambda: broker.reachable)
        started, cpu = time.perf_counter(), time.process_time()
        await relay.start()
        await _drained(url)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        rate, heard = messages / seconds, "one subscriber" if listen else "no subscriber"
        click.echo(f"{messages * events} events in {messages} messages of {size} bytes, {heard}:")
        click.echo(f"{rate * events:,.0f} events/s, {rate:,.0f} messages/s, relay CPU {cpu / seconds:.0%}")
        cpu = time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        click.echo(f"idle: {(time.process_time() - cpu) / IDLE_SECONDS:.2%} of a core")
        await relay.stop()
        await broker.stop()
        await channel.queue_delete(f"{prefix}.all")
    await database.close()


async def _fill(url: str, messages: int, tenants: int, events: int) -> int:
    per_tenant = messages // tenants
    event = SAMPLES[EventType.GROUP_ASSIGNMENT_CREATED]
    connection = await asyncpg.connect(url)
    for tenant in range(1, tenants + 1):
        outbox = [
            message
            for start in range(1, per_tenant * events + 1, events)
            for message in encode(
                numbered(event, first=start, count=events, previous=start - 1),
                tenant_key=f"tenant-{tenant}",
                at=datetime.now(UTC),
            )
        ]
        await connection.copy_records_to_table(
            "outbox",
            records=[_row(tenant, message) for message in outbox],
            columns=[
                "tenant_id",
                "type",
                "first_sequence",
                "last_sequence",
                "operation_id",
                "routing_key",
                "body",
                "bytes",
            ],
        )
    await connection.close()
    return len(outbox[0].body)


def _row(tenant: int, message: OutboxMessage) -> tuple[object, ...]:
    first, last = message.first_sequence, message.last_sequence
    return tenant, message.type, first, last, uuid.uuid4(), message.routing_key, *pack(message.body)


async def _drained(url: str) -> None:
    connection = await asyncpg.connect(url)
    while await connection.fetchval("SELECT EXISTS (SELECT 1 FROM outbox WHERE published_at IS NULL)"):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await connection.close()


if __name__ == "__main__":
    main()
