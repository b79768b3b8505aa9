"""The bins of a cloud (`Bin`): its recycle, one for each space.

A cloud tells neither who deleted something nor the ids of what is in a deleted folder: both are known as long as this process runs, and for files the id is
that of the resource. What came back has its ids in any case.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Denied, Exists, Malformed, NotFound, Unsupported
from collab.formats import media_type
from collab.gateway.resources import FOLDER, Reference, ResourceId
from collab.ports import Binned
from collab.storage.cs3.bodies import Bodies
from collab.storage.cs3.cloud import Found
from collab.storage.cs3.roots import SHARED
from collab.storage.paths import is_id, split, split_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.gateway.resources import Recycled, Resource
    from collab.ports import Stat
    from collab.storage.cs3.cloud import Cloud

log = logging.getLogger("collab.storage")

NOTED: Final = 4_096
"""Deletions that are remembered."""
WALKED: Final = 2_000
"""Folders whose documents are noted when they are deleted together."""


@dataclass(frozen=True, slots=True)
class _Note:
    by: str
    deleted: float
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """What is in the bin of a root, and how it is called there."""

    root: Reference
    item: Recycled
    path: str


class CloudBin:
    """See `collab.ports.Bin`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._bodies = Bodies(cloud)
        self._notes: OrderedDict[str, _Note] = OrderedDict()

    async def discard(self, name: str, *, if_match: str | None, by: str, now: float) -> Binned:
        """Delete a file or a folder, which the cloud keeps."""
        cloud = self._cloud
        async with cloud.acts(name if is_id(name) else None) as token:
            found = await cloud.find(token, name)
            if not found.path or (cloud.roots.many and "/" not in found.path):
                raise Malformed("the root cannot be deleted")
            if if_match is not None and not found.folder:
                await self._bodies.expect(found, if_match)
            documents = await self._inside(found) if found.folder else (found.resource.id.document,)
            await cloud.drop(found)
            key = await self._key(token, found)
            self._notes[key] = _Note(by, now, documents)
            while len(self._notes) > NOTED:
                self._notes.popitem(last=False)
            size = 0 if found.folder else found.resource.size
            return Binned(key, found.path, _type(found.resource.kind, found.path), size, now, by, documents)

    async def _key(self, token: str, found: Found) -> str:
        """As what the cloud keeps it: most use the resource's own id, else it is the last that was deleted at this path. It is deleted by now: who cannot
        be told more is told the first.
        """
        identity = found.resource.id
        try:
            same = [each for each in await self._items(token) if each.path == found.path]
        except CollabError as error:
            log.warning("%s was deleted, and nobody can look for it in the bin just now: %s", found.path, error.detail)
            same = []
        own = [each for each in same if each.item.key == identity.opaque]
        newest = max(own or same, key=lambda each: each.item.deleted, default=None)
        if newest is not None:
            return _key(newest)
        if found.path.startswith(f"{SHARED}/"):
            # It is in a bin that whoever deleted it does not see.
            return identity.opaque
        return _named(identity.space if await self._by_id(token) else "", identity.opaque)

    async def _by_id(self, token: str) -> bool:
        """Whether roots are named by their ids, as keys are then."""
        try:
            return any(root.id is not None for root in await self._cloud.roots.tops(token))
        except CollabError:
            return True

    async def _inside(self, found: Found) -> tuple[str, ...]:
        """The documents in a folder."""
        documents: list[str] = []
        waiting: list[Resource] = [found.resource]
        for _ in range(WALKED):
            if not waiting:
                break
            for each in await self._cloud.gateway.list(found.token, Reference(waiting.pop().id)):
                if each.kind == FOLDER:
                    waiting.append(each)
                else:
                    documents.append(each.id.document)
        return tuple(documents)

    async def entries(self) -> list[Binned]:
        """What is there, newest first."""
        async with self._cloud.acts() as token:
            found = [self._told(each) for each in await self._items(token)]
        return sorted(found, key=lambda each: (-each.deleted, each.key))

    async def restore(self, key: str, path: str | None) -> Stat:
        """Back to its place or another."""
        cloud = self._cloud
        if path is not None:
            split_new(path)
        async with cloud.acts() as token:
            each = await self._known(token, key)
            to = each.path if path is None else path
            ref = await cloud.target(token, to)
            await self._free(token, ref, to)
            await cloud.gateway.restore(token, each.root, each.item.key, ref)
            self._notes.pop(key, None)
            found = Found(await cloud.gateway.stat(token, ref), to, token)
            await cloud.remember([found.resource])
            return cloud.described(found, "") if found.folder else cloud.described(*await self._bodies.known(found))

    async def _free(self, token: str, ref: Reference, path: str) -> None:
        """A free place; the folders around it are made. Exists, NotFound."""
        gateway = self._cloud.gateway
        try:
            await gateway.stat(token, ref, keys=())
        except NotFound:
            pass
        else:
            raise Exists(f"there is something of this name: {path}")
        parts = path.split("/")[:-1]
        for number in range(1, len(parts) + 1):
            around = "/".join(parts[:number])
            try:
                found = await self._cloud.find(token, around)
            except NotFound:
                await gateway.make(token, await self._cloud.target(token, around))
                continue
            if not found.folder:
                raise NotFound(f"no such folder: {around}")

    async def purge(self, key: str) -> list[str]:
        """Gone for good."""
        async with self._cloud.acts() as token:
            each = await self._known(token, key)
            documents = self._told(each).documents
            await self._cloud.gateway.purge(token, each.root, each.item.key)
            self._notes.pop(key, None)
            return list(documents)

    async def mend(self) -> list[str]:
        """The cloud moves in one step: nothing is cut off."""
        return []

    async def _known(self, token: str, key: str) -> _Item:
        for each in await self._items(token):
            if _key(each) == key:
                return each
        raise NotFound(f"there is nothing of this key in the bin: {key}")

    async def _items(self, token: str) -> Sequence[_Item]:
        roots = self._cloud.roots
        tops = await roots.spaces(token) if roots.many else {"": (await roots.tops(token))[0]}
        listed = await asyncio.gather(*(self._of(token, name, root) for name, root in tops.items()))
        return [each for items in listed for each in items]

    async def _of(self, token: str, name: str, root: Reference) -> list[_Item]:
        """Of one root; who may not look into its bin has none."""
        gateway = self._cloud.gateway
        try:
            items = await gateway.recycled(token, root)
        except (Denied, Unsupported):
            return []
        base = "" if root.id is None or root.id.opaque == root.id.space else await gateway.path(token, root.id)
        found = []
        for item in items:
            if base and not item.path.startswith(f"{base}/"):
                continue
            inside = item.path[len(base) + 1 :] if base else item.path
            path = f"{name}/{inside}" if name else inside
            if _visible(path):
                found.append(_Item(root, item, path))
        return found

    def _told(self, each: _Item) -> Binned:
        note = self._notes.get(_key(each))
        documents: tuple[str, ...] = ()
        if note is not None:
            documents = note.documents
        elif each.item.kind != FOLDER and each.root.id is not None:
            documents = (ResourceId(each.root.id.storage, each.root.id.space, each.item.key).document,)
        folder = each.item.kind == FOLDER
        return Binned(
            _key(each),
            each.path,
            _type(each.item.kind, each.path),
            0 if folder else each.item.size,
            note.deleted if note is not None else each.item.deleted,
            note.by if note is not None else "",
            documents,
        )


def _key(each: _Item) -> str:
    """One for all spaces, and good in a URL."""
    return _named(each.root.id.space if each.root.id is not None else "", each.item.key)


def _named(space: str, key: str) -> str:
    return f"{space.encode().hex()}-{key.encode().hex()}"


def _type(kind: str, path: str) -> str:
    return "inode/directory" if kind == FOLDER else media_type(path)


def _visible(path: str) -> bool:
    try:
        return bool(split(path))
    except (Malformed, NotFound):
        return False
