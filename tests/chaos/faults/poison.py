"""Poison of five kinds. Each must fail alone, and what cannot be read must be set aside."""

import asyncio
import json
import time
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel

from tests.chaos.process import CRASHES, DIES, RAISES
from tests.chaos.scene import Scene

_ENVELOPES = (
    b"",
    b"garbage",
    b"x" * 100_000,
    b'{"v":2,"tenant_id":1,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
    b'{"v":1,"tenant_id":99999999999999999999,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',
    b'{"v":1,"tenant_id":77777,"operation_id":"0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"}',  # well-formed, of nobody
)
_UNREADABLE = len(_ENVELOPES) - 1
_ASIDE_SECONDS = 30.0
_GLANCE = 0.2
# As an API process of a later version would: after the workers, in the wrong order of an upgrade.
_LATER = """
INSERT INTO operation (tenant_id, id, kind, items, bytes, request, presentation, fingerprint, total)
SELECT id, $2, 'groups.frobnicate', 1, 2, '{}', $3::json, '', 1 FROM tenant WHERE key = $1
"""
# Three alone, and those before: one whose name was not on the disk, one beside others.
_MOST_CRASHES = 6
_DEATHS = """
SELECT coalesce(max(attempts), 0) AS attempts, coalesce(max(deaths_alone), 0) AS alone
  FROM operation WHERE id = ANY ($1::uuid[])
"""


async def bad_envelopes(scene: Scene) -> str:
    """Messages among the claims that are none. Over when they are set aside: the next fault may throw the queue away.

    Raises:
        TimeoutError: they were not.
        ChannelNotFoundEntity, DeliveryError: there was no queue to put them into, or none that took them.
    """
    aside = await scene.unreadable()

    async def publish(channel: AbstractChannel) -> None:
        # Into the queue itself, once it is there: what an exchange cannot route it throws away, without a word.
        queue = await channel.declare_queue(scene.topology.commands_queue, passive=True)
        for body in _ENVELOPES:
            await channel.default_exchange.publish(aio_pika.Message(body), routing_key=queue.name)

    await scene.on_broker(publish)
    scene.bad_envelopes += _UNREADABLE
    await _set_aside(scene, aside + _UNREADABLE)
    return f"{_UNREADABLE} that cannot be read, and a claim of nobody"


async def _set_aside(scene: Scene, expected: int) -> None:
    until = time.monotonic() + _ASIDE_SECONDS
    while (seen := await scene.unreadable()) < expected:
        if time.monotonic() > until:
            raise TimeoutError(f"{seen} unreadable messages are set aside, {expected} expected")
        await asyncio.sleep(_GLANCE)


async def unknown_kind(scene: Scene) -> str:
    """Operations of a kind that these workers do not know."""
    presentation = json.dumps({"form": "none", "language": "en", "options": {}})
    for tenant in scene.tenants:
        operation_id = uuid4()
        await scene.ask(_LATER, tenant.key, operation_id, presentation)
        scene.unknown_kinds.append(str(operation_id))
    return f"{len(scene.tenants)} operations"


async def raises(scene: Scene) -> str:
    """An operation that raises wherever it is applied."""
    call = await scene.poisoned(scene.rng.choice(scene.tenants), RAISES, kind="raises")
    return f"answered with {_status(call.answer)} after {len(call.fates)} attempts"


async def kills(scene: Scene) -> str:
    """An operation that kills whichever worker applies it."""
    before, scene.fleet.workers_may_die = scene.fleet.restarts, True
    try:
        call = await scene.poisoned(scene.rng.choice(scene.tenants), DIES, kind="kills")
    finally:
        scene.fleet.workers_may_die = False
    return f"{scene.fleet.restarts - before} workers died, answered with {_status(call.answer)}"


async def crashes(scene: Scene) -> str:
    """An operation whose backend is killed, as by a kernel without memory: Postgres starts again from its log."""
    call = await scene.poisoned(scene.rng.choice(scene.tenants), CRASHES, kind="crashes")
    [row] = await scene.ask(_DEATHS, list(call.operation_ids))
    if row["attempts"] > _MOST_CRASHES:
        scene.failures.append(f"Postgres crashed {row['attempts']} times before {CRASHES} was given up")
    return f"{row['attempts']} crashes counted, {row['alone']} of them alone; answered with {_status(call.answer)}"


def _status(answer: object) -> object:
    return getattr(answer, "status", "nothing")
