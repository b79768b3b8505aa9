"""LOCK: the storage's own lock of a document while its room is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import HOCUSPOCUS, PATH, YWEBSOCKET, Role, Stage, passing, person, soon

from collab.errors import Denied, Fenced, Locked, Unavailable
from collab.ports import Claim
from collab.storage.memory_locks import MemoryRoomLocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.dialects import Dialect

BOTH = pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda dialect: dialect.name)
SECONDS = 60.0


class Secured(Stage):
    """On a storage with locks."""

    locks: MemoryRoomLocks
    document: str


@pytest.fixture
async def stage() -> AsyncIterator[Secured]:
    made = Secured()
    made.files.poke(PATH, b"one\n")
    made.locks = MemoryRoomLocks(made.files, asyncio.get_running_loop().time, seconds=SECONDS)
    made.document = (await made.files.stat(PATH)).id
    await made.start()
    yield made
    await made.end()


async def test_the_lock_is_had_while_a_room_is_open_and_given_back_when_it_closes(stage: Secured) -> None:
    """LOCK-1."""
    ann = await stage.page("Ann")
    assert stage.locks.ours(stage.document) == 0
    await passing(10 * SECONDS)
    ann.append("x")
    await passing(5)
    assert (stage.locks.ours(stage.document), stage.file(), ann.file()) == (0, "one\nx", "saved")
    ann.leave()
    await passing(100)
    assert stage.rooms.hosts == []
    assert stage.locks.ours(stage.document) is None


async def test_the_lock_of_before_a_crash_is_taken_over_and_what_was_acknowledged_is_saved(stage: Secured) -> None:
    """LOCK-1."""
    ann = await stage.guest("Ann")
    ann.append("x")
    await soon()
    assert ann.statuses[-1] == 1
    await stage.crash()
    assert stage.locks.ours(stage.document) == 0
    await passing(5)
    assert stage.file() == "one\nx"


async def test_a_lock_that_takes_a_greater_number_is_never_taken_back_by_a_smaller_one(stage: Secured) -> None:
    """LOCK-1, NODES-2: a node that was paused writes nothing."""
    assert await stage.locks.take(stage.document, 7) is None
    with pytest.raises(Fenced):
        await stage.locks.take(stage.document, 6)
    assert not await stage.locks.refresh(stage.document, 6)
    await stage.locks.give(stage.document, 6)
    assert stage.locks.ours(stage.document) == 7
    assert await stage.locks.take(stage.document, 8) is None


@BOTH
async def test_what_somebody_else_has_locked_is_opened_for_reading_with_the_reason_and_can_be_written_when_it_is_free(
    stage: Secured, dialect: Dialect
) -> None:
    """LOCK-2."""
    stage.locks.seize(stage.document, "Eve", "Office", 100)
    ann, page = await stage.guest("Ann", dialect), await stage.page("Bob")
    ann.append("a")
    await soon()
    said = page.states[-1]
    assert {key: said[key] for key in ("writable", "why", "by", "application", "kept")} == {
        "writable": False,
        "why": "locked",
        "by": "Eve",
        "application": "Office",
        "kept": "",
    }
    assert page.scope == "readonly"
    if dialect.addressed:
        assert (ann.scope, ann.statuses[-1]) == ("readonly", 0)
    else:
        assert len(ann.denied) == 1
    with pytest.raises(Locked, match="Eve has the file open in Office"):
        await stage.documents.put(PATH, b"other\n", if_match="*", writer=person("Script"))
    stage.files.poke(PATH, b"one\ntwo\n")
    await passing(115)
    assert (page.scope, page.states[-1]["writable"], page.states[-1]["why"]) == ("read-write", True, "")
    assert page.text == ann.text
    assert sorted(page.text) == sorted("one\ntwo\na")
    page.append("b")
    await passing(5)
    assert stage.file() == page.text
    assert stage.locks.ours(stage.document) == 0


async def test_a_lock_that_is_lost_makes_everybody_a_reader_and_words_that_no_file_has_are_beside_it_until_they_are_merged(
    stage: Secured,
) -> None:
    """LOCK-3."""
    ann = await stage.page("Ann")
    ann.append("saved ")
    await passing(5)
    ann.append("new ")
    await soon()
    stage.locks.seize(stage.document, "Eve", "Office", 100)
    await passing(5)
    assert (ann.scope, ann.file(), ann.states[-1]["why"]) == ("readonly", "failed", "lost")
    kept = str(ann.states[-1]["kept"])
    assert stage.file(kept) == "one\nsaved new "
    stage.files.poke(PATH, b"zero\none\nsaved ")
    ann.append("not taken ")
    await passing(30)
    assert stage.file() == "zero\none\nsaved "
    await passing(80)
    assert (ann.scope, ann.states[-1]["why"]) == ("read-write", "")
    assert stage.file() == ann.text == "zero\none\nsaved new not taken "
    await passing(SECONDS)
    assert kept not in stage.files.paths()
    assert ann.file() == "saved"


async def test_a_lock_that_nobody_has_any_more_is_had_again_and_what_was_written_meanwhile_is_merged(stage: Secured) -> None:
    """LOCK-3: nobody need notice."""
    ann = await stage.page("Ann")
    stage.locks.lose(stage.document)
    stage.files.poke(PATH, b"zero\none\n")
    await passing(SECONDS / 3 + 1)
    assert stage.locks.ours(stage.document) == 0
    assert ann.text == "zero\none\n"
    assert {state["writable"] for state in ann.states} == {True}


async def test_while_the_storage_does_not_answer_people_go_on(stage: Secured) -> None:
    """LOCK-4: a write is looked at by its etag all the same."""
    ann = await stage.page("Ann")
    stage.locks.refusals |= {verb: Unavailable("away") for verb in ("take", "refresh", "give")}
    await passing(5 * SECONDS)
    ann.append("x")
    await passing(5)
    assert (ann.scope, stage.file()) == ("read-write", "one\nx")
    stage.locks.refusals.clear()
    await passing(SECONDS)
    assert stage.locks.ours(stage.document) == 0


async def test_who_only_reads_needs_no_lock_and_the_first_who_writes_has_it(stage: Secured) -> None:
    """LOCK-1: nobody is kept out because nobody here may lock."""
    stage.locks.refusals["take"] = Denied("not for readers")
    vera = await stage.page("Vera", role=Role.VIEWER)
    assert (vera.text, vera.states[-1]["why"]) == ("one\n", "")
    assert stage.locks.ours(stage.document) is None
    stage.locks.refusals.clear()
    ann = await stage.guest("Ann")
    await soon()
    assert stage.locks.ours(stage.document) == 0
    ann.append("x")
    await passing(5)
    assert stage.file() == "one\nx"


async def test_who_comes_while_it_is_locked_is_a_reader_too_and_a_role_that_changes_meanwhile_counts_later(stage: Secured) -> None:
    """LOCK-2, RIGHTS-3."""
    stage.locks.seize(stage.document, "", "", 50)
    ann, vera = await stage.page("Ann"), await stage.page("Vera", role=Role.VIEWER)
    assert vera.states[-1]["why"] == ""
    vera.sign_in(stage.token("Vera"))
    ann.sign_in(stage.token("Ann", Role.VIEWER))
    await soon()
    assert (ann.scope, vera.scope) == ("readonly", "readonly")
    assert (ann.states[-1]["why"], vera.states[-1]["why"]) == ("taken", "locked")
    await passing(65)
    assert (ann.scope, vera.scope) == ("readonly", "read-write")


async def test_words_that_were_typed_when_the_lock_was_lost_survive_a_crash(stage: Secured) -> None:
    """LOCK-3, JOURNAL-1."""
    ann = await stage.guest("Ann")
    ann.append("x")
    await soon()
    stage.locks.seize(stage.document, "Eve", "Office", 30)
    await stage.crash()
    await passing(20)
    assert stage.file() == "one\n"
    await passing(60)
    assert stage.file() == "one\nx"


async def test_somebody_elses_lock_is_told(stage: Secured) -> None:
    stage.locks.seize(stage.document, "Eve", "Office", 5)
    assert await stage.locks.take(stage.document, 1) == Claim("Eve", "Office", asyncio.get_running_loop().time())
    await passing(6)
    assert await stage.locks.take(stage.document, 1) is None
