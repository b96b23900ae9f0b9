"""The native API's answers out of stored operations: golden, the same every time, and as the documents say."""

import dataclasses
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.documents.bodies import OperationBody
from api.errors.languages import Languages
from api.errors.schemas import ProblemDetails
from api.http.operation import operation_body
from api.native import answers, examples, operator_schemas, schemas, views
from api.native.cursors import decode_cursor, decode_text_cursor, encode_cursor, encode_text_cursor
from api.native.translate import FORMS, sent_key, sent_names
from domain.codec import encode
from domain.commands import (
    AssignmentChange,
    AssignmentOp,
    ChangeAssignments,
    Command,
    DeleteGroups,
    GroupPut,
    PutGroups,
    PutRoles,
    PutUsers,
    RolePut,
    UserPut,
)
from domain.errors import ErrorCode, Refusal
from domain.items import InvalidItem
from domain.outcomes import Assigned, Deleted, OperationStatus, Person, Result, Stored, Unassigned, document
from domain.sources import Source, SourceName
from infra.postgres.operations import OperationView, Presentation
from infra.postgres.reads.assignments import AssignmentRow
from infra.postgres.reads.directory import GroupRow, RoleRow, UserRow
from infra.postgres.reads.operations import OperationRow

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
ID = UUID("01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a")
ANN = UserPut(key="ann", username="Ann", email="a@b.org", attributes={"x": [1, None]}, primary_group="sales")
LEAD = RolePut(key="lead", permission_scope="USER_GROUPS", titles={"en": "Lead", "de": "Leitung"})
PERSON = Person(id=1, key="ann", first_name="Ann", last_name="Lee", department="Sales", active=True)
ASSIGNED = Assigned(group="sales", user=PERSON, role="lead", sources=["RULE", "MANUAL"], created_at=AT)
UNREADABLE = InvalidItem(field="source", reason="unknown_value:'MANUAL', 'RULE' or 'SCIM'", sent={"user_id": "ann"})
INVALID = Refusal(code=ErrorCode.INVALID_ITEM, field="source", details={"reason": UNREADABLE.reason})


def change(op):
    return AssignmentChange(op=op, group="sales", user="ann", role="lead", source=SourceName.RULE)


def operation(form, command: Command, *outcomes, language="en", dry_run=False, titles=None):
    result = Result(outcomes=outcomes, titles=titles or {})
    return OperationView(
        tenant_id=1,
        id=ID,
        seq=1,
        kind="kind",
        status=result.status,
        dry_run=dry_run,
        request=json.loads(json.dumps(encode(command))),
        presentation=Presentation(form=form, language=language),
        response=json.loads(json.dumps(document(result))),
        error=None,
        attempts=0,
        done=len(outcomes),
        total=len(outcomes),
        accepted_at=AT,
        started_at=AT,
        finished_at=AT,
        superseded_by=None,
        request_id=None,
    )


CASES = {
    "user_created": operation("native.user", PutUsers(items=(ANN,)), Stored(key="ann", id=7, created=True)),
    "user_refused": operation(
        "native.user",
        PutUsers(items=(ANN,)),
        Refusal(code=ErrorCode.USERNAME_TAKEN, field="username"),
        language="de-ch,de",
    ),
    "group_replaced": operation(
        "native.group",
        PutGroups(items=(GroupPut(key="sales", name="Sales"),)),
        Stored(key="sales", id=3, created=False, user_count=12),
    ),
    "role_created": operation("native.role", PutRoles(items=(LEAD,)), Stored(key="lead", id=5, created=True)),
    "deleted": operation("native.deleted", DeleteGroups(keys=("sales",)), Deleted(key="sales", id=3)),
    "deletion_refused": operation(
        "native.deleted",
        DeleteGroups(keys=("sales",)),
        Refusal(code=ErrorCode.USER_GROUP_IN_USE, field="key", details={"user_count": 12}),
        language="fr",
    ),
    "batch": operation(
        "native.batch",
        PutUsers(items=(ANN, ANN, InvalidItem(field="", reason="not_object"), ANN)),
        Stored(key="ann", id=7, created=True),
        Stored(key="ann", id=7, created=False),
        Refusal(code=ErrorCode.INVALID_ITEM, field="", details={"reason": "not_object"}),
        Refusal(code=ErrorCode.USER_GROUP_DOES_NOT_EXIST, field="primary_group"),
    ),
    "batch_dry_run": operation(
        "native.batch",
        PutUsers(items=(ANN, ANN)),
        Stored(key="ann", id=7, created=True),
        Stored(key="ann", id=7, created=False),
        dry_run=True,
    ),
    "assignments": operation(
        "native.assignments",
        ChangeAssignments(items=(change(AssignmentOp.ASSIGN), change(AssignmentOp.UNASSIGN), UNREADABLE)),
        ASSIGNED,
        Unassigned(group="sales", user="ann", role="lead"),
        INVALID,
        language="de",
        titles={"lead": LEAD.titles},
    ),
    "assignments_all_given": operation(
        "native.assignments",
        ChangeAssignments(items=(change(AssignmentOp.ASSIGN), change(AssignmentOp.ASSIGN))),
        ASSIGNED,
        ASSIGNED._replace(sources=["SCIM"]),
        titles={"lead": LEAD.titles},
    ),
    "assignments_refused": operation(
        "native.assignments",
        ChangeAssignments(items=(change(AssignmentOp.ASSIGN),)),
        Refusal(code=ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS),
    ),
}
MODELS = {
    "user_created": answers.DirectoryUser,
    "user_refused": ProblemDetails,
    "group_replaced": answers.DirectoryGroup,
    "role_created": answers.DirectoryRole,
    "deletion_refused": ProblemDetails,
    "batch": answers.StoredItems,
    "batch_dry_run": answers.StoredItems,
    "assignments": answers.AssignmentResults,
    "assignments_all_given": answers.AssignmentResults,
    "assignments_refused": answers.AssignmentResults,
}


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_as_it_was_last_reviewed(golden, name):
    view = CASES[name]
    rendered = FORMS[view.presentation.form](view)
    text = json.dumps({"status": rendered.status, "body": rendered.body}, indent=2, ensure_ascii=False)
    golden(f"native/{name}.json", f"{text}\n".encode())
    assert FORMS[view.presentation.form](view) == rendered
    assert operation_body(view, FORMS)["response"] == {"status": rendered.status, "body": rendered.body}


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_is_what_the_documents_say(name):
    view = CASES[name]
    conforms(MODELS[name], FORMS[view.presentation.form](view).body)


