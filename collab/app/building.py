"""Adapters in, a server out that only lacks a socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware

from collab.access import Person
from collab.app.office import interop_of, launcher_of, office_host, proofs_of, suites_of
from collab.app.people import rights_by_shares, share_routes, sharer, signing_in
from collab.app.places import base_address
from collab.cluster.nodes import Nodes
from collab.cluster.passing import Passage, Passing
from collab.errors import CollabError, Unavailable
from collab.frames import frame
from collab.runtime.aside import Aside
from collab.runtime.attachments import Attachments
from collab.runtime.audit import Audit
from collab.runtime.bin import Trash
from collab.runtime.describing import Describing
from collab.runtime.documents import Documents
from collab.runtime.folders import Tree
from collab.runtime.following import Followers
from collab.runtime.garbage import Garbage
from collab.runtime.given import Given
from collab.runtime.history import History
from collab.runtime.metrics import Metrics
from collab.runtime.noticing import Noticing
from collab.runtime.pulse import Pulse
from collab.runtime.reading import Readings
from collab.runtime.rooms import Rooms, Surroundings
from collab.runtime.saver import Timing
from collab.runtime.search import Search, Turns
from collab.runtime.signed import SignedIn
from collab.runtime.storage_history import StorageHistories
from collab.runtime.upkeep import upkeep_loop
from collab.session import Limits
from collab.settings import origin_of
from collab.state.passwords import Passwords
from collab.web.admission import Admission, names_of
from collab.web.api import Api
from collab.web.attachments import AttachmentsDoor
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
from collab.web.metadata import MetadataDoor
from collab.web.office import OfficeDoor
from collab.web.pages import Pages
from collab.web.problems import handlers
from collab.web.reading import ReadingDoor
from collab.web.rooms import RoomDoor
from collab.web.search import SearchDoor
from collab.web.sessions import Sessions
from collab.web.shelf import ShelfDoor
from collab.web.storage_versions import StorageVersionsDoor
from collab.web.transport import Transport
from collab.web.uploads import Uploads
from collab.web.wopi import First, WopiDoor
from collab.web.wopi_containers import ContainersDoor
from collab.wopi.claiming import Claiming
from collab.wopi.containers import Containers
from collab.wopi.recent import RecentLocks, RecentStates
from collab.wopi.rejected import Rejected
from collab.wopi.templates import Templates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence

    from starlette.routing import Route

    from collab.access import Grant
    from collab.app.adapters import Adapters, Offer
    from collab.runtime.renewing import Renewing
    from collab.runtime.sharing import Sharing
    from collab.settings import Settings
    from collab.wopi.suites import Suites


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
    claiming: Claiming
    suites: Suites
    garbage: Garbage
    begin: Beginning
    transport: Transport
    sharing: Sharing
    followers: Followers
    nodes: Nodes | None = None

    async def stop(self) -> None:
        """Everything is stored; whoever comes from other nodes goes elsewhere."""
        self.begin.adapters.hasten()
        self.followers.close()
        await self.rooms.stop()
        self.transport.stop()
        if self.nodes is not None:
            await self.nodes.close()


def build(settings: Settings, adapters: Adapters) -> App:
    """Wire everything; the rooms start with the application's lifespan, and end before it (`App.rooms.stop`)."""
    if adapters.placement is None:
        # Nobody else changes what is in the archive.
        adapters = replace(adapters, locks=RecentLocks(adapters.locks, adapters.now), office=RecentStates(adapters.office))
    signed = SignedIn(adapters.sign_ins, now=adapters.now, clock=adapters.clock)
    given = Given(adapters.shares, adapters.clock)
    adapters = replace(adapters, rights=rights_by_shares(settings, adapters, given, signed))
    metrics = Metrics(journal_pending=lambda: int(getattr(adapters.journal, "pending_bytes", 0)))
    garbage, aside = Garbage(), Aside()
    pulse, audit = Pulse(metrics, rest=garbage.rest), Audit(adapters.now)
    sessions = Sessions(
        adapters.secret,
        adapters.one_time,
        adapters.spent,
        adapters.sign_ins,
        owner=Person("owner", _operator(os.environ)),
        length=settings.session_length,
        now=adapters.now,
        random=adapters.random,
    )
    admission = _admission(settings, adapters, sessions)
    rooms = _rooms(settings, adapters, metrics, authorise=admission.authorise, audit=audit, beat=pulse.beat, aside=aside)
    _count(metrics, rooms)
    health = Health(metrics, adapters.trouble or (lambda: adapters.journal.trouble), adapters.archive_trouble, adapters.weakness)
    suites = suites_of(settings, adapters, metrics, health)
    documents = Documents(rooms, adapters.files, adapters.versions)
    sharing = sharer(adapters, rooms, given, signed)
    trash = _trash(settings, adapters, rooms, documents, sharing)
    api = Api(
        documents=documents,
        rights=adapters.rights,
        sessions=sessions,
        admission=admission,
        shelf=adapters.shelf,
        claims=adapters.claims,
        describing=Describing(rooms, adapters.metadata),
        audit=audit,
        templates=Templates(settings.templates, settings.upload_limit),
        own=sharing.own,
        prefix=settings.prefix,
        limit_text=settings.limit_text,
        limit_name=settings.limit_name,
        view_only=adapters.view_only,
        around=adapters.around,
        signed_out=partial(_signed_out, adapters.sign_out, rooms),
    )
    rejected = Rejected(rooms, adapters.files, trash, rejections=adapters.rejections, locks=adapters.locks, authors=adapters.authors)
    tree = Tree(rooms, adapters.folders, sharing.settle)
    claiming = Claiming(adapters.claims, adapters.locks, adapters.now)
    pages = Pages(adapters.client, settings.prefix, adapters.random, settings.frame_ancestors, suites.origins)
    passwords = Passwords()
    signing = signing_in(settings, adapters, api, rooms, pages, signed, passwords)
    office = WopiDoor(
        office_host(
            settings, adapters, admission, documents, rooms=rooms, trash=trash, rejected=rejected, suites=suites, claiming=claiming
        ),
        proofs_of(settings, adapters, admission, suites),
        audit,
        metrics,
        settings.upload_limit,
    )
    containers = ContainersDoor(office, Containers(office.host, documents, adapters.folders, tree, trash))
    noticing = [] if adapters.watch is None else [Noticing(adapters.watch, adapters.claims, rooms, metrics).run]
    nodes, passage = _neighbours(adapters, rooms, metrics)
    reading = _reading(settings, adapters, metrics, rooms, api=api, pages=pages)
    launcher = launcher_of(settings, adapters, admission, suites)
    offer = adapters.offer(launcher, lambda: base_address(settings, admission.port)) if adapters.caretaker else None
    health.offer = lambda: None if offer is None else offer.trouble
    transport = _transport(settings, adapters, rooms)
    loops = [*noticing, *signing.loops, suites.watch_loop]
    loops = _loops(adapters, loops, rooms, sharing, [claiming.sweep_loop, signed.sweep_loop], offer)
    begin = Beginning(rooms, trash, adapters, signing.renewing)
    app = App(
        web=Starlette(
            routes=[
                # What is asked for most comes first: routes are looked through in their order.
                *office.routes(),
                *health.routes(),
                *api.routes(),
                *BinApi(api, trash, tree).routes(),
                *share_routes(settings, adapters, api, sharing, signed, passwords),
                *ConflictsDoor(api, rejected).routes(),
                *_more(settings, adapters, rooms, api, Attachments(rooms, documents, adapters.files, tree, adapters.bin)),
                *transport.routes(),
                *signing.routes,
                *(*pages.routes(), *reading.door.routes()),
                *Embedding(pages, api, admission, metrics.refused).routes(),
                *OfficeDoor(api, launcher, adapters.claims).routes(),
                *interop_of(settings, adapters, api, suites, rejected).routes(),
                *containers.routes(),
            ],
            middleware=_middleware(settings, admission, signed, metrics, pulse, passage, office),
            exception_handlers=handlers(metrics),
            lifespan=_lifespan(
                begin,
                adapters,
                loops,
                [pulse.stop, aside.close, reading.aside.close, suites.close, garbage.end, passwords.close],
            ),
        ),
        door=_door(settings, RoomDoor(rooms, admission, settings.prefix), metrics),
        rooms=rooms,
        admission=admission,
        health=health,
        metrics=metrics,
        rejected=rejected,
        claiming=claiming,
        suites=suites,
        garbage=garbage,
        begin=begin,
        transport=transport,
        sharing=sharing,
        nodes=nodes,
        followers=reading.door.followers,
    )
    if passage is not None:
        passage.app, passage.office = app.web, containers.document_of
    return app


