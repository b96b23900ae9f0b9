"""How fast claims are published, confirmed and delivered, one at a time and many together.

Run: PYTHONPATH=. python -m tests.benchmarks.claim_rate, with SEATLINE_TEST_AMQP_URL set.
"""

import asyncio
import os
import statistics
import time
import uuid

import click

from infra.rabbitmq import Broker
from tests.support.brokers import Inbox, a_claim, outside_channel, running_broker
from tests.support.waiting import eventually, taken

ALONE = 500


@click.command()
@click.option("--together", default=100, help="How many claims one call publishes.")
@click.option("--calls", default=50, help="How many calls follow one another.")
def main(together: int, calls: int) -> None:
    """Measure once and print."""
    asyncio.run(_measure(together, calls))


async def _measure(together: int, calls: int) -> None:
    url, prefix = os.environ["SEATLINE_TEST_AMQP_URL"], f"bench{uuid.uuid4().hex[:8]}"
    async with outside_channel(url, prefix), running_broker(url, prefix) as broker:
        inbox = Inbox()
        await broker.consume_claims(inbox, prefetch=10_000)
        await eventually(lambda: broker.reachable)
        confirmed, delivered = await _alone(broker, inbox)
        click.echo(f"one at a time: confirmed in {confirmed:.2f} ms, delivered in {delivered:.2f} ms (medians)")
        started = time.perf_counter()
        for _ in range(calls):
            await broker.publish_claims([a_claim() for _ in range(together)])
        rate = calls * together / (time.perf_counter() - started)
        await taken(inbox.queue, calls * together)
        click.echo(f"{together} at a time: {rate:,.0f} claims/s confirmed")


async def _alone(broker: Broker, inbox: Inbox) -> tuple[float, float]:
    confirmed, delivered = [], []
    for _ in range(ALONE):
        started = time.perf_counter()
        arriving = asyncio.create_task(taken(inbox.queue, 1))
        await broker.publish_claims([a_claim()])
        confirmed.append(time.perf_counter() - started)
        [item] = await arriving
        delivered.append(time.perf_counter() - started)
        item.ack()
    return statistics.median(confirmed) * 1000, statistics.median(delivered) * 1000


if __name__ == "__main__":
    main()
