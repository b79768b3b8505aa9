"""A room's socket: our own protocol class on uvicorn's transport, so that one message costs one parse and one write.

The connection behind it (`Inbound`) gets whole binary messages; it writes frames that are already made.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from typing import TYPE_CHECKING, cast

from collab.errors import CollabError
from collab.frames import ClientFrames, Closing, Ping, close_frame, pong_frame
from collab.web.handshake import LINGER_SECONDS, Handshake, Refusal, switching

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled wheel for this platform
    from websockets.utils import apply_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uvicorn.server import ServerState

    from collab.runtime.outbound import Inbound

HIGH_WATER = 256 * 1024
LOW_WATER = 16 * 1024
"""Bytes in the transport at which a peer counts as not reading, and at which it reads again."""
ABNORMAL = 1006
"""The code of a connection that ended without a close frame (section 7.1.5)."""

logger = logging.getLogger("collab.web")


class Phase(Enum):
    """Where a socket stands; it only ever moves down this list."""

    OPENING = auto()
    """The answer to the handshake is being decided."""
    OPEN = auto()
    CLOSING = auto()
    """Our close frame is written; the peer's is awaited."""
    ENDING = auto()
    """Nothing is read or written any more; only the end of the TCP connection is awaited."""


_OPEN = Phase.OPEN
"""Looked up with each message: an attribute of an enumeration is slow."""


