"""The same history under a new lineage: for a document whose server forgot what its clients hold (a backup that was restored).

Nothing else in it is different, so every state that somebody may have read can still be made anew. Clients with a copy of the old one are refused
as those of any other history; what they had not sent comes as a whole text, and is merged from the nearest of those states.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from collab import merge, updates
from collab.authorship import Authorship
from collab.codec import var_string, var_uint
from collab.document import LINEAGE_KEY, ROOT, reserved
from collab.errors import Poisoned
from collab.ledger import opened, pack, part_of, unpack
from collab.ports import Kind, Log, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from collab.ports import Meta, Part

_PAIRS = 10_000
"""Pairs of lines that are compared."""
_WORDS = re.compile(r"(\s*)(\S+)|(\s+)")
_STRING_VALUE = 119
"""The tag of a string among lib0's values."""


def lineage_of(log: Log) -> int:
    """The lineage of a log that begins at its document's beginning or with a checkpoint. Poisoned."""
    first = log.checkpoint
    if first is None:
        first = next((record.body for _, record in log.records if record.kind is Kind.SEED), b"\0\0")
    found = [client for client in updates.read(first).structs if reserved(client)]
    if len(found) != 1:
        raise Poisoned(f"the stored history holds {len(found)} lineages instead of one")
    return found[0]


def succeed(log: Log, old: int, new: int) -> Log:
    """The log as if its lineage had always been `new`."""
    heir = _Heir(old, new)
    state = None if log.checkpoint is None else heir.update(log.checkpoint)
    return Log(state, heir.meta(log.meta), log.position, tuple((position, heir.record(record)) for position, record in log.records))


def succeed_part(part: Part, old: int, new: int) -> Part:
    """The same for a part of an older log."""
    return part_of(succeed(opened(part), old, new), part.last)


def succeed_authors(position: int, authors: bytes, old: int, new: int) -> bytes:
    """The same for who wrote what, as the archive keeps it."""
    return Authorship.decode(position, authors, old).succeeded(new).encode()


def added(before: str, after: str, seen: str = "") -> str:
    """All lines of `before`, with what `after` has more. `seen`: what both are made of. Lines that others wrote in the same place stand beside each
    other, not woven into one; what was written into one line that both have is woven, word by word.
    """
    found: list[str] = []
    akin = _Akin(seen)
    for ours, theirs, both in _in_lines(before, after):
        done = 0
        for line, place in akin.paired(ours, theirs):
            if place is None:
                found.append(line)
                continue
            found += [*ours[done:place], _union(ours[place], line)]
            done = place + 1
        found += [*ours[done:], *both]
    return "\n".join(found)


def more(before: str, after: str, seen: str = "") -> int:
    """How much `after` has more: characters of lines that are new, and of what lines have grown by."""
    total = 0
    akin = _Akin(seen)
    for ours, theirs, _ in _in_lines(before, after):
        for line, place in akin.paired(ours, theirs):
            total += len(line) + 1 if place is None else len(_union(ours[place], line)) - len(ours[place])
    return total


def left(before: str, after: str) -> str:
    """The lines of `before` that are still in `after`, perhaps with something more in them."""
    found: list[str] = []
    akin = _Akin(before)
    for ours, theirs, both in _in_lines(before, after):
        found += [_rest(ours[place], line) for line, place in akin.paired(ours, theirs) if place is not None]
        found += both
    return "\n".join(found)


class _Akin:
    """Which lines of two texts are the same one with something more in it; `seen` is what both were made of."""

    def __init__(self, seen: str) -> None:
        self._seen = [line for line in dict.fromkeys(seen.split("\n")) if line.strip()]

    def paired(self, ours: list[str], theirs: list[str]) -> Iterator[tuple[str, int | None]]:
        """Each of their lines, and the place of that of ours which is the same."""
        done = 0
        small = len(ours) * len(theirs) <= _PAIRS
        for line in theirs:
            found = next((place for place in range(done, len(ours)) if self._same(ours[place], line)), None) if small else None
            done = done if found is None else found + 1
            yield line, found

    def _same(self, ours: str, theirs: str) -> bool:
        if not ours.strip() or not theirs.strip():
            return False
        if _grown(ours, theirs) or _within(theirs.split(), ours.split()):
            return True
        return any(_grown(line, ours) and _grown(line, theirs) for line in self._seen)


