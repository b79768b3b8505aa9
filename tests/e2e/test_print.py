"""Documents on paper: what is printed reads like a paper, and nothing of the page around it is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Page
    from serving import Served

PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")
ROWS = "\n".join(f"| {number} | word |" for number in range(60))
PAPER = f"""---
title: A paper about words
author: [Ann Example, Bob Muster]
date: 2026-11-22
---

A [site](https://example.org/path), <https://example.org/bare> and a footnote[^1].

## Diagram

```mermaid
flowchart LR
  A --> B
```

$$x^2$$

| Number | Word |
|---|---|
{ROWS}

[^1]: The footnote's words.
"""
STYLES = """
(selectors) => Object.fromEntries(Object.entries(selectors).map(([name, [selector, property]]) => {
  const found = document.querySelector(selector)
  return [name, found && (property === 'shown' ? found.checkVisibility() : getComputedStyle(found)[property])]
}))
"""
KEEP_PAPER = "window.laid = []; window.print = () => { dispatchEvent(new Event('beforeprint')); laid.push(document.body.dataset.paper) }"


async def open_for_print(company: Company, served: Served, name: str, **settings: str) -> Page:
    """The document's page, which keeps how it looks when it is about to be printed."""
    ann = await company.join("Ann", served, **settings)
    page = await ann.new_page()
    await page.add_init_script(KEEP_PAPER)
    await page.goto(f"{served.url}/edit/{name}")
    await page.locator(".cm-content").wait_for()
    await expect(page.locator("#words")).to_have_attribute("data-state", "in-file")
    return page


async def laid(page: Page, how: str) -> None:
    """Until it was printed so; the page then looks as on paper."""
    await page.wait_for_function("(how) => laid.at(-1) === how", arg=how, timeout=MILLISECONDS)
    await page.emulate_media(media="print")


@pytest.mark.parametrize("way", ["key", "menu"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_rendered_document_is_printed_even_when_the_source_is_shown(
    way: str, scheme: str, shared_server: Served, company: Company
) -> None:
    shared_server.write(f"paper-{way}-{scheme}.md", PAPER)
    page = await open_for_print(company, shared_server, f"paper-{way}-{scheme}.md", color_scheme=scheme)
    await page.locator("#modes [data-mode=source]").click()

    if way == "key":
        await page.locator(".cm-content").press("Control+p")
    else:
        await page.locator("#more").click()
        await page.get_by_role("button", name="Print or save as PDF").click()
    await laid(page, "rendered")

    preview = page.locator("#preview")
    await expect(preview).to_be_visible()
    await expect(preview.locator("h1")).to_have_text("A paper about words")
    await expect(preview.locator(".md-matter")).to_contain_text("Ann Example, Bob Muster")
    await expect(preview.locator(".md-diagram img")).to_be_visible()
    await expect(preview.locator(".katex").first).to_be_visible()
    await expect(preview.locator(".md-footnotes")).to_contain_text("The footnote's words.")
    await expect(preview.locator("tbody tr")).to_have_count(60)
    for chrome in (".bar", "#editor", "#tools", "#status", "#notes", ".md-copy", ".md-anchor"):
        assert not await page.locator(chrome).first.is_visible() or await page.locator(chrome).count() == 0
    wanted = {
        "family": ["#preview .md-sheet", "fontFamily"],
        "ink": ["#preview .md-sheet", "color"],
        "heads": ["#preview thead", "display"],
        "heading": ["#preview h2", "breakAfter"],
        "row": ["#preview tr", "breakInside"],
        "diagram": ["#preview .md-diagram", "breakInside"],
        "dark": ["#preview .md-diagram img", "filter"],
    }
    styles = await page.evaluate(STYLES, wanted)
    assert "serif" in styles.pop("family")
    assert ("invert" in styles.pop("dark")) == (scheme == "dark")
    assert styles == {"ink": "rgb(0, 0, 0)", "heads": "table-header-group", "heading": "avoid", "row": "avoid", "diagram": "avoid"}
    addresses = await preview.locator("a.md-outside").evaluate_all("(all) => all.map((a) => getComputedStyle(a, '::after').content)")
    assert [address.replace('" attr(data-address) "', "https://example.org/path") for address in addresses] == [
        '" (https://example.org/path)"',
        "none",
    ]


async def test_a_paper_breaks_into_pages_and_the_page_is_afterwards_as_before(shared_server: Served, company: Company) -> None:
    shared_server.write("paper-pages.md", PAPER)
    page = await open_for_print(company, shared_server, "paper-pages.md")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator("#modes [data-mode=split]").click()
    await expect(page.locator("#preview h1")).to_be_visible()

    pdf = await page.pdf(prefer_css_page_size=True)

    assert len(PAGES.findall(pdf)) in {2, 3, 4}
    assert b"/MediaBox [0 0 594.95" in pdf or b"/MediaBox [0 0 595" in pdf
    await expect(page.locator("body")).to_have_attribute("data-mode", "split")
    await expect(page.locator("body:not([data-paper])")).to_have_count(1)
    await expect(page.locator(".bar")).to_be_visible()


@pytest.mark.parametrize("name", ["code.py", "plain.txt", "rows.csv"])
async def test_of_all_other_files_the_whole_source_is_printed_under_their_name(name: str, shared_server: Served, company: Company) -> None:
    lines = [f"line {number}, of a file" for number in range(1000)]
    shared_server.write(f"print-{name}", "\n".join(lines) + "\n")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    await page.goto(f"{shared_server.url}/edit/print-{name}")
    await expect(page.locator("#words")).to_have_attribute("data-state", "in-file")

    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await page.emulate_media(media="print")

    paper = page.locator("body > .paper")
    assert (await paper.text_content() or "").splitlines() == lines
    assert await page.locator("#editor").is_hidden()
    assert "mono" in await paper.evaluate("(element) => getComputedStyle(element).fontFamily")
    assert await page.evaluate("document.documentElement.style.getPropertyValue('--paper-name')") == f'"print-{name}"'
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(paper).to_have_count(0)
    await page.emulate_media(media="null")

    assert len(PAGES.findall(await page.pdf(prefer_css_page_size=True))) > 10
