"""What office suites know of files, what they keep about people, and bodies of theirs that could not be taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "office",
        sa.Column("document", sa.Integer, sa.ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("modified", sa.Float, nullable=False),
        sa.Column("put", sa.Text, nullable=False),
        sa.Column("given", sa.Text, nullable=False),
        sa.Column("before", sa.Float, nullable=False),
        sa.Column("lock", sa.Text, nullable=False),
    )
    op.create_table(
        "user_info",
        sa.Column("digest", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("info", sa.Text, nullable=False),
    )
    op.create_table(
        "rejected",
        sa.Column("document", sa.Integer, sa.ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("since", sa.Float, primary_key=True, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("copy", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("writer", sa.Integer, sa.ForeignKey("people.key"), nullable=False),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_rejected_at", "rejected", ["at"])
