"""The only place that chooses adapters and wires them: settings in, a server out."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware

from collab.access import Person
from collab.archive.store import Archive
from collab.cluster.fixed import FixedPlacement
from collab.cluster.link import Exchange
from collab.cluster.nodes import Nodes
from collab.cluster.passing import Passage, Passing
from collab.cluster.shared import Shared
from collab.cluster.workers import Supervisor
from collab.errors import CollabError, Conflict, Denied, Unavailable
from collab.frames import frame
from collab.journal.sqlite import Seat as JournalSeat
from collab.journal.sqlite import SqliteJournal
from collab.redis.server import Server as Redis
from collab.runtime.aside import Aside
from collab.runtime.audit import Audit
from collab.runtime.bin import Trash
from collab.runtime.documents import Documents
from collab.runtime.folders import Tree
from collab.runtime.garbage import Garbage
from collab.runtime.history import History
from collab.runtime.metrics import Metrics
from collab.runtime.noticing import Noticing
from collab.runtime.pulse import Pulse
from collab.runtime.rights import GrantRights
from collab.runtime.rooms import Rooms, Surroundings
from collab.runtime.saver import Timing
from collab.runtime.search import Search, Turns
from collab.runtime.upkeep import upkeep_loop
from collab.session import Limits
from collab.settings import Misconfigured, origin_of
from collab.state import directory as state
from collab.state.database import Database
from collab.state.secrets import Logins, signing_key
from collab.state.shelf import Shelf
from collab.state.tables import STATE
from collab.state.turn import Turn
from collab.storage.claims import Noted
from collab.storage.fences import Fences
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.local_claims import LocalClaims
from collab.storage.local_folders import LocalFolders
from collab.storage.local_watch import LocalWatch
from collab.storage.names import Names
from collab.web import server
from collab.web.admission import Admission, names_of
from collab.web.api import Api
from collab.web.authors import AuthorsDoor
from collab.web.bin import BinApi
from collab.web.conflicts import ConflictsDoor
from collab.web.content import Content
from collab.web.door import Door
from collab.web.door import Limits as DoorLimits
from collab.web.embedding import Embedding
from collab.web.gate import Gate
from collab.web.health import Health
from collab.web.history import HistoryDoor
from collab.web.iop import InteropDoor
from collab.web.office import OfficeDoor
from collab.web.pages import Pages
from collab.web.problems import handlers
from collab.web.rooms import RoomDoor
from collab.web.search import SearchDoor
from collab.web.sessions import Sessions, Spent
from collab.web.shelf import ShelfDoor
from collab.web.uploads import Uploads
from collab.web.wopi import First, WopiDoor
from collab.web.wopi_containers import ContainersDoor
from collab.wopi.addresses import Addresses
from collab.wopi.claiming import Claiming
from collab.wopi.containers import Containers
from collab.wopi.host import Surroundings as OfficeSurroundings
from collab.wopi.host import WopiHost
from collab.wopi.info import Product
from collab.wopi.iop import Interop
from collab.wopi.launch import Launcher
from collab.wopi.live import Live
from collab.wopi.proof import Proofs
from collab.wopi.recent import RecentLocks, RecentStates
from collab.wopi.rejected import Rejected
from collab.wopi.suites import Suites
from collab.wopi.templates import Templates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence

    from starlette.routing import Route

    from collab.access import Grant
    from collab.cluster.workers import Life
    from collab.gateway.calls import Gateway
    from collab.ports import (
        Authors,
        Bases,
        Bin,
        Claims,
        CloudSessions,
        Files,
        Folders,
        Journal,
        Locks,
        OfficeStates,
        Placement,
        Rejections,
        Resources,
        Rights,
        RoomLocks,
        UserInfos,
        Versions,
        Watch,
    )
    from collab.settings import Settings
    from collab.state.directory import Directory
    from collab.web.sessions import OneTime

CLIENT = Path(__file__).parent / "web" / "client"
"""Where the built web client is."""

_RUNNING = "server.json"


class Offer(Protocol):
    """Applications that somebody else's pages offer."""

    @property
    def trouble(self) -> str | None:
        """Why they are not offered, in words, or None."""

    async def run(self) -> None:
        """Until cancelled."""


def _no_offer(launcher: Launcher, address: Callable[[], str]) -> Offer | None:
    del launcher, address
    return None


def _no_loops(rooms: Rooms) -> Sequence[Callable[[], Coroutine[object, object, None]]]:
    del rooms
    return ()


