"""The bytes of a cloud's files, read and written so that nothing is believed which was not looked at.

Reading: what came is compared with the checksum that Stat tells; a file in processing, or one that is torn because somebody writes it, is read again.
Writing: under a lock, if the etag still matches, with length and checksum, with a look right before and right after.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from collab.errors import Changed, CollabError, Exists, Locked, NotFound, TooLarge, Unavailable
from collab.gateway.resources import FILE, Reference, Resource, ResourceId
from collab.storage.cs3.cloud import Found
from collab.storage.cs3.etags import HASHED, weak

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from collab.gateway.resources import FileVersion
    from collab.storage.cs3.cloud import Cloud
    from collab.storage.cs3.locks import Hold

log = logging.getLogger("collab.storage")

TRIES: Final = 14
"""Reads of a file that is torn or in processing, with pauses that double up to a second: seven seconds."""
WRITES: Final = 8
"""Tries of a write whose lock is lost meanwhile."""
BESIDE: Final = 256 * 1024
"""Bytes from which on checksums are made beside the event loop."""
LOOKED: Final = 16
"""Versions that are looked through for what a write displaced."""


class Body(Protocol):
    """What is to be written; it can be given more than once."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha1(self) -> str:
        """Hex."""

    @property
    def adler32(self) -> str:
        """Hex, 8 digits."""

    @property
    def sha256(self) -> str:
        """Hex."""

    def pieces(self) -> AsyncIterator[bytes]:
        """All of it."""


class Held:
    """A body that is in memory."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.size = len(body)
        self.sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        self.adler32 = f"{zlib.adler32(body):08x}"
        self.sha256 = hashlib.sha256(body).hexdigest()

    @classmethod
    async def of(cls, body: bytes) -> Held:
        """With its checksums; nobody waits for those of a large one."""
        return cls(body) if len(body) < BESIDE else await asyncio.to_thread(cls, body)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All at once."""
        yield self._body


class Sums:
    """Checksums of a body that comes in pieces."""

    def __init__(self, kind: str | None) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._kind = kind
        self._other = hashlib.new(kind, usedforsecurity=False) if kind in {"sha1", "md5"} else None
        self._adler = 1

    def add(self, piece: bytes) -> None:
        """One more."""
        self.size += len(piece)
        self._sha256.update(piece)
        if self._other is not None:
            self._other.update(piece)
        elif self._kind == "adler32":
            self._adler = zlib.adler32(piece, self._adler)

    @property
    def sha256(self) -> str:
        """Hex."""
        return self._sha256.hexdigest()

    def fit(self, resource: Resource) -> bool:
        """Whether this is the body that Stat told of; without a checksum the size has to do."""
        if self.size != resource.size:
            return False
        if resource.checksum is None:
            return True
        kind, told = resource.checksum
        own = self._other.hexdigest() if self._other is not None else f"{self._adler:08x}"
        return kind == self._kind and own == told.rjust(len(own), "0")


@dataclass(frozen=True, slots=True)
class Wrote:
    """A body that is in the file now. `displaced`: what it took the place of, if that is not what was expected; it is in the cloud's versions, too."""

    found: Found
    digest: str
    displaced: bytes | None = None


