"""Notebooks as live documents (NOTEBOOK-1 to NOTEBOOK-9)."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import Any

import pytest
from notebooks import NOTEBOOK, Reader, cell, notebook, sources
from runtime.stage import Stage, passing, soon
from scale import scale

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