@dataclass(frozen=True, slots=True)
class Adapters:
    """What the server stands on. `now` gives UTC seconds since the epoch, `clock` monotonic seconds, `random` that many bytes."""

    files: Files
    folders: Folders
    claims: Claims
    bin: Bin
    journal: Journal
    bases: Bases
    versions: Versions
    authors: Authors
    locks: Locks
    rejections: Rejections
    office: OfficeStates
    infos: UserInfos
    secret: bytes
    one_time: OneTime
    spent: Spent
    shelf: Shelf
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    random: Callable[[int], bytes] = os.urandom
    client: Path = CLIENT
    room_locks: RoomLocks | None = None
    """The storage's own locks; None: it has none."""
    room_files: Files | None = None
    """As rooms see the files: they act for whoever has a document open, not for who asks; None: it is the same."""
    rights: Rights = field(default_factory=GrantRights)
    """Who may do what with a document."""
    own_bin: bool = False
    """The storage empties its bin by itself."""
    loops: Callable[[Rooms], Sequence[Callable[[], Coroutine[object, object, None]]]] = _no_loops
    """What runs beside the rooms for what this server stands on."""
    offer: Callable[[Launcher, Callable[[], str]], Offer | None] = _no_offer
    """Our applications in the cloud whose files are served; told how office suites are opened, and our address for people."""
    archive_trouble: Callable[[], str | None] = lambda: None
    """Why the archive takes nothing just now, in words, or None."""
    watch: Watch | None = None
    """Tells what others change; None: nobody does."""
    placement: Placement | None = None
    """Where rooms live, when there are several nodes."""
    trouble: Callable[[], str | None] | None = None
    """Why nothing can be stored just now, in words, or None; by default what the journal says."""
    weakness: Callable[[], str | None] = lambda: None
    """Why what the journal has acknowledged may be gone after a crash, in words, or None."""
    forgetful: bool = False
    """The journal's medium may lose its memory."""
    start: Callable[[], Awaitable[None]] | None = None
    """Connects, before the first request."""
    exchange: Exchange | None = None
    """Wires to the other nodes, when there are any; with `placement`."""
    address: str = ""
    """Where wires of the others come in."""
    caretaker: bool = True
    """This node looks after what nobody asks for: what has waited its time in the bin, what the archive need not keep."""
    mends: bool = True
    """Nobody else works on the files when this node begins."""
    hasten: Callable[[], None] = lambda: None
    """Told that the server stops, before the rooms are stored: from now on nobody is waited for long."""
    close: Callable[[], Awaitable[None]] | None = None
    """Lets go of files and journal, when the last request is answered."""


@dataclass(frozen=True, slots=True)
class App:
    """A server that only lacks a socket."""

    web: Starlette
    door: Door
    rooms: Rooms
    admission: Admission
    health: Health
    metrics: Metrics
    rejected: Rejected
    suites: Suites
    garbage: Garbage
    begin: Beginning
    nodes: Nodes | None = None

    async def stop(self) -> None:
        """Everything is stored; whoever comes from other nodes goes elsewhere."""
        self.begin.adapters.hasten()
        await self.rooms.stop()
        if self.nodes is not None:
            await self.nodes.close()


