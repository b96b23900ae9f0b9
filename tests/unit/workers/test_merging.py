"""Streams of rows in id order: what is summed up, and what stands beside what."""

from hypothesis import given
from hypothesis import strategies as st

from workers.merging import side_by_side, summed

IDS = st.lists(st.integers(1, 9), unique=True).map(sorted)


async def stream(rows):
    for row in rows:
        yield row


async def test_rows_of_one_id_become_one_row_whose_numbers_are_added_up():
    rows = [{"id": 1, "n": 2}, {"id": 1, "n": 3}, {"id": 4, "n": 1}, {"id": 5, "n": 0}, {"id": 5, "n": 7}]
    assert [row async for row in summed(stream(rows))] == [{"id": 1, "n": 5}, {"id": 4, "n": 1}, {"id": 5, "n": 7}]


async def test_nothing_sums_up_to_nothing():
    assert [row async for row in summed(stream([]))] == []


@given(IDS, IDS)
async def test_every_row_of_both_streams_comes_once_beside_the_one_with_its_id(left, right):
    pairs = [
        (one and one["id"], other and other["id"])
        async for one, other in side_by_side(stream([{"id": n} for n in left]), stream([{"id": n} for n in right]))
    ]
    assert pairs == [(n if n in left else None, n if n in right else None) for n in sorted({*left, *right})]
