"""The files of a cloud (`Files`). What a save displaced is in the cloud's own versions, so nothing is left beside a file."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.errors import NotFound
from collab.ports import Content, Stat, Written
from collab.storage.cs3.bodies import Bodies, Held
from collab.storage.cs3.claims import claimed
from collab.storage.cs3.cloud import Found
from collab.storage.cs3.etags import HASHED, weak
from collab.storage.cs3.streams import CloudDraft, CloudReader
from collab.storage.paths import is_id, split_new

if TYPE_CHECKING:
    from pathlib import Path

    from collab.ports import First
    from collab.storage.cs3.bodies import Wrote
    from collab.storage.cs3.cloud import Cloud
    from collab.storage.cs3.streams import Spool

    # The class has a method `list`.
    Stats = list[Stat]


class CloudDisplaced:
    """See `collab.ports.Displaced`: a version of the cloud, which nobody writes any more."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def reread(self) -> bytes | None:
        """It does not change."""
        return None

    async def discard(self) -> None:
        """The cloud keeps it as it keeps versions."""

    def leave(self) -> None:
        """The same."""


class CloudFiles:
    """See `collab.ports.Files`. `spool`: a folder for what is too large to be held, by default the system's."""

    def __init__(self, cloud: Cloud, *, spool: Path | None = None) -> None:
        self._cloud = cloud
        self._bodies = Bodies(cloud)
        self._spool = spool

    async def stat(self, name: str) -> Stat:
        """What the name stands for now."""
        async with self._cloud.acts(_document(name)) as token:
            return await self._told(await self._cloud.find(token, name))

    async def read(self, name: str, *, limit: int) -> Content:
        """The whole file."""
        async with self._cloud.acts(_document(name)) as token:
            found, body = await self._bodies.read(await self._cloud.file(token, name), limit)
            return Content(self._cloud.described(found, _etag(found, body)), body, traces=False)

    async def write(self, name: str, body: bytes, *, if_match: str | None) -> Written:
        """Replace the file, or create it."""
        held = await Held.of(body)
        async with self._cloud.acts(_document(name)) as token:
            if if_match is None:
                wrote = await self._bodies.create(await self._cloud.target(token, name), name, token, held)
            else:
                wrote = await self._bodies.replace(await self._cloud.file(token, name), held, if_match)
        displaced = None if wrote.displaced is None else CloudDisplaced(wrote.displaced)
        return Written(self._cloud.described(wrote.found, wrote.digest), displaced, replaced=displaced is not None)

    async def reader(self, name: str) -> CloudReader:
        """The file, as a copy of ours: nobody changes it while it is read."""
        async with self._cloud.acts(_document(name)) as token:
            found = await self._cloud.file(token, name)
            copy = CloudReader(self._spool)
            try:
                found = await self._bodies.copy(found, copy.take, copy.clear)
            except BaseException:
                copy.close()
                raise
            copy.stat = self._cloud.described(found)
            return copy

    async def draft(self, name: str) -> CloudDraft:
        """A body for a document, or for a new one: whether there may be one is asked now."""
        async with self._cloud.acts(_document(name)) as token:
            await self._berth(token, name)
        return CloudDraft(self, name, self._spool)

    async def _berth(self, token: str, name: str) -> None:
        try:
            found = await self._cloud.find(token, name)
        except NotFound:
            if is_id(name):
                raise
            split_new(name)
            around = name.rpartition("/")[0]
            found = await self._cloud.find(token, around)
            if not found.folder:
                raise NotFound(f"no such folder: {around}") from None
        self._cloud.may_write(found)

    async def commit(self, name: str, if_match: str, body: Spool, first: First | None) -> Wrote:
        """For `CloudDraft`: it takes the place of a file."""

        async def last(found: Found) -> None:
            if first is not None:
                stat = self._cloud.described(found, await self._bodies.digest(found))
                await asyncio.to_thread(first, stat, claimed(self._cloud, found))

        async with self._cloud.acts(_document(name)) as token:
            return await self._bodies.replace(await self._cloud.file(token, name), body, if_match, last)

    async def settle(self, path: str, body: Spool) -> Wrote:
        """For `CloudDraft`: it becomes a new file."""
        async with self._cloud.acts() as token:
            return await self._bodies.create(await self._cloud.target(token, path), path, token, body)

    def stat_of(self, wrote: Wrote) -> Stat:
        """For `CloudDraft`."""
        return self._cloud.described(wrote.found, wrote.digest)

    async def list(self, path: str) -> Stats:
        """The entries of a folder; bodies that nobody has read have a weak etag."""
        async with self._cloud.acts() as token:
            return [self._cloud.described(each) for each in await self._cloud.entries(token, path)]

    async def move(self, name: str, path: str, *, if_match: str | None) -> Stat:
        """Rename or move to a free path."""
        cloud = self._cloud
        async with cloud.acts(_document(name)) as token:
            to = await cloud.target(token, path)
            found = await cloud.file(token, name)
            if if_match is not None:
                await self._bodies.expect(found, if_match)
            if path != found.path:
                await cloud.shift(found, to, path)
            return await self._told(Found(found.resource, path, token))

    async def delete(self, name: str, *, if_match: str | None) -> None:
        """Remove the file, into the cloud's own bin."""
        async with self._cloud.acts(_document(name)) as token:
            found = await self._cloud.file(token, name)
            if if_match is not None:
                await self._bodies.expect(found, if_match)
            await self._cloud.drop(found)

    async def close(self) -> None:
        """Let go of the connections. Idempotent."""
        await self._cloud.close()

    async def _told(self, found: Found) -> Stat:
        return self._cloud.described(found, "") if found.folder else self._cloud.described(*await self._bodies.known(found))


def _document(name: str) -> str | None:
    return name if is_id(name) else None


def _etag(found: Found, body: bytes) -> str:
    return weak(found.resource) if len(body) > HASHED else sha256(body).hexdigest()
