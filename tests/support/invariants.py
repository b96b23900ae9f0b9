"""What holds of a tenant whatever was asked: counts are right, nobody has what nothing gives, no event is missing.

One rule: everything is counted anew from what was read back, without the model.
"""

from collections import Counter
from collections.abc import Sequence

from tests.support.model_rows import Document

ACTIVE, QUEUED, BLOCKED, PARKED, SUSPENDED = 1, 2, 3, 4, 5
_STATES = {ACTIVE: "active", QUEUED: "waiting", BLOCKED: "waiting", PARKED: "waiting", SUSPENDED: "suspended"}


def assert_sound(state: Document, events: Sequence[Document]) -> None:
    """State as tests/support/oracle.py reads it, and all events from the tenant's first."""
    _assert_directory_is_sound(state)
    _assert_pools_are_sound(state)
    _assert_grants_are_sound(state)
    _assert_sources_are_sound(state)
    _assert_log_is_whole(events)
    assert _replayed(events) == {
        row["id"]: (_STATES[row["state"]], frozenset(row["sources"])) for row in state["entitlements"].values()
    }


def _assert_directory_is_sound(state: Document) -> None:
    rows, members = state["assignments"], state["members"]
    assert members == {(group, user) for group, user, _ in rows}
    people, assignments = Counter(group for group, _ in members), Counter(group for group, _, _ in rows)
    for key, group in state["groups"].items():
        assert (group["user_count"], group["assignment_count"]) == (people[key], assignments[key]), key
    assert all(state["users"][user]["active"] for _, user in members)


def _assert_pools_are_sound(state: Document) -> None:
    held = Counter((license_key, row["state"]) for (license_key, _), row in state["entitlements"].items())
    for key, pool in state["licenses"].items():
        counts = {one: held[key, one] for one in _STATES}
        waiting = counts[QUEUED] + counts[BLOCKED] + counts[PARKED]
        assert (pool["used"], pool["queued"], pool["waiting"]) == (counts[ACTIVE], counts[QUEUED], waiting), key
        assert pool["capacity"] is None or pool["used"] + pool["reserved"] <= pool["capacity"], key


def _assert_grants_are_sound(state: Document) -> None:
    shown: Counter[tuple[str, str, str]] = Counter()
    in_quota: Counter[tuple[str, str]] = Counter()
    for (license_key, _), row in state["entitlements"].items():
        for group, source in row["sources"].items():
            shown[group, license_key, _STATES[row["state"]]] += 1
            in_quota[group, license_key] += not source["blocked"]
    for place, grant in state["grants"].items():
        counts = (grant["assigned"], grant["waiting"], grant["suspended"])
        assert counts == tuple(shown[*place, name] for name in ("active", "waiting", "suspended")), place
        assert grant["in_quota"] == in_quota[place], place
        gives, members = grant["active"] and not grant["hold"], state["groups"][place[0]]["user_count"]
        assert sum(counts) == (members if gives else 0), place
        assert grant["quota"] is None or grant["in_quota"] == min(grant["quota"], sum(counts)), place


def _assert_sources_are_sound(state: Document) -> None:
    for (license_key, person), row in state["entitlements"].items():
        assert license_key in state["licenses"], row
        assert row["sources"], row
        assert (person in state["users"]) == (row["email"] is None), row
        for group in row["sources"].keys() - {"direct"}:
            assert (group, license_key) in state["grants"], row
            assert (group, person) in state["members"], row
        _assert_state_is_reasoned(state, person, row)


def _assert_state_is_reasoned(state: Document, person: str, row: Document) -> None:
    user = state["users"].get(person)
    if row["state"] == SUSPENDED:
        assert "direct" in row["sources"], row
        return
    assert (row["state"] == PARKED) == (user is not None and not user["active"]), row
    if row["state"] != PARKED:
        assert (row["state"] == BLOCKED) == all(source["blocked"] for source in row["sources"].values()), row


def _assert_log_is_whole(events: Sequence[Document]) -> None:
    last: dict[str, int] = {}
    for place, event in enumerate(events, start=1):
        assert event["sequence"] == place
        assert event["previous"] == last.get(event["type"], 0)
        last[event["type"]] = place


def _replayed(events: Sequence[Document]) -> dict[int, tuple[str, frozenset[str]]]:
    """What a subscriber who has heard everything believes of every assignment."""
    heard: dict[int, tuple[str, frozenset[str]]] = {}
    for event in events:
        if event["type"].startswith("entitlement.") or event["type"] == "license_assignment.updated":
            data = event["data"]
            sources = frozenset(one["group"]["key"] if "group" in one else "direct" for one in data["sources"])
            heard[data["assignment_id"]] = (data["state"], sources)
            if data["state"] == "ended":
                del heard[data["assignment_id"]]
    return heard
