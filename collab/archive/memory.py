"""The archive in memory, for tests and simulations; what was awaited outlives a crash."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from collab.archive.memory_accounts import MemoryAccounts, MemoryMembers
from collab.archive.memory_claims import MemoryLinks, MemoryLocks
from collab.archive.memory_metadata import MemoryMetadata
from collab.archive.memory_office import MemoryOfficeStates, MemoryUserInfos
from collab.archive.memory_providers import MemoryProviderSessions
from collab.archive.memory_rejections import MemoryRejections
from collab.archive.memory_resources import MemoryResources
from collab.archive.memory_sessions import MemoryCloudSessions
from collab.archive.memory_shares import MemoryShares
from collab.archive.memory_signins import MemorySignIns
from collab.archive.thinning import surplus
from collab.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from collab.about import About
    from collab.access import Share
    from collab.ports import (
        Account,
        Checkpoint,
        CloudSession,
        Kept,
        Link,
        Lock,
        Member,
        OfficeState,
        Part,
        ProviderSession,
        Rejection,
        SignIn,
        Version,
    )

T = TypeVar("T")

DAY = 86_400.0


@dataclass(slots=True)
class _Document:
    parts: dict[int, Part] = field(default_factory=dict)
    bases: list[tuple[int, Kept]] = field(default_factory=list)
    """With the `first` of their parts."""
    versions: dict[int, tuple[Version, bytes]] = field(default_factory=dict)
    authors: tuple[int, bytes] | None = None
    checkpoint: Checkpoint | None = None


@dataclass(slots=True)
class Disk:
    """What a crash leaves."""

    documents: dict[str, _Document] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    """None: erased."""
    links: dict[str, Link] = field(default_factory=dict)
    shares: dict[tuple[str, str, str], Share] = field(default_factory=dict)
    """By target, folder and subject."""
    revision: int = 0
    """Of links and shares."""
    locks: dict[tuple[str, str], tuple[Lock, float]] = field(default_factory=dict)
    """By document and name, with the clock's time at which they are over."""
    rejections: dict[tuple[str, float], Rejection] = field(default_factory=dict)
    """By document and `since`."""
    office: dict[str, OfficeState] = field(default_factory=dict)
    infos: dict[str, str] = field(default_factory=dict)
    """By the id of a person."""
    resources: dict[str, str] = field(default_factory=dict)
    about: dict[str, About] = field(default_factory=dict)
    sessions: dict[str, CloudSession] = field(default_factory=dict)
    """By the id of a grant."""
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    """By the id of a grant."""
    members: dict[str, Member] = field(default_factory=dict)
    """By the id of a person."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """By login."""
    provider_sessions: dict[str, ProviderSession] = field(default_factory=dict)
    """By the id of a grant."""
    counters: dict[str, int] = field(default_factory=dict)

    def count(self, counter: str) -> None:
        """Something of this kind has changed."""
        self.counters[counter] = self.counters.get(counter, 0) + 1

    def of(self, document: str) -> _Document:
        """What there is of a document."""
        return self.documents.get(document, _Document())


class MemoryArchive:
    """`step` is awaited before each change, and behind it. `days` and `most` as those of `store.Archive`; `most` counts unpressed bytes.
    `clock` gives seconds.
    """

    def __init__(
        self,
        step: Callable[[str], Awaitable[None]] | None = None,
        *,
        days: float = 30.0,
        most: int = 64 * 2**20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step = step
        self._bounds = days, most
        self._clock = clock
        self._disk = Disk()
        self.trouble: str | None = None
        """Why it takes nothing just now, in words, or None."""
        self.bases = _Bases(self, days, most)
        self.checkpoints = _Checkpoints(self)
        self.versions = _Versions(self)
        self.authors = _Authors(self)
        self.links = MemoryLinks(self)
        self.shares = MemoryShares(self)
        self.locks = MemoryLocks(self, clock)
        self.rejections = MemoryRejections(self)
        self.office = MemoryOfficeStates(self)
        self.infos = MemoryUserInfos(self)
        self.resources = MemoryResources(self)
        self.metadata = MemoryMetadata(self)
        self._sessions = MemoryCloudSessions(self)
        self._provider_sessions = MemoryProviderSessions(self)
        self.sign_ins = MemorySignIns(self)
        self.members = MemoryMembers(self)
        self.accounts = MemoryAccounts(self)

    @property
    def disk(self) -> Disk:
        """What is there. Unavailable while it refuses."""
        if self.trouble is not None:
            raise Unavailable(self.trouble)
        return self._disk

    def refuse(self, trouble: str | None) -> None:
        """From now on nothing is taken or told, for this reason; None: all is well again."""
        self.trouble = trouble

    def sessions(self, secret: bytes) -> MemoryCloudSessions:
        """The sessions of people who came from a cloud."""
        del secret
        return self._sessions

    def provider_sessions(self, secret: bytes) -> MemoryProviderSessions:
        """What providers gave for sessions."""
        del secret
        return self._provider_sessions

    def crash(self) -> MemoryArchive:
        """The archive after a crash; what the dead process still does reaches an empty disk."""
        days, most = self._bounds
        after = MemoryArchive(self._step, days=days, most=most, clock=self._clock)
        after._disk, self._disk = self._disk, Disk()
        after.trouble = self.trouble
        return after

    async def change(self, word: str, act: Callable[[Disk], T]) -> T:
        """One change, which others and crashes may come before and after."""
        if self._step is not None:
            await self._step(word)
        result = act(self.disk)
        if self._step is not None:
            await self._step(word + " done")
        return result

    async def close(self) -> None:
        """Nothing to let go of."""


class _Bases:
    def __init__(self, archive: MemoryArchive, days: float, most: int) -> None:
        self._archive, self._days, self._most = archive, days, most

    async def keep(self, document: str, part: Part, bases: Sequence[Kept]) -> None:
        def act(disk: Disk) -> None:
            known = disk.documents.setdefault(document, _Document())
            if part.first not in known.parts or known.parts[part.first].last < part.last:
                known.parts[part.first] = part
            there = {(kept.hash, kept.place, kept.merges) for _, kept in known.bases}
            known.bases += [(part.first, kept) for kept in bases if (kept.hash, kept.place, kept.merges) not in there]

        await self._archive.change("keep", act)

    async def recent(self, document: str, count: int) -> list[Kept]:
        return [kept for _, kept in reversed(self._archive.disk.of(document).bases)][:count]

    async def find(self, document: str, digest: str) -> list[Kept]:
        return [kept for _, kept in reversed(self._archive.disk.of(document).bases) if kept.hash == digest]

    async def parts(self, document: str, first: int, last: int) -> list[Part]:
        parts = self._archive.disk.of(document).parts
        return [parts[at] for at in sorted(parts) if at < last and parts[at].last >= first]

    async def trim(self, now: float) -> None:
        def act(disk: Disk) -> None:
            for known in disk.documents.values():
                self._trim(known, now)

        await self._archive.change("trim", act)

    def _trim(self, known: _Document, now: float) -> None:
        newest = 0.0
        for first in sorted(known.parts):
            part = known.parts[first]
            # A part is as old as the newest base that it is needed for; one without any, as the one before it.
            newest = max((kept.at for of, kept in known.bases if of >= first and (of == first or kept.place < part.last)), default=newest)
            if newest < now - self._days * DAY or sum(len(each.body) for each in known.parts.values()) > self._most:
                del known.parts[first]
                known.bases = [(of, kept) for of, kept in known.bases if of != first and not first <= kept.place < part.last]

    async def forget(self, document: str) -> None:
        def act(disk: Disk) -> None:
            disk.documents.pop(document, None)
            disk.links = {digest: link for digest, link in disk.links.items() if link.target != document}
            disk.shares = {key: share for key, share in disk.shares.items() if share.target != document}
            disk.revision += 1
            disk.locks = {key: held for key, held in disk.locks.items() if key[0] != document}
            disk.rejections = {key: rejection for key, rejection in disk.rejections.items() if key[0] != document}
            disk.office.pop(document, None)
            disk.about.pop(document, None)

        await self._archive.change("forget archive", act)


class _Checkpoints:
    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, document: str, checkpoint: Checkpoint) -> None:
        def act(disk: Disk) -> None:
            known = disk.documents.setdefault(document, _Document())
            if known.checkpoint is None or known.checkpoint.position <= checkpoint.position:
                known.checkpoint = checkpoint

        await self._archive.change("checkpoint archive", act)

    async def get(self, document: str) -> Checkpoint | None:
        return self._archive.disk.of(document).checkpoint

    async def forget(self, document: str) -> None:
        def act(disk: Disk) -> None:
            if document in disk.documents:
                disk.documents[document].checkpoint = None

        await self._archive.change("forget checkpoint", act)


class _Versions:
    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def add(self, document: str, version: Version, body: bytes) -> None:
        def act(disk: Disk) -> None:
            known = disk.documents.setdefault(document, _Document()).versions
            if version.number not in known and (not known or known[max(known)][0].hash != version.hash):
                known[version.number] = version, body

        await self._archive.change("version", act)

    async def list(self, document: str, *, before: int | None = None, limit: int = 100) -> Sequence[Version]:
        return self._newest(document, before)[:limit]

    def _newest(self, document: str, before: int | None = None) -> Sequence[Version]:
        known = self._archive.disk.of(document).versions
        return [self._shown(known[number][0]) for number in sorted(known, reverse=True) if before is None or number < before]

    def _shown(self, version: Version) -> Version:
        names = self._archive.disk.names
        return replace(version, writers=tuple("" if names.get(each, "") is None else each for each in version.writers))

    async def read(self, document: str, number: int) -> tuple[Version, bytes]:
        known = self._archive.disk.of(document).versions
        if number not in known:
            raise _gone(number)
        version, body = known[number]
        return self._shown(version), body

    async def find(self, document: str, digest: str) -> Version | None:
        return next((version for version in self._newest(document) if version.hash == digest), None)

    async def name(self, document: str, number: int, name: str) -> Version:
        def act(disk: Disk) -> Version:
            known = disk.of(document).versions
            if number not in known:
                raise _gone(number)
            version, body = known[number]
            known[number] = replace(version, name=name), body
            return self._shown(known[number][0])

        return await self._archive.change("name", act)

    async def thin(self, now: float) -> None:
        def act(disk: Disk) -> None:
            for known in disk.documents.values():
                for version in surplus([known.versions[number][0] for number in sorted(known.versions)], now):
                    del known.versions[version.number]

        await self._archive.change("thin", act)


def _gone(number: int) -> NotFound:
    return NotFound(f"there is no version {number}: it may have been thinned out")


class _Authors:
    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, document: str, position: int, authors: bytes) -> None:
        def act(disk: Disk) -> None:
            known = disk.documents.setdefault(document, _Document())
            if known.authors is None or known.authors[0] <= position:
                known.authors = position, authors

        await self._archive.change("authors", act)

    async def get(self, document: str) -> tuple[int, bytes] | None:
        return self._archive.disk.of(document).authors

    async def meet(self, people: Mapping[str, str]) -> None:
        def act(disk: Disk) -> None:
            disk.names.update({person: name for person, name in people.items() if disk.names.get(person, "") is not None})

        if people:
            await self._archive.change("meet", act)

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        known = self._archive.disk.names
        return {person: name for person in people if (name := known.get(person)) is not None}

    async def called(self, name: str) -> list[str]:
        return sorted(person for person, known in self._archive.disk.names.items() if known == name)

    async def erase(self, person: str) -> bool:
        def act(disk: Disk) -> bool:
            known = disk.names.get(person) is not None
            if known:
                disk.names[person] = None
            return known

        return await self._archive.change("erase", act)
