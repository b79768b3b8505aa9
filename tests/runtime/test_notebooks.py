"""Notebooks as live documents (NOTEBOOK-1 to NOTEBOOK-10)."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from notebooks import NOTEBOOK, Reader, cell, notebook, sources
from pycrdt import Array, Map, Text, XmlFragment, merge_updates
from runtime.stage import Stage, passing, person, soon
from scale import scale
from sim.virtual import at_once

from collab import protocol
from collab.access import Grant, Role
from collab.errors import NotText, TooLarge
from collab.finding import Query
from collab.ports import Kind
from collab.runtime.history import History
from collab.runtime.search import Found, Search, Where
from collab.session import Limits
from collab.updates import read_state_vector

if TYPE_CHECKING:
    from collections.abc import Callable

STUDY = notebook(
    cell("# Title", "title", "markdown"),
    cell("x = 1\ny = 2\n", "first"),
    cell("print(x)", "second", outputs=[{"output_type": "stream", "name": "stdout", "text": "1\n2\n"}], execution_count=3),
    kernelspec={"name": "python3", "display_name": "Python 3"},
)


@pytest.fixture
async def study(stage: Stage) -> Stage:
    stage.files.poke(NOTEBOOK, STUDY.encode())
    return stage


async def reader(stage: Stage, name: str = "Ann") -> Reader:
    return Reader(await stage.guest(name, path=NOTEBOOK))


def outside(stage: Stage, body: str) -> None:
    """Another program rewrites the file, and the watch tells it."""
    stage.files.poke(NOTEBOOK, body.encode())
    stage.rooms.noticed(stage.host(NOTEBOOK).id)


async def settled(stage: Stage, *readers: Reader) -> list[str]:
    """Everybody and the file are equal; gives the sources."""
    await passing(60)
    found = sources(stage.files.peek(NOTEBOOK))
    for each in readers:
        assert each.sources == found
    assert stage.files.peek(NOTEBOOK) == stage.host(NOTEBOOK).body()
    return found


def edited(body: str, **changes: Any) -> str:
    """A file with other sources for some cells, written by a program that writes JSON as it likes."""
    value = json.loads(body)
    for each in value["cells"]:
        if each["id"] in changes:
            each["source"] = changes[each["id"]].splitlines(keepends=True)
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


async def test_a_notebook_is_shared_as_its_cells_and_says_so(study: Stage) -> None:
    """NOTEBOOK-1."""
    ann = await reader(study)
    assert ann.sources == ["# Title", "x = 1\ny = 2\n", "print(x)"]
    assert ann.ids == ["title", "first", "second"]
    assert ann.root("collab").get("format") == "notebook"
    assert str(ann.cells[2]["outputs"][0]["text"]) == "1\n2\n"


async def test_two_people_edit_one_cell_and_others_and_the_rest_keeps_its_bytes(study: Stage) -> None:
    """NOTEBOOK-2, NOTEBOOK-3."""
    ann, ben = await reader(study), await reader(study, "Ben")
    ann.append("first", "z = 3\n")
    ben.type("first", "w = 0\n")
    ben.type("title", "A ", 2)
    await soon()
    found = await settled(study, ann, ben)
    assert found == ["# A Title", "w = 0\nx = 1\ny = 2\nz = 3\n", "print(x)"]
    assert study.files.peek(NOTEBOOK).decode() == edited(STUDY, title="# A Title", first="w = 0\nx = 1\ny = 2\nz = 3\n")


async def test_what_was_opened_and_not_edited_is_not_written_also_after_a_restart(study: Stage) -> None:
    """SAVE-9, NOTEBOOK-2."""
    await reader(study)
    await passing(60)
    assert study.file(NOTEBOOK) == STUDY
    assert study.host(NOTEBOOK).body() == STUDY.encode()
    await study.restart()
    ann = await reader(study)
    ann.type("second", "# ")
    assert await settled(study, ann) == ["# Title", "x = 1\ny = 2\n", "# print(x)"]


async def test_cells_that_are_added_removed_and_moved_are_in_the_file(study: Stage) -> None:
    """NOTEBOOK-3."""
    ann, ben = await reader(study), await reader(study, "Ben")
    ann.add(1, cell("new = 1", "new"))
    ben.remove("second")
    await soon()
    ann.move("title", 2)
    assert await settled(study, ann, ben) == ["new = 1", "x = 1\ny = 2\n", "# Title"]


async def test_an_outside_edit_is_merged_cell_by_cell_into_the_sources_that_people_type_in(study: Stage) -> None:
    """NOTEBOOK-5."""
    ann = await reader(study)
    source = ann.text("first")
    ann.append("first", "typed = 4\n")
    outside(study, edited(STUDY, first="x = 100\ny = 2\n"))
    assert await settled(study, ann) == ["# Title", "x = 100\ny = 2\ntyped = 4\n", "print(x)"]
    assert str(source) == "x = 100\ny = 2\ntyped = 4\n", "the cell is still that cell"


async def test_words_that_one_branch_has_and_another_has_not_stay_however_often_they_are_checked_out(study: Stage) -> None:
    """MERGE-3: cells of the other branch come and go, and so does a cell that it moves."""
    ann = await reader(study)
    ann.append("first", "one\n")
    await passing(20)
    value = json.loads(STUDY)
    value["cells"] = [value["cells"][2], json.loads(notebook(cell("branch", "branch")))["cells"][0], *value["cells"][:2]]
    main, other = study.files.peek(NOTEBOOK).decode(), json.dumps(value, indent=1) + "\n"
    typed = ["one\n"]
    for body in (other, main, other, main, other, main):
        typed.append(f"{len(typed)}\n")
        ann.append("first", typed[-1])
        outside(study, body)
        await passing(1.5)
        assert ann.ids == (["second", "branch", "title", "first"] if body is other else ["title", "first", "second"])
        assert ann.cells[ann.ids.index("first")]["source"].to_py() == "x = 1\ny = 2\n" + "".join(typed)
    assert await settled(study, ann) == ["# Title", "x = 1\ny = 2\n" + "".join(typed), "print(x)"]


class Program:
    """A program that rewrites cells of what it had read a while ago, as nbconvert or a formatter does."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.random = random.Random(seed)
        self.words: list[str] = []

    def word(self) -> str:
        self.words.append(f"program{len(self.words):02}")
        return self.words[-1]

    def rewritten(self, body: bytes) -> str:
        """A word into one line, sometimes a cell more, outputs and counts anew."""
        value = json.loads(body)
        chosen = self.random.choice(value["cells"])
        lines = "".join(chosen["source"]).split("\n")
        spot = self.random.randrange(len(lines))
        lines[spot] = f"{self.word()} {lines[spot]}"
        chosen["source"] = "\n".join(lines).splitlines(keepends=True)
        if self.random.random() < 0.2:
            word = self.word()
            value["cells"].insert(self.random.randrange(len(value["cells"]) + 1), cell(word, word))
        for each in value["cells"]:
            if each["cell_type"] == "code":
                each["execution_count"] = self.random.randrange(100)
                each["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [f"{self.random.random()}\n"]}]
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("seed", range(scale(2, 200)))
async def test_a_program_rewrites_the_file_fifty_times_from_what_it_had_read_while_three_people_type(study: Stage, seed: int) -> None:
    """NOTEBOOK-5: each word is there once, no conflict copy, a valid notebook."""
    people = [await reader(study, name) for name in ("Ann", "Ben", "Cem")]
    program = Program(study, seed)
    typed: list[str] = []
    for _ in range(50):
        read = study.files.peek(NOTEBOOK)
        for _ in range(program.random.randrange(1, 6)):
            who = program.random.choice(people)
            typed.append(f"typed{len(typed):03}")
            who.type(program.random.choice(who.ids), typed[-1] + " ")
            await passing(program.random.random())
        outside(study, program.rewritten(read))
        await passing(1.5)
    found = await settled(study, *people)
    assert Counter(re.findall(r"(?:typed|program)\d+", " ".join(found))) == dict.fromkeys([*typed, *program.words], 1)
    assert study.files.paths() == sorted(["notes.md", "other.md", NOTEBOOK])


# --- cells that are moved


async def test_typing_into_a_cell_that_somebody_moves_comes_into_its_copy(study: Stage) -> None:
    """NOTEBOOK-6."""
    ann, ben = await reader(study), await reader(study, "Ben")
    late = [ben.type("first", "late0 ", 4, send=False), ben.type("first", "late1 ", 4, send=False)]
    ann.move("first", 2)
    ann.append("first", "z = 3\n")
    ann.move("first", 0)
    await soon()
    for update in late:
        ben.guest.send(protocol.update(update))
        await soon()
    assert await settled(study, ann, ben) == ["x = late1 late0 1\ny = 2\nz = 3\n", "# Title", "print(x)"]
    assert ann.ids == ["first", "title", "second"]


async def back(study: Stage, name: str, before: Reader) -> Reader:
    """Somebody comes back with the document of before."""
    guest = study.on(study.socket(), path=NOTEBOOK)
    guest.replica, guest.pending = before.guest.replica, before.guest.pending
    guest.sign_in(study.token(name))
    guest.step1()
    await soon()
    return Reader(guest)


@pytest.mark.parametrize("waits", ["nothing", "words that nobody has", "words of somebody who is here"])
@pytest.mark.parametrize("source", ["x = 1\n", ""])
async def test_what_others_type_into_a_cell_that_somebody_moves_without_a_connection_comes_into_its_copy(
    stage: Stage, source: str, waits: str
) -> None:
    """NOTEBOOK-6: who comes back hears of their words with the cell out already, and says that he took them out with it."""
    stage.files.poke(NOTEBOOK, notebook(cell("# Title", "title"), cell(source, "first"), cell("print(x)", "second")).encode())
    ann, ben, cem = await reader(stage), await reader(stage, "Ben"), await reader(stage, "Cem")
    cem.guest.show()
    await soon()
    said = [cem.type("title", each, 7, send=False) for each in ("two", "one ")]
    if waits == "words that nobody has":
        ann.guest.pending = said[1]
    elif waits == "words of somebody who is here":
        ann.doc.apply_update(merge_updates(*said))
    ann.guest.leave()
    ann.move("first", 2, send=False)
    ann.append("first", "ann\n")
    ben.type("first", "ben\n")
    await soon()
    ann = await back(stage, "Ann", ann)
    await passing(60)
    for update in said:
        cem.guest.send(protocol.update(update))
    *others, copy = await settled(stage, ann, ben, cem)
    assert others == ["# Titleone two", "print(x)"]
    assert sorted(copy.splitlines()) == ["ann", "ben", *source.splitlines()]


async def test_a_cell_that_two_people_move_is_there_once_with_what_both_typed(study: Stage) -> None:
    """NOTEBOOK-6."""
    ann, ben = await reader(study), await reader(study, "Ben")
    updates = [ben.move("first", 0, send=False), ben.type("first", "ben ", send=False)]
    ann.move("first", 2)
    ann.append("first", "ann\n")
    await soon()
    for update in updates:
        ben.guest.send(protocol.update(update))
    found = await settled(study, ann, ben)
    assert sorted(found) == ["# Title", "ben x = 1\ny = 2\nann\n", "print(x)"]


async def test_typing_into_a_cell_that_a_program_moves_comes_into_its_copy(study: Stage) -> None:
    """NOTEBOOK-5, NOTEBOOK-6."""
    ann = await reader(study)
    ann.append("first", "typed = 4\n")
    value = json.loads(STUDY)
    value["cells"].insert(0, value["cells"].pop(1))
    value["cells"][0]["source"][0] = "x = 100\n"
    outside(study, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    found = await settled(study, ann)
    assert found == ["x = 100\ny = 2\ntyped = 4\n", "# Title", "print(x)"]
    await study.restart()
    again = await reader(study)
    assert again.sources == found


def moved(body: str, **changes: Any) -> str:
    """The file of a program that moves its first cell to the end."""
    value = json.loads(edited(body, **changes))
    value["cells"].append(value["cells"].pop(0))
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


async def test_words_that_come_while_a_move_becomes_durable_come_into_the_copy(study: Stage) -> None:
    """NOTEBOOK-6: the merge is in the log, and not yet in the text."""
    ann = await reader(study)
    study.journal.refuse("the disk is slow")
    outside(study, moved(STUDY))
    await passing(1.5)
    ann.append("title", " meanwhile")
    await soon()
    study.journal.refuse(None)
    assert await settled(study, ann) == ["x = 1\ny = 2\n", "print(x)", "# Title meanwhile"]


async def test_a_program_that_moves_a_cell_soon_after_its_last_change_doubles_no_word(stage: Stage) -> None:
    """MERGE-2: what it had read is sought cell by cell, wherever the cells are now."""
    start = notebook(cell("first line\nsecond line é😀\n", "one"), cell("third line", "two"), cell("last", "three"))
    stage.files.poke(NOTEBOOK, start.encode())
    ann = await reader(stage)
    ann.append("three", " typed")
    outside(stage, edited(start, two="third -line"))
    await passing(1.5)
    outside(stage, moved(start, two="third -line", three="+last"))
    assert await settled(stage, ann) == ["third -line", "+last typed", "first line\nsecond line é😀\n"]


async def test_words_that_came_late_for_a_moved_cell_and_were_forgotten_by_a_crash_come_once(study: Stage) -> None:
    """NOTEBOOK-6: nobody has seen them in the copy who would bring them from there, too."""
    ann, ben = await reader(study), await reader(study, "Ben")
    late = ann.type("title", " late", 7, send=False)
    outside(study, moved(STUDY))
    await passing(1.5)
    study.journal.refuse("the disk is slow")
    ann.guest.send(protocol.update(late))
    await soon()
    assert ben.sources == ["x = 1\ny = 2\n", "print(x)", "# Title"]
    await study.crash()
    again = await reader(study, "Ben")
    again.guest.send(protocol.update(ben.guest.replica.doc.get_update()))
    again.guest.send(protocol.update(late))
    assert await settled(study, again) == ["x = 1\ny = 2\n", "print(x)", "# Title late"]


async def moved_twice(study: Stage, *, away: bool = False) -> tuple[Reader, Reader]:
    """Ben and Cem, when Ann and Ben have moved a cell at once, Cem typed into Ann's copy, and the server took that out again, which is not durable.
    `away`: Cem is not there.
    """
    ann, ben, cem = await reader(study), await reader(study, "Ben"), await reader(study, "Cem")
    second = ben.move("first", 0, send=False)
    ann.move("first", 2)
    ann.append("first", "ann\n")
    await soon()
    cem.type("first", "cem ", send=False)
    if away:
        cem.guest.leave()
    study.journal.refuse("the disk is slow")
    ben.guest.send(protocol.update(second))
    await soon()
    return ben, cem


@pytest.mark.parametrize("away", [False, True])
async def test_words_in_a_copy_that_the_server_takes_out_survive_a_crash_before_that_is_durable(study: Stage, *, away: bool) -> None:
    """NOTEBOOK-6: nobody is told before, not even who comes just then: that and the words would come back in one."""
    ben, cem = await moved_twice(study, away=away)
    if away:
        cem = await back(study, "Cem", cem)
    assert cem.sources[-1] == "cem x = 1\ny = 2\nann\n"
    await study.crash()
    ben, cem = await back(study, "Ben", ben), await back(study, "Cem", cem)
    assert sorted(await settled(study, ben, cem)) == ["# Title", "cem x = 1\ny = 2\nann\n", "print(x)"]


@pytest.mark.parametrize("early", [False, True])
async def test_who_does_not_read_meanwhile_is_told_when_it_is_durable(study: Stage, *, early: bool) -> None:
    """SYNC-6, NOTEBOOK-6: be it that they read again before."""
    ben, cem = await moved_twice(study)
    cem.guest.socket.stall()
    await soon()
    if early:
        cem.guest.socket.drain()
        await soon()
        assert cem.sources[-1] == "cem x = 1\ny = 2\nann\n"
    study.journal.refuse(None)
    await soon()
    if not early:
        cem.guest.socket.drain()
    cem.guest.send(protocol.update(cem.doc.get_update()))
    assert sorted(await settled(study, ben, cem)) == ["# Title", "cem x = 1\ny = 2\nann\n", "print(x)"]


async def test_others_get_late_words_before_what_their_writer_typed_behind_them_also_when_that_one_leaves(study: Stage) -> None:
    """SYNC-3, NOTEBOOK-6."""
    ann, ben = await reader(study), await reader(study, "Ben")
    late = ben.type("title", " late", 7, send=False)
    outside(study, moved(STUDY))
    await passing(1.5)
    study.journal.refuse("the disk is slow")
    ann.guest.updates.clear()
    ben.guest.send(protocol.update(late))
    ben.append("second", " # behind")
    ben.guest.leave()
    await soon()
    assert ann.guest.updates == []
    study.journal.refuse(None)
    assert await settled(study, ann) == ["x = 1\ny = 2\n", "print(x) # behind", "# Title late"]


async def test_words_typed_into_a_cell_that_a_program_moves_survive_a_crash_right_behind_the_merge(study: Stage) -> None:
    """NOTEBOOK-6, JOURNAL-6."""
    ann = await reader(study)
    ann.append("first", "typed = 4\n")
    await soon()
    value = json.loads(STUDY)
    value["cells"].insert(0, value["cells"].pop(1))
    outside(study, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    host = study.host(NOTEBOOK)
    while not any(record.kind is Kind.MERGE for _, record in (await study.journal.load(host.id)).records):
        await passing(0.01)
    await study.crash()
    ben = await reader(study, "Ben")
    assert await settled(study, ben) == ["x = 1\ny = 2\ntyped = 4\n", "# Title", "print(x)"]


@pytest.mark.parametrize("seed", range(scale(12, 2_000)))
async def test_whatever_is_typed_while_cells_are_moved_is_there_once(study: Stage, seed: int) -> None:
    """NOTEBOOK-6: people type and move, and what they do reaches the server later, each in its own order."""
    rng = random.Random(seed)
    people = [await reader(study, name) for name in ("Ann", "Ben", "Cem")]
    underway: list[list[bytes]] = [[] for _ in people]
    typed: list[str] = []
    for _ in range(30):
        number = rng.randrange(len(people))
        who, what = people[number], rng.random()
        if what < 0.45:
            name = rng.choice(who.ids)
            typed.append(f"typed{len(typed):02}")
            spots = [0, *(found.end() for found in re.finditer(r"\s", str(who.text(name))))]
            underway[number].append(who.type(name, typed[-1] + " ", rng.choice(spots), send=False))
        elif what < 0.57:
            underway[number].append(who.move(rng.choice(who.ids), rng.randrange(3), send=False))
        elif underway[number]:
            who.guest.send(protocol.update(underway[number].pop(0)))
            await soon()
    for who, waiting in zip(people, underway, strict=True):
        for update in waiting:
            who.guest.send(protocol.update(update))
            await soon()
    found = await settled(study, *people)
    assert Counter(re.findall(r"typed\d\d", " ".join(found))) == dict.fromkeys(typed, 1)
    assert sorted(re.sub(r"typed\d\d ", "", each) for each in found) == ["# Title", "print(x)", "x = 1\ny = 2\n"]


async def test_different_cells_with_one_id_both_stay(study: Stage) -> None:
    """NOTEBOOK-4."""
    ann, ben = await reader(study), await reader(study, "Ben")
    ann.add(0, cell("a = 1", "same"))
    ben.add(3, cell("b = 2", "same"))
    found = await settled(study, ann, ben)
    assert sorted(found) == ["# Title", "a = 1", "b = 2", "print(x)", "x = 1\ny = 2\n"]
    assert len(set(ann.ids)) == 5


# --- what is no cell

BAD: list[Callable[[Reader], object]] = [
    lambda each: each.cells.insert(0, "no cell"),
    lambda each: each.cells.insert(0, Text("no cell")),
    lambda each: each.cells.insert(0, Map({"id": "a", "cell_type": "code", "source": "no text"})),
    lambda each: each.cells[0].update({"source": Array(["no text"])}),
    lambda each: each.text("first").insert_embed(0, {"a": 1}),
    lambda each: each.cells.insert(0, Map({"id": "a", "source": Text("a"), "metadata": Map({"x": XmlFragment()})})),
]


@pytest.mark.parametrize("number", range(len(BAD)))
async def test_what_is_no_cell_is_refused_and_nobody_else_notices(study: Stage, number: int) -> None:
    """NOTEBOOK-4."""
    ann, mallory = await reader(study), await reader(study, "Mallory")
    mallory.do(lambda: BAD[number](mallory))
    await soon()
    assert mallory.guest.denied or mallory.guest.socket.closed or 0 in mallory.guest.statuses
    ann.type("title", "!")
    assert await settled(study, ann) == ["!# Title", "x = 1\ny = 2\n", "print(x)"]


ODD: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"source": Text("words")}, "words"),
    ({"source": Text("words"), "cell_type": 7, "metadata": "none", "id": "not an id!"}, "words"),
    ({"source": Text("words"), "cell_type": "code", "outputs": ["x", 3], "execution_count": "seven"}, "words"),
    ({"source": Text("a\r\nb\rc"), "cell_type": "markdown", "outputs": Array([]), "execution_count": None}, "a\nb\nc"),
]


