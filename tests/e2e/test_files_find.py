"""Finding documents by name and by content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from e2e.browsing import Files
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Route
    from serving import Served


async def test_the_list_is_filtered_at_once_and_the_lines_of_all_documents_follow(shared_server: Served, company: Company) -> None:
    shared_server.write("find/Über den Haushalt.md", "nothing here\n")
    shared_server.write("find/other.md", "x\n" * 11 + "Der <b>Haushalt</b> & das Haushaltsjahr 😀\n")
    shared_server.write("find/deep/inner.txt", "haushalt\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "find")

    await files.press("/")
    await files.page.keyboard.type("HAUSHALT")

    await files.shows("Über den Haushalt.md")
    results = files.page.locator("#results")
    await expect(results).to_contain_text(re.compile(r"\d found\. \d+ documents searched"))
    hit = results.locator("li", has_text="other.md")
    await expect(hit.locator("mark")).to_have_text(["Haushalt", "Haushalt"])
    await expect(hit.locator("li")).to_contain_text("Der <b>Haushalt</b> & das Haushaltsjahr 😀")
    await expect(hit.locator("li a")).to_have_attribute("href", "/edit/find/other.md#L12")
    await expect(results.locator(".document", has_text="inner.txt").locator(".origin")).to_have_text("find/deep")
    await expect(results.locator("b, script")).to_have_count(0)
    await expect(files.page.locator("#said")).to_contain_text("found")


async def test_results_are_reached_by_arrows_and_left_by_escape(shared_server: Served, company: Company) -> None:
    shared_server.write("arrows/zebra.md", "no\n")
    shared_server.write("arrows/text.md", "a zebra here\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "arrows")
    await files.press("/")
    # In one go: keys that come slowly are searched for on the way.
    await files.page.keyboard.insert_text("zebra")
    await files.page.locator("#results mark").wait_for()

    await files.press("ArrowDown")
    await files.focused("zebra.md")
    await files.press("ArrowDown")
    await expect(files.page.locator("#results .document")).to_be_focused()
    await files.press("ArrowUp", "ArrowUp")
    await expect(files.page.locator("#find")).to_be_focused()
    await files.press("Escape")

    await files.shows("text.md", "zebra.md")
    await expect(files.page.locator("#results")).to_be_hidden()


async def test_a_search_in_a_folder_can_be_widened_and_says_when_it_found_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("wide/in/one.md", "nothing\n")
    shared_server.write("wide/out.md", "quokka\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "wide/in")

    await files.press("/")
    # In one go: keys that come slowly are searched for on the way.
    await files.page.keyboard.insert_text("quokka")
    await expect(files.page.locator("#results")).to_contain_text("Nothing found")
    await files.page.get_by_role("button", name="Search everywhere").click()

    await expect(files.page.locator("#results .document")).to_contain_text("out.md")


async def test_a_search_is_widened_to_what_was_typed_last(shared_server: Served, company: Company) -> None:
    shared_server.write("last/in/one.md", "nothing\n")
    shared_server.write("last/out.md", "capybara\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "last/in")
    page = files.page
    await page.clock.install()
    await files.press("/")
    await page.keyboard.insert_text("capybar")
    await expect(page.locator("#results")).to_contain_text("Nothing found")

    # Before the pause in which it is looked for by itself is over.
    await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 10"))
    await page.keyboard.insert_text("a")
    await page.get_by_role("button", name="Search everywhere").click()
    await page.clock.run_for(1000)

    await expect(page.locator("#results mark")).to_have_text(["capybara"])


async def test_new_words_end_the_search_before(shared_server: Served, company: Company) -> None:
    shared_server.write("newer/alpha.md", "alphabet\n")
    shared_server.write("newer/beta.md", "betamax\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "newer")

    async def hold(route: Route) -> None:
        """Never answered."""

    await files.page.route("**/api/search?q=alphabet**", hold)

    async with files.page.expect_event("requestfailed", lambda request: "alphabet" in request.url):
        async with files.page.expect_request("**/api/search?q=alphabet**"):
            await files.page.locator("#find").fill("alphabet")
        await files.page.locator("#find").fill("betamax")

    await expect(files.page.locator("#results mark")).to_have_text(["betamax"])


async def test_a_search_that_fails_says_so_and_can_be_repeated(shared_server: Served, company: Company) -> None:
    shared_server.write("failing/one.md", "numbat\n")
    ann = await company.join("Ann", shared_server)
    files = await Files.folder(ann, "failing")

    async def lost(route: Route) -> None:
        await route.abort("connectionrefused")

    await files.page.route("**/api/search?**", lost)
    await files.page.locator("#find").fill("numbat")
    await expect(files.page.locator("#results")).to_contain_text("The server cannot be reached")
    await files.page.unroute("**/api/search?**", lost)
    await files.page.locator("#results").get_by_role("button", name="Try again").click()

    await expect(files.page.locator("#results mark")).to_have_text(["numbat"])
