"""Who was given which role on what, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.access import Role, Share, subject
from collab.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import Link


class MemoryShares:
    """The port `Shares`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def add(self, share: Share) -> Share:
        """One more, or another role for who has one."""

        def act(disk: Disk) -> Share:
            disk.revision += 1
            known = disk.shares.get(_key(share))
            put = share if known is None else replace(known, role=share.role, expires=share.expires)
            disk.shares[_key(share)] = replace(put, password=False, uses=None)
            return _one(disk, share.target, put.id)

        return await self._archive.change("share", act)

    async def change(self, target: str, share: str, *, role: Role | None = None, expires: float | None) -> Share:
        """Another role and end."""

        def act(disk: Disk) -> Share:
            found = _one(disk, target, share)
            disk.revision += 1
            if found.id in disk.links:
                link = disk.links[found.id]
                disk.links[found.id] = replace(link, role=(role or found.role).word, expires=expires)
            else:
                known = disk.shares[_key(found)]
                disk.shares[_key(found)] = replace(known, role=role or found.role, expires=expires)
            return _one(disk, target, share)

        return await self._archive.change("change share", act)

    async def remove(self, target: str, share: str, now: float) -> Share:
        """It counts no more."""

        def act(disk: Disk) -> Share:
            found = _one(disk, target, share)
            disk.revision += 1
            if found.id in disk.links:
                disk.links[found.id] = replace(disk.links[found.id], revoked=now)
            else:
                del disk.shares[_key(found)]
            return found

        return await self._archive.change("remove share", act)

    async def on(self, targets: Iterable[str]) -> Sequence[Share]:
        """All of these targets."""
        asked = set(targets)
        return [share for share in _all(self._archive.disk) if share.target in asked]

    async def given(self, subjects: Iterable[str]) -> Sequence[Share]:
        """All with one of these subjects."""
        asked = set(subjects)
        return [share for share in _all(self._archive.disk) if share.subject in asked]

    async def folders(self) -> Mapping[str, str]:
        """Shared folders, and where each was last seen."""
        return {share.folder: share.target for share in _all(self._archive.disk) if share.folder}

    async def move(self, places: Mapping[str, str]) -> None:
        """Folders are elsewhere."""

        def act(disk: Disk) -> None:
            disk.revision += 1
            moved = [replace(share, target=places.get(share.folder, share.target)) for share in disk.shares.values()]
            disk.shares = {_key(share): share for share in moved}
            disk.links = {digest: replace(link, target=places.get(link.folder, link.target)) for digest, link in disk.links.items()}

        if places:
            await self._archive.change("move shares", act)

    async def forget(self, person: str) -> None:
        """What was shared with a person."""

        def act(disk: Disk) -> None:
            disk.revision += 1
            disk.shares = {key: share for key, share in disk.shares.items() if share.subject != subject("person", person)}

        await self._archive.change("forget shares", act)

    async def changes(self) -> int:
        """The number of changes."""
        return self._archive.disk.revision


def _key(share: Share) -> tuple[str, str, str]:
    return share.target, share.folder, share.subject


def _one(disk: Disk, target: str, share: str) -> Share:
    found = next((each for each in _all(disk) if (each.target, each.id) == (target, share)), None)
    if found is None:
        raise NotFound("there is no such share: somebody may have taken it back")
    return found


def _all(disk: Disk) -> list[Share]:
    shares = [*disk.shares.values(), *(_share(link) for link in disk.links.values() if link.revoked is None)]
    return sorted((_shown(disk, share) for share in shares), key=lambda share: share.made)


def _share(link: Link) -> Share:
    whom, role = subject("link", link.digest), Role.of(link.role)
    return Share(link.digest, link.target, whom, role, link.made, link.maker, link.expires, link.folder, bool(link.password), link.uses)


def _shown(disk: Disk, share: Share) -> Share:
    return replace(share, maker="") if disk.names.get(share.maker, "") is None else share
