"""Commands survive being stored, and what is not a command is said to be none."""

import json
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.codec import UnreadableCommandError, decode, encode, kind_of, size_of
from domain.columns import itemized
from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    DeleteGroups,
    DeleteRoles,
    DeleteUsers,
    GroupPut,
    Kind,
    PutGroups,
    PutRoles,
    PutUsers,
    RepairCounts,
    RolePut,
    UserPut,
)
from domain.dead_letters import DeadLetterFilter, DiscardDeadLetters, RedriveDeadLetters
from domain.items import InvalidItem
from domain.license_commands import (
    ChangeSeats,
    CheckLicenses,
    CreateProgramLicense,
    DeleteLicenses,
    LicenseKind,
    LicensePut,
    PutLicenses,
    RemoveGroupLicense,
    ReplaceGroupBundles,
    ReplaceUserBundles,
    ReprocessGroup,
    SeatChange,
    SeatOp,
    SetGroupLicense,
    Shortage,
    UpdateProgramLicense,
)
from domain.sources import SourceName

# What JSON can hold: no unpaired surrogates, no infinities.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
INVALID = st.builds(InvalidItem, field=TEXT, reason=TEXT, sent=st.dictionaries(TEXT, TEXT, max_size=2))
CHANGES = st.builds(
    AssignmentChange,
    op=st.sampled_from(AssignmentOp),
    group=TEXT,
    user=TEXT,
    role=TEXT,
    source=st.sampled_from(SourceName),
)
USERS = st.builds(
    UserPut,
    key=TEXT,
    username=TEXT,
    email=st.none() | TEXT,
    first_name=TEXT,
    last_name=TEXT,
    department=TEXT,
    active=st.booleans(),
    attributes=st.dictionaries(TEXT, VALUES, max_size=3),
    primary_group=st.none() | TEXT,
)
GROUPS = st.builds(GroupPut, key=TEXT, name=TEXT)
TITLES = st.dictionaries(TEXT, TEXT, max_size=2)
ROLES = st.builds(RolePut, key=TEXT, permission_scope=TEXT, titles=TITLES, descriptions=TITLES)
KEYS = st.lists(TEXT, max_size=3).map(tuple)
NUMBERS = st.integers(0, 2**63 - 1)
SENT = st.dictionaries(TEXT, VALUES, max_size=3)
INSTANTS = st.none() | st.datetimes(timezones=st.just(UTC))
LICENSES = st.builds(
    LicensePut,
    key=TEXT,
    name=TEXT,
    kind=st.sampled_from(LicenseKind),
    capacity=st.none() | NUMBERS,
    code=st.none() | TEXT,
    program_key=st.none() | TEXT,
    program_name=st.none() | TEXT,
    starts_at=INSTANTS,
    expires_at=INSTANTS,
    active=st.booleans(),
)
SEATS = st.builds(
    SeatChange,
    op=st.sampled_from(SeatOp),
    license=st.none() | TEXT,
    license_id=st.none() | NUMBERS,
    user=st.none() | TEXT,
    user_id=st.none() | NUMBERS,
    username=st.none() | TEXT,
    email=st.none() | TEXT,
    assignment_id=st.none() | NUMBERS,
    sent=SENT,
)
IDS = st.lists(NUMBERS, max_size=3).map(tuple)
QUOTAS = st.dictionaries(TEXT, NUMBERS, max_size=3)


def batch_of(items):
    return st.lists(items | INVALID, max_size=4).map(tuple)


def changes_in_columns(rows=2, **columns):
    well = {"op": ["create"], "group": ["g", "h"], "user": ["u", "v"], "role": ["r"], "source": ["RULE"]}
    return {"rows": rows, "columns": well | columns}


