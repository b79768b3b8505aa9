"""Who wrote what in a room, through restarts, crashes and checkpoints (AUTHORS-1 to AUTHORS-4, AUTHORS-6)."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from notebooks import NOTEBOOK, Reader, cell, notebook, sources
from runtime.stage import PATH, YWEBSOCKET, Guest, Stage, passing, person, soon
from scale import scale

from collab import protocol, updates
from collab.authorship import FILE, PROGRAM, UNKNOWN
from collab.errors import Unavailable
from collab.runtime import saver

if TYPE_CHECKING:
    from collab.shares import Picture, Share

LETTERS = {"ann": "aä😀", "bea": "bβ", "cal": "cç", FILE: "fƒ", PROGRAM: "pπ", "dot": "d"}
"""Each author has letters of its own, so that the text itself tells who wrote it."""
SEED = "ffff ƒƒƒ\n" * 3
WHOSE = {letter: author for author, letters in LETTERS.items() for letter in letters}


async def pictured(stage: Stage) -> Picture:
    return await stage.rooms.authors((await stage.files.stat(PATH)).id)


def share(picture: Picture, author: str) -> Share:
    (found,) = [each for each in picture.shares if each.author == author]
    return found


def told(picture: Picture) -> dict[str, int]:
    return {each.author: each.characters for each in picture.shares if each.characters}


def by_letters(text: str) -> dict[str, int]:
    """Blanks and line ends are the file's."""
    return dict(Counter(WHOSE.get(letter, FILE) for letter in text))


async def agree(stage: Stage) -> Picture:
    """The authors are those that the letters tell, in sums and in runs."""
    picture = await pictured(stage)
    text = stage.host().room.document.text()
    assert told(picture) == by_letters(text)
    assert sum(each.characters for each in picture.shares) == picture.length == len(text)
    assert [run.stop for run in picture.runs] == [*[run.start for run in picture.runs[1:]], *([len(text)] if text else [])]
    assert all(WHOSE.get(letter, FILE) == run.author for run in picture.runs for letter in text[run.start : run.stop])
    return picture


@pytest.fixture
async def found(stage: Stage) -> Stage:
    stage.files.poke(PATH, SEED.encode())
    return stage


async def test_characters_are_credited_to_whose_connection_brought_them(found: Stage) -> None:
    """AUTHORS-1: sums and runs, with what the file had and what was deleted."""
    ann, bea = await found.guest("Ann"), await found.guest("Bea", YWEBSOCKET)
    ann.type("aä😀", 4)
    await soon()
    bea.append("bβ")
    bea.erase(0, 2)
    await soon()
    picture = await agree(found)
    assert [(each.author, each.deleted) for each in picture.shares if each.deleted] == [("bea", 2)]
    assert share(picture, "ann").characters == 3


async def test_a_name_that_a_client_gives_itself_changes_nothing(found: Stage) -> None:
    """AUTHORS-1: neither in awareness nor as its client id."""
    ann, eve = await found.guest("Ann"), await found.guest("Eve")
    ann.type("a")
    eve.show('{"user": {"name": "Ann", "id": "ann", "color": "#123456"}}')
    eve.append("ee")
    await soon()
    assert told(await pictured(found)) == {FILE: len(SEED), "eve": 2, "ann": 1}


async def test_what_programs_and_scripts_write_is_theirs(found: Stage) -> None:
    """AUTHORS-1: a body without a name is another program's, over REST it is its writer's; equal work of two is the first one's."""
    ann = await found.guest("Ann")
    ann.type("aaa ")
    await passing(3)
    found.files.poke(PATH, found.file().replace("ffff ƒƒƒ\n", "ffff ƒƒƒpπ\n", 1).encode())
    found.rooms.noticed(found.host().id)
    await passing(30)
    text = found.file()
    await found.rooms.put(found.host().id, (text + "d").encode(), None, person("Dot"))
    await soon()
    picture = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 4, PROGRAM: 2, "dot": 1}


async def test_a_change_that_two_make_is_the_first_ones(found: Stage) -> None:
    """AUTHORS-1: what is not made a second time (MERGE-6) is nobody's, neither written nor deleted."""
    ann = await found.guest("Ann")
    await passing(30)
    ann.erase(0, 4)
    ann.type("aaaa")
    await soon()
    found.files.poke(PATH, ("aaaa" + SEED[4:]).encode())
    await passing(30)
    picture = await pictured(found)
    assert told(picture) == {"ann": 4, FILE: len(SEED) - 4}
    assert {each.author: each.deleted for each in picture.shares} == {"ann": 4, FILE: 0}


