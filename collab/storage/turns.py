"""Who may look and write at once: many, or one who moves whole folders and lets nobody see them half moved."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from threading import Condition, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from collab.state.turn import Turn


class _Together:
    """See `Turns.together`. Whatever is done on a thread is done inside: a generator would cost six calls more."""

    __slots__ = ("_turns",)

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        self._turns.enter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._turns.leave()


class Turns:
    """A lock for threads, not to be taken twice by one. Who waits to be alone comes before whoever comes later. `others`: for processes, too."""

    def __init__(self, others: Turn | None = None) -> None:
        self._others = others
        self._lock = Lock()
        self._change = Condition(self._lock)
        self._together = 0
        self._waiting = 0
        self._alone = False

    def together(self) -> AbstractContextManager[None]:
        """Beside others of this kind."""
        return _Together(self) if self._others is None else self._beside(self._others)

    @contextmanager
    def _beside(self, others: Turn) -> Iterator[None]:
        with _Together(self), others.held(alone=False):
            yield

    def enter(self) -> None:
        """For `_Together`."""
        with self._lock:
            if self._alone or self._waiting:
                self._change.wait_for(lambda: not self._alone and not self._waiting)
            self._together += 1

    def leave(self) -> None:
        """For `_Together`."""
        with self._lock:
            self._together -= 1
            if self._waiting:
                self._change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Beside nobody."""
        with self._change:
            self._waiting += 1
            self._change.wait_for(lambda: not self._alone and not self._together)
            self._waiting -= 1
            self._alone = True
        try:
            with nullcontext() if self._others is None else self._others.held():
                yield
        finally:
            with self._change:
                self._alone = False
                self._change.notify_all()
