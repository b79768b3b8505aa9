"""The list of files: what is there, where one is, what is new, and what is said when there is nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from e2e.browsing import Files
from e2e.people import MILLISECONDS, Editor
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Route
    from serving import Served


async def test_a_document_is_made_opened_edited_and_downloaded(shared_server: Served, company: Company, tmp_path: Path) -> None:
    shared_server.write("listed/older.md", "older\n")
    shared_server.write("listed/sub folder/inner.txt", "inner\n")
    shared_server.write("listed/.hidden", "hidden\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "listed")
    await files.shows("sub folder", "older.md")

    await files.page.get_by_role("button", name="New", exact=True).click()
    await files.window.get_by_label("Name").fill("Größe & ☃ 100%.md")
    await files.window.get_by_role("button", name="Create").click()

    editor = await Editor(files.page).ready()
    await expect(files.page.locator("#title")).to_contain_text("Größe & ☃ 100%.md")
    await editor.type("# New\n\nFirst words.")
    await editor.saved()
    assert shared_server.read("listed/Größe & ☃ 100%.md") == "# New\n\nFirst words."
    await files.page.locator("#back").click()
    await files.shows("sub folder", "Größe & ☃ 100%.md", "older.md")
    async with files.page.expect_download() as downloading:
        await files.menu("Größe & ☃ 100%.md", "Download")
    download = await downloading.value
    await download.save_as(tmp_path / "downloaded")
    assert (tmp_path / "downloaded").read_text(encoding="utf-8") == "# New\n\nFirst words."


async def test_a_name_that_is_taken_is_refused_in_words_with_a_free_one_and_the_file_stays(shared_server: Served, company: Company) -> None:
    shared_server.write("named/taken.md", "mine\n")
    shared_server.write("named/taken 2.md", "mine too\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "named")

    await files.press("n")
    await files.window.get_by_label("Name").fill("taken")
    await files.press("Enter")

    await expect(files.window.get_by_role("alert")).to_contain_text("“taken.md” exists already")
    await files.window.get_by_role("button", name="Use “taken 3.md”").click()
    await expect(files.window.get_by_label("Name")).to_have_value("taken 3.md")
    await files.press("Enter")
    await Editor(files.page).ready()
    assert (shared_server.read("named/taken.md"), shared_server.read("named/taken 3.md")) == ("mine\n", "")


async def test_templates_fill_the_new_document_and_keep_its_extension_right(shared_server: Served, company: Company) -> None:
    shared_server.write("Templates/Letter.txt", "Dear all,\n")
    (shared_server.root / "templated").mkdir()
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "templated")
    await files.press("n")
    field = files.window.get_by_label("Name")
    await expect(field).to_have_value("Untitled.md")

    await files.choose("Table")
    await expect(field).to_have_value("Table.csv")
    await field.fill("sums.csv")
    await files.choose("Meeting minutes")
    await expect(field).to_have_value("sums.md")
    await files.choose("Letter")
    await expect(field).to_have_value("sums.txt")
    await files.press("Enter")

    await Editor(files.page).reads("Dear all,\n")
    assert shared_server.read("templated/sums.txt") == "Dear all,\n"


async def test_a_new_folder_appears_with_the_focus_and_can_be_entered(shared_server: Served, company: Company) -> None:
    (shared_server.root / "making").mkdir()
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "making")
    await expect(files.message).to_contain_text("This folder is empty")

    await files.message.get_by_role("button", name="New document").click()
    await files.choose("Folder")
    await files.window.get_by_label("Name").fill("Inner")
    await files.press("Enter")

    await files.focused("Inner")
    assert (shared_server.root / "making/Inner").is_dir()
    await files.press("Enter")
    await expect(files.page).to_have_url(re.compile(r"path=making%2FInner$"))
    await expect(files.page.get_by_role("heading", level=1)).to_have_text("Inner")


async def test_folders_have_addresses_and_going_back_lands_on_the_folder_that_one_left(shared_server: Served, company: Company) -> None:
    shared_server.write("walk/a/deep.md", "x")
    shared_server.write("walk/b/other.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "walk")

    await files.open("b").click()
    await files.shows("other.md")
    await files.focused("other.md")
    await files.press("Backspace")
    await files.focused("b")
    await files.page.go_back()
    await files.shows("other.md")
    await files.page.locator("#trail").get_by_role("link", name="walk").click()

    await files.shows("a", "b")
    await expect(files.page).to_have_title("walk · collab")


async def test_the_order_is_chosen_by_the_heads_and_remembered(shared_server: Served, company: Company) -> None:
    for name, text in {"Note 10.md": "x" * 10, "Note 2.md": "x" * 3000, "note 1.md": "x" * 200}.items():
        shared_server.write(f"ordered/{name}", text)
    shared_server.write("ordered/zzz/in.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "ordered")
    await files.shows("zzz", "note 1.md", "Note 2.md", "Note 10.md")

    await files.page.get_by_role("columnheader", name="Size").get_by_role("button").click()

    await files.shows("zzz", "Note 2.md", "note 1.md", "Note 10.md")
    await expect(files.page.locator("#head-size")).to_have_attribute("aria-sort", "descending")
    await files.page.reload()
    await files.shows("zzz", "Note 2.md", "note 1.md", "Note 10.md")


async def test_an_empty_folder_and_a_missing_one_say_what_they_are_and_what_to_do(shared_server: Served, company: Company) -> None:
    (shared_server.root / "empty").mkdir()
    ann = await company.join("Ann", shared_server)

    files = await Files.folder(ann, "empty")
    await expect(files.message).to_contain_text("This folder is empty")
    await expect(files.message.get_by_role("button")).to_have_count(2)
    await files.page.goto(shared_server.url + "/?path=nowhere%2Fat%20all")

    await expect(files.message).to_contain_text("There is no folder “nowhere/at all”")
    await expect(files.message.get_by_role("link", name="Go up")).to_have_attribute("href", "/?path=nowhere")


async def test_who_may_only_read_sees_no_way_to_change_anything(shared_server: Served, company: Company) -> None:
    shared_server.write("readable/one.md", "x")
    (shared_server.root / "readable/none").mkdir()
    eve = await company.join("Eve", shared_server, "viewer")
    files = await Files.folder(eve, "readable")

    await expect(files.row("one.md").locator(".tag")).to_have_text("Read only")
    await expect(files.page.get_by_role("button", name="New", exact=True)).to_be_hidden()
    await files.row("one.md").locator(".more").click()
    await expect(files.page.get_by_role("menuitem")).to_have_text(["Open", "Star", "Tags and description", "Read", "Present", "Download"])
    await files.press("Escape")
    await files.open("one.md").focus()
    await files.press("n", "F2", "Delete", "m")
    await expect(files.window).to_have_count(0)
    await expect(files.page.locator("#rows form")).to_have_count(0)
    await files.open("none").click()
    await expect(files.message).to_contain_text("Nobody has put anything here yet")


async def test_a_list_that_does_not_come_says_why_and_comes_by_itself_when_the_network_does(
    shared_server: Served, company: Company
) -> None:
    shared_server.write("reached/one.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "reached")

    async def lost(route: Route) -> None:
        await route.abort("connectionrefused")

    await files.page.route("**/api/documents?**", lost)
    await files.page.goto(shared_server.url + "/?path=reached")
    await expect(files.message).to_contain_text("The server cannot be reached")
    await expect(files.message.get_by_role("button", name="Try again")).to_be_visible()
    await files.page.unroute("**/api/documents?**", lost)
    await ann.context.set_offline(True)
    await ann.context.set_offline(False)

    await files.shows("one.md")
    await expect(files.message).to_be_hidden()


async def test_a_slow_list_is_drawn_as_grey_lines_until_it_comes(shared_server: Served, company: Company) -> None:
    shared_server.write("slowly/one.md", "x")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/api/documents?**", hold)

    await page.goto(shared_server.url + "/?path=slowly")

    await expect(page.locator("#skeleton")).to_be_visible()
    # The page has asked by then, which need not have come here yet.
    await until(lambda: held)
    await held[0].continue_()
    await Files(page).shows("one.md")
    await expect(page.locator("#skeleton")).to_be_hidden()


async def test_five_thousand_entries_are_listed_walked_and_filtered(server: Served, company: Company) -> None:
    for number in range(5000):
        server.write(f"many/{number}.md", "")
    ann = await company.join("Ann", server)
    files = Files(await ann.new_page())
    await files.page.goto(f"{server.url}/?path=many")
    # The first list of so many files takes a second on a quiet machine, and much longer beside other tests.
    await expect(files.page.locator("#grid")).to_have_attribute("aria-rowcount", "5001", timeout=6 * MILLISECONDS)
    await files.loaded()

    await files.open("0.md").focus()
    await files.press("End")
    await files.focused("4999.md")
    await expect(files.row("4999.md")).to_be_in_viewport()
    assert await files.page.locator("#rows [role=row]").count() == 5000
    await files.press("/")
    await files.page.keyboard.type("4321")
    await files.shows("4321.md")


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_the_list_fits_its_width_with_targets_that_fingers_meet(shared_server: Served, company: Company, width: int) -> None:
    shared_server.write(f"fits{width}/{'a very long name ' * 8}.md", "x")
    shared_server.write(f"fits{width}/short.md", "x")
    ann = await company.join("Ann", shared_server, has_touch=True, is_mobile=width == 360)
    page = await ann.new_page()
    await page.set_viewport_size({"width": width, "height": 740})
    await page.goto(f"{shared_server.url}/?path=fits{width}")
    files = Files(page)
    await files.loaded()

    await files.row("short.md").locator(".more").tap()
    menu = page.get_by_role("menu")
    box = await menu.bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, input')].filter((each) => each.checkVisibility())
          .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
          .filter(([, { width, height }]) => width > 2 && (width < 18 || height < 18)).map(([text]) => text)""",
    )
    assert small == []


