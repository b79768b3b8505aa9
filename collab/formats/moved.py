"""Words that are typed into a cell which somebody else takes out at the same time, to put a copy in elsewhere: a move, in shared types.

The old cell is gone with all that is typed into it. So the document is remembered as it was; what comes late for the old cell is made
there, and then, by the same edits, in the copy, which has the same id.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

from pycrdt import Array, Doc

from collab import merge, updates
from collab.formats.notebook import CELLS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from collab.merge import Edit
    from collab.updates import Id

    Place: TypeAlias = tuple[str | Id, str | None]

MOST = 16
"""Moments that are remembered, and …"""
BYTES = 32 * 2**20
"""… bytes of all of them."""


class Moment:
    """A document before cells were taken out of it. It takes in what comes later, but for deletions."""

    def __init__(self, state: bytes, sources: Mapping[str, str]) -> None:
        self.sources = sources
        """By the ids of their cells."""
        self._state = state

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._state)

    def late(self, known: Doc[Any], update: bytes) -> list[tuple[str, str, str]]:
        """What an update that `known` has not yet got changes in the sources of cells that are here: (id, source before, source after)."""
        then: Doc[Any] = Doc()
        then.apply_update(self._state)
        since = updates.read(known.get_update(then.get_state()))
        if since.structs:
            then.apply_update(updates.write(updates.Update(since.structs, {})))
        before = _sources(then)
        then.apply_update(update)
        after = _sources(then)
        self._state = then.get_update()
        if len(before) != len(after):
            return []
        return [(name, old, new) for (name, old), (_, new) in zip(before, after, strict=True) if old != new]


class Moments:
    """What is remembered, by the items of the cells that were taken out."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Id, Moment] = OrderedDict()
        self._gone: set[Id] = set()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def new(self, items: Iterable[Id]) -> list[Id]:
        """Those that were not taken out before."""
        return [item for item in items if item not in self._gone]

    def keep(self, items: Iterable[Id], moment: Moment) -> None:
        """These cells are about to be taken out."""
        for item in items:
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

    def source(self, name: str) -> str | None:
        """The source that the cell with this id had when it was last taken out."""
        for moment in reversed(self._kept.values()):
            if name in moment.sources:
                return moment.sources[name]
        return None


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


def _sources(doc: Doc[Any]) -> list[tuple[str, str]]:
    cells = json.loads(str(doc.get(CELLS, type=Array)))
    return [(str(each.get("id")), str(each.get(SOURCE))) for each in cells if isinstance(each, dict)]
