"""What people say about documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "about",
        sa.Column("document", sa.Integer, sa.ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
    )
