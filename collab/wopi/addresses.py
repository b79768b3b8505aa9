"""The addresses of the WOPI host: made from the settings and ids, never from what a request says of itself, so that they outlive renames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlencode

ROOT: Final = "root"
"""The key of the folder that holds everything."""
_ID: Final = "id:"


@dataclass(frozen=True, slots=True)
class Addresses:
    """`base` is where office suites reach this server, with its prefix and without a slash at the end; `public` where people do."""

    base: str
    public: str

    def file(self, document: str) -> str:
        """The WOPISrc of a file."""
        return f"{self.base}/wopi/files/{key_of(document)}"

    def container(self, folder: str) -> str:
        """The same of a folder; the root has the empty id."""
        return f"{self.base}/wopi/containers/{key_of(folder)}"

    @property
    def ecosystem(self) -> str:
        """Where the whole begins."""
        return f"{self.base}/wopi/ecosystem"

    def folder(self, path: str) -> str:
        """Where people see a folder."""
        return f"{self.public}/?{urlencode({'path': path})}" if path else f"{self.public}/"

    def page(self, path: str) -> str:
        """Where people edit a document in the browser."""
        return f"{self.public}/edit/{quote(path, safe='')}"


def with_token(address: str, token: str) -> str:
    """An address that works as it is."""
    return f"{address}?{urlencode({'access_token': token})}"


def key_of(identity: str) -> str:
    """An id as one segment of an address that no client writes in another way."""
    return quote(identity.removeprefix(_ID), safe="") if identity else ROOT


def id_of(key: str) -> str:
    """The id of a segment."""
    if key == ROOT:
        return ""
    named = unquote(key)
    return _ID + named if len(named) == 26 and named.isascii() and named.isalpha() and named.islower() else named
