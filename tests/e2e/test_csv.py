"""A CSV file as a table: edited by cell and by keyboard, by several people at once, however many rows it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Editor, Person
    from playwright.async_api import Locator
    from serving import Served

PRICES = 'name,price,note\nbread,3,"fresh, daily"\nmilk,2,\n'


class Table:
    """The table on an editor's page."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.page = editor.page

    @property
    def grid(self) -> Locator:
        return self.page.get_by_role("grid")

    def cell(self, name: str) -> Locator:
        """By its name as a screen reader says it, such as `B2`."""
        return self.page.locator(f'.csv-cell[aria-label^="{name}, "]')

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def shows(self, name: str, value: str) -> None:
        await expect(self.cell(name)).to_have_attribute("aria-label", f"{name}, {value or 'empty'}")

    async def text(self) -> str:
        return str(await self.page.evaluate("collab.text.toString()"))

    async def becomes(self, wanted: str) -> None:
        """Until the shared text is this."""
        assert (
            await self.page.evaluate(
                """([wanted, patience]) => new Promise((resolve) => {
                  const look = () => { if (collab.text.toString() === wanted) resolve(wanted) }
                  collab.text.observe(look)
                  setTimeout(() => resolve(collab.text.toString()), patience)
                  look()
                })""",
                [wanted, MILLISECONDS],
            )
            == wanted
        )


async def opened(person: Person, document: str) -> Table:
    editor = await person.visit(document)
    table = Table(editor)
    await table.grid.wait_for()
    await editor.saved()
    return table


async def test_a_cell_is_edited_by_keys_and_only_its_characters_change(shared_server: Served, company: Company) -> None:
    shared_server.write("prices.csv", PRICES)
    table = await opened(await company.join("Ann", shared_server), "prices.csv")
    await table.shows("C2", "fresh, daily")

    await table.grid.focus()
    await table.keys("ArrowDown", "ArrowRight", "F2", "Backspace")
    await table.page.keyboard.type("4")
    await table.keys("Tab", "Enter", "End")
    await table.page.keyboard.type(' "now"')
    await table.keys("Enter")

    await table.becomes('name,price,note\nbread,4,"fresh, daily ""now"""\nmilk,2,\n')
    await table.editor.saved()
    assert shared_server.read("prices.csv") == 'name,price,note\nbread,4,"fresh, daily ""now"""\nmilk,2,\n'


async def test_escape_leaves_the_cell_as_it_was_and_typing_replaces_it(shared_server: Served, company: Company) -> None:
    shared_server.write("escape.csv", "a,b\n1,2\n")
    table = await opened(await company.join("Ann", shared_server), "escape.csv")

    await table.grid.focus()
    await table.page.keyboard.type("zzz")
    await table.keys("Escape")
    assert await table.text() == "a,b\n1,2\n"
    await table.keys("ArrowDown")
    await table.page.keyboard.type("one")
    await table.keys("Enter")

    await table.becomes("a,b\none,2\n")


async def test_what_is_typed_below_the_last_row_makes_a_row(shared_server: Served, company: Company) -> None:
    shared_server.write("grow.csv", "a,b\n1,2")
    table = await opened(await company.join("Ann", shared_server), "grow.csv")

    await table.grid.focus()
    await table.keys("Control+End", "Home", "ArrowDown")
    await table.page.keyboard.type("3")
    await table.keys("Tab")
    await table.page.keyboard.type("4")
    await table.keys("Enter")

    await table.becomes("a,b\n1,2\n3,4\n")


async def test_rows_and_columns_come_and_go(shared_server: Served, company: Company) -> None:
    shared_server.write("shape.csv", "a,b\n1,2\n")
    table = await opened(await company.join("Ann", shared_server), "shape.csv")

    await table.cell("B2").click()
    await table.page.get_by_role("button", name="Row above").click()
    await table.becomes("a,b\n,\n1,2\n")
    await table.page.get_by_role("button", name="Column left").click()
    await table.becomes("a,,b\n,,\n1,,2\n")
    await table.page.get_by_role("button", name="Delete columns").click()
    await table.becomes("a,b\n,\n1,2\n")
    await table.page.get_by_role("button", name="Delete rows").click()
    await table.becomes("a,b\n1,2\n")
    await table.keys("Control+z")

    await table.becomes("a,b\n,\n1,2\n")


