"""Sessions of people who came from a cloud."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "cloud_sessions",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("guest", sa.Boolean, nullable=False),
        sa.Column("view_only", sa.Boolean, nullable=False),
    )
    for column in ("document", "person", "until"):
        op.create_index(f"ix_cloud_sessions_{column}", "cloud_sessions", [column])
