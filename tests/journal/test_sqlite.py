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
from typing import TYPE_CHECKING, Self

import pytest
from scale import scale

from collab.errors import Conflict
from collab.journal import sqlite
from collab.journal.sqlite import JOURNAL, Seat, SqliteJournal
from collab.ports import Kind, Record
from collab.state.database import Database
from collab.state.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable

CHECKOUT = Path(__file__).parents[2]
A = "id:" + "a" * 26
B = "id:" + "b" * 26


def update(number: int, size: int = 0) -> Record:
    return Record(Kind.UPDATE, b"%d" % number + b"." * size)


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

    def __enter__(self) -> Self:
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


async def test_closing_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    for _ in range(10):
        journal = SqliteJournal(path)
        with Reader(path):
            first = journal.append(A, update(0))
            closing = asyncio.ensure_future(journal.close())
            second = journal.append(A, update(1))
            await asyncio.sleep(0)
        await closing
        assert await second == await first + 1


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


async def test_what_is_appended_while_a_group_is_written_is_the_next_group(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.append(A, update(0))
    statements: list[str] = []
    journal._writer._database.look_sync(lambda connection: connection.set_trace_callback(statements.append))
    with Reader(path):
        futures = [journal.append(A, update(number)) for number in range(1000)]
        assert journal.pending_records == 1000
    await asyncio.gather(*futures)
    # The first may have been taken alone, while the others were still on their way.
    assert statements.count("COMMIT") <= 3
    assert (journal.pending_records, journal.pending_bytes) == (0, 0)
    await journal.close()


@pytest.mark.parametrize("urgent", ["save", "load", "close"])
async def test_edits_wait_for_each_other_and_nothing_else_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, urgent: str
) -> None:
    monkeypatch.setattr(sqlite, "EDITS_PACE", 3600.0)
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.append(A, update(0))
    edits = [journal.append(A, update(number)) for number in (1, 2)]
    if urgent == "save":
        await journal.append(A, Record(Kind.ANNOUNCE, meta={"hash": ""}))
    elif urgent == "load":
        assert len((await journal.load(A)).records) == 3
    else:
        await journal.close()
    assert all(edit.done() for edit in edits)
    await journal.close()