@pytest.mark.parametrize("number", range(len(ODD)))
async def test_an_odd_cell_is_put_right_in_the_file_and_loses_no_word(study: Stage, number: int) -> None:
    """NOTEBOOK-4."""
    ann, ben = await reader(study), await reader(study, "Ben")
    given, words = ODD[number]
    ben.do(lambda: ben.cells.insert(1, Map(dict(given))))
    ann.type("title", "!")
    await passing(60)
    assert sources(study.files.peek(NOTEBOOK)) == ["!# Title", words, "x = 1\ny = 2\n", "print(x)"]
    assert read_state_vector(ann.doc.get_state()) == read_state_vector(ben.doc.get_state())
    await study.restart()
    cem = await reader(study, "Cem")
    cem.type("title", "?")
    await passing(60)
    assert sources(study.files.peek(NOTEBOOK))[0] == "?!# Title"


# --- what is no notebook


@pytest.mark.parametrize("body", ["{broken", '{"worksheets": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}', ""])
async def test_what_is_no_notebook_is_edited_as_text(stage: Stage, body: str) -> None:
    """NOTEBOOK-1."""
    stage.files.poke(NOTEBOOK, body.encode())
    ann = await stage.page("Ann", path=NOTEBOOK)
    assert (ann.text, ann.states[-1]["format"]) == (body, "text")
    ann.append(" mended")
    await passing(60)
    assert stage.file(NOTEBOOK) == body + " mended"


