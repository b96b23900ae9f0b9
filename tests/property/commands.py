"""Random commands over so few keys that they meet, and how many of them are drawn, and how repeatably.

What is drawn is a draft: a command as soon as it is known which numbers the things that it names have.

One rule: SEATLINE_TEST_SEED (printed by `./dev test`) decides what is drawn; without it the same is drawn every time.
"""

import os
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from random import Random
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
    Kind,
    PutGroups,
    PutRoles,
    PutUsers,
    RolePut,
    UserPut,
)
from domain.items import InvalidItem
from domain.sources import SourceName
from tests.property import license_commands
from tests.property.license_commands import GROUPS, USERS, Ids
from workers.handlers import HANDLERS

Draft = Callable[[Ids], Command]

KINDS = frozenset(Kind(kind) for kind in HANDLERS)
"""What is drawn where nothing else is said."""
DIRECTORY_KINDS = frozenset(
    {
        Kind.CHANGE_ASSIGNMENTS,
        Kind.PUT_USERS,
        Kind.PUT_GROUPS,
        Kind.PUT_ROLES,
        Kind.DELETE_USERS,
        Kind.DELETE_GROUPS,
        Kind.DELETE_ROLES,
    }
)
"""Without licences."""

ROLES = ("member", "r1", "r2")
# Two of each are one name without case, so that they are taken, freed and swapped.
USERNAMES = ("ann", "Ann", "bob", "STRASSE", "straße", "cid", "dan", "eve")
EMAILS = (None, None, "", "a@x.org", "A@X.org", "b@x.org", "c@x.org", "d@x.org")
INVALID = InvalidItem(field="user_id", reason="not a string", sent={"group": "g1"})
INVALID_ITEMS, DRY_RUNS, CASCADES, ACTIVE, ONE_PLACE = 0.04, 0.15, 0.5, 0.8, 0.4

_BEGINNING: dict[Kind, Command] = {
    Kind.PUT_GROUPS: PutGroups(items=(GroupPut(key="g1", name="One"), GroupPut(key="g2", name="Two"))),
    Kind.PUT_ROLES: PutRoles(
        items=tuple(RolePut(key=key, permission_scope="USER_GROUPS", titles={"en": key}) for key in ROLES[1:])
    ),
    Kind.PUT_USERS: PutUsers(items=tuple(UserPut(key=key, username=key, first_name=key.upper()) for key in USERS)),
    Kind.PUT_LICENSES: license_commands.OPENING,
}


def opening(kinds: Container[str] = KINDS) -> list[tuple[Draft, bool]]:
    """What every tenant starts with, so that most of what is drawn finds something to act on."""
    return [(partial(_plain, command), False) for kind, command in _BEGINNING.items() if kind in kinds]


def _plain(command: Command, _ids: Ids) -> Command:
    return command


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


# What happens before a command: mostly nothing; some days pass, and dates that have come fire now or later.
TIMES = st.sampled_from(((0, False),) * 6 + ((0, True), (1, False), (1, True), (2, True)))

# Each command is drawn by a seed of its own: Hypothesis then leaves out commands when it makes a failure smaller, and
# within a command all is drawn evenly, which its strategies for nested values do not.
SEEDS = st.integers(0, 2**24 - 1)


def drawn_by(seeds: Iterable[int], kinds: Container[str] = KINDS) -> list[tuple[Draft, bool]]:
    """Drafts, and whether each is a dry run. A seed that comes again draws something else, since many do."""
    makers = dict(made for kind, made in _OF_KIND.items() if kind in kinds)
    seen: Counter[int] = Counter()
    drawn = []
    for seed in seeds:
        name = f"{seed} {seen[seed]}"
        seen[seed] += 1
        drawn.append((partial(_drawn, name, makers), Random(name).random() < DRY_RUNS))
    return drawn


def _drawn(name: str, makers: Mapping[Callable[[Random, Ids], Command], int], ids: Ids) -> Command:
    random = Random(f"{name} drawn")
    make = random.choices(list(makers), list(makers.values()))[0]
    return make(random, ids)


def _batch(random: Random, item: Callable[[Random], Any], most: int) -> tuple[Any, ...]:
    return tuple(INVALID if random.random() < INVALID_ITEMS else item(random) for _ in range(random.randint(1, most)))


