"""What a key press in a large document touches: counts, which hardly depend on the machine. Milliseconds are in `tests/bench/key_presses.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from playwright.async_api import CDPSession, WebSocket
    from serving import Served

LARGE = (
    "# Large\n\n- [ ] first\n- [x] second\n\n"
    + "\n\n".join(f"## Part {part}\n\n{'words of it and ' * 40}**{part}**\n\n- one\n- two" for part in range(900))
    + "\n"
)
"""Some 650 kB."""
TYPED = "the tide comes in and goes out again, all through the night "
WATCH = """
() => {
  const preview = document.querySelector('#preview')
  const touched = (window.touched = { made: 0, attributes: 0, anew: 0 })
  const options = { subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true }
  new MutationObserver((records) => {
    for (const { type, target, addedNodes, attributeName, oldValue } of records) {
      // The editor's library does as it does.
      if (target.parentElement?.closest('.cm-editor')) continue
      if (preview.contains(target)) touched.made += addedNodes.length
      if (type === 'attributes') touched.attributes += 1
      if (type === 'attributes' && target.getAttribute(attributeName) === oldValue) touched.anew += 1
    }
  }).observe(document.body, options)
}
"""
COUNTERS = ("LayoutCount", "RecalcStyleCount")
DRAWN = "() => document.querySelector('.md-sheet[aria-busy=false] .md-box') !== null"
SETTLED = """
() => new Promise((resolve) => {
  const sheet = document.querySelector('.md-sheet')
  const look = (before) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const now = sheet.ariaBusy === 'false' ? sheet.querySelectorAll('*').length : 0
    if (now > 0 && now === before) resolve()
    else look(now)
  }))
  look(0)
})
"""
"""Until a frame has passed in which nothing more came near the screen: what is drawn moves the rest."""


async def counted(session: CDPSession, *names: str) -> list[float]:
    """Chromium's own counters."""
    told = {each["name"]: each["value"] for each in (await session.send("Performance.getMetrics"))["metrics"]}
    return [told[name] for name in names]


async def test_a_key_press_in_a_large_document_changes_its_words_and_little_else(shared_server: Served, company: Company) -> None:
    shared_server.write("large.md", LARGE)
    ann = await company.join("Ann", shared_server)
    sent: list[int] = []

    def connected(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(len(frame)))

    page = await ann.new_page()
    page.on("websocket", connected)
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(f"{shared_server.url}/edit/large.md")
    await page.locator('.cm-content[contenteditable="true"]').wait_for()
    await page.locator("#modes [data-mode=split]").click()
    await page.wait_for_function(DRAWN, timeout=MILLISECONDS * 3)
    await page.locator(".cm-content").focus()
    await page.evaluate("() => collab.view.dispatch({ selection: { anchor: collab.view.state.doc.line(3).to } })")
    box = page.locator("#preview").get_by_role("checkbox").first
    await page.keyboard.type(" so")
    await expect(box).to_have_accessible_name("first so")
    await page.evaluate(SETTLED)
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await page.evaluate(WATCH)
    sent.clear()
    before = await counted(session, *COUNTERS)
    await page.keyboard.type(TYPED, delay=40)
    await expect(box).to_have_accessible_name(f"first so{TYPED.rstrip()}")
    layouts, styles = [now - then for now, then in zip(await counted(session, *COUNTERS), before, strict=True)]
    touched = await page.evaluate("window.touched")
    keys = len(TYPED)
    # Words are put into the text that is there: no element is made for them.
    assert touched["made"] == 0
    # What stays as it was is not set again: each time costs styles, and maybe a frame.
    assert touched["anew"] < keys, touched
    assert touched["attributes"] < keys * 5, touched
    # One layout for the key and one for the frame; what others are told comes at its own pace.
    assert layouts < keys * 5, layouts
    assert styles < keys * 5, styles
    assert sum(sent) < keys * 160, sent
