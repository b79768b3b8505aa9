"""Rendering in a process beside the server, within its time."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from collab.reading import documents

if TYPE_CHECKING:
    from types import FrameType

    from collab.reading.blocks import Rendering

SECONDS = 10.0
"""Until a text is shown as it is written: some that people or machines write take an hour to be parsed."""


class _Late(BaseException):
    """No `except Exception` on the way may take it for something else."""


def rendered(path: str, prefix: str, body: bytes, seconds: float = SECONDS) -> Rendering:
    """As `documents.render`; called in the main thread of a process of its own."""
    before, told = signal.signal(signal.SIGALRM, _late), sys.unraisablehook

    def untold(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not _Late:
            told(lost)

    sys.unraisablehook = untold
    # Again and again: what is raised while something is let go is lost there.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        made = documents.render(path, prefix, body)
    except (_Late, RecursionError, MemoryError):
        signal.setitimer(signal.ITIMER_REAL, 0)
        made = documents.too_slow(path, body)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = told
    return made


def _late(_signal: int, _frame: FrameType | None) -> None:
    raise _Late