async def test_a_file_that_is_broken_outside_stays_as_it_is_and_the_page_says_why(study: Stage) -> None:
    """NOTEBOOK-5: what cannot be read is never overwritten; when it is mended, all is merged."""
    ann = Reader(await study.page("Ann", path=NOTEBOOK))
    ann.type("title", "A ", 2)
    broken = STUDY.replace('"cells": [', '"cells": [\n<<<<<<< ours')
    outside(study, broken)
    await passing(60)
    assert study.file(NOTEBOOK) == broken
    assert ann.guest.file() == "failed"
    assert "line 3" in str(ann.guest.states[-1]["detail"])
    outside(study, edited(STUDY, second="print(y)"))
    assert await settled(study, ann) == ["# A Title", "x = 1\ny = 2\n", "print(y)"]


# --- REST, history, search


async def test_a_script_puts_a_whole_notebook_and_it_is_merged_cell_by_cell(study: Stage) -> None:
    """NOTEBOOK-7, MERGE-7."""
    ann = await reader(study)
    stat, body = await study.documents.content(NOTEBOOK, keep=True)
    assert body == STUDY.encode()
    ann.append("first", "typed = 4\n")
    await passing(5)
    put = edited(STUDY, first="x = 100\ny = 2\n").encode()
    _, more = await study.documents.put(NOTEBOOK, put, if_match=stat.etag, writer=person("Script"))
    assert more
    assert await settled(study, ann) == ["# Title", "x = 100\ny = 2\ntyped = 4\n", "print(x)"]
    with pytest.raises(NotText, match="no list of cells"):
        await study.documents.put(NOTEBOOK, b"{}", if_match="*", writer=person("Script"))


