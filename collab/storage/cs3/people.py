"""A cloud in which the server acts for whoever came from it: what depends on the people, made once."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError
from collab.gateway.resources import Reference
from collab.runtime.farewell import Farewell
from collab.storage.cs3.keepers import Caller, Keepers, Sessions
from collab.storage.cs3.rights import CloudRights

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from collab.gateway.calls import Gateway
    from collab.gateway.identity import Machine
    from collab.gateway.resources import Permissions
    from collab.ports import CloudSessions
    from collab.runtime.rooms import Rooms
    from collab.storage.cs3.cloud import Cloud

log = logging.getLogger("collab.storage")

SWEEP: Final = 3600.0
"""Seconds between two looks for sessions that are over."""


class People:
    """`machine` None: nobody's session outlives its token. `clock` gives UTC seconds, `timer` monotonic ones."""

    def __init__(
        self,
        gateway: Gateway,
        kept: CloudSessions,
        machine: Machine | None,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.gateway = gateway
        self.sessions = Sessions(kept, machine, clock=clock, timer=timer)
        self.keepers = Keepers(self.sessions)
        self.caller = Caller(self.sessions, self.keepers)

    def bind(self, cloud: Cloud, present: Callable[[str], Sequence[tuple[str, bool]]]) -> None:
        """The rooms are there: `present` gives the sessions in a document's room, and whether each may write."""

        async def permissions(token: str, document: str) -> Permissions:
            return (await self.gateway.stat(token, Reference(await cloud.resource(document)), keys=())).permissions

        self.keepers.present, self.keepers.permissions = present, permissions

    def rights(self, cloud: Cloud) -> CloudRights:
        """Who may do what, as the cloud says it."""
        return CloudRights(self.gateway, self.sessions, cloud.resource)

    def loops(self, rooms: Rooms) -> Sequence[Callable[[], Coroutine[object, object, None]]]:
        """What runs beside the rooms: last saves, and the end of sessions."""
        return (Farewell(rooms, self.keepers.ends, self.sessions.clock).run, self._sweep)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sessions.kept.sweep(self.sessions.clock())
            except CollabError as error:
                log.warning("sessions that are over are not erased just now: %s", error.detail)
            await asyncio.sleep(SWEEP)
