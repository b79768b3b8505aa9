"""What two bodies are compared by: their words, and what else they have, line by line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from collab.merge import nearness
from collab.nearest import cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collab.nearest import Known

ALIKE = 0.8
"""Cells with other ids that have less than this in common are others."""
REACH = 8
"""New cells that are looked at for each that is gone."""


class Looks(NamedTuple):
    """Words are compared by words; the rest (outputs, metadata of a notebook) only by lines: pictures that are drawn anew are no other notebook."""

    words: str
    rest: tuple[str, ...] = ()
    cells: tuple[tuple[str, str], ...] = ()
    """Of a notebook: the ids of its cells and their words, in order."""

    def cost(self, after: Looks, known: Known) -> tuple[int, int, int]:
        """What speaks against that having been made of this: see `nearest.cost`, of the words; where that is the same, about how many bytes of the
        rest were changed, and whether cells were moved.
        """
        ours, theirs = Counter(self.rest), Counter(after.rest)
        words = cost(self.words, after.words, known)
        moved = self._order(after) != after._order(self)
        if words and self.cells and after.cells:
            by_cells = self._by_cells(after, known)
            # Who keeps the ids of cells has put in each cell that has a new one.
            words = by_cells if self._keeps(after) else min(words, by_cells)
        return words, sum(map(len, ((ours - theirs) + (theirs - ours)).elements())), moved

    def _order(self, other: Looks) -> list[str]:
        """The ids of the cells that the other one has too."""
        there = {name for name, _ in other.cells}
        return [name for name, _ in self.cells if name in there]

    def _keeps(self, after: Looks) -> bool:
        """Whether the other one has most of the ids: there are programs that give all cells new ones."""
        return 2 * len(self._order(after)) > min(len(self.cells), len(after.cells))

    def _by_cells(self, after: Looks, known: Known) -> int:
        """The cost where cells keep their ids, wherever they are now."""
        ours, theirs = dict(self.cells), dict(after.cells)
        both = ours.keys() & theirs.keys()
        gone, come = ([_source(words) for name, words in side.items() if name not in both] for side in (ours, theirs))
        pairs = [(ours[name], theirs[name]) for name in both if ours[name] != theirs[name]]
        pairs += _alike(gone, come) if self._keeps(after) else [("".join(gone), "".join(come))]
        return sum(cost(base, new, known, whole=self.words) for base, new in pairs)


def _alike(gone: Sequence[str], come: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Cells that are not there any more and cells that are new, in pairs where one may be the other under a new id: it was cut out and put in again.
    Two that are not alike are two cells: somebody put in the one, and had not seen the other.
    """
    left = [*come]
    for words in gone:
        near = [(nearness(words, other), -place) for place, other in enumerate(left[:REACH])]
        best = max(near, default=(0.0, 0))
        yield words, left.pop(-best[1]) if best[0] >= ALIKE else ""
    yield from (("", words) for words in left)


def _source(words: str) -> str:
    """Without the kind of the cell."""
    return words.partition("\n")[2]
