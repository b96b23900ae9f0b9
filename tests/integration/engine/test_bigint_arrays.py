"""Postgres reads the arrays that are sent to it, and what it sends is read, over every way to a connection."""

import asyncpg
import pytest

from infra.postgres import bigint_arrays
from infra.postgres.statements import compile_block

MIRROR = compile_block(
    "mirror",
    """
    SELECT CAST(:numbers AS bigint[]) AS numbers, CAST(CAST(:numbers AS bigint[]) AS text) AS said,
           (SELECT array_agg(number ORDER BY place)
              FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS sent (number, place)) AS again
    """,
)
NUMBERS = [1, -1, 2**63 - 1, -(2**63), 0, 2**32]


@pytest.fixture(autouse=True)
def arrays(monkeypatch):
    """What was packed, and what was read, by connections that are made from now on."""
    seen = []
    for name in ("encode", "decode"):
        shipped = getattr(bigint_arrays, name)
        monkeypatch.setattr(
            bigint_arrays, name, lambda given, shipped=shipped, name=name: (seen.append(name), shipped(given))[1]
        )
    return seen


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (NUMBERS, "{1,-1,9223372036854775807,-9223372036854775808,0,4294967296}"),
        ([None, 7, None], "{NULL,7,NULL}"),
        ((5,), "{5}"),
    ],
)
async def test_numbers_arrive_and_come_back(database, arrays, numbers, said):
    [row] = await database.fetch(MIRROR, numbers=numbers)

    assert (row["said"], row["numbers"], row["again"]) == (said, list(numbers), list(numbers))
    assert arrays == ["encode", "decode", "decode"]


async def test_an_empty_array_arrives_as_one(database):
    [row] = await database.fetch(MIRROR, numbers=[])

    assert (row["said"], row["numbers"], row["again"]) == ("{}", [], None)


async def test_a_session_outside_the_pool_sends_the_same(database, arrays):
    async with await database.session() as session:
        [row] = await session.fetch(MIRROR, numbers=NUMBERS)

    assert row["again"] == NUMBERS
    assert arrays == ["encode", "decode", "decode"]


@pytest.mark.parametrize("stranger", ["2", 2**63, 1.5])
async def test_what_is_no_such_number_is_refused_and_the_connection_goes_on(database, stranger):
    with pytest.raises(asyncpg.DataError):
        await database.fetch(MIRROR, numbers=[1, stranger])

    [row] = await database.fetch(MIRROR, numbers=[3])
    assert row["numbers"] == [3]
