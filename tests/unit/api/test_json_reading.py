"""Reading JSON: nothing that harms further down gets through, and what is wrong is named."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors.api_error import ApiError
from api.http.bodies import BodyModel, read_model
from api.http.json_reading import DEEPEST, MOST_FLAWS, read_json
from domain.errors import ErrorCode

ANY_TEXT = st.text(st.characters(), max_size=20) | st.just("\ud800") | st.just("\0") | st.just("\udc00x")
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_FLOAT | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


def harmful(value):
    """An independent look: what may not be stored."""
    if isinstance(value, dict):
        return any(harmful(name) or harmful(child) for name, child in value.items())
    if isinstance(value, list):
        return any(harmful(child) for child in value)
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, str) and ("\0" in value or any("\ud800" <= char <= "\udfff" for char in value))


@given(ANY_JSON)
def test_no_nul_no_surrogate_and_no_endless_number_gets_through(value):
    document = read_json(json.dumps(value).encode())
    assert bool(document.flaws) == harmful(value)


@given(ANY_JSON.filter(lambda value: not harmful(value)))
def test_what_is_harmless_is_read_as_it_was_sent(value):
    assert read_json(json.dumps(value, ensure_ascii=False).encode()).value == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_refusal(raw):
    with contextlib.suppress(ApiError):  # and nothing else
        document = read_json(raw)
        assert document.flaws or not harmful(document.value)


@pytest.mark.parametrize(
    ("raw", "field", "problem"),
    [
        (b'{"a": {"b": [1, 1e999]}}', "a.b.1", "not_finite"),
        (b'{"a": -1e999}', "a", "not_finite"),
        (b'{"a": NaN}', "a", "not_finite"),
        (b'{"a": Infinity}', "a", "not_finite"),
        (b'{"a": ' + b"9" * 400 + b".0}", "a", "not_finite"),
        (b'{"a": "x\\u0000y"}', "a", "holds_nul"),
        (b'{"a": "\\ud800"}', "a", "holds_surrogate"),
        (b'{"a": "\\udc00\\ud800"}', "a", "holds_surrogate"),
        (b'{"\\u0000": 1}', r"\x00", "holds_nul"),
        (b'{"a": 1, "a": 2}', "a", "repeated"),
        (b'{"items": [{"id": 1, "id": 1}]}', "items.0.id", "repeated"),
        (b'"\\u0000"', "", "holds_nul"),
    ],
)
def test_a_flaw_names_its_field(raw, field, problem):
    [flaw] = read_json(raw).flaws
    assert (flaw.as_problem().field, flaw.problem) == (field, problem)


def test_a_pair_of_surrogates_is_one_character():
    assert read_json(b'{"a": "\\ud83d\\ude00"}').value == {"a": "😀"}
    assert read_json(b'{"a": "\\ud83d\\ude00"}').flaws == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 01}',
        b'{"a": "\x00"}',
        b'"\xff"',
        b'"\xed\xa0\x80"',  # a surrogate as UTF-8
        '{"a": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"1 2",
        b"9" * 5000,
    ],
)
def test_what_is_no_json_in_utf8_is_malformed(raw):
    with pytest.raises(ApiError) as refused:
        read_json(raw)
    assert refused.value.code is ErrorCode.MALFORMED_JSON


@pytest.mark.parametrize("leaf", [b"", b"1", b"1.5", b'"\\u0041"'])
def test_nesting_ends_at_the_limit(leaf):
    def nested(levels):
        return read_json(b"[" * levels + leaf + b"]" * levels).flaws

    assert nested(DEEPEST) == ()
    [flaw] = nested(DEEPEST + 1)
    assert (flaw.problem, flaw.limit) == ("too_deep", DEEPEST)


def test_endless_nesting_is_refused_without_being_walked():
    with pytest.raises(ApiError) as refused:
        read_json(b"[" * 500_000)
    assert [problem.problem for problem in refused.value.problems] == ["too_deep"]


def test_a_document_full_of_flaws_is_refused_as_a_whole():
    with pytest.raises(ApiError) as refused:
        read_json(b'{"items": [' + b"NaN," * MOST_FLAWS + b"NaN]}")
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


NAMES = st.sampled_from(["a", "b", "é", 'q"q', "\\", "\n", ""])
TREES = st.recursive(
    st.none() | st.integers() | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple),
    max_leaves=12,
)


def written(tree):
    """As JSON; a tuple is an object, with all the names that it has."""
    match tree:
        case tuple():
            return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}: {written(one)}" for name, one in tree) + "}"
        case list():
            return "[" + ",".join(map(written, tree)) + "]"
    return json.dumps(tree, ensure_ascii=False)


def repeats(tree):
    if not isinstance(tree, list | tuple):
        return False
    names = [name for name, _ in tree] if isinstance(tree, tuple) else []
    inner = [one for _, one in tree] if isinstance(tree, tuple) else tree
    return len(set(names)) < len(names) or any(map(repeats, inner))


@given(tree=TREES)
def test_a_repeated_name_is_found_wherever_it_stands_and_nowhere_else(tree):
    flaws = read_json(written(tree).encode()).flaws
    # Where an object is repeated as a whole, what was in the first of them is gone with it.
    assert ("repeated" in {flaw.problem for flaw in flaws}) is repeats(tree)


def test_a_repeated_name_among_very_many_is_found_in_one_reading():
    names = ",".join(f'"{number}":1' for number in range(100_000))
    [flaw] = read_json(f'{{{names},"7":1}}'.encode()).flaws
    assert flaw.path == ("7",)


class Body(BodyModel):
    name: str
    count: int = 0


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        (b"{}", [("name", "required")]),
        (b"[]", [("", "not_object")]),
        (b"null", [("", "not_object")]),
        (b'{"name": 5}', [("name", "not_text")]),
        (b'{"name": "a", "count": "5"}', [("count", "not_integer")]),
        (b'{"name": "a", "count": 5.0}', [("count", "not_integer")]),
        (b'{"name": "a", "count": true}', [("count", "not_integer")]),
        (b'{"name": "a", "other": 1}', [("other", "unknown_field")]),
        (b'{"name": "\\u0000", "other": 1}', [("name", "holds_nul")]),
    ],
)
def test_a_model_takes_nothing_but_what_it_declares(raw, problems):
    with pytest.raises(ApiError) as refused:
        read_model(Body, read_json(raw))
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert [(problem.field, problem.problem) for problem in refused.value.problems] == problems
