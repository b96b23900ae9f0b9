"""An operation as callers see it, and the renderers behind it."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

import pytest
from starlette.datastructures import URL

from api.forms import all_forms, combined
from api.http.operation import Rendered, failure_code, operation_body, rendered
from api.http.submit import fingerprint
from domain.errors import ErrorCode
from domain.outcomes import OperationStatus
from infra.postgres.operations import OperationView, Presentation

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
FORMS = {"test": lambda view: Rendered(200, view.response)}


def view(status=OperationStatus.SUCCEEDED, **changes):
    base = OperationView(
        tenant_id=1,
        id=UUID(int=7),
        seq=1,
        kind="group_assignments.change",
        status=status,
        dry_run=False,
        request={"items": []},
        presentation=Presentation(form="test", language="de-ch"),
        response=None if status.is_open or status is OperationStatus.FAILED else {"items": []},
        error=None,
        attempts=0,
        done=0 if status.is_open else 2,
        total=2,
        accepted_at=AT,
        started_at=None if status.is_open else AT,
        finished_at=None if status.is_open else AT,
        superseded_by=None,
        request_id=None,
    )
    return dataclasses.replace(base, **changes)


def test_an_open_operation_has_no_answer_yet():
    assert operation_body(view(OperationStatus.QUEUED), FORMS) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "kind": "group_assignments.change",
        "status": "queued",
        "progress": {"done": 0, "total": 2},
        "response": None,
        "timeline": [{"at": "2026-01-02T03:04:05.000678Z", "event": "accepted"}],
    }


def test_a_finished_operation_carries_the_answer_of_its_door():
    body = operation_body(view(OperationStatus.PARTIALLY_SUCCEEDED), FORMS)
    assert body["response"] == {"status": 200, "body": {"items": []}}
    assert [moment["event"] for moment in body["timeline"]] == ["accepted", "started", "partially_succeeded"]
    assert "error" not in body


def test_a_failed_operation_says_why_in_the_words_of_the_catalogue():
    failed = view(OperationStatus.FAILED, error={"code": "OPERATION_RAISED", "message": "KeyError: 'ann@example.org'"})
    body = operation_body(failed, FORMS)
    assert body["response"] is None
    assert body["error"]["code"] == "OPERATION_RAISED"
    assert "fehlgeschlagen" in body["error"]["message"]
    assert "example.org" not in str(body)


@pytest.mark.parametrize("error", [None, {}, {"code": "OF_A_LATER_VERSION"}, {"code": None}])
def test_a_failure_without_a_known_code_is_an_internal_error(error):
    assert failure_code(view(OperationStatus.FAILED, error=error)) is ErrorCode.INTERNAL_ERROR


def test_an_operation_whose_door_is_gone_can_still_be_read():
    gone = view(presentation=Presentation(form="a dialect that was deleted"))
    assert rendered(gone, FORMS) is None
    assert operation_body(gone, FORMS)["status"] == "succeeded"


def test_a_dry_run_and_a_successor_are_told():
    body = operation_body(view(dry_run=True, superseded_by=UUID(int=8)), FORMS)
    assert body["dry_run"] is True
    assert body["superseded_by"] == "00000000-0000-0000-0000-000000000008"


def test_two_doors_cannot_share_a_name():
    assert len(all_forms()) > 4
    with pytest.raises(ValueError, match="test"):
        combined((FORMS, FORMS))


def test_a_fingerprint_is_of_the_values_not_of_their_spelling():
    base = fingerprint("POST", URL("http://a/x?b=2&a=1"), {"one": 1, "two": [1, 2]})
    assert fingerprint("POST", URL("http://other/x?a=1&b=2"), {"two": [1, 2], "one": 1}) == base
    others = [
        fingerprint("DELETE", URL("http://a/x?b=2&a=1"), {"one": 1, "two": [1, 2]}),
        fingerprint("POST", URL("http://a/y?b=2&a=1"), {"one": 1, "two": [1, 2]}),
        fingerprint("POST", URL("http://a/x?b=2&a=2"), {"one": 1, "two": [1, 2]}),
        fingerprint("POST", URL("http://a/x?b=2&a=1"), {"one": 1, "two": [2, 1]}),
        fingerprint("POST", URL("http://a/x?b=2&a=1"), {"one": True, "two": [1, 2]}),
    ]
    assert base not in others
    assert len(set(others)) == len(others)
