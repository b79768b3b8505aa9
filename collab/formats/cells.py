"""A notebook in shared types, as `jupyter_ydoc` lays it out (YNotebook): the notebook format's door to pycrdt.

`YNotebook.get` and `.set` are not used: they give cells new ids, make floats integers, add metadata, and replace cells.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar, cast

from jupyter_ydoc import YNotebook
from pycrdt import Array, Doc, Map, Text

from collab import merge
from collab.formats.moved import onto, union
from collab.formats.notebook import CELLS, ID, SOURCE, Ids, Notebook, rest
from collab.formats.offsets import Unit, length
from collab.formats.script import plain
from collab.formats.text import carriage_returns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from collab.formats.moved import Moments
    from collab.formats.notebook import Cell
    from collab.merge import Edit

T = TypeVar("T")

META = "meta"
"""The other root; `state` is what clients tell each other, and is in no file."""
OUTPUTS, METADATA = "outputs", "metadata"
STEPWISE = 2_000
"""Cells up to which they are read one by one: the library looks for each from the beginning."""
STEP = 256 * 1024
"""Characters that are read at once."""
AROUND = 256
"""What each cell costs beside its characters, as so many of them."""
ALIKE = 0.4
"""Cells without ids that have less than this in common are others."""
_MAKER = YNotebook()


class Match(NamedTuple):
    """A cell of what was read and one of what was written that are the same, by their places."""

    before: int
    after: int


class Rewritten(NamedTuple):
    """What a rewriting did."""

    done: list[tuple[int, int]]
    """The ranges of clocks of what others had inserted in the very same place."""
    cuts: bool
    """Something was taken out."""


class _Known(NamedTuple):
    """A cell that was read."""

    value: object
    cell: Cell
    rest: list[str]


class Memory(NamedTuple):
    """What was read of a notebook."""

    raw: list[object]
    known: dict[str, _Known]
    read: Notebook


class Cells:
    """The notebook in a document; `forget` when that was changed."""

    def __init__(self, doc: Doc[Any]) -> None:
        self._doc = doc
        self._cells = doc.get(CELLS, type=Array)
        self._meta = doc.get(META, type=Map)
        self._known: dict[str, _Known] = {}
        self._raw: list[object] | None = None
        self._read: Notebook | None = None
        self._changes = 0
        self._long = False
        """To read all of it takes long."""

    def fill(self, notebook: Notebook) -> None:
        """The first content, in a transaction that is open."""
        self._meta["nbformat"] = 4
        self._meta["nbformat_minor"] = notebook.minor
        self._meta[METADATA] = Map(notebook.metadata)
        self._cells.extend([made(cell) for cell in notebook.cells])

    def memory(self) -> Memory:
        """What is read, so that it need not be read again elsewhere."""
        read = self.notebook()
        return Memory(self._values(), self._known, read)

    def remember(self, memory: Memory) -> None:
        """What another process read in the same document."""
        self._raw, self._known, self._read = memory
        self._long = True

    def forget(self) -> None:
        """The document was changed."""
        self._changes += 1
        self._raw = self._read = None

    def _values(self) -> list[object]:
        """The cells as values; by way of JSON, which the library writes six times as fast as it gives them one by one."""
        if self._raw is None:
            self._raw = json.loads(str(self._cells))
        return self._raw

    def reading(self) -> Iterator[None]:
        """Read what `notebook` gives, in steps: cell by cell, which takes as long as all at once. Nothing is kept when the notebook changes meanwhile."""
        changes = self._changes
        if self._raw is None and len(self._cells) <= STEPWISE:
            raw: list[object] = []
            for _ in _steps(self._shared_cells(), raw):
                yield
                if self._changes != changes:
                    return
            self._raw = raw if len(raw) == len(self._cells) else None
        if self._read is None:
            yield
            if self._changes != changes:
                return
            known: list[_Known] = []
            for _ in _steps(self._read_cells(self._values()), known):
                yield
                if self._changes != changes:
                    return
            self._read = self._notebook(known)

    def _shared_cells(self) -> Iterator[tuple[int, object]]:
        """Each cell as a value, behind its size, up to what is no cell: the library gives that otherwise than it writes it."""
        for cell in self._cells:
            if not isinstance(cell, Map):
                return
            written = str(cell)
            yield len(written), json.loads(written)

    def _read_cells(self, values: Sequence[object]) -> Iterator[tuple[int, _Known]]:
        ids = Ids()
        for place, value in enumerate(values):
            known = self._cell(value, place, ids)
            yield sum(map(len, known.rest)) + len(known.cell[SOURCE]), known

    def notebook(self) -> Notebook:
        """What the shared types hold. What clients should not have made of them is left out or put right; words are never left out."""
        if self._read is None:
            self._read = self._notebook([known for _, known in self._read_cells(self._values())])
        return self._read

    def _notebook(self, known: Sequence[_Known]) -> Notebook:
        meta = cast("dict[str, Any]", plain(json.loads(str(self._meta))))
        metadata, minor = meta.get(METADATA), meta.get("nbformat_minor")
        self._known = {each.cell["id"]: each for each in known}
        self._long = sum(len(line) for each in known for line in each.rest) > STEP
        return Notebook(
            [each.cell for each in known],
            metadata if isinstance(metadata, dict) else {},
            minor if isinstance(minor, int) else 5,
            rests=[each.rest for each in known],
        )

    def _cell(self, value: object, place: int, ids: Ids) -> _Known:
        known = self._known.get(value["id"]) if isinstance(value, dict) and isinstance(value.get("id"), str) else None
        if known is not None and known.value == value and known.cell["id"] not in ids.taken:
            ids.taken.add(known.cell["id"])
            return known
        cell = tidied(plain(value))
        cell["id"] = ids.take(cell.get("id"), f"{place} {cell[SOURCE]}")
        return _Known(value, cell, rest(cell))

    def sources(self) -> dict[str, str]:
        """The sources by the ids of their cells."""
        return {cell["id"]: cell[SOURCE] for cell in self.notebook().cells}

    # --- what is put right

    def untidy(self) -> bool:
        """Whether `tidy` would do something."""
        seen: set[str] = set()
        for name, source in self._glances():
            if not _is_name(name) or name in seen or (isinstance(source, str) and "\r" in source):
                return True
            seen.add(name)
        return False

    def _glances(self) -> Iterator[tuple[object, object]]:
        """Ids and sources. Of a long notebook that was not read yet only they are looked at, not what its cells have put out."""
        if self._raw is None and self._long and len(self._cells) <= STEPWISE:
            for cell in self._cells:
                if isinstance(cell, Map | dict):
                    source = cell.get(SOURCE)
                    yield cell.get("id"), str(source) if isinstance(source, Text) else source
            return
        for value in self._values():
            if isinstance(value, dict):
                yield value.get("id"), value.get(SOURCE)

    def carry(self, name: str, base: str, theirs: str) -> None:
        """What somebody made of a source, when it was `base`, is made of it as it is now. In a transaction that is open."""
        for cell in self._cells:
            source = cell.get(SOURCE) if isinstance(cell, Map) and cell.get("id") == name else None
            if isinstance(source, Text):
                change(source, onto(base, str(source), theirs))
                return

    def tidy(self, moments: Moments) -> None:
        """Each cell gets an id of its own; copies of one cell become the first of them, with the words of all; sources have LF only.
        In a transaction that is open.
        """
        cells = [(place, cell) for place, cell in enumerate(self._cells) if isinstance(cell, Map)]
        known: dict[str, Cell] = {}
        ids = Ids()
        ids.taken = {cell["id"] for _, cell in cells if _is_name(cell.get("id"))}
        doubled: list[int] = []
        for place, cell in cells:
            name = cell.get("id")
            looks = tidied(plain(json.loads(str(cell))))
            if not _is_name(name) or name in known:
                if _is_name(name) and self._joined(name, looks, known[name], moments):
                    doubled.append(place)
                    continue
                name = cell["id"] = ids.take(None, f"{place} {looks[SOURCE]}")
            known[name] = looks
            source = cell.get(SOURCE)
            if isinstance(source, Text):
                change(source, carriage_returns(str(source)))
        for place in reversed(doubled):
            del self._cells[place]

    def _joined(self, name: str, second: Cell, first: Cell, moments: Moments) -> bool:
        """Whether two cells are copies of one, which was moved twice; the first has the words of the second then."""
        if second["cell_type"] != first["cell_type"] or not (second == first or moments.knows(name)):
            return False
        for cell in self._cells:
            source = cell.get(SOURCE) if isinstance(cell, Map) and cell.get("id") == name else None
            if isinstance(source, Text):
                change(source, union(str(source), second[SOURCE]))
                break
        return True

    # --- another body

    def rewrite(self, after: Notebook, live: Mapping[str, str]) -> Rewritten:
        """Make this notebook `after`, in a transaction that is open, under a new client id; `live`: the sources as they are elsewhere."""
        before = self.notebook()
        matches = aligned(before.cells, after.cells, named=after.named)
        stay = _ascending(matches)
        done, cuts = self._rewrite_sources(before, after, stay, live)
        for match in stay:
            cuts |= self._rewrite_rest(match.before, before.cells[match.before], after.cells[match.after])
        self._arrange(before, after, matches, stay)
        self._rewrite_meta(before, after)
        return Rewritten(done, cuts=cuts or len(stay) < len(before.cells))

    def _rewrite_sources(
        self, before: Notebook, after: Notebook, matches: Sequence[Match], live: Mapping[str, str]
    ) -> tuple[list[tuple[int, int]], bool]:
        """Sources come first: so their clocks are known."""
        clock, cuts = 0, False
        done: list[tuple[int, int]] = []
        for match in matches:
            old, new = before.cells[match.before], after.cells[match.after]
            if old[SOURCE] == new[SOURCE]:
                continue
            edits = merge.edits(old[SOURCE], new[SOURCE])
            source = self._cells[match.before].get(SOURCE)
            if not isinstance(source, Text):
                self._cells[match.before][SOURCE] = Text(new[SOURCE])
                clock += 1 + length(new[SOURCE], Unit.UTF16)
                continue
            cuts |= any(edit.stop > edit.start for edit in edits)
            alike = _done(old[SOURCE], new[SOURCE], live.get(old["id"]), edits)
            for edit in reversed(edits):
                count = length(edit.text, Unit.UTF16)
                if edit in alike and count:
                    done.append((clock, count))
                clock += count
            change(source, edits)
        return done, cuts

    def _rewrite_rest(self, place: int, old: Cell, new: Cell) -> bool:
        """All of a cell but its source, key by key. Whether anything was taken out."""
        cell, cuts = self._cells[place], False
        for key in sorted({*old, *new} - {SOURCE, "id"}):
            if old.get(key) == new.get(key) and (key in old) is (key in new):
                continue
            cuts = True
            if key == METADATA and isinstance(cell.get(key), Map):
                _rewrite_map(cell[key], old[key], new[key])
            elif key == OUTPUTS and isinstance(cell.get(key), Array) and key in new:
                _rewrite_outputs(cell[key], old.get(key, []), new[key])
            elif key not in new:
                cell.pop(key, None)
            else:
                cell[key] = _shared(key, new[key])
        if new["cell_type"] == "code" and old["cell_type"] != "code":
            cell["execution_state"] = "idle"
        return cuts

    def _arrange(self, before: Notebook, after: Notebook, matches: Sequence[Match], stay: Sequence[Match]) -> None:
        """Cells are taken out, put in and moved, as few as can be; what is moved keeps its id."""
        staying = {match.before for match in stay}
        moved = {match.after: before.cells[match.before]["id"] for match in matches if match.before not in staying}
        for place in sorted(set(range(len(before.cells))) - staying, reverse=True):
            del self._cells[place]
        ids = Ids()
        ids.taken = {before.cells[match.before]["id"] for match in matches}
        new = set(range(len(after.cells))) - {match.after for match in stay}
        for place in sorted(new):
            cell = after.cells[place]
            name = moved.get(place) or ids.take(cell["id"], f"{place} {cell[SOURCE]}")
            self._cells.insert(place, made({**cell, "id": name}))

    def _rewrite_meta(self, before: Notebook, after: Notebook) -> None:
        if before.minor != after.minor:
            self._meta["nbformat_minor"] = after.minor
        if before.metadata == after.metadata:
            return
        shared = self._meta.get(METADATA)
        if isinstance(shared, Map):
            _rewrite_map(shared, before.metadata, after.metadata)
        else:
            self._meta[METADATA] = Map(after.metadata)


def _steps(pieces: Iterable[tuple[int, T]], into: list[T]) -> Iterator[None]:
    """Gather these pieces, with pauses after so many characters of them."""
    done = 0
    for size, piece in pieces:
        into.append(piece)
        done += size + AROUND
        if done > STEP:
            done = 0
            yield


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def made(cell: Cell) -> Map[Any]:
    """A cell in shared types."""
    return _MAKER.create_ycell(cell)


def change(source: Text, edits: Sequence[Edit]) -> None:
    """Make these edits of a text, in a transaction that is open."""
    for edit in reversed(edits):
        if edit.stop > edit.start:
            del source[edit.start : edit.stop]
        if edit.text:
            source.insert(edit.start, edit.text)


def tidied(value: object) -> Cell:
    """Whatever clients made of a cell as a cell: its words stay, the rest is put right where nbformat would not take it."""
    cell: Cell = dict(value) if isinstance(value, dict) else {SOURCE: value}
    cell.pop("execution_state", None)
    cell[SOURCE] = _words(cell.get(SOURCE))
    if not isinstance(cell.get("cell_type"), str):
        cell["cell_type"] = "code" if OUTPUTS in cell else "raw"
    if not isinstance(cell.get(METADATA), dict):
        cell[METADATA] = {}
    if cell["cell_type"] == "code":
        outputs = cell.get(OUTPUTS)
        cell[OUTPUTS] = [each for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
        count = cell.get("execution_count")
        cell["execution_count"] = count if isinstance(count, int) and not isinstance(count, bool) else None
    else:
        for key in (OUTPUTS, "execution_count"):
            if cell.get(key) in ([], None):
                cell.pop(key, None)
    return cell


def _words(source: object) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, list):
        return "".join(map(_words, source))
    return "" if source is None or isinstance(source, dict) else str(source)


def _shared(key: str, value: Any) -> object:  # noqa: ANN401 - any value of JSON
    """The value of a cell's key in shared types."""
    if key == METADATA:
        return Map(value)
    return Array([_output(each) for each in value]) if key == OUTPUTS else value


