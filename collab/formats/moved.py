"""Words that are typed into a cell which somebody else takes out at the same time, to put a copy in elsewhere: a move, in shared types.

The old cell is gone with all that is typed into it. So the document is remembered as it was; what comes late for the old cell is made
there, and then, by the same edits, in the copy, which has the same id.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pycrdt import Array, Doc, Map, Text

from collab import merge, updates
from collab.formats.notebook import CELLS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from collab.merge import Edit
    from collab.updates import Id

    Place: TypeAlias = tuple[str | Id, str | None]

_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)
LATEST = 512
"""Updates that may come late for the cells of one moment, twice."""
MOST = 256
"""Moments that are remembered, and …"""
BYTES = 32 * 2**20
"""… bytes of all of them."""


class Late(NamedTuple):
    """What came too late for a cell that was moved."""

    name: str
    """The cell's id."""
    before: str
    """Its source without that."""
    after: str


class Moment:
    """A document before cells were taken out of it. It takes in what comes later, but for deletions."""

    def __init__(self, state: bytes, names: Collection[str], doomed: Sequence[Id]) -> None:
        self.names = frozenset(names)
        """The ids of its cells."""
        self.doomed = doomed
        """The items of those that were taken out."""
        self._state = state
        self._later: list[bytes] = []

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._state)

    def late(self, known: Doc[Any], update: bytes) -> list[Late]:
        """What an update that `known` has not yet got changes in the sources of the cells that were taken out."""
        if len(self._later) > LATEST:
            return []
        then: Doc[Any] = Doc()
        then.apply_update(self._state)
        texts = self._texts(then)
        for each in self._later:
            then.apply_update(each)
        since = _grown(known.get_update(then.get_state()))
        then.apply_update(since)
        before = [str(text) for _, text, _ in texts]
        grown = _grown(update)
        then.apply_update(grown)
        self._later += [since, grown]
        return [Late(name, old, str(text)) for (name, text, _), old in zip(texts, before, strict=True) if str(text) != old]

    def _texts(self, then: Doc[Any]) -> list[tuple[str, Text, str]]:
        """Ids may be there twice: which cells are taken out is tried with numbers in the place of their texts."""
        scratch: Doc[Any] = Doc()
        scratch.apply_update(self._state)
        for number, (_, text, _) in enumerate(_sources(scratch)):
            text.clear()
            text.insert(0, str(number))
        scratch.apply_update(_deletion(self.doomed))
        left = {text for _, _, text in _sources(scratch)}
        return [each for number, each in enumerate(_sources(then)) if str(number) not in left]


def _grown(update: bytes) -> bytes:
    """An update without its deletions."""
    return updates.write(updates.Update(updates.read(update).structs, {}))


def _deletion(items: Iterable[Id]) -> bytes:
    ranges: updates.Deletes = {}
    for client, clock in items:
        ranges.setdefault(client, []).append((clock, 1))
    return updates.write(updates.Update({}, updates.normalised(ranges)))


def unseen(state: bytes, came: Iterable[Id]) -> list[Late]:
    """The sources of a document with these characters, and without them."""
    doc: Doc[Any] = Doc()
    doc.apply_update(state)
    sources = _sources(doc)
    doc.apply_update(_deletion(came))
    return [Late(name, str(text), source) for name, text, source in sources if str(text) != source]


class Moments:
    """What is remembered, by the items of the cells that were taken out."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Id, Moment] = OrderedDict()
        self._gone: set[Id] = set()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def knows(self, name: str) -> bool:
        """Whether there was a cell with this id when others were taken out."""
        return any(name in moment.names for moment in dict.fromkeys(self._kept.values()))

    def new(self, items: Iterable[Id]) -> list[Id]:
        """Those that were not taken out before."""
        return [item for item in items if item not in self._gone]

    def keep(self, moment: Moment) -> None:
        """Cells are about to be taken out."""
        for item in moment.doomed:
            self._gone.add(item)
            self._kept[item] = moment
        moments = list(dict.fromkeys(self._kept.values()))
        while len(moments) > MOST or (len(moments) > 1 and sum(each.size for each in moments) > BYTES):
            oldest = moments.pop(0)
            for item in [item for item, each in self._kept.items() if each is oldest]:
                del self._kept[item]

    def of(self, places: Iterable[Place], home_of: Callable[[Id], Place | None]) -> list[Moment]:
        """The moments of the cells whose sources are at these places; `home_of` tells where a type is."""
        found: dict[Moment, None] = {}
        for parent, key in places:
            home = home_of(parent) if isinstance(parent, tuple) and key is None else None
            if home is not None and home[1] == SOURCE and isinstance(home[0], tuple) and home[0] in self._kept:
                found[self._kept[home[0]]] = None
        return list(found)


def onto(base: str, live: str, theirs: str) -> list[Edit]:
    """What makes `theirs` of `base`, as edits of `live`, which was made of the same base: nothing that is only there is taken out."""
    ours = merge.edits(base, live)
    kept = _kept(ours, len(base.encode()))
    found: list[Edit] = []
    for edit in merge.edits(base, theirs):
        if edit in ours:
            continue  # done already
        spans = [(max(start, edit.start) + shift, min(stop, edit.stop) + shift) for start, stop, shift in kept]
        cuts = [merge.Edit(start, stop, "") for start, stop in spans if start < stop]
        if edit.text:
            place = cuts[0].start if cuts else _place(kept, edit.start)
            cuts = [merge.Edit(place, cuts[0].stop, edit.text), *cuts[1:]] if cuts else [merge.Edit(place, place, edit.text)]
        found += cuts
    return found


def union(first: str, second: str) -> list[Edit]:
    """What the second text has and the first one has not, as edits of the first: nothing is taken out, and what is only elsewhere is not doubled."""
    edits = merge.edits(first, second)
    raw = first.encode()
    elsewhere = Counter(word for edit in edits for word in _WORDS.findall(raw[edit.start : edit.stop].decode()))
    found = []
    for edit in edits:
        words = []
        for word in _WORDS.findall(edit.text):
            if elsewhere[word] > 0:
                elsewhere[word] -= 1
            else:
                words.append(word)
        if words:
            found.append(merge.Edit(edit.stop, edit.stop, "".join(words)))
    return found


def _kept(ours: list[Edit], size: int) -> list[tuple[int, int, int]]:
    """Stretches of the base that are still there: from, up to, how far they moved. Empty ones tell places."""
    found = []
    start = shift = 0
    for edit in ours:
        found.append((start, edit.start, shift))
        shift += len(edit.text.encode()) - (edit.stop - edit.start)
        start = edit.stop
    return [*found, (start, size, shift)]


def _place(kept: list[tuple[int, int, int]], at: int) -> int:
    """Where a place of the base is now."""
    before = [(start, stop, shift) for start, stop, shift in kept if start <= at]
    _, stop, shift = before[-1]
    return min(at, stop) + shift


def _sources(doc: Doc[Any]) -> list[tuple[str, Text, str]]:
    """Of each cell its id, and its source as a shared text and as it is."""
    cells: Array[Any] = doc.get(CELLS, type=Array)
    found = [(str(cell.get("id")), cell.get(SOURCE)) for cell in cells if isinstance(cell, Map)]
    return [(name, source, str(source)) for name, source in found if isinstance(source, Text)]
