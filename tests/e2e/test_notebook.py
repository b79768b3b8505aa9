"""A notebook as cells: written in by several people at once, arranged by keys and buttons, with outputs that are shown and never run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
from e2e.people import MILLISECONDS
from notebooks import cell, notebook, sources
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Locator, Page, WebSocketRoute
    from serving import Served

KERNEL: dict[str, Any] = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
HELLO = {"output_type": "stream", "name": "stdout", "text": "hello \x1b[32mgreen\x1b[0m\n"}
BECOME = """
([wanted, patience]) => new Promise((resolve) => {
  const cells = collab.text.doc.getArray('cells')
  const sources = () => cells.map((cell) => cell.get('source').toString())
  const look = () => { if (JSON.stringify(sources()) === JSON.stringify(wanted)) resolve(sources()) }
  cells.observeDeep(() => queueMicrotask(look))
  setTimeout(() => resolve(sources()), patience)
  look()
})
"""
"""The shared sources, as soon as they are these."""
TWICE = """
(key) => {
  const press = () => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  press()
  press()
}
"""
TABLE = {
    "output_type": "execute_result",
    "execution_count": 2,
    "metadata": {},
    "data": {"text/html": "<style>x{}</style><table><tr><td>cell of a table</td></tr></table>", "text/plain": "plain"},
}


def study(*more: dict[str, Any]) -> str:
    return notebook(
        cell("# Study\n\nwith $x^2$", "title", "markdown"),
        cell("first = 1", "one", outputs=[HELLO], execution_count=1),
        cell("second = 2", "two", outputs=[TABLE], execution_count=2),
        *more,
        **KERNEL,
    )


class Cells:
    """The cells on somebody's page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def of(cls, person: Person, document: str, *, patience: float = MILLISECONDS) -> Cells:
        """The document's page when its cells are there; `patience`: milliseconds until then."""
        editor = await person.visit(document)
        cells = cls(editor.page)
        await cells.all.first.wait_for(timeout=patience)
        await editor.saved()
        return cells

    @property
    def all(self) -> Locator:
        return self.page.get_by_role("listitem").and_(self.page.locator(".nb-cell"))

    def at(self, index: int) -> Locator:
        return self.all.nth(index)

    async def sources(self) -> list[str]:
        found: list[str] = await self.page.evaluate("collab.text.doc.getArray('cells').map((cell) => cell.get('source').toString())")
        return found

    async def become(self, *wanted: str) -> None:
        """Until the shared sources are these."""
        assert await self.page.evaluate(BECOME, [list(wanted), MILLISECONDS]) == list(wanted)

    async def choose(self, index: int) -> None:
        """As Escape leaves it: the cell is chosen, and not written in."""
        await self.at(index).focus()

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def twice(self, key: str) -> None:
        """Within the second in which two presses are a pair, however busy the machine is."""
        await self.page.evaluate(TWICE, key)

    async def write(self, index: int, words: str, *, at: str = "Control+End") -> None:
        """Words into a cell, by the keyboard."""
        await self.choose(index)
        await self.keys("Enter")
        await expect(self.at(index).locator(".cm-content")).to_be_focused()
        await self.keys(at)
        await self.page.keyboard.type(words)


async def in_file(served: Served, document: str, *wanted: str) -> dict[str, Any]:
    """The notebook when its file has these sources; it has to be valid."""

    def found() -> bool:
        return sources(served.read(document)) == list(wanted)

    await until(found, saying=lambda: served.read(document))
    loaded: dict[str, Any] = json.loads(served.read(document))
    return loaded


