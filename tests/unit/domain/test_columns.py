"""Rows survive being written as columns; what is no such document is said to be none."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.columns import folded, has_columns, itemized, rows_of, written

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
ROWS = st.lists(st.tuples(WORDS, st.sampled_from(["a", "b"]), st.booleans()), min_size=1, max_size=6)


def document_of(rows):
    keys, letters, flags = zip(*rows, strict=True)
    document = written(len(rows), key=folded(keys), letter=folded(letters), flag=folded(flags))
    return json.loads(json.dumps(document))


@settings(max_examples=200, deadline=None, database=None)
@given(rows=ROWS)
def test_rows_that_were_written_are_read_in_any_order_of_columns(rows):
    document = document_of(rows)
    assert has_columns(document)
    assert list(rows_of(document, "key", "letter", "flag")) == rows
    assert list(rows_of(document, "flag", "key")) == [(flag, key) for key, _, flag in rows]


@settings(max_examples=100, deadline=None, database=None)
@given(rows=ROWS)
def test_people_read_an_object_for_each_row_and_what_stands_beside_them(rows):
    read = itemized(document_of(rows) | {"titles": {"a": "A"}})
    items = [{"key": key, "letter": letter, "flag": flag} for key, letter, flag in rows]
    assert read == {"items": items, "titles": {"a": "A"}}


def test_what_has_no_columns_is_read_as_it_stands():
    assert itemized({"items": [1, 2], "beside": 3}) == {"items": [1, 2], "beside": 3}


def test_a_value_that_stands_in_every_row_is_written_once():
    assert document_of([("x", "a", True), ("y", "a", True)])["columns"] == {
        "key": ["x", "y"],
        "letter": ["a"],
        "flag": [True],
    }


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"key": ["x", "y"]}, KeyError),
        ({"key": ["x", "y"], "letter": "ab"}, TypeError),
        ({"key": ["x", "y"], "letter": []}, ValueError),
        ({"key": ["x", "y", "z"], "letter": ["a"]}, ValueError),
    ],
)
def test_columns_that_make_no_rows_are_refused(columns, error):
    with pytest.raises(error):
        list(rows_of({"rows": 2, "columns": columns}, "key", "letter"))
