"""WIRE-15, WIRE-18: a real browser behind real proxies that let no WebSocket through; the same editor, and nobody loses a word."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from e2e.people import Editor
from lines import Line
from playwright.async_api import expect
from proxies import HOLDS, blocking, running
from scale import scale
from serving import free_port, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from e2e.people import Company, Person
    from serving import Served

WHY = "This network lets no WebSockets through."


@pytest_asyncio.fixture(loop_scope="session")
async def line(server: Served) -> AsyncIterator[Line]:
    """Between proxy and server."""
    made = Line(f"127.0.0.1:{server.port}", f"127.0.0.1:{free_port()}")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def proxied(server: Served, line: Line, tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    """The server as it is seen behind a proxy that lets no WebSocket through, and behind one that also holds answers back until they are whole."""
    plain, buffering = free_port(), free_port()
    upstream = int(line.path.rpartition(":")[2])
    with running(blocking(tmp_path / "nginx", upstream, {plain: "proxy_buffering off;", buffering: HOLDS}), tmp_path / "nginx", plain):
        yield replace(server, port=plain), replace(server, port=buffering)


def asked(person: Person, method: str) -> list[str]:
    return [
        request.url.partition("/transport")[2]
        for request in person.seen.requests
        if "/transport" in request.url and request.method == method
    ]


@pytest.mark.parametrize("seed", [1])
async def test_two_people_type_one_over_each_way_and_cuts_cost_no_word(
    server: Served, proxied: tuple[Served, Served], line: Line, company: Company, seed: int
) -> None:
    chance = random.Random(seed)
    server.write("two.md", "\n")
    ann, bob = await company.join("Ann", proxied[0]), await company.join("Bob", server)
    slow, fast = await ann.open("two.md"), await bob.open("two.md")
    await slow.page.locator("#words-way").wait_for()
    await slow.sees("Ann", "Bob")
    await fast.sees("Ann", "Bob")
    await slow.page.locator("#words-more").click()
    await expect(slow.page.locator("#words-panel")).to_contain_text(WHY)
    await slow.page.keyboard.press("Escape")

    for number in range(12):
        await slow.type(f"ann{number} ", at="Control+Home")
        if chance.random() < 0.5:
            line.cut()
        await fast.type(f"bob{number} ", at="Control+End")
    wanted = "".join(f"ann{number} " for number in reversed(range(12))) + "\n" + "".join(f"bob{number} " for number in range(12))
    await server.shows("two.md", wanted)
    await slow.saved()
    await fast.saved()
    # To be in the file is told of one's own words: what the other one typed last may come later.
    await asyncio.gather(slow.reads(wanted), fast.reads(wanted))
    assert any(request.startswith("/") for request in asked(ann, "GET"))
    assert asked(bob, "POST") == []
    # What was cut went on: a whole new connection is the exception.
    assert asked(ann, "POST").count("") <= 1 + 12

    # Found out once in a browser's session: the next page asks for no second WebSocket.
    before = len(ann.seen.sockets)
    again = await slow.page.reload()
    assert again is not None
    await slow.ready()
    await slow.page.locator("#words-way").wait_for()
    await slow.saved()
    assert len(ann.seen.sockets) - before <= 1


@pytest.mark.parametrize("seed", range(1, scale(2, 7)))
async def test_a_server_that_is_killed_costs_whoever_comes_without_a_websocket_no_word(
    server: Served, proxied: tuple[Served, Served], company: Company, seed: int
) -> None:
    """JOURNAL-8: as with sockets, what was said to be stored is in the file, once."""
    chance = random.Random(seed)
    server.write("killed.md", "\n")
    ann = await company.join("Ann", proxied[seed % 2])
    slow = await ann.open("killed.md")
    await slow.page.locator("#words-way").wait_for()

    wanted = "\n"
    for number in range(12):
        await slow.type(f"ann{number} ", at="Control+Home")
        wanted = f"ann{number} " + wanted
        if number % 4 == 3:
            told = chance.random() < 0.5
            if told:
                await slow.saved()
            await asyncio.to_thread(server.kill)
            if told:
                assert server.read("killed.md") == wanted
            await slow.type(f"away{number} ", at="Control+Home")
            wanted = f"away{number} " + wanted
            await asyncio.to_thread(server.start)
    await server.shows("killed.md", wanted, within=60)
    await slow.saved()
    assert await slow.text() == wanted


async def test_an_answer_that_a_proxy_holds_back_is_asked_for_piece_by_piece(
    server: Served, proxied: tuple[Served, Served], company: Company
) -> None:
    server.write("held.md", "one\n")
    ann, bob = await company.join("Ann", proxied[1]), await company.join("Bob", server)
    slow, fast = await ann.open("held.md"), await bob.open("held.md")
    await slow.page.locator("#words-way").wait_for()
    await slow.type("here ", at="Control+Home")
    await fast.reads("here one\n")
    await fast.type("there ", at="Control+Home")
    await slow.reads("there here one\n")
    await slow.saved()
    assert "?wait" in asked(ann, "GET")[-1]


async def test_a_page_on_the_slow_way_takes_a_websocket_when_one_gets_through(server: Served, company: Company) -> None:
    """As after a change of the network; nobody is told and nothing is lost."""
    server.write("back.md", "one\n")
    ann = await company.join("Ann", server)
    page = await ann.new_page()
    await page.clock.install()
    # WebSockets that never open, as long as the test wants.
    await page.add_init_script(
        "const Real = WebSocket; window.blocked = true;"
        "window.WebSocket = class extends Real { constructor(url) { super(window.blocked ? url.replace('/collaboration', '/healthz') : url) } }"
    )
    await page.goto(f"{server.url}/edit/back.md")
    slow = await Editor(page).ready()
    way = page.locator("#words-way")
    await way.wait_for()
    await slow.type("two ", at="Control+Home")
    await slow.saved()
    await slow.watch_words()
    # After two seconds one would be told: by the page's own clock less pass, however long a busy machine takes.
    await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 10"))
    tried = len(ann.seen.sockets)
    await page.evaluate("window.blocked = false; dispatchEvent(new Event('online'))")
    await until(lambda: len(ann.seen.sockets) > tried and ann.seen.sockets[tried].is_closed())
    await page.clock.run_for(1500)
    await expect(way).to_be_hidden()
    await page.clock.resume()
    await slow.type("three ", at="Control+Home")
    await slow.saved()
    assert "offline" not in await slow.was_told()
    assert server.read("back.md") == "three two one\n"
