"""Who has a file of a cloud open (`Claims`): the cloud's own lock, one for each file, which every application sees."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from collab.errors import Denied, NotFound, Unsupported
from collab.ports import Claim
from collab.storage.cs3.bodies import Bodies

if TYPE_CHECKING:
    from collab.gateway.resources import StorageLock
    from collab.ports import Stat
    from collab.storage.claims import Noted
    from collab.storage.cs3.cloud import Cloud, Found

HOLDER = "office"


class CloudClaims:
    """See `collab.ports.Claims`. `noted` remembers what we hold, also after a crash."""

    def __init__(self, cloud: Cloud, noted: Noted) -> None:
        self._cloud = cloud
        self._noted = noted
        self._bodies = Bodies(cloud)

    async def look(self, document: str) -> Claim | None:
        """Who else has it open."""
        async with self._cloud.acts(document) as token:
            return claimed(self._cloud, await self._cloud.file(token, document))

    async def find(self, document: str) -> tuple[Stat, Claim | None]:
        """The file, and who else has it open."""
        async with self._cloud.acts(document) as token:
            found = await self._cloud.file(token, document)
            return self._cloud.described(*await self._bodies.known(found)), claimed(self._cloud, found)

    async def beside(self, folder: str) -> dict[str, Claim]:
        """Who else has which files of the folder open."""
        ours = self._cloud.locks.ours
        async with self._cloud.acts() as token:
            try:
                entries = await self._cloud.entries(token, folder)
            except (NotFound, Denied):
                return {}
        return {
            each.path: _claim(self._cloud, each.resource.lock)
            for each in entries
            if each.resource.lock is not None and not ours(each.resource.lock)
        }

    async def hold(self, document: str, name: str) -> Claim | None:
        """Lock it, unless somebody else has it open; the lock bears the application's name, since any co-author's session has to hold it on."""
        del name
        cloud = self._cloud
        async with cloud.acts(document) as token:
            found = await cloud.file(token, document)
            lock = found.resource.lock
            if lock is not None and not cloud.locks.ours(lock):
                return _claim(cloud, lock)
            if self._noted.path(document) is None:
                self._noted.put(document, str(found.resource.id).encode(), cloud.clock())
            try:
                foreign = await cloud.locks.take(token, found.resource.id, HOLDER)
            except (Unsupported, Denied):
                # Where no lock can be left there is none, and that is no reason to refuse.
                foreign = None
                self._noted.drop(document)
            if foreign is not None:
                self._noted.drop(document)
                return _claim(cloud, foreign)
            return None

    async def free(self, document: str) -> None:
        """Take our lock away."""
        noted = self._noted.path(document)
        if noted is None:
            return
        with suppress(NotFound, Denied, Unsupported):
            async with self._cloud.acts(document) as token:
                resource = await self._cloud.resource(document)
                await self._cloud.locks.give(token, resource, HOLDER)
        self._noted.drop(document)

    async def held(self) -> dict[str, float]:
        """Those that we hold."""
        return {document: since for document, (_, since) in self._noted.all().items()}


def claimed(cloud: Cloud, found: Found) -> Claim | None:
    """Who else has a file open, as it was seen."""
    lock = found.resource.lock
    return None if lock is None or cloud.locks.ours(lock) else _claim(cloud, lock)


def _claim(cloud: Cloud, lock: StorageLock) -> Claim:
    return Claim(lock.user, lock.application or "another application", cloud.clock())
