"""Alembic's migrations of the archive; they run when it is opened."""
