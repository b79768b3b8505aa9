"""What the archive counts, as a node knows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collab.runtime.counted import Counted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Slow:
    """An archive whose answers to how often something was changed take as long as the test says, and tell how it was when they were asked for."""

    def __init__(self) -> None:
        self.changes = 0
        self.said = "before"
        self.gates: list[asyncio.Event] = []
        self.known = Counted(self.count, self.fetch, clock=lambda: 0.0, most=10, what="anything")

    async def count(self) -> int:
        changes = self.changes
        self.gates.append(asyncio.Event())
        await self.gates[-1].wait()
        return changes

    async def fetch(self, keys: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(keys, self.said)

    def change(self) -> None:
        """As a request at this node does it: what it changed is in the archive."""
        self.changes, self.said = self.changes + 1, "after"
        self.known.forget()


async def asked(slow: Slow) -> asyncio.Task[dict[str, str]]:
    """Somebody asks, and waits for the archive."""
    task = asyncio.ensure_future(slow.known.get(["a"]))
    await turns()
    return task


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_asks_after_a_change_here_knows_it_though_others_had_looked_just_before() -> None:
    """SHARE-4: who was given something is not turned away, and who lost it is, from the answer on."""
    slow = Slow()
    first = await asked(slow)
    slow.gates[0].set()
    assert await first == {"a": "before"}
    slow.known.forget()
    early = await asked(slow)
    slow.change()
    late = [await asked(slow) for _ in range(3)]
    slow.gates[1].set()
    await turns()
    assert await early == {"a": "before"}
    assert not any(task.done() for task in late)
    slow.gates[2].set()
    assert [await task for task in late] == [{"a": "after"}] * 3
    assert len(slow.gates) == 3
    assert await slow.known.get(["a"]) == {"a": "after"}
