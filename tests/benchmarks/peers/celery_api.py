"""Peer (a)'s HTTP side: sends a task and answers with its result.

One request at a time in each of many processes: where threads of one process wait for results over RabbitMQ, they lose
each other's, and a request in some thousands waits for its whole timeout.
"""

import os
from threading import Lock
from typing import Any

from fastapi import FastAPI, Response

from tests.benchmarks.peers import doors
from tests.benchmarks.peers.celery_app import assign_batch, assign_one_by_one

app = FastAPI()
task = assign_one_by_one if os.environ.get("PEER_READS") == "each" else assign_batch
_SECONDS = 60
_alone = Lock()


@app.post(doors.BATCH)
def assign_many(batch: doors.Batch) -> dict[str, Any]:
    """Assign a batch."""
    return {"items": _result_of(doors.items_of(batch))}


@app.post(doors.SINGLE)
def assign_one(group_id: str, given: doors.Given, response: Response) -> dict[str, Any]:
    """Assign one person."""
    return doors.single_answer(_result_of(doors.one(group_id, given)), response)


def _result_of(items: list[dict[str, Any]]) -> Any:
    with _alone:
        return task.delay(items).get(timeout=_SECONDS)
