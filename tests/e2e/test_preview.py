"""The Markdown preview: what it shows, what one can do in it, and what stays where it is while the text changes."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from e2e.people import MILLISECONDS
from playwright.async_api import expect
from serving import until

if TYPE_CHECKING:
    from e2e.people import Company, Editor, Person
    from playwright.async_api import Locator, Page
    from serving import Served

SHOWN = """
() => [...document.querySelectorAll('.md-block')].map((block) => block.textContent.trim()).filter((text) => text !== '')
"""
TOP_LINE = "() => collab.view.state.doc.lineAt(collab.view.lineBlockAtHeight(collab.view.scrollDOM.scrollTop).from).number"
COUNT_WHEN_PRINTED = """
() => {
  const count = (selector) => document.querySelectorAll('#preview ' + selector).length
  window.print = () => { window.printed = { formulas: count('.katex'), code: count('.tok-keyword'), images: count('.md-image img') } }
}
"""
TICK_QUICKLY = """
async () => {
  const boxes = () => [...document.querySelectorAll('#preview .md-box')]
  const ticked = new Set()
  const lost = []
  const look = () => boxes().forEach((box, index) => { if (ticked.has(index) && !box.checked) lost.push(index) })
  // Called after each change of the preview.
  const observer = new MutationObserver(look)
  observer.observe(document.querySelector('#preview'), { subtree: true, childList: true, attributes: true })
  const tick = (index) => { ticked.add(index); boxes()[index].click() }
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  for (const index of [1, 0, 3, 2, 12]) tick(index)
  for (const index of [4, 6, 5]) { await frame(); tick(index) }
  collab.view.dispatch({ changes: { from: '# Quick\\n\\n'.length, insert: 'first\\n\\n' } })
  for (const index of [7, 9, 8, 10, 11]) { tick(index); await frame() }
  while (document.querySelectorAll('#preview [checked]').length < 13) await frame()
  observer.disconnect()
  return lost
}
"""
SAYS_COPIED = """
() => [...document.querySelectorAll('#preview .md-copy')].some((each) => each.checkVisibility() && each.textContent === 'Copied')
"""
WRITE_ABOVE = """
async () => {
  const { doc } = collab.view.state
  collab.view.dispatch({ changes: [{ from: 0, insert: 'words\\n\\n' }, { from: doc.line(1).to, insert: ', and more' }] })
  for (let frame = 0; frame < 12; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve))
}
"""
TOP_WORDS = """
() => {
  const { left, top } = document.querySelector('#preview').getBoundingClientRect()
  return [4, 12, 24, 40].map((down) => document.elementFromPoint(left + 60, top + down)?.closest('.md-block')?.textContent ?? '').find((text) => text) ?? ''
}
"""
PART_SHOWN = """
(topLine) => {
  const line = eval(topLine)()
  const name = `Part ${Math.floor((line - 1) / 19) + 1}`
  const heading = [...document.querySelectorAll('#preview h2')].find((each) => each.textContent.trim() === name)
  const [frame, seen] = [document.querySelector('#preview').getBoundingClientRect(), heading?.getBoundingClientRect()]
  return line > 60 && seen !== undefined && seen.bottom > frame.top && seen.top < frame.bottom
}
"""
"""The heading after what is at the top of the source is to be seen in the preview: both sides move for some frames, and are looked at in one."""
NEAR_EACH_OTHER = """
([topLine, topWords, lines]) => {
  const [line, top] = [eval(topLine)(), eval(topWords)().trim().split('\\n')[0].slice(0, 20)]
  return line > 20 && top !== '' && lines.slice(Math.max(0, line - 22), line + 22).join('\\n').includes(top)
}
"""
"""At the top of the preview are words of the source near its top."""


def picture(width: int, height: int, red: int, green: int, blue: int) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((red, green, blue)) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def beside(person: Person, document: str) -> Editor:
    """The document, source and preview side by side."""
    editor = await person.visit(document)
    await editor.page.set_viewport_size({"width": 1440, "height": 800})
    await editor.content.wait_for()
    await editor.page.locator("#modes [data-mode=split]").click()
    await editor.page.locator(".md-block, .md-notice:not(:empty)").first.wait_for()
    return editor


def preview(page: Page) -> Locator:
    return page.locator("#preview")


async def copy(button: Locator) -> None:
    """Press the button, until it says that it has copied: for two seconds, so that the page looks out for it from before on."""
    await asyncio.gather(button.page.wait_for_function(SAYS_COPIED), button.click())


async def place(locator: Locator) -> dict[str, float]:
    box = await locator.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"]}


async def test_a_document_reads_as_its_author_meant_it(shared_server: Served, company: Company) -> None:
    text = """---
