import re
from collections import Counter

from domain.bundles import KNOWN_BUNDLE_CODES
from workers.cli.sample import sample
from workers.cli.sample_licenses import sample_licenses

KEY = re.compile(r"[A-Za-z0-9._@+-]{1,128}")
SAMPLE = sample()
ACTIVE = [person["key"] for person in SAMPLE.people if person["active"]]
LICENSES = sample_licenses(ACTIVE)


def test_it_has_as_many_of_each_as_promised():
    assert (len(SAMPLE.people), len(SAMPLE.groups), len(SAMPLE.roles)) == (2_000, 40, 8)


def test_six_roles_can_be_given_in_groups_and_all_have_titles_in_three_languages():
    assert sum(role["permission_scope"] == "USER_GROUPS" for role in SAMPLE.roles) == 6
    assert all(set(role["titles"]) == {"en", "de", "fr"} for role in SAMPLE.roles)


def test_it_is_the_same_every_time():
    assert sample() == SAMPLE


def test_keys_usernames_and_addresses_are_well_formed_and_unique():
    for items in (SAMPLE.people, SAMPLE.groups, SAMPLE.roles):
        keys = [item["key"] for item in items]
        assert len(set(keys)) == len(keys)
        assert all(KEY.fullmatch(key) for key in keys)
    for field in ("username", "email"):
        values = [person[field].lower() for person in SAMPLE.people]
        assert len(set(values)) == len(values)
        assert all(value.isascii() for value in values)


def test_every_assignment_is_of_an_active_person_a_known_group_and_a_role_for_groups():
    active = {person["key"] for person in SAMPLE.people if person["active"]}
    groups = {group["key"] for group in SAMPLE.groups}
    roles = {role["key"] for role in SAMPLE.roles if role["permission_scope"] == "USER_GROUPS"}
    for assignment in SAMPLE.assignments:
        assert assignment["user_id"] in active
        assert assignment["group_id"] in groups
        assert assignment["role_id"] in roles


def test_nobody_is_assigned_the_same_thing_twice():
    chosen = [(item["group_id"], item["user_id"], item["role_id"]) for item in SAMPLE.assignments]
    assert len(set(chosen)) == len(chosen)


def test_every_primary_group_exists():
    groups = {group["key"] for group in SAMPLE.groups}
    assert {person["primary_group"] for person in SAMPLE.people} <= groups


def test_there_are_twelve_licences_of_both_kinds_and_some_run_out():
    kinds = [one["kind"] for one in LICENSES.licenses]
    assert (kinds.count("program"), kinds.count("bundle")) == (8, 4)
    assert len({one["key"] for one in LICENSES.licenses}) == 12
    assert {one["code"] for one in LICENSES.licenses if one["kind"] == "bundle"} <= KNOWN_BUNDLE_CODES
    assert any(one["capacity"] is None for one in LICENSES.licenses)


def test_groups_are_given_licences_that_exist_and_have_members():
    members = {item["group_id"] for item in SAMPLE.assignments} | {person["primary_group"] for person in SAMPLE.people}
    programs = {one["key"] for one in LICENSES.licenses if one["kind"] == "program" and "active" not in one}
    codes = {one["code"] for one in LICENSES.licenses if one["kind"] == "bundle"}
    for group, key in LICENSES.grants:
        assert group in members
        assert key in programs
    for group, allocated in LICENSES.allocations:
        assert group in members
        assert set(allocated) <= codes


def test_some_groups_are_fulfilled_some_in_part_and_some_wait():
    members = {group["key"]: set() for group in SAMPLE.groups}
    for item in SAMPLE.assignments:
        members[item["group_id"]].add(item["user_id"])
    for person in SAMPLE.people:
        if person["active"]:
            members[person["primary_group"]].add(person["key"])
    capacity = {one["key"]: one["capacity"] for one in LICENSES.licenses}
    holders = {key: {item["user"] for item in LICENSES.direct if item["license"] == key} for key in capacity}
    shares = []
    for group, key in LICENSES.grants:
        lacking = sorted(members[group] - holders[key])
        holders[key].update(lacking if capacity[key] is None else lacking[: capacity[key] - len(holders[key])])
        shares.append(len(members[group] & holders[key]) / len(members[group]))
    assert shares.count(1) >= 2
    assert any(0 < share < 1 for share in shares)
    assert any(share == 0 for share in shares)


def test_nobody_is_assigned_a_licence_twice_and_no_direct_assignment_is_refused_for_want_of_seats():
    pairs = [(item["license"], item["user"]) for item in LICENSES.direct]
    assert len(set(pairs)) == len(pairs)
    assert {user for _, user in pairs} <= set(ACTIVE)
    capacity = {one["key"]: one["capacity"] for one in LICENSES.licenses}
    for key, count in Counter(key for key, _ in pairs).items():
        assert count <= capacity[key]