async def test_two_people_write_different_cells_and_the_same_one(shared_server: Served, company: Company) -> None:
    """NOTEBOOK-3."""
    shared_server.write("both.ipynb", study())
    ann, bob = [await Cells.of(await company.join(name, shared_server), "both.ipynb") for name in ("Ann", "Bob")]
    await expect(ann.at(0).locator("h1")).to_have_text("Study")
    await expect(ann.at(0).locator(".katex")).to_be_visible()
    await expect(ann.at(1).locator(".ansi-2")).to_have_text("green")
    await expect(ann.at(2).locator("td")).to_have_text("cell of a table")

    await ann.write(1, "")
    # In one go: of keys that come slowly each is a step to undo.
    await ann.page.keyboard.insert_text(" # ann")
    await bob.write(2, " # bob")
    await bob.write(1, "# above\n", at="Control+Home")
    await expect(ann.at(1).locator('.nb-guest[data-name="Bob"]')).to_be_visible()
    await expect(ann.at(1).locator('.cm-ySelectionCaret[data-name="Bob"]')).to_be_attached()
    await ann.become("# Study\n\nwith $x^2$", "# above\nfirst = 1 # ann", "second = 2 # bob")
    # Each undoes only what is their own.
    await ann.keys("Control+z")
    wanted = ("# Study\n\nwith $x^2$", "# above\nfirst = 1", "second = 2 # bob")
    await bob.become(*wanted)

    saved = await in_file(shared_server, "both.ipynb", *wanted)
    before = json.loads(study())
    for now, then in zip(saved["cells"], before["cells"], strict=True):
        assert {**now, "source": ""} == {**then, "source": ""}
    # What nobody touched has its bytes.
    body, start = shared_server.read("both.ipynb"), study()
    assert body[: body.index('   "source"')] == start[: start.index('   "source"')]
    assert body[body.index("# Study") : body.index("# above")] == start[start.index("# Study") : start.index("first")]
    assert body.endswith(start[start.index(' "metadata": {\n  "kernelspec"') :])


async def test_cells_are_arranged_by_the_keys_of_jupyter(shared_server: Served, company: Company) -> None:
    shared_server.write("keys.ipynb", study())
    ann = await Cells.of(await company.join("Ann", shared_server), "keys.ipynb")
    title, one, two = await ann.sources()

    await ann.choose(0)
    await ann.keys("b")
    await ann.page.keyboard.type("new = 0")
    await ann.keys("Escape", "Alt+ArrowDown")
    await ann.become(title, one, "new = 0", two)
    await ann.keys("m")
    await expect(ann.at(2)).to_have_attribute("data-type", "markdown")
    await ann.keys("y", "Shift+M")
    await ann.become(title, one, f"new = 0\n{two}")
    await ann.keys("Enter", "Control+Home", "ArrowDown", "Control+Shift+Minus")
    await ann.become(title, one, "new = 0", two)
    await expect(ann.at(3).locator("td")).to_have_text("cell of a table")
    await ann.keys("Escape", "k")
    await ann.twice("d")
    await ann.keys("k", "x", "v")
    await ann.become(title, two, one)
    await ann.keys("z", "z", "z")
    await ann.become(title, one, "new = 0", two)
    await ann.choose(0)
    await ann.keys("a")
    await ann.keys("Shift+Enter", "h")
    await expect(ann.page.get_by_role("dialog").get_by_text("Split cell at the caret")).to_be_visible()
    await ann.keys("Escape")

    saved = await in_file(shared_server, "keys.ipynb", "", title, one, "new = 0", two)
    assert saved["cells"][2]["outputs"] == json.loads(study())["cells"][1]["outputs"]
    assert len({each["id"] for each in saved["cells"]}) == 5


async def test_a_text_is_rendered_until_one_writes_in_it(shared_server: Served, company: Company) -> None:
    shared_server.write("text.ipynb", study())
    ann = await Cells.of(await company.join("Ann", shared_server), "text.ipynb")
    await ann.at(0).locator("h1").dblclick()
    await expect(ann.at(0).locator(".cm-content")).to_be_focused()
    await ann.keys("Control+Home", "End")
    await ann.page.keyboard.type(" of cells")
    await ann.keys("Escape")
    await expect(ann.at(0).locator("h1")).to_have_text("Study of cells")
    await expect(ann.at(0)).to_be_focused()
    await ann.page.locator("#more").click()
    await ann.page.get_by_text("Outline").click()
    await expect(ann.page.locator("#outline .heading")).to_have_text(["Study of cells"])


