"""What one attempt tells its caller, and that contradictions are kept."""

import pytest

from tests.chaos.book import Answer, Book, Call, Fate, Request

OPERATION = "0190f3d2-7c1e-7a55-9c3b-5d2f6a1e8b40"


@pytest.fixture
def call():
    return Call(key="k", tenant="north", request=Request(dialect="native", method="PUT", path="/v1/groups/g"))


@pytest.mark.parametrize(
    ("answer", "fate", "is_final"),
    [
        (Answer(status=201, operation_id=OPERATION), Fate.OK, True),
        (Answer(status=202, operation_id=OPERATION), Fate.OK, False),
        (Answer(status=400, operation_id=OPERATION), Fate.REFUSED, True),
        (Answer(status=404), Fate.REFUSED, True),
        (Answer(status=429), Fate.REFUSED, False),
        (Answer(status=500, operation_id=OPERATION), Fate.REFUSED, True),
        (Answer(status=500), Fate.UNKNOWN, False),
        (Answer(status=503), Fate.REFUSED, False),
        (Answer(status=503, operation_id=OPERATION), Fate.UNKNOWN, False),
    ],
)
def test_an_answer_says_what_became_of_the_call_and_whether_that_is_all(answer, fate, is_final):
    assert (answer.fate, answer.is_final) == (fate, is_final)


def test_an_operation_whose_commit_is_unknown_is_not_accepted_yet(call):
    call.take(Answer(status=503, operation_id=OPERATION))
    assert not call.was_accepted
    assert not call.certainly_not_accepted


def test_whoever_was_refused_by_everyone_has_accepted_nothing(call):
    call.take(Answer(status=503))
    call.fates.append(Fate.REFUSED)
    assert call.certainly_not_accepted
    call.fates.append(Fate.UNKNOWN)
    assert not call.certainly_not_accepted


def test_a_second_final_answer_must_be_the_first(call):
    call.take(Answer(status=200, body=b"one", operation_id=OPERATION))
    call.take(Answer(status=200, body=b"one", operation_id=OPERATION))
    assert call.contradictions == []
    call.take(Answer(status=200, body=b"two", operation_id=OPERATION))
    assert len(call.contradictions) == 1


def test_a_call_is_open_until_its_fate_is_known(call):
    book = Book()
    book.begin(call)
    book.lost_sight(call, Fate.UNKNOWN)
    book.took(call, Answer(status=202, operation_id=OPERATION))
    assert book.oldest_open() == call.begun
    book.took(call, Answer(status=200, operation_id=OPERATION))
    assert book.oldest_open() is None
    assert book.attempts == 3
    assert book.answered_since("north", call.begun - 1)
    assert not book.answered_since("north", call.begun)
