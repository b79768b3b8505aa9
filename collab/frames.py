"""WebSocket frames (RFC 6455, section 5): the server's are written here, a client's are read strictly.

Only binary messages are spoken. Extensions are never negotiated, so that each reserved bit is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, TypeAlias

from collab.errors import CollabError, Malformed, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FINAL, RESERVED, OPCODE, CONTROL, MASKED = 0x80, 0x70, 0x0F, 0x08, 0x80
OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
FINAL_BINARY = FINAL | BINARY
CONTROL_BYTES = 125
REASON_BYTES = CONTROL_BYTES - 2
LONG = 0x10000
"""From this length on a payload is looked at through a memoryview: one copy less."""

Unmask: TypeAlias = "Callable[[bytes | bytearray | memoryview, bytes | bytearray], bytes]"
"""The XOR of section 5.3; `websockets` has a compiled one."""

NO_STATUS = 1005
"""What a close frame without a code means (section 7.1.5); never sent."""

SHORT_HEADER = Struct("!BB")
MIDDLE_HEADER = Struct("!BBH")
LONG_HEADER = Struct("!BBQ")
UINT16 = Struct("!H")
_HEADERS = tuple(bytes((FINAL_BINARY, length)) for length in range(CONTROL_BYTES + 1))
EXTENDED = {126: (2, 126, Struct("!H")), 127: (8, LONG, Struct("!Q"))}
"""Length field -> bytes of the extended length, the smallest length that may use it, its form (section 5.2)."""


class BadFrame(Malformed):
    """A frame that section 5 forbids."""

    close_code = 1002
    reason = "frame"


class NotBinary(Malformed):
    """A text message: no dialect has any."""

    close_code = 1003
    reason = "not-binary"


class NotUtf8(Malformed):
    """A close reason that is not UTF-8 (section 8.1)."""

    close_code = 1007
    reason = "not-utf8"


class MessageTooBig(TooLarge):
    """A message over the limit; told from its header, before it is read."""

    close_code = 1009


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping; a pong with the same payload is due (section 5.5.2)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Closing:
    """The peer's close frame; nothing after it counts (section 5.5.1)."""

    code: int
    reason: str


