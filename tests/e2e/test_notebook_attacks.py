"""What a notebook may bring to harm its readers, in real Chromium: nothing of its outputs and texts runs, loads, leaves or lies in the page."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from e2e.test_preview_attacks import CORPUS, FINDINGS, TOUCH, TRIPWIRES, Watch, cases
from notebooks import cell, notebook
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served

ELSEWHERE = "https://elsewhere.example"
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9" onload="attack()">
<script>attack()</script><script href="{ELSEWHERE}/a.js"/><image href="{ELSEWHERE}/a.png" onerror="attack()"/>
<use xlink:href="{ELSEWHERE}/a.svg#x"/><style>@import '{ELSEWHERE}/a.css'; rect {{ fill: url({ELSEWHERE}/b.svg#f) }}</style>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="{ELSEWHERE}"/><body xmlns="http://www.w3.org/1999/xhtml" onload="attack()"/></foreignObject>
<a href="javascript:attack()"><rect width="9" height="9"/></a><set attributeName="onmouseover" to="attack()"/></svg>"""
BUNDLES: dict[str, dict[str, Any]] = {
    "svg as it is": {"image/svg+xml": SVG},
    "svg in lines": {"image/svg+xml": SVG.splitlines(keepends=True)},
    "svg in markup": {"text/html": SVG},
    "svg under a png's name": {"image/png": base64.b64encode(SVG.encode()).decode()},
    "an address as a picture": {"image/png": f"{ELSEWHERE}/a.png"},
    "markup as a picture": {"image/png": '"><img src=x onerror=attack()>'},
    "a program": {"application/javascript": f"attack(); fetch('{ELSEWHERE}')", "text/plain": "<script>attack()</script>"},
    "a program only": {"text/javascript": "attack()"},
    "a widget": {"application/vnd.jupyter.widget-view+json": {"model_id": "<img src=x onerror=attack()>"}},
    "a plot with its library": {
        "text/html": f"<div id=plot></div><script src={ELSEWHERE}/plotly.js></script><script>attack()</script>",
        "text/plain": "plot",
    },
    "a frame": {
        "text/html": f"<iframe src='{ELSEWHERE}' srcdoc='<script>parent.attack()</script>'></iframe><object data='{ELSEWHERE}'></object>seen"
    },
    "a form": {
        "text/html": f"<form action='{ELSEWHERE}'><input name=token autofocus onfocus=attack()><button formaction='javascript:attack()'>go</button></form>seen"
    },
    "styles that cover the page": {
        "text/html": f"<style>*{{background:url({ELSEWHERE}/s.png)}}</style><div style='position:fixed;inset:0' class='nb-acts'>seen</div>"
    },
    "ids of the page": {"text/html": "<div id=words></div><div id=editor name=collab>seen</div><a id=collab href=#>x</a>"},
    "pictures from elsewhere": {
        "text/html": f"<img src='{ELSEWHERE}/p.png' srcset='{ELSEWHERE}/q.png 2x'><video poster='{ELSEWHERE}/v.png' src='{ELSEWHERE}/v'></video>seen"
    },
    "meta and base": {
        "text/html": f"<base href='{ELSEWHERE}'><meta http-equiv=refresh content='0;url={ELSEWHERE}'><link rel=stylesheet href='{ELSEWHERE}/l.css'>seen"
    },
    "links": {
        "text/html": f"<a href='javascript:attack()'>a</a><a href='attachment:x'>b</a><a href='data:text/html,<script>attack()</script>'>c</a><a href='{ELSEWHERE}' target=_self>d</a>"
    },
    "a formula that links": {
        "text/latex": rf"$\href{{javascript:attack()}}{{x}} \url{{{ELSEWHERE}}} \includegraphics{{{ELSEWHERE}/a.png}}$"
    },
    "a formula with markup": {"text/latex": r"$\htmlData{x=y}{\htmlStyle{position:fixed}{x}}\text{<img src=x onerror=attack()>}$"},
    "a formula without end": {"text/latex": r"$\def\a{\a\a}\a$"},
    "a text with formulas": {"text/latex": f"words $x$ <img src=x onerror=attack()> ![p]({ELSEWHERE}/p.png)"},
    "markdown": {"text/markdown": f"![p]({ELSEWHERE}/p.png) <script>attack()</script> [l](javascript:attack()) ![a](attachment:a.png)"},
    "json": {"application/json": {"<img src=x onerror=attack()>": ["</pre><script>attack()</script>"]}},
    "a type that is markup": {"<img src=x onerror=attack()>": "x"},
    "a type that nobody knows": {"application/x-<script>attack()</script>+json": {"a": 1}},
    "a picture of a size": {"image/svg+xml": SVG},
}
TEXTS = {
    "links of a terminal": f"\x1b]8;;{ELSEWHERE}\x07link\x1b]8;;\x07 \x1b]0;title\x07",
    "colours that are markup": '\x1b[38;2;1;2;3"onmouseover=attack()m<b onclick=attack()>x</b>\x1b[0m',
    "control characters": "a\x00b\x08\x1bc\x1b[2J\x1b[31m\x1b[999999999999;38;5;999m\x9b31mred\x1b",
    "a thousand colours": "".join(f"\x1b[38;5;{number % 300}m{number}" for number in range(1000)),
}


