"""What was deleted: it waits in the bin, comes back as it was with every word that was acknowledged, or goes for good after its time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from collab.errors import CollabError, NotFound
from collab.runtime.attachments import companion_of, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from collab.ports import Bases, Bin, Binned, Claims, Journal, Stat
    from collab.runtime.documents import Documents
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.runtime")

DAY: Final = 86400.0
AGAIN: Final = 60
"""Seconds until journal and archive are told once more what they have to forget."""
GONE: Final = "There is nothing of this key in the bin: it came back, or its time is over."


class Followers(Protocol):
    """What goes where folders go."""

    async def settle(self) -> None:
        """Folders were moved, deleted or restored. Raises nothing."""

    async def gone(self, path: str, waiting: Collection[str]) -> None:
        """The folder that was deleted at this path is gone for good; of these, deleted there as well, some are left. Raises nothing."""


class Trash:
    """Errors are those of `collab.ports.Bin`; `days` is how long something waits; None: the storage sees to that, and nothing is swept here."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self, rooms: Rooms, documents: Documents, bin_: Bin, journal: Journal, bases: Bases, *, claims: Claims, days: float | None
    ) -> None:
        self._rooms = rooms
        self._documents = documents
        self._bin = bin_
        self._journal = journal
        self._bases = bases
        self._claims = claims
        self._days = days
        self.followers: Sequence[Followers] = ()

    def until(self, entry: Binned) -> float | None:
        """When it goes for good, UTC seconds; None: only the storage knows."""
        return None if self._days is None else entry.deleted + self._days * DAY

    async def discard(self, name: str, *, if_match: str, by: str) -> Binned:
        """Delete a document; who edits it is told. What was typed is in the file before, or in the journal until it comes back. Changed."""
        stat = await self._documents.checked(name, if_match)
        if stat.folder:
            raise NotFound("This is a folder.")
        live = self._rooms.live(stat.id) is not None
        await self._rooms.flush([stat.id])
        # The file first: when the storage refuses, nobody is thrown out.
        entry = await self._bin.discard(stat.id, if_match=None if live else stat.etag, by=by, now=self._rooms.now())
        await self._free(entry.documents)
        await self._dismiss(entry.documents)
        if self._documents.attachments is not None:
            await self._documents.attachments.discarded(entry)
        return entry

    async def discard_folder(self, path: str, *, by: str) -> Binned:
        """Delete a folder with all in it, as one entry."""
        stat = await self._documents.find(path)
        if not stat.folder:
            raise NotFound("This is no folder.")
        neighbours = self._rooms.neighbours
        await self._rooms.flush([host.id for host in self._rooms.below(stat.path)])
        if neighbours is not None:
            await neighbours.flush(stat.path)
        # Before the folder goes: what lay beside a document would come back with it.
        await self._free(await self._locked_below(stat.path))
        entry = await self._bin.discard(stat.path, if_match=None, by=by, now=self._rooms.now())
        # Only now: a document may have been moved out of the folder while the others were saved.
        inside = {host.id for host in self._rooms.below(stat.path)}
        await self._dismiss(sorted({*entry.documents, *inside}))
        if neighbours is not None:
            await neighbours.dismiss(entry.documents, stat.path)
        await self._settle()
        return entry

    async def _settle(self) -> None:
        for follower in self.followers:
            await follower.settle()

    async def _free(self, documents: Iterable[str]) -> None:
        """No lock of ours stays beside what is deleted, whoever has it open in an office suite. Raises nothing: what stays is swept."""
        for document in documents:
            try:
                await self._claims.free(document)
            except CollabError as error:
                log.warning("%s: our lock stays beside what was deleted for now: %s", document, error.detail)

    async def _locked_below(self, folder: str) -> list[str]:
        found = []
        with suppress(CollabError):
            for document in await self._claims.held():
                with suppress(CollabError):
                    if (await self._documents.find(document)).path.startswith(f"{folder}/"):
                        found.append(document)
        return found

    async def _dismiss(self, documents: Sequence[str]) -> None:
        # The second time for whoever came between.
        for _ in range(2):
            await asyncio.gather(*(self._rooms.remove(document, NotFound("The document was deleted.")) for document in documents))

    async def entries(self) -> list[Binned]:
        """What is in the bin, newest first; attachments are with their documents."""
        return shown(await self._bin.entries())

    async def restore(self, key: str, path: str | None) -> tuple[Binned, Stat]:
        """What it was, and what it is now: back in its place, or at `path`, under its own id."""
        entry = await self._entry(key)
        companion = companion_of(entry, await self._bin.entries())
        stat = await self._bin.restore(key, path)
        await self._rooms.recover(entry.documents)
        if self._rooms.neighbours is not None:
            await self._rooms.neighbours.recover(entry.documents)
        if entry.folder:
            await self._settle()
        if self._documents.attachments is not None:
            await self._documents.attachments.restored(entry, await self._documents.find(stat.id or stat.path), companion)
        return entry, await self._documents.find(stat.id or stat.path)

    async def purge(self, key: str) -> Binned:
        """Gone for good, with its history; gives what it was."""
        entry = await self._entry(key)
        companion = companion_of(entry, await self._bin.entries())
        await self._purge(entry)
        if companion is not None:
            await self._purge(companion)
        return entry

    async def _purge(self, entry: Binned) -> None:
        await self._forget(await self._bin.purge(entry.key))
        if entry.folder and self.followers:
            waiting = [each.path for each in await self._bin.entries() if each.folder]
            for follower in self.followers:
                await follower.gone(entry.path, waiting)

    async def _entry(self, key: str) -> Binned:
        for entry in await self._bin.entries():
            if entry.key == key:
                return entry
        raise NotFound(GONE)

    async def _forget(self, documents: Sequence[str]) -> None:
        """Raises nothing: nobody can ask for these documents any more, so what journal or archive do not forget now is ours to try again, until the server
        stops.
        """
        left = [document for document in documents if not await self._forgotten(document)]
        if left:
            self._rooms.spawn(self._forget_later(left))

    async def _forget_later(self, documents: Sequence[str]) -> None:
        while documents:
            for _ in range(AGAIN):
                if self._rooms.stopping:
                    return
                await asyncio.sleep(1.0)
            # One that was put back from elsewhere is not ours any more.
            documents = [each for each in documents if self._rooms.live(each) is None and not await self._forgotten(each)]

    async def _forgotten(self, document: str) -> bool:
        try:
            await self._journal.forget(document)
            await self._bases.forget(document)
        except CollabError as error:
            log.warning("journal or archive still have a document that was deleted for good: %s", error.detail)
            return False
        return True

    # --- time

    async def mend(self) -> None:
        """Before the first room opens: finish what a crash cut off. Raises nothing."""
        try:
            gone = await self._bin.mend()
        except CollabError as error:
            log.warning("the bin could not be seen to: %s", error.detail)
        else:
            self._rooms.spawn(self._forget(gone))

    async def sweep(self) -> None:
        """What has waited its time goes for good. Raises nothing."""
        try:
            entries = await self._bin.entries()
        except CollabError as error:
            log.warning("nobody could look into the bin: %s", error.detail)
            return
        for entry in entries:
            until = self.until(entry)
            if until is not None and until <= self._rooms.now():
                await self._sweep(entry)

    async def _sweep(self, entry: Binned) -> None:
        try:
            await self._purge(entry)
        except CollabError as error:
            log.warning("%s has waited its time in the bin and could not be removed: %s", entry.path, error.detail)
        else:
            log.info("%s was deleted %g days ago and is gone for good", entry.path, self._days or 0.0)

    async def sweep_loop(self) -> None:
        """Sweep now and every day, until cancelled."""
        while self._days is not None:
            await self.sweep()
            await asyncio.sleep(DAY)
