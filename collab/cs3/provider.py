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
        self._away: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the cloud's people are not offered our applications, in words, or None."""
        return self._away or self._registration.trouble

    async def run(self) -> None:
        """Until cancelled."""
        served: list[Applications] = []
        try:
            for place, opener in ((self._live, self._openings.live), (self._office, self._openings.office)):
                if place is not None:
                    served.append(Applications(place.listen, opener))
                    await self._listen(served[-1])
            await self._registration.run()
        finally:
            for each in served:
                await each.close()

    async def _listen(self, applications: Applications) -> None:
        while True:
            try:
                await applications.start()
            except CollabError as error:
                self._away = error.detail
                log.warning("%s", error.detail)
                await asyncio.sleep(AGAIN)
            else:
                self._away = None
                return

    def _offered(self) -> Sequence[Application]:
        live = None if self._live is None else offering.live(self._live.name, self._live.address)
        office = None if self._office is None else offering.office(self._office.name, self._office.address, self._openings.launcher)
        return [each for each in (live, office) if each is not None]
