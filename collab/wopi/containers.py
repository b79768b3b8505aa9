"""Folders as office suites see them, and where the whole begins: containers and the ecosystem.

Operations and answers as in Microsoft's WOPI specification (REST, containers and ecosystem). Folders go by ids, so what is told works after a rename.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import CollabError, Exists, Malformed, NotFound
from collab.runtime.rights import told
from collab.wopi import names
from collab.wopi.addresses import with_token
from collab.wopi.info import BRAND, SHARES
from collab.wopi.refusals import BadContainerName, BadName, LockMismatch, NameTaken, NotEmpty, NotOffered, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collab.ports import Folders, Stat
    from collab.runtime.bin import Trash
    from collab.runtime.documents import Documents
    from collab.runtime.folders import Tree
    from collab.wopi.host import WopiHost
    from collab.wopi.tokens import Pass

NEW_FOLDER: Final = "Folder"
NEW_FILE: Final = "Document"
"""What something is called whose wanted name leaves nothing."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new folder, and what its maker is told."""

    folder: Stat
    told: dict[str, object]


@dataclass(frozen=True, slots=True)
class Containers:
    """The operations on folders, for passes that reach all files. Errors are those of `Files` and `collab.wopi.refusals`."""

    host: WopiHost
    documents: Documents
    folders: Folders
    tree: Tree
    trash: Trash

    # --- where the whole begins

    def ecosystem(self, granted: Pass) -> str:
        """GetEcosystem: its address."""
        self._open(granted)
        return with_token(self.host.addresses.ecosystem, self.host.token(granted, granted.target))

    def check_ecosystem(self, granted: Pass) -> dict[str, object]:
        """CheckEcosystem."""
        self._open(granted)
        return {"SupportsContainers": True}

    async def root(self, granted: Pass) -> dict[str, object]:
        """GetRootContainer."""
        self._open(granted)
        return self._told(granted, "", await self.folders.find(""))

    # --- what is told

    async def check(self, granted: Pass) -> dict[str, object]:
        """CheckContainerInfo."""
        return self._info(granted, await self._folder(granted))

    async def children(self, granted: Pass, extensions: str) -> dict[str, object]:
        """EnumerateChildren; of the files those with these extensions (`.docx,.odt`, in any case), all for the empty list."""
        folder = await self._folder(granted)
        wanted = {each.strip().lower() for each in extensions.split(",") if each.strip()}
        entries = await self.documents.list(folder.path)
        folders = await self._identified([entry.path for entry in entries if entry.folder])
        files = [entry for entry in entries if not entry.folder]
        return {
            "ChildContainers": [self._pointer(granted, identity, path) for path, identity in folders],
            "ChildFiles": [
                await self._child(granted, file) for file in files if not wanted or names.split(_name(file.path))[1].lower() in wanted
            ],
        }

    async def above_folder(self, granted: Pass) -> dict[str, object]:
        """EnumerateAncestors of a folder, the root first; the root has none."""
        return await self._above(granted, await self._folder(granted))

    async def above_file(self, granted: Pass) -> dict[str, object]:
        """EnumerateAncestors of a file."""
        self._open(granted)
        return await self._above(granted, await self.documents.find(granted.target))

    async def share_url(self, granted: Pass, kind: str) -> str:
        """GetShareUrl. NotOffered for another type than `ReadOnly` and `ReadWrite`."""
        folder = await self._folder(granted)
        if kind not in SHARES:
            raise NotOffered(f"there are addresses of the types {' and '.join(SHARES)}")
        return self.host.addresses.folder(folder.path)

    # --- changes

    async def create_folder(self, granted: Pass, *, suggested: str, relative: str) -> Made:
        """CreateChildContainer; one of the two has a name, as the header gave it. NotOffered, BadContainerName, NameTaken."""
        folder = await self._writable(granted)
        _one_of(suggested, relative)
        if relative:
            made = await self._exact_folder(folder.path, _container_name(relative))
        else:
            made = await self._free_folder(folder.path, names.variants(_tamed(suggested, NEW_FOLDER)))
        (identity,) = await self.folders.identify([made.path])
        return Made(made, self._told(granted, identity, made))

    async def create_file(self, granted: Pass, *, suggested: str, relative: str, overwrite: bool) -> dict[str, object]:
        """CreateChildFile: an empty one. What is overwritten goes into the bin. NotOffered, BadName, NameTaken, LockMismatch."""
        folder = await self._writable(granted)
        _one_of(suggested, relative)
        if relative:
            made = await self._exact_file(granted, folder.path, _file_name(relative), overwrite=overwrite)
        else:
            made = await self._free_file(folder.path, names.variants(_tamed(suggested, NEW_FILE)))
        return {**self.host.file_pointer(granted, made), **self.host.pages(granted, made)}

    async def inside(self, granted: Pass, relative: str) -> str:
        """The id of the document of this name, as a header has it, in the folder; empty for none."""
        try:
            folder = await self._folder(granted)
            return (await self.documents.find(_path(folder.path, _file_name(relative)))).id
        except (CollabError, Refused):
            return ""

    async def rename(self, granted: Pass, wanted: str) -> str:
        """RenameContainer: the new name. BadContainerName, NameTaken."""
        folder = await self._writable(granted)
        _not_root(folder)
        name = _container_name(wanted)
        path = _path(folder.path.rpartition("/")[0], name)
        try:
            moved = await self.tree.move(folder.path, path)
        except Malformed as error:
            raise BadContainerName(error) from error
        except Exists as error:
            raise NameTaken(error.detail, await self._free(path)) from error
        return _name(moved.path)

    async def delete(self, granted: Pass) -> Stat:
        """DeleteContainer: it goes into the bin. NotEmpty for one with files or folders in it."""
        folder = await self._writable(granted)
        _not_root(folder)
        if await self.documents.list(folder.path):
            raise NotEmpty("there are files or folders in it: delete these first")
        await self.trash.discard_folder(folder.path, by=granted.person.name)
        return folder

    # --- what they share

    def _open(self, granted: Pass) -> None:
        """NotOffered where folders are not served; NotFound for a pass of one document."""
        if not self.host.containers:
            raise NotOffered("folders are not served here (COLLAB_WOPI_CONTAINERS)")
        if granted.scope is not None:
            raise NotFound("this token is for one document only")

    async def _folder(self, granted: Pass) -> Stat:
        self._open(granted)
        return await self.folders.find(granted.target)

    async def _writable(self, granted: Pass) -> Stat:
        folder = await self._folder(granted)
        if not _writes(granted, folder):
            raise NotFound("this token may change nothing in the folder")
        return folder

    def _info(self, granted: Pass, folder: Stat) -> dict[str, object]:
        writes, root = _writes(granted, folder), not folder.path
        return {
            "Name": _name(folder.path),
            "HostUrl": self.host.addresses.folder(folder.path),
            "SharingUrl": self.host.addresses.folder(folder.path),
            "SupportedShareUrlTypes": list(SHARES),
            "IsAnonymousUser": False,
            "IsEduUser": False,
            "LicenseCheckForEditIsEnabled": True,
            "UserCanCreateChildContainer": writes,
            "UserCanCreateChildFile": writes,
            "UserCanDelete": writes and not root,
            "UserCanRename": writes and not root,
        }

    def _told(self, granted: Pass, identity: str, folder: Stat) -> dict[str, object]:
        return {"ContainerPointer": self._pointer(granted, identity, folder.path), "ContainerInfo": self._info(granted, folder)}

    def _pointer(self, granted: Pass, identity: str, path: str) -> dict[str, object]:
        """Name and address of a folder."""
        address = with_token(self.host.addresses.container(identity), self.host.token(granted, identity))
        return {"Name": _name(path), "Url": address}

    async def _child(self, granted: Pass, file: Stat) -> dict[str, object]:
        return {**self.host.file_pointer(granted, file), "Size": file.size, **await self.host.dated(file)}

    async def _above(self, granted: Pass, stat: Stat) -> dict[str, object]:
        parts = stat.path.split("/")
        paths = ["/".join(parts[:depth]) for depth in range(len(parts))] if stat.path else []
        return {"AncestorsWithRootFirst": [self._pointer(granted, identity, path) for path, identity in await self._identified(paths)]}

    async def _identified(self, paths: Sequence[str]) -> list[tuple[str, str]]:
        """The folders with their ids; those that are gone meanwhile are left out."""
        try:
            return list(zip(paths, await self.folders.identify(paths), strict=True))
        except NotFound:
            return [(path, identity) for path in paths for identity in await self._identified_one(path)]

    async def _identified_one(self, path: str) -> list[str]:
        try:
            return await self.folders.identify([path])
        except NotFound:
            return []

    async def _free_folder(self, folder: str, tried: Iterator[str]) -> Stat:
        for name in tried:
            try:
                return await self.tree.make(_path(folder, name))
            except Exists:
                continue
        raise BadContainerName(Malformed("there are too many folders of this name already"))

    async def _exact_folder(self, folder: str, name: str) -> Stat:
        path = _path(folder, name)
        try:
            return await self.tree.make(path)
        except Malformed as error:
            raise BadContainerName(error) from error
        except Exists as error:
            raise NameTaken(error.detail, await self._free(path)) from error

    async def _free_file(self, folder: str, tried: Iterator[str]) -> Stat:
        for name in tried:
            try:
                return await self.documents.upload(_path(folder, name), b"")
            except Exists:
                continue
        raise BadName(Malformed("there are too many files of this name already"))

    async def _exact_file(self, granted: Pass, folder: str, name: str, *, overwrite: bool) -> Stat:
        path = _path(folder, name)
        try:
            return await self.documents.upload(path, b"")
        except Malformed as error:
            raise BadName(error) from error
        except Exists as error:
            there = await self.documents.find(path)
            held = await self.host.held(there.id) if there.id else ""
            if held:
                raise LockMismatch(held, "the file of this name is locked") from error
            if there.folder or not overwrite:
                raise NameTaken(error.detail, await self._free(path)) from error
        await self.host.unclaimed(there.id)
        await self.trash.discard(there.id, if_match=there.etag, by=granted.person.name)
        try:
            return await self.documents.upload(path, b"")
        except Exists as error:
            raise NameTaken(error.detail, await self._free(path)) from error

    async def _free(self, path: str) -> str:
        """A name like that of the path that nothing has."""
        folder, _, name = path.rpartition("/")
        for each in names.variants(name):
            try:
                await self.documents.find(_path(folder, each))
            except NotFound:
                return each
        return name


def _one_of(suggested: str, relative: str) -> None:
    if bool(suggested) == bool(relative):
        raise NotOffered("send either X-WOPI-SuggestedTarget or X-WOPI-RelativeTarget")


def _tamed(header: str, otherwise: str) -> str:
    """What can be a name, of one that was only suggested: it is never refused."""
    try:
        wanted = names.from_header(header)
    except Malformed:
        return otherwise
    return names.tamed(wanted) or otherwise


def _container_name(header: str) -> str:
    try:
        return names.check(names.from_header(header))
    except Malformed as error:
        raise BadContainerName(error) from error


def _file_name(header: str) -> str:
    try:
        return names.check(names.from_header(header))
    except Malformed as error:
        raise BadName(error) from error


def _not_root(folder: Stat) -> None:
    if not folder.path:
        raise NotOffered("the folder that holds everything stays as it is")


def _writes(granted: Pass, folder: Stat) -> bool:
    return told(granted.role, folder) >= Role.EDITOR


def _name(path: str) -> str:
    return path.rpartition("/")[2] or BRAND


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
