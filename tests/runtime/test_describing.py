"""Everybody in a room is told at once what is said about its document (META-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.stage import PATH, soon

from collab.about import About, Change
from collab.runtime.describing import Describing

if TYPE_CHECKING:
    from runtime.stage import Stage


async def test_the_pages_of_a_room_are_told_and_no_others(stage: Stage) -> None:
    describing = Describing(stage.rooms, stage.archive.metadata)
    stat = await stage.files.stat(PATH)
    await describing.put(stat, Change(("early",)), before=None)
    ann, bob = await stage.page("Ann"), await stage.page("Bob")
    said = await describing.put(stat, Change(("a", "b"), "text"), before=About(("early",)))
    await soon()
    assert said == await describing.get(stat) == About(("a", "b"), "text")
    for each in (ann, bob):
        each.hear()
        assert [notice for notice in each.notices if notice["kind"] == "about"] == [
            {"kind": "about", "tags": ["a", "b"], "description": "text"}
        ]


async def test_what_cannot_be_known_is_left_out_of_lists(stage: Stage) -> None:
    describing = Describing(stage.rooms, stage.archive.metadata)
    stat = await stage.files.stat(PATH)
    await describing.put(stat, Change(("a",)), before=None)
    assert await describing.of([stat]) == {stat.id: About(("a",))}
    stage.archive.refuse("away")
    assert await describing.of([stat]) == {}
