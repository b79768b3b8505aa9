"""Locks beside the files of the folder in memory (`Claims`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import NotFound
from collab.storage import claims
from collab.storage.paths import split

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Claim, Stat
    from collab.storage.memory import MemoryFiles


class MemoryClaims:
    """See `collab.ports.Claims`. `clock` gives UTC seconds."""

    def __init__(self, files: MemoryFiles, *, clock: Callable[[], float]) -> None:
        self._files = files
        self._clock = clock
        files.outside = self._look

    async def look(self, document: str) -> Claim | None:
        """Who else has it open."""
        return self._look(await self._path(document))

    async def beside(self, folder: str) -> dict[str, Claim]:
        """Who else has which files of the folder open."""
        self._files.refuse("list")
        found = claims.look_in(_Beside(self._files), b"/".join(split(folder)), self._clock())
        return {path.decode(): claim for path, claim in found.items()}

    async def find(self, document: str) -> tuple[Stat, Claim | None]:
        """The file, and who else has it open."""
        claim = await self.look(document)
        return await self._files.stat(document), claim

    async def hold(self, document: str, name: str) -> Claim | None:
        """Lock it, unless somebody outside has it open."""
        path, noted = await self._path(document), self._files.places.names.claims
        return claims.hold(_Beside(self._files), noted, document, path, name=name, host="memory", now=self._clock())

    async def free(self, document: str) -> None:
        """Take our lock away."""
        try:
            paths = [await self._path(document)]
        except NotFound:
            paths = []
        claims.free(_Beside(self._files), self._files.places.names.claims, document, *paths)

    async def held(self) -> dict[str, float]:
        """Those that we hold."""
        self._files.refuse("stat")
        return {document: since for document, (_, since) in self._files.places.names.claims.all().items()}

    def _look(self, path: bytes) -> Claim | None:
        return claims.look(_Beside(self._files), path, self._clock())

    async def _path(self, document: str) -> bytes:
        sight = (await self._files.place("stat", document)).sight
        if sight.folder:
            raise NotFound(f"this is a folder: {sight.path.decode()}")
        return sight.path


class _Beside:
    """See `claims.Beside`."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    def names(self, folder: bytes) -> list[bytes]:
        parted = (path.rpartition(b"/") for path in self._files.disk.nodes)
        return [name for parent, _, name in parted if parent == folder]

    def peek(self, path: bytes) -> claims.Seen | None:
        node = self._files.disk.nodes.get(path)
        return None if node is None else claims.Seen(node.modified, node.body)

    def put(self, path: bytes, body: bytes) -> bool:
        if path in self._files.disk.nodes:
            return False
        self._files.poke(path.decode(), body)
        return True

    def drop(self, path: bytes) -> None:
        self._files.disk.nodes.pop(path, None)
