"""Prefer and Idempotency-Key."""

from datetime import timedelta

import pytest
from starlette.datastructures import Headers

from api.errors.api_error import ApiError
from api.http.preferences import Preferences, idempotency_key
from domain.errors import ErrorCode

DEFAULT = timedelta(seconds=10)


def headers(name, *values):
    return Headers(raw=[(name.encode(), value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], 10),
        (["respond-async"], 0),
        (["RESPOND-ASYNC"], 0),
        (["wait=3"], 3),
        (["wait=0"], 0),
        (["wait=60"], 60),
        (['wait="7"'], 7),
        (["respond-async, wait=5"], 5),
        (["respond-async", "wait=5"], 5),
        (["respond-async; foo=bar"], 0),
        (["wait=3, wait=9"], 3),
        (["return=minimal, wait=4"], 4),
        # What cannot be met is passed over (RFC 7240, section 2).
        (["wait=61"], 10),
        (["wait=-1"], 10),
        (["wait=1.5"], 10),
        (["wait=soon"], 10),
        (["wait"], 10),
        (["wait=99999999999999999999"], 10),
        (["respond-asynchronously"], 10),
    ],
)
def test_how_long_a_call_waits(prefer, seconds):
    assert Preferences.of(headers("prefer", *prefer)).limit(DEFAULT) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("prefer", "finished", "accepted"),
    [
        ([], "", "respond-async"),
        (["respond-async"], "", "respond-async"),
        (["wait=3"], "wait=3", "wait=3"),
        (["respond-async, wait=3"], "wait=3", "respond-async, wait=3"),
        (["wait=99"], "", "respond-async"),
    ],
)
def test_what_is_said_to_have_been_applied(prefer, finished, accepted):
    preferences = Preferences.of(headers("prefer", *prefer))
    assert preferences.applied(accepted_only=False) == finished
    assert preferences.applied(accepted_only=True) == accepted


@pytest.mark.parametrize("key", ["a", "~" * 255, "!0aZ~", "4f6c2a0e-7"])
def test_a_key_of_visible_ascii_is_taken(key):
    assert idempotency_key(headers("idempotency-key", key)) == key


def test_no_key_is_no_key():
    assert idempotency_key(headers("idempotency-key")) is None


@pytest.mark.parametrize("keys", [[""], ["a b"], ["x" * 256], ["ä"], ["a\t"], ["a", "a"]])
def test_what_is_no_key_is_refused(keys):
    with pytest.raises(ApiError) as refused:
        idempotency_key(headers("idempotency-key", *keys))
    assert refused.value.code is ErrorCode.IDEMPOTENCY_KEY_INVALID