def _grown(before: str, after: str) -> bool:
    return len(before) < len(after) and all(edit.start == edit.stop for edit in merge.edits(before, after))


def _within(words: list[str], line: list[str]) -> bool:
    """Whether all words are in the line, in this order."""
    rest = iter(line)
    return all(word in rest for word in words)


def _union(ours: str, theirs: str) -> str:
    """All words of two lines: those of both once."""
    found: list[str] = []
    for ones, others, both in _in_words(ours, theirs):
        one, other = _joined(ones), _joined(others)
        alike = [others] if _grown(one, other) else [ones] if _grown(other, one) else [ones, others]
        for words in (*alike, both):
            found += _spaced(words, first=not found)
    return "".join(found)


def _rest(ours: str, theirs: str) -> str:
    """What of the first line is in the second."""
    found: list[tuple[str, str]] = []
    for ones, others, both in _in_words(ours, theirs):
        one, other = _joined(ones), _joined(others)
        found += [*(ones if _grown(one, other) else others if _grown(other, one) else ()), *both]
    return _joined(found)


_Words = list[tuple[str, str]]
"""Words of a line, each behind the white space before it; what is at the end stands before an empty one."""


def _joined(words: _Words) -> str:
    return "".join(map("".join, words))


def _words(line: str) -> _Words:
    return [(space or end, word) for space, word, end in _WORDS.findall(line)]


def _spaced(words: _Words, *, first: bool) -> Iterator[str]:
    """As they stand behind other words."""
    for number, (space, word) in enumerate(words):
        yield (" " if word and not space and not (first and number == 0) else space) + word


def _in_words(ours: str, theirs: str) -> Iterator[tuple[_Words, _Words, _Words]]:
    """Two lines from one stretch of words that they share to the next: those of ours, those of theirs, those of both as they stand in ours."""
    mine, yours = _words(ours), _words(theirs)
    i = j = 0
    for one, other, both in merge.in_lines([word for _, word in mine], [word for _, word in yours]):
        ones, others = mine[i : i + len(one)], yours[j : j + len(other)]
        i, j = i + len(one), j + len(other)
        yield ones, others, mine[i : i + len(both)]
        i, j = i + len(both), j + len(both)


def _in_lines(before: str, after: str) -> Iterator[tuple[list[str], list[str], list[str]]]:
    return merge.in_lines(before.split("\n"), after.split("\n"))


class _Heir:
    def __init__(self, old: int, new: int) -> None:
        self._old = old
        self._new = new
        self._mark = var_uint(old)

    def update(self, data: bytes) -> bytes:
        if self._mark not in data:
            return data
        told = updates.rename(updates.read(data), self._old, 0, self._new)
        if self._new in told.structs:
            told.structs[self._new] = [self._named(each) for each in told.structs[self._new]]
        return updates.write(told)

    def _named(self, each: updates.Struct) -> updates.Struct:
        """The entry that tells clients the lineage tells the new one."""
        if (each.parent, each.key, each.kind) != (ROOT, LINEAGE_KEY, updates.ANY):
            return each
        return replace(each, content=var_uint(1) + bytes((_STRING_VALUE,)) + var_string(str(self._new)))

    def record(self, record: Record) -> Record:
        body = record.body
        if record.kind is Kind.UPDATE:
            body = pack([self.update(update) for update in unpack(body)])
        elif body:
            body = self.update(body)
        return Record(record.kind, body, self.meta(record.meta))

    def meta(self, meta: Meta) -> Meta:
        changed = {name: change(meta[name]) for name, change in self._changes().items() if name in meta}
        return {**meta, **changed} if changed else meta

    def _changes(self) -> dict[str, Callable[[object], object]]:
        """What of a record's meta names clients."""
        return {
            "drop": lambda value: self.update(bytes.fromhex(cast("str", value))).hex(),
            "places": lambda value: [[self._client(client), clock] for client, clock in cast("Iterable[tuple[int, int]]", value)],
            "owners": lambda value: {str(self._client(int(client))): who for client, who in cast("dict[str, str]", value).items()},
        }

    def _client(self, client: int) -> int:
        return self._new if client == self._old else client
