"""Which resources of a cloud the documents are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "resources",
        sa.Column("document", sa.Text, primary_key=True, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
    )
