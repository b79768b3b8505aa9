"""Our applications in a cloud while the server runs: served for the cloud's questions, and registered there."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.cs3 import offering
from collab.cs3.registering import Registration
from collab.errors import CollabError
from collab.gateway.applications import Applications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.cs3.openings import Openings
    from collab.gateway.resources import Application

log = logging.getLogger("collab.cs3")

AGAIN: Final = 10.0
"""Seconds until it is tried again to listen where that could not be had."""


@dataclass(frozen=True, slots=True)
class Place:
    """An application's name in the cloud, and where the cloud asks it: `host:port`, or `dns:host:port` for clouds that want it so."""

    name: str
    address: str

    @property
    def listen(self) -> str:
        """Where it listens: `host:port`."""
        return self.address.removeprefix("dns:")


class Provider:
    """`live` edits text in our page, `office` opens office files in the suites; None: not offered."""

    def __init__(self, openings: Openings, *, live: Place | None, office: Place | None) -> None:
        self._openings = openings
        self._live = live
        self._office = office
        self._registration = Registration(openings.gateway, self._offered)
        self._away: dict[Place, str] = {}
        """Why some do not listen."""
        self._listening: set[Place] = set()
        self._begun = asyncio.Event()
        """There is something to offer."""

    @property
    def trouble(self) -> str | None:
        """Why the cloud's people are not offered our applications, in words, or None."""
        return next(iter(self._away.values()), self._registration.trouble)

    async def run(self) -> None:
        """Until cancelled. One that cannot listen is no reason to do without the other."""
        async with asyncio.TaskGroup() as group:
            for place, opener in ((self._live, self._openings.live), (self._office, self._openings.office)):
                if place is not None:
                    group.create_task(self._serve(place, Applications(place.listen, opener)))
            group.create_task(self._register())

    async def _register(self) -> None:
        await self._begun.wait()
        await self._registration.run()

    async def _serve(self, place: Place, applications: Applications) -> None:
        try:
            await self._listen(place, applications)
            self._listening.add(place)
            if self._begun.is_set():
                await self._registration.tell()
            self._begun.set()
            await asyncio.Event().wait()
        finally:
            await applications.close()

    async def _listen(self, place: Place, applications: Applications) -> None:
        while True:
            try:
                await applications.start()
            except CollabError as error:
                self._away[place] = error.detail
                log.warning("%s", error.detail)
                await asyncio.sleep(AGAIN)
            else:
                self._away.pop(place, None)
                return

    def _offered(self) -> Sequence[Application]:
        live = None if self._live is None else offering.live(self._live.name, self._live.address)
        office = None if self._office is None else offering.office(self._office.name, self._office.address, self._openings.launcher)
        offered = [(self._live, live), (self._office, office)]
        return [each for place, each in offered if each is not None and place in self._listening]
