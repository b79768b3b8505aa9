"""What the archive's parts share: keys of documents and people, and compression."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import zstandard
from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collab.archive.tables import counters, documents, people
from collab.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUICK = 2**20
"""Bytes from which on less effort is made."""
FAR = 2**18
"""Bytes from which on zstd has to be told to look as far back as the dictionary's beginning, and to remember all of it."""

SHARING = "sharing"
"""The counter of shares and links."""


def unless_there(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - the two dialects' inserts have no common type
    """An insert that does nothing when the row is there."""
    made = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_nothing()


def key_of(connection: Connection, document: str) -> int | None:
    """The key of a document that the archive knows."""
    return connection.execute(select(documents.c.key).where(documents.c.id == document)).scalar()


def key_for(connection: Connection, document: str) -> int:
    """The key of a document, a new one if need be. Until the transaction ends no other one changes what the archive has of it."""
    known = select(documents.c.key).where(documents.c.id == document).with_for_update()
    key = connection.execute(known).scalar()
    if key is None:
        connection.execute(unless_there(connection, documents).values(id=document))
        key = connection.execute(known).scalar_one()
    return int(key)


def person_key(connection: Connection, person: str) -> int:
    """The key of a person; somebody who was erased keeps it, without id and name."""
    digest = digest_of(person)
    known = select(people.c.key).where(people.c.digest == digest)
    key = connection.execute(known).scalar()
    if key is None:
        connection.execute(unless_there(connection, people).values(digest=digest, id=person, name=None))
        key = connection.execute(known).scalar_one()
    return int(key)


def digest_of(person: str) -> str:
    """What tells people apart when their ids are gone."""
    return sha256(person.encode("utf-8", "surrogatepass")).hexdigest()


def pressed(body: bytes, dictionary: bytes | None = None) -> bytes:
    """The body in zstd, as little as it differs from the dictionary."""
    known, both = len(dictionary or b""), len(body) + len(dictionary or b"")
    far = {"window_log": both.bit_length(), "hash_log": min(known.bit_length(), 24), "chain_log": min(known.bit_length(), 24)}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        9 if len(body) < QUICK else 3, source_size=len(body), dict_size=known, **(far if known > FAR else {})
    )
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=_dictionary(dictionary)).compress(body)


class Damaged(Unavailable):
    """The disk did not keep what was put."""


def unpressed(body: bytes, dictionary: bytes | None = None) -> bytes:
    """The inverse of `pressed`. Damaged."""
    try:
        return zstandard.ZstdDecompressor(dict_data=_dictionary(dictionary), max_window_size=2**31).decompress(body)
    except zstandard.ZstdError as error:
        raise Damaged("something in the archive is damaged: restore it from a backup") from error


def _dictionary(body: bytes | None) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(body, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if body else None


def count(connection: Connection, counter: str) -> None:
    """One more change of something, in the order in which they are done: until the transaction ends, others of this kind wait."""
    more = update(counters).where(counters.c.name == counter).values(value=counters.c.value + 1)
    if not connection.execute(more).rowcount:
        connection.execute(unless_there(connection, counters).values(name=counter, value=0))
        connection.execute(more)


def counted(connection: Connection, counter: str) -> int:
    """How many changes there were."""
    return int(connection.execute(select(counters.c.value).where(counters.c.name == counter)).scalar() or 0)
