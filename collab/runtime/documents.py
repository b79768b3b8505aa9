"""Documents as REST sees them: the storage's files, with the live text where a room is ahead of its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.errors import Changed, NotFound, TooLarge

if TYPE_CHECKING:
    from collab.ports import Files, Stat
    from collab.runtime.rooms import Rooms

ANY = "*"
"""An If-Match that any existing document meets (RFC 9110, section 13.1.1)."""


class Documents:
    """All names are paths or ids. Errors are those of `Files`."""

    def __init__(self, rooms: Rooms, files: Files, *, largest: int = 2**30) -> None:
        self._rooms = rooms
        self._files = files
        self._largest = largest

    def _live(self, stat: Stat) -> Stat:
        host = self._rooms.live(stat.id) if stat.id else None
        if host is None:
            return stat
        live = host.live()
        return replace(stat, size=live.size, etag=live.etag) if host.file.word != "saved" else stat

    async def find(self, name: str) -> Stat:
        """What the name stands for; etag and size are those of the live text when a room is ahead of the file."""
        return self._live(await self._files.stat(name))

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder."""
        return [self._live(stat) for stat in await self._files.list(path)]

    async def create(self, path: str, body: bytes) -> Stat:
        """A new file. Exists, NotFound (no such folder), TooLarge."""
        if len(body) > self._rooms.limits.text:
            raise TooLarge(f"The document is over {self._rooms.limits.text} bytes.")
        return (await self._files.write(path, body, if_match=None)).stat

    async def upload(self, path: str, body: bytes) -> Stat:
        """A new file of any kind and size. Exists, NotFound (no such folder)."""
        return (await self._files.write(path, body, if_match=None)).stat

    async def move(self, name: str, path: str, *, if_match: str) -> Stat:
        """Rename or move; the id stays, and people who edit go on. Changed, Exists."""
        stat = await self.checked(name, if_match)
        host = self._rooms.live(stat.id)
        if host is None:
            return await self._files.move(stat.id, path, if_match=stat.etag)
        # The room's own saves change the file's etag at any time: what counts was compared above.
        host.stat = moved = await self._files.move(stat.id, path, if_match=None)
        host.say_all()
        return self._live(moved)

    async def checked(self, name: str, if_match: str) -> Stat:
        """What the name stands for, if its etag is this one. Changed."""
        stat = await self.find(name)
        if if_match not in {ANY, stat.etag}:
            raise Changed("The document was changed since you read it; read it again.")
        return stat

    async def content(self, name: str) -> tuple[Stat, bytes]:
        """The live text in the file's own form, once the journal holds it, or the file's bytes."""
        stat = await self._files.stat(name)
        if stat.folder:
            raise NotFound("This is a folder.")
        host = self._rooms.live(stat.id)
        if host is not None:
            return await host.content()
        content = await self._files.read(stat.id, limit=self._largest)
        return content.stat, content.body
