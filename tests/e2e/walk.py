"""A walk through every page and state, in any width, theme and language: what is looked at is up to who walks along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.people import MILLISECONDS, Company, Editor, Person
from notebooks import cell, notebook
from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Page
    from serving import Served

PAPER = """---
title: A paper
authors: [Ann Lee, Bob Stone]
---

# Results

Some *text* with **bold**, `code`, a [link](other.md), [one outside](https://example.org) and $e^{i\\pi}+1=0$.

- [ ] first task
- [x] second task

| a | b |
|---|---|
| 1 | 2 |

```python
def f(x: int) -> str:
    return "hello" * x  # a comment
```

```mermaid
flowchart LR
  A --> B
```

> A quotation.

![The logo](logo.png)

A footnote[^1].

---

## Another slide

[^1]: The note.
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082".replace(
        " ", ""
    )
)
WIDTHS = {360: 740, 768: 1024, 1440: 900}
"""Pixels of the screens that the pages are made for, and their heights."""


STUDY = notebook(
    cell("# A study\n\nwith $x^2$ and a [link](#A-study)", "title", "markdown"),
    cell(
        "import os\nx = 1  # one",
        "code",
        execution_count=1,
        outputs=[
            {
                "output_type": "stream",
                "name": "stdout",
                "text": "\x1b[31mred\x1b[0m \x1b[1;32mgreen \x1b[33;44mboth\x1b[0m\n" + "line\n" * 99,
            },
            {"output_type": "stream", "name": "stderr", "text": "\x1b[34mwarned\x1b[0m\n"},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mE\x1b[0m: v", "\x1b[35m1\x1b[36m2\x1b[2m3"]},
        ],
    ),
    cell(
        "table",
        "html",
        outputs=[
            {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"}},
            {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": "x"}},
        ],
    ),
    cell("raw", "raw", "raw"),
    kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
)
"""A notebook with every kind of cell and output."""


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks at the pages."""

    width: int
    theme: str = "light"
    locale: str = "en-GB"

    @property
    def settings(self) -> dict[str, Any]:
        """Of a browser context."""
        phone = self.width < 600
        return {"color_scheme": self.theme, "locale": self.locale, "has_touch": phone, "is_mobile": phone}


State = tuple[str, "Page"]
"""The name of a state, and the page that is in it."""


def prepare(served: Served, folder: str) -> None:
    """The files that the walk visits."""
    served.write(f"{folder}/paper.md", PAPER)
    served.write(f"{folder}/other.md", "# Other\n")
    served.write(f"{folder}/program.py", "import os\n\n\ndef f(x):\n    return x + 1  # a comment\n")
    served.write(f"{folder}/data.csv", 'name,value\nann,3\n"b, c",4\n')
    served.write(f"{folder}/inner/deep.md", "deep\n")
    served.write(f"{folder}/study.ipynb", STUDY)
    (served.root / folder / "logo.png").write_bytes(PIXEL)
    (served.root / folder / "empty").mkdir()


async def sized(person: Person, look: Look) -> Page:
    page = await person.new_page()
    await page.set_viewport_size({"width": look.width, "height": WIDTHS[look.width]})
    return page


async def joined(company: Company, served: Served, look: Look, name: str, role: str | None = "editor") -> Person:
    return await company.join(name, served, role, **look.settings)


async def signing_in(company: Company, served: Served, look: Look) -> AsyncIterator[State]:
    """The sign-in page, and the pages that nobody is signed in for."""
    nobody = await joined(company, served, look, "Nobody", None)
    page = await sized(nobody, look)
    await page.goto(f"{served.url}/login")
    await page.locator("#secret").wait_for()
    yield "login", page
    await page.locator("#secret").fill("no such secret")
    await page.locator("#form button").click()
    # What the server did not know is taken out of the field.
    await expect(page.locator("#secret")).to_have_value("")
    yield "login failed", page
    await page.goto(served.url)
    await page.locator("#message").wait_for()
    yield "files, nobody signed in", page
    await page.goto(f"{served.url}/edit/paper.md")
    await page.locator('[data-note="refusal"]').wait_for()
    yield "document, nobody signed in", page


async def files(company: Company, served: Served, look: Look, folder: str) -> AsyncIterator[State]:
    """The list of files and its windows."""
    page = await sized(await joined(company, served, look, "Ann Lee"), look)
    for name, query in {
        "files": f"?path={folder}",
        "empty folder": f"?path={folder}/empty",
        "missing folder": "?path=nowhere",
        "recent": "?view=recent",
        "starred": "?view=starred",
        "bin": "?view=bin",
    }.items():
        await page.goto(f"{served.url}/{query}")
        await page.locator('#grid[aria-busy="false"]').wait_for(state="attached")
        yield name, page
    await page.goto(f"{served.url}/?path={folder}")
    await page.locator("#rows .open").first.wait_for()
    await page.locator("#rows .more").first.click()
    await page.get_by_role("menu").first.wait_for()
    yield "row menu", page
    await page.keyboard.press("Escape")
    await page.locator("#rows .open").first.focus()
    await page.keyboard.press("?")
    await page.locator("dialog[open]").wait_for()
    yield "keys of the files", page
    await page.keyboard.press("Escape")
    await page.locator("#rows .open").first.focus()
    await page.keyboard.press("n")
    await page.locator("dialog[open]").wait_for()
    yield "new document", page
    await page.keyboard.press("Escape")
    await page.locator("#rows .open").first.focus()
    await page.keyboard.press("/")
    await page.keyboard.type("results")
    await page.locator("mark").first.wait_for()
    yield "found", page


async def _wide(editor: Editor, look: Look) -> Editor:
    await editor.page.set_viewport_size({"width": look.width, "height": WIDTHS[look.width]})
    return editor


async def _mode(page: Page, mode: str) -> None:
    await page.locator(f'#modes [data-mode="{mode}"]').click()
    await expect(page.locator(f'#modes [data-mode="{mode}"]')).to_have_attribute("aria-pressed", "true")


async def _previewed(page: Page) -> None:
    await page.locator("#preview h1", has_text="Results").wait_for()
    await page.locator("#preview .katex").first.wait_for(timeout=MILLISECONDS)
    await page.locator("#preview img[src^='data:image/svg']").wait_for(timeout=MILLISECONDS)


async def document(company: Company, served: Served, look: Look, folder: str) -> AsyncIterator[State]:
    """A Markdown document, what floats above it, and somebody else in it."""
    ann, bob = await joined(company, served, look, "Ann Lee"), await joined(company, served, look, "Bob Stone")
    editor = await _wide(await ann.visit(f"{folder}/paper.md"), look)
    page = editor.page
    await page.locator(".cm-content").wait_for(state="attached")
    await _mode(page, "source")
    await editor.saved()
    yield "source", page
    if look.width >= 960:
        await _mode(page, "split")
        await _previewed(page)
        yield "side by side", page
    await _mode(page, "preview")
    await _previewed(page)
    yield "preview", page
    await _mode(page, "source")
    await (await bob.open(f"{folder}/paper.md")).type("Hello ", at="Control+End")
    await editor.sees_caret_of("Bob Stone")
    yield "somebody else", page
    for state in ("more", "words-show", "people-show"):
        async for each in _floating(page, state):
            yield each
    for label, wanted in {"find": ".find", "outline": "#outline button", "keys": "dialog[open]", "settings": "dialog[open]"}.items():
        await page.locator("#more").click()
        await page.locator(f'#menu [data-act="editor.menu.{label}"]').click()
        await page.locator(wanted).first.wait_for()
        yield label, page
        if label == "outline":
            # Its first button closes it.
            await page.locator(wanted).first.click()
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator(wanted).first).to_be_hidden()
    async for each in _about(page):
        yield each
    await page.locator("#more").click()
    await page.locator('#menu [data-act="authors.menu"]').click()
    await page.locator(".contributors table").wait_for()
    await page.locator(".contributors").get_by_role("switch").check()
    yield "who wrote this", page
    await page.keyboard.press("Escape")
    # What Bob wrote stands at the end, which a small screen does not hold.
    await editor.content.press("Control+End")
    await page.locator(".cm-author").first.wait_for()
    yield "colours of authors", page
    await page.locator("#legend button").last.click()
    async for each in _history(editor, look):
        yield each
    await ann.context.set_offline(True)
    await editor.type("offline ")
    await editor.is_told("offline")
    yield "offline", page
    await ann.context.set_offline(False)


async def _about(page: Page) -> AsyncIterator[State]:
    """What is said about a document."""
    await page.locator("#more").click()
    await page.locator('#menu [data-act="about.menu"]').click()
    await page.locator("#about-tag").fill("genome,a much longer tag,")
    yield "tags and description", page
    await page.locator("dialog.about .primary").click()
    await expect(page.locator("dialog.about")).to_have_count(0)


async def _history(editor: Editor, look: Look) -> AsyncIterator[State]:
    """The versions of the document: the last words that came, folded, and on small screens the list."""
    page = editor.page
    await editor.saved()
    await page.locator("#more").click()
    await page.locator('#menu [data-act="editor.menu.history"]').click()
    await page.locator("dialog.history ins").first.wait_for()
    yield "history", page
    await page.locator("dialog.history .looking .tick input").check()
    await page.keyboard.press("F7")
    await page.keyboard.press("F2")
    yield "history folded", page
    await page.keyboard.press("Escape")
    if look.width < 960:
        await page.locator("dialog.history .knob").click()
        yield "history list", page
        await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.history")).to_have_count(0)


async def _floating(page: Page, state: str) -> AsyncIterator[State]:
    openers = {"more": "#more", "words-show": "#words button", "people-show": ".bar [aria-haspopup=dialog]"}
    panels = {"more": "#menu", "words-show": "#words-panel", "people-show": "#everybody"}
    await page.locator(openers[state]).first.click()
    await page.locator(panels[state]).wait_for()
    yield panels[state], page
    await page.keyboard.press("Escape")
    await expect(page.locator(panels[state])).to_be_hidden()


async def _cells(page: Page) -> AsyncIterator[State]:
    """A notebook: chosen, written in, searched."""
    await page.locator(".nb-cell .ansi-1").first.wait_for()
    await page.locator(".nb-html td").first.wait_for()
    await page.locator(".nb-cell").first.focus()
    yield "notebook", page
    await page.keyboard.press("Enter")
    await expect(page.locator(".nb-cell.writing .cm-content")).to_be_focused()
    yield "notebook, writing", page
    await page.keyboard.press("Control+f")
    await page.get_by_role("searchbox").fill("x")
    yield "notebook, finding", page


async def others(company: Company, served: Served, look: Look, folder: str) -> AsyncIterator[State]:
    """Other kinds of documents, other rights, slides."""
    ann, eve = await joined(company, served, look, "Ann Lee"), await joined(company, served, look, "Eve", "viewer")
    page = (await _wide(await ann.open(f"{folder}/program.py"), look)).page
    yield "code", page
    page = (await _wide(await ann.visit(f"{folder}/data.csv"), look)).page
    await page.get_by_role("grid").wait_for()
    yield "table", page
    await page.get_by_role("grid").focus()
    await page.keyboard.press("Enter")
    await page.locator(".csv-field").wait_for()
    yield "open cell", page
    async for each in _cells((await _wide(await ann.visit(f"{folder}/study.ipynb"), look)).page):
        yield each
    page = (await _wide(await eve.visit(f"{folder}/paper.md"), look)).page
    await _previewed(page)
    yield "read only", page
    page = (await _wide(await ann.visit(f"{folder}/nothing.md"), look)).page
    await page.locator('[data-note="refusal"]').wait_for()
    yield "no such document", page
    page = await sized(ann, look)
    await page.goto(f"{served.url}/present/{folder}/paper.md")
    await page.locator("#stage h1").first.wait_for()
    yield "slide", page


Leg = Callable[[Company, "Served", Look, str], AsyncIterator[State]]


async def _signing_in(company: Company, served: Served, look: Look, folder: str) -> AsyncIterator[State]:
    del folder
    async for state in signing_in(company, served, look):
        yield state


LEGS: dict[str, Leg] = {"signing in": _signing_in, "files": files, "document": document, "others": others}
"""The walk in parts, each with people of its own."""

Companion = Callable[[str, "Page"], Awaitable[None]]


async def walk(company: Company, served: Served, look: Look, leg: str, companion: Companion) -> None:
    """Go through the states of one part; the companion looks at each."""
    folder = f"{leg}-{look.width}-{look.theme}-{look.locale}".replace(" ", "-")
    prepare(served, folder)
    async for name, page in LEGS[leg](company, served, look, folder):
        await companion(name, page)
