"""LOAD-2: the processes for long work."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import until

from collab.errors import NotText, Unavailable
from collab.formats import bodies
from collab.runtime.aside import Aside, send
from collab.session import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aside() -> Iterator[Aside]:
    aside = Aside()
    yield aside
    aside.close()


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be looked at does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_work_is_done_in_another_process_which_stays_for_the_next(aside: Aside) -> None:
    first = await aside.run(os.getpid)
    assert first != os.getpid()
    assert await aside.run(os.getpid) == first
    assert (await aside.run(bodies.read, b"a\r\nb\r\n", bodies.TEXT, Limits())).text == "a\nb\n"


async def test_no_process_is_there_before_there_is_work_and_when_nobody_has_had_any_for_a_while() -> None:
    aside = Aside(rest=0.05)
    counts = [aside.processes]
    pid = await aside.run(os.getpid)
    counts.append(aside.processes)
    await until(lambda: not alive(pid))
    counts.append(aside.processes)
    assert counts == [0, 1, 0]
    assert await aside.run(os.getpid) != pid
    aside.close()


async def test_errors_of_ours_come_through_and_others_are_passing(aside: Aside) -> None:
    with pytest.raises(NotText, match="UTF-8"):
        await aside.run(bodies.read, b"\xff", bodies.TEXT, Limits())
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        await aside.run(divmod, 1, 0)
    assert await aside.run(divmod, 7, 2) == (3, 1)


async def test_a_process_that_is_killed_under_its_work_is_replaced_and_work_that_kills_it_is_given_up(aside: Aside) -> None:
    pid = await aside.run(os.getpid)
    os.kill(pid, signal.SIGKILL)
    assert await aside.run(os.getpid) != pid
    with pytest.raises(Unavailable, match="given up"):
        await aside.run(os._exit, 3)
    assert await aside.run(divmod, 7, 2) == (3, 1)


async def test_at_the_end_nothing_is_waited_for_and_no_process_stays() -> None:
    aside = Aside()
    pid = await aside.run(os.getpid)
    long = asyncio.ensure_future(aside.run(signal.pause))
    await until(lambda: aside.under_way == 1)
    aside.close()
    with pytest.raises(Unavailable):
        await long
    await until(lambda: not alive(pid))
    with pytest.raises(Unavailable):
        await aside.run(os.getpid)


@pytest.mark.parametrize("size", [1, 2**20])
def test_an_answer_that_nobody_takes_any_more_is_told_nobody(size: int) -> None:
    """The server was killed while it was made: its log says nothing of that."""
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "collab.runtime.working"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        os.close(ours)
        assert process.stdin is not None
        send(process.stdin, pickle.dumps((bytes, (size,))))
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, b"")


async def test_more_than_there_are_processes_wait_their_turn() -> None:
    aside = Aside(most=1)
    assert await asyncio.gather(*(aside.run(divmod, number, 3) for number in range(9))) == [divmod(number, 3) for number in range(9)]
    assert aside.processes == 1
    aside.close()
