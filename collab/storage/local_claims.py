"""Locks beside the files of this machine's folder (`Claims`)."""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from collab.errors import CollabError, Denied, Exists, NotFound
from collab.storage import claims, habits
from collab.storage.folder import closing, listed, open_file, sync
from collab.storage.paths import split
from collab.storage.refusals import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Claim, Stat
    from collab.storage.local import Disk, LocalFiles
    from collab.storage.names import Place

T = TypeVar("T")

log = logging.getLogger("collab.storage")


class LocalClaims:
    """See `collab.ports.Claims`. `clock` gives UTC seconds."""

    def __init__(self, files: LocalFiles, *, clock: Callable[[], float] = time.time) -> None:
        self._files = files
        self._clock = clock
        self._host = socket.gethostname()
        files.outside = self._look

    async def look(self, document: str) -> Claim | None:
        """Who else has it open."""
        return await self._at(document, self._look)

    async def find(self, document: str) -> tuple[Stat, Claim | None]:
        """The file, and who else has it open."""
        return await self._at(document, lambda disk, place: (self._files.told(place), self._look(disk, place)))

    async def beside(self, folder: str) -> dict[str, Claim]:
        """Who else has which files of the folder open."""
        path = b"/".join(split(folder))
        found = await self._files.work(lambda disk: claims.look_in(_Beside(disk), path, self._clock()))
        return {path.decode(): claim for path, claim in found.items()}

    async def hold(self, document: str, name: str) -> Claim | None:
        """Lock it, unless somebody outside has it open."""

        def act(disk: Disk, place: Place) -> Claim | None:
            path, now, noted = place.sight.path, self._clock(), disk.places.names.claims
            return claims.hold(_Beside(disk), noted, document, path, name=name, host=self._host, now=now)

        return await self._at(document, act)

    async def free(self, document: str) -> None:
        """Take our lock away."""

        def act(disk: Disk, *path: bytes) -> None:
            claims.free(_Beside(disk), disk.places.names.claims, document, *path)

        try:
            await self._at(document, lambda disk, place: act(disk, place.sight.path))
        except (NotFound, Denied):
            await self._files.work(act)

    async def held(self) -> dict[str, float]:
        """Those that we hold."""
        noted = await self._files.work(lambda disk: disk.places.names.claims.all())
        return {document: since for document, (_, since) in noted.items()}

    def _look(self, disk: Disk, place: Place) -> Claim | None:
        return claims.look(_Beside(disk), place.sight.path, self._clock())

    async def _at(self, document: str, act: Callable[[Disk, Place], T]) -> T:
        def checked(disk: Disk, place: Place) -> T:
            if place.sight.folder:
                raise NotFound(f"this is a folder: {place.sight.path.decode()}")
            return act(disk, place)

        return await self._files.look_at(document, checked)


class _Beside:
    """See `claims.Beside`."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def names(self, folder: bytes) -> list[bytes]:
        with suppress(CollabError), explained(folder), self._disk.folder.inside(folder) as place:
            return [entry.name for entry in listed(place)]
        return []

    def peek(self, path: bytes) -> claims.Seen | None:
        try:
            with self._disk.folder.around(path) as (place, name):
                try:
                    descriptor = open_file(place, name)
                except FileNotFoundError:  # as nearly always
                    return None
                with closing(descriptor):
                    return claims.Seen(os.fstat(descriptor).st_mtime, os.read(descriptor, habits.LOCK_BYTES))
        except NotFound:
            return None
        except Denied:
            return self._unread(path)

    def _unread(self, path: bytes) -> claims.Seen | None:
        with suppress(CollabError), self._disk.folder.around(path) as (place, name):
            return claims.Seen(os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime, b"")
        return None

    def put(self, path: bytes, body: bytes) -> bool:
        try:
            self._disk.exchange.create(path, self._disk.places.names.fresh_id()[3:11], body)
        except Exists:
            return False
        except CollabError as error:
            log.info("no lock is left beside a document: %s", error.detail)
            return False
        return True

    def drop(self, path: bytes) -> None:
        with suppress(CollabError), explained(path), self._disk.folder.around(path) as (place, name):
            os.unlink(name, dir_fd=place)
            sync(place)
