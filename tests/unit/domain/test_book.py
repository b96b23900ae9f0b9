"""The book's net effect is what the tables need to become what the book says, and nothing more."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.book import AssignmentBook, AssignmentKey, GroupCounts, Held, MemberKey, Names
from domain.events import EventType
from domain.sources import Source

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(days=1)
KEY = AssignmentKey(1, 10, 100, 1_000)
NAMES = Names(groups={10: "sales", 11: "legal"}, users={100: "ann", 101: "bob"}, roles={1_000: "lead", 1_001: "member"})
KEYS = [AssignmentKey(1, group, user, role) for group in (10, 11) for user in (100, 101) for role in (1_000, 1_001)]
SOURCES = st.sampled_from([Source.MANUAL, Source.SCIM, Source.RULE, Source.MANUAL | Source.PRIMARY])


def test_a_first_source_makes_a_row_an_event_and_a_member():
    book = AssignmentBook({}, NAMES)
    row, event = book.add(KEY, Source.RULE, NOW)
    assert row == Held(Source.RULE, NOW)
    assert event.type is EventType.GROUP_ASSIGNMENT_CREATED
    assert event.subject == "groups/sales/users/ann/roles/lead"
    assert event.said() == {
        "group": {"id": 10, "key": "sales"},
        "user": {"id": 100, "key": "ann"},
        "role": {"id": 1_000, "key": "lead"},
        "sources": ["RULE"],
    }
    changes = book.changes()
    assert (changes.created, changes.changed) == ({KEY: row}, {})
    assert changes.joined == {MemberKey(1, 10, 100)}
    assert changes.counts == {(1, 10): GroupCounts(users=1, assignments=1)}


def test_a_further_source_changes_the_row_keeps_its_age_and_says_nothing():
    book = AssignmentBook({KEY: Held(Source.MANUAL, BEFORE)}, NAMES)
    row, event = book.add(KEY, Source.RULE, NOW)
    assert (row, event) == (Held(Source.MANUAL | Source.RULE, BEFORE), None)
    assert book.changes().counts == {}


def test_a_source_that_is_there_changes_nothing():
    book = AssignmentBook({KEY: Held(Source.RULE, BEFORE)}, NAMES)
    assert book.add(KEY, Source.RULE, NOW) == (Held(Source.RULE, BEFORE), None)
    assert book.withdraw(KEY, Source.SCIM) is None
    changes = book.changes()
    assert (changes.created, changes.changed, changes.removed, changes.counts) == ({}, {}, frozenset(), {})


def test_when_one_source_leaves_the_next_stays_and_when_the_last_leaves_the_row_goes():
    book = AssignmentBook({KEY: Held(Source.MANUAL | Source.RULE, BEFORE)}, NAMES)
    assert book.withdraw(KEY, Source.RULE) is None
    assert book.get(KEY) == Held(Source.MANUAL, BEFORE)
    event = book.withdraw(KEY, Source.MANUAL)
    assert event.type is EventType.GROUP_ASSIGNMENT_DELETED
    assert event.said()["sources"] == ["MANUAL"]
    assert book.changes().left == {MemberKey(1, 10, 100)}


def test_what_comes_and_goes_within_a_wave_leaves_no_change():
    book = AssignmentBook({}, NAMES)
    book.add(KEY, Source.MANUAL, NOW)
    book.withdraw(KEY, Source.MANUAL)
    changes = book.changes()
    assert (changes.created, changes.changed, changes.removed) == ({}, {}, set())
    assert (changes.joined, changes.left) == (set(), set())


def test_a_second_role_makes_no_second_member():
    other = KEY._replace(role_id=1_001)
    book = AssignmentBook({KEY: Held(Source.MANUAL, BEFORE)}, NAMES)
    book.add(other, Source.MANUAL, NOW)
    assert book.changes().joined == set()
    book.withdraw(KEY, Source.MANUAL)
    changes = book.changes()
    assert changes.left == set()
    assert changes.counts == {}


def test_what_a_person_holds_is_named_in_the_order_of_ids():
    book = AssignmentBook({KEY._replace(group_id=11): Held(Source.MANUAL, BEFORE)}, NAMES)
    book.add(KEY, Source.MANUAL, NOW)
    assert book.of_user(100) == [KEY, KEY._replace(group_id=11)]
    assert [event.type for event in book.remove(book.of_user(100))] == [EventType.GROUP_ASSIGNMENT_DELETED] * 2
    assert book.of_user(100) == book.rows() == []


@settings(max_examples=200, deadline=None, database=None)
@given(
    found=st.dictionaries(st.sampled_from(KEYS), SOURCES),
    steps=st.lists(st.tuples(st.sampled_from(KEYS), SOURCES, st.booleans()), max_size=20),
)
def test_the_net_effect_turns_what_was_found_into_what_the_book_says(found, steps):
    before = {key: Held(source, BEFORE) for key, source in found.items()}
    book = AssignmentBook(before, NAMES)
    for key, source, gives in steps:
        if gives:
            book.add(key, source, NOW)
        elif book.get(key) is not None:
            book.withdraw(key, source)
    after = {key: held for key in KEYS if (held := book.get(key)) is not None}
    changes = book.changes()
    written = {**changes.created, **changes.changed}
    assert {key: held for key, held in {**before, **written}.items() if key not in changes.removed} == after
    assert all(before.get(key) != held for key, held in written.items())
    assert changes.created.keys().isdisjoint(before)
    assert changes.changed.keys() <= before.keys()
    assert changes.removed <= before.keys()
    members = {MemberKey(*key[:3]) for key in before}
    assert (members | changes.joined) - changes.left == {MemberKey(*key[:3]) for key in after}
    assert changes.joined.isdisjoint(members)
    assert changes.left <= members
    for group in (10, 11):
        moved = changes.counts.get((1, group), GroupCounts(users=0, assignments=0))
        assert moved == GroupCounts(
            users=_people(after, group) - _people(before, group), assignments=_rows(after, group) - _rows(before, group)
        )


def _people(rows, group):
    return len({key.user_id for key in rows if key.group_id == group})


def _rows(rows, group):
    return sum(key.group_id == group for key in rows)
