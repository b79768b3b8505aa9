"""Who wrote what in one document: worked out when somebody asks, and before a checkpoint takes the records away that tell it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from collab.authorship import Authorship
from collab.errors import CollabError
from collab.shares import Picture, picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Authors, Journal, Log
    from collab.runtime.host import Host

log = logging.getLogger("collab.runtime")


class Credits:
    """The authors of one document. `thread` does long work beside the event loop."""

    def __init__(self, document: str, authors: Authors, thread: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._document = document
        self._authors = authors
        self.thread = thread
        self._turn = asyncio.Lock()
        self._known: Authorship | None = None
        self._picture: tuple[tuple[int, int], Picture] | None = None

    async def keep(self, known: Log, lineage: int) -> None:
        """Everything that the log tells goes to the archive: from now on its records may go. Unavailable."""
        async with self._turn:
            authorship = await self._upto(known, lineage)
            await self._authors.put(self._document, authorship.position, authorship.encode())

    async def picture(self, host: Host, journal: Journal, now: float) -> Picture:
        """The authors of the text as it is in the room, once the journal holds it. Unavailable."""
        async with self._turn:
            await host.sound()
            host.commit()
            # Whoever wrote what is in this state is in the log that is read behind it.
            document, moment = host.room.document, (host.edits, host.ledger.position)
            if self._picture is not None and self._picture[0] == moment:
                return self._picture[1]
            words, state = document.words(), document.encode()
            await host.settled()
            authorship = await self._upto(await journal.load(self._document), document.lineage)
            made: Picture = await self.thread(partial(picture, words, state, authorship, now))
            self._picture = moment, made
            return made

    async def _upto(self, known: Log, lineage: int) -> Authorship:
        authorship = self._known
        if authorship is None or authorship.lineage != lineage or authorship.position < known.position:
            authorship = await self._kept(lineage)
        self._known = None  # half taken in, if what follows fails
        await self.thread(partial(authorship.take, known))
        self._known = authorship
        return authorship

    async def _kept(self, lineage: int) -> Authorship:
        kept = await self._authors.get(self._document)
        if kept is None:
            return Authorship(lineage)
        try:
            return Authorship.decode(*kept, lineage)
        except (CollabError, ValueError, KeyError) as error:
            log.warning("%s: who wrote before can't be read, and is not known any more: %s", self._document, error)
            return Authorship(lineage)
