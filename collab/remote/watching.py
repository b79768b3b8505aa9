"""`collab watch`: the local file and the document are kept in step, both ways, until Ctrl-C.

Two threads listen, one to the disk and one to the server (a question that waits there for news); all work is done by one, in turn.
"""

from __future__ import annotations

import queue
import random
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from watchfiles import watch

from collab.errors import CollabError, NotFound, TooMany, Unauthorized, Unavailable
from collab.remote.server import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchfiles import Change

    from collab.remote.local import Displaced
    from collab.remote.sync import Sync

WAIT: Final = 25.0
"""Seconds for which the server may keep a question for news."""
QUICK: Final = 1.0
"""An answer that comes sooner was not waited for: somebody on the way, or an older server, does not know how."""
PAUSES: Final = (1.0, 30.0)
"""Seconds before the next try, doubling, and at most."""
LOOK: Final = 2.0
"""Seconds between looks at the local file, for disks that do not tell of changes."""
LATE: Final = (1.0, 5.0)
"""Seconds after which a replaced file is looked at again."""
LAST: Final = 5.0
"""Seconds for a last push at the end."""
PASSING: Final = (Unavailable, TooMany)


class Reached:
    """The server answers again, and there is nothing new."""


@dataclass(slots=True)
class _Late:
    displaced: Displaced
    dues: list[float]


