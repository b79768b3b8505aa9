"""Rooms for browsers whose network lets no WebSocket through: a connection is opened with a POST, its messages come down as server-sent events and go
up in POSTs (docs/reference/protocol.md).
"""

from __future__ import annotations

import asyncio
import re
from binascii import unhexlify
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.codec import Reader
from collab.dialects import HOCUSPOCUS
from collab.errors import Draining, Malformed, TooLarge, TooMany
from collab.runtime.connection import Caller, Connection
from collab.web.api import visitor_of
from collab.web.callers import Callers
from collab.web.carrier import PIECE, Carrier, Gone
from collab.web.streams import Pieces

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from collab.runtime.rooms import Rooms

KEY: Final = "collab-key"
"""The header with the secret of a connection. Pages of other origins cannot send it, and no log has it."""
BATCH: Final = "collab-batch"
"""The header with the number of a batch of messages, from 1."""
POLL: Final = 20.0
"""Seconds for which an answer waits for events, where each answer must end to arrive."""
IDLE: Final = 15.0
"""Seconds after which a stream without events says that it is alive."""
RANDOM: Final = 18
"""Bytes of an id, and of a key."""
MESSAGES: Final = 1000
"""In a batch."""
_ID: Final = re.compile(r"/transport/(?P<node>[0-9a-f]*)-[0-9a-f]{36}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_STREAM: Final = {
    "Content-Type": "text/event-stream",
    # no-transform and X-Accel-Buffering: proxies are asked to give each event on at once.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}
_ALIVE: Final = b":\n\n"


def node_of(path: str) -> str | None:
    """The node that has the connection which a path names; None: it names none."""
    match = _ID.fullmatch(path)
    try:
        return None if match is None else unhexlify(match["node"]).decode()
    except ValueError:
        return None


class Transport:
    """The connections over plain HTTP, `most` from one address; they live on this `node`. `random` gives that many bytes."""

    def __init__(self, rooms: Rooms, most: int, node: str, random: Callable[[int], bytes], prefix: str) -> None:
        self._rooms = rooms
        self._random = random
        self._metrics = rooms.metrics
        self._node = node.encode().hex()
        self._prefix = prefix
        self._callers = Callers(most)
        self._carriers: dict[str, tuple[bytes, Carrier]] = {}
        self._stopping = False
        rooms.metrics.carried = lambda: sum(not carrier.over for _, carrier in self._carriers.values())

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [
            Route("/transport", self.open, methods=["POST"]),
            Route("/transport/{id}", self.read, methods=["GET"]),
            Route("/transport/{id}", self.write, methods=["POST"]),
            Route("/transport/{id}", self.close, methods=["DELETE"]),
        ]

    def stop(self) -> None:
        """Everybody is told to come back."""
        self._stopping = True
        for _, carrier in tuple(self._carriers.values()):
            carrier.close(1012, "restart: the server restarts, come back in a moment")

    async def open(self, request: Request) -> Response:
        """A new connection: who asks is found out as for a socket, and documents are named and tokens sent in band."""
        visitor = visitor_of(request)
        if self._stopping:
            raise Draining("the server restarts: come back in a moment")
        limit = self._callers.limit
        if self._callers.enter(visitor.address) > limit:
            self._callers.leave(visitor.address)
            raise TooMany(f"only {limit} connections from one address")
        name, key = f"{self._node}-{self._random(RANDOM).hex()}", self._random(RANDOM).hex()

        def left() -> None:
            del self._carriers[name]
            self._callers.leave(visitor.address)

        credentials = "\0".join((visitor.address, request.headers.get("authorization", ""), request.headers.get("cookie", "")))
        caller = Caller(visitor.address, visitor.grant, visitor.refused, sha256(credentials.encode("utf-8", "replace")).hexdigest())
        carrier = Carrier(self._rooms.limits.frame_before, self._metrics.refused, left)
        carrier.name = f"{visitor.address} /transport"
        self._carriers[name] = _digest(key), carrier
        carrier.begin(Connection(self._rooms, carrier, HOCUSPOCUS, caller))
        headers = {"Cache-Control": "no-store", "Location": f"{self._prefix}/transport/{name}"}
        return JSONResponse({"id": name, "key": key}, 201, headers)

    async def read(self, request: Request) -> Response:
        """The messages behind the last one that the client has, as events: a stream, or with `?wait` an answer as soon as there is something."""
        carrier = self._found(request)
        after = _number(request.headers.get("last-event-id", "0"), "Last-Event-ID")
        carrier.check(after)
        if "wait" in request.query_params:
            return Response(await carrier.answer(after, POLL) or _ALIVE, headers=_STREAM)
        self._metrics.resumed += after > 0
        return _Events(carrier.read(after, IDLE))

    async def write(self, request: Request) -> Response:
        """A batch of messages in its turn; when it is answered, the connection has had it, however often it came."""
        carrier = self._found(request)
        seen = request.headers.get("last-event-id")
        if seen is not None:
            carrier.seen(_number(seen, "Last-Event-ID"))
        number = _number(request.headers.get(BATCH, ""), "Collab-Batch")
        carrier.enter()
        try:
            await carrier.take(number, await _messages(request, carrier))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        finally:
            carrier.readers -= 1
        return Response(status_code=204)

    async def close(self, request: Request) -> Response:
        """The client goes."""
        self._found(request).hang_up(1000)
        return Response(status_code=204)

    def _found(self, request: Request) -> Carrier:
        """The connection of an id and its key. Gone, also with the key of another one."""
        known = self._carriers.get(request.path_params["id"])
        given = _digest(request.headers.get(KEY, ""))
        if known is None or not compare_digest(known[0], given):
            raise Gone("this connection is over, or its key is another one: open a new one")
        return known[1]


async def _messages(request: Request, carrier: Carrier) -> list[bytes]:
    """The messages in a body: each with its length before it, as lib0 writes it. Malformed, TooLarge."""
    # What is over the limit by one message is said in the connection's own words.
    most = carrier.limit + PIECE
    try:
        body = b"".join([piece async for piece in Pieces(request, most)])
    except TooLarge:
        raise TooLarge(f"at most {most} bytes are taken at once: send the messages in several batches") from None
    reader, messages = Reader(body), list[bytes]()
    while not reader.done:
        if len(messages) == MESSAGES:
            raise Malformed(f"at most {MESSAGES} messages are taken at once: send them in several batches")
        messages.append(reader.var_bytes())
    return messages


class _Events(Response):
    """A stream of events, until they end or the client hangs up."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        self.status_code = 200
        self.background = None
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in _STREAM.items()]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._events.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # Something at once: what does not arrive in a moment, tells the client that somebody between us holds it back.
        await send({"type": "http.response.body", "body": _ALIVE, "more_body": True})
        async for piece in self._events:
            await send({"type": "http.response.body", "body": piece or _ALIVE, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    """Until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _number(text: str, header: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{header} must be a number")
    return int(text)


def _digest(key: str) -> bytes:
    """Keys are compared as hashes, so that no answer's time tells anything of them."""
    return sha256(key.encode("utf-8", "replace")).digest()


__all__ = ["Transport", "node_of"]
