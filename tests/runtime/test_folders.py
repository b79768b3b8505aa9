"""Folders that move while people edit what is in them (FILE-13)."""

from __future__ import annotations

import asyncio

import pytest
from runtime.stage import PATH, Stage, passing, soon

from collab.errors import Exists, Malformed, NotFound


async def test_people_who_edit_go_on_when_their_folder_is_moved(stage: Stage) -> None:
    """FILE-5."""
    for path in ("sub/a.md", "sub/deep/b.md", "subway/c.md"):
        stage.files.poke(path, b"one\n")
    ann, bob = await stage.page("Ann", path="sub/a.md"), await stage.page("Bob", path="sub/deep/b.md")
    cy = await stage.page("Cy", path="subway/c.md")
    ann.append("before ")
    await soon()
    moved = await stage.tree.move("sub", "new")
    await soon()
    assert (moved.path, moved.folder) == ("new", True)
    assert [guest.states[-1]["path"] for guest in (ann, bob, cy)] == ["new/a.md", "new/deep/b.md", "subway/c.md"]
    for guest in (ann, bob):
        guest.append("after")
    await passing(15)
    assert ann.file() == bob.file() == "saved"
    assert (stage.file("new/a.md"), stage.file("new/deep/b.md")) == ("one\nbefore after", "one\nafter")
    assert stage.metrics.failures == {}


async def test_a_document_that_is_being_opened_while_its_folder_moves_has_its_new_path(stage: Stage) -> None:
    stage.files.poke("sub/a.md", b"one\n")
    ann = stage.on(stage.socket(), path="sub/a.md")
    ann.sign_in(stage.token("Ann"))
    ann.greet()
    ann.step1()
    stage.journal.refuse("slow")
    await soon()
    await stage.tree.move("sub", "new")
    stage.journal.refuse(None)
    await soon()
    assert stage.host("new/a.md").stat.path == "new/a.md"
    ann.append("typed")
    await passing(15)
    assert stage.file("new/a.md") == "one\ntyped"


async def test_what_is_typed_while_a_folder_moves_is_saved_in_its_new_place(stage: Stage) -> None:
    stage.files.poke("sub/a.md", b"one\n")
    ann = await stage.page("Ann", path="sub/a.md")

    async def step(word: str) -> None:
        if word == "moved":
            stage.before = None
            ann.append("meanwhile")
            await soon()

    stage.before = step
    await stage.tree.move("sub", "new")
    await passing(15)
    assert ann.states[-1]["path"] == "new/a.md"
    assert stage.file("new/a.md") == "one\nmeanwhile"


async def test_a_crash_while_a_folder_moves_loses_no_document(stage: Stage) -> None:
    stage.files.poke("sub/a.md", b"one\n")
    ann = await stage.guest("Ann", path="sub/a.md")
    ann.append("typed")
    await soon()
    stopped = asyncio.Event()

    async def step(word: str) -> None:
        if word == "moved":
            stopped.set()
            await asyncio.Event().wait()

    stage.before = step
    moving = asyncio.ensure_future(stage.tree.move("sub", "new"))
    await stopped.wait()
    stage.before = None
    identity = stage.host("sub/a.md").id
    await stage.crash()
    moving.cancel()
    await passing(40)
    assert (await stage.documents.find("new/a.md")).id == identity
    assert stage.file("new/a.md") == "one\ntyped"


async def test_a_folder_is_made_and_moved_where_nothing_is(stage: Stage) -> None:
    assert (await stage.tree.make("new")).path == "new"
    for act in (stage.tree.make("new"), stage.tree.make(PATH), stage.tree.move("new", PATH)):
        with pytest.raises(Exists):
            await act
    with pytest.raises(Malformed):
        await stage.tree.move("new", "new/new")
    for act in (stage.tree.move(PATH, "other"), stage.tree.make("none/new"), stage.tree.move("new", "none/new")):
        with pytest.raises(NotFound):
            await act
