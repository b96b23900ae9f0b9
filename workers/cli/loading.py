"""Sends the sample data through the public API, as an upstream system would.

Its one rule: every call is an upsert, so that a load that was interrupted is simply done again.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from workers.cli import demo
from workers.cli.public_api import CallError, PublicApi
from workers.cli.sample import JsonObject, sample
from workers.cli.sample_licenses import sample_licenses

BATCH = 500
GRANT = "/api/catalog/licenses/program/assignment/group/"
ALREADY = "USER_GROUP_ASSIGNMENT_ALREADY_EXISTS"


def load(api: PublicApi, *, say: Callable[[str], None]) -> None:
    """Load roles, groups, people, who is in which group, licences, and who is given which.

    Raises:
        CallError: an item was refused, which it never is on a tenant of our own.
    """
    data = sample()
    people, groups, roles = len(data.people), len(data.groups), len(data.roles)
    say(f"loading sample data through the API: {people:,} people, {groups} groups, {roles} roles")
    _send(api, "/v1/roles:batch", data.roles)
    group_ids = _send(api, "/v1/groups:batch", data.groups)
    _send(api, "/v1/users:batch", data.people)
    say(f"loading {len(data.assignments):,} group assignments")
    _send(api, "/v1/group-assignments:batch", data.assignments)
    _load_licenses(api, group_ids, [str(person["key"]) for person in data.people if person["active"]], say=say)


def _load_licenses(
    api: PublicApi, group_ids: Mapping[str, int], active: Sequence[str], *, say: Callable[[str], None]
) -> None:
    data = sample_licenses(active)
    say(f"loading {len(data.licenses)} licences, given to {len(data.grants) + len(data.allocations)} groups")
    license_ids = _send(api, "/v1/licenses:batch", data.licenses)
    _send(api, "/v1/license-assignments:batch", data.direct)
    for group, license_key in data.grants:
        body = {"license_id": license_ids[license_key], "group_id": group_ids[group], "shortage": "waitlist"}
        _call(api, "POST", GRANT, body)
    for group, codes in data.allocations:
        quotas = [{"userBundleCode": code, "limit": limit} for code, limit in codes.items() if limit is not None]
        path = f"/{demo.ORG}/lease_/api/account/{demo.TENANT}/user-license/group/{group}/with-quota"
        _call(api, "PUT", path, {"userBundleCodes": list(codes), "quotas": quotas})


def _call(api: PublicApi, method: str, path: str, body: JsonObject) -> None:
    answer = api.call(method, path, body)
    if answer.status != HTTPStatus.OK:
        raise CallError(f"{method} {path}: {answer.status} {answer.body}")


def _send(api: PublicApi, path: str, items: Sequence[JsonObject]) -> dict[str, int]:
    """Send the items; returns the numeric ids of what has a key."""
    ids: dict[str, int] = {}
    for begin in range(0, len(items), BATCH):
        answer = api.batch("POST", path, items[begin : begin + BATCH])
        for item in answer.body["items"]:
            refused = item["status"] >= HTTPStatus.BAD_REQUEST
            if refused and item.get("error", {}).get("code") != ALREADY:
                raise CallError(f"POST {path}: an item was refused: {item}")
            if "key" in item:
                ids[item["key"]] = item["id"]
    return ids
