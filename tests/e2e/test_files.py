"""The list of files: what is there, a new document, a download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.people import Editor
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from serving import Served


async def test_a_document_is_made_opened_edited_and_downloaded(shared_server: Served, company: Company, tmp_path: Path) -> None:
    shared_server.write("listed/older.md", "older\n")
    shared_server.write("listed/sub folder/inner.txt", "inner\n")
    shared_server.write("listed/.hidden", "hidden\n")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    await page.goto(shared_server.url + "/?path=listed")
    await expect(page.locator("#rows th")).to_have_text(["sub folder/", "older.md"])

    await page.get_by_label("Name of a new document").fill("Größe & ☃ 100%.md")
    await page.get_by_role("button", name="Create").click()

    editor = await Editor(page).ready()
    await expect(page.locator("#title")).to_have_text("Größe & ☃ 100%.md")
    await editor.type("# New\n\nFirst words.")
    await editor.saved()
    assert shared_server.read("listed/Größe & ☃ 100%.md") == "# New\n\nFirst words."
    await page.locator("#back").click()
    await expect(page.locator("#rows th")).to_have_text(["sub folder/", "Größe & ☃ 100%.md", "older.md"])
    await page.screenshot(path=tmp_path / "files.png")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download Größe & ☃ 100%.md").click()
    download = await downloading.value
    await download.save_as(tmp_path / "downloaded")
    assert (tmp_path / "downloaded").read_text(encoding="utf-8") == "# New\n\nFirst words."


async def test_a_name_that_is_taken_is_refused_in_words_and_the_file_stays(shared_server: Served, company: Company) -> None:
    shared_server.write("taken.md", "mine\n")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    await page.goto(shared_server.url + "/")

    await page.get_by_label("Name of a new document").fill("taken.md")
    await page.get_by_role("button", name="Create").click()

    await expect(page.locator("#message")).to_contain_text("exists already")
    await page.get_by_role("link", name="Open it").click()
    await Editor(page).reads("mine\n")
    assert shared_server.read("taken.md") == "mine\n"


async def test_an_empty_folder_and_a_missing_one_say_what_they_are(shared_server: Served, company: Company) -> None:
    (shared_server.root / "empty").mkdir()
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()

    await page.goto(shared_server.url + "/?path=empty")
    await expect(page.locator("#message")).to_contain_text("This folder is empty")
    await page.goto(shared_server.url + "/?path=nowhere")
    await expect(page.locator("#message")).to_contain_text("There is no folder")


async def test_a_document_that_is_not_there_is_refused_in_words_and_not_made(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server)

    editor = await ann.visit("never/was.md")

    await editor.refused("There is no such document")
    assert not (shared_server.root / "never").exists()


async def test_a_file_renamed_while_it_is_open_keeps_its_editors(shared_server: Served, company: Company) -> None:
    shared_server.write("before.md", "start\n")
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("before.md")
    listed = await (await ann.context.request.get(shared_server.url + "/api/documents?path=")).json()
    (document,) = [each for each in listed["documents"] if each["path"] == "before.md"]

    answer = await ann.context.request.patch(
        f"{shared_server.url}/api/documents/{document['id']}",
        data={"path": "after.md"},
        headers={"If-Match": f'"{document["etag"]}"', "Origin": shared_server.url},
    )

    assert answer.ok, await answer.text()
    await expect(editor.page.locator("#title")).to_have_text("after.md")
    await editor.type("typed ", at="Control+Home")
    await editor.is_told("stored")
    await editor.saved()
    assert editor.page.url == shared_server.url + "/edit/after.md"
    assert shared_server.read("after.md") == "typed start\n"
    assert not (shared_server.root / "before.md").exists()