async def test_a_document_that_is_not_there_is_refused_in_words_and_not_made(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server)

    editor = await ann.visit("never/was.md")

    await editor.refused("There is no such document")
    assert not (shared_server.root / "never").exists()


async def test_a_file_renamed_while_it_is_open_keeps_its_editors(shared_server: Served, company: Company) -> None:
    shared_server.write("renaming/before.md", "start\n")
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("renaming/before.md")
    files = await Files.folder(ann, "renaming")

    await files.open("before.md").focus()
    await files.rename("before.md", "after")

    await files.shows("after.md")
    await expect(editor.page.locator("#title")).to_contain_text("after.md")
    await editor.page.bring_to_front()
    await editor.type("typed ", at="Control+Home")
    await editor.saved()
    assert editor.page.url == shared_server.url + "/edit/renaming/after.md"
    assert shared_server.read("renaming/after.md") == "typed start\n"
    assert not (shared_server.root / "renaming/before.md").exists()


async def test_a_press_opens_its_document_whatever_is_listed_beside_it_meanwhile(shared_server: Served, company: Company) -> None:
    shared_server.write("pressed/first.md", "")
    shared_server.write("pressed/mine.md", "mine\n")
    shared_server.write("pressed/other.md", "")
    files = await Files.folder(await company.join("Ann", shared_server), "pressed")
    await files.shows("first.md", "mine.md", "other.md")

    await files.open("mine.md").hover()
    await files.page.mouse.down()
    shared_server.write("pressed/new.md", "")
    (shared_server.root / "pressed/other.md").unlink()
    # As when a device is back, or something was uploaded.
    await files.page.evaluate("dispatchEvent(new Event('online'))")
    await files.shows("first.md", "mine.md", "new.md")
    await files.page.mouse.up()

    await expect(files.page).to_have_url(re.compile(r"/edit/pressed/mine\.md$"), timeout=MILLISECONDS)