async def test_a_group_is_bounded_and_all_of_it_arrives(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    futures = [journal.append(A, update(number, 100_000)) for number in range(400)]
    waiting = [journal.append(B, update(number)) for number in range(9000)]
    positions = await asyncio.gather(*futures, *waiting)
    assert positions == sorted(positions)
    assert len((await journal.load(B)).records) == 9000
    await journal.close()


async def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    sizes = []
    for _ in range(12):
        futures = [journal.append(A, update(number, 10_000)) for number in range(200)]
        positions = await asyncio.gather(*futures)
        await journal.checkpoint(A, positions[-1], b"state", {})
        sizes.append(path.stat().st_size + path.with_name("journal.sqlite-wal").stat().st_size)
    assert max(sizes) < 24 * 2**20
    for _ in range(8):
        position = await journal.append(A, update(1))
        await journal.checkpoint(A, position, b"state", {})
    await journal.close()
    assert path.stat().st_size < 3 * 2**20
    assert not path.with_name("journal.sqlite-wal").exists()


async def test_a_loop_that_is_gone_is_no_failure_of_the_journal(tmp_path: Path) -> None:
    def use() -> SqliteJournal:
        journal = SqliteJournal(tmp_path / "journal.sqlite")

        async def begin() -> None:
            journal.append(A, update(1))

        asyncio.run(begin())
        return journal

    journal = await asyncio.to_thread(use)
    await journal.close()
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    assert len((await journal.load(A)).records) == 1
    await journal.close()


async def test_a_command_writes_the_state_while_the_server_writes_the_journal(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    command = Database(tmp_path / "journal.sqlite", JOURNAL)
    futures: list[Awaitable[int]] = []
    for number in range(20):
        futures.append(journal.append(A, update(number)))
        await asyncio.to_thread(command.run_sync, lambda connection: connection.execute("INSERT INTO documents (id) VALUES (random())"))
    assert len(await asyncio.gather(*futures)) == 20
    command.close()
    await journal.close()


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *args], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


REFUSED = """
import asyncio, resource, sys
from pathlib import Path
from collab.errors import Unavailable
from collab.journal.sqlite import SqliteJournal
from collab.ports import Kind, Record

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), retry=(0.01, 0.05))
    place = await journal.append("B", Record(Kind.UPDATE, b"before"))
    limit(300_000)
    futures = [journal.append("A", Record(Kind.UPDATE, b"%d" % number + bytes(100_000))) for number in range(10)]
    while journal.trouble is None:
        await asyncio.sleep(0.01)
    print(journal.trouble)
    futures.append(journal.append("A", Record(Kind.UPDATE, b"10")))
    print(len((await journal.load("B")).records), await journal.unsaved())
    try:
        await journal.checkpoint("B", place, bytes(1_000_000), {})
    except Unavailable as error:
        print("refused:", error.detail)
    print(any(future.done() for future in futures), journal.pending_records, journal.pending_bytes)
    waiting = asyncio.ensure_future(journal.load("A"))
    if sys.argv[2] == "close":
        await journal.close()
        print([type(error).__name__ for error in await asyncio.gather(*futures[:1], waiting, return_exceptions=True)])
        return
    limit(resource.RLIM_INFINITY)
    positions = await asyncio.gather(*futures)
    print(positions == sorted(positions), journal.trouble, journal.pending_bytes)
    print([record.body.rstrip(bytes(1)).decode() for _, record in (await waiting).records])
    await journal.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["wait", "close"])
def test_while_the_disk_refuses_records_wait_in_order_and_trouble_says_why(tmp_path: Path, how: str) -> None:
    refused = run(REFUSED, str(tmp_path / "journal.sqlite"), how)
    lines = refused.stdout.splitlines()
    why = "the disk refuses to read or write (I/O error, or a limit of file size or quota): journal.sqlite"
    assert lines[:4] == [why, "1 ['B']", f"refused: {why}", "False 11 1000012"], refused.stderr
    if how == "close":
        assert lines[4:] == ["['Unavailable', 'Unavailable']"], refused.stderr
    else:
        assert lines[4:] == ["True None 0", str([str(number) for number in range(11)])], refused.stderr
    assert refused.stderr == ""


ACKNOWLEDGED = """
import asyncio, os, sys
from pathlib import Path
from collab.journal.sqlite import SqliteJournal
from collab.ports import Kind, Record

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    os.write(1, b"begin\\n")
    for number in range(5):
        position = await journal.append("A", Record(Kind.UPDATE, b"words that matter"))
        os.write(1, b"acknowledged %d\\n" % position)
    await journal.checkpoint("A", position, b"the state that matters", {})
    os.write(1, b"checkpointed\\n")

asyncio.run(main())
"""


def test_between_an_append_and_its_acknowledgement_the_log_is_synced(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    options = ["-f", "-y", "-s", "4096", "-o", str(calls), "-e", "trace=fsync,fdatasync,write,pwrite64"]
    program = [sys.executable, "-c", ACKNOWLEDGED, str(tmp_path / "journal.sqlite")]
    subprocess.run(["strace", *options, *program], cwd=CHECKOUT, check=True, timeout=60, capture_output=True)
    seen = []
    for line in calls.read_text().split('"begin', 1)[1].splitlines():
        if "sync(" in line and "journal.sqlite-wal>" in line:
            seen.append("synced")
        elif "pwrite64(" in line and "that matter" in line and "-wal>" in line:
            seen.append("written")
        elif "acknowledged" in line or "checkpointed" in line:
            seen.append("answered")
    steps = "".join(word[0] for word in seen)
    assert re.fullmatch("(w+s+a){6}", steps), steps


KILLED = """
import asyncio, os, sys
from pathlib import Path
from collab.journal.sqlite import SqliteJournal
from collab.ports import Kind, Record

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    async def one(writer):
        number = 0
        while True:
            body = b"%d-%d" % (writer, number)
            position = await journal.append(f"document {writer % 2}", Record(Kind.UPDATE, body))
            os.write(1, b"%d %d %s\\n" % (writer % 2, position, body))
            number += 1
            if number % 17 == 0:
                await journal.checkpoint(f"document {writer % 2}", position - 40, b"state", {})
    await asyncio.gather(*(one(writer) for writer in range(8)))

asyncio.run(main())
"""


def killed(path: Path, after: int) -> list[str]:
    """What a process said that was killed when it had said `after` lines, or a few more."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        return [*lines, *process.stdout.read().splitlines()]


async def test_what_was_acknowledged_is_there_after_sigkill_and_only_what_was_checkpointed_is_not_a_record(tmp_path: Path) -> None:
    rng = random.Random(20)
    path = tmp_path / "journal.sqlite"
    acknowledged: dict[str, dict[int, str]] = {"document 0": {}, "document 1": {}}
    for _ in range(scale(6, 40)):
        for line in killed(path, rng.randrange(1, 120)):
            document, position, body = line.split()
            acknowledged[f"document {document}"][int(position)] = body
        journal = SqliteJournal(path)
        for document, held in acknowledged.items():
            log = await journal.load(document)
            records = {position: record.body.decode() for position, record in log.records}
            missing = {position: body for position, body in held.items() if position > log.position and records.get(position) != body}
            assert missing == {}
            assert sorted(records) == [position for position, _ in log.records]
            assert document in await journal.unsaved()
        await journal.close()


async def test_processes_that_share_a_journal_give_no_position_twice_and_each_document_has_them_in_order(tmp_path: Path) -> None:
    """NODES-6."""
    turn = tmp_path / "turn"
    first, second = (SqliteJournal(tmp_path / "journal.sqlite", seat=Seat(number, Turn(turn))) for number in (0, 1))
    given: list[int] = []
    for _ in range(20):
        given += await asyncio.gather(
            *(journal.append(f"id:{name}", Record(Kind.UPDATE, b"x")) for name, journal in enumerate((first, second)))
        )
    assert len(set(given)) == 40
    log = await second.load("id:0")
    assert [place for place, _ in log.records] == given[::2] == sorted(given[::2])
    moved = await second.append("id:0", Record(Kind.UPDATE, b"y"))
    assert moved > given[-2]
    assert await first.unsaved() == ["id:0", "id:1"]
    await second.forget("id:1")
    await first.append("id:2", Record(Kind.UPDATE, b"z"))
    assert await second.unsaved() == ["id:0", "id:2"]
    again = await second.append("id:1", Record(Kind.UPDATE, b"new"))
    assert [place for place, _ in (await first.load("id:1")).records] == [again]
    await first.close()
    await second.close()
