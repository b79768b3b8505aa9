"""RIGHTS-3: a page whose person's right changes while it is open says so, goes on by itself, and loses no word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.test_csv import opened
from permitting import permitting
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.people import Company
    from permitting import Permitted


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Permitted]:
    with permitting(tmp_path, COLLAB_SAVE_DELAY="0.3") as served:
        yield served


async def test_a_right_to_write_goes_and_comes_back_and_access_ends_while_somebody_types(server: Permitted, company: Company) -> None:
    server.write("shared.md", "start\n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    editor, other = await ann.open("shared.md"), await bob.open("shared.md")
    await editor.type("one ", at="Control+Home")
    await other.reads("one start\n")

    server.permit(Ann="viewer")
    note = editor.note("access")
    await expect(note).to_contain_text("You may only read this document now")
    await expect(editor.content).to_have_attribute("contenteditable", "false")
    await other.type("two ", at="Control+Home")
    await editor.reads("two one start\n")
    await expect(other.note("access")).to_have_count(0)

    server.permit()
    await expect(note).to_have_count(0)
    await expect(editor.content).to_have_attribute("contenteditable", "true")
    await editor.type("three ", at="Control+Home")
    await editor.saved()
    await other.reads("three two one start\n")

    await ann.context.set_offline(offline=True)
    await editor.type("unsent ", at="Control+Home")
    await expect(editor.words).to_contain_text("kept on this device")
    server.permit(Ann="none")
    await until(lambda: "refused: forbidden" in server.log.read_text())
    await ann.context.set_offline(offline=False)
    refusal = await editor.refused("You may not open this document any more")
    await expect(refusal).to_contain_text("7 changes were not stored yet. They are kept on this device.")
    await other.reads("three two one start\n")

    server.permit()
    await refusal.get_by_role("button", name="Try again").click()
    await editor.saved()
    await server.shows("shared.md", "unsent three two one start\n")
    await other.reads("unsent three two one start\n")


async def test_what_is_typed_into_a_cell_while_the_right_to_write_goes_is_shown_and_not_lost(server: Permitted, company: Company) -> None:
    server.write("shared.csv", "a,b\n1,2\n")
    ann = await opened(await company.join("Ann", server), "shared.csv")
    await ann.cell("A2").click()
    await ann.page.keyboard.type("precious")
    server.permit(Ann="viewer")
    await expect(ann.editor.note("access")).to_contain_text("You may only read this document now")
    await ann.keys("Enter")
    await expect(ann.page.locator(".csv-said")).to_contain_text("You may only read this table now. What you typed: precious")
    assert await ann.text() == "a,b\n1,2\n"
