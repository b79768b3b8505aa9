"""People sign in with an account or by a real provider in a real browser, look where they are signed in, and end it (SIGN)."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import asking
import pytest
from e2e.people import Editor
from e2e.test_accessibility import FITS, faults
from e2e.test_kept import dropped
from e2e.test_settings import show
from e2e.test_sharing import NO_SOCKETS
from e2e.walk import Look
from oidc.served import SECRET, Provided, provided
from playwright.async_api import expect
from serving import Served, free_port, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.people import Company, Person
    from playwright.async_api import Locator, Page, Route

PASSWORD = "correct horse battery"
PHONE: dict[str, Any] = {
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
}


def command(served: Served, *arguments: str, typed: str = "") -> str:
    done = subprocess.run(
        served.command(*arguments), input=typed, capture_output=True, text=True, env=served.variables(), timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def provider_and_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provided, Served]]:
    """A provider, and a server where its staff owns everything; Cyd has an account there, and a folder that was shared with her group."""
    folder, port = tmp_path_factory.mktemp("accounts"), free_port()
    served = Served(folder / "root", folder / "state", {"COLLAB_SAVE_DELAY": "0.5"}, port)
    with provided(served.url) as provider:
        served.environment |= {
            "COLLAB_OIDC_ISSUER": provider.issuer,
            "COLLAB_OIDC_CLIENT_ID": "collab",
            "COLLAB_OIDC_CLIENT_SECRET": SECRET,
            "COLLAB_OIDC_NAME": "The Institute",
            "COLLAB_OWNERS_GROUP": "staff",
        }
        (served.root / "lab").mkdir(parents=True)
        (served.root / "lab" / "plan.md").write_text("start\n")
        (served.root / "private.md").write_text("private\n")
        with running(served):
            command(served, "user", "add", "cyd", "--display", "Cyd Ó Briain", "--group", "chemistry", typed=PASSWORD + "\n")
            command(served, "share", "add", "lab", "--group", "chemistry", "--role", "editor")
            yield provider, served


@pytest.fixture
def institute(provider_and_server: tuple[Provided, Served]) -> Served:
    return provider_and_server[1]


async def sized(person: Person, width: int = 900) -> Page:
    page = await person.new_page()
    await page.set_viewport_size({"width": width, "height": 740})
    return page


async def looked_at(page: Page, name: str, look: Look | None = None) -> None:
    """Nothing is wrong with the page as axe and a small screen see it; a picture for people, where they want them."""
    folder = os.environ.get("COLLAB_SHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}{'' if look is None else f'-{look.width}-{look.theme}'}.png")
    fits: dict[str, Any] = await page.evaluate(FITS)
    assert await faults(page) == []
    assert [f"{key}: {value}" for key, value in fits.items() if value] == []


async def log_in(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("Account").fill("cyd")
    await page.get_by_label("Password").fill(password)
    # A window may be closed before it is known which page came.
    await page.get_by_role("button", name="Sign in", exact=True).click(no_wait_after=True)


async def through_the_provider(page: Page, login: str) -> None:
    """By the button on our page, and the form on the provider's own."""
    await page.get_by_role("link", name="Sign in with The Institute").click()
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill("x")
    # As in `log_in`.
    await page.locator("button[type=submit]").click(no_wait_after=True)


async def test_an_account_signs_in_types_and_signs_out(institute: Served, company: Company) -> None:
    """SIGN-6."""
    institute.write("lab/signed-in.md", "start\n")
    cyd = await company.join("Cyd", institute, None)
    editor = await cyd.visit("lab/signed-in.md")
    page = editor.page
    note = await editor.refused("You are not signed in")
    async with cyd.context.expect_page() as opened:
        await note.get_by_role("button", name="Sign in").click()
    window = await opened.value
    await log_in(window, "wrong")
    await expect(window.get_by_role("alert")).to_have_text("The account or the password is wrong.")
    await expect(window.get_by_label("Account")).to_have_value("cyd")
    await expect(window.get_by_label("Password")).to_be_focused()
    async with window.expect_event("close"):
        await log_in(window)

    # The page that waited goes on by itself.
    await editor.ready()
    await editor.sees("Cyd Ó Briain")
    await editor.type("Words. ", at="Control+Home")
    await editor.saved()
    await institute.shows("lab/signed-in.md", "Words. start\n")
    # Whoever leaves words in the browser is asked before the way out.
    await dropped(page)

    await page.goto(f"{institute.url}/")
    await expect(page.locator("#rows .open bdi")).to_have_text(["lab"])
    await expect(page.get_by_role("link", name="private.md")).to_have_count(0)
    (cookie,) = await cyd.context.cookies()
    await page.locator("#me").get_by_role("button").first.click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(institute.url + "/login")
    assert await cyd.context.cookies() == []
    answer = await cyd.context.request.get(institute.url + "/api/session", headers={"Cookie": f"{cookie['name']}={cookie['value']}"})
    assert answer.status == 401
    await page.goto(f"{institute.url}/edit/lab/signed-in.md")
    await editor.refused("You are not signed in")


