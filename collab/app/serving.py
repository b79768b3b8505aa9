"""A process that serves, or several."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from collab.app.adapters import Adapters
from collab.app.building import build
from collab.app.nodes import Seat, journal_of, neighbour, seated, shared_adapters, shared_of
from collab.app.places import CLIENT, archive_url, base_address, forget, prepared, remember, running_address, secret_of
from collab.app.stores import Store, cloud_store, folder_store
from collab.archive.store import Archive
from collab.cluster.workers import Supervisor
from collab.errors import Unavailable
from collab.state.database import Database
from collab.state.secrets import Logins
from collab.state.shelf import Shelf
from collab.state.tables import STATE
from collab.state.turn import Turn
from collab.storage.fences import Fences
from collab.storage.local import LocalFiles
from collab.storage.names import Names
from collab.web import server
from collab.web.sessions import Spent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from collab.cluster.workers import Life
    from collab.ports import (
        Rights,
    )
    from collab.settings import Settings
    from collab.state.directory import Directory


def serve(settings: Settings, *, adopt: bool, tell: Callable[[str], None]) -> None:
    """Serve until a signal comes. `tell` is given one address to sign in at, when the server is ready. CollabError, OSError."""
    directory = prepared(settings, adopt=adopt)
    ours: list[str] = []

    def ready(port: int) -> None:
        address = base_address(settings, port)
        ours.append(address)
        remember(directory, address, port)
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
                forget(directory)


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
        shared = shared_of(settings, directory, archive)
        journal = journal_of(directory, seat) if shared is None else shared.journal
        fences = Fences(directory.path / "fences", shared.placement.fence) if shared is not None else None
        if settings.storage == "cs3":
            store = cloud_store(settings, directory, database, archive.resources, archive.sessions(secret_of(settings, directory)))
        else:
            moving = Turn(directory.path / "files.turn") if many else None
            store = folder_store(directory, LocalFiles(directory.root, Names(database), fences=fences, turn=moving))

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
                sign_ins=archive.sign_ins,
                metadata=store.metadata or archive.metadata,
                shares=archive.shares,
                links=archive.links,
                storage_versions=store.versions,
                accounts=archive.accounts,
                members=archive.members,
                provider_sessions=archive.provider_sessions(secret_of(settings, directory)),
                rights=_rights(store),
                view_only=store.view_only,
                desk=store.desk,
                around=store.around,
                sign_out=store.sign_out,
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
                **({} if shared is None else shared_adapters(shared)),
                **(
                    neighbour(settings, shared, secret_of(settings, directory), first=first) if shared is not None and settings.node else {}
                ),
                **({} if seat is None else seated(seat, secret_of(settings, directory))),
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


def _rights(store: Store) -> Rights:
    """Who may do what: with a folder the grant says it, with a cloud the cloud."""
    return store.rights
