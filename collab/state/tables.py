"""The tables of the state database `state.sqlite`: names of documents and folders, locks of ours, one-time secrets, what each person keeps at hand."""

from __future__ import annotations

from typing import Final

STATE: Final = (
    """
    CREATE TABLE documents (
        id TEXT PRIMARY KEY,      -- `id:` and 26 letters
        path BLOB NOT NULL,       -- under the root, `/` between parts
        file TEXT NOT NULL,       -- which inode it was when last seen; empty after a deletion by us
        stamp TEXT NOT NULL,      -- size and times for which `etag` holds; empty: unknown
        etag TEXT NOT NULL,
        deleted_at REAL           -- UTC seconds; NULL: it is there
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX documents_path ON documents (path) WHERE deleted_at IS NULL;
    CREATE INDEX documents_deleted ON documents (path, deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX documents_file ON documents (file);
    CREATE TABLE logins (
        sha256 BLOB PRIMARY KEY,
        expires REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE shelf (
        person TEXT NOT NULL,
        document TEXT NOT NULL,   -- `id:` and 26 letters
        starred_at REAL,          -- UTC seconds; NULL: no star
        opened_at REAL,           -- UTC seconds; NULL: not opened, or too many were since
        missing_since REAL,       -- UTC seconds; NULL: it was there when somebody looked last
        PRIMARY KEY (person, document)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE folders (
        id TEXT PRIMARY KEY,      -- `id:` and 26 letters
        path BLOB NOT NULL,       -- under the root, `/` between parts
        file TEXT NOT NULL        -- which inode it was when last seen
    ) WITHOUT ROWID;
    CREATE INDEX folders_path ON folders (path);
    CREATE INDEX folders_file ON folders (file);
    """,
    """
    CREATE TABLE claims (
        document TEXT PRIMARY KEY, -- `id:` and 26 letters
        path BLOB NOT NULL,        -- of the file beside which our lock is
        since REAL NOT NULL        -- UTC seconds
    ) WITHOUT ROWID;
    """,
)
"""Migrations of the state database, in order; one that was released is never changed."""