async def test_a_cell_that_is_moved_or_deleted_takes_no_words_with_it(shared_server: Served, company: Company) -> None:
    """NOTEBOOK-6, NOTEBOOK-9."""
    shared_server.write("moved.ipynb", study())
    people = [await company.join(name, shared_server) for name in ("Ann", "Bob")]
    ann, bob = [await Cells.of(person, "moved.ipynb") for person in people]
    title, one, two = await ann.sources()
    await ann.write(1, " # a")
    await bob.become(title, f"{one} # a", two)
    await people[0].context.set_offline(True)
    await ann.page.keyboard.type("nn")
    await ann.become(title, f"{one} # ann", two)
    await bob.choose(1)
    await bob.keys("Alt+ArrowDown")
    await bob.become(title, two, f"{one} # a")
    await people[0].context.set_offline(False)
    await bob.become(title, two, f"{one} # ann")
    await ann.become(title, two, f"{one} # ann")
    # One writes on where the cell is now.
    await ann.page.keyboard.type("!")
    await bob.become(title, two, f"{one} # ann!")

    await bob.choose(2)
    await bob.keys("Delete")
    lost = ann.page.locator('[data-note^="gone"]')
    await expect(lost).to_contain_text(f"{one} # ann!")
    await lost.get_by_role("button", name="Put it back").click()
    await bob.become(title, two, f"{one} # ann!")
    await in_file(shared_server, "moved.ipynb", title, two, f"{one} # ann!")


async def test_words_typed_without_a_connection_are_in_the_cell_that_somebody_moved_meanwhile(
    shared_server: Served, company: Company
) -> None:
    """NOTEBOOK-6: also when the page learns of the move before it can send them; and once, whoever else writes there."""
    shared_server.write("apart.ipynb", study())
    ann, bob = [await Cells.of(await company.join(name, shared_server), "apart.ipynb") for name in ("Ann", "Bob")]
    title, one, two = await ann.sources()
    await ann.write(1, " # before")
    await bob.become(title, f"{one} # before", two)
    await ann.page.evaluate("collab.provider.configuration.websocketProvider.disconnect()")
    await ann.page.keyboard.type(" away")
    await bob.choose(1)
    await bob.keys("Alt+ArrowDown")
    await bob.write(2, "# bob\n", at="Control+Home")
    await bob.become(title, two, f"# bob\n{one} # before")
    await ann.become(title, f"{one} # before away", two)
    await ann.page.evaluate("void collab.provider.configuration.websocketProvider.connect()")
    wanted = (title, two, f"# bob\n{one} # before away")
    await bob.become(*wanted)
    await ann.become(*wanted)
    await in_file(shared_server, "apart.ipynb", *wanted)


async def test_an_outside_program_rewrites_a_cell_while_two_people_write_in_it(shared_server: Served, company: Company) -> None:
    """NOTEBOOK-5."""
    shared_server.write("outside.ipynb", study())
    ann, bob = [await Cells.of(await company.join(name, shared_server), "outside.ipynb") for name in ("Ann", "Bob")]
    await ann.write(1, " # ann1")
    await bob.write(1, "# bob1\n", at="Control+Home")
    given = json.loads(study())
    given["cells"][1]["source"] = "first = 1 + 41"
    given["cells"][2]["outputs"] = []
    path = shared_server.root / "outside.ipynb"
    path.write_text(json.dumps(given, indent=1) + "\n")
    await ann.page.keyboard.type(" ann2")
    await bob.page.keyboard.type("# bob2\n")

    await ann.page.wait_for_function(
        "() => collab.text.doc.getArray('cells').get(1).get('source').toString().includes('41')", timeout=MILLISECONDS
    )
    await ann.page.keyboard.type(" ann3")
    await bob.page.keyboard.type("# bob3\n")
    await bob.page.wait_for_function(
        "() => collab.text.doc.getArray('cells').get(1).get('source').toString().includes('ann3')", timeout=MILLISECONDS
    )
    # He has all of hers, and of his own what may still be on its way to her.
    wanted = await bob.sources()
    await ann.become(*wanted)
    words = wanted[1]
    for word in ("first = 1", "+ 41", "ann1", "ann2", "ann3", "bob1", "bob2", "bob3"):
        assert words.count(word) == 1, words
    await expect(ann.at(2).locator("td")).to_have_count(0)
    saved = await in_file(shared_server, "outside.ipynb", *wanted)
    assert saved["cells"][1]["outputs"] == given["cells"][1]["outputs"]


