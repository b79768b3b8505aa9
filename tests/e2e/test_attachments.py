"""Pictures and files in texts and notebooks, as people attach them (ATTACH-1, ATTACH-3, ATTACH-4)."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import time
import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from e2e.browsing import Files
from e2e.people import MILLISECONDS
from e2e.test_notebook import KERNEL, Cells, in_file
from e2e.test_writing import PASTE, opened, tool
from notebooks import cell, notebook
from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Locator, Page, Route
    from serving import Served

SHOWN = "(img) => img.complete && img.naturalWidth > 0"

WATCH_DRAGS = """
() => {
  window.dragged = []
  addEventListener('dragover', (event) => dragged.push((event.defaultPrevented ? 'prevented ' : '') + event.dataTransfer.dropEffect))
}
"""


def png(width: int, red: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((red, 90, 160)) * width) * width
    head = struct.pack("!IIBBBBB", width, width, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pasted(name: str, kind: str, body: bytes) -> dict[str, Any]:
    return {"files": [{"name": name, "type": kind, "base64": base64.b64encode(body).decode()}]}


async def test_a_picture_stands_where_it_was_pasted_however_long_it_takes_and_whatever_is_typed_meanwhile(
    server: Served, company: Company
) -> None:
    server.write("slow.md", "one two\n")
    ann = await company.join("Ann", server)
    editor = await (await ann.visit("slow.md")).ready()
    go = asyncio.Event()

    async def held(route: Route) -> None:
        await go.wait()
        await route.continue_()

    await editor.page.route("**/attachments?name=*", held)
    await editor.caret_to(3)
    files = [pasted(f"{name}.png", "image/png", png(8, red))["files"][0] for name, red in (("a", 1), ("b", 2), ("c", 3))]
    await editor.page.evaluate(PASTE, {"files": files})
    await editor.page.evaluate(PASTE, pasted("d.png", "image/png", png(8, 4)))
    await editor.type(" and more")
    await expect(editor.page.locator(".cm-waiting")).to_have_count(4)
    go.set()
    links = [f"![](slow.md.assets/{name}.png)" for name in "abcd"]
    await editor.reads("one" + "\n".join(links[:3]) + links[3] + " and more two\n")
    await editor.type("!")
    await editor.reads("one" + "\n".join(links[:3]) + links[3] + " and more! two\n")


async def test_pictures_and_files_are_attached_shown_renamed_and_listed(server: Served, company: Company) -> None:
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    editor = await opened(ann, "album/pictures.md", "before \n", "\n")
    page = editor.page
    await page.set_viewport_size({"width": 1200, "height": 700})
    other = await bob.open("album/pictures.md")
    blue, red = png(48, 20), png(48, 200)

    await page.evaluate(PASTE, pasted("image.png", "image/png", blue))
    await editor.reads("before ![](pictures.md.assets/image.png)\n")
    await other.reads("before ![](pictures.md.assets/image.png)\n")
    assert (server.root / "album/pictures.md.assets/image.png").read_bytes() == blue

    # The same picture again is the same file; another one of the same name is not.
    await editor.type("\n")
    await page.evaluate(PASTE, pasted("image.png", "image/png", blue))
    await editor.type("\n")
    await page.evaluate(PASTE, pasted("image.png", "image/png", red))
    both = "before ![](pictures.md.assets/image.png)\n![](pictures.md.assets/image.png)\n![](pictures.md.assets/image-2.png)"
    await editor.reads(both + "\n")

    # Files and pictures are chosen with the keyboard, too.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "a")
    await editor.type("\n")
    async with page.expect_file_chooser() as chooser:
        await tool(page, "Picture or file from this device").press("Enter")
    chosen: list[Any] = [{"name": "my data (1).zip", "mimeType": "application/zip", "buffer": packed.getvalue()}]
    await (await chooser.value).set_files(chosen)
    await editor.reads(both + "\n[my-data-(1).zip](pictures.md.assets/my-data-%281%29.zip)\n")
    await page.evaluate(PASTE, pasted("fake.png", "image/png", b"<html><script>alert(1)</script>"))
    await expect(editor.note("upload")).to_contain_text("fake.png is named as a picture and is none")
    await editor.note("upload").get_by_role("button", name="Close").click()

    await page.locator("#modes [data-mode=split]").click()
    pictures = page.locator("#preview img")
    await expect(pictures).to_have_count(3)
    for each in await pictures.all():
        await until_shown(each)
    await page.screenshot(path=str(server.root.parent / "split.png"))


async def test_what_is_attached_is_renamed_with_its_document_and_listed_when_the_text_names_it_nowhere(
    server: Served, company: Company
) -> None:
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    blue, red = png(48, 20), png(48, 200)
    (server.root / "album/pictures.md.assets").mkdir(parents=True)
    (server.root / "album/pictures.md.assets/image.png").write_bytes(blue)
    (server.root / "album/pictures.md.assets/image-2.png").write_bytes(red)
    words = "![](pictures.md.assets/image.png)\n![](pictures.md.assets/image-2.png)\n"
    editor = await opened(ann, "album/pictures.md", words)
    page = editor.page
    await page.set_viewport_size({"width": 1200, "height": 700})
    await page.locator("#modes [data-mode=split]").click()
    pictures = page.locator("#preview img")
    await until_shown(pictures.first)
    other = await bob.open("album/pictures.md")

    # Renamed while both have it open: the folder follows, and the text says so to everybody.
    listing = await Files.folder(ann, "album")
    await listing.shows("pictures.md")
    await listing.open("pictures.md").focus()
    await listing.rename("pictures.md", "holiday")
    await listing.shows("holiday.md")
    await other.reads(words.replace("pictures", "holiday"))
    assert (server.root / "album/holiday.md.assets/image.png").read_bytes() == blue
    await listing.page.screenshot(path=str(server.root.parent / "files.png"))
    # The address is another one when the page has heard of it: of the former one there is nothing to load.
    await expect(page).to_have_url(f"{server.url}/edit/album/holiday.md")
    await page.reload()
    await editor.ready()
    await expect(pictures.first).to_be_visible()
    await until_shown(pictures.first)

    # What the text names nowhere is told, deleted, and brought back.
    await editor.saved()
    await editor.page.evaluate("collab.text.delete(0, collab.text.toString().indexOf('![](holiday.md.assets/image-2.png)'))")
    await editor.saved()
    await page.set_viewport_size({"width": 360, "height": 700})
    await page.locator("#more").click()
    await page.get_by_role("button", name="Attachments…").click()
    window = page.get_by_role("dialog", name="Attachments")
    row = window.locator('li[data-name="image.png"]')
    await expect(row).to_contain_text("Not in the text")
    await expect(window.locator('li[data-name="image-2.png"]')).not_to_contain_text("Not in the text")
    await page.screenshot(path=str(server.root.parent / "window.png"))
    await row.get_by_role("button", name="Delete image.png").press("Enter")
    await expect(row).to_contain_text("is in the bin")
    await expect(window.get_by_role("status")).to_have_text("image.png is in the bin.")
    assert not (server.root / "album/holiday.md.assets/image.png").exists()
    await row.get_by_role("button", name="Undo").press("Enter")
    await expect(row).to_contain_text("Not in the text")
    assert (server.root / "album/holiday.md.assets/image.png").read_bytes() == blue
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def until_shown(picture: Locator) -> None:
    """Until the picture has been loaded; another element may take its place meanwhile."""
    end = time.monotonic() + MILLISECONDS / 1000
    while not await picture.evaluate(SHOWN):
        assert time.monotonic() < end, await picture.evaluate("(img) => img.outerHTML")
        await picture.page.evaluate("() => new Promise(requestAnimationFrame)")


async def drop(place: Locator, *files: Path, at: tuple[float, float] = (0.5, 0.5)) -> None:
    """Real files of the disk, as the browser itself gets them from a desktop."""
    box = await place.bounding_box()
    assert box is not None
    cdp = await place.page.context.new_cdp_session(place.page)
    data = {"items": [], "files": [str(path) for path in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + box["width"] * at[0], "y": box["y"] + box["height"] * at[1]}
        await cdp.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
    await cdp.detach()


async def test_files_of_the_desktop_are_dropped_into_a_text_and_shown_in_slides_and_to_readers(
    shared_server: Served, company: Company, tmp_path: Path
) -> None:
    blue, table = tmp_path / "blue 1.png", tmp_path / "data.csv"
    blue.write_bytes(png(48, 20))
    table.write_bytes(b"a,b\n1,2\n")
    editor = await opened(await company.join("Ann", shared_server, "owner"), "drops/talk.md", "# Talk\n\n")
    page = editor.page
    await drop(page.locator(".cm-content"), blue, table, at=(0.5, 0.9))
    words = "# Talk\n\n![](talk.md.assets/blue-1.png)\n[data.csv](talk.md.assets/data.csv)"
    await editor.reads(words)
    assert (shared_server.root / "drops/talk.md.assets/blue-1.png").read_bytes() == blue.read_bytes()

    # Where nothing takes it, the browser does not open it in the place of the page.
    await page.evaluate(WATCH_DRAGS)
    await drop(page.locator("#status"), blue)
    await drop(page.locator("#title"), table)
    await page.wait_for_function("() => dragged.length >= 2")
    assert await page.evaluate("dragged.every((each) => each === 'prevented none')")
    assert await editor.text() == words
    await editor.saved()

    await page.goto(f"{shared_server.url}/present/drops/talk.md")
    await until_shown(page.locator("img").first)
    await page.evaluate(WATCH_DRAGS)
    await drop(page.locator("body"), table)
    await page.wait_for_function("() => dragged.includes('prevented none')")
    await page.goto(f"{shared_server.url}/v/drops/talk.md")
    await until_shown(page.locator("#body img"))

    # What is no picture is a download, for who has the document alone, too.
    link = await share(page, shared_server, "drops/talk.md")
    gus = await company.join("Gus", shared_server, None)
    page = await gus.new_page()
    await page.goto(link)
    await page.get_by_label("Your name").fill("Gus")
    await page.get_by_role("button", name="Open").click()
    await page.locator("#modes [data-mode=preview]").click()
    await until_shown(page.locator("#preview img"))
    async with page.expect_download() as download:
        await page.locator("#preview").get_by_role("link", name="data.csv").click()
    assert (await download.value).suggested_filename == "data.csv"
    await page.goto(f"{shared_server.url}/v/drops/talk.md")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="data.csv").click()
    got = tmp_path / "got.csv"
    await (await download.value).save_as(got)
    assert got.read_bytes() == b"a,b\n1,2\n"


async def share(page: Page, served: Served, document: str) -> str:
    """The address of a new link to write."""
    address = f"{served.url}/api/documents/{quote(document, safe='')}/shares"
    made = await page.context.request.post(address, data={"kind": "link", "role": "editor"}, headers={"Origin": served.url})
    assert made.ok, await made.text()
    return str((await made.json())["address"])


async def test_pictures_come_into_the_texts_of_a_notebook(shared_server: Served, company: Company, tmp_path: Path) -> None:
    names = ("one.png", "two.png", "three.png", "four.png")
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(png(48, 40 * number))
    shared_server.write("drops/study.ipynb", notebook(cell("# Study", "title", "markdown"), cell("a = 1", "code"), **KERNEL))
    ann, phone = await company.join("Ann", shared_server), await company.join("Bob", shared_server, has_touch=True, is_mobile=True)
    cells = await Cells.of(ann, "drops/study.ipynb")
    page = cells.page

    # On a text that is only shown, and into the one that is written in.
    await drop(cells.at(0), tmp_path / "one.png")
    await cells.become("# Study![](study.ipynb.assets/one.png)", "a = 1")
    await expect(cells.at(0).locator(".cm-content")).to_be_focused()
    await page.keyboard.type("\nand ")
    await page.evaluate(PASTE, pasted("two.png", "image/png", (tmp_path / "two.png").read_bytes()))
    first = "# Study![](study.ipynb.assets/one.png)\nand ![](study.ipynb.assets/two.png)"
    await cells.become(first, "a = 1")

    # Beside code a picture gets a text of its own; words of a file come into the code.
    await drop(cells.at(1).locator(".cm-content"), tmp_path / "three.png")
    third = "![](study.ipynb.assets/three.png)"
    await cells.become(first, "a = 1", third)
    await cells.keys("Escape")
    await until_shown(cells.at(2).locator("img"))
    await expect(cells.at(0).locator("img")).to_have_count(2)
    await in_file(shared_server, "drops/study.ipynb", first, "a = 1", third)

    # On a phone they are chosen, from its camera too.
    page = (await phone.visit("drops/study.ipynb")).page
    await page.set_viewport_size({"width": 360, "height": 740})
    there = Cells(page)
    await there.at(1).locator(".nb-head").tap()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Picture or file from this device").tap()
    await (await chooser.value).set_files(tmp_path / "four.png")
    await cells.become(first, "a = 1", "![](study.ipynb.assets/four.png)", third)
    await page.goto(f"{shared_server.url}/v/drops/study.ipynb")
    await expect(page.locator("#body img")).to_have_count(4)
    await until_shown(page.locator("#body img").last)


async def test_a_link_stands_in_its_cell_also_when_one_has_gone_on_to_the_next(shared_server: Served, company: Company) -> None:
    shared_server.write("drops/late.ipynb", notebook(cell("# Late", "title", "markdown"), cell("a = 1", "code"), **KERNEL))
    cells = await Cells.of(await company.join("Ann", shared_server), "drops/late.ipynb")
    page = cells.page
    held = asyncio.Event()

    async def hold(route: Any) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/attachments?**", hold)
    await cells.choose(0)
    await cells.keys("Enter")
    await expect(cells.at(0).locator(".cm-content")).to_be_focused()
    await cells.keys("Control+End")
    async with page.expect_request("**/attachments?**"):
        await page.evaluate(PASTE, pasted("late.png", "image/png", png(48, 90)))
    await cells.keys("Shift+Enter")
    await expect(cells.at(0).locator(".cm-content")).to_have_count(0)
    held.set()
    await cells.become("# Late![](late.ipynb.assets/late.png)", "a = 1")
    await until_shown(cells.at(0).locator("img"))
    await cells.keys("z")
    await cells.become("# Late", "a = 1")
