"""What a document's log says beside its text: the file's form, whose client ids they are, and what the file should hold.

The order of the records is the proof: an ANNOUNCE stands exactly behind the updates that the announced body holds, so its
position names the state; only the last announced and the last finished save are our own writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.document import Endings, Mend
from collab.formats.bodies import form_of
from collab.formats.text import Form as TextForm
from collab.ports import Kept, Kind, Log, Part, Record
from collab.updates import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from collab.document import Ending, Step
    from collab.formats.bodies import Form
    from collab.ports import Meta

HERE = -1
"""A place in the meta of a checkpoint: the checkpoint's own."""
KNOWN = 64
FORMER = 16
"""Bodies that the file held before, of which a crash may leave one beside it, with somebody's words in it."""
PAST = 256
"""Bodies that writers may have read which are told without the archive."""
GIVEN = 16
"""Bodies that an office suite may go on from, since it put one."""


@dataclass(frozen=True, slots=True)
class Base:
    """A body that the file held: its SHA-256, and the CRDT state that it came from as places in the log."""

    hash: str
    place: int
    """Everything up to and with this position …"""
    merges: tuple[int, ...] = ()
    """… and these MERGE records after it."""

    def to_json(self) -> list[object]:
        """As it stands in a record's meta."""
        return [self.hash, self.place, list(self.merges)]

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The inverse of `to_json`."""
        digest, place, merges = cast("tuple[str, int, list[int]]", value)
        return cls(digest, place, tuple(merges))


class Held(NamedTuple):
    """What the file held from a moment on."""

    hash: str
    at: float
    """UTC seconds since the epoch."""
    ours: bool
    """We wrote it."""


@dataclass(frozen=True, slots=True)
class Office:
    """What an office suite may have before it, which names no base: it fetches once for several people, and saves with any of their tokens."""

    put: Base | None = None
    """What it put last, since the document was last unlocked."""
    given: tuple[Base, ...] = ()
    """What was given since, to whomever, the newest last."""
    former: tuple[Base, ...] = ()
    """The same of before that: a suite that was given nothing since may still have it."""
    longer: Base | None = None
    """What it put last, if it was longer than this by a line end, which the suite puts behind each text."""

    def after(self, position: int, record: Record) -> Office:
        """What it is with one record more."""
        said = record.meta["office"]
        match record.kind:
            case Kind.GIVEN:
                return self._gave(Base(cast("str", record.meta["hash"]), position))
            case Kind.MERGE:
                place, longer = cast("tuple[int, bool]", said)
                put = merged(record.meta, position)
                # What was given while the put was under way counts on.
                given = tuple(each for each in self.given if each.place > place)
                return Office(put, given, longer=put if longer else None)
            case _:
                # It unlocked the document. Whoever locks it next is another one, most likely.
                return Office(former=(*self.former, *self._put(), *self.given)[-GIVEN:], longer=self.longer)

    def _gave(self, base: Base) -> Office:
        if self.put is not None and self.put.hash == base.hash:
            return self
        return replace(self, given=(*(each for each in self.given if each.hash != base.hash), base)[-GIVEN:])

    def choices(self) -> list[tuple[Base, ...]]:
        """What the suite may have before it, the newest first; then what it has if it is none of these."""
        return [each[::-1] for each in ((*self._put(), *self.given), self.former) if each]

    def _put(self) -> tuple[Base, ...]:
        return () if self.put is None else (self.put,)

    def to_json(self) -> dict[str, object]:
        """As it stands in a checkpoint's meta."""
        given, former = ([each.to_json() for each in some] for some in (self.given, self.former))
        put, longer = (None if each is None else each.to_json() for each in (self.put, self.longer))
        return {"put": put, "given": given, "former": former, "longer": longer}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The inverse of `to_json`."""
        facts = cast("Mapping[str, Any]", value)
        given, former = (tuple(map(Base.from_json, facts[name])) for name in ("given", "former"))
        put, longer = (None if facts[name] is None else Base.from_json(facts[name]) for name in ("put", "longer"))
        return cls(put, given, former, longer)


@dataclass(slots=True)
class Ledger:
    """The sum of a log's records."""

    form: Form = field(default_factory=TextForm)
    owners: dict[int, str] = field(default_factory=dict)
    """Client id → the id of the person who first wrote under it."""
    base: Base = field(default_factory=lambda: Base("", 0))
    announced: Base | None = None
    former: tuple[Base, ...] = ()
    """What the file held before the base, the newest last."""
    readers: tuple[Base, ...] = ()
    """What the writers of displaced files had read and written when they were merged."""
    readers_at: tuple[int, ...] = ()
    """When that was: the places of the records."""
    known: tuple[str, ...] = ()
    """SHA-256 of the bodies that were announced or merged last: what a crash leaves beside the file may be one of them."""
    past: tuple[Kept, ...] = ()
    """Bodies that writers may have read since the checkpoint, the newest last."""
    begun: tuple[Base, Base, float] | None = None
    """The last body that a program put into the file: what it had read, what it wrote, when. It may have been the beginning of one."""
    held: tuple[Held, ...] = ()
    """What the file held, in order."""
    office: Office = field(default_factory=Office)
    _said: Meta = field(default_factory=dict)
    """The meta of the last ANNOUNCE."""
    edited: int = 0
    """The position of the last edit."""
    origin: int = 0
    """Where this lineage begins: nobody with a copy of another one has seen what came after it."""
    position: int = 0

    @classmethod
    def of(cls, log: Log) -> Self:
        """The ledger that a log makes."""
        ledger = cls.from_meta(log.meta, log.position) if log.meta else cls()
        for position, record in log.records:
            ledger.take(position, record)
        return ledger

    def take(self, position: int, record: Record) -> None:
        """One record more."""
        self._begin(position, record)
        match record.kind:
            case Kind.SEED:
                self.origin = position
                self.form = form_of(cast("Mapping[str, object]", record.meta["form"]))
                self.base = Base(cast("str", record.meta["hash"]), position)
                self._read(self.base, record.meta, ours=False)
                self._hold(self.base.hash, record.meta, ours=False)
            case Kind.UPDATE:
                self.edited = position
                owners = cast("Mapping[str, str]", record.meta.get("owners", {}))
                self.owners.update((int(client), person) for client, person in owners.items())
            case Kind.MERGE:
                self.edited = position
                self.form = form_of(cast("Mapping[str, object]", record.meta["form"]))
                after = merged(record.meta, position)
                (self.settle if record.meta["in_file"] else self.remember)(after)
                self._read(after, record.meta, ours=False)
                if not record.meta["in_file"] and not record.meta.get("by"):
                    self._held_before(after.hash, record.meta)
                if record.meta["in_file"]:
                    origin = record.meta["base"]
                    self.begun = None if origin is None else (Base.from_json(origin), after, _at(record.meta))
                    self._hold(after.hash, record.meta, ours=False)
            case Kind.ANNOUNCE:
                self.announced = Base(cast("str", record.meta["hash"]), position)
                self._said = record.meta
            case Kind.GIVEN:
                self.origin = position if record.meta.get("restored") else self.origin
                self._read(Base(cast("str", record.meta["hash"]), position), record.meta, ours=True)
            case Kind.SAVED:
                self.settle(Base(cast("str", record.meta["hash"]), cast("int", record.meta["place"])))
                # Only what was written could be read.
                self._read(self.base, self._said, ours=True)
                self._hold(self.base.hash, record.meta, ours=True)

    def _begin(self, position: int, record: Record) -> None:
        """What records of several kinds have."""
        self.position = position
        if "hash" in record.meta:
            self.note(cast("str", record.meta["hash"]))
        if "office" in record.meta:
            self.office = self.office.after(position, record)

    def _read(self, base: Base, meta: Meta, *, ours: bool) -> None:
        """From now on writers may have read this."""
        sketch = bytes.fromhex(cast("str", meta.get("sketch", "")))
        self.past = (*self.past, Kept(base.hash, base.place, base.merges, _at(meta), ours, sketch))[-PAST:]

    def _hold(self, digest: str, meta: Meta, *, ours: bool) -> None:
        """From now on the file holds this."""
        if not self.held or self.held[-1].hash != digest:
            self.held = (*self.held, Held(digest, _at(meta), ours))[-KNOWN:]

    def _held_before(self, digest: str, meta: Meta) -> None:
        """The file held this until a save of ours displaced it: the announced one, or the last one."""
        held = Held(digest, _at(meta), ours=False)
        last = () if self.announced else self.held[-1:]
        self.held = (*self.held[: len(self.held) - len(last)], held, *last)[-KNOWN:]

    def since(self, digest: str) -> tuple[Held, ...]:
        """What came after this body, when the file held it last, in order; nothing when that is not known."""
        places = [place for place, held in enumerate(self.held) if held.hash == digest]
        return self.held[places[-1] + 1 :] if places else ()

    def settle(self, base: Base) -> None:
        """The file holds this body, whatever was announced."""
        if base != self.base:
            self.former = (*self.former, self.base)[-FORMER:]
        self.base, self.announced = base, None

    def remember(self, reader: Base) -> None:
        """A displaced file was merged; its writer may go on from there."""
        self.readers = (*self.readers, reader)[-FORMER:]
        self.readers_at = (*self.readers_at, self.position)[-FORMER:]

    def note(self, digest: str) -> None:
        """A body that was announced or merged."""
        if digest not in self.known[-1:]:
            self.known = (*self.known, digest)[-KNOWN:]

    @property
    def anew(self) -> bool:
        """Whether what was announced was to be a new file, in the place of one that is gone: it displaces nothing."""
        return bool(self._said.get("anew"))

    @property
    def ahead(self) -> bool:
        """Whether there are edits that the file does not hold."""
        return self.edited > self.base.place

    def candidates(self) -> list[Base]:
        """The states from which the file's body may come, the surest first."""
        return [self.base, self.announced] if self.announced else [self.base]

    def to_meta_anew(self, endings: Iterable[Ending], *, ahead: bool) -> Meta:
        """For a log that begins anew with a state, whatever the file holds; `ahead`: it does not hold that state, but what it held last is known,
        though nobody can make the state anew that it came from.
        """
        base = self.base.to_json() if ahead else [self.base.hash, HERE, []]
        announced = {"announced": self.announced.to_json()} if self.announced is not None else {}
        return {**self.to_meta(endings), "base": base, "ahead": ahead, **announced}

    def to_meta(self, endings: Iterable[Ending]) -> Meta:
        """For a checkpoint at the base's place, as if everything up to there were saved; `endings` are those of that state."""
        return {
            "form": self.form.to_json(),
            "endings": list(endings),
            "owners": {str(client): person for client, person in self.owners.items()},
            "base": Base(self.base.hash, self.base.place).to_json(),
            "known": list(self.known),
            "held": [list(each) for each in self.held],
            "origin": self.origin,
            **({} if self.office == Office() else {"office": self.office.to_json()}),
        }

    @classmethod
    def from_meta(cls, meta: Meta, position: int) -> Self:
        """The inverse of `to_meta`."""
        owners = cast("Mapping[str, str]", meta["owners"])
        base = Base.from_json(meta["base"])
        announced = meta.get("announced")
        return cls(
            form=form_of(cast("Mapping[str, object]", meta["form"])),
            owners={int(client): person for client, person in owners.items()},
            base=replace(base, place=position) if base.place == HERE else base,
            announced=None if announced is None else Base.from_json(announced),
            edited=position if meta.get("ahead") else 0,
            known=tuple(cast("Iterable[str]", meta["known"])),
            held=tuple(Held(*each) for each in cast("Iterable[tuple[str, float, bool]]", meta.get("held", []))),
            origin=cast("int", meta.get("origin", 0)),
            office=Office.from_json(meta["office"]) if "office" in meta else Office(),
            position=position,
        )


