"""Bodies that come from office suites: what is short waits in memory until it is known what becomes of it, what is long goes to the storage at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from collab.errors import TooLarge
from collab.formats.bodies import most

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

    from collab.ports import Draft, Stat
    from collab.runtime.documents import Documents

SHORT: Final = 2**20
"""Bytes of a body that wait in memory."""
WAITING: Final = 64 * 2**20
"""Bytes that wait together; then a body has `LEAST` only."""
LEAST: Final = 64 * 1024


class Body:
    """A whole body: pieces in memory, or a draft."""

    def __init__(self, came: list[bytes] | Draft) -> None:
        self.came = came

    @property
    def text(self) -> bytes:
        """As a text has it. TooLarge for what is longer than one can be."""
        if not isinstance(self.came, list):
            raise TooLarge("the document is longer than a text may be that people edit together")
        return b"".join(self.came)

    @property
    def kept(self) -> bytes | Draft:
        """To be kept beside its document."""
        return b"".join(self.came) if isinstance(self.came, list) else self.came


class Incoming:
    """`live`: whether people type in a document meanwhile, so that a body is merged: then it is held as one."""

    def __init__(self, documents: Documents, live: Callable[[Stat], bool]) -> None:
        self._documents = documents
        self._live = live
        self._waiting = 0

    @asynccontextmanager
    async def received(self, body: AsyncIterable[bytes], find: Callable[[], Awaitable[Stat]]) -> AsyncIterator[Body]:
        """The whole body for the document that `find` tells; it is not asked for before there is more than is held of any body."""
        parts = _Parts(body)
        self._waiting += SHORT
        try:
            whole = await parts.gather(SHORT if self._waiting <= WAITING else LEAST)
            if not whole:
                stat = await find()
                whole = self._live(stat) and await parts.gather(most(self._documents.sizes, stat.type))
            if whole:
                yield Body(parts.came)
                return
        finally:
            self._waiting -= SHORT
        async with self.drafted(_berth(stat), parts.rest()) as draft:
            yield Body(draft)

    @asynccontextmanager
    async def draft(self, stat: Stat, body: Body) -> AsyncIterator[Draft]:
        """The body as one that may take the place of a document."""
        if not isinstance(body.came, list):
            yield body.came
            return
        async with self.drafted(_berth(stat), _each(body.came)) as draft:
            yield draft

    @asynccontextmanager
    async def drafted(self, name: str, body: AsyncIterable[bytes]) -> AsyncIterator[Draft]:
        """The body as a draft for this document or folder; what it did not become is gone afterwards."""
        draft = await self._documents.draft(name)
        try:
            async for piece in body:
                await draft.add(piece)
            yield draft
        finally:
            await draft.discard()


class _Parts:
    """What came so far of a body."""

    def __init__(self, body: AsyncIterable[bytes]) -> None:
        self.came: list[bytes] = []
        self._size = 0
        self._body = aiter(body)

    async def gather(self, most: int) -> bool:
        """As long as it is not more than so many bytes altogether; whether that was all."""
        while self._size <= most:
            try:
                piece = await anext(self._body)
            except StopAsyncIteration:
                return True
            self.came.append(piece)
            self._size += len(piece)
        return False

    async def rest(self) -> AsyncIterator[bytes]:
        """All of it, from its beginning on; once."""
        while self.came:
            yield self.came.pop(0)
        async for piece in self._body:
            yield piece


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _berth(stat: Stat) -> str:
    """Where a body waits. Of a file that may not be written any more there is a copy to be made, in its folder."""
    return stat.id if stat.writable else stat.path.rpartition("/")[0]
