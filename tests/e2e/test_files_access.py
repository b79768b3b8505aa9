"""The list of files for everybody: screen readers, contrast, languages, small devices and slow networks."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from e2e.browsing import Files
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Page, Route
    from serving import Served

AXE = Path(__file__).parents[2] / "static/node_modules/axe-core/axe.min.js"
FIRST_LOAD = 44_000
"""Bytes, compressed: the page, its styles and the scripts that it needs before the list is there."""


async def faults(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {node['html'][:120]} {node['failureSummary']}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_state_of_the_page(shared_server: Served, company: Company, scheme: Any) -> None:
    folder = f"axe-{scheme}"
    for name in ("Box/in.md", "one.md", "two.md", "three.csv"):
        shared_server.write(f"{folder}/{name}", "walrus\n")
    ann = await company.join("Ann", shared_server, color_scheme=scheme, reduced_motion="reduce")
    files = await Files.folder(ann, folder)
    page = files.page
    assert await faults(page) == []

    await files.row("one.md").locator(".more").click()
    await page.get_by_role("menu").wait_for()
    assert await faults(page) == []
    await files.press("Escape", "n")
    await files.window.get_by_label("Name").fill("two.md")
    await files.press("Enter")
    await files.window.get_by_role("alert").get_by_role("button").wait_for()
    assert await faults(page) == []
    await files.press("Escape")
    await files.open("two.md").focus()
    await files.press("Space", "F2")
    await page.locator("form.rename input").wait_for()
    assert await faults(page) == []
    await files.press("Escape", "m")
    await files.window.get_by_role("button", name="Box").wait_for()
    assert await faults(page) == []
    await files.press("Escape", "Delete")
    await files.toast.wait_for()
    await page.locator("#find").fill("walrus")
    await page.locator("#results mark").first.wait_for()
    assert await faults(page) == []
    await page.goto(shared_server.url + "/?view=bin")
    await files.row("two.md").first.wait_for()
    assert await faults(page) == []
    await page.goto(shared_server.url + "/?path=nowhere")
    await expect(files.message).to_contain_text("There is no folder")
    assert await faults(page) == []
    await page.goto(shared_server.url + "/login")
    await page.locator("#form").wait_for()
    assert await faults(page) == []


@pytest.mark.parametrize(
    ("language", "empty", "new"), [("de-AT", "Dieser Ordner ist leer", "Neu"), ("fr-CA", "Ce dossier est vide", "Nouveau")]
)
async def test_the_page_speaks_the_language_of_its_reader(
    shared_server: Served, company: Company, language: str, empty: str, new: str
) -> None:
    (shared_server.root / f"spoken-{language}").mkdir()
    ann = await company.join("Ann", shared_server, locale=language)
    page = await ann.new_page()
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{shared_server.url}/?path=spoken-{language}")

    await expect(page.locator("#message")).to_contain_text(empty)
    await expect(page.locator("html")).to_have_attribute("lang", language[:2])
    await page.get_by_role("button", name=new, exact=True).click()
    await expect(page.get_by_role("dialog", name=new)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_what_is_done_is_announced_to_screen_readers(shared_server: Served, company: Company) -> None:
    shared_server.write("told/Box/in.md", "x")
    shared_server.write("told/one.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "told")
    said = files.page.locator("#said")
    await expect(said).to_have_attribute("role", "status")

    await files.open("Box").click()
    await expect(said).to_have_text("Box: 1 entry")
    await files.focused("in.md")
    await files.press("Delete")
    await expect(said).to_have_text("“in.md” deleted Undo")
    await files.press("Control+z")
    await expect(said).to_have_text("“in.md” restored")
    await files.page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    await expect(said).to_have_text("Sorted by Name, descending")


async def test_the_list_is_there_after_less_than_44_kilobytes(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server)
    page = await ann.context.request.get(shared_server.url + "/")
    html = await page.text()
    assets = set(re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css))"', html))
    assert len(assets) > 1
    bodies = [await (await ann.context.request.get(shared_server.url + asset)).body() for asset in assets]

    weights = {
        "page": len(gzip.compress(html.encode())),
        **{asset: len(gzip.compress(body)) for asset, body in zip(assets, bodies, strict=True)},
    }

    assert sum(weights.values()) < FIRST_LOAD, json.dumps(weights, indent=1)


async def test_words_that_were_never_sent_are_told_about_before_one_signs_out(shared_server: Served, company: Company) -> None:
    shared_server.write("going.md", "start\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.of(ann)
    editor = await ann.open("going.md")
    await editor.page.evaluate("collab.provider.configuration.websocketProvider.disconnect()")
    await editor.type("never sent ", at="Control+Home")
    await editor.is_told("offline")
    await expect(editor.words).to_contain_text("on this device")
    await files.page.bring_to_front()

    await files.page.locator("#me").get_by_role("button").first.click()
    await files.page.get_by_role("button", name="Sign out").click()

    await expect(files.window).to_contain_text("Sign out although words are not sent?")
    await files.window.get_by_role("button", name="Cancel").click()
    await expect(files.page).to_have_url(shared_server.url + "/")
    await editor.page.evaluate("collab.provider.configuration.websocketProvider.connect()")
    await editor.saved()


async def test_a_part_of_the_page_that_does_not_come_is_told_with_a_way_out(shared_server: Served, company: Company) -> None:
    shared_server.write("parts/one.md", "x")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "parts")
    # What the page loads by itself is here.
    await files.page.wait_for_load_state("networkidle")
    await ann.context.set_offline(offline=True)

    await files.page.evaluate(
        "addEventListener('unhandledrejection', (event) => event.preventDefault())",
    )
    await files.press("?")

    await expect(files.toast).to_contain_text("could not be loaded")
    await ann.context.set_offline(offline=False)
    await files.toast.get_by_role("button", name="Load again").click()
    await files.shows("one.md")


async def test_a_part_of_the_page_that_nobody_asked_for_may_be_missing(shared_server: Served, company: Company) -> None:
    shared_server.write("missing-part/one.md", "x")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()

    async def lost(route: Route) -> None:
        await route.abort("internetdisconnected")

    await page.route("**/assets/conflicts-*.js", lost)
    await page.goto(shared_server.url + "/?path=missing-part")

    files = Files(page)
    await files.shows("one.md")
    # A fault of the page would be seen at the end of the test.
    await expect(files.toast).to_contain_text("could not be loaded")
