"""An office suite and browsers write one text. A suite fetches once, says of no save what it had read, and does things to every text."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from notebooks import cell, notebook
from runtime.stage import PATH, Guest, Stage, passing, person, soon

from collab.errors import Conflict, NotText
from collab.ports import Kind
from collab.wopi.live import Live

if TYPE_CHECKING:
    from collab.ports import Stat

SUITE = person("Suite")
LINES = "".join(f"line {number}\n" for number in range(40))


def live(stage: Stage) -> Live:
    return Live(stage.documents, stage.rooms)


async def identity(stage: Stage, path: str = PATH) -> str:
    return (await stage.files.stat(path)).id


async def given(stage: Stage, path: str = PATH) -> str:
    """What a suite fetches."""
    return (await live(stage).give(await identity(stage, path)))[1].decode()


async def put(stage: Stage, text: str, path: str = PATH) -> Stat:
    """What it saves."""
    stat = await live(stage).put(await identity(stage, path), text.encode(), SUITE)
    await soon()
    return stat


async def unlock(stage: Stage) -> None:
    await live(stage).unlocked(await identity(stage))


async def typed(guest: Guest, text: str) -> None:
    guest.append(text)
    await soon()


async def test_what_a_suite_saves_again_and_again_leaves_what_is_typed_meanwhile(stage: Stage) -> None:
    """WOPI-16."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    for number in range(5):
        await typed(ann, f"typed {number}\n")
        text += f"saved {number}\n"
        await put(stage, text)
    await passing(30)
    words = [f"{who} {number}" for who in ("typed", "saved") for number in range(5)]
    assert sorted(ann.text.splitlines()) == sorted(["one", *words])
    assert stage.file() == ann.text


async def test_a_preview_does_not_move_what_a_suite_goes_on_from(stage: Stage) -> None:
    """WOPI-16: neither before its first save nor between two."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await typed(ann, "typed\n")
    await given(stage)
    await put(stage, text + "saved\n")
    await typed(ann, "more\n")
    await given(stage)
    await put(stage, text + "saved\nagain\n")
    assert sorted(ann.text.split()) == ["again", "more", "one", "saved", "typed"]


async def test_a_suite_that_fetches_again_may_take_out_what_was_typed(stage: Stage) -> None:
    """WOPI-16: the nearest, not the oldest, is what it had before it."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    await typed(ann, "typed here\n")
    text = await given(stage)
    assert text == "one\nsaved\ntyped here\n"
    await put(stage, text.replace("typed here", "typed there") + "new\n")
    assert ann.text == "one\nsaved\ntyped there\nnew\n"


async def test_what_a_suite_put_before_it_unlocked_is_not_what_the_next_one_goes_on_from(stage: Stage) -> None:
    """WOPI-19: the next one takes out just what was typed in between, so that its text is again what was put before."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    await unlock(stage)
    await typed(ann, "typed\n")
    assert await given(stage) == "one\nsaved\ntyped\n"
    await put(stage, "one\nsaved\n")
    assert ann.text == "one\nsaved\n"


async def test_a_lock_that_is_over_or_is_changed_ends_nothing(stage: Stage) -> None:
    """WOPI-19: who has the document open may lock it again, under the same id or another one, whoever looks at it meanwhile."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    await typed(ann, "typed\n")
    await given(stage)  # a preview
    await put(stage, text + "saved\nagain\n")
    assert sorted(ann.text.split()) == ["again", "one", "saved", "typed"]


async def test_a_suite_that_locks_again_and_fetches_nothing_goes_on_from_what_it_put(stage: Stage) -> None:
    """WOPI-19: it kept the document open."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    await unlock(stage)
    await typed(ann, "typed\n")
    await put(stage, text + "saved\nagain\n")
    assert sorted(ann.text.split()) == ["again", "one", "saved", "typed"]


async def test_whoever_leaves_out_just_what_came_between_two_fetches_may_never_have_seen_it(stage: Stage) -> None:
    """WOPI-16: a word too many rather than one that is lost."""
    ann = await stage.guest("Ann")
    await given(stage)
    await typed(ann, "typed\n")
    await given(stage)
    await put(stage, "one\nmore\n")
    assert sorted(ann.text.split()) == ["more", "one", "typed"]


async def test_a_body_that_comes_twice_is_one_edit_whatever_was_typed_in_between(stage: Stage) -> None:
    """WOPI-20: the answer was lost."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    await typed(ann, "typed\n")
    records = len(stage.steps)
    await put(stage, text + "saved\n")
    assert stage.steps[records:] == []
    ann.erase(ann.text.index("saved"), ann.text.index("saved") + 6)
    await soon()
    await put(stage, text + "saved\n")
    assert ann.text == "one\ntyped\n"


