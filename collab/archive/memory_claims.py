"""Links and locks in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import Link, Lock


class MemoryLinks:
    """The port `Links`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def add(self, link: Link) -> None:
        """One more."""

        def act(disk: Disk) -> None:
            disk.revision += 1
            disk.links.setdefault(link.digest, link)

        await self._archive.change("link", act)

    async def find(self, digest: str) -> Link:
        """By its secret's digest."""
        return _found(self._archive.disk, digest)

    async def list(self, target: str) -> Sequence[Link]:
        """All of them, newest first."""
        disk = self._archive.disk
        found = [_found(disk, digest) for digest, link in reversed(disk.links.items()) if link.target == target]
        return sorted(found, key=lambda link: -link.made)

    async def use(self, digest: str, now: float) -> Link:
        """One use less."""

        def act(disk: Disk) -> Link:
            link = _found(disk, digest)
            if (ended := link.ended(now)) is not None:
                raise NotFound(ended)
            if link.uses is not None:
                disk.links[digest] = replace(disk.links[digest], uses=link.uses - 1)
            return _found(disk, digest)

        return await self._archive.change("use link", act)

    async def revoke(self, digest: str, now: float) -> None:
        """It opens nothing any more."""

        def act(disk: Disk) -> None:
            disk.revision += 1
            if _found(disk, digest).revoked is None:
                disk.links[digest] = replace(disk.links[digest], revoked=now)

        await self._archive.change("revoke", act)


def _found(disk: Disk, digest: str) -> Link:
    link = disk.links.get(digest)
    if link is None:
        raise NotFound("there is no such link")
    return replace(link, maker="") if disk.names.get(link.maker, "") is None else link


class MemoryLocks:
    """The port `Locks`."""

    def __init__(self, archive: MemoryArchive, clock: Callable[[], float]) -> None:
        self._archive, self._clock = archive, clock

    async def acquire(self, document: str, lock: Lock) -> Lock:
        """Take it if it is free, or already this one."""

        def act(disk: Disk) -> Lock:
            standing = self._standing(disk, document, lock.name)
            if standing is None or standing.id == lock.id:
                self._put(disk, document, lock)
            return self._standing(disk, document, lock.name) or lock

        return await self._archive.change("lock", act)

    async def refresh(self, document: str, lock: Lock) -> Lock | None:
        """Longer, if it is this one."""

        def act(disk: Disk) -> Lock | None:
            standing = self._standing(disk, document, lock.name)
            if standing is not None and standing.id == lock.id:
                self._put(disk, document, replace(standing, seconds=lock.seconds))
            return self._standing(disk, document, lock.name)

        return await self._archive.change("refresh", act)

    async def replace(self, document: str, lock: Lock, old: str) -> Lock | None:
        """Another id, if it is the old one."""

        def act(disk: Disk) -> Lock | None:
            standing = self._standing(disk, document, lock.name)
            if standing is not None and standing.id == old:
                self._put(disk, document, lock)
            return self._standing(disk, document, lock.name)

        return await self._archive.change("replace", act)

    async def release(self, document: str, name: str, lock: str) -> Lock | None:
        """Free, if it is this one."""

        def act(disk: Disk) -> Lock | None:
            standing = self._standing(disk, document, name)
            if standing is not None and standing.id == lock:
                del disk.locks[document, name]
            return self._standing(disk, document, name)

        return await self._archive.change("release", act)

    async def get(self, document: str, name: str) -> Lock | None:
        """Who holds it."""
        return self._standing(self._archive.disk, document, name)

    async def standing(self, name: str) -> Mapping[str, Lock]:
        """All of this name, by document."""
        disk = self._archive.disk
        found = ((document, self._standing(disk, document, name)) for document, each in sorted(disk.locks) if each == name)
        return {document: lock for document, lock in found if lock is not None}

    def _standing(self, disk: Disk, document: str, name: str) -> Lock | None:
        lock, until = disk.locks.get((document, name), (None, 0.0))
        left = until - self._clock()
        return replace(lock, seconds=left) if lock is not None and left > 0 else None

    def _put(self, disk: Disk, document: str, lock: Lock) -> None:
        disk.locks[document, lock.name] = lock, self._clock() + lock.seconds
