"""Arrays of bigint as Postgres sends and receives them, made in a few steps however long they are.

One rule: nothing here looks at one element at a time, unless a NULL is among them. asyncpg asks of each whether it is a
list itself.
"""

import sys
from array import array
from collections.abc import Sequence
from struct import Struct

import asyncpg

_ARRAY_OF_BIGINT = 1016  # pg_type.dat: the oid of _int8, the same in every Postgres
_BIGINT = 20
# array_recv in arrayfuncs.c: dimensions, whether a NULL is there, the elements' type; of each dimension length and
# lower bound; of each element its length in bytes, or -1 for NULL, and itself. All of it big-endian.
_EMPTY = Struct(">iii").pack(0, 0, _BIGINT)
_HEADER = Struct(">iiiii")
_LENGTH = Struct(">i")
_ELEMENT = Struct(">iq")
_NULL = _LENGTH.pack(-1)
_WORDS = 3  # of four bytes, of an element that is no NULL: its length, and the two halves of itself


def teach(connection: asyncpg.Connection) -> None:
    """Let this connection send and receive bigint[] by what stands here."""
    connection.get_settings().add_python_codec(
        _ARRAY_OF_BIGINT, "_int8", "pg_catalog", [], "scalar", encode, decode, "binary"
    )


def encode(numbers: Sequence[int | None]) -> bytes:
    """The array on the wire.

    Raises:
        TypeError: it has no length.
        struct.error: something in it is neither an integer nor None.
        OverflowError: a number has more than 64 bits.
    """
    if not len(numbers):  # 0 and False are no empty array
        return _EMPTY
    try:
        elements: array[int] = array("q", numbers)  # type: ignore[arg-type] # a None raises
    except TypeError:
        return _encode_with_nulls(numbers)
    halves = _four_bytes(_swapped(elements).tobytes())
    words = _EIGHT * (_WORDS * len(numbers))
    words[1::_WORDS] = halves[0::2]
    words[2::_WORDS] = halves[1::2]
    return _HEADER.pack(1, 0, _BIGINT, len(numbers), 1) + words.tobytes()


def decode(wire: bytes) -> Sequence[int | None]:
    """The numbers of an array of one dimension."""
    (dimensions,) = _LENGTH.unpack_from(wire)
    if not dimensions:
        return []
    _, has_nulls, _, count, _ = _HEADER.unpack_from(wire)
    if has_nulls:
        return _decode_with_nulls(wire, count)
    words = _four_bytes(wire[_HEADER.size :])
    halves = array("i", bytes(words.itemsize * 2 * count))
    halves[0::2] = words[1::_WORDS]
    halves[1::2] = words[2::_WORDS]
    numbers = array("q")
    numbers.frombytes(halves.tobytes())
    return _swapped(numbers).tolist()


def _encode_with_nulls(numbers: Sequence[int | None]) -> bytes:
    elements = (_NULL if number is None else _ELEMENT.pack(8, number) for number in numbers)
    return _HEADER.pack(1, 1, _BIGINT, len(numbers), 1) + b"".join(elements)


def _decode_with_nulls(wire: bytes, count: int) -> list[int | None]:
    numbers: list[int | None] = []
    place = _HEADER.size
    for _ in range(count):
        if wire.startswith(_NULL, place):
            numbers.append(None)
            place += _LENGTH.size
        else:
            numbers.append(_ELEMENT.unpack_from(wire, place)[1])
            place += _ELEMENT.size
    return numbers


def _four_bytes(wire: bytes) -> "array[int]":
    words = array("i")
    words.frombytes(wire)
    return words


def _swapped(numbers: "array[int]") -> "array[int]":
    """The same in the byte order of the network, or back, in place."""
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


_EIGHT = _swapped(array("i", [8]))
