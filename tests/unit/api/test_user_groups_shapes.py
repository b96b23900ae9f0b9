"""The users API's objects out of rows, and that they look like those out of outcomes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from api.dialects.user_groups import schemas, shapes
from api.errors.languages import Languages
from domain.outcomes import Assigned, Person, Result, assigned_in, document
from domain.sources import Source
from infra.postgres.reads.user_groups import ShownAssignment, ShownRole, like_pattern

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TITLES = {"trainer": {"en": "Trainer", "de": "Ausbilder", "it": "Formatrice"}}
ROW = ShownAssignment(
    group="sales",
    user="ada",
    first_name="Ada",
    last_name="Größe",
    department="R&D",
    active=False,
    role="trainer",
    titles=TITLES["trainer"],
    sources=Source.MANUAL,
    created_at=AT,
)


@pytest.mark.parametrize(
    ("sources", "source", "actions"),
    [
        (Source.MANUAL, "MANUAL", ["DELETE"]),
        (Source.SCIM | Source.MANUAL, "SCIM", ["DELETE"]),
        (Source.RULE | Source.MANUAL, "RULE", []),
        (Source.PRIMARY | Source.RULE | Source.SCIM, "PRIMARY", []),
    ],
)
def test_a_row_shows_its_strongest_source_and_what_may_be_done(sources, source, actions):
    row = replace(ROW, sources=sources)
    shown = shapes.assignment_of_row(row, Languages(("de",)), deletable_roles=None, with_actions=True)
    assert (shown["source"], shown["actions"]) == (source, actions)


@pytest.mark.parametrize(
    ("deletable", "actions"), [(None, ["DELETE"]), (("trainer",), ["DELETE"]), (("x",), []), ((), [])]
)
def test_who_may_not_delete_is_not_offered_it(deletable, actions):
    shown = shapes.assignment_of_row(ROW, Languages(), deletable_roles=deletable, with_actions=True)
    assert shown["actions"] == actions


def test_a_row_and_an_outcome_look_the_same():
    row = shapes.assignment_of_row(ROW, Languages(("de",)), deletable_roles=None, with_actions=True)
    person = Person(id=1, key="ada", first_name="Ada", last_name="Größe", department="R&D", active=False)
    made = Assigned(group="sales", user=person, role="trainer", sources=("MANUAL",), created_at=AT)
    (outcome,) = assigned_in(document(Result(outcomes=[made], titles={})))
    assert shapes.assignment_of_outcome(outcome, {"trainer": "Ausbilder"}, with_actions=True) == row


def test_pages_are_as_reviewed(golden):
    languages = Languages(("de",))
    role = ShownRole(key="trainer", titles=TITLES["trainer"], descriptions={"en": "Trains."})
    shown = {
        "assignments": shapes.page(
            "assignments",
            [shapes.assignment_of_row(ROW, languages, deletable_roles=None, with_actions=False)],
            number=2,
            limit=25,
            total=26,
        ),
        "assignable_roles": shapes.page(
            "assignable_roles",
            [shapes.assignable_role(role, languages, with_role=with_role) for with_role in (False, True)],
            number=1,
            limit=25,
            total=2,
        ),
        "empty": shapes.page("assignments", [], number=1, limit=25, total=0),
    }
    schemas.AssignmentPage.model_validate(shown["assignments"], extra="forbid")
    schemas.AssignableRolePage.model_validate(shown["assignable_roles"], extra="forbid")
    golden("user_groups/pages.json", to_json(shown, indent=2) + b"\n")


@pytest.mark.parametrize(
    ("term", "pattern"),
    [("ada", "%ada%"), ("50%", r"%50\%%"), ("a_b", r"%a\_b%"), ("a\\", r"%a\\%"), ("%", r"%\%%")],
)
def test_a_search_term_is_literal(term, pattern):
    assert like_pattern(term) == pattern
