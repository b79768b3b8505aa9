"""What people who move cost a page: `python tests/bench/crowd.py --people 200 --seconds 5`, with COLLAB_CLIENT naming another built client.

A Markdown document of 1 MB in 10,000 pieces is open; so many others move their carets ten times a second, a quarter of them on the screen.
A row in Markdown is printed: milliseconds of processor time of the page's main thread for each frame of 1/60 s, median, 95th percentile, greatest; the share
of time in which it worked. What the simulation itself needs is in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.people import FLAGS, Company, chromium  # the folder of the tests is no package
from serving import serving

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

FRAME = 1000 / 60
"""Milliseconds."""
CATEGORIES = ["toplevel", "__metadata", "disabled-by-default-devtools.timeline"]
PIECES = """
(pieces) => {
  const { text } = collab
  text.doc.transact(() => {
    for (let piece = 0; piece < pieces; piece += 1) text.insert((piece * 7919) % text.length, 'x')
  })
}
"""
MOVE = """
([people, seconds]) => new Promise((resolve) => {
  const { text, view } = collab
  const { awareness } = collab.provider
  const items = []
  for (let item = text._start; item !== null; item = item.right) if (!item.deleted) items.push(item.id)
  const near = items.filter((_, index) => index < items.length * view.viewport.to / view.state.doc.length)
  const start = performance.now()
  let turn = 0
  const place = (from) => {
    const { client, clock } = from[(turn * 7919) % from.length]
    return { type: null, tname: 'content', item: { client, clock }, assoc: 0 }
  }
  const move = (person) => {
    turn += 1
    const head = place(person % 4 === 0 ? near : items)
    const user = { id: `p${person}`, name: `Person ${person}`, color: '#1d4ed8' }
    const state = JSON.parse(JSON.stringify({ user, cursor: { anchor: head, head }, typed: turn, idle: false }))
    const added = !awareness.states.has(person + 1)
    awareness.states.set(person + 1, state)
    awareness.meta.set(person + 1, { clock: turn, lastUpdated: Date.now() })
    awareness.emit('change', [{ added: added ? [person + 1] : [], updated: added ? [] : [person + 1], removed: [] }, 'bench'])
  }
  let person = 0
  const timer = setInterval(() => {
    // Ten times a second each, spread over the time as messages are.
    for (let step = 0; step < people / 25; step += 1) move(person++ % people)
    if (performance.now() - start < seconds * 1000) return
    clearInterval(timer)
    resolve(document.querySelectorAll('.cm-ySelectionCaret:not([hidden])').length)
  }, 4)
})
"""


def busy(trace: dict[str, Any]) -> list[float]:
    """Milliseconds of processor time of the page's main thread in each frame, sorted."""
    events = trace["traceEvents"]
    tasks = [event for event in events if event.get("ph") == "X" and event["name"] == "RunTask"]
    threads = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"}
    work: dict[tuple[int, int], Counter[int]] = {thread: Counter() for thread in threads}
    for task in tasks:
        if (thread := (task["pid"], task["tid"])) in work:
            work[thread][int(task["ts"] / 1000 / FRAME)] += task.get("tdur", 0)
    most = max(work.values(), key=Counter.total)
    return sorted(most[frame] / 1000 for frame in range(min(most), max(most) + 1))


async def measured(browser: Browser, page: Page, people: int, seconds: float) -> tuple[list[float], int]:
    """Frames' work while so many people move, and the carets that were on the screen at the end."""
    await browser.start_tracing(page=page, categories=CATEGORIES)
    seen = await page.evaluate(MOVE, [people, seconds])
    return busy(json.loads(await browser.stop_tracing())), seen


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, action="append")
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        served.write("crowd.md", "\n".join(f"Line {line} of a document in which many people move." for line in range(19_000)))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            editor = await (await Company(browser).join("Ann", served)).open("crowd.md")
            await editor.page.evaluate("document.querySelector('#modes [data-mode=source]')?.click()")
            await editor.page.evaluate(PIECES, 5_000)
            await editor.saved()
            print("| People | Carets seen | Median | 95 % | Greatest | Busy |\n|---|---|---|---|---|---|")
            for people in arguments.people or [0, 50, 200]:
                frames, seen = await measured(browser, editor.page, people, arguments.seconds)
                share = sum(frames) / (len(frames) * FRAME)
                p95 = frames[int(0.95 * len(frames))]
                print(f"| {people} | {seen} | {statistics.median(frames):.1f} | {p95:.1f} | {frames[-1]:.1f} | {share:.0%} |")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
