"""What two bodies are compared by: their words, and what else they have, line by line."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from collab import merge


class Looks(NamedTuple):
    """Words are compared by words; the rest (outputs, metadata of a notebook) only by lines: pictures that are drawn anew are no other notebook."""

    words: str
    rest: tuple[str, ...] = ()

    def cost(self, after: Looks) -> tuple[int, int]:
        """How many bytes of words were deleted and inserted to make that of this; where that is the same, about how many of the rest."""
        edits = sum(edit.stop - edit.start + len(edit.text.encode()) for edit in merge.edits(self.words, after.words))
        ours, theirs = Counter(self.rest), Counter(after.rest)
        return edits, sum(map(len, ((ours - theirs) + (theirs - ours)).elements()))
