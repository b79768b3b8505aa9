"""Who wrote which characters, and who deleted what: the sum of a log's records, by (client, clock), in pycrdt's IdMap.

A person counts by the connection that delivered an update, never by what a client says of itself; an id that is another person's by the record
makes it that person's, relayed. What no person wrote has a *mark* in the place of a person's id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Self, cast

from pycrdt import ContentAttribute, IdMap

from collab.codec import Reader, var_bytes, var_string
from collab.ledger import unpack
from collab.ports import Kind
from collab.updates import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from collab.ports import Log, Record
    from collab.updates import Deletes, Update

FILE = "-file"
"""The mark of the text as the file was found."""
PROGRAM = "-program"
"""The mark of what programs wrote that changed the file, or this server, to keep the text in order."""
UNKNOWN = "-unknown"
"""The mark of what was there before anybody noted who wrote, and whose client ids tell nothing."""
_TWICE = "-twice"
"""Who deletes what a program wrote and others had written already in the same place: nobody saw it."""
MARKS = frozenset((FILE, PROGRAM, UNKNOWN))
_VERSION = 1

Span = tuple[int, int, str, str]
"""Clocks from, to, and whose; and who relayed it, or the empty string."""


@dataclass(slots=True)
class Authorship:
    """Who wrote and who deleted what is in a document's log up to `position`. Clocks count UTF-16 units of text."""

    lineage: int
    position: int = 0
    written: IdMap = field(default_factory=IdMap)
    deleted: IdMap = field(default_factory=IdMap)
    times: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When each person's edits were first and last noted, in UTC seconds since the epoch."""
    undated: dict[str, None] = field(default_factory=dict)
    """Who edited since the last record that tells a time."""
    _owners: dict[int, str] = field(default_factory=dict)
    _state: dict[int, int] = field(default_factory=dict)
    """The next clock of each client."""
    _fresh: IdMap = field(default_factory=IdMap)
    """What is deleted and not in the large map yet, which takes long for each single range."""

    @classmethod
    def decode(cls, position: int, data: bytes, lineage: int) -> Self:
        """What `encode` gave at this position of the log; of another lineage it tells nothing. ValueError, KeyError, Malformed."""
        reader = Reader(data)
        told = json.loads(reader.var_string())
        if told["version"] != _VERSION or told["lineage"] != lineage:
            return cls(lineage)
        written, deleted = IdMap.decode(reader.var_bytes()), IdMap.decode(reader.var_bytes())
        times = {person: (first, last) for person, (first, last) in told["times"].items()}
        known = cls(lineage, position, written, deleted, times, dict.fromkeys(told["undated"]))
        for client, entry in written.entries():
            known._state[client] = max(known._state.get(client, 0), entry.end)
        return known

    def take(self, log: Log) -> None:
        """What the log has beyond our position. A checkpoint beyond it tells no more than whose client ids they were."""
        self._owners.update(_owners(log.meta))
        if self.position < log.position and log.checkpoint is not None:
            update = read(log.checkpoint)
            self._write(update, UNKNOWN)
            self._delete(update.deletes, UNKNOWN)
            self.position = log.position
        for position, record in log.records:
            self._owners.update(_owners(record.meta))
            if position > self.position:
                self._take(record)
                self.position = position
        self.deleted.merge_with(self._fresh)
        self._fresh = IdMap()

    def _take(self, record: Record) -> None:
        if record.kind is Kind.SEED:
            self._write(read(record.body), FILE)
        elif record.kind is Kind.UPDATE:
            for update, by in zip(map(read, unpack(record.body)), _delivered(record), strict=False):
                self._write(update, by)
                self._delete(update.deletes, by)
        elif record.kind is Kind.MERGE and record.body:
            update, by = read(record.body), cast("str", record.meta.get("by") or PROGRAM)
            self._write(update, by)
            self._delete(update.deletes, by)
            if "drop" in record.meta:
                self._delete(read(bytes.fromhex(cast("str", record.meta["drop"]))).deletes, _TWICE)
        self._date(record)

    def _write(self, update: Update, by: str) -> None:
        """Each struct that is new is whose id it is, if that is noted, else of who delivered it."""
        for client, structs in update.structs.items():
            first = max(structs[0].clock, self._state.get(client, 0))
            stop = structs[-1].end
            if first >= stop:
                continue
            self._state[client] = stop
            who = self._whose(client, by)
            relayed = [ContentAttribute("relayed", by)] if by not in {who, *MARKS} else []
            self.written.insert(client, first, stop - first, [ContentAttribute("insert", who), *relayed])
            if who != FILE:
                self.undated[who] = None

    def _whose(self, client: int, by: str) -> str:
        return FILE if client == self.lineage else self._owners.get(client, by)

    def _delete(self, deletes: Deletes, by: str) -> None:
        """Who deletes first counts: clients say again and again what they know to be gone."""
        for client, ranges in deletes.items():
            old = [gap for clock, length in ranges for gap in _gaps(self.deleted, client, clock, length)]
            new = [gap for clock, length in old for gap in _gaps(self._fresh, client, clock, length)]
            for clock, length in new:
                self._fresh.insert(client, clock, length, [ContentAttribute("delete", by)])
            if new:
                self.undated[by] = None

    def _date(self, record: Record) -> None:
        """An update tells no time: it was at most as long ago as a save is put off."""
        at = record.meta.get("at")
        if isinstance(at, (int, float)):
            for person in self.undated:
                first, _ = self.times.get(person, (at, at))
                self.times[person] = first, float(at)
            self.undated.clear()

    # --- looks

    def spans(self) -> dict[int, list[Span]]:
        """For each client, whose its clocks are, in order; what was deleted since is still told."""
        found: dict[int, list[Span]] = {}
        for client, entry in self.written.entries():
            told = {each.name: each.value for each in entry.attributes}
            found.setdefault(client, []).append((entry.start, entry.end, told["insert"], told.get("relayed", "")))
        return found

    def deletions(self) -> dict[str, int]:
        """How many UTF-16 units each person (or mark) deleted, of whomever."""
        found: dict[str, int] = {}
        for _, entry in self.deleted.entries():
            by = entry.attributes[0].value
            if by != _TWICE:
                found[by] = found.get(by, 0) + entry.end - entry.start
        return found

    # --- keeping

    def encode(self) -> bytes:
        """For the archive."""
        told = {"version": _VERSION, "lineage": self.lineage, "times": self.times, "undated": list(self.undated)}
        return var_string(json.dumps(told)) + var_bytes(self.written.encode()) + var_bytes(self.deleted.encode())

    def succeeded(self, lineage: int) -> Self:
        """The same of the same history under another lineage."""
        written, deleted = (_renamed(each, self.lineage, lineage) for each in (self.written, self.deleted))
        return replace(self, lineage=lineage, written=written, deleted=deleted)


def _renamed(told: IdMap, old: int, new: int) -> IdMap:
    made = IdMap()
    for client, entry in told.entries():
        made.insert(new if client == old else client, entry.start, entry.end - entry.start, entry.attributes)
    return made


def _owners(meta: Mapping[str, object]) -> Iterable[tuple[int, str]]:
    owners = cast("Mapping[str, str]", meta.get("owners", {}))
    return ((int(client), person) for client, person in owners.items())


def _delivered(record: Record) -> Iterator[str]:
    """Who delivered each update of a record."""
    by = cast("Iterable[tuple[str, int]]", record.meta.get("by", ()))
    return chain((person or PROGRAM for person, count in by for _ in range(count)), repeat(UNKNOWN))


def _gaps(known: IdMap, client: int, clock: int, length: int) -> Iterator[tuple[int, int]]:
    """(clock, length) of what is in the range and not in the map."""
    for each in known.attributions(client, clock, length):
        if not each.attributes:
            yield each.start, each.end - each.start
