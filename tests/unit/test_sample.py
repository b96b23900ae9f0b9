import re

from workers.cli.sample import sample

KEY = re.compile(r"[A-Za-z0-9._@+-]{1,128}")
SAMPLE = sample()


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
