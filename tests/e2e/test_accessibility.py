"""Every page and state meets WCAG 2.2 AA as far as axe can tell, at 360, 768 and 1440 pixels, light and dark, and fits its screen."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from e2e.walk import LEGS, WIDTHS, Look, walk
from playwright.async_api import expect
from scale import scale

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Page
    from serving import Served

AXE = (Path(__file__).parents[2] / "static/node_modules/axe-core/axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FITS = """
() => ({
  sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  tiny: [...document.querySelectorAll('body *')].filter((each) => each.checkVisibility() && !each.closest('.katex, svg, .away')
    && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && parseFloat(getComputedStyle(each).fontSize) < 11)
    .map((each) => each.outerHTML.slice(0, 120)),
  zooms: innerWidth > 640 ? [] : [...document.querySelectorAll('input:not([type=checkbox], [type=radio], [type=file]), select, textarea')]
    .filter((each) => each.checkVisibility() && parseFloat(getComputedStyle(each).fontSize) < 16).map((each) => each.outerHTML.slice(0, 120)),
})
"""
CI_LOOKS = {
    "signing in": [(360, "dark")],
    "files": [(360, "light"), (1440, "dark")],
    "document": [(360, "dark"), (1440, "light")],
    "others": [(768, "dark")],
}
"""Each state at least once; the full matrix where there is time."""

AT_REST = """() => Promise.allSettled(document.getAnimations()
    .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime)).map((each) => each.finished))"""
"""Until nothing fades or slides any more."""


def looks() -> list[tuple[str, int, str]]:
    if scale(0, 1):
        return [(leg, width, theme) for leg, (width, theme) in product(LEGS, product(WIDTHS, ("light", "dark")))]
    return [(leg, width, theme) for leg, chosen in CI_LOOKS.items() for width, theme in chosen]


async def faults(page: Page) -> list[str]:
    """What axe finds, in words. What fades has half its colours meanwhile: it comes to its end first."""
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(AT_REST)
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })", TAGS
    )
    return [
        f"{violation['id']}: {node['html'][:160]} {json.dumps(node.get('any', [])[:1])[:300]}"
        for violation in found["violations"]
        for node in violation["nodes"][:4]
    ]


async def shot(page: Page, look: Look, name: str) -> None:
    """A picture for people, where they want them."""
    folder = os.environ.get("COLLAB_SHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name.strip('#').replace(' ', '-')}-{look.width}-{look.theme}.png")


@pytest.mark.parametrize(("leg", "width", "theme"), looks())
async def test_every_state_can_be_used_by_everybody(shared_server: Served, company: Company, leg: str, width: int, theme: str) -> None:
    look = Look(width, theme)
    found: list[str] = []
    seen: list[str] = []

    async def companion(name: str, page: Page) -> None:
        seen.append(name)
        await shot(page, look, name)
        fits: dict[str, Any] = await page.evaluate(FITS)
        found.extend(f"{name}: {fault}" for fault in await faults(page))
        found.extend(f"{name}: {key}: {value}" for key, value in fits.items() if value)

    await walk(company, shared_server, look, leg, companion)

    assert found == []
    assert len(seen) > 3


async def test_somebody_who_comes_is_announced_quietly(shared_server: Served, company: Company) -> None:
    shared_server.write("announced.md", "start\n")
    ann = await (await company.join("Ann", shared_server)).open("announced.md")
    # Who is there while one's own page opens is not news.
    await ann.page.clock.install()
    await ann.page.clock.fast_forward(5000)
    await expect(ann.page.locator("#people-said")).to_have_attribute("aria-live", "polite")
    await (await company.join("Bob", shared_server)).open("announced.md")

    said = ann.page.locator('[aria-live="polite"], [role="status"]').filter(has_text="Bob")
    await expect(said.first).to_be_attached(timeout=20_000)
    await expect(ann.page.locator('[aria-live="assertive"], [role="alert"]')).to_have_count(0)


async def test_nothing_moves_for_who_wants_no_motion(shared_server: Served, company: Company) -> None:
    shared_server.write("still.md", "start\n")
    ann = await company.join("Ann", shared_server, reduced_motion="reduce")
    bob = await company.join("Bob", shared_server)
    editor, other = await ann.open("still.md"), await bob.open("still.md")
    await other.type("x")
    await editor.sees_caret_of("Bob")

    longest = await editor.page.evaluate(
        """() => Math.max(0, ...document.getAnimations().map((each) => each.effect.getComputedTiming())
             .filter((timing) => Number.isFinite(timing.duration)).map((timing) => timing.duration))"""
    )

    assert longest <= 10


async def test_the_focus_is_always_to_be_seen(shared_server: Served, company: Company) -> None:
    shared_server.write("focus.md", "# Start\n\ntext\n")
    page = (await (await company.join("Ann", shared_server)).open("focus.md")).page
    await page.locator("#back").focus()
    names: list[str] = []

    for _ in range(14):
        await page.keyboard.press("Tab")
        seen: dict[str, Any] = await page.evaluate(
            """() => {
              const each = document.activeElement
              const style = getComputedStyle(each)
              const box = each.getBoundingClientRect()
              const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none'
              return { html: each.outerHTML.slice(0, 90), ring: ring || each.matches('.cm-content, body, [contenteditable]'),
                       inside: box.top >= -1 && box.bottom <= innerHeight + 1 && box.width > 0, name: each.id || each.getAttribute('aria-label') || '' }
            }"""
        )
        assert seen["ring"], seen["html"]
        assert seen["inside"], seen["html"]
        names.append(seen["name"])
        if "cm-content" in seen["html"]:
            break

    assert len(set(names)) > 3