title: Reefs
authors: [Ann, Bob]
---

Some **bold** ~~old~~ words, www.example.org and H<sub>2</sub>O.[^n]

[toc]

## Depths & more

| Site | Depth |
|:-----|------:|
| Heron | 4 |

> quoted

[^n]: The note.
"""
    shared_server.write("reads.md", text)
    ann = await company.join("Ann", shared_server)
    page = preview((await beside(ann, "reads.md")).page)
    await expect(page.locator("h1")).to_have_text("Reefs")
    await expect(page.locator("dl dd")).to_have_text(["Ann, Bob"])
    await expect(page.locator("strong")).to_have_text("bold")
    await expect(page.locator("s")).to_have_text("old")
    await expect(page.locator("sub")).to_have_text("2")
    await expect(page.get_by_role("navigation", name="Contents").get_by_role("link")).to_have_text(["Depths & more"])
    await expect(page.locator("h2")).to_have_id("user-content-depths--more")
    await expect(page.locator("td")).to_have_text(["Heron", "4"])
    await expect(page.locator("td").nth(1)).to_have_css("text-align", "right")
    await expect(page.locator("blockquote")).to_have_text("quoted")
    await page.get_by_role("link", name="Footnote 1", exact=True).click()
    await expect(page.locator("li:focus")).to_contain_text("The note.")
    await page.get_by_role("link", name="Back to the text").click()
    await expect(page.locator("sup a:focus")).to_have_text("1")


async def test_what_others_write_appears(shared_server: Served, company: Company) -> None:
    shared_server.write("live-preview.md", "# Start\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    here, there = await beside(ann, "live-preview.md"), await bob.open("live-preview.md")
    await there.type("\n*hello* from Bob", at="Control+End")
    await expect(preview(here.page).locator("em")).to_have_text("hello")
    await there.type("\n\n- more", at="Control+End")
    await expect(preview(here.page).locator("li")).to_have_text("more")


async def test_ticking_changes_one_character_and_is_undone_alone(shared_server: Served, company: Company) -> None:
    shared_server.write("tasks.md", "- [ ] one\n- [x] two\n  - [ ] three\n\n1. [ ] four\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor, other = await beside(ann, "tasks.md"), await bob.open("tasks.md")
    await editor.type("typed\n\n", at="Control+Home")
    # While the last letter is on its way the boxes are those of the list before it.
    await expect(preview(editor.page).get_by_text("typed", exact=True)).to_be_visible()
    await preview(editor.page).get_by_role("checkbox", name="three").check()
    await preview(editor.page).get_by_role("checkbox", name="two").uncheck()
    await preview(editor.page).get_by_role("checkbox", name="four").focus()
    await editor.page.keyboard.press("Space")
    ticked = "typed\n\n- [ ] one\n- [ ] two\n  - [x] three\n\n1. [x] four\n"
    await asyncio.gather(editor.reads(ticked), other.reads(ticked))
    await expect(preview(editor.page).get_by_role("checkbox", name="four")).to_be_focused()
    await editor.content.focus()
    await editor.page.keyboard.press("Control+z")
    await editor.reads("typed\n\n- [ ] one\n- [ ] two\n  - [x] three\n\n1. [ ] four\n")
    await expect(preview(editor.page).get_by_role("checkbox", name="four")).not_to_be_checked()
    await editor.page.keyboard.press("Control+z")
    await editor.reads("typed\n\n- [ ] one\n- [x] two\n  - [x] three\n\n1. [ ] four\n")


async def test_boxes_that_are_ticked_in_one_go_and_frame_by_frame_are_all_ticked_and_stay_so(
    shared_server: Served, company: Company
) -> None:
    shared_server.write("quick.md", "# Quick\n\n" + "".join(f"- [ ] {number}\n" for number in range(12)) + "\n1. [ ] other\n")
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor, other = await beside(ann, "quick.md"), await bob.open("quick.md")
    await expect(preview(editor.page).get_by_role("checkbox")).to_have_count(13)
    lost = await editor.page.evaluate(TICK_QUICKLY)
    assert lost == []
    ticked = "# Quick\n\nfirst\n\n" + "".join(f"- [x] {number}\n" for number in range(12)) + "\n1. [x] other\n"
    await asyncio.gather(editor.reads(ticked), other.reads(ticked))
    await expect(preview(editor.page).get_by_text("first", exact=True)).to_be_visible()
    await expect(preview(editor.page).locator(".md-box:checked")).to_have_count(13)


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
async def test_what_is_pressed_while_others_write_is_clicked(shared_server: Served, company: Company, way: str) -> None:
    # A list with a diagram is made anew when one of its letters changes.
    text = "- [ ] one\n- [ ] two\n\n  ```mermaid\n  graph TD; A-->B\n  ```\n"
    shared_server.write(f"pressed-{way}.md", text)
    editor = await beside(await company.join("Ann", shared_server), f"pressed-{way}.md")
    box = preview(editor.page).get_by_role("checkbox", name="two")
    await expect(preview(editor.page).locator(".md-diagram svg, .md-diagram img")).to_have_count(1)
    await box.hover()
    await box.focus()
    await (editor.page.mouse.down() if way == "mouse" else editor.page.keyboard.down("Space"))
    await editor.page.evaluate(WRITE_ABOVE)
    await (editor.page.mouse.up() if way == "mouse" else editor.page.keyboard.up("Space"))
    await editor.reads("words\n\n- [ ] one, and more\n" + text.partition("\n")[2].replace("[ ] two", "[x] two"))
    await expect(preview(editor.page).get_by_text("one, and more")).to_be_visible()
    await expect(box).to_be_checked()


async def test_a_reader_cannot_tick(shared_server: Served, company: Company) -> None:
    shared_server.write("locked.md", "- [ ] one\n")
    ann = await company.join("Ann", shared_server, "viewer")
    editor = await ann.visit("locked.md")
    await expect(preview(editor.page).get_by_role("checkbox", name="one")).to_be_disabled()


async def test_a_box_ticks_its_own_line_wherever_that_has_gone(shared_server: Served, company: Company) -> None:
    shared_server.write("moved.md", "- [ ] one\n- [ ] two\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "moved.md")
    await preview(editor.page).get_by_role("checkbox", name="two").wait_for()
    # In one go, so that the preview cannot have followed.
    await editor.page.evaluate("""() => {
      collab.view.dispatch({ changes: { from: 0, insert: '- [ ] zero\\n\\n' } })
      document.querySelectorAll('.md-box')[1].click()
    }""")
    await editor.reads("- [ ] zero\n\n- [ ] one\n- [x] two\n")


async def test_a_box_whose_line_has_become_another_ticks_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("other.md", "- [ ] one\n- [ ] two\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "other.md")
    await preview(editor.page).get_by_role("checkbox", name="two").wait_for()
    changed = await editor.page.evaluate("""() => {
      collab.view.dispatch({ changes: { from: 16, to: 19, insert: 'sell it all' } })
      const box = document.querySelectorAll('.md-box')[1]
      box.click()
      return box.checked
    }""")
    assert changed is False
    await editor.reads("- [ ] one\n- [ ] sell it all\n")


async def test_formulas_are_set_and_money_is_not(shared_server: Served, company: Company) -> None:
    text = "Costs $5 and $6.\n\nHere $e^{i\\pi}$, $$x^2$$\n\n$$\n\\sqrt{\\vec{a}} \\widehat{ABC} \\fcolorbox{red}{blue}{x}\n$$\n\n```math\n\\ce{H2O}\n```\n\nBad $\\frac{1$.\n"
    shared_server.write("maths.md", text)
    ann = await company.join("Ann", shared_server)
    page = preview((await beside(ann, "maths.md")).page)
    await expect(page.locator(".katex")).to_have_count(4)
    await expect(page.locator("math")).to_have_count(4)
    await expect(page.get_by_text("Costs $5 and $6.")).to_be_visible()
    await expect(page.locator(".md-wrong code")).to_have_text("\\frac{1")
    await expect(page.locator(".md-fault")).to_contain_text("This formula is not understood")
    fonts = await until(lambda: [request.url for request in ann.seen.requests if request.resource_type == "font"])
    assert all(url.startswith(shared_server.url) for url in fonts)


async def test_code_has_colours_and_can_be_copied(shared_server: Served, company: Company) -> None:
    shared_server.write("code.md", "```python\nimport os  # system\n```\n\n```nonsense\nx < y\n```\n\n    indented\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    editor = await beside(ann, "code.md")
    page = preview(editor.page)
    await expect(page.locator(".tok-keyword")).to_have_text("import")
    await expect(page.locator("pre")).to_have_text(["import os  # system", "x < y", "indented"])
    await page.locator("pre").nth(1).hover()
    await copy(page.get_by_role("button", name="Copy").nth(1))
    assert await editor.page.evaluate("navigator.clipboard.readText()") == "x < y"


async def test_a_diagram_is_an_image_with_its_source_behind_it(shared_server: Served, company: Company) -> None:
    shared_server.write("diagram.md", "```mermaid\nflowchart LR\n  A --> B\n```\n\n```mermaid\nnonsense\n```\n")
    ann = await company.join("Ann", shared_server)
    page = preview((await beside(ann, "diagram.md")).page)
    image = page.locator(".md-diagram").first.locator("img")
    await expect(image).to_be_visible()
    await expect(image).not_to_have_js_property("naturalWidth", 0)
    await page.get_by_text("Show source").first.click()
    await expect(page.locator(".md-diagram pre").first).to_have_text("flowchart LR\n  A --> B")
    await expect(page.locator(".md-diagram .md-fault")).to_contain_text("nonsense")


async def test_links_lead_to_documents_of_the_same_folders(shared_server: Served, company: Company) -> None:
    links = "[a](./b%20c.md#late) [b](../top.md) [c](/other/x.md) [d](missing.md) [e](https://example.org/x) [f](mailto:a@example.org) [g](sub/)"
    shared_server.write("linked/a.md", links + "\n")
    shared_server.write("linked/b c.md", "# Early\n" + "\nwords\n" * 200 + "\n# Late\n\nfound\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "linked/a.md")
    found = await preview(editor.page).locator("a").evaluate_all("(all) => all.map((a) => [a.getAttribute('href'), a.target, a.rel])")
    assert found == [
        ["/edit/linked/b%20c.md#late", "", ""],
        ["/edit/top.md", "", ""],
        ["/edit/other/x.md", "", ""],
        ["/edit/linked/missing.md", "", ""],
        ["https://example.org/x", "_blank", "noopener noreferrer"],
        ["mailto:a@example.org", "", ""],
        ["/?path=linked%2Fsub", "", ""],
    ]
    await preview(editor.page).get_by_role("link", name="a", exact=True).click()
    await editor.page.wait_for_url("**/b%20c.md#late")
    await editor.content.wait_for()
    await editor.page.locator("#modes [data-mode=split]").click()
    await expect(preview(editor.page).get_by_role("heading", name="Late")).to_be_in_viewport()


async def test_pictures_are_those_of_the_folder_and_none_from_elsewhere(shared_server: Served, company: Company) -> None:
    text = '![Reef](img/a.png) ![Vector](img/b.svg) ![Gone](img/c.png)\n\n![Pixel](https://example.org/p.png) <img src="//example.org/q.png" alt="Other">\n'
    shared_server.write("pictures/a.md", text)
    shared_server.write(
        "pictures/img/b.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
    )
    (shared_server.root / "pictures/img/a.png").write_bytes(picture(20, 10, 0, 128, 128))
    ann = await company.join("Ann", shared_server)
    page = preview((await beside(ann, "pictures/a.md")).page)
    await expect(page.get_by_text("(picture not found: pictures/img/c.png)")).to_be_visible()
    await expect(page.locator("img")).to_have_count(2)
    sizes = "(all) => Promise.all(all.map((image) => image.decode().then(() => [image.alt, image.naturalWidth])))"
    assert await page.locator("img").evaluate_all(sizes) == [["Reef", 20], ["Vector", 9]]
    await expect(page.get_by_role("link", name="Pixel")).to_have_attribute("href", "https://example.org/p.png")
    await expect(page.get_by_text("(picture from elsewhere)")).to_have_count(2)
    assert all(request.url.startswith((shared_server.url, "data:")) for request in ann.seen.requests)


async def test_both_sides_scroll_together_by_their_lines(shared_server: Served, company: Company) -> None:
    parts = [f"## Part {number}\n\n" + "word " * 120 + "\n\n```\n" + "code\n" * 12 + "```\n" for number in range(60)]
    shared_server.write("scrolled.md", "\n".join(parts))
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "scrolled.md")
    source, shown = editor.page.locator(".cm-scroller"), preview(editor.page)

    async def wheel(over: Locator, down: float) -> None:
        await over.hover(position={"x": 50, "y": 300})
        await editor.page.mouse.wheel(0, down)

    await wheel(source, 9000)
    await editor.page.wait_for_function(PART_SHOWN, arg=TOP_LINE)
    await wheel(shown, -20_000)
    await editor.page.wait_for_function("() => collab.view.scrollDOM.scrollTop === 0")
    await wheel(shown, 12_000)
    await editor.page.wait_for_function(NEAR_EACH_OTHER, arg=[TOP_LINE, TOP_WORDS, "\n".join(parts).split("\n")])


async def test_what_one_opened_focused_and_reads_stays_while_others_write(shared_server: Served, company: Company) -> None:
    shared_server.write(
        "stays.md",
        "intro\n\n<details><summary>More</summary>\n\n[link](x.md) inside\n\n</details>\n\n"
        + "".join(f"words {number}\n\n" for number in range(300))
        + "end\n",
    )
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor, other = await beside(ann, "stays.md"), await bob.open("stays.md")
    await preview(editor.page).get_by_text("More").click()
    await preview(editor.page).get_by_role("link", name="link").focus()
    await other.type(" too", at="Control+Home")
    start = (await other.text()).index(" inside")
    await other.caret_to(start)
    await other.page.keyboard.type(" here")
    await expect(preview(editor.page).get_by_text("link here inside")).to_be_visible()
    await expect(preview(editor.page).get_by_role("link", name="link")).to_be_focused()
    await preview(editor.page).evaluate("(preview) => { preview.scrollTop = 5000 }")
    before = await (await editor.page.wait_for_function(TOP_WORDS)).json_value()
    assert "words" in before
    await other.type("# New\n\nabove\n\n", at="Control+Home")
    await expect(preview(editor.page).get_by_text("New")).to_be_attached()
    await editor.page.wait_for_function("([top, before]) => eval(top)() === before", arg=[TOP_WORDS, before])


async def test_a_double_click_puts_the_caret_at_the_source(shared_server: Served, company: Company) -> None:
    shared_server.write("click.md", "# One\n\ntwo\n\n- three\n- four\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "click.md")
    await preview(editor.page).get_by_text("two").dblclick()
    await editor.page.keyboard.type("and ")
    await editor.reads("# One\n\nand two\n\n- three\n- four\n")


async def test_broken_front_matter_is_shown_with_what_is_wrong(shared_server: Served, company: Company) -> None:
    shared_server.write("matter.md", "---\ntitle: [a\n---\n\ntext\n")
    ann = await company.join("Ann", shared_server)
    page = preview((await beside(ann, "matter.md")).page)
    await expect(page.get_by_text("The front matter is not valid YAML")).to_be_visible()
    await expect(page.locator(".md-matter code")).to_have_text("title: [a")


async def test_printing_waits_until_everything_is_drawn(shared_server: Served, company: Company) -> None:
    parts = [f"## {number}\n\n$x_{{{number}}}$\n\n```js\nlet a = {number}\n```\n" for number in range(500)]
    shared_server.write("print.md", "\n".join(parts) + "\n```mermaid\nflowchart LR\n  A --> B\n```\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "print.md")
    await editor.page.evaluate(COUNT_WHEN_PRINTED)
    await editor.page.locator("#more").click()
    await editor.page.locator("[data-act='editor.menu.print']").click()
    printed = await editor.page.wait_for_function("() => window.printed ?? null", timeout=MILLISECONDS)
    assert await printed.json_value() == {"formulas": 500, "code": 500, "images": 1}


async def test_the_preview_is_the_same_after_many_edits_as_after_opening(shared_server: Served, company: Company) -> None:
    shared_server.write("edits.md", "start\n")
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "edits.md")
    await editor.page.evaluate("""() => {
      let state = 11
      const random = (most) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state % most }
      const parts = ['# h\\n\\n', '- a\\n', '- [ ] b\\n', '\\n', 'word ', '```\\n', '> q\\n', '|a|b|\\n|-|-|\\n|1|2|\\n', '$x$', '[^1]', '\\n\\n[^1]: n\\n\\n', '<div>\\n\\n', '[toc]\\n\\n']
      for (let step = 0; step < 400; step += 1) {
        const { length } = collab.view.state.doc
        const from = random(length + 1)
        const to = random(4) === 0 ? Math.min(length, from + random(30)) : from
        const insert = Array.from({ length: 1 + random(40) }, () => parts[random(parts.length)]).join('')
        collab.view.dispatch({ changes: { from, to, insert } })
      }
      collab.view.dispatch({ changes: { from: 0, insert: 'begin\\n\\n' } })
      collab.view.dispatch({ changes: { from: collab.view.state.doc.length, insert: '\\n\\n```\\n```\\n\\n~~~\\n~~~\\n\\n</div>\\n\\nthe very end\\n' } })
    }""")
    await editor.saved()
    settled = "() => document.querySelector('.md-sheet[aria-busy=false] .md-block') !== null"
    await editor.page.wait_for_function(settled)
    again = await beside(ann, "edits.md")
    await again.page.wait_for_function(settled)
    fresh = await again.page.evaluate(SHOWN)
    assert len(fresh) > 20
    await editor.page.wait_for_function("([shown, wanted]) => JSON.stringify(eval(shown)()) === JSON.stringify(wanted)", arg=[SHOWN, fresh])


async def test_of_a_very_long_text_only_what_is_near_is_on_the_page(shared_server: Served, company: Company) -> None:
    shared_server.write(
        "long.md", "[toc]\n\n" + "\n\n".join(f"paragraph {number}" for number in range(4000)) + "\n\n# Far away\n\nthe very end\n"
    )
    ann = await company.join("Ann", shared_server)
    editor = await beside(ann, "long.md")
    shown = preview(editor.page)
    await expect(shown.get_by_text("paragraph 3", exact=True)).to_be_visible()
    assert await shown.locator(".md-block").count() < 1000
    await shown.get_by_role("link", name="Far away").click()
    await expect(shown.get_by_role("heading", name="Far away")).to_be_in_viewport()
    await expect(shown.get_by_text("the very end")).to_be_in_viewport()
    await editor.page.wait_for_function("() => document.querySelectorAll('.md-block').length < 1000")
    await shown.focus()
    await editor.page.keyboard.press("Home")
    await expect(shown.get_by_text("paragraph 3", exact=True)).to_be_in_viewport()


async def test_what_is_edited_shows_what_it_is_now(shared_server: Served, company: Company) -> None:
    shared_server.write("edited.md", "$x_1$ words\n\n- [ ] one\n- [ ] two\n\n```python\nimport a\n```\n")
    ann = await company.join("Ann", shared_server)
    await ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    editor = await beside(ann, "edited.md")
    shown = preview(editor.page)
    await expect(shown.locator(".tok-keyword")).to_have_text("import")
    await expect(shown.locator(".katex")).to_have_count(1)
    await editor.caret_to(1)
    await editor.page.keyboard.type("\\frac{1}{2}")
    await editor.caret_to((await editor.text()).index("two"))
    await editor.page.keyboard.type("between\n")
    await editor.caret_to((await editor.text()).index("import a") + len("import a"))
    await editor.page.keyboard.type("bc")
    await expect(shown.locator("pre")).to_have_text("import abc")
    await shown.get_by_role("checkbox", name="two").check()
    await editor.reads("$\\frac{1}{2}x_1$ words\n\n- [ ] one\n- [ ] between\n- [x] two\n\n```python\nimport abc\n```\n")
    await shown.locator("pre").hover()
    await copy(shown.get_by_role("button", name="Copy"))
    assert await editor.page.evaluate("navigator.clipboard.readText()") == "import abc"
    drawn = "(formula) => [...formula.querySelectorAll('[style]')].map((each) => each.getAttribute('style'))"
    edited = await shown.locator(".katex").evaluate(drawn)
    fresh = await beside(ann, "edited.md")
    await expect(preview(fresh.page).locator(".katex")).to_have_count(1)
    assert edited == await preview(fresh.page).locator(".katex").evaluate(drawn)