class Bodies:
    """Reads and writes for the adapters."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    # --- reading

    async def read(self, found: Found, limit: int) -> tuple[Found, bytes]:
        """A file as it is now, whole. TooLarge, NotFound, Denied, Unavailable."""
        body = bytearray()

        def keep(piece: bytes) -> None:
            if len(body) + len(piece) > limit:
                raise TooLarge(f"the file has over {limit} bytes: {found.path}")
            body.extend(piece)

        found = await self.copy(found, keep, body.clear, limit)
        return found, bytes(body)

    async def copy(self, found: Found, take: Callable[[bytes], object], anew: Callable[[], object], limit: int | None = None) -> Found:
        """Hand a file to `take` piece by piece; `anew`: all that came is to be forgotten. What is it that came, in the end."""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(min(0.01 * 2**number, 1.0))
                found = await self.look(found)
            if limit is not None and found.resource.size > limit:
                raise TooLarge(f"the file has {found.resource.size} bytes, over {limit}: {found.path}")
            anew()
            sums = Sums(found.resource.checksum[0] if found.resource.checksum else None)
            if await self._came(found, sums, take):
                self._cloud.etags.learn(found.resource.id, found.resource.etag, sums.sha256)
                return found
        raise Unavailable(f"the storage is not done with the file, or somebody keeps writing it: {found.path}")

    async def _came(self, found: Found, sums: Sums, take: Callable[[bytes], object]) -> bool:
        """Whether what came is the body that was looked at."""
        gateway, token = self._cloud.gateway, found.token
        ways = await gateway.download(token, found.ref)
        try:
            async with self._cloud.transfers.pieces(ways, token, about=found.path) as pieces:
                async for piece in pieces:
                    sums.add(piece)
                    take(piece)
        except (Unavailable, NotFound):
            # In processing, or the server forgot the transfer: whether the file is there, the next look says.
            return False
        if not sums.fit(found.resource):
            return False
        if found.resource.checksum is not None:
            return True
        now = await gateway.stat(token, found.ref, keys=())
        return now.etag == found.resource.etag and not now.processing

    async def digest(self, found: Found) -> str:
        """The house's etag of a file. Changed: it is another by now; else as `known`."""
        seen, known = await self.known(found)
        if seen.resource.etag != found.resource.etag:
            raise Changed(f"somebody else keeps writing the file: {found.path}")
        return known

    async def known(self, found: Found) -> tuple[Found, str]:
        """A file, as it is by then, and the house's etag of it: it is read when nobody has yet, unless it is too large or not for us to read."""
        resource = found.resource
        if resource.size > HASHED or not resource.permissions.download:
            return found, weak(resource)
        known = self._cloud.etags.digest(resource)
        if known is not None:
            return found, known
        seen = await self.copy(found, lambda _: None, lambda: None)
        return seen, self._cloud.etag(seen.resource)

    async def look(self, found: Found) -> Found:
        """The same, as it is now."""
        return Found(await self._cloud.gateway.stat(found.token, found.ref), found.path, found.token)

    # --- writing

    async def replace(self, found: Found, body: Body, if_match: str, first: Callable[[Found], Awaitable[None]] | None = None) -> Wrote:
        """Put a body into a file, if that has this etag, and `first` lets it. Changed, Locked, Fenced (another server has it open), Denied, NotFound,
        Unavailable, and what `first` raises.
        """
        for number in range(WRITES):
            if number:
                await asyncio.sleep(0.005 * 2**number)
                await self._cloud.locks.mend(found.token, found.resource.id)
            async with self._cloud.locks.writing(found.token, found.resource.id) as hold:
                found = await self.look(found)
                await self.expect(found, if_match)
                if first is not None:
                    asked, first = first, None
                    await asked(found)
                wrote = await self._replace(found, body, hold)
                if wrote is not None:
                    return wrote
        raise Unavailable(f"the storage keeps losing the file's lock (do its clock and ours agree?): {found.path}")

    async def matches(self, found: Found, if_match: str) -> bool:
        """Whether a file has this etag, be it a hash or a weak word."""
        if if_match == weak(found.resource):
            return True
        if if_match.startswith("weak-") or found.resource.size > HASHED:
            return False
        return await self.digest(found) == if_match

    async def expect(self, found: Found, if_match: str) -> None:
        """Changed when a file has another etag."""
        if not await self.matches(found, if_match):
            raise Changed(f"the file was changed by somebody else: {found.path}")

    async def _replace(self, before: Found, body: Body, hold: Hold) -> Wrote | None:
        """One try; None: nothing was written, because the lock was lost."""
        resource = before.resource
        # A lock is what keeps others out where etags are not compared, and the other way round: each is looked at where the other may fail.
        compares = await self._cloud.compares(before, hold.id)
        keys = None if compares and hold.alone else await self._keys(before)
        try:
            etag = await self._send(before.ref, before, body, if_match=resource.etag, lock=hold.id)
        except (Changed, Locked, Unavailable) as error:
            outcome = await self._after_failure(before, body, hold, error)
            if outcome is None:
                return None
            etag = outcome.resource.etag
        after = await self._settled(before, body, etag)
        displaced = None if keys is None else await self._displaced(after, (body, etag), keys, resource)
        return self._wrote(before, after, body, etag, displaced)

    async def _after_failure(self, before: Found, body: Body, hold: Hold, error: CollabError) -> Found | None:
        """The file, when the body is in it though no answer came; None: it is as before, and the lock was lost. Raises what it was."""
        now = await self.look(before)
        if now.resource.etag == before.resource.etag:
            held = await self._cloud.gateway.locked(now.token, now.ref) if hold.id else None
            if hold.id and (held is None or held.id != hold.id):
                return None
            raise error if not isinstance(error, Changed) else Unavailable(f"the storage refused the body: {before.path}")
        if _is(now.resource, body):
            return now
        if isinstance(error, Unavailable):
            # Perhaps ours was there, and somebody went on from it: only who compares bodies knows.
            raise Unavailable(f"the storage did not say what became of the body: {before.path}") from error
        raise error

    async def create(self, ref: Reference, path: str, token: str, body: Body) -> Wrote:
        """A new file. Exists, NotFound (the folder around it), Denied, Unavailable."""
        gateway = self._cloud.gateway
        try:
            await gateway.stat(token, ref, keys=())
        except NotFound:
            pass
        else:
            raise Exists(f"there is something of this name: {path}")
        about = Found(_nothing(path), path, token)
        try:
            etag = await self._send(ref, about, body, if_match=None, lock="")
        except (Changed, NotFound) as error:
            raise await self._why_not(token, ref, path) from error
        except Unavailable:
            try:
                now = await gateway.stat(token, ref)
            except CollabError:
                now = None
            if now is None or not _is(now, body):
                raise
            etag = now.etag
        found = Found(await gateway.stat(token, ref), path, token)
        await self._cloud.remember([found.resource])
        after = await self._settled(found, body, etag)
        return self._wrote(after, after, body, etag, await self._displaced(after, (body, etag), frozenset(), None))

    async def _why_not(self, token: str, ref: Reference, path: str) -> CollabError:
        """Why no file could be made: servers say the same when there is one and when there is no folder."""
        try:
            await self._cloud.gateway.stat(token, ref, keys=())
        except NotFound:
            return NotFound(f"no such folder: {path.rpartition('/')[0] or 'the root'}")
        return Exists(f"there is something of this name: {path}")

    async def _send(self, ref: Reference, about: Found, body: Body, *, if_match: str | None, lock: str) -> str:
        """The new etag, as far as it is told."""
        cloud, token = self._cloud, about.token
        ways = await cloud.gateway.upload(token, ref, length=body.size, sha1=body.sha1, if_match=if_match, lock=lock)
        if not body.size:
            # Initiate did it.
            return ""
        return await cloud.transfers.upload(
            ways,
            token,
            body.pieces(),
            length=body.size,
            about=about.path,
            lock=lock,
            holder=cloud.locks.application if lock else "",
        )

    async def _settled(self, found: Found, body: Body, etag: str) -> Found:
        """The file after a write, when the storage is done with it: it has our body, or somebody else's by now. Unavailable: nobody knows yet."""
        now = found
        for number in range(TRIES):
            if number:
                await asyncio.sleep(min(0.01 * 2**number, 1.0))
            now = await self.look(found)
            if not now.resource.processing or _is(now.resource, body):
                break
        else:
            raise Unavailable(f"the storage is not done with the file yet: {found.path}")
        if etag and now.resource.etag == etag and _differs(now.resource, body):
            raise Unavailable(f"the storage has other bytes than it was sent: {found.path}")
        return now

    def _wrote(self, before: Found, after: Found, body: Body, etag: str, displaced: bytes | None) -> Wrote:
        # Some data servers tell an etag in another form than Stat.
        cloud, ours = self._cloud, after.resource.etag if _is(after.resource, body) else etag
        cloud.etags.learn(after.resource.id, ours, body.sha256)
        told = after if after.resource.etag == ours else before
        size, digest = body.size, body.sha256
        resource = replace(told.resource, size=size, etag=ours or after.resource.etag)
        if size > HASHED:
            digest = weak(resource)
        return Wrote(Found(resource, told.path, told.token), digest, displaced)

    async def _keys(self, found: Found) -> frozenset[str] | None:
        """The versions before a write; None: nobody can tell."""
        try:
            return frozenset(each.key for each in await self._cloud.gateway.versions(found.token, found.ref))
        except CollabError as error:
            log.warning("%s: nobody will be able to tell what its next save replaces: %s", found.path, error.detail)
            return None

    async def _displaced(self, after: Found, ours: tuple[Body, str], keys: frozenset[str], before: Resource | None) -> bytes | None:
        """The body that ours took the place of, if it is another than was looked at: a server that neither compares nor keeps locks lets that be.

        Of the versions that came since, one is what was looked at, and one may be ours by now.
        """
        try:
            fresh = [each for each in await self._cloud.gateway.versions(after.token, after.ref) if each.key not in keys]
            former = await self._former(after, fresh[-LOOKED:], ours, before)
        except CollabError as error:
            log.warning("%s: nobody can tell what its last save replaced: %s", after.path, error.detail)
            return None
        if former is not None:
            log.warning("%s: its storage let a save replace another one of the same moment, which is merged from the versions", after.path)
        return former

    async def _former(self, after: Found, fresh: Sequence[FileVersion], ours: tuple[Body, str], before: Resource | None) -> bytes | None:
        """The last of the versions before ours that is neither ours nor what was looked at."""
        body, etag = ours
        expected = None if before is None else self._cloud.etags.digest(before)
        last: bytes | None = None
        for version in fresh:
            if etag and version.etag == etag:
                break
            if before is not None and _same(version, before, expected):
                continue
            former = await self.version(after, version)
            digest = hashlib.sha256(former).hexdigest()
            if digest == body.sha256:
                break
            if digest != expected:
                last = former
        return last

    async def version(self, after: Found, version: FileVersion) -> bytes:
        """The bytes of a former version; they do not change any more."""
        identity = after.resource.id
        ref = Reference(ResourceId(identity.storage, identity.space, version.key))
        for number in range(TRIES):
            if number:
                await asyncio.sleep(min(0.01 * 2**number, 1.0))
            ways = await self._cloud.gateway.download(after.token, ref)
            try:
                body = await self._cloud.transfers.download(ways, after.token, limit=max(version.size, 1), about=after.path)
            except Unavailable:
                continue
            if len(body) == version.size:
                return body
        raise Unavailable(f"a former version cannot be read: {after.path}")


def _same(version: FileVersion, before: Resource, expected: str | None) -> bool:
    """Whether a version is what was in the file before; where versions have etags of their own, and nobody has read it, size and time have to do."""
    unread = expected is None and (version.size, int(version.modified)) == (before.size, int(before.modified))
    return version.etag == before.etag or unread


def _is(resource: Resource, body: Body) -> bool:
    """Whether the file surely has this body, as far as Stat tells."""
    if resource.size != body.size:
        return False
    return not body.size or resource.checksum in {("sha1", body.sha1), ("adler32", body.adler32)}


def _differs(resource: Resource, body: Body) -> bool:
    """Whether the file surely has another body."""
    kind = resource.checksum[0] if resource.checksum else ""
    return resource.size != body.size or (kind in {"sha1", "adler32"} and not _is(resource, body))


def _nothing(path: str) -> Resource:
    return Resource(ResourceId("", "", ""), FILE, path.rpartition("/")[2], path, 0, "", 0.0)
