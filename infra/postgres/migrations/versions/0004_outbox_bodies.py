"""Long bodies of the outbox are stored deflated, and say how long they are.

Revision ID: 0004
Revises: 0003
"""

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROWS = 1_000

_PACKED = "SELECT tenant_id, first_sequence, body FROM outbox WHERE bytes IS NOT NULL LIMIT :rows"
_PLAIN = """
UPDATE outbox SET body = :body, bytes = NULL WHERE tenant_id = :tenant_id AND first_sequence = :first_sequence
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    op.add_column("outbox", sa.Column("bytes", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '10min'")
    connection = op.get_bind()
    while packed := connection.execute(sa.text(_PACKED), {"rows": _ROWS}).all():
        connection.execute(
            sa.text(_PLAIN),
            [
                {"tenant_id": row.tenant_id, "first_sequence": row.first_sequence, "body": zlib.decompress(row.body)}
                for row in packed
            ],
        )
    op.drop_column("outbox", "bytes")
