"""The native API's answers about licences out of stored operations: golden, and as the documents say."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from api.errors.problems import problems_of
from api.errors.schemas import ProblemDetails
from api.http.operation import operation_body
from api.native import examples, license_answers, license_examples, license_schemas
from api.native.license_translate import FORMS, license_put, seat_change, sent_person
from api.native.license_views import license_body
from domain.codec import encode
from domain.entitlements import Named, State
from domain.errors import ErrorCode, Refusal
from domain.explanations import Explanation, Reason
from domain.items import InvalidItem
from domain.license_commands import (
    ChangeSeats,
    LicenseKind,
    LicensePut,
    PutLicenses,
    ReprocessGroup,
    SeatChange,
    SeatOp,
    Shortage,
)
from domain.outcomes import Reported, Result, document
from infra.postgres.operations import OperationView, Presentation
from infra.postgres.reads.licenses import LicenseRow

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
ID = UUID("01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a")
PHOTO = LicensePut(key="photo", name="Photo", kind=LicenseKind.BUNDLE, code="PHOTO", capacity=2)
POOL = {
    "id": 21, "key": "photo", "name": "Photo", "kind": "bundle", "code": "PHOTO", "program_id": None,
    "program_key": None, "program_name": None, "external_id": "x-1", "source": "", "transaction_id": None,
    "metadata": {"secret": 1}, "enrollment_config": None, "capacity": 2, "used": 1, "reserved": 0, "waiting": 0,
    "active": True, "starts_at": None, "expires_at": "2027-01-01T00:00:00.000000Z",
    "created_at": "2026-01-01T00:00:00.000000Z", "updated_at": "2026-01-01T00:00:00.000000Z",
}  # fmt: skip
ANN = {"id": 7, "key": "ann", "username": "Ann", "first_name": "Ann", "last_name": "Lee", "email": None, "active": True}
SEAT = {
    "id": 90, "state": "active", "user": ANN, "email": None,
    "license": {"id": 21, "key": "photo", "name": "Photo", "kind": "bundle", "program_key": None,
                "program_name": None, "starts_at": None},
    "direct": True, "groups": [{"id": 3, "key": "sales"}], "redirect_to": None, "metadata": None,
    "created_at": "2026-01-01T00:00:00.000000Z", "modified_at": "2026-01-01T00:00:00.000000Z", "fulfilled": True,
}  # fmt: skip
STRANGER = {**SEAT, "id": 91, "user": None, "email": "new@b.org", "state": "waiting", "position": 4, "groups": []}
MALFORMED = InvalidItem(field="op", reason="unknown_value:'assign' or 'unassign'", sent={"license": "photo"})
NO_SEAT = Refusal(code=ErrorCode.NOT_ENOUGH_SEATS, field="license", details={"requested": 1, "available": 0})
INHERITED = Refusal(code=ErrorCode.INHERITED_ASSIGNMENT, details={"groups": [{"id": 3, "key": "sales"}]})
INVALID = Refusal(code=ErrorCode.INVALID_ITEM, field="op", details={"reason": MALFORMED.reason})


def seat(shown, *, created, **more):
    return Reported("seat", {"created": created, "seat": shown, **more})


def operation(form, command, *outcomes, language="en", dry_run=False):
    result = Result(outcomes=outcomes, titles={})
    return OperationView(
        tenant_id=1, id=ID, seq=1, kind="kind", status=result.status, dry_run=dry_run,
        request=json.loads(json.dumps(encode(command))), presentation=Presentation(form=form, language=language),
        response=json.loads(json.dumps(document(result))), error=None, attempts=0, done=len(outcomes),
        total=len(outcomes), accepted_at=AT, started_at=AT, finished_at=AT, superseded_by=None, request_id=None,
    )  # fmt: skip


def assign(**names):
    return SeatChange(op=SeatOp.ASSIGN, license="photo", **names)


SEATS = ChangeSeats(
    items=(
        assign(user="ann"), assign(email="new@b.org"), assign(user="bob"),
        SeatChange(op=SeatOp.UNASSIGN, license="photo", user="ann"),
        SeatChange(op=SeatOp.UNASSIGN, license="photo", user="cat"), MALFORMED,
    ),
    shortage=Shortage.WAITLIST,
)  # fmt: skip
OUTCOMES = (
    seat(SEAT, created=True, available=1),
    seat(STRANGER, created=True, available=0),
    NO_SEAT,
    Reported("seat_removed", {"id": 90, "license": {"id": 21, "key": "photo"}, "user": {"id": 7, "key": "ann"}}),
    INHERITED,
    INVALID,
)
CASES = {
    "license_created": operation(
        "native.license", PutLicenses(items=(PHOTO,)), Reported("license", {"created": True, "license": POOL})
    ),
    "license_refused": operation(
        "native.license",
        PutLicenses(items=(PHOTO,)),
        Refusal(code=ErrorCode.COUNT_BELOW_USAGE, field="capacity", details={"used": 7}),
        language="de",
    ),
    "licenses": operation(
        "native.licenses",
        PutLicenses(items=(PHOTO, PHOTO, InvalidItem(field="name", reason="required", sent={"key": "k"}))),
        Reported("license", {"created": True, "license": POOL}),
        Reported("license", {"created": False, "license": POOL}),
        Refusal(code=ErrorCode.INVALID_ITEM, field="name", details={"reason": "required"}),
    ),
    "licenses_dry_run": operation(
        "native.licenses",
        PutLicenses(items=(PHOTO,)),
        Reported("license", {"created": True, "license": POOL}),
        dry_run=True,
    ),
    "seats": operation("native.seats", SEATS, *OUTCOMES),
    "seats_dry_run": operation("native.seats", SEATS, *OUTCOMES, dry_run=True, language="fr"),
    "reprocessed": operation(
        "native.reprocessed",
        ReprocessGroup(group="sales"),
        Reported("reprocessed", {"group": {"id": 3, "key": "sales"}, "user_count": 5, "given": 2, "taken": 1}),
    ),
    "reprocessing_refused": operation(
        "native.reprocessed",
        ReprocessGroup(group="sales"),
        Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="group"),
    ),
}
MODELS = {
    "license_created": license_answers.DirectoryLicense,
    "license_refused": ProblemDetails,
    "seats": license_answers.SeatResults,
    "seats_dry_run": license_answers.SeatResults,
    "reprocessed": license_answers.Reprocessed,
}
EXAMPLES = [
    (license_schemas.LicenseBody, license_examples.LICENSE_FIELDS),
    (license_schemas.LicenseBatch, license_examples.LICENSE_BATCH),
    (license_schemas.SeatBatch, license_examples.SEAT_BATCH),
    (license_answers.DirectoryLicense, license_examples.LICENSE),
    (license_answers.SeatResults, license_examples.SEAT_RESULTS),
    (license_answers.EntitlementPage, examples.page(license_examples.ENTITLEMENT)),
    (license_answers.Reprocessed, license_examples.REPROCESSED),
]


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_it_was_last_reviewed(golden, name):
    view = CASES[name]
    rendered = FORMS[view.presentation.form](view)
    text = json.dumps({"status": rendered.status, "body": rendered.body}, indent=2, ensure_ascii=False)
    golden(f"native/{name}.json", f"{text}\n".encode())
    assert operation_body(view, FORMS)["response"] == {"status": rendered.status, "body": rendered.body}


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_is_what_the_documents_say(name):
    view = CASES[name]
    conforms(MODELS[name], FORMS[view.presentation.form](view).body)


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=[model.__name__ for model, _ in EXAMPLES])
def test_an_example_is_what_its_model_takes(model, example):
    model.model_validate_json(json.dumps(example), strict=False)


def test_a_licence_reads_as_it_was_answered_when_it_was_put():
    row = LicenseRow(
        id=21, key="photo", name="Photo", kind="bundle", code="PHOTO", program_key=None, program_name=None, capacity=2,
        used=1, reserved=0, waiting=0, active=True, starts_at=None, expires_at=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    put = CASES["license_created"]
    assert license_body(row) == FORMS[put.presentation.form](put).body


STATES = [
    (State.ACTIVE, True, "active", None),
    (State.ACTIVE, False, "active", None),
    (State.QUEUED, True, "waiting", "seat"),
    (State.QUEUED, False, "waiting", "license"),
    (State.BLOCKED, True, "waiting", "quota"),
    (State.PARKED, True, "waiting", "user"),
    (State.SUSPENDED, True, "suspended", None),
]


@pytest.mark.parametrize(("state", "gives", "shown", "waiting_for"), STATES)
def test_an_entitlement_says_what_it_waits_for(state, gives, shown, waiting_for):
    body = entitlement(state=state, license_gives=gives).document
    conforms(license_answers.ListedEntitlement, body)
    assert (body["state"], body.get("waiting_for")) == (shown, waiting_for)


def test_an_entitlement_names_every_source_and_leaves_out_what_says_nothing():
    body = entitlement(user=None, email="new@b.org", position=3, state=State.QUEUED, until=AT).document
    conforms(license_answers.ListedEntitlement, body)
    assert (body["user"], body["email"], body["position"]) == (None, "new@b.org", 3)
    assert body["until"] == body["since"]
    assert body["sources"] == [
        {"type": "direct", "since": body["since"], "operation_id": str(ID)},
        {"type": "group", "group": {"id": 3, "key": "sales"}, "since": body["since"], "operation_id": str(ID)},
    ]
    assert {"email", "position", "until"}.isdisjoint(entitlement().document)


def entitlement(**fields):
    known = {
        "id": 90, "license": Named(21, "photo"), "user": Named(7, "ann"), "email": None, "state": State.ACTIVE,
        "license_gives": True, "position": None, "since": AT, "until": None,
        "reasons": [Reason(group=None, since=AT, operation_id=ID),
                    Reason(group=Named(3, "sales"), since=AT, operation_id=ID)],
    }  # fmt: skip
    return Explanation(**{**known, **fields})


def test_a_licence_is_read_with_its_instants_in_utc():
    body = license_schemas.LicenseBody(
        name="Photo", kind="program", capacity=None, program_key="p", program_name="P", code="C",
        starts_at="2027-01-31T08:00:00+02:00", expires_at="2027-02-01T00:00:00Z",
    )  # fmt: skip
    put = license_put("photo", body)
    assert (put.kind, put.capacity, put.code, put.active) == (LicenseKind.PROGRAM, None, "C", True)
    assert put.starts_at == datetime(2027, 1, 31, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"code": None}, "code", "required"),
        ({"kind": "program", "program_key": "p"}, "program_name", "required"),
        ({"kind": "program", "program_name": "P"}, "program_key", "required"),
        ({"kind": "seat"}, "kind", "unknown_value"),
        ({"capacity": -1}, "capacity", "too_small"),
        ({"capacity": 2**31}, "capacity", "too_large"),
        ({"capacity": "5"}, "capacity", "not_integer"),
        ({"capacity": True}, "capacity", "not_integer"),
        ({"name": " "}, "name", "wrong_form"),
        ({"starts_at": "2027-01-31"}, "starts_at", "not_instant"),
        ({"starts_at": "2027-01-31T08:00:00"}, "starts_at", "not_instant"),
        ({"starts_at": "2027-W04-7T08:00:00Z"}, "starts_at", "not_instant"),
        ({"starts_at": "20270131T080000Z"}, "starts_at", "not_instant"),
        ({"expires_at": "2027-02-30T08:00:00Z"}, "expires_at", "not_instant"),
        ({"expires_at": "0001-01-01T00:00:00+10:00"}, "expires_at", "not_instant"),
        ({"expires_at": 7}, "expires_at", "not_instant"),
        ({"used": 3}, "used", "unknown_field"),
    ],
)
def test_a_licence_of_another_form_is_refused_by_its_field(changed, field, problem):
    fields = {"name": "Photo", "kind": "bundle", "code": "PHOTO", "capacity": 5, **changed}
    with pytest.raises(ValidationError) as refused:
        license_schemas.LicenseBody.model_validate(fields)
    assert [(found.field, found.problem) for found in problems_of(refused.value)] == [(field, problem)]


def test_capacity_must_be_said_and_null_says_without_limit():
    fields = {"name": "Photo", "kind": "bundle", "code": "PHOTO"}
    with pytest.raises(ValidationError, match="capacity"):
        license_schemas.LicenseBody.model_validate(fields)
    assert license_schemas.LicenseBody.model_validate({**fields, "capacity": None}).capacity is None


def test_a_change_of_a_seat_names_one_person():
    item = license_schemas.SeatItem(op="assign", license="photo", email="Ann@B.org")
    assert seat_change(item) == SeatChange(op=SeatOp.ASSIGN, license="photo", email="Ann@B.org")
    for names, field, problem in (
        ({}, "", "one_of"),
        ({"user": "ann", "email": "a@b.org"}, "email", "must_be_null"),
        ({"user": ""}, "user", "too_short"),
        ({"email": "nobody"}, "email", "not_email"),
    ):
        with pytest.raises(ValidationError) as refused:
            license_schemas.SeatItem.model_validate({"op": "assign", "license": "photo", **names})
        assert [(found.field, found.problem) for found in problems_of(refused.value)] == [(field, problem)]
    assert sent_person({"license": "photo", "user": 7, "email": "x"}) == {"license": "photo", "email": "x"}


def conforms(model, body):
    """The model takes the body and knows each of its fields."""
    read = model.model_validate_json(json.dumps(body))
    assert json.loads(read.model_dump_json(exclude_unset=True)) == body
