"""The journal on a disk: synced before it answers, patient when the disk refuses (JOURNAL-1, JOURNAL-2, JOURNAL-4, JOURNAL-5, JOURNAL-7)."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collab.errors import Conflict, Unavailable
from collab.journal.sqlite import JOURNAL, SqliteJournal
from collab.ports import Kind, Record
from collab.state.database import Database
from scale import scale

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CHECKOUT = Path(__file__).parents[2]
A = "id:" + "a" * 26
B = "id:" + "b" * 26


def update(number: int, size: int = 0) -> Record:
    return Record(Kind.UPDATE, b"%d" % number + b"." * size)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so; the test's own limit is 30 s."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


class Reader:
    """Another process' transaction that is not finished: nobody can write meanwhile."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, JOURNAL)
        self._release = threading.Event()
        self.holding = threading.Event()
        self._thread = threading.Thread(target=self._database.run_sync, args=(self._hold,))

    def _hold(self, _: object) -> None:
        self.holding.set()
        self._release.wait()

    def __enter__(self) -> Reader:
        self._thread.start()
        self.holding.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._thread.join()
        self._database.close()


async def test_what_was_acknowledged_is_there_after_a_restart_with_higher_positions_to_come(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    first = await journal.append(A, update(1))
    await journal.checkpoint(A, first, b"state", {"lineage": 1})
    second = await journal.append(A, Record(Kind.SAVED, meta={"place": first}))
    await journal.close()
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    log = await journal.load(A)
    assert (log.checkpoint, log.meta, log.position, [at for at, _ in log.records]) == (b"state", {"lineage": 1}, first, [second])
    assert await journal.append(B, update(2)) > second
    assert await journal.unsaved() == [B]
    await journal.close()


async def test_positions_never_go_back_though_the_last_record_is_gone(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    position = [await journal.append(A, update(number)) for number in range(5)][-1]
    await journal.checkpoint(A, position, b"state", {})
    await journal.close()
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    assert await journal.append(A, update(6)) == position + 1
    assert await journal.unsaved() == [A]
    await journal.close()


async def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    Database(tmp_path / "journal.sqlite", (*JOURNAL, "CREATE TABLE more (x)")).close()
    with pytest.raises(Conflict, match="newer"):
        SqliteJournal(tmp_path / "journal.sqlite")


async def test_an_append_takes_microseconds_of_the_loop(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.append(A, update(0))
    record = update(1, 30)
    fastest = 1.0
    for _ in range(20):
        started = time.perf_counter()
        futures = [journal.append(A, record) for _ in range(100)]
        fastest = min(fastest, (time.perf_counter() - started) / 100)
        await asyncio.gather(*futures)
    assert fastest < 50e-6
    await journal.close()


async def test_a_group_costs_one_transaction_and_wakes_the_loop_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.append(A, update(0))
    beside = Database(path, JOURNAL)

    def version() -> int:
        return beside.look_sync(lambda connection: int(connection.execute("PRAGMA data_version").fetchone()[0]))

    before = version()
    with Reader(path):
        futures = [journal.append(A, update(number)) for number in range(1000)]
        assert journal.pending_records == 1000
    done: list[int] = []
    for future in futures:
        future.add_done_callback(lambda _: done.append(len([each for each in futures if each.done()])))
    await asyncio.gather(*futures)
    # The first of them may have been taken alone, while the others were still on their way.
    assert len(set(done)) <= 2
    assert version() > before
    assert (journal.pending_records, journal.pending_bytes) == (0, 0)
    beside.close()
    await journal.close()


async def test_while_the_medium_refuses_records_wait_in_order_and_trouble_says_why(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path, retry=(0.01, 0.02))
    await journal.append(B, update(0))
    writer = journal._writer._database
    with Reader(path):
        writer.run_sync  # noqa: B018 - only named: its lock is what the journal waits for
        writer._lock.acquire()
        try:
            connection = writer._opened()
            connection.execute("PRAGMA busy_timeout=0")
        finally:
            writer._lock.release()
        futures = [journal.append(A, update(number)) for number in range(10)]
        await until(lambda: journal.trouble is not None)
        assert journal.trouble is not None
        assert "another process" in journal.trouble
        assert not any(future.done() for future in futures)
        assert (journal.pending_records, journal.pending_bytes) == (10, 10)
        assert [record.body for _, record in (await journal.load(B)).records] == [b"0"]
        assert await journal.unsaved() == [B]
    assert await asyncio.gather(*futures) == sorted(future.result() for future in futures)
    assert journal.trouble is None
    assert [record.body for _, record in (await journal.load(A)).records] == [b"%d" % number for number in range(10)]
    await journal.close()
