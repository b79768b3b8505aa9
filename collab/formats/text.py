"""File bytes to shared text and back: the shared text holds only LF; byte order mark and line ends are remembered beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.errors import Malformed, NotText, TooLarge
from collab.formats.offsets import Unit, length
from collab.merge import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKS = 65_536
"""Line ends that differ from the commonest, at most: each one moves with every edit."""
_BOM = b"\xef\xbb\xbf"
_ENDINGS = ("\n", "\r\n", "\r")
_OTHER_ENDINGS = {
    "\n": re.compile(rb"\r\n?"),
    "\r\n": re.compile(rb"\r(?!\n)|(?<!\r)\n"),
    "\r": re.compile(rb"\r?\n"),
}
_NULS = re.compile("\0+")
_RETURNS = re.compile(r"(\r+)(\n?)")


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written: with a byte order mark or without, and its commonest line end."""

    bom: bool = False
    eol: str = "\n"

    def to_json(self) -> dict[str, object]:
        """A JSON object that `from_json` reads."""
        return {"bom": self.bom, "eol": self.eol}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Form:
        """Inverse of `to_json`; raises `Malformed`."""
        bom, eol = value.get("bom"), value.get("eol")
        if not isinstance(bom, bool) or not isinstance(eol, str) or eol not in _ENDINGS:
            raise Malformed(f"not the form of a text file: {dict(value)!r}")
        return cls(bom, eol)


@dataclass(frozen=True, slots=True)
class Mark:
    """A line end that is not the commonest one: the place of its LF in the shared text, and how the file writes it."""

    utf16: int
    utf8: int
    ending: str


def decode(body: bytes) -> tuple[str, Form, list[Mark]]:
    """The shared text of a file, its form, and the line ends that differ from the form's, in order.

    The form's line end is the commonest one, LF when several are as common or there is none. Raises `NotText` for bytes that
    are not strict UTF-8, and for NUL; `TooLarge` for too many marks.
    """
    text = _strict(body)
    bom = body.startswith(_BOM)
    if bom:
        text, body = text[1:], body[len(_BOM) :]
    if b"\r" not in body:
        return text, Form(bom), []
    crlf = body.count(b"\r\n")
    counts = {"\n": body.count(b"\n") - crlf, "\r\n": crlf, "\r": body.count(b"\r") - crlf}
    most = max(counts.values())
    eol = "\n" if list(counts.values()).count(most) > 1 else max(counts, key=lambda ending: counts[ending])
    if sum(counts.values()) - most > MARKS:
        raise TooLarge(f"more than {MARKS} lines end otherwise than the others: make the file's line ends the same first")
    marks = _marks(body, eol) if most < sum(counts.values()) else []
    return text.replace("\r\n", "\n").replace("\r", "\n"), Form(bom, eol), marks


def encode(text: str, form: Form, marks: Mapping[int, str] | None = None) -> bytes:
    """The file of a shared text: the inverse of `decode`, byte for byte.

    `marks` are line ends by the UTF-8 offset of their LF (`Mark.utf8`); what is not at an LF (its line end is deleted), or is
    no line end, does not count. An LF that an edit put right behind a CR is written as CRLF: the two would be read as one.
    """
    raw = text.encode()
    eol = form.eol.encode()
    pieces = [_BOM] if form.bom else []
    end = 0
    for place in sorted(place for place, ending in (marks or {}).items() if ending in _ENDINGS and raw[place : place + 1] == b"\n"):
        _write(pieces, raw[end:place].replace(b"\n", eol))
        _write(pieces, (marks or {})[place].encode())
        end = place + 1
    _write(pieces, raw[end:].replace(b"\n", eol))
    return b"".join(pieces)


def carriage_returns(text: str) -> list[Edit]:
    """Edits, as those of `merge.edits`, that take out what a client may insert and no shared text may hold: CRLF becomes LF, and so
    does a lone CR.
    """
    if "\r" not in text:
        return []
    found = []
    place = done = 0
    for match in _RETURNS.finditer(text):
        returns, feed = match.groups()
        place += length(text[done : match.start()], Unit.UTF8)
        found.append(Edit(place, place + len(returns), "\n" * (len(returns) - len(feed))))
        place, done = place + len(returns), match.end(1)
    return found


def nuls(text: str) -> list[Edit]:
    """Edits that take out NUL: a file with one in it is no text any more."""
    if "\0" not in text:
        return []
    found = []
    place = done = 0
    for match in _NULS.finditer(text):
        place += length(text[done : match.start()], Unit.UTF8)
        found.append(Edit(place, place + len(match[0]), ""))
        place, done = place + len(match[0]), match.end()
    return found


def _strict(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotText("it is UTF-16, not UTF-8")
    nul = body.find(b"\0")
    if nul >= 0:
        raise NotText(f"byte 0x00 at offset {nul} is not text")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise NotText(f"byte 0x{body[error.start]:02X} at offset {error.start} is not UTF-8") from error


def _marks(body: bytes, eol: str) -> list[Mark]:
    marks = []
    utf8 = utf16 = end = 0
    ascii_only = body.isascii()
    for match in _OTHER_ENDINGS[eol].finditer(body):
        between = body[end : match.start()]
        size = len(between)
        folded = between.count(b"\r\n")
        utf8 += size - folded
        utf16 += (size if ascii_only else length(between.decode(), Unit.UTF16)) - folded
        marks.append(Mark(utf16, utf8, match.group().decode()))
        utf8, utf16, end = utf8 + 1, utf16 + 1, match.end()
    return marks


def _write(pieces: list[bytes], piece: bytes) -> None:
    if not piece:
        return
    if piece.startswith(b"\n") and pieces and pieces[-1].endswith(b"\r"):
        pieces.append(b"\r")
    pieces.append(piece)
