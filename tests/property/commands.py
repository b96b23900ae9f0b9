"""Random commands over so few keys that they meet, and how many of them are drawn, and how repeatably.

One rule: SEATLINE_TEST_SEED (printed by `./dev test`) decides what is drawn; without it the same is drawn every time.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
    PutGroups,
    PutRoles,
    PutUsers,
    RolePut,
    UserPut,
)
from domain.items import InvalidItem
from domain.sources import SourceName

USERS = ("u1", "u2", "u3")
GROUPS = ("g1", "g2")
ROLES = ("member", "r1", "r2")
# Two of each are one name without case, so that they are taken, freed and swapped.
USERNAMES = ("ann", "Ann", "bob", "STRASSE", "straße", "cid", "dan", "eve")
EMAILS = (None, None, "", "a@x.org", "A@X.org", "b@x.org", "c@x.org", "d@x.org")
INVALID = InvalidItem(field="user_id", reason="not a string", sent={"group": "g1"})
INVALID_ITEMS, DRY_RUNS, CASCADES, ACTIVE, ONE_PLACE = 0.04, 0.15, 0.5, 0.8, 0.4

OPENING: tuple[Command, ...] = (
    PutGroups(items=(GroupPut(key="g1", name="One"), GroupPut(key="g2", name="Two"))),
    PutRoles(items=tuple(RolePut(key=key, permission_scope="USER_GROUPS", titles={"en": key}) for key in ROLES[1:])),
    PutUsers(items=tuple(UserPut(key=key, username=key, first_name=key.upper()) for key in USERS)),
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


# Each command is drawn by a seed of its own: Hypothesis then leaves out commands when it makes a failure smaller, and
# within a command all is drawn evenly, which its strategies for nested values do not.
SEEDS = st.integers(0, 2**24 - 1)


def drawn_by(seeds: Iterable[int]) -> list[tuple[Command, bool]]:
    """Commands, and whether each is a dry run. A seed that comes again draws something else, since many do."""
    seen: Counter[int] = Counter()
    drawn = []
    for seed in seeds:
        random = Random(f"{seed} {seen[seed]}")
        seen[seed] += 1
        make = random.choices(list(_MAKERS), list(_MAKERS.values()))[0]
        drawn.append((make(random), random.random() < DRY_RUNS))
    return drawn


def _batch(random: Random, item: Callable[[Random], Any], most: int) -> tuple[Any, ...]:
    return tuple(INVALID if random.random() < INVALID_ITEMS else item(random) for _ in range(random.randint(1, most)))


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


_MAKERS: dict[Callable[[Random], Command], int] = {
    _changes: 8,
    lambda random: PutUsers(items=_batch(random, _user, 6)): 6,
    lambda random: PutGroups(items=_batch(random, _group, 3)): 2,
    lambda random: PutRoles(items=_batch(random, _role, 3)): 2,
    lambda random: DeleteUsers(keys=_keys(random, USERS)): 1,
    lambda random: DeleteGroups(keys=_keys(random, GROUPS), cascade=random.random() < CASCADES): 1,
    lambda random: DeleteRoles(keys=_keys(random, ROLES), cascade=random.random() < CASCADES): 1,
}
