"""Rooms on adapters in memory, and guests who speak both dialects to them, byte by byte."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

from pycrdt import merge_updates
from sim.virtual import at_once
from test_document import Replica

from collab import protocol
from collab.access import Grant, Person, Role
from collab.archive.memory import MemoryArchive
from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.dialects import HOCUSPOCUS, YWEBSOCKET, Dialect
from collab.errors import CollabError, Unauthorized
from collab.journal.memory import MemoryJournal
from collab.runtime.bin import Trash
from collab.runtime.connection import Caller, Connection
from collab.runtime.documents import Documents
from collab.runtime.folders import Tree
from collab.runtime.metrics import Metrics
from collab.runtime.rights import GrantRights
from collab.runtime.rooms import Rooms, Surroundings
from collab.runtime.saver import Timing
from collab.session import Limits
from collab.storage.memory import MemoryFiles
from collab.storage.memory_bin import MemoryBin, MemoryFolders
from collab.storage.memory_claims import MemoryClaims

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Placement, Stat
    from collab.runtime.host import Host
    from collab.storage.memory_locks import MemoryRoomLocks

PATH = "notes.md"
KEEP_ALIVE = b"\x01\x01\x00"
TOKEN_REQUEST = b"\x02\x00"


async def passing(seconds: float) -> None:
    """So much virtual time, of which nobody has to wait any."""
    await asyncio.sleep(seconds)


async def soon() -> None:
    """What is ready happens; no time passes."""
    for _ in range(30):
        await asyncio.sleep(0)


def person(name: str) -> Person:
    return Person(name.lower(), name)


class Told(GrantRights):
    """Rights that change while people are in a room: what is told of somebody counts, else the grant does."""

    def __init__(self) -> None:
        self.now: dict[str, Role | CollabError] = {}
        """By person."""
        self.asked: list[tuple[str, str]] = []
        """Person and path of each question."""
        self.before: Callable[[], Awaitable[None]] | None = None
        """Awaited with each question."""

    async def role(self, grant: Grant, stat: Stat) -> Role:
        self.asked.append((grant.person.name, stat.path))
        if self.before is not None:
            await self.before()
        said = self.now.get(grant.person.name)
        if isinstance(said, CollabError):
            raise said
        allowed = await super().role(grant, stat)
        return allowed if said is None else min(allowed, said)


class Socket:
    """The door's end of a connection: an `Outbound` that keeps what is written."""

    def __init__(self, stage: Stage, dialect: Dialect, caller: Caller, document: str = "") -> None:
        self.limit = 0
        self.writes: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.closed_at: float | None = None
        self.reading = True
        self.stuck = False
        """The other end does not read."""
        self.room: int | None = None
        """Bytes that fit; what comes then is not read."""
        self.heard: Callable[[], None] | None = None
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self.connection = Connection(stage.rooms, self, dialect, caller, document)

    def write(self, data: bytes) -> None:
        if self.closed is None:
            self.writes.append(data)
            if self.room is not None and len(data) > self.room and not self.stuck:
                self.stall()
            if self.heard is not None:
                self._loop.call_soon(self.heard)

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed, self.closed_at = (code, reason), self._loop.time()
            self._loop.call_soon(lambda: self.connection.lost(code))

    def pause(self) -> None:
        assert self.reading
        self.reading = False

    def resume(self) -> None:
        assert not self.reading
        self.reading = True

    def buffered(self) -> int:
        return 0

    def send(self, data: bytes) -> None:
        """One frame comes in, as the door gives it on."""
        if self.closed is not None:
            return
        try:
            self.connection.receive(data)
        except CollabError as error:
            self.close(error.close_code, f"{error.reason}: {error.detail}")

    def open(self) -> bool:
        return self.closed is None

    def code(self) -> int | None:
        """With which code it was closed."""
        return self.closed[0] if self.closed else None

    def reads(self) -> bool:
        return self.reading

    def frames(self) -> list[bytes]:
        """All messages that were written."""
        found = []
        for data in self.writes:
            reader = Reader(data)
            while not reader.done:
                found.append(reader.var_bytes())
        return found

    def take(self) -> list[bytes]:
        """The messages since the last call."""
        found = self.frames()[self._taken :]
        self._taken += len(found)
        return found

    def stall(self) -> None:
        """The other end does not read any more."""
        self.stuck = True
        self.connection.stalled()

    def drain(self) -> None:
        """It reads again."""
        self.stuck = False
        self.connection.drained()
        if self.heard is not None:
            self.heard()

    def vanish(self) -> None:
        """The network is gone."""
        if self.closed is None:
            self.closed = (1006, "")
            self.connection.lost(1006)


