"""A ledger writes what differs from what was found, and removes what was found and is gone."""

from dataclasses import dataclass

from domain.ledger import Ledger


@dataclass(frozen=True)
class Thing:
    id: int
    key: str
    name: str = ""


FOUND = {(1, "a"): Thing(1, "a"), (2, "a"): Thing(2, "a")}


def test_a_row_that_is_as_it_was_is_not_written():
    ledger = Ledger(FOUND)
    ledger.put(1, Thing(1, "a", "renamed"))
    ledger.put(1, Thing(1, "a"))
    assert ledger.written() == []


def test_new_and_changed_rows_are_written_in_the_order_of_ids():
    ledger = Ledger(FOUND)
    ledger.put(2, Thing(9, "b"))
    ledger.put(2, Thing(2, "a", "renamed"))
    assert ledger.written() == [(2, Thing(2, "a", "renamed")), (2, Thing(9, "b"))]
    assert ledger.removed() == []


def test_only_what_was_found_is_removed():
    ledger = Ledger(FOUND)
    ledger.put(1, Thing(9, "b"))
    assert ledger.remove(1, "b") == Thing(9, "b")
    assert ledger.remove(1, "a") == Thing(1, "a")
    assert ledger.remove(1, "a") is None
    assert ledger.removed() == [(1, 1)]
    assert ledger.written() == []


def test_the_same_key_of_two_tenants_is_two_rows():
    ledger = Ledger(FOUND)
    ledger.remove(1, "a")
    assert ledger.get(1, "a") is None
    assert ledger.get(2, "a") == Thing(2, "a")
