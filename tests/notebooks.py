"""Notebooks for tests: files as Jupyter writes them, and guests who have one open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_ydoc import YNotebook
from pycrdt import Array, Map, Text

from collab import protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.stage import Guest

NOTEBOOK = "study.ipynb"
_FORMAT: Any = nbformat  # it brings few types


def cell(source: str, name: str = "", kind: str = "code", **given: Any) -> dict[str, Any]:
    """A cell of a file; its id is its first word unless it has another."""
    made: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {},
        "source": source,
        "id": name or source.split(maxsplit=1)[0].strip("#:=") or "empty",
    }
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    return made | given


def notebook(*cells: dict[str, Any], minor: int = 5, **metadata: Any) -> str:
    """A file as Jupyter writes it."""
    kept = [each if minor >= 5 else {key: each[key] for key in each if key != "id"} for each in cells]
    made = _FORMAT.from_dict({"cells": kept, "metadata": metadata, "nbformat": 4, "nbformat_minor": minor})
    return str(_FORMAT.writes(made)) + "\n"


def read(body: bytes | str) -> dict[str, Any]:
    """A file that has to be valid, as Jupyter reads it: its texts in one."""
    text = body.decode() if isinstance(body, bytes) else body
    found: dict[str, Any] = _FORMAT.reads(text, as_version=4)
    _FORMAT.validate(found)
    return found


def sources(body: bytes | str) -> list[str]:
    """The sources of a file that has to be valid."""
    return [each["source"] for each in read(body)["cells"]]


class Reader:
    """A guest with a notebook open, as jupyter_ydoc sees it."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.doc = guest.replica.doc
        self.book = YNotebook(self.doc)
        self.cells: Array[Any] = self.book.ycells

    def root(self, name: str) -> Map[Any]:
        """A root map."""
        doc: Any = self.doc
        found = doc.get(name, type=Map)
        assert isinstance(found, Map)
        return found

    @property
    def sources(self) -> list[str]:
        return [str(each["source"]) for each in self.cells]

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.cells]

    def place(self, name: str) -> int:
        return self.ids.index(name)

    def text(self, name: str) -> Text:
        found = self.cells[self.place(name)]["source"]
        assert isinstance(found, Text)
        return found

    def do(self, act: Callable[[], object], *, send: bool = True) -> bytes:
        """What is done in one transaction is sent as one update."""
        made: list[bytes] = []
        watch = self.doc.observe(lambda event: made.append(event.update))
        with self.doc.transaction():
            act()
        self.doc.unobserve(watch)
        if send and made:
            self.guest.send(protocol.update(made[0]))
        return made[0] if made else b""

    def type(self, name: str, words: str, at: int = 0, *, send: bool = True) -> bytes:
        return self.do(lambda: self.text(name).insert(at, words), send=send)

    def append(self, name: str, words: str) -> bytes:
        return self.type(name, words, len(self.text(name)))

    def add(self, at: int, new: dict[str, Any]) -> bytes:
        return self.do(lambda: self.cells.insert(at, self.book.create_ycell(new)))

    def remove(self, name: str) -> bytes:
        return self.do(lambda: self.cells.pop(self.place(name)))

    def move(self, name: str, to: int, *, send: bool = True) -> bytes:
        """As Jupyter does: out, and a copy in."""

        def act() -> None:
            self.cells.insert(to, self.book.create_ycell(self._taken(name)))

        return self.do(act, send=send)

    def _taken(self, name: str) -> dict[str, Any]:
        place = self.place(name)
        found = self.cells[place]
        assert isinstance(found, Map)
        copy = found.to_py()
        assert copy is not None
        del self.cells[place]
        return copy