class Guest:
    """A peer with a document of its own, on a socket that it may share."""

    def __init__(self, socket: Socket, dialect: Dialect, path: str, client: int) -> None:
        self.socket = socket
        self.dialect = dialect
        self.address = protocol.address(path) if dialect.addressed else b""
        self.replica = Replica(client=client)
        self.said: list[bytes] = []
        """Every message that came for it, without the address."""
        self.statuses: list[int] = []
        self.states: list[dict[str, object]] = []
        self.notices: list[dict[str, object]] = []
        self.denied: list[str] = []
        self.scope: str | None = None
        self.synced = False
        self.updates: list[bytes] = []
        """Updates, as they came."""
        self.pending = b""
        """Words that it has heard of and that build on what it has not: Yjs says them with all that it has, pycrdt does not."""
        before = socket.heard

        def heard() -> None:
            if before is not None:
                before()
            self.hear()

        self._at = 0
        socket.heard = heard

    @property
    def text(self) -> str:
        return str(self.replica.text)

    def file(self) -> object:
        """What the page was told last about the file."""
        return self.states[-1]["file"]

    def send(self, message: bytes) -> None:
        self.socket.send(self.address + message)

    def sign_in(self, token: str) -> None:
        self.send(b"\x02\x00" + var_string(token))

    def step1(self) -> None:
        self.send(protocol.step1(self.replica.doc.get_state()))

    def type(self, text: str, at: int = 0) -> bytes:
        """Insert something (at an UTF-8 offset) and send the update."""
        update = self.replica.insert(at, text)
        self.send(protocol.update(update))
        return update

    def append(self, text: str) -> bytes:
        return self.type(text, len(self.replica.text))

    def erase(self, start: int, stop: int) -> bytes:
        update = self.replica.erase(start, stop)
        self.send(protocol.update(update))
        return update

    def show(self, state: str = "{}", clock: int = 1) -> None:
        """Say who is here."""
        client = self.replica.doc.client_id
        self.send(protocol.awareness(var_uint(1) + var_uint(client) + var_uint(clock) + var_string(state)))

    def greet(self) -> None:
        """Be a page of ours."""
        self.send(protocol.stateless('collab:hello {"version": "1"}'))

    def leave(self) -> None:
        self.socket.vanish()

    def hear(self) -> None:
        if self.socket.stuck:
            return
        frames = self.socket.frames()
        new, self._at = frames[self._at :], len(frames)
        for data in new:
            if data.startswith(self.address):
                self._hear(data[len(self.address) :])

    def _hear(self, message: bytes) -> None:
        self.said.append(message)
        reader = Reader(message)
        match reader.var_uint():
            case 0:
                self._sync(reader)
            case 2 if len(message) > 2:
                (self._scoped if reader.var_uint() == 2 else self.denied.append)(reader.var_string())
            case 5:
                self._told(reader.var_string())
            case 8:
                self.statuses.append(reader.var_uint())

    def _told(self, payload: str) -> None:
        name, _, facts = payload.partition(" ")
        (self.states if name == "collab:state" else self.notices).append(json.loads(facts))

    def _scoped(self, scope: str) -> None:
        self.scope = scope

    def _sync(self, reader: Reader) -> None:
        step, payload = reader.var_uint(), reader.var_bytes()
        if step == 0:
            had = self.replica.doc.get_update(payload)
            self.send(protocol.step2(merge_updates(had, self.pending) if self.pending else had))
            return
        self.replica.doc.apply_update(payload)
        if step == 1:
            self.synced = True
        else:
            self.updates.append(payload)