async def test_a_body_that_is_the_text_that_is_there_is_no_edit(stage: Stage) -> None:
    """WOPI-20."""
    ann = await stage.guest("Ann")
    await given(stage)
    await typed(ann, "typed\n")
    await put(stage, "one\ntyped\n")
    await put(stage, "one\ntyped\nmore\n")
    assert ann.text == "one\ntyped\nmore\n"


async def test_what_was_given_while_a_save_was_under_way_counts_on(stage: Stage) -> None:
    """WOPI-16: GetFile is answered before the save is durable."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await typed(ann, "typed\n")
    fetched: list[asyncio.Task[str]] = []

    async def fetch(word: str) -> None:
        if word == "append":
            stage.before = None
            fetched.append(asyncio.ensure_future(given(stage)))

    stage.before = fetch
    await put(stage, text + "saved\n")
    assert sorted((await fetched[0]).split()) == ["one", "saved", "typed"]
    await put(stage, (await fetched[0]).replace("typed", "typed over") + "more\n")
    assert sorted(ann.text.splitlines()) == ["more", "one", "saved", "typed over"]


@pytest.mark.parametrize("crashes", range(12))
async def test_a_crash_at_any_step_between_two_saves_loses_and_doubles_nothing(stage: Stage, crashes: int) -> None:
    """WOPI-20: the suite was not answered, and saves something else next."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "first save\n")
    await typed(ann, "typed\n")
    if crashes % 2:
        await put(stage, text + "first save\nsecond save\n")
    await passing(crashes)
    await stage.crash()
    await stage.rooms.open((await stage.files.stat(PATH)).id)
    await put(stage, text + "first save\nsecond save\nthird save\n")
    await passing(30)
    assert sorted(stage.file().split("\n")) == ["", "first save", "one", "second save", "third save", "typed"]


async def test_what_a_suite_may_have_outlives_restarts_and_checkpoints(stage: Stage) -> None:
    """WOPI-20, JOURNAL-7."""
    ann = await stage.guest("Ann")
    text = await given(stage)
    await put(stage, text + "saved\n")
    for number in range(40):
        await typed(ann, f"{number} " + "x" * 9_000 + "\n")
        await passing(12)
    assert [record.kind for _, record in (await stage.journal.load(stage.host().id)).records].count(Kind.SEED) == 0
    await stage.restart()
    await put(stage, text + "saved\nagain\n")
    await passing(30)
    assert [line[:6] for line in stage.file().split("\n") if "x" not in line] == ["one", "saved", "again", ""]
    assert stage.file().count("x" * 9_000) == 40


async def test_a_byte_order_mark_other_line_ends_and_one_at_the_end_are_no_edits(stage: Stage) -> None:
    """WOPI-17: of a file with several line ends, and none behind its last line."""
    path, body = "other.md", b"one\r\ntwo\rthree\r\n3"
    stage.files.poke(path, body)
    await given(stage, path)
    host = stage.host(path)
    await put(stage, "\ufeffone\ntwo\nthree\n3\n", path=path)
    assert host.body() == body
    await put(stage, "\ufeffone\ntwo 2\nthree\n3\n", path=path)
    assert host.body() == b"one\r\ntwo 2\rthree\r\n3"
    await stage.restart()
    await put(stage, "\ufeffone\r\ntwo 2\r\nthree\r\n3\r\nfour\r\n", path=path)
    await stage.restart()
    await stage.rooms.open((await stage.files.stat(path)).id)
    assert stage.host(path).body() == b"one\r\ntwo 2\rthree\r\n3\r\nfour"


