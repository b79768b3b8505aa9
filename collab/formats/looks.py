"""What two bodies are compared by: their words, and what else they have, line by line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from collab.nearest import cost

if TYPE_CHECKING:
    from collab.nearest import Known


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
            words = min(words, self._by_cells(after, known))
        return words, sum(map(len, ((ours - theirs) + (theirs - ours)).elements())), moved

    def _order(self, other: Looks) -> list[str]:
        """The ids of the cells that the other one has too."""
        there = {name for name, _ in other.cells}
        return [name for name, _ in self.cells if name in there]

    def _by_cells(self, after: Looks, known: Known) -> int:
        """The cost where cells keep their ids, wherever they are now."""
        ours, theirs = dict(self.cells), dict(after.cells)
        both = ours.keys() & theirs.keys()
        before, behind = ("".join(words for name, words in side.items() if name not in both) for side in (ours, theirs))
        pairs = [(ours[name], theirs[name]) for name in both if ours[name] != theirs[name]]
        return sum(cost(base, new, known, whole=self.words) for base, new in [*pairs, (before, behind)])
