"""Who somebody is in the records. Who was erased and comes back is a new person: the old records stay nobody's."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from collab.access import again
from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.access import Person
    from collab.ports import Authors

log = logging.getLogger("collab.runtime")

PATIENCE = 1.0
"""Seconds that somebody waits for the archive."""
REST = 10.0
"""Seconds in which nobody waits for an archive that had trouble."""


class People:
    """`clock` is monotonic seconds."""

    def __init__(self, authors: Authors, clock: Callable[[], float]) -> None:
        self._authors = authors
        self._clock = clock
        self._rest = 0.0

    async def met(self, person: Person) -> Person:
        """The person as edits are credited, and the archive knows the name. An archive that has trouble holds nobody up."""
        if self._clock() < self._rest:
            return person
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._met(person)
        except (TimeoutError, CollabError) as error:
            if self._clock() >= self._rest:
                # Of many who come at once, one tells.
                log.warning("the archive can't say who is who: %s", str(error) or f"it does not answer within {PATIENCE:.0f} s")
            self._rest = self._clock() + REST
            return person

    async def _met(self, person: Person) -> Person:
        for number in count():
            one = replace(person, id=again(person.id, number))
            known = await self._authors.names([one.id])
            if known.get(one.id) != one.name:
                await self._authors.meet({one.id: one.name})
                known = await self._authors.names([one.id])
            if one.id in known:
                return one
        raise AssertionError  # pragma: no cover
