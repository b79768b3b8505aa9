"""Rooms are opened once, by the first who comes, and let go when nobody is there and the file holds everything."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import ref

from collab.document import Document, new_lineage
from collab.errors import CollabError, Draining, Fenced, Locked, NotFound, TooLarge, Unavailable, Unreachable
from collab.formats import bodies
from collab.ledger import Ledger, deletions, history, reaches
from collab.merge import nearness
from collab.opening import begun, opened
from collab.ports import Kind, Record
from collab.room import Room
from collab.runtime.acting import caller, working_on
from collab.runtime.aside import LARGE
from collab.runtime.backlog import Backlog
from collab.runtime.chronicle import Chronicle
from collab.runtime.credits import Credits
from collab.runtime.elsewhere import Elsewhere, Tenure, Tenures
from collab.runtime.guests import Guests
from collab.runtime.host import AROUND, Host
from collab.runtime.keeping import Keeping
from collab.runtime.locking import Locking
from collab.runtime.merging import Merger
from collab.runtime.meter import Turn
from collab.runtime.people import People
from collab.runtime.refusals import Refusals
from collab.runtime.rights import GrantRights, Reviews
from collab.runtime.saver import Saver, Timing
from collab.runtime.tick import Tick
from collab.session import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence

    from collab.access import Grant, Person, Role
    from collab.document import Image
    from collab.opening import Begun, Opened
    from collab.ports import Authors, Bases, Content, Files, Journal, Log, Placement, Refillable, Rights, RoomLocks, Stat, Versions
    from collab.runtime.connection import Connection
    from collab.runtime.elsewhere import Hosting, Neighbours
    from collab.runtime.metrics import Metrics
    from collab.runtime.rights import Seat
    from collab.shares import Picture

log = logging.getLogger("collab.runtime")

NEAR = 0.5
"""The share of a text that has to be kept for a file that comes back to be the same document."""
RECOVERY = (0.0, 3.0, 10.0, 30.0, 60.0)
"""Seconds between tries to open a document whose file lags behind after a crash."""
LAST_SAVE = 30.0
"""Seconds that a room's last save may take."""
PATIENCE = 5.0
"""Seconds that the tasks of closed rooms get to end."""
ARRIVAL = 15.0
"""Seconds in which a document that moves has to be somewhere."""
LONG = 0.25
"""Seconds after which what somebody may do is asked once more, when another node was asked meanwhile for the room."""
AGAIN = 0.2
"""Seconds until somebody looks where it is, once more."""
ROOM = 28 * 1024
"""Bytes of memory that an open room takes beside its document."""
GROWN = 4
"""Bytes of memory for one of a document's state; one of them is what the last was given who had nothing."""
ASKERS = 8
"""So many of those who wrote without being in the room are remembered."""
SLICE = 200
"""Connections, or rooms, that are looked at in one turn of the event loop."""
BEAT = 9.0
"""Seconds between looks for connections that were sent nothing; browsers' clients want something every 20 s."""


def _nothing() -> None:
    """Nobody listens."""


