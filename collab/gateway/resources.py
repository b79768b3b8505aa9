"""What a CS3 storage has, as values of ours: resources and their ids, references, permissions, locks, versions, what is in the bin, spaces, users."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "file"
FOLDER: Final = "folder"
OTHER: Final = "other"
"""References, links and whatever else has no bytes of its own."""


@dataclass(frozen=True, slots=True)
class ResourceId:
    """What stays when a resource is moved. As a string `storage$space!opaque`; servers without spaces have no space: `storage!opaque`."""

    storage: str
    space: str
    opaque: str

    def __str__(self) -> str:
        return f"{self.storage}${self.space}!{self.opaque}" if self.space else f"{self.storage}!{self.opaque}"

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """From the string; a space's id without `!opaque` is the space's root. Raises `Malformed`."""
        before, mark, opaque = text.partition("!")
        storage, dollar, space = before.partition("$")
        if not storage or (dollar and not space) or (mark and not opaque) or not (dollar or mark):
            raise Malformed(f"no id of a resource, which reads storage$space!opaque: {text}")
        return cls(storage, space, opaque or space)

    @property
    def document(self) -> str:
        """The id that we give it: `id:` and 26 letters, derived from the string."""
        number = int.from_bytes(sha256(str(self).encode("utf-8", "surrogatepass")).digest())
        letters = ""
        for _ in range(26):
            number, digit = divmod(number, 26)
            letters += string.ascii_lowercase[digit]
        return f"id:{letters}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource, or a path under one (`/` between parts, none at the ends); with no id, an absolute path of the server."""

    id: ResourceId | None
    path: str = ""

    def __str__(self) -> str:
        return f"{self.id}/{self.path}".rstrip("/") if self.id else f"/{self.path}"

    def below(self, *parts: str) -> Reference:
        """What is under it."""
        return Reference(self.id, "/".join([*([self.path] if self.path else []), *parts]))


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the caller may do, and nobody else: no call tells another user's permission."""

    stat: bool = False
    list: bool = False
    download: bool = False
    upload: bool = False
    create: bool = False
    delete: bool = False
    move: bool = False
    share: bool = False
    versions: bool = False
    restore_version: bool = False
    recycle: bool = False
    restore: bool = False
    purge: bool = False


ALL: Final = Permissions(*[True] * 13)


@dataclass(frozen=True, slots=True)
class StorageLock:
    """A lock of the storage. `user` is a user's opaque id, or empty; `until` UTC seconds, None: for ever."""

    id: str
    application: str
    user: str = ""
    until: float | None = None
    kind: str = "write"


@dataclass(frozen=True, slots=True)
class Resource:
    """A file or a folder as Stat tells it."""

    id: ResourceId
    kind: str
    name: str
    path: str
    """Absolute on servers without spaces; else as it was asked for, or its last part only."""
    size: int
    etag: str
    """Opaque; it holds its double quotes."""
    modified: float
    """UTC seconds since the epoch."""
    type: str = ""
    """Media type, as the server guesses it."""
    checksum: tuple[str, str] | None = None
    """`sha1`, `md5` or `adler32`, and the sum in lower-case hex; None: the server told none."""
    parent: ResourceId | None = None
    permissions: Permissions = Permissions()
    owner: str = ""
    """The opaque id of a user."""
    lock: StorageLock | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Arbitrary metadata, of whoever set it."""
    processing: bool = False
    """The server is not done with what was uploaded last."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A body that the file had. `modified` in UTC seconds."""

    key: str
    size: int
    modified: float
    etag: str


@dataclass(frozen=True, slots=True)
class Recycled:
    """What is in the bin of a space. `deleted` in UTC seconds."""

    key: str
    kind: str
    path: str
    """Where it was, under the space's root, `/` between parts."""
    size: int
    deleted: float


@dataclass(frozen=True, slots=True)
class Space:
    """A tree of files with members of its own."""

    id: str
    root: ResourceId
    name: str
    kind: str
    """`personal`, `project`, `mountpoint`, `virtual`, …"""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, as the cloud knows them."""

    id: str
    """The opaque part of the user's id."""
    idp: str
    name: str
    """What others are shown."""
    username: str
    kind: str = ""
    """`PRIMARY`, `GUEST`, `SERVICE`, …"""
    opaque: Mapping[str, str] = field(default_factory=dict)
    """More about them; `public-share-role` of the guests of a public link, whose user is the owner of the file."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the data server gives or takes bytes. `token` is this transfer's, not the user's; `protocol` as the server calls it."""

    protocol: str
    address: str
    token: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Application:
    """What opens files for people of the cloud, as its registry knows it."""

    name: str
    address: str
    """Where the cloud asks: `host:port`, as the cloud's product wants it written."""
    types: tuple[str, ...]
    """Media types that it opens."""
    product: str = ""
    description: str = ""
    icon: str = ""
    """The address of a picture."""
    editor: bool = True
    """It also changes them."""
    priority: int = 0
    """The greater comes first among those that open a type; as far as the registry cares."""