def _count(metrics: Metrics, rooms: Rooms) -> None:
    """What is counted when somebody asks."""
    metrics.tasks = lambda: len(asyncio.all_tasks())
    metrics.connections = lambda: len(rooms.connections)
    metrics.archive_behind = lambda: len(rooms.backlog)


async def _signed_out(sign_out: Callable[[Grant], Awaitable[None]], rooms: Rooms, grant: Grant) -> None:
    """What somebody came with from elsewhere is over, also for the documents that are open with it."""
    await sign_out(grant)
    rooms.review_session(grant.id)


def _trash(settings: Settings, adapters: Adapters, rooms: Rooms, documents: Documents, sharing: Sharing) -> Trash:
    """What was deleted."""
    trash = Trash(
        rooms,
        documents,
        adapters.bin,
        adapters.journal,
        adapters.bases,
        claims=adapters.claims,
        days=None if adapters.own_bin else settings.bin_days,
    )
    trash.followers = [sharing]
    return trash


def _middleware(  # noqa: PLR0913, PLR0917 - the surroundings
    settings: Settings, admission: Admission, signed: SignedIn, metrics: Metrics, pulse: Pulse, passage: Passage | None, office: WopiDoor
) -> list[Middleware]:
    """What each request goes through, in this order."""
    return [
        Middleware(Gate, admission=admission, signed=signed, prefix=settings.prefix, metrics=metrics, beat=pulse.beat),
        *([] if passage is None else [Middleware(Passing, passage=passage)]),
        Middleware(First, door=office),
    ]


