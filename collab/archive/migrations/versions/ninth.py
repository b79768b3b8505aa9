"""The folder in which people who came from a cloud may go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    for column in ("folder", "below"):
        op.add_column("cloud_sessions", sa.Column(column, sa.Text, nullable=False, server_default=""))
