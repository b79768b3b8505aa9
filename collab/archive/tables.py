"""The archive's tables, in SQLAlchemy Core. What is there after each release is in `migrations/`; this is what the newest one makes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("due", Float, index=True),  # UTC seconds when versions are to be thinned next
)


def _document() -> Column[int]:
    return Column("document", Integer, ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True)


parts = Table(
    "parts",
    metadata,
    _document(),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("at", Float, nullable=False),  # UTC seconds of the newest base in it
    Column("size", BigInteger, nullable=False),  # bytes of `body`
    Column("body", LargeBinary, nullable=False),  # zstd
    Index("parts_at", "at"),
)

bases = Table(
    "bases",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("document", Integer, ForeignKey("documents.key", ondelete="CASCADE"), nullable=False),
    Column("part", BigInteger, nullable=False),  # `first` of the part that came with it
    Column("hash", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("merges", Text, nullable=False),  # JSON: positions
    Column("at", Float, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("sketch", LargeBinary, nullable=False),
    UniqueConstraint("document", "hash", "place", "merges"),
)

versions = Table(
    "versions",
    metadata,
    _document(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("hash", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("writers", Text, nullable=False),  # JSON: keys of people
    Column("name", Text, nullable=False),
    Column("against", BigInteger),  # the number of the version whose body is the dictionary; NULL: none
    Column("depth", Integer, nullable=False),  # so many dictionaries to go through
    Column("body", LargeBinary, nullable=False),  # zstd
)

authors = Table(
    "authors",
    metadata,
    _document(),
    Column("position", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zstd
)

people = Table(
    "people",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the id: stays when the person is erased
    Column("id", Text),  # NULL: erased
    Column("name", Text),
)
