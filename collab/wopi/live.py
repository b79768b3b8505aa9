"""Documents that people type in while an office suite has them open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collab.access import Person
    from collab.ports import Stat
    from collab.runtime.documents import Documents


class Live:
    """Errors are those of `Documents`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def covers(self, stat: Stat) -> bool:
        """Whether people may type in it."""
        return self._documents.typed(stat)

    async def give(self, document: str) -> tuple[Stat, bytes]:
        """The text of the room, in the file's own form; the suite goes on from it."""
        return await self._documents.content(document, keep=True)

    async def put(self, document: str, body: bytes, writer: Person) -> Stat:
        """Merge what the suite saved; what the document is then."""
        stat, _ = await self._documents.put(document, body, if_match="*", writer=writer)
        return stat
