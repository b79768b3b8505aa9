"""An event loop whose time is virtual: it jumps to the next timer, so that a schedule of minutes takes milliseconds and is the same
each time.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Never waits: waiting moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Nothing is ready, and no timer runs: everybody waits for somebody else.")
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`now` is seconds since the loop was made."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine to its end in virtual time."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_end())
        loop.close()


async def at_once(work: Callable[..., T], *given: object) -> T:
    """In the place of a thread or a process, which virtual time would not wait for."""
    return work(*given)


def in_order(tasks: Iterable[asyncio.Task[T]]) -> list[asyncio.Task[T]]:
    """As they were made: the order of a set is another one each time."""
    return sorted(tasks, key=lambda task: int(task.get_name().removeprefix("Task-")))


async def _end() -> None:
    pending = asyncio.all_tasks() - {asyncio.current_task()}
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
