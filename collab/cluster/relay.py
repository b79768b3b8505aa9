"""Rooms that live on another node: sessions of sockets here are peers there, many over one wire.

The node where the room lives (its owner) makes every frame that a socket is sent, statuses above all: nothing here ever says that something is
stored. What one tick brings for many peers goes over the wire once, with the list of those who get it.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import Role
from collab.cluster.words import error_of, of_error, of_peer, of_stat, pack, peer_of, stat_of, unpack
from collab.errors import CollabError, Fenced, Malformed, Unreachable
from collab.protocol import Kind
from collab.runtime.acting import asked_by, caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.cluster.link import Wire
    from collab.ports import Stat
    from collab.runtime.host import Host, Line
    from collab.runtime.rooms import Rooms
    from collab.session import Peer

log = logging.getLogger("collab.cluster")

BEAT: Final = 5.0
"""Seconds between signs of life."""
SILENT: Final = 3
"""Beats without any sign of the other side, after which the wire is cut."""
_EDITS = (Kind.UPDATE, Kind.STEP2)
_HEAD = struct.Struct(">BI")
"""What a frame is, and which session it is of (or which question, or how many sessions)."""


class Word(IntEnum):
    """What a frame is."""

    PING = 0
    OPEN = 1
    """To the owner: open this document. The question's number; the document's id."""
    OPENED = 2
    """The question's number; what the document is."""
    FAILED = 3
    """The question's number; the error."""
    ENTER = 4
    """To the owner: a peer joins."""
    LEAVE = 5
    MESSAGE = 6
    """To the owner: one byte of `Kind`, then the payload."""
    GREET = 7
    STALL = 8
    CATCH_UP = 9
    ALLOW = 10
    """To the owner: one byte of `Role`, then why it may only read, or nothing."""
    OUT = 11
    """To the relay: so many sessions, their numbers, and frames for the sockets of all of them."""
    REFUSE = 12
    """To the relay: the session ends, with this error."""
    FAULT = 13
    """To the relay: what this session sent could not be taken; whether it was an edit (one byte), and the error."""
    PAUSE = 14
    RESUME = 15
    STAT = 16
    """To the relay: what the document is now."""
    REVIEW = 17
    """To the relay: look what the person may do now."""
    GONE = 18
    """To the relay: whether the document's file is gone (one byte)."""
    MISS = 19
    """To the owner: the person does not find the document's file; look for it."""
    CALLER = 20
    """To the owner: the session of who asks; before OPEN with the question's number, else with a session's."""


class Socket(Protocol):
    """The connection of a relayed peer: a `Line` that is also told what its message brought."""

    lagging: bool

    def write(self, data: bytes) -> None:
        """Write frames."""

    def pause(self) -> None:
        """Stop reading; calls are counted."""

    def resume(self) -> None:
        """Read again, when every pause was taken back."""

    def refuse(self, address: bytes, error: CollabError) -> None:
        """End the session of one document."""

    def fault(self, address: bytes, error: CollabError, *, edit: bool) -> None:
        """A message could not be taken."""

    def review(self, address: bytes) -> None:
        """Look what its person may do now."""


class _Pulse:
    """Cuts a wire whose other side is silent, or does not read, for too long."""

    def __init__(self, wire: Wire, beat: Callable[[], None] | None = None) -> None:
        self._wire = wire
        self._beat = beat
        self._silent = 0
        self._timer = asyncio.get_running_loop().call_later(BEAT, self._look)

    def stop(self) -> None:
        """The wire is cut."""
        self._timer.cancel()

    def _look(self) -> None:
        wire = self._wire
        # A side that does not read is not read either, and full: it has the same time.
        self._silent = 0 if wire.heard and not wire.full else self._silent + 1
        if self._silent >= SILENT:
            log.warning("another node does not answer: its wire is cut")
            wire.abort()
            return
        wire.heard = False
        if not wire.spoke:
            wire.send(_HEAD.pack(Word.PING, 0))
        wire.spoke = False
        self._timer = asyncio.get_running_loop().call_later(BEAT, self._look)
        if self._beat is not None:
            self._beat()


# --- the node of the sockets


@dataclass(eq=False, slots=True)
class _Seat:
    """A session here that is a peer there."""

    away: Away
    peer: Peer
    line: Socket
    paused: bool = False
    """The owner takes nothing from it just now."""


