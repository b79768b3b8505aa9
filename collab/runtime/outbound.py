"""What the WebSocket door and a connection are to each other."""

from __future__ import annotations

from typing import Protocol


class Outbound(Protocol):
    """A socket, as a connection sees it."""

    limit: int
    """The greatest message in bytes that is taken from now on."""

    def write(self, data: bytes) -> None:
        """Write frames, at once; nothing happens after close."""

    def close(self, code: int, reason: str) -> None:
        """Send the close frame behind what is buffered."""

    def pause(self) -> None:
        """Stop reading from the peer."""

    def resume(self) -> None:
        """Read again."""

    def buffered(self) -> int:
        """Bytes that wait in the transport."""


class Inbound(Protocol):
    """A connection, as the door sees it. All calls are made on the loop."""

    def receive(self, data: bytes) -> None:
        """One whole binary message. A CollabError closes the socket with its code and reason."""

    def stalled(self) -> None:
        """More than 256 KiB wait in the transport."""

    def drained(self) -> None:
        """They are gone."""

    def lost(self, code: int) -> None:
        """The socket is gone; called once."""

    def going_away(self) -> None:
        """The server stops."""
