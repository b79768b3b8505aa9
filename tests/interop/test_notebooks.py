"""WIRE-7, NOTEBOOK-1 to NOTEBOOK-3: unmodified jupyter_ydoc and pycrdt have a served notebook open, as Jupyter has one of its own server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from interop.pycrdt_peer import SECONDS, WebSocketChannel
from jupyter_ydoc import YNotebook
from notebooks import cell, notebook, read, sources
from pycrdt import Array, Map, Provider, Text, create_update_message
from serving import until
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving import Served


@dataclass(slots=True)
class Notes(WebSocketChannel):
    """A transport that notes what came."""

    came: set[bytes] = field(default_factory=set)

    async def recv(self) -> bytes:
        message = await WebSocketChannel.recv(self)
        self.came.add(message)
        return message


class Jupyter:
    """YNotebook on pycrdt's own provider, connected while entered; the same task has to leave again."""

    def __init__(self, room: str) -> None:
        self.book = YNotebook()
        self._room = room
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.notes = Notes(await self._stack.enter_async_context(connect(self._room, max_size=None, open_timeout=SECONDS)))
        provider = await self._stack.enter_async_context(Provider(self.book.ydoc, self.notes))
        async with asyncio.timeout(SECONDS):
            await provider.synced.wait()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def cells(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.book.get()["cells"]
        return found

    async def edit(self, act: Callable[[], object]) -> None:
        """In one transaction, as Jupyter does what belongs together, and until the server has it on disk: its message comes back."""
        made: list[bytes] = []
        watch = self.book.ydoc.observe(lambda event: made.append(create_update_message(event.update)))
        with self.book.ydoc.transaction():
            act()
        self.book.ydoc.unobserve(watch)
        assert len(made) == 1
        await until(lambda: made[0] in self.notes.came)


PICTURE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=\n"}, "metadata": {"width": 1.0}}
STUDY = notebook(
    cell("# Größe ☃ 😀", "title", "markdown"),
    cell("x = 1\ny = 2", "first", outputs=[PICTURE], execution_count=7, metadata={"tags": ["kept"]}),
    cell("print(x)", "second"),
    kernelspec={"name": "python3", "display_name": "Python 3"},
    custom={"é": 1.50, "z": None},
).replace('"width": 1.0', '"width": 1.00')


async def test_what_jupyter_does_in_a_notebook_is_acknowledged_seen_by_another_and_in_a_valid_file(shared_server: Served) -> None:
    """NOTEBOOK-1, NOTEBOOK-2, NOTEBOOK-3."""
    shared_server.write("jupyter.ipynb", STUDY)
    room = shared_server.room("jupyter.ipynb", shared_server.token("Ada"))
    async with Jupyter(room) as ada, Jupyter(shared_server.room("jupyter.ipynb", shared_server.token("Eve"))) as eve:
        assert [each["source"] for each in ada.cells] == ["# Größe ☃ 😀", "x = 1\ny = 2", "print(x)"]
        assert ada.cells == read(STUDY)["cells"]

        await ada.edit(lambda: ada.book.set_cell(2, source="print(x + y)"))
        await ada.edit(lambda: ada.book.append_cell(cell("Done 👩‍👩‍👧", "last", "markdown")))
        await ada.edit(lambda: _printed(ada.book.ycells[2], "3\n"))
        await until(lambda: eve.cells == ada.cells, saying=lambda: eve.cells)

        await eve.edit(lambda: eve.book.ycells[0]["source"].insert(0, "#"))
        await until(lambda: eve.cells == ada.cells and len(ada.cells) == 4, saying=lambda: ada.cells)
        # The last edit of all: with it all the others are in the file.
        await until(lambda: sources(shared_server.read("jupyter.ipynb"))[0] == "## Größe ☃ 😀")

    written = shared_server.read("jupyter.ipynb")
    assert sources(written) == ["## Größe ☃ 😀", "x = 1\ny = 2", "print(x + y)", "Done 👩‍👩‍👧"]
    assert read(written)["cells"][2]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": "3\n"}]
    untouched = STUDY[STUDY.index('   "execution_count": 7') : STUDY.index('   "execution_count": null')]
    assert untouched.count("\n") > 20
    assert untouched in written, "the cell between those that were edited keeps its bytes"
    assert written.endswith(STUDY[STUDY.index(' "metadata": {\n  "custom"') :]), "so does all behind the cells"


async def test_what_jupyter_saved_is_there_after_the_server_is_killed(server: Served) -> None:
    """WIRE-7, NOTEBOOK-3: outputs as they come, one after the other, and a source that is set anew."""
    server.write("killed.ipynb", STUDY)
    async with Jupyter(server.room("killed.ipynb", server.token("Ada"))) as ada:
        for count in range(3):
            await ada.edit(lambda count=count: _printed(ada.book.ycells[2], f"{count}\n"))  # type: ignore[misc]  # bound here
        await ada.edit(lambda: ada.book.set_cell(0, source="# Größe, gemessen"))
        expected = ada.cells
        await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)

    async with Jupyter(server.room("killed.ipynb", server.token("Eve"))) as eve:
        assert eve.cells == expected
        await until(lambda: sources(server.read("killed.ipynb"))[0] == "# Größe, gemessen")


def _printed(shared: Map[Any], text: str) -> None:
    """What a kernel's answer changes."""
    outputs = shared["outputs"]
    assert isinstance(outputs, Array)
    outputs.append(Map({"output_type": "stream", "name": "stdout", "text": Text(text)}))
    shared["execution_count"] = 8.0
