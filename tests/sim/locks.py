"""A storage with locks that are lost and taken by others at any moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from collab.codec import Reader
from collab.storage.memory_locks import MemoryRoomLocks
from sim.world import WORD, Client, Link, World

if TYPE_CHECKING:
    from collab.archive.memory import MemoryArchive
    from collab.journal.memory import MemoryJournal
    from collab.ports import Placement
    from collab.runtime.rooms import Surroundings
    from collab.storage.memory import MemoryFiles


class Patient(Client):
    """A peer whose edits may be refused for a while: they stay with it, and it is asked for them."""

    refusals = 0

    def receive(self, link: Link, data: bytes) -> None:
        reader = Reader(data, len(self._address))
        kind = reader.var_uint()
        if (link is self.link and kind == 8 and reader.var_uint() == 0) or (
            kind == 2 and reader.var_uint() != 2 and reader.var_string().startswith("readonly")
        ):
            self.refusals += 1
        else:
            super().receive(link, data)


@dataclass(eq=False)
class Contested(World):
    """Somebody else locks the file now and then, or the lock is gone."""

    locks: MemoryRoomLocks | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def around(
        self, files: MemoryFiles, journal: MemoryJournal, archive: MemoryArchive, placement: Placement | None = None
    ) -> Surroundings:
        made = super().around(files, journal, archive, placement)
        if self.locks is None:
            self.locks = MemoryRoomLocks(files, asyncio.get_running_loop().time, seconds=6.0)
        return replace(made, locks=self.locks)

    async def step(self, word: str) -> None:
        if not self.calm and self.locks is not None and self.random.random() < 0.01:
            document = (await self.files.stat(self.path)).id
            if self.random.random() < 0.5:
                self.counts["lost"] += 1
                self.locks.lose(document)
            else:
                self.counts["seized"] += 1
                self.locks.seize(document, "Eve", "Office", self.random.random() * 20)
        await super().step(word)

    def check(self) -> None:
        """A crash may leave a copy beside the file: it has nothing that the text has not."""
        text = self.files.peek(self.path).decode()
        for name in [name for name in self.files.paths() if "(kept " in name]:
            self.counts["kept"] += 1
            taken_out = set().union(*(client.erased for client in self.clients))
            assert set(WORD.findall(self.files.peek(name).decode())) <= set(WORD.findall(text)) | taken_out, name
            self.files.remove(name)
        self.counts["refused"] += sum(client.refusals for client in self.clients if isinstance(client, Patient))
        super().check()
