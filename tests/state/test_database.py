"""The door to sqlite3 (JOURNAL-2, PROC-4)."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from collab.errors import Conflict, Unavailable
from collab.state.database import Connection, Database, copy_together, explain

CHECKOUT = Path(__file__).parents[2]
TABLE = ("CREATE TABLE numbers (number INTEGER PRIMARY KEY)",)


def numbers(connection: Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT number FROM numbers ORDER BY number")]


def add(database: Database, number: int) -> None:
    database.run_sync(lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (number,)))


def pragma(database: Database, name: str) -> object:
    return database.look_sync(lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0])


def test_a_commit_is_in_the_write_ahead_log_and_synced(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", TABLE)
    assert (pragma(database, "journal_mode"), pragma(database, "synchronous"), pragma(database, "auto_vacuum")) == ("wal", 2, 2)
    assert (tmp_path / "a.sqlite").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.sqlite-wal").stat().st_mode & 0o777 == 0o600
    database.close()


def test_what_need_not_be_durable_is_not_synced_and_all_else_is(tmp_path: Path) -> None:
    database, synced = Database(tmp_path / "a.sqlite", TABLE), list[int]()
    insert = "INSERT INTO numbers SELECT 2 * max(number) FROM numbers"

    def look(connection: Connection) -> None:
        connection.execute(insert)
        synced.append(connection.execute("PRAGMA synchronous").fetchone()[0])

    add(database, 1)
    for durable in (True, False, False, True):
        assert database.step_sync(insert, ()) == 1
        assert pragma(database, "synchronous") == 1
        database.run_sync(look, durable=durable)
    assert synced == [2, 1, 1, 2]
    assert database.step_sync("DELETE FROM numbers WHERE number = ?", (3,)) == 0
    database.close()
    add(database, 3)  # anew
    assert pragma(database, "synchronous") == 2
    assert database.look_sync(numbers) == [1, 2, 3, 4, 8, 16, 32, 64, 128, 256]
    database.close()


def test_a_step_that_fails_changes_nothing_and_the_next_one_is_made(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", TABLE)
    add(database, 1)
    with pytest.raises(Unavailable, match="contradicts another"):
        database.step_sync("INSERT INTO numbers VALUES (?)", (1,))
    assert database.step_sync("INSERT INTO numbers VALUES (?)", (2,)) == 1
    assert database.look_sync(numbers) == [1, 2]
    database.close()


async def test_a_function_is_one_transaction(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", TABLE)

    def half(connection: Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (1)")
        raise KeyError

    with pytest.raises(KeyError):
        await database.run(half)
    with pytest.raises(KeyError):
        database.run_sync(half)
    add(database, 2)
    assert await database.look(numbers) == [2]
    database.close()


async def test_functions_run_on_one_thread_that_is_not_the_loops(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", TABLE)
    threads = await asyncio.gather(*(database.run(lambda _: threading.get_ident()) for _ in range(5)))
    assert len({*threads}) == 1
    assert threads[0] != threading.get_ident()
    database.close()


def test_a_refused_row_is_unavailable_in_words_and_the_next_works(tmp_path: Path) -> None:
    for path in (tmp_path / "a.sqlite", None):
        database = Database(path, TABLE)
        add(database, 1)
        with pytest.raises(Unavailable, match="contradicts"):
            add(database, 1)
        with pytest.raises(Unavailable, match="too large"):
            add(database, 2**70)
        add(database, 2)
        assert database.look_sync(numbers) == [1, 2]
        database.close()


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    first = Database(path, TABLE)
    add(first, 1)
    first.close()
    second = Database(path, (*TABLE, "ALTER TABLE numbers ADD COLUMN word TEXT NOT NULL DEFAULT 'x'"))
    assert second.look_sync(lambda connection: connection.execute("SELECT * FROM numbers").fetchall()) == [(1, "x")]
    second.close()


def test_a_newer_database_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    Database(path, (*TABLE, "CREATE TABLE words (word TEXT)")).close()
    before = path.read_bytes()
    with pytest.raises(Conflict, match="newer"):
        Database(path, TABLE)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_and_a_folder_that_is_missing_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(Unavailable, match="no database"):
        Database(tmp_path / "a.sqlite", TABLE)
    with pytest.raises(Unavailable, match="missing"):
        Database(tmp_path / "missing" / "a.sqlite", TABLE)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_READONLY, "read-only"),
        (sqlite3.SQLITE_IOERR_FSYNC, "I/O"),
        (sqlite3.SQLITE_BUSY, "another process"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
    ],
)
def test_what_sqlite_says_is_told_in_words(code: int, words: str) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    assert words in explain(error, Path("/somewhere/a.sqlite")).detail
    assert "somewhere" not in explain(error, Path("/somewhere/a.sqlite")).detail


WRITER = """
import sys
from pathlib import Path
from collab.state import database
database.BUSY_SECONDS = 60.0  # on a disk that is slow to sync the others take longer than anybody waits in a server
database = database.Database(Path(sys.argv[1]), ("CREATE TABLE numbers (number INTEGER PRIMARY KEY)",))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    database.run_sync(lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (number,)))
"""


def test_processes_open_and_write_one_database_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(start), str(start + 20)], cwd=CHECKOUT) for start in (0, 20, 40)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    database = Database(path, TABLE)
    assert database.look_sync(numbers) == list(range(60))
    database.close()


def test_a_closed_database_opens_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", TABLE)
    add(database, 1)
    database.close()
    assert database.look_sync(numbers) == [1]
    database.close()


def test_copies_that_are_made_together_are_of_one_moment(tmp_path: Path) -> None:
    """RESTORE-1: what the second says of the first, the first knows, while both are written to."""
    table = ("CREATE TABLE t (n INTEGER, filler BLOB);",)
    first, second = (Database(tmp_path / name, table) for name in ("first", "second"))
    stop = threading.Event()

    def insert(connection: Connection, row: tuple[int, bytes]) -> None:
        connection.execute("INSERT INTO t VALUES (?, ?)", row)

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            row = number, bytes(20_000)
            for database in (first, second):
                database.run_sync(partial(insert, row=row))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            copies = [tmp_path / f"copy {turn} {name}" for name in ("first", "second")]
            copy_together([tmp_path / "first", tmp_path / "second"], copies)
            last = [
                Database(copy, table).look_sync(lambda connection: connection.execute("SELECT max(n) FROM t").fetchone()[0] or 0)
                for copy in copies
            ]
            assert last[1] <= last[0] <= last[1] + 1
            assert {copy.stat().st_mode & 0o777 for copy in copies} == {0o600}
    finally:
        stop.set()
        writer.join()
