"""A stream of events to one reader (HTML standard, section 9.2): our own protocol class on uvicorn's transport, since a task and a request's state for
each of thousands of readers would cost more than all that they are sent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, cast

from starlette.responses import Response

from collab.runtime.following import event

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send
    from uvicorn.server import ServerState

    from collab.runtime.following import Follower, Line

TAKING: Final = "collab.connection.taken"
"""The ASGI extension, and the message, by which an answer takes its connection over (`collab.web.door`)."""
HIGH_WATER: Final = 64 * 1024
"""Bytes in the transport at which a reader counts as not reading."""
LOW_WATER: Final = 4 * 1024
CLOSE_SECONDS: Final = 5.0
"""For a reader to take what is written when its stream ends."""
PATIENCE: Final = 60.0
"""Seconds for which a reader may take nothing at all: then it comes back, or is gone."""
HEADERS: Final = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),
    ("x-content-type-options", "nosniff"),
)


class Begin(Protocol):
    """Makes a follower of a line."""

    def __call__(self, line: Line) -> Follower:
        """Who reads on this line; it is written to at once."""


class EventSocket(asyncio.Protocol):
    """The connection of one reader: what `Line` describes, and asyncio's protocol. `leave` is called when TCP is over."""

    __slots__ = ("_closing", "_deadline", "_follower", "_leave", "_state", "_transport")

    def __init__(self, state: ServerState, leave: Callable[[], None]) -> None:
        self._state = state
        self._leave = leave
        self._follower: Follower | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closing = False

    def begin(self, transport: asyncio.Transport, begin: Begin) -> None:
        """Take the connection over, and answer."""
        self._transport = transport
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn calls its shutdown() and counts it, no more
        head = [b"HTTP/1.1 200 OK", *(name + b": " + value for name, value in self._state.default_headers)]
        head += [f"{name}: {value}".encode("latin-1") for name, value in (*HEADERS, ("connection", "close"))]
        transport.write(b"\r\n".join((*head, b"", b"")))
        self._follower = begin(self)

    # What the follower sees

    def write(self, data: bytes) -> None:
        """Write at once; nothing happens after close."""
        if not self._closing:
            self._transport.write(data)

    def close(self) -> None:
        """Behind what is written."""
        if not self._closing:
            self._closing = True
            self._give_time(CLOSE_SECONDS)
            self._transport.close()

    # What asyncio and uvicorn see

    def data_received(self, data: bytes) -> None:
        """A reader has nothing to say."""

    def eof_received(self) -> None:
        """The reader hangs up."""
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature; how it was lost makes no difference
        """TCP is over."""
        self._closing = True
        self._take_time()
        self._state.connections.discard(self)
        self._leave()
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.leave()

    def pause_writing(self) -> None:
        """The reader does not read."""
        self._give_time(PATIENCE)
        if self._follower is not None:
            self._follower.pause()

    def resume_writing(self) -> None:
        """The reader reads again."""
        if not self._closing:
            self._take_time()
            if self._follower is not None:
                self._follower.resume()

    def shutdown(self) -> None:
        """The server stops (called by uvicorn)."""
        self.write(event("ended", {"reason": "restart", "status": 503, "detail": "The server restarts; come back in a moment."}))
        self.close()

    def _give_time(self, seconds: float) -> None:
        self._take_time()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _take_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Stream(Response):
    """An answer that is a stream. Where the connection can be taken over it is, else (on behalf of another node) it is an ASGI answer."""

    def __init__(self, begin: Begin) -> None:
        super().__init__(headers=dict(HEADERS))
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the reader goes, or is sent away; at once where the connection is taken over."""
        if TAKING in scope.get("extensions", {}):
            await send({"type": TAKING, "begin": self._begin})
        else:
            await _Passed(self._begin).run(receive, send)


class _Passed:
    """The line of a reader whose connection is another node's."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self._closed = False
        self._follower: Follower | None = None

    def write(self, data: bytes) -> None:
        if self._closed:
            return
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > HIGH_WATER and self._follower is not None and not self._follower.stuck:
            self._follower.pause()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    async def run(self, receive: Receive, send: Send) -> None:
        gone = asyncio.get_running_loop().create_task(self._gone(receive))
        headers = [(name.encode(), value.encode()) for name, value in HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        follower = self._follower = self._begin(cast("Line", self))
        try:
            while not self._closed or self._waiting:
                await self._news.wait()
                self._news.clear()
                waiting, self._waiting, self._size = self._waiting, [], 0
                if waiting:
                    await send({"type": "http.response.body", "body": b"".join(waiting), "more_body": True})
                if follower.stuck:
                    follower.resume()
            await send({"type": "http.response.body", "body": b""})
        finally:
            follower.leave()
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._waiting.clear()
        self.close()
