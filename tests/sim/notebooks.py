"""The same world with a notebook: cells are typed into, programs rewrite and move them, whoever is connected."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from notebooks import NOTEBOOK, cell, notebook, sources
from pycrdt import Array, Text

from sim.world import WORD, Client, World, schedule

if TYPE_CHECKING:
    from random import Random

START = [("first line\nsecond line é😀\n", "one"), ("third line", "two"), ("last", "three")]


def _between(text: str, rng: Random) -> int:
    """A place that is not inside a word of the start: copies of cells are joined by words."""
    inside = re.compile(r"(?<=[a-z])(?=[a-z])")
    return rng.choice([place for place in range(len(text) + 1) if not inside.match(text, place)])


class Reader(Client):
    """A peer that has the notebook open."""

    keeps = True

    @property
    def cells(self) -> Array[Any]:
        doc: Any = self.doc
        found: Array[Any] = doc.get("cells", type=Array)
        return found

    def type(self) -> None:
        rng = self.world.random
        if not len(self.cells):
            return
        place = rng.randrange(len(self.cells))
        source = self.cells[place]["source"]
        assert isinstance(source, Text)
        self._type_into(source)

    def _spot(self, text: str) -> int:
        return _between(text, self.world.random)

    def sees(self) -> str:
        return "\n\n".join(f"{each['id']}: {each['source']}" for each in self.cells)


class Desk(World):
    """A world with a notebook."""

    path: ClassVar[str] = NOTEBOOK
    start_body: ClassVar[bytes] = notebook(*(cell(source, name) for source, name in START)).encode()

    def _rewritten(self, body: bytes) -> bytes:
        value = json.loads(body)
        chosen = self.random.choice(value["cells"])
        word = self.word()
        self.outside.append(word)
        text = "".join(chosen["source"])
        spot = _between(text, self.random)
        chosen["source"] = (text[:spot] + word + text[spot:]).splitlines(keepends=True)
        if self.random.random() < 0.5:
            cells = value["cells"]
            cells.insert(self.random.randrange(len(cells)), cells.pop(self.random.randrange(len(cells))))
        return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()

    async def check_authors(self) -> None:
        """Authors are told of texts only."""

    def check_file(self, text: str) -> None:
        body = self.files.peek(self.path)
        found = [f"{each['id']}: {source}" for each, source in zip(json.loads(body)["cells"], sources(body), strict=True)]
        assert "\n\n".join(found) == text, f"the file differs: {body!r}"
        assert sorted(WORD.sub("", each) for each in found) == sorted(f"{name}: {source}" for source, name in START), found


async def study(seed: int) -> World:
    """One schedule from its seed."""
    return await schedule(seed, kind=Desk, peer=Reader)