@pytest.mark.parametrize(
    ("scripts", "programs"),
    [("mean", "standard deviation"), ("import numpy as np", "import pandas as pd"), ("see below", "x = compute(17)")],
)
@pytest.mark.parametrize("at", [1, 2, 3])
async def test_short_cells_that_a_script_and_a_program_put_in_at_once_are_both_there(
    study: Stage, scripts: str, programs: str, at: int
) -> None:
    """NOTEBOOK-3, MERGE-1: the program had read the file, and not what the script made of it, however alike the two cells are."""
    await reader(study)
    stat, body = await study.documents.content(NOTEBOOK)
    put, file = json.loads(body), json.loads(STUDY)
    put["cells"].insert(2, json.loads(notebook(cell(scripts, "scripts")))["cells"][0])
    file["cells"].insert(at, json.loads(notebook(cell(programs, "programs")))["cells"][0])
    await study.documents.put(NOTEBOOK, json.dumps(put, indent=1).encode(), if_match=stat.etag, writer=person("Script"))
    outside(study, json.dumps(file, indent=1) + "\n")
    await passing(60)
    found = sources(study.files.peek(NOTEBOOK))
    assert sorted(found) == sorted([*sources(STUDY), scripts, programs])


async def test_versions_of_notebooks_come_back_byte_for_byte_and_differ_in_words(study: Stage) -> None:
    """NOTEBOOK-7, HISTORY-2."""
    history = History(study.documents, study.archive.versions, study.archive.authors, at_once)
    ann = await reader(study)
    ann.type("second", "# shown\n")
    await passing(60)
    document = study.host(NOTEBOOK).id
    versions, _ = await history.entries(document, before=None, limit=9)
    assert (await history.one(document, versions[-1].number))[1] == STUDY.encode()
    _, found = await history.difference(document, versions[0].number, None)
    assert [(each.kind, each.text) for each in found if each.kind != "same"] == [("added", "# shown\n")]
    assert found[0].text.startswith("## 1 markdown\n\n# Title\n")
    await history.restore(document, versions[-1].number, person("Ann"))
    await passing(60)
    assert study.file(NOTEBOOK) == STUDY