def _at(meta: Meta) -> float:
    return cast("float", meta.get("at", 0.0))


def _endings(value: object) -> Endings:
    return Endings(tuple((place, ending) for place, ending in cast("Iterable[Ending]", value)))


def merged(meta: Meta, position: int) -> Base:
    """The writer's new base after a MERGE record: what it wrote, not the room, which it has not seen.

    A body that was equal to the live text has no base of its own: it is everything up to the record. One that was put back is what it was.
    """
    digest = cast("str", meta["hash"])
    if "after" in meta:
        return Base.from_json(meta["after"])
    if meta["base"] is None:
        return Base(digest, position)
    origin = Base.from_json(meta["base"])
    return replace(origin, hash=digest, merges=(*origin.merges, position))


def pack(updates: Sequence[bytes]) -> bytes:
    """The updates of one moment as the body of one record."""
    return var_bytes(updates[0]) if len(updates) == 1 else b"".join(map(var_bytes, updates))


def unpack(body: bytes) -> Iterator[bytes]:
    """The inverse of `pack`."""
    reader = Reader(body)
    while not reader.done:
        yield reader.var_bytes()


def history(log: Log, base: Base | None = None) -> Iterator[Step]:
    """The steps of a log in order; with a base, only those that made it, without line ends.

    What a MERGE drops is what others had done already: it is in what its writer wrote, and not twice in the document.
    """
    return (step for _, step in placed(log, base))


