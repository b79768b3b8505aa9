"""What is done with documents and folders in the list: named, moved, starred, copied, thrown away, and taken back."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from e2e.browsing import Files
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company, Person
    from serving import Served


def paths(folder: Path) -> list[str]:
    """What is below a folder, hidden files left out."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


async def visit(person: Person, path: str) -> None:
    """What the editor's page says once a document is open."""
    address = f"{person.served.url}/api/documents/{quote(path, safe='')}/visit"
    answer = await person.context.request.put(address, headers={"Origin": person.served.url})
    assert answer.ok, await answer.text()


async def test_everything_is_done_by_keyboard_alone(shared_server: Served, company: Company) -> None:
    for name in ("one.md", "two.md", "three.md"):
        shared_server.write(f"keyed/{name}", name)
    shared_server.write("keyed/Box/in.md", "in")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "keyed")
    await files.press("/", "ArrowDown")
    await files.focused("Box")

    await files.press("End")
    await files.rename("two.md", "zwei")
    await files.focused("zwei.md")
    await files.press("*")
    await expect(files.row("zwei.md").locator(".star")).to_have_attribute("aria-pressed", "true")
    await files.press("ArrowUp", "Shift+ArrowUp")
    await expect(files.page.locator("#chosen")).to_contain_text("2 selected")
    await files.press("m")
    await expect(files.window.get_by_role("button", name="Box")).to_be_focused()
    await files.press("Enter")
    await expect(files.window.get_by_role("button", name="Move to “Box”")).to_be_focused()
    await files.press("Enter")
    await files.shows("Box", "zwei.md")

    assert paths(shared_server.root / "keyed") == ["Box/in.md", "Box/one.md", "Box/three.md", "zwei.md"]
    await files.focused("zwei.md")
    await files.press("Control+z")
    await files.shows("Box", "one.md", "three.md", "zwei.md")
    await files.press("Control+z")
    await files.shows("Box", "one.md", "three.md", "two.md")
    await files.press("?")
    await expect(files.window).to_contain_text("Keyboard shortcuts")
    await files.press("Escape")
    await files.focused("two.md")


