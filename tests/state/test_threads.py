"""Work beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from collab.state.threads import beside

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


async def test_what_is_done_on_a_thread_comes_back_or_is_raised(threads: ThreadPoolExecutor) -> None:
    assert await beside(threads, threading.current_thread) is not threading.current_thread()
    assert await beside(threads, "a".upper) == "A"
    with pytest.raises(ZeroDivisionError):
        await beside(threads, lambda: 1 // 0)


async def test_what_nobody_waits_for_is_not_begun_and_what_was_begun_is_done(threads: ThreadPoolExecutor) -> None:
    began, go = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        began.set()
        go.wait()
        done.append("first")

    running, waiting = beside(threads, first), beside(threads, lambda: done.append("second"))
    began.wait()
    assert (running.cancel(), waiting.cancel()) == (True, True)
    go.set()
    await beside(threads, lambda: done.append("third"))
    assert done == ["first", "third"]


def test_a_loop_that_ended_meanwhile_is_told_nothing(threads: ThreadPoolExecutor) -> None:
    go, done = threading.Event(), threading.Event()

    async def begin() -> None:
        beside(threads, go.wait)
        beside(threads, done.set)

    asyncio.run(begin())
    go.set()
    assert done.wait()


async def test_nothing_is_taken_after_the_end() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(RuntimeError):
        beside(threads, lambda: None)