def _nobody(_document: str) -> None:
    """Nobody reads along."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rooms need from outside. `clock` is monotonic seconds, `now` UTC seconds since the epoch."""

    files: Files
    journal: Journal
    bases: Bases
    versions: Versions
    authors: Authors
    metrics: Metrics
    authorise: Callable[[str], Grant]
    frame: Callable[[bytes], bytes]
    clock: Callable[[], float]
    now: Callable[[], float]
    random: Callable[[int], bytes]
    audit: Callable[[str, Person, Stat, str, str], None]
    thread: Callable[[Callable[[], Any]], Awaitable[Any]] = asyncio.to_thread
    """Does long work beside the event loop."""
    aside: Callable[..., Awaitable[Any]] = asyncio.to_thread
    """Does work of the CRDT library beside it: a function of a module, and what it takes."""
    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=Timing)
    idle: float = 30.0
    """Seconds that a room nobody uses stays open."""
    beat: Callable[[], None] = _nothing
    """Called when work begins."""
    memory: int = 512 * 2**20
    """Bytes that open documents may take, as far as nobody has them open."""
    refusal: float = 5.0
    """Seconds that a refused socket is held the first time."""
    weakness: Callable[[], str | None] = lambda: None
    """Why what the journal has acknowledged may be gone after a crash, in words, or None."""
    placement: Placement | None = None
    """Where documents live, when there are several nodes."""
    forgetful: bool = False
    """The journal's medium may lose its memory: what rests is in the archive, too."""
    locks: RoomLocks | None = None
    """The storage's own locks; None: it has none."""
    rights: Rights = field(default_factory=GrantRights)
    """Who may do what."""
    review: float = 30.0
    """Seconds between looks at the rights of people who are in rooms."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class _Open:
    """An open room: the host, its saver, and when it is to go. They know it weakly, so that a room that goes takes its document with it at once."""

    host: Host
    saver: Saver
    chronicle: Chronicle
    credits: Credits
    locking: Locking
    tenure: Tenure | None = None
    idle: asyncio.TimerHandle | None = None
    rest: asyncio.Task[None] | None = None
    """The save for which somebody waits, or waited."""
    seen: int = 0
    """The edits that the saver was told of."""
    state: int = 0
    """Bytes of its state when it was opened."""
    askers: dict[str, None] = field(default_factory=dict)
    """The sessions of those who wrote without being here, the last ones."""

    @property
    def size(self) -> int:
        """About the bytes of memory that it takes."""
        return ROOM + GROWN * (self.state + self.host.logged)


class Rooms:
    """The open rooms of this process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self.files = surroundings.files
        self.limits = surroundings.limits
        self.metrics = surroundings.metrics
        self.authorise = surroundings.authorise
        self.frame = surroundings.frame
        self.now = surroundings.now
        self.audit = surroundings.audit
        self.people = People(surroundings.authors, surroundings.clock)
        self.turn = Turn()
        self.tick = Tick()
        self.refusals = Refusals(surroundings.clock, surroundings.refusal)
        self.guests = Guests(self.live, surroundings.clock, surroundings.random)
        self.backlog = Backlog(
            surroundings.journal,
            surroundings.bases,
            surroundings.versions,
            thread=surroundings.thread,
            spawn=self.spawn,
            back=self._archive_back,
        )
        self.tenures = Tenures(surroundings.placement)
        self.neighbours: Neighbours | None = None
        """The other nodes, when there are any."""
        self.renamed: Callable[[Stat, Stat], Coroutine[object, object, None]] | None = None
        """Does what follows when a document of a room was renamed outside: what it was and what it is."""
        self.connections: dict[Connection, None] = {}
        self.readers: Callable[[], Iterable[Seat]] = tuple
        """Gives those who read along without being in a room."""
        self.edited: Callable[[str], None] = _nobody
        """Told of a document in whose room something was edited, in the turn in which it was."""
        self.rights = surroundings.rights
        self.reviews = Reviews(
            surroundings.rights,
            self.seats,
            spawn=self.spawn,
            routine=partial(self.spawn, routine=True),
            interval=surroundings.review,
        )
        self._open: dict[str, _Open] = {}
        self._opening: dict[str, asyncio.Future[Host]] = {}
        self._closing: dict[str, asyncio.Event] = {}
        self._keeping: Keeping[_Open] = Keeping(surroundings.memory)
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._recoveries: list[asyncio.Task[None]] = []
        self._peers = 0
        self.stopping = False
        """From now on nothing is taken from peers: what they send is theirs to send again."""
        self._beat: asyncio.TimerHandle | None = None

    # --- tasks

    def spawn(self, work: Coroutine[object, object, None], *, routine: bool = False) -> asyncio.Task[None]:
        """A task of the rooms; what it raises is logged and counted. A `routine` comes by the clock: for it nobody has to look at the loop."""
        if not routine:
            self._around.beat()
        task = asyncio.get_running_loop().create_task(self._watched(work))
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        # A task that is cancelled before its first step never comes to its work.
        task.add_done_callback(lambda _: work.close())
        return task

    def _follow(self, before: Stat, now: Stat) -> None:
        if self.renamed is not None:
            self.spawn(self.renamed(before, now))

    def _spawn_on(self, document: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """A task of one room."""
        with working_on(document):
            return self.spawn(work)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]

    async def _watched(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except CollabError as error:
            log.warning("%s: %s", error.reason, error.detail)
        except Exception:
            log.exception("a task failed")
            self.metrics.failed("task")

    def next_id(self) -> int:
        """A number for a new peer."""
        self._peers += 1
        return self._peers

    # --- life

    async def start(self) -> None:
        """Save what the journal has and the files have not, without waiting for anybody to come."""
        self._beat = asyncio.get_running_loop().call_later(BEAT, self._tick)
        self.reviews.start()
        placement = self._around.placement
        if placement is not None:
            self._recoveries += [self.spawn(self._lose(placement)), self.spawn(self._inherit(placement))]
        for document in await self._around.journal.unsaved():
            self._recoveries.append(self.spawn(self._recover(document)))

    async def _lose(self, placement: Placement) -> None:
        """Rooms that live elsewhere by now are closed here, with all that is not acknowledged."""
        while True:
            try:
                async for document in placement.lost():
                    self.tenures.lose(document)
                    self.spawn(self._close_lost(document))
            except CollabError as error:
                log.warning("nobody tells which documents are lost: %s", error.detail)
            await asyncio.sleep(1.0)

    async def _close_lost(self, document: str) -> None:
        opening = self._opening.get(document)
        entry = self._open.get(document)
        if opening is not None:
            # It was claimed before it was lost: nothing of it may be served.
            await asyncio.wait([opening])
            entry = self._open.get(document)
        if entry is not None and not self.tenures.holds(entry.tenure):
            entry.host.moved()

    async def _inherit(self, placement: Placement) -> None:
        """What nodes that are gone have not saved, is saved by whoever comes first."""
        while True:
            try:
                async for documents in placement.orphaned():
                    self.spawn(self.recover(sorted(documents)))
            except CollabError as error:
                log.warning("nobody tells which nodes are gone: %s", error.detail)
            await asyncio.sleep(1.0)

    async def recover(self, documents: Sequence[str]) -> None:
        """Save what the journal has of these and their files have not, as far as they can live here, and wait a little for it."""
        if not documents:
            return
        behind = set(await self._around.journal.unsaved()) & set(documents)
        tasks = [self.spawn(self._recover(document)) for document in sorted(behind)]
        self._recoveries = [task for task in self._recoveries if not task.done()] + tasks
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def _recover(self, document: str) -> None:
        for wait in RECOVERY:
            await asyncio.sleep(wait)
            try:
                await self.open(document)
            except Elsewhere:
                return  # it is saved there
            except (NotFound, Unavailable) as error:
                # A rename is believed after a while, a storage may come back.
                reason = error.detail
            else:
                return
        log.warning("%s has edits that its file does not hold; they stay in the journal: %s", document, reason)

    async def stop(self) -> None:
        """Everything is stored: a last save of each room, then all is let go. Raises nothing."""
        self.stopping = True
        if self._beat is not None:
            self._beat.cancel()
        self.reviews.stop()
        self.refusals.release_all()
        for recovery in self._recoveries:
            recovery.cancel()
        if self._opening:
            await asyncio.wait(self._opening.values(), timeout=PATIENCE)
        await asyncio.gather(*(self._let_go(entry, force=True) for entry in tuple(self._open.values())))
        self.backlog.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        if tasks:
            # They notice by themselves that their rooms are gone; what waits for a medium that does not answer is given up.
            await asyncio.wait(tasks, timeout=PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _tick(self) -> None:
        self.guests.tick()
        self._look(iter((*(each.keep_alive for each in self.connections), *(entry.host.tick for entry in self._open.values()))))
        self._beat = asyncio.get_running_loop().call_later(BEAT, self._tick)

    def _look(self, looks: Iterator[Callable[[], None]]) -> None:
        """Some of them now, the others in the next turns of the loop."""
        look = None
        for look in islice(looks, SLICE):
            look()
        if look is not None and not self.stopping:
            asyncio.get_running_loop().call_soon(self._look, looks)

    # --- other writers

    def _archive_back(self) -> None:
        """What others wrote may have waited for the archive."""
        for entry in self._open.values():
            entry.saver.notice()

    def noticed(self, document: str) -> None:
        """The file may be another one now, or somewhere else, or gone."""
        entry = self._open.get(document)
        if entry is not None:
            entry.saver.notice()

    async def put(self, document: str, body: bytes, digest: str | None, by: Person) -> bool:
        """Merge what somebody wrote (see `Saver.put`); whether the live text is more than that."""
        by = await self.people.met(by)
        entry = await self._entry(document)
        more = await entry.saver.put(body, digest, by)
        if not entry.host.members:
            entry.saver.hurry()
        return more

    async def offer(self, document: str, body: bytes, by: Person) -> str:
        """Merge what somebody wrote who can't say what it had read (see `Saver.offer`)."""
        by = await self.people.met(by)
        entry = await self._entry(document)
        path = await entry.saver.offer(body, by)
        if not entry.host.members:
            entry.saver.hurry()
        return path

    async def revise(self, document: str, body: bytes, by: Person) -> None:
        """Merge what an office suite put (see `Saver.revise`)."""
        by = await self.people.met(by)
        entry = await self._entry(document)
        await entry.saver.revise(body, by)
        if not entry.host.members:
            entry.saver.hurry()

    async def unlocked(self, document: str) -> None:
        """An office suite is done with the document: whoever locks it next has read what it is given from now on."""
        host = await self.open(document)
        if host.ledger.office.put is not None or host.ledger.office.given:
            await host.unlocked()

    async def restore(self, document: str, body: bytes, by: Person, over: int | None) -> tuple[str, int]:
        """Make the text this body (see `Saver.restore`): the SHA-256 of what was there, and the number of the restoration."""
        by = await self.people.met(by)
        entry = await self._entry(document)
        restored = await entry.saver.restore(body, by, over)
        if not entry.host.members:
            entry.saver.hurry()
        return restored

    async def body_of(self, document: str, digest: str) -> bytes | None:
        """The body of a text that somebody may have read, None when it can't be made anew. NotText, TooLarge: it is no text."""
        return await (await self._entry(document, writes=False)).saver.body_of(digest)

    async def authors(self, document: str) -> Picture:
        """Who wrote the live text. NotText, TooLarge: it is none; Unavailable."""
        entry = await self._entry(document, writes=False)
        return await entry.credits.picture(entry.host, self._around.journal, self.now())

    async def put_back(self, document: str) -> Stat:
        """Write the file of an open room again, which is gone. NotFound when no room is open; Exists."""
        entry = self._open.get(document)
        if entry is None:
            raise NotFound("The document is not open any more.")
        await entry.saver.put_back()
        return entry.host.stat

    async def _entry(self, document: str, *, writes: bool = True) -> _Open:
        """The room of a document. Locked when it is to be written, and cannot be just now."""
        while True:
            host = await self.open(document)
            entry = self._open.get(document)
            if entry is not None and entry.host is host:
                break
        if not writes:
            return entry
        if host.barred is not None:
            raise Locked(f"{host.barred.words}.")
        if caller():
            entry.askers.pop(caller(), None)
            entry.askers[caller()] = None
            if len(entry.askers) > ASKERS:
                del entry.askers[next(iter(entry.askers))]
        return entry

    # --- rooms

    @property
    def hosts(self) -> list[Host]:
        """The open rooms."""
        return [entry.host for entry in self._open.values()]

    def present(self, document: str) -> list[tuple[str, bool]]:
        """The sessions (`Grant.id`) of people in a document's room, or who wrote in it, and whether each may write."""
        entry = self._open.get(document)
        if entry is None:
            return []
        here = [(peer.session, peer.writes) for peer in entry.host.members if peer.session]
        return [*here, *((asker, True) for asker in entry.askers)]

    def seats(self) -> list[Seat]:
        """Everybody of this node's sockets and streams whose rights count."""
        return [*(seat for connection in self.connections for seat in connection.seats()), *self.readers()]

    def review_session(self, session: str) -> None:
        """Look now at what everybody may do who came with this session (`Grant.id`)."""
        for seat in self.seats():
            if session and seat.grant.id == session:
                self.reviews.soon(seat)

    def live(self, document: str) -> Host | None:
        """The room of a document if it is open."""
        entry = self._open.get(document)
        return entry.host if entry else None

    def open_one(self, name: str) -> Stat | None:
        """What is known of a document that is open, by its id or path, whatever became of its file."""
        return next((host.stat for host in self.hosts if name in {host.id, host.stat.path}), None)

    def below(self, path: str) -> list[Host]:
        """The open rooms of documents in a folder or deeper."""
        return [host for host in self.hosts if host.stat.path.startswith(path + "/")]

    def relocate(self, path: str, to: str) -> None:
        """A folder was moved: documents in it are told their new path, also those that are being opened."""
        for host in self.below(path):
            host.relocate(path, to)
        for opening in self._opening.values():
            opening.add_done_callback(partial(_relocate, path=path, to=to))

    async def refill(self, document: str, journal: Refillable) -> bool:
        """The journal's medium has forgotten a document: write what is here into its new log, False when it is not open here. Unavailable, Fenced."""
        entry = self._open.get(document)
        if entry is None:
            return False
        await entry.host.refill(journal)
        entry.saver.hurry()
        return True

    async def flush(self, documents: Iterable[str]) -> None:
        """Save open rooms that are ahead of their files, or wait a while for it. What cannot be saved stays in the journal; raises nothing."""
        ahead = [entry for entry in map(self._open.get, documents) if entry is not None and entry.host.file.word != "saved"]
        for entry in ahead:
            if entry.rest is None or entry.rest.done():
                entry.rest = self._spawn_on(entry.host.id, self._save_rest(entry))
        # Whoever does not wait any more leaves a save its end: what it is about to write would count as written.
        saving = [entry.rest for entry in ahead if entry.rest is not None]
        if saving:
            await asyncio.wait(saving, timeout=LAST_SAVE)

    async def _save_rest(self, entry: _Open) -> None:
        await entry.host.settled()
        if not entry.host.closed:
            await entry.saver.save_rest()

    async def enter(self, name: str, grant: Grant) -> tuple[Hosting, Role]:
        """The room of a document, wherever it lives, for somebody who may see it, and what may be done there. NotFound, Forbidden, Unauthorized,
        NotText, TooLarge, Unavailable.
        """
        if len(name.encode()) > self.limits.name:
            raise TooLarge(f"The document's name is over {self.limits.name} bytes.")
        stat = await self._find(name)
        role = await self.rights.role(grant, stat)
        if stat.folder:
            raise NotFound("This is a folder; open a file in it.")
        loop = asyncio.get_running_loop()
        asked = loop.time()
        end, there = asked + ARRIVAL, stat.id in self._open
        while True:
            try:
                host = await self._wherever(stat.id)
            except (Fenced, Unreachable):
                # Its node is gone, or has just lost it: soon it lives somewhere.
                if loop.time() > end:
                    raise
                await asyncio.sleep(AGAIN)
                continue
            here = self.live(stat.id) is host
            if there or loop.time() > end or not (here or loop.time() > asked + LONG):
                return host, role
            # To open it takes a while, on another node as well, and who is not there yet is looked at by nobody: it may have been taken back.
            with suppress(Unavailable):
                role = await self.rights.role(grant, host.stat)
            if not here or self.live(stat.id) is host:
                return host, role

    async def _wherever(self, document: str) -> Hosting:
        try:
            return await self.open(document)
        except Elsewhere as there:
            if self.neighbours is None:
                raise
            try:
                return await self.neighbours.enter(there.place, document)
            except Draining as error:
                # In a moment it lives on another one.
                raise Unreachable(error.detail) from error

    async def _find(self, name: str) -> Stat:
        """What the name stands for; a document whose file was deleted outside lives on in its open room, where it can be put back."""
        try:
            return await self.files.stat(name)
        except NotFound:
            stat = self.open_one(name)
            if stat is None and self.neighbours is not None:
                stat = await self.neighbours.find(name)
            if stat is None:
                raise
            return stat

    async def open(self, document: str) -> Host:
        """The room of a document that lives here, by its id. A failed load opens nothing. Elsewhere."""
        while True:
            if self.stopping:
                raise Draining("The server stops; come back in a moment.")
            entry = self._open.get(document)
            if entry is not None:
                self._settled(entry)
                return entry.host
            closing = self._closing.get(document)
            if closing is not None:
                await closing.wait()
                continue
            opening = self._opening.get(document)
            if opening is None:
                opening = asyncio.get_running_loop().create_future()
                self._opening[document] = opening
                self.spawn(self._load(document, opening))
            host = await asyncio.shield(opening)
            if not host.closing.is_set():
                return host

    async def _load(self, document: str, opening: asyncio.Future[Host]) -> None:
        try:
            entry = await self._make(document)
        except CollabError as error:
            opening.set_exception(error)
        except Exception as error:
            log.exception("%s could not be loaded", document)
            self.metrics.failed("load")
            opening.set_exception(Unavailable(f"The document can't be loaded: {type(error).__name__}."))
        else:
            self._open[document] = entry
            self._count()
            if self._around.locks is not None:
                self._spawn_on(document, entry.locking.run())
            opening.set_result(entry.host)
            self._settled(entry)
            self.guests.opened(document)
        finally:
            del self._opening[document]
            if not opening.done():
                opening.cancel()
            elif not opening.cancelled():
                # Those who waited may be gone; then nobody looks at the error.
                opening.exception()

    async def _make(self, document: str) -> _Open:
        tenure = await self.tenures.take(document)
        try:
            entry = await self._make_locked(document, 0 if tenure is None else tenure.fence)
        except BaseException:
            await self.tenures.give(tenure)
            raise
        entry.tenure = tenure
        return entry

    async def _make_locked(self, document: str, fence: int) -> _Open:
        """Under the storage's lock, which is taken before anything is read."""
        around = self._around
        locking = Locking(document, self.files, around.locks, fence, now=around.now)
        await locking.begin()
        try:
            return await self._make_here(document, locking)
        except BaseException:
            await locking.give()
            raise

    async def _make_here(self, document: str, locking: Locking) -> _Open:
        around = self._around
        content = await self.files.read(document, limit=bodies.most(self.limits))
        known = await around.journal.load(document)
        if known.checkpoint is None and not known.records:
            room, ledger = await self._seed(content)
        else:
            made, ledger, gone = await self._opened(known)
            room = Room(made, ledger.owners, self.limits)
            room.deletions = gone
        entry = self._assemble(content.stat, room, ledger, locking)
        entry.host.origin = max(known.position, ledger.edited)
        entry.host.logged = _size(known) - len(known.checkpoint or b"")
        entry.state = len(known.checkpoint or content.body)
        await entry.chronicle.begun(known, ledger.position, content)
        await entry.saver.begin(content)
        if ledger.ahead or ledger.base.merges:
            entry.saver.touch()
        return entry

    async def _seed(self, content: Content) -> tuple[Room, Ledger]:
        """A document that the journal does not know: its history begins, durable before anybody sees it."""
        body, media, lineage = content.body, content.stat.type, new_lineage(self._around.random)
        if len(body) < LARGE:
            read = bodies.read_first(body, media, self.limits)
            document = Document.seed(read, lineage)
            document.endings = read.endings
            form, state, digest = read.form, document.encode(), sha256(body).hexdigest()
        else:
            made: Begun = await self._around.aside(begun, body, media, self.limits, lineage)
            document, form, state, digest = await developed(made.image), made.form, made.state, made.digest
        ledger = Ledger(form=form)
        meta = {
            "hash": digest,
            "form": form.to_json(),
            "endings": list(document.endings),
            "modified": content.stat.modified,
        }
        record = Record(Kind.SEED, state, meta)
        ledger.take(await self._around.journal.append(content.stat.id, record), record)
        return Room(document, ledger.owners, self.limits), ledger

    async def _opened(self, known: Log) -> tuple[Document, Ledger, int]:
        """A document that the journal knows, and how many of its edits took something out that the file still has."""
        if _size(known) < LARGE:
            ledger = Ledger.of(known)
            return Document.retrace(history(known)), ledger, deletions(known, ledger.base)
        made: Opened = await self._around.aside(opened, known)
        return await developed(made.image), made.ledger, made.deletions

    async def _retraced(self, known: Log) -> Document:
        return (await self._opened(known))[0]

    async def recognise(self, document: str, body: bytes) -> bool:
        """Whether a file that came back under the name of a deleted document is that document: its text is near the last one known, or near
        the one that the file held: people may have written a lot since.
        """
        known = await self._around.journal.load(document)
        base = Ledger.of(known).base
        try:
            last = Document.replay(history(known))
            read = bodies.read(body, last.format, self.limits)
            texts = [last, *([Document.replay(history(known, base))] if reaches(known, base) else [])]
        except CollabError:
            return False
        return any(nearness(each.looks().words, read.looks.words) >= NEAR for each in texts)

    def _assemble(self, stat: Stat, room: Room, ledger: Ledger, locking: Locking) -> _Open:
        around = self._around

        def tell(act: Callable[[_Open], None]) -> None:
            entry = there()
            if entry is not None:
                act(entry)

        def changed() -> None:
            entry = there()
            if entry is not None:
                self._edited(entry)

        spawn = partial(self._spawn_on, stat.id)
        credit = Credits(stat.id, around.authors, around.thread)
        chronicle = Chronicle(
            stat.id, around.bases, around.versions, around.authors, credit=credit, backlog=self.backlog, metrics=self.metrics
        )
        host = Host(
            stat,
            room,
            ledger,
            around.journal,
            retrace=self._retraced,
            thread=around.thread,
            frame=around.frame,
            clock=around.clock,
            metrics=around.metrics,
            spawn=spawn,
            tick=self.tick,
            changed=changed,
            lost=lambda: tell(self._drop),
            missed=lambda: tell(_notice),
            weakness=around.weakness,
        )
        merger = Merger(
            host,
            around.files,
            around.journal,
            around.bases,
            chronicle,
            limits=self.limits,
            now=around.now,
            touch=lambda: tell(self._merged),
            thread=around.thread,
            aside=around.aside,
            metrics=around.metrics,
        )
        saver = Saver(
            host,
            around.files,
            around.journal,
            merger=merger,
            chronicle=chronicle,
            limits=self.limits,
            timing=around.timing,
            clock=around.clock,
            now=around.now,
            metrics=around.metrics,
            spawn=spawn,
            settled=lambda: tell(self._settled),
            renamed=self._follow,
            audit=lambda event, person, stat, address: around.audit(event, person, stat, address, ""),
            denied=lambda error: tell(partial(_denied, error=error)),
            secure=locking.secure,
            writing=partial(self.tenures.writing, stat.id),
        )
        locking.keep(host, saver)
        made = _Open(host, saver, chronicle, credit, locking)
        there = ref(made)
        return made

    def _edited(self, entry: _Open) -> None:
        host = entry.host
        if host.edits != entry.seen:
            entry.seen = host.edits
            entry.saver.touch()
            self.edited(host.id)
        if not host.members:
            entry.saver.hurry()
            self._settled(entry)

    def _merged(self, entry: _Open) -> None:
        entry.saver.touch()
        self.edited(entry.host.id)

    def _settled(self, entry: _Open) -> None:
        """Look whether a room is idle: it stays a while, then goes."""
        if entry.idle is not None:
            entry.idle.cancel()
            entry.idle = None
        if self._open.get(entry.host.id) is not entry:
            return
        self._keeping.note(entry, entry.size)
        if entry.host.members or entry.host.closed:
            self._keeping.wake(entry)
        else:
            self._keeping.rest(entry)
            entry.idle = asyncio.get_running_loop().call_later(self._around.idle, self._idle, entry)
        for each in self._keeping.over():
            if each.host.members:
                self._keeping.wake(each)
            elif not each.saver.dirty and each is not entry:
                self._keeping.forget(each)
                self.spawn(self._let_go(each))
        self._count()

    def _count(self) -> None:
        self.metrics.rooms, self.metrics.memory = len(self._open), self._keeping.bytes

    def _idle(self, entry: _Open) -> None:
        entry.idle = None
        if entry.host.members or entry.host.closed:
            return
        if entry.saver.dirty:
            self._settled(entry)
        else:
            self.spawn(self._let_go(entry))

    async def _let_go(self, entry: _Open, *, force: bool = False) -> None:
        host = entry.host
        if host.closed or self._open.get(host.id) is not entry:
            return
        if not force and (host.members or entry.saver.dirty):
            # Somebody came, or put something, since it was told to go.
            self._settled(entry)
            return
        gone = self._closing[host.id] = asyncio.Event()
        del self._open[host.id]
        self._keeping.forget(entry)
        try:
            host.closing.set()
            if force:
                await self._finish(entry)
            if self._around.forgetful:
                await entry.saver.rest()
            host.closed = True
            await entry.locking.give()
            await self.tenures.give(entry.tenure)
        finally:
            if entry.idle is not None:
                entry.idle.cancel()
            del self._closing[host.id]
            gone.set()
            self._count()

    async def _finish(self, entry: _Open) -> None:
        """A last save. A journal or storage that does not answer is not waited for: what is durable is saved at the next start."""
        try:
            async with asyncio.timeout(LAST_SAVE):
                await self._save_rest(entry)
        except (TimeoutError, CollabError):
            log.warning("%s could not be saved at the end; its journal has what was acknowledged", entry.host.id)

    async def remove(self, document: str, error: CollabError) -> None:
        """The document goes: everybody leaves with a reason, and nothing is saved any more. The journal keeps what it has."""
        opening = self._opening.get(document)
        if opening is not None:
            await asyncio.wait([opening])
        entry = self._open.get(document)
        if entry is not None:
            self._drop(entry)
            entry.host.dismiss(error)
            await entry.host.settled()

    def _drop(self, entry: _Open) -> None:
        """Nobody is given this room any more, and it saves nothing."""
        entry.host.closed = True
        entry.host.closing.set()
        if entry.idle is not None:
            entry.idle.cancel()
            entry.idle = None
        if self._open.get(entry.host.id) is entry:
            del self._open[entry.host.id]
            self._keeping.forget(entry)
        self._count()
        tenure, entry.tenure = entry.tenure, None
        if tenure is not None or self._around.locks is not None:
            self.spawn(self._give(entry.locking, tenure))

    async def _give(self, locking: Locking, tenure: Tenure | None) -> None:
        await locking.give()
        await self.tenures.give(tenure)


async def developed(image: Image) -> Document:
    """The document of an image; the event loop goes on in between. Poisoned."""
    steps = Document.developed(image)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Document = end.value
            return made
        await asyncio.sleep(0)


def _size(known: Log) -> int:
    """Bytes of a log, with what each record costs beside its body."""
    return len(known.checkpoint or b"") + sum(len(record.body) + AROUND for _, record in known.records)


def _notice(entry: _Open) -> None:
    entry.saver.notice()


def _denied(entry: _Open, *, error: CollabError) -> None:
    """The storage refuses the room's save: the lock is lost, be it unnoticed, or what people may do is another thing now."""
    if isinstance(error, Locked | Unavailable):
        entry.locking.hurry()
    elif entry.host.members:
        entry.saver.notice()
        entry.host.review()


def _relocate(opening: asyncio.Future[Host], *, path: str, to: str) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().relocate(path, to)