async def test_a_person_of_the_provider_comes_back_to_where_they_wanted_to_go(institute: Served, company: Company) -> None:
    """SIGN-6, SIGN-8: with their name, and what their groups may do."""
    ada = await company.join("Ada", institute, None)
    page = await sized(ada)
    await page.goto(f"{institute.url}/v/private.md")
    await page.get_by_role("link", name="Sign in", exact=True).click()
    await expect(page.get_by_role("link", name="Sign in with The Institute")).to_be_visible()
    await looked_at(page, "ways")
    await through_the_provider(page, "ada")
    await page.wait_for_url(f"{institute.url}/v/private.md")
    await expect(page.locator("#body")).to_have_text("private")
    editor = await ada.open("lab/plan.md")
    await editor.sees("Ada Lovelace")

    # Her groups own everything; his were given one folder.
    bob = await company.join("Bob", institute, None)
    his = await sized(bob)
    await his.goto(f"{institute.url}/?path=lab")
    await his.get_by_role("link", name="Sign in", exact=True).click()
    await through_the_provider(his, "bob")
    await his.wait_for_url(f"{institute.url}/?path=lab")
    await expect(his.locator("#me")).to_contain_text("Bob Øre")
    await his.get_by_role("link", name="plan.md", exact=True).click()
    await Editor(his).ready()
    await editor.sees("Ada Lovelace", "Bob Øre")
    await his.goto(f"{institute.url}/v/private.md")
    await expect(his.locator("h1")).to_have_text("You may not read this")

    # Out here, and then out at the provider.
    await page.goto(f"{institute.url}/")
    await page.locator("#me").get_by_role("button").first.click()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await page.wait_for_url(institute.url + "/login")
    await page.get_by_role("link", name="Sign in with The Institute").click()
    await expect(page.locator("input[name=password]")).to_be_visible()


async def test_a_page_that_waits_goes_on_when_somebody_came_back_from_the_provider(institute: Served, company: Company) -> None:
    bob = await company.join("Bob", institute, None)
    editor = await bob.visit("lab/plan.md")
    note = await editor.refused("You are not signed in")
    async with bob.context.expect_page() as opened:
        await note.get_by_role("button", name="Sign in").click()
    window = await opened.value
    await through_the_provider(window, "bob")
    await editor.ready()
    await editor.sees("Bob Øre")
    await until(window.is_closed)


async def signed_in(person: Person) -> Person:
    """By the account, without showing the page for it."""
    answer = await person.context.request.post(
        f"{person.served.url}/api/session", data={"account": "cyd", "password": PASSWORD}, headers={"Origin": person.served.url}
    )
    assert answer.ok, await answer.text()
    return person


async def counted(served: Served, metric: str) -> float:
    told = (await asyncio.to_thread(asking.get, f"{served.url}/metrics", timeout=60)).text
    return sum(float(line.rpartition(" ")[2]) for line in told.splitlines() if re.match(rf"{metric}[{{ ]", line))


async def session_list(page: Page) -> Locator:
    await show(page)
    # What has scrolled half under the window's heading would be too small a target, as axe sees it.
    await page.locator(".settings header").evaluate("(each) => { each.style.position = 'static' }")
    found = page.locator(".settings .sessions")
    await expect(found.locator("li").first).to_be_visible()
    await found.scroll_into_view_if_needed()
    return found


