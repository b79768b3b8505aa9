"""The versions that the storage keeps by itself: to look at, and to bring back by an edit, so that nothing is lost that is there now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.differences import changes
from collab.errors import Denied, NotFound
from collab.formats.bodies import most, readable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.access import Person
    from collab.differences import Change
    from collab.ports import Stat, StorageHistory, StorageVersions
    from collab.runtime.documents import Documents, Restored

AT_ONCE: Final = 2
"""Differences that are sought at the same time."""
LARGEST: Final = 256 * 2**20
"""Bytes of a version that is given as it is."""
BEFORE, NOW, NOTHING = "before", "now", "none"
"""With what a version is compared: the one before it, the text as it is now, nothing."""


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What a restoration made; `restored` None: the file is no text, and has been replaced."""

    stat: Stat
    restored: Restored | None


class StorageHistories:
    """`versions` None: the storage keeps none by itself, and everything is NotFound."""

    def __init__(
        self,
        documents: Documents,
        versions: StorageVersions | None,
        thread: Callable[[Callable[[], list[Change]]], Awaitable[list[Change]]] = asyncio.to_thread,
    ) -> None:
        self._documents = documents
        self._versions = versions
        self._thread = thread
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def kept(self) -> bool:
        """Whether the storage keeps versions by itself."""
        return self._versions is not None

    async def entries(self, stat: Stat) -> StorageHistory:
        """All of a document, newest first. Errors as those of `StorageVersions`."""
        return await self._there.list(stat.id)

    async def content(self, stat: Stat, key: str) -> bytes:
        """The bytes of one of them. TooLarge."""
        return await self._there.read(stat.id, key, limit=LARGEST)

    async def difference(self, stat: Stat, key: str, against: str) -> list[Change]:
        """What it has that the one before has not, or what is there now and not in it, or its text as it is. NotText, TooLarge."""
        async with self._turn:
            sizes = self._documents.sizes
            limit = most(sizes, stat.type)
            body = await self._there.read(stat.id, key, limit=limit)
            if against == NOW:
                earlier, later = body, await self._documents.now(stat.id)
            else:
                earlier, later = await self._before(stat, key, limit) if against == BEFORE else body, body
            return await self._thread(lambda: changes(*(readable(each, stat.type, sizes) for each in (earlier, later))))

    async def _before(self, stat: Stat, key: str, limit: int) -> bytes:
        """The body that was there before this one."""
        keys = [each.key for each in (await self._there.list(stat.id)).versions]
        older = keys[keys.index(key) + 1 :] if key in keys else []
        return await self._there.read(stat.id, older[0], limit=limit) if older else b""

    async def restore(self, stat: Stat, key: str, by: Person) -> BroughtBack:
        """Make it the live text, by an edit: whoever types goes on typing, and what was there is a version. What is no text is replaced, if it is still what
        was found. Denied when the storage does not let whoever asks bring versions back.
        """
        if not (await self.entries(stat)).may_restore:
            raise Denied("the cloud does not let you restore its versions of this file")
        if await self._documents.is_plain(stat):
            body = await self.content(stat, key)
            return BroughtBack(await self._documents.replace(stat.id, body, if_match=stat.etag), None)
        body = await self._there.read(stat.id, key, limit=most(self._documents.sizes, stat.type))
        restored = await self._documents.restore(stat.id, body, number=None, writer=by)
        return BroughtBack(restored.stat, restored)

    @property
    def _there(self) -> StorageVersions:
        if self._versions is None:
            raise NotFound("Where this document is, no versions are kept but ours.")
        return self._versions
