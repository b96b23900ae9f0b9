"""The requests of the load: who is put into which group, as bytes that only have to be sent.

One rule: no two requests of a tenant give the same assignment, so that every one of them has work to do.
"""

import json
from dataclasses import dataclass

PEOPLE = 5_000
GROUPS = 40
PAIRS = PEOPLE * GROUPS
ROLE = "learner"
BATCH_PATH = "/api/admin/users/v4/user-groups/assignments/batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run sends: `requests` of `items` each, from `callers` at a time, beginning at the pair `first`.

    The first `warm_up` requests are sent before the clock starts.
    """

    first: int
    requests: int
    items: int
    callers: int
    warm_up: int


def pair(number: int) -> tuple[str, str]:
    """The group and the person of a number below PAIRS; neighbours differ in both."""
    turn, person = divmod(number, PEOPLE)
    return f"g{(person + turn) % GROUPS:02}", f"p{person:04}"


def messages(load: Load, *, host: str, token: str) -> list[bytes]:
    """The requests of a load, as HTTP/1.1."""
    total = load.warm_up + load.requests
    starts = range(load.first, load.first + total * load.items, load.items)
    make = _batch if load.items > 1 else _single
    return [make(start, load.items, host, token) for start in starts]


def _batch(start: int, items: int, host: str, token: str) -> bytes:
    pairs = [pair(number) for number in range(start, start + items)]
    body = {"items": [{"group_id": group, "body": {"role_id": ROLE, "user_id": person}} for group, person in pairs]}
    return message("POST", BATCH_PATH, body, host=host, token=token)


def _single(start: int, _items: int, host: str, token: str) -> bytes:
    group, person = pair(start)
    path = f"/api/admin/users/v4/user-groups/{group}/assignments"
    return message("POST", path, {"role_id": ROLE, "user_id": person}, host=host, token=token)


def message(method: str, path: str, body: object, *, host: str, token: str) -> bytes:
    """One request."""
    content = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def refused(load: Load, bodies: list[tuple[int, bytes]]) -> int:
    """How many items were not created; every answer is parsed, after the clock has stopped."""
    if load.items == 1:
        return sum(status != 201 for status, _ in bodies)
    created = 0
    for status, body in bodies:
        if status == 200:
            created += sum(item["status"] == 201 for item in json.loads(body)["items"])
    return len(bodies) * load.items - created
