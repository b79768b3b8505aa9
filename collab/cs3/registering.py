"""Being known to the cloud: its registry forgets on a restart, so it is told again and again, and looked at whether it listened."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collab.gateway.calls import Gateway
    from collab.gateway.resources import Application

log = logging.getLogger("collab.cs3")

EVERY: Final = 20.0
"""Seconds after which the registry is told again."""


class Registration:
    """Registers what `applications()` gives, which may change with what office suites say that they open."""

    def __init__(self, gateway: Gateway, applications: Callable[[], Sequence[Application]], *, every: float = EVERY) -> None:
        self._gateway = gateway
        self._applications = applications
        self._every = every
        self.trouble: str | None = "the cloud was not told yet"
        """Why people are not offered our applications, in words, or None."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.tell()
            await asyncio.sleep(self._every)

    async def tell(self) -> None:
        """Once, all of them. Raises nothing: `trouble` tells."""
        before = self.trouble
        try:
            self.trouble = await self._tell()
        except CollabError as error:
            self.trouble = error.detail
        if self.trouble != before:
            if self.trouble is None:
                log.info("the cloud offers our applications")
            else:
                log.warning("the cloud does not offer our applications: %s", self.trouble)

    async def _tell(self) -> str | None:
        ours = self._applications()
        for application in ours:
            await self._gateway.register(application)
        # One driver of registries says OK and does nothing.
        known = {(each.name, each.address): set(each.types) for each in await self._gateway.applications()}
        missing = [each.name for each in ours if not set(each.types) <= known.get((each.name, each.address), set())]
        return f"its registry took {', '.join(missing)}, and does not list it: see its driver" if missing else None