def hostile() -> str:
    """One notebook with all of it."""
    made = [
        cell(
            "x",
            f"b{number}",
            outputs=[{"output_type": "display_data", "data": data, "metadata": {"width": "9 onload=attack()", "height": 1e9}}],
        )
        for number, data in enumerate(BUNDLES.values())
    ]
    made += [
        cell("x", f"t{number}", outputs=[{"output_type": "stream", "name": "stderr", "text": text}])
        for number, text in enumerate(TEXTS.values())
    ]
    made.append(
        cell(
            "x",
            "error",
            outputs=[
                {"output_type": "error", "ename": "<img src=x onerror=attack()>", "evalue": "<script>attack()</script>", "traceback": []}
            ],
        )
    )
    attached = {
        "a.svg": {"image/svg+xml": SVG},
        "b.png": {"image/png": "x' onerror='attack()"},
        "c": {"text/html": "<script>attack()</script>"},
    }
    made.append(
        cell(
            "![a](attachment:a.svg) ![b](attachment:b.png) ![c](attachment:c) [d](attachment:a.svg) ![e](attachment:%E0%A4%A)",
            "attached",
            "markdown",
            attachments=attached,
        )
    )
    corpus = [text for path in CORPUS for _, text in cases(path) if "plaintext" not in text]
    for number, text in enumerate(corpus):
        output = {"output_type": "display_data", "data": {"text/html": text.replace("MARKER", "seen")}, "metadata": {}}
        made.append(
            cell(
                text if number % 2 else "x",
                f"c{number}",
                "markdown" if number % 2 else "code",
                **({} if number % 2 else {"outputs": [output]}),
            )
        )
    return notebook(*made, kernelspec={"name": "x", "display_name": "<img src=x onerror=attack()>", "language": "__proto__"})


async def test_nothing_of_a_hostile_notebook_runs_loads_leaves_or_stays(shared_server: Served, company: Company) -> None:
    """NOTEBOOK-8."""
    shared_server.write("hostile.ipynb", hostile())
    ann = await company.join("Ann", shared_server)
    await ann.context.add_init_script(TRIPWIRES)
    page = (await ann.visit("hostile.ipynb")).page
    watch = Watch(page, shared_server.url)
    await page.locator(".nb-cell").first.wait_for()
    await page.evaluate("collab.notebook.list.complete()")
    await expect(page.locator(".nb-outputs .nb-note").filter(has_text="never run")).not_to_have_count(0)
    assert await page.locator(".nb-picture, .md-sheet img").count() > 3

    body = (
        FINDINGS.strip()
        .removeprefix("(own) => {")
        .replace("const shown = document.querySelector('#preview')", "", 1)
        .replace("collab.view.dispatch", "collab.notebook.choose")
    )
    look = f"(own) => [...document.querySelectorAll('.nb .md-sheet')].flatMap((shown) => {{{body})"
    outside = """() => [...document.querySelectorAll('.nb-output:not(:has(.md-sheet)) *')]
      .filter((each) => !each.matches('pre, span, p, img.nb-picture, button.nb-unfold')
        || each.getAttributeNames().some((name) => /^on/.test(name)) || (each.src ?? 'data:image/').startsWith('data:image/') === false)
      .map((each) => each.outerHTML.slice(0, 200))"""
    found = await page.evaluate(look, shared_server.url)
    await page.evaluate(TOUCH.replace("#preview *", ".nb *"))
    found += await page.evaluate(look, shared_server.url)
    # Pictures that are drawn from data by the browser may be SVG: in them nothing runs.
    found = [each for each in found if not each.startswith("source: <img") or 'src="data:image/svg+xml;' not in each]
    assert sorted({*found, *await page.evaluate(outside), *watch.found}) == []
    ann.seen.tempted = True
