"""What many rooms do at the end of one turn of the event loop, for the price of one callback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Tick:
    """`soon` is the loop's `call_soon`, for what is called very often."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

    def soon(self, act: Callable[[], None]) -> None:
        """Call it in this turn of the loop or the next, in order."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._run)
        self._due.append(act)

    def _run(self) -> None:
        """What is asked for meanwhile comes in the next turn. What fails is told as the loop tells it, and holds up nothing."""
        due, self._due = self._due, []
        for act in due:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - as the loop does
                asyncio.get_running_loop().call_exception_handler({"message": f"{act!r} failed", "exception": error})
