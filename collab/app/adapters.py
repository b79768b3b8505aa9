"""What a server stands on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from collab.app.places import CLIENT
from collab.runtime.rights import GrantRights, never, nothing, nowhere

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from pathlib import Path

    from collab.access import Grant
    from collab.cluster.link import Exchange
    from collab.ports import (
        Accounts,
        Authors,
        Bases,
        Bin,
        Claims,
        Files,
        Folders,
        Journal,
        Links,
        Locks,
        Members,
        Metadata,
        OfficeStates,
        Placement,
        ProviderSessions,
        Rejections,
        Rights,
        RoomLocks,
        Shares,
        SharingDesk,
        SignIns,
        StorageVersions,
        UserInfos,
        Versions,
        Watch,
    )
    from collab.runtime.rooms import Rooms
    from collab.state.shelf import Shelf
    from collab.web.sessions import OneTime, Spent
    from collab.wopi.launch import Launcher


class Offer(Protocol):
    """Applications that somebody else's pages offer."""

    @property
    def trouble(self) -> str | None:
        """Why they are not offered, in words, or None."""

    async def run(self) -> None:
        """Until cancelled."""


def no_offer(launcher: Launcher, address: Callable[[], str]) -> Offer | None:
    """Nothing is offered."""
    del launcher, address
    return None


def no_loops(rooms: Rooms) -> Sequence[Callable[[], Coroutine[object, object, None]]]:
    """Nothing runs beside."""
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
    sign_ins: SignIns
    metadata: Metadata
    shares: Shares
    links: Links
    accounts: Accounts
    members: Members
    provider_sessions: ProviderSessions
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
    storage_versions: StorageVersions | None = None
    """Versions that the storage keeps by itself; None: it keeps none."""
    room_files: Files | None = None
    """As rooms see the files: they act for whoever has a document open, not for who asks; None: it is the same."""
    rights: Rights = field(default_factory=GrantRights)
    """Who may do what with a document."""
    view_only: Callable[[Grant], Awaitable[bool]] = never
    around: Callable[[Grant], Awaitable[tuple[Grant, str] | None]] = nowhere
    """Whether whoever has this grant was let in to look only: neither to download, print nor copy."""
    desk: SharingDesk | None = None
    """Where people share what is theirs, by what the files stand on; None: this server does it."""
    sign_out: Callable[[Grant], Awaitable[None]] = nothing
    """Ends what somebody came with from elsewhere."""
    own_bin: bool = False
    """The storage empties its bin by itself."""
    loops: Callable[[Rooms], Sequence[Callable[[], Coroutine[object, object, None]]]] = no_loops
    """What runs beside the rooms for what this server stands on."""
    offer: Callable[[Launcher, Callable[[], str]], Offer | None] = no_offer
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