async def is_over_and_stays_so(person: Person, editor: Editor) -> None:
    """The page says so, its sockets are closed, and in ten minutes it asks nobody again."""
    await editor.refused("You are not signed in")
    await until(lambda: all(socket.is_closed() for socket in person.seen.sockets))
    sockets, refused = len(person.seen.sockets), await counted(person.served, "collab_refusals_total")
    await editor.page.clock.fast_forward("10:00")
    # What it would do is done when it has answered this, and the server the next.
    await editor.page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    assert len(person.seen.sockets) == sockets
    assert await counted(person.served, "collab_refusals_total") == refused


async def test_sessions_are_listed_and_ended_and_a_page_whose_session_ended_says_so_and_is_quiet(
    institute: Served, company: Company
) -> None:
    """SIGN-1, SIGN-7."""
    laptop = await signed_in(await company.join("Laptop", institute, None))
    # Other tests of this server were not so tidy.
    assert (await laptop.context.request.delete(f"{institute.url}/api/sessions?others", headers={"Origin": institute.url})).ok
    phone = await signed_in(await company.join("Phone", institute, None, **PHONE))
    theirs = Editor(await sized(phone, 360))
    await theirs.page.clock.install()
    await theirs.page.goto(f"{institute.url}/edit/lab/plan.md")
    await theirs.ready()
    reading = await sized(phone, 360)
    await reading.goto(f"{institute.url}/v/lab/plan.md")
    await expect(reading.locator("#live")).to_have_attribute("data-state", "live")
    ours = await laptop.open("lab/plan.md")

    listed = await session_list(ours.page)
    await looked_at(ours.page, "sessions")
    await expect(listed.locator("li")).to_have_count(2)
    other = listed.locator("li").filter(has_text="Android")
    await expect(listed.locator("li").filter(has_text="This one")).to_have_count(1)
    await other.get_by_role("button", name="End").press("Enter")
    await expect(other).to_have_count(0)
    await expect(listed.get_by_role("heading")).to_be_focused()
    await expect(reading.locator("#live")).to_contain_text("You are not signed in any more")
    # Now nobody but the other page could be refused.
    await is_over_and_stays_so(phone, theirs)
    await looked_at(theirs.page, "session-ended-phone")
    await expect(reading.locator("#live").get_by_role("link", name="Sign in")).to_be_visible()
    await looked_at(reading, "reading-ended-phone")

    # Whoever signs in again goes on in the same page.
    await signed_in(phone)
    await theirs.note("refusal").get_by_role("button", name="Try again").click()
    await theirs.ready()
    await session_list(theirs.page)
    await looked_at(theirs.page, "sessions-phone")

    await ours.page.keyboard.press("Escape")
    listed = await session_list(ours.page)
    await listed.get_by_role("button", name="Sign out everywhere else").click()
    await expect(listed.locator("li")).to_have_count(1)
    await is_over_and_stays_so(phone, theirs)
    await expect(listed.get_by_role("button", name="Sign out everywhere else")).to_have_count(0)
    await ours.page.keyboard.press("Escape")
    await ours.type("Still here. ", at="Control+Home")
    await ours.saved()

    listed = await session_list(ours.page)
    await listed.get_by_role("button", name="Sign out everywhere").click()
    await ours.page.wait_for_url(f"{institute.url}/login")
    await ours.page.goto(f"{institute.url}/edit/lab/plan.md")
    await ours.refused("You are not signed in")


async def test_a_password_is_changed_in_the_settings_and_signs_out_everywhere_else(institute: Served, company: Company) -> None:
    """SIGN-4."""
    laptop, phone = [await signed_in(await company.join(name, institute, None)) for name in ("Laptop", "Phone")]
    theirs, page = await phone.open("lab/plan.md"), (await laptop.open("lab/plan.md")).page
    listed = await session_list(page)
    window = page.get_by_role("dialog")
    await window.get_by_text("Change password").click()
    for password in ("wrong", PASSWORD):
        await window.get_by_label("Password now").fill(password)
        await window.get_by_label("New password").fill(PASSWORD)
        await window.get_by_role("button", name="Change", exact=True).click()
        if password == "wrong":
            await expect(window.get_by_text("That is not the password")).to_be_visible()
            await looked_at(page, "password")
    await expect(window.get_by_text("Your password is another one now")).to_be_visible()
    await expect(listed.locator("li")).to_have_count(1)
    await theirs.refused("You are not signed in")
    await signed_in(phone)


