"""A supervisor and its workers: processes that are started again when they die, and end together."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("collab.cluster")

SOON: Final = 0.5
"""Seconds until a worker that died is started again; doubling for one that dies at once."""
LATEST: Final = 10.0
SETTLED: Final = 30.0
"""Seconds after which a worker has begun well."""
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)
_HEARD: Final = (*_ENDS, signal.SIGCHLD, signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class Life:
    """What a worker has of its supervisor."""

    index: int
    first: bool
    """It is the first one of this index since the server was started."""
    watch: int
    """The reading end of a pipe that is closed when the supervisor is gone."""
    _told: int

    def ready(self) -> None:
        """The worker answers."""
        os.write(self._told, bytes((self.index,)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getppid(), signal.SIGUSR1)


@dataclass(slots=True)
class _Worker:
    pid: int = 0
    """0: it does not run."""
    begun: float = 0.0
    due: float = 0.0
    """When it is to be started, on the monotonic clock."""
    pause: float = SOON
    lives: int = 0
    ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Runs `work` in `count` processes until a signal comes. `ready` is called once, when all of them answer.

    The process must have no threads when this begins: workers are forked.
    """

    count: int
    work: Callable[[Life], None]
    ready: Callable[[], None]
    _workers: list[_Worker] = field(default_factory=list)
    _stopping: bool = False
    _failed: bool = False
    _started: bool = False

    def run(self) -> None:
        """Until all have ended. Unavailable when one of them could not begin."""
        self._workers = [_Worker() for _ in range(self.count)]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        watch, held = os.pipe()
        told, tell = os.pipe()
        os.set_blocking(told, False)
        try:
            self._loop(before, watch, held, told, tell)
        finally:
            for descriptor in (watch, held, told, tell):
                os.close(descriptor)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if self._failed:
            raise Unavailable("a worker could not begin; what it said stands above")

    def _loop(self, before: set[int | signal.Signals], watch: int, held: int, told: int, tell: int) -> None:
        while True:
            if not self._stopping:
                for index, worker in enumerate(self._workers):
                    # The first one alone: it makes what all of them need.
                    if (
                        not worker.pid
                        and time.monotonic() >= worker.due
                        and (index == 0 or self._workers[0].lives > 1 or self._workers[0].ready)
                    ):
                        self._start(index, before, watch, held, tell)
            elif not any(worker.pid for worker in self._workers):
                return
            self._wait()
            self._hear(told)
            self._bury()

    def _start(self, index: int, before: set[int | signal.Signals], watch: int, held: int, tell: int) -> None:
        worker = self._workers[index]
        worker.lives += 1
        worker.begun, worker.ready = time.monotonic(), False
        sys.stdout.flush()
        sys.stderr.flush()
        worker.pid = os.fork()
        if worker.pid:
            return
        status = 1
        try:
            os.close(held)
            # A terminal's Ctrl-C is for the supervisor, who passes it on, once.
            os.setpgid(0, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self.work(Life(index, worker.lives == 1, watch, tell))
            status = 0
        except CollabError as error:
            log.error("worker %d: %s", index, error.detail)  # noqa: TRY400 - told in words
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001 - nothing of the supervisor's goes on here
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _wait(self) -> None:
        due = [worker.due for worker in self._workers if not worker.pid and not self._stopping]
        heard = signal.sigtimedwait(_HEARD, max(0.0, min(due) - time.monotonic())) if due and self._started else signal.sigwaitinfo(_HEARD)
        if heard is not None and heard.si_signo in _ENDS:
            self._stop(signal.SIGTERM)

    def _stop(self, number: signal.Signals) -> None:
        self._stopping = True
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, number)

    def _hear(self, told: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for index in os.read(told, 4096):
                self._workers[index].ready = True
        if not self._started and all(worker.ready for worker in self._workers):
            self._started = True
            self.ready()

    def _bury(self) -> None:
        """Whoever died is started again; who could not even begin ends all."""
        for index, worker in enumerate(self._workers):
            if not worker.pid or not os.waitpid(worker.pid, os.WNOHANG)[0]:
                continue
            worker.pid = 0
            if self._stopping:
                continue
            if not self._started:
                self._failed = True
                self._stop(signal.SIGTERM)
                continue
            worker.pause = SOON if time.monotonic() - worker.begun > SETTLED else min(worker.pause * 2, LATEST)
            worker.due = time.monotonic() + (SOON if worker.lives == 1 else worker.pause)
            log.error("worker %d is gone and is started again", index)
