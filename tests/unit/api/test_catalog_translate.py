"""The catalogue API's words: bodies of its pages to commands, stored outcomes to answers. Reviewed as golden files."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic_core import to_json

from api.dialects.catalog import answers, schemas, shapes, translate
from api.errors.languages import SPOKEN
from api.errors.texts import CATALOGUES
from api.http.bodies import read_model
from api.http.json_reading import read_json
from domain.codec import decode, encode, kind_of, size_of
from domain.errors import ErrorCode, Refusal
from domain.license_commands import (
    ChangeSeats,
    CreateProgramLicense,
    RemoveGroupLicense,
    SeatChange,
    SeatOp,
    SetGroupLicense,
    UpdateProgramLicense,
)
from domain.outcomes import OperationStatus, Reported, Result, document
from infra.postgres.operations import OperationView, Presentation
from infra.postgres.reads.catalog_values import Program, ShownAssignment, ShownGroup, ShownProgram

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
WRITTEN = "2026-01-02T03:04:05.000678Z"
URL = "https://learn.example.org/start"
# Every field of the published pages.
USER_BODY = {
    "license_id": 41, "user_id": 1017, "username": "ada", "email": "ada@example.org", "platform_key": "acme",
    "platform_org": "acme-org", "active": True, "fulfilled": False, "direct": True, "redirect_to": URL,
    "metadata": {"cohort": "spring", "seats": [1, 2.5]},
}  # fmt: skip
GROUP_BODY = {
    "license_id": 41, "group_id": 12, "platform_key": "acme", "platform_org": "acme-org", "active": True,
    "fulfilled": True, "redirect_to": None, "metadata": {"cohort": "spring"},
}  # fmt: skip
CREATE_BODY = {
    "platform_key": "acme", "program_key": "data-science", "program_name": "Data Science", "name": "2026", "count": 500,
    "started": "2026-01-01T01:00:00+01:00", "expired": "2027-01-01T00:00:00Z", "external_id": "o-1", "active": True,
    "metadata": {"a": None}, "enrollment_config": {"mode": "x"}, "source": "crm", "transaction_id": "t-1",
}  # fmt: skip
LICENSE = {
    "id": 41, "key": "program-41", "name": "2026", "kind": "program", "code": None, "program_id": 7,
    "program_key": "data-science", "program_name": "Data Science", "external_id": "o-1", "source": "crm",
    "transaction_id": "t-1", "metadata": {"a": None}, "enrollment_config": {"mode": "x"}, "capacity": 500, "used": 120,
    "reserved": 3, "waiting": 4, "active": True, "starts_at": WRITTEN, "expires_at": None, "created_at": WRITTEN,
    "updated_at": WRITTEN,
}  # fmt: skip
SEAT = {
    "id": 90, "state": "active",
    "user": {"id": 1017, "key": "p17", "username": "ada", "first_name": "Ada", "last_name": "Größe",
             "email": "ada@example.org", "active": True},
    "email": None,
    "license": {name: LICENSE[name] for name in ("id", "key", "name", "kind", "program_key", "program_name")},
    "direct": True, "groups": [{"id": 12, "key": "sales"}], "redirect_to": URL, "metadata": {"cohort": "spring"},
    "created_at": WRITTEN, "modified_at": WRITTEN, "fulfilled": True,
}  # fmt: skip
GIVEN = {
    "id": 310, "group": {"id": 12, "key": "sales", "name": "Sales"}, "license": SEAT["license"], "active": True,
    "hold": False, "shortage": "waitlist", "redirect_to": None, "metadata": None, "created_at": WRITTEN,
    "modified_at": WRITTEN, "fulfilled": False, "user_count": 83, "assigned_count": 80, "waiting_count": 2,
    "suspended_count": 1,
}  # fmt: skip


def body(model, sent):
    return read_model(model, read_json(json.dumps(sent).encode()))


def view(form, command, outcome, *, language="en", dry_run=False):
    """The stored operation after this outcome, its documents as they come back from the database."""
    return OperationView(
        tenant_id=1,
        id=UUID(int=7),
        seq=1,
        kind=kind_of(command).value,
        status=OperationStatus.SUCCEEDED,
        dry_run=dry_run,
        request=json.loads(json.dumps(encode(command))),
        presentation=Presentation(form=form, language=language, options=translate.options("acme")),
        response=json.loads(json.dumps(document(Result(outcomes=[outcome], titles={})))),
        error=None,
        attempts=0,
        done=1,
        total=size_of(command),
        accepted_at=AT,
        started_at=AT,
        finished_at=AT,
        superseded_by=None,
        request_id=None,
    )


def render(seen):
    answer = translate.FORMS[seen.presentation.form](seen)
    return to_json({"status": answer.status, "body": answer.body}, indent=2) + b"\n"


CREATE = translate.creation(body(schemas.ProgramLicenseCreate, CREATE_BODY))
ASSIGN = translate.user_assignment(body(schemas.UserAssignmentBody, USER_BODY))
GIVE = translate.group_assignment(body(schemas.GroupAssignmentBody, GROUP_BODY))


def license_of(**more):
    return Reported("license", {"created": True, "license": LICENSE | more})


def seat(**more):
    return Reported("seat", {"created": True, "seat": SEAT | more})


def given(**more):
    demand = {"requested": 3, "available": None, "would_wait": 0}
    return Reported("group_license", {"created": True, "group_license": GIVEN | more, **demand})


ANSWERS = {
    "license": view(translate.LICENSE, CREATE, license_of()),
    "license_bare": view(
        translate.LICENSE,
        CREATE,
        license_of(metadata=None, external_id=None, capacity=None, source="", starts_at=None, expires_at=WRITTEN),
    ),
    "user_assignment": view(translate.USER_ASSIGNMENT, ASSIGN, seat()),
    "user_assignment_of_an_address": view(
        translate.USER_ASSIGNMENT,
        ASSIGN,
        seat(user=None, email="New@example.org", state="waiting", fulfilled=False, redirect_to=None, metadata=None),
    ),
    "user_assignment_suspended": view(
        translate.USER_ASSIGNMENT,
        ASSIGN,
        seat(state="suspended", fulfilled=False, user=SEAT["user"] | {"first_name": "", "email": None}),
    ),
    "user_assignment_removed": view(
        translate.REMOVED,
        translate.user_removal(90),
        Reported("seat_removed", {"id": 90, "license": {"id": 41, "key": "program-41"}, "user": None}),
    ),
    "group_assignment": view(translate.GROUP_ASSIGNMENT, GIVE, given()),
    "group_assignment_fulfilled": view(
        translate.GROUP_ASSIGNMENT,
        GIVE,
        given(fulfilled=True, user_count=80, waiting_count=0, redirect_to=URL, metadata={"a": 1}),
    ),
    "group_assignment_dry_run": view(translate.GROUP_ASSIGNMENT, GIVE, given(), dry_run=True),
    "group_assignment_removed": view(
        translate.REMOVED,
        translate.group_removal(310, remove_users=True),
        Reported("group_license_removed", {"id": 310, "group": {"id": 12, "key": "sales"}, "license": {"id": 41}}),
    ),
}
GROUPS = [{"id": 12, "key": "sales"}]
REFUSED = {
    ErrorCode.LICENSE_DOES_NOT_EXIST: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "license_id"}),
    ErrorCode.USER_DOES_NOT_EXIST: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "user_id"}),
    ErrorCode.USER_IS_NOT_ACTIVE: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "user_id"}),
    ErrorCode.USER_GROUP_DOES_NOT_EXIST: (translate.GROUP_ASSIGNMENT, GIVE, {"field": "group"}),
    ErrorCode.LICENSE_IS_NOT_ACTIVE: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "license_id"}),
    ErrorCode.LICENSE_EXPIRED: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "license_id"}),
    ErrorCode.NOT_ENOUGH_SEATS: (
        translate.GROUP_ASSIGNMENT,
        GIVE,
        {"field": "license", "details": {"requested": 83, "available": 80}},
    ),
    ErrorCode.INHERITED_ASSIGNMENT: (translate.REMOVED, translate.user_removal(90), {"details": {"groups": GROUPS}}),
    ErrorCode.NO_GROUP_SOURCE: (translate.USER_ASSIGNMENT, ASSIGN, {"field": "direct"}),
    ErrorCode.LICENSE_ASSIGNMENT_DOES_NOT_EXIST: (
        translate.REMOVED,
        translate.user_removal(90),
        {"field": "assignment"},
    ),
    ErrorCode.GROUP_LICENSE_DOES_NOT_EXIST: (
        translate.REMOVED,
        translate.group_removal(310, remove_users=True),
        {"field": "assignment"},
    ),
    ErrorCode.COUNT_BELOW_USAGE: (translate.LICENSE, CREATE, {"field": "count", "details": {"used": 120}}),
    ErrorCode.EXTERNAL_ID_TAKEN: (translate.LICENSE, CREATE, {"field": "external_id"}),
}
MISSING = {
    ErrorCode.LICENSE_DOES_NOT_EXIST, ErrorCode.USER_DOES_NOT_EXIST, ErrorCode.USER_GROUP_DOES_NOT_EXIST,
    ErrorCode.LICENSE_ASSIGNMENT_DOES_NOT_EXIST, ErrorCode.GROUP_LICENSE_DOES_NOT_EXIST,
}  # fmt: skip


def refusal(code, language="en"):
    form, command, facts = REFUSED[code]
    return view(form, command, Refusal(code=code, **facts), language=language)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_as_reviewed(name, golden):
    golden(f"catalog/{name}.json", render(ANSWERS[name]))


@pytest.mark.parametrize("code", REFUSED)
def test_every_refusal_is_as_reviewed(code, golden):
    golden(f"catalog/refused/{code.lower()}.json", render(refusal(code)))


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_is_404_for_what_does_not_exist_and_400_for_a_rule(code, language):
    seen = refusal(code, language)
    answer = translate.FORMS[seen.presentation.form](seen)
    assert answer.status == (404 if code in MISSING else 400)
    assert set(answer.body) == {"error", "code", "details"}
    assert answer.body["error"].split("{")[0][:9] == CATALOGUES[language]["codes"][code].split("{")[0][:9]


def test_an_answer_fits_the_shape_that_is_documented():
    models = {
        translate.LICENSE: answers.ProgramLicense,
        translate.USER_ASSIGNMENT: answers.UserLicense,
        translate.GROUP_ASSIGNMENT: answers.GroupLicense,
    }
    for seen in ANSWERS.values():
        answer = translate.FORMS[seen.presentation.form](seen)
        model = models.get(seen.presentation.form)
        if model is None:
            assert (answer.status, answer.body) == (200, None)
        else:
            model.model_validate(answer.body, strict=True, extra="forbid")


def test_the_page_s_user_assignment_is_one_item_with_what_was_sent():
    change = SeatChange(
        op=SeatOp.SET,
        license_id=41,
        user_id=1017,
        username="ada",
        email="ada@example.org",
        sent={"active": True, "direct": True, "redirect_to": URL, "metadata": {"cohort": "spring", "seats": [1, 2.5]}},
    )
    assert ChangeSeats(items=(change,)) == ASSIGN


def test_a_user_assignment_says_nothing_of_what_was_not_sent():
    least = translate.user_assignment(body(schemas.UserAssignmentBody, {"license_id": 41, "email": "a@example.org"}))
    assert least.items == (SeatChange(op=SeatOp.SET, license_id=41, email="a@example.org"),)
    cleared = body(schemas.UserAssignmentBody, {"license_id": 1, "user_id": 2, "redirect_to": None, "metadata": None})
    assert translate.user_assignment(cleared).items[0].sent == {"redirect_to": None, "metadata": None}


def test_the_page_s_group_assignment_is_a_command_with_what_was_sent():
    sent = {"active": True, "redirect_to": None, "metadata": {"cohort": "spring"}}
    assert SetGroupLicense(license_id=41, group_id=12, sent=sent) == GIVE
    more = GROUP_BODY | {"shortage": "waitlist", "hold": True, "active": False}
    extended = translate.group_assignment(body(schemas.GroupAssignmentBody, more))
    assert extended.sent == sent | {"active": False, "shortage": "waitlist", "hold": True}


def test_deletions_name_what_ends():
    change = SeatChange(op=SeatOp.REMOVE, assignment_id=90)
    assert translate.user_removal(90) == ChangeSeats(items=(change,))
    assert translate.group_removal(310, remove_users=False) == RemoveGroupLicense(assignment_id=310, remove_users=False)


def test_a_new_licence_has_all_that_was_sent_with_instants_in_utc():
    expected = {name: value for name, value in CREATE_BODY.items() if name != "platform_key"}
    expected |= {"started": "2026-01-01T00:00:00.000000Z", "expired": "2027-01-01T00:00:00.000000Z"}
    assert CreateProgramLicense(sent=expected) == CREATE


def test_a_licence_is_found_by_its_id_or_else_by_its_external_id():
    by_id = {"license_id": 41, "external_id": "o-2", "count": None, "change_type": "upsell"}
    assert translate.update(body(schemas.ProgramLicenseUpdate, by_id)) == UpdateProgramLicense(
        sent={"external_id": "o-2", "count": None, "change_type": "upsell"}, license_id=41
    )
    by_external_id = {"external_id": "o-1", "name": "New"}
    assert translate.update(body(schemas.ProgramLicenseUpdate, by_external_id)) == UpdateProgramLicense(
        sent={"name": "New"}, external_id="o-1"
    )


@pytest.mark.parametrize("command", [CREATE, ASSIGN, GIVE, translate.user_removal(90)])
def test_a_command_survives_storage(command):
    assert decode(kind_of(command), json.loads(json.dumps(encode(command)))) == command


PROGRAM = Program(
    id=41, name="2026", program_key="data-science", program_name="Data Science", used=1, waiting=0, has_started=True
)


def test_a_row_looks_as_the_answer_that_made_it():
    license_row = ShownProgram(
        id=41, name="2026", capacity=500, used=120, waiting=4, active=True, created_at=AT, starts_at=AT,
        expires_at=None, metadata={"a": None}, source="crm", external_id="o-1", program_id=7,
        program_key="data-science", program_name="Data Science", suspended=None,
    )  # fmt: skip
    assert shapes.program_license_of_row(license_row, platform="acme") == shown("license")
    counted = shapes.program_license_of_row(license_row._replace(suspended=2), platform="acme")
    assert counted["assignments"] == {"total": 126, "active": 120, "pending": 4}
    seat_row = ShownAssignment(
        id=90, user_id=1017, username="ada", first_name="Ada", last_name="Größe", email="ada@example.org", state=1,
        direct=True, redirect_to=URL, metadata={"cohort": "spring"}, created_at=AT, updated_at=AT,
    )  # fmt: skip
    assert shapes.user_assignment_of_row(seat_row, PROGRAM) == shown("user_assignment")
    address = seat_row._replace(
        user_id=None, username=None, first_name=None, last_name=None, email="New@example.org", state=2,
        redirect_to=None, metadata=None,
    )  # fmt: skip
    assert shapes.user_assignment_of_row(address, PROGRAM) == shown("user_assignment_of_an_address")
    suspended = seat_row._replace(state=5, first_name="", email=None)
    assert shapes.user_assignment_of_row(suspended, PROGRAM) == shown("user_assignment_suspended")
    group_row = ShownGroup(
        id=310, group_id=12, group_name="Sales", active=True, redirect_to=None, metadata=None, created_at=AT,
        updated_at=AT, user_count=83, assigned=80, waiting=2,
    )  # fmt: skip
    assert shapes.group_assignment_of_row(group_row, PROGRAM) == shown("group_assignment")


def shown(name):
    seen = ANSWERS[name]
    return translate.FORMS[seen.presentation.form](seen).body