@pytest.mark.parametrize("way", ["a socket", "plain HTTP"])
async def test_who_signs_in_again_in_another_tab_goes_on_in_the_first(way: str, institute: Served, company: Company) -> None:
    """SIGN-5: the session of before is over, and a new one is there: nobody has to do anything."""
    name = f"lab/again {way}.md"
    institute.write(name, "start\n")
    cyd = await signed_in(await company.join("Cyd", institute, None))
    page = await cyd.new_page()
    if way == "plain HTTP":
        await page.add_init_script(NO_SOCKETS)
    await page.goto(f"{institute.url}/edit/{quote(name)}")
    editor = await Editor(page).ready()
    await editor.type("one ", at="Control+Home")
    await editor.saved()
    here = asyncio.Event()

    async def held(route: Route) -> None:
        await here.wait()
        await route.continue_()

    # The page asks a moment after its session ended: a busy machine may bring the new cookie later.
    await page.route("**/api/session", held)
    async with page.expect_response(lambda answer: answer.url.endswith("/api/session") and answer.ok):
        await signed_in(cyd)
        here.set()
    await editor.type("two ")
    await editor.saved()
    await expect(editor.note("refusal")).to_have_count(0)
    await institute.shows(name, "one two start\n")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
async def test_every_page_on_the_way_in_can_be_used_by_everybody(institute: Served, company: Company, width: int, theme: str) -> None:
    look = Look(width, theme)
    link = command(institute, "share", "add", "lab/plan.md", "--link", "--role", "viewer", "--password", typed="open sesame\n").split()[-1]
    gus, cyd = [await company.join(name, institute, None, **look.settings) for name in ("Gus", "Cyd")]
    page = await sized(gus, width)
    await page.goto(f"{institute.url}/login")
    await expect(page.get_by_label("Account")).to_be_focused()
    await looked_at(page, "login", look)
    await log_in(page, "wrong")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Password")).to_be_focused()
    await looked_at(page, "login-wrong", look)
    await page.get_by_role("button", name="I have an address").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_label("Address or secret")).to_be_focused()
    await looked_at(page, "login-printed", look)

    await page.goto(link)
    await looked_at(page, "link", look)
    await page.get_by_label("Your name").fill("Gus")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Open").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await looked_at(page, "link-wrong", look)
    await page.get_by_label("Password").fill("open sesame")
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")
    await looked_at(page, "reader", look)
    for name, address in {"link-unknown": "/s/unknown", "reader-refused": "/v/private.md"}.items():
        await page.goto(institute.url + address)
        await expect(page.get_by_role("heading").first).to_be_visible()
        await looked_at(page, name, look)

    editor = await (await signed_in(cyd)).open("lab/plan.md")
    await editor.page.set_viewport_size({"width": width, "height": 740})
    await session_list(editor.page)
    await looked_at(editor.page, "sessions", look)


async def test_without_scripts_one_signs_in_in_ones_own_language_and_reads(institute: Served, company: Company) -> None:
    """SIGN-6."""
    cyd = await company.join("Cyd", institute, None, java_script_enabled=False, locale="de-DE")
    page = await sized(cyd)
    await page.goto(f"{institute.url}/v/lab/plan.md")
    await page.get_by_role("link", name="Anmelden", exact=True).click()
    await expect(page.get_by_role("link", name="Anmelden mit The Institute")).to_be_visible()
    for password in ("wrong", PASSWORD):
        await page.get_by_label("Konto").fill("cyd")
        await page.get_by_label("Passwort").fill(password)
        await page.get_by_role("button", name="Anmelden", exact=True).click()
        if password == "wrong":
            await expect(page.get_by_role("alert")).to_have_text("Konto oder Passwort ist falsch.")
    await page.wait_for_url(f"{institute.url}/v/lab/plan.md")
    await expect(page.locator("#body")).to_contain_text("start")
    await page.goto(f"{institute.url}/login/done")
    await expect(page.get_by_role("alert")).to_have_text("Angemeldet. Dieses Fenster kann geschlossen werden.")
    assert [await page.get_by_role(kind).count() for kind in ("heading", "link", "textbox", "button")] == [0, 0, 0, 0]