class Away:
    """A room that lives on another node (see `collab.runtime.elsewhere.Hosting`)."""

    def __init__(self, relay: Relay, stat: Stat) -> None:
        self.stat = stat
        self.gone = False
        self._relay = relay
        self._numbers: dict[Peer, int] = {}

    def enter(self, peer: Peer, line: Line) -> None:
        """A peer joins. Unreachable."""
        self._numbers[peer] = self._relay.enter(self, peer, line)

    def leave(self, peer: Peer) -> None:
        """A peer is gone."""
        number = self._numbers.pop(peer, None)
        if number is not None:
            self._relay.leave(number)

    def receive(self, peer: Peer, kind: Kind, payload: bytes) -> None:
        """Passed on; what is wrong with it, comes as a fault."""
        self._say(peer, Word.MESSAGE, bytes((kind,)), payload)

    def greet(self, peer: Peer) -> None:
        """The peer is a page of ours."""
        self._say(peer, Word.GREET)

    def stall(self, peer: Peer) -> None:
        """The peer does not read; what is on its way is still written."""
        self._say(peer, Word.STALL)

    def catch_up(self, peer: Peer) -> None:
        """It reads again."""
        self._say(peer, Word.CATCH_UP)

    def known(self, peer: Peer, session: str) -> None:
        """The peer goes on under this session."""
        if peer.session != session:
            peer.session = session
            self._say(peer, Word.CALLER, session.encode())

    def miss(self, peer: Peer) -> None:
        """The peer's person does not find the file."""
        self._say(peer, Word.MISS)

    def allow(self, peer: Peer, role: Role, why: str = "") -> None:
        """The peer has this role from now on."""
        peer.role, peer.why = role, why
        self._say(peer, Word.ALLOW, bytes((role,)), why.encode())

    def _say(self, peer: Peer, word: Word, *parts: bytes) -> None:
        number = self._numbers.get(peer)
        if number is not None:
            self._relay.say(word, number, *parts)


class Relay:
    """The sessions of sockets here in rooms of one other node. `ended` is told when the wire is cut."""

    def __init__(self, wire: Wire, node: str, ended: Callable[[Relay], None]) -> None:
        self.node = node
        self._wire = wire
        self._ended = ended
        self._seats: dict[int, _Seat] = {}
        self._asked: dict[int, asyncio.Future[Stat]] = {}
        self._numbers = count(1)
        self._pulse = _Pulse(wire)
        wire.listen(self._take, self._cut, self._filled)

    @property
    def open(self) -> bool:
        """Whether the wire holds."""
        return not self._wire.closed

    def __len__(self) -> int:
        return len(self._seats)

    async def room(self, document: str) -> Away:
        """The room of a document, open there. Its errors; Fenced when it does not live there; Unreachable."""
        number = next(self._numbers)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        if caller():
            self.say(Word.CALLER, number, caller().encode())
        self.say(Word.OPEN, number, document.encode())
        try:
            if self._wire.closed:
                raise Unreachable(f"The node {self.node} hung up.")
            return Away(self, await asked)
        finally:
            self._asked.pop(number, None)

    def enter(self, away: Away, peer: Peer, line: Line) -> int:
        """A session is a peer there; its number. Unreachable."""
        if self._wire.closed:
            raise Unreachable(f"The node {self.node} hung up.")
        number = next(self._numbers)
        self._seats[number] = _Seat(away, peer, line)  # type: ignore[arg-type]  # sockets are lines that can be told of faults
        if self._wire.full:
            line.pause()
        self.say(Word.ENTER, number, pack(of_peer(peer, away.stat.id)))
        return number

    def leave(self, number: int) -> None:
        """A session is over."""
        seat = self._unseat(number)
        if seat is not None:
            self.say(Word.LEAVE, number)

    def _unseat(self, number: int) -> _Seat | None:
        seat = self._seats.pop(number, None)
        if seat is not None:
            for paused in (seat.paused, self._wire.full):
                if paused:
                    seat.line.resume()
        return seat

    def say(self, word: Word, number: int, *parts: bytes) -> None:
        """One frame."""
        self._wire.send(_HEAD.pack(word, number), *parts)

    def close(self) -> None:
        """Hang up; the sessions end with a passing error."""
        self._wire.abort()

    def _filled(self, full: bool) -> None:
        """The owner does not read: nobody here is read either."""
        for seat in tuple(self._seats.values()):
            if full:
                seat.line.pause()
            else:
                seat.line.resume()

    def _cut(self) -> None:
        self._pulse.stop()
        self._ended(self)
        asked, self._asked = self._asked, {}
        for question in asked.values():
            if not question.done():
                question.set_exception(Unreachable(f"The node {self.node} hung up."))
                question.exception()
        for number in tuple(self._seats):
            self._end(number, Unreachable("The node where the document lives is gone; come back in a moment."))

    def _end(self, number: int, error: CollabError, *, fault: bool = False, edit: bool = False) -> None:
        seat = self._unseat(number)
        if seat is None:
            return
        if fault:
            seat.line.fault(seat.peer.address, error, edit=edit)
        else:
            seat.line.refuse(seat.peer.address, error)

    def _take(self, frame: bytes) -> None:
        word, number = _HEAD.unpack_from(frame)
        if word == Word.OUT:
            self._out(frame, number)
            return
        body = frame[_HEAD.size :]
        if word in {Word.OPENED, Word.FAILED}:
            self._told(word, number, body)
        elif word == Word.REFUSE:
            self._end(number, error_of(unpack(body)))
        elif word == Word.FAULT:
            self._end(number, error_of(unpack(body[1:])), fault=True, edit=bool(body[0]))
        elif (seat := self._seats.get(number)) is not None:
            self._change(seat, word, body)

    def _out(self, frame: bytes, number: int) -> None:
        start = _HEAD.size + 4 * number
        data = frame[start:]
        for (each,) in struct.iter_unpack(">I", frame[_HEAD.size : start]):
            seat = self._seats.get(each)
            if seat is not None:
                seat.line.write(data)

    def _told(self, word: int, number: int, body: bytes) -> None:
        question = self._asked.get(number)
        if question is None or question.done():
            return
        if word == Word.OPENED:
            question.set_result(stat_of(unpack(body)))
        else:
            question.set_exception(error_of(unpack(body)))

    @staticmethod
    def _change(seat: _Seat, word: int, body: bytes) -> None:
        if word == Word.STAT:
            before, seat.away.stat = seat.away.stat, stat_of(unpack(body))
            if before.writable is not seat.away.stat.writable:
                seat.line.review(seat.peer.address)
        elif word == Word.GONE:
            seat.away.gone = bool(body[0])
        elif word == Word.REVIEW:
            seat.line.review(seat.peer.address)
        elif word == Word.PAUSE and not seat.paused:
            seat.paused = True
            seat.line.pause()
        elif word == Word.RESUME and seat.paused:
            seat.paused = False
            seat.line.resume()


