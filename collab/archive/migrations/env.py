"""Alembic's environment: the connection is given, since migrations run inside the server that opens the archive."""

from __future__ import annotations

from alembic import context

if hasattr(context, "config"):  # else somebody only imports this
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
