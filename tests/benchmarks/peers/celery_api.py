"""Peer (a)'s HTTP side: sends a task and answers with its result."""

import os
from typing import Any

from fastapi import FastAPI, Response

from tests.benchmarks.peers import doors
from tests.benchmarks.peers.celery_app import assign_batch, assign_one_by_one

app = FastAPI()
task = assign_one_by_one if os.environ.get("PEER_READS") == "each" else assign_batch
_SECONDS = 60


@app.post(doors.BATCH)
def assign_many(batch: doors.Batch) -> dict[str, Any]:
    """Assign a batch."""
    return {"items": task.delay(doors.items_of(batch)).get(timeout=_SECONDS)}


@app.post(doors.SINGLE)
def assign_one(group_id: str, given: doors.Given, response: Response) -> dict[str, Any]:
    """Assign one person."""
    return doors.single_answer(task.delay(doors.one(group_id, given)).get(timeout=_SECONDS), response)
