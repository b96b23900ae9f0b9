"""Operation ids are version 7 UUIDs (RFC 9562)."""

import time
from uuid import RFC_4122

from infra.postgres.operations import new_operation_id


def test_an_operation_id_has_the_version_and_the_variant_of_the_rfc():
    for _ in range(100):
        number = new_operation_id()
        assert number.version == 7
        assert number.variant == RFC_4122


def test_its_first_48_bits_are_the_milliseconds():
    before = time.time_ns() // 1_000_000
    milliseconds = new_operation_id().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_no_two_of_many_are_the_same():
    assert len({new_operation_id() for _ in range(10_000)}) == 10_000


def test_the_bits_that_are_not_fixed_are_random():
    ids = [new_operation_id().int for _ in range(500)]
    either = {place for place in range(80) if len({number >> place & 1 for number in ids}) == 2}
    assert set(range(80)) - either == {62, 63, 76, 77, 78, 79}
