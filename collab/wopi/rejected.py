"""What an office suite sends and the document can't take: kept beside it before the suite is answered, so that no refusal loses words."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, NotFound, Unavailable
from collab.ports import Rejection
from collab.runtime.copies import copy_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.ports import Authors, Draft, Files, Locks, Rejections, Stat
    from collab.runtime.bin import Trash
    from collab.runtime.rooms import Rooms
    from collab.wopi.tokens import Pass

log = logging.getLogger("collab.wopi")

HOUR: Final = 3600.0
"""Seconds in which a document gets one copy: what comes later takes its place, and what was there goes into the bin."""
MANY: Final = 16
"""Bodies of an hour from which on what a writer has sent again does not wait in the bin: a suite that saves and saves fills no disk."""
MOMENT: Final = 1e-6
"""Seconds between the beginnings of two copies, at least: they are told apart by them."""
LONG: Final = 2**20
"""Bytes that are hashed beside the event loop."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A rejected body that somebody has to look at: it is there until the copy is moved away or deleted."""

    rejection: Rejection
    path: str
    """Where the document is now; empty when it is gone."""
    copy: str
    """Where the copy is now."""
    by: str
    """The name of whose words they are; empty when that person was erased."""


class Rejected:
    """Keeps rejected bodies and tells of them. Errors are those of `Files`."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self, rooms: Rooms, files: Files, trash: Trash, *, rejections: Rejections, locks: Locks, authors: Authors
    ) -> None:
        self._rooms = rooms
        self._files = files
        self._trash = trash
        self._rejections = rejections
        self._locks = locks
        self._authors = authors
        self._turns: dict[str, asyncio.Lock] = {}
        self._known: dict[str, Rejection] = {}
        """The last ones, for an archive that is away."""

    async def keep(self, stat: Stat, body: bytes | Draft, reason: str, granted: Pass) -> str:
        """The path where the body is, durably, for the person and suite of the pass; empty for a body without a byte.

        It is the document's own path when that holds these bytes. Else it is a copy beside it, one in an hour: a later body takes the place of the
        one before, which waits in the bin: the first 16 bodies, and then the last of each writer and suite. A copy that somebody changed, renamed or has open
        is left alone, and there is another one. Whoever has the document open in a page is told.
        """
        size = len(body) if isinstance(body, bytes) else body.size
        digest = await self._digest(body)
        self._rooms.metrics.rejected += 1
        if not size or digest == stat.etag:
            return stat.path if size else ""
        async with self._turns.setdefault(stat.id, asyncio.Lock()):
            try:
                return await self._kept(stat, body, digest, reason, granted)
            finally:
                self._forget_old()

    async def _kept(self, stat: Stat, body: bytes | Draft, digest: str, reason: str, granted: Pass) -> str:
        now, by = self._rooms.now(), await self._rooms.people.met(granted.person)
        before = await self._newest(stat.id)
        last = before if before is not None and now - before.since < HOUR and await self._untouched(before) else None
        same = last is not None and (last.writer, last.suite) == (by.id, granted.suite)
        if last is not None and last.etag == digest:
            await self._note(replace(last, at=now, reason=reason, writer=by.id, suite=granted.suite, count=last.count + 1))
            return last.path
        key = await self._moved_aside(last, by.name) if last is not None else None
        if key is None:
            last = None
        since = last.since if last is not None else max(now, before.since + MOMENT) if before is not None else now
        path = await copy_beside(self._files, stat.path, body, "conflict", since)
        made = await self._files.stat(path)
        count = 1 if last is None else last.count + 1
        # Of a large file the etag is no hash.
        await self._note(Rejection(stat.id, since, now, made.id, path, made.etag, made.size, reason, by.id, granted.suite, count))
        if key is not None and last is not None and same and last.count > MANY:
            await self._drop(key)
        log.warning("%s: a body of %d bytes was not taken (%s); kept as %s", stat.id, made.size, reason, path)
        host = self._rooms.live(stat.id)
        if host is not None and not (same and last is not None):
            host.tell("rejected", path=path, by=by.name)
        return path

    async def _digest(self, body: bytes | Draft) -> str:
        if not isinstance(body, bytes):
            return body.hash
        return await asyncio.to_thread(_hash, body) if len(body) >= LONG else _hash(body)

    async def _newest(self, document: str) -> Rejection | None:
        """What was kept last."""
        try:
            found = await self._rejections.list(document, limit=1)
        except Unavailable as error:
            log.warning("%s: the archive can't say which bodies were rejected before: %s", document, error.detail)
            return self._known.get(document)
        return found[0] if found else None

    async def _untouched(self, rejection: Rejection) -> bool:
        """Whether the copy is as we left it, and nobody is in it."""
        if self._rooms.live(rejection.copy) is not None:
            return False
        try:
            stat = await self._files.stat(rejection.copy)
            held = await self._locks.get(rejection.copy, "wopi")
        except (NotFound, Unavailable):
            return False
        return held is None and (stat.path, stat.etag) == (rejection.path, rejection.etag)

    async def _moved_aside(self, last: Rejection, by: str) -> str | None:
        """The copy of before goes into the bin; its key there, or None when it stays: then there will be two."""
        try:
            return (await self._trash.discard(last.copy, if_match=last.etag, by=by)).key
        except CollabError as error:
            log.warning("%s: the copy %s stays beside a new one: %s", last.document, last.path, error.detail)
            return None

    async def _drop(self, key: str) -> None:
        """What its own writer has sent again since need not wait in the bin."""
        try:
            await self._trash.purge(key)
        except CollabError as error:
            log.warning("a replaced copy waits in the bin: %s", error.detail)

    async def _note(self, rejection: Rejection) -> None:
        """The copy is durable; an archive that is away only can't list it."""
        self._known[rejection.document] = rejection
        try:
            await self._rejections.put(rejection)
        except Unavailable as error:
            log.warning("%s: the archive does not know of %s: %s", rejection.document, rejection.path, error.detail)

    def _forget_old(self) -> None:
        now = self._rooms.now()
        self._known = {document: each for document, each in self._known.items() if now - each.since < HOUR}
        self._turns = {document: turn for document, turn in self._turns.items() if turn.locked() or document in self._known}

    async def conflicts(self, document: str | None = None) -> Sequence[Conflict]:
        """What is to be looked at, of a document (its id) or of all, the newest 200 first."""
        found = await self._rejections.list(document)
        names = await self._authors.names({each.writer for each in found} - {""})
        there = [(each, await self._path(each.document), await self._path(each.copy)) for each in found]
        return [Conflict(each, path, copy, names.get(each.writer, "")) for each, path, copy in there if copy]

    async def _path(self, document: str) -> str:
        try:
            return (await self._files.stat(document)).path
        except NotFound:
            return ""


def _hash(body: bytes) -> str:
    return sha256(body).hexdigest()
