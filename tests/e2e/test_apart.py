"""What the policies of our pages mean to a real browser: a page without an origin, and a worker that is bound too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.people import Company

PAGE = "<!doctype html><title>page</title><body></body>"
DRAWING = '<!doctype html><title>drawing</title><script type="module" crossorigin src="__BASE__/static/assets/draw.js"></script>'
PARTS = {
    "draw.js": """
import { one } from './one.js'
const { two } = await import('./two.js')
document.documentElement.append(Object.assign(document.createElement('style'), { textContent: 'html { color: rgb(1, 2, 3) }' }))
const tried = async (act) => { try { return await act() } catch (error) { return error.name } }
const picture = (src) => new Promise((resolve) => {
  const image = new Image()
  image.onload = () => resolve(true)
  image.onerror = () => resolve(false)
  image.src = src
})
parent.postMessage({
  one, two,
  color: getComputedStyle(document.documentElement).color,
  origin: self.origin,
  fetched: await tried(() => fetch('/api/session').then(() => true)),
  cookie: await tried(() => document.cookie),
  store: await tried(() => localStorage.length),
  parent: await tried(() => parent.document.title),
  drawn: await picture('data:image/svg+xml,' + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')),
  foreign: await picture('http://127.0.0.2:9/pixel.png'),
}, '*')
""",
    "one.js": "export const one = 1",
    "two.js": "export const two = 2",
    "work.js": """
import('./two.js').then(async ({ two }) => postMessage({
  two,
  ours: await fetch('/healthz').then((answer) => answer.status),
  foreign: await fetch('http://127.0.0.2:9/').catch((error) => error.name),
  evaluated: (() => { try { return eval('1') } catch (error) { return error.name } })(),
}))
""",
}
SHOW = """
() => new Promise((resolve) => {
  addEventListener('message', ({ data, origin }) => resolve({ ...data, from: origin }))
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.src = '/diagram'
  document.body.append(frame)
})
"""
WORK = """
() => new Promise((resolve) => {
  const trusted = trustedTypes.createPolicy('collab', { createScriptURL: (address) => address })
  new Worker(trusted.createScriptURL('/static/assets/work.js'), { type: 'module' }).onmessage = ({ data }) => resolve(data)
})
"""


@pytest.fixture(scope="module")
def bare_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose client has nothing but what these tests try."""
    folder = tmp_path_factory.mktemp("bare")
    with serving(folder, COLLAB_CLIENT=str(_client(folder / "client"))) as served:
        yield served


def _client(folder: Path) -> Path:
    (folder / "assets").mkdir(parents=True)
    for name in ("index", "login", "edit"):
        (folder / f"{name}.html").write_text(PAGE, "utf-8")
    (folder / "diagram.html").write_text(DRAWING, "utf-8")
    for name, script in PARTS.items():
        (folder / "assets" / name).write_text(script, "utf-8")
    return folder


async def test_the_diagram_page_draws_and_reads_nothing_and_reaches_nobody(bare_server: Served, company: Company) -> None:
    """HTTP-10."""
    ann = await company.join("Ann", bare_server)
    page = await ann.new_page()
    await page.goto(bare_server.url + "/login")
    ann.seen.tempted = True

    assert await page.evaluate(SHOW) == {
        "one": 1,
        "two": 2,
        "color": "rgb(1, 2, 3)",
        "origin": "null",
        "from": "null",
        "fetched": "TypeError",
        "cookie": "SecurityError",
        "store": "SecurityError",
        "parent": "SecurityError",
        "drawn": True,
        "foreign": False,
    }


async def test_a_worker_runs_our_scripts_and_asks_our_server_only(bare_server: Served, company: Company) -> None:
    """HTTP-3."""
    ann = await company.join("Ann", bare_server)
    page = await ann.new_page()
    await page.goto(bare_server.url + "/login")
    ann.seen.tempted = True

    assert await page.evaluate(WORK) == {"two": 2, "ours": 200, "foreign": "TypeError", "evaluated": "EvalError"}
