"""Documents as REST sees them: the storage's files, with the live text where a room is ahead of its file."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collab.errors import Changed, NotFound, NotText, TooLarge
from collab.formats import NOTEBOOK_TYPE, is_textual, media_type, named_type
from collab.formats.bodies import format_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.access import Person
    from collab.formats.bodies import Sizes
    from collab.ports import Draft, Files, First, Former, Line, Reader, Stat, Versions
    from collab.runtime.attachments import Attachments
    from collab.runtime.rooms import Rooms

    # The class has a method `list`.
    Stats = list[Stat]


@dataclass(frozen=True, slots=True)
class Held:
    """A body in memory as a `Reader`."""

    stat: Stat
    body: bytes

    async def read(self, start: int, size: int) -> bytes:
        """So many bytes from an offset."""
        return self.body[start : start + size]

    async def give(self, line: Line, start: int, size: int) -> int:
        """Send so many bytes from an offset."""
        return line.send(memoryview(self.body)[start : start + size])

    def close(self) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restoration made."""

    stat: Stat
    version: int
    """Its own number."""
    before: int | None
    """The version that was there until then."""


log = logging.getLogger("collab.runtime")

LOOK = 1.0
"""Seconds between two looks for news of a document."""
LATE = 30
"""Looks until nobody is believed to write any more into a file that was replaced."""
BEGINNING = 4096
"""Bytes that are looked at for NUL, which no text has."""
ANY = "*"
"""An If-Match that any existing document meets (RFC 9110, section 13.1.1)."""


