"""Bodies of messages as they lie in the outbox: what comes out is what went in, to the byte."""

from hypothesis import given
from hypothesis import strategies as st

from infra.postgres.outbox_bodies import StoredBody, pack, unpack


@given(st.binary(max_size=6_000))
def test_what_is_unpacked_is_what_was_packed(body):
    assert unpack(pack(body)) == body


def test_a_short_body_is_stored_as_it_is():
    body = b'[{"id":"acme-1"}]'
    assert pack(body) == StoredBody(body, None)


def test_a_long_body_of_events_takes_a_tenth_at_most_and_tells_its_length():
    events = b",\n".join(b'{"id":"acme-%019d","subject":"users/person-%d"}' % (n, n) for n in range(100))
    stored = pack(events)
    assert stored.bytes == len(events)
    assert len(stored.body) * 10 < len(events)
