"""Open files of a cloud are looked at, as seldom as that is good enough (CS3-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folders import OutsideCloud

from collab.storage.cs3.watch import LATEST, SOON, CloudWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Rooms:
    """Some files that are open, and who looks at them."""

    def __init__(self, outside: OutsideCloud) -> None:
        self.outside = outside
        self.opened: dict[str, str] = {}
        self.watch = CloudWatch(outside.adapter, lambda: self.opened, timer=lambda: outside.time.ticks)

    async def open(self, *paths: str) -> None:
        for path in paths:
            self.opened[(await self.outside.files.stat(path)).id] = path

    async def after(self, seconds: float) -> frozenset[str]:
        self.outside.time.pass_(seconds)
        return await self.watch.look()

    def asked(self) -> int:
        calls = self.outside.gateway.calls
        return calls["Stat"] + calls["ListContainer"]


@pytest.fixture
async def rooms() -> AsyncIterator[Rooms]:
    outside = OutsideCloud()
    await outside.open()
    for name in "abcd":
        outside.put(f"work/{name}.md", b"one")
    yield Rooms(outside)
    await outside.close()


async def test_nothing_is_asked_while_nothing_is_open(rooms: Rooms) -> None:
    """CS3-13."""
    before = rooms.asked()
    for _ in range(5):
        assert await rooms.after(60.0) == frozenset()
    assert rooms.asked() == before


@pytest.mark.parametrize("number", [1, 4])
async def test_a_change_a_rename_and_a_deletion_are_told_once(rooms: Rooms, number: int) -> None:
    """CS3-13; one by one, or by the folder they are in."""
    paths = [f"work/{name}.md" for name in "abcd"[:number]]
    await rooms.open(*paths)
    assert await rooms.after(0.0) == frozenset()
    rooms.outside.put(paths[0], b"two")
    assert await rooms.after(LATEST) == {paths[0]}
    assert await rooms.after(LATEST) == frozenset()
    rooms.outside.rename(paths[0], "work/new.md")
    assert await rooms.after(LATEST) == {paths[0]}
    rooms.outside.remove("work/new.md")
    assert await rooms.after(LATEST) == {paths[0]}
    assert await rooms.after(LATEST) == frozenset()


async def test_what_nobody_has_read_yet_is_told_at_the_first_look(rooms: Rooms) -> None:
    await rooms.open("work/a.md")
    rooms.outside.put("work/a.md", b"two")
    assert await rooms.after(0.0) == {"work/a.md"}


async def test_the_longer_nothing_happens_the_less_is_asked_and_after_a_change_more_again(rooms: Rooms) -> None:
    """CS3-13."""
    await rooms.open("work/a.md")
    await rooms.after(0.0)

    async def looks(seconds: int) -> int:
        before = rooms.asked()
        for _ in range(seconds):
            await rooms.after(1.0)
        return rooms.asked() - before

    first, later = await looks(60), await looks(60)
    assert first > later
    assert later <= 60 / LATEST + 1
    rooms.outside.put("work/a.md", b"two")
    assert await looks(round(LATEST) + 1) > 2
    assert SOON < LATEST


async def test_many_files_of_one_folder_are_one_question(rooms: Rooms) -> None:
    """CS3-13."""
    await rooms.open(*(f"work/{name}.md" for name in "abcd"))
    await rooms.after(0.0)
    before = rooms.asked()
    await rooms.after(LATEST)
    assert rooms.asked() - before == 1


async def test_a_cloud_that_is_away_or_does_not_know_us_says_nothing_of_files(rooms: Rooms) -> None:
    """CS3-3, CS3-13."""
    await rooms.open("work/a.md")
    await rooms.after(0.0)
    for code, who in (("UNAVAILABLE", "OK"), ("NOT_FOUND", "UNAUTHENTICATED")):
        rooms.outside.gateway.moods.refuses |= {"Stat": code, "ListContainer": code, **({} if who == "OK" else {"WhoAmI": who})}
        assert await rooms.after(LATEST) == frozenset()
    rooms.outside.gateway.moods.refuses.clear()
    rooms.outside.put("work/a.md", b"two")
    assert await rooms.after(LATEST) == {"work/a.md"}
