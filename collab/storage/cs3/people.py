"""A cloud in which the server acts for whoever came from it: what depends on the people, made once."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import CollabError, Denied, Forbidden, NotFound
from collab.ports import viewing
from collab.runtime import acting
from collab.runtime.farewell import Farewell
from collab.storage.cs3.keepers import Caller, Keepers, Sessions
from collab.storage.cs3.rights import CloudRights

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from collab.access import Grant
    from collab.gateway.calls import Gateway
    from collab.gateway.identity import Machine
    from collab.gateway.resources import Permissions, ResourceId
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
        self._rights: CloudRights | None = None

    def bind(self, cloud: Cloud, present: Callable[[str], Sequence[tuple[str, bool]]]) -> None:
        """The rooms are there: `present` gives the sessions in a document's room, and whether each may write."""

        async def permissions(token: str, document: str) -> Permissions:
            return (await cloud.look(token, await cloud.resource(document), keys=())).permissions

        self.keepers.present, self.keepers.permissions = present, permissions

    def rights(self, cloud: Cloud) -> CloudRights:
        """Who may do what, as the cloud says it."""

        async def given() -> ResourceId | None:
            session = await self.sessions.get(acting.caller())
            return None if session is None or not session.folder else await cloud.resource(session.folder)

        cloud.roots.given = given
        self._rights = CloudRights(cloud, self.sessions)
        return self._rights

    async def around(self, grant: Grant) -> tuple[Grant, str] | None:
        """A grant for the folder around the document that somebody came for, and where that is; None: they are shown the document alone. Unauthorized,
        Unavailable.
        """
        session = await self.sessions.get(grant.id)
        if self._rights is None or session is None or not session.folder or session.view_only:
            return None
        try:
            path = await self._rights.top(session)
        except (Denied, Forbidden, NotFound):
            return None
        return replace(grant, document=None, within=session.folder, role=Role.of(session.below)), path

    async def view_only(self, grant: Grant) -> bool:
        """Whether the cloud opened the document to be looked at only. Unavailable."""
        session = await self.sessions.get(grant.id)
        return session is not None and session.view_only

    async def sign_out(self, grant: Grant) -> None:
        """The session counts no more; a token of it opens nothing. Unavailable."""
        session = await self.sessions.get(grant.id)
        if session is None:
            return
        await self.sessions.end(session.id)
        if session.view_only:
            await self.sessions.end(viewing(session.id))

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
