"""Arrays of bigint are on the wire what Postgres expects there."""

import random
import struct

import pytest

from infra.postgres.bigint_arrays import decode, encode

LEAST, MOST = -(2**63), 2**63 - 1


def test_an_array_is_its_header_and_of_each_element_a_length_and_eight_bytes() -> None:
    header = struct.pack(">iiiii", 1, 0, 20, 2, 1)

    assert encode([1, -2]) == header + struct.pack(">iqiq", 8, 1, 8, -2)


def test_an_empty_array_has_no_dimension() -> None:
    assert encode([]) == struct.pack(">iii", 0, 0, 20)
    assert decode(encode([])) == []


def test_a_null_has_no_bytes() -> None:
    header = struct.pack(">iiiii", 1, 1, 20, 3, 1)

    assert encode([7, None, 9]) == header + struct.pack(">iqiiq", 8, 7, -1, 8, 9)


@pytest.mark.parametrize("share_of_nulls", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("length", [1, 2, 799, 5_000])
def test_what_is_encoded_is_decoded(length: int, share_of_nulls: float) -> None:
    rng = random.Random(length)
    numbers = [None if rng.random() < share_of_nulls else rng.randint(LEAST, MOST) for _ in range(length)]

    assert decode(encode(numbers)) == numbers
    assert decode(encode(tuple(numbers))) == numbers


@pytest.mark.parametrize("number", [LEAST, -1, 0, 1, 255, 256, 2**31, 2**32, MOST])
def test_every_byte_has_its_place(number: int) -> None:
    assert decode(encode([number])) == [number]
    assert decode(encode([number, None])) == [number, None]


@pytest.mark.parametrize("number", [LEAST - 1, MOST + 1])
def test_what_has_more_than_64_bits_is_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        encode([number])


@pytest.mark.parametrize("stranger", ["1", 1.5, [1]])
def test_what_is_no_integer_is_refused(stranger: object) -> None:
    with pytest.raises(struct.error):
        encode([1, stranger])  # type: ignore[list-item] # what is under test
