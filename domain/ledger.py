"""Rows of one kind as they stand in the middle of a wave, and what the wave has changed of them."""

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar


class Keyed(Protocol):
    """A row that has both a numeric id and the upstream's key."""

    @property
    def id(self) -> int:
        """The service's own id."""

    @property
    def key(self) -> str:
        """The upstream's key."""


Row = TypeVar("Row", bound=Keyed)


class Ledger(Generic[Row]):
    """Rows by (tenant, key). It must know every row that the wave names."""

    def __init__(self, found: Mapping[tuple[int, str], Row]) -> None:
        self._found = dict(found)
        self._rows = dict(found)
        self._touched: set[tuple[int, str]] = set()

    def get(self, tenant_id: int, key: str) -> Row | None:
        """The row as it stands, if it does."""
        return self._rows.get((tenant_id, key))

    def put(self, tenant_id: int, row: Row) -> None:
        """Store the row under its key."""
        self._touched.add((tenant_id, row.key))
        self._rows[tenant_id, row.key] = row

    def remove(self, tenant_id: int, key: str) -> Row | None:
        """Take the row away; returns it, if it was there."""
        self._touched.add((tenant_id, key))
        return self._rows.pop((tenant_id, key), None)

    def written(self) -> list[tuple[int, Row]]:
        """(tenant, row) to write: new rows and those that differ from what was found, by id."""
        rows = [(place[0], self._rows[place]) for place in self._touched if place in self._rows]
        changed = [(tenant, row) for tenant, row in rows if self._found.get((tenant, row.key)) != row]
        return sorted(changed, key=lambda place: place[1].id)

    def removed(self) -> list[tuple[int, int]]:
        """(tenant, id) to delete, in order."""
        gone = [place for place in self._touched if place in self._found and place not in self._rows]
        return sorted((place[0], self._found[place].id) for place in gone)
