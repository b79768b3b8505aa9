"""Names in WOPI headers, which are UTF-7 (RFC 2152), and names of new files beside others."""

from __future__ import annotations

import base64
import binascii
import re
from itertools import count
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 512
"""Characters of a name that a suite may ask for."""
BYTES: Final = 255
"""Bytes of a name in UTF-8 that every file system takes."""
TRIES: Final = 1000
"""Names that are tried until one is free."""

_RUN = re.compile(r"\+([A-Za-z0-9+/]*)(-?)")
_WORD = re.compile(r"[A-Za-z]?[a-z]*|[0-9]+")
_IMPOSSIBLE = re.compile(r"[/\\\x00-\x1f\x7f:*?\"<>|]")
"""What no file system, or some desktop's, has in a name."""
_HIDING = re.compile(r"^(?:\s|\.|~\$)+")
_FORBIDDEN = re.compile(r"[/\x00-\x1f\x7f]")


def from_header(value: str) -> str:
    """The name in a header, whose bytes came as Latin-1. A plus that begins no UTF-7 is a space: some clients form-encode the name as well.

    Malformed for a name of no or over 512 characters.
    """
    name = _utf8(value)
    if name is None:
        name = _utf7(value)
    if not name.strip() or len(name) > LONGEST:
        raise Malformed(f"a name has 1 to {LONGEST} characters")
    return name


def _utf7(value: str) -> str:
    name, at = "", 0
    while (match := _RUN.search(value, at)) is not None:
        found = _decoded(match[1], closed=bool(match[2]))
        name += value[at : match.start()] + (" " if found is None else found)
        at = match.start() + 1 if found is None else match.end()
    return name + value[at:]


def _utf8(value: str) -> str | None:
    """The name that came in UTF-8, as some clients send it; None: it is ASCII. Malformed for what is neither."""
    if value.isascii():
        return None
    try:
        return value.encode("latin-1").decode("utf-8")
    except ValueError as e:
        raise Malformed("the name in the header is neither UTF-7 nor UTF-8") from e


def _decoded(run: str, *, closed: bool) -> str | None:
    """What stands behind `+`, up to `-` or to what is no base64; None when that is no UTF-7, or rather a word behind a space."""
    if not run or (not closed and _WORD.fullmatch(run)):
        return "+" if closed else None
    spare = len(run) * 6 % 16
    try:
        data = base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
        text = data[: len(run) * 6 // 16 * 2].decode("utf-16-be")
    except (binascii.Error, ValueError):
        return None
    rest = int.from_bytes(data[len(run) * 6 // 16 * 2 :], "big")
    return text if text and spare < 6 and not rest else None


def to_header(name: str) -> str:
    """The name for a header."""
    return name.encode("utf-7").decode("ascii")


def split(name: str) -> tuple[str, str]:
    """Stem and extension, with its dot; a name that begins with its only dot is a stem."""
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension) if stem else (name, "")


def check(name: str) -> str:
    """A name that is wanted as it is. Malformed, with the reason, for one that cannot be."""
    if _FORBIDDEN.search(name):
        raise Malformed("a name has no slash and no control characters")
    if name.startswith((".", "~$")):
        raise Malformed("a name that begins with a dot, or with ~$, would be hidden")
    try:
        size = len(name.encode())
    except UnicodeEncodeError as e:
        raise Malformed("half of a surrogate pair is no text") from e
    if size > BYTES:
        raise Malformed(f"a name has at most {BYTES} bytes in UTF-8")
    return name


def suggested(wanted: str, beside: str) -> Iterator[str]:
    """Names to try in turn for what is wanted: `.ext` stands for the stem of the file beside, and what cannot be in a name is replaced."""
    if wanted.startswith(".") and "." not in wanted[1:]:
        wanted = split(beside)[0] + wanted
    return variants(tamed(wanted) or "Document")


def tamed(wanted: str) -> str:
    """What can be a name, as near to what is wanted as it goes; it may be empty."""
    return _HIDING.sub("", _IMPOSSIBLE.sub("_", wanted.encode(errors="replace").decode())).strip()


def variants(name: str) -> Iterator[str]:
    """The name, then `name (2).ext`, `name (3).ext` …, each short enough."""
    stem, extension = split(name)
    yield _fit(stem, extension)
    for number in count(2):
        if number > TRIES:
            return
        yield _fit(stem, f" ({number}){extension}")


def _fit(stem: str, tail: str) -> str:
    end = tail.encode()[-BYTES // 2 :].decode(errors="ignore")
    return stem.encode()[: BYTES - len(end.encode())].decode(errors="ignore") + end
