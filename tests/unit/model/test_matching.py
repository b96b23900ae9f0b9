"""What stands for an unknown of the model: the first value it meets, and nothing else."""

from tests.support.matching import Bindings
from tests.support.model_rows import Unknown

ONE, OTHER = Unknown("entitlement", (1, "")), Unknown("entitlement", (2, ""))


def test_an_unknown_is_bound_to_the_first_value_it_meets_and_that_value_to_it():
    seen = Bindings()
    assert seen.bind(ONE, 9)
    assert seen.bind(ONE, 9)
    assert not seen.bind(ONE, 10)
    assert not seen.bind(OTHER, 9)


def test_a_value_agrees_where_it_stands_for_nothing_else_and_nothing_is_learned_of_it():
    seen = Bindings()
    assert seen.agrees(ONE, 9)
    assert seen.bind(ONE, 10)
    assert seen.agrees(ONE, 10)
    assert seen.agrees(ONE, 9)
    assert not seen.agrees(OTHER, 10)
