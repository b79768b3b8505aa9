"""What pages may load and what they give away: a strict policy, no secret in logs, addresses or Referers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from interop.pycrdt_peer import PycrdtPeer

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served

ATTACK = """
() => new Promise((resolve) => {
  const stopped = new Set()
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
    stopped.add(effectiveDirective)
    if (stopped.size === 6) resolve({ attacked: window.attacked ?? false, stopped: [...stopped].sort() })
  })
  const script = document.createElement('script')
  try { script.textContent = 'window.attacked = true' } catch { script.append('window.attacked = true') }
  try { trustedTypes.createPolicy('evil', { createHTML: (markup) => markup }); window.attacked = true } catch {}
  const module = document.createElement('link')
  module.rel = 'modulepreload'
  module.href = 'http://127.0.0.2:9/module.js'
  const style = document.createElement('style')
  style.textContent = 'body { display: none }'
  const picture = document.createElement('img')
  picture.src = 'http://127.0.0.2:9/pixel.png'
  document.body.append(script, module, style, picture)
  fetch('http://127.0.0.2:9/').catch(() => null)
})
"""
STOPPED = ["connect-src", "img-src", "require-trusted-types-for", "script-src-elem", "style-src-elem", "trusted-types"]


@pytest.mark.parametrize("address", ["/", "/login", "/edit/strict.md"])
async def test_every_page_has_a_policy_that_stops_what_is_not_ours(address: str, shared_server: Served, company: Company) -> None:
    shared_server.write("strict.md", "start\n")
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    answer = await page.goto(shared_server.url + address)
    await page.wait_for_load_state("networkidle")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert ann.seen.violations == []

    ann.seen.tempted = True
    assert await page.evaluate(ATTACK) == {"attacked": False, "stopped": STOPPED}


async def test_markup_in_a_document_its_name_or_a_persons_name_is_text(shared_server: Served, company: Company) -> None:
    markup = "<img src=x onerror=alert(1)>"
    shared_server.write(f"{markup}.md", f"{markup}<script>alert(2)</script>\n")
    ann, eve = await company.join("Ann", shared_server), await company.join(markup, shared_server)
    files = await ann.new_page()
    await files.goto(shared_server.url + "/")
    await files.get_by_role("link", name=f"{markup}.md", exact=True).click()
    editor = await ann.open(f"{markup}.md")

    other = await eve.open(f"{markup}.md")
    await other.type("x", at="Control+End")

    await editor.reads(f"{markup}<script>alert(2)</script>\nx")
    await editor.page.locator("#people li").nth(1).wait_for()
    assert await editor.page.locator("[onerror], img[src]").count() == 0
    assert await editor.page.title() == f"{markup}.md · collab"


async def test_no_secret_cookie_or_token_stands_in_a_log_an_address_or_a_referer(server: Served, company: Company) -> None:
    server.environment |= {"COLLAB_LOG_LEVEL": "debug", "COLLAB_AUDIT": "-"}
    await asyncio.to_thread(server.restart)
    server.write("quiet.md", "start\n")
    owner = await company.join("Owner", server, None)
    token = server.token("Script")
    page = await owner.new_page()

    await page.goto(server.address)
    await page.get_by_role("link", name="quiet.md", exact=True).click()
    await page.locator('.cm-content[contenteditable="true"]').press_sequentially("typed ")
    async with PycrdtPeer(server.room("quiet.md", token)) as script:
        await script.until(lambda: script.text == "typed start\n")
    answer = await owner.context.request.get(server.url + "/api/session", headers={"Authorization": f"Bearer {token}"})
    assert (await answer.json())["name"] == "Script"
    await page.locator("#back").click()
    await page.get_by_role("link", name="quiet.md", exact=True).wait_for()

    (cookie,) = await owner.context.cookies()
    hidden = {server.address.partition("#")[2], cookie["value"], token, *token.split("."), *cookie["value"].split(".")}
    hidden -= {token.split(".")[0]}  # the header, which is the same in every token
    log = server.log.read_text()
    assert [secret for secret in hidden if secret in log] == []
    asked = owner.seen.requests
    told = [request.url for request in asked[1:]] + [(await request.all_headers()).get("referer", "") for request in asked]
    assert [words for words in told if any(secret in words for secret in hidden)] == []
    assert {socket.url for socket in owner.seen.sockets} == {f"{server.ws}/collaboration"}
