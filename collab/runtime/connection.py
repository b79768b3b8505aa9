"""One socket: its sessions join, edit and leave rooms."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collab import protocol
from collab.access import Grant, Role, color_of, same
from collab.errors import (
    CollabError,
    Fenced,
    Forbidden,
    Malformed,
    TimedOut,
    TooMany,
    TooSlow,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from collab.protocol import Kind
from collab.runtime.acting import asked_by
from collab.runtime.meter import Meter
from collab.session import Joining, Leaving, Peer, check_queue

if TYPE_CHECKING:
    from collab.dialects import Dialect
    from collab.ports import Stat
    from collab.protocol import Message
    from collab.runtime.elsewhere import Hosting
    from collab.runtime.outbound import Outbound
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.runtime")

RENEWAL = 10.0
"""Seconds that a provider has to answer the request for a new token."""
_EDITS = (Kind.UPDATE, Kind.STEP2)
_COOKIE = "cookie"
"""The token of pages whose socket carries the session, as an empty one; with a colon and a person's id it says whose words they are."""


@dataclass(slots=True, eq=False)
class Editing:
    """The session is in a room (see `rights.Seat`)."""

    host: Hosting
    peer: Peer
    grant: Grant
    connection: Connection
    expiry: asyncio.TimerHandle | None = None
    held: list[Message] | None = None
    """What waits until it is known what a new token allows."""
    looks: int = 0
    """How often others looked at what it allows."""

    @property
    def stat(self) -> Stat:
        """The document. What cannot be written any more stops nobody who is here: words are stored, and the page says why they are in no file."""
        stat = self.host.stat
        return replace(stat, writable=True) if self.peer.writes and not stat.writable else stat

    @property
    def gone(self) -> bool:
        """Whether its file is gone."""
        return self.host.gone

    def miss(self) -> None:
        """Let the room look for the file."""
        self.host.miss(self.peer)

    def decide(self, role: Role) -> None:
        """From now on it has this role."""
        self.connection.decide(self, role)

    def dismiss(self, error: CollabError) -> None:
        """It ends."""
        self.connection.dismiss(self, error)


@dataclass(slots=True)
class Arriving:
    """The session waits for its sign-in or its room."""

    waiting: Joining
    timer: asyncio.TimerHandle
    task: asyncio.Task[None] | None = None


Session = Arriving | Editing | Leaving


@dataclass(frozen=True, slots=True)
class Caller:
    """Who opened the socket, as the door found out."""

    address: str
    grant: Grant | None = None
    """From the query's token or the cookie."""
    refused: CollabError | None = None
    """The token was there and is not valid."""
    key: str = ""
    """What refusals are counted by: address and token, hashed."""


