"""Attachments: files in a folder beside a document, that go where it goes and are read by whoever may read it."""

from __future__ import annotations

import logging
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from collab.access import Person
from collab.errors import CollabError, Exists, Malformed, NotFound, NotText
from collab.formats import NOTEBOOK_TYPE
from collab.formats.sniffing import PICTURES, named_picture, sniffed
from collab.runtime.attaching import folder_of, numbered, renamed, renamed_in_json, safe, used_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from collab.ports import Bin, Binned, Draft, Files, Stat
    from collab.runtime.documents import Documents
    from collab.runtime.folders import Tree
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.runtime")

TRIES: Final = 100
"""Names with a number that are tried."""
PIECE: Final = 256 * 1024
TOGETHER: Final = 5.0
"""Seconds between a document's way into the bin and that of its attachments."""
SERVER: Final = Person("collab", "collab")
"""Whose edit it is when the names of attachments change in a text."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a document."""

    stat: Stat
    used: bool
    """The text names it."""

    @property
    def name(self) -> str:
        """Its file name."""
        return self.stat.path.rpartition("/")[2]


class Attachments:
    """Errors are those of `Files`, `Folders` and `Bin`."""

    def __init__(self, rooms: Rooms, documents: Documents, files: Files, tree: Tree, bin_: Bin) -> None:
        self._rooms = rooms
        self._documents = documents
        self._files = files
        self._tree = tree
        self._bin = bin_
        documents.attachments = self
        rooms.renamed = self.moved

    async def all(self, document: Stat) -> list[Attachment]:
        """Those of a document, by name."""
        stats = await self._files_of(document)
        if not stats:
            return []
        text = (await self._documents.now(document.id or document.path)).decode("utf-8", "replace")
        used = used_in(text, as_json=document.type == NOTEBOOK_TYPE)
        return [Attachment(stat, used(stat.path.rpartition("/")[2])) for stat in stats]

    async def _files_of(self, document: Stat) -> list[Stat]:
        try:
            return [stat for stat in await self._files.list(folder_of(document.path)) if not stat.folder]
        except NotFound:
            return []

    async def one(self, document: Stat, name: str) -> Stat:
        """The attachment of this name. NotFound, Malformed."""
        if not name or "/" in name or name in {".", ".."}:
            raise Malformed("an attachment has a name without slashes")
        stat = await self._files.stat(f"{folder_of(document.path)}/{name}")
        if stat.folder:
            raise NotFound("this is a folder")
        return stat

    async def add(self, document: Stat, name: str, pieces: AsyncIterator[bytes]) -> tuple[Stat, bool]:
        """A new attachment, and True; or the one that has the same bytes already. NotText: it is named as a picture and is none."""
        if document.folder:
            raise NotFound("files are attached to documents, and this is a folder")
        draft = await self._documents.draft(folder_of(document.path))
        try:
            digest, beginning = sha256(), b""
            async for piece in pieces:
                digest.update(piece)
                beginning = beginning or piece
                await draft.add(piece)
            name = _fitting(safe(name), beginning)
            same = await self._same(document, draft.size, digest.hexdigest())
            return (same, False) if same is not None else (await self._create(document, name, draft), True)
        finally:
            await draft.discard()

    async def _create(self, document: Stat, name: str, draft: Draft) -> Stat:
        folder = folder_of(document.path)
        with suppress(Exists):
            await self._tree.make(folder)
        # Where the folder is synchronised to, `A.png` and `a.png` may be one file.
        taken = {_folded(stat.path.rpartition("/")[2]) for stat in await self._files_of(document)}
        for number in range(1, TRIES + 1):
            free = numbered(name, number)
            if _folded(free) not in taken:
                with suppress(Exists):
                    return await draft.create(f"{folder}/{free}")
        raise Exists(f"there are too many attachments of this name: {name}")

    async def _same(self, document: Stat, size: int, digest: str) -> Stat | None:
        for stat in await self._files_of(document):
            if stat.size == size and (stat.etag == digest or await self._digest(stat) == digest):
                return stat
        return None

    async def _digest(self, stat: Stat) -> str:
        reader, digest, at = await self._files.reader(stat.path), sha256(), 0
        try:
            while piece := await reader.read(at, PIECE):
                digest.update(piece)
                at += len(piece)
        finally:
            reader.close()
        return digest.hexdigest()

    async def copy(self, source: Stat, document: Stat) -> int:
        """All of another document's to this one, which is a copy of it; how many these are."""
        stats = await self._files_of(source)
        for stat in stats:
            draft = await self._documents.draft(folder_of(document.path))
            reader, at = await self._files.reader(stat.path), 0
            try:
                while piece := await reader.read(at, PIECE):
                    await draft.add(piece)
                    at += len(piece)
                await self._create(document, stat.path.rpartition("/")[2], draft)
            finally:
                reader.close()
                await draft.discard()
        if stats:
            await self._rename(document, source.path)
        return len(stats)

    async def discard(self, document: Stat, name: str, *, by: str) -> Binned:
        """Into the bin."""
        stat = await self.one(document, name)
        return await self._bin.discard(stat.path, if_match=None, by=by, now=self._rooms.now())

    async def restore(self, document: Stat, key: str) -> Stat:
        """Back from the bin. NotFound for what was no attachment of this document."""
        for entry in await self._bin.entries():
            if entry.key == key and entry.path.rpartition("/")[0] == folder_of(document.path):
                return await self._bin.restore(key, None)
        raise NotFound("no attachment of this document is in the bin under this key")

    # --- where the document goes

    async def moved(self, before: Stat, now: Stat) -> None:
        """They follow their document, and its text names them as they are called then. Raises nothing: what stays behind can be moved by hand."""
        if before.path == now.path or before.folder:
            return
        try:
            # Who renames outside may have taken them along already.
            if await self._is_folder(folder_of(before.path)):
                await self._tree.move(folder_of(before.path), folder_of(now.path))
            if await self._is_folder(folder_of(now.path)):
                await self._rename(now, before.path)
        except CollabError as error:
            log.warning("the attachments of %s stay where they were: %s", now.path, error.detail)

    async def _is_folder(self, path: str) -> bool:
        try:
            return (await self._files.stat(path)).folder
        except NotFound:
            return False

    async def _rename(self, stat: Stat, before: str) -> None:
        """The text's own words for its attachments."""
        was, now = (path.rpartition("/")[2] for path in (before, stat.path))
        if was == now or await self._documents.is_plain(stat):
            return
        etag, body = await self._documents.base(stat.id, "*")
        try:
            rename = renamed_in_json if stat.type == NOTEBOOK_TYPE else renamed
            after = rename(body.decode(), was, now).encode()
        except UnicodeDecodeError:
            return
        if after != body:
            await self._documents.put(stat.id, after, if_match=etag, writer=SERVER)

    async def discarded(self, entry: Binned) -> None:
        """They go into the bin with their document. Raises nothing."""
        if entry.folder:
            return
        try:
            folder = await self._files.stat(folder_of(entry.path))
            if folder.folder:
                await self._bin.discard(folder.path, if_match=None, by=entry.by, now=entry.deleted)
        except NotFound:
            return
        except CollabError as error:
            log.warning("the attachments of %s stay where they were: %s", entry.path, error.detail)

    async def restored(self, entry: Binned, stat: Stat, companion: Binned | None) -> None:
        """They come back with their document, to where it is then. Raises nothing."""
        if companion is None:
            return
        try:
            await self._bin.restore(companion.key, folder_of(stat.path))
            await self._rooms.recover(companion.documents)
            await self._rename(stat, entry.path)
        except CollabError as error:
            log.warning("the attachments of %s are still in the bin: %s", stat.path, error.detail)


def companion_of(entry: Binned, entries: Sequence[Binned]) -> Binned | None:
    """The attachments that went into the bin with a document."""
    wanted = folder_of(entry.path)
    found = [each for each in entries if each.folder and each.path == wanted and abs(each.deleted - entry.deleted) < TOGETHER]
    return None if entry.folder else next(iter(found), None)


def shown(entries: Sequence[Binned]) -> list[Binned]:
    """What is listed of the bin: attachments come and go with their documents."""
    hidden = {companion.key for entry in entries if (companion := companion_of(entry, entries)) is not None}
    return [entry for entry in entries if entry.key not in hidden]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _fitting(name: str, beginning: bytes) -> str:
    """The name for these bytes. NotText: it is a picture's, and they are none."""
    kind, said = sniffed(beginning), named_picture(name)
    if kind in PICTURES:
        return name if said == kind else (name if not said else name.rpartition(".")[0]) + PICTURES[kind][0]
    if said:
        raise NotText(f"{name} is named as a picture and is none: give it the name of what it is")
    return name
