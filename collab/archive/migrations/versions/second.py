"""The beginnings of logs whose records are in a Redis."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "checkpoints",
        sa.Column("document", sa.Integer, sa.ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("meta", sa.LargeBinary, nullable=False),
    )
