"""Where the links and pictures of a document lead, as the page's preview has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

Kind: TypeAlias = Literal["anchor", "document", "folder", "outside", "mail", "picture", "nowhere"]

PREFIX: Final = "user-content-"
"""Ids of the text begin with it, as at GitHub, so that none is one of the page's."""
# What browsers leave out of addresses, so that "java\nscript:" is the same as without it.
_IGNORED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_PICTURE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp|avif);base64,[a-z0-9+/=]+", re.IGNORECASE)
_LOCAL: Final = re.compile(r"([^?#]*)(?:\?[^#]*)?(?:#(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Target:
    """`to` is an address, a path below the root, or an anchor's id, decoded; `anchor` is one within a document."""

    kind: Kind
    to: str = ""
    anchor: str = ""


NOWHERE: Final = Target("nowhere")


_ATTACHED: Final = re.compile(r"(?:.*/)?[^/]+\.assets/[^/]+", re.DOTALL)
"""What lies in the folder of a document's attachments: read with the document, and no document to be opened."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is: the path of the public address, and the document's folder (empty: the root)."""

    prefix: str
    folder: str

    def link(self, href: str) -> str | None:
        """The address for a link; None: it leads nowhere."""
        target = target_of(href, self.folder)
        if target.kind == "anchor":
            return "#" + quote(PREFIX + target.to)
        if target.kind == "document" and _ATTACHED.fullmatch(target.to):
            return self._content(target)
        if target.kind == "document":
            return f"{self.prefix}/v/{quote(target.to)}" + (f"#{quote(PREFIX + target.anchor)}" if target.anchor else "")
        if target.kind == "folder":
            return f"{self.prefix}/?path={quote(target.to)}"
        return target.to if target.kind in {"outside", "mail"} else None

    def picture(self, src: str) -> str | None:
        """The address for a picture; None: it is none of ours, and is not loaded."""
        target = target_of(src, self.folder)
        if target.kind == "document":
            return self._content(target)
        return target.to if target.kind == "picture" else None

    def _content(self, target: Target) -> str:
        return f"{self.prefix}/api/documents/{quote(target.to, safe='')}/content"


def target_of(href: str, folder: str) -> Target:
    """Where a link in a document of this folder leads."""
    clean = _IGNORED.sub("", href).strip()
    scheme = _SCHEME.match(clean)
    if scheme is not None:
        return _schemed(clean, scheme[1].lower())
    if re.match(r"[/\\]{2}", clean):  # a browser takes these for another host, with either slash
        return _outside("https:" + clean.replace("\\", "/"))
    if clean.startswith("#"):
        return Target("anchor", _decoded(clean[1:]))
    return _local(clean, folder)


def _schemed(clean: str, scheme: str) -> Target:
    if scheme in {"http", "https"}:
        return _outside(clean)
    if scheme in {"mailto", "tel"}:
        return Target("mail", clean)
    return Target("picture", clean) if scheme == "data" and _PICTURE.fullmatch(clean) else NOWHERE


def _outside(url: str) -> Target:
    try:
        return Target("outside", url) if urlsplit(url).hostname else NOWHERE
    except ValueError:
        return NOWHERE


def _local(href: str, folder: str) -> Target:
    found = _LOCAL.fullmatch(href)
    way, anchor = (found[1], found[2] or "") if found else ("", "")
    if not way:
        return NOWHERE
    named = _decoded(way)
    parts = [] if named.startswith("/") else [part for part in folder.split("/") if part]
    for part in named.split("/"):
        if part == "..":
            if not parts:
                return NOWHERE
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    path = "/".join(parts)
    if not path or re.search(r"(?:^|/)\.{0,2}$", named):
        return Target("folder", path)
    return Target("document", path, _decoded(anchor))


def _decoded(text: str) -> str:
    try:
        return _IGNORED.sub("", unquote(text, errors="strict"))
    except UnicodeDecodeError:
        return text
