"""Work on a thread, for whoever awaits it on the event loop."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakSet, finalize

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Takes(Protocol):
    """Threads that take work."""

    def submit(self, work: Callable[[], object], /) -> object:
        """Do it, soon. RuntimeError after a shutdown."""


class Threads:
    """At most so many threads, begun when they are needed. Work is begun in the order in which it came.

    As `ThreadPoolExecutor`, whose threads all wait for one queue: there whoever takes something wakes another one, who finds nothing and has held up the
    others meanwhile. Here each waits for itself, and who came to rest last is woken.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work = _Work()
        finalize(self, self._work.end)

    def submit(self, work: Callable[[], object], /) -> None:
        """Do it, soon; it raises nothing. RuntimeError after a shutdown."""
        shared = self._work
        with shared.lock:
            if shared.over:
                raise RuntimeError("no work is taken after a shutdown")
            if shared.resting:
                thread = shared.resting.pop()
                thread.work = work
                thread.wake.release()
            elif len(shared.threads) < self._most:
                thread = _Thread(shared, f"{self._name}_{len(shared.threads)}", work)
                shared.threads.append(thread)
                thread.start()
            else:
                shared.waiting.append(work)

    def shutdown(self) -> None:
        """No more work is taken; returns when all that was is done. Idempotent."""
        self._work.finish()


class _Work:
    """What the threads share. It does not hold who began them: threads that nobody has any more end."""

    def __init__(self) -> None:
        # Whoever holds it may be the one who drops the last reference to what began the threads, and so comes to `end`.
        self.lock = threading.RLock()
        self.waiting: deque[Callable[[], object]] = deque()
        self.resting: list[_Thread] = []
        self.threads: list[_Thread] = []
        self.over = False
        _begun.add(self)

    def next(self, thread: _Thread) -> bool:
        """What a thread does now, if there is anything, and else whether it rests: then it is woken once, for its next work or its end."""
        with self.lock:
            thread.work = self.waiting.popleft() if self.waiting else None
            if thread.work is not None or self.over:
                return False
            self.resting.append(thread)
            return True

    def end(self) -> None:
        """Who rests ends, and who works does when all is done."""
        with self.lock:
            self.over = True
            resting, self.resting = self.resting, []
        for thread in resting:
            thread.wake.release()

    def finish(self) -> None:
        """Until all is done."""
        self.end()
        for thread in self.threads:
            thread.join()


class _Thread(threading.Thread):
    def __init__(self, shared: _Work, name: str, work: Callable[[], object]) -> None:
        # At the end of the process `_finish` waits for what is done, and for nobody who rests.
        super().__init__(name=name, daemon=True)
        self._shared = shared
        self.work: Callable[[], object] | None = work
        self.wake = threading.Lock()
        self.wake.acquire()

    def run(self) -> None:
        while (work := self.work) is not None:
            self.work = None
            work()
            # Outside the lock: what it held goes with it.
            del work
            # By the time that it waits there may be work for it already: also then it has been woken.
            if self._shared.next(self):
                self.wake.acquire()


_begun: WeakSet[_Work] = WeakSet()


@atexit.register
def _finish() -> None:
    for shared in [*_begun]:
        shared.finish()


def beside(threads: Takes, act: Callable[[], T]) -> asyncio.Future[T]:
    """What `act` returns or raises, on one of the threads; if nobody waits any more before it is begun, it is not. RuntimeError after a shutdown.

    As `loop.run_in_executor`, for half its price: that chains two futures, and the loop waits for a lock that the thread has not let go yet.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        if done.cancelled():
            return
        result, failure = None, None
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            failure = error
        # The loop may have come to its end.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, done, result, failure)

    threads.submit(work)
    return done


def _tell(done: asyncio.Future[Any], result: object, failure: BaseException | None) -> None:
    if done.cancelled():
        return
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)
