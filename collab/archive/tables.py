"""The archive's tables, in SQLAlchemy Core. What is there after each release is in `migrations/`; this is what the newest one makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, UniqueConstraint
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect

metadata = MetaData()


class Text(TypeDecorator[str]):
    """Text that every database takes: NUL and halves of surrogate pairs become U+FFFD."""

    impl = AnyText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """On the way in."""
        del dialect
        return None if value is None else _LOST.sub("\ufffd", value)


class Hash(TypeDecorator[str]):
    """A SHA-256 in hex, as 32 bytes. Whatever else somebody looks for is found nowhere."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """On the way in."""
        del dialect
        if value is None:
            return None
        return bytes.fromhex(value) if _HEX.fullmatch(value) else value.encode("utf-8", "replace")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """On the way out."""
        del dialect
        return None if value is None else value.hex()


_LOST = re.compile("[\0\ud800-\udfff]")
_HEX = re.compile("[0-9a-f]{64}")

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
    Column("hash", Hash, nullable=False),
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
    Column("hash", Hash, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("writers", Text, nullable=False),  # JSON: keys of people
    Column("name", Text, nullable=False),
    Column("against", BigInteger),  # the number of the version whose body is the dictionary; NULL: none
    Column("body", LargeBinary, nullable=False),  # zstd
)

authors = Table(
    "authors",
    metadata,
    _document(),
    Column("position", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zstd
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _document(),
    Column("position", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),  # zstd
    Column("meta", LargeBinary, nullable=False),  # zstd: JSON
)

people = Table(
    "people",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("digest", Hash, nullable=False, unique=True),  # SHA-256 of the id: stays when the person is erased
    Column("id", Text),  # NULL: erased
    Column("name", Text),
)

links = Table(
    "links",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("digest", Hash, nullable=False, unique=True),  # SHA-256 of the secret
    Column("target", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("maker", Integer, ForeignKey("people.key"), nullable=False),
    Column("made", Float, nullable=False),
    Column("expires", Float),  # NULL: never
    Column("password", Text, nullable=False),
    Column("uses", BigInteger),  # left; NULL: any number
    Column("revoked", Float),
    Column("folder", Text, nullable=False, server_default="", index=True),  # the id of the folder; empty: it is none
)

shares = Table(
    "shares",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("maker", Integer, ForeignKey("people.key"), nullable=False),
    Column("made", Float, nullable=False),
    Column("expires", Float),  # UTC seconds; NULL: never
    Column("folder", Text, nullable=False, index=True),  # the id of the folder; empty: it is none
    UniqueConstraint("target", "subject", "folder"),
)

locks = Table(
    "locks",
    metadata,
    _document(),
    Column("name", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("until", Float, nullable=False),  # UTC seconds by the database's clock
)

office = Table(
    "office",
    metadata,
    _document(),
    Column("version", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),  # of the body that has this version
    Column("modified", Float, nullable=False),  # UTC seconds, as it was told
    Column("put", Text, nullable=False),  # SHA-256 of the body that a suite put last, or empty
    Column("given", Text, nullable=False),  # JSON: SHA-256 of what was given since, newest last
    Column("before", Float, nullable=False),  # `modified` before the put
    Column("lock", Text, nullable=False),  # SHA-256 of the id of the lock under which it was put, or empty
)

user_info = Table(
    "user_info",
    metadata,
    Column("digest", Hash, primary_key=True),  # SHA-256 of the person's id
    Column("info", Text, nullable=False),
)

resources = Table(
    "resources",
    metadata,
    Column("document", Text, primary_key=True),  # the id that is derived from the resource's
    Column("resource", Text, nullable=False),  # storage$space!opaque
)

about = Table(
    "about",
    metadata,
    _document(),
    Column("tags", Text, nullable=False),  # JSON: a list
    Column("description", Text, nullable=False),
)

rejected = Table(
    "rejected",
    metadata,
    _document(),
    Column("since", Float, primary_key=True),  # UTC seconds: the first body of the copy
    Column("at", Float, nullable=False, index=True),  # UTC seconds: the body that it holds
    Column("copy", Text, nullable=False),  # the copy's id
    Column("path", Text, nullable=False),  # where it was made
    Column("etag", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("writer", Integer, ForeignKey("people.key"), nullable=False),
    Column("suite", Text, nullable=False),
    Column("count", BigInteger, nullable=False),  # so many bodies came since
)

cloud_sessions = Table(
    "cloud_sessions",
    metadata,
    Column("id", Text, primary_key=True),  # that of our grants
    Column("document", Text, nullable=False, index=True),  # empty: all
    Column("person", Text, nullable=False, index=True),
    Column("user", Text, nullable=False),  # the cloud's
    Column("username", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),  # sealed
    Column("expires", Float),  # UTC seconds: the token's end; NULL: it does not say
    Column("until", Float, nullable=False, index=True),  # UTC seconds: the session's end
    Column("role", Text, nullable=False),
    Column("guest", Boolean, nullable=False),
    Column("view_only", Boolean, nullable=False),
    Column("folder", Text, nullable=False, server_default=""),  # around the document; empty: the document alone
    Column("below", Text, nullable=False, server_default=""),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers that grow with every change of something, so that other nodes see by one row that they have to look again."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),  # that of the session's grant
    Column("person", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("made", Float, nullable=False),  # these three: UTC seconds
    Column("seen", Float, nullable=False),
    Column("expires", Float, nullable=False, index=True),
    Column("groups", Text, nullable=False),  # JSON: names
    Column("links", Text, nullable=False),  # JSON: digests
    Column("agent", Text, nullable=False),
    Column("ended", Float),  # UTC seconds; NULL: it goes on
)

members = Table(
    "members",
    metadata,
    Column("person", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("login", Text, nullable=False),  # what they sign in with, or are known by at the provider
    Column("orcid", Text, nullable=False),
    Column("groups", Text, nullable=False),  # JSON: names
    Column("made", Float, nullable=False),
    Column("seen", Float),  # UTC seconds; NULL: never signed in
    Column("words", Text, nullable=False),  # name and login in small letters, to be found by
)

accounts = Table(
    "accounts",
    metadata,
    Column("login", Text, primary_key=True),
    Column("person", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),  # argon2id, encoded; empty: none was given yet
    Column("changed", Float, nullable=False),  # UTC seconds: the password
    Column("disabled", Float),  # UTC seconds; NULL: it may sign in
)

provider_sessions = Table(
    "provider_sessions",
    metadata,
    Column("sign_in", Text, primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("tokens", LargeBinary, nullable=False),  # sealed
    Column("due", Float, nullable=False, index=True),  # UTC seconds: when the provider is asked again
)
