"""The storage's lock of one document while its room is open: taken before the file is read, held, lost, and had again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from weakref import ref

from collab.errors import Changed, CollabError, Fenced, Forbidden, Locked, NotFound, Unauthorized
from collab.runtime.copies import copy_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Claim, Files, RoomLocks
    from collab.runtime.host import Host
    from collab.runtime.saver import Saver

log = logging.getLogger("collab.runtime")

AGAIN: Final = 10.0
"""Seconds between two tries to have a lock that somebody else has."""
PATIENCE: Final = 5.0
"""Seconds that a storage has to hear that a room is closed."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Why nobody can write in a room just now."""

    why: str
    """`locked`: another application had the file when the room was opened; `lost`: it took it since."""
    by: str = ""
    application: str = ""
    kept: str = ""
    """Where the text is beside the file, as far as the file does not hold it."""

    @property
    def words(self) -> str:
        """As an error says it."""
        where = f" in {self.application}" if self.application else " in another application"
        return f"{self.by or 'somebody'} has the file open{where}; it is written as soon as it is free"


class Locking:
    """The lock of one room; `locks` None: the storage has none. `fence` is the room's fencing number."""

    def __init__(self, document: str, files: Files, locks: RoomLocks | None, fence: int, *, now: Callable[[], float]) -> None:
        self._document = document
        self._files = files
        self._locks = locks
        self._fence = fence
        self._now = now
        self._held = False
        self._claim: Claim | None = None
        """Whose it is, as far as that is known."""
        # Weakly: a room that goes takes its document with it at once.
        self._host_ref: Callable[[], Host | None] = _none
        self._saver_ref: Callable[[], Saver | None] = _none
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._had = False
        """It was ours once, since the room was opened."""
        self._copy: tuple[str, str] | None = None
        """Path and SHA-256 of the text that was kept beside the file."""

    async def begin(self) -> None:
        """Before the file is read. Fenced, NotFound, Unavailable; somebody else's lock is no error, nor that nobody here may lock."""
        if self._locks is None:
            return
        try:
            self._claim = await self._locks.take(self._document, self._fence)
        except (Forbidden, Unauthorized) as error:
            # Who only reads needs none; it is tried again when it is needed.
            log.info("%s is not locked: %s", self._document, error.detail)
            return
        self._held = self._had = self._claim is None

    def keep(self, host: Host, saver: Saver) -> None:
        """The room is made: from now on it follows the lock."""
        self._host_ref, self._saver_ref = ref(host), ref(saver)
        host.needed = self._needed
        if self._claim is not None:
            host.bar(_barred(self._claim, "locked"))

    async def run(self) -> None:
        """Hold it, or try to have it, until the room is closed."""
        host = self._host
        while self._locks is not None and host is not None and not host.closed and not host.closing.is_set():
            calm = self._held and self._barred is None
            await self._until(self._locks.seconds / 3 if calm else min(AGAIN, self._locks.seconds / 3), host.closing)
            if host.closed or host.closing.is_set():
                break
            try:
                async with self._turn:
                    await self._look(self._locks, host)
            except Fenced as error:
                log.warning("%s: %s", self._document, error.detail)
                host.moved()
            except CollabError as error:
                log.info("the lock of %s can't be looked after: %s", self._document, error.detail)

    async def _until(self, seconds: float, closing: asyncio.Event) -> None:
        """So long, or until somebody hurries, or the room goes."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self._wake, closing)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._wake.clear()

    def hurry(self) -> None:
        """Look now: the storage refused a write."""
        self._wake.set()

    def _needed(self) -> None:
        """Somebody came who may write."""
        if not self._held:
            self._wake.set()
        if (saver := self._saver) is not None:
            saver.again()

    async def secure(self) -> None:
        """Before each write: the lock is ours. Locked; errors as `RoomLocks.take`."""
        if self._locks is None:
            return
        if not self._held and self._barred is None:
            async with self._turn:
                await self._have(self._locks)
        barred = self._barred
        if barred is not None:
            raise Locked(barred.words)

    async def give(self) -> None:
        """The room is closed; raises nothing. A storage that does not answer forgets the lock by itself."""
        if self._locks is None:
            return
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                if self._held:
                    self._held = False
                    await self._locks.give(self._document, self._fence)
        except (TimeoutError, CollabError) as error:
            log.info("the lock of %s was not given back: %s", self._document, error)

    @property
    def _host(self) -> Host | None:
        return self._host_ref()

    @property
    def _saver(self) -> Saver | None:
        return self._saver_ref()

    @property
    def _barred(self) -> Barred | None:
        return None if self._host is None else self._host.barred

    async def _look(self, locks: RoomLocks, host: Host) -> None:
        if self._held:
            await self._refresh(locks)
        elif host.barred is not None or any(peer.writes for peer in host.members):
            await self._have(locks)
        if self._held and host.barred is not None:
            await self._go_on()
        elif self._held and self._copy is not None and host.file.word == "saved":
            await self._drop_copy(*self._copy)

    async def _refresh(self, locks: RoomLocks) -> None:
        self._held = await locks.refresh(self._document, self._fence)
        if not self._held and await self._have(locks) and (saver := self._saver) is not None:
            # Nobody has it now, and somebody may have had it.
            saver.notice()

    async def _have(self, locks: RoomLocks) -> bool:
        """Whether it is ours, now at the latest."""
        if self._held:
            return True
        claim = self._claim = await locks.take(self._document, self._fence)
        host = self._host
        if claim is None:
            self._held = self._had = True
        elif host is not None and host.barred is None:
            await self._lose(host, claim)
        elif host is not None and host.barred is not None:
            host.bar(_barred(claim, host.barred.why, host.barred.kept))
        return self._held

    async def _lose(self, host: Host, claim: Claim) -> None:
        """Somebody else has it: everybody reads, and what the file does not hold is beside it."""
        log.warning("%s is locked by %s %s", self._document, claim.application, claim.by)
        barred = _barred(claim, "lost" if self._had else "locked")
        host.bar(barred)
        if host.file.word in {"saved", "gone"}:
            return
        try:
            stat, body = await host.content()
            path = await copy_beside(self._files, stat.path, body, "kept", self._now())
        except CollabError as error:
            log.warning("%s: the text is in the journal, and not beside the file: %s", self._document, error.detail)
        else:
            self._copy = path, stat.etag
            host.bar(replace(barred, kept=path))

    async def _go_on(self) -> None:
        """It is ours: what happened meanwhile is merged before anybody writes again."""
        host, saver = self._host, self._saver
        if host is not None and saver is not None:
            await saver.catch_up()
            host.bar(None)

    async def _drop_copy(self, path: str, etag: str) -> None:
        """The file holds what was kept beside it. What somebody made of that stays."""
        self._copy = None
        with suppress(NotFound, Changed):
            await self._files.delete(path, if_match=etag)


def _none() -> None:
    """There is no room yet."""


def _barred(claim: Claim | None, why: str, kept: str = "") -> Barred:
    return Barred(why) if claim is None else Barred(why, claim.by, claim.application, kept)
