"""Where the files are: a folder of this machine, or a cloud."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from collab.app.adapters import Offer, no_loops, no_offer
from collab.app.places import secret_of
from collab.runtime.rights import GrantRights, never, nothing, nowhere
from collab.settings import Misconfigured
from collab.storage.claims import Noted
from collab.storage.local_bin import LocalBin
from collab.storage.local_claims import LocalClaims
from collab.storage.local_folders import LocalFolders
from collab.storage.local_watch import LocalWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from collab.access import Grant
    from collab.gateway.calls import Gateway
    from collab.ports import (
        Bin,
        Claims,
        CloudSessions,
        Files,
        Folders,
        Metadata,
        Resources,
        Rights,
        RoomLocks,
        SharingDesk,
        StorageVersions,
        Watch,
    )
    from collab.runtime.rooms import Rooms
    from collab.settings import Settings
    from collab.state.database import Database
    from collab.state.directory import Directory
    from collab.storage.local import LocalFiles
    from collab.wopi.launch import Launcher


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
    metadata: Metadata | None = None
    """None: the archive keeps what is said about files."""
    versions: StorageVersions | None = None
    """What it keeps by itself."""
    rights: Rights = field(default_factory=GrantRights)
    view_only: Callable[[Grant], Awaitable[bool]] = never
    around: Callable[[Grant], Awaitable[tuple[Grant, str] | None]] = nowhere
    sign_out: Callable[[Grant], Awaitable[None]] = nothing
    desk: SharingDesk | None = None
    """Where people share what is theirs there; None: it is shared here."""
    loops: Callable[[Rooms], Sequence[Callable[[], Coroutine[object, object, None]]]] = no_loops
    """What runs beside the rooms."""
    offer: Callable[[Launcher, Callable[[], str]], Offer | None] = no_offer
    """Our applications there."""


def folder_store(directory: Directory, files: LocalFiles) -> Store:
    """A folder of this machine."""

    def attach(rooms: Rooms) -> None:
        files.recognise = rooms.recognise

    return Store(files, LocalFolders(files), LocalClaims(files), LocalBin(files), LocalWatch(directory.root), attach, files.close)


def cloud_store(settings: Settings, directory: Directory, database: Database, resources: Resources, kept: CloudSessions) -> Store:
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
        metadata=cs3.CloudMetadata(cloud, time.monotonic),
        versions=cs3.CloudVersions(cloud),
        rights=GrantRights() if people is None else people.rights(cloud),
        view_only=never if people is None else people.view_only,
        around=nowhere if people is None else people.around,
        sign_out=nothing if people is None else people.sign_out,
        desk=cs3.CloudSharing(cloud, settings.cs3_links, None if people is None else people.sessions),
        loops=no_loops if people is None else people.loops,
        offer=no_offer if people is None else partial(_offer, settings, gateway, kept, resources, secret_of(settings, directory)),
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
    from collab.cs3.openings import Openings  # noqa: PLC0415 - as in `cloud_store`
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