def _deletion(make: Callable[..., Command], random: Random, known: Sequence[str]) -> Command:
    """With cascade of one, as the doors ask for it."""
    keys, cascade = _keys(random, known), random.random() < CASCADES
    return make(keys=keys[:1] if cascade else keys, cascade=cascade)


def _keys(random: Random, known: Sequence[str]) -> tuple[str, ...]:
    return tuple(random.choices((*known, "unknown"), k=random.randint(1, 3)))


def _change(random: Random) -> AssignmentChange:
    return AssignmentChange(
        op=random.choice(list(AssignmentOp)),
        group=random.choice((*GROUPS * 12, "nowhere")),
        user=random.choice((*USERS * 8, "nobody")),
        role=random.choice((*ROLES * 8, "nothing")),
        source=random.choice(list(SourceName)),
    )


def _changes(random: Random) -> ChangeAssignments:
    items = _batch(random, _change, 10)
    if random.random() < ONE_PLACE:  # so that what one item gives another takes
        items = tuple(_moved(item, items[0]) for item in items)
    limits = random.choice([None] * 12 + [(), ("member",), ("r1", "r2")])
    return ChangeAssignments(items=items, assignable=limits)


def _moved(item: Any, first: Any) -> Any:
    if isinstance(item, InvalidItem) or isinstance(first, InvalidItem):
        return item
    return AssignmentChange(op=item.op, group=first.group, user=first.user, role=first.role, source=item.source)


def _user(random: Random) -> UserPut:
    return UserPut(
        key=random.choice(USERS),
        username=random.choice(USERNAMES),
        email=random.choice(EMAILS),
        last_name=random.choice(("", "Lee")),
        active=random.random() < ACTIVE,
        attributes=random.choice(({}, {"level": 1}, {"level": True}, {"level": 1.0}, {"deep": [None, {"ß": "\0"}]})),
        primary_group=random.choice((*GROUPS * 3, *[None] * 4, "nowhere")),
    )


def _group(random: Random) -> GroupPut:
    return GroupPut(key=random.choice(GROUPS), name=random.choice(("One", "Two")))


def _role(random: Random) -> RolePut:
    return RolePut(
        key=random.choice(ROLES[1:] * 3 + ROLES),
        permission_scope=random.choice(("USER_GROUPS",) * 4 + ("ACCOUNT",)),
        titles=random.choice(({"en": "A role"}, {"en": "A role", "de": "Eine Rolle"})),
        descriptions=random.choice(({}, {"en": "What it is for"})),
    )


_OF_KIND: dict[Kind, tuple[Callable[[Random, Ids], Command], int]] = {
    Kind.CHANGE_ASSIGNMENTS: (lambda random, _: _changes(random), 8),
    Kind.PUT_USERS: (lambda random, _: PutUsers(items=_batch(random, _user, 6)), 6),
    Kind.PUT_GROUPS: (lambda random, _: PutGroups(items=_batch(random, _group, 3)), 1),
    Kind.PUT_ROLES: (lambda random, _: PutRoles(items=_batch(random, _role, 3)), 1),
    Kind.DELETE_USERS: (lambda random, _: DeleteUsers(keys=_keys(random, USERS)), 1),
    Kind.DELETE_GROUPS: (lambda random, _: _deletion(DeleteGroups, random, GROUPS), 1),
    Kind.DELETE_ROLES: (lambda random, _: _deletion(DeleteRoles, random, ROLES), 1),
    Kind.PUT_LICENSES: (license_commands.pools, 4),
    Kind.DELETE_LICENSES: (license_commands.delete_pools, 1),
    Kind.CREATE_PROGRAM_LICENSE: (license_commands.create, 1),
    Kind.UPDATE_PROGRAM_LICENSE: (license_commands.update, 2),
    Kind.CHANGE_SEATS: (license_commands.seats, 8),
    Kind.REPLACE_USER_BUNDLES: (license_commands.user_bundles, 2),
    Kind.SET_GROUP_LICENSE: (license_commands.set_group_license, 6),
    Kind.REMOVE_GROUP_LICENSE: (license_commands.remove_group_license, 2),
    Kind.REPLACE_GROUP_BUNDLES: (license_commands.group_bundles, 5),
    Kind.REPROCESS_GROUP: (license_commands.reprocess, 1),
    Kind.CHECK_LICENSES: (license_commands.check, 2),
}
