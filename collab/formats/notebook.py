"""Notebooks (nbformat 4): file bytes to a value that can be shared, and back: what nobody touched keeps its bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from collab.errors import Malformed, NotText, TooLarge
from collab.formats.looks import Looks
from collab.formats.script import TEXTS, Json, Orders, Raw, Reading, Shape, Style, Writing, lines, split_mark, style_of, written_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Cell: TypeAlias = "dict[str, Any]"

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What nbformat takes as the id of a cell."""
KINDS = ("code", "markdown", "raw")
CELLS, SOURCE = "cells", "source"
OWN = ("cells", "metadata", "nbformat", "nbformat_minor")
"""The keys of a notebook that are shared; others stay in the file as they are."""
CACHED = 4_096
"""Written cells that are remembered."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """What is shared of a notebook. Each cell has `id`, `cell_type`, `source` (a string) and `metadata`; code has `outputs`, too."""

    cells: Sequence[Cell]
    metadata: dict[str, Any]
    minor: int = 5
    named: bool = True
    """The cells' ids are the file's own."""
    rests: Sequence[list[str]] | None = field(default=None, compare=False)
    """What `rest` gives of the cells, if that is known."""

    def text(self) -> str:
        """All of it but the ids, in lines: the same for the same notebook, however its file is written."""
        pieces = [_head(self)]
        for cell, more in zip(self.cells, self._rests(), strict=True):
            pieces += [f"# {cell['cell_type']}", cell[SOURCE], *more]
        return "\n".join(pieces) + "\n"

    def size(self) -> int:
        """UTF-8 bytes of the text."""
        found = _bytes(_head(self)) + 1
        for cell, more in zip(self.cells, self._rests(), strict=True):
            found += sum(_bytes(piece) + 1 for piece in (f"# {cell['cell_type']}", cell[SOURCE], *more))
        return found

    def looks(self) -> Looks:
        """What it is compared by: the sources, and the rest."""
        cells = tuple((cell["id"], f"# {cell['cell_type']}\n{cell[SOURCE]}\n") for cell in self.cells)
        words = "".join(words for _, words in cells)
        return Looks(words, (_head(self), *(line for more in self._rests() for line in more)), cells)

    def _rests(self) -> Sequence[list[str]]:
        return self.rests if self.rests is not None else [*map(rest, self.cells)]

    def readable(self) -> str:
        """The sources under headings, for people."""
        return readable(self.cells)


def readable(cells: Iterable[Cell]) -> str:
    """The sources of cells, each under a heading with its number and kind."""
    pieces = [f"## {number} {cell['cell_type']}\n\n{cell['source'].rstrip(chr(10))}\n" for number, cell in enumerate(cells, 1)]
    return "\n".join(pieces)


def _bytes(piece: str) -> int:
    return len(piece) if piece.isascii() else len(piece.encode())


def _head(notebook: Notebook) -> str:
    return f"nbformat 4.{notebook.minor} {_compact(notebook.metadata)}"


def rest(cell: Cell) -> list[str]:
    """What a cell has beside its source, a line each."""
    found = []
    for key in sorted(cell):
        if key == "outputs":
            found += [_compact(output) for output in cell[key]]
        elif key not in {"id", "cell_type", "source"} and cell[key] not in ({}, None):
            found.append(f"{key} {_compact(cell[key])}")
    return found


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


@dataclass(slots=True)
class NotebookForm:
    """How the file is written. `cells` are the shapes of cells by their ids, `top` that of all around them."""

    style: Style = field(default_factory=Style)
    orders: Orders = field(default_factory=Orders)
    mark: bool = False
    """It begins with a byte order mark."""
    around: tuple[str, str] = ("", "\n")
    """White space before and behind the value."""
    lists: bool = True
    """Sources are lists of lines."""
    ids: bool = True
    """The file has the ids of its cells."""
    top: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    """Other members of the notebook, as they are written."""
    missing: tuple[str, ...] = ()
    """Of metadata, nbformat and nbformat_minor, those that the file does not have."""
    whole: tuple[str, str] | None = None
    """The SHA-256 of the notebook's text and the file, where it cannot be written anew byte for byte."""
    _written: dict[str, tuple[Cell, str]] = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict[str, object]:
        """A JSON object that `from_json` reads."""
        style = self.style
        return {
            "format": "notebook",
            "style": [style.indent, style.eol, style.item, style.colon, style.ascii],
            "orders": self.orders.rows,
            "mark": self.mark,
            "around": list(self.around),
            "lists": self.lists,
            "ids": self.ids,
            "top": self.top,
            "cells": self.cells,
            "extra": self.extra,
            "missing": list(self.missing),
            "whole": list(self.whole) if self.whole else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> NotebookForm:
        """Inverse of `to_json`; raises `Malformed`."""
        try:
            given = cast("dict[str, Any]", value)
            whole = given["whole"]
            return cls(
                Style(*given["style"]),
                Orders(given["orders"]),
                given["mark"],
                (given["around"][0], given["around"][1]),
                given["lists"],
                given["ids"],
                given["top"],
                given["cells"],
                given["extra"],
                tuple(given["missing"]),
                (whole[0], whole[1]) if whole else None,
            )
        except (KeyError, TypeError, IndexError) as error:
            raise Malformed(f"not the form of a notebook: {error}") from None

    def fitted(self, read: Sequence[Cell], shared: Sequence[Cell]) -> NotebookForm:
        """For cells that have other ids where they are shared than where they were read."""
        names = {old["id"]: new["id"] for old, new in zip(read, shared, strict=False)}
        top = self.top
        around = top.get("c", {}).get("cells")
        if around is not None and "g" in around:
            gaps = {names.get(name, name): gap for name, gap in around["g"].items()}
            top = {**top, "c": {**top["c"], "cells": {**around, "g": gaps}}}
        return replace(self, top=top, cells={names.get(name, name): shape for name, shape in self.cells.items()}, _written={})

    # --- writing

    def encode(self, notebook: Notebook) -> bytes:
        """The file of a notebook."""
        if self.whole is not None and self.whole[0] == _digest(notebook.text()):
            body = self.whole[1]
        else:
            body = self.around[0] + self._text(notebook) + self.around[1]
        return (("\ufeff" if self.mark else "") + body).encode("utf-8", "surrogatepass")

    def _text(self, notebook: Notebook) -> str:
        writing = Writing(self.style, self.orders)
        value: dict[str, Any] = {key: Raw(raw) for key, raw in self.extra.items()}
        own = {"metadata": notebook.metadata, "nbformat": 4, "nbformat_minor": notebook.minor}
        value.update((key, each) for key, each in own.items() if key not in self.missing or each not in ({}, 4, 0))
        texts = [(cell["id"], None, self._cell(writing, cell)) for cell in notebook.cells]
        value["cells"] = Raw("".join(writing.joined("[]", texts, self.top.get("c", {}).get("cells"), 1)))
        return writing.text(value, self.top, 0)

    def _cell(self, writing: Writing, cell: Cell) -> str:
        known = self._written.get(cell["id"])
        if known is not None and (known[0] is cell or known[0] == cell):
            return known[1]
        shape = self.cells.get(cell["id"])
        text = writing.text(self._filed(cell, shape), shape, 2)
        if len(self._written) >= CACHED:
            self._written.clear()
        self._written[cell["id"]] = cell, text
        return text

    def _filed(self, cell: Cell, shape: Shape) -> Cell:
        """A cell as its file has it."""
        shape = shape or {}
        filed = {**cell, **{key: each for key, each in shape.get("x", {}).items() if key not in cell}}
        for key in shape.get("a", ()):
            if filed.get(key) in ({}, [], None, ""):
                filed.pop(key, None)
        if not self.ids:
            filed.pop("id")
        members = shape.get("c", {})
        filed["source"] = self._lined(cell["source"], members.get("source"), feeds=True)
        if isinstance(cell.get("outputs"), list) and "outputs" in filed:
            outputs = members.get("outputs", {}).get("c", {})
            filed["outputs"] = [self._output(each, outputs.get(str(place))) for place, each in enumerate(cell["outputs"])]
        return filed

    def _output(self, output: Json, shape: Shape) -> Json:
        if isinstance(output, dict) and output.get("output_type") == "stream" and isinstance(output.get("text"), str):
            return {**output, "text": self._lined(output["text"], (shape or {}).get("c", {}).get("text"), feeds=False)}
        return output

    def _lined(self, text: str, shape: Shape, *, feeds: bool) -> Json:
        """A text as it was written, if it is that text, else in lines or as a whole."""
        shape = shape or {}
        if "w" in shape and _joined(written_value(shape["w"]), feeds=feeds) == text:
            return Raw(shape["w"])
        listed = not self.lists if shape.get("t") else self.lists
        return cast("Json", lines(text) if listed else text)


def decode(body: bytes, limit: int) -> tuple[Notebook, NotebookForm]:
    """The notebook in these bytes, and how it is written. NotText for what is no notebook of nbformat 4; TooLarge."""
    if len(body) > limit:
        raise TooLarge(f"The notebook has over {limit} bytes; it can be downloaded, not edited here.")
    try:
        mark, text = split_mark(body.decode())
    except UnicodeDecodeError as error:
        raise NotText(f"byte 0x{body[error.start]:02X} at offset {error.start} is not UTF-8") from None
    reading = Reading(text, style_of(text))
    value, shape, around = reading.whole()
    notebook = _checked(value)
    form = NotebookForm(reading.style, reading.orders, mark, around)
    form.top = shape if shape and "w" not in shape else {}
    _sort_out(notebook, text, reading.members, form)
    cells = _cells(notebook, form)
    rests = [*map(rest, cells)]  # once, and by a process beside the server where the notebook is long
    made = Notebook(cells, notebook.get("metadata", {}), notebook.get("nbformat_minor", 0), form.ids, rests)
    if form.encode(made) != body:
        form.whole = _digest(made.text()), text
    return made, form


def _checked(value: Json) -> dict[str, Any]:
    """NotText for what is no notebook that could be edited here."""
    if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
        older = isinstance(value, dict) and "worksheets" in value
        raise NotText(
            "it is a notebook of nbformat 3: convert it first (jupyter nbconvert)"
            if older
            else "it is no notebook: it has no list of cells"
        )
    if value.get("nbformat", 4) != 4:
        raise NotText(f"it is a notebook of nbformat {value.get('nbformat')}: only 4 can be edited here")
    minor = value.get("nbformat_minor", 0)
    if not isinstance(minor, int) or isinstance(minor, bool) or not isinstance(value.get("metadata", {}), dict):
        raise NotText("it is no notebook: its metadata or minor version is of another kind")
    for place, cell in enumerate(value["cells"]):
        fault = _fault(cell)
        if fault:
            raise NotText(f"it is no notebook: cell {place + 1} {fault}")
    return value


def _fault(cell: Json) -> str:
    if not isinstance(cell, dict):
        return "is no object"
    if not isinstance(cell.get("cell_type"), str):
        return "has no type"
    source = cell.get("source")
    if not isinstance(source, str) and not (isinstance(source, list) and all(isinstance(each, str) for each in source)):
        return "has no source"
    if not isinstance(cell.get("metadata", {}), dict):
        return "has metadata of another kind"
    outputs = cell.get("outputs", [])
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        return "has outputs of another kind"
    return ""


def _sort_out(value: dict[str, Any], text: str, members: Mapping[str, tuple[int, int]], form: NotebookForm) -> None:
    """What the form has to know of the notebook as a whole."""
    cells = value["cells"]
    sources = [cell["source"] for cell in cells]
    form.lists = sum(isinstance(source, list) for source in sources) * 2 >= len(sources)
    form.ids = value.get("nbformat_minor", 0) >= 5 or any("id" in cell for cell in cells)
    form.missing = tuple(key for key in OWN[1:] if key not in value)
    form.extra = {key: text[start:end] for key, (start, end) in members.items() if key not in OWN}
    for key in form.extra:
        form.top.get("c", {}).pop(key, None)


def _cells(notebook: dict[str, Any], form: NotebookForm) -> list[Cell]:
    """The cells as they are shared; what is written otherwise is noted under their ids."""
    around = form.top.get("c", {}).pop("cells", None) or {}
    shapes, gaps = around.pop("c", {}), around.pop("g", {})
    ids = Ids()
    made = []
    named: dict[str, object] = {}
    for place, cell in enumerate(notebook["cells"]):
        shape = dict(shapes.get(str(place)) or {})
        kept = _shared(cell, form, shape)
        kept["id"] = ids.take(cell.get("id"), f"{place} {kept['source']}")
        if shape:
            form.cells[kept["id"]] = shape
        if str(place) in gaps:
            named[kept["id"]] = gaps[str(place)]
        made.append(kept)
    if named:
        around["g"] = named
    if around:
        form.top.setdefault("c", {})["cells"] = around
    return made


def _shared(cell: Cell, form: NotebookForm, shape: dict[str, Any]) -> Cell:
    """A cell of a file as it is shared; `shape` learns what that leaves out."""
    kept = {key: each for key, each in cell.items() if key != "execution_state"}
    kept["source"] = _joined(cell["source"], feeds=True)
    _note_kind(cell["source"], form, shape, ("source",))
    if "\r" in "".join(cell["source"]):
        _at(shape, ("source",)).setdefault("w", _plainly(cell["source"], form.style))
    absent = [] if "metadata" in cell else ["metadata"]
    kept.setdefault("metadata", {})
    if cell["cell_type"] == "code":
        absent += [key for key in ("outputs", "execution_count") if key not in cell]
        kept.setdefault("outputs", [])
    elif kept.get("attachments") == {}:
        shape["x"] = {"attachments": kept.pop("attachments")}
    if "outputs" in kept:
        kept["outputs"] = [_shared_output(each, form, shape, place) for place, each in enumerate(kept["outputs"])]
    if absent:
        shape["a"] = absent
    return kept


def _plainly(value: Json, style: Style) -> str:
    return json.dumps(value, ensure_ascii=style.ascii)


def _shared_output(output: Cell, form: NotebookForm, shape: dict[str, Any], place: int) -> Cell:
    text = output.get("text")
    if output.get("output_type") != "stream" or not _is_text(text):
        return output
    _note_kind(text, form, shape, ("outputs", str(place), "text"))
    return {**output, "text": _joined(text, feeds=False)}


def _note_kind(text: Json, form: NotebookForm, shape: dict[str, Any], path: tuple[str, ...]) -> None:
    if isinstance(text, list) is not form.lists:
        _at(shape, path)["t"] = True


def _at(shape: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in path:
        members = shape.setdefault("c", {})
        if members.get(name) is None:
            members[name] = {}
        shape = members[name]
    return shape


def _is_text(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _joined(text: Json, *, feeds: bool) -> str:
    """A text of lines as one; with `feeds` its line ends are LF only, since editors count CRLF and CR as one position."""
    whole = text if isinstance(text, str) else "".join(text) if isinstance(text, list) and _is_text(text) else ""
    return whole.replace("\r\n", "\n").replace("\r", "\n") if feeds and "\r" in whole else whole


class Ids:
    """Ids of cells: each is there once. Those that are made depend on what they are made of alone."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def take(self, wanted: object, seed: str) -> str:
        """The wanted id if it is one and free, else another."""
        if isinstance(wanted, str) and wanted not in self.taken and ID.fullmatch(wanted):
            self.taken.add(wanted)
            return wanted
        number = 0
        while (made := sha256(f"{seed} {number}".encode()).hexdigest()[:8]) in self.taken:
            number += 1
        self.taken.add(made)
        return made


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


__all__ = ["KINDS", "TEXTS", "Cell", "Ids", "Notebook", "NotebookForm", "decode", "readable"]