def _output(output: dict[str, Any]) -> Map[Any]:
    text = output.get("text")
    if output.get("output_type") == "stream" and isinstance(text, str):
        return Map({**output, "text": Text(text)})
    return Map(output)


def _rewrite_map(shared: Map[Any], old: Mapping[str, object], new: Mapping[str, object]) -> None:
    for key in sorted({*old, *new}):
        if key not in new:
            shared.pop(key, None)
        elif key not in old or old[key] != new[key]:
            shared[key] = new[key]


def _rewrite_outputs(shared: Array[Any], old: Sequence[object], new: Sequence[dict[str, Any]]) -> None:
    """Outputs in the middle are replaced; those at both ends that are the same stay."""
    most = min(len(old), len(new))
    head = next((place for place in range(most) if old[place] != new[place]), most)
    tail = next((place for place in range(most - head) if old[-1 - place] != new[-1 - place]), most - head)
    if len(old) - tail > head:
        del shared[head : len(old) - tail]
    for place in range(head, len(new) - tail):
        shared.insert(place, _output(new[place]))


def _done(old: str, new: str, live: str | None, edits: Sequence[Edit]) -> Collection[Edit]:
    """Insertions that others made already, in the very same place."""
    if live is None or live in {old, new}:
        return ()
    return {edit for edit in merge.edits(old, live) if edit.text}.intersection(edits)


