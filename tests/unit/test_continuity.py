"""Following a log that arrives with losses, repetitions and pauses: everything once, in order."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from workers.cli.continuity import Continuity, Mark, Place

TYPES = ("user.updated", "group.updated", "operation.finished")


def log_of(types):
    last, log = {}, []
    for sequence, event_type in enumerate(types, start=1):
        log.append(Mark(type=event_type, sequence=sequence, previous=last.get(event_type, 0)))
        last[event_type] = sequence
    return log


def test_the_first_event_is_where_following_begins():
    assert Continuity().judge(Mark(type="a", sequence=41, previous=7)) is Place.NEXT


def test_after_a_given_sequence_an_earlier_event_is_a_repetition_and_a_later_one_shows_a_gap():
    continuity = Continuity(after=5)
    assert continuity.judge(Mark(type="a", sequence=5, previous=0)) is Place.REPEATED
    assert continuity.judge(Mark(type="a", sequence=6, previous=0)) is Place.NEXT
    assert continuity.judge(Mark(type="a", sequence=7, previous=0)) is Place.BEYOND_A_GAP


def test_events_of_other_types_are_no_gap_when_only_some_are_followed():
    continuity = Continuity(types=["a", "b"], after=5)
    assert continuity.judge(Mark(type="a", sequence=9, previous=4)) is Place.NEXT
    continuity.take(Mark(type="a", sequence=9, previous=4))
    assert continuity.judge(Mark(type="a", sequence=20, previous=9)) is Place.NEXT
    assert continuity.judge(Mark(type="a", sequence=20, previous=12)) is Place.BEYOND_A_GAP
    assert continuity.judge(Mark(type="b", sequence=8, previous=3)) is Place.NEXT


def test_what_the_log_no_longer_has_is_given_up():
    continuity = Continuity(types=["a"], after=5)
    continuity.skip_to(50)
    assert continuity.first_missing_after() == 50
    assert continuity.judge(Mark(type="a", sequence=60, previous=40)) is Place.NEXT


def test_before_anything_was_seen_nothing_is_known_to_be_missing():
    assert Continuity().first_missing_after() is None
    assert Continuity(types=["a"]).first_missing_after() is None
    assert Continuity(types=["a", "b"], after=3).first_missing_after() == 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where in the log the next delivery begins, relative to the last one, and how many events it brings."""

    step: int
    size: int
    reconnected: bool


ARRIVALS = st.builds(Arrival, step=st.integers(-6, 6), size=st.integers(1, 5), reconnected=st.booleans())


class Follower:
    """Follows a log as a subscriber with access to it does."""

    def __init__(self, log, types, after):
        self.log = log
        self.types = types
        self.continuity = Continuity(types=types, after=after)
        self.shown = []

    def show(self, marks):
        for mark in marks:
            if self.continuity.judge(mark) is not Place.REPEATED:
                self.continuity.take(mark)
                self.shown.append(mark)

    def followed(self, begin, end, types):
        return [mark for mark in self.log[begin:end] if not types or mark.type in types]

    def reconnect(self, published):
        if (after := self.continuity.first_missing_after()) is not None:
            self.show(self.followed(after, published, self.types))

    def receive(self, begin, end):
        for mark in self.followed(begin, end, self.types):
            if self.continuity.judge(mark) is Place.BEYOND_A_GAP:
                types = {mark.type} if self.types else set()
                self.show(self.followed(self.continuity.last(mark.type), mark.sequence, types))
            self.show([mark])


@given(
    st.lists(st.sampled_from(TYPES), min_size=1, max_size=40),
    st.sets(st.sampled_from(TYPES)),
    st.lists(ARRIVALS, max_size=20),
    st.none() | st.just(0),
)
def test_losses_and_repetitions_are_invisible_when_the_log_fills_the_gaps(types, followed, arrivals, after):
    follower = Follower(log_of(types), followed, after)
    place = 0
    for arrival in arrivals:
        if arrival.reconnected:
            follower.reconnect(place)
        begin = max(0, place + arrival.step)
        place = min(begin + arrival.size, len(types))
        follower.receive(begin, place)

    for own_types in [{event_type} for event_type in followed] or [set(TYPES)]:
        shown = [mark for mark in follower.shown if mark.type in own_types]
        expected = [mark for mark in follower.log if mark.type in own_types]
        if shown:
            begin = 0 if after is not None else expected.index(shown[0])
            assert shown == expected[begin : begin + len(shown)]
