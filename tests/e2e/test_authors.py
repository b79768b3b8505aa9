"""Who wrote what, in two real browsers: colours in the text, at once, and a table (AUTHORS-5)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Editor
    from playwright.async_api import Locator
    from serving import Served

COLORED = "[...document.querySelectorAll('.cm-author')].map((each) => [each.dataset.author, each.textContent])"


async def table(editor: Editor) -> Locator:
    await editor.page.locator("#more").click()
    await editor.page.locator('#menu [data-act="authors.menu"]').click()
    dialog = editor.page.get_by_role("dialog", name="Who wrote this")
    await dialog.get_by_role("table").wait_for()
    return dialog


async def is_colored(editor: Editor, *runs: list[str]) -> None:
    """Until just these stretches have somebody's colour."""
    wanted = json.dumps(runs, separators=(",", ":"), ensure_ascii=False)
    await editor.page.wait_for_function(f"(wanted) => JSON.stringify({COLORED}) === wanted", arg=wanted, timeout=MILLISECONDS)


async def test_the_text_shows_who_wrote_what_and_at_once_what_is_typed(shared_server: Served, company: Company) -> None:
    """AUTHORS-5."""
    shared_server.write("who.txt", "found\n")
    ann = await (await company.join("Ann", shared_server)).open("who.txt")
    bob = await (await company.join("Bob", shared_server)).open("who.txt")
    await ann.type("ann", at="Control+Home")
    await ann.reads("annfound\n")
    await bob.type("bob", at="Control+End")
    await asyncio.gather(*(each.reads("annfound\nbob") for each in (ann, bob)))
    await ann.saved()
    await bob.page.keyboard.press("Control+Home")
    await bob.page.keyboard.press("Delete")
    await ann.reads("nnfound\nbob")

    dialog = await table(ann)
    rows = dialog.locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text("The file as it was found")
    cells = {name: dialog.locator(f'tr[data-author="{name}"]') for name in ("Ann", "Bob")}
    await expect(cells["Ann"].locator(".count")).to_have_text("2 18%")
    await expect(cells["Bob"].locator(".count")).to_have_text("3 27%")
    await expect(cells["Bob"].locator(".deleted")).to_have_text("1")
    await expect(dialog.locator("tfoot .characters")).to_have_text("11")
    await dialog.get_by_role("switch").check()
    await ann.page.keyboard.press("Escape")

    await is_colored(ann, ["Ann", "nn"], ["Bob", "bob"])
    await expect(ann.page.locator("#legend li")).to_have_text(["Bob", "Ann"])
    await bob.type("!", at="Control+End")
    await ann.type("?", at="Control+Home")
    await is_colored(ann, ["Ann", "?nn"], ["Bob", "bob!"])
    eve = await (await company.join("Eve", shared_server)).open("who.txt")
    await eve.reads("?nnfound\nbob!")
    await eve.type("e", at="Control+Home")
    await is_colored(ann, ["Eve", "e"], ["Ann", "?nn"], ["Bob", "bob!"])
    caret = await ann.page.locator('.cm-ySelectionCaret[data-name="Bob"]').evaluate(
        "(caret) => getComputedStyle(caret).getPropertyValue('--who').trim()"
    )
    assert (
        await ann.page.locator('.cm-author[data-author="Bob"]').evaluate(
            "(mark) => getComputedStyle(mark).getPropertyValue('--who').trim()"
        )
        == caret
    )

    await ann.page.get_by_role("button", name="Hide the colours").click()
    await is_colored(ann)
    await expect(ann.page.locator("#legend")).to_be_hidden()


async def test_the_colours_stay_chosen_and_what_a_program_writes_is_the_programs(shared_server: Served, company: Company) -> None:
    """AUTHORS-5."""
    shared_server.write("program.txt", "one\n")
    person = await company.join("Ann", shared_server)
    ann = await person.open("program.txt")
    await ann.page.evaluate("localStorage.setItem('collab-preferences', JSON.stringify({ authors: true }))")
    await ann.page.reload()
    await (await ann.ready()).saved()
    await ann.type("ann ")
    await ann.saved()
    await is_colored(ann, ["Ann", "ann "])
    shared_server.write("program.txt", "ann one\ntwo\n")
    await ann.reads("ann one\ntwo\n")
    await is_colored(ann, ["Ann", "ann "], ["Another program", "two"])
    await ann.page.get_by_role("button", name="person here").click()
    await ann.page.get_by_role("button", name="Who wrote this").click()
    await expect(ann.page.get_by_role("dialog", name="Who wrote this").locator("tbody tr")).to_have_count(3)