async def test_relayed_words_are_credited_to_the_owner_of_their_id(found: Stage) -> None:
    """AUTHORS-2: Bea brings what Ann had sent and a crash forgot; she is told as who relayed it."""
    ann = await found.guest("Ann")
    ann.type("a")
    await passing(3)
    bea = await found.guest("Bea")
    # Ann's next words reach Bea, and no disk.
    lost = ann.replica.insert(0, "ää")
    bea.replica.doc.apply_update(lost)
    ann.leave()
    await passing(1)
    bea.send(protocol.step2(bea.replica.doc.get_update(found.host().room.document.state_vector())))
    await soon()
    picture = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 3}
    assert share(picture, "ann").relayed == 2
    assert not [each for each in picture.shares if each.author == "bea"]


async def test_words_under_a_client_id_of_nobody_are_whose_connection_brought_them(found: Stage) -> None:
    """AUTHORS-2: where no owner is recorded, the connection counts."""
    bea = await found.guest("Bea")
    stranger = await found.guest("Ann")
    update = stranger.replica.insert(0, "bb")
    stranger.leave()
    bea.send(protocol.step2(update))
    await soon()
    assert told(await pictured(found)) == {FILE: len(SEED), "bea": 2}


async def test_a_squatted_client_id_is_refused_and_its_words_are_the_squatters(found: Stage) -> None:
    """AUTHORS-2, ID-1: Eve writes under Ann's client id at its next clock, while Ann has other words there."""
    ann, eve = await found.guest("Ann"), await found.guest("Eve")
    ann.type("a")
    await soon()
    eve.replica.doc.apply_update(found.host().room.document.encode())
    forged = Guest(eve.socket, eve.dialect, PATH, ann.replica.doc.client_id)
    forged.replica.doc.apply_update(found.host().room.document.encode())
    update = forged.replica.insert(0, "eeee")
    assert ann.replica.doc.client_id in updates.read(update).structs
    ann.replica.insert(0, "ä")
    eve.send(protocol.update(update))
    await soon()
    ann.send(protocol.step2(ann.replica.doc.get_update(b"\0")))
    await soon()
    assert eve.denied or eve.socket.closed
    picture = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 2, "eve": 4}


