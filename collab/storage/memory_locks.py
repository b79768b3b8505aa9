"""The storage's own locks in memory, for tests and simulations: they outlive a crash, are lost, and taken by others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.errors import Fenced, Locked
from collab.ports import Claim

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.errors import CollabError
    from collab.storage.memory import MemoryFiles


@dataclass(slots=True)
class _Lock:
    claim: Claim | None
    """Somebody else's; None: ours."""
    fence: int
    until: float


class MemoryRoomLocks:
    """See `collab.ports.RoomLocks`. `clock` gives seconds; files that somebody else has locked are written by nobody (`guard` of the files)."""

    def __init__(self, files: MemoryFiles, clock: Callable[[], float], *, seconds: float = 60.0) -> None:
        self._clock = clock
        self.seconds = seconds
        self.refusals: dict[str, CollabError] = {}
        """What `take`, `refresh` and `give` raise, until it is taken out."""
        self._locks: dict[str, _Lock] = {}
        files.guard = self._guard

    async def take(self, document: str, fence: int) -> Claim | None:
        """Ours from now on, unless it is somebody else's."""
        self._refuse("take")
        lock = self._standing(document)
        if lock is not None and lock.claim is not None:
            return lock.claim
        if lock is not None and lock.fence > fence:
            raise Fenced("the document lives on another node by now")
        self._locks[document] = _Lock(None, fence, self._clock() + self.seconds)
        return None

    async def refresh(self, document: str, fence: int) -> bool:
        """Hold it for so long again, also when that was over."""
        self._refuse("refresh")
        lock = self._locks.get(document)
        if lock is None or lock.claim is not None or lock.fence != fence:
            return False
        lock.until = self._clock() + self.seconds
        return True

    async def give(self, document: str, fence: int) -> None:
        """Free it."""
        self._refuse("give")
        lock = self._locks.get(document)
        if lock is not None and lock.claim is None and lock.fence == fence:
            del self._locks[document]

    # The world outside

    def ours(self, document: str) -> int | None:
        """The number of our lock, if it is ours now."""
        lock = self._standing(document)
        return lock.fence if lock is not None and lock.claim is None else None

    def lose(self, document: str) -> None:
        """Nobody has it any more."""
        self._locks.pop(document, None)

    def seize(self, document: str, by: str, application: str, seconds: float) -> None:
        """Somebody else has it, whoever had it before."""
        now = self._clock()
        self._locks[document] = _Lock(Claim(by, application, now), 0, now + seconds)

    def _standing(self, document: str) -> _Lock | None:
        lock = self._locks.get(document)
        return lock if lock is not None and lock.until > self._clock() else None

    def _guard(self, document: str) -> None:
        lock = self._standing(document)
        if lock is not None and lock.claim is not None:
            raise Locked(f"{lock.claim.application} has the file locked")

    def _refuse(self, verb: str) -> None:
        refusal = self.refusals.get(verb)
        if refusal is not None:
            raise type(refusal)(refusal.detail)
