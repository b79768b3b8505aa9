"""An open room: its effects are performed in order, what a loop tick brings is gathered, each peer gets one write for it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from collab import __version__, protocol
from collab.errors import CollabError, Fenced, Poisoned, TooMany, Unavailable
from collab.formats.bodies import TEXT
from collab.ledger import Base, pack
from collab.ports import Kind as Entry
from collab.ports import Record
from collab.room import Answer, Rebuild, Refuse, Send, Spread, Store
from collab.runtime.aside import LARGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator

    from collab.access import Person, Role
    from collab.document import Document
    from collab.ledger import Ledger
    from collab.ports import Journal, Log, Refillable, Stat
    from collab.protocol import Kind
    from collab.room import Effect, Room
    from collab.runtime.locking import Barred
    from collab.runtime.metrics import Metrics
    from collab.runtime.tick import Tick
    from collab.session import Peer

log = logging.getLogger("collab.runtime")

_STEP1 = protocol.step1(b"")[:2]
_UPDATE = protocol.Kind.UPDATE
READINGS = 3
"""Times that a long notebook is read in steps, while others change it; then it is read at once."""
LATE = 0.25
"""Seconds after which a page is told that the server has an edit which is not stored yet."""
INBOX = 10_000
"""Messages that wait while a document is rebuilt."""
FULL = 256 * 1024
"""Bytes for one peer that are written at once: whether it reads them is known only then."""
AROUND = 128
"""Bytes that a record takes beside its body, about."""
UNSTORED = 8 * 2**20
"""Bytes that a room may hold for a journal that does not answer; above it, nothing more is read."""


class Made(NamedTuple):
    """A document in its file's own form."""

    body: bytes
    digest: str
    """SHA-256."""


def _nothing() -> None:
    """Nobody wants to know."""


class Line(Protocol):
    """The connection of a peer, as its rooms see it."""

    lagging: bool

    def write(self, data: bytes) -> None:
        """Write frames."""

    def pause(self) -> None:
        """Stop reading; calls are counted."""

    def resume(self) -> None:
        """Read again, when every pause was taken back."""

    def refuse(self, address: bytes, error: CollabError) -> None:
        """End the session of one document."""

    def review(self, address: bytes) -> None:
        """Look what its person may do now."""


