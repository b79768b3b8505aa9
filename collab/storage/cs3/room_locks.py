"""The cloud's own lock of a document whose room is open: one, in our application's name; its id has the room's fencing number."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from collab.errors import Fenced, Locked, NotFound, Unsupported
from collab.ports import Claim
from collab.storage.cs3.locks import ROOM

if TYPE_CHECKING:
    from collab.storage.cs3.cloud import Cloud

HOLDER = "room"


class CloudRoomLocks:
    """Take, refresh, give. All raise `Denied`, `Unauthorized`, `NotFound` and `Unavailable`. A cloud without locks lets everybody have one."""

    seconds = ROOM
    """For how long a lock stands that nobody refreshes."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def take(self, document: str, fence: int) -> Claim | None:
        """Ours from now on, with this number; one of ours with another one, also of before a crash, is replaced. Somebody else's is given back, and
        nothing changes. `Fenced`: one of ours has a greater number.
        """
        async with self._cloud.acts(document) as token:
            resource = await self._cloud.resource(document)
            try:
                foreign = await self._cloud.locks.take(token, resource, HOLDER, fence)
            except Unsupported:
                return None
            except Locked as error:
                raise Fenced(error.detail) from error
        if foreign is None:
            return None
        # An opaque id of a user tells people nothing.
        return Claim("", foreign.application or "another application", self._cloud.clock())

    async def refresh(self, document: str, fence: int) -> bool:
        """Hold it for so long again. False: it is not ours with this number any more."""
        async with self._cloud.acts(document) as token:
            resource = await self._cloud.resource(document)
            if self._cloud.gateway.lacks("SetLock"):
                return True
            try:
                return await self._cloud.locks.refresh(token, resource, fence)
            except (Locked, Unsupported):
                return False

    async def give(self, document: str, fence: int) -> None:
        """Free it, if it is ours with this number. Somebody else's, and a document that is gone, are no error."""
        with suppress(NotFound, Locked, Unsupported):
            async with self._cloud.acts(document) as token:
                resource = await self._cloud.resource(document)
                if self._cloud.locks.fence_of(resource) in {None, fence}:
                    await self._cloud.locks.give(token, resource, HOLDER)
