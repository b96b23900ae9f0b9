"""What RabbitMQ can do to the service, and what people do to RabbitMQ."""

import asyncio
import time

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from tests.chaos.scene import Scene
from tests.chaos.servers import freeze, thaw

_STOPPED_SECONDS = 30.0
_ALARM_SECONDS = 4.0
_TRIPLED_SECONDS = 4.0
_MEMORY, _DISK = "set_vm_memory_high_watermark", "set_disk_free_limit"


async def killed(scene: Scene) -> str:
    """kill -9, and a start with the same data."""
    began = time.monotonic()
    await asyncio.to_thread(scene.servers.rabbitmq.kill)
    await asyncio.to_thread(scene.servers.rabbitmq.start)
    return f"kill -9, serving again after {time.monotonic() - began:.1f} s"


async def restarted(scene: Scene) -> str:
    """An orderly stop and a start."""
    began = time.monotonic()
    await asyncio.to_thread(scene.servers.rabbitmq.stop)
    await asyncio.to_thread(scene.servers.rabbitmq.start)
    return f"serving again after {time.monotonic() - began:.1f} s"


async def stopped(scene: Scene) -> str:
    """SIGSTOP: every connection stands, and nobody answers."""
    freeze(scene.servers.rabbitmq)
    try:
        await scene.meanwhile(_STOPPED_SECONDS)
    finally:
        thaw(scene.servers.rabbitmq)
    return f"{_STOPPED_SECONDS:.0f} s"


async def memory_alarm(scene: Scene) -> str:
    """The broker blocks every connection that publishes."""
    return await _alarm(scene, (_MEMORY, "absolute", "1"), (_MEMORY, "absolute", "1GB"))


async def disk_alarm(scene: Scene) -> str:
    """The same for want of disk."""
    return await _alarm(scene, (_DISK, "100000GB"), (_DISK, "50MB"))


async def queue_purged(scene: Scene) -> str:
    """Somebody purges the queue of the claims, again and again."""

    async def purge(channel: AbstractChannel) -> None:
        for _ in range(20):
            await (await channel.get_queue(scene.topology.commands_queue, ensure=False)).purge()
            await asyncio.sleep(0.1)

    await scene.on_broker(purge)
    return "20 times in 2 s"


async def queue_deleted(scene: Scene) -> str:
    """Somebody deletes the queue of the claims."""

    async def delete(channel: AbstractChannel) -> None:
        await channel.queue_delete(scene.topology.commands_queue)

    await scene.on_broker(delete)
    return scene.topology.commands_queue


async def claims_tripled(scene: Scene) -> str:
    """Every claim is delivered three times, the repetitions in random order."""
    copies: list[bytes] = []

    async def triple(channel: AbstractChannel) -> None:
        copies.clear()
        exchange = await channel.get_exchange(scene.topology.commands_exchange, ensure=False)
        queue = await channel.declare_queue(exclusive=True, auto_delete=True)

        async def take(message: AbstractIncomingMessage) -> None:
            if not message.headers.get("chaos"):
                copies.extend([message.body, message.body])

        await queue.bind(exchange, routing_key=scene.topology.claim_key)
        await queue.consume(take, no_ack=True)
        await asyncio.sleep(_TRIPLED_SECONDS)
        await queue.unbind(exchange, routing_key=scene.topology.claim_key)
        scene.rng.shuffle(copies)
        for body in copies:
            message = aio_pika.Message(body, headers={"chaos": True}, content_type="application/json")
            await exchange.publish(message, routing_key=scene.topology.claim_key)

    await scene.on_broker(triple)
    return f"{len(copies) // 2} messages of claims"


async def _alarm(scene: Scene, begin: tuple[str, ...], end: tuple[str, ...]) -> str:
    await scene.servers.control_broker(*begin)
    try:
        await asyncio.sleep(_ALARM_SECONDS)
    finally:
        await scene.servers.control_broker(*end)
    return f"{_ALARM_SECONDS:.0f} s"
