"""Code: colours by file type that can be read, comments, indentation, folding; plain text stays plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served

PYTHON = "import re\n\n\nclass Thing:\n    def method(self):\n        return 12\n"
EVERYTHING = '''"""Words."""
from __future__ import annotations
# a comment
class Thing(Base):
    value: int = 0x10
    def method(self, *, flag: bool = True) -> str:
        return f"{self.value!r}" if flag else None
'''
CONTRAST = """
() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const paper = light(getComputedStyle(document.querySelector('.cm-editor')).backgroundColor)
  return [...document.querySelectorAll('.cm-content [class*=tok-], .cm-gutterElement')].map((each) => {
    const ink = light(getComputedStyle(each).color)
    return [each.className, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)]
  })
}
"""


@pytest.mark.parametrize(
    ("name", "text", "token", "words"),
    [
        ("colors.py", PYTHON, "tok-keyword", "import"),
        ("colors.ts", "const one: number = 1\n", "tok-keyword", "const"),
        ("colors.json", '{"a": true}\n', "tok-bool", "true"),
        ("colors.yaml", "key: value # note\n", "tok-comment", "# note"),
        ("colors.css", "a { color: red }\n", "tok-propertyName", "color"),
        ("colors.sh", "# note\n", "tok-comment", "# note"),
        ("Dockerfile", "FROM debian\n", "tok-keyword", "FROM"),
        ("colors.tex", "\\section{One}\n", "tok-meta, .tok-keyword, .tok-typeName", "\\section"),
    ],
)
async def test_a_file_has_the_colours_of_its_language(
    name: str, text: str, token: str, words: str, shared_server: Served, company: Company
) -> None:
    shared_server.write(name, text)
    editor = await (await company.join("Ann", shared_server)).open(name)

    await expect(editor.page.locator(f".{token}").first).to_contain_text(words)
    await expect(editor.page.locator(".cm-lineNumbers")).to_be_visible()
    await expect(editor.content).to_have_attribute("spellcheck", "false")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_colour_of_code_can_be_read(scheme: str, shared_server: Served, company: Company) -> None:
    shared_server.write("contrast.py", EVERYTHING)
    editor = await (await company.join("Ann", shared_server, color_scheme=scheme)).open("contrast.py")
    # The last word of the file: it is coloured in pieces.
    await editor.page.locator(".cm-line:last-child, .cm-line:nth-last-child(2)").locator('[class*="tok-"]', has_text="None").wait_for()

    found = await editor.page.evaluate(CONTRAST)

    assert len({name for name, _ in found}) > 8
    assert [(name, ratio) for name, ratio in found if ratio < 4.5] == []


async def test_lines_become_comments_and_code_again(shared_server: Served, company: Company) -> None:
    shared_server.write("comment.py", PYTHON)
    editor = await (await company.join("Ann", shared_server)).open("comment.py")
    await editor.page.locator(".tok-keyword").first.wait_for()

    await editor.content.press("Control+Home")
    await editor.page.keyboard.press("Control+/")
    await editor.reads(f"# {PYTHON}")
    await editor.page.keyboard.press("Control+/")

    await editor.reads(PYTHON)


@pytest.mark.parametrize(
    ("name", "text", "unit"),
    [("four.py", "if a:\n    b\n", "    "), ("two.js", "if (a) {\n  b\n}\n", "  "), ("tab.go", "func a() {\n\tb()\n}\n", "\t")],
)
async def test_tab_indents_as_the_file_does_and_escape_tab_leaves(
    name: str, text: str, unit: str, shared_server: Served, company: Company
) -> None:
    shared_server.write(name, text)
    editor = await (await company.join("Ann", shared_server)).open(name)
    await editor.content.press("Control+Home")

    await editor.page.keyboard.press("Tab")
    await editor.reads(unit + text)
    await editor.page.keyboard.press("Shift+Tab")
    await editor.reads(text)
    # Tab leaves for some seconds, which a busy machine may need between two keys: the page's own clock stands still.
    await editor.page.clock.set_fixed_time(await editor.page.evaluate("Date.now() / 1000"))
    await editor.page.keyboard.press("Escape")
    await editor.page.keyboard.press("Tab")

    await editor.reads(text)
    await expect(editor.content).not_to_be_focused()


async def test_a_block_of_code_folds_and_unfolds(shared_server: Served, company: Company) -> None:
    shared_server.write("fold.py", PYTHON)
    editor = await (await company.join("Ann", shared_server)).open("fold.py")
    await expect(editor.page.locator(".fold.open").first).to_have_attribute("title", "Fold line")

    await editor.page.locator(".fold.open").first.click()
    await expect(editor.page.locator(".cm-foldPlaceholder")).to_be_visible()
    await expect(editor.content).not_to_contain_text("return 12")
    await editor.page.locator(".cm-foldPlaceholder").click()

    await expect(editor.content).to_contain_text("return 12")
    await editor.reads(PYTHON)


async def test_code_has_a_toolbar_of_what_is_useful_there(shared_server: Served, company: Company) -> None:
    shared_server.write("tools.py", PYTHON)
    editor = await (await company.join("Ann", shared_server)).open("tools.py")

    names = await editor.page.locator("#tools button").evaluate_all("(all) => all.map((each) => each.ariaLabel)")

    assert names == ["Undo my last change", "Redo", "Find and replace"]
    await expect(editor.page.locator("#status")).to_contain_text("7 lines")
    await expect(editor.page.locator("#status")).to_contain_text("Line 1, column 1")


async def test_brackets_that_belong_together_are_shown(shared_server: Served, company: Company) -> None:
    shared_server.write("brackets.js", "call(one, [two])\n")
    editor = await (await company.join("Ann", shared_server)).open("brackets.js")

    await editor.caret_to(4)

    await expect(editor.page.locator(".cm-matchingBracket")).to_have_count(2)
