"""Long work is done by processes beside the server, so that the event loop goes on: the CRDT library never lets go of the interpreter.

They are started when they are first needed, end when nobody needs them for a while, and with the server, however that ends.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from collab.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

log = logging.getLogger("collab.runtime")

T = TypeVar("T")

MOST = 2
"""Processes at a time; what comes more waits."""
REST = 60.0
"""Seconds without work after which they end."""
LARGE = 128 * 1024
"""Bytes of a document from which on it is worth the way: less is done within 50 ms."""
_SIZE = struct.Struct("!Q")


class _Gone(Exception):
    """The process ended under the work."""


class _Worker:
    """One process; used by one thread at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "collab.runtime.working"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ourselves

    def do(self, work: bytes) -> tuple[bool, Any]:
        """Whether it was done, and the result or the error. _Gone."""
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise _Gone
        try:
            send(asked, work)
            answer = receive(answers)
        except OSError as error:
            raise _Gone from error
        if answer is None:
            raise _Gone
        done: tuple[bool, Any] = pickle.loads(answer)  # noqa: S301 - our own process wrote it
        return done

    def kill(self) -> None:
        """Under whatever it does; the thread that waits for it is told."""
        self._process.kill()

    def end(self) -> None:
        """No more."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class Aside:
    """Gives work to processes. Functions must be importable by name, what they take and give is pickled."""

    def __init__(self, most: int = MOST, rest: float = REST) -> None:
        self._threads = ThreadPoolExecutor(most, "collab-aside")
        self._rest = rest
        self._lock = Lock()
        self._free: list[_Worker] = []
        self._busy: list[_Worker] = []
        self.under_way = 0
        """Pieces of work that were begun, or wait."""
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def processes(self) -> int:
        """How many there are."""
        with self._lock:
            return len(self._free) + len(self._busy)

    async def run(self, work: Callable[..., T], *given: object) -> T:
        """What the work gives, or the CollabError that it raises. Unavailable."""
        if self._closed:
            raise Unavailable("The server stops; come back in a moment.")
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.under_way += 1
        try:
            result: T = await loop.run_in_executor(self._threads, self._do, work, given)
        finally:
            self.under_way -= 1
            if not self.under_way and not self._closed:
                self._timer = loop.call_later(self._rest, self._let_go)
        return result

    def close(self) -> None:
        """What is under way fails."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._let_go()
        with self._lock:
            for worker in self._busy:
                worker.kill()

    def _let_go(self) -> None:
        with self._lock:
            idle, self._free = self._free, []
        for worker in idle:
            worker.end()

    def _do(self, work: Callable[..., T], given: tuple[object, ...]) -> T:
        packed = pickle.dumps((work, given), pickle.HIGHEST_PROTOCOL)
        for last in (False, True):
            worker = self._take()
            try:
                sound, value = worker.do(packed)
            except _Gone:
                self._drop(worker)
                if last or self._closed:
                    break
                log.warning("a process for long work is gone; trying once more")
            else:
                self._give_back(worker)
                if sound:
                    result: T = value
                    return result
                raise value
        raise Unavailable("Long work was given up twice; come back in a moment.")

    def _take(self) -> _Worker:
        with self._lock:
            worker = self._free.pop() if self._free else _Worker()
            self._busy.append(worker)
            return worker

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.remove(worker)
        worker.end()

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.remove(worker)
            if not self._closed:
                self._free.append(worker)
                return
        worker.end()


def send(pipe: IO[bytes], data: bytes) -> None:
    """One message."""
    pipe.write(_SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """One message; None when the other end is gone."""
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = pipe.read(size)
    return data if len(data) == size else None