def build(settings: Settings, adapters: Adapters) -> App:
    """Wire everything; the rooms start with the application's lifespan, and end before it (`App.rooms.stop`)."""
    if adapters.placement is None:
        # Nobody else changes what is in the archive.
        adapters = replace(adapters, locks=RecentLocks(adapters.locks, adapters.now), office=RecentStates(adapters.office))
    metrics = Metrics(journal_pending=lambda: int(getattr(adapters.journal, "pending_bytes", 0)))
    garbage, aside = Garbage(), Aside()
    pulse = Pulse(metrics, rest=garbage.rest)
    audit = Audit(adapters.now)
    sessions = Sessions(
        adapters.secret,
        adapters.one_time,
        adapters.spent,
        owner=Person("owner", _operator(os.environ)),
        length=settings.session_length,
        now=adapters.now,
        random=adapters.random,
    )
    admission = _admission(settings, adapters, sessions)
    rooms = _rooms(settings, adapters, metrics, authorise=admission.authorise, audit=audit, beat=pulse.beat, aside=aside)
    metrics.tasks = lambda: len(asyncio.all_tasks())
    metrics.connections = lambda: len(rooms.connections)
    metrics.archive_behind = lambda: len(rooms.backlog)
    health = Health(metrics, adapters.trouble or (lambda: adapters.journal.trouble), adapters.archive_trouble, adapters.weakness)
    suites = _suites(settings, adapters, metrics, health)
    documents = Documents(rooms, adapters.files, adapters.versions)
    trash = Trash(
        rooms,
        documents,
        adapters.bin,
        adapters.journal,
        adapters.bases,
        claims=adapters.claims,
        days=None if adapters.own_bin else settings.bin_days,
    )
    api = Api(
        documents=documents,
        rights=adapters.rights,
        sessions=sessions,
        admission=admission,
        shelf=adapters.shelf,
        claims=adapters.claims,
        audit=audit,
        templates=Templates(settings.templates, settings.upload_limit),
        prefix=settings.prefix,
        limit_text=settings.limit_text,
        limit_name=settings.limit_name,
    )
    rejected = Rejected(rooms, adapters.files, trash, rejections=adapters.rejections, locks=adapters.locks, authors=adapters.authors)
    tree = Tree(rooms, adapters.folders)
    claiming = Claiming(adapters.claims, adapters.locks, adapters.now)
    pages = Pages(adapters.client, settings.prefix, adapters.random, settings.frame_ancestors, suites.origins)
    office = WopiDoor(
        _office(settings, adapters, admission, documents, rooms=rooms, trash=trash, rejected=rejected, suites=suites, claiming=claiming),
        _proofs(settings, adapters, admission, suites),
        audit,
        metrics,
        settings.upload_limit,
    )
    containers = ContainersDoor(office, Containers(office.host, documents, adapters.folders, tree, trash))
    sweeps = [claiming.sweep_loop] if adapters.caretaker else []
    noticing = [] if adapters.watch is None else [Noticing(adapters.watch, adapters.claims, rooms, metrics).run]
    nodes, passage = _neighbours(adapters, rooms, metrics)
    launcher = _launcher(settings, adapters, admission, suites)
    offer = adapters.offer(launcher, lambda: base_address(settings, admission.port)) if adapters.caretaker else None
    health.offer = lambda: None if offer is None else offer.trouble
    begin = Beginning(rooms, trash, adapters)
    app = App(
        web=Starlette(
            routes=[
                # What is asked for most comes first: routes are looked through in their order.
                *office.routes(),
                *health.routes(),
                *api.routes(),
                *BinApi(api, trash, tree).routes(),
                *ConflictsDoor(api, rejected).routes(),
                *_more(settings, adapters, rooms, api),
                *pages.routes(),
                *Embedding(pages, api, admission, metrics.refused).routes(),
                *OfficeDoor(api, launcher, adapters.claims).routes(),
                *_interop(settings, adapters, api, suites, rejected).routes(),
                *containers.routes(),
            ],
            middleware=[
                Middleware(Gate, admission=admission, prefix=settings.prefix, metrics=metrics, beat=pulse.beat),
                *([] if passage is None else [Middleware(Passing, passage=passage)]),
                Middleware(First, door=office),
            ],
            exception_handlers=handlers(metrics),
            lifespan=_lifespan(
                begin,
                adapters,
                [*noticing, suites.watch_loop, *sweeps, *adapters.loops(rooms), *([] if offer is None else [offer.run])],
                [pulse.stop, aside.close, suites.close, garbage.end],
            ),
        ),
        door=_door(settings, RoomDoor(rooms, admission, settings.prefix), metrics),
        rooms=rooms,
        admission=admission,
        health=health,
        metrics=metrics,
        rejected=rejected,
        suites=suites,
        garbage=garbage,
        begin=begin,
        nodes=nodes,
    )
    if passage is not None:
        passage.app, passage.office = app.web, containers.document_of
    return app


def _rooms(  # noqa: PLR0913 - the surroundings
    settings: Settings,
    adapters: Adapters,
    metrics: Metrics,
    *,
    authorise: Callable[[str], Grant],
    audit: Audit,
    beat: Callable[[], None],
    aside: Aside,
) -> Rooms:
    """The rooms, and what they stand on."""
    return Rooms(
        Surroundings(
            files=adapters.room_files or adapters.files,
            journal=adapters.journal,
            bases=adapters.bases,
            versions=adapters.versions,
            authors=adapters.authors,
            metrics=metrics,
            authorise=authorise,
            frame=frame,
            clock=adapters.clock,
            now=adapters.now,
            random=adapters.random,
            audit=audit,
            limits=_limits(settings),
            timing=Timing(debounce=settings.save_delay, latest=settings.save_at_most),
            idle=settings.room_idle,
            memory=settings.room_memory,
            weakness=adapters.weakness,
            placement=adapters.placement,
            forgetful=adapters.forgetful,
            locks=adapters.room_locks,
            rights=adapters.rights,
            review=settings.rights_interval,
            beat=beat,
            aside=aside.run,
        ),
    )