class Stage:
    """One server without its web, on a storage and a journal that survive it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.journal = MemoryJournal(self._step)
        self.files = MemoryFiles(step=self._step)
        self.archive = MemoryArchive()
        self.metrics = Metrics()
        self.beats = 0
        """How often something began for which the loop is looked at."""
        self.forgetful = False
        """The journal's medium may lose its memory."""
        self.grants: dict[str, Grant] = {}
        """Tokens that open something."""
        self.audited: list[tuple[str, ...]] = []
        self.now: Callable[[], float] | None = None
        """The clock on the wall, when it is not the loop's."""
        self.steps: list[str] = []
        """What storage and journal did."""
        self.before: Callable[[str], Awaitable[None]] | None = None
        """Awaited with each step of storage and journal."""
        self.beside: Callable[[], Awaitable[None]] | None = None
        """Awaited before what a thread does."""
        self.memory = 2**40
        """Bytes that open documents may take."""
        self.rights = Told()
        self.locks: MemoryRoomLocks | None = None
        """The storage's own locks, if it has any."""
        self.placement: Placement | None = None
        """Where documents live, when there are more nodes."""
        self.timing = Timing()
        self._clients = 100
        self._random = random.Random(1)
        self._running = False

    async def _thread(self, work: Callable[[], Any]) -> object:
        """In the place of a thread, which takes its time if the test says so."""
        if self.beside is not None:
            await self.beside()
        return await at_once(work)

    def _beat(self) -> None:
        self.beats += 1

    async def _step(self, word: str) -> None:
        self.steps.append(word)
        if self.before is not None:
            await self.before(word)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.rooms = Rooms(
            Surroundings(
                files=self.files,
                journal=self.journal,
                bases=self.archive.bases,
                versions=self.archive.versions,
                authors=self.archive.authors,
                metrics=self.metrics,
                authorise=self._authorise,
                frame=var_bytes,
                thread=self._thread,
                aside=at_once,
                memory=self.memory,
                clock=loop.time,
                now=self.now or loop.time,
                random=self._random.randbytes,
                audit=self._audit,
                limits=self.limits,
                placement=self.placement,
                forgetful=self.forgetful,
                rights=self.rights,
                locks=self.locks,
                beat=self._beat,
                timing=self.timing,
            )
        )
        self.files.recognise = self.rooms.recognise
        self.documents = Documents(self.rooms, self.files, self.archive.versions)
        self.tree = Tree(self.rooms, MemoryFolders(self.files))
        claims = MemoryClaims(self.files, clock=self.now or loop.time)
        self.trash = Trash(self.rooms, self.documents, MemoryBin(self.files), self.journal, self.archive.bases, claims=claims, days=30)
        self._running = True
        await self.trash.mend()
        await self.rooms.start()

    async def stop(self) -> None:
        if self._running:
            self._running = False
            await self.rooms.stop()

    async def end(self) -> None:
        self.journal.refuse(None)
        self.before = None
        await self.stop()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def crash(self) -> None:
        """The power goes, and comes back."""
        rooms, dead = self.rooms, self.journal
        self.journal = dead.crash()
        dead.append = lambda *_: asyncio.get_running_loop().create_future()  # type: ignore[method-assign]
        self.files = self.files.crash()
        self.archive = self.archive.crash()
        if rooms._beat is not None:
            rooms._beat.cancel()
        rooms.reviews.stop()
        for entry in tuple(rooms._open.values()):
            entry.host.closed = True
            if entry.idle is not None:
                entry.idle.cancel()
        tasks = tuple(rooms._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.start()

    def _authorise(self, token: str) -> Grant:
        grant = self.grants.get(token)
        if grant is None or not grant.live(asyncio.get_running_loop().time()):
            raise Unauthorized("The token is not valid.")
        return grant

    def _audit(self, verb: str, whose: Person, stat: Stat, address: str, detail: str) -> None:
        self.audited.append((verb, whose.name, stat.path, address, detail))

    def token(self, name: str, role: Role = Role.EDITOR, document: str | None = None, expires: float | None = None) -> str:
        """A new token for somebody."""
        token = f"{name} {len(self.grants)}"
        self.grants[token] = Grant(person(name), role, document, expires)
        return token

    def socket(self, dialect: Dialect = HOCUSPOCUS, path: str = PATH, grant: Grant | None = None, **caller: object) -> Socket:
        """A socket that nobody has said anything on."""
        who = Caller("192.0.2.1", grant, **caller)  # type: ignore[arg-type]
        return Socket(self, dialect, who, "" if dialect.addressed else path)

    def on(self, socket: Socket, dialect: Dialect = HOCUSPOCUS, path: str = PATH) -> Guest:
        """A guest on a socket, who has not said anything yet."""
        self._clients += 1
        return Guest(socket, dialect, path, self._clients)

    async def guest(
        self, name: str = "Ann", dialect: Dialect = HOCUSPOCUS, *, path: str = PATH, role: Role = Role.EDITOR, expires: float | None = None
    ) -> Guest:
        """Somebody who is in the room and has what it has."""
        if dialect.addressed:
            guest = self.on(self.socket(), dialect, path)
            guest.sign_in(self.token(name, role, expires=expires))
        else:
            guest = self.on(self.socket(dialect, path, Grant(person(name), role, expires=expires), key=name), dialect, path)
        guest.step1()
        await soon()
        assert guest.synced, (guest.denied, guest.socket.closed)
        return guest

    async def page(self, name: str = "Ann", **given: object) -> Guest:
        """Somebody at a page of ours."""
        guest = await self.guest(name, **given)  # type: ignore[arg-type]
        guest.greet()
        await soon()
        return guest

    def host(self, path: str = PATH) -> Host:
        """The open room."""
        (host,) = [host for host in self.rooms.hosts if host.stat.path == path]
        return host

    def file(self, path: str = PATH) -> str:
        return self.files.peek(path).decode()


__all__ = [
    "HOCUSPOCUS",
    "KEEP_ALIVE",
    "PATH",
    "TOKEN_REQUEST",
    "YWEBSOCKET",
    "Guest",
    "Role",
    "Socket",
    "Stage",
    "passing",
    "person",
    "soon",
]