async def test_a_file_that_has_a_byte_order_mark_keeps_it(stage: Stage) -> None:
    """WOPI-17."""
    stage.files.poke(PATH, b"\xef\xbb\xbfone\r\n")
    await given(stage)
    await put(stage, "one\ntwo\n")
    assert stage.host().body() == b"\xef\xbb\xbfone\r\ntwo\r\n"


async def test_a_table_is_merged_by_cell_with_what_is_typed_in_it(stage: Stage) -> None:
    """WOPI-18."""
    stage.files.poke("table.csv", b'name,qty\napple,1.50\npear,"2"\n')
    ann = await stage.guest("Ann", path="table.csv")
    await given(stage, "table.csv")
    ann.append("plum,007\n")
    await soon()
    await put(stage, '"name","qty"\n"apple",1.5\n"pear",3\n', path="table.csv")
    assert ann.text == 'name,qty\napple,1.50\npear,"3"\nplum,007\n'
    await put(stage, '"name","qty"\n"apple",1.5\n"pear",3\n"fig",4\n', path="table.csv")
    assert sorted(ann.text.splitlines()) == ["apple,1.50", 'fig,"4"', "name,qty", 'pear,"3"', "plum,007"]


async def test_what_is_no_text_is_refused_and_changes_nothing(stage: Stage) -> None:
    """WOPI-16."""
    await given(stage)
    with pytest.raises(NotText):
        await live(stage).put(await identity(stage), b"\xff\0", SUITE)
    await put(stage, "one\ntwo\n")
    assert stage.host().body() == b"one\ntwo\n"


async def test_who_was_never_given_anything_replaces_what_is_there_and_that_is_a_version(stage: Stage) -> None:
    """WOPI-21."""
    ann = await stage.guest("Ann")
    await typed(ann, "typed\n")
    await put(stage, "something else\n")
    assert ann.text == "something else\n"
    versions = await stage.archive.versions.list(stage.host().id)
    bodies = [(await stage.archive.versions.read(stage.host().id, each.number))[1] for each in versions]
    assert b"one\ntyped\n" in bodies


async def test_what_a_suite_had_and_nobody_knows_any_more_is_merged_from_the_nearest_that_is(stage: Stage) -> None:
    """WOPI-21."""
    stage.files.poke(PATH, LINES.encode())
    ann = await stage.guest("Ann")
    text = await given(stage)
    _forget(stage)
    await typed(ann, "typed\n")
    await put(stage, text + "saved\n")
    assert {"saved", "line 39"} <= {*ann.text.splitlines()}


async def test_what_is_near_to_nothing_that_is_known_is_refused_and_changes_nothing(stage: Stage) -> None:
    """WOPI-21."""
    stage.files.poke(PATH, LINES.encode())
    ann = await stage.page("Ann")
    await given(stage)
    _forget(stage)
    with pytest.raises(Conflict):
        await put(stage, "quite another text " * 40)
    assert ann.text == LINES


async def test_what_is_no_text_whatever_its_name_says_is_given_and_replaced_as_it_is(stage: Stage) -> None:
    """WOPI-16."""
    stage.files.poke(PATH, b"\xff\xfe\0")
    found = live(stage)
    assert (await found.give(await identity(stage)))[1] == b"\xff\xfe\0"
    await found.unlocked(await identity(stage))
    await put(stage, "text\n")
    assert stage.files.peek(PATH) == b"text\n"


def _forget(stage: Stage) -> None:
    """The log that made what was given is gone: another journal was put in its place."""
    ledger = stage.host().ledger
    ledger.office = replace(ledger.office, given=tuple(replace(each, merges=(10**6,)) for each in ledger.office.given))


async def test_a_notebook_is_merged_by_cell(stage: Stage) -> None:
    """WOPI-16, NOTEBOOK-5."""
    stage.files.poke("a.ipynb", notebook(cell("one", "a"), cell("two", "b")).encode())
    host = await stage.rooms.open((await stage.files.stat("a.ipynb")).id)
    await given(stage, "a.ipynb")
    await put(stage, notebook(cell("one more", "a"), cell("two", "b")), path="a.ipynb")
    assert host.room.document.sources() == {"a": "one more", "b": "two"}
