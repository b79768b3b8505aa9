"""The archive goes away and comes back: people edit and save all the same, and then its history is what it would have been (HISTORY-5)."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from runtime.stage import PATH, Stage, passing, person, soon
from scale import scale

from collab.editions import printed, untold
from collab.errors import Unavailable
from collab.ports import Kind
from collab.runtime import saver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from collab.ports import Version

AWAY = "the database is away"
STORY = "".join(f"This is sentence number {number} of the story.\n" for number in range(12))


@pytest.fixture
async def story(stage: Stage) -> Stage:
    stage.files.poke(PATH, STORY.encode())
    return stage


async def history(stage: Stage) -> list[tuple[str, tuple[str, ...], bytes]]:
    """Sources, writers and bodies, oldest first."""
    document = (await stage.files.stat(PATH)).id
    found = reversed(await stage.archive.versions.list(document, limit=1000))
    return [(each.source, each.writers, (await stage.archive.versions.read(document, each.number))[1]) for each in found]


def outside(stage: Stage, change: Callable[[str], str]) -> None:
    stage.files.poke(PATH, change(stage.file()).encode())
    stage.rooms.noticed(stage.host().id)


async def day(stage: Stage, at: Callable[[int], Awaitable[None]]) -> list[tuple[str, tuple[str, ...], bytes]]:
    """Two people and a program write, with `at` awaited between; the history that comes out when all is well at the end."""
    await at(0)
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    await at(1)
    ann.type("Ann 😀. ")
    await passing(12)
    await at(2)
    bob.append("Bob.\r\n")
    ann.append("Ann again.\n")
    await passing(12)
    outside(stage, lambda text: text.replace("number 5", "number five"))
    await passing(12)
    await at(3)
    bob.type("The end of the day. ")
    await passing(45)
    stage.archive.refuse(None)
    await passing(60)
    return await history(stage)


async def nothing(_: int) -> None:
    return


async def usual() -> list[tuple[str, tuple[str, ...], bytes]]:
    """What comes out when nothing happens between."""
    stage = Stage()
    stage.files.poke(PATH, STORY.encode())
    await stage.start()
    try:
        return await day(stage, nothing)
    finally:
        await stage.end()


@pytest.mark.parametrize(("away", "back"), [(0, 9), (1, 9), (2, 3), (1, 2), (3, 9)])
async def test_when_the_archive_is_back_its_history_is_as_if_it_had_never_been_away(story: Stage, away: int, back: int) -> None:
    """HISTORY-5."""

    async def at(moment: int) -> None:
        if moment == away:
            story.archive.refuse(AWAY)
        if moment == back:
            story.archive.refuse(None)
            await passing(60)

    found = await day(story, at)
    assert found == await usual()
    assert [source for source, _, _ in found] == ["first", "save", "save", "outside", "save"]
    assert story.file() == found[-1][2].decode()


@pytest.mark.parametrize("how", ["restart", "crash"])
async def test_what_the_archive_lacks_is_told_after_a_restart_when_the_document_is_opened(story: Stage, how: str) -> None:
    """HISTORY-5."""
    ann = await story.guest("Ann")
    story.archive.refuse(AWAY)
    for word in ("one ", "two "):
        ann.type(word)
        await passing(12)
    await (story.restart if how == "restart" else story.crash)()
    story.archive.refuse(None)
    await story.guest("Bob")
    await passing(5)
    bodies = [(source, writers, body.decode()) for source, writers, body in await history(story)]
    assert bodies == [("first", (), STORY), ("save", ("ann",), "one " + STORY), ("save", ("ann",), "two one " + STORY)]


async def test_while_the_archive_is_away_files_are_saved_and_pages_are_told_so(story: Stage) -> None:
    """HISTORY-5, SAVE-1."""
    story.archive.refuse(AWAY)
    ann = await story.page("Ann")
    ann.type("words ")
    await passing(3)
    assert (story.file(), ann.file()) == ("words " + STORY, "saved")
    assert len(story.rooms.backlog) == 1
    assert story.metrics.failures["archive"] >= 1
    story.archive.refuse(None)
    await passing(60)
    assert len(story.rooms.backlog) == 0


async def test_an_archive_that_does_not_answer_holds_up_a_save_for_two_seconds(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """HISTORY-5."""
    ann = await story.page("Ann")

    async def stuck(_: str) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(story.archive, "_step", stuck)
    ann.type("words ")
    await passing(2.5)
    assert story.file() == "words " + STORY
    await passing(2)
    assert ann.file() == "saved"


async def test_the_journal_keeps_what_the_archive_did_not_take(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """HISTORY-5, MERGE-8: no part of the log is missing afterwards."""
    monkeypatch.setattr(saver, "CHECKPOINT", 500)
    ann = await story.guest("Ann")
    story.archive.refuse(AWAY)
    for number in range(6):
        ann.type(f"{number} ")
        await passing(12)
    assert (await story.journal.load(story.host().id)).checkpoint is None
    story.archive.refuse(None)
    await passing(60)
    ann.type("last ")
    await passing(12)
    known = await story.journal.load(story.host().id)
    assert known.checkpoint is not None
    assert [part.last for part in await story.archive.bases.parts(story.host().id, 0, known.position)] == [known.position]
    assert len(await story.archive.bases.recent(story.host().id, 100)) == 8
    assert len(await history(story)) == 8


async def test_a_program_is_merged_at_once_while_the_journal_has_the_whole_log(story: Stage) -> None:
    """MERGE-1."""
    ann = await story.guest("Ann")
    story.archive.refuse(AWAY)
    outside(story, lambda text: text + "From outside.\n")
    await passing(12)
    assert ann.text == STORY + "From outside.\n"


async def test_a_program_that_may_have_read_what_only_the_archive_has_waits_for_it(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """MERGE-2: else its old words would take out newer ones."""
    monkeypatch.setattr(saver, "CHECKPOINT", 500)
    ann = await story.guest("Ann")
    old = story.file()
    for number in range(4):
        ann.append(f"New sentence {number}, which a program that is late has not seen.\n")
        await passing(12)
    assert (await story.journal.load(story.host().id)).checkpoint is not None
    story.archive.refuse(AWAY)
    outside(story, lambda _: old + "From outside.\n")
    await passing(12)
    assert "From outside" not in ann.text
    story.archive.refuse(None)
    await passing(120)
    assert "From outside" in ann.text
    assert ann.text.count("New sentence") == 4
    assert story.file() == ann.text


async def test_what_goes_for_good_while_the_archive_is_told_of_it_does_not_come_back(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """FILE-14."""
    ann = await story.guest("Ann")
    document = story.host().id
    story.archive.refuse(AWAY)
    ann.type("words ")
    await passing(12)
    story.archive.refuse(None)

    async def purged(word: str) -> None:
        if word == "version":
            await story.journal.forget(document)
            story.archive.disk.documents.pop(document, None)

    monkeypatch.setattr(story.archive, "_step", purged)
    await passing(60)
    assert document not in story.archive.disk.documents


async def test_a_document_of_which_the_archive_takes_nothing_holds_up_no_other(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """HISTORY-5."""
    refused, other = [(await story.files.stat(path)).id for path in (PATH, "other.md")]
    add = story.archive.versions.add

    async def picky(document: str, version: Version, body: bytes) -> None:
        if document == refused:
            raise Unavailable("the value is too large for the database")
        await add(document, version, body)

    monkeypatch.setattr(story.archive.versions, "add", picky)
    ann, bob = await story.guest("Ann"), await story.guest("Bob", path="other.md")
    ann.append("words\n")
    await passing(12)
    story.archive.refuse(AWAY)
    bob.append("words\n")
    await passing(12)
    assert {refused, other} == {each for each in (refused, other) if each in story.rooms.backlog}
    story.archive.refuse(None)
    await passing(60)
    assert other not in story.rooms.backlog
    newest = (await story.archive.versions.list(other, limit=1))[0]
    assert (await story.archive.versions.read(other, newest.number))[1] == story.files.peek("other.md")
    monkeypatch.undo()
    await passing(60)
    assert len(story.rooms.backlog) == 0


async def test_what_is_owed_again_as_soon_as_it_was_told_waits_longer_and_longer(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """HISTORY-5: a look at the file fails for something else than the archive, and is taken for that."""
    document, asked = (await story.files.stat(PATH)).id, 0
    await story.guest("Ann")
    listed = story.archive.versions.list

    async def counting(document: str, *, limit: int = 100, before: int | None = None) -> Sequence[Version]:
        nonlocal asked
        asked += 1
        return await listed(document, limit=limit, before=before)

    monkeypatch.setattr(story.archive.versions, "list", counting)
    monkeypatch.setattr(story.rooms.backlog, "_back", lambda: story.rooms.backlog.owe(document))
    story.rooms.backlog.owe(document)
    await passing(60)
    assert 1 < asked < 10


async def test_the_log_alone_makes_every_version_byte_for_byte(story: Stage) -> None:
    """HISTORY-5: any day of people and programs, mixed line ends, scripts and restorations."""
    for seed in range(scale(6, 200)):
        mixed = random.Random(seed)
        path = f"{seed}.md"
        story.files.poke(path, mixed.choice([STORY, STORY.replace("\n", "\r\n"), "\ufeff" + STORY, "a\r\nb\nc\rd\n", ""]).encode())
        ann = await story.guest("Ann", path=path)
        host = story.host(path)
        for turn in range(8):
            match mixed.choice(["type", "type", "erase", "outside", "put"]):
                case "erase" if ann.text.isascii() and len(ann.text) > 9:
                    ann.erase(2, 8)
                case "outside":
                    story.files.poke(path, story.files.peek(path) + f"Outside {turn}\n".encode())
                    story.rooms.noticed(host.id)
                case "put":
                    await story.documents.put(host.id, host.body() + b"Put\n", if_match="*", writer=person("Bob"))
                case _:
                    ann.type(f"{turn} 😀 ")
            await passing(mixed.choice([1, 12, 30]))
        await passing(30)
        told: list[Version] = list(reversed(await story.archive.versions.list(host.id, limit=100)))
        known = await story.journal.load(host.id)
        assert {record.kind for _, record in known.records} >= {Kind.SEED}
        made = sorted((version.number, version, body) for version, body in printed(known, untold(known, None)))
        assert [(number, version.hash, version.writers, version.source) for number, version, _ in made] == [
            (each.number, each.hash, each.writers, each.source) for each in told
        ], seed
        assert [body for _, _, body in made] == [(await story.archive.versions.read(host.id, each.number))[1] for each in told], seed
        ann.leave()
        await soon()
