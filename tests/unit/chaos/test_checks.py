"""Each thing that can be wrong after a run is found and counted where it belongs, and a sound run has nothing."""

import hashlib
import json

import pytest

from tests.chaos.book import Answer, Book, Call, Fate, Request
from tests.chaos.checks import check
from tests.chaos.evidence import Evidence
from tests.chaos.subscriber import Seen

ONE, TWO = "0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b41", "0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b42"
CREATED, DELETED = "seatline.group_assignment.created.v1", "seatline.group_assignment.deleted.v1"
FINISHED, GRANTED = "seatline.operation.finished.v1", "seatline.entitlement.granted.v1"
PLACE = {"group": {"id": 1}, "user": {"id": 2}, "role": {"id": 3}}


def event(number, kind, data, operation=ONE):
    return {"type": kind, "sequence": f"{number:019}", "previous": "0", "operationid": operation, "subject": "s",
            "data": data}  # fmt: skip


def message(*events):
    first, last = (int(one["sequence"]) for one in (events[0], events[-1]))
    return {"tenant": "north", "first_sequence": first, "last_sequence": last, "is_published": True,
            "body": json.dumps(events).encode()}  # fmt: skip


class Run:
    """A run in which one call put one person into a group and gave them a seat."""

    def __init__(self):
        self.book, self.seen = Book(), Seen()
        self.call = Call(key="k1", tenant="north", request=Request(dialect="users", method="POST", path="/"))
        self.book.begin(self.call)
        self.book.took(self.call, Answer(status=201, operation_id=ONE))
        self.operations = [self.operation(ONE, "k1")]
        self.outbox = [
            message(event(1, CREATED, PLACE)),
            message(event(2, GRANTED, {"assignment_id": 9, "state": "active"})),
            message(event(3, FINISHED, {})),
        ]
        for row in self.outbox:
            self.seen.take(row["body"])
        self.pools = [{"tenant": "north", "key": "p", "capacity": 1, "used": 1, "reserved": 0, "active": 1}]
        self.numbered, self.poison, self.unknown_kinds, self.idle = {"north": 3}, [], [], []
        self.assignments, self.entitlements = {("north", 1, 2, 3)}, {("north", 9): "active"}

    @staticmethod
    def operation(number, key, status="succeeded"):
        return {"tenant": "north", "id": number, "key": key, "kind": "kind", "status": status, "error": None}

    def findings(self):
        evidence = Evidence(
            operations=self.operations, outbox=self.outbox, numbered=self.numbered, pools=self.pools,
            assignments=frozenset(self.assignments), entitlements=self.entitlements, idle_in_transaction=self.idle,
            unreadable=0,
        )  # fmt: skip
        return check(self.book, evidence, {"north": self.seen}, poison=self.poison, unknown_kinds=self.unknown_kinds)


@pytest.fixture
def run():
    return Run()


def test_a_sound_run_has_no_findings(run):
    assert run.findings().all() == []


@pytest.mark.parametrize("status", ["queued", "running"])
def test_an_accepted_operation_that_never_ends_is_lost(run, status):
    run.operations = [run.operation(ONE, "k1", status)]
    assert len(run.findings().lost) == 1


def test_an_accepted_operation_without_a_row_is_lost(run):
    run.operations = []
    assert len(run.findings().lost) == 1


def test_an_event_that_the_subscriber_never_saw_is_lost(run):
    run.outbox.append(message(event(4, GRANTED, {"assignment_id": 9, "state": "active"})))
    run.numbered = {"north": 4}
    assert len(run.findings().lost) == 1


def test_two_operations_under_one_key_are_duplicated(run):
    run.operations.append(run.operation(TWO, "k1"))
    assert any("k1 is 2 operations" in one for one in run.findings().duplicated)


def test_a_call_that_was_answered_as_two_operations_is_duplicated(run):
    run.call.operation_ids.add(TWO)
    assert any("was answered as operations" in one for one in run.findings().duplicated)


@pytest.mark.parametrize(("kind", "data"), [(FINISHED, {}), (CREATED, PLACE)])
def test_an_effect_that_is_announced_again_is_duplicated(run, kind, data):
    run.outbox.append(message(event(4, kind, data)))
    run.seen.take(run.outbox[-1]["body"])
    run.numbered = {"north": 4}
    assert len(run.findings().duplicated) == 1


def test_more_seats_than_there_are_is_oversold(run):
    run.pools[0] |= {"used": 2, "active": 2}
    assert len(run.findings().oversold) == 1


def test_a_count_that_is_not_that_of_the_rows_is_oversold(run):
    run.pools[0]["active"] = 0
    assert len(run.findings().oversold) == 1


def test_rows_that_the_log_does_not_explain_are_found(run):
    run.assignments, run.entitlements = set(), {("north", 9): "waiting"}
    assert len(run.findings().others) == 2


def test_a_failure_without_poison_and_poison_that_did_not_fail_are_found(run):
    run.operations = [run.operation(ONE, "k1", "failed")]
    run.unknown_kinds = [TWO]
    assert len(run.findings().others) == 2


def test_a_fate_that_stays_unknown_is_found(run):
    call = Call(key="k2", tenant="north", request=run.call.request)
    run.book.begin(call)
    run.book.lost_sight(call, Fate.UNKNOWN)
    assert len(run.findings().others) == 1


def test_what_was_accepted_although_everyone_refused_is_found(run):
    call = Call(key="k1", tenant="north", request=run.call.request)
    run.book.calls["other"] = call
    call.is_given_up = True
    assert len(run.findings().others) == 1


def test_an_answer_that_changes_is_found(run):
    run.book.took(run.call, Answer(status=200, operation_id=ONE))
    assert len(run.findings().others) == 1


def test_a_message_that_differs_from_the_log_or_from_itself_is_found(run):
    run.seen.digests[1] = hashlib.sha256(b"other").digest()
    run.seen.take(run.outbox[0]["body"])
    assert len(run.findings().others) == 2


def test_an_event_before_its_predecessor_is_found(run):
    run.seen.take(json.dumps([event(5, GRANTED, {})]).encode())
    assert [one for one in run.findings().others if "before their predecessor" in one]


def test_a_hole_in_the_log_and_an_unpublished_message_are_found(run):
    run.outbox[1]["is_published"] = False
    del run.outbox[2]
    assert len([one for one in run.findings().others if "the log ends" in one or "not published" in one]) == 2


def test_an_idle_transaction_is_found(run):
    run.idle = ["worker: SELECT 1"]
    assert len(run.findings().others) == 1
