"""The shared document: state, updates, forks, lineage. The one door to pycrdt.

A document's first transaction is made under a *reserved* client id, its lineage: 21 fixed bits, 24 random ones and 8 of
checksum. Whoever names another reserved id holds another history.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import accumulate, chain, groupby, islice
from typing import TYPE_CHECKING, Any, Self, cast
from weakref import WeakMethod

from pycrdt import Array, Doc, Map, Subscription, Text, TextEvent, TransactionEvent, UndoManager, merge_updates

from collab import merge, strict, updates
from collab.codec import var_string
from collab.errors import Equivocation, Forbidden, Malformed, OtherLineage, Poisoned
from collab.formats.bodies import NOTEBOOK, TEXT
from collab.formats.cells import META, Cells
from collab.formats.cells import change as rewrite_text
from collab.formats.looks import Looks
from collab.formats.moved import Late, Moment, Moments, unseen
from collab.formats.notebook import CELLS, SOURCE, NotebookForm
from collab.formats.offsets import Unit, convert, length
from collab.formats.text import Form as TextForm
from collab.formats.text import carriage_returns, encode, nuls
from collab.layout import Edit as Common
from collab.layout import Layout, quick, torn
from collab.layout import Place as LayoutPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence

    from collab.formats.bodies import Body, Form
    from collab.formats.cells import Memory, Rewritten
    from collab.formats.notebook import Notebook
    from collab.merge import Edit

ROOT = "collab"
"""The root map that only the server writes."""
CONTENT = "content"
"""The shared text."""
LINEAGE_KEY = "lineage"
FORMAT_KEY = "format"
"""What the document is; without it, text."""
FAR = 4_096
"""Clocks from which on a comparison reads the whole document, and keeps it."""
MERGED_AT_ONCE = 64
"""merge_updates is quadratic."""
LARGE = 64 * 1024
"""Bytes of an update that is quicker applied than merged with others."""
PIECE = 256 * 1024
"""Bytes of a state that are applied at once: some ten milliseconds, if they are many small structs."""
_UNDONE = "undone"
_TAG = 0b101100010110110100111 << 32
_TAG_MASK = ((1 << 21) - 1) << 32

Place = tuple[int, int]
"""The (client, clock) of a character's UTF-16 unit."""
NOT_TEXT = frozenset((updates.BINARY, updates.EMBED, updates.TYPE, updates.ANY, updates.DOC))
"""Content that the shared text does not take: it would be in no file, and editors of text hang on it."""


@dataclass(frozen=True, slots=True)
class Mend:
    """A step of a history: pairs of surrogates that an edit cut become two U+FFFD, as in every browser."""

    places: frozenset[Place]
    """The second halves."""


@dataclass(frozen=True, slots=True)
class Endings:
    """A step of a history: from here on, the line ends that differ from the file's commonest one are these."""

    places: tuple[Ending, ...]


Ending = tuple[int, str]
"""The UTF-8 offset of an LF in the text, and how the file writes that line end."""
Step = bytes | Mend | Endings
"""What a history is made of."""


def reserved(client: int) -> bool:
    """Whether a client id has the shape of a lineage."""
    return client & _TAG_MASK == _TAG and client & 0xFF == _checksum(client >> 8 & 0xFFFFFF)


def new_lineage(random: Callable[[int], bytes]) -> int:
    """A lineage from three random bytes."""
    drawn = int.from_bytes(random(3), "big")
    return _TAG | drawn << 8 | _checksum(drawn)


def _checksum(drawn: int) -> int:
    return zlib.crc32(drawn.to_bytes(3, "big")) & 0xFF


def derived_client(*parts: bytes) -> int:
    """A client id that depends on the parts alone, so that the same work done twice is the same update."""
    digest = sha256(b"\0".join(sha256(part).digest() for part in parts)).digest()
    client = int.from_bytes(digest[:7], "big") & ((1 << 53) - 1)
    return client ^ (1 << 52) if reserved(client) else client | 1 << 32


@dataclass(slots=True)
class Verdict:
    """What an update would bring to a document."""

    new: list[tuple[int, int, int]]
    """(client, clock, length) of the structs that we do not hold."""
    missing: bool = False
    """It builds on something that we do not hold."""
    deletes: bool = False
    """It has deletions."""
    conflict: tuple[int, int] | None = None
    """The first (client, clock) under which we hold other content."""
    torn: frozenset[Place] = frozenset()
    """Pairs of surrogates that it cuts, by their second halves."""
    parsed: updates.Update | None = field(default=None, repr=False)
    added: Layout | None = field(default=None, repr=False)
    place: LayoutPlace | None = None
    """Where the text of a common edit is, if not in the shared text."""
    untidy: bool = False
    """It may bring what the server puts right."""
    had: dict[int, int] | None = None
    """The state vector of its writer before he was told what we hold, if that is known."""
    late: list[Late] = field(default_factory=list)
    """What it changes in cells that were moved meanwhile: (id, source before, source after)."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What makes another body of a document."""

    update: bytes
    behind: bytes
    """What follows on it in the room, and not for whoever wrote that body: what others had done already is taken out again."""
    cuts: bool
    """Something is taken out."""


