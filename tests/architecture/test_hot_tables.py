"""The hot tables have no foreign keys: planner, tenant lock and deletions guard them (docs/adr/0003)."""

import pytest

from infra.postgres.schema import metadata

HOT = ("entitlement", "entitlement_source", "group_assignment", "group_member", "operation", "outbox")


@pytest.mark.parametrize("name", HOT)
def test_a_hot_table_refers_to_no_other(name):
    assert not metadata.tables[name].foreign_keys


@pytest.mark.parametrize("name", metadata.tables)
def test_no_table_refers_to_a_hot_one(name):
    assert {key.column.table.name for key in metadata.tables[name].foreign_keys} & set(HOT) == set()