class Connection:
    """The sessions of one socket. It never awaits: tasks belong to the rooms."""

    def __init__(self, rooms: Rooms, outbound: Outbound, dialect: Dialect, caller: Caller, document: str = "") -> None:
        self.rooms = rooms
        self.lagging = False
        self.spoke = True
        """Something was written since the last look of the keep-alive."""
        self._outbound = outbound
        self._dialect = dialect
        self._caller = caller
        self._document = document
        self._sessions: dict[bytes, Session] = {}
        self._typing = b""
        """The address of the last edit."""
        self._loop = asyncio.get_running_loop()
        self._paused = 0
        self._over = False
        self._turn = rooms.turn
        self._meter = Meter(rooms.limits, self._loop.time, rooms.turn)
        self._resting: asyncio.TimerHandle | None = None
        """Until it is read again after a flood."""
        self._patience: asyncio.TimerHandle | None = None
        """Until somebody has to be welcome."""
        self._slow: asyncio.TimerHandle | None = None
        """Until the peer has to read."""
        self._held: asyncio.TimerHandle | None = None
        self._backlog: deque[tuple[bytes, Message]] = deque()
        """What was read already when the peer's output began to wait."""
        outbound.limit = rooms.limits.frame_before
        rooms.connections[self] = None
        if not dialect.addressed:
            self._arrive(b"")
            self._sign_in(b"", caller.grant, caller.refused)
        else:
            # A socket that never names a document is not kept.
            self._expect()

    # --- what the door calls

    def receive(self, data: bytes) -> None:
        """One message frame. CollabError: close the socket."""
        if self._over or self.rooms.stopping:
            return
        self.rooms.metrics.messages += 1
        meter, turn = self._meter, self._turn
        # One small update is nearly all of the traffic, and most often for the document of the one before.
        address = self._typing
        update = protocol.small_update(data, address)
        session = self._sessions.get(address) if update is not None else None
        if type(session) is Editing and update is not None and not self.lagging and self._resting is None:
            meter.messages += 1
            meter.bytes += len(data)
            if meter.messages < turn.messages and meter.bytes < turn.bytes:
                self._edit(address, session, Kind.UPDATE, update)
                return
            self._rest()
            self._backlog.append((address, (Kind.UPDATE, update)))
            return
        address, messages = protocol.read(data, self._dialect)
        meter.messages += len(messages)
        meter.bytes += len(data)
        if meter.messages >= turn.messages or meter.bytes >= turn.bytes:
            self._rest()
        for message in messages:
            if self.lagging or self._resting is not None:
                self._backlog.append((address, message))
            else:
                self._take(address, message)

    def _rest(self) -> None:
        """Much was read at once: the others come first, and who goes on like this is read more slowly."""
        seconds = self._meter.pause()
        if self._resting is not None:
            return
        self.rooms.metrics.slowed += seconds > 0
        self.pause()
        self._resting = self._loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        """So much of what was read is taken as in any turn; what is still to be read comes when that is done."""
        self._resting = None
        for _ in range(min(self._turn.messages, len(self._backlog))):
            if self.lagging or self._over:
                break
            self._replay(*self._backlog.popleft())
        if self._backlog and not self.lagging and not self._over:
            self._resting = self._loop.call_later(0, self._rested)
        else:
            self.resume()

    def _take(self, address: bytes, message: Message) -> None:
        session = self._sessions.get(address)
        if isinstance(session, Editing) and message[0] < Kind.TOKEN:
            self._typing = address
            self._edit(address, session, *message)
        elif message[0] is Kind.PING:
            self.write(self.rooms.frame(protocol.PONG))
        else:
            self._other(address, session, message)

    def stalled(self) -> None:
        """The peer does not read: its rooms go on without it, and its own input waits."""
        if self.lagging or self._over:
            return
        self.lagging = True
        self.pause()
        self._slow = self._loop.call_later(self.rooms.limits.lagging, self._too_slow)
        # The write that filled the buffer may be one of a flush: what this tick brings is sent first.
        self._loop.call_soon(self._stall)

    def _stall(self) -> None:
        if self.lagging:
            for session in self._editing():
                session.host.stall(session.peer)

    def drained(self) -> None:
        """It reads again."""
        if not self.lagging:
            return
        self.lagging = False
        if self._slow is not None:
            self._slow.cancel()
        for session in self._editing():
            session.host.catch_up(session.peer)
        if self._backlog and self._resting is None:
            self._rested()
        else:
            self.resume()

    def lost(self, code: int) -> None:
        """The socket is gone."""
        del code
        self._over = True
        self.rooms.connections.pop(self, None)
        self._backlog.clear()
        for timer in (self._patience, self._slow, self._resting):
            if timer is not None:
                timer.cancel()
        if self._held is not None:
            self.rooms.refusals.forget(self._held)
        for address in tuple(self._sessions):
            self._end(address)

    def going_away(self) -> None:
        """The server stops."""

    # --- what rooms call

    def write(self, data: bytes) -> None:
        """Write frames."""
        self.spoke = True
        self._outbound.write(data)

    def pause(self) -> None:
        """Stop reading; calls are counted."""
        self._paused += 1
        if self._paused == 1:
            self._outbound.pause()

    def resume(self) -> None:
        """Read again, when every pause was taken back."""
        self._paused -= 1
        if self._paused == 0 and not self._over:
            self._outbound.resume()

    def refuse(self, address: bytes, error: CollabError) -> None:
        """End the session of one document with a reason; a socket of one document is held a while and closed."""
        self.rooms.metrics.refused(error.reason)
        log.info("refused: %s: %s", error.reason, error.detail)
        welcome = isinstance(self._sessions.get(address), Editing)
        self._end(address)
        self._sessions[address] = Leaving()
        if not error.final and (self._dialect.addressed or (welcome and isinstance(error, Fenced | Unreachable))):
            # Providers take a permission that was denied for the end: a socket that closes brings them back. Who was in a room that went away
            # has done nothing for which to be held.
            self._over = True
            self._outbound.close(error.close_code, error.reason)
            return
        if self._dialect.addressed:
            self._say(address, protocol.denied(error.reason, self._dialect))
            if self._unwelcome():
                # A socket on which nobody is welcome is not kept either.
                self._expect()
            return
        self._say(address, protocol.denied(f"{error.reason}: {error.detail}", self._dialect))
        self._over = True
        delay = self.rooms.refusals.delay(self._caller.key)
        # y-websocket forgets its back-off as soon as a socket opens: the socket stays open as long as the client has to wait.
        self._held = self.rooms.refusals.hold(self._loop, delay, lambda: self._outbound.close(error.close_code, error.reason))

    def fault(self, address: bytes, error: CollabError, *, edit: bool) -> None:
        """What a session sent can't be taken; `edit`: a status is due for it."""
        if isinstance(error, Malformed):
            self._close(error)
            return
        if edit:
            self._say(address, protocol.REFUSED)
        self.refuse(address, error)

    def review(self, address: bytes) -> None:
        """The storage refused something, or the file may be written by others now: look what the person may do."""
        session = self._sessions.get(address)
        if isinstance(session, Editing):
            self.rooms.reviews.soon(session)

    # --- what those say who look at rights

    def seats(self) -> list[Editing]:
        """The sessions that are in rooms."""
        return [] if self._over else self._editing()

    def decide(self, session: Editing, role: Role) -> None:
        """What the person may do there from now on; who is there is told."""
        peer, stat = session.peer, session.host.stat
        session.looks += 1
        if self._over or self._sessions.get(peer.address) is not session or role is peer.role:
            return
        log.info("%s may do other things with %s now: %s", session.grant.person.id, stat.id, role.word)
        self.rooms.audit("rights", session.grant.person, stat, self._caller.address, role.word)
        self._allow(session, role)

    def dismiss(self, session: Editing, error: CollabError) -> None:
        """The person may not even see the document any more."""
        if not self._over and self._sessions.get(session.peer.address) is session:
            self.refuse(session.peer.address, error)

    def _allow(self, session: Editing, role: Role, *, anyway: bool = False) -> None:
        """The role is this one, and the client is told when that changes something, or anyway."""
        peer = session.peer
        wrote = peer.writes
        why = "" if role >= Role.EDITOR else peer.why
        if wrote and role < Role.EDITOR:
            why = "taken" if session.host.stat.writable else "file"
        session.host.allow(peer, role, why)
        if self._dialect.addressed and (anyway or peer.writes is not wrote):
            self._say(peer.address, protocol.authenticated(_scope(peer)))

    def keep_alive(self) -> None:
        """Browsers do not see WebSocket pings: something has to come at least every 20 s."""
        if self.spoke or self.lagging:
            self.spoke = False
            return
        # Also for who is refused and held: a client that hears nothing gives the socket up and comes again.
        for address in self._sessions:
            self._outbound.write(self.rooms.frame(address + protocol.KEEP_ALIVE))
            break

    # --- sessions

    def _editing(self) -> list[Editing]:
        return [session for session in self._sessions.values() if isinstance(session, Editing)]

    def _say(self, address: bytes, message: bytes) -> None:
        self.write(self.rooms.frame(address + message))

    def _edit(self, address: bytes, session: Editing, kind: Kind, payload: bytes) -> None:
        if session.held is not None:
            session.held.append((kind, payload))
            return
        try:
            session.host.receive(session.peer, kind, payload)
        except Malformed:
            raise
        except CollabError as error:
            self.fault(address, error, edit=kind in _EDITS and self._dialect.statuses)

    def _other(self, address: bytes, session: Session | None, message: Message) -> None:
        kind, payload = message
        if kind is Kind.CLOSE:
            # At once, also of a session that only arrives: a page that detaches and attaches again goes on with a new one.
            self._end(address)
            if isinstance(session, Arriving) and self._unwelcome():
                self._expect()
        elif kind is Kind.TOKEN:
            self._token(address, session, payload.decode())
        elif isinstance(session, Editing):
            if kind is Kind.STATELESS and payload.startswith(b"collab:hello"):
                session.host.greet(session.peer)
        elif isinstance(session, Arriving):
            session.waiting.add(message)
            self._check_waiting()
        elif session is None and address:
            self._arrive(address).waiting.add(message)
            self._check_waiting()
            if self._caller.grant is not None:
                # Providers 2 send no token when they have none: the socket's own sign-in counts.
                self._sign_in(address, self._caller.grant, None)

    def _check_waiting(self) -> None:
        """The bounds on what waits are those of the socket, whatever the number of its documents."""
        waiting = [session.waiting for session in self._sessions.values() if isinstance(session, Arriving)]
        if len(waiting) > 1:
            check_queue(sum(each.size for each in waiting), sum(len(each.queue) for each in waiting), self.rooms.limits)

    def _arrive(self, address: bytes) -> Arriving:
        if self._patience is not None:
            self._patience.cancel()
        if len(self._sessions) >= self.rooms.limits.documents:
            raise TooMany(f"More than {self.rooms.limits.documents} documents on one socket.")
        session = Arriving(Joining(self.rooms.limits), self._loop.call_later(self.rooms.limits.joining, self._late, address))
        self._sessions[address] = session
        return session

    def _late(self, address: bytes) -> None:
        if isinstance(self._sessions.get(address), Arriving):
            self.refuse(address, TimedOut("No sign-in in time."))
            if self._dialect.addressed and self._unwelcome():
                self._nobody()

    def _unwelcome(self) -> bool:
        return all(isinstance(session, Leaving) for session in self._sessions.values())

    def _expect(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self._loop.call_later(self.rooms.limits.joining, self._nobody)

    def _nobody(self) -> None:
        self._outbound.close(TimedOut.close_code, "timeout: nobody signed in to a document")

    def _too_slow(self) -> None:
        self.rooms.metrics.refused(TooSlow.reason)
        self._outbound.close(TooSlow.close_code, "too-slow: what was sent is not read")

    def _token(self, address: bytes, session: Session | None, token: str) -> None:
        grant, refused = self._identified(token)
        if isinstance(session, Editing):
            self._renew(address, session, grant, refused)
            return
        if session is None or isinstance(session, Leaving):
            self._sessions.pop(address, None)
            self._arrive(address)
        self._sign_in(address, grant, refused)

    def _identified(self, token: str) -> tuple[Grant | None, CollabError | None]:
        """Who sends the token, or why it does not count."""
        word, _, person = token.partition(":")
        grant = self._caller.grant
        if grant is not None and word in {"", _COOKIE}:
            if person and not same(person, grant.person.id):
                # The browser signed in as somebody else meanwhile: what the page still has to send is not that person's.
                return None, Forbidden("Somebody else is signed in now.")
            return grant, None
        try:
            return self.rooms.authorise(token), None
        except CollabError as error:
            return None, error

    def _sign_in(self, address: bytes, grant: Grant | None, refused: CollabError | None) -> None:
        session = self._sessions[address]
        if grant is None:
            self.refuse(address, refused or Unauthorized("Sign in, or give a token."))
        elif isinstance(session, Arriving) and session.task is None:
            self._outbound.limit = self.rooms.limits.frame
            session.task = self.rooms.spawn(self._join(address, session, grant))

    async def _join(self, address: bytes, session: Arriving, grant: Grant) -> None:
        try:
            person = await self.rooms.people.met(grant.person) if grant.role >= Role.EDITOR else grant.person
            if self.rooms.stopping:
                return  # as with everything that comes now; the socket is closed in a moment
            with asked_by(grant.id):
                host, role = await self.rooms.enter(protocol.document_name(address) if address else self._document, grant)
            if self._sessions.get(address) is session:
                peer = Peer(self.rooms.next_id(), person, role, self._dialect, address, color_of(person.id), grant.id)
                self._enter(session, Editing(host, peer, grant, self))
        except CollabError as error:
            if self._sessions.get(address) is session and not self.rooms.stopping:
                self.refuse(address, error)
        except Exception:
            log.exception("a document could not be opened")
            if self._sessions.get(address) is session:
                self.refuse(address, Unavailable("The document can't be opened just now."))

    def _enter(self, session: Arriving, editing: Editing) -> None:
        host, peer, grant = editing.host, editing.peer, editing.grant
        address = peer.address
        session.timer.cancel()
        self._sessions[address] = editing
        self._watch_expiry(address, editing)
        host.enter(peer, self)
        if self._dialect.addressed:
            self._say(address, protocol.authenticated(_scope(peer)))
        self.rooms.audit("open", grant.person, host.stat, self._caller.address, peer.role.word)
        if len(session.waiting.queue) > self._turn.messages:
            self._rest()
        for message in session.waiting.queue:
            if self._sessions.get(address) is not editing:
                return
            if self.lagging or self._resting is not None:
                self._backlog.append((address, message))
            else:
                self._replay(address, message)
        if self.lagging:
            host.stall(peer)

    def _replay(self, address: bytes, message: Message) -> None:
        try:
            self._take(address, message)
        except CollabError as error:
            # Outside the door's call: the socket is closed here.
            self._close(error)

    def _close(self, error: CollabError) -> None:
        self.rooms.metrics.refused(error.reason)
        self._over = True
        self._outbound.close(error.close_code, f"{error.reason}: {error.detail}")

    def _watch_expiry(self, address: bytes, session: Editing) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
        if session.grant.expires is not None:
            left = max(0.0, session.grant.expires - self.rooms.now())
            session.expiry = self._loop.call_later(min(left, 86_400.0), self._expired, address, session)

    def _expired(self, address: bytes, session: Editing) -> None:
        if self._sessions.get(address) is not session:
            return
        if session.grant.live(self.rooms.now()):
            self._watch_expiry(address, session)
        elif self._dialect.addressed:
            self._say(address, protocol.TOKEN_REQUEST)
            session.expiry = self._loop.call_later(RENEWAL, self._not_renewed, address, session)
        else:
            self._not_renewed(address, session)

    def _not_renewed(self, address: bytes, session: Editing) -> None:
        if self._sessions.get(address) is session:
            self.refuse(address, Unauthorized("Your sign-in is over; sign in again."))

    def _renew(self, address: bytes, session: Editing, grant: Grant | None, refused: CollabError | None) -> None:
        """A token in a session that edits: it takes the place of the one before."""
        stat = session.host.stat
        if grant is None:
            self.refuse(address, refused or Unauthorized("Sign in again."))
        elif not grant.live(self.rooms.now()):
            self.refuse(address, Unauthorized("Your sign-in is over; sign in again."))
        elif grant.person.id != session.grant.person.id or not grant.covers(stat.id, stat.path):
            self.refuse(address, Forbidden("The new token is somebody else's or for another document."))
        else:
            session.grant = replace(grant)
            session.host.known(session.peer, grant.id)
            self._watch_expiry(address, session)
            if session.held is None:
                # It counts from the next message on.
                session.held = []
                self.pause()
                self.rooms.spawn(self._renewed(address, session))

    async def _renewed(self, address: bytes, session: Editing) -> None:
        """What the new token allows."""
        refused: CollabError | None = None
        role, asked, looks = session.peer.role, None, 0
        try:
            # Whoever looked meanwhile may know something newer.
            while asked is not session.grant or looks != session.looks:
                asked, looks = session.grant, session.looks
                role = await self.rooms.rights.role(asked, session.host.stat)
        except (Forbidden, Unauthorized) as error:
            refused = error
        except CollabError as error:
            # The next look will know; the one before may have said something meanwhile.
            role = session.peer.role
            log.warning("%s: what a new token allows is not known yet: %s", session.host.stat.id, error.detail)
        finally:
            held, session.held = session.held or [], None
            self.resume()
        if self._over or self._sessions.get(address) is not session:
            return
        if refused is not None:
            self.refuse(address, refused)
            return
        self._allow(session, role, anyway=True)
        self._backlog.extendleft((address, message) for message in reversed(held))
        if self._backlog and not self.lagging and self._resting is None:
            self.pause()
            self._rested()

    def _end(self, address: bytes) -> None:
        session = self._sessions.pop(address, None)
        if isinstance(session, Editing):
            if session.expiry is not None:
                session.expiry.cancel()
            session.host.leave(session.peer)
        elif isinstance(session, Arriving):
            session.timer.cancel()


def _scope(peer: Peer) -> str:
    """As providers are told it."""
    return "read-write" if peer.writes else "readonly"