def frame(payload: bytes) -> bytes:
    """One final binary frame of the server: not masked, the shortest header."""
    length = len(payload)
    return _HEADERS[length] + payload if length <= CONTROL_BYTES else _frame(BINARY, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping of at most 125 bytes."""
    return _frame(PONG, payload)


def payloads(frames: bytes) -> Iterator[bytes]:
    """What is in frames that `frame` made, one behind the other."""
    position, end = 0, len(frames)
    while position < end:
        length = frames[position + 1]
        position += 2
        if length > CONTROL_BYTES:
            size = 2 if length == 126 else 8
            length = int.from_bytes(frames[position : position + size], "big")
            position += size
        yield frames[position : position + length]
        position += length


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to 123 bytes of whole UTF-8 characters. `NO_STATUS` makes an empty one."""
    if code == NO_STATUS:
        return _frame(CLOSE, b"")
    words = reason.encode("utf-8", "replace")[:REASON_BYTES].decode("utf-8", "ignore").encode()
    return _frame(CLOSE, UINT16.pack(code) + words)


def _frame(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return SHORT_HEADER.pack(FINAL | opcode, length) + payload
    if length < LONG:
        return MIDDLE_HEADER.pack(FINAL | opcode, 126, length) + payload
    return LONG_HEADER.pack(FINAL | opcode, 127, length) + payload


class ClientFrames:
    """One client's frames, cut out of the pieces that its socket brings; holds at most one frame and one message.

    `limit` (bytes of a message, at least 125) may be changed between two messages, also of the same piece.
    """

    __slots__ = ("_fragmented", "_held", "_message", "_needed", "_unmask", "ended", "limit")

    def __init__(self, limit: int, unmask: Unmask) -> None:
        self.limit = limit
        self.ended = False
        """A close frame or an error has come: everything later is dropped."""
        self._unmask = unmask
        self._held = bytearray()
        self._needed = 0
        self._message = bytearray()
        self._fragmented = False

    def whole(self, piece: bytes) -> bytes | None:
        """The message of a piece that is one common frame and nothing else: final, binary, masked, at most 125 bytes. None: `receive` tells."""
        size = len(piece) - 6
        if (
            0 <= size <= CONTROL_BYTES
            and piece[0] == FINAL_BINARY
            and piece[1] == MASKED | size
            and not (self._held or self._fragmented or self.ended)
        ):
            return self._unmask(piece[6:], piece[2:6])
        return None

    def receive(self, piece: bytes) -> Iterator[bytes | Ping | Closing]:
        """What the piece completes, in order: whole messages, pings, the end. Pongs are nothing.

        Must be exhausted. Raises `BadFrame`, `NotBinary`, `NotUtf8`, `MessageTooBig` after everything before the fault is given.
        """
        if self.ended:
            return
        data: bytes | bytearray = piece
        if self._held:
            self._held += piece
            if len(self._held) < self._needed:
                return
            data, self._held = self._held, bytearray()
        try:
            yield from self._frames(data)
        except CollabError:
            self.ended = True
            raise

    def forget(self) -> None:
        """Drop what is held: the connection is over."""
        self.ended = True
        self._held = bytearray()
        self._message = bytearray()

    def _frames(self, data: bytes | bytearray) -> Iterator[bytes | Ping | Closing]:
        unmask = self._unmask
        position, size = 0, len(data)
        while position < size and not self.ended:
            start = position + 6
            # The common frame goes no further than here: final, binary, masked, at most 125 bytes, whole.
            if start <= size and data[position] == FINAL_BINARY and not self._fragmented:
                length = data[position + 1] - MASKED
                stop = start + length
                if 0 <= length <= CONTROL_BYTES and stop <= size:
                    yield unmask(data[start:stop], data[position + 2 : start])
                    position = stop
                    continue
            payload = self._extent(data, position)
            if payload is None or payload.stop > size:
                self._hold(data, position, payload)
                return
            event = self._event(data, data[position], payload)
            position = payload.stop
            if event is not None:
                yield event

    def _hold(self, data: bytes | bytearray, position: int, payload: range | None) -> None:
        if payload is not None:
            self._needed = payload.stop - position
        self._held = data if isinstance(data, bytearray) and not position else bytearray(data[position:])

    def _extent(self, data: bytes | bytearray, position: int) -> range | None:
        """Where the payload of the frame at `position` lies; None when more of the header is needed. Every rule on headers is checked."""
        first, available = data[position], len(data) - position
        self._check_first(first)
        self._needed = 2
        if available < 2:
            return None
        second = data[position + 1]
        if second < MASKED:
            raise BadFrame("a client's frame must be masked")
        length = second & ~MASKED
        extra = 0
        if length > CONTROL_BYTES:
            if first & CONTROL:
                raise BadFrame("a control frame holds at most 125 bytes")
            extra, least, form = EXTENDED[length]
            self._needed = 2 + extra
            if available < self._needed:
                return None
            length = form.unpack_from(data, position + 2)[0]
            self._check_length(length, least)
        if not first & CONTROL and len(self._message) + length > self.limit:
            raise MessageTooBig(f"a message may hold {self.limit} bytes")
        start = position + 6 + extra
        return range(start, start + length)

    def _check_first(self, first: int) -> None:
        opcode = first & OPCODE
        if first & RESERVED or opcode not in OPCODES:
            raise BadFrame("reserved bits or opcode")
        if opcode & CONTROL:
            if not first & FINAL:
                raise BadFrame("a control frame may not be fragmented")
        elif self._fragmented != (opcode == CONTINUATION):
            raise BadFrame("a continuation without a beginning" if opcode == CONTINUATION else "a message inside a message")
        elif opcode == TEXT:
            raise NotBinary("text messages are not spoken here")

    @staticmethod
    def _check_length(length: int, least: int) -> None:
        if length >> 63:
            raise BadFrame("a length has 63 bits")
        if length < least:
            raise BadFrame("a length must be written in its shortest form")

    def _event(self, data: bytes | bytearray, first: int, extent: range) -> bytes | Ping | Closing | None:
        start, stop = extent.start, extent.stop
        masked = memoryview(data)[start:stop] if len(extent) >= LONG else data[start:stop]
        payload = self._unmask(masked, data[start - 4 : start])
        if first & CONTROL:
            return self._control(first & OPCODE, payload)
        if first == FINAL_BINARY:
            return payload
        self._message += payload
        self._fragmented = not first & FINAL
        if self._fragmented:
            return None
        message, self._message = self._message, bytearray()
        return bytes(message)

    def _control(self, opcode: int, payload: bytes) -> Ping | Closing | None:
        if opcode == PONG:
            return None
        if opcode == PING:
            return Ping(payload)
        self.ended = True
        return read_closing(payload)


def read_closing(payload: bytes) -> Closing:
    """The body of a close frame (section 5.5.1). Raises `BadFrame` and `NotUtf8`."""
    if not payload:
        return Closing(NO_STATUS, "")
    if len(payload) < 2:
        raise BadFrame("a close code has two bytes")
    code = UINT16.unpack_from(payload)[0]
    if not sendable(code):
        raise BadFrame(f"close code {code} may not be sent")
    try:
        return Closing(code, payload[2:].decode())
    except UnicodeDecodeError as e:
        raise NotUtf8("a close reason must be UTF-8") from e


def sendable(code: int) -> bool:
    """Whether a close frame may carry the code (section 7.4, and the codes that IANA has registered since)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
