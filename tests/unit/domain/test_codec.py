"""Commands survive being stored, and what is not a command is said to be none."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.codec import UnreadableCommandError, decode, encode, kind_of, size_of
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
    RolePut,
    UserPut,
)
from domain.items import InvalidItem
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


def batch_of(items):
    return st.lists(items | INVALID, max_size=4).map(tuple)


COMMANDS = st.one_of(
    st.builds(ChangeAssignments, items=batch_of(CHANGES), assignable=st.none() | KEYS),
    st.builds(PutUsers, items=batch_of(USERS)),
    st.builds(PutGroups, items=batch_of(GROUPS)),
    st.builds(PutRoles, items=batch_of(ROLES)),
    st.builds(DeleteUsers, keys=KEYS),
    st.builds(DeleteGroups, keys=KEYS, cascade=st.booleans()),
    st.builds(DeleteRoles, keys=KEYS, cascade=st.booleans()),
)


@settings(max_examples=300, deadline=None, database=None)
@given(command=COMMANDS)
def test_a_command_that_was_stored_and_read_is_the_same_command(command):
    stored = json.loads(json.dumps(encode(command)))
    read = decode(kind_of(command), stored)
    assert read == command
    assert type(read) is type(command)


@settings(max_examples=100, deadline=None, database=None)
@given(command=COMMANDS)
def test_the_size_of_a_command_is_the_number_of_outcomes_it_will_have(command):
    document = encode(command)
    assert size_of(command) == len(document.get("items", document.get("keys")))


def test_every_kind_has_one_command_and_one_reader():
    commands = [ChangeAssignments(items=()), PutUsers(items=()), PutGroups(items=()), PutRoles(items=())]
    commands += [DeleteUsers(keys=()), DeleteGroups(keys=()), DeleteRoles(keys=())]
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
        (Kind.DELETE_GROUPS, {"keys": ["g"]}),
        (Kind.DELETE_USERS, []),
    ],
)
def test_what_is_no_command_is_unreadable(kind, document):
    with pytest.raises(UnreadableCommandError):
        decode(kind, document)
