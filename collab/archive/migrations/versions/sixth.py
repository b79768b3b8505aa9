"""People who sign in: accounts, sessions that the server keeps a record of, and what a provider gave for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("links", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("ended", sa.Float),
    )
    for column in ("person", "expires"):
        op.create_index(f"ix_sign_ins_{column}", "sign_ins", [column])
    op.create_table(
        "members",
        sa.Column("person", sa.Text, primary_key=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("orcid", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("seen", sa.Float),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("login", sa.Text, primary_key=True, nullable=False),
        sa.Column("person", sa.Text, nullable=False, unique=True),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("changed", sa.Float, nullable=False),
        sa.Column("disabled", sa.Float),
    )
    op.create_table(
        "provider_sessions",
        sa.Column("sign_in", sa.Text, primary_key=True, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
    )
    for column in ("person", "due"):
        op.create_index(f"ix_provider_sessions_{column}", "provider_sessions", [column])