def placed(log: Log, base: Base | None = None) -> Iterator[tuple[int, Step]]:
    """As `history`, each step with its place."""
    if log.checkpoint is not None:
        yield log.position, log.checkpoint
        if base is None:
            yield log.position, _endings(log.meta["endings"])
    for position, record in log.records:
        if base is None or position <= base.place or position in base.merges:
            yield from ((position, step) for step in _steps(record))
            if (base is None or position <= base.place) and "drop" in record.meta:
                yield position, bytes.fromhex(cast("str", record.meta["drop"]))
            if base is None and record.kind in {Kind.SEED, Kind.MERGE}:
                yield position, _endings(record.meta["endings"])


def outside_since(log: Log, digest: str) -> dict[int, Base] | None:
    """What programs made of the file since it held this body last: the places of the MERGE records, with what each was made of. None when the log
    does not say when that was.
    """
    found: dict[int, Base] | None = None
    for position, record in log.records:
        program = record.kind is Kind.MERGE and not record.meta["by"] and "conflict" not in record.meta
        if record.meta.get("hash") == digest and (program or record.kind in {Kind.SEED, Kind.SAVED}):
            found = {}
        elif found is not None and program and record.meta["base"] is not None:
            found[position] = Base.from_json(record.meta["base"])
    return found


