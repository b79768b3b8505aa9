"""What authors may write to harm readers, in real Chromium: nothing of it runs, loads, leaves or lies in the page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import Dialog, Frame, Page
    from serving import Served

CORPUS = sorted((Path(__file__).parent / "attacks").glob("*.md"))
TRIPWIRES = """
window.attacked = []
for (const name of ['attack', 'alert', 'confirm', 'prompt']) {
  Object.defineProperty(window, name, { value: (...words) => { attacked.push(`${name} ${words}`) }, writable: false, configurable: false })
}
// In the page itself nothing may even be tried. In the frame where diagrams are drawn the policy is what stops it.
if (window === top) {
  document.addEventListener('securitypolicyviolation', (event) => attacked.push(`policy ${event.violatedDirective} ${event.blockedURI}`))
}
"""
SHOW = """
([text, marker, patience]) => new Promise((resolve, reject) => {
  const shown = document.querySelector('#preview')
  collab.view.dispatch({ changes: { from: 0, to: collab.view.state.doc.length, insert: text } })
  const end = performance.now() + patience
  const waits = () => ({
    text: !shown.textContent.includes(marker),
    blocks: shown.querySelector('.md-sheet[aria-busy=false]') === null,
    formulas: [...shown.querySelectorAll('span.md-formula, div.md-display')]
      .some((each) => !each.querySelector('.katex') && !each.matches('.md-wrong')),
    diagrams: shown.querySelector('.md-diagram[aria-busy]') !== null,
  })
  const look = () => {
    const left = waits()
    if (!Object.values(left).includes(true)) return resolve()
    if (performance.now() > end) return reject(new Error('not shown: ' + JSON.stringify(left)))
    requestAnimationFrame(look)
  }
  look()
})
"""
FINDINGS = """
(own) => {
  const shown = document.querySelector('#preview')
  const found = []
  const say = (element, what) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`)
  const text = 'A ABBR B BDI BDO BLOCKQUOTE BR CAPTION CITE CODE COL COLGROUP DD DEL DETAILS DFN DIV DL DT EM FIGCAPTION FIGURE H1 H2 H3 H4 H5 H6 HR I INS KBD LI ' +
    'MARK OL P PRE Q RP RT RUBY S SAMP SECTION SMALL SPAN STRIKE STRONG SUB SUMMARY SUP TABLE TBODY TD TFOOT TH THEAD TIME TR TT U UL VAR WBR'
  const tags = new Set(text.split(' '))
  const attributes = new Set('abbr align alt cite class colspan datetime dir height href id lang name open reversed rowspan scope span src start title type value width'.split(' '))
  const ours = new Set('aria-busy aria-label role tabindex target rel checked disabled loading decoding'.split(' '))
  const classes = /^(?:md-|tok-|katex|away$)/
  for (const element of shown.querySelectorAll('*')) {
    const katex = element.closest('.katex') !== null || element.matches('.katex-display')
    const tag = element.tagName
    if (element.getAttributeNames().some((name) => /^(?:on|xlink|formaction|action|srcdoc|srcset|ping|background|poster|data-|popover|is$|slot$|form)/i.test(name)))
      say(element, 'attribute')
    for (const name of ['href', 'src', 'cite']) {
      const value = element.getAttribute(name)
      if (value === null) continue
      const url = new URL(value, location.href)
      if (name === 'href' && !['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol)) say(element, 'link')
      if (name === 'href' && url.origin !== own && url.protocol.startsWith('http') && (element.target !== '_blank' || element.rel !== 'noopener noreferrer')) say(element, 'window')
      if (name === 'src' && url.origin !== own && !/^data:image\\/(?:png|gif|jpeg|webp|avif);base64,/.test(value) && element.closest('.md-diagram') === null) say(element, 'source')
      if (name === 'src' && tag !== 'IMG') say(element, 'source of what is no picture')
    }
    if (katex) {
      if (element.matches('a, img, image, script, style, foreignObject') || element.hasAttribute('id')) say(element, 'formula')
      continue
    }
    const box = tag === 'INPUT' && element.type === 'checkbox' && element.matches('.md-box')
    const copy = tag === 'BUTTON' && element.matches('.md-code > .md-copy')
    if (!tags.has(tag) && tag !== 'IMG' && !box && !copy) say(element, 'element')
    if (element.namespaceURI !== 'http://www.w3.org/1999/xhtml') say(element, 'namespace')
    for (const name of element.getAttributeNames()) {
      if (name === 'style' ? !element.matches('.md-group') : !attributes.has(name) && !ours.has(name)) say(element, `attribute ${name}`)
    }
    for (const name of ['id', 'name']) if (element.hasAttribute(name) && !element.getAttribute(name).startsWith('user-content-')) say(element, name)
    for (const name of element.classList) if (!classes.test(name)) say(element, `class ${name}`)
  }
  if (typeof collab.view.dispatch !== 'function' || document.querySelectorAll('#words, #preview, #editor').length !== 3) found.push('clobbered')
  if (document.querySelectorAll('body > :not(header, footer, nav, div, main, section, noscript, dialog, iframe)').length > 0) found.push('outside of the preview')
  if (({}).attacked !== undefined || ({}).title !== undefined) found.push('prototype')
  return [...found, ...window.attacked]
}
"""
TOUCH = """
() => {
  for (const element of document.querySelectorAll('#preview *')) {
    for (const type of ['pointerenter', 'mouseover', 'focus', 'scroll', 'toggle', 'animationstart', 'error', 'load']) {
      if (type !== 'error' || element.tagName !== 'IMG') element.dispatchEvent(new Event(type))
    }
    if (element.matches('details')) element.open = true
    if (element.matches('a[href^="#"]')) element.click()
    element.focus?.()
  }
}
"""
SCROLL = """
([name, place]) => new Promise((resolve) => {
  let box = document.querySelector(name)
  while (box.scrollHeight <= box.clientHeight && box.parentElement !== null) box = box.parentElement
  box.scrollTop = place + box.clientHeight
  requestAnimationFrame(() => requestAnimationFrame(() => resolve([box.scrollTop, box.scrollHeight - box.clientHeight - 1])))
})
"""


def cases(path: Path) -> list[tuple[str, str]]:
    """Names and texts: each begins with a line `=== name`."""
    parts = path.read_text(encoding="utf-8").split("=== ")[1:]
    return [(name, text) for name, _, text in (part.partition("\n") for part in parts)]


def marked(text: str, marker: str) -> str:
    return text.replace("MARKER", marker) if "MARKER" in text else f"{marker}\n\n{text}"


class Watch:
    """What a page asked for, opened and went to."""

    def __init__(self, page: Page, own: str) -> None:
        self.found: list[str] = []
        self._page = page
        self._own = own
        # What a policy stops, here that of the frame of diagrams, was never sent.
        page.on("requestfailed", lambda request: self._look("request", request.url) if request.failure != "csp" else None)
        page.on("response", lambda response: self._look("response", response.url))
        page.on("dialog", self._dialog)
        page.on("popup", lambda popup: self.found.append(f"popup {popup.url}"))
        page.on("framenavigated", self._navigated)

    def _look(self, kind: str, url: str) -> None:
        if not url.startswith((self._own, "data:", "blob:" + self._own)):
            self.found.append(f"{kind} {url[:200]}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.found.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    def _navigated(self, frame: Frame) -> None:
        expected = f"{self._own}/edit/" if frame == self._page.main_frame else f"{self._own}/diagram"
        if not frame.url.startswith((expected, "about:blank")):
            self.found.append(f"navigation {frame.url[:200]}")


async def in_frames(page: Page) -> list[str]:
    """What ran in the frames of the page."""
    return [words for frame in page.frames[1:] for words in await frame.evaluate("() => window.attacked ?? []")]


async def test_the_corpus_has_every_class_of_attack() -> None:
    names = [name for path in CORPUS for name, _ in cases(path)]
    assert len(names) == len(set(names))
    assert len(names) >= 150


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
async def test_nothing_of_an_attack_runs_loads_leaves_or_stays(path: Path, shared_server: Served, company: Company) -> None:
    shared_server.write(f"attacks/{path.stem}.md", "start\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.add_init_script(TRIPWIRES)
    page = (await ann.visit(f"attacks/{path.stem}.md")).page
    watch = Watch(page, shared_server.url)
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".cm-content").wait_for()
    await page.locator("#modes [data-mode=split]").click()
    failures: dict[str, Any] = {}
    for number, (name, text) in enumerate(cases(path)):
        marker = f"marker{number}end"
        await page.evaluate(SHOW, [marked(text, marker), marker, 20_000])
        before = await page.evaluate(FINDINGS, shared_server.url)
        await page.evaluate(TOUCH)
        found = [*before, *await page.evaluate(FINDINGS, shared_server.url), *watch.found, *await in_frames(page)]
        if found:
            failures[name] = found
            await page.evaluate("attacked.length = 0")
            watch.found.clear()
    assert failures == {}
    ann.seen.tempted = True


async def test_a_whole_document_of_attacks_opens_as_any_other(shared_server: Served, company: Company) -> None:
    whole = "\n\n".join(text for path in CORPUS for _, text in cases(path) if "MARKER" not in text and "plaintext" not in text)
    shared_server.write("attacks/whole.md", whole + "\n\n```\n```\n\nthe very end\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.add_init_script(TRIPWIRES)
    page = (await ann.visit("attacks/whole.md")).page
    watch = Watch(page, shared_server.url)
    await page.locator(".cm-content").wait_for()
    await page.locator("#modes [data-mode=preview]").click()
    drawn = "() => document.querySelectorAll('.md-block').length > 100 && document.querySelector('.md-sheet[aria-busy=false]') !== null"
    await page.wait_for_function(drawn)
    assert await page.evaluate(FINDINGS, shared_server.url) == []
    assert [*watch.found, *await in_frames(page)] == []
    ann.seen.tempted = True


FOREIGN = """
() => [...document.querySelectorAll('main *')]
  .filter((each) => each.matches('img[src], script, iframe, object, embed, form, style, link, base, video, audio, a[href^="javascript:" i]')
    || each.getAttributeNames().some((name) => /^(?:on|srcdoc|formaction)/.test(name)))
  .map((each) => each.outerHTML.slice(0, 200))
"""


@pytest.mark.parametrize("kind", ["csv", "py", "html"])
async def test_attacks_in_tables_and_code_are_text_there(kind: str, shared_server: Served, company: Company) -> None:
    """In whatever is scrolled into view, and in the name."""
    texts = [text for path in CORPUS for _, text in cases(path)]
    table = io.StringIO()
    csv.writer(table).writerows([texts[:2], *zip(texts[::2], texts[1::2], strict=False)])
    name = f"attacks/'\"><img src=x onerror=attack()>.{kind}"
    whole = table.getvalue() if kind == "csv" else "\n".join(texts)
    shared_server.write(name, whole)
    ann = await company.join("Ann", shared_server)
    await ann.context.add_init_script(TRIPWIRES)
    page = (await ann.visit(name)).page
    watch = Watch(page, shared_server.url)
    scrolled = ".csv-body" if kind == "csv" else ".cm-scroller"
    await page.locator(".csv-cell" if kind == "csv" else ".cm-line").first.wait_for()
    found: list[str] = []
    place, end = 0, 1
    while place < end:
        found += await page.evaluate(FOREIGN)
        place, end = await page.evaluate(SCROLL, [scrolled, place])
    assert place > 500
    if kind == "csv":
        await page.get_by_role("grid").focus()
        await page.keyboard.press("F2")
        found += await page.evaluate(FOREIGN)
    assert [*found, *await page.evaluate("attacked"), *watch.found] == []
    assert await page.title() == f"{name.rpartition('/')[2]} · collab"
    ann.seen.tempted = True