# Which cells are the same


def aligned(before: Sequence[Cell], after: Sequence[Cell], *, named: bool) -> list[Match]:
    """The cells that are the same, by their ids when those are the file's own, then by what is in them; in the order of `before`."""
    places = {cell["id"]: place for place, cell in enumerate(after)} if named else {}
    found = [Match(place, places[cell["id"]]) for place, cell in enumerate(before) if cell["id"] in places]
    olds, news = {match.before for match in found}, {match.after for match in found}
    ours = [place for place in range(len(before)) if place not in olds]
    theirs = [place for place in range(len(after)) if place not in news]
    return sorted([*found, *_by_content(before, after, ours, theirs)])


def _by_content(before: Sequence[Cell], after: Sequence[Cell], ours: Sequence[int], theirs: Sequence[int]) -> Iterator[Match]:
    """Equal ones in order, then those between them that are alike, then equal ones that were moved."""
    if not ours or not theirs:
        return
    a, b = [_look(before[place]) for place in ours], [_look(after[place]) for place in theirs]
    left: list[tuple[list[int], list[int]]] = []
    for word, i, i_end, j, j_end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if word == "equal":
            yield from (Match(ours[i + k], theirs[j + k]) for k in range(i_end - i))
        else:
            left.append(([*range(i, i_end)], [*range(j, j_end)]))
    rest_a: list[int] = []
    rest_b: list[int] = []
    for olds, news in left:
        pairs = _alike(before, after, [ours[i] for i in olds], [theirs[j] for j in news])
        yield from pairs
        rest_a += [i for i in olds if ours[i] not in {pair.before for pair in pairs}]
        rest_b += [j for j in news if theirs[j] not in {pair.after for pair in pairs}]
    spare = {b[j]: theirs[j] for j in reversed(rest_b)}
    for i in rest_a:
        moved = spare.pop(a[i], None)
        if moved is not None and a[i][1]:
            yield Match(ours[i], moved)


