"""What the archive is told of one document. The file and the journal do not wait for an archive that has trouble, and nothing is lost by it."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.errors import CollabError
from collab.ledger import part_of
from collab.ports import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collab.access import Person
    from collab.ports import Authors, Bases, Content, Kept, Log, Versions
    from collab.runtime.credits import Credits
    from collab.runtime.metrics import Metrics

log = logging.getLogger("collab.runtime")


class Chronicle:
    """The versions and the older log of one document."""

    def __init__(self, document: str, bases: Bases, versions: Versions, authors: Authors, credit: Credits, metrics: Metrics) -> None:  # noqa: PLR0913, PLR0917 - the surroundings
        self._document = document
        self._credits = credit
        self._bases = bases
        self._versions = versions
        self._authors = authors
        self._metrics = metrics

    async def begun(self, position: int, content: Content) -> None:
        """The file as it is when its room opens, if no version says so yet (a crash may have come between a save and its version)."""
        digest = sha256(content.body).hexdigest()
        try:
            newest = await self._versions.list(self._document, limit=1)
        except CollabError as error:
            self._trouble(error)
            return
        if not newest or (newest[0].hash != digest and newest[0].number < position):
            source = "outside" if newest else "first"
            await self._add(Version(position, content.stat.modified, digest, len(content.body), source), content.body)

    async def saved(self, place: int, at: float, digest: str, body: bytes, writers: Iterable[Person], source: str = "save") -> None:  # noqa: PLR0913, PLR0917 - a version
        """We wrote this."""
        people = {person.id: person.name for person in writers}
        try:
            await self._authors.meet(people)
        except CollabError as error:
            self._trouble(error)
        await self._add(Version(place, at, digest, len(body), source, tuple(people)), body)

    async def replaced(self, place: int, at: float, body: bytes, writers: Iterable[Person]) -> None:
        """A text that is about to be replaced; the file may never have held it. Unavailable: it cannot be kept."""
        people = {person.id: person.name for person in writers}
        await self._authors.meet(people)
        version = Version(place, at, sha256(body).hexdigest(), len(body), "save", tuple(people))
        await self._versions.add(self._document, version, body)

    async def outside(self, position: int, at: float, digest: str, body: bytes) -> None:
        """Another program wrote this: a wrong guess of what it had read can be mended."""
        await self._add(Version(position, at, digest, len(body), "outside"), body)

    async def cut(self, known: Log, place: int, past: Iterable[Kept], lineage: int) -> bool:
        """A checkpoint is about to replace the log up to this place. False: the archive could not take it, so it has to wait."""
        within = [kept for kept in past if known.position < max((kept.place, *kept.merges)) <= place]
        try:
            await self._credits.keep(known, lineage)
            await self._bases.keep(self._document, part_of(known, place), within)
        except CollabError as error:
            self._trouble(error)
            return False
        return True

    async def _add(self, version: Version, body: bytes) -> None:
        try:
            await self._versions.add(self._document, version, body)
        except CollabError as error:
            self._trouble(error)

    def _trouble(self, error: CollabError) -> None:
        self._metrics.failed("archive")
        log.warning("%s: the archive: %s", self._document, error.detail)
