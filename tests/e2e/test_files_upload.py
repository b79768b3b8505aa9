"""Files and folders from the computer, by dropping and by choosing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.browsing import Files
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Route
    from serving import Served

DROP = """
([selector, files]) => {
  const transfer = new DataTransfer()
  for (const [name, text] of files) transfer.items.add(new File([text], name))
  const target = document.querySelector(selector)
  for (const type of ['dragenter', 'dragover']) target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }))
  return target.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
}
"""


async def test_files_dropped_on_the_page_are_there_with_their_bytes(shared_server: Served, company: Company) -> None:
    (shared_server.root / "dropped").mkdir()
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "dropped")

    handled = not await files.page.evaluate(DROP, ["#main", [["ü ☃.md", "# Hi\r\n"], ["data.csv", "a,b\n"]]])

    assert handled
    await files.shows("data.csv", "ü ☃.md")
    await expect(files.page.locator(".uploads")).to_contain_text("2 files uploaded")
    assert (shared_server.root / "dropped/ü ☃.md").read_bytes() == b"# Hi\r\n"


async def test_files_dropped_on_a_folder_go_into_it(shared_server: Served, company: Company) -> None:
    shared_server.write("target/Box/in.md", "in")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "target")

    await files.page.evaluate(DROP, ["#rows [role=row]", [["new.md", "new"]]])

    await expect(files.page.locator(".uploads")).to_contain_text("1 file uploaded")
    await files.shows("Box")
    assert shared_server.read("target/Box/new.md") == "new"


async def test_a_whole_folder_is_uploaded_with_the_folders_in_it(shared_server: Served, company: Company, tmp_path: Path) -> None:
    (shared_server.root / "whole").mkdir()
    for name in ("tree/a.md", "tree/deep/b.md", "tree/deep/er/c.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "whole")

    await files.page.get_by_role("button", name="Upload", exact=True).click()
    async with files.page.expect_file_chooser() as choosing:
        await files.page.get_by_role("button", name="Upload a folder…").click()
    await (await choosing.value).set_files(tmp_path / "tree")

    await files.shows("tree")
    await expect(files.page.locator(".uploads")).to_contain_text("3 files uploaded")
    assert shared_server.read("whole/tree/deep/er/c.md") == "tree/deep/er/c.md"


async def test_a_taken_name_keeps_both_or_is_left_out_as_the_person_says(shared_server: Served, company: Company) -> None:
    for name in ("a.md", "b.md", "c.md"):
        shared_server.write(f"twice/{name}", "old")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "twice")

    await files.page.evaluate(DROP, ["#main", [["a.md", "new"], ["b.md", "new"]]])
    panel = files.page.locator(".uploads")
    await expect(panel.get_by_text("The name is taken.")).to_have_count(2)
    await panel.get_by_role("button", name="Keep both: a.md").click()
    await panel.get_by_role("button", name="Skip: b.md").click()

    await files.shows("a.md", "a 2.md", "b.md", "c.md")
    await expect(panel.locator("li.cancelled")).to_contain_text("left out")
    assert [shared_server.read(f"twice/{name}") for name in ("a.md", "a 2.md", "b.md")] == ["old", "new", "old"]


async def test_an_upload_that_fails_says_what_to_do_and_can_be_repeated_or_cancelled(shared_server: Served, company: Company) -> None:
    (shared_server.root / "refused").mkdir()
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "refused")
    held: list[Route] = []

    async def answer(route: Route) -> None:
        if "large" in route.request.url:
            await route.fulfill(status=413, json={"reason": "too-large", "detail": "too large"}, content_type="application/problem+json")
        elif "lost" in route.request.url:
            await route.abort("connectionrefused")
        else:
            held.append(route)

    await files.page.route("**/content", answer)
    await files.page.evaluate(DROP, ["#main", [["large.bin", "x"], ["lost.md", "lost"], ["slow.md", "slow"]]])
    panel = files.page.locator(".uploads")
    await expect(panel.locator("li", has_text="large.bin")).to_contain_text("larger than the server accepts")
    await expect(panel.locator("li", has_text="lost.md")).to_contain_text("Check the connection")
    # Two are sent at a time: the third one is on its way when the first ones have failed, and not a moment earlier.
    await until(lambda: held)
    await panel.get_by_role("button", name="Cancel: slow.md").click()
    await expect(panel.locator("li", has_text="slow.md")).to_contain_text("left out")
    for route in held:
        await route.abort()  # or the test's own hold on it would end by sending it
    await files.page.unroute("**/content", answer)
    await panel.get_by_role("button", name="Try again: lost.md").click()

    await files.shows("lost.md")
    assert shared_server.read("refused/lost.md") == "lost"
    assert not (shared_server.root / "refused/slow.md").exists()