def test_what_was_read_is_shown_as_the_documents_say():
    user = UserRow(
        id=7, key="ann", username="Ann", email=None, first_name="", last_name="", department="", active=True,
        attributes={"a": 1}, primary_group=None,
    )  # fmt: skip
    conforms(answers.DirectoryUser, views.user_body(user))
    conforms(answers.DirectoryGroup, views.group_body(GroupRow(id=1, key="g", name="G", user_count=2)))
    role = RoleRow(id=1, key="r", permission_scope="X", titles={"en": "R"}, descriptions={})
    conforms(answers.DirectoryRole, views.role_body(role))
    row = AssignmentRow(
        group_id=1, group_key="g", group_name="G", user_id=2, user_key="u", first_name="", last_name="", department="",
        active=True, role_key="r", titles={"en": "R", "de": "R (de)"}, sources=Source.RULE | Source.SCIM, created_at=AT,
    )  # fmt: skip
    shown = views.assignment_body(row, Languages(("de",)))
    conforms(answers.ListedAssignment, shown)
    assert (shown["source"], shown["sources"], shown["role"]["title"]) == ("RULE", ["RULE", "SCIM"], "R (de)")


def test_an_operation_in_a_list_differs_from_itself_alone_by_its_answer():
    view = CASES["group_replaced"]
    failed = dataclasses.replace(
        view, status=OperationStatus.FAILED, response=None, error={"code": "OPERATION_RAISED"}, dry_run=True,
        superseded_by=ID,
    )  # fmt: skip
    for one in (view, failed):
        fields = {field.name: getattr(one, field.name) for field in dataclasses.fields(OperationRow)}
        listed = views.listed_operation(OperationRow(**fields), Languages())
        conforms(answers.ListedOperation, listed)
        alone = operation_body(one, FORMS)
        del alone["response"]
        assert listed == alone


EXAMPLES = [
    (answers.DirectoryUser, examples.USER),
    (schemas.UserBody, examples.USER_FIELDS),
    (schemas.UserBatch, examples.USER_BATCH),
    (answers.DirectoryGroup, examples.GROUP),
    (schemas.GroupBody, examples.GROUP_FIELDS),
    (schemas.GroupBatch, examples.GROUP_BATCH),
    (answers.DirectoryRole, examples.ROLE),
    (schemas.RoleBody, examples.ROLE_FIELDS),
    (schemas.RoleBatch, examples.ROLE_BATCH),
    (answers.StoredItems, examples.STORED_ITEMS),
    (schemas.AssignmentBatch, examples.ASSIGNMENT_BATCH),
    (answers.AssignmentResults, examples.ASSIGNMENT_RESULTS),
    (answers.GroupAssignmentPage, examples.page(examples.ASSIGNMENT)),
    (answers.OperationPage, examples.page(examples.LISTED_OPERATION)),
    (OperationBody, examples.OPERATION),
    (answers.EventPage, examples.EVENTS),
    (operator_schemas.TenantBody, examples.TENANT_FIELDS),
    (operator_schemas.TenantPage, examples.page(examples.TENANT)),
    (operator_schemas.TokenBody, examples.TOKEN_FIELDS),
    (operator_schemas.TokenPage, examples.page(examples.TOKEN)),
    (operator_schemas.IssuedToken, examples.ISSUED_TOKEN),
]


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=[model.__name__ for model, _ in EXAMPLES])
def test_an_example_is_what_its_model_takes(model, example):
    conforms(model, example)


def conforms(model, body):
    """The model takes the body and knows each of its fields."""
    read = model.model_validate_json(json.dumps(body))
    assert json.loads(read.model_dump_json(exclude_unset=True)) == body


@pytest.mark.parametrize("place", [(0,), (7,), (2**63 - 1,), (1, 2, 3)])
def test_a_cursor_leads_back_to_its_place(place):
    assert decode_cursor(encode_cursor(place), first=(0,) * len(place)) == place


def test_a_cursor_of_words_leads_back_too():
    place = ("0", "01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a")
    assert decode_text_cursor(encode_text_cursor(place), first=("", "")) == place
    assert (encode_cursor(None), decode_cursor(None, first=(5,))) == (None, (5,))


def test_only_what_can_be_stored_and_shown_is_echoed_of_a_malformed_item():
    assert sent_key({"key": "k", "username": "u"}) == {"key": "k"}
    for raw in (None, 7, [], {}, {"key": 7}, {"key": "\0"}, {"key": "\ud800"}, {"key": "k" * 256}):
        assert sent_key(raw) == {}
    assert sent_names({"group_id": "g", "user_id": None, "role_id": ""}) == {"group_id": "g", "role_id": ""}
