"""READ-1, READ-3, READ-7: pages for readers in a real browser, as on a phone: read, see a change, go offline, come back, lose the right, sign out."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import string
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from e2e.people import comes_true
from e2e.test_accessibility import FITS, faults
from e2e.test_attachments import until_shown
from e2e.test_preview_attacks import CORPUS, TRIPWIRES, cases
from e2e.walk import PAPER, PIXEL, STUDY
from playwright.async_api import Error, expect
from serving import PATIENCE

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Page, Request, Route
    from serving import Served

PHONE: dict[str, Any] = {"is_mobile": True, "has_touch": True}


async def phone(person: Person) -> Page:
    page = await person.new_page()
    await page.set_viewport_size({"width": 360, "height": 740})
    return page


async def is_kept(page: Page, path: str) -> None:
    """Until the device keeps it: its cache is there before the page is in it."""
    await comes_true(page, "async (path) => (await caches.match(path)) !== undefined", arg=path)


async def test_read_7_a_page_is_live_kept_and_dropped(shared_server: Served, company: Company) -> None:
    rae = await company.join("Rae", shared_server, "viewer", **PHONE)
    ann = await company.join("Ann", shared_server)
    shared_server.write("reading/paper.md", PAPER + "\n\n" + "\n\n".join(f"paragraph {number}" for number in range(80)))
    (shared_server.root / "reading" / "logo.png").write_bytes(PIXEL)
    page = await phone(rae)
    address = f"{shared_server.url}/v/reading/paper.md"
    await page.goto(address)
    live = page.locator("#live")
    await expect(live).to_have_attribute("data-state", "live")
    await is_kept(page, "/v/reading/paper.md")
    await is_kept(page, "/v/")

    # What is seen stays where it is, when something comes above it.
    await page.locator("text=paragraph 60").scroll_into_view_if_needed()
    top = await page.locator("text=paragraph 60").evaluate("(each) => each.getBoundingClientRect().top")
    editor = await ann.open("reading/paper.md")
    await editor.type("# Brand new\n\nwords\n\n", at="Control+Home")
    await editor.type("words at the end", at="Control+End")
    await expect(page.locator("#body")).to_contain_text("words at the end")
    assert abs(await page.locator("text=paragraph 60").evaluate("(each) => each.getBoundingClientRect().top") - top) < 2

    await rae.context.set_offline(True)
    await expect(live).to_have_attribute("data-state", "offline")
    await page.reload()
    await expect(page.locator("h1").first).to_be_visible()
    await expect(live).to_contain_text("Kept on this device")

    # Back on the network it goes on where it was, without being loaded anew.
    await page.evaluate("document.body.dataset.same = 'yes'")
    await editor.type("typed meanwhile\n\n", at="Control+Home")
    await editor.saved()
    await rae.context.set_offline(False)
    await expect(page.locator("#body")).to_contain_text("typed meanwhile")
    await expect(live).to_have_attribute("data-state", "live")
    await editor.type("and once more\n\n", at="Control+Home")
    await expect(page.locator("#body")).to_contain_text("and once more")
    assert await page.evaluate("document.body.dataset.same") == "yes"

    await rae.context.set_offline(True)
    await page.goto(f"{shared_server.url}/v/")
    await rae.context.set_offline(False)
    await page.goto(address)
    await expect(live).to_have_attribute("data-state", "live")
    await expect(page.locator("#body")).to_contain_text("Brand new")

    await page.goto(f"{shared_server.url}/")
    await page.locator("#grid[aria-busy='false']").wait_for(state="attached")
    await page.evaluate("fetch('/api/session', { method: 'DELETE' })")
    await page.goto(address)
    await expect(page.locator("h1")).to_have_text("Sign in to read this")
    await comes_true(page, "async () => !(await caches.keys()).some((name) => name.startsWith('collab-reading '))")


async def test_read_7_a_page_that_is_kept_anew_keeps_its_pictures(shared_server: Served, company: Company) -> None:
    """It is fetched anew while its pictures are, for one when the document changed just as it was opened."""
    rae = await company.join("Rae", shared_server, "viewer", **PHONE)
    shared_server.write("kept/plan.md", "# Plan\n\n![A logo](logo.png)\n")
    (shared_server.root / "kept" / "logo.png").write_bytes(PIXEL)
    page = await phone(rae)
    await page.goto(f"{shared_server.url}/v/kept/plan.md")
    await is_kept(page, "/v/kept/plan.md")
    await page.evaluate(
        """async () => {
          const picture = document.querySelector('#body img').src
          const anew = () => fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-cache' })
          await Promise.all([...Array(20)].flatMap(() => [anew(), fetch(picture)]))
        }"""
    )
    await comes_true(page, "async () => (await caches.match(document.querySelector('#body img').src)) !== undefined")
    await rae.context.set_offline(True)
    await page.reload()
    await expect(page.locator("#live")).to_contain_text("Kept on this device")
    await until_shown(page.locator("#body img"))


async def test_read_7_a_device_without_room_shows_pages_and_keeps_what_it_has(shared_server: Served, company: Company) -> None:
    rae = await company.join("Rae", shared_server, "viewer", **PHONE)
    shared_server.write("full/plan.md", "# Plan\n")
    page = await phone(rae)
    await page.goto(f"{shared_server.url}/v/full/plan.md")
    await is_kept(page, "/v/full/plan.md")
    # It is found while it is still being written: the answer to this comes behind that.
    await page.evaluate("fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-cache' })")
    cdp = await rae.context.new_cdp_session(page)
    await cdp.send("Storage.overrideQuotaForOrigin", {"origin": shared_server.url, "quotaSize": 1})
    await page.evaluate("caches.delete('collab-reading-assets')")
    await page.reload()
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")

    await rae.context.set_offline(True)
    await page.reload()
    await expect(page.locator("h1").first).to_have_text("Plan")


async def test_read_7_a_page_whose_renewal_never_comes_lets_go_of_it_with_its_connection(shared_server: Served, company: Company) -> None:
    # What a service worker fetches is no request of the page.
    rae = await company.join("Rae", shared_server, "viewer", service_workers="block", **PHONE)
    shared_server.write("late/old.md", "# Late\n")
    page = await phone(rae)
    await page.goto(f"{shared_server.url}/v/late/old.md")
    live = page.locator("#live")
    await expect(live).to_have_attribute("data-state", "live")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.headers.get("accept") == "text/html":
            held.set()
        elif held.is_set():
            # It would be back before anybody has seen it offline.
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/v/**", hold)
    (shared_server.root / "late" / "old.md").rename(shared_server.root / "late" / "new.md")
    await asyncio.wait_for(held.wait(), PATIENCE)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(live).to_have_attribute("data-state", "offline")
    await page.unroute("**/v/**", hold)
    await expect(page.locator("#bar .name")).to_have_text("new.md")
    shared_server.write("late/new.md", "# Late\n\nbut whole\n")
    await expect(page.locator("#body")).to_contain_text("but whole")
    await expect(live).to_have_attribute("data-state", "live")


async def test_read_6_who_reads_by_a_link_is_told_when_it_is_taken_back_and_the_device_keeps_nothing(
    shared_server: Served, company: Company
) -> None:
    shared_server.write("lent/plan.md", "# Plan\n\nfor Gus\n")
    shared_server.write("lent/other.md", "# Other\n")
    ann = await company.join("Ann", shared_server, "owner")
    shares, own = f"{shared_server.url}/api/documents/lent%2Fplan.md/shares", {"Origin": shared_server.url}
    made = await ann.context.request.post(shares, data={"kind": "link", "role": "viewer"}, headers=own)
    share = await made.json()
    gus = await company.join("Gus", shared_server, None, **PHONE)
    page = await phone(gus)
    await page.goto(share["address"])
    await page.get_by_label("Your name").fill("Gus")
    await page.get_by_role("button", name="Open").click()
    live = page.locator("#live")
    await expect(live).to_have_attribute("data-state", "live")
    assert page.url == f"{shared_server.url}/v/lent/plan.md"
    await is_kept(page, "/v/lent/plan.md")

    assert (await ann.context.request.delete(f"{shares}/{share['id']}", headers=own)).ok
    await expect(live).to_have_attribute("data-state", "over")
    await expect(live).to_contain_text("You may not read this document any more")
    await expect(page.locator("body")).not_to_contain_text("for Gus")
    await comes_true(page, "async () => !(await caches.keys()).some((name) => name.endsWith(' /v/lent/plan.md'))")
    # Neither with a network nor without one.
    await page.reload()
    await expect(page.locator("h1")).to_have_text("You may not read this")
    await gus.context.set_offline(True)
    with pytest.raises(Error, match=r"ERR_INTERNET_DISCONNECTED|ERR_FAILED"):
        await page.reload()


async def test_read_1_every_kind_of_page_is_whole_without_a_script_and_can_be_used_by_everybody(
    shared_server: Served, company: Company
) -> None:
    nobody_runs = await company.join("Noa", shared_server, "viewer", java_script_enabled=False, **PHONE)
    reader = await company.join("Rae", shared_server, color_scheme="dark", **PHONE)
    files = {
        "p.md": PAPER,
        "s.ipynb": STUDY,
        "d.csv": "name,value\nann,3\n",
        "x.py": "def f():\n    return 1  # one\n",
        "t.txt": "plain\n",
        "b.ipynb": "{",
    }
    for name, body in files.items():
        shared_server.write(f"kinds/{name}", body)
    (shared_server.root / "kinds" / "logo.png").write_bytes(PIXEL)
    page, still = await phone(reader), await phone(nobody_runs)
    found: list[str] = []
    for name in (*files, "logo.png", "nowhere.md", ""):
        address = f"{shared_server.url}/v/kinds/{name}" if name else f"{shared_server.url}/v/"
        await page.goto(address)
        found += [f"{name}: {fault}" for fault in await faults(page)]
        found += [f"{name}: {key}: {value}" for key, value in (await page.evaluate(FITS)).items() if value]
        if name and name != "nowhere.md":
            await still.goto(address)
            assert (await still.locator("#body").inner_text()).strip() or name == "logo.png"
            assert await still.locator("#body").inner_html() == await page.locator("#body").inner_html()
    assert found == []
    reader.seen.tempted = True


async def test_read_1_a_document_of_ten_kilobytes_is_less_than_thirty_on_the_way(shared_server: Served, company: Company) -> None:
    """All that a browser without scripts asks for, headers and pictures of the page included."""
    words = random.Random(8)
    text = "# Small\n"
    while len(text) < 10_000:
        text += f"\n{'#' * words.randint(2, 4)} {words.getrandbits(40):x}\n\n"
        text += " ".join("".join(words.choices(string.ascii_lowercase, k=words.randint(2, 9))) for _ in range(60)) + ".\n"
    shared_server.write("small/paper.md", text)
    noa = await company.join("Noa", shared_server, "viewer", java_script_enabled=False, **PHONE)
    page = await phone(noa)
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))  # noqa: PLW0108 - playwright marks what listens
    await page.goto(f"{shared_server.url}/v/small/paper.md", wait_until="networkidle")
    sizes = {each.url: await each.sizes() for each in asked}
    assert f"{shared_server.url}/v/small/paper.md" in sizes
    assert not [url for url in sizes if url.endswith(".js")]
    assert sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes.values()) < 30_000, sizes


def attacks(kind: str) -> str:
    """The whole corpus as a document of this kind."""
    from reading.test_clean import kinds  # noqa: PLC0415 - the same corpus, in every kind of document

    texts = [text for path in CORPUS for _, text in cases(path)]
    if kind == "csv":
        table = io.StringIO()
        csv.writer(table).writerows([texts[:2], *zip(texts[::2], texts[1::2], strict=False)])
        return table.getvalue()
    if kind == "svg":
        return '<svg xmlns="http://www.w3.org/2000/svg" onload="attack()"><script>top.attack(), attack()</script></svg>'
    return kinds("\n\n".join(texts))[f"x.{kind}"]


@pytest.mark.parametrize("kind", ["md", "ipynb", "csv", "py", "svg"])
async def test_read_3_nothing_of_any_attack_runs(shared_server: Served, company: Company, kind: str) -> None:
    """When it comes as a change, and when it is there; in the name, too."""
    rae = await company.join("Rae", shared_server, "viewer")
    await rae.context.add_init_script(TRIPWIRES)
    page = await rae.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    name = f"attacks/'\"><img src=x onerror=attack('{kind}')>.{kind}"
    shared_server.write(name, "start\n")
    async with page.expect_response(lambda response: response.url.endswith("/visit")):
        await page.goto(f"{shared_server.url}/v/{quote(name)}")
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")
    start = await page.evaluate("document.body.dataset.version")
    shared_server.write(name, attacks(kind))
    if kind != "svg":
        await page.locator("#body > :nth-child(3)").wait_for(state="attached")
    for anew in (False, True):
        if anew:
            await page.reload()
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
            assert kind == "svg" or await page.evaluate("document.body.dataset.version") != start
        assert await page.locator("#body > *").count() >= (1 if kind == "svg" else 3)
        await page.evaluate(
            "() => { for (const each of document.querySelectorAll('body *')) { each.dispatchEvent(new Event('mouseover')); if (each.matches('details')) each.open = true; each.focus?.() } }"
        )
        assert await page.evaluate("attacked") == []
        assert (
            await page.locator(
                "[onerror], body :is(script, iframe, object, embed, form, style, link, meta, base, svg, video, audio)"
            ).count()
            == 0
        )
    await expect(page.locator(".name")).to_have_text(name.rpartition("/")[2])
    await page.goto(f"{shared_server.url}/v/")
    await expect(page.locator("main")).to_contain_text(f"onerror=attack('{kind}')>")
    await page.goto(f"{shared_server.url}/v/{quote(name)}.gone")
    await expect(page.locator("main")).to_contain_text(f"onerror=attack('{kind}')>")
    assert await page.locator("main img, [onerror]").count() == 0
    assert await page.evaluate("attacked") == []
    assert [url for url in asked if not url.startswith((shared_server.url, "data:"))] == []
