"""A page without network or server keeps its words, says so, and brings them when it returns: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from e2e.people import NO_STORAGE
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Dialog
    from serving import Served


async def test_one_page_goes_offline_types_and_returns_and_all_are_equal(shared_server: Served, company: Company) -> None:
    shared_server.write("away.md", "one\n\ntwo\n\nthree\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    away, there = await ann.open("away.md"), await bob.open("away.md")

    await ann.context.set_offline(offline=True)
    await asyncio.gather(away.type("written offline ", at="Control+Home", pause=10), there.type("four\n", at="Control+End", pause=10))
    await there.caret_to(len("one\n"))
    await there.type("between")
    await there.saved()
    await away.is_told("offline")
    await expect(away.words).to_contain_text("kept on this device")
    assert shared_server.read("away.md") == "one\nbetween\ntwo\n\nthree\nfour\n"
    assert await away.text() == "written offline one\n\ntwo\n\nthree\n"
    await ann.context.set_offline(offline=False)

    expected = "written offline one\nbetween\ntwo\n\nthree\nfour\n"
    await asyncio.gather(away.reads(expected), there.reads(expected))
    await asyncio.gather(away.saved(), there.saved())
    assert shared_server.read("away.md") == expected


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_is_typed_while_the_server_is_gone_is_there_once_when_it_is_back(end: str, server: Served, company: Company) -> None:
    server.write("gone.md", "start\n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    first, second = await ann.open("gone.md"), await bob.open("gone.md")
    await first.watch_words()
    await first.type("before ", at="Control+Home")
    await second.reads("before start\n")
    # Half a second later it is in the file: whoever looks then has missed it.
    await first.page.wait_for_function("() => told.includes('stored')")

    await asyncio.to_thread(getattr(server, end))
    await asyncio.gather(first.is_told("offline"), second.is_told("offline"))
    await asyncio.gather(first.type("Ann away ", at="Control+Home"), second.type("Bob away\n", at="Control+End"))
    await asyncio.to_thread(server.start)

    expected = "Ann away before start\nBob away\n"
    await asyncio.gather(first.reads(expected), second.reads(expected))
    await asyncio.gather(first.saved(), second.saved())
    assert server.read("gone.md") == expected
    await asyncio.gather(first.sees("Ann", "Bob"), second.sees("Ann", "Bob"))


async def test_typing_goes_on_while_the_server_is_killed_and_comes_back(server: Served, company: Company) -> None:
    server.write("through.md", "Ann: \nBob: \n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    first, second = await ann.open("through.md"), await bob.open("through.md")
    mine, yours = " ".join(f"a{number}" for number in range(40)), " ".join(f"b{number}" for number in range(40))

    async def end_and_return() -> None:
        await first.page.locator(".cm-line", has_text="a3").wait_for()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    await first.caret_to(len("Ann: "))
    await second.caret_to(len("Ann: \nBob: "))
    await asyncio.gather(first.type(mine, pause=20), second.type(yours, pause=20), end_and_return())

    expected = f"Ann: {mine}\nBob: {yours}\n"
    await asyncio.gather(first.reads(expected), second.reads(expected))
    await asyncio.gather(first.saved(), second.saved())
    assert server.read("through.md") == expected


async def test_a_page_that_would_take_words_with_it_asks_before_it_is_closed(server: Served, company: Company) -> None:
    """KEPT-4."""
    server.write("closing.md", "start\n")
    ann = await company.join("Ann", server)
    await ann.context.add_init_script(NO_STORAGE)
    editor = await ann.open("closing.md")
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    editor.page.on("dialog", stay)
    await asyncio.to_thread(server.kill)
    await editor.type("only here ")
    await editor.is_told("offline")
    await expect(editor.words).to_contain_text("10 changes only on this page")

    async with editor.page.expect_event("dialog"):
        await editor.page.close(run_before_unload=True)

    assert asked == ["beforeunload"]
    await asyncio.to_thread(server.start)
    await editor.saved()
    assert server.read("closing.md") == "only here start\n"
    async with editor.page.expect_event("close"):
        await editor.page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
