"""What the kernel tells of the folder: each change of what is served, and nothing of what is only read (FILE-2)."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import aclosing, suppress
from random import Random
from typing import TYPE_CHECKING

import pytest
from serving import until

from collab.errors import Unavailable
from collab.storage.local_watch import LocalWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

QUEUE = 16_384
"""Events that the kernel keeps for somebody who does not read them (fs.inotify.max_queued_events)."""


class Listener:
    """Who is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: list[frozenset[str]] = []
        self.failed: Unavailable | None = None

    @property
    def all(self) -> set[str]:
        return {path for paths in self.told for path in paths}

    async def run(self) -> None:
        try:
            async with aclosing(LocalWatch(self.root).notices()) as notices:  # type: ignore[type-var]  # a generator
                async for paths in notices:
                    self.told.append(paths)
        except Unavailable as error:
            self.failed = error

    async def settled(self) -> None:
        """All that was done until now is told."""
        mark = self.root / "mark"
        self.told.clear()
        mark.write_bytes(b"")
        await until(lambda: self.failed is not None or "mark" in self.all)

    async def heard(self, *paths: str) -> None:
        """Told of all of these, sooner or later."""
        await until(lambda: self.all >= set(paths), saying=lambda: set(paths) - self.all)


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "a.docx").write_bytes(b"one")
    made = Listener(root)
    task = asyncio.create_task(made.run())
    # The watch begins some time after it was asked for: nobody is told of that.
    number = 0

    def begun() -> bool:
        nonlocal number
        number += 1
        (root / "begin").write_bytes(b"%d" % number)
        return "begin" in made.all

    await until(begun)
    await made.settled()
    made.told.clear()
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_is_written_made_moved_and_removed_is_told(listener: Listener) -> None:
    root = listener.root
    with (root / "a.docx").open("ab", buffering=0) as late:
        late.write(b"more")
        await listener.heard("a.docx")
    (root / "sub" / "deep" / "b.md").write_bytes(b"")
    await listener.heard("sub/deep/b.md")
    (root / "sub" / "deep" / "b.md").rename(root / "sub" / "c.md")
    await listener.heard("sub/c.md")
    listener.told.clear()
    (root / "sub" / "c.md").chmod(0o400)
    await listener.heard("sub/c.md")
    listener.told.clear()
    (root / "sub" / "c.md").unlink()
    await listener.heard("sub/c.md")


async def test_what_is_read_or_hidden_is_not_told_but_what_applications_leave_is(listener: Listener) -> None:
    root = listener.root
    (root / "a.docx").read_bytes()
    (root / ".a.docx.new").write_bytes(b"ours")
    (root / ".hidden" / "x.md").write_bytes(b"x")
    (root / ".hidden" / ".~lock.x.md#").write_bytes(b"x")
    (root / "sub" / ".~lock.b.docx#").write_bytes(b"x")
    (root / "~$b.docx").write_bytes(b"x")
    await listener.heard("sub/.~lock.b.docx#", "~$b.docx")
    assert listener.all == {"sub/.~lock.b.docx#", "~$b.docx"}


async def test_a_folder_is_watched_where_it_comes_with_all_in_it(listener: Listener, tmp_path: Path) -> None:
    root, outside = listener.root, tmp_path / "outside"
    (outside / "below").mkdir(parents=True)
    outside.rename(root / "new")
    await listener.heard("new")
    (root / "new" / "below" / "x.md").write_bytes(b"x")
    await listener.heard("new/below/x.md")
    (root / "new").rename(root / "sub" / "new")
    await listener.heard("new", "sub/new")
    await listener.settled()
    listener.told.clear()
    (root / "sub" / "new" / "below" / "y.md").write_bytes(b"y")
    await listener.heard("sub/new/below/y.md")
    (root / "sub" / "new").rename(outside)
    await listener.settled()
    listener.told.clear()
    (outside / "below" / "z.md").write_bytes(b"z")
    await listener.settled()
    assert listener.all == {"mark"}


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_becomes_of_folders_each_that_stays_is_watched(listener: Listener, seed: int) -> None:
    root, random = listener.root, Random(seed)
    for number in range(120):
        folders = [path for path in [root, *root.rglob("*")] if path.is_dir() and ".hidden" not in path.parts]
        one, other = random.choice(folders), random.choice(folders)
        roll = random.random()
        if roll < 0.4:
            (one / f"n{number}" / "in").mkdir(parents=True)
        elif roll < 0.6 and one != root and not other.is_relative_to(one):
            one.rename(other / f"m{number}")
        elif roll < 0.75 and one != root:
            shutil.rmtree(one)
        elif roll < 0.9:
            (one / f"f{number}.md").write_bytes(b"f")
        else:
            await asyncio.sleep(0)
        if random.random() < 0.1:
            await listener.settled()
    await listener.settled()
    listener.told.clear()
    expected = set()
    for folder in [path for path in [root, *root.rglob("*")] if path.is_dir() and ".hidden" not in path.parts]:
        (folder / "last.md").write_bytes(b"last")
        expected.add(str((folder / "last.md").relative_to(root)))
    await listener.heard(*expected)
    assert {path for path in listener.all if path.endswith("last.md")} == expected


async def test_more_than_the_kernel_keeps_is_told_as_everything_and_all_is_watched_on(listener: Listener) -> None:
    root = listener.root
    files = [root / "0.md", root / "1.md"]
    for file in files:
        file.write_bytes(b"x")
    for number in range(QUEUE):
        os.utime(files[number % 2])
    (root / "late" / "deep").mkdir(parents=True)
    await listener.heard("")
    await listener.settled()
    (root / "late" / "deep" / "x.md").write_bytes(b"x")
    await listener.heard("late/deep/x.md")


async def test_a_folder_that_is_gone_cannot_be_watched(listener: Listener, tmp_path: Path) -> None:
    shutil.rmtree(listener.root)
    await until(lambda: listener.failed is not None)
    with pytest.raises(Unavailable, match="cannot be watched"):
        await anext(LocalWatch(tmp_path / "never").notices())
