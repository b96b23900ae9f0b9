"""Random commands over so few keys that they meet: strategies, and how often and how repeatably they are drawn.

One rule: SEATLINE_TEST_SEED (printed by `./dev test`) decides what is drawn; without it the same is drawn every time.
"""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    Command,
    DeleteGroups,
    DeleteRoles,
    DeleteUsers,
    GroupPut,
    InvalidItem,
    PutGroups,
    PutRoles,
    PutUsers,
    RolePut,
    UserPut,
)
from domain.sources import SourceName

USERS = ("u1", "u2", "u3", "u4")
GROUPS = ("g1", "g2", "g3")
ROLES = ("member", "r1", "r2")
# Two of each are one name without case, so that they are taken, freed and swapped.
USERNAMES = ("ann", "Ann", "bob", "STRASSE", "straße", "cid")
EMAILS = ("", "a@x.org", "A@X.org", "b@x.org", "c@x.org")

OPENING: tuple[Command, ...] = (
    PutGroups(items=(GroupPut(key="g1", name="One"), GroupPut(key="g2", name="Two"))),
    PutRoles(items=(RolePut(key="r1", permission_scope="USER_GROUPS", titles={"en": "A role"}),)),
    PutUsers(items=tuple(UserPut(key=key, username=key, first_name=key.upper()) for key in USERS[:3])),
)
"""What every tenant starts with, so that most of what is drawn finds something to act on."""


def bounded(examples: int) -> settings:
    """This many examples, each on tenants of its own in the test's one database."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        derandomize="SEATLINE_TEST_SEED" not in os.environ,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def _often(strategy: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*[strategy] * 9, rare)


INVALID = st.builds(
    InvalidItem,
    field=st.sampled_from(("user_id", "key")),
    reason=st.just("not a string"),
    sent=st.just({"group": "g1"}),
)
CHANGE = st.builds(
    AssignmentChange,
    op=st.sampled_from(AssignmentOp),
    group=_often(st.sampled_from(GROUPS), st.just("nowhere")),
    user=_often(st.sampled_from(USERS), st.just("nobody")),
    role=_often(st.sampled_from(ROLES), st.just("nothing")),
    source=st.sampled_from(SourceName),
)
USER = st.builds(
    UserPut,
    key=st.sampled_from(USERS),
    username=st.sampled_from(USERNAMES),
    email=st.none() | st.sampled_from(EMAILS),
    last_name=st.sampled_from(("", "Lee")),
    active=_often(st.just(True), st.just(False)) | st.booleans(),  # noqa: FBT003 - a strategy's value
    attributes=st.sampled_from(({}, {"level": 1}, {"level": True}, {"level": 1.0}, {"deep": [None, {"ß": "\0"}]})),
    primary_group=st.none() | _often(st.sampled_from(GROUPS), st.just("nowhere")),
)
GROUP = st.builds(GroupPut, key=st.sampled_from(GROUPS), name=st.sampled_from(("One", "Two")))
ROLE = st.builds(
    RolePut,
    key=st.sampled_from(ROLES),
    permission_scope=_often(st.just("USER_GROUPS"), st.just("ACCOUNT")),
    titles=st.sampled_from(({"en": "A role"}, {"en": "A role", "de": "Eine Rolle"})),
    descriptions=st.sampled_from(({}, {"en": "What it is for"})),
)


def _batch(item: st.SearchStrategy[Any], most: int = 6) -> st.SearchStrategy[Any]:
    return st.lists(_often(item, INVALID), min_size=1, max_size=most).map(tuple)


def _keys(keys: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from((*keys, "unknown")), min_size=1, max_size=3).map(tuple)


_LIMITS = _often(st.none(), st.sampled_from(((), ("member",), ("r1", "r2"))))
_CHANGES = st.builds(ChangeAssignments, items=_batch(CHANGE, 8), assignable=_LIMITS)
_USER_PUTS = st.builds(PutUsers, items=_batch(USER))

COMMANDS: st.SearchStrategy[Command] = st.one_of(
    _CHANGES,
    _CHANGES,
    _CHANGES,
    _USER_PUTS,
    _USER_PUTS,
    st.builds(PutGroups, items=_batch(GROUP, 3)),
    st.builds(PutRoles, items=_batch(ROLE, 3)),
    st.builds(DeleteUsers, keys=_keys(USERS)),
    st.builds(DeleteGroups, keys=_keys(GROUPS), cascade=st.booleans()),
    st.builds(DeleteRoles, keys=_keys(ROLES), cascade=st.booleans()),
)
DRY_RUNS = _often(st.just(False), st.just(True))  # noqa: FBT003 - a strategy's values
