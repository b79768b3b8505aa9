"""Python's collector of garbage, kept from holding the event loop for long.

Nearly everything here is freed with its last reference; the collector is for the rest. When it looks at all that lives, thousands of connections
take 0.1 s and more. So only what is new is looked at while something happens: what has outlived that is set aside, until nothing happens.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LOOKS = (20_000, 1_000, 1_000)
"""New objects until they are looked through; what outlives that is set aside, so that the numbers behind it never count. With Python's own 700, what
waits for the journal in many rooms is looked through again and again, a third of the processor time of an edit.
"""
ASIDE = 50
"""Times that something was set aside, after which they are counted."""
MANY = 500_000
"""When so many objects and half of all that live have come since everything was looked at, that is done again, whatever happens."""


class Garbage:
    """Begins with the server, in its loop, and changes nothing before."""

    def __init__(self, many: int = MANY) -> None:
        self._many = many
        self._before: tuple[int, int, int] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._aside = 0

        self._after = 0
        """Objects that were there when everything had been looked at."""

    def begin(self) -> None:
        """What is there now stays."""
        self._before, self._loop = gc.get_threshold(), asyncio.get_running_loop()
        self._look_at_all()
        gc.set_threshold(*LOOKS)
        gc.callbacks.append(self._looked)

    def rest(self) -> None:
        """Nothing happens: the time to look at everything, if something was set aside."""
        if self._aside and self._before is not None:
            self._look_at_all()

    def end(self) -> None:
        """As it was."""
        if self._before is not None:
            gc.callbacks.remove(self._looked)
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None

    def _looked(self, phase: str, _info: dict[str, Any]) -> None:
        """In whatever thread."""
        if phase == "stop":
            gc.freeze()
            self._aside += 1
            if self._aside % ASIDE == 0 and self._loop is not None:
                self._loop.call_soon_threadsafe(self._count)

    def _count(self) -> None:
        """What is freed leaves those that are set aside by itself: rooms that come and go are no reason to look."""
        if gc.get_freeze_count() > 2 * self._after + self._many:
            self.rest()

    def _look_at_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._aside, self._after = 0, gc.get_freeze_count()