@dataclass(frozen=True, slots=True)
class Image:
    """A document that can be sent to another process, with what was read in it; `Document.developed` makes it anew in moments."""

    pieces: tuple[bytes, ...]
    """The state as updates, each of which builds on those before it."""
    whole: bytes
    """The state as one update."""
    lineage: int
    endings: tuple[Ending, ...]
    layout: Layout
    moments: Moments
    cells: Memory | None
    """Of a notebook: what was read of its cells."""


class Document:
    """A CRDT document. `state` mirrors its state vector: client id → next clock."""

    def __init__(self, doc: Doc[Any], lineage: int, endings: _Endings) -> None:
        self._doc = doc
        self._endings = endings
        self._said: str | None = None
        self._whole: bytes | None = None
        """The state as one update, kept until the document changes: those who open one come in crowds, and some say it again."""
        self._attach()
        self.lineage = lineage
        self.state = updates.read_state_vector(doc.get_state())
        self._known: Layout | None = None
        self._moments = Moments()
        self._parsed: updates.Update | None = None
        self.version = 0
        """Counts the changes; line ends are part of it."""

    def _changed(self) -> None:
        """What was read is not so any more."""
        self.version += 1
        self._parsed = self._said = self._whole = None
        if self._cells is not None:
            self._cells.forget()

    def _attach(self) -> None:
        self._said = self._whole = None
        self._text = self._doc.get(CONTENT, type=Text)
        root = self._doc.get(ROOT, type=Map)
        self._cells = Cells(self._doc) if root.get(FORMAT_KEY) == NOTEBOOK else None

    @property
    def format(self) -> str:
        """What it is: TEXT or NOTEBOOK."""
        return TEXT if self._cells is None else NOTEBOOK

    @property
    def _layout(self) -> Layout:
        """Made when it is first needed: forks never do."""
        if self._known is None:
            self._known = Layout(CONTENT)
            found = updates.survey(updates.read(self._doc.get_update()), {})
            self._known.add(self._known.survey(found.order, {}))
        return self._known

    @classmethod
    def seed(cls, body: Body | str, lineage: int) -> Self:
        """A new document: lineage and content in one transaction under the lineage's client id."""
        doc: Doc[Any] = Doc(client_id=lineage)
        root, content = doc.get(ROOT, type=Map), doc.get(CONTENT, type=Text)
        text = body if isinstance(body, str) else body.text
        with doc.transaction():
            root[LINEAGE_KEY] = str(lineage)
            if not isinstance(body, str) and body.notebook is not None:
                root[FORMAT_KEY] = NOTEBOOK
                Cells(doc).fill(body.notebook)
            elif text:
                content += text
        return cls.replay([doc.get_update()])

    @classmethod
    def replay(cls, log: Iterable[Step], client: int | None = None, *, text: str | None = None) -> Self:
        """The document that these steps make, in order; `client` is the id under which edits of ours are made, `text` the shared text if it is known.

        Poisoned when they can't be applied, and when they hold no lineage or more than one.
        """
        doc: Doc[Any] = Doc(client_id=client)
        endings = _Endings(doc)
        try:
            for kind, steps in groupby(log, key=type):
                if kind is bytes:
                    _apply_all(doc, cast("Iterator[bytes]", steps))
                    continue
                for step in steps:
                    if isinstance(step, Mend):
                        doc = _mended(doc, step.places, client)
                        endings.move(doc)
                    elif isinstance(step, Endings):
                        endings.set(step.places)
        except BaseException as error:
            raise _translated(error) from error
        lineages = [client for client in updates.read_state_vector(doc.get_state()) if reserved(client)]
        if len(lineages) != 1:
            raise Poisoned(f"The stored history holds {len(lineages)} lineages instead of one.")
        made = cls(doc, lineages[0], endings)
        made._said = text
        return made

    @classmethod
    def undone(cls, log: Iterable[tuple[int, Step]], places: Collection[int]) -> Self:
        """As `replay`, and then the steps at some places are taken back, whatever was built on them: what they put in is out again, what they took
        out is in again.
        """
        doc: Doc[Any] = Doc()
        undo = _undo(doc)
        for (mine, kind), steps in groupby(log, key=lambda each: (each[0] in places, type(each[1]))):
            if kind is Mend:
                # The text is written anew: what came before stays.
                for _, step in steps:
                    doc = _mended(doc, cast("Mend", step).places, None)
                undo = _undo(doc)
            elif kind is bytes and mine:
                for _, step in steps:
                    with doc.transaction(origin=_UNDONE):
                        doc.apply_update(cast("bytes", step))
            elif kind is bytes:
                _apply_all(doc, (cast("bytes", step) for _, step in steps))
        while undo.can_undo():
            undo.undo()
        return cls.replay([doc.get_update()])

    @classmethod
    def retrace(cls, log: Iterable[Step]) -> Self:
        """As `replay`, for a document that goes on: of a notebook it is known again which cells were moved, so that words which come late for
        them are not lost.
        """
        steps = iter(log)
        first = next(steps, None)
        start = cls.replay([] if first is None else [first])
        if start.format != NOTEBOOK:
            return cls.replay([] if first is None else chain([first], steps))
        for step in steps:
            if isinstance(step, bytes):
                start.apply_own(step)
            elif isinstance(step, Mend):
                start.mend(step.places)
        return start

    def image(self) -> Image:
        """The document as it is, to be sent to another process."""
        state = self.encode()
        update = updates.read(state)
        order = updates.survey(update, {}).order
        layout = self._known
        if layout is None:
            layout = Layout(CONTENT)
            layout.add(layout.survey(order, {}))
        pieces = tuple(updates.pieces(update, order, PIECE))
        cells = self._cells.memory() if self._cells is not None else None
        pieces = pieces if len(pieces) > 2 else (state,)
        return Image(pieces, state, self.lineage, self.endings, layout, self._moments, cells)

    @classmethod
    def developed(cls, image: Image) -> Generator[None, None, Self]:
        """The document of an image, in steps of milliseconds. Poisoned."""
        doc: Doc[Any] = Doc()
        endings = _Endings(doc)
        try:
            for piece in image.pieces:
                doc.apply_update(piece)
                yield
        except GeneratorExit:
            raise
        except BaseException as error:
            raise _translated(error) from error
        endings.set(image.endings)
        made = cls(doc, image.lineage, endings)
        made._known, made._moments = image.layout, image.moments
        made._whole = image.whole
        if made._cells is not None and image.cells is not None:
            made._cells.remember(image.cells)
        return made

    def encode(self) -> bytes:
        """The whole state as one update."""
        if self._whole is None:
            self._whole = self._doc.get_update()
        return self._whole

    def state_vector(self) -> bytes:
        """What we hold, encoded."""
        return self._doc.get_state()

    def diff(self, state_vector: bytes) -> bytes:
        """What the holder of this state vector lacks; all deletions are in it."""
        if state_vector == b"\0":
            return self.encode()
        try:
            return self._doc.get_update(state_vector)
        except ValueError as error:
            raise Malformed("A state vector that can't be read.") from error

    def text(self) -> str:
        """The shared text, without embeds; of a notebook, what it is compared by."""
        return self._shared() if self._cells is None else self._cells.notebook().text()

    def _shared(self) -> str:
        """Kept until the document changes: of a long history it takes milliseconds, and a merge asks again and again."""
        if self._said is None:
            self._said = str(self._text)
        return self._said

    def words(self) -> str:
        """What people write: the shared text; of a notebook its cells' sources, one behind the other."""
        return self._shared() if self._cells is None else "".join(self._cells.sources().values())

    def looks(self) -> Looks:
        """What it is compared by."""
        return Looks(self._shared()) if self._cells is None else self._cells.notebook().looks()

    def fitted(self, read: Body) -> Form:
        """The form of a body for this document, which is that body: cells may have other ids here."""
        if self._cells is None or read.notebook is None or isinstance(read.form, TextForm):
            return read.form
        return read.form.fitted(read.notebook.cells, self._cells.notebook().cells)

    def length(self) -> int:
        """UTF-8 bytes of that."""
        return len(self._text) if self._cells is None else self._cells.notebook().size()

    def reading(self) -> Iterator[None]:
        """Read what all the others here ask of a notebook, in steps of milliseconds; a text is read at once. If the document is changed between two
        steps it is left, and what was read is for nothing.
        """
        return iter(()) if self._cells is None else self._cells.reading()

    def readable(self) -> str:
        """The text for people: of a notebook its sources under headings."""
        return self.text() if self._cells is None else self._cells.notebook().readable()

    def sources(self) -> dict[str, str]:
        """Of a notebook: the sources by the ids of their cells."""
        return {} if self._cells is None else self._cells.sources()

    def body(self, form: Form) -> bytes:
        """The file of the document in this form."""
        return self.writer(form)()

    def writer(self, form: Form) -> Callable[[], bytes]:
        """What gives that of the document as it is now, in any thread."""
        if isinstance(form, NotebookForm) and self._cells is not None:
            return partial(form.encode, self._cells.notebook())
        if isinstance(form, NotebookForm) or self._cells is not None:
            raise Poisoned("The document's form is that of another format.")
        return partial(encode, self.text(), form, dict(self.endings))

    def growth(self, payload: bytes, verdict: Verdict) -> int:
        """UTF-8 bytes by which an update makes it longer at most: of a UTF-16 unit there are three, and values are in the payload."""
        units = 0
        for _, _, count in verdict.new:
            units += count
        return self.widening(len(payload), units)

    def widening(self, size: int, units: int) -> int:
        """The same of so many bytes with so many clocks."""
        return 3 * units if 3 * units < size and self._cells is None else size

    def check_state_vector(self, data: bytes) -> dict[int, int]:
        """What is in it. OtherLineage when it names a reserved id that is not ours. Malformed."""
        found = updates.read_state_vector(data)
        self._check_lineage(found)
        return found

    def _check_lineage(self, named: Iterable[int]) -> None:
        for client in named:
            if client != self.lineage and reserved(client):
                raise OtherLineage(
                    "This copy of the document has another history; it can't be merged. Keep a copy of your text and reload."
                )

    def judge(self, data: bytes, *, fast: bool = False, compare: bool = True) -> Verdict:
        """Read an update from the wire strictly, and tell what it would bring; `fast` takes a short way for common edits.

        `compare` looks whether we hold the same where we hold something: for whoever may write.
        Malformed; OtherLineage; Forbidden for what only the server writes.
        """
        if fast:
            edit = quick(data, self.state, self._layout)
            # A client id that is new here may be reserved.
            if edit is not None and (edit.new is None or (edit.new[0] in self.state and edit.new[0] != self.lineage)):
                return Verdict([edit.new] if edit.new else [], deletes=edit.deleted is not None, place=edit.place)
        if data == self._whole:
            # Some clients say everything again that they were given (pycrdt's do); of a long document it is long to read.
            return Verdict([])
        update = updates.read(data)
        found = updates.survey(update, self.state)
        self._check_lineage(found.named)
        if any(reserved(client) for client, _, _ in found.new):
            raise Forbidden("Client ids of this shape are the server's.")
        if updates.touches_root(self._new_part(update), ROOT, {(self.lineage, 0)}):
            raise Forbidden(f"The root '{ROOT}' is written by the server only.")
        verdict = Verdict(found.new, missing=found.missing, deletes=bool(found.deletes), parsed=update)
        if found.known and compare:
            verdict.conflict = updates.differs(update, self._held(found.known))
        if not found.missing and verdict.conflict is None:
            self._fit(verdict, found)
        return verdict

    def parted(self, verdict: Verdict) -> tuple[bytes, updates.Update]:
        """What can be taken of an update that was judged and misses something, and what is left of it."""
        fits, left = updates.parted(verdict.parsed or updates.Update(), self.state)
        return updates.write(fits), left

    def _new_part(self, update: updates.Update) -> updates.Update:
        fresh = {client: [each for each in structs if each.end > self.state.get(client, 0)] for client, structs in update.structs.items()}
        return updates.Update(fresh, update.deletes)

    def _fit(self, verdict: Verdict, found: updates.Survey) -> None:
        """What the new structs mean for the places that we know. Malformed when they do not fit, Forbidden for what is no text."""
        update = verdict.parsed or updates.Update()
        verdict.added = added = self._layout.survey(found.order, self.state)
        verdict.torn = frozenset(torn(update, added, self._layout, self.state))
        fresh = [each for each in found.order if each.end > self.state.get(each.client, 0)]
        if self._cells is not None:
            verdict.untidy = strict.check(fresh, added, self._layout)
        for each in fresh:
            if each.kind in NOT_TEXT and added.place((each.client, each.clock)) == added.main:
                raise Forbidden(f"The shared text '{CONTENT}' takes text only.")

    def _held(self, known: Sequence[tuple[int, int, int]]) -> updates.Update:
        """Our structs from the first known clock of each client on.

        They are kept until the document changes: reading a long history for a few bytes must not be had again and again.
        """
        if self._parsed is not None:
            return self._parsed
        state = dict(self.state)
        for client, clock, _ in known:
            state[client] = min(clock, state[client])
        far = sum(self.state[client] - state[client] for client in state) > FAR
        held = updates.read(self._doc.get_update(b"\0" if far else updates.write_state_vector(state)))
        self._parsed = held if far else None
        return held

    def adds_nothing(self, verdict: Verdict) -> bool:
        """Whether an update that was judged changes neither structs nor deletions."""
        if verdict.new or verdict.missing or verdict.conflict:
            return False
        if not verdict.deletes:
            return True
        if verdict.parsed is None:
            return False
        ours = updates.read(self._doc.get_update(self._doc.get_state()))
        return updates.covered(verdict.parsed.deletes, ours.deletes)

    def apply(self, data: bytes, verdict: Verdict) -> bytes:
        """Apply an update that was judged and misses nothing; gives it as it is to be stored and sent on, behind a `Mend` if it tears.

        Poisoned: rebuild the document before the next message.
        """
        try:
            if verdict.torn and verdict.parsed is not None:
                self.mend(verdict.torn)
                data = updates.write(updates.mend(verdict.parsed, verdict.torn))
            if self._cells is not None:
                self._look_back(data, verdict)
            self._changed()
            self._integrate(data)
        except BaseException as error:
            raise _translated(error) from error
        state = self.state
        for client, clock, count in verdict.new:
            if clock + count > state.get(client, 0):
                state[client] = clock + count
        # A struct that waits for another would be in no state vector, and in every encoding.
        if verdict.parsed is not None and self.state != updates.read_state_vector(self._doc.get_state()):
            raise Poisoned("The update left structs that can't be integrated.")
        if verdict.place is not None:
            self._layout.extend(verdict.new[0], verdict.place)
        elif verdict.added is not None:
            self._layout.add(verdict.added)
            for place in verdict.torn:
                self._layout.pairs.discard(*place)
        return data

    def common(self, data: bytes) -> Common | None:
        """The edit in these bytes when it is a common one of a client id that is known here, and neither judging nor applying it has to look at more."""
        cells = self._cells
        if cells is not None and self._moments:
            return None
        edit = quick(data, self.state, self._layout)
        if edit is None or b"\r" in data or (cells is not None and edit.deleted is not None):
            return None
        new = edit.new
        # A client id that is new here may be reserved.
        return None if new is not None and (not new[1] or new[0] == self.lineage) else edit

    def take(self, data: bytes, edit: Common) -> None:
        """Apply what `common` found. Poisoned: as `apply`."""
        try:
            self.version += 1
            self._parsed = self._said = self._whole = None
            if self._cells is not None:
                self._cells.forget()
            self._integrate(data)
        except BaseException as error:
            raise _translated(error) from error
        new = edit.new
        if new is not None:
            self.state[new[0]] = new[1] + new[2]
            if edit.place is not None:
                self._layout.extend(new, edit.place)

    def _integrate(self, data: bytes) -> None:
        """`Doc.apply_update` without what it does around it, which costs more than a small edit; what observers raise would be lost there."""
        if self._endings.places:
            self._doc.apply_update(data)
            return
        inner = self._doc._doc  # noqa: SLF001  # the version is pinned
        transaction = inner.create_transaction()
        try:
            inner.apply_update(transaction, data)
            transaction.commit()
        finally:
            transaction.drop()

    def _look_back(self, data: bytes, verdict: Verdict) -> None:
        """Of a notebook, before an update is applied: what it types into cells that are moved by now, and what cells it takes out."""
        if self._moments and verdict.new:
            places = {verdict.place} if verdict.place is not None else verdict.added.places() if verdict.added is not None else set()
            verdict.late = self._late(data, places)
        if verdict.deletes:
            verdict.late += self._remember((verdict.parsed or updates.read(data)).deletes, verdict.had)

    def belated(self, data: bytes) -> list[Late]:
        """What an update of ours, not applied yet, types into cells that are moved by now (see `Verdict.late`)."""
        if self._cells is None:
            return []
        read = updates.read(data)
        added = self._layout.survey(updates.survey(read, self.state).order, self.state)
        return self._late(data, added.places()) + self._unseen(self._doomed(read.deletes), read.deletes)

    def _late(self, data: bytes, places: Iterable[LayoutPlace]) -> list[Late]:
        if not self._moments:
            return []
        return [each for moment in self._moments.of(places, self._layout.place) for each in moment.late(self._doc, data)]

    def _doomed(self, deletes: updates.Deletes) -> list[updates.Id]:
        return self._moments.new(self._layout.within(deletes, (CELLS, None)))

    def _remember(self, deletes: updates.Deletes, had: Mapping[int, int] | None = None) -> list[Late]:
        """Cells are about to be taken out; gives what whoever does that has not seen of them."""
        doomed = self._doomed(deletes)
        if not doomed:
            return []
        late = self._unseen(doomed, deletes, had)
        self._moments.keep(Moment(self.encode(), self.sources().keys(), doomed))
        return late

    def _unseen(self, doomed: Sequence[updates.Id], deletes: updates.Deletes, had: Mapping[int, int] | None = None) -> list[Late]:
        """Who takes out a cell names all of its text that he knows: what is not named has come meanwhile; who names none does not tell. So has what
        he `had` not when he came: of that he was told with the cell out already, and names it, too.
        """
        state = self.encode() if doomed else b""
        found: list[Late] = []
        for item in doomed:
            for text in self._layout.at((item, SOURCE)):
                seen = self._layout.within(deletes, (text, None))
                if had:
                    seen = [(client, clock) for client, clock in seen if clock < had.get(client, 0)]
                if seen or had:
                    found += unseen(state, {*self._layout.at((text, None))}.difference(seen))
        return found

    def takes_out(self, data: bytes) -> bool:
        """Whether an update of ours takes cells out."""
        return bool(data) and self._cells is not None and bool(self._doomed(updates.read(data).deletes))

    def carry(self, late: Iterable[Late]) -> bytes:
        """What was typed into cells that are moved by now is typed into their copies (see `Verdict.late`); gives the update."""
        cells = self._cells
        if cells is None:
            return b""

        def act() -> None:
            for name, before, after in late:
                cells.carry(name, before, after)

        return self._made(act)

    def mend(self, places: Iterable[Place]) -> None:
        """U+FFFD in the place of both halves of these pairs."""
        self._doc = _mended(self._doc, places, None)
        self._attach()
        self._changed()
        self._endings.move(self._doc)

    def apply_own(self, data: bytes) -> None:
        """Apply an update of ours (a merge's fork). Poisoned."""
        read = updates.read(data)
        # A layout that nobody needed yet is made of the whole when it is.
        known = self._known if self._cells is None else self._layout
        added = known.survey(updates.survey(read, self.state).order, self.state) if known is not None else None
        if self._cells is not None and added is not None:
            self._late(data, added.places())
            self._remember(read.deletes)
        self._changed()
        try:
            self._doc.apply_update(data)
        except BaseException as error:
            raise _translated(error) from error
        self.state = updates.read_state_vector(self._doc.get_state())
        if known is not None and added is not None:
            known.add(added)

    def salvage(self, verdict: Verdict, mark: bytes) -> bytes:
        """The update with what reuses somebody's clocks moved to a client id of its own, so that its text is kept."""
        if verdict.parsed is None or verdict.conflict is None:
            raise Equivocation("Nothing to keep.")
        client, clock = verdict.conflict
        return updates.write(updates.rename(verdict.parsed, client, clock, derived_client(mark, str(client).encode(), str(clock).encode())))

    def edit(self, edits: Sequence[Edit]) -> bytes:
        """Make edits of our own (UTF-8 byte offsets of `text()`, ascending); gives the update, empty for no edits."""
        return self._made(lambda: rewrite_text(self._text, edits)) if edits else b""

    def tidy(self) -> list[bytes]:
        """Put right what clients may make and no file should hold; gives the updates. In a text: line ends other than LF, since editors count
        CRLF and CR as one position, and NUL. In a notebook: those in sources, and ids that are none or are there twice.
        """
        if self._cells is not None:
            return self._tidy_cells(self._cells) if self._cells.untidy() else []
        steps = (carriage_returns, nuls)
        return [made for made in (self.edit(step(self.text())) for step in steps) if made]

    def _tidy_cells(self, cells: Cells) -> list[bytes]:
        state, names = self.encode(), cells.sources().keys()
        made = self._made(lambda: cells.tidy(self._moments))
        doomed = self._layout.within(updates.read(made).deletes, (CELLS, None)) if made else []
        if doomed:
            self._moments.keep(Moment(state, names, doomed))
        return [made] if made else []

    def rewrite(self, body: Body, live: Document | None) -> Rewriting:
        """Make this document, a fork under a new client id, `body`. `live`: where others may have done the same already. NotText."""
        if self._cells is not None and body.notebook is not None:
            return self._rewrite_cells(self._cells, body.notebook, live)
        before = self.text()
        edits = merge.edits(before, body.text)
        theirs = live.text() if live is not None else before
        # What others did already in the very same place is not done a second time.
        new = theirs not in {before, body.text}
        done = {edit for edit in merge.edits(before, theirs) if edit.text}.intersection(edits) if new else set()
        update = self.edit(edits)
        return Rewriting(update, dropping(self.client, edits, done), any(edit.stop > edit.start for edit in edits))

    def _rewrite_cells(self, cells: Cells, notebook: Notebook, live: Document | None) -> Rewriting:
        theirs = live.sources() if live is not None else {}
        rewritten: list[Rewritten] = []
        update = self._made(lambda: rewritten.append(cells.rewrite(notebook, theirs)))
        return Rewriting(update, _dropping(self.client, rewritten[0].done), rewritten[0].cuts)

    def late_for(self, client: int, data: bytes) -> list[Late]:
        """What a rewriting that is not applied yet, made under this client id, typed into cells that are moved by now; asked once."""
        return self.belated(data) if data and client not in self.state else []

    def meet(self, live: Document, made: Rewriting, late: Sequence[Late]) -> bytes:
        """Take in the live document, as a fork that was rewritten; gives what follows on its update in the room. Who typed into a cell that the
        writer moved typed into its copy, and so did the writer where others had moved it (`late`: what `live.late_for` gave).
        """
        mixed = self._cells is None and bool(self.endings or live.endings)
        if self._cells is None and not mixed:
            return made.behind  # only line ends have to be followed
        if mixed:
            own = dict(self.endings)
            # All of them, so that afterwards it is known which are not of this writer's text.
            self.endings = [(place, own.get(place, "")) for place in _breaks(self.text())]
        self.follow(live)
        if made.behind:
            self.receive(made.behind)
        carried = self.carry(late) if late else b""
        if mixed:
            met = {**dict(live.endings_with([made.update, made.behind])), **dict(self.endings)}
            self.endings = [(place, ending) for place, ending in met.items() if ending]
        return merge_updates(made.behind, carried) if made.behind and carried else made.behind or carried

    def _made(self, act: Callable[[], object]) -> bytes:
        """The update of what is done in one transaction."""
        made: list[bytes] = []

        def keep(event: TransactionEvent) -> None:
            made.append(event.update)

        subscription = self._doc.observe(keep)
        try:
            with self._doc.transaction():
                act()
        finally:
            self._doc.unobserve(subscription)
            self._changed()
        if made and self._known is not None:
            found = updates.survey(updates.read(made[0]), self.state)
            self._known.add(self._known.survey(found.order, self.state))
        self.state = updates.read_state_vector(self._doc.get_state())
        return made[0] if made else b""

    @property
    def client(self) -> int:
        """The id under which edits of ours are made."""
        return self._doc.client_id

    @property
    def endings(self) -> tuple[Ending, ...]:
        """The line ends that differ from the file's commonest one, where they are now."""
        return tuple(self._endings.places)

    @endings.setter
    def endings(self, places: Iterable[Ending]) -> None:
        self._endings.set(places)
        self.version += 1

    def endings_with(self, data: Iterable[bytes]) -> tuple[Ending, ...]:
        """Where the line ends would be if it took in these updates of ours."""
        copy = Document.replay([self.encode()])
        copy.endings = self.endings
        for update in data:
            if update:
                copy.receive(update)
        return copy.endings

    def inherit(self, fork: Document | None) -> None:
        """Take over the line ends of a fork that this document has all of (None: there are none), with what came since. Where a pair of surrogates
        was cut meanwhile, this document has two U+FFFD and the fork has not, but their lines are the same ones.
        """
        if fork is None or not fork.endings:
            self.endings = ()
            return
        fork.follow(self)
        places = fork.endings
        if fork.text() != self.text():
            theirs, ours = _breaks(fork.text()), _breaks(self.text())
            places = tuple((ours[bisect_left(theirs, place)], ending) for place, ending in places) if len(ours) == len(theirs) else ()
        self.endings = places

    def next(self, data: Iterable[bytes]) -> Document:
        """A copy that has taken in these updates of ours, whose writer knows nothing of line ends: a line whose end was written anew ends as before."""
        copy = Document.replay([self.encode()])
        copy.endings = self.endings
        for update in data:
            if update:
                copy.receive(update)
        before, after = self.text(), copy.text()
        copy.endings = sorted({**dict(_inherited(before, dict(self.endings), after)), **dict(copy.endings)}.items())
        return copy

    def follow(self, other: Document) -> None:
        """Take in what another replica has, without any look: for forks that are thrown away."""
        self._doc.apply_update(other.diff(self.state_vector()))
        self._changed()

    def receive(self, data: bytes) -> None:
        """Take in an update of ours, without any look: for forks that are thrown away."""
        self._doc.apply_update(data)
        self._changed()


