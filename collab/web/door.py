"""The one door: HTTP and every WebSocket come in here; rooms get our own protocol, all others uvicorn's.

Before a request is whole no middleware sees it: time, size and number of what half-open clients may hold are bounded here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from collab.web.callers import Callers
from collab.web.coming import Coming
from collab.web.event_stream import TAKING, EventSocket
from collab.web.gathered import Gathered
from collab.web.handshake import LINGER_SECONDS, Handshake, Refusal, accept
from collab.web.line import Line, flushed
from collab.web.streams import COMING, GIVING
from collab.web.websocket import RoomSocket

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from collab.runtime.outbound import Inbound, Outbound
    from collab.web.callers import Network
    from collab.web.event_stream import Begin

    Open: TypeAlias = Callable[[Handshake, Outbound], Inbound | Refusal]
    """Decides about a request for a room. What it writes before it answers follows the handshake."""

__all__ = ["Door", "Handshake", "Limits", "Open", "Refusal", "RoomSocket"]

HEADER_EXTRA = 4
"""Bytes of a header line that are neither name nor value."""
PLAIN = 64 * 1024
"""Bytes of a body of a known length that still have to come, from which on the parser does not see them: it would copy them."""

logger = logging.getLogger("collab.web")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may hold or take before anybody knows who it is; each is a setting."""

    first_message_bytes: int = 2**20
    """Of a message before sign-in; the connection raises its `limit` afterwards."""
    header_bytes: int = 32 * 1024
    """Of a request's line and headers together."""
    header_seconds: float = 10.0
    """From the connection, or the first byte of its next request, until the headers are whole."""
    close_seconds: float = 5.0
    """For a peer to answer a close frame."""
    connections: int = 2_000
    """From one address, half-open ones too."""
    trusted: tuple[Network, ...] = ()
    """Proxies whose connections are not limited."""


def no_count(_reason: str) -> None:
    """Count nothing."""


@dataclass(slots=True)
class Door:
    """What every connection of a server shares. `prefix` is the path of the public address, without a slash at its end."""

    open: Open
    limits: Limits = field(default_factory=Limits)
    prefix: bytes = b""
    refused: Callable[[str], None] = no_count
    callers: Callers = field(init=False)

    def __post_init__(self) -> None:
        self.callers = Callers(self.limits.connections, self.limits.trusted)

    def is_room(self, path: bytes) -> bool:
        """Whether a raw path is one of the rooms' addresses."""
        return path.startswith(self.prefix + b"/ws/") or path.removesuffix(b"/") == self.prefix + b"/collaboration"


