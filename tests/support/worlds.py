"""A tenant with one of everything that an API can name, and one under whose names nothing was ever made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.api import Api

PROGRAM = "/api/catalog/licenses/program"
# One more than any id that a test's database gives.
NEVER = 9_007_199_254_740_000
_NUMBERS = re.compile(r'("(?:\w+_)?id": ?)\d+')
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
_UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True, kw_only=True)
class World:
    """A tenant and, by kind, how its things are named; `borrowed` are the names that it has sent without a thing."""

    api: Api
    values: dict[str, Any] = field(default_factory=dict)
    borrowed: list[str] = field(default_factory=list)


def names(prefix: str) -> dict[str, Any]:
    """What is named by words: the words of a tenant that is called `prefix`."""
    return {
        "group": f"{prefix}-group",
        "user": f"{prefix}-user",
        "role": f"{prefix}-role",
        "license": f"{prefix}-license",
        "tenant": prefix,
        "org": f"{prefix}-org",
        "code": prefix.upper().replace("-", ""),
        "department": f"{prefix} department",
        "name": f"{prefix} name",
        "program_key": f"{prefix}-program",
        "external_id": f"{prefix}-order",
        "transaction_id": f"{prefix}-transaction",
        "email": f"{prefix}@example.org",
        "username": f"{prefix}-username",
        "first_name": f"{prefix} first",
        "last_name": f"{prefix} last",
        "source": f"{prefix}-source",
        "idempotency_key": f"{prefix}-once",
        "fingerprint": f"{prefix}-error",
    }


def nowhere() -> dict[str, Any]:
    """Names of nothing."""
    numbers = ("group number", "user number", "license number", "assignment", "grant", "program")
    nobodys = "00000000-0000-4000-8000-00000000dead"
    return names("never") | dict.fromkeys(numbers, NEVER) | {"operation": nobodys, "token": nobodys}


async def fill(api: Api, prefix: str) -> World:
    """One user with one role in one group, which has a program licence and a bundle; the user has both directly, too.

    A second program licence, role and user are there for what cannot be made twice.
    """
    said = names(prefix)
    group, user, role, program = said["group"], said["user"], said["role"], said["license"]
    person = {name: said[name] for name in ("username", "email", "first_name", "last_name", "department")}
    await _ok(api, "PUT", f"/v1/groups/{group}", {"name": said["name"]})
    made = await _ok(api, "PUT", f"/v1/users/{user}", person)
    await _ok(api, "PUT", f"/v1/roles/{role}", {"permission_scope": "USER_GROUPS", "titles": {"en": f"{prefix} role"}})
    bundle = {"name": f"{prefix} bundle", "kind": "bundle", "code": said["code"], "capacity": None}
    await _ok(api, "PUT", f"/v1/licenses/{prefix}-bundle", bundle)
    pool = {"name": said["name"], "kind": "program", "program_key": said["program_key"], "program_name": said["name"]}
    licence = await _ok(api, "PUT", f"/v1/licenses/{program}", {**pool, "capacity": None})
    group_id = (await _ok(api, "GET", f"/v1/groups/{group}"))["id"]
    order = {"license_id": licence["id"], "external_id": said["external_id"], "source": said["source"]}
    shown = await _ok(api, "POST", f"{PROGRAM}/update/", order)
    assignment = {"license_id": licence["id"], "user_id": made["id"]}
    held = await _ok(api, "POST", f"{PROGRAM}/assignment/", assignment)
    grant = await _ok(api, "POST", f"{PROGRAM}/assignment/group/", {"license_id": licence["id"], "group_id": group_id})
    seat = {"user_id": user, "role_id": role}
    answer = await api.call("POST", f"/api/admin/users/v4/user-groups/{group}/assignments", seat)
    assert answer.status_code == 201, answer.text
    listed = (await _ok(api, "GET", "/v1/operations?limit=1"))["next_cursor"]
    numbers = {
        "group number": group_id,
        "user number": made["id"],
        "license number": licence["id"],
        "assignment": held["id"],
        "grant": grant["id"],
        "program": shown["program_id"],
        "operation": answer.headers["seatline-operation"],
        "token": _UUIDS.search(answer.headers["seatline-operation"])[0],
        "cursor": listed,
    }
    return World(api=api, values=said | numbers | {"tenant": api.tenant.key, "org": api.tenant.org})


async def _ok(api: Api, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = await api.call(method, path, body)
    assert answer.status_code < 300, f"{method} {path}: {answer.text}"
    return answer.json()


def without_ids(text: str, world: World) -> str:
    """The text to the byte, but for what was sent, the tenant's own key, numbers, operations and instants.

    What was sent before may be shown again: a text that the tenant has stored.
    """
    text = _UUIDS.sub("(uuid)", _TIMES.sub("(instant)", _NUMBERS.sub(r"\1(number)", text)))
    for place, borrowed in sorted(enumerate(world.borrowed), key=lambda one: -len(one[1])):
        edges = ("(?<![\\w.-])", "(?![\\w.-])") if borrowed.isdigit() else ("", "")  # a 2 may stand in any number
        text = re.sub(edges[0] + re.escape(borrowed) + edges[1], f"(sent {place})", text)
    return text.replace(world.api.tenant.org, "(org)").replace(world.api.tenant.key, "(us)")


def headers_without_ids(headers: Mapping[str, str]) -> dict[str, str]:
    """All headers; of those that tell an id or a length, that they are there."""
    hidden = {"seatline-operation", "location", "content-length"}
    return {name: "" if name in hidden else value for name, value in headers.items()}