def _breaks(text: str) -> list[int]:
    """The UTF-8 offsets of its LFs."""
    return [match.start() for match in re.finditer(b"\n", text.encode())]


def dropping(client: int, edits: Sequence[Edit], dropped: Collection[Edit]) -> bytes:
    """The update that takes out again what some of these edits, made by `edit` under a new client id, inserted."""
    clock = 0
    gone: list[tuple[int, int]] = []
    for change in reversed(edits):
        count = length(change.text, Unit.UTF16)
        if change in dropped and count:
            gone.append((clock, count))
        clock += count
    return _dropping(client, gone)


def _dropping(client: int, gone: Sequence[tuple[int, int]]) -> bytes:
    return updates.write(updates.Update({}, updates.normalised({client: [*gone]}))) if gone else b""


def painted(update: bytes, paint: Callable[[updates.Struct], str]) -> str:
    """The words of a whole state with other characters: `paint` gives one for each UTF-16 unit of a piece of text."""
    parsed = updates.read(update)
    for structs in parsed.structs.values():
        for each in structs:
            if each.kind == updates.STRING:
                each.content = var_string(paint(each))
    doc: Doc[Any] = Doc()
    doc.apply_update(updates.write(parsed))
    notebook = doc.get(ROOT, type=Map).get(FORMAT_KEY) == NOTEBOOK
    return "".join(Cells(doc).sources().values()) if notebook else str(doc.get(CONTENT, type=Text))


