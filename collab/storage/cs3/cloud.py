"""What the adapters of a cloud share: calls, transfers, in whose name, where the root is, and what is remembered."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import Changed, CollabError, Denied, Exists, Malformed, NotFound, Unauthorized
from collab.formats import media_type
from collab.gateway.resources import FILE, FOLDER, Reference, Resource, ResourceId
from collab.ports import Stat
from collab.storage.cs3.acting import Lost
from collab.storage.cs3.etags import HASHED, Etags, weak
from collab.storage.cs3.locks import Locks
from collab.storage.cs3.roots import Roots
from collab.storage.paths import is_id, split, split_new, visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from collab.gateway.calls import Gateway
    from collab.gateway.transfers import Transfers
    from collab.ports import Resources
    from collab.storage.cs3.acting import Acting

REMEMBERED: Final = 65_536
"""Ids that are known without the archive."""
TRIED: Final = 3600.0
"""Seconds after which a storage is tried anew."""
_NOTHING: Final = "0" * 40
ROOT: Final = Resource(ResourceId("", "", ""), FOLDER, "", "", 0, "", 0.0)
"""The root that has nothing but spaces."""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, where it is under the root, and with whose token it was seen."""

    resource: Resource
    path: str
    token: str

    @property
    def ref(self) -> Reference:
        """By its id."""
        return Reference(self.resource.id)

    @property
    def folder(self) -> bool:
        """Whether it is one."""
        return self.resource.kind == FOLDER


