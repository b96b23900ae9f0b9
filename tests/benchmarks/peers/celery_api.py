"""Peer (a)'s HTTP side: sends a task and answers with its result.

On threads of its own: Celery gives every thread a queue for results, and those of FastAPI end after ten idle seconds.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI, Response

from tests.benchmarks.peers import doors
from tests.benchmarks.peers.celery_app import assign_batch, assign_one_by_one

app = FastAPI()
task = assign_one_by_one if os.environ.get("PEER_READS") == "each" else assign_batch
_SECONDS = 60
_threads = ThreadPoolExecutor(max_workers=40)


@app.post(doors.BATCH)
async def assign_many(batch: doors.Batch) -> dict[str, Any]:
    """Assign a batch."""
    return {"items": await _result_of(doors.items_of(batch))}


@app.post(doors.SINGLE)
async def assign_one(group_id: str, given: doors.Given, response: Response) -> dict[str, Any]:
    """Assign one person."""
    return doors.single_answer(await _result_of(doors.one(group_id, given)), response)


async def _result_of(items: list[dict[str, Any]]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: task.delay(items).get(timeout=_SECONDS))