COMMANDS = st.one_of(
    st.builds(ChangeAssignments, items=batch_of(CHANGES), assignable=st.none() | KEYS),
    st.builds(PutUsers, items=batch_of(USERS)),
    st.builds(PutGroups, items=batch_of(GROUPS)),
    st.builds(PutRoles, items=batch_of(ROLES)),
    st.builds(DeleteUsers, keys=KEYS),
    st.builds(DeleteGroups, keys=KEYS, cascade=st.booleans()),
    st.builds(DeleteRoles, keys=KEYS, cascade=st.booleans()),
    st.builds(PutLicenses, items=batch_of(LICENSES)),
    st.builds(DeleteLicenses, keys=KEYS, cascade=st.booleans()),
    st.builds(ChangeSeats, items=batch_of(SEATS), shortage=st.sampled_from(Shortage)),
    st.builds(CheckLicenses, license_ids=IDS, started=IDS),
)
UUIDS = st.none() | st.lists(st.uuids(), max_size=3).map(tuple)
INSTANTS = st.none() | st.datetimes(timezones=st.just(UTC))
MATCHING = st.builds(
    DeadLetterFilter,
    fingerprint=st.none() | TEXT,
    code=st.none() | TEXT,
    kind=st.none() | TEXT,
    since=INSTANTS,
    until=INSTANTS,
)
OF_ONE_THING = st.one_of(
    st.builds(CreateProgramLicense, sent=SENT),
    st.builds(UpdateProgramLicense, sent=SENT, license_id=st.none() | NUMBERS, external_id=st.none() | TEXT),
    st.builds(SetGroupLicense, license_id=NUMBERS, group_id=NUMBERS, sent=SENT),
    st.builds(RemoveGroupLicense, assignment_id=NUMBERS, remove_users=st.booleans()),
    st.builds(ReplaceGroupBundles, group=TEXT, codes=KEYS, use_external_license=st.booleans(), quotas=QUOTAS),
    st.builds(ReprocessGroup, group=TEXT),
    st.builds(RepairCounts, groups=IDS, grants=IDS, licenses=IDS, entitlements=IDS, errors=KEYS),
    st.builds(RedriveDeadLetters, ids=UUIDS, matching=MATCHING, matched=NUMBERS),
    st.builds(DiscardDeadLetters, reason=TEXT, ids=UUIDS, matching=MATCHING, matched=NUMBERS),
)
USER_BUNDLES = st.builds(ReplaceUserBundles, users=KEYS, codes=KEYS, use_external_license=st.booleans())


@settings(max_examples=300, deadline=None, database=None)
@given(command=COMMANDS | OF_ONE_THING | USER_BUNDLES)
def test_a_command_that_was_stored_and_read_is_the_same_command(command):
    stored = json.loads(json.dumps(encode(command)))
    read = decode(kind_of(command), stored)
    assert read == command
    assert type(read) is type(command)


@settings(max_examples=200, deadline=None, database=None)
@given(items=batch_of(CHANGES), assignable=st.none() | KEYS)
def test_changes_are_read_as_objects_too_which_is_how_they_stood_before_there_were_columns(items, assignable):
    command = ChangeAssignments(items=items, assignable=assignable)
    stored = json.loads(json.dumps(itemized(encode(command))))
    assert "columns" not in stored
    assert decode(Kind.CHANGE_ASSIGNMENTS, stored) == command


def test_a_batch_says_once_what_all_its_changes_share_unless_the_form_of_one_was_refused():
    changes = [AssignmentChange(AssignmentOp.CREATE, group, "ann", "member") for group in ("hr", "sales")]
    document = encode(ChangeAssignments(items=tuple(changes)))
    columns = {"op": ["create"], "group": ["hr", "sales"], "user": ["ann"], "role": ["member"], "source": ["MANUAL"]}
    assert document == {"rows": 2, "columns": columns}
    refused = InvalidItem(field="group_id", reason="required")
    assert "columns" not in encode(ChangeAssignments(items=(*changes, refused)))


@settings(max_examples=100, deadline=None, database=None)
@given(command=COMMANDS)
def test_the_size_of_a_command_is_the_number_of_outcomes_it_will_have(command):
    document = itemized(encode(command))
    [items] = [document[name] for name in ("items", "keys", "license_ids") if name in document]
    assert size_of(command) == len(items)


