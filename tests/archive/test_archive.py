"""What is kept of a document that is written in for long: its log, its versions and who wrote what, as files on disk."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from runtime.stage import PATH, Stage, soon
from serving import until

from collab.archive.store import Archive
from collab.archive.thinning import DAY
from collab.errors import Unavailable
from collab.journal.sqlite import SqliteJournal
from collab.ports import Version

if TYPE_CHECKING:
    from pathlib import Path

    from runtime.stage import Guest

EDITS = 10_000
SAVED = 40
"""Edits between two saves: ten seconds of somebody who types four characters a second."""
SECONDS = 10.0
SIZE = 5_000
MEGABYTE = 1_000_000
LETTERS = "etaoinshrdlu    \n"


class Kept(Stage):
    """A server with the real journal and archive, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.at = 1_700_000_000.0
        self.now = self.clock
        self.durable = SqliteJournal(folder / "journal.sqlite")
        self.long = Archive(f"sqlite:///{folder / 'archive.sqlite'}")
        here: Any = self
        here.journal, here.archive = self.durable, self.long

    def clock(self) -> float:
        return self.at

    async def tend(self) -> None:
        """What the hourly upkeep does."""
        await self.long.versions.thin(self.at)
        await self.long.bases.trim(self.at)

    def size(self) -> int:
        """Bytes of all files, write-ahead logs emptied."""
        for file in self.folder.glob("*.sqlite"):
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(file.stat().st_size for file in self.folder.iterdir())

    async def close(self) -> None:
        await self.stop()
        await self.durable.close()
        await self.long.close()


class Typist:
    """Somebody who writes, takes words back, and goes on elsewhere; the text stays about as long as it was."""

    def __init__(self, guest: Guest, seed: int) -> None:
        self.guest = guest
        self.random = random.Random(seed)
        self.length = len(guest.text)
        self.caret = 0
        self.erases = False

    def press(self) -> None:
        """One key."""
        if self.random.random() < 0.04:
            self.erases = self.length > SIZE
            if self.random.random() < 0.3:
                self.caret = self.random.randrange(self.length)
        if self.erases and self.caret:
            self.caret -= 1
            self.length -= 1
            self.guest.erase(self.caret, self.caret + 1)
        else:
            self.guest.type(self.random.choice(LETTERS), self.caret)
            self.caret += 1
            self.length += 1


async def test_ten_thousand_edits_of_a_small_text_leave_less_than_a_megabyte(tmp_path: Path) -> None:
    """HISTORY-4, JOURNAL-7: its log, all versions of the day, and who wrote what; and days later the last of each hour."""
    kept = Kept(tmp_path)
    kept.files.poke(PATH, "".join(random.Random(1).choices(LETTERS, k=SIZE)).encode())
    await kept.start()
    ann = kept.on(kept.socket())
    ann.sign_in(kept.token("Ann"))
    ann.step1()
    await until(lambda: ann.synced)
    ann.socket.heard = None  # it only writes from now on
    typist, document = Typist(ann, 2), kept.host().id
    for _ in range(EDITS // SAVED):
        for _ in range(SAVED):
            typist.press()
            kept.at += SECONDS / SAVED
        await soon()
        await kept.rooms.flush([document])
        assert kept.file() == ann.text

    # A save waits two seconds for an archive; what that did not take in time, on a busy machine, it is told later.
    await until(lambda: document not in kept.rooms.backlog)
    await kept.tend()
    assert len(await kept.long.versions.list(document, limit=EDITS)) == EDITS // SAVED + 1
    assert kept.size() < MEGABYTE
    kept.at += 2 * DAY
    await kept.tend()
    assert len(await kept.long.versions.list(document, limit=EDITS)) <= 4
    await kept.close()
    assert kept.size() < MEGABYTE


async def test_a_version_that_is_damaged_on_the_disk_keeps_no_other_document_from_being_kept_in_bounds(tmp_path: Path) -> None:
    """HISTORY-4."""
    archive, now = Archive(f"sqlite:///{tmp_path / 'archive.sqlite'}"), 1_700_000_000.0
    for document in ("id:a", "id:b"):
        for number in range(1, 5):
            body = b"words\n" * number
            at = now + 60.0 * number
            await archive.versions.add(document, Version(number, at, sha256(body).hexdigest(), len(body), "save"), body)
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as disk, disk:
        disk.execute("UPDATE versions SET body = x'00' WHERE number = 1 AND document = (SELECT key FROM documents WHERE id = 'id:a')")
    with pytest.raises(Unavailable, match="damaged"):
        await archive.versions.thin(now + 3 * DAY)
    assert [each.number for each in await archive.versions.list("id:b")] == [4, 1]
    body = b"more"
    await archive.versions.add("id:a", Version(9, now + DAY, sha256(body).hexdigest(), len(body), "save"), body)
    assert (await archive.versions.read("id:a", 9))[1] == body
    with pytest.raises(Unavailable, match="damaged"):
        await archive.versions.read("id:a", 4)
    await archive.close()


async def test_who_wrote_what_is_not_known_any_more_when_the_disk_damaged_it(tmp_path: Path) -> None:
    """AUTHORS-1: the document's log becomes shorter all the same."""
    archive = Archive(f"sqlite:///{tmp_path / 'archive.sqlite'}")
    await archive.authors.put("id:a", 5, b"who wrote what")
    with closing(sqlite3.connect(tmp_path / "archive.sqlite")) as disk, disk:
        disk.execute("UPDATE authors SET body = x'00'")
    assert await archive.authors.get("id:a") is None
    await archive.close()
