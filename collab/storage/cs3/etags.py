"""Which SHA-256 the bodies have that CS3's opaque etags stand for, as far as somebody sent or read them here."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collab.gateway.resources import Resource, ResourceId

KNOWN: Final = 65_536
"""Etags that are remembered, those of the longest ago go first."""
HASHED: Final = 64 * 2**20
"""Bytes up to which a file's etag is its hash."""


class Etags:
    """A bounded memory."""

    def __init__(self, most: int = KNOWN) -> None:
        self._most = most
        self._known: OrderedDict[tuple[ResourceId, str], str] = OrderedDict()

    def learn(self, of: ResourceId, etag: str, digest: str) -> None:
        """The body that has this etag has this SHA-256."""
        if etag:
            self._known[of, etag] = digest
            self._known.move_to_end((of, etag))
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def digest(self, resource: Resource) -> str | None:
        """The SHA-256 of a file's body, if it is known."""
        found = self._known.get((resource.id, resource.etag))
        if found is not None:
            self._known.move_to_end((resource.id, resource.etag))
        return found


def weak(resource: Resource) -> str:
    """An opaque word for the body, where its hash is not known; as good for `if_match`."""
    return "weak-" + sha256(f"{resource.id}:{resource.etag}".encode()).hexdigest()[:40]
