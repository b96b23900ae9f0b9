"""Sends the sample data through the public API, as an upstream system would.

Its one rule: every call is an upsert, so that a load that was interrupted is simply done again.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from workers.cli.public_api import CallError, PublicApi
from workers.cli.sample import JsonObject, sample

BATCH = 500
ALREADY = "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"


def load(api: PublicApi, *, say: Callable[[str], None]) -> None:
    """Load roles, groups, people and who is in which group.

    Raises:
        CallError: an item was refused, which it never is on a tenant of our own.
    """
    data = sample()
    people, groups, roles = len(data.people), len(data.groups), len(data.roles)
    say(f"loading sample data through the API: {people:,} people, {groups} groups, {roles} roles")
    _send(api, "/v1/roles:batch", data.roles)
    _send(api, "/v1/groups:batch", data.groups)
    _send(api, "/v1/users:batch", data.people)
    say(f"loading {len(data.assignments):,} group assignments")
    _send(api, "/v1/group-assignments:batch", data.assignments)


def _send(api: PublicApi, path: str, items: Sequence[JsonObject]) -> None:
    for begin in range(0, len(items), BATCH):
        answer = api.batch("POST", path, items[begin : begin + BATCH])
        for item in answer.body["items"]:
            refused = item["status"] >= HTTPStatus.BAD_REQUEST
            if refused and item.get("error", {}).get("code") != ALREADY:
                raise CallError(f"POST {path}: an item was refused: {item}")