def together(bases: Sequence[Base], more: Iterable[int]) -> Base:
    """The state in which all of these are, and these MERGE records."""
    place = max(base.place for base in bases)
    merges = {merge for base in bases for merge in base.merges}.union(more)
    return Base(bases[0].hash, place, tuple(sorted(merge for merge in merges if merge > place)))


def deletions(log: Log, base: Base) -> int:
    """Updates that take something out, and are not in this state."""
    later = (record for position, record in log.records if position > base.place and position not in base.merges)
    return sum(bool(read(body).deletes) for record in later for body in _updates(record))


def _updates(record: Record) -> Iterator[bytes]:
    if record.kind is Kind.UPDATE:
        yield from unpack(record.body)
    elif record.kind is Kind.MERGE and record.body:
        yield record.body


def _steps(record: Record) -> Iterator[Step]:
    if record.kind is Kind.UPDATE:
        yield from unpack(record.body)
    elif record.kind is Kind.MEND:
        yield Mend(frozenset((client, clock) for client, clock in cast("Iterable[tuple[int, int]]", record.meta["places"])))
    elif record.body:
        yield record.body


def part_of(log: Log, last: int) -> Part:
    """What a checkpoint at `last` replaces."""
    pieces = [var_bytes(log.checkpoint or b""), var_string(json.dumps(log.meta))]
    for position, record in log.records:
        if position <= last:
            pieces += [var_uint(position), var_string(record.kind.value), var_bytes(record.body), var_string(json.dumps(record.meta))]
    return Part(log.position, last, b"".join(pieces))


def joined(parts: Sequence[Part], log: Log) -> Log:
    """The log that begins with the first of these parts of it; `log` is what the journal has now."""
    if not parts:
        return log
    whole = [opened(part) for part in parts]
    records = [each for part in whole for each in part.records]
    records += [each for each in log.records if each[0] > parts[-1].last]
    return Log(whole[0].checkpoint, whole[0].meta, parts[0].first, tuple(records))


def reaches(log: Log, base: Base) -> bool:
    """Whether everything that made a base is in the log."""
    there = {position for position, _ in log.records}
    return base.place >= log.position and there.issuperset(base.merges)


def opened(part: Part) -> Log:
    """The inverse of `part_of`."""
    reader = Reader(part.body)
    state, meta = reader.var_bytes(), json.loads(reader.var_string())
    records = []
    while not reader.done:
        position, kind, body = reader.var_uint(), Kind(reader.var_string()), reader.var_bytes()
        records.append((position, Record(kind, body, json.loads(reader.var_string()))))
    return Log(state or None, meta, part.first, tuple(records))