class Documents:
    """All names are paths or ids. Errors are those of `Files`."""

    def __init__(self, rooms: Rooms, files: Files, versions: Versions, *, largest: int = 2**30) -> None:
        self._rooms = rooms
        self._files = files
        self._versions = versions
        self._largest = largest
        self.attachments: Attachments | None = None
        """What goes where a document goes."""

    @property
    def sizes(self) -> Sizes:
        """Bytes that documents may have."""
        return self._rooms.limits

    async def _live(self, stat: Stat) -> Stat:
        host = self._rooms.live(stat.id) if stat.id else None
        if host is None:
            return stat
        if host.file.word == "saved":
            return stat
        live = await host.live()
        return replace(stat, size=live.size, etag=live.etag)

    async def find(self, name: str) -> Stat:
        """What the name stands for; etag and size are those of the live text when a room is ahead of the file."""
        return await self.seen(await self._files.stat(name))

    async def seen(self, stat: Stat) -> Stat:
        """The file as `find` tells it."""
        return await self._live(stat)

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder."""
        return await self.current([await self._live(stat) for stat in await self._files.list(path)])

    async def current(self, stats: Sequence[Stat]) -> Stats:
        """The same with size and etag of the live text where a room of another node is ahead of the file."""
        neighbours = self._rooms.neighbours
        if neighbours is None:
            return [*stats]
        ahead = await neighbours.ahead([stat.id for stat in stats if stat.id and self._rooms.live(stat.id) is None])
        return [replace(stat, size=live.size, etag=live.etag) if (live := ahead.get(stat.id)) else stat for stat in stats]

    async def create(self, path: str, body: bytes) -> Stat:
        """A new file. Exists, NotFound (no such folder), TooLarge."""
        most = self._rooms.limits.of(format_of(media_type(path)))
        if len(body) > most:
            raise TooLarge(f"The document is over {most} bytes.")
        return (await self._files.write(path, body, if_match=None)).stat

    async def upload(self, path: str, body: bytes) -> Stat:
        """A new file of any kind. Exists, NotFound (no such folder)."""
        return (await self._files.write(path, body, if_match=None)).stat

    async def reader(self, name: str, *, keep: bool = False) -> Reader:
        """As `content`, in pieces: what is no live text is never held whole."""
        stat = await self._files.stat(name)
        if stat.folder:
            raise NotFound("This is a folder.")
        if self._rooms.live(stat.id) is not None or (keep and _is_edited(stat) and await self._is_text(stat)):
            return Held(*await self.content(stat.id))
        return await self._files.reader(stat.id)

    async def open(self, name: str) -> Reader:
        """The bytes of the file, whoever types."""
        return await self._files.reader(name)

    async def draft(self, name: str) -> Draft:
        """A body for a document that is no text, or for a new one at this path or in this folder. NotFound, Denied."""
        return await self._files.draft(name)

    async def replace(self, document: str, body: bytes, *, if_match: str) -> Stat:
        """Other bytes in the file, whatever they are, if its etag is this one. Changed."""
        draft = await self._files.draft(document)
        try:
            await draft.add(body)
            return await self.put_draft(document, draft, if_match=if_match)
        finally:
            await draft.discard()

    async def put_draft(self, document: str, draft: Draft, *, if_match: str, first: First | None = None) -> Stat:
        """Other bytes in a file that is no text, if its etag is this one, and `first` lets it (see `Draft.replace`). Changed."""
        # On several nodes who writes a file has it.
        tenure = await self._rooms.tenures.take(document, again=False)
        try:
            replaced = await draft.replace(document, if_match=if_match, first=first)
        finally:
            await self._rooms.tenures.give(tenure)
        if replaced.former is not None:
            self._rooms.spawn(self._outlive(document, replaced.former))
        return replaced.stat

    async def _outlive(self, document: str, former: Former) -> None:
        """A program that still had the file open that we replaced has some time to come to its end."""
        for _ in range(LATE):
            if self._rooms.stopping:
                break
            await asyncio.sleep(LOOK)
        if await former.end():
            log.warning("%s: a program wrote into the file after it was replaced; what it wrote stays beside it, hidden", document)

    async def move(self, name: str, path: str, *, if_match: str) -> Stat:
        """Rename or move; the id stays, and people who edit go on. Changed, Exists."""
        stat = await self.checked(name, if_match)
        moved = await self._move(stat, path)
        if self.attachments is not None:
            await self.attachments.moved(stat, moved)
        return moved

    async def _move(self, stat: Stat, path: str) -> Stat:
        host = self._rooms.live(stat.id)
        if host is None:
            return await self._files.move(stat.id, path, if_match=stat.etag)
        # The room's own saves change the file's etag at any time: what counts was compared above.
        host.stat = moved = await self._files.move(stat.id, path, if_match=None)
        host.say_all()
        return await self._live(moved)

    async def checked(self, name: str, if_match: str) -> Stat:
        """What the name stands for, if its etag is this one. Changed."""
        stat = await self.find(name)
        if if_match not in {ANY, stat.etag}:
            raise Changed("The document was changed since you read it; read it again.")
        return stat

    async def content(self, name: str, *, keep: bool = False) -> tuple[Stat, bytes]:
        """The live text in the file's own form, once the journal holds it, or the file's bytes; `keep`: the reader may come back with it."""
        stat = await self._files.stat(name)
        if stat.folder:
            raise NotFound("This is a folder.")
        if keep and _is_edited(stat):
            await self._is_text(stat)
        host = self._rooms.live(stat.id)
        if host is not None:
            # Whoever reads it may come back with it.
            return await host.give(self._rooms.now())
        content = await self._files.read(stat.id, limit=self._largest)
        return content.stat, content.body

    async def news(self, stat: Stat, seconds: float) -> Stat:
        """What the document is when it is not that any more, or after so many seconds. NotFound when it is gone meanwhile."""
        now = stat
        try:
            async with asyncio.timeout(seconds):
                while now.etag == stat.etag and not self._rooms.stopping:
                    await asyncio.sleep(LOOK)
                    now = await self.find(stat.id or stat.path)
        except TimeoutError:
            pass
        return now

    async def is_plain(self, stat: Stat) -> bool:
        """Whether the document is no text, so that nothing can be merged into it."""
        return not await self._is_text(stat)

    async def put(self, name: str, body: bytes, *, if_match: str, writer: Person) -> tuple[Stat, bool]:
        """A body from somebody who had read the one with this etag (`*`: what is there now): merged into the live text.

        What the document is then, and whether its text is more than the body. Changed when that is not known any more; NotText, TooLarge.
        What is no text now is replaced, if its etag is this one.
        """
        stat = await self._files.stat(name)
        if stat.folder:
            raise NotFound("This is a folder.")
        if not await self._is_text(stat):
            if if_match not in {ANY, stat.etag}:
                raise Changed("This is no text, so nothing can be merged, and it is not what you have read: read it again.")
            return await self.replace(stat.id, body, if_match=stat.etag), False
        more = await self._rooms.put(stat.id, body, None if if_match == ANY else if_match, writer)
        return await self.find(stat.id), more

    def typed(self, stat: Stat) -> bool:
        """Whether people may type in it: it is open, or its name says that it is text or a notebook."""
        named = named_type(stat.path)
        return self._rooms.live(stat.id) is not None or named == NOTEBOOK_TYPE or (named is not None and is_textual(named))

    async def offer(self, name: str, body: bytes, *, writer: Person) -> tuple[Stat, bool]:
        """A body from somebody who can't say what it had read: merged from the nearest that it may have been. What the document is then; or, when
        nothing is near, what the copy beside it is, and False. NotText, TooLarge.
        """
        stat = await self._files.stat(name)
        if stat.folder:
            raise NotFound("This is a folder.")
        path = await self._rooms.offer(stat.id, body, writer)
        return (await self._files.stat(path), False) if path else (await self.find(stat.id), True)

    async def base(self, name: str, etag: str) -> tuple[str, bytes]:
        """The body with this etag, as long as it is known, and its etag; `*`: the newest. Changed."""
        stat, body = await self.content(name)
        if etag in {ANY, stat.etag}:
            return stat.etag, body
        known = await self._rooms.body_of(stat.id, etag)
        if known is not None:
            return etag, known
        found = await self._versions.find(stat.id, etag)
        if found is None:
            raise Changed("What you had read is not known any more: read the document again, then make your change in that.")
        return etag, (await self._versions.read(stat.id, found.number))[1]

    def open_one(self, name: str) -> Stat | None:
        """What is known of a document that is open, by its id or path, whatever became of its file."""
        return self._rooms.open_one(name)

    async def now(self, name: str) -> bytes:
        """The live body, to look at: nobody comes back with it."""
        stat = await self._files.stat(name)
        host = self._rooms.live(stat.id)
        return (await host.content())[1] if host is not None else (await self._files.read(stat.id, limit=self._largest)).body

    async def restore(self, name: str, body: bytes, *, number: int | None, writer: Person, over: int | None = None) -> Restored:
        """Make the live text this body, by an edit: what was there is a version, and whoever types goes on typing. `over`: take back the
        restoration with this number. `number`: the version that it is, None: none of ours. Errors as those of `put`.
        """
        stat = await self._files.stat(name)
        former, version = await self._rooms.restore(stat.id, body, writer, over)
        host = self._rooms.live(stat.id)
        if host is not None:
            host.tell("restored", **({} if number is None else {"number": number}), by=writer.name)
        before = await self._versions.find(stat.id, former)
        return Restored(await self.find(stat.id), version, before.number if before else None)

    async def put_back(self, name: str) -> Stat:
        """Write the file again of a document that is open, and whose file is gone. NotFound, Exists."""
        return await self._rooms.put_back(name)

    async def _is_text(self, stat: Stat) -> bool:
        if self._rooms.live(stat.id) is not None:
            return True
        if b"\0" in await self._beginning(stat):
            return False
        try:
            await self._rooms.open(stat.id)
        except (NotText, TooLarge):
            return False
        return True

    async def _beginning(self, stat: Stat) -> bytes:
        """What tells most files that are no text from those that are."""
        reader = await self._files.reader(stat.id)
        try:
            return await reader.read(0, BEGINNING)
        finally:
            reader.close()


def _is_edited(stat: Stat) -> bool:
    return stat.type.startswith("text/") or stat.type == NOTEBOOK_TYPE