class Cloud:
    """`root` as in `Roots`; `application`: what others see as the holder of our locks; `resources`: the archive's memory. `clock` gives UTC seconds."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        gateway: Gateway,
        transfers: Transfers,
        acting: Acting,
        resources: Resources,
        *,
        root: str = "",
        application: str = "Collab",
        clock: Callable[[], float] = time.time,
        locks: Locks | None = None,
        etags: Etags | None = None,
    ) -> None:
        self.gateway = gateway
        self.transfers = transfers
        self.acting = acting
        self.roots = Roots(gateway, root)
        self.locks = locks or Locks(gateway, application, clock=clock)
        self.etags = etags or Etags()
        self.clock = clock
        self._resources = resources
        self._known: OrderedDict[str, ResourceId] = OrderedDict()
        self._compares: dict[str, tuple[bool, float]] = {}
        self._around: OrderedDict[ResourceId, ResourceId] = OrderedDict()
        """In which folder each file was seen last."""

    async def compares(self, found: Found, lock: str) -> bool:
        """Whether the file's storage compares etags when something is uploaded: it is asked for an upload in the place of what was never there."""
        storage = found.resource.id.storage
        known = self._compares.get(storage)
        if known is not None and known[1] > self.clock():
            return known[0]
        try:
            await self.gateway.upload(found.token, found.ref, length=1, sha1=_NOTHING, if_match='"collab"', lock=lock)
        except Changed:
            compares = True
        except CollabError:
            return False
        else:
            compares = False
        self._compares[storage] = compares, self.clock() + TRIED
        return compares

    @asynccontextmanager
    async def acts(self, document: str | None = None) -> AsyncIterator[str]:
        """A token for what is done inside."""
        credentials = await self.acting.credentials(document)
        try:
            yield credentials.token
        except Unauthorized:
            await self.acting.refused(credentials)
            raise
        except (NotFound, Denied):
            self.acting.doubted(document)
            raise

    # --- names

    async def find(self, token: str, name: str) -> Found:
        """What a path or an id stands for now."""
        if is_id(name):
            return await self._find_id(token, name)
        parts = [part.decode() for part in split(name)]
        if not parts and self.roots.many:
            return Found(ROOT, "", token)
        resource = await self.gateway.stat(token, await self.roots.reference(token, parts))
        if resource.kind not in {FILE, FOLDER}:
            raise NotFound(f"no such file: {name}")
        if parts:
            await self.remember([resource])
        return Found(resource, name, token)

    async def _find_id(self, token: str, name: str) -> Found:
        resource = await self.look(token, await self.resource(name))
        if resource.kind not in {FILE, FOLDER}:
            raise NotFound(f"no such document: {name}")
        path = await self.roots.path(token, resource)
        # What is hidden, or in a folder that is, is not served.
        split(path)
        return Found(resource, path, token)

    async def look(self, token: str, identity: ResourceId, keys: Sequence[str] | None = None) -> Resource:
        """A resource as it is. NotFound: it was deleted; Lost: whoever asks does not even see where it was any more."""
        try:
            found = await self.gateway.stat(token, Reference(identity), **({} if keys is None else {"keys": keys}))
        except NotFound:
            if await self._lost(token, identity):
                raise Lost("you may not open this file any more, or it was deleted and you do not see where it was") from None
            raise
        if found.parent is not None:
            self._around[identity] = found.parent
            self._around.move_to_end(identity)
            while len(self._around) > REMEMBERED:
                self._around.popitem(last=False)
        return found

    async def _lost(self, token: str, identity: ResourceId) -> bool:
        """Whether somebody who does not find a file sees neither its folder nor its space. Unavailable."""
        around = self._around.get(identity)
        if around is None:
            # Nobody has seen it since the start.
            return False
        for place in (around, ResourceId(identity.storage, identity.space, identity.space)):
            try:
                await self.gateway.stat(token, Reference(place), keys=())
            except (NotFound, Denied):
                continue
            return False
        return True

    async def file(self, token: str, name: str) -> Found:
        """The file of this name."""
        found = await self.find(token, name)
        if found.folder:
            raise NotFound(f"this is a folder: {found.path or 'the root'}")
        return found

    async def target(self, token: str, path: str) -> Reference:
        """Where something new is to be. Malformed, NotFound."""
        parts = [part.decode() for part in split_new(path)]
        if self.roots.many and len(parts) == 1:
            raise Malformed("beside the spaces there can be nothing: choose a place in one of them")
        return await self.roots.reference(token, parts)

    async def resource(self, document: str) -> ResourceId:
        """The resource of one of our ids. NotFound: nobody has seen it."""
        known = self._known.get(document)
        if known is None:
            text = await self._resources.find(document)
            if text is None:
                raise NotFound(f"no such document: {document}")
            known = ResourceId.parse(text)
            self._keep([known])
        return known

    async def remember(self, resources: Iterable[Resource]) -> None:
        """So that any node finds them by their ids; what is known costs nothing."""
        fresh = [each.id for each in resources if each.id.document not in self._known]
        if fresh:
            await self._resources.remember({each.document: str(each) for each in fresh})
            self._keep(fresh)

    def _keep(self, resources: Iterable[ResourceId]) -> None:
        for each in resources:
            self._known[each.document] = each
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    # --- changes of the tree

    def may_write(self, found: Found) -> None:
        """Denied when a file may not be replaced, or nothing made in a folder, as Stat tells it."""
        allowed = found.resource.permissions
        if not (allowed.upload or allowed.create if found.folder else allowed.upload):
            raise Denied(f"the storage does not let you write there: {found.path}")

    async def shift(self, found: Found, to: Reference, path: str) -> None:
        """Move a file or folder to a free place. Exists, NotFound, Locked."""
        gateway, token = self.gateway, found.token
        try:
            await gateway.stat(token, to, keys=())
        except NotFound:
            pass
        else:
            raise Exists(f"there is something of this name: {path}")
        try:
            await gateway.move(token, found.ref, to, lock=self.locks.key(found.resource.id, found.resource.lock))
        except Changed as error:
            # Servers say so when the folder is not there, or somebody was quicker.
            raise NotFound(f"no such folder: {path.rpartition('/')[0]}") from error

    async def drop(self, found: Found) -> None:
        """Into the cloud's bin. Denied, Locked."""
        if not found.resource.permissions.delete:
            raise Denied(f"the storage does not let you delete this: {found.path}")
        await self.gateway.delete(found.token, found.ref, lock=self.locks.key(found.resource.id, found.resource.lock))

    # --- what is told

    def described(self, found: Found, etag: str | None = None) -> Stat:
        """As the port tells it; without an etag the one that is known, else a weak word."""
        resource = found.resource
        if found.folder:
            return Stat("", found.path, "inode/directory", 0, "", resource.modified, writable=resource.permissions.create, folder=True)
        if etag is None:
            etag = self.etag(resource)
        return Stat(
            resource.id.document,
            found.path,
            media_type(found.path),
            resource.size,
            etag,
            resource.modified,
            writable=resource.permissions.upload,
        )

    def etag(self, resource: Resource) -> str:
        """The house's etag of a file, as far as it is known."""
        digest = self.etags.digest(resource) if resource.size <= HASHED else None
        return weak(resource) if digest is None else digest

    async def entries(self, token: str, path: str) -> list[Found]:
        """What a folder shows, by name; ids are remembered."""
        found = await self.find(token, path)
        if not found.folder:
            raise NotFound(f"no such folder: {path}")
        if found.resource is ROOT:
            spaces = await self.roots.spaces(token)
            tops = await asyncio.gather(*(self.gateway.stat(token, ref, keys=()) for ref in spaces.values()))
            return [Found(top, name, token) for name, top in sorted(zip(spaces, tops, strict=True), key=lambda each: each[0])]
        listed = await self.gateway.list(token, Reference(found.resource.id))
        shown = [each for each in listed if each.kind in {FILE, FOLDER} and _visible(each.name)]
        await self.remember(shown)
        prefix = f"{path}/" if path else ""
        return sorted((Found(each, prefix + each.name, token) for each in shown), key=lambda each: each.path)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.gateway.close()
        await self.transfers.close()


def _visible(name: str) -> bool:
    return bool(name) and "/" not in name and "\0" not in name and visible(name.encode("utf-8", "surrogateescape"))
