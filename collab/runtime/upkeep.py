"""What is kept for long is kept in bounds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Bases, Versions

log = logging.getLogger("collab.runtime")

HOUR = 3_600.0


async def upkeep_loop(bases: Bases, versions: Versions, now: Callable[[], float]) -> None:
    """Thin versions and trim bases now and every hour, until cancelled."""
    while True:
        for bounded in (versions.thin, bases.trim):
            try:
                await bounded(now())
            except CollabError as error:
                log.warning("the archive could not be kept in bounds: %s", error.detail)
        await asyncio.sleep(HOUR)
