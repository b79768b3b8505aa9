"""Documents that people type in while an office suite has them open: one text, two kinds of writers.

A suite names no base: what it may have before it belongs to the document and its lock, never to a token (docs/explanation/merging.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import NotText, TooLarge
from collab.wopi.locks import SECONDS

if TYPE_CHECKING:
    from collab.access import Person
    from collab.ports import Stat
    from collab.runtime.documents import Documents
    from collab.runtime.rooms import Rooms

UNNAMED = "office"
"""What a suite is called that the settings do not name."""


class Live:
    """Documents are named by their ids. Errors are those of `Documents`."""

    def __init__(self, documents: Documents, rooms: Rooms) -> None:
        self._documents = documents
        self._rooms = rooms

    def covers(self, stat: Stat) -> bool:
        """Whether people may type in it."""
        return self._documents.typed(stat)

    async def give(self, document: str) -> tuple[Stat, bytes]:
        """The text of the room, in the file's own form; whoever has it may go on from it. What is no text, whatever its name says, as it is."""
        try:
            host = await self._rooms.open(document)
        except (NotText, TooLarge):
            return await self._documents.content(document)
        return await host.give(self._rooms.now(), office=True)

    async def put(self, document: str, body: bytes, writer: Person) -> Stat:
        """Merge what was saved; what the document is then. Conflict: it is near to nothing that is known."""
        try:
            await self._rooms.open(document)
        except (NotText, TooLarge):
            # What stands there can't be edited, so nothing can be lost of what people type.
            return (await self._documents.put(document, body, if_match="*", writer=writer))[0]
        await self._rooms.revise(document, body, writer)
        return await self._documents.find(document)

    def heard(self, document: str, person: Person, suite: str) -> None:
        """Somebody has it open there: the people in its room see that."""
        self._rooms.guests.heard(document, person, suite or UNNAMED)

    def locked(self, document: str, person: Person, suite: str) -> None:
        """The suite has it locked from now on for as long as locks last; whoever is there stays."""
        self._rooms.guests.locked(document, suite or UNNAMED, SECONDS)
        self.heard(document, person, suite)

    def left(self, document: str, suite: str) -> None:
        """The suite has unlocked it: nobody is there any more."""
        self._rooms.guests.unlocked(document, suite or UNNAMED)

    async def unlocked(self, document: str) -> None:
        """The suite is done: whoever locks the document next goes on from what it is given from now on."""
        try:
            await self._rooms.unlocked(document)
        except (NotText, TooLarge):
            return
