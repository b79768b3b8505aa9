"""An open page and a newer server: the page loads anew, once, and no word is lost (HTTP-9)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from e2e.people import Editor
from e2e.test_csv import opened
from playwright.async_api import expect
from serving import until

from collab import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from serving import Served

NEWER = "99.0.0"
STALE = """
new MutationObserver(() => {
  const version = document.querySelector('meta[name="collab-version"]')
  if (version !== null && version.content !== '0.0.1') version.content = '0.0.1'
}).observe(document, { childList: true, subtree: true })
"""
"""An old page, as a cache in between would send it again and again."""


def become_newer(server: Served, folder: Path) -> None:
    """From its next start on the server says another version of itself."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import collab\ncollab.__version__ = {NEWER!r}\n", encoding="utf-8")
    server.environment["PYTHONPATH"] = str(folder)


async def test_a_page_with_unsent_words_stores_them_with_the_newer_server_and_then_loads_anew_once(
    server: Served, company: Company, tmp_path: Path
) -> None:
    server.write("version.md", "start\n")
    editor = await (await company.join("Ann", server)).open("version.md")
    loads: list[str] = []
    editor.page.on("load", lambda page: loads.append(page.url))
    become_newer(server, tmp_path / "newer")
    await asyncio.to_thread(server.stop)
    await editor.is_told("offline")
    await editor.type("unsent ", at="Control+Home")

    await asyncio.to_thread(server.start)

    await expect(editor.page.locator('meta[name="collab-version"]')).to_have_attribute("content", NEWER)
    await editor.ready()
    await editor.reads("unsent start\n")
    await editor.type("and on ", at="Control+Home")
    await editor.saved()
    assert server.read("version.md") == "and on unsent start\n"
    await until(lambda: loads)
    assert len(loads) == 1
    assert await editor.note("version").count() == 0


async def test_a_page_loads_anew_only_when_nobody_types_into_a_cell_of_its_table(server: Served, company: Company, tmp_path: Path) -> None:
    server.write("version.csv", "a,b\n1,2\n")
    table = await opened(await company.join("Ann", server), "version.csv")
    await table.cell("A2").click()
    await table.page.keyboard.type("precious")
    become_newer(server, tmp_path / "newer")
    await asyncio.to_thread(server.stop)
    await table.editor.is_told("offline")
    await asyncio.to_thread(server.start)
    # A newer page would have no open cell.
    await table.editor.saved()
    await table.keys("Enter")
    await expect(table.page.locator('meta[name="collab-version"]')).to_have_attribute("content", NEWER)
    await table.shows("A2", "precious")
    await server.shows("version.csv", "a,b\nprecious,2\n")


async def test_a_page_that_stays_old_after_loading_anew_says_so_and_still_works(shared_server: Served, company: Company) -> None:
    shared_server.write("stale.md", "start\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.add_init_script(STALE)
    page = await ann.new_page()
    loads: list[str] = []
    page.on("load", lambda page: loads.append(page.url))

    await page.goto(f"{shared_server.url}/edit/stale.md")

    editor = Editor(page)
    await expect(editor.note("version")).to_contain_text(f"The server is now version {__version__}, this page is 0.0.1.")
    await (await editor.ready()).type("typed ")
    await editor.saved()
    assert shared_server.read("stale.md") == "typed start\n"
    await until(lambda: len(loads) >= 2)
    assert len(loads) == 2
