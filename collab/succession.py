"""The same history under a new lineage: for a document whose server forgot what its clients hold (a backup that was restored).

Nothing else in it is different, so every state that somebody may have read can still be made anew. Clients with a copy of the old one are refused
as those of any other history; what they had not sent comes as a whole text, and is merged from the nearest of those states.
"""

from __future__ import annotations

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


def added(before: str, after: str) -> str:
    """All lines of `before`, with what `after` has more. Lines that others wrote in the same place stand beside each other, not woven into one."""
    found = []
    for ours, theirs, both in _in_lines(before, after):
        done = 0
        for line, place in _paired(ours, theirs):
            if place is not None:
                found += ours[done:place]
                done = place + 1
            found.append(line)
        found += [*ours[done:], *both]
    return "\n".join(found)


def more(before: str, after: str) -> int:
    """How much `after` has more: characters of lines that are new, and of what lines have grown by."""
    total = 0
    for ours, theirs, _ in _in_lines(before, after):
        total += sum(len(line) + 1 - (0 if place is None else len(ours[place])) for line, place in _paired(ours, theirs))
    return total


def _paired(ours: list[str], theirs: list[str]) -> Iterator[tuple[str, int | None]]:
    """Each of their lines, and the place of that of ours which is the same with something more in it."""
    done = 0
    small = len(ours) * len(theirs) <= _PAIRS
    for line in theirs:
        found = next((place for place in range(done, len(ours)) if _grown(ours[place], line)), None) if small else None
        done = done if found is None else found + 1
        yield line, found


def _grown(before: str, after: str) -> bool:
    return bool(before.strip()) and len(before) < len(after) and all(edit.start == edit.stop for edit in merge.edits(before, after))


def left(before: str, after: str) -> str:
    """The lines of `before` that are still in `after`."""
    return "\n".join(line for _, _, both in _in_lines(before, after) for line in both)


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