def _transport(settings: Settings, adapters: Adapters, rooms: Rooms) -> Transport:
    """Rooms over plain HTTP."""
    node = "" if adapters.placement is None else adapters.placement.node
    return Transport(rooms, settings.limit_connections, node, adapters.random, settings.prefix)


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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What readers need, and the processes that render for them: none of them ever keeps a room waiting."""

    door: ReadingDoor
    aside: Aside


def _reading(  # noqa: PLR0913 - the surroundings
    settings: Settings, adapters: Adapters, metrics: Metrics, rooms: Rooms, *, api: Api, pages: Pages
) -> _Reading:
    aside = Aside()
    readings = Readings(rooms, adapters.files, aside=aside.run, clock=adapters.clock, metrics=metrics, prefix=settings.prefix)
    followers = Followers(readings, now=adapters.now, most=settings.limit_readers)
    rooms.readers = followers.seats
    rooms.edited = followers.edited
    metrics.readers = lambda: followers.count
    return _Reading(ReadingDoor(api, pages, readings, followers, adapters.secret, metrics.refused), aside)


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
        common=_public_port(settings) if settings.node and settings.public_url else None,
    )


def _public_port(settings: Settings) -> int:
    """The port that browsers know."""
    parts = urlsplit(settings.public_url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _loops(  # noqa: PLR0913, PLR0917 - what runs
    adapters: Adapters,
    always: Sequence[Callable[[], Coroutine[object, object, None]]],
    rooms: Rooms,
    sharing: Sharing,
    sweeps: Sequence[Callable[[], Coroutine[object, object, None]]],
    offer: Offer | None,
) -> list[Callable[[], Coroutine[object, object, None]]]:
    """What runs beside the requests."""
    return [
        *always,
        *([] if adapters.own_bin else [sharing.watch_loop]),
        *(sweeps if adapters.caretaker else []),
        *adapters.loops(rooms),
        *([] if offer is None else [offer.run]),
    ]


def _neighbours(adapters: Adapters, rooms: Rooms, metrics: Metrics) -> tuple[Nodes | None, Passage | None]:
    """The other nodes, and the way of requests to them."""
    if adapters.exchange is None or adapters.placement is None:
        return None, None
    nodes = Nodes(adapters.exchange, adapters.placement, rooms)
    passage = Passage(adapters.exchange, adapters.placement, rooms, adapters.files)
    nodes.pass_in = passage.serve
    metrics.relayed, metrics.guests = lambda: nodes.relayed, lambda: nodes.guests
    return nodes, passage


def _more(settings: Settings, adapters: Adapters, rooms: Rooms, api: Api, attachments: Attachments) -> list[Route]:
    """What the interface can do beside documents one by one: searches, shelves, bytes, history."""
    search = partial(Search, rooms, adapters.files, api.documents, metadata=adapters.metadata)
    return [
        *SearchDoor(api, Turns(), search).routes(),
        *ShelfDoor(api, adapters.now).routes(),
        *Uploads(api, settings.upload_limit).routes(),
        *Content(api).routes(),
        *AttachmentsDoor(api, attachments, settings.attachment_limit).routes(),
        *MetadataDoor(api, api.describing).routes(),
        *AuthorsDoor(api, rooms, adapters.authors).routes(),
        *HistoryDoor(api, History(api.documents, adapters.versions, adapters.authors)).routes(),
        *StorageVersionsDoor(api, StorageHistories(api.documents, adapters.storage_versions)).routes(),
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
    renewing: Renewing | None = None
    """Looks at sessions by the provider, when there is one."""
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