def _look(cell: Cell) -> tuple[str, str]:
    return cell["cell_type"], cell[SOURCE]


def _alike(before: Sequence[Cell], after: Sequence[Cell], ours: Sequence[int], theirs: Sequence[int]) -> list[Match]:
    """In order, the likest first within reach: a cell that was rewritten is still that cell."""
    found: list[Match] = []
    start = 0
    for i in ours:
        near = [
            (merge.nearness(before[i][SOURCE], after[j][SOURCE]), -j) for j in theirs[start : start + 8]
            if before[i]["cell_type"] == after[j]["cell_type"]
        ]  # fmt: skip
        best = max(near, default=(0.0, 0))
        if best[0] >= ALIKE:
            found.append(Match(i, -best[1]))
            start = theirs.index(-best[1]) + 1
    if not found and len(ours) == len(theirs) == 1 and before[ours[0]]["cell_type"] == after[theirs[0]]["cell_type"]:
        return [Match(ours[0], theirs[0])]
    return found


def _ascending(matches: Sequence[Match]) -> list[Match]:
    """The longest series of matches whose places ascend on both sides (patience)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, match in enumerate(matches):
        pile = bisect_left(ends, match.after)
        ends[pile : pile + 1], tops[pile : pile + 1] = [match.after], [number]
        before.append(tops[pile - 1] if pile else -1)
    chain: list[Match] = []
    step = tops[-1] if tops else -1
    while step >= 0:
        chain.append(matches[step])
        step = before[step]
    return chain[::-1]
