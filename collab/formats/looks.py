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

    def cost(self, after: Looks, known: Known) -> tuple[int, int]:
        """What speaks against that having been made of this: see `nearest.cost`, of the words; where that is the same, about how many bytes of the
        rest were changed.
        """
        ours, theirs = Counter(self.rest), Counter(after.rest)
        return cost(self.words, after.words, known), sum(map(len, ((ours - theirs) + (theirs - ours)).elements()))
