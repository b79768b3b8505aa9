"""The folders of a cloud (`Folders`). Their ids are derived from the cloud's, as those of files are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from collab.errors import Changed, CollabError, Exists, Malformed, NotFound
from collab.gateway.resources import FOLDER, Reference
from collab.storage.cs3.cloud import ROOT, Found
from collab.storage.paths import PATH_BYTES, is_id, split, split_move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.ports import Stat
    from collab.storage.cs3.cloud import Cloud

WALKED: Final = 2_000
"""Folders that are looked into before one is moved to a longer path; what is deeper in a larger tree is reached by its id if its path is too long."""


class CloudFolders:
    """See `collab.ports.Folders`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def make(self, path: str) -> Stat:
        """An empty folder."""
        cloud = self._cloud
        async with cloud.acts() as token:
            ref = await cloud.target(token, path)
            try:
                await cloud.gateway.make(token, ref)
            except (Changed, NotFound, Exists) as error:
                raise await self._why_not(token, ref, path) from error
            return cloud.described(Found(await cloud.gateway.stat(token, ref, keys=()), path, token))

    async def _why_not(self, token: str, ref: Reference, path: str) -> CollabError:
        try:
            await self._cloud.gateway.stat(token, ref, keys=())
        except NotFound:
            return NotFound(f"no such folder: {path.rpartition('/')[0]}")
        return Exists(f"there is something of this name: {path}")

    async def move(self, path: str, to: str) -> Stat:
        """Rename or move a folder with all in it."""
        cloud = self._cloud
        source, target = split_move(path, to)
        async with cloud.acts() as token:
            found = await self._folder(token, path)
            if source != target:
                ref = await cloud.target(token, to)
                await self._check_lengths(found, len(target) - len(source))
                await cloud.shift(found, ref, to)
            return cloud.described(Found(await cloud.gateway.stat(token, found.ref, keys=()), to, token))

    async def _check_lengths(self, found: Found, more: int) -> None:
        """Malformed when something in the folder would have too long a path."""
        waiting = [(found.resource, found.path)]
        for _ in range(WALKED):
            if not waiting or more <= 0:
                return
            folder, path = waiting.pop()
            for each in await self._cloud.gateway.list(found.token, Reference(folder.id)):
                inside = f"{path}/{each.name}"
                if len(inside.encode("utf-8", "replace")) + more > PATH_BYTES:
                    raise Malformed(f"a document in the folder would have a name of over {PATH_BYTES} bytes there")
                if each.kind == FOLDER:
                    waiting.append((each, inside))

    async def identify(self, paths: Sequence[str]) -> list[str]:
        """The ids of folders."""
        cloud = self._cloud
        for path in paths:
            split(path)
        async with cloud.acts() as token:
            found = await asyncio.gather(*(self._folder(token, path) for path in paths))
            await cloud.remember(each.resource for each, path in zip(found, paths, strict=True) if path)
            return [each.resource.id.document if path else "" for each, path in zip(found, paths, strict=True)]

    async def find(self, folder: str) -> Stat:
        """The folder with this id."""
        cloud = self._cloud
        async with cloud.acts(folder or None) as token:
            if not folder:
                return cloud.described(await cloud.find(token, ""))
            if not is_id(folder):
                raise NotFound(f"no such folder: {folder.encode(errors='replace').decode()}")
            found = await cloud.find(token, folder)
            if not found.folder:
                raise NotFound(f"this is no folder: {found.path}")
            return cloud.described(found)

    async def _folder(self, token: str, path: str) -> Found:
        found = await self._cloud.find(token, path)
        if not found.folder or (found.resource is ROOT and path):
            raise NotFound(f"no such folder: {path}")
        return found
