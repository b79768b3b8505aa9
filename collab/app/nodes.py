"""What a server stands on beside others: workers of one machine, nodes on one Redis."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collab.cluster.fixed import FixedPlacement
from collab.cluster.link import Exchange
from collab.errors import Conflict
from collab.journal.sqlite import Seat as JournalSeat
from collab.journal.sqlite import SqliteJournal
from collab.state.turn import Turn

if TYPE_CHECKING:
    from collab.archive.store import Archive
    from collab.cluster.shared import Shared
    from collab.cluster.workers import Life
    from collab.settings import Settings
    from collab.state.directory import Directory


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


def journal_of(directory: Directory, seat: Seat | None) -> SqliteJournal:
    """The journal in the state, or a worker's part of it."""
    if seat is None:
        return SqliteJournal(directory.journal)
    return SqliteJournal(directory.journal, seat=JournalSeat(seat.life.index, Turn(directory.path / "journal.turn")))


def seated(seat: Seat, secret: bytes) -> dict[str, Any]:
    """What a worker stands on beside the others."""
    placement = FixedPlacement(seat.life.index, seat.count, seat.address)
    return {
        "placement": placement,
        "exchange": Exchange(placement.node, secret),
        "address": seat.address(seat.life.index),
        "caretaker": seat.life.index == 0,
        "mends": seat.life.index == 0 and seat.life.first,
    }


def shared_of(settings: Settings, directory: Directory, archive: Archive) -> Shared | None:
    """What this node has of Redis; None: the journal is in the state. Conflict when the journal in the state has what no file has; Unavailable."""
    if not settings.journal:
        return None
    from collab.cluster.shared import Shared  # noqa: PLC0415 - as in `_greet`

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
    # A server that is alone starts sooner without it.
    from collab.redis.server import Server as Redis  # noqa: PLC0415

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


def neighbour(settings: Settings, shared: Shared, secret: bytes, *, first: bool) -> dict[str, Any]:
    """What one of several nodes on a Redis stands on beside that."""
    return {"exchange": Exchange(shared.placement.node, secret), "address": settings.node_address, "mends": first}


def shared_adapters(shared: Shared) -> dict[str, Any]:
    """What a server stands on beside its journal."""
    return {
        "placement": shared.placement,
        "trouble": lambda: shared.trouble,
        "weakness": lambda: shared.weakness,
        "forgetful": True,
        "start": shared.start,
        "hasten": shared.hasten,
    }
