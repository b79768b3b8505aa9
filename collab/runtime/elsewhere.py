"""Documents that live on other nodes, as rooms see them: who holds which, and what the others are asked for."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from collab.errors import CollabError, Fenced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from collab.access import Role
    from collab.ports import Place, Placement, Stat
    from collab.protocol import Kind
    from collab.runtime.host import Line
    from collab.session import Peer

log = logging.getLogger("collab.runtime")

PATIENCE = 5.0
"""Seconds that the placement has to hear that a document is not needed here any more."""


class Elsewhere(Fenced):
    """The document lives on another node."""

    def __init__(self, place: Place) -> None:
        super().__init__("The document lives on another node; come back in a moment.")
        self.place = place


class Hosting(Protocol):
    """A room, here or elsewhere, as the sessions of a socket see it."""

    @property
    def stat(self) -> Stat:
        """What the document is."""

    @property
    def gone(self) -> bool:
        """Whether its file is gone, as far as that is known here."""

    def enter(self, peer: Peer, line: Line) -> None:
        """A peer joins. Unavailable."""

    def leave(self, peer: Peer) -> None:
        """A peer is gone; again changes nothing."""

    def receive(self, peer: Peer, kind: Kind, payload: bytes) -> None:
        """A message of a peer. CollabError: refuse it."""

    def greet(self, peer: Peer) -> None:
        """The peer is a page of ours."""

    def stall(self, peer: Peer) -> None:
        """The peer does not read."""

    def catch_up(self, peer: Peer) -> None:
        """It reads again."""

    def known(self, peer: Peer, session: str) -> None:
        """The peer goes on under another session of the same person (see `Peer.session`)."""

    def miss(self, peer: Peer) -> None:
        """The peer's person does not find the file: look for it."""

    def allow(self, peer: Peer, role: Role, why: str = "") -> None:
        """The peer has this role from now on; `why` it may only read (see `Peer.why`)."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A live text that its file does not hold yet."""

    size: int
    etag: str


class Neighbours(Protocol):
    """The other nodes. What can't be asked just now is left out; only `enter` and `readable` raise: Unavailable."""

    async def enter(self, place: Place, document: str) -> Hosting:
        """The room of a document that lives there. Fenced: it does not (any more). NotFound, NotText, TooLarge."""

    async def find(self, name: str) -> Stat | None:
        """What is known of a document that is open on another node, by its id or path, whatever became of its file."""

    async def flush(self, path: str) -> None:
        """Save the documents in a folder or deeper that are ahead of their files."""

    async def relocate(self, path: str, to: str) -> None:
        """A folder was moved."""

    async def dismiss(self, documents: Sequence[str], path: str | None) -> None:
        """These documents were deleted, and those in the folder or deeper."""

    async def recover(self, documents: Sequence[str]) -> None:
        """Save what the journal has of these and their files have not."""

    async def ahead(self, documents: Collection[str]) -> dict[str, Ahead]:
        """Those of these documents that are ahead of their files."""

    async def readable(self, document: str) -> str | None:
        """The live text of a document that is ahead of its file, to be searched; None: nowhere."""


@dataclass(eq=False, slots=True)
class Tenure:
    """A document that is held here, by so many."""

    document: str
    users: int = 0
    sure: bool = False
    """The placement said so."""
    fence: int = 0
    """The number that it said (`Place.fence`)."""


class Tenures:
    """The documents that are held here. Without a placement all are."""

    def __init__(self, placement: Placement | None) -> None:
        self._placement = placement
        self._held: dict[str, Tenure] = {}
        self._releasing: dict[str, asyncio.Event] = {}
        self._writing: dict[str, asyncio.Event] = {}
        """Documents whose files are being written for their rooms."""

    async def take(self, document: str, *, again: bool = True) -> Tenure | None:
        """Hold a document until `give`; the placement is asked `again`, or only if nobody holds it yet. Elsewhere, Unavailable."""
        placement = self._placement
        if placement is None:
            return None
        # With the next number a save of a room that lost the document would pass for one of the next room, which has looked at the file before.
        while (ending := self._releasing.get(document) or self._writing.get(document)) is not None:
            await ending.wait()
        tenure = self._held.get(document)
        if tenure is None:
            tenure = self._held[document] = Tenure(document)
        tenure.users += 1
        if tenure.sure and not again:
            return tenure
        try:
            place = await placement.claim(document)
            if place.node != placement.node:
                # Whoever holds it too is told by `lost`.
                raise Elsewhere(place)  # noqa: TRY301 - what was counted is taken back below
            tenure.sure, tenure.fence = True, place.fence
        except BaseException:
            tenure.users -= 1
            if not tenure.users and self._held.get(document) is tenure:
                del self._held[document]
            raise
        return tenure

    @contextmanager
    def writing(self, document: str) -> Iterator[None]:
        """The file of a document is written for its room, whatever becomes of that meanwhile."""
        written = self._writing[document] = asyncio.Event()
        try:
            yield
        finally:
            # A room that was dropped for a fault may still write beside the next one.
            if self._writing.get(document) is written:
                del self._writing[document]
            written.set()

    async def give(self, tenure: Tenure | None) -> None:
        """It is not needed here by one of those who held it; raises nothing."""
        if tenure is None or self._placement is None:
            return
        tenure.users -= 1
        if tenure.users or self._held.get(tenure.document) is not tenure:
            return
        del self._held[tenure.document]
        released = self._releasing[tenure.document] = asyncio.Event()
        try:
            # Whoever does not hear it holds on to the document until it comes back, or this node is gone.
            with suppress(CollabError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._placement.release(tenure.document)
        finally:
            del self._releasing[tenure.document]
            released.set()

    def holds(self, tenure: Tenure | None) -> bool:
        """Whether it still counts."""
        return tenure is None or self._held.get(tenure.document) is tenure

    def lose(self, document: str) -> None:
        """It lives elsewhere: nobody who held it gives it back."""
        self._held.pop(document, None)
