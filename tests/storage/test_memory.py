"""The folder in memory: crashes between the steps of a write, outside writers, refusals (SAVE-3, FILE-7)."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest

from collab.errors import Unavailable
from collab.journal.memory import MemoryJournal
from collab.ports import Kind, Record
from collab.storage.memory import MemoryFiles


class Power:
    """Fails at the given step, and never comes back."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.failed = asyncio.Event()
        self.seen: list[str] = []

    async def __call__(self, word: str) -> None:
        self.seen.append(word)
        if word == self.word:
            self.failed.set()
            await asyncio.Event().wait()


async def test_a_write_goes_through_its_steps_in_order() -> None:
    power = Power("")
    files = MemoryFiles(step=power)
    files.poke("a.md", b"one")
    await files.write("a.md", b"two", if_match=sha256(b"one").hexdigest())
    assert power.seen == ["written", "named", "checked", "exchanged", "synced"]


@pytest.mark.parametrize(
    ("word", "file", "leftovers"),
    [
        ("written", b"one", []),
        ("named", b"one", [b"two"]),
        ("checked", b"one", [b"two"]),
        ("exchanged", b"two", [b"one"]),
        ("synced", b"two", [b"one"]),
    ],
)
async def test_a_crash_leaves_what_a_disk_would(word: str, file: bytes, leftovers: list[bytes]) -> None:
    power = Power(word)
    files = MemoryFiles(step=power)
    files.poke("a.md", b"one")
    before = await files.stat("a.md")
    writing = asyncio.ensure_future(files.write("a.md", b"two", if_match=before.etag))
    await power.failed.wait()
    after = files.crash()
    content = await after.read(before.id, limit=100)
    assert (content.body, [leftover.body for leftover in content.leftovers]) == (file, leftovers)
    for leftover in content.leftovers:
        await leftover.discard()
    assert after.asides() == 0
    writing.cancel()


async def test_bytes_that_come_between_check_and_exchange_are_in_what_was_displaced() -> None:
    async def step(word: str) -> None:
        if word == "checked":
            files.poke("a.md", b"theirs")

    files = MemoryFiles(step=step)
    files.poke("a.md", b"one")
    written = await files.write("a.md", b"ours", if_match=sha256(b"one").hexdigest())
    assert written.displaced is not None
    assert (written.displaced.body, files.peek("a.md")) == (b"theirs", b"ours")


async def test_a_verb_refuses_as_long_as_it_is_told_to() -> None:
    files = MemoryFiles()
    files.poke("a.md", b"one")
    files.refusals["write"] = Unavailable("the disk is full")
    for _ in range(2):
        with pytest.raises(Unavailable, match="full"):
            await files.write("a.md", b"two", if_match=sha256(b"one").hexdigest())
    del files.refusals["write"]
    await files.write("a.md", b"two", if_match=sha256(b"one").hexdigest())


async def test_the_same_acts_give_the_same_ids() -> None:
    ids = []
    for _ in range(2):
        files = MemoryFiles()
        files.poke("a.md", b"one")
        files.poke("b.md", b"one")
        ids.append([entry.id for entry in await files.list("")])
    assert ids[0] == ids[1]


async def test_a_crash_of_the_journal_forgets_what_was_not_durable() -> None:
    power = Power("")
    journal = MemoryJournal(power)
    await journal.append("a", Record(Kind.UPDATE, b"durable"))
    power.word = "append"
    lost = journal.append("a", Record(Kind.UPDATE, b"lost"))
    await power.failed.wait()
    after = journal.crash()
    power.word = ""
    assert [record.body for _, record in (await after.load("a")).records] == [b"durable"]
    await after.append("a", Record(Kind.UPDATE, b"next"))
    assert [record.body for _, record in (await after.load("a")).records] == [b"durable", b"next"]
    assert not lost.done()
    with pytest.raises(Unavailable):
        journal.append("a", Record(Kind.UPDATE, b""))


async def test_a_journal_that_refuses_keeps_what_waits_and_answers_for_other_documents() -> None:
    journal = MemoryJournal()
    await journal.append("b", Record(Kind.UPDATE, b"before"))
    journal.refuse("the disk is full")
    waiting = [journal.append("a", Record(Kind.UPDATE, b"%d" % number)) for number in range(3)]
    assert (await journal.load("b")).records
    loading = asyncio.ensure_future(journal.load("a"))
    with pytest.raises(Unavailable, match="full"):
        await journal.checkpoint("b", 1, b"", {})
    assert (journal.trouble, journal.pending_records, journal.pending_bytes) == ("the disk is full", 3, 3)
    assert not any(future.done() for future in waiting)
    assert not loading.done()
    journal.refuse(None)
    await asyncio.gather(*waiting)
    assert len((await loading).records) == 3
    await journal.close()
