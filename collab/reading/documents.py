"""Any document's bytes as a rendering: which kind it is, and what is said when it cannot be shown."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from collab.errors import CollabError, Malformed, NotText
from collab.formats import NOTEBOOK_TYPE, is_textual, media_type, notebook, text
from collab.reading.blocks import chunks, rendering
from collab.reading.code import lines
from collab.reading.links import Place
from collab.reading.markdown import Markdown
from collab.reading.marks import unmarked, word
from collab.reading.notebooks import parts as notebook_parts
from collab.reading.tables import SEPARATORS, parts, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collab.reading.blocks import Rendering, Shell

LARGEST: Final = 2 * 2**20
"""Bytes of a text that is rendered; of a notebook, whose outputs are long, eight times as many."""
_NOTEBOOK: Final = 8 * LARGEST
_MARKDOWN: Final = frozenset({"text/markdown", "text/x-r-markdown", "text/x-quarto"})
_PICTURES: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml", "image/bmp", "image/vnd.microsoft.icon"}
)
_PLAIN: Final = frozenset({"text/plain", "text/vtt"})


def largest(path: str) -> int:
    """Bytes of a document of this name that is rendered."""
    return _NOTEBOOK if media_type(path) == NOTEBOOK_TYPE else LARGEST


def needs_body(path: str) -> bool:
    """Whether a document of this name is shown by its bytes; a picture is shown by its address."""
    media = media_type(path)
    return media not in _PICTURES


def render(path: str, prefix: str, body: bytes) -> Rendering:
    """The document as it is read; `prefix` is the path of the public address. Everything that is wrong is said in it."""
    folder, _, name = path.rpartition("/")
    place = Place(prefix, folder)
    media = media_type(path, body[:4096])
    if media in _PICTURES:
        address = f"{prefix}/api/documents/{quote(path, safe='')}/content"
        return rendering("sheet", name, [f'<p class="md-picture"><img src="{escape(address)}" alt="{escape(unmarked(name))}"></p>'])
    if len(body) > largest(path):
        return too_large(path)
    try:
        return _notebook(body, name, place) if media == NOTEBOOK_TYPE else _text(body, name, media, place)
    except NotText:
        return rendering("none", name, [], note=word("binary"))
    except CollabError as error:
        return rendering("none", name, [], note=word("cannot", error.detail))


def too_large(path: str) -> Rendering:
    """What is shown in the place of a document that is too long for a page."""
    return rendering("none", path.rpartition("/")[2], [], note=word("too.large", f"{largest(path) // 2**20} MiB"))


def too_slow(path: str, body: bytes) -> Rendering:
    """A text whose rendering was given up: as it is written."""
    name = path.rpartition("/")[2]
    try:
        source, _, _ = text.decode(body)
    except CollabError:
        return rendering("none", name, [], note=word("binary"))
    return _lined("text", name, (escape(line, quote=False) for line in unmarked(source).split("\n")), note=word("too.slow"))


def _text(body: bytes, name: str, media: str, place: Place) -> Rendering:
    source, _, _ = text.decode(body)
    if media in _MARKDOWN:
        page = Markdown(place).page(source)
        return rendering("sheet", page.title or name, page.parts, language=page.language, note="" if page.parts else word("empty"))
    source = unmarked(source)
    note = "" if source.strip() else word("empty")
    if media in SEPARATORS:
        return _table(source, name, media)
    if media in _PLAIN or not is_textual(media):
        return _lined("text", name, (escape(line, quote=False) for line in source.removesuffix("\n").split("\n")), note=note)
    return _lined("code", name, lines(source.removesuffix("\n"), name=name), note=note)


def _lined(shell: Shell, name: str, every: Iterable[str], *, note: str = "") -> Rendering:
    return rendering(shell, name, ("".join(f"{line}\n" for line in group) for group in chunks(every)), note=note)


def _table(source: str, name: str, media: str) -> Rendering:
    try:
        found, more = rows(source, media)
    except Malformed as error:
        return _lined("text", name, (escape(line, quote=False) for line in source.split("\n")), note=word("table.wrong", error.detail))
    if not found:
        return rendering("none", name, [], note=word("empty"))
    return rendering("table", name, parts(found), note=word("table.more", str(len(found))) if more else "")


def _notebook(body: bytes, name: str, place: Place) -> Rendering:
    try:
        read, _ = notebook.decode(body, _NOTEBOOK)
    except NotText as error:
        source, _, _ = text.decode(body)
        every = (escape(line, quote=False) for line in unmarked(source).split("\n"))
        return _lined("text", name, every, note=word("notebook.wrong", error.detail))
    found, title = notebook_parts(read, place)
    return rendering("sheet", title or name, found, note="" if found else word("empty"))
