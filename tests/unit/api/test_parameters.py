"""Query parameters: arrays in both spellings, everything else once, nothing clamped."""

import asyncio
from enum import StrEnum

import pytest
from fastapi import Request
from pydantic import Field

from api.errors.api_error import ApiError
from api.http.parameters import LARGEST, Flag, ReadQuery, Text, Whole, WriteQuery, query
from domain.errors import ErrorCode


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


class Read(ReadQuery):
    page: Whole = Field(default=1, ge=1)
    colours: tuple[Colour, ...] = ()
    ids: tuple[Text, ...] | None = None
    limit: Whole = Field(default=25, ge=1, le=100)
    term: Text | None = None
    flag: Flag = False


class Write(WriteQuery):
    flag: Flag = False


def read(model, text):
    return asyncio.run(query(model)(Request({"type": "http", "query_string": text.encode(), "headers": []})))


def refused(model, text):
    with pytest.raises(ApiError) as error:
        read(model, text)
    assert error.value.code is ErrorCode.INVALID_PARAMETER
    return [(problem.field, problem.problem) for problem in error.value.problems]


@pytest.mark.parametrize("text", ["colours=RED,BLUE", "colours=RED&colours=BLUE"])
def test_arrays_are_repeated_or_comma_separated(text):
    assert read(Read, text).colours == (Colour.RED, Colour.BLUE)


def test_an_array_that_may_be_absent_is_split_too():
    assert read(Read, "ids=a,b&ids=c").ids == ("a", "b", "c")
    assert read(Read, "ids=").ids == ("",)
    assert read(Read, "").ids is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("page=0", "too_small"),
        ("page=-1", "not_integer"),
        ("page=1.0", "not_integer"),
        ("page=", "not_integer"),
        ("page=+1", "not_integer"),
        ("page=%20%201", "not_integer"),
        ("page=1_0", "not_integer"),
        ("page=%D9%A1", "not_integer"),  # an Arabic-Indic digit
        ("page=" + "9" * 30, "too_large"),
        (f"page={LARGEST + 1}", "too_large"),
        ("limit=101", "too_large"),
        ("page=1&page=2", "repeated"),
        ("colours=GREEN", "unknown_value"),
        ("colours=RED,", "unknown_value"),
        ("colours=red", "unknown_value"),
        ("term=%00", "holds_nul"),
        ("ids=a,%00", "holds_nul"),
        ("term=%ff", "invalid"),
        ("term=%ed%a0%80", "invalid"),  # a surrogate in the form of UTF-8
        ("flag=yes", "not_boolean"),
        ("flag=True", "not_boolean"),
        ("flag=1", "not_boolean"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(text, problem):
    assert refused(Read, text) == [(text.partition("=")[0], problem)]


@pytest.mark.parametrize("text", ["term=%C3%A9+a%2Bb&limit=3", "&term=é a%2Bb&&limit=3&", "li%6Dit=3&te%72m=é+a%2Bb"])
def test_text_is_utf8_percent_encoded_or_not(text):
    asked = read(Read, text)
    assert (asked.term, asked.limit) == ("é a+b", 3)


def test_every_parameter_at_fault_is_named_once():
    assert refused(Read, "page=x&colours=A,B&flag=2") == [
        ("page", "not_integer"),
        ("colours", "unknown_value"),
        ("flag", "not_boolean"),
    ]


def test_a_write_refuses_what_it_does_not_know_and_a_read_passes_over_it():
    assert refused(Write, "flga=true") == [("flga", "unknown_parameter")]
    assert refused(Write, "a=1&a=2") == [("a", "unknown_parameter")]
    assert read(Read, "flga=true") == Read()
