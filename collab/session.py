"""One connection's states in one document: it joins, edits and leaves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from collab.access import Role
from collab.errors import TooLarge, TooMany
from collab.formats.bodies import NOTEBOOK

if TYPE_CHECKING:
    from collab.access import Person
    from collab.dialects import Dialect
    from collab.protocol import Message


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may do; sizes in bytes, times in seconds."""

    text: int = 16 * 2**20
    notebook: int = 32 * 2**20
    frame: int = 32 * 2**20
    frame_before: int = 2**20
    """The greatest frame before signing in."""
    awareness: int = 65_536
    name: int = 1_024
    queue: int = 5 * 2**20
    """What may wait before a document is joined."""
    queue_messages: int = 1_000
    rate_messages: int = 5_000
    """Messages a second that are read of one connection for long."""
    rate_bytes: int = 2 * 2**20
    """Bytes a second, the same."""
    documents: int = 100
    """Documents on one socket."""
    joining: float = 60.0
    lagging: float = 60.0
    """How long a peer may leave its output unread."""

    def of(self, given: str) -> int:
        """Bytes of a document in this format."""
        return self.notebook if given == NOTEBOOK else self.text


class Asked(Enum):
    """Why a step 1 was sent, and so what the step 2 is that answers it."""

    HANDSHAKE = auto()
    GAP = auto()
    """An update came without what it builds on."""
    CHECK = auto()
    """Somebody else sent structs under this peer's client id."""


@dataclass(eq=False, slots=True)
class Peer:
    """Somebody in a room: one session of one connection."""

    id: int
    person: Person
    role: Role
    dialect: Dialect
    address: bytes
    """What stands before each of its messages."""
    color: str = "#808080"
    session: str = ""
    """The id of the session that it came with (`Grant.id`)."""
    asked: deque[Asked] = field(default_factory=deque)
    had: dict[int, int] | None = None
    """The state vector that it came with, until it has said what it has."""
    waiting: int = 0
    """Statuses that are owed for updates that wait for a missing part."""
    strikes: int = 0
    """Missing parts that were asked for and did not come."""
    stuck: bool = False
    """It has what builds on something that nobody here has, and is asked again when somebody brings something."""
    told: bool = False
    """A y-websocket reader has been told that it may not write."""
    why: str = ""
    """Why it may only read since it is here: `taken` (its right to write was taken away) or `file` (nobody may write the file); else empty."""
    unheard: bool = False
    """Something that it sent was not taken because it may only read."""
    greeted: bool = False
    shown: set[int] = field(default_factory=set)
    """Client ids under which it showed itself."""

    @property
    def writes(self) -> bool:
        """Whether its edits are taken."""
        return self.role >= Role.EDITOR


@dataclass(slots=True)
class Joining:
    """Messages wait, bounded, until the document is open and the peer may enter."""

    limits: Limits
    queue: list[Message] = field(default_factory=list)
    size: int = 0

    def add(self, message: Message) -> None:
        """One more message. TooLarge, TooMany."""
        self.size += len(message[1])
        check_queue(self.size, len(self.queue) + 1, self.limits)
        self.queue.append(message)


def check_queue(size: int, messages: int, limits: Limits) -> None:
    """TooLarge, TooMany for what may not wait."""
    if size > limits.queue:
        raise TooLarge(f"More than {limits.queue} bytes before signing in.")
    if messages > limits.queue_messages:
        raise TooMany(f"More than {limits.queue_messages} messages before signing in.")


@dataclass(slots=True)
class Leaving:
    """Refused or closed: whatever still comes is passed over."""
