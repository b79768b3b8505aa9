"""Paths under the root ⇄ references of CS3. The root is one folder of a cloud, or the spaces that the caller may see, each as a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.errors import Denied, NotFound, Unsupported
from collab.gateway.resources import FOLDER, Reference, Resource, ResourceId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from collab.gateway.calls import Gateway

SHARED: Final = "(shared)"
"""Where files are whose spaces the caller does not see: somebody gave them this one file, or a link to it. They are reached by their ids; a folder that
somebody was given, and came by, is there under its name.
"""
DEPTH: Final = 512
"""Folders in which a file may be; a path has at most 1,024 bytes."""


class Roots:
    """`root`: a resource's id (`storage$space!opaque`), an absolute path of a server without spaces (`/eos/user/a/ann`), or empty: all spaces of the caller."""

    def __init__(self, gateway: Gateway, root: str) -> None:
        self._gateway = gateway
        self.given: Callable[[], Awaitable[ResourceId | None]] = _nothing
        """The folder that the caller came by, and is let into."""
        self._fixed: Reference | None = None
        if root.startswith("/"):
            self._fixed = Reference(None, root.strip("/"))
        elif root:
            self._fixed = Reference(ResourceId.parse(root))

    @property
    def many(self) -> bool:
        """Whether the root has nothing but spaces."""
        return self._fixed is None

    async def reference(self, token: str, parts: Sequence[str]) -> Reference:
        """Where a path leads; not for the root itself when it has spaces. NotFound: no such space."""
        if self._fixed is not None:
            return self._fixed.below(*parts)
        for name, root in (await self.spaces(token)).items():
            if parts and name == parts[0]:
                return root.below(*parts[1:])
        given = await self._given(token, parts[1]) if len(parts) > 1 and parts[0] == SHARED else None
        if given is None:
            raise NotFound(f"no such space: {'/'.join(parts[:1])}")
        return given.below(*parts[2:])

    async def _given(self, token: str, name: str) -> Reference | None:
        """The folder that the caller came by, if it has this name."""
        given = await self.given()
        if given is None or (await self._gateway.stat(token, Reference(given), keys=())).name != name:
            return None
        return Reference(given)

    async def tops(self, token: str) -> Sequence[Reference]:
        """The roots whose bins are ours."""
        if self._fixed is not None:
            return [self._fixed]
        return list((await self.spaces(token)).values())

    async def spaces(self, token: str) -> Mapping[str, Reference]:
        """The caller's spaces by names that are one for each, and none `SHARED`: of two with the same name the second has a number. Without spaces: home."""
        try:
            found = await self._gateway.spaces(token)
        except Unsupported:
            home = await self._gateway.home(token)
            return {home.rpartition("/")[2] or "home": Reference(None, home)}
        named: dict[str, Reference] = {}
        taken = {SHARED}
        for space in sorted(found, key=lambda each: (each.kind != "personal", each.name, str(each.root))):
            name = plain = space.name.replace("/", "-").lstrip(".") or space.kind or "space"
            number = 1
            while name in taken:
                number += 1
                name = f"{plain} ({number})"
            taken.add(name)
            named[name] = Reference(space.root)
        return named

    async def path(self, token: str, resource: Resource) -> str:
        """Where it is under the root. NotFound when it is elsewhere; with all spaces for a root nothing is elsewhere."""
        if self._fixed is None:
            return await self._in_spaces(token, resource)
        if self._fixed.id is None:
            return _under(self._fixed.path, await self._gateway.path(token, resource.id))
        if (resource.id.storage, resource.id.space) != (self._fixed.id.storage, self._fixed.id.space):
            raise NotFound("the file is in another space")
        return await self._below(token, resource, self._fixed.id)

    async def _in_spaces(self, token: str, resource: Resource) -> str:
        for name, root in (await self.spaces(token)).items():
            if root.id is None:
                inside = _under(root.path, await self._gateway.path(token, resource.id))
            elif (root.id.storage, root.id.space) == (resource.id.storage, resource.id.space):
                inside = await self._below(token, resource, root.id)
            else:
                continue
            return f"{name}/{inside}".rstrip("/")
        return f"{SHARED}/{await self._in_given(token, resource) or resource.name}"

    async def _in_given(self, token: str, resource: Resource) -> str:
        """The path from the folder that the caller came by, with its name; empty: it is not in it."""
        given = await self.given()
        if given is None:
            return ""
        try:
            inside = await self.below(token, resource, given)
            top = await self._gateway.stat(token, Reference(given), keys=())
        except (Denied, NotFound):
            return ""
        return f"{top.name}/{inside}".rstrip("/")

    async def below(self, token: str, resource: Resource, folder: ResourceId) -> str:
        """The path of a resource under a folder, empty for itself. NotFound: it is elsewhere, as far as the caller sees."""
        if (resource.id.storage, resource.id.space) != (folder.storage, folder.space):
            raise NotFound("the file is in another space")
        return await self._below(token, resource, folder)

    async def _below(self, token: str, resource: Resource, root: ResourceId) -> str:
        """The path under a folder of the same space."""
        if resource.id == root:
            return ""
        try:
            path = await self._gateway.path(token, resource.id)
            base = "" if root.opaque == root.space else await self._gateway.path(token, root)
        except (Denied, NotFound):
            # Who was given one folder may not be told where it is: what is above is asked for step by step.
            return await self._climbed(token, resource, root)
        return _under(base, path)

    async def _climbed(self, token: str, resource: Resource, root: ResourceId) -> str:
        names = [resource.name]
        while resource.parent is not None and len(names) < DEPTH:
            if resource.parent == root:
                return "/".join(reversed(names))
            resource = await self._gateway.stat(token, Reference(resource.parent), keys=())
            names.append(resource.name)
        raise NotFound("the file is not in this folder")


async def _nothing() -> ResourceId | None:
    """Nobody came by a folder."""
    return None


def _under(base: str, path: str) -> str:
    if not base:
        return path
    if path == base:
        return ""
    if not path.startswith(f"{base}/"):
        raise NotFound("the file is in another folder")
    return path[len(base) + 1 :]


def folder(resource: Resource, path: str) -> Resource:
    """The resource, when it is a folder."""
    if resource.kind != FOLDER:
        raise NotFound(f"this is no folder: {path}")
    return resource