@settings(max_examples=50, deadline=None, database=None)
@given(command=OF_ONE_THING)
def test_a_command_about_one_thing_has_the_size_of_one(command):
    assert size_of(command) == 1


@settings(max_examples=50, deadline=None, database=None)
@given(command=USER_BUNDLES)
def test_a_command_about_people_has_the_size_of_their_number(command):
    assert size_of(command) == len(command.users)


def test_every_kind_has_one_command_and_one_reader():
    commands = [ChangeAssignments(items=()), PutUsers(items=()), PutGroups(items=()), PutRoles(items=())]
    commands += [DeleteUsers(keys=()), DeleteGroups(keys=()), DeleteRoles(keys=())]
    commands += [PutLicenses(items=()), DeleteLicenses(keys=()), ChangeSeats(items=()), CheckLicenses(license_ids=())]
    commands += [
        CreateProgramLicense(sent={}),
        UpdateProgramLicense(sent={}),
        SetGroupLicense(license_id=1, group_id=2),
        RepairCounts(),
        RedriveDeadLetters(),
        DiscardDeadLetters(reason="r"),
    ]
    commands += [RemoveGroupLicense(assignment_id=1), ReplaceGroupBundles(group="g", codes=())]
    commands += [ReplaceUserBundles(users=(), codes=()), ReprocessGroup(group="g")]
    assert {kind_of(command) for command in commands} == set(Kind)
    assert [decode(kind_of(command), encode(command)) for command in commands] == commands


def test_a_document_from_before_a_field_existed_reads_with_its_default():
    read = decode(Kind.PUT_USERS, {"items": [{"key": "ann", "username": "ann"}]})
    assert read == PutUsers(items=(UserPut(key="ann", username="ann"),))


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("nonsense", {}),
        (Kind.PUT_USERS, {}),
        (Kind.PUT_USERS, {"items": None}),
        (Kind.PUT_USERS, {"items": [17]}),
        (Kind.PUT_USERS, {"items": ["ann"]}),
        (Kind.PUT_USERS, {"items": [{"key": "ann", "username": "ann", "shoe_size": 44}]}),
        (Kind.PUT_GROUPS, {"items": [{"key": "sales"}]}),
        (Kind.PUT_ROLES, {"items": [{"invalid": "key"}]}),
        (
            Kind.CHANGE_ASSIGNMENTS,
            {"items": [{"op": "conjure", "group": "g", "user": "u", "role": "r", "source": "RULE"}]},
        ),
        (
            Kind.CHANGE_ASSIGNMENTS,
            {"items": [{"op": "create", "group": "g", "user": "u", "role": "r", "source": "MOON"}]},
        ),
        (Kind.CHANGE_ASSIGNMENTS, changes_in_columns(op=["conjure"])),
        (Kind.CHANGE_ASSIGNMENTS, changes_in_columns(source=["RULE", "MOON"])),
        (Kind.CHANGE_ASSIGNMENTS, changes_in_columns(group=["g", "h", "i"])),
        (Kind.CHANGE_ASSIGNMENTS, changes_in_columns(user="uv")),
        (Kind.CHANGE_ASSIGNMENTS, changes_in_columns(rows=1)),
        (Kind.CHANGE_ASSIGNMENTS, {"rows": 1, "columns": {"op": ["create"]}}),
        (Kind.CHANGE_ASSIGNMENTS, {"rows": 1, "columns": None}),
        (Kind.DELETE_GROUPS, {"keys": ["g"]}),
        (Kind.PUT_LICENSES, {"items": [{"key": "photo", "name": "Photo", "kind": "moon", "capacity": 1}]}),
        (Kind.CHANGE_SEATS, {"items": [{"op": "conjure", "license": "photo", "user": "ann"}], "shortage": "reject"}),
        (Kind.CHANGE_SEATS, {"items": [], "shortage": "despair"}),
        (Kind.SET_GROUP_LICENSE, {"license_id": 1}),
        (Kind.DELETE_USERS, []),
    ],
)
def test_what_is_no_command_is_unreadable(kind, document):
    with pytest.raises(UnreadableCommandError):
        decode(kind, document)
