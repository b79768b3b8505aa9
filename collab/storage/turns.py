"""Who may look and write at once: many, or one who moves whole folders and lets nobody see them half moved."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collab.state.turn import Turn


class Turns:
    """A lock for threads, not to be taken twice by one. Who waits to be alone comes before whoever comes later. `others`: for processes, too."""

    def __init__(self, others: Turn | None = None) -> None:
        self._others = others
        self._change = Condition()
        self._together = 0
        self._waiting = 0
        self._alone = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Beside others of this kind."""
        with self._change:
            self._change.wait_for(lambda: not self._alone and not self._waiting)
            self._together += 1
        try:
            with nullcontext() if self._others is None else self._others.held(alone=False):
                yield
        finally:
            with self._change:
                self._together -= 1
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