@dataclass(slots=True)
class Watching:
    """The loop around one `Sync`; `renewable`: the token may be another one later."""

    sync: Sync
    renewable: bool
    news: queue.Queue[Body | Reached | CollabError | None] = field(default_factory=queue.Queue)
    """From the listeners: what the document is now, or why that cannot be known; None: the local file may be another."""
    _asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """The server's listener goes on when what it told was dealt with."""
    _known: str = ""
    """With what it asked: what it told is newer than that."""
    _stopped: threading.Event = field(default_factory=threading.Event)
    _late: list[_Late] = field(default_factory=list)
    _trouble: str = ""
    _refused: str = ""
    """Hash of what the server does not take."""
    _stamp: tuple[int, ...] | None = None
    """That of the local file when it was in step."""
    _again: float = 0.0
    _pause: float = 0.0
    _gone: bool = False

    def run(self) -> None:
        """Until SIGINT or SIGTERM. Unauthorized when the token is over and no other can come."""
        self.sync.displaced = self._displaced
        for work in (self._listen_here, self._listen_there):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()
        try:
            with _interrupted():
                self._step(None)
                while True:
                    self._next()
        except KeyboardInterrupt:
            self._end()
        finally:
            self._stopped.set()

    # --- in turn

    def _next(self) -> None:
        now = time.monotonic()
        due = max(self._again - now, min((each.dues[0] - now for each in self._late), default=LOOK))
        try:
            told = self.news.get(timeout=min(max(0.05, due), LOOK))
        except queue.Empty:
            told = None
        if isinstance(told, CollabError):
            self._troubled(told)
        elif told is not None or time.monotonic() >= self._again:
            self._step(told)
        if told is not None:
            self._asked.release()

    def _step(self, told: Body | Reached | None) -> None:
        """What was written here goes first; then what came from there, if that was not in it."""
        held, trouble = self.sync.memory.held, None
        # What was written late and finds nobody does not hold up the rest.
        for work in (self._look_late, partial(self._exchange, told)):
            try:
                work()
            except CollabError as error:
                trouble = error
            except OSError as error:
                trouble = Unavailable(f"{error.strerror}: {error.filename or self.sync.local.path}")
        if trouble is not None:
            self._troubled(trouble)
        elif told is not None or held != self.sync.memory.held:
            self._well()

    def _exchange(self, told: Body | Reached | None) -> None:
        self._push()
        if isinstance(told, Body) and self._is_newer(told) and not self._gone and not self._refused:
            self.sync.pull(told)

    def _is_newer(self, told: Body) -> bool:
        """Not so when something was pushed since it was asked for: that brought what others wrote, and what is told may be from before."""
        return told.etag != self.sync.memory.held == self._known

    def _well(self) -> None:
        self._pause = self._again = 0.0
        if self._trouble and not self._refused:
            self._trouble = ""
            self.sync.tell("in step again")

    def _push(self) -> None:
        """What was changed here, if anything was."""
        stamp = self.sync.local.stamp()
        if stamp is not None and stamp == self._stamp:
            return
        here = self.sync.local.read()
        if here is None:
            self._miss()
            return
        if self._gone:
            self._gone = False
            self.sync.tell(f"{self.sync.local.path.name} is back")
        if self._refused and self._refused == _mark(here):
            return
        self._refused = ""
        try:
            self.sync.push()
        except (*PASSING, Unauthorized, NotFound):
            raise
        except CollabError:
            self._refused = _mark(here)
            raise
        self._stamp = stamp

    def _miss(self) -> None:
        """Editors take a file away for a moment; nothing is deleted there because it is here."""
        if not self._gone and self.sync.local.rested(b"") is None:
            self._gone = True
            self.sync.tell(f"{self.sync.local.path.name} is gone here; the document stays. Put it back, or start again to get it anew")

    def _troubled(self, error: CollabError) -> None:
        """Say it once; try again later, less and less often."""
        if isinstance(error, Unauthorized) and not self.renewable:
            raise Unauthorized(f"{error.detail} Start again with another token: what you changed here is pushed then.")
        # One outage is told once, however many ways it has to show itself.
        kind = error.detail.partition(":")[0]
        if kind != self._trouble:
            self._trouble = kind
            more = "; put a new token into the file" if isinstance(error, Unauthorized) else ""
            self.sync.tell(f"not in step: {error.detail}{more}")
        self._pause = min(max(PAUSES[0], 2 * self._pause), PAUSES[1])
        self._again = time.monotonic() + max(self.sync.remote.wait, _jittered(self._pause))

    # --- replaced files

    def _displaced(self, displaced: Displaced) -> None:
        now = time.monotonic()
        self._late.append(_Late(displaced, [now + after for after in LATE]))

    def _look_late(self, *, last: bool = False) -> None:
        now, trouble = time.monotonic(), None
        for each in tuple(self._late):
            if not last and each.dues[0] > now:
                continue
            try:
                self._take_late(each, last=last)
            except (CollabError, OSError) as error:
                # The others come all the same.
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _take_late(self, each: _Late, *, last: bool) -> None:
        written = each.displaced.late()
        if written is not None:
            self.sync.late(written)
            # Not before: else what the server could not be told is dropped with the file.
            each.displaced.body = written
        each.dues.pop(0)
        if last or not each.dues:
            self._late.remove(each)
            each.displaced.drop()

    def _end(self) -> None:
        """Nothing that was saved here is left behind, if the server can be reached at once."""
        words = "stopped"
        self.sync.remote.patience = LAST
        try:
            with suppress(KeyboardInterrupt):
                try:
                    self._look_late(last=True)
                finally:
                    self._push()
                # What others wrote meanwhile has replaced the file once more.
                self._look_late(last=True)
        except (CollabError, OSError) as error:
            words = f"stopped; what you changed here is not pushed yet ({error}): `collab push` or `collab watch` does it later"
        self.sync.tell(words)

    # --- listeners

    def _listen_here(self) -> None:
        name = str(self.sync.local.path)

        def ours(change: Change, path: str) -> bool:
            del change
            return path == name

        with suppress(OSError, RuntimeError):  # there are looks, too
            for _ in watch(
                self.sync.local.path.parent,
                watch_filter=ours,
                debounce=100,
                step=20,
                stop_event=self._stopped,
                recursive=False,
                raise_interrupt=False,
            ):
                self.news.put(None)

    def _listen_there(self) -> None:
        pause, failed = 0.0, False
        while not self._stopped.is_set():
            since = time.monotonic()
            told: Body | Reached | CollabError | None
            self._known = self.sync.memory.held
            try:
                # After a failure without a wait: it is told soon that all is well.
                told = self.sync.remote.read(self._known or None, seconds=0.0 if failed else WAIT)
            except CollabError as error:
                told = error
            if told is None and failed:
                told = Reached()
            if told is not None:
                self.news.put(told)
                self._asked.acquire()
            failed = isinstance(told, CollabError)
            early = told is None and time.monotonic() - since < QUICK
            ahead = isinstance(told, Body) and self._is_newer(told)
            pause = min(max(PAUSES[0], 2 * pause), PAUSES[1]) if failed or early or ahead else 0.0
            self._stopped.wait(max(self.sync.remote.wait if failed else 0.0, _jittered(pause)))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.7, 1.3)  # noqa: S311 - no secret


def _mark(body: bytes) -> str:
    return str(hash(body))


@contextmanager
def _interrupted() -> Iterator[None]:
    """SIGTERM is as Ctrl-C."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before: dict[int, Callable[..., object] | int | None] = {
        number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
