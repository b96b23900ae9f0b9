"""The users API's words: bodies to changes, stored outcomes to answers. Reviewed as golden files."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from api.dialects.user_groups import schemas, translate
from api.dialects.user_groups.routes import _read_creation, _read_deletion
from api.errors.languages import SPOKEN
from api.errors.texts import CATALOGUES
from api.http.batches import read_items
from api.http.json_reading import read_json
from domain.codec import encode
from domain.columns import itemized
from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from domain.errors import ErrorCode, Refusal
from domain.items import InvalidItem
from domain.outcomes import Assigned, OperationStatus, Person, Result, Unassigned, document, outcomes_in
from infra.postgres.operations import OperationView, Presentation

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TITLES = {"trainer": {"en": "Trainer", "de": "Ausbilder", "it": "Formatrice"}}
PERSON = Person(id=1, key="ada", first_name="Ada", last_name="Größe", department="R&D", active=True)
MALFORMED = [
    5,
    None,
    [],
    {},
    {"group_id": "g", "body": {"role_id": "r"}},
    {"group_id": "g", "body": {"role_id": "r", "user_id": 7}},
    {"group_id": "g", "body": {"role_id": "r", "user_id": ""}},
    {"group_id": "g", "body": "u"},
    {"group_id": "g", "body": {"role_id": "r", "user_id": "u", "note": ""}},
    {"group_id": "g", "body": {"role_id": "r", "user_id": "u"}, "note": ""},
    {"group_id": "g", "user_id": "u", "role_id": "r"},
]


def change(op, user, *, role="trainer", group="sales"):
    return AssignmentChange(op=op, group=group, user=user, role=role)


def assigned(user="ada", *, sources=("MANUAL",), **person):
    shown = PERSON._replace(key=user, **person)
    return Assigned(group="sales", user=shown, role="trainer", sources=sources, created_at=AT)


def refused(code, **facts):
    return Refusal(code=code, **facts)


def view(form, items, outcomes, *, language="en", kept=False, **options):
    """The operation after these outcomes as it is read from the database; its request may be `kept` from acceptance."""
    request = encode(ChangeAssignments(items=tuple(items)))
    request = request if kept else json.loads(json.dumps(request))
    response = json.loads(json.dumps(document(Result(outcomes=outcomes, titles=TITLES))))
    return OperationView(
        tenant_id=1,
        id=UUID(int=7),
        seq=1,
        kind="group_assignments.change",
        status=OperationStatus.SUCCEEDED,
        dry_run=False,
        request=request,
        presentation=Presentation(form=form, language=language, options=options),
        response=response,
        error=None,
        attempts=0,
        done=len(items),
        total=len(items),
        accepted_at=AT,
        started_at=AT,
        finished_at=AT,
        superseded_by=None,
        request_id=None,
    )


def render(seen):
    answer = translate.FORMS[seen.presentation.form](seen)
    return to_json({"status": answer.status, "body": answer.body}, indent=2) + b"\n"


CREATE = AssignmentOp.CREATE
DELETE = AssignmentOp.DELETE
SINGLE = {
    "created": view(translate.CREATED, [change(CREATE, "ada")], [assigned()]),
    "created_de_with_actions": view(
        translate.CREATED, [change(CREATE, "ada")], [assigned()], language="de-ch", actions=True
    ),
    "created_it": view(translate.CREATED, [change(CREATE, "ada")], [assigned()], language="it,fr"),
    "deleted": view(
        translate.DELETED, [change(DELETE, "ada")], [Unassigned(group="sales", user="ada", role="trainer")]
    ),
    "batch_created": view(
        translate.BATCH_CREATED,
        [
            change(CREATE, "ada"),
            InvalidItem(field="body.user_id", reason="required", sent={"group_id": "sales", "role_id": "trainer"}),
            change(CREATE, "nobody"),
            change(CREATE, "bo", role="chief"),
            InvalidItem(field="", reason="not_object", sent={}),
            change(CREATE, "cy"),
        ],
        [
            assigned(),
            refused(ErrorCode.INVALID_ITEM, field="body.user_id", details={"reason": "required"}),
            refused(ErrorCode.USER_DOES_NOT_EXIST, field="user_id"),
            refused(ErrorCode.ROLE_NOT_ASSIGNABLE, field="role_id"),
            refused(ErrorCode.INVALID_ITEM, field="", details={"reason": "not_object"}),
            assigned("cy", sources=("RULE", "MANUAL")),
        ],
        language="fr",
        actions=True,
    ),
    "batch_all_created": view(
        translate.BATCH_CREATED,
        [change(CREATE, "ada"), change(CREATE, "bo")],
        [assigned(), assigned("bo", sources=("SCIM",), first_name="Bo", last_name="", department="", active=False)],
        language="de",
        actions=True,
    ),
    "batch_deleted": view(
        translate.BATCH_DELETED,
        [
            change(DELETE, "ada"),
            change(DELETE, "ada"),
            change(DELETE, "bo"),
            InvalidItem(field="role_id", reason="too_short:1", sent={"user_id": "cy"}),
        ],
        [
            Unassigned(group="sales", user="ada", role="trainer"),
            refused(ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST),
            refused(ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN),
            refused(ErrorCode.INVALID_ITEM, field="role_id", details={"reason": "too_short:1"}),
        ],
    ),
}
BUSINESS = [
    ErrorCode.USER_GROUP_DOES_NOT_EXIST,
    ErrorCode.USER_DOES_NOT_EXIST,
    ErrorCode.ROLE_DOES_NOT_EXIST,
    ErrorCode.ROLE_HAS_WRONG_PERMISSION_SCOPE,
    ErrorCode.USER_IS_NOT_ACTIVE,
    ErrorCode.ROLE_NOT_ASSIGNABLE,
    ErrorCode.USER_GROUP_ASSIGNMENT_ALREADY_EXISTS,
    ErrorCode.USER_GROUP_ASSIGNMENT_DOES_NOT_EXIST,
    ErrorCode.DERIVED_ASSIGNMENT_DELETION_FORBIDDEN,
]


@pytest.mark.parametrize("name", SINGLE)
def test_every_answer_is_as_reviewed(name, golden):
    golden(f"user_groups/{name}.json", render(SINGLE[name]))


@pytest.mark.parametrize("code", BUSINESS)
def test_every_refusal_is_as_reviewed(code, golden):
    seen = view(translate.CREATED, [change(CREATE, "ada")], [refused(code, field="user_id")])
    golden(f"user_groups/refused/{code.lower()}.json", render(seen))


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("code", BUSINESS)
def test_a_batch_refuses_an_item_as_a_single_call_would(code, language):
    single = view(translate.CREATED, [change(CREATE, "ada")], [refused(code)], language=language)
    batch = view(translate.BATCH_CREATED, [change(CREATE, "ada")], [refused(code)], language=language)
    alone = translate.created(single)
    [item] = translate.batch_created(batch).body["items"]
    assert item["status"] == alone.status
    assert item["error"] == {name: alone.body[name] for name in ("code", "message")}
    assert item["error"]["message"] == CATALOGUES[language]["codes"][code]


@pytest.mark.parametrize("name", SINGLE)
def test_an_answer_fits_the_shape_that_is_documented(name):
    answer = translate.FORMS[SINGLE[name].presentation.form](SINGLE[name])
    model = {"created": schemas.Assignment, "batch": schemas.BatchResult}.get(name.partition("_")[0])
    if model is None:
        assert (answer.status, answer.body) == (200, None)
    else:
        model.model_validate(answer.body, strict=True, extra="forbid")


@pytest.mark.parametrize("name", SINGLE)
def test_an_answer_is_the_same_for_what_was_stored_as_objects(name):
    """So operations are stored in which something is refused, and were all before there were columns."""
    seen = SINGLE[name]
    response = {"items": outcomes_in(seen.response), "titles": seen.response["titles"]}
    assert render(replace(seen, request=itemized(seen.request), response=response)) == render(seen)


def test_an_answer_is_the_same_every_time():
    seen = SINGLE["batch_created"]
    assert render(seen) == render(seen)


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_item_is_refused_alone(raw):
    good = {"group_id": "g", "body": {"role_id": "r", "user_id": "u"}}
    body = json.dumps({"items": [good, raw, good]}).encode()
    first, item, last = read_items(read_json(body), limit=3, read=_read_creation, sent=translate.sent_to_create)
    assert isinstance(item, InvalidItem)
    assert first == last == AssignmentChange(op=CREATE, group="g", user="u", role="r")


def test_a_malformed_item_echoes_the_ids_that_can_be_read():
    assert translate.sent_to_create({"group_id": "g", "body": {"role_id": "r", "user_id": 7}}) == {
        "group_id": "g",
        "role_id": "r",
    }
    assert translate.sent_to_delete({"group_id": "\ud800", "user_id": "x" * 129, "role_id": "r"}) == {"role_id": "r"}
    assert translate.sent_to_delete("r") == {}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["group_id", "body", "user_id", "role_id", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.lists(ANY_JSON, min_size=1, max_size=5))
def test_whatever_is_sent_as_items_can_be_stored_and_answered(items):
    body = json.dumps({"items": items}).encode()
    for reader, sent in ((_read_creation, translate.sent_to_create), (_read_deletion, translate.sent_to_delete)):
        read = read_items(read_json(body), limit=5, read=reader, sent=sent)
        assert len(read) == len(items)
        stored = json.dumps(encode(ChangeAssignments(items=read)), ensure_ascii=False).encode()
        assert b"\\u0000" not in stored
        outcomes = [
            refused(ErrorCode.INVALID_ITEM, field=item.field, details={"reason": item.reason})
            if isinstance(item, InvalidItem)
            else refused(ErrorCode.USER_DOES_NOT_EXIST)
            for item in read
        ]
        assert len(translate.batch_created(view(translate.BATCH_CREATED, read, outcomes)).body["items"]) == len(items)


def test_an_answer_is_the_same_whether_its_request_was_kept_or_is_read_again():
    items = [change(CREATE, "ada"), InvalidItem(field="", reason="not_object", sent={}), change(CREATE, "nobody")]
    outcomes = [
        assigned(),
        refused(ErrorCode.INVALID_ITEM, field="", details={"reason": "not_object"}),
        refused(ErrorCode.USER_DOES_NOT_EXIST, field="user_id"),
    ]
    kept, read = (view(translate.BATCH_CREATED, items, outcomes, kept=kept) for kept in (True, False))
    assert render(kept) == render(read)
