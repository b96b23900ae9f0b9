"""Alembic's environment: runs the versions beside it on the connection that infra.postgres.migrate hands over."""

from alembic import context

from infra.postgres.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=False)
with context.begin_transaction():
    context.run_migrations()
