"""What is attached to a document: files in a folder beside it, named after it; and how its text names them."""

from __future__ import annotations

import json
import re
import unicodedata
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIX: Final = ".assets"
"""`notes.md` has its attachments in `notes.md.assets`, beside it."""
LONGEST: Final = 100
"""Characters of an attachment's name."""
BYTES: Final = 200
"""Bytes of it in UTF-8: file systems take 255, and a number or a mark of a sync client may come to it."""

_BAD: Final = re.compile(r'[\\/:*?"<>|#%\x00-\x1f\x7f]+')
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)
"""What Windows takes for a device, whatever stands behind the dot (Naming Files, Paths, and Namespaces)."""
_SPACE: Final = re.compile(r"\s+")
_ESCAPED: Final = re.compile(r"""[\s()<>%?#\\"'`|&]""")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
"""One of JSON, as it is written."""
_BEFORE: Final = r"(?:(?<=[\s(\[<\"'=:/\\`])|(?<![\s\S]))"
"""What may stand before a name that is a whole one."""


def folder_of(path: str) -> str:
    """Where the attachments of the document at this path are."""
    return path + SUFFIX


def document_of(path: str) -> str | None:
    """The document to which a file belongs that is in such a folder, or the folder itself; None: it belongs to none. The innermost counts."""
    parts = path.split("/")
    for count in range(len(parts), 0, -1):
        name = parts[count - 1]
        if name.endswith(SUFFIX) and len(name) > len(SUFFIX):
            return "/".join([*parts[: count - 1], name[: -len(SUFFIX)]])
    return None


def safe(name: str) -> str:
    """A name that every file system and every address takes, and that people still read: `Größe 1.PNG` becomes `Größe-1.PNG`."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(each for each in _BAD.sub("", last) if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    kept = _SPACE.sub("-", kept.strip().rstrip(". ").lstrip(". "))
    kept = _DEVICE.sub(r"\g<0>-", kept, count=1) if _DEVICE.match(kept) else kept
    kept = _shortened(kept)
    # Else it would be taken for a folder of attachments, and looked for in another document.
    return re.sub(re.escape(SUFFIX) + "$", SUFFIX.replace(".", "-"), kept, flags=re.IGNORECASE) or "file"


def _shortened(name: str) -> str:
    """The name with the end that tells its kind, as far as that is short."""
    stem, dot, end = name.rpartition(".")
    if not dot or len(end.encode()) >= LONGEST // 2:
        stem, dot, end = name, "", ""
    while len(stem) + len(dot + end) > LONGEST or len((stem + dot + end).encode()) > BYTES:
        stem = stem[:-1]
    # What was taken out may have kept two signs apart that are one.
    return unicodedata.normalize("NFC", stem + dot + end)


def numbered(name: str, number: int) -> str:
    """The name, or another one for each number from 2: `plan.png`, `plan-2.png`."""
    if number < 2:
        return name
    stem, dot, end = name.rpartition(".")
    return f"{stem}-{number}{dot}{end}" if stem else f"{name}-{number}"


def escaped(name: str) -> str:
    """As an address in Markdown: what would end it is percent-encoded."""
    return _ESCAPED.sub(lambda sign: quote(sign[0], safe=""), name)


def reference(document: str, name: str) -> str:
    """What the text of the document at this path says of an attachment of it."""
    return escaped(f"{folder_of(document).rpartition('/')[2]}/{name}")


def used_in(text: str, *, as_json: bool = False) -> Callable[[str], bool]:
    """Whether a text, or the strings of one in JSON, names an attachment of this name, in whatever way: more is kept than must be, and nothing goes that
    is needed.
    """
    said = "\n".join(found for _, found in _strings(text)) if as_json else text
    ways = [unicodedata.normalize("NFC", each) for plain in {said, unescape(said)} for each in {plain, unquote(plain, errors="replace")}]

    def used(name: str) -> bool:
        wanted = unicodedata.normalize("NFC", f"{SUFFIX}/{name}")
        return any(wanted in each for each in ways)

    return used


def _strings(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Those that may name an attachment: where each is, and what it says."""
    for found in _STRING.finditer(text):
        if SUFFIX in found[0]:
            try:
                yield found, json.loads(found[0])
            except ValueError:
                continue


def renamed(text: str, before: str, after: str) -> str:
    """The text of a document that had the file name `before` and has `after` now: what it says of its attachments leads to where they are."""
    new = escaped(after + SUFFIX) + "/"
    ways = sorted({each + "/" for each in (before + SUFFIX, escaped(before + SUFFIX), quote(before + SUFFIX))}, key=len, reverse=True)
    return re.sub(_BEFORE + "(?:" + "|".join(map(re.escape, ways)) + ")", lambda _: new, text)


def renamed_in_json(text: str, before: str, after: str) -> str:
    """The same in the strings of a text in JSON, whose other bytes stay as they are."""
    pieces, at = [], 0
    for found, said in _strings(text):
        then = renamed(said, before, after)
        if then != said:
            pieces += [text[at : found.start()], json.dumps(then, ensure_ascii=found[0].isascii())]
            at = found.end()
    return "".join([*pieces, text[at:]])
