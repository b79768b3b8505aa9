"""What the archive is told of one document. The file and the journal do not wait for an archive that has trouble, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.editions import untold
from collab.errors import CollabError, Unavailable
from collab.ledger import part_of
from collab.ports import Version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from collab.access import Person
    from collab.ports import Authors, Bases, Content, Kept, Log, Versions
    from collab.runtime.backlog import Backlog
    from collab.runtime.credits import Credits
    from collab.runtime.metrics import Metrics

log = logging.getLogger("collab.runtime")

LONG = 1_000
"""Records that are put together beside the event loop."""
PATIENCE = 2.0
"""Seconds that a save, or an opening, waits for the archive."""


class Chronicle:
    """The versions and the older log of one document. What the archive can't take now it is told later, by the backlog."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        document: str,
        bases: Bases,
        versions: Versions,
        authors: Authors,
        *,
        credit: Credits,
        backlog: Backlog,
        metrics: Metrics,
    ) -> None:
        self._document = document
        self._credits = credit
        self._bases = bases
        self._versions = versions
        self._authors = authors
        self._backlog = backlog
        self._metrics = metrics

    @property
    def behind(self) -> bool:
        """Whether the archive lacks something, and the journal has to keep it."""
        return self._document in self._backlog

    def owe(self) -> None:
        """The archive had trouble with this document: when it is back, somebody looks again."""
        self._backlog.owe(self._document)

    async def begun(self, known: Log, position: int, content: Content) -> None:
        """What the archive does not know when the room opens: what the log tells since its last version, and the file as it is."""
        await self._patiently(self._begin(known, position, content))

    async def _begin(self, known: Log, position: int, content: Content) -> None:
        newest = await self._versions.list(self._document, limit=1)
        if untold(known, newest[0] if newest else None):
            self.owe()
            return
        digest = sha256(content.body).hexdigest()
        if not newest or (newest[0].hash != digest and newest[0].number < position):
            source = "outside" if newest else "first"
            version = Version(position, content.stat.modified, digest, len(content.body), source)
            await self._versions.add(self._document, version, content.body)

    async def saved(self, place: int, at: float, digest: str, body: bytes, writers: Iterable[Person], source: str = "save") -> None:  # noqa: PLR0913, PLR0917 - a version
        """We wrote this, and the journal knows."""
        people = {person.id: person.name for person in writers}
        await self._add(Version(place, at, digest, len(body), source, tuple(people)), body, people)

    async def replaced(self, place: int, at: float, body: bytes, writers: Iterable[Person]) -> None:
        """A text that is about to be replaced; the file may never have held it. Unavailable: it cannot be kept."""
        people = {person.id: person.name for person in writers}
        await self._authors.meet(people)
        version = Version(place, at, sha256(body).hexdigest(), len(body), "save", tuple(people))
        await self._versions.add(self._document, version, body)

    async def outside(self, position: int, at: float, digest: str, body: bytes, source: str = "outside") -> None:
        """Another program wrote this: a wrong guess of what it had read can be mended."""
        await self._add(Version(position, at, digest, len(body), source), body, {})

    async def cut(self, known: Log, place: int, past: Iterable[Kept], lineage: int) -> bool:
        """A checkpoint is about to replace the log up to this place. False: the archive could not take it, so it has to wait."""
        within = [kept for kept in past if known.position < max((kept.place, *kept.merges)) <= place]
        if self.behind:
            return False
        try:
            await self._credits.keep(known, lineage)
            part = part_of(known, place) if len(known.records) < LONG else await self._credits.thread(partial(part_of, known, place))
            await self._bases.keep(self._document, part, within)
        except CollabError as error:
            self._trouble(error)
            return False
        return True

    async def _add(self, version: Version, body: bytes, people: dict[str, str]) -> None:
        if self.behind:
            # In order: the newest version tells from where on the archive knows nothing.
            self.owe()
        else:
            await self._patiently(self._adding(version, body, people))

    async def _adding(self, version: Version, body: bytes, people: dict[str, str]) -> None:
        await self._authors.meet(people)
        await self._versions.add(self._document, version, body)

    async def _patiently(self, work: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await work
        except TimeoutError:
            self._trouble(Unavailable(f"it does not answer within {PATIENCE:.0f} s"))
        except CollabError as error:
            self._trouble(error)

    def _trouble(self, error: CollabError) -> None:
        self.owe()
        self._metrics.failed("archive")
        log.warning("%s: the archive: %s", self._document, error.detail)
