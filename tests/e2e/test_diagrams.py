"""Diagrams: drawn in a frame that can reach nothing, shown as images, wrong ones explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.people import MILLISECONDS
from e2e.test_iframe import document_in, framed, portal
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from e2e.test_iframe import Portal
    from playwright.async_api import Frame, Locator, Page, Route
    from serving import Served

__all__ = ["framed", "portal"]


KINDS = {
    "flowchart": "flowchart TD\n  A[Start] --> B{Good?}\n  B -->|no, because<br>it fails| A\n  subgraph Team\n  B --> C\n  end\n",
    "sequence": "sequenceDiagram\n  Ann->>Bob: Hello & welcome\n  Note over Ann,Bob: friends\n",
    "class": "classDiagram\n  Room o-- Person : has\n  class Room {\n    +List~Person~ people\n  }\n",
    "state": "stateDiagram-v2\n  [*] --> Local\n  Local --> Stored : sent\n",
    "er": "erDiagram\n  CUSTOMER ||--o{ ORDER : places\n",
    "gantt": "gantt\n  title A plan\n  dateFormat YYYY-MM-DD\n  section Server\n  Core :done, 2026-01-01, 20d\n",
    "pie": 'pie title Pets\n  "Dogs" : 386\n  "Cats" : 85\n',
    "mindmap": "mindmap\n  root((Words))\n    Local\n    Stored\n",
    "timeline": "timeline\n  title History\n  2002 : One\n  2004 : Two\n",
    "git": "gitGraph\n  commit\n  branch develop\n  commit\n",
}

HUNG = """<!doctype html><script>
parent.postMessage({ kind: 'ready' }, '*')
addEventListener('message', () => { for (;;); })
</script>"""


def document(*sources: str) -> str:
    """A Markdown document with these diagrams."""
    return "# Diagrams\n\n" + "\n".join(f"```mermaid\n{source.rstrip()}\n```\n" for source in sources)


async def preview(page: Page | Frame) -> Locator:
    await page.locator("#modes [data-mode=preview]").click()
    return page.locator("#preview")


async def test_ten_kinds_of_diagrams_are_images_of_their_own_size(shared_server: Served, company: Company) -> None:
    shared_server.write("diagrams.md", document(*KINDS.values()))
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("diagrams.md")

    shown = await preview(editor.page)

    images = shown.locator(".md-diagram img")
    for number in range(len(KINDS)):
        await shown.locator(".md-diagram").nth(number).scroll_into_view_if_needed()
        await expect(shown.locator(".md-diagram").nth(number).locator("img")).to_be_visible()
    assert await images.count() == len(KINDS)
    sizes = await images.evaluate_all(
        "(all) => all.map((image) => [image.naturalWidth > 50, image.naturalHeight > 50, image.src.startsWith('data:image/svg+xml')])"
    )
    assert sizes == [[True, True, True]] * len(KINDS)
    frames = editor.page.locator("iframe")
    assert await frames.count() == 1
    assert await frames.get_attribute("sandbox") == "allow-scripts"


async def test_what_the_author_says_of_a_diagram_is_its_text_for_those_who_do_not_see_it(shared_server: Served, company: Company) -> None:
    described = "flowchart LR\n  accTitle: The way of a word\n  accDescr: From the key to the file\n  A --> B\n"
    shared_server.write("described.md", document(described))
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("described.md")

    shown = await preview(editor.page)

    await expect(shown.get_by_role("img", name="The way of a word: From the key to the file")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("syntax", "%% a comment\nflowchart TD\n  A --> B\n  B --> [[\n", "Line 4 of this diagram is not understood"),
        ("kind", "hello\n", "“hello” begins no kind of diagram"),
        ("large", "flowchart TD\n" + "A --> B\n" * 600, "too large"),
    ],
    ids=["syntax", "kind", "large"],
)
async def test_what_is_wrong_with_a_diagram_is_said_in_words(
    name: str, source: str, words: str, shared_server: Served, company: Company
) -> None:
    shared_server.write(f"wrong-{name}.md", document(source))
    ann = await company.join("Ann", shared_server)
    editor = await ann.open(f"wrong-{name}.md")

    shown = await preview(editor.page)

    await expect(shown.locator(".md-diagram")).to_contain_text(words)


async def test_nothing_in_a_diagram_runs_or_is_loaded(shared_server: Served, company: Company) -> None:
    evil = (
        '%%{init: {"securityLevel": "loose", "htmlLabels": true, "themeCSS": "@import url(http://127.0.0.2:9/x.css);"}}%%\n'
        'flowchart TD\n  A["<img src=x onerror=top.ran=1><script>top.ran=2</script>"] --> B\n'
        '  click A "javascript:top.ran=3" "tip"\n  click B call alert()\n  style A fill:url(http://127.0.0.2:9/y)\n'
    )
    shared_server.write("evil-diagram.md", document(evil))
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("evil-diagram.md")
    # The frame's policy stops what it is talked into.
    ann.seen.tempted = True

    shown = await preview(editor.page)
    await shown.locator(".md-diagram").locator("img, .md-fault").first.wait_for(timeout=MILLISECONDS)

    assert await editor.page.evaluate("window.ran") is None
    for source in await shown.locator("img").evaluate_all("(all) => all.map((image) => decodeURIComponent(image.src))"):
        assert "<script" not in source
        assert "onerror=" not in source
        assert "foreignObject" not in source
    assert [request.url for request in ann.seen.requests if "127.0.0.2" in request.url and not request.failure] == []


async def test_a_frame_that_hangs_is_replaced_and_the_next_diagram_is_drawn(shared_server: Served, company: Company) -> None:
    shared_server.write("hung.md", document("flowchart TD\n  Hang --> Hang2\n"))
    ann = await company.join("Ann", shared_server)
    ann.seen.tempted = True
    page = await ann.new_page()
    visits = 0

    async def first_hangs(route: Route) -> None:
        nonlocal visits
        visits += 1
        if visits > 1:
            return await route.fallback()
        return await route.fulfill(body=HUNG, headers={"Content-Type": "text/html", "Content-Security-Policy": "sandbox allow-scripts"})

    await page.route("**/diagram", first_hangs)
    await page.goto(f"{shared_server.url}/edit/hung.md")
    await page.locator(".cm-content").wait_for()
    shown = await preview(page)
    await expect(shown.locator(".md-diagram")).to_contain_text("took too long")

    await page.locator("#modes [data-mode=source]").click()
    await page.locator(".cm-content").press("Control+End")
    await page.locator(".cm-content").press_sequentially("\n\n```mermaid\nflowchart TD\n  New --> One\n```\n")
    shown = await preview(page)

    await expect(shown.locator(".md-diagram img")).to_be_visible()
    assert visits == 2


async def test_a_diagram_is_drawn_in_a_page_that_another_site_shows(framed: Served, portal: Portal, company: Company) -> None:
    framed.write("notes.md", document(KINDS["flowchart"]))
    ann = await company.join("Ann", framed, None)
    portal.shows(framed, "notes.md", framed.token("Bob"))
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)

    shown = await preview(frame)

    await expect(shown.locator(".md-diagram img")).to_be_visible()


async def test_only_what_a_diagram_needs_is_loaded(shared_server: Served, company: Company) -> None:
    shared_server.write("one-diagram.md", document(KINDS["flowchart"]))
    shared_server.write("no-diagram.md", "# None\n\nWords.\n")
    ann = await company.join("Ann", shared_server)
    shown = await preview((await ann.open("no-diagram.md")).page)
    await expect(shown).to_contain_text("Words.")
    assert not [request.url for request in ann.seen.requests if request.url.endswith("/diagram")]

    editor = await ann.open("one-diagram.md")
    shown = await preview(editor.page)
    await expect(shown.locator(".md-diagram img")).to_be_visible()

    scripts = [request.url for request in ann.seen.requests if request.url.endswith(".js")]
    others = ("sequenceDiagram", "ganttDiagram", "mindmap-definition", "gitGraphDiagram", "cytoscape", "katex")
    assert [script for script in scripts if any(other in script for other in others)] == []
    assert any("flowDiagram" in script for script in scripts)
