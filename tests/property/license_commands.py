"""Random commands about licences, over so few pools, people and addresses that seats run out and come free again.

One rule: what a command names by number it names as the numbers were when it was accepted, or by none that ever was.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

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
from tests.support.clock import evening_of

USERS = ("u1", "u2", "u3", "u4")
GROUPS = ("g1", "g2")
PROGRAMS = ("l1", "l2")
BUNDLES = {"b1": "ACNU", "b2": "HOUSE"}
ADDRESSES = ("a@x.org", "A@X.org", "b@x.org", "c@x.org")
CODES = ("ACNU", "HOUSE")
UNKNOWN = 2**40
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)

TODAY = ("day", "today")
Ids = Mapping[tuple[str, str], int]
"""(kind, key) -> number; of grants and entitlements the key is `licence/group` and `licence/person`.

TODAY is the day by the clock of tests/support/clock.py; the dates that are drawn are around it.
"""

OPENING = PutLicenses(
    items=(
        LicensePut(key="l1", name="First", kind=LicenseKind.PROGRAM, capacity=2, program_key="p1", program_name="P"),
        LicensePut(
            key="l2", name="Second", kind=LicenseKind.PROGRAM, capacity=1, program_key="p2", program_name="Q",
            starts_at=evening_of(0), expires_at=evening_of(3),
        ),
        LicensePut(key="b1", name="Bundle", kind=LicenseKind.BUNDLE, capacity=2, code="ACNU"),
        LicensePut(
            key="b2", name="House", kind=LicenseKind.BUNDLE, capacity=3, code="HOUSE", expires_at=evening_of(2)
        ),
    )
)  # fmt: skip


def pools(random: Random, ids: Ids) -> PutLicenses:
    """Created, made smaller and larger, switched off and on, expired and renewed."""
    return PutLicenses(items=tuple(_pool(random, ids) for _ in range(random.randint(1, 2))))


def _pool(random: Random, ids: Ids) -> LicensePut:
    key = random.choice((*PROGRAMS * 3, *BUNDLES))
    is_bundle = (key in BUNDLES) != (random.random() < 0.05)
    return LicensePut(
        key=key,
        name=random.choice(("One", "Two")),
        kind=LicenseKind.BUNDLE if is_bundle else LicenseKind.PROGRAM,
        capacity=random.choice((None, 0, 1, 2, 2, 3, 3, 5, 8)),
        code=random.choice((BUNDLES.get(key),) * 6 + ("ACNU", "HOUSE")) if is_bundle else None,
        program_key=None if is_bundle else random.choice(("p1", "p2")),
        program_name=None if is_bundle else "A program",
        starts_at=random.choice((None, None, PAST, FUTURE, *_dates(random, ids))),
        expires_at=random.choice((None, None, None, FUTURE, PAST, *_dates(random, ids))),
        active=random.random() < 0.85,
    )


def _dates(random: Random, ids: Ids) -> tuple[datetime, datetime]:
    """Two days between yesterday, whose evening has passed, and the day after tomorrow."""
    return evening_of(ids[TODAY] + random.choice((-1, 0, 1))), evening_of(ids[TODAY] + random.choice((0, 1, 2)))


def delete_pools(random: Random, _ids: Ids) -> DeleteLicenses:
    """One or two, some of which nobody has; with cascade one, as the doors ask for it."""
    cascade = random.random() < 0.5
    keys = random.choices((*PROGRAMS, *BUNDLES, "unknown"), k=1 if cascade else random.randint(1, 2))
    return DeleteLicenses(keys=tuple(keys), cascade=cascade)


def create(random: Random, ids: Ids) -> CreateProgramLicense:
    """As the catalogue does."""
    sent = _sent_pool(random, ids) | {"program_key": random.choice(("p1", "p3")), "name": "Made", "started": None}
    return CreateProgramLicense(sent={"count": 1, **sent})


def update(random: Random, ids: Ids) -> UpdateProgramLicense:
    """As the catalogue does, by either name of a licence: all of it, or its dates alone."""
    sent = _sent_pool(random, ids) | _some(random, change_type=random.choice((None, "renewal")))
    if random.random() < 0.5:
        sent = _sent_dates(random, ids)
    if random.random() < 0.4:
        return UpdateProgramLicense(sent=sent, external_id=random.choice(("x1", "x2", "x3")))
    return UpdateProgramLicense(sent=sent, license_id=_license_id(random, ids))


def _sent_pool(random: Random, ids: Ids) -> dict[str, Any]:
    return _sent_dates(random, ids) | _some(
        random,
        name=random.choice(("One", "Two")),
        count=random.choice((None, 0, 1, 2, 3, 6)),
        external_id=random.choice((None, "x1", "x2")),
        active=random.random() < 0.8,
        metadata=_metadata(random),
        source=random.choice(("", "shop")),
    )


def _sent_dates(random: Random, ids: Ids) -> dict[str, Any]:
    return _some(
        random,
        started=_sent(random.choice((None, PAST, FUTURE, *_dates(random, ids)))),
        expired=_sent(random.choice((None, None, PAST, FUTURE, *_dates(random, ids)))),
    )


def _sent(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seats(random: Random, ids: Ids) -> ChangeSeats:
    """Direct assignments, by keys and by numbers."""
    items = tuple(_seat(random, ids) for _ in range(random.randint(1, 4)))
    return ChangeSeats(items=items, shortage=random.choice(list(Shortage)))


def _seat(random: Random, ids: Ids) -> SeatChange:
    op = random.choice([SeatOp.ASSIGN] * 3 + [SeatOp.UNASSIGN] * 2 + [SeatOp.SET] * 4 + [SeatOp.REMOVE])
    if op is SeatOp.REMOVE:
        there = [number for (kind, _), number in ids.items() if kind == "entitlement"]
        return SeatChange(op=op, assignment_id=random.choice([*there, UNKNOWN] if there else [UNKNOWN]))
    if op is SeatOp.SET:
        sent = _some(random, redirect_to=random.choice((None, "https://x.org/")), metadata=_metadata(random))
        sent |= random.choice(({}, {}, {"active": True}, {"active": False}, {"direct": False}, {"direct": True}))
        return SeatChange(op=op, license_id=_license_id(random, ids), **_person(random, ids), sent=sent)
    license_key = random.choice((*PROGRAMS * 3, *BUNDLES, "unknown"))
    if random.random() < 0.25:
        return SeatChange(op=op, license=license_key, email=random.choice(ADDRESSES))
    return SeatChange(op=op, license=license_key, user=random.choice((*USERS * 5, "nobody")))


def _person(random: Random, ids: Ids) -> dict[str, Any]:
    """By one name, or by one and the address that decides where nobody has it."""
    number = ids.get(("user", random.choice(USERS)), UNKNOWN)
    named = random.choice(
        ({"user_id": number}, {"user_id": number}, {"username": random.choice(("ANN", "bob", "u1", "noone"))}, {})
    )
    return named | ({"email": random.choice(ADDRESSES)} if not named or random.random() < 0.3 else {})


def user_bundles(random: Random, _ids: Ids) -> ReplaceUserBundles:
    """The direct codes of one or two people."""
    users = random.sample(USERS, k=random.randint(1, 2))
    return ReplaceUserBundles(
        users=(*users, *(["nobody"] if random.random() < 0.05 else [])),
        codes=_codes(random),
        use_external_license=random.random() < 0.3,
    )


def group_bundles(random: Random, _ids: Ids) -> ReplaceGroupBundles:
    """The codes of a group, some with a quota."""
    codes = _codes(random)
    limited = random.choices((*codes * 8, "ACNU"), k=random.randint(0, 2))
    return ReplaceGroupBundles(
        group=_group(random),
        codes=codes,
        use_external_license=random.random() < 0.3,
        quotas={code: random.randint(1, 3) for code in limited},
    )


def _codes(random: Random) -> tuple[str, ...]:
    codes = random.sample(CODES, k=random.choice((0, 1, 1, 1, 2)))
    return (*codes, *random.choice([()] * 20 + [("IDU",), ("NONSENSE",)]))


def set_group_license(random: Random, ids: Ids) -> SetGroupLicense:
    """Given, held back, withdrawn, given again."""
    sent = random.choice(({}, {}, {"active": True}, {"active": False}, {"hold": True}, {"hold": False}))
    sent = sent | _some(random, redirect_to=random.choice((None, "https://x.org/")), metadata=_metadata(random))
    sent |= random.choice(({}, {"shortage": "waitlist"}, {"shortage": "waitlist"}, {"shortage": "reject"}))
    group_id = ids.get(("group", _group(random)), UNKNOWN)
    return SetGroupLicense(license_id=_license_id(random, ids), group_id=group_id, sent=sent)


def remove_group_license(random: Random, ids: Ids) -> RemoveGroupLicense:
    """One of those that are there, with or without what its members have through it."""
    there = [number for (kind, _), number in ids.items() if kind == "grant"]
    number = random.choice([*there * 4, UNKNOWN] if there else [UNKNOWN])
    return RemoveGroupLicense(assignment_id=number, remove_users=random.random() < 0.6)


def reprocess(random: Random, _ids: Ids) -> ReprocessGroup:
    """Nothing is to be done, since nothing is ever left undone."""
    return ReprocessGroup(group=_group(random))


def check(random: Random, ids: Ids) -> CheckLicenses:
    """Whether or not a date has come."""
    there = [number for (kind, _), number in ids.items() if kind == "license"]
    numbers = tuple(random.sample(there, k=min(len(there), random.randint(1, 2)))) or (UNKNOWN,)
    return CheckLicenses(license_ids=numbers, started=numbers if random.random() < 0.5 else ())


def _license_id(random: Random, ids: Ids) -> int:
    there = [number for (kind, key), number in ids.items() if kind == "license" and key not in BUNDLES]
    bundles = [number for (kind, key), number in ids.items() if kind == "license" and key in BUNDLES]
    return random.choice((*there * 6, *bundles, UNKNOWN))


def _group(random: Random) -> str:
    return random.choice((*GROUPS * 12, "nowhere"))


def _metadata(random: Random) -> Any:
    return random.choice((None, {"a": 1}, {"a": True}, {"a": 1.0, "ß": [None]}))


def _some(random: Random, **fields: Any) -> dict[str, Any]:
    """Each field with even odds."""
    return {name: value for name, value in fields.items() if random.random() < 0.5}
