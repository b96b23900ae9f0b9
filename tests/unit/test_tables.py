"""What an export writes an import reads, whatever the cells hold."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.cli.exporting import LINE_END
from workers.cli.tables import TABLES, Holds

# What the API stores: no unpaired surrogates, and no NUL.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON_OBJECTS = st.dictionaries(TEXT, st.integers() | TEXT | st.booleans() | st.none(), max_size=3)
VALUES = {Holds.TEXT: TEXT, Holds.FLAG: st.booleans(), Holds.NUMBER: st.integers(0), Holds.JSON: JSON_OBJECTS}


@st.composite
def objects(draw):
    """A kind, and an object as its list shows it."""
    kind = draw(st.sampled_from(list(TABLES)))
    shown = {}
    for column in TABLES[kind].columns:
        value = VALUES[column.holds]
        shown[column.name] = draw(value.filter(bool) if column.required else st.none() | value)
    return kind, shown


@given(objects())
def test_a_row_that_was_written_makes_the_item_that_makes_the_object(made):
    kind, shown = made
    table = TABLES[kind]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=LINE_END).writerow(table.row(shown))
    text.seek(0)
    [cells] = csv.reader(text, strict=True)
    item = table.item(dict(zip(table.names, cells, strict=True)))
    sent = {name: value for name, value in shown.items() if value not in (None, "", {})}
    nulls = {column.name: None for column in table.columns if column.sent_empty and column.name not in sent}
    assert item == {**table.with_each, **nulls, **sent}


@pytest.mark.parametrize("kind", TABLES)
def test_every_column_that_names_the_subject_exists(kind):
    table = TABLES[kind]
    assert set(table.subject) <= set(table.names)
    assert len(set(table.names)) == len(table.names)


def test_an_assignment_is_a_row_for_each_source_that_can_be_assigned():
    shown = {"group_id": "g", "user_id": "u", "role_id": "r", "sources": ["PRIMARY", "RULE", "MANUAL"]}
    rows = [TABLES["assignments"].row(row) for row in TABLES["assignments"].rows_of(shown)]
    assert rows == [["g", "u", "r", "RULE"], ["g", "u", "r", "MANUAL"]]


@pytest.mark.parametrize(
    ("state", "types", "user", "rows"),
    [
        ("active", ["direct", "group"], {"key": "ann"}, [["crm", "ann", ""]]),
        ("waiting", ["direct"], None, [["crm", "", "ann@x.org"]]),
        ("active", ["group"], {"key": "ann"}, []),
        ("suspended", ["direct"], {"key": "ann"}, []),
    ],
)
def test_only_what_people_were_assigned_themselves_is_exported(state, types, user, rows):
    table = TABLES["license-assignments"]
    shown = {"license": {"key": "crm"}, "user": user, "state": state, "sources": [{"type": kind} for kind in types]}
    if user is None:
        shown["email"] = "ann@x.org"
    assert [table.row(row) for row in table.rows_of(shown)] == rows
