"""A document's history: versions to list, read, name, compare and restore."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collab.differences import changes
from collab.errors import NotFound
from collab.formats.bodies import readable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from collab.access import Person
    from collab.differences import Change
    from collab.ports import Authors, Version, Versions
    from collab.runtime.documents import Documents, Restored

NAME = 200
"""Characters of a version's name."""
AT_ONCE = 2
"""Differences that are sought at the same time: whoever slides through a history asks for many."""


class History:
    """The versions of documents, by the documents' ids."""

    def __init__(
        self,
        documents: Documents,
        versions: Versions,
        authors: Authors,
        thread: Callable[[Callable[[], list[Change]]], Awaitable[list[Change]]] = asyncio.to_thread,
    ) -> None:
        self._documents = documents
        self._versions = versions
        self._authors = authors
        self._thread = thread
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def entries(self, document: str, *, before: int | None, limit: int) -> tuple[Sequence[Version], bool]:
        """At most `limit`, newest first, and whether there are older ones."""
        found = await self._versions.list(document, before=before, limit=limit + 1)
        return found[:limit], len(found) > limit

    async def one(self, document: str, number: int) -> tuple[Version, bytes]:
        """A version and its bytes. NotFound."""
        return await self._versions.read(document, number)

    async def names(self, versions: Iterable[Version]) -> dict[str, str]:
        """What the writers of these are called; who is not known any more is left out."""
        return await self._authors.names({writer for version in versions for writer in version.writers})

    async def rename(self, document: str, number: int, name: str) -> Version:
        """Give a version a name, or take it away with the empty one."""
        return await self._versions.name(document, number, name)

    async def difference(self, document: str, number: int | None, other: int | None) -> tuple[int | None, list[Change]]:
        """What a version (None: the text as it is now) has that another one (None: the one before) has not, and the number of that. It is
        found beside the event loop, a few at a time. NotFound, NotText, TooLarge.
        """
        async with self._turn:
            body = await self._documents.now(document) if number is None else (await self._versions.read(document, number))[1]
            if other is None:
                before = await self._versions.list(document, before=number, limit=1)
                other = before[0].number if before else None
            earlier = (await self._versions.read(document, other))[1] if other is not None else b""
            stat, sizes = await self._documents.find(document), self._documents.sizes
            return other, await self._thread(lambda: changes(*(readable(each, stat.type, sizes) for each in (earlier, body))))

    async def restore(self, document: str, number: int, by: Person, over: int | None = None) -> Restored:
        """Make the live text that of a version, by an edit: whoever types goes on typing. `over`: take back the restoration with this number."""
        _, body = await self._versions.read(document, number)
        return await self._documents.restore(document, body, number=number, writer=by, over=over)

    async def before(self, document: str, number: int) -> Version:
        """The version without its body. NotFound."""
        found = await self._versions.list(document, before=number + 1, limit=1)
        if not found or found[0].number != number:
            raise NotFound(f"there is no version {number}")
        return found[0]
