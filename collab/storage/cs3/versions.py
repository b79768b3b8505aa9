"""The versions that a cloud keeps of a file by itself (`StorageVersions`): what anybody uploaded there, also before we came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import Denied, NotFound, TooLarge, Unsupported
from collab.ports import StorageHistory, StorageVersion
from collab.storage.cs3.bodies import Bodies

if TYPE_CHECKING:
    from collab.storage.cs3.cloud import Cloud, Found

_HIDDEN = "the cloud does not let you see its versions of this file"


class CloudVersions:
    """See `collab.ports.StorageVersions`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._bodies = Bodies(cloud)

    async def list(self, document: str) -> StorageHistory:
        """As the cloud tells whoever asks."""
        async with self._cloud.acts(document) as token:
            found = await self._listed(token, document)
            kept = await self._kept(token, found)
            may = found.resource.permissions
            return StorageHistory(kept, may.restore_version and may.upload)

    async def read(self, document: str, key: str, *, limit: int) -> bytes:
        """Only what is a version of this document: a key may name anything of its space."""
        async with self._cloud.acts(document) as token:
            found = await self._listed(token, document)
            for each in await self._cloud.gateway.versions(token, found.ref):
                if each.key == key:
                    if each.size > limit:
                        raise TooLarge(f"the version has {each.size} bytes; at most {limit} are taken here: see the cloud's own page")
                    if not found.resource.permissions.download:
                        raise Denied("the cloud does not let you read this file")
                    return await self._bodies.version(found, each) if each.size else b""
        raise NotFound("the cloud has no such version (any more)")

    async def _listed(self, token: str, document: str) -> Found:
        found = await self._cloud.file(token, document)
        if not found.resource.permissions.versions:
            raise Denied(_HIDDEN)
        return found

    async def _kept(self, token: str, found: Found) -> tuple[StorageVersion, ...]:
        try:
            kept = await self._cloud.gateway.versions(token, found.ref)
        except Unsupported as error:
            raise Unsupported("this cloud keeps no versions") from error
        except Denied as error:
            # Guests of a link are shown the permissions of its maker.
            raise Denied(_HIDDEN) from error
        return tuple(StorageVersion(each.key, each.modified, each.size) for each in reversed(kept))
