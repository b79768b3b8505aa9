"""LOAD-1: while a long document is read and written down beside the event loop, people go on, and nothing of theirs is lost or doubled."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

import pytest
from notebooks import NOTEBOOK, Reader, cell, notebook
from pycrdt import Array, Doc, Map, Text
from runtime.stage import PATH, Stage, passing, person, soon

from collab.formats.cells import Cells
from collab.runtime.aside import LARGE

LINES = "".join(f"line {number} of a long text\n" for number in range(2 * LARGE // 24))
CELLS = 12


def study() -> bytes:
    """A notebook with outputs that make it long."""
    cells = [cell(f"print({number})", f"c{number}", outputs=[output(2 * LARGE // CELLS)]) for number in range(CELLS)]
    return notebook(*cells).encode()


def output(size: int) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": ["y" * 60 + "\n"] * (size // 61)}


async def test_what_is_typed_while_a_long_text_is_written_for_a_script_is_not_in_what_it_read(stage: Stage) -> None:
    """MERGE-7: the base is the text that the script has, and not what was there when it got it."""
    stage.files.poke(PATH, LINES.encode())
    ann = await stage.guest("Ann")
    ann.append("before\n")
    await soon()
    typed: list[str] = []

    async def type_on() -> None:
        if len(typed) < 3:
            typed.append(f"meanwhile {len(typed)}\n")
            ann.append(typed[-1])
            await soon()

    stage.beside = type_on
    stat, body = await stage.documents.content(PATH)
    assert body.decode() == LINES + "before\n"
    assert typed
    await stage.documents.put(PATH, b"script\n" + body, if_match=stat.etag, writer=person("Script"))
    stage.beside = None
    await passing(20)
    assert ann.text == stage.file() == "script\n" + LINES + "before\n" + "".join(typed)


async def test_a_long_notebook_that_is_read_in_steps_is_the_one_that_is_read_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """NOTEBOOK-3."""
    monkeypatch.setattr("collab.formats.cells.STEP", 10_000)
    stage.files.poke(NOTEBOOK, study())
    ann = Reader(await stage.guest("Ann", path=NOTEBOOK))
    host = stage.host(NOTEBOOK)
    seen: list[int] = []
    for number in range(6):
        ann.type(f"c{number}", "# Ann\n")
        await soon()
        document = host.room.document
        steps = 0
        for _ in document.reading():
            steps += 1
        seen.append(steps)
        at_once = type(document).replay([document.encode()])
        assert document.writer(host.ledger.form)() == at_once.writer(host.ledger.form)()
        assert (document.text(), document.length()) == (at_once.text(), len(at_once.text().encode()))
    assert min(seen) > 4 * CELLS // 2 - 4
    # What changes between two steps is read anew.
    ann.type("c5", "# Ann\n")
    await soon()
    steps_of = iter(host.room.document.reading())
    next(steps_of)
    ann.type("c0", "# late\n")
    await soon()
    assert list(steps_of) == []
    assert b"# late" in host.body()


ODD: list[list[Any]] = [
    [{"id": "a", "source": "x"}, {"id": "b", "source": "y\n"}],
    [{"id": "a", "source": "x"}, {"id": "a", "source": "y"}],
    [{"id": "a", "source": "x\r\ny"}],
    [{"source": "x"}],
    [{"id": "", "source": "x"}],
    [{"id": 7, "source": "x"}],
    [{"id": "a", "source": ["x\r"]}, {"id": "b"}],
    [{"id": "a", "source": "x"}, "no cell", 3, None, ["id"]],
]


@pytest.mark.parametrize("cells", ODD)
@pytest.mark.parametrize("shared", [True, False])
def test_what_is_put_right_in_a_long_notebook_is_what_is_in_a_short_one(
    monkeypatch: pytest.MonkeyPatch, cells: list[Any], *, shared: bool
) -> None:
    """NOTEBOOK-4: it is seen without reading all of it."""
    monkeypatch.setattr("collab.formats.cells.STEP", 0)
    doc: Doc[Any] = Doc()
    array = doc.get("cells", type=Array)
    for each in cells:
        cell = {**each, "metadata": {"tags": ["y"]}} if isinstance(each, dict) else each
        if shared and isinstance(cell, dict):
            cell = Map({key: Text(part) if isinstance(part, str) and key == "source" else part for key, part in cell.items()})
        array.append(cell)
    short, long = Cells(doc), Cells(doc)
    long.notebook()
    long.forget()
    monkeypatch.setattr(long, "_values", list)  # it is not read
    assert long.untidy() is short.untidy()


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_writes_while_a_long_text_is_written_down_every_word_is_there_once(stage: Stage, seed: int) -> None:
    """JOURNAL-6, MERGE-7, SAVE-4: scripts that read and put, programs that write the file, somebody who types."""
    dice = random.Random(seed)
    stage.files.poke(PATH, LINES.encode())
    ann = await stage.guest("Ann")
    said: list[str] = []

    def word() -> str:
        said.append(f"word{len(said)}x\n")
        return said[-1]

    def edited(body: bytes) -> bytes:
        lines = body.decode().splitlines(keepends=True)
        lines.insert(100 + 50 * (len(said) % 40), word())
        return "".join(lines).encode()

    async def meanwhile() -> None:
        for _ in range(dice.randrange(3)):
            ann.append(word())
            await soon()

    async def script() -> None:
        stat, body = await stage.documents.content(PATH)
        await passing(dice.random())
        await stage.documents.put(PATH, edited(body), if_match=stat.etag, writer=person("Script"))

    async def program() -> None:
        await passing(dice.random())
        stage.files.poke(PATH, edited(stage.files.peek(PATH)))

    async def look() -> None:
        assert (await stage.documents.find(PATH)).size > LARGE

    stage.beside = meanwhile
    for _ in range(8):
        await asyncio.gather(script(), *(dice.choice((program, look, meanwhile))() for _ in range(2)))
        await passing(dice.choice((0.5, 3, 20)))
    stage.beside = None
    await passing(60)
    assert stage.file() == ann.text
    assert sorted(re.findall(r"word\d+x\n", ann.text)) == sorted(said)
