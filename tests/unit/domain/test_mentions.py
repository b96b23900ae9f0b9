"""Whom and what a stored command names, by key or by number, wherever in the document that stands."""

import pytest

from domain.codec import encode, kind_of
from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    DeleteGroups,
    GroupPut,
    PutGroups,
    PutUsers,
    UserPut,
)
from domain.license_commands import (
    ChangeSeats,
    CheckLicenses,
    ReplaceGroupBundles,
    ReprocessGroup,
    SeatChange,
    SeatOp,
    SetGroupLicense,
)
from domain.mentions import Mentioned, Thing, names_all

ANN, SALES, PHOTO = Thing("ann", 17), Thing("sales", 12), Thing("photo", 5)
PUT_ANN = PutUsers(items=(UserPut(key="ann", username="a.lee", primary_group="sales"),))
ASSIGN = ChangeAssignments(items=(AssignmentChange(AssignmentOp.ASSIGN, "sales", "ann", "member"),))
SEAT = ChangeSeats(items=(SeatChange(op=SeatOp.ASSIGN, license="photo", user="ann"),))
SEAT_BY_NUMBER = ChangeSeats(items=(SeatChange(op=SeatOp.SET, license_id=5, user_id=17),))


def names(command, **asked):
    return names_all(kind_of(command), encode(command), Mentioned(**asked))


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (PUT_ANN, {"user": ANN}),
        (PUT_ANN, {"user": ANN, "group": SALES}),
        (ASSIGN, {"user": ANN, "group": SALES}),
        (SEAT, {"user": ANN, "license": PHOTO}),
        (SEAT_BY_NUMBER, {"user": ANN, "license": PHOTO}),
        (SetGroupLicense(license_id=5, group_id=12), {"group": SALES, "license": PHOTO}),
        (ReplaceGroupBundles(group="sales", codes=("IDU",)), {"group": SALES}),
        (ReprocessGroup(group="sales"), {"group": SALES}),
        (DeleteGroups(keys=("hr", "sales")), {"group": SALES}),
        (CheckLicenses(license_ids=(4, 5)), {"license": PHOTO}),
    ],
)
def test_a_command_names_what_it_is_about(command, asked):
    assert names(command, **asked)


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (PUT_ANN, {"user": Thing("an")}),
        (PUT_ANN, {"group": Thing("ann")}),
        (PUT_ANN, {"user": ANN, "license": PHOTO}),
        (ASSIGN, {"group": Thing("ann", 17)}),
        (SEAT, {"user": Thing("photo")}),
        (SEAT_BY_NUMBER, {"user": Thing("ann", 5)}),
        (SEAT_BY_NUMBER, {"user": Thing("ann")}),
        (PutGroups(items=(GroupPut(key="hr", name="sales"),)), {"group": SALES}),
    ],
)
def test_what_looks_alike_is_not_named(command, asked):
    assert not names(command, **asked)
