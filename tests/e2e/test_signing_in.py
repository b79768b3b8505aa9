"""Signing in and out with a real browser, and what it shows to those who are not signed in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from e2e.people import invitation
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served


async def test_the_printed_address_signs_in_once_and_its_second_use_is_refused_in_words(server: Served, company: Company) -> None:
    server.write("notes.md", "start\n")
    owner, late = await company.join("Owner", server, None), await company.join("Late", server, None)
    page, other = await owner.new_page(), await late.new_page()

    await page.goto(server.address)
    await expect(page.get_by_role("link", name="notes.md", exact=True)).to_be_visible()
    await other.goto(server.address)

    await expect(other.locator("#message")).to_contain_text("used already")
    await expect(page).to_have_url(f"{server.url}/")
    await expect(other).to_have_url(f"{server.url}/login")
    assert await late.context.cookies() == []
    (cookie,) = await owner.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (f"collab_{server.port}", True, "Lax", "/")
    assert await page.evaluate("document.cookie") == ""
    await page.go_back()
    assert "#" not in page.url


async def test_login_prints_an_address_for_a_named_person_which_can_be_pasted(shared_server: Served, company: Company) -> None:
    shared_server.write("pasted.md", "start\n")
    printed = await asyncio.to_thread(shared_server.run, "login", "--name", "Ada Lovelace", "--role", "editor")
    ada = await company.join("Ada", shared_server, None)
    page = await ada.new_page()
    await page.goto(shared_server.url + "/login")

    await page.get_by_label("Address or secret").fill(printed.stdout.strip())
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.locator("#me")).to_contain_text("Ada Lovelace")
    editor = await ada.open("pasted.md")
    await editor.sees("Ada Lovelace")


async def test_who_is_not_signed_in_is_told_how_and_goes_on_in_the_same_page_afterwards(shared_server: Served, company: Company) -> None:
    shared_server.write("stranger.md", "start\n")
    ann = await company.join("Ann", shared_server, None)
    files = await ann.new_page()
    await files.goto(shared_server.url + "/")
    await expect(files.locator("#message")).to_contain_text("You are not signed in")
    editor = await ann.visit("stranger.md")
    note = await editor.refused("You are not signed in")
    await editor.is_told("refused")

    await files.goto(invitation(shared_server, "Ann", "editor"))
    await files.wait_for_url(shared_server.url + "/")
    await note.get_by_role("button", name="Try again").click()

    await editor.ready()
    await expect(note).to_have_count(0)
    await editor.reads("start\n")
    await editor.sees("Ann")


async def test_who_signed_out_is_a_stranger_again(shared_server: Served, company: Company) -> None:
    ann = await company.join("Ann", shared_server)
    page = await ann.new_page()
    await page.goto(shared_server.url + "/")
    await expect(page.locator("#me")).to_contain_text("Ann")
    (cookie,) = await ann.context.cookies()

    await page.locator("#me").get_by_role("button").first.click()
    await page.get_by_role("button", name="Sign out").click()

    await page.wait_for_url(shared_server.url + "/login")
    assert await ann.context.cookies() == []
    answer = await ann.context.request.get(shared_server.url + "/api/session", headers={"Cookie": f"{cookie['name']}={cookie['value']}"})
    assert answer.status == 401


async def test_everything_works_under_a_path(server: Served, company: Company) -> None:
    server.write("deep/under.md", "start\n")
    server.environment["COLLAB_PUBLIC_URL"] = f"{server.url}/some/where"
    await asyncio.to_thread(server.restart)
    owner = await company.join("Owner", server, None)
    page = await owner.new_page()

    await page.goto(server.address)
    await page.get_by_role("link", name="deep").click()
    await page.get_by_role("link", name="under.md", exact=True).click()

    await page.locator('.cm-content[contenteditable="true"]').press_sequentially("typed ")
    await expect(page.locator("#words")).to_have_attribute("data-state", "in-file")
    assert server.read("deep/under.md") == "typed start\n"
    assert page.url == f"{server.url}/some/where/edit/deep/under.md"
    assert {cookie["path"] for cookie in await owner.context.cookies()} == {"/some/where"}