async def test_a_range_is_copied_and_pasted_as_other_programs_do(shared_server: Served, company: Company) -> None:
    shared_server.write("range.csv", "a,b,c\n1,2,3\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=shared_server.url)
    table = await opened(ann, "range.csv")

    await table.grid.focus()
    await table.keys("Shift+ArrowRight", "Shift+ArrowDown", "Control+c")
    assert await table.page.evaluate("navigator.clipboard.readText()") == "a\tb\n1\t2"
    await table.page.evaluate("navigator.clipboard.writeText('x\\ty, z\\n8\\t9\\n')")
    await table.keys("ArrowUp", "Control+v")

    await table.becomes('a,x,"y, z"\n1,8,9\n')


async def test_two_people_edit_cells_of_one_row_and_see_each_other(shared_server: Served, company: Company) -> None:
    shared_server.write("both.csv", "a,b\n1,2\n")
    ann = await opened(await company.join("Ann", shared_server), "both.csv")
    bob = await opened(await company.join("Bob", shared_server), "both.csv")

    await ann.cell("A2").click()
    await bob.cell("B2").click()
    await expect(ann.cell("B2")).to_have_attribute("data-name", "Bob")
    await expect(bob.cell("A2")).to_have_attribute("data-name", "Ann")
    await ann.page.keyboard.type("left")
    await bob.page.keyboard.type("right")
    await ann.keys("Enter")
    await bob.keys("Enter")

    await ann.becomes("a,b\nleft,right\n")
    await bob.becomes("a,b\nleft,right\n")


async def test_an_open_cell_keeps_its_words_while_others_move_its_row_and_change_it(shared_server: Served, company: Company) -> None:
    shared_server.write("moving.csv", "a,b\ncost,2\n")
    ann = await opened(await company.join("Ann", shared_server), "moving.csv")
    bob = await opened(await company.join("Bob", shared_server), "moving.csv")

    await ann.cell("A2").click()
    await ann.keys("F2")
    await ann.page.keyboard.type(" now")
    await bob.cell("A1").click()
    await bob.page.get_by_role("button", name="Row above").click()
    await bob.cell("A3").dblclick()
    await bob.keys("Home")
    await bob.page.keyboard.type("the ")
    await bob.keys("Enter")
    await ann.becomes(",\na,b\nthe cost,2\n")
    await expect(ann.page.locator(".csv-field")).to_have_value("cost now")
    await ann.keys("Enter")

    await bob.becomes(",\na,b\nthe cost now,2\n")


async def test_a_double_click_opens_its_cell_whatever_others_change_meanwhile(shared_server: Served, company: Company) -> None:
    shared_server.write("pressed.csv", "a,b\n1,2\n")
    ann = await opened(await company.join("Ann", shared_server), "pressed.csv")
    bob = await opened(await company.join("Bob", shared_server), "pressed.csv")
    mouse = ann.page.mouse

    await ann.cell("A2").hover()
    await mouse.down()
    await mouse.up()
    await mouse.down(click_count=2)
    await bob.cell("B2").click()
    await bob.page.keyboard.type("other")
    await bob.keys("Enter")
    await expect(ann.cell("B2")).to_have_text("other")
    await mouse.up(click_count=2)

    await expect(ann.page.locator(".csv-field")).to_be_focused()
    await expect(ann.page.locator(".csv-field")).to_have_value("1")
    await ann.page.keyboard.type("st")
    await ann.keys("Enter")
    await ann.becomes("a,b\n1st,other\n")


async def test_words_typed_into_a_row_that_somebody_deletes_are_shown_and_not_lost(shared_server: Served, company: Company) -> None:
    shared_server.write("gone.csv", "a,b\n1,2\n3,4\n")
    ann = await opened(await company.join("Ann", shared_server), "gone.csv")
    bob = await opened(await company.join("Bob", shared_server), "gone.csv")

    await ann.cell("A2").click()
    await ann.page.keyboard.type("precious")
    await bob.cell("A2").click()
    await bob.page.get_by_role("button", name="Delete rows").click()
    await ann.becomes("a,b\n3,4\n")
    await ann.keys("Enter")

    said = ann.page.locator(".csv-said")
    await expect(said).to_contain_text("precious")
    assert await ann.text() == "a,b\n3,4\n"
    # Also when the others go on.
    await bob.cell("A2").click()
    await bob.page.keyboard.type("5")
    await bob.keys("Enter")
    await expect(ann.cell("A2")).to_have_text("5")
    await expect(said).to_contain_text("precious")
    await said.get_by_role("button", name="Close").click()
    await expect(said).to_be_hidden()


async def test_undo_takes_back_only_my_own_cells(shared_server: Served, company: Company) -> None:
    shared_server.write("mine.csv", "a,b\n1,2\n")
    ann = await opened(await company.join("Ann", shared_server), "mine.csv")
    bob = await opened(await company.join("Bob", shared_server), "mine.csv")

    await ann.cell("A2").click()
    await ann.page.keyboard.type("x")
    await ann.keys("Enter")
    await bob.cell("B2").click()
    await bob.page.keyboard.type("y")
    await bob.keys("Enter")
    await ann.becomes("a,b\nx,y\n")
    await ann.keys("Control+z")

    await bob.becomes("a,b\n1,y\n")


async def test_a_hundred_thousand_rows_are_drawn_a_screen_at_a_time(shared_server: Served, company: Company) -> None:
    shared_server.write("many.csv", "".join(f"{row},name {row},{row * 7}\n" for row in range(100_000)))
    table = await opened(await company.join("Ann", shared_server), "many.csv")

    await expect(table.grid).to_have_attribute("aria-rowcount", "100002")
    await table.grid.focus()
    await table.keys("Control+End")
    await table.shows("C100000", "699993")
    assert await table.page.locator(".csv-cell").count() < 400
    await table.page.keyboard.type("last")
    await table.keys("Enter")

    assert str(await table.text()).endswith("99999,name 99999,last\n")


async def test_a_viewer_reads_the_table_and_cannot_edit_it(shared_server: Served, company: Company) -> None:
    shared_server.write("look.csv", PRICES)
    table = Table(await (await company.join("Eve", shared_server, "viewer")).visit("look.csv"))
    await table.shows("B2", "3")

    await table.cell("B2").dblclick()
    await table.page.keyboard.type("9")
    await table.keys("Enter", "Delete")

    await expect(table.page.locator(".csv-field")).to_have_count(0)
    await expect(table.page.get_by_role("button", name="Row above")).to_have_count(0)
    assert await table.text() == PRICES


async def test_other_delimiters_and_broken_quotes_are_shown_as_they_are(shared_server: Served, company: Company) -> None:
    shared_server.write("semi.csv", 'a;b\n1,5;"two\nlines"\n')
    shared_server.write("broken.csv", 'a,b\n"open,1\n2,3\n')
    ann = await company.join("Ann", shared_server)
    table = await opened(ann, "semi.csv")
    await table.shows("A2", "1,5")
    await expect(table.cell("B2")).to_contain_text("two ↵")

    broken = await opened(ann, "broken.csv")

    await expect(broken.page.locator(".csv-said")).to_contain_text("row 2 is never closed")


async def test_the_source_of_a_table_is_one_press_away(shared_server: Served, company: Company) -> None:
    shared_server.write("source.csv", "a,b\n1,2\n")
    table = await opened(await company.join("Ann", shared_server), "source.csv")

    await table.page.get_by_role("button", name="Source").click()
    await table.editor.type("x", at="Control+Home")
    await table.page.get_by_role("button", name="Table").click()

    await table.shows("A1", "xa")