async def test_words_typed_offline_come_back_into_their_cell(shared_server: Served, company: Company) -> None:
    """KEPT-1."""
    shared_server.write("away.ipynb", study())
    person = await company.join("Ann", shared_server)
    ann = await Cells.of(person, "away.ipynb")
    await person.context.set_offline(True)
    await ann.write(1, " # typed away")
    await expect(ann.page.locator("#words")).to_contain_text("13 changes kept on this device", timeout=MILLISECONDS)
    await ann.page.close()
    await person.context.set_offline(False)
    again = await Cells.of(person, "away.ipynb")
    await again.become("# Study\n\nwith $x^2$", "first = 1 # typed away", "second = 2")


async def moved_meanwhile(served: Served, company: Company, path: str) -> tuple[Person, Cells, list[str]]:
    """Ann typed into the second cell without a connection and closed her page, Bob moved that cell: Ann, Bob's page, and the cells as they were."""
    served.write(path, study())
    person = await company.join("Ann", served)
    ann, bob = await Cells.of(person, path), await Cells.of(await company.join("Bob", served), path)
    title, one, two = await bob.sources()
    await ann.page.evaluate("collab.provider.configuration.websocketProvider.disconnect()")
    await ann.write(1, " # typed away")
    await expect(ann.page.locator("#words")).to_contain_text("13 changes kept on this device", timeout=MILLISECONDS)
    await ann.page.close()
    await bob.choose(1)
    await bob.keys("Alt+ArrowDown")
    await bob.become(title, two, one)
    return person, bob, [title, one, two]


async def test_words_typed_offline_on_a_page_that_was_closed_come_into_the_copy_of_their_cell(
    shared_server: Served, company: Company
) -> None:
    """KEPT-1, NOTEBOOK-6."""
    person, bob, (title, one, two) = await moved_meanwhile(shared_server, company, "closed.ipynb")
    again = await Cells.of(person, "closed.ipynb")
    await again.become(title, two, f"{one} # typed away")
    await bob.become(title, two, f"{one} # typed away")


async def test_words_for_a_copied_cell_come_also_when_the_connection_breaks_as_they_are_sent(
    shared_server: Served, company: Company
) -> None:
    """KEPT-2, NOTEBOOK-6: for the page that is opened again the old cell is garbage, and so are its words."""
    person, bob, (title, one, two) = await moved_meanwhile(shared_server, company, "cut-off.ipynb")
    broken: list[WebSocketRoute] = []

    def between(page: WebSocketRoute) -> None:
        served = page.connect_to_server()

        async def said(message: str | bytes) -> None:
            # An update of a document: its name, then two numbers.
            if not broken and isinstance(message, bytes) and message[1 + message[0] :].startswith(b"\0\2"):
                broken.append(page)
                await page.close(code=1001)
                await served.close()
            elif page not in broken:
                served.send(message)

        page.on_message(said)

    await person.context.route_web_socket("**/collaboration", between)
    again = await Cells.of(person, "cut-off.ipynb")
    await again.become(title, two, f"{one} # typed away")
    await bob.become(title, two, f"{one} # typed away")
    assert broken


