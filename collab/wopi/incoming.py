"""Bodies that come from office suites: what is short waits in memory until it is known what becomes of it, what is long goes to the storage at once."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from collab.errors import TooLarge
from collab.formats.bodies import most

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

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

    def received(self, body: AsyncIterable[bytes], find: Callable[[], Awaitable[Stat]]) -> AbstractAsyncContextManager[Body]:
        """The whole body for the document that `find` tells; it is not asked for before there is more than is held of any body."""
        return _Received(self, _Parts(body), find)

    def draft(self, stat: Stat, body: Body) -> AbstractAsyncContextManager[Draft]:
        """The body as one that may take the place of a document."""
        if not isinstance(body.came, list):
            return nullcontext(body.came)
        return _Drafted(self._documents, _berth(stat), body.came)

    def drafted(self, name: str, body: AsyncIterable[bytes]) -> AbstractAsyncContextManager[Draft]:
        """The body as a draft for this document or folder; what it did not become is gone afterwards."""
        return _Drafted(self._documents, name, body)

    def most(self, stat: Stat) -> int | None:
        """Bytes that a body for this document may have, if it is merged."""
        return most(self._documents.sizes, stat.type) if self._live(stat) else None

    def enter(self) -> int:
        """A body waits in memory, until `leave`; how much of it may."""
        self._waiting += SHORT
        return SHORT if self._waiting <= WAITING else LEAST

    def leave(self) -> None:
        """It waits no more."""
        self._waiting -= SHORT


# Not generators, which the event loop keeps account of: for a short body they cost more than what they do.


class _Received:
    """See `Incoming.received`."""

    __slots__ = ("_draft", "_find", "_incoming", "_parts")

    def __init__(self, incoming: Incoming, parts: _Parts, find: Callable[[], Awaitable[Stat]]) -> None:
        self._incoming = incoming
        self._parts = parts
        self._find = find
        self._draft: AbstractAsyncContextManager[Draft] | None = None

    async def __aenter__(self) -> Body:
        incoming, parts = self._incoming, self._parts
        held = incoming.enter()
        try:
            if await parts.gather(held):
                return Body(parts.came)
            stat = await self._find()
            longer = incoming.most(stat)
            if longer is not None and await parts.gather(longer):
                return Body(parts.came)
        except BaseException:
            incoming.leave()
            raise
        incoming.leave()
        self._draft = incoming.drafted(_berth(stat), parts.rest())
        return Body(await self._draft.__aenter__())

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._draft is None:
            self._incoming.leave()
        else:
            await self._draft.__aexit__(kind, error, trace)


class _Drafted:
    """See `Incoming.drafted`."""

    __slots__ = ("_body", "_documents", "_draft", "_name")

    def __init__(self, documents: Documents, name: str, body: AsyncIterable[bytes] | list[bytes]) -> None:
        self._documents = documents
        self._name = name
        self._body = body

    async def __aenter__(self) -> Draft:
        self._draft = draft = await self._documents.draft(self._name)
        try:
            if isinstance(self._body, list):
                for piece in self._body:
                    await draft.add(piece)
            else:
                async for piece in self._body:
                    await draft.add(piece)
        except BaseException:
            await draft.discard()
            raise
        return draft

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._draft.discard()


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


def _berth(stat: Stat) -> str:
    """Where a body waits. Of a file that may not be written any more there is a copy to be made, in its folder."""
    return stat.id if stat.writable else stat.path.rpartition("/")[0]
