"""A rendering in blocks that keep their names while their content is the same, and the patch from one to another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from zlib import crc32

from collab.reading import RENDERER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Shell: TypeAlias = Literal["sheet", "code", "text", "table", "none"]
"""What the blocks are in: prose, lines of code, lines of text, a table's rows, or nothing that can be shown."""

_MATCHED: Final = 4_000
"""Changed blocks that are compared one by one."""
_EVERY: Final = 24
"""Rows or lines of a block, about."""
_MOST: Final = 96


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page. `name` tells it from all others of the rendering; the same content has the same name again."""

    name: str
    html: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """A document as it is read, in all languages: its words are marks (`collab.reading.marks`)."""

    shell: Shell
    title: str
    blocks: tuple[Block, ...]
    version: str
    """The same for the same page, on every node."""
    language: str = ""
    """What the document says that it is written in (BCP 47)."""
    note: str = ""
    """What is said above it: why it is not shown as one would think. A word, marked."""

    @property
    def size(self) -> int:
        """Characters, about."""
        return sum(len(block.html) + 40 for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Splice:
    """From block `at` on, so many go and these come. Splices count in the rendering before, and are in its order."""

    at: int
    remove: int
    insert: tuple[Block, ...]


def rendering(shell: Shell, title: str, parts: Iterable[str], *, language: str = "", note: str = "") -> Rendering:
    """The rendering of these blocks of HTML."""
    blocks = tuple(_named(parts))
    whole = blake2b(digest_size=12)
    for each in (RENDERER, shell, title, language, note, *(block.name for block in blocks)):
        whole.update(each.encode("utf-8", "surrogatepass") + b"\0")
    return Rendering(shell, title, blocks, whole.hexdigest(), language, note)


def _named(parts: Iterable[str]) -> Iterator[Block]:
    seen: Counter[str] = Counter()
    for part in parts:
        digest = blake2b(part.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        number = seen[digest]
        seen[digest] += 1
        yield Block(f"{digest}-{number}" if number else digest, part)


def splices(before: Sequence[str], after: Sequence[Block]) -> list[Splice]:
    """The changes from blocks of these names to those. Only what is between the first and the last change is looked at closely."""
    names = [block.name for block in after]
    start, least = 0, min(len(before), len(names))
    while start < least and before[start] == names[start]:
        start += 1
    end = 0
    while end < least - start and before[-1 - end] == names[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], names[start : len(names) - end]
    if not old and not new:
        return []
    if len(old) + len(new) > _MATCHED:
        return [Splice(start, len(old), tuple(after[start : start + len(new)]))]
    # Names are unique, so nothing is popular and nothing is junk.
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Splice(start + i, j - i, tuple(after[start + k : start + m])) for tag, i, j, k, m in codes if tag != "equal"]


def chunks(rows: Iterable[str]) -> Iterator[list[str]]:
    """Rows in groups, cut where the words of a row say so: a row more moves few of the cuts."""
    group: list[str] = []
    for row in rows:
        if group and (len(group) >= _MOST or crc32(row.encode("utf-8", "surrogatepass")) % _EVERY == 0):
            yield group
            group = []
        group.append(row)
    if group:
        yield group
