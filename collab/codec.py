"""Strict lib0 primitives: numbers of 7 bits a byte, low first; byte strings and UTF-8 strings with their length before them.

Short data, data left over, numbers over their bound and numbers with padding (`80 00` for 0; no encoder makes it) are `Malformed`.
"""

from __future__ import annotations

from collab.errors import Malformed

SAFE = 2**53 - 1
"""The greatest number that a browser holds exactly, and so the greatest client id."""


class Reader:
    """A place in `data` that moves forward with each read."""

    __slots__ = ("data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def done(self) -> bool:
        """True when nothing is left."""
        return self.position >= len(self.data)

    def byte(self) -> int:
        """The next byte."""
        position = self.position
        try:
            value = self.data[position]
        except IndexError:
            raise Malformed("The data ends too early.") from None
        self.position = position + 1
        return value

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        start = self.position
        end = start + length
        if end > len(self.data):
            raise Malformed(f"The data ends too early: {length} bytes are announced, {len(self.data) - start} are there.")
        self.position = end
        return self.data[start:end]

    def var_uint(self, bound: int = SAFE) -> int:
        """The next number, at most `bound`."""
        data = self.data
        position = self.position
        try:
            value = data[position]
            position += 1
            if value > 0x7F:
                value &= 0x7F
                shift = 7
                while (byte := data[position]) > 0x7F:
                    value |= (byte & 0x7F) << shift
                    position += 1
                    shift += 7
                    if shift > 63:
                        raise Malformed("A number of more than 64 bits.")
                if not byte:
                    raise Malformed("A number with padding.")
                value |= byte << shift
                position += 1
        except IndexError:
            raise Malformed("The data ends inside a number.") from None
        if value > bound:
            raise Malformed(f"The number {value} is over {bound}.")
        self.position = position
        return value

    def var_bytes(self) -> bytes:
        """The next byte string."""
        return self.take(self.var_uint())

    def var_string(self) -> str:
        """The next string."""
        try:
            return self.take(self.var_uint()).decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"A string that is not UTF-8: {error.reason}.") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self.position < len(self.data):
            raise Malformed(f"{len(self.data) - self.position} bytes are left over.")


def var_uint(number: int) -> bytes:
    """A number from 0 on; a negative one is a ValueError."""
    if 0 <= number < 0x80:
        return _SINGLE[number]
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def var_bytes(data: bytes) -> bytes:
    """The bytes with their number before them."""
    length = len(data)
    return _SINGLE[length] + data if length < 0x80 else var_uint(length) + data


def var_string(text: str) -> bytes:
    """UTF-8 with the number of its bytes before it; a lone surrogate is a UnicodeEncodeError."""
    return var_bytes(text.encode())


_SINGLE = tuple(bytes((number,)) for number in range(0x80))