class Config(uvicorn.Config):
    """uvicorn's configuration, and the door."""

    def __init__(self, door: Door, app: Any, **settings: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(app, http=HttpSocket, ws=OtherSocket, **settings)
        self.door = door


class TooLong(Exception):
    """The headers are over the limit."""


class HttpSocket(HttpToolsProtocol):
    """uvicorn's HTTP with a bound on whatever comes before a request is whole."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.door = config.door
        self._address: str | None = None
        self._line: Line | None = None
        """A body is given past the transport."""
        self._deadline: asyncio.TimerHandle | None = None
        self._deaf = False
        """A refusal is written: what still comes is dropped until the client hangs up."""
        self._in_body = False
        self._head_came = False
        """Headers were whole in the piece that is parsed: then no timer runs for them at all, as nearly always."""
        self._coming: Coming | None = None
        """The body of the request that came last."""
        self._bodies: dict[RequestResponseCycle, Coming] = {}
        """Of requests that nobody answers yet."""
        self._body_bytes = 0
        """Bytes of the body that have come."""
        self._plain_bytes = 0
        """Bytes of it that still have to come, and that the parser does not see."""
        self._progress = False
        self._head_bytes = 0
        self._held_bytes = 0
        """Bytes that the parser took without giving anything back; it would hold any number of them."""

    # asyncio's protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Count the caller and start its time."""
        self._plain = transport
        super().connection_made(cast("asyncio.Transport", Gathered(transport, self.loop)))
        self._address = self.client[0] if self.client else ""
        count = self.door.callers.enter(self._address)
        limit = self.door.limits.connections
        if count > 2 * limit:
            self._deaf = True
            transport.abort()
        elif count > limit:
            self._turn_away(Refusal(429, f"Only {limit} connections from one address.", ((b"retry-after", b"10"),), "too-many"))
        else:
            self._give_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the caller."""
        self._take_time()
        self._leave()
        super().connection_lost(exc)
        if self._line is not None:
            self._line.wake()

    def data_received(self, data: bytes) -> None:
        """Parse; time runs while headers are awaited."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        if self._plain_bytes:
            data = self._take_plain(data)
            if not data:
                return
        in_head, self._head_came = not self._in_body, False
        self._progress = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._turn_away(self._fault(error))
            return
        if in_head and not self._head_came:
            self._give_time()
        self._held_bytes = 0 if self._progress else self._held_bytes + len(data)
        if self._held_bytes > self.door.limits.header_bytes:
            self._turn_away(self._fault(TooLong()))
        elif self._in_body and (left := _length(self.headers) - self._body_bytes) >= PLAIN:
            self._plain_bytes = left

    def _take_plain(self, data: bytes) -> bytes:
        """A piece of a body as it is; what came behind the body."""
        count = min(len(data), self._plain_bytes)
        self._plain_bytes -= count
        self.on_body(data if count == len(data) else data[:count])
        if self._plain_bytes:
            return b""
        self.on_message_complete()
        # The other one waits for the rest of the body. Set up as uvicorn's.
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return data[count:]

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._head_bytes += len(url)
        if self._head_bytes > self.door.limits.header_bytes:
            raise TooLong
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._head_bytes += len(name) + len(value) + HEADER_EXTRA
        if self._head_bytes > self.door.limits.header_bytes:
            raise TooLong
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request is whole, but for its body."""
        self._progress = self._in_body = True
        self._body_bytes = 0
        before, self._coming = self.cycle, None
        super().on_headers_complete()
        if self.cycle is not before and self.scope["method"] != "GET":
            self._coming = self._bodies[self.cycle] = Coming(self.cycle, self.flow)
        if not self.parser.should_upgrade():
            self._take_time()
            self._head_came = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._progress = True
        self._body_bytes += len(body)
        if self._coming is None:
            super().on_body(body)
        elif not self.cycle.response_complete:
            self._coming.add(body)

    def on_chunk_complete(self) -> None:
        """A chunk of the body ends."""
        self._progress = True

    def on_message_complete(self) -> None:
        """The body ends."""
        self._progress = True
        self._in_body = False
        super().on_message_complete()

    # Bodies past the transport

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - any ASGI application
        super()._start_asgi_task(cycle, cast("Any", partial(self._answer, cycle, app)))

    def _answer(self, cycle: RequestResponseCycle, app: Any, scope: Any, receive: Any, send: Any) -> Coroutine[object, object, None]:  # noqa: ANN401 - as in ASGI
        async def sending(message: Any) -> None:  # noqa: ANN401 - any message
            if message["type"] == GIVING:
                await self._give(cycle, message)
            elif message["type"] == TAKING:
                self._hand_over(cycle, message["begin"])
            else:
                await send(message)

        coming = self._bodies.pop(cycle, None)
        scope["extensions"] = {GIVING: self.flow, TAKING: True, COMING: coming}
        answering: Coroutine[object, object, None] = app(scope, receive if coming is None else coming.receive, sending)
        return answering

    async def _give(self, cycle: RequestResponseCycle, message: dict[str, Any]) -> None:
        """The rest of an answer's body: `count` bytes, which `give` sends as far as they go at once, with how many that were. Nobody is told when the
        other end is gone; what `give` raises ends the connection.
        """
        left: int = message["count"]
        await flushed(self.transport, self.flow.drain)
        if self.transport.is_closing():
            cycle.disconnected = True
            return
        line = self._line = Line(self._plain, self.loop)
        try:
            while left:
                if line.full:
                    await line.writable()
                if line.lost or self.transport.is_closing():
                    cycle.disconnected = True
                    self.transport.close()
                    return
                count = await message["give"](line)
                left -= count
                cycle.expected_content_length -= count
        finally:
            self._line = None
            line.close()
        await cycle.send({"type": "http.response.body", "body": b"", "more_body": False})

    def _hand_over(self, cycle: RequestResponseCycle, begin: Begin) -> None:
        """The connection is a stream's from now on; what the client sends behind its request is dropped."""
        # The server's own part of this request is over, and says nothing.
        cycle.disconnected = True
        if self.transport.is_closing() or self._address is None:
            return
        cast("Gathered", self.transport).flush()
        address, self._address = self._address, None
        self.connections.discard(self)
        # As in `_open_room`.
        self.parser = None  # type: ignore[assignment]
        self._deaf = True
        self.pipeline.clear()
        self._plain.resume_reading()
        EventSocket(self.server_state, partial(self.door.callers.leave, address)).begin(self._plain, begin)

    # Upgrades

    def _unsupported_upgrade_warning(self) -> None:
        """Other protocols (h2c) are simply not switched to: no client can fill the log with that."""

    def _upgrade(self, rest: bytes) -> None:
        """Switch the protocol; `rest` came behind the request, too early but whole."""
        self._take_time()
        if not self._should_upgrade():
            return
        if self._answering():
            self.transport.close()
            return
        try:
            url = httptools.parse_url(self.url)
        except httptools.HttpParserError as error:
            self._turn_away(self._fault(error))
            return
        if self.door.is_room(url.path or b""):
            self._open_room(url.path, url.query or b"", rest)
        else:
            self.ws_protocol_class = cast("type[asyncio.Protocol]", partial(OtherSocket, leave=self._leave))
            self.handle_websocket_upgrade()

    def _open_room(self, path: bytes, query: bytes, rest: bytes) -> None:
        door, limits = self.door, self.door.limits
        handshake = Handshake(path, query, self.headers, self.client, self.scheme or "http")
        answer = accept(self.scope["method"], self.scope["http_version"], self.headers)
        room = RoomSocket(
            self.server_state,
            limit=limits.first_message_bytes,
            close_seconds=limits.close_seconds,
            refused=door.refused,
            leave=partial(door.callers.leave, self._address or ""),
        )
        self.connections.discard(self)
        # It and this one hold each other: both would wait for the collector of garbage.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end of a connection
        self._plain.set_protocol(room)
        room.connection_made(self._plain)
        room.open(handshake, answer, door.open)
        if rest:
            room.data_received(rest)

    # Refusals

    def _fault(self, error: Exception) -> Refusal:
        if isinstance(error, TooLong) or isinstance(error.__context__, TooLong):
            return Refusal(431, f"Address and headers may hold {self.door.limits.header_bytes} bytes.", reason="too-large")
        return Refusal(400, "This is not HTTP/1.1 as RFC 9112 describes it.", reason="malformed")

    def _turn_away(self, refusal: Refusal) -> None:
        """Answer, send no more, and let the client hang up: closing at once would reset TCP, and the answer would be lost."""
        self._deaf = True
        self._take_time()
        self.door.refused(refusal.reason)
        logger.info("refused %s: %d %s", self._address, refusal.status, refusal.reason)
        if self._answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()
            return
        self.transport.write(refusal.response(self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _answering(self) -> bool:
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    def _leave(self) -> None:
        if self._address is not None:
            self.door.callers.leave(self._address)
            self._address = None

    # Time

    def _give_time(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.door.limits.header_seconds, self._late)

    def _take_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._answering():
            self._give_time()  # the next request came too early: its time runs when this answer is given
        else:
            self.door.refused("timeout")
            self.transport.close()


class OtherSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket for everything that is no room; a handshake that cannot be read ends it."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        leave: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._leave = leave

    def data_received(self, data: bytes) -> None:
        """As uvicorn, which waits for ever after a handshake that its parser refused."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the caller."""
        self._leave()
        super().connection_lost(exc)


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Of a body, as the parser understood the headers, names in lower case: it has refused what contradicts itself. 0: it comes in chunks, or there is none."""
    told = dict(headers)
    length = told.get(b"content-length", b"")
    return int(length) if length.isdigit() and b"transfer-encoding" not in told else 0