async def test_a_reader_sees_everything_and_changes_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("read.ipynb", study())
    eve = await Cells.of(await company.join("Eve", shared_server, "viewer"), "read.ipynb")
    await expect(eve.at(0).locator("h1")).to_have_text("Study")
    await expect(eve.page.locator("#read-only")).to_be_visible()
    await expect(eve.page.locator("#tools")).to_be_hidden()
    before = await eve.sources()
    await eve.choose(1)
    await eve.keys("a")
    await eve.twice("d")
    await eve.keys("m", "Alt+ArrowDown", "Enter")
    await eve.page.keyboard.type("nothing")
    await eve.page.keyboard.press("Control+f")
    await eve.page.get_by_role("searchbox").fill("second")
    await eve.keys("Enter")
    await expect(eve.page.locator(".nb-find [role=status]")).to_have_text("1 of 1")
    assert await eve.sources() == before


async def test_on_a_phone_buttons_do_what_keys_do(shared_server: Served, company: Company) -> None:
    shared_server.write("phone.ipynb", notebook(**KERNEL))
    person = await company.join("Ann", shared_server, has_touch=True, is_mobile=True)
    editor = await person.visit("phone.ipynb")
    page = editor.page
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.locator(".nb-none").get_by_role("button", name="New text").tap()
    ann = Cells(page)
    await expect(ann.at(0).locator(".cm-content")).to_be_focused()
    await page.keyboard.type("# Words")
    acts = ann.at(0).locator(".nb-acts")
    await acts.get_by_role("button", name="Done writing").tap()
    await expect(ann.at(0).locator("h1")).to_have_text("Words")
    await page.locator(".nb-end").get_by_role("button", name="New code").tap()
    await expect(ann.at(1).locator(".cm-content")).to_be_focused()
    await page.keyboard.type("x = 1")
    await ann.at(1).locator(".nb-acts").get_by_role("button", name="Move cell up").tap()
    await ann.become("x = 1", "# Words")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await in_file(shared_server, "phone.ipynb", "x = 1", "# Words")


async def test_a_thousand_cells_open_as_few_do(shared_server: Served, company: Company) -> None:
    many = [cell(f"x{number} = {number}", f"c{number}", outputs=[HELLO]) for number in range(1000)]
    shared_server.write("many.ipynb", study(*many))
    ann = await Cells.of(await company.join("Ann", shared_server), "many.ipynb", patience=3 * MILLISECONDS)
    await expect(ann.all).to_have_count(1003)
    assert await ann.page.locator(".cm-editor").count() < 60
    assert await ann.page.locator(".nb-output").count() < 80
    await ann.choose(0)
    await ann.keys("End")
    await expect(ann.at(1002)).to_be_in_viewport()
    await expect(ann.at(1002).locator(".cm-content")).to_have_text("x999 = 999")
    assert await ann.page.locator(".cm-editor").count() < 120


async def test_what_is_no_notebook_is_shown_as_its_source_and_says_so(shared_server: Served, company: Company) -> None:
    """NOTEBOOK-1."""
    shared_server.write("broken.ipynb", '{"cells": [')
    editor = await (await company.join("Ann", shared_server)).open("broken.ipynb")
    await expect(editor.note("notebook")).to_contain_text("not valid JSON")
    assert await editor.text() == '{"cells": ['


async def test_a_new_notebook_is_made_from_the_page_with_the_files(shared_server: Served, company: Company) -> None:
    (shared_server.root / "made").mkdir()
    person = await company.join("Ann", shared_server)
    page = await person.new_page()
    await page.goto(f"{shared_server.url}/?path=made")
    await page.get_by_role("button", name="New").first.click()
    await page.get_by_text("Notebook", exact=True).click()
    await page.locator("#new-name").fill("study")
    await page.get_by_role("button", name="Create").click()
    cells = Cells(page)
    await cells.all.first.wait_for()
    await expect(cells.all).to_have_count(2)
    loaded: Any = nbformat
    loaded.validate(loaded.reads(shared_server.read("made/study.ipynb"), as_version=4))
