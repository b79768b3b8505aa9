"""Roles that people give each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; links know their folder."""
    op.create_table(
        "shares",
        sa.Column("key", sa.Integer, primary_key=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("maker", sa.Integer, sa.ForeignKey("people.key"), nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("folder", sa.Text, nullable=False),
        sa.UniqueConstraint("target", "subject", "folder"),
    )
    op.create_index("ix_shares_subject", "shares", ["subject"])
    op.create_index("ix_shares_folder", "shares", ["folder"])
    op.add_column("links", sa.Column("folder", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_links_folder", "links", ["folder"])
