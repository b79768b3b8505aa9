"""One lock of ours beside a file that office suites have open, for desktop applications; and theirs, for the suites."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from collab.errors import CollabError, NotFound
from collab.wopi.locks import NAME, Holder, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Claim, Claims, Locks, Stat

log = logging.getLogger("collab.wopi")

SWEEP: Final = 60.0
"""Seconds between two looks for locks of ours that nobody needs any more."""


class Claiming:
    """`now` gives UTC seconds. Errors are those of the ports."""

    def __init__(self, claims: Claims, locks: Locks, now: Callable[[], float]) -> None:
        self._claims = claims
        self._locks = locks
        self._now = now
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, document: str) -> asyncio.Lock:
        """Ours and the suite's change together, one suite after the other: else who leaves takes away what who comes relies on."""
        return self._turns.setdefault(document, asyncio.Lock())

    async def outside(self, document: str) -> Claim | None:
        """Who has it open in an application outside."""
        return await self._claims.look(document)

    async def find(self, document: str) -> tuple[Stat, Claim | None]:
        """The file as it is, and who has it open in an application outside."""
        return await self._claims.find(document)

    async def take(self, document: str, holder: Holder) -> Claim | None:
        """A suite has it open from now on, unless somebody outside has: then who."""
        return await self._claims.hold(document, _shown(holder))

    async def leave(self, document: str) -> None:
        """No suite has it open any more. Raises nothing: what stays is swept."""
        try:
            await self._claims.free(document)
        except CollabError as error:
            log.warning("%s: our lock stays beside it for now: %s", document, error.detail)

    async def sweep(self) -> None:
        """Locks whose suite has not been heard of for its half hour go; the others are where their documents are. Raises nothing."""
        try:
            held = await self._claims.held()
        except CollabError as error:
            log.warning("nobody could look for our locks: %s", error.detail)
            return
        for document, since in held.items():
            # Our lock comes before the suite's: a young one may have none yet.
            if self._now() - since >= SWEEP:
                await self.follow(document)

    async def follow(self, document: str) -> None:
        """Our lock of a document is where it is, or nowhere when no suite has it open. Raises nothing."""
        try:
            async with self.turn(document):
                held = await self._locks.get(document, NAME)
                if held is None:
                    await self._claims.free(document)
                elif document in await self._claims.held():
                    await self._claims.hold(document, _shown(holder_of(held.holder)))
        except NotFound:
            await self.leave(document)
        except CollabError as error:
            log.warning("%s: our lock beside it could not be looked after: %s", document, error.detail)

    async def sweep_loop(self) -> None:
        """Sweep now and every minute, until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP)


def words(claim: Claim) -> str:
    """Why a suite cannot have the document."""
    return f"{claim.by or 'somebody'} has the document open in {claim.application}"


def _shown(holder: Holder) -> str:
    """What a desktop application shows."""
    return " ".join(filter(None, (holder.name, f"({holder.suite or 'office suite'})")))