@dataclass(eq=False, slots=True)
class Member:
    """A peer, its connection, and what waits for it in this tick."""

    peer: Peer
    line: Line
    address: bytes = b""
    """The peer's."""
    direct: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of `direct`."""
    owed: int = 0
    """Statuses that wait for the journal."""
    denials: int = 0
    """Refused edits whose statuses wait for the same."""
    ready: int = 0
    """Statuses that wait for a peer that does not read."""
    questions: int = 0
    """Steps 1 that wait for a peer that does not read."""
    echoes: list[bytes] = field(default_factory=list)
    """Its own updates that wait for a peer that does not read; they came before it stopped reading, and no more are taken."""
    behind: bytes | None = None
    """While the peer does not read: the state vector of what it was sent."""
    page: bool = False
    """It is a page of ours and is told the state of its words."""
    told_owed: tuple[int, str | None] = (0, None)
    """What the page was told of the statuses that wait, and why."""


class _Batch:
    """What one tick brings for the journal."""

    __slots__ = ("by", "echoes", "owed", "owners", "pages", "shy", "updates")

    def __init__(self) -> None:
        self.updates: list[bytes] = []
        self.by: list[tuple[str, int]] = []
        """Who delivered the updates: ids of people, and how many in a row; the server itself is the empty one."""
        self.owed: dict[Member, int] = {}
        self.owners: dict[str, str] | None = None
        self.echoes: list[tuple[Member, bytes]] = []
        self.shy: list[Spread] | None = None
        """What others are told when it is durable."""
        self.pages = False
        """Pages of ours are among them."""

    def deliver(self, update: bytes, person: str) -> None:
        """One update more, from this person."""
        self.updates.append(update)
        by = self.by
        if by and by[-1][0] == person:
            by[-1] = person, by[-1][1] + 1
        else:
            by.append((person, 1))

    def owe(self, member: Member, statuses: int) -> None:
        """A peer gets statuses for it."""
        self.owed[member] = self.owed.get(member, 0) + statuses
        member.owed += statuses
        if member.page:
            self.pages = True


@dataclass(slots=True)
class FileState:
    """What the page says of the file."""

    word: str = "saved"
    saved_at: float | None = None
    detail: str = ""


class Host:
    """A room and its surroundings. `clock` is monotonic; `frame` makes one WebSocket frame of one message; `tick` is what rooms
    share at the end of a turn of the loop; `weakness` tells why what the journal
    has acknowledged may be gone after a crash, or None.
    """

    def __init__(  # noqa: PLR0913, PLR0915 - the surroundings
        self,
        stat: Stat,
        room: Room,
        ledger: Ledger,
        journal: Journal,
        *,
        retrace: Callable[[Log], Awaitable[Document]],
        thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        frame: Callable[[bytes], bytes],
        clock: Callable[[], float],
        metrics: Metrics,
        spawn: Callable[[Coroutine[object, object, None]], object],
        tick: Tick,
        changed: Callable[[], None],
        lost: Callable[[], None],
        missed: Callable[[], None],
        weakness: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._weakness = weakness
        self.stat = stat
        self.room = room
        self.ledger = ledger
        self.members: dict[Peer, Member] = {}
        self.file = FileState(saved_at=stat.modified)
        self.barred: Barred | None = None
        """Why nobody can write here just now."""
        self.needed: Callable[[], None] = _nothing
        """Called when somebody comes who may write."""
        self.writers: dict[Person, int] = {}
        """Who wrote since the last save, in order, and when last: the number of the edit."""
        self.edits = 0
        """Counts every change of the document; the saver compares."""
        self.logged = 0
        """Bytes of the log since its checkpoint."""
        self.closed = False
        self.elsewhere = False
        """The document lives elsewhere: nothing is written from here any more, neither journal nor file."""
        self.closing = asyncio.Event()
        """Set when the room is about to go: nothing waits any more."""
        self._whole = asyncio.Event()
        """No merge is in the log and not yet in the text."""
        self._whole.set()
        self._journal = journal
        self._retrace = retrace
        self._thread = thread
        self._frame = frame
        self._clock = clock
        self._metrics = metrics
        self._spawn = spawn
        self._soon, self._put, self._drain = tick.soon, tick.put, tick.drain
        self._changed = changed
        self._lost = lost
        self._missed = missed
        self._loop = asyncio.get_running_loop()
        self._spread: list[tuple[Member | None, bytes]] = []
        self._active: dict[Member, None] = {}
        """Members with something of their own to be written in this tick."""
        self._batch = _Batch()
        self._scheduled = False
        self._last: asyncio.Future[int] | None = None
        self._edited: asyncio.Future[int] | None = None
        """The last record that changed the document."""
        self.origin = ledger.position
        """Everything in the log up to here was there when the room was opened."""
        self._unstored = 0
        self._paused = False
        self._late: asyncio.TimerHandle | None = None
        self._inbox: list[tuple[Peer, Kind, bytes]] | None = None
        self._waiting: list[tuple[Peer, Kind, bytes]] | None = None
        """What comes while something becomes durable of which others are not told before, or a long document is written down."""
        self._held = 0
        """For how many it waits."""
        self._shy = 0
        """Turns among them with what others are told when it is durable."""
        self._passing = True
        """It is none of the former: who leaves need not wait."""
        self._sound = asyncio.Event()
        self._sound.set()

    @property
    def id(self) -> str:
        """The document's id."""
        return self.stat.id

    @property
    def gone(self) -> bool:
        """Whether the file is gone; the text lives on here."""
        return self.file.word == "gone"

    # --- peers

    def enter(self, peer: Peer, line: Line) -> None:
        """A peer joins."""
        member = Member(peer, line, peer.address)
        self.members[peer] = member
        self.room.join(peer)
        if self._paused:
            line.pause()
        self._admit(member)

    def _admit(self, member: Member) -> None:
        """Somebody who may write is here from now on."""
        if member.peer.writes:
            self.needed()
            if self.barred is not None:
                self._say_scope(member)

    def leave(self, peer: Peer) -> None:
        """A peer is gone."""
        if self._waiting and self._passing:
            # Whoever goes has said this before.
            said = [each for each in self._waiting if each[0] is peer]
            self._waiting = [each for each in self._waiting if each[0] is not peer]
            self._take(said, self._hear)
        member = self.members.pop(peer, None)
        if member is None:
            return
        if self._paused:
            member.line.resume()
        self._active.pop(member, None)
        self.perform(self.room.leave(peer))
        if not self.members:
            self._changed()

    def receive(self, peer: Peer, kind: Kind, payload: bytes) -> None:
        """A message of a peer. CollabError: refuse it."""
        if self._inbox is None and self._waiting is not None and len(self._waiting) < INBOX:
            self._waiting.append((peer, kind, payload))
            return
        self._hear(peer, kind, payload)

    def _hear(self, peer: Peer, kind: Kind, payload: bytes) -> None:
        """A message that waits for nothing but a document that is whole."""
        if self._inbox is not None:
            if len(self._inbox) >= INBOX:
                raise TooMany("The document is being rebuilt; come back in a moment.")
            self._inbox.append((peer, kind, payload))
            return
        if kind is _UPDATE and self._typed(peer, payload):
            return
        self.perform(self.room.receive(peer, kind, payload, self._clock()))

    def _typed(self, peer: Peer, payload: bytes) -> bool:
        """A common edit, with as little around it as can be: it is most of what a server does. False: nothing happened."""
        try:
            if not self.room.typed(peer, payload):
                return False
        except Poisoned as error:
            self.perform((Rebuild(), Refuse(peer, error)))
            return True
        batch = self._batch
        person = peer.person
        batch.deliver(payload, person.id)
        self.edits += 1
        self.writers[person] = self.edits
        self._metrics.edits += 1
        member = self.members.get(peer)
        if member is not None:
            batch.owe(member, 1)
            if peer.dialect.echo:
                batch.echoes.append((member, payload))
        self._spread.append((member, protocol.update(payload)))
        if not self._scheduled:
            self._scheduled = True
            self._soon(self._flush)
        return True

    def greet(self, peer: Peer) -> None:
        """The peer is a page of ours: from now on it is told the state of its words."""
        member = self.members.get(peer)
        if member is not None:
            member.page = True
            self._say_state(member)

    def allow(self, peer: Peer, role: Role, why: str = "") -> None:
        """The peer has this role from now on; `why` it may only read (see `Peer.why`)."""
        wrote, told = peer.writes, peer.why
        peer.role, peer.why = role, why
        member = self.members.get(peer)
        if member is not None:
            self._admit(member)
        if peer.writes and not wrote and self.barred is None:
            self.perform(self.room.permit(peer))
        if member is not None and member.page and (wrote, told) != (peer.writes, why):
            self._say_state(member)

    def bar(self, barred: Barred | None) -> None:
        """Nobody can write from now on, for this reason; None: whoever may, can."""
        before, self.barred = self.barred, barred
        self.room.barred = barred is not None
        if before == barred:
            return
        for member in tuple(self.members.values()):
            if not member.peer.writes:
                continue
            if (before is None) is not (barred is None):
                self._say_scope(member)
            if barred is None:
                self.perform(self.room.permit(member.peer))
            if member.page:
                self._say_state(member)

    def _say_scope(self, member: Member) -> None:
        """What its client may do, behind what its connection says of its role."""
        if member.peer.dialect.addressed:
            self._send(member, protocol.authenticated("readonly" if self.barred else "read-write"))

    def known(self, peer: Peer, session: str) -> None:
        """The peer goes on under this session."""
        peer.session = session

    def miss(self, peer: Peer) -> None:
        """The peer's person does not find the file: look for it."""
        del peer
        self._missed()

    def found(self, stat: Stat) -> None:
        """The file is this one now."""
        turned = stat.writable is not self.stat.writable
        self.stat = stat
        if turned:
            self.review()

    def review(self) -> None:
        """What people may do here may be another thing now: look, wherever their sockets are."""
        for member in tuple(self.members.values()):
            member.line.review(member.peer.address)

    def tick(self) -> None:
        """Presence that nobody renewed goes; called every few seconds."""
        self.perform(self.room.expire(self._clock()))

    def stall(self, peer: Peer) -> None:
        """The peer's output waits: it leaves the set, with what it was sent so far."""
        if self._spread or self._active:
            self._write_now()
        member = self.members.get(peer)
        if member is not None and member.behind is None:
            # What nobody was told yet is in the state, too.
            member.behind = b"\0" if self._shy else self.room.document.state_vector()

    def catch_up(self, peer: Peer) -> None:
        """The peer reads again: one difference, who is here, and the statuses that waited."""
        member = self.members.get(peer)
        if member is None or member.behind is None or self._later(peer):
            return
        if self._spread or self._active:
            self._write_now()
        since, member.behind = member.behind, None
        self._send(member, protocol.update(self.room.document.diff(since)))
        everybody = self.room.presence.everybody()
        if everybody:
            self._send(member, protocol.awareness(everybody))
        questions, member.questions = member.questions, 0
        for _ in range(questions):
            self._send(member, protocol.step1(self.room.document.state_vector()))
        echoes, member.echoes = member.echoes, []
        for update in echoes:
            self._echo(member, update)
        denials, member.denials = member.denials, 0
        for _ in range(denials):
            self._send(member, protocol.REFUSED)
        ready, member.ready = member.ready, 0
        if ready:
            self._pay(member, ready)
        if member.page:
            self._say_state(member)

    def _later(self, peer: Peer) -> bool:
        """Whether the peer catches up when something is durable of which others are not told before."""
        if self._shy:
            self.commit()
        last = self._last
        if not self._shy or last is None or last.done():
            return False
        last.add_done_callback(lambda _: self.catch_up(peer))
        return True

    # --- effects

    def perform(self, effects: Iterable[Effect]) -> None:
        """Carry out what the room says, in order."""
        for effect in effects:
            if isinstance(effect, Store):
                self._store(effect)
            elif isinstance(effect, Spread):
                # What is behind something that others are not told yet may build on it.
                (self._keep if self._shy and self._batch.updates else self._tell)(effect)
            elif isinstance(effect, Send):
                self._send_to(effect.peer, effect.message)
            elif isinstance(effect, Answer):
                self._answer(effect.peer)
            elif isinstance(effect, Refuse):
                self._refuse(effect.peer, effect.error)
            elif isinstance(effect, Rebuild):
                self._rebuild()

    def _tell(self, effect: Spread) -> None:
        self._spread.append((self.members.get(effect.but) if effect.but else None, effect.message))
        self._schedule()

    def _keep(self, effect: Spread) -> None:
        """Others are told it when what was gathered is durable, and nobody is answered before."""
        batch = self._batch
        if batch.shy is None:
            batch.shy = []
            self._shy += 1
            self._hold()
        batch.shy.append(effect)

    def _answer(self, peer: Peer) -> None:
        if not peer.writes:
            self._metrics.refused("readonly")
        member = self.members.get(peer)
        if member is not None and member.behind is not None:
            member.denials += 1
        elif member is not None:
            self._send(member, protocol.REFUSED)

    def _send_to(self, peer: Peer, message: bytes) -> None:
        member = self.members.get(peer)
        if member is not None:
            self._send(member, message)

    def _send(self, member: Member, message: bytes) -> None:
        if member.behind is not None:
            member.questions += message.startswith(_STEP1)
            return
        framed = self._frame(member.address + message)
        member.direct.append(framed)
        member.size += len(framed)
        self._active[member] = None
        if member.size > FULL:
            self._write_now()
        else:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._soon(self._flush)

    def _refuse(self, peer: Peer, error: CollabError) -> None:
        member = self.members.get(peer)
        if member is not None:
            self._write_now()
            member.line.refuse(peer.address, error)

    def _store(self, effect: Store) -> None:
        if effect.torn:
            self.commit()
            self.append(Record(Entry.MEND, meta={"places": sorted(effect.torn)}))
        batch = self._batch
        if effect.update:
            batch.deliver(effect.update, "" if effect.peer is None else effect.peer.person.id)
            if effect.owners:
                batch.owners = (batch.owners or {}) | {str(client): person for client, person in effect.owners}
            self.edits += 1
            self._metrics.edits += 1
            if effect.shy is not None:
                self._keep(effect.shy)
            if effect.peer is not None:
                self.writers[effect.peer.person] = self.edits
        member = self.members.get(effect.peer) if effect.peer else None
        if member is not None and effect.statuses:
            batch.owe(member, effect.statuses)
            if member.peer.dialect.echo and effect.update:
                batch.echoes.append((member, effect.update))
        self._schedule()

    def _write_now(self) -> None:
        """As `_flush`, at once."""
        self._flush()
        self._drain()

    def _flush(self) -> None:
        """One write to each peer for all that the tick brought; the journal gets its share first."""
        self._scheduled = False
        self.commit()
        spread, active = self._spread, self._active
        if active:
            self._active = {}
        if not spread:
            for member in active:
                self._write(member, b"")
            return
        self._spread = []
        if len(spread) == 1:
            self._spread_one(*spread[0])
        else:
            self._spread_out(spread)

    def _spread_one(self, sender: Member | None, message: bytes) -> None:
        """As `_spread_out`, of one message."""
        known, shared = None, b""
        for member in tuple(self.members.values()):
            if member.behind is not None:
                continue
            if member is sender:
                if member.direct:
                    self._write(member, b"")
                continue
            if member.address != known:
                known = member.address
                shared = self._frame(known + message)
            if member.direct:
                self._write(member, shared)
            else:
                self._put(member.line, shared)

    def _spread_out(self, spread: list[tuple[Member | None, bytes]]) -> None:
        senders = dict.fromkeys([member for member, _ in spread])
        framed: dict[bytes, tuple[list[bytes], bytes]] = {}
        for member in tuple(self.members.values()):
            if member.behind is not None:
                continue
            known = framed.get(member.address)
            if known is None:
                frames = [self._frame(member.address + message) for _, message in spread]
                known = framed[member.address] = frames, b"".join(frames)
            frames, shared = known
            if member in senders:
                shared = b"".join([one for one, (sender, _) in zip(frames, spread, strict=True) if sender is not member])
            if member.direct:
                self._write(member, shared)
            elif shared:
                self._put(member.line, shared)

    def _write(self, member: Member, shared: bytes) -> None:
        direct = member.direct
        if direct:
            member.direct, member.size = [], 0
            self._put(member.line, b"".join((*direct, shared)))
        elif shared:
            self._put(member.line, shared)

    # --- journal

    def commit(self) -> None:
        """Hand what was gathered to the journal; the file and every other side door come behind it."""
        batch = self._batch
        if not batch.updates and not batch.owed:
            return
        self._batch = _Batch()
        size = 0
        if batch.updates:
            body = pack(batch.updates)
            size = len(body)
            by = tuple(batch.by)
            self.append(Record(Entry.UPDATE, body, {"by": by, "owners": batch.owners} if batch.owners else {"by": by}))
            self._changed()
        # Words that are known already are those of the last edit or older: what only names a place behind them may come to nothing.
        last = self._last if batch.updates else self._edited
        if last is None or last.done():
            self._stored(batch, 0, self._clock(), last)
            return
        self._unstored += size
        if self._unstored > UNSTORED and not self._paused:
            self._pause(paused=True)
        now = self._clock()
        last.add_done_callback(partial(self._stored, batch, size, now))
        if self._late is None and batch.pages:
            self._late = self._loop.call_later(LATE, self._say_late)

    def append(self, record: Record) -> asyncio.Future[int]:
        """One record to the journal, behind everything before it; the result is its position, once it is durable."""
        if self.elsewhere:
            # It may live here again by now: what this room still does, is not that one's.
            refused: asyncio.Future[int] = self._loop.create_future()
            refused.set_exception(Fenced("The document lives elsewhere."))
            refused.exception()
            return refused
        self.logged += len(record.body) + AROUND
        appended = self._journal.append(self.stat.id, record)
        future = appended if isinstance(appended, asyncio.Future) else asyncio.ensure_future(appended)
        self._last = future
        if record.kind is not Entry.UPDATE:
            future.add_done_callback(self._look)
        if record.body:
            self._edited = future
        return future

    async def refill(self, journal: Refillable) -> None:
        """The journal's medium lost its memory: the log begins anew with what is here. Unavailable, Fenced."""
        if self._inbox is not None:
            raise Fenced("The document was being rebuilt; open it again.")
        self.commit()
        ledger, document, base = self.ledger, self.room.document, self.ledger.base
        ahead = ledger.announced is not None or sha256(self.body()).hexdigest() != base.hash
        # In the same step as the state: what is appended from here on comes behind it.
        place = await journal.refill(self.id, document.encode(), ledger.to_meta_anew(document.endings, ahead=ahead), ahead=ahead)
        if not ahead and ledger.base == base:
            ledger.base = Base(base.hash, place)

    def stands(self, base: Base) -> bool:
        """Whether the text that somebody read is the live one: nothing was edited behind it."""
        edited = self._edited
        if base.merges or self.room.document.format != TEXT or self._batch.updates or self._inbox is not None:
            return False
        if edited is None:
            return base.place >= self.origin
        return edited.done() and not edited.cancelled() and edited.exception() is None and base.place >= edited.result()

    async def settled(self) -> None:
        """Return when everything until now is durable."""
        self.commit()
        if self._last is not None:
            await asyncio.shield(self._last)

    def _stored(self, batch: _Batch, size: int, since: float, future: asyncio.Future[int] | None) -> None:
        if future is not None and (future.cancelled() or future.exception() is not None):
            self._look(future)
            return
        self._unstored -= size
        if self._paused and self._unstored <= UNSTORED // 2:
            self._pause(paused=False)
        owed, members = batch.owed, self.members
        if owed:
            self._metrics.acknowledged.observe(self._clock() - since, sum(owed.values()))
        for member, update in batch.echoes:
            if member.peer in members:
                self._echo(member, update)
        for member, count in owed.items():
            member.owed -= count
            if member.peer.dialect.statuses and member.peer in members:
                self._pay(member, count)
        if batch.shy is not None:
            self._reveal(batch.shy)

    def _reveal(self, shy: Iterable[Spread]) -> None:
        """Others are told what is durable now, and what came meanwhile is taken."""
        self._shy -= 1
        for effect in shy:
            self._tell(effect)
        self._release()

    def _look(self, future: asyncio.Future[int]) -> None:
        """A journal that takes nothing from here any more: the document lives elsewhere."""
        if not self.elsewhere and not future.cancelled() and isinstance(future.exception(), Fenced):
            self.moved()

    def moved(self) -> None:
        """The document lives elsewhere: everybody goes there, with whatever was not acknowledged."""
        log.warning("document %s lives on another node now", self.id)
        self.elsewhere = True
        self._lost()
        self.dismiss(Fenced("The document lives on another node now; come back in a moment."))

    def _echo(self, member: Member, update: bytes) -> None:
        if member.behind is not None:
            member.echoes.append(update)
        else:
            self._send(member, protocol.update(update))

    def _pay(self, member: Member, count: int) -> None:
        if member.behind is not None:
            member.ready += count
            return
        for _ in range(count):
            self._send(member, protocol.APPLIED)
        # Behind the statuses: a smaller debt before them would read as if the server had never had these words.
        if member.page and member.told_owed[0]:
            self._say_state(member)

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        for member in self.members.values():
            if paused:
                member.line.pause()
            else:
                member.line.resume()

    def _rebuild(self) -> None:
        """The CRDT library left the document half changed: nothing is taken from it until it is made anew."""
        log.error("document %s is rebuilt from its journal", self.id)
        self._metrics.failed("rebuild")
        self.edits += 1
        if self._inbox is None:
            self._inbox = []
            self._sound.clear()
            self._spawn(self._make_anew())

    async def sound(self) -> None:
        """Return when the document is whole. Unavailable when it will not be any more."""
        await self._sound.wait()
        if self._inbox is not None:
            raise Unavailable("The document was closed; open it again.")

    async def _make_anew(self) -> None:
        try:
            self.room.document = await self._replayed()
        except CollabError as error:
            log.error("document %s could not be rebuilt: %s", self.id, error.detail)  # noqa: TRY400 - told in words
            self._lost()
            self.dismiss(Unavailable("The document has to be opened anew; come back in a moment."))
            return
        finally:
            self._sound.set()
        inbox, self._inbox = self._inbox or [], None
        self._take(inbox)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """What peers send waits. Other edits (of who goes, of the server) may be made all the same: compare `edits`."""
        self._hold()
        try:
            yield
        finally:
            self._release()

    def _hold(self) -> None:
        self._held += 1
        if self._waiting is None:
            self._waiting = []

    def _release(self) -> None:
        self._held -= 1
        if not self._held:
            waiting, self._waiting = self._waiting or [], None
            self._take(waiting)

    @asynccontextmanager
    async def reading(self, *, long: bool = False) -> AsyncIterator[None]:
        """The document is read: a long notebook in steps, while what peers send waits until this is left. Await nothing in it. `long`: its size is not
        known yet.
        """
        if self.room.document.format == TEXT or not (long or self.room.size >= LARGE):
            yield
            return
        with self.holding():
            for _ in range(READINGS):
                version = self.room.document.version
                for _ in self.room.document.reading():
                    await asyncio.sleep(0)
                if version == self.room.document.version:
                    break
            yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Made]:
        """The document in its file's own form, as it is until this is left; a long one is written beside the event loop, while what peers send
        waits. Await nothing in it.
        """
        while self.room.size >= LARGE:
            with self.holding():
                await self._whole.wait()
                async with self.reading():
                    self._settle()
                    write, moment = self.writer(), self._moment()
                made: Made = await self._thread(partial(_made, write))
                if self._inbox is not None:
                    await self.sound()
                elif self._whole.is_set() and moment == self._moment():
                    yield made
                    return
        await self._whole.wait()
        self._settle()
        yield _made(self.writer())

    def _settle(self) -> None:
        """What the file should not hold is put right, and on its way to the journal."""
        self.perform(self.room.tidy())
        self.commit()

    def _moment(self) -> tuple[int, int, int]:
        """What tells the bodies of a document apart while their writer is held."""
        return self.edits, self.room.document.version, id(self.ledger.form)

    def _take(self, inbox: Iterable[tuple[Peer, Kind, bytes]], act: Callable[[Peer, Kind, bytes], None] | None = None) -> None:
        act = act or self.receive
        for peer, kind, payload in inbox:
            try:
                if peer in self.members:
                    act(peer, kind, payload)
            except CollabError as error:
                self._refuse(peer, error)

    async def _replayed(self) -> Document:
        while True:
            await self.settled()
            last = self._last
            document = await self._retrace(await self._journal.load(self.id))
            # A merge may have been appended meanwhile.
            if last is self._last:
                return document

    # --- the file

    def body(self) -> bytes:
        """The document in the file's own form."""
        return self.writer()()

    def writer(self) -> Callable[[], bytes]:
        """What gives that of the document as it is now, in any thread."""
        return self.room.document.writer(self.ledger.form)

    async def written(self) -> Made:
        """As `body`, of the document as it is when this is asked or a little later; a long one beside the event loop."""
        async with self.reading():
            write = self.writer()
        made: Made = _made(write) if self.room.size < LARGE else await self._thread(partial(_made, write))
        return made

    async def content(self) -> tuple[Stat, bytes]:
        """The live body, once the journal holds it, and what it is."""
        await self.sound()
        async with self.reading():
            self.perform(self.room.tidy())
            write = self.writer()
        made: Made = _made(write) if self.room.size < LARGE else await self._thread(partial(_made, write))
        await self.settled()
        return self._described(made), made.body

    async def give(self, now: float, *, office: bool = False) -> tuple[Stat, bytes]:
        """As `content`, to a writer outside: just this body is what it may come back with, whatever is typed meanwhile. `office`: to a suite, which
        will not say that it was this one.
        """
        await self.sound()
        async with self.writing() as made:
            giving = self.given(made, now, office=office)
        await giving
        return self._described(made), made.body

    async def unlocked(self) -> None:
        """An office suite is done with the document; durable on return."""
        record = Record(Entry.OFFICE, meta={"office": True})
        self.commit()
        self.ledger.take(await self.append(record), record)

    @contextmanager
    def merging(self, update: bytes) -> Iterator[None]:
        """A merge is written into the log, then into the text: meanwhile no place in the log names the text that people see. Where it takes cells
        out, or moves them, people wait for it: what is typed into an old cell behind it comes into its copy, what is typed before it does not.
        """
        self._whole.clear()
        try:
            if self.room.document.takes_out(update):
                self._passing = False
                with self.holding():
                    yield
            else:
                yield
        finally:
            self._whole.set()
            self._passing = True

    def given(self, made: Made, now: float, *, office: bool = False) -> Awaitable[Base]:
        """The text as it is now is given to a writer outside, who may come back with it: the base to merge that from, once it is durable. It is in
        the log when this returns, at the place that names this text.
        """
        digest = made.digest
        self.commit()
        base = self._given_before(digest, office=office)
        if base is not None:
            return _there(base)
        record = Record(Entry.GIVEN, meta={"hash": digest, "at": now, **({"office": True} if office else {})})
        # In the same step as the body: the position of this record names the state that the body holds.
        return self._noted(record, self.append(record))

    def _given_before(self, digest: str, *, office: bool) -> Base | None:
        if office:
            put, given = self.ledger.office.put, self.ledger.office.given
            if put is not None and put.hash == digest:
                return put
            return given[-1] if given and given[-1].hash == digest else None
        if self.ledger.base.hash == digest:
            return self.ledger.base
        newest = self.ledger.past[-1:]
        return Base(digest, newest[0].place, newest[0].merges) if newest and newest[0].hash == digest else None

    async def _noted(self, record: Record, appended: asyncio.Future[int]) -> Base:
        self.ledger.take(await appended, record)
        return Base(str(record.meta["hash"]), self.ledger.position)

    async def live(self) -> Stat:
        """What the document is now: size and etag are the live body's."""
        return self._described(await self.written()) if self.file.word != "saved" else self.stat

    def _described(self, made: Made) -> Stat:
        return replace(self.stat, size=len(made.body), etag=made.digest)

    def say(self, word: str, detail: str = "", *, saved_at: float | None = None) -> None:
        """The file's state changed: tell the pages."""
        if word == self.file.word == "pending":
            return
        self.file = FileState(word, saved_at if saved_at is not None else self.file.saved_at, detail)
        self.say_all()

    def tell(self, kind: str, **facts: object) -> None:
        """Something happened to the file: every page says so (docs/reference/protocol.md)."""
        message = protocol.stateless("collab:notice " + json.dumps({"kind": kind, **facts}, ensure_ascii=False))
        for member in self.members.values():
            if member.page:
                self._send(member, message)

    def relocate(self, path: str, to: str) -> None:
        """The document is in a folder that was moved; tell the pages."""
        if self.stat.path.startswith(path + "/"):
            self.stat = replace(self.stat, path=to + self.stat.path[len(path) :])
            self.say_all()

    def say_all(self) -> None:
        """Tell every page the state of its words."""
        for member in self.members.values():
            if member.page:
                self._say_state(member)

    def _say_late(self) -> None:
        """What is owed for long, or why nothing can be stored, is told again and again while it changes."""
        late = [member for member in self.members.values() if member.page and member.owed]
        self._late = self._loop.call_later(4 * LATE, self._say_late) if late else None
        for member in late:
            if member.told_owed != (member.owed, self._journal.trouble):
                self._say_state(member)

    def _say_state(self, member: Member) -> None:
        member.told_owed = member.owed, self._journal.trouble
        saved_at = self.file.saved_at
        state = {
            "version": __version__,
            "owed": member.owed,
            "file": self.file.word,
            "saved_at": None
            if saved_at is None
            else datetime.fromtimestamp(saved_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "detail": self.file.detail,
            "journal": self._journal.trouble or "",
            "durable": self._weakness() is None,
            "writable": member.peer.writes and self.barred is None,
            **self._reason(member.peer),
            "path": self.stat.path,
            "id": self.stat.id,
            "person": member.peer.person.id,
            "format": self.room.document.format,
        }
        self._send(member, protocol.stateless("collab:state " + json.dumps(state, ensure_ascii=False)))

    def _reason(self, peer: Peer) -> dict[str, str]:
        """Why the peer may only read, when that is another thing than its role was."""
        barred = self.barred if peer.writes else None
        if barred is None:
            return {"why": peer.why, "by": "", "application": "", "kept": ""}
        return {"why": barred.why, "by": barred.by, "application": barred.application, "kept": barred.kept}

    def dismiss(self, error: CollabError) -> None:
        """Everybody leaves, with a reason."""
        for peer in tuple(self.members):
            self._refuse(peer, error)
            self.leave(peer)


def _made(write: Callable[[], bytes]) -> Made:
    body = write()
    return Made(body, sha256(body).hexdigest())


async def _there(base: Base) -> Base:
    return base
