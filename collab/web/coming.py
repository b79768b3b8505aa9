"""A request's body as it comes: the pieces that were read, one after the other, and no buffer that they are copied into."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HELD: Final = 256 * 1024
"""Bytes that wait for whoever answers until no more are read."""


class Coming:
    """The body of the request that `cycle` is, on a connection that `flow` pauses."""

    __slots__ = ("_cycle", "_flow", "_pieces", "_size")

    def __init__(self, cycle: RequestResponseCycle, flow: FlowControl) -> None:
        self._cycle = cycle
        self._flow = flow
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, piece: bytes) -> None:
        """One more piece has come."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > HELD:
            self._flow.pause_reading()
        self._cycle.message_event.set()

    @property
    def ready(self) -> bool:
        """Whether a piece waits: `receive` gives it at once."""
        return bool(self._pieces)

    async def receive(self) -> Any:  # noqa: ANN401 - a message of ASGI
        """As in ASGI. Whom nothing waits for, uvicorn tells: whether that was all, and whether the client is gone."""
        cycle, pieces = self._cycle, self._pieces
        while not pieces or cycle.disconnected or cycle.response_complete:
            message = await cycle.receive()
            if not pieces or message["type"] != "http.request":
                return message
        piece = pieces.popleft()
        self._size -= len(piece)
        if not pieces:
            cycle.message_event.clear()
        if self._size <= HELD:
            self._flow.resume_reading()
        return {"type": "http.request", "body": piece, "more_body": cycle.more_body or bool(pieces)}