async def test_authors_outlive_checkpoints_restarts_and_crashes(found: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTHORS-3: whoever writes, whatever ends in between, the letters tell the same."""
    monkeypatch.setattr(saver, "CHECKPOINT", 2000)
    draw = random.Random(8)
    for _ in range(scale(12, 200)):
        # A file that was written outside rests before it is taken.
        await pictured(found)
        guests = [(name, await found.guest(name.title())) for name in draw.sample(["ann", "bea", "cal"], 2)]
        for _ in range(draw.randrange(12)):
            name, guest = draw.choice(guests)
            text = guest.text
            at = draw.randrange(len(text) + 1)
            place = len(text[:at].encode())
            if draw.random() < 0.3 and at < len(text):
                guest.erase(place, len(text[: at + draw.randrange(1, 4)].encode()))
            else:
                guest.type("".join(draw.choices(LETTERS[name], k=draw.randrange(1, 6))), place)
            if draw.random() < 0.4:
                await soon()
        await passing(draw.choice([0, 3, 30]))
        if draw.random() < 0.3:
            body = found.file()
            at = draw.randrange(len(body) + 1)
            found.files.poke(PATH, (body[:at] + "π" + body[at:]).encode())
        if draw.random() < 0.5:
            await agree(found)
        await draw.choice([found.crash, found.restart, soon, soon])()
    await passing(30)
    await agree(found)
    assert await found.archive.authors.get((await found.files.stat(PATH)).id), "a checkpoint was made"


async def test_what_is_kept_before_a_checkpoint_counts_once_whether_or_not_it_was_made(
    found: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUTHORS-3: a crash between the archive and the journal."""
    monkeypatch.setattr(saver, "CHECKPOINT", 200)
    ann = await found.guest("Ann")

    async def trouble(word: str) -> None:
        if word == "checkpoint":
            raise Unavailable("the disk is full")

    for number in range(8):
        ann.type("a" * (number + 1))
        await soon()
    found.before = trouble
    await passing(30)
    document = found.host().id
    kept = await found.archive.authors.get(document)
    assert kept is not None
    assert kept[0] > (await found.journal.load(document)).position == 0
    found.before = None
    await found.crash()
    ann = await found.guest("Ann")
    ann.erase(0, 1)
    await soon()
    picture = await agree(found)
    assert share(picture, "ann").characters == 35


async def test_a_document_from_before_tells_what_its_client_ids_tell(found: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTHORS-3: its archive has no authors, and the records are gone."""
    monkeypatch.setattr(saver, "CHECKPOINT", 200)
    ann = await found.guest("Ann")
    for _ in range(8):
        ann.type("a")
        await soon()
    ann.erase(0, 1)
    await passing(60)
    document = found.host().id
    await found.rooms.put(document, (found.file() + "p").encode(), None, person("Dot"))
    ann.type("a" * 300)
    await passing(60)
    await found.stop()
    log = await found.journal.load(document)
    assert log.checkpoint is not None
    found.archive.disk.documents.clear()
    await found.start()
    picture = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 307, UNKNOWN: 1}
    assert {each.author: each.deleted for each in picture.shares} == {FILE: 0, "ann": 0, UNKNOWN: 1}


async def test_authors_of_another_history_count_nothing(found: Stage) -> None:
    """AUTHORS-3: the journal was lost, the archive was not; the document begins anew."""
    ann = await found.guest("Ann")
    ann.type("aaa")
    await passing(30)
    document = found.host().id
    picture = await pictured(found)
    log = await found.journal.load(document)
    await found.rooms._open[document].credits.keep(log, found.host().room.document.lineage)
    await found.stop()
    await found.journal.forget(document)
    await found.start()
    again = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 3}
    assert told(again) == {FILE: len(SEED) + 3}


async def test_the_authors_of_a_notebook_are_those_of_its_sources(stage: Stage) -> None:
    """AUTHORS-1: outputs and metadata are nobody's words."""
    study = notebook(cell("ff", "one"), cell("print(ƒ)", "two", outputs=[{"output_type": "stream", "name": "stdout", "text": "ffff"}]))
    stage.files.poke(NOTEBOOK, study.encode())
    ann = Reader(await stage.guest("Ann", path=NOTEBOOK))
    bea = Reader(await stage.guest("Bea", path=NOTEBOOK))
    ann.append("one", "aä😀")
    await soon()
    bea.type("two", "bb", 3)
    bea.do(lambda: bea.text("one").__delitem__(slice(0, 1)))
    await soon()
    ann.add(1, cell("a\na", "three"))
    await passing(30)
    body = stage.files.peek(NOTEBOOK)
    assert sources(body) == ["faä😀", "a\na", "pribbnt(ƒ)"]
    await stage.rooms.put(stage.host(NOTEBOOK).id, body.replace(b"nt(", b"nt(d"), None, person("Dot"))
    await soon()
    picture = await stage.rooms.authors(stage.host(NOTEBOOK).id)
    assert told(picture) == {"ann": 6, "bea": 2, "dot": 1, FILE: 9}
    assert picture.length == len("faä😀a\napribbnt(dƒ)")
    assert share(picture, "bea").deleted == 1


async def test_times_are_those_of_the_records_about(found: Stage) -> None:
    """AUTHORS-4: an edit is dated when it is saved, or when somebody asks before."""
    ann = await found.guest("Ann")
    await passing(100)
    ann.type("a")
    await soon()
    asked = share(await pictured(found), "ann")
    assert asked.first is not None
    assert asked.first == asked.last
    assert 100 <= asked.first <= 101
    await passing(1000)
    ann.type("a")
    await passing(30)
    later = share(await pictured(found), "ann")
    assert later.first is not None
    assert later.last is not None
    assert 100 <= later.first <= 111
    assert 1100 <= later.last <= 1111


async def test_who_is_erased_is_nobody_and_comes_back_as_somebody_else(found: Stage) -> None:
    """AUTHORS-6: words stay, the name does not come back with them."""
    ann = await found.guest("Ann")
    ann.type("aa")
    await passing(30)
    assert await found.archive.authors.erase("ann")
    ann.type("a")
    await passing(30)
    again = await found.guest("Ann")
    again.type("aaaa")
    await soon()
    assert ann.socket.closed is None
    picture = await pictured(found)
    assert told(picture) == {FILE: len(SEED), "ann": 3, "ann~1": 4}
    assert await found.archive.authors.names(["ann", "ann~1"]) == {"ann~1": "Ann"}
    assert (await found.guest("Ann")).socket.closed is None
    assert await found.archive.authors.names(["ann~2"]) == {}
