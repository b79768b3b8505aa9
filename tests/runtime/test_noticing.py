"""WOPI-6: pages of open documents are told who has them open in an application outside, as soon as that comes or goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import PATH, Stage, passing, soon

from collab.errors import Unavailable
from collab.runtime.metrics import Metrics
from collab.runtime.noticing import AGAIN, POLL, Noticing
from collab.storage.memory_claims import MemoryClaims

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOCK = f".~lock.{PATH}#"
OWNER = f"~${PATH}"
BOB = b"Bob,bob,host,29.11.2026 14:05,file:///home/bob;"
EVE = bytes([3]) + b"Eve" + b"\0" * 50 + b"\x03\0E\0v\0e\0" + b"\0" * 100
HELD = {"kind": "held", "by": "Bob", "application": "LibreOffice"}
FREE = {"kind": "free"}


class Kernel:
    """The port `Watch`, which a test tells what has changed; or it is broken."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()

    async def notices(self) -> AsyncIterator[frozenset[str]]:
        while (paths := await self.told.get()) is not None:
            yield paths
        raise Unavailable("the kernel does not tell any more")


@pytest.fixture
async def kernel(stage: Stage) -> AsyncIterator[Kernel]:
    kernel = Kernel()
    claims = MemoryClaims(stage.files, clock=asyncio.get_running_loop().time)
    running = asyncio.ensure_future(Noticing(kernel, claims, stage.rooms, Metrics()).run())
    yield kernel
    running.cancel()
    await asyncio.wait([running])


async def test_a_page_is_told_who_opens_and_who_closes_the_file_outside_and_once(stage: Stage, kernel: Kernel) -> None:
    ann = await stage.page("Ann")
    plain = await stage.guest("Ben")
    for path, body in ((LOCK, BOB), (OWNER, EVE)):
        stage.files.poke(path, body)
    for _ in range(2):
        kernel.told.put_nowait(frozenset({LOCK, OWNER}))
        await soon()
    assert ann.notices == [HELD]
    stage.files.remove(LOCK)
    kernel.told.put_nowait(frozenset({LOCK}))
    await soon()
    stage.files.remove(OWNER)
    kernel.told.put_nowait(frozenset({OWNER}))
    await soon()
    assert ann.notices == [HELD, {"kind": "held", "by": "Eve", "application": "Microsoft Office"}, FREE]
    assert plain.notices == []


async def test_a_page_that_came_when_the_file_was_open_outside_is_told_when_it_is_not_any_more(stage: Stage, kernel: Kernel) -> None:
    stage.files.poke(LOCK, BOB)
    ann = await stage.page("Ann")
    stage.files.remove(LOCK)
    kernel.told.put_nowait(frozenset({LOCK}))
    await soon()
    assert ann.notices == [FREE]


async def test_locks_of_other_files_and_of_other_folders_tell_nothing(stage: Stage, kernel: Kernel) -> None:
    ann = await stage.page("Ann")
    kernel.told.put_nowait(frozenset({".~lock.other.md#", f"work/{LOCK}", f"~${PATH}.docx", PATH}))
    await soon()
    assert ann.notices == []


async def test_where_nobody_tells_what_changes_it_is_looked_at_now_and_then(stage: Stage, kernel: Kernel) -> None:
    ann = await stage.page("Ann")
    kernel.told.put_nowait(None)
    await passing(POLL)
    assert ann.notices == []
    stage.files.poke(LOCK, BOB)
    await passing(2 * POLL)
    assert ann.notices == [HELD]
    stage.files.remove(LOCK)
    await passing(2 * POLL)
    assert ann.notices == [HELD, FREE]
    await passing(AGAIN)
    kernel.told.put_nowait(frozenset({LOCK}))
    await soon()
    assert ann.notices == [HELD, FREE]


async def test_a_storage_that_does_not_answer_tells_nothing_and_ends_nothing(stage: Stage, kernel: Kernel) -> None:
    ann = await stage.page("Ann")
    stage.files.poke(LOCK, BOB)
    stage.files.refusals["stat"] = Unavailable("away")
    kernel.told.put_nowait(frozenset({LOCK}))
    await soon()
    assert ann.notices == []
    del stage.files.refusals["stat"]
    kernel.told.put_nowait(frozenset({LOCK}))
    await soon()
    assert ann.notices == [HELD]