def _door(settings: Settings, room: RoomDoor, metrics: Metrics) -> Door:
    """Where connections come in."""
    return Door(
        open=room.open,
        limits=DoorLimits(
            first_message_bytes=settings.limit_frame_before,
            header_seconds=settings.header_timeout,
            connections=settings.limit_connections,
            trusted=settings.trusted_proxies,
        ),
        prefix=settings.prefix.encode(),
        refused=metrics.refused,
    )


def _admission(settings: Settings, adapters: Adapters, sessions: Sessions) -> Admission:
    """Who may come in."""
    return Admission(
        hosts=names_of(settings.host, (settings.public_url, settings.wopi_url), settings.allowed_hosts),
        public_origin=origin_of(urlsplit(settings.public_url)) if settings.public_url else "",
        origins=frozenset(settings.allowed_origins),
        proxies=settings.trusted_proxies,
        port=settings.port,
        secret=adapters.secret,
        read_session=sessions.read,
        now=adapters.now,
        frames=settings.frame_ancestors,
    )


def _suites(settings: Settings, adapters: Adapters, metrics: Metrics, health: Health) -> Suites:
    """The office suites of the settings, and how they are."""
    secure = settings.public_url.startswith("https:")
    suites = Suites(settings.wopi_discovery, settings.wopi_suite_hosts, secure=secure, clock=adapters.clock)
    metrics.offices = lambda: {office.name: office.healthy for office in suites.offices}
    health.offices = lambda: [office.name for office in suites.offices if not office.healthy]
    return suites


def _addresses(settings: Settings, admission: Admission) -> Callable[[], Addresses]:
    """Where we are, for people and for office suites; the port is known when the server listens."""

    def addresses() -> Addresses:
        public = base_address(settings, admission.port)
        return Addresses(settings.wopi_url or public, public)

    return addresses


def _proofs(settings: Settings, adapters: Adapters, admission: Admission, suites: Suites) -> Proofs:
    """What looks at the signatures of office suites."""
    addresses = _addresses(settings, admission)
    return Proofs(suites, lambda: addresses().base, adapters.now, required=settings.wopi_proof == "required")


def _launcher(settings: Settings, adapters: Adapters, admission: Admission, suites: Suites) -> Launcher:
    """How documents are opened in office suites."""
    return Launcher(suites, _addresses(settings, admission), adapters.secret, now=adapters.now, length=settings.wopi_token_length)


def _interop(settings: Settings, adapters: Adapters, api: Api, suites: Suites, rejected: Rejected) -> InteropDoor:
    """What a Reva asks."""
    interop = Interop(
        documents=api.documents,
        suites=suites,
        locks=adapters.locks,
        addresses=_addresses(settings, api.admission),
        secret=adapters.secret,
        now=adapters.now,
        length=settings.wopi_token_length,
    )
    return InteropDoor(interop, rejected, api.audit, "" if settings.iop_secret is None else settings.iop_secret.get_secret_value())


def _office(  # noqa: PLR0913 - the surroundings
    settings: Settings,
    adapters: Adapters,
    admission: Admission,
    documents: Documents,
    *,
    rooms: Rooms,
    trash: Trash,
    rejected: Rejected,
    suites: Suites,
    claiming: Claiming,
) -> WopiHost:
    """What office suites reach."""
    return WopiHost(
        OfficeSurroundings(
            documents=documents,
            rights=adapters.rights,
            trash=trash,
            live=Live(documents, rooms),
            locks=adapters.locks,
            claiming=claiming,
            states=adapters.office,
            infos=adapters.infos,
            authors=adapters.authors,
            addresses=_addresses(settings, admission),
            keep=rejected.keep,
            product=lambda name: Product(suites.product(name) or "unknown"),
            secret=adapters.secret,
            now=adapters.now,
            over=adapters.spent.__contains__,
            containers=settings.wopi_containers,
        )
    )


def _neighbours(adapters: Adapters, rooms: Rooms, metrics: Metrics) -> tuple[Nodes | None, Passage | None]:
    """The other nodes, and the way of requests to them."""
    if adapters.exchange is None or adapters.placement is None:
        return None, None
    nodes = Nodes(adapters.exchange, adapters.placement, rooms)
    passage = Passage(adapters.exchange, rooms, adapters.files)
    nodes.pass_in = passage.serve
    metrics.relayed, metrics.guests = lambda: nodes.relayed, lambda: nodes.guests
    return nodes, passage


