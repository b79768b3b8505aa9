"""`collab erase`: a person's name goes from wherever the server shows or keeps it, beside a running server or without one."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from collab.access import again, signed
from collab.archive.store import Archive
from collab.errors import Conflict, NotFound
from collab.state.database import Database
from collab.state.shelf import Shelf
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.names import Names

if TYPE_CHECKING:
    from collab.ports import Authors
    from collab.state.directory import Directory

_AHEAD = 16
"""Ids of a person's returns that are looked up at once."""


async def erase(directory: Directory, archive: str, who: str) -> str:
    """Erase the person of this name or id; their id, as it was signed. NotFound; Conflict when several are called so; Unavailable."""
    with closing(Database(directory.database, STATE)) as database:
        files, kept = LocalFiles(directory.root, Names(database)), Archive(archive)
        try:
            person = await _one(kept.authors, who)
            ids = await _returns(kept.authors, person)
            names = set((await kept.authors.names(ids)).values())
            for each in ids:
                await kept.authors.erase(each)
                await kept.infos.forget(each)
                await kept.shares.forget(each)
                await kept.sign_ins.forget(each)
                await kept.members.forget(each)
                await kept.provider_sessions(b"").forget(each)
            # Erasing opens no token, so no secret is needed.
            await kept.sessions(b"").forget(person)
            await Shelf(database).forget(person)
            for name in names:
                await LocalBin(files).forget(name)
            await kept.scrub()
        finally:
            await kept.close()
            await files.close()
    return person


async def _one(authors: Authors, who: str) -> str:
    if await authors.names([who]):
        return signed(who)
    people = sorted({signed(person) for person in await authors.called(who)})
    if not people:
        raise NotFound(f"nobody is known who is called {who!r}, or has this id")
    if len(people) > 1:
        raise Conflict(f"{len(people)} people are called {who!r}: say which, by id: {', '.join(people)}")
    return people[0]


async def _returns(authors: Authors, person: str) -> list[str]:
    """The ids of a person who was erased before and came back, as far as they are known."""
    found = [person]
    for start in count(1, _AHEAD):
        known = await authors.names([again(person, number) for number in range(start, start + _AHEAD)])
        found += known
        if not known:
            return found
    raise AssertionError  # pragma: no cover
