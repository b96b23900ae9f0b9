"""uvicorn and FastAPI alone: the bodies of the load are validated, answered as ours would be, and forgotten."""

from typing import Any

from fastapi import FastAPI

from tests.benchmarks.peers import doors

app = FastAPI()


@app.get("/readyz")
def ready() -> dict[str, str]:
    """As ours, for whoever waits until it answers."""
    return {"status": "ok"}


@app.post(doors.BATCH)
async def assign_many(batch: doors.Batch) -> dict[str, Any]:
    """A result for each item."""
    return {"items": [_result(item.group_id, item.body) for item in batch.items]}


@app.post(doors.SINGLE, status_code=201)
async def assign_one(group_id: str, given: doors.Given) -> dict[str, Any]:
    """The assignment."""
    return _assignment(group_id, given)


def _result(group_id: str, given: doors.Given) -> dict[str, Any]:
    return {
        "status": 201,
        "group_id": group_id,
        "user_id": given.user_id,
        "role_id": given.role_id,
        "body": _assignment(group_id, given),
    }


def _assignment(group_id: str, given: doors.Given) -> dict[str, Any]:
    return {
        "group_id": group_id,
        "user": {
            "id": given.user_id,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "department": "Department 7",
            "status": "ACTIVE",
        },
        "role": {"id": given.role_id, "title": "Learner"},
        "source": "MANUAL",
        "created_at": "2026-01-02T03:04:05.000000Z",
    }
