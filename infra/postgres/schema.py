"""The whole schema: what Alembic compares the database with.

One rule: a module of tables that is not named here does not exist.
"""

from infra.postgres import (
    columns,
    console_tables,
    directory_tables,
    license_tables,
    measure_tables,
    operator_tables,
    tables,
)

MODULES = (tables, directory_tables, license_tables, measure_tables, operator_tables, console_tables)

metadata = columns.metadata