def _more(settings: Settings, adapters: Adapters, rooms: Rooms, api: Api) -> list[Route]:
    """What the interface can do beside documents one by one: searches, shelves, bytes, history."""
    search = partial(Search, rooms, adapters.files, api.documents)
    return [
        *SearchDoor(api, Turns(), search).routes(),
        *ShelfDoor(api, adapters.now).routes(),
        *Uploads(api, settings.upload_limit).routes(),
        *Content(api).routes(),
        *AuthorsDoor(api, rooms, adapters.authors).routes(),
        *HistoryDoor(api, History(api.documents, adapters.versions, adapters.authors)).routes(),
    ]


def _limits(settings: Settings) -> Limits:
    return Limits(
        text=settings.limit_text,
        notebook=settings.limit_notebook,
        frame=settings.limit_frame,
        frame_before=settings.limit_frame_before,
        awareness=settings.limit_awareness,
        name=settings.limit_name,
        queue=settings.limit_queue_bytes,
        queue_messages=settings.limit_queue_messages,
        documents=settings.limit_queue_documents,
        rate_messages=settings.rate_messages,
        rate_bytes=settings.rate_bytes,
        joining=settings.sign_in_timeout,
    )


@dataclass(slots=True)
class Beginning:
    """What comes before the first request, once. A server awaits it before its application's lifespan, which would tell errors as tracebacks."""

    rooms: Rooms
    trash: Trash
    adapters: Adapters
    begun: bool = False

    async def __call__(self) -> None:
        """CollabError: it can't be, and nothing is held."""
        if self.begun:
            return
        self.begun = True
        try:
            await self._begin()
        except CollabError:
            if self.adapters.close is not None:
                await self.adapters.close()
            raise

    async def _begin(self) -> None:
        adapters = self.adapters
        if adapters.exchange is not None:
            try:
                await adapters.exchange.listen(adapters.address)
            except OSError as error:
                raise Unavailable(
                    f"cannot listen for the other nodes on {adapters.address}: {error.strerror}; see COLLAB_NODE_ADDRESS"
                ) from error
        if adapters.start is not None:
            await adapters.start()
        if adapters.mends:
            await self.trash.mend()
        await self.rooms.start()


