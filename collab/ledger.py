"""What a document's log says beside its text: the file's form, whose client ids they are, and what the file should hold.

The order of the records is the proof: an ANNOUNCE stands exactly behind the updates that the announced body holds, so its
position names the state; only the last announced and the last finished save are our own writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, cast

from collab.codec import Reader, var_bytes
from collab.document import Endings, Mend
from collab.formats.text import Form
from collab.ports import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from collab.document import Ending, Step
    from collab.ports import Log, Meta, Record

KNOWN = 64
FORMER = 16
"""Bodies that the file held before, of which a crash may leave one beside it, with somebody's words in it."""


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


@dataclass(slots=True)
class Ledger:
    """The sum of a log's records."""

    form: Form = field(default_factory=Form)
    owners: dict[int, str] = field(default_factory=dict)
    """Client id → the id of the person who first wrote under it."""
    base: Base = field(default_factory=lambda: Base("", 0))
    announced: Base | None = None
    former: tuple[Base, ...] = ()
    """What the file held before the base, the newest last."""
    readers: tuple[Base, ...] = ()
    """What the writers of displaced files had read and written when they were merged."""
    known: tuple[str, ...] = ()
    """SHA-256 of the bodies that were announced or merged last: what a crash leaves beside the file may be one of them."""
    edited: int = 0
    """The position of the last edit."""
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
        self.position = position
        if "hash" in record.meta:
            self.note(cast("str", record.meta["hash"]))
        match record.kind:
            case Kind.SEED:
                self.form = Form.from_json(cast("Mapping[str, object]", record.meta["form"]))
                self.base = Base(cast("str", record.meta["hash"]), position)
            case Kind.UPDATE:
                self.edited = position
                owners = cast("Mapping[str, str]", record.meta.get("owners", {}))
                self.owners.update((int(client), person) for client, person in owners.items())
            case Kind.MERGE:
                self.edited = position
                self.form = Form.from_json(cast("Mapping[str, object]", record.meta["form"]))
                (self.settle if record.meta["in_file"] else self.remember)(merged(record.meta, position))
            case Kind.ANNOUNCE:
                self.announced = Base(cast("str", record.meta["hash"]), position)
            case Kind.SAVED:
                self.settle(Base(cast("str", record.meta["hash"]), cast("int", record.meta["place"])))

    def settle(self, base: Base) -> None:
        """The file holds this body, whatever was announced."""
        if base != self.base:
            self.former = (*self.former, self.base)[-FORMER:]
        self.base, self.announced = base, None

    def remember(self, reader: Base) -> None:
        """A displaced file was merged; its writer may go on from there."""
        self.readers = (*self.readers, reader)[-FORMER:]

    def note(self, digest: str) -> None:
        """A body that was announced or merged."""
        if digest not in self.known[-1:]:
            self.known = (*self.known, digest)[-KNOWN:]

    @property
    def ahead(self) -> bool:
        """Whether there are edits that the file does not hold."""
        return self.edited > self.base.place

    def candidates(self) -> list[Base]:
        """The states from which the file's body may come, the surest first."""
        return [self.base, self.announced] if self.announced else [self.base]

    def to_meta(self, endings: Iterable[Ending]) -> Meta:
        """For a checkpoint at the base's place, as if everything up to there were saved; `endings` are those of that state."""
        return {
            "form": self.form.to_json(),
            "endings": list(endings),
            "owners": {str(client): person for client, person in self.owners.items()},
            "base": Base(self.base.hash, self.base.place).to_json(),
            "known": list(self.known),
        }

    @classmethod
    def from_meta(cls, meta: Meta, position: int) -> Self:
        """The inverse of `to_meta`."""
        owners = cast("Mapping[str, str]", meta["owners"])
        return cls(
            form=Form.from_json(cast("Mapping[str, object]", meta["form"])),
            owners={int(client): person for client, person in owners.items()},
            base=Base.from_json(meta["base"]),
            known=tuple(cast("Iterable[str]", meta["known"])),
            position=position,
        )


def _endings(value: object) -> Endings:
    return Endings(tuple((place, ending) for place, ending in cast("Iterable[Ending]", value)))


def merged(meta: Meta, position: int) -> Base:
    """The writer's new base after a MERGE record: what it wrote, not the room, which it has not seen.

    A body that was equal to the live text has no base of its own: it is everything up to the record.
    """
    digest = cast("str", meta["hash"])
    if meta["base"] is None:
        return Base(digest, position)
    origin = Base.from_json(meta["base"])
    return replace(origin, hash=digest, merges=(*origin.merges, position))


def pack(updates: Sequence[bytes]) -> bytes:
    """The updates of one moment as the body of one record."""
    return b"".join(map(var_bytes, updates))


def unpack(body: bytes) -> Iterator[bytes]:
    """The inverse of `pack`."""
    reader = Reader(body)
    while not reader.done:
        yield reader.var_bytes()


def history(log: Log, base: Base | None = None) -> Iterator[Step]:
    """The steps of a log in order; with a base, only those that made it, without line ends."""
    if log.checkpoint is not None:
        yield log.checkpoint
        if base is None:
            yield _endings(log.meta["endings"])
    for position, record in log.records:
        if base is None or position <= base.place or position in base.merges:
            yield from _steps(record)
            if base is None and record.kind in {Kind.SEED, Kind.MERGE}:
                yield _endings(record.meta["endings"])


def _steps(record: Record) -> Iterator[Step]:
    if record.kind is Kind.UPDATE:
        yield from unpack(record.body)
    elif record.kind is Kind.MEND:
        yield Mend(frozenset((client, clock) for client, clock in cast("Iterable[tuple[int, int]]", record.meta["places"])))
    elif record.body:
        yield record.body
