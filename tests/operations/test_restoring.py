"""`collab backup` and `collab restore` beside each other: what is refused, and what it says (RESTORE-4, PROC-3)."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from collab.about import About, Change
from collab.archive.store import Archive
from collab.cli import main
from collab.document import Document, new_lineage
from collab.formats.text import Form
from collab.journal.sqlite import SqliteJournal
from collab.ledger import Ledger, history
from collab.ports import Kind, OfficeState, Record
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.names import Names

if TYPE_CHECKING:
    from pathlib import Path

LINEAGE = new_lineage(lambda _: b"abc")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root of two files and a state that knows one of them, with an edit that is not in its file."""
    for name in ("COLLAB_ROOT", "COLLAB_STATE", "COLLAB_ARCHIVE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.md").write_text("one\n")
    assert main(["token", "--all", "--role", "editor", "--name", "x", *at(tmp_path)]) == 0
    asyncio.run(_write(tmp_path))
    return tmp_path


async def _write(folder: Path) -> None:
    database = Database(folder / "state" / "state.sqlite", STATE)
    files, journal = LocalFiles(folder / "root", Names(database)), SqliteJournal(folder / "state" / "journal.sqlite")
    stat = await files.stat("a.md")
    document = Document.seed("one\n", LINEAGE)
    meta = {"hash": stat.etag, "form": Form().to_json(), "endings": []}
    await journal.append(stat.id, Record(Kind.SEED, document.encode(), meta))
    await journal.close()
    await files.close()
    database.close()


def at(folder: Path, state: str = "state") -> list[str]:
    return ["--root", str(folder / "root"), "--state", str(folder / state)]


def refused(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    capsys.readouterr()
    assert main(command) == 2
    return capsys.readouterr().err


def test_what_office_suites_know_and_people_say_comes_back(folder: Path) -> None:
    """RESTORE-2, META-1."""
    state = OfficeState(7, "etag", 1000.5, "put", ("given",), 999.5, "lock")

    async def written() -> str:
        database = Database(folder / "state" / "state.sqlite", STATE)
        files, archive = LocalFiles(folder / "root", Names(database)), Archive(f"sqlite:///{folder}/state/archive.sqlite")
        document = (await files.stat("a.md")).id
        await archive.office.put(document, state, before=None)
        await archive.infos.put("ann", "about Ann")
        await archive.metadata.put(document, Change(("tag",), "said"))
        await archive.close()
        await files.close()
        database.close()
        return document

    document = asyncio.run(written())
    assert main(["backup", "--to", str(folder / "b.tar"), *at(folder)]) == 0
    assert main(["restore", str(folder / "b.tar"), *at(folder, "new")]) == 0

    async def known() -> tuple[OfficeState | None, str, About]:
        archive = Archive(f"sqlite:///{folder}/new/archive.sqlite")
        found = await archive.office.get(document), await archive.infos.get("ann"), await archive.metadata.get(document)
        await archive.close()
        return found

    assert asyncio.run(known()) == (state, "about Ann", About(("tag",), "said"))


def test_a_state_comes_back_with_another_lineage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RESTORE-2."""
    backup = str(folder / "b.tar")
    assert main(["backup", "--to", backup, *at(folder)]) == 0
    assert "1 document" in capsys.readouterr().out
    assert main(["restore", backup, *at(folder, "new")]) == 0
    assert not (folder / "new" / "secret").exists()

    async def look() -> None:
        journal = SqliteJournal(folder / "new" / "journal.sqlite")
        database = Database(folder / "new" / "state.sqlite", STATE)
        files = LocalFiles(folder / "root", Names(database))
        log = await journal.load((await files.stat("a.md")).id)
        document = Document.replay(history(log))
        assert (document.text(), document.lineage == LINEAGE) == ("one\n", False)
        assert Ledger.of(log).origin == log.records[-1][0]
        await journal.close()
        await files.close()
        database.close()

    asyncio.run(look())


def test_a_state_that_is_not_empty_is_not_restored_into(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--to", str(folder / "b.tar"), *at(folder)]) == 0
    assert "is not empty" in refused(capsys, "restore", str(folder / "b.tar"), *at(folder))
    assert "inside the folder" in refused(capsys, "restore", str(folder / "b.tar"), *at(folder, "root/state"))
    assert "there is something of this name" in refused(capsys, "backup", "--to", str(folder / "b.tar"), *at(folder))
    assert "there is no state in" in refused(capsys, "backup", "--to", str(folder / "c.tar"), *at(folder, "none"))
    assert not (folder / "none").exists()


def test_a_restore_that_was_cut_off_is_refused_by_the_server_and_can_be_done_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RESTORE-4: and it draws the same lineages, so that an archive elsewhere that was changed already still fits."""
    assert main(["backup", "--to", str(folder / "b.tar"), *at(folder)]) == 0
    half = folder / "half"
    half.mkdir()
    (half / "restoring").write_text(json.dumps({"draw": "00"}))
    (half / "journal.sqlite").write_bytes(b"half")
    for command in (["serve"], ["token", "--all", "--role", "viewer", "--name", "x"], ["backup", "--to", str(folder / "c.tar")]):
        assert "restored by half only: run `collab restore` again" in refused(capsys, *command, *at(folder, "half"))
    assert main(["restore", str(folder / "b.tar"), *at(folder, "half")]) == 0
    assert not (half / "restoring").exists()
    assert main(["token", "--all", "--role", "viewer", "--name", "x", *at(folder, "half")]) == 0


def test_an_archive_that_is_elsewhere_has_to_be_restored_by_its_own_means(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["backup", "--to", str(folder / "b.tar"), *at(folder), "--archive", f"sqlite:///{folder / 'elsewhere'}"]) == 0
    assert "pg_dump" in capsys.readouterr().out
    assert "pg_restore" in refused(capsys, "restore", str(folder / "b.tar"), *at(folder, "new"))
    assert not (folder / "new").exists()
    monkeypatch.setenv("COLLAB_ARCHIVE", f"sqlite:///{folder / 'elsewhere'}")
    assert main(["restore", str(folder / "b.tar"), *at(folder, "new")]) == 0


def test_what_was_deleted_since_stays_in_the_bin_and_what_is_gone_is_written_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RESTORE-2, FILE-12."""
    assert main(["backup", "--to", str(folder / "b.tar"), *at(folder)]) == 0

    async def bin_it() -> None:
        database = Database(folder / "state" / "state.sqlite", STATE)
        files = LocalFiles(folder / "root", Names(database))
        await LocalBin(files).discard("a.md", if_match=None, by="Ann", now=time.time())
        await files.close()
        database.close()

    asyncio.run(bin_it())
    capsys.readouterr()
    assert main(["restore", str(folder / "b.tar"), *at(folder, "one")]) == 0
    assert "a.md" not in capsys.readouterr().out
    assert not (folder / "root" / "a.md").exists()
    shutil.rmtree(folder / "root" / ".collab-bin")
    assert main(["restore", str(folder / "b.tar"), *at(folder, "two")]) == 0
    assert "a.md: the file was gone, and is written again" in capsys.readouterr().out
    assert (folder / "root" / "a.md").read_text() == "one\n"
