"""What many rooms do at the end of one turn of the event loop: for the price of one callback, and what they write behind all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Sink(Protocol):
    """Where frames are written."""

    def write(self, data: bytes) -> None:
        """Write frames, at once."""


class Tick:
    """`soon` is the loop's `call_soon`, for what is called very often. What is given to `put` is written when all of it has been called: between two
    writes that follow each other closely, whoever reads does not fall asleep, and the kernel need not wake him for each; a third of the processor time
    of an edit in many small rooms was that.
    """

    __slots__ = ("_due", "_out")

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []
        self._out: list[tuple[Sink, bytes]] = []

    def soon(self, act: Callable[[], None]) -> None:
        """Call it in this turn of the loop or the next, in order."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._run)
        self._due.append(act)

    def put(self, sink: Sink, data: bytes) -> None:
        """Write it with the next `drain`, which whoever is not called by `soon` has to call; in order."""
        self._out.append((sink, data))

    def drain(self) -> None:
        """Write what was put."""
        out, self._out = self._out, []
        for sink, data in out:
            try:
                sink.write(data)
            except Exception as error:  # noqa: BLE001 - as below
                _tell(sink, error)

    def _run(self) -> None:
        """What is asked for meanwhile comes in the next turn. What fails is told as the loop tells it, and holds up nothing."""
        due, self._due = self._due, []
        for act in due:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - as the loop does
                _tell(act, error)
        if self._out:
            self.drain()


def _tell(what: object, error: Exception) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": f"{what!r} failed", "exception": error})
