"""Peer (b)'s HTTP side: sends a message and answers with the reply to it.

Replies come to a queue of this process and are told apart by their correlation id. `broker.request`, which waits by
itself, has one request on its way at a time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

from fastapi import FastAPI, Response
from faststream import Context
from faststream.rabbit import RabbitBroker, RabbitQueue

from tests.benchmarks.peers import doors
from tests.benchmarks.peers.models import AMQP_URL, QUEUE

Results = list[dict[str, Any]]

broker = RabbitBroker(AMQP_URL, logger=None)
replies = RabbitQueue(f"{QUEUE}-replies-{uuid4().hex}", exclusive=True, auto_delete=True)
waiting: dict[str, "asyncio.Future[Results]"] = {}
_SECONDS = 60


@broker.subscriber(replies)
async def answered(results: Results, correlation_id: Annotated[str, Context("message.correlation_id")]) -> None:
    """Hand a reply to the request that waits for it."""
    asked = waiting.pop(correlation_id, None)
    if asked is not None and not asked.done():
        asked.set_result(results)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Connected for as long as the application runs."""
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


app = FastAPI(lifespan=lifespan)


async def _asked(items: list[dict[str, Any]]) -> Results:
    correlation_id = uuid4().hex
    waiting[correlation_id] = asyncio.get_running_loop().create_future()
    try:
        await broker.publish(items, QUEUE, reply_to=replies.name, correlation_id=correlation_id, persist=True)
        async with asyncio.timeout(_SECONDS):
            return await waiting[correlation_id]
    finally:
        waiting.pop(correlation_id, None)


@app.post(doors.BATCH)
async def assign_many(batch: doors.Batch) -> dict[str, Any]:
    """Assign a batch."""
    return {"items": await _asked(doors.items_of(batch))}


@app.post(doors.SINGLE)
async def assign_one(group_id: str, given: doors.Given, response: Response) -> dict[str, Any]:
    """Assign one person."""
    return doors.single_answer(await _asked(doors.one(group_id, given)), response)