class RoomSocket(asyncio.Protocol):
    """One WebSocket of a room: what `Outbound` describes, and asyncio's protocol. `leave` is called when TCP is over."""

    __slots__ = (
        "_close_seconds",
        "_code",
        "_deadline",
        "_early",
        "_frames",
        "_inbound",
        "_leave",
        "_name",
        "_paused",
        "_phase",
        "_pong",
        "_refused",
        "_state",
        "_stuck",
        "_transport",
        "_unread",
    )

    def __init__(
        self, state: ServerState, *, limit: int, close_seconds: float, refused: Callable[[str], None], leave: Callable[[], None]
    ) -> None:
        self._state = state
        self._close_seconds = close_seconds
        self._refused = refused
        self._leave = leave
        self._frames = ClientFrames(limit, apply_mask)
        self._phase = Phase.OPENING
        self._inbound: Inbound | None = None
        self._code: int | None = None
        self._name = ""
        self._early: list[bytes] = []
        self._unread: Iterator[bytes | Ping | Closing] | None = None
        """What came already and was not looked at when the connection wanted no more."""
        self._deadline: asyncio.TimerHandle | None = None
        self._pong: bytes | None = None
        self._paused = False
        self._stuck = False

    # What a connection sees

    @property
    def limit(self) -> int:
        """The greatest message in bytes that is taken from now on."""
        return self._frames.limit

    @limit.setter
    def limit(self, size: int) -> None:
        self._frames.limit = size

    def write(self, data: bytes) -> None:
        """Write frames, at once; nothing happens after close."""
        if self._phase is _OPEN:
            self._transport.write(data)
        elif self._phase is Phase.OPENING:
            self._early.append(data)

    def close(self, code: int, reason: str) -> None:
        """Send the close frame behind what is buffered; the peer has some seconds to send its own."""
        self.write(close_frame(code, reason))
        if self._phase in {Phase.OPENING, Phase.OPEN}:
            self._phase = Phase.CLOSING
            self._give_time(self._close_seconds)
            self.resume()
            self._report(code)

    def pause(self) -> None:
        """Stop reading from the peer."""
        if self._phase in {Phase.OPENING, Phase.OPEN} and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            # Never from inside a call of the connection.
            asyncio.get_running_loop().call_soon(self._read_on)

    def buffered(self) -> int:
        """Bytes that wait in the transport."""
        return self._transport.get_write_buffer_size()

    # What uvicorn and asyncio see

    def open(self, handshake: Handshake, accept: bytes | Refusal, opening: Callable[[Handshake, RoomSocket], Inbound | Refusal]) -> None:
        """Answer the handshake, as its check (`accept`) and then `opening` say."""
        host = handshake.client[0] if handshake.client else "-"
        self._name = f"{host} {handshake.path.decode('ascii', 'backslashreplace')}"
        if isinstance(accept, Refusal):
            self._turn_away(accept)
            return
        inbound = self._ask(handshake, opening)
        if isinstance(inbound, Refusal):
            self._turn_away(inbound)
            return
        self._inbound = inbound
        early, self._early = self._early, []
        self._transport.write(switching(accept, self._state.default_headers) + b"".join(early))
        if self._code is not None:
            self._tell(inbound, self._code)
        else:
            self._phase = Phase.OPEN

    def _ask(self, handshake: Handshake, opening: Callable[[Handshake, RoomSocket], Inbound | Refusal]) -> Inbound | Refusal:
        try:
            return opening(handshake, self)
        except Exception:
            logger.exception("%s could not be opened", self._name)
            return Refusal(500, "The server could not open this; it is in its log.", reason="error")

    def _turn_away(self, refusal: Refusal) -> None:
        self._refused(refusal.reason)
        logger.warning("refused %s: %d %s: %s", self._name, refusal.status, refusal.reason, ascii(refusal.detail))
        self._transport.write(refusal.response(self._state.default_headers))
        self._hang_up(LINGER_SECONDS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over from HTTP."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn calls its shutdown() and counts it, no more

    def data_received(self, data: bytes) -> None:
        """Give each whole message to the connection; answer pings and the close frame."""
        if self._inbound is None or self._phase is Phase.ENDING:
            return
        # One frame in one piece is nearly all of the traffic.
        whole = self._frames.whole(data)
        if whole is not None:
            self._give(self._inbound, whole)
        else:
            self._read(self._inbound, self._frames.receive(data))

    def _read(self, inbound: Inbound, messages: Iterator[bytes | Ping | Closing]) -> None:
        """Until the connection wants no more: also what came already waits then."""
        self._unread = None
        try:
            for message in messages:
                if type(message) is bytes:
                    self._give(inbound, message)
                else:
                    self._obey(message)
                if self._paused:
                    self._unread = messages
                    break
        except CollabError as error:
            self._refuse(error)
            self._hang_up(self._close_seconds)
        if self._pong is not None and not self._stuck:
            self._answer_ping()

    def _read_on(self) -> None:
        if self._inbound is not None and self._unread is not None and not self._paused:
            self._read(self._inbound, self._unread)
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def _give(self, inbound: Inbound, message: bytes) -> None:
        if self._phase is not _OPEN:
            return
        try:
            inbound.receive(message)
        except CollabError as error:
            self._refuse(error)
        except Exception:
            logger.exception("%s: a message could not be handled", self._name)
            self._refused("error")
            self.close(1011, "error: the server failed; it is in its log")

    def eof_received(self) -> None:
        """The peer sends no more; without its close frame there is nothing to wait for, but what is buffered."""
        self._give_time(self._close_seconds)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature; how it was lost makes no difference
        """TCP is over."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._end()
        self._state.connections.discard(self)
        self._leave()
        self._report(ABNORMAL)
        # They hold each other, and would wait for the collector of garbage.
        self._inbound = None

    def pause_writing(self) -> None:
        """The peer does not read."""
        self._stuck = True
        if self._inbound is not None and self._phase is Phase.OPEN:
            self._inbound.stalled()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._stuck = False
        if self._pong is not None:
            self._answer_ping()
        if self._inbound is not None and self._phase is Phase.OPEN:
            self._inbound.drained()

    def shutdown(self) -> None:
        """The server stops (called by uvicorn): the peer is told to come back."""
        if self._inbound is not None and self._phase is Phase.OPEN:
            self._inbound.going_away()
        self.close(1012, "restart: the server restarts, come back in a moment")

    # The closing handshake

    def _obey(self, message: Ping | Closing | bytes) -> None:
        if isinstance(message, Ping):
            # Only the latest ping of a piece is answered, as section 5.5.3 allows: pings cannot fill our buffer.
            self._pong = message.payload
        elif isinstance(message, Closing):
            self.write(close_frame(message.code))
            self._end()
            self._give_time(self._close_seconds)
            self._transport.close()
            self._report(message.code)

    def _answer_ping(self) -> None:
        payload, self._pong = self._pong, None
        if payload is not None:
            self.write(pong_frame(payload))

    def _refuse(self, error: CollabError) -> None:
        """Say why, count it and log it, once."""
        if self._phase is Phase.OPEN:
            self._refused(error.reason)
            logger.warning("closed %s: %d %s: %s", self._name, error.close_code, error.reason, ascii(error.detail))
            self.close(error.close_code, f"{error.reason}: {error.detail}")

    def _hang_up(self, seconds: float) -> None:
        """Send no more and wait for the peer to hang up: closing at once would reset TCP, and our last words would be lost."""
        self._end()
        self._give_time(seconds)
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def _end(self) -> None:
        self._phase = Phase.ENDING
        self._frames.forget()
        self._early.clear()
        self._unread = None

    def _give_time(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _report(self, code: int) -> None:
        if self._code is None:
            self._code = code
            if self._inbound is not None:
                self._tell(self._inbound, code)

    @staticmethod
    def _tell(inbound: Inbound, code: int) -> None:
        """Tell the connection that it is over, never from inside one of its own calls."""
        asyncio.get_running_loop().call_soon(inbound.lost, code)