def _inherited(before: str, endings: dict[int, str], after: str) -> Iterator[Ending]:
    """The line ends of lines that were changed, as many as they were."""
    ours, theirs = before.split("\n"), after.split("\n")
    places, others = ([*accumulate(len(line.encode()) + 1 for line in lines)] for lines in (ours, theirs))
    i = j = 0
    for gone, come, both in merge.in_lines(ours, theirs):
        if len(gone) == len(come):
            for place, other in zip(places[i : i + len(gone)], others[j : j + len(come)], strict=True):
                if place - 1 in endings:
                    yield other - 1, endings[place - 1]
        i, j = i + len(gone) + len(both), j + len(come) + len(both)


class _Endings:
    """Places in a text that move with its edits, and go when their LF goes. Nothing is looked at while there are none.

    pycrdt's own sticky indices count bytes as clocks, so they are wrong behind any character that is not ASCII.
    """

    def __init__(self, doc: Doc[Any]) -> None:
        self.places: list[Ending] = []
        self._text = doc.get(CONTENT, type=Text)
        self._subscription: Subscription | None = None

    def set(self, places: Iterable[Ending]) -> None:
        """From now on these."""
        self.places = sorted(places)
        if self._subscription is not None:
            self._text.unobserve(self._subscription)
        self._subscription = self._text.observe(self._follower()) if self.places else None

    def move(self, doc: Doc[Any]) -> None:
        """The text was written anew, with the same UTF-16 units."""
        before, self._text, self._subscription = str(self._text), doc.get(CONTENT, type=Text), None
        after = str(self._text)
        self.set(
            (convert(after, convert(before, place, given=Unit.UTF8, wanted=Unit.UTF16), given=Unit.UTF16, wanted=Unit.UTF8), ending)
            for place, ending in self.places
        )

    def _follower(self) -> Callable[[TextEvent], None]:
        """What holds nothing of ours: no garbage collector looks into pycrdt, so a document that held itself there would never go."""
        shift = WeakMethod(self._shift)

        def follow(event: TextEvent) -> None:
            act = shift()
            if act is not None:
                act(event)

        return follow

    def _shift(self, event: TextEvent) -> None:
        old, places = self.places, []
        at = shift = taken = 0
        delta: list[dict[str, Any]] = event.delta  # type: ignore[attr-defined]  # pycrdt's types leave it out
        for change in delta:
            at += change.get("retain", 0)
            until = bisect_left(old, (at, ""))
            places += [(place + shift, ending) for place, ending in old[taken:until]]
            taken = until
            if "delete" in change:
                at += change["delete"]
                shift -= change["delete"]
                taken = bisect_left(old, (at, ""))
            elif "insert" in change:
                shift += len(change["insert"].encode()) if isinstance(change["insert"], str) else 1
        self.places = places + [(place + shift, ending) for place, ending in old[taken:]]


