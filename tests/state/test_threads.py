"""Work beside the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from collab.state.threads import Threads, beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@pytest.fixture(params=[ThreadPoolExecutor, Threads])
def threads(request: pytest.FixtureRequest) -> Iterator[ThreadPoolExecutor | Threads]:
    made: ThreadPoolExecutor | Threads = request.param(1, "test")
    yield made
    made.shutdown()


async def test_what_is_done_on_a_thread_comes_back_or_is_raised(threads: ThreadPoolExecutor | Threads) -> None:
    assert await beside(threads, threading.current_thread) is not threading.current_thread()
    assert await beside(threads, "a".upper) == "A"
    with pytest.raises(ZeroDivisionError):
        await beside(threads, lambda: 1 // 0)


async def test_what_nobody_waits_for_is_not_begun_and_what_was_begun_is_done(threads: ThreadPoolExecutor | Threads) -> None:
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


def test_a_loop_that_ended_meanwhile_is_told_nothing(threads: ThreadPoolExecutor | Threads) -> None:
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


async def test_as_many_threads_as_there_may_be_do_all_that_came_in_turn() -> None:
    threads, go, order = Threads(3, "test"), threading.Event(), list[int]()
    held = [beside(threads, lambda: (go.wait(), threading.current_thread())[1]) for _ in range(3)]
    later = [beside(threads, partial(order.append, number)) for number in range(50)]
    assert order == []
    go.set()
    held_by = await asyncio.gather(*held)
    assert len(set(held_by)) == 3
    await asyncio.gather(*later)
    assert sorted(order) == [*range(50)]
    assert {await beside(threads, threading.current_thread) for _ in range(20)} <= set(held_by)
    await asyncio.to_thread(threads.shutdown)
    with pytest.raises(RuntimeError):
        threads.submit(go.wait)


async def test_a_shutdown_waits_for_all_that_was_taken() -> None:
    threads, go, done = Threads(2, "test"), threading.Event(), list[int]()

    def after(number: int) -> None:
        go.wait()
        done.append(number)

    for number in range(10):
        beside(threads, partial(after, number))
    ending = asyncio.create_task(asyncio.to_thread(threads.shutdown))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(ending), 0.05)
    go.set()
    await ending
    await asyncio.to_thread(threads.shutdown)
    assert sorted(done) == [*range(10)]


async def test_threads_that_nobody_has_any_more_end() -> None:
    threads = Threads(2, "test")
    running = await beside(threads, threading.current_thread)
    del threads
    gc.collect()
    await asyncio.to_thread(running.join, 20)
    assert not running.is_alive()


async def test_a_thread_whose_work_was_the_last_to_have_them_ends() -> None:
    """It is the thread itself, then, that lets go of them: as at the end of a process, which waits for it."""
    threads, go = Threads(1, "test"), threading.Event()
    running = await beside(threads, threading.current_thread)

    def work(_threads: Threads) -> None:
        go.wait(20)

    threads.submit(partial(work, threads))
    del threads
    go.set()
    await asyncio.to_thread(running.join, 20)
    assert not running.is_alive()


async def test_many_who_submit_at_once_lose_nothing() -> None:
    threads, done = Threads(4, "test"), deque[int]()

    def ask() -> None:
        for number in range(500):
            threads.submit(partial(done.append, number))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    threads.shutdown()
    assert Counter(done) == Counter(dict.fromkeys(range(500), 4))


def test_a_thread_that_is_woken_before_it_rests_does_not_end() -> None:
    """The thread takes a moment for each line, and work comes in all of them."""

    def slowed(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name == "run" and event == "line":
            time.sleep(0.001)
        return slowed

    threads, done, random = Threads(1, "test"), deque[int](), Random(1)
    threading.settrace(slowed)
    try:
        threads.submit(partial(done.append, 0))
        for number in range(1, 200):
            end = time.monotonic() + 20
            while len(done) < number:
                assert time.monotonic() < end, f"{number} is not done"
                time.sleep(0)
            time.sleep(random.random() * 0.006)
            threads.submit(partial(done.append, number))
    finally:
        threading.settrace(None)
    threads.shutdown()
    assert [*done] == [*range(200)]
