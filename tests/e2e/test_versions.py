"""An open page and a newer server: the page loads anew, once, and no word is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Route
    from serving import Served

NEWER = "99.0.0"


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

    async with editor.page.expect_event("load"):
        await asyncio.to_thread(server.start)

    await expect(editor.page.locator('meta[name="collab-version"]')).to_have_attribute("content", NEWER)
    await editor.ready()
    await editor.reads("unsent start\n")
    await editor.type("and on ", at="Control+Home")
    await editor.saved()
    assert server.read("version.md") == "and on unsent start\n"
    assert len(loads) == 1
    assert await editor.note("version").count() == 0


async def test_a_page_that_stays_old_after_loading_anew_says_so_and_still_works(server: Served, company: Company, tmp_path: Path) -> None:
    become_newer(server, tmp_path / "newer")
    await asyncio.to_thread(server.restart)
    server.write("stale.md", "start\n")
    ann = await company.join("Ann", server)
    served: list[str] = []

    async def old(route: Route) -> None:
        """What a cache in between that ignores our headers would answer."""
        served.append(route.request.url)
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace(NEWER, "0.0.1"))

    await ann.context.route("**/edit/stale.md", old)
    editor = await ann.visit("stale.md")

    await expect(editor.note("version")).to_contain_text(f"The server is now version {NEWER}, this page is 0.0.1.")
    await (await editor.ready()).type("typed ")
    await editor.saved()
    assert server.read("stale.md") == "typed start\n"
    assert len(served) == 2
