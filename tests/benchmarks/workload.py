"""The requests of the load: who is put into which group, as bytes that only have to be sent.

One rule: no two requests of a tenant give the same assignment, so that every one of them has work to do.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PEOPLE = 5_000
GROUPS = 40
PAIRS = PEOPLE * GROUPS
ROLE = "learner"
CARRIER = "carrier"
SEAT_PATH = "/api/catalog/licenses/program/assignment/"
BATCH_PATH = "/api/admin/users/v4/user-groups/assignments/batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run sends: `requests` of `items` each, from `callers` at a time, beginning at the pair `first`.

    The first `warm_up` requests are sent before the clock starts. `kind` is one of KINDS; `license_id` is the pool that
    seats are asked of. The tenant has so many `people` and `groups`; from one item to the next it goes `stride` people
    on, and a person's own `held` groups are left out.
    """

    first: int
    requests: int
    items: int
    callers: int
    warm_up: int
    kind: str = "roles"
    license_id: int = 0
    people: int = PEOPLE
    groups: int = GROUPS
    stride: int = 1
    held: int = 0


def pair(number: int, load: Load) -> tuple[str, str]:
    """The group and the person of a number below people x groups; neighbours differ in both."""
    turn, place = divmod(number, load.people)
    person = place * load.stride % load.people
    return f"g{(person + load.held + turn) % load.groups:02}", f"p{person:04}"


def messages(load: Load, *, host: str, tokens: Sequence[str]) -> Iterator[bytes]:
    """The requests of a load, as HTTP/1.1, each of the next tenant; every tenant gives the same pairs."""
    make = KINDS[load.kind, load.items > 1]
    for number in range(load.warm_up + load.requests):
        turn, tenant = divmod(number, len(tokens))
        yield make(load, load.first + turn * load.items, host, tokens[tenant])


def _batch(load: Load, start: int, host: str, token: str) -> bytes:
    return _roles([pair(number, load) for number in range(start, start + load.items)], host, token)


def _single(load: Load, start: int, host: str, token: str) -> bytes:
    group, person = pair(start, load)
    path = f"/api/admin/users/v4/user-groups/{group}/assignments"
    return message("POST", path, {"role_id": ROLE, "user_id": person}, host=host, token=token)


def _members(load: Load, start: int, host: str, token: str) -> bytes:
    """Everybody into the one group that carries licences."""
    return _roles([(CARRIER, f"p{number:04}") for number in range(start, start + load.items)], host, token)


def _seat(load: Load, start: int, host: str, token: str) -> bytes:
    """A direct assignment of a program licence."""
    body = {"license_id": load.license_id, "username": f"p{start:04}"}
    return message("POST", SEAT_PATH, body, host=host, token=token)


def _roles(pairs: list[tuple[str, str]], host: str, token: str) -> bytes:
    body = {"items": [{"group_id": group, "body": {"role_id": ROLE, "user_id": person}} for group, person in pairs]}
    return message("POST", BATCH_PATH, body, host=host, token=token)


# By kind, and whether a request holds many items.
KINDS = {
    ("roles", True): _batch,
    ("roles", False): _single,
    ("members", True): _members,
    ("seats", False): _seat,
}


def message(method: str, path: str, body: object, *, host: str, token: str) -> bytes:
    """One request."""
    content = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def refused(load: Load, bodies: list[tuple[int, bytes]]) -> int:
    """How many items were not given; every answer is parsed, after the clock has stopped.

    Raises:
        ValueError: a seat was refused for another reason than that none is free.
    """
    if load.kind == "seats":
        return sum(_is_short(status, body) for status, body in bodies)
    if load.items == 1:
        return sum(status != 201 for status, _ in bodies)
    created = 0
    for status, body in bodies:
        if status == 200:
            created += sum(item["status"] == 201 for item in json.loads(body)["items"])
    return len(bodies) * load.items - created


def _is_short(status: int, body: bytes) -> bool:
    if status == 200:
        return False
    if status == 400 and json.loads(body)["code"] == "NOT_ENOUGH_SEATS":
        return True
    raise ValueError(f"{status}: {body[:300]!r}")
