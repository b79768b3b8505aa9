"""People edit one document in real browsers at the same time; all pages and the file on disk are equal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Editor
    from serving import Served

WATCH_TURNS = "() => { window.turns = []; collab.text.observe((event) => turns.push(event.transaction.local)) }"
TURNS = "turns.filter((own, at) => own !== turns[at - 1]).length"
"""How often own words and words of others took turns."""


async def two(company: Company, served: Served, document: str) -> tuple[Editor, Editor]:
    ann, bob = await asyncio.gather(company.join("Ann", served), company.join("Bob", served))
    first, second = await asyncio.gather(ann.open(document), bob.open(document))
    return first, second


async def test_two_pages_type_at_once_and_both_and_the_file_read_the_same(shared_server: Served, company: Company) -> None:
    shared_server.write("together.md", "# Together\n\nAnn: \n\nBob: \n")
    ann, bob = await two(company, shared_server, "together.md")
    await asyncio.gather(ann.sees("Ann", "Bob"), bob.sees("Ann", "Bob"))
    await ann.caret_to(len("# Together\n\nAnn: "))
    await bob.caret_to(len("# Together\n\nAnn: \n\nBob: "))
    await asyncio.gather(*(each.page.evaluate(WATCH_TURNS) for each in (ann, bob)))
    mine, yours = "The quick brown fox, and more of it.", "Jumps over the lazy dog, *twice* so."

    # A page that gets no processor for a while would see all that the other one typed as one turn: nobody goes on alone for long.
    for letters in range(3, len(mine) + 1, 3):
        await asyncio.gather(*(each.type(words[letters - 3 : letters], pause=15) for each, words in ((ann, mine), (bob, yours))))
        expected = f"# Together\n\nAnn: {mine[:letters]}\n\nBob: {yours[:letters]}\n"
        await asyncio.gather(ann.reads(expected), bob.reads(expected))

    assert min(await asyncio.gather(*(each.page.evaluate(TURNS) for each in (ann, bob)))) > 10
    await asyncio.gather(ann.sees_caret_of("Bob"), bob.sees_caret_of("Ann"))
    await asyncio.gather(ann.saved(), bob.saved())
    assert shared_server.read("together.md") == expected


async def test_two_who_type_at_the_same_place_lose_no_letter(shared_server: Served, company: Company) -> None:
    shared_server.write("same.txt", "[]")
    ann, bob = await two(company, shared_server, "same.txt")
    await asyncio.gather(ann.caret_to(1), bob.caret_to(1))

    await asyncio.gather(ann.type("abcdefghijklm" * 3, pause=10), bob.type("NOPQRSTUVWXYZ" * 3, pause=10))

    await asyncio.gather(ann.saved(), bob.saved())
    text = shared_server.read("same.txt")
    await asyncio.gather(ann.reads(text), bob.reads(text))
    assert "".join(filter(str.islower, text)) == "abcdefghijklm" * 3
    assert "".join(filter(str.isupper, text)) == "NOPQRSTUVWXYZ" * 3
    assert len(text) == 2 + 6 * 13


async def test_undo_takes_back_ones_own_words_only(shared_server: Served, company: Company) -> None:
    shared_server.write("undo.md", "start\n")
    ann, bob = await two(company, shared_server, "undo.md")
    # In one go: what is typed after a rest is another step of the undoing.
    await ann.insert("Ann's line\n", at="Control+End")
    await bob.reads("start\nAnn's line\n")
    await bob.type("Bob's line\n", at="Control+End")
    await ann.reads("start\nAnn's line\nBob's line\n")

    await ann.content.press("Control+z")

    await asyncio.gather(ann.reads("start\nBob's line\n"), bob.reads("start\nBob's line\n"))
    await ann.saved()
    assert shared_server.read("undo.md") == "start\nBob's line\n"


async def test_who_closes_the_page_is_not_shown_any_more(shared_server: Served, company: Company) -> None:
    shared_server.write("leaving.md", "start\n")
    ann, bob = await two(company, shared_server, "leaving.md")
    await bob.type("here ", at="Control+Home")
    await ann.sees_caret_of("Bob")

    await bob.page.close()

    await ann.sees("Ann")
    await expect(ann.page.locator(".cm-ySelectionCaret")).to_have_count(0)


async def test_a_name_is_what_the_server_knows_and_not_what_a_page_says(shared_server: Served, company: Company) -> None:
    shared_server.write("names.md", "start\n")
    ann, bob = await two(company, shared_server, "names.md")

    await bob.page.evaluate("collab.provider.setAwarenessField('user', { name: 'Ann', color: '#000000' })")
    await bob.type("x", at="Control+End")

    await ann.reads("start\nx")
    await ann.sees_caret_of("Bob")
    await ann.sees("Ann", "Bob")


async def test_an_edit_outside_of_the_server_is_kept_beside_what_is_typed(shared_server: Served, company: Company) -> None:
    path = shared_server.write("outside.md", "one\ntwo\nthree\n")
    ann = await (await company.join("Ann", shared_server)).open("outside.md")

    await ann.type("typed ", at="Control+Home")
    path.write_text("one\ntwo\nthree and more\n", encoding="utf-8")

    await ann.reads("typed one\ntwo\nthree and more\n")
    await ann.saved()
    assert path.read_text(encoding="utf-8") == "typed one\ntwo\nthree and more\n"


async def test_a_document_opened_by_its_id_is_shown_as_what_it_is(shared_server: Served, company: Company) -> None:
    shared_server.write("by-id.csv", "a,b\n1,2\n")
    ann = await company.join("Ann", shared_server)
    answer = await ann.context.request.get(f"{shared_server.url}/api/documents/by-id.csv")
    editor = await ann.visit((await answer.json())["id"])

    await editor.page.get_by_role("grid", name="by-id.csv").wait_for()

    await expect(editor.page).to_have_title("by-id.csv · collab")


async def test_a_link_to_a_line_leads_there(shared_server: Served, company: Company) -> None:
    shared_server.write("lines.md", "".join(f"line {number}\n" for number in range(1, 301)))
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()

    await page.goto(f"{shared_server.url}/edit/lines.md#L250")

    await expect(page.locator(".cm-line", has_text="line 250")).to_be_in_viewport()
    assert await page.evaluate("collab.view.state.doc.lineAt(collab.view.state.selection.main.head).number") == 250
