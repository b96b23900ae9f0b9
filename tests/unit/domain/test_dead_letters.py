"""Which failures are alike: numbers, ids and quoted values aside."""

import pytest

from domain.dead_letters import LONGEST_MESSAGE, DeadLetterFilter, fingerprint_of, first_line, read_filter

RAISED = {"kind": "groups.put", "code": "OPERATION_RAISED"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ValueError at waves.apply:17", "ValueError at waves.apply:18"),
        ("no row 'ann'", "no row 'bob'"),
        ('no row "ann"', 'no row "bob"'),
        ("lost 01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5a", "lost 01939f6e-7c2a-7d3e-9b1a-2f6d1c0e4b5b"),
        ("digest 5f0c2d9a71be43d8", "digest 5f0c2d9a71be43d9"),
        ("one\nfirst detail", "one\nsecond detail"),
        ("x" * LONGEST_MESSAGE, "x" * LONGEST_MESSAGE + "y"),
    ],
)
def test_what_differs_by_its_values_alone_failed_alike(one, other):
    assert fingerprint_of(message=one, **RAISED) == fingerprint_of(message=other, **RAISED)


@pytest.mark.parametrize(
    "other",
    [
        {"message": "KeyError at waves.apply:17", **RAISED},
        {"message": "ValueError at waves.apply:17", **RAISED, "kind": "roles.put"},
        {"message": "ValueError at waves.apply:17", **RAISED, "code": "OPERATION_TIMED_OUT"},
    ],
)
def test_another_text_kind_or_code_is_another_error(other):
    assert fingerprint_of(message="ValueError at waves.apply:17", **RAISED) != fingerprint_of(**other)


def test_a_list_shows_the_first_line_as_far_as_it_is_short():
    assert first_line("one\ntwo") == "one"
    assert len(first_line("x" * 10_000)) == LONGEST_MESSAGE


def test_a_filter_that_asks_nothing_says_nothing():
    assert DeadLetterFilter().document == {}
    assert read_filter({}) == DeadLetterFilter()
