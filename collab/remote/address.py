"""Where a document is: its server's address and its name, from what people have at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from collab.errors import Malformed
from collab.settings import is_loopback

PAGES: Final = ("/edit/", "/present/")
_API = "/api/documents/"
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Address:
    """A document of a server. `base` has no slash at its end; `name` is a path or an id, as it is."""

    base: str
    name: str

    @property
    def url(self) -> str:
        """The document's resource."""
        return f"{self.base}{_API}{quote(self.name, safe=':')}"

    @property
    def secure(self) -> bool:
        """Whether nobody on the way can read a token: TLS, or the same machine."""
        split = urlsplit(self.base)
        return split.scheme == "https" or is_loopback(split.hostname or "")


def parse(where: str, base: str = "") -> Address:
    """The address of a page or a resource, or, with `base` (the server's address), the name of a document. Malformed."""
    if "://" not in where:
        if not base:
            raise Malformed(f"{where!r} is no address: give that of the document's page, or the server's in COLLAB_URL")
        return Address(_checked(base), where)
    path = urlsplit(where).path
    for mark in PAGES:
        front, found, name = path.partition(mark)
        if found and name:
            return _address(where, front, unquote(name))
    front, found, rest = path.partition(_API)
    name = rest.partition("/")[0]
    if not found or not name:
        raise Malformed(f"{where} is not the address of a document: copy that of its page, with /edit/ in it")
    return _address(where, front, unquote(name))


def _address(where: str, front: str, name: str) -> Address:
    split = urlsplit(where)
    return Address(_checked(f"{split.scheme}://{split.netloc}{front}", split.query), name)


def _checked(base: str, query: str = "") -> str:
    """The server's address as requests need it."""
    try:
        split = urlsplit(base)
        port = split.port
    except ValueError as error:
        raise Malformed(f"{base!r} is no address: {error}") from error
    if split.scheme not in {"http", "https"} or not split.hostname:
        raise Malformed(f"{base!r} is not the address of a server: it begins with https:// (or http:// on this machine)")
    if split.username is not None or "token" in parse_qs(query):
        raise Malformed("no token or password in an address: others see it there; use COLLAB_TOKEN or --token-file")
    host = split.hostname.encode("idna").decode() if not split.hostname.isascii() else split.hostname
    host = f"[{host}]" if ":" in host else host
    path = quote(unquote(split.path), safe="/~").rstrip("/")
    if _UNSAFE.search(host):
        raise Malformed(f"{base!r} is no address")
    return f"{split.scheme}://{host}{f':{port}' if port else ''}{path}"
