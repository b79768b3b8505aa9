"""The archive in plain dicts, for tests and simulation. (A first form by the lead, to be replaced by the one of the archive's builder.)"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from collab.ports import Kept, Part, Version


class MemoryArchive:
    """Bases, versions, authors and people."""

    def __init__(self, step: Callable[[str], Awaitable[None]] | None = None) -> None:
        self._step = step
        self._parts: dict[str, list[Part]] = {}
        self._kept: dict[str, list[Kept]] = {}
        self._versions: dict[str, dict[int, tuple[Version, bytes]]] = {}
        self._authors: dict[str, tuple[int, bytes]] = {}
        self._people: dict[str, str] = {}
        self._erased: set[str] = set()

    @property
    def bases(self) -> MemoryArchive:
        return self

    authors = bases

    @property
    def versions(self) -> _Versions:
        return _Versions(self)

    def crash(self) -> MemoryArchive:
        """What was awaited is durable."""
        other = MemoryArchive(self._step)
        other.__dict__.update({name: value.copy() if hasattr(value, "copy") else value for name, value in self.__dict__.items()})
        return other

    async def _at(self, word: str) -> None:
        if self._step is not None:
            await self._step(word)

    async def keep(self, document: str, part: Part, bases: Sequence[Kept]) -> None:
        await self._at("keep")
        parts = self._parts.setdefault(document, [])
        if part not in parts:
            parts[:] = sorted([each for each in parts if each.first != part.first] + [part], key=lambda each: each.first)
        kept = self._kept.setdefault(document, [])
        kept += [base for base in bases if base not in kept]
        await self._at("kept")

    async def recent(self, document: str, count: int) -> list[Kept]:
        return self._kept.get(document, [])[::-1][:count]

    async def find(self, document: str, digest: str) -> list[Kept]:
        return [each for each in self._kept.get(document, [])[::-1] if each.hash == digest]

    async def parts(self, document: str, first: int, last: int) -> list[Part]:
        return [part for part in self._parts.get(document, []) if part.first < last and first <= part.last]

    async def trim(self, now: float) -> None:
        del now

    async def forget(self, document: str) -> None:
        for each in (self._parts, self._kept, self._versions, self._authors):
            each.pop(document, None)  # type: ignore[attr-defined]

    async def add(self, document: str, version: Version, body: bytes) -> None:
        await self._at("add")
        known = self._versions.setdefault(document, {})
        newest = max(known, default=None)
        if version.number not in known and (newest is None or known[newest][1] != body):
            known[version.number] = (version, body)
        await self._at("added")

    async def versions_find(self, document: str, digest: str) -> Version | None:
        found = [version for version in await self.list(document, limit=10**9) if version.hash == digest]
        return found[0] if found else None

    async def list(self, document: str, *, before: int | None = None, limit: int = 100) -> list[Version]:
        known = self._versions.get(document, {})
        return [known[number][0] for number in sorted(known, reverse=True) if before is None or number < before][:limit]

    async def read(self, document: str, number: int) -> tuple[Version, bytes]:
        try:
            return self._versions[document][number]
        except KeyError:
            raise NotFound(f"there is no version {number}") from None

    async def name(self, document: str, number: int, name: str) -> Version:
        version, body = await self.read(document, number)
        self._versions[document][number] = replace(version, name=name), body
        return replace(version, name=name)

    async def thin(self, now: float) -> None:
        del now

    async def put(self, document: str, position: int, authors: bytes) -> None:
        self._authors[document] = position, authors

    async def get(self, document: str) -> tuple[int, bytes] | None:
        return self._authors.get(document)

    async def meet(self, people: Mapping[str, str]) -> None:
        self._people.update({person: name for person, name in people.items() if person not in self._erased})

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        return {person: self._people[person] for person in people if person in self._people}

    async def erase(self, person: str) -> bool:
        self._erased.add(person)
        return self._people.pop(person, None) is not None


class _Versions:
    def __init__(self, archive: MemoryArchive) -> None:
        self.add, self.list, self.read, self.name, self.thin = archive.add, archive.list, archive.read, archive.name, archive.thin
        self.find = archive.versions_find
