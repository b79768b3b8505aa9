"""Many at once, or one alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collab.storage.turns import Turns

SECONDS = 60.0


def test_many_are_inside_together() -> None:
    turns, all_inside = Turns(), threading.Barrier(3, timeout=SECONDS)

    def look() -> int:
        with turns.together():
            return all_inside.wait()

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(lambda _: look(), range(3))) == [0, 1, 2]


def test_who_is_alone_waits_for_those_inside_and_keeps_those_out_who_come_later() -> None:
    turns, order = Turns(), list[str]()
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with turns.together():
            inside.set()
            assert leave.wait(SECONDS)
            order.append("first")

    def alone() -> None:
        with turns.alone():
            order.append("alone")

    def later() -> None:
        with turns.together():
            order.append("later")

    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(first)]
        assert inside.wait(SECONDS)
        running.append(threads.submit(alone))
        with turns._change:
            assert turns._change.wait_for(lambda: turns._waiting == 1, SECONDS)
        running.append(threads.submit(later))
        leave.set()
        for each in running:
            each.result(SECONDS)
    assert order == ["first", "alone", "later"]


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    for turn in (turns.alone, turns.together, turns.alone):
        with pytest.raises(OSError), turn():
            raise OSError
    with turns.alone():
        assert not turns._together
