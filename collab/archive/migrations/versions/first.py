"""Documents, parts of their logs, bases, versions, authors, people, links, locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None


def _document(*, key: bool = True) -> sa.Column[int]:
    return sa.Column("document", sa.Integer, sa.ForeignKey("documents.key", ondelete="CASCADE"), primary_key=key, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "documents",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("due", sa.Float, index=True),
    )
    op.create_table(
        "parts",
        _document(),
        sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Index("parts_at", "at"),
    )
    op.create_table(
        "bases",
        sa.Column("key", sa.Integer, primary_key=True),
        _document(key=False),
        sa.Column("part", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("merges", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("ours", sa.Boolean, nullable=False),
        sa.Column("sketch", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("document", "hash", "place", "merges"),
    )
    op.create_table(
        "versions",
        _document(),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("writers", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("against", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "authors",
        _document(),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("id", sa.Text),
        sa.Column("name", sa.Text),
    )
    op.create_table(
        "links",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("target", sa.Text, nullable=False, index=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("maker", sa.Integer, sa.ForeignKey("people.key"), nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("uses", sa.BigInteger),
        sa.Column("revoked", sa.Float),
    )
    op.create_table(
        "locks",
        _document(),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