def _lifespan(
    begin: Beginning,
    adapters: Adapters,
    loops: Iterable[Callable[[], Coroutine[object, object, None]]],
    ends: Iterable[Callable[[], None]],
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await begin()
        work: list[Coroutine[object, object, None]] = [loop() for loop in loops]
        if adapters.caretaker:
            work += [begin.trash.sweep_loop(), upkeep_loop(adapters.bases, adapters.versions, adapters.now)]
        tasks = [asyncio.get_running_loop().create_task(loop) for loop in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in ends:
                end()
            if adapters.close is not None:
                await adapters.close()

    return lifespan


def _operator(env: Mapping[str, str]) -> str:
    """What to call the person who starts the server."""
    return env.get("LOGNAME") or env.get("USER") or "Owner"


# --- the embedded server: a local folder, SQLite


def state_of(settings: Settings) -> Path:
    """Where the state directory of the settings is, or will be."""
    if settings.storage == "cs3":
        return settings.state or state.default(Path("/cs3", settings.cs3_gateway, settings.cs3_root.strip("/")), os.environ)
    return settings.state or state.default(settings.root, os.environ)


def root_of(settings: Settings) -> Path:
    """The folder of this machine that the server works in: the root, or for files in a cloud one in the state, where bodies wait on their way."""
    return state_of(settings) / "spool" if settings.storage == "cs3" else settings.root


def prepared(settings: Settings, *, adopt: bool = False) -> Directory:
    """The state directory of the settings; errors of `collab.state.directory.prepare`, `Denied`."""
    if settings.storage == "cs3":
        try:
            state_of(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
            root_of(settings).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Denied(f"{error.strerror}: {root_of(settings)}") from error
    return state.prepare(root_of(settings), state_of(settings), adopt=adopt)


def present(settings: Settings) -> Directory:
    """The state directory of the settings as it is; errors of `collab.state.directory.existing`."""
    return state.existing(root_of(settings), state_of(settings))


def archive_url(settings: Settings, directory: Directory) -> str:
    """Where the archive is: the setting, or in the state."""
    return settings.archive or f"sqlite:///{directory.archive}"


def secret_of(settings: Settings, directory: Directory) -> bytes:
    """What signs: the setting, or the state's own key."""
    return settings.secret.get_secret_value().encode() if settings.secret else signing_key(directory.path)


@dataclass(frozen=True, slots=True)
class Seat:
    """What one of several workers is told."""

    life: Life
    count: int
    port: int
    folder: int
    """The folder of their sockets, opened: a path below it may be too long for a socket."""

    def address(self, index: int) -> str:
        """Where a worker takes wires."""
        return f"unix:/proc/self/fd/{self.folder}/worker-{index}.sock"


def serve(settings: Settings, *, adopt: bool, tell: Callable[[str], None]) -> None:
    """Serve until a signal comes. `tell` is given one address to sign in at, when the server is ready. CollabError, OSError."""
    directory = prepared(settings, adopt=adopt)
    ours: list[str] = []

    def ready(port: int) -> None:
        address = base_address(settings, port)
        ours.append(address)
        _remember(directory, address, port)
        with contextlib.closing(Database(directory.database, STATE)) as database:
            tell(f"{address}/login#{Logins(database).issue(time.time())}")

    with directory.share(settings.node, now=time.time()) if settings.node else directory.hold(now=time.time()) as hold:
        try:
            if settings.workers == 1:
                _run(settings, directory, ready, None, first=hold.first)
            else:
                _supervise(settings, directory, ready)
        finally:
            # Of several nodes another one may have said by now where it is.
            if running_address(directory) in ours:
                (directory.path / _RUNNING).unlink(missing_ok=True)


def _supervise(settings: Settings, directory: Directory, ready: Callable[[int], None]) -> None:
    """A process for each worker; this one starts them, and again when they die. Nothing here may start a thread."""
    secret_of(settings, directory)
    with _reserved(settings) as held, _sockets(directory) as folder:
        port = held.getsockname()[1]

        def work(life: Life) -> None:
            with directory.sit(life.index):
                _run(settings, directory, lambda _: life.ready(), Seat(life, settings.workers, port, folder))

        Supervisor(settings.workers, work, lambda: ready(port)).run()


@contextlib.contextmanager
def _reserved(settings: Settings) -> Iterator[socket.socket]:
    """The port, for all workers and for nobody else. Unavailable."""
    with _listening(settings):
        # Alone first: others of this user who share the port would not be noticed.
        with server.listen(settings.host, settings.port) as alone:
            port = alone.getsockname()[1]
        held = server.listen(settings.host, port, shared=True)
    with held:
        yield held


@contextlib.contextmanager
def _sockets(directory: Directory) -> Iterator[int]:
    folder = directory.path / "workers"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; choose another with --port") from error


def _run(settings: Settings, directory: Directory, ready: Callable[[int], None], seat: Seat | None, *, first: bool = True) -> None:
    """One process that serves; `ready` is told the port. `first`: no other node is there."""
    many = seat is not None or bool(settings.node)
    turn = Turn(directory.path / "state.turn") if many else None
    with contextlib.closing(Database(directory.database, STATE, turn=turn)) as database:
        archive = Archive(archive_url(settings, directory))
        shared = _shared(settings, directory, archive)
        journal = _journal(directory, seat) if shared is None else shared.journal
        fences = Fences(directory.path / "fences", shared.placement.fence) if shared is not None else None
        if settings.storage == "cs3":
            store = _cloud(settings, directory, database, archive.resources, archive.sessions(secret_of(settings, directory)))
        else:
            moving = Turn(directory.path / "files.turn") if many else None
            store = _folder(directory, LocalFiles(directory.root, Names(database), fences=fences, turn=moving))

        async def close() -> None:
            await (journal if shared is None else shared).close()
            await archive.close()
            await store.close()

        app = build(
            settings,
            Adapters(
                files=store.files,
                folders=store.folders,
                claims=store.claims,
                bin=store.bin,
                journal=journal,
                bases=archive.bases,
                versions=archive.versions,
                authors=archive.authors,
                locks=archive.locks,
                rejections=archive.rejections,
                office=archive.office,
                infos=archive.infos,
                rights=_rights(store),
                room_files=store.room_files,
                room_locks=store.room_locks,
                loops=store.loops,
                offer=store.offer,
                archive_trouble=lambda: archive.trouble,
                watch=store.watch,
                own_bin=settings.storage == "cs3",
                secret=secret_of(settings, directory),
                one_time=Logins(database),
                spent=Spent(directory.spent, time.time(), shared=many),
                shelf=Shelf(database),
                client=settings.client or CLIENT,
                close=close,
                **({} if shared is None else _sharing(shared)),
                **(
                    _neighbour(settings, shared, secret_of(settings, directory), first=first)
                    if shared is not None and settings.node
                    else {}
                ),
                **({} if seat is None else _seated(seat, secret_of(settings, directory))),
            ),
        )

        if shared is not None and fences is not None:
            shared.refill = app.rooms.refill
            shared.placement.floor, shared.placement.taken = fences.standing, fences.take
        store.attach(app.rooms)

        def listening(port: int) -> None:
            app.admission.port = port
            ready(port)

        async def begin() -> None:
            # First: it takes a moment, which is nobody's yet.
            app.garbage.begin()
            await app.begin()

        with _listening(settings):
            server.serve(
                app.web,
                app.door,
                host=settings.host,
                port=settings.port if seat is None else seat.port,
                drain_seconds=settings.drain,
                on_begin=begin,
                on_drain=app.health.drain,
                on_stop=app.stop,
                on_ready=listening,
                watch=None if seat is None else seat.life.watch,
            )


@dataclass(frozen=True, slots=True)
class Store:
    """Where the files are. `attach` is told of the rooms, before they start."""

    files: Files
    folders: Folders
    claims: Claims
    bin: Bin
    watch: Watch
    attach: Callable[[Rooms], None]
    close: Callable[[], Awaitable[None]]
    room_files: Files | None = None
    """As rooms see them, which act for whoever has a document open; None: as everybody."""
    room_locks: RoomLocks | None = None
    rights: Rights = field(default_factory=GrantRights)
    loops: Callable[[Rooms], Sequence[Callable[[], Coroutine[object, object, None]]]] = _no_loops
    """What runs beside the rooms."""
    offer: Callable[[Launcher, Callable[[], str]], Offer | None] = _no_offer
    """Our applications there."""


def _folder(directory: Directory, files: LocalFiles) -> Store:
    """A folder of this machine."""

    def attach(rooms: Rooms) -> None:
        files.recognise = rooms.recognise

    return Store(files, LocalFolders(files), LocalClaims(files), LocalBin(files), LocalWatch(directory.root), attach, files.close)


def _cloud(settings: Settings, directory: Directory, database: Database, resources: Resources, kept: CloudSessions) -> Store:
    """A cloud that speaks CS3. Misconfigured: its libraries are not installed."""
    try:
        # Nobody else needs the extra.
        from collab.gateway.calls import Gateway  # noqa: PLC0415
        from collab.gateway.identity import Machine  # noqa: PLC0415
        from collab.gateway.transfers import Transfers  # noqa: PLC0415
        from collab.storage import cs3  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"COLLAB_STORAGE=cs3 needs a library that is not installed ({error.name}): pip install 'collab[cs3]'"
        ) from error
    gateway = Gateway(settings.cs3_gateway, tls=settings.cs3_tls, timeout=settings.cs3_timeout)
    secret = settings.cs3_machine_secret.get_secret_value() if settings.cs3_machine_secret else ""
    machine = Machine(gateway, secret) if secret else None
    of = partial(cs3.Cloud, gateway, Transfers(), resources=resources, root=settings.cs3_root, application=settings.cs3_app_name)
    if settings.cs3_user and machine is not None:
        cloud = rooms_cloud = of(cs3.Alone(machine, settings.cs3_user))
        people = None
    else:
        people = cs3.People(gateway, kept, machine)
        rooms_cloud = of(people.keepers)
        cloud = of(people.caller, locks=rooms_cloud.locks, etags=rooms_cloud.etags)
    files, watch = cs3.CloudFiles(cloud, spool=directory.root), cs3.CloudWatch(rooms_cloud)

    def attach(rooms: Rooms) -> None:
        watch.opened = lambda: {host.id: host.stat.path for host in rooms.hosts}
        if people is not None:
            people.bind(rooms_cloud, rooms.present)

    return Store(
        files,
        cs3.CloudFolders(cloud),
        cs3.CloudClaims(cloud, Noted(database)),
        cs3.CloudBin(cloud),
        watch,
        attach,
        files.close,
        room_files=cs3.CloudFiles(rooms_cloud, spool=directory.root),
        room_locks=cs3.CloudRoomLocks(rooms_cloud),
        rights=GrantRights() if people is None else people.rights(cloud),
        loops=_no_loops if people is None else people.loops,
        offer=_no_offer if people is None else partial(_offer, settings, gateway, kept, resources, secret_of(settings, directory)),
    )


def _offer(  # noqa: PLR0913, PLR0917 - the surroundings
    settings: Settings,
    gateway: Gateway,
    kept: CloudSessions,
    resources: Resources,
    secret: bytes,
    launcher: Launcher,
    address: Callable[[], str],
) -> Offer | None:
    """Our applications in the cloud, as far as the settings want them."""
    from collab.cs3.openings import Openings  # noqa: PLC0415 - as in `_cloud`
    from collab.cs3.provider import Place, Provider  # noqa: PLC0415

    live = Place(settings.cs3_live_name, settings.cs3_live) if settings.cs3_live else None
    office = Place(settings.cs3_office_name, settings.cs3_office) if settings.cs3_office else None
    if live is None and office is None:
        return None
    openings = Openings(
        gateway,
        kept,
        resources,
        launcher,
        address,
        settings.cs3_app_name,
        secret,
        time.time,
        os.urandom,
        length=settings.session_length,
        lasting=settings.cs3_machine_secret is not None,
    )
    return Provider(openings, live=live, office=office)


def _rights(store: Store) -> Rights:
    """Who may do what: with a folder the grant says it, with a cloud the cloud."""
    return store.rights


def _journal(directory: Directory, seat: Seat | None) -> SqliteJournal:
    if seat is None:
        return SqliteJournal(directory.journal)
    return SqliteJournal(directory.journal, seat=JournalSeat(seat.life.index, Turn(directory.path / "journal.turn")))


def _seated(seat: Seat, secret: bytes) -> dict[str, Any]:
    """What a worker stands on beside the others."""
    placement = FixedPlacement(seat.life.index, seat.count, seat.address)
    return {
        "placement": placement,
        "exchange": Exchange(placement.node, secret),
        "address": seat.address(seat.life.index),
        "caretaker": seat.life.index == 0,
        "mends": seat.life.index == 0 and seat.life.first,
    }


# --- a journal that several nodes share


def _shared(settings: Settings, directory: Directory, archive: Archive) -> Shared | None:
    """What this node has of Redis; None: the journal is in the state. Conflict when the journal in the state has what no file has; Unavailable."""
    if not settings.journal:
        return None
    asyncio.run(_greet(settings, directory))
    inode = directory.path.stat()
    # State and name are locked by this process, so whoever had this name is gone.
    who = f"{socket.gethostname()} {directory.path} {inode.st_dev}:{inode.st_ino} {settings.node}"
    name = settings.node + hashlib.sha256(who.rstrip().encode()).hexdigest()[:12]
    return Shared(
        settings.journal,
        archive.checkpoints,
        name=name,
        incarnation=os.urandom(8).hex(),
        address=settings.node_address or "-",
        heartbeat=settings.heartbeat,
        prefix=settings.redis_prefix,
    )


async def _greet(settings: Settings, directory: Directory) -> None:
    """Whether Redis answers, and nothing is left in the journal of before."""
    redis = Redis(settings.journal)
    try:
        await redis.ask("PING")
    finally:
        await redis.close()
    if directory.journal.exists():
        before = SqliteJournal(directory.journal)
        try:
            behind = await before.unsaved()
        finally:
            await before.close()
        if behind:
            raise Conflict(
                f"the journal in {directory.path} has edits of {len(behind)} documents that are not in their files: "
                "start once without COLLAB_JOURNAL, so that they are saved"
            )


def _neighbour(settings: Settings, shared: Shared, secret: bytes, *, first: bool) -> dict[str, Any]:
    """What one of several nodes on a Redis stands on beside that."""
    return {"exchange": Exchange(shared.placement.node, secret), "address": settings.node_address, "mends": first}


def _sharing(shared: Shared) -> dict[str, Any]:
    """What a server stands on beside its journal."""
    return {
        "placement": shared.placement,
        "trouble": lambda: shared.trouble,
        "weakness": lambda: shared.weakness,
        "forgetful": True,
        "start": shared.start,
        "hasten": shared.hasten,
    }


def base_address(settings: Settings, port: int) -> str:
    """The address that people use, without a slash at its end."""
    if settings.public_url:
        return settings.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def running_address(directory: Directory) -> str | None:
    """Where the server of this state said that it is, None when none runs (or was killed before it could say so)."""
    address = _remembered(directory, "address")
    return None if address is None else str(address)


def running_port(directory: Directory) -> int | None:
    """The port on which it said that it listens."""
    port = _remembered(directory, "port")
    return port if isinstance(port, int) else None


def _remembered(directory: Directory, what: str) -> object:
    try:
        return json.loads((directory.path / _RUNNING).read_bytes())[what]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(directory: Directory, address: str, port: int) -> None:
    path = directory.path / _RUNNING
    try:
        path.write_text(json.dumps({"address": address, "port": port}), "utf-8")
    except OSError as error:
        logging.getLogger("collab.web").warning("%s cannot be written (%s): `collab login` needs --public-url", path, error.strerror)