async def test_what_is_deleted_comes_back_by_undo_and_from_the_bin(shared_server: Served, company: Company) -> None:
    shared_server.write("binned/keep.md", "keep\n")
    shared_server.write("binned/gone.md", "gone\n")
    shared_server.write("binned/Box/in.md", "in\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "binned")

    await files.menu("gone.md", "Delete")
    await files.shows("Box", "keep.md")
    await expect(files.toast).to_contain_text("“gone.md” deleted")
    await files.toast.get_by_role("button", name="Undo").click()
    await files.shows("Box", "gone.md", "keep.md")
    await files.focused("gone.md")
    await files.open("Box").focus()
    await files.press("Delete")
    await files.shows("gone.md", "keep.md")
    assert paths(shared_server.root / "binned") == ["gone.md", "keep.md"]

    await files.page.get_by_role("link", name="Bin").click()
    await expect(files.row("Box").locator(".origin")).to_contain_text("deleted by Ann")
    await files.page.get_by_role("button", name="Restore Box").click()
    await expect(files.row("Box")).to_have_count(0)
    await files.toast.get_by_role("button", name="Show").click()
    await files.shows("Box", "gone.md", "keep.md")
    assert shared_server.read("binned/Box/in.md") == "in\n"


async def test_what_leaves_the_bin_for_good_is_asked_about_before(shared_server: Served, company: Company) -> None:
    shared_server.write("purged/secret.md", "secret\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "purged")
    await files.menu("secret.md", "Delete")
    await expect(files.message).to_contain_text("This folder is empty")
    await files.page.goto(shared_server.url + "/?view=bin")

    await files.menu("secret.md", "Delete for good")
    await files.window.wait_for()
    await files.press("Enter")
    await expect(files.window).to_have_count(0)
    await expect(files.row("secret.md")).to_have_count(1)
    await files.menu("secret.md", "Delete for good")
    await files.window.get_by_role("button", name="Delete for good").click()

    await expect(files.row("secret.md")).to_have_count(0)
    await files.page.reload()
    await files.loaded()
    await expect(files.row("secret.md")).to_have_count(0)


async def test_what_is_restored_where_its_name_is_taken_gets_another(shared_server: Served, company: Company) -> None:
    shared_server.write("again/note.md", "first\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "again")
    await files.menu("note.md", "Delete")
    await expect(files.toast).to_contain_text("deleted")
    shared_server.write("again/note.md", "second\n")
    await files.page.goto(shared_server.url + "/?view=bin")

    await files.row("note.md").first.get_by_role("button", name="Restore").click()

    await expect(files.toast).to_contain_text("again/note 2.md")
    assert (shared_server.read("again/note.md"), shared_server.read("again/note 2.md")) == ("second\n", "first\n")


async def test_a_taken_name_is_refused_where_it_is_typed_with_one_that_is_free(shared_server: Served, company: Company) -> None:
    shared_server.write("clash/a.md", "a")
    shared_server.write("clash/b.md", "b")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "clash")

    await files.menu("b.md", "Rename")
    field = files.page.get_by_label("New name for b.md")
    await field.fill("a")
    await files.press("Enter")

    await expect(files.page.get_by_role("alert")).to_contain_text("“a.md” exists already")
    await expect(field).to_have_value("a 2.md")
    await files.press("Escape")
    await files.focused("b.md")
    assert paths(shared_server.root / "clash") == ["a.md", "b.md"]


async def test_a_move_onto_a_taken_name_keeps_both_when_that_is_wanted(shared_server: Served, company: Company) -> None:
    shared_server.write("both/note.md", "mine\n")
    shared_server.write("both/Box/note.md", "theirs\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "both")

    await files.menu("note.md", "Move to…")
    await files.window.get_by_role("button", name="Box").click()
    await files.window.get_by_role("button", name="Move to “Box”").click()
    await expect(files.toast).to_contain_text("the name is taken there")
    await files.toast.get_by_role("button", name="Keep both").click()

    await files.shows("Box")
    assert (shared_server.read("both/Box/note.md"), shared_server.read("both/Box/note 2.md")) == ("theirs\n", "mine\n")


async def test_rows_are_dragged_onto_a_folder_and_onto_the_way_back(shared_server: Served, company: Company) -> None:
    shared_server.write("dragged/a.md", "a")
    shared_server.write("dragged/b.md", "b")
    shared_server.write("dragged/Box/in.md", "in")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "dragged")
    await files.open("a.md").focus()
    await files.press("Space", "Shift+ArrowDown")

    await files.row("b.md").drag_to(files.row("Box"))
    await files.shows("Box")
    await files.open("Box").click()
    await files.shows("a.md", "b.md", "in.md")
    await files.row("in.md").drag_to(files.page.locator("#trail").get_by_role("link", name="dragged"))

    await files.shows("a.md", "b.md")
    assert paths(shared_server.root / "dragged") == ["Box/a.md", "Box/b.md", "in.md"]


async def test_a_duplicate_has_the_same_bytes_and_stands_beside(shared_server: Served, company: Company) -> None:
    (shared_server.root / "copied").mkdir()
    (shared_server.root / "copied/raw.bin").write_bytes(bytes(range(256)))
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "copied")

    await files.menu("raw.bin", "Duplicate")

    await files.shows("raw.bin", "raw 2.bin")
    await files.focused("raw 2.bin")
    assert (shared_server.root / "copied/raw 2.bin").read_bytes() == bytes(range(256))


async def test_stars_and_visits_are_listed_on_every_device_of_the_person(shared_server: Served, company: Company) -> None:
    shared_server.write("shelf/one.md", "one\n")
    shared_server.write("shelf/two.md", "two\n")
    ann = await company.join("Shelf Owner", shared_server)
    files = await Files.folder(ann, "shelf")
    await files.row("one.md").hover()
    await files.page.get_by_role("button", name="Star one.md").click()
    await expect(files.page.locator("#said")).to_have_text("one.md starred")

    await files.page.get_by_role("link", name="Starred").click()
    await files.shows("one.md")
    await expect(files.row("one.md").locator(".origin")).to_have_text("shelf")
    await visit(ann, "shelf/two.md")
    await files.page.get_by_role("link", name="Recent").click()
    await files.shows("two.md")
    await expect(files.page.get_by_role("heading", level=1)).to_have_text("Recent")
    await files.page.go_back()
    await files.shows("one.md")
    await files.press("Backspace")
    await files.open("one.md").focus()
    await files.press("*")
    await expect(files.row("one.md").locator(".star")).to_have_attribute("aria-pressed", "false")
    # It is shown at once, and the server knows it when it is said.
    await expect(files.page.locator("#said")).to_have_text("Star removed from one.md")
    await files.page.reload()
    await expect(files.message).to_contain_text("No stars yet")


async def test_several_rows_and_folders_are_downloaded_as_one_archive(shared_server: Served, company: Company, tmp_path: Path) -> None:
    shared_server.write("packed/ü.md", "ü\n")
    shared_server.write("packed/Box/deep/in.md", "in\n")
    shared_server.write("packed/left.md", "left\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "packed")
    for name in ("Box", "ü.md"):
        await files.row(name).hover()
        await files.row(name).get_by_role("checkbox").click()
    await expect(files.page.locator("#chosen")).to_contain_text("2 selected")

    async with files.page.expect_download() as downloading:
        await files.page.locator("#chosen").get_by_role("button", name="Download").click()

    download = await downloading.value
    assert download.suggested_filename == "packed.zip"
    await download.save_as(tmp_path / "made.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "made.zip").read_bytes())) as made:
        assert {name: made.read(name).decode() for name in made.namelist()} == {"Box/deep/in.md": "in\n", "ü.md": "ü\n"}


async def test_an_act_that_is_refused_says_what_to_do_and_changes_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("vanish/there.md", "x")
    shared_server.write("vanish/other.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "vanish")
    (shared_server.root / "vanish/there.md").unlink()

    await files.menu("there.md", "Delete")

    await expect(files.toast).to_contain_text("“there.md”: It is not there any more")
    await expect(files.toast.get_by_role("button", name="Close")).to_be_visible()


async def test_rows_between_two_clicks_with_the_shift_key_are_chosen_and_deleted_at_once(shared_server: Served, company: Company) -> None:
    for letter in "abcde":
        shared_server.write(f"ranged/{letter}.md", letter)
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "ranged")

    await files.row("b.md").hover()
    await files.row("b.md").get_by_role("checkbox").click()
    await files.row("d.md").get_by_role("checkbox").click(modifiers=["Shift"])
    await expect(files.page.locator("#chosen")).to_contain_text("3 selected")
    await expect(files.row("c.md")).to_have_attribute("aria-selected", "true")
    await files.page.locator("#chosen").get_by_role("button", name="Delete").click()

    await files.shows("a.md", "e.md")
    await expect(files.toast).to_contain_text("3 entries deleted")
    await files.press("Control+z")
    await files.shows("a.md", "b.md", "c.md", "d.md", "e.md")
    await files.press("Control+a")
    await expect(files.page.locator("#chosen")).to_contain_text("5 selected")
    await files.press("Escape")
    await expect(files.page.locator("#chosen")).to_be_hidden()
