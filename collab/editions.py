"""Which bodies a document's file held, as its log tells: versions that the archive could not take at their time are made anew from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from collab.document import Document, Endings, Mend
from collab.errors import CollabError
from collab.formats.bodies import form_of
from collab.ledger import Base, history, merged, reaches
from collab.ports import Kind, Log, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from collab.document import Ending
    from collab.formats.bodies import Form
    from collab.ports import Record


@dataclass(frozen=True, slots=True)
class Edition:
    """A body that the file held, without its bytes."""

    version: Version
    """Its size is not known yet."""
    base: Base
    """The state that it came from."""
    form: Form
    endings: tuple[Ending, ...]
    """Those of the body, if the record names them."""


def untold(log: Log, newest: Version | None) -> list[Edition]:
    """What the log tells behind the newest version of the archive, in order."""
    found: list[Edition] = []
    form = form_of(cast("Mapping[str, object]", log.meta["form"])) if log.meta else None
    last = newest.hash if newest else ""
    writers: dict[str, None] = {}
    for position, record in log.records:
        if "form" in record.meta:
            form = form_of(cast("Mapping[str, object]", record.meta["form"]))
        writers.update(dict.fromkeys(_people(record)))
        base = _held(position, record)
        if base is None:
            continue
        if newest is None or position > newest.number:
            if form is not None and base.hash != last:
                found.append(_edition(position, record, base, form, writers))
            last = base.hash
        if record.kind is Kind.SAVED:
            writers = {}
    return found


def _people(record: Record) -> Iterator[str]:
    """Who wrote this."""
    by = record.meta.get("by")
    if isinstance(by, str):
        yield from filter(None, [by])
    elif by is not None:
        yield from (person for person, _ in cast("Iterable[tuple[str, int]]", by) if person)


def _held(position: int, record: Record) -> Base | None:
    """What the file held from this record on, None: what it held before."""
    match record.kind:
        case Kind.SEED:
            return Base(cast("str", record.meta["hash"]), position)
        case Kind.SAVED:
            return Base(cast("str", record.meta["hash"]), cast("int", record.meta["place"]))
        case Kind.MERGE if not record.meta["by"] and "conflict" not in record.meta:
            return merged(record.meta, position)
    return None


def _edition(position: int, record: Record, base: Base, form: Form, writers: Iterable[str]) -> Edition:
    saved = record.kind is Kind.SAVED
    others = "replaced" if record.meta.get("replaced") else "outside"
    source = {Kind.SEED: "first", Kind.SAVED: "save"}.get(record.kind, others)
    at = cast("float", record.meta.get("modified", record.meta.get("at", 0.0)))
    version = Version(base.place if saved else position, at, base.hash, 0, source, tuple(writers) if saved else ())
    endings = cast("Iterable[Ending]", record.meta.get("read", record.meta.get("endings", ())))
    return Edition(version, base, form, tuple((place, ending) for place, ending in endings))


def printed(log: Log, editions: Sequence[Edition]) -> list[tuple[Version, bytes | None]]:
    """The editions with their bytes; None for what can't be made anew byte for byte, because a part of the log is missing."""
    live = _Live(log)
    made = []
    for edition in editions:
        body = (
            live.body(edition)
            if edition.version.source not in {"outside", "replaced"} or not edition.base.merges
            else _forked(log, edition)
        )
        made.append((replace(edition.version, size=len(body or b"")), body))
    return made


def _forked(log: Log, edition: Edition) -> bytes | None:
    """What a program wrote: the state that it had read, and its own edits."""
    if not reaches(log, edition.base):
        return None
    document = Document.replay(history(log, edition.base))
    document.endings = edition.endings
    return _exact(document, edition)


def _exact(document: Document, edition: Edition) -> bytes | None:
    try:
        body = document.body(edition.form)
    except CollabError:
        return None
    return body if sha256(body).hexdigest() == edition.version.hash else None


class _Live:
    """The document as it was, from state to state."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._at = -1
        self._document: Document | None = None

    def body(self, edition: Edition) -> bytes | None:
        """Of a state that is no earlier than the last one; of others it begins anew."""
        place = edition.base.place
        if place < self._log.position:
            return None
        if self._document is None or place < self._at:
            self._document = Document.replay(history(_until(self._log, -1, place)))
        else:
            self._go_on(self._document, place)
        self._at = place
        return _exact(self._document, edition)

    def _go_on(self, document: Document, place: int) -> None:
        for step in history(replace(_until(self._log, self._at, place), checkpoint=None)):
            if isinstance(step, Mend):
                document = Document.replay([document.encode(), Endings(document.endings), step])
            elif isinstance(step, Endings):
                document.endings = step.places
            else:
                document.receive(step)
        self._document = document


def _until(log: Log, after: int, place: int) -> Log:
    return replace(log, records=tuple((at, record) for at, record in log.records if after < at <= place))
