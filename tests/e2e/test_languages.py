"""The pages speak English, German and French: no message of another language is to be seen on the way through all states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from e2e.walk import LEGS, Look, walk
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Page
    from serving import Served

MESSAGES = Path(__file__).parents[2] / "static/src/messages"
READING = Path(__file__).parents[2] / "collab/reading"
SEEN = """
() => {
  const words = new Set()
  const skip = '.cm-content, #preview, .csv-body, .stage, bdi, q, code, kbd, select[id=settings-language], .katex'
  for (const each of document.querySelectorAll('body *')) {
    if (each.closest(skip) || !each.checkVisibility()) continue
    for (const node of each.childNodes) if (node.nodeType === 3 && node.data.trim()) words.add(node.data.trim())
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) if (each.getAttribute(name)) words.add(each.getAttribute(name).trim())
  }
  return [...words]
}
"""


def messages(language: str) -> dict[str, str]:
    """All texts of a language by key; of plurals each form."""
    found: dict[str, str] = {}
    for file in sorted(MESSAGES.glob(f"*.{language}.json")):
        for key, message in json.loads(file.read_text()).items():
            forms = {"": message} if isinstance(message, str) else message
            found.update({f"{key} {form}": words for form, words in forms.items()})
    return found


@pytest.mark.parametrize(("locale", "language"), [("de-DE", "de"), ("fr-FR", "fr")])
@pytest.mark.parametrize("leg", LEGS)
async def test_no_english_is_left_where_another_language_is_spoken(
    shared_server: Served, company: Company, leg: str, locale: str, language: str
) -> None:
    english = {words for words in messages("en").values() if "{" not in words and len(words) > 3}
    own = set(messages(language).values())
    wrong: list[str] = []

    async def companion(name: str, page: Page) -> None:
        assert await page.evaluate("document.documentElement.lang") == language
        said: list[str] = await page.evaluate(SEEN)
        assert said
        wrong.extend(f"{name}: {words}" for words in said if words in english - own)

    await walk(company, shared_server, Look(1440, "light", locale), leg, companion)

    assert wrong == []


async def test_the_language_can_be_chosen_against_that_of_the_browser(shared_server: Served, company: Company) -> None:
    shared_server.write("chosen.md", "start\n")
    page = (await (await company.join("Ann", shared_server, locale="en-GB")).open("chosen.md")).page
    await page.locator("#more").click()
    await page.locator('#menu [data-act="editor.menu.settings"]').click()

    await page.locator("#settings-language").select_option("fr")

    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await expect(page.locator("#more")).to_have_attribute("aria-label", "Plus")


async def test_pages_for_readers_speak_the_language_that_was_chosen_or_that_of_their_address(
    shared_server: Served, company: Company
) -> None:
    """READ-1, READ-4: what comes later, too."""
    shared_server.write("read-chosen.md", "- [ ] one\n")
    ann = await company.join("Ann", shared_server, locale="en-GB")
    editor = await ann.open("read-chosen.md")
    await editor.page.locator("#more").click()
    await editor.page.locator('#menu [data-act="editor.menu.settings"]').click()
    await editor.page.locator("#settings-language").select_option("fr")
    await expect(editor.page.locator("html")).to_have_attribute("lang", "fr")
    french, german = await ann.new_page(), await ann.new_page()
    await french.goto(f"{shared_server.url}/v/read-chosen.md")
    await german.goto(f"{shared_server.url}/v/read-chosen.md?lang=de")
    for page, language in ((french, "fr"), (german, "de")):
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await expect(page.locator("#live")).to_have_attribute("data-state", "live")

    await (await editor.ready()).type("- [ ] two", at="Control+End")

    for page, language in ((french, "fr"), (german, "de")):
        todo = json.loads((READING / f"words.{language}.json").read_text())["todo"]
        await expect(page.locator("#body li")).to_have_text(["☐ one", "☐ two"])
        await expect(page.locator(f'#body li [aria-label="{todo}"]')).to_have_count(2)

    await editor.page.locator("#more").click()
    await editor.page.locator('#menu [data-act="editor.menu.settings"]').click()
    await editor.page.locator("#settings-language").select_option("auto")
    await expect(editor.page.locator("html")).to_have_attribute("lang", "en")
    await french.reload()
    await expect(french.locator("html")).to_have_attribute("lang", "en")