async def test_a_search_reads_sources_and_no_outputs(stage: Stage) -> None:
    """NOTEBOOK-7."""
    picture = {"output_type": "display_data", "data": {"image/png": "needle" * 9}, "metadata": {}}
    stage.files.poke(NOTEBOOK, notebook(cell("# has a Needle", "title", "markdown"), cell("x", "x", outputs=[picture])).encode())
    search = Search(stage.rooms, stage.files, stage.documents, Query.of("needle"), Where.CONTENT, aside=at_once)
    found = [event async for event in search.below("") if isinstance(event, Found)]
    assert [each.stat.path for each in found] == [NOTEBOOK]
    assert [match.line for match in found[0].matches] == [3]


# --- limits


LIMITS = Limits(text=100, notebook=1_400)


@pytest.fixture
def bounded(stage: Stage) -> Stage:
    stage.limits = stage.rooms.limits = LIMITS
    return stage


def long(size: int) -> bytes:
    return notebook(cell("x" * size, "long")).encode()


async def test_a_notebook_over_its_limit_is_refused_in_words_and_not_changed(bounded: Stage) -> None:
    """NOTEBOOK-10: when it is opened, and when a script puts it."""
    bounded.files.poke("larger.ipynb", long(1_400))
    bounded.files.poke(NOTEBOOK, long(1_000))
    ann = await reader(bounded)
    with pytest.raises(TooLarge, match="can be downloaded, not edited here"):
        await bounded.rooms.enter("larger.ipynb", Grant(person("Ann"), Role.EDITOR))
    for body in (long(1_400), long(9_000)):
        with pytest.raises(TooLarge, match="The notebook has over 1400 bytes"):
            await bounded.documents.put(NOTEBOOK, body, if_match="*", writer=person("Script"))
    assert bounded.files.peek("larger.ipynb") == long(1_400)
    assert await settled(bounded, ann) == ["x" * 1_000]


async def test_edits_that_would_make_a_notebook_too_long_are_refused_and_what_was_taken_can_be_opened_again(bounded: Stage) -> None:
    """NOTEBOOK-10: a file has more bytes than what is shared; nobody is kept out by what was taken."""
    bounded.files.poke(NOTEBOOK, long(1_000))
    ann, ben = await reader(bounded), await reader(bounded, "Ben")
    ben.append("long", "z" * 400)
    await soon()
    assert (ben.guest.statuses[-1], ben.guest.denied) == (0, ["too-large"])
    assert ann.sources == ["x" * 1_000]
    ann.append("long", "y" * 200)
    await passing(60)
    assert len(bounded.files.peek(NOTEBOOK)) > LIMITS.notebook
    await bounded.restart()
    cem = await reader(bounded, "Cem")
    assert cem.sources == ["x" * 1_000 + "y" * 200]
    cem.do(lambda: cem.text("long").clear())
    assert await settled(bounded, cem) == [""]
