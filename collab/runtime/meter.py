"""How much one connection sends. Who sends too much is read more slowly, and nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.session import Limits

TURN_MESSAGES = 500
TURN_BYTES = 256 * 1024
"""What is read in a turn of the event loop, about, of all who send much: the others are read in between."""
SPAN = 1.0
"""Seconds in which those who send much are counted: many turns, so that each of them is."""
BURST = 10.0
"""Seconds for which twice as much may be sent, at once too."""


class Turn:
    """The share of a connection in what is read in a turn, `messages` and `bytes`: the whole for one that sends much, and less for each of many."""

    __slots__ = ("_before", "_many", "_since", "bytes", "messages", "number")

    def __init__(self) -> None:
        self.messages = TURN_MESSAGES
        self.bytes = TURN_BYTES
        self.number = 1
        """Of the span in which is counted."""
        self._since = 0.0
        self._many = self._before = 0

    def count(self, last: int, now: float) -> int:
        """Somebody has sent its share, and was counted in the span `last` before; the number of this one."""
        if now - self._since >= SPAN:
            self._since, self._before, self._many = now, self._many, 0
            self.number += 1
        self._many += last != self.number
        parts = max(self._before, self._many)
        self.messages = max(1, TURN_MESSAGES // parts)
        self.bytes = TURN_BYTES // parts
        return self.number


class Meter:
    """A token bucket of messages and one of bytes. What is sent is counted by `messages` and `bytes`; `clock` is monotonic seconds."""

    __slots__ = ("_clock", "_counted", "_levels", "_rates", "_room", "_since", "_turn", "bytes", "messages")

    def __init__(self, limits: Limits, clock: Callable[[], float], turn: Turn) -> None:
        self.messages = 0
        self.bytes = 0
        self._clock = clock
        self._turn = turn
        self._counted = 0
        self._since = clock()
        self._rates = limits.rate_messages, limits.rate_bytes
        # The largest message that is allowed must not be too much by itself.
        self._room = limits.rate_messages * BURST, max(limits.rate_bytes * BURST, limits.frame)
        self._levels = 0.0, 0.0

    def pause(self) -> float:
        """Seconds for which nothing should be read; 0.0: until the others had their turn."""
        now = self._clock()
        self._counted = self._turn.count(self._counted, now)
        passed, self._since = now - self._since, now
        came = self.messages, self.bytes
        self.messages = self.bytes = 0
        levels = [max(0.0, level - rate * passed) + new for level, rate, new in zip(self._levels, self._rates, came, strict=True)]
        self._levels = levels[0], levels[1]
        return max(0.0, *((level - room) / rate for level, room, rate in zip(levels, self._room, self._rates, strict=True)))
