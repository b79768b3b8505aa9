"""The archive's database: made whole or not at all, refused in words, away and back."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgres import Postgres, postgres
from serving import PATIENCE
from sqlalchemy import bindparam, create_engine, event, inspect, text, update
from sqlalchemy.engine import Engine

from collab import cli
from collab.archive import engine as module
from collab.archive.engine import Database
from collab.archive.tables import documents, metadata, people
from collab.errors import CollabError, Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

__all__ = ["postgres"]

DIES = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from collab.archive.engine import Database
@event.listens_for(Engine, "before_cursor_execute")
def dies(connection, cursor, statement, *rest):
    if "CREATE TABLE versions" in statement:
        os._exit(9)
Database(sys.argv[1])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'archive.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new()


def opened(url: str) -> None:
    asyncio.run(Database(url).close())


def looked(url: str, act: Callable[[Connection], Any]) -> Any:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            return act(connection)
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    return set(looked(url, lambda connection: inspect(connection).get_table_names()))


ALL = {*metadata.tables, "alembic_version"}


def test_migrations_make_the_tables_that_the_code_means(url: str) -> None:
    opened(url)
    differences = looked(
        url, lambda connection: compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    )
    assert [each for each in differences if "alembic_version" not in str(each)] == []
    assert tables(url) == ALL


def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(3):
        opened(url)
    assert tables(url) == ALL


@pytest.mark.parametrize("at", range(0, 15, 3))
def test_a_migration_that_fails_in_the_middle_leaves_nothing(url: str, at: int) -> None:
    left = [at]

    def fails(_: object, __: object, statement: str, *___: object) -> None:
        if statement.lstrip().startswith(("CREATE", "INSERT")):
            left[0] -= 1
            if left[0] < 0:
                raise RuntimeError("the power goes")

    event.listen(Engine, "before_cursor_execute", fails)
    try:
        with pytest.raises(RuntimeError):
            Database(url)
    finally:
        event.remove(Engine, "before_cursor_execute", fails)
    assert tables(url) == set()
    opened(url)
    assert tables(url) == ALL


def test_a_process_that_dies_in_a_migration_leaves_nothing(url: str) -> None:
    assert subprocess.run([sys.executable, "-c", DIES, url], check=False, timeout=60).returncode == 9
    assert tables(url) == set()
    opened(url)
    assert tables(url) == ALL


def test_nodes_that_start_at_once_migrate_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of SQLite the others have to wait for as long as the first one takes.
    monkeypatch.setattr(module, "BUSY", PATIENCE)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(opened, [url] * 4)) == [None] * 4
    assert looked(url, lambda connection: connection.execute(text("SELECT count(*) FROM alembic_version")).scalar()) == 1


def test_a_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "archive.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.3, other.rollback)
        done.start()
        opened(f"sqlite:///{path}")
        done.join()
    assert tables(f"sqlite:///{path}") == ALL


def test_a_database_of_a_newer_program_is_refused_in_words_and_left_alone(url: str) -> None:
    """PROC-4."""
    opened(url)
    looked(url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '999'")))
    with pytest.raises(Conflict, match="newer version of collab"):
        Database(url)
    assert looked(url, lambda connection: connection.execute(text("SELECT version_num FROM alembic_version")).scalar()) == "999"


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'archive.sqlite'}")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    asyncio.run(database.close())


# --- what the operator is told


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "COLLAB_ARCHIVE"),
        ("mysql://root:hidden@host/database", "COLLAB_ARCHIVE"),
        ("postgresql+asyncpg://collab:hidden@host/database", "COLLAB_ARCHIVE"),
        ("postgresql://collab:hidden@127.0.0.1:1/database", "refused"),
        ("postgresql+psycopg://collab:hidden@/database?host=/nowhere", "No such file"),
        ("sqlite:////nowhere/archive.sqlite", "No such file"),
        ("sqlite:////dev/null", "database"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_in_one_line(
    address: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("COLLAB_ARCHIVE", address)
    assert cli.main(["serve", "--root", str(tmp_path / "root"), "--state", str(tmp_path / "state"), "--port", "0"]) == cli.WRONG
    told = capsys.readouterr().err
    assert told.startswith("collab serve: ")
    assert words in told
    assert told.count("\n") == 1
    assert "hidden" not in told


def test_a_driver_that_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Unavailable, match=r"pip install 'collab\[postgres\]'"):
        Database("postgresql+psycopg://collab@host/database")


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "archive.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="not a database"):
        Database(f"sqlite:///{path}")
    assert path.read_bytes() == b"no database" * 1000


# --- away and back


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_server_that_is_away_is_not_asked_again_and_again_and_comes_back_by_itself(postgres: Postgres) -> None:
    clock = Clock()
    database = Database(postgres.new(), clock=clock)
    asked: list[str] = []
    event.listen(database._engine, "do_connect", lambda *_: asked.append("connect"))
    assert (await database.run(one), database.trouble) == (1, None)
    postgres.stop()
    try:
        for pause in (1.0, 2.0, 4.0):
            with pytest.raises(Unavailable, match="the archive's database"):
                await database.run(one)
            tries = len(asked)
            assert database.trouble is not None
            clock.now += pause * 0.99
            with pytest.raises(Unavailable, match="the archive's database"):
                await database.run(one)
            assert len(asked) == tries
            clock.now += pause * 0.02
    finally:
        postgres.start()
    assert (await database.run(one), database.trouble) == (1, None)
    await database.close()


async def test_a_server_that_does_not_answer_is_given_up(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(postgres.new())
    assert await database.run(one) == 1
    monkeypatch.setattr(module, "ANSWER", 0.5)
    try:
        postgres.pause()
        with pytest.raises(Unavailable, match="did not answer"):
            await database.run(one)
        async with asyncio.timeout(60):
            await database.close()
    finally:
        postgres.resume()


async def test_what_fails_in_a_transaction_is_undone_and_harms_nobody(url: str) -> None:
    database = Database(url)

    def fails(connection: Connection) -> None:
        connection.execute(text("INSERT INTO documents (id) VALUES ('id:a')"))
        connection.execute(text("INSERT INTO documents (id) VALUES (NULL)"))

    with pytest.raises(Unavailable, match="does not take it"):
        await database.run(fails)
    assert await database.run(lambda connection: connection.execute(text("SELECT count(*) FROM documents")).scalar()) == 0
    assert database.trouble is None
    await database.close()


async def test_one_statement_is_a_transaction_of_its_own(url: str) -> None:
    database = Database(url)
    await database.run(lambda connection: connection.execute(text("INSERT INTO documents (id) VALUES ('id:a'), ('id:b')")))
    put = update(documents).where(documents.c.id == bindparam("document")).values(due=bindparam("when"))
    assert [await database.step(put, {"document": document, "when": 1.5}) for document in ("id:a", "id:c", "id:a")] == [1, 0, 1]
    with pytest.raises(Unavailable, match="does not take it"):
        await database.step(update(documents).values(id=bindparam("none")), {"none": None})
    assert database.trouble is None
    assert await database.step(put, {"document": "id:a", "when": 2.5}) == 1
    rows = looked(url, lambda connection: connection.execute(text("SELECT id, due FROM documents ORDER BY id")).fetchall())
    assert [tuple(row) for row in rows] == [("id:a", 2.5), ("id:b", None)]
    await database.close()


@pytest.fixture
def refusing() -> Iterator[Callable[[int | None], None]]:
    """Makes the disk take files up to this size only."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def refuse(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited[1] if size is None else size, unlimited[1]))

    yield refuse
    refuse(None)


@pytest.mark.parametrize("alone", [False, True])
async def test_a_disk_that_refuses_is_told_and_takes_again_when_it_can(
    tmp_path: Path, refusing: Callable[[int | None], None], *, alone: bool
) -> None:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'archive.sqlite'}", clock=clock)

    def add(connection: Connection) -> None:
        connection.execute(text("INSERT INTO people (digest, name) VALUES (randomblob(32), :name)"), {"name": "x" * 500_000})

    await database.run(add)
    rename = update(people).values(name=bindparam("name"))
    refusing(200_000)
    with pytest.raises(CollabError):
        await (database.step(rename, {"name": "y" * 500_000}) if alone else database.run(add))
    assert database.trouble
    refusing(None)
    clock.now += 1.0
    assert await database.step(rename, {"name": "z" * 400_000}) == 1
    clock.now += 1.0
    await database.run(add)
    assert not database.trouble
    await database.close()
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as known:
        assert known.execute("SELECT count(*) FROM people").fetchone() == (2,)
        assert known.execute("PRAGMA integrity_check").fetchone() == ("ok",)
