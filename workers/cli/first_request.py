"""One real request, all the way through: accepted, applied by a worker, its event readable.

Its one rule: what is sent here is what the printed `curl` lines send, so that those are known to work.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self

from infra.local.state import write_private
from workers.cli.public_api import GLANCE, PATIENCE_SECONDS, CallError, PublicApi

BATCH = "/api/admin/users/v4/user-groups/assignments/batch"
GROUP, USER, ROLE = "team-mentors", "p0001", "mentor"
CREATED = "seatline.group_assignment.created.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRequest:
    """What went through: its idempotency key, its operation, and the event sequence before it."""

    key: str
    operation: str
    after: str

    def write(self, path: Path) -> None:
        """Leave it for the commands that print it."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What was left; None while nothing went through yet."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(key=values["key"], operation=values["operation"], after=values["after"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def send(api: PublicApi, *, last_sequence: Callable[[], int], look: Callable[[], None]) -> FirstRequest:
    """Take one assignment away, give it back, and wait until the event of the giving can be read.

    Raises:
        CallError: a step was refused or did not happen in time.
    """
    _make_participants(api)
    api.batch("DELETE", BATCH, [{"group_id": GROUP, "user_id": USER, "role_id": ROLE}])
    before = f"{last_sequence():019}"
    key = f"first-request-{uuid.uuid4().hex[:12]}"
    answer = api.batch("POST", BATCH, [batch_item()], {"Idempotency-Key": key})
    (item,) = answer.body["items"]
    if item["status"] != HTTPStatus.CREATED:
        raise CallError(f"the first request was refused: {item}")
    first = FirstRequest(key=key, operation=str(answer.operation), after=before)
    _await_event(api, first, look)
    return first


def batch_item() -> dict[str, object]:
    """The one assignment that the first request gives."""
    return {"group_id": GROUP, "body": {"role_id": ROLE, "user_id": USER}}


def curl_lines(url: str, token: str, first: FirstRequest) -> tuple[str, str, str]:
    """A batch, its operation, its events: each works as it stands, in any order, any number of times."""
    authorization = f"-H 'Authorization: Bearer {token}'"
    body = json.dumps({"items": [batch_item()]}, separators=(",", ":"))
    key = f"-H 'Idempotency-Key: {first.key}'"
    return (
        f"curl -sS -X POST '{url}{BATCH}' {authorization} {key} -H 'Content-Type: application/json' -d '{body}'",
        f"curl -sS '{url}/v1/operations/{first.operation}' {authorization}",
        f"curl -sS '{url}/v1/events?after={first.after}' {authorization}",
    )


def _make_participants(api: PublicApi) -> None:
    """Where the tenant was there before and has no sample data, make what the request needs."""
    needed = {
        f"/v1/groups/{GROUP}": {"name": "Mentors"},
        f"/v1/users/{USER}": {"username": "first.request"},
        f"/v1/roles/{ROLE}": {"permission_scope": "USER_GROUPS", "titles": {"en": "Mentor"}},
    }
    for path, body in needed.items():
        if api.call("GET", path).status == HTTPStatus.NOT_FOUND:
            made = api.call("PUT", path, body)
            if made.status != HTTPStatus.CREATED:
                raise CallError(f"PUT {path}: {made.status} {made.body}")


def _await_event(api: PublicApi, first: FirstRequest, look: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        look()
        events = api.get(f"/v1/events?after={first.after}&limit=100")["events"]
        if any(event["operationid"] == first.operation and event["type"] == CREATED for event in events):
            return
        time.sleep(GLANCE)
    raise CallError(f"the event of operation {first.operation} did not appear in /v1/events")
