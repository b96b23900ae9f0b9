"""Results survive being stored: what every item has become is read back, whichever form it is stored in."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ErrorCode, Refusal
from domain.outcomes import Assigned, AssignedRow, Person, Result, assigned_in, document, outcomes_in, timestamp

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
REFUSED = Refusal(code=ErrorCode.USER_DOES_NOT_EXIST, field="user_id")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
PEOPLE = st.builds(
    Person,
    id=st.integers(1, 9),
    key=WORDS,
    active=st.booleans(),
    first_name=WORDS,
    last_name=WORDS,
    department=WORDS,
)
ASSIGNED = st.builds(
    Assigned,
    group=WORDS,
    user=PEOPLE,
    role=WORDS,
    sources=st.sampled_from([("MANUAL",), ("RULE", "MANUAL"), ("SCIM",)]),
    created_at=st.sampled_from([AT, AT + timedelta(days=1)]),
)


def stored(*outcomes):
    return json.loads(json.dumps(document(Result(outcomes=outcomes, titles={"r": {"en": "R"}}))))


@settings(max_examples=200, deadline=None, database=None)
@given(outcomes=st.lists(ASSIGNED, min_size=1, max_size=5))
def test_a_result_reads_the_same_whether_its_items_stand_in_columns_or_not(outcomes):
    in_columns, as_objects = stored(*outcomes), stored(*outcomes, REFUSED)
    assert "columns" in in_columns
    assert assigned_in(as_objects) is None
    assert outcomes_in(in_columns) == outcomes_in(as_objects)[:-1]
    assert list(assigned_in(in_columns)) == [AssignedRow.of(item) for item in outcomes_in(as_objects)[:-1]]


@settings(max_examples=100, deadline=None, database=None)
@given(one=ASSIGNED)
def test_an_assignment_shows_the_person_as_it_was_and_when_it_was_made(one):
    assert outcomes_in(stored(one)) == [
        {
            "outcome": "assigned",
            "group": one.group,
            "user": {
                "key": one.user.key,
                "first_name": one.user.first_name,
                "last_name": one.user.last_name,
                "department": one.user.department,
                "active": one.user.active,
            },
            "role": one.role,
            "sources": list(one.sources),
            "created_at": timestamp(one.created_at),
        }
    ]


def test_what_all_assignments_share_is_stored_once():
    people = [Person(id=n, key=f"p{n}", active=True, first_name="Ada") for n in range(2)]
    made = [Assigned("sales", person, "r", ("MANUAL",), AT) for person in people]
    assert stored(*made) == {
        "rows": 2,
        "columns": {
            "group": ["sales"],
            "user": ["p0", "p1"],
            "first_name": ["Ada"],
            "last_name": [""],
            "department": [""],
            "active": [True],
            "role": ["r"],
            "sources": [["MANUAL"]],
            "created_at": [timestamp(AT)],
        },
        "titles": {"r": {"en": "R"}},
    }


def test_a_result_of_no_items_has_none():
    assert outcomes_in(stored()) == []