# --- the owner


@dataclass(eq=False, slots=True)
class _Bundle:
    """Frames of this tick, and the sessions that get them."""

    data: bytes
    place: int
    numbers: list[int] = field(default_factory=list)


class Guest:
    """The line of a peer whose socket is on another node."""

    lagging = False

    def __init__(self, guests: Guests, number: int, host: Host, peer: Peer) -> None:
        self.host = host
        self.peer = peer
        self.told = host.stat
        self.gone = False
        """What was told of the file last."""
        self.stalled = False
        """Its socket does not read."""
        self.behind = False
        """It left the set of those who are sent everything."""
        self._guests = guests
        self._number = number

    def write(self, data: bytes) -> None:
        """Write frames."""
        self._guests.gather(self._number, data)

    def pause(self) -> None:
        """Its socket is not read."""
        self._guests.say(Word.PAUSE, self._number)

    def resume(self) -> None:
        """It is read again."""
        self._guests.say(Word.RESUME, self._number)

    def review(self, address: bytes) -> None:
        """Its person's rights are looked at where its socket is."""
        del address
        self._guests.say(Word.REVIEW, self._number)

    def refuse(self, address: bytes, error: CollabError) -> None:
        """Its session ends."""
        del address
        self._guests.end(self._number, Word.REFUSE, pack(of_error(error)))


