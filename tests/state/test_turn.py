"""NODES-6: processes take turns."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from collab.errors import Unavailable
from collab.state import turn
from collab.state.turn import Turn

if TYPE_CHECKING:
    from pathlib import Path


def test_one_is_alone_or_many_are_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 0.05)
    first, second = Turn(tmp_path / "lock"), Turn(tmp_path / "lock")
    with first.held(alone=False), second.held(alone=False):
        pass
    with first.held(), pytest.raises(Unavailable, match="does not come to an end"), second.held(alone=False):
        pass
    with first.held(alone=False), pytest.raises(Unavailable), second.held():
        pass
    with second.held():
        pass


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    lock, counted = Turn(tmp_path / "lock"), [0]

    def count() -> None:
        for _ in range(200):
            with lock.held():
                counted[0] += 1

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [600]
