"""The two calls that the load generator sends, as FastAPI schemas: the same bodies and answers as Seatline's."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel

BATCH = "/api/admin/users/v4/user-groups/assignments/batch"
SINGLE = "/api/admin/users/v4/user-groups/{group_id}/assignments"


class Given(BaseModel):
    """Who gets which role."""

    role_id: str
    user_id: str


class Item(BaseModel):
    """One assignment of a batch."""

    group_id: str
    body: Given


class Batch(BaseModel):
    """Up to a hundred of them."""

    items: list[Item]


def items_of(batch: Batch) -> list[dict[str, Any]]:
    """The items as a message can carry them."""
    return [item.model_dump() for item in batch.items]


def one(group_id: str, given: Given) -> list[dict[str, Any]]:
    """A single call as a batch of one."""
    return [{"group_id": group_id, "body": given.model_dump()}]


def single_answer(results: list[dict[str, Any]], response: Response) -> dict[str, Any]:
    """The answer of a single call: the assignment, or what is wrong."""
    [result] = results
    response.status_code = result["status"]
    answer: dict[str, Any] = result.get("body") or result["error"]
    return answer