class Guests:
    """The peers in rooms here whose sockets are on one other node."""

    def __init__(self, wire: Wire, rooms: Rooms) -> None:
        self._wire = wire
        self._rooms = rooms
        self._guests: dict[int, Guest] = {}
        self._callers: dict[int, str] = {}
        """Who asks the next question of each number."""
        self._bundles: list[_Bundle] = []
        self._same: dict[int, _Bundle] = {}
        """The bundle of each object of this tick, by its identity: a room gives the same object to all who get the same."""
        self._last: dict[int, int] = {}
        """The place of the last bundle of each session: what a session is sent, stays in order."""
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._pulse = _Pulse(wire, self._news)

    def __len__(self) -> int:
        return len(self._guests)

    async def serve(self) -> None:
        """Until the wire is cut."""
        self._wire.listen(self._take, self._cut, self._filled)
        try:
            await self._over.wait()
        finally:
            self._pulse.stop()
            self._cut()

    def _cut(self) -> None:
        self._over.set()
        self._bundles.clear()
        guests, self._guests = self._guests, {}
        for guest in guests.values():
            guest.host.leave(guest.peer)

    # --- to the sockets

    def gather(self, number: int, data: bytes) -> None:
        """Frames for a session; what a tick brings goes out together."""
        bundle = self._same.get(id(data))
        if bundle is None or bundle.place <= self._last.get(number, -1):
            if not self._bundles:
                self._loop.call_soon(self._flush)
            bundle = self._same[id(data)] = _Bundle(data, len(self._bundles))
            self._bundles.append(bundle)
        self._last[number] = bundle.place
        bundle.numbers.append(number)

    def _flush(self) -> None:
        bundles, self._bundles = self._bundles, []
        self._same.clear()
        self._last.clear()
        for bundle in bundles:
            numbers = bundle.numbers
            self._wire.send(_HEAD.pack(Word.OUT, len(numbers)), struct.pack(f">{len(numbers)}I", *numbers), bundle.data)

    def say(self, word: Word, number: int, *parts: bytes) -> None:
        """One frame, behind everything before it."""
        self._flush()
        self._wire.send(_HEAD.pack(word, number), *parts)

    def end(self, number: int, word: Word, *parts: bytes) -> None:
        """A session ends, and hears why."""
        guest = self._guests.pop(number, None)
        if guest is not None:
            self.say(word, number, *parts)
            guest.host.leave(guest.peer)

    def _filled(self, full: bool) -> None:
        if full:
            # Nothing is taken while nothing can be said; the relay reads always, so neither waits for the other.
            self._wire.pause()
            # What this tick brings is sent first, as with a socket.
            self._loop.call_soon(self._stall)
            return
        self._wire.resume()
        for guest in tuple(self._guests.values()):
            if self._wire.full:
                break
            if guest.behind and not guest.stalled:
                guest.behind = False
                guest.host.catch_up(guest.peer)
                self._flush()

    def _stall(self) -> None:
        if not self._wire.full:
            return
        self._flush()
        for guest in tuple(self._guests.values()):
            self._leave_behind(guest)

    @staticmethod
    def _leave_behind(guest: Guest) -> None:
        guest.behind = True
        guest.host.stall(guest.peer)

    def _news(self) -> None:
        """Documents may have another name by now, or no file."""
        for number, guest in self._guests.items():
            if guest.gone is not guest.host.gone:
                guest.gone = guest.host.gone
                self.say(Word.GONE, number, bytes((guest.gone,)))
            stat = guest.host.stat
            if (stat.path, stat.writable) != (guest.told.path, guest.told.writable):
                guest.told = stat
                self.say(Word.STAT, number, pack(of_stat(stat)))

    # --- from the sockets

    def _take(self, frame: bytes) -> None:
        word, number = _HEAD.unpack_from(frame)
        if self._rooms.stopping and word in {Word.MESSAGE, Word.ENTER}:
            return
        try:
            if word == Word.MESSAGE:
                self._message(number, frame)
            elif word == Word.OPEN:
                with asked_by(self._callers.pop(number, "")):
                    self._rooms.spawn(self._open(number, frame[_HEAD.size :].decode()))
            elif word == Word.CALLER and number not in self._guests:
                self._callers[number] = frame[_HEAD.size :].decode()
            elif word == Word.ENTER:
                self._enter(number, frame[_HEAD.size :])
            elif (guest := self._guests.get(number)) is not None:
                self._change(guest, word, number, frame[_HEAD.size :])
        except (ValueError, KeyError, TypeError, IndexError):
            log.exception("another node says what cannot be understood: its wire is cut")
            self._wire.abort()

    def _message(self, number: int, frame: bytes) -> None:
        guest = self._guests.get(number)
        if guest is None:
            return
        kind = Kind(frame[_HEAD.size])
        try:
            guest.host.receive(guest.peer, kind, frame[_HEAD.size + 1 :])
        except CollabError as error:
            edit = kind in _EDITS and guest.peer.dialect.statuses and not isinstance(error, Malformed)
            self.end(number, Word.FAULT, bytes((edit,)), pack(of_error(error)))

    async def _open(self, number: int, document: str) -> None:
        try:
            host = await self._rooms.open(document)
        except CollabError as error:
            self.say(Word.FAILED, number, pack(of_error(error)))
        else:
            self.say(Word.OPENED, number, pack(of_stat(host.stat)))

    def _enter(self, number: int, body: bytes) -> None:
        facts = unpack(body)
        host = self._rooms.live(str(facts["document"]))
        if host is None or host.closed:
            moved = Fenced("The document was closed meanwhile; come back in a moment.")
            self.say(Word.REFUSE, number, pack(of_error(moved)))
            return
        peer = peer_of(facts, self._rooms.next_id())
        guest = self._guests[number] = Guest(self, number, host, peer)
        host.enter(peer, guest)
        if self._wire.full:
            self._leave_behind(guest)

    def _change(self, guest: Guest, word: int, number: int, body: bytes) -> None:
        host, peer = guest.host, guest.peer
        if word == Word.LEAVE:
            del self._guests[number]
            host.leave(peer)
        elif word == Word.GREET:
            host.greet(peer)
        elif word == Word.STALL:
            guest.stalled = True
            self._leave_behind(guest)
        elif word == Word.CATCH_UP:
            guest.stalled = False
            if not self._wire.full:
                guest.behind = False
                host.catch_up(peer)
        elif word == Word.CALLER:
            peer.session = body.decode()
        elif word == Word.MISS:
            host.miss(peer)
        elif word == Word.ALLOW:
            host.allow(peer, Role(body[0]), body[1:].decode())