def _apply_all(doc: Doc[Any], log: Iterable[bytes]) -> None:
    for large, some in groupby(log, key=lambda update: len(update) > LARGE):
        while batch := list(islice(some, 1 if large else MERGED_AT_ONCE)):
            doc.apply_update(batch[0] if len(batch) == 1 else merge_updates(*batch))


def _undo(doc: Doc[Any]) -> UndoManager:
    """What takes back the transactions of `_UNDONE`, all at once."""
    scopes = [doc.get(CONTENT, type=Text), doc.get(CELLS, type=Array), doc.get(META, type=Map)]
    undo = UndoManager(scopes=scopes, timestamp=lambda: 0)
    undo.include_origin(_UNDONE)
    return undo


def _mended(doc: Doc[Any], places: Iterable[Place], client: int | None) -> Doc[Any]:
    """The document with U+FFFD in the place of both halves of these pairs."""
    after: Doc[Any] = Doc(client_id=client)
    after.apply_update(updates.write(updates.mend(updates.read(doc.get_update()), places)))
    return after


def _translated(error: BaseException) -> BaseException:
    """What pycrdt raises: ValueError leaves the document as it was, all else does not (a panic is a BaseException)."""
    if isinstance(error, ValueError):
        return Malformed("An update that can't be read.")
    if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
        return error
    return Poisoned(f"An update that can't be applied: {type(error).__name__}.")
