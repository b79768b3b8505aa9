"""What is shared, taken back and ended at one node, for who is at another: two nodes on a real Redis behind one address (SHARE-4, SIGN-1, SIGN-9)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest
from measured import numbers
from oidc.served import SECRET, provided, walk
from process.test_nodes import end
from process.test_sharing import ONCE, Slow, Wire
from readers import following, next_of
from redis_server import running
from serving import PATIENCE, Served, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from oidc.served import Provided
    from readers import Event

BODY = "shared words\n"


@dataclass(slots=True)
class Both:
    """Two nodes, the address that people know, and a provider of sign-ins that knows it, too."""

    one: Served
    two: Served
    address: str
    provider: Provided

    def other(self, node: Served) -> Served:
        return self.two if node is self.one else self.one

    def at(self, node: Served, address: str) -> str:
        """Where a balancer leads that chose this node."""
        assert address.startswith(self.address)
        return node.url + address.removeprefix(self.address)

    def browser(self) -> httpx.AsyncClient:
        """Cookies are those of both, as behind one address."""
        return httpx.AsyncClient(headers={"Origin": self.address}, timeout=60, limits=ONCE)

    def operator(self, node: Served) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {node.token('Op', role='owner')}"}
        return httpx.AsyncClient(base_url=node.url, headers=headers, timeout=60, limits=ONCE)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder, address = tmp_path_factory.mktemp("both"), f"http://127.0.0.1:{free_port()}"
    with running() as redis, provided(address) as provider, ExitStack() as stack:
        common = {
            "COLLAB_JOURNAL": redis.url,
            "COLLAB_PUBLIC_URL": address,
            "COLLAB_HEARTBEAT": "30s",
            "COLLAB_SAVE_DELAY": "0.5",
            # Nothing is looked at by and by: what happens, happens because something was changed.
            "COLLAB_RIGHTS_INTERVAL": "1h",
            "COLLAB_OIDC_ISSUER": provider.issuer,
            "COLLAB_OIDC_CLIENT_ID": "collab",
            "COLLAB_OIDC_CLIENT_SECRET": SECRET,
            "COLLAB_OIDC_REFRESH": "2s",
        }
        nodes = [
            Served(folder / "root", folder / "state", common | {"COLLAB_NODE": name, "COLLAB_NODE_ADDRESS": f"127.0.0.1:{free_port()}"})
            for name in ("one", "two")
        ]
        for each in nodes:
            each.port = port = free_port()
            each.start()
            each.port = port  # it prints the address that people know
            stack.callback(end, each)
        yield Both(nodes[0], nodes[1], address, provider)
        print(nodes[0].log.read_text()[-8000:])


@pytest.fixture(params=["one", "two"])
def home(request: pytest.FixtureRequest, both: Both) -> Served:
    """Where the room of the test's document lives. Shares are changed at `one`, and people are at `two`."""
    return both.one if request.param == "one" else both.two


@dataclass(slots=True)
class Here:
    """Somebody at a node in all ways at once."""

    wire: Wire
    slow: Slow
    reader: AsyncIterator[Event]


@asynccontextmanager
async def here(node: Served, browser: httpx.AsyncClient, name: str, address: str) -> AsyncIterator[Here]:
    """With what the browser's cookies are worth there."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    at = httpx.AsyncClient(base_url=node.url, headers={"Origin": address, "Cookie": cookie}, timeout=60, limits=ONCE)
    async with at, AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Wire.to(node, name, "cookie", Origin=address, Cookie=cookie))
        slow = await stack.enter_async_context(Slow.of(at, name, "cookie"))
        reader = await stack.enter_async_context(following(at, name))
        for each in (wire, slow):
            assert each.scopes == ["read-write"]
            await each.synced()
        yield Here(wire, slow, reader)


@asynccontextmanager
async def open_at(home: Served, name: str) -> AsyncIterator[Wire]:
    """The document, so that its room lives at this node."""
    home.write(name, BODY)
    async with Wire.to(home, name, home.token("Op", role="owner")) as wire:
        await wire.synced()
        yield wire


async def came_by_link(browser: httpx.AsyncClient, both: Both, node: Served, link: str) -> None:
    """A guest, by the link's own form at this node."""
    answer = await browser.post(both.at(node, link), data={"name": "Gil"})
    assert answer.status_code == 303, answer.text


async def refused(node: Served, browser: httpx.AsyncClient, name: str, address: str, reason: str) -> None:
    """At every door."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with Wire.to(node, name, "cookie", Origin=address, Cookie=cookie) as wire:
        assert wire.scopes == [f"!{reason}"]
    at = httpx.AsyncClient(base_url=node.url, headers={"Origin": address, "Cookie": cookie}, timeout=60, limits=ONCE)
    async with at:
        async with Slow.of(at, name, "cookie") as slow:
            assert slow.scopes == [f"!{reason}"]
        status = {"forbidden": 403, "unauthorized": 401}[reason]
        for path in (f"/v/{quote(name)}", f"/api/documents/{quote(name, safe='')}/content"):
            assert (await at.get(path)).status_code == status


async def test_what_was_shared_at_one_node_is_changed_and_taken_back_for_who_is_at_another(both: Both, home: Served) -> None:
    """SHARE-3, SHARE-4, RIGHTS-1, RIGHTS-3: sockets, plain HTTP and readers; nobody is dropped who may still read."""
    name = f"shared, {home.environment['COLLAB_NODE']}.md"
    async with open_at(home, name) as owner, both.operator(both.one) as op, both.browser() as browser:
        shares = f"/api/documents/{quote(name, safe='')}/shares"
        made = (await op.post(shares, json={"kind": "link", "role": "editor"})).json()
        await came_by_link(browser, both, both.two, made["address"])
        async with here(both.two, browser, name, both.address) as guest:
            assert (await next_of(guest.reader, "about"))["path"] == name
            for each, words in ((guest.wire, "by socket "), (guest.slow, "by post ")):
                assert await each.type(words)
                for seen in (owner, guest.slow):
                    await seen.until(lambda words=words, seen=seen: words in seen.text)  # type: ignore[misc]
            await home.shows(name, "by post by socket " + BODY)

            one = f"{shares}/{made['id']}"
            assert (await op.patch(one, json={"role": "viewer"})).status_code == 200
            for each in (guest.wire, guest.slow):
                await each.until(lambda each=each: each.scopes[-1] == "readonly")  # type: ignore[misc]
                assert not await each.type("refused ")
                assert each.open
            # What others write still comes, to readers of the page as well.
            assert await owner.type("still read ")
            for each in (guest.wire, guest.slow):
                await each.until(lambda each=each: "still read" in each.text)  # type: ignore[misc]
            while "still read" not in str(await next_of(guest.reader, "patch")):
                pass
            assert (await op.patch(one, json={"role": "editor"})).status_code == 200
            for each in (guest.wire, guest.slow):
                await each.until(lambda each=each: each.scopes[-1] == "read-write")  # type: ignore[misc]

            assert (await op.delete(one)).status_code == 204
            for each in (guest.wire, guest.slow):
                await each.until(lambda each=each: not each.open)  # type: ignore[misc]
                assert each.scopes[-1] == "!forbidden"
            told = await next_of(guest.reader, "ended")
            assert (told["reason"], told["status"]) == ("forbidden", 403)
        for node in (both.one, both.two):
            await refused(node, browser, name, both.address, "forbidden")
        assert (await op.get(f"/api/documents/{quote(name, safe='')}/content")).text == "still read by post by socket " + BODY
        rooms = {node.port: (await numbers(node))["collab_rooms",] for node in (both.one, both.two)}
        assert rooms[home.port] >= 1


@pytest.mark.parametrize("way", ["by its owner", "by themselves", "by the operator"])
async def test_a_session_that_is_ended_at_one_node_is_over_at_the_other(way: str, both: Both, home: Served) -> None:
    """SIGN-1, SIGN-7."""
    name = f"ended {way}, {home.environment['COLLAB_NODE']}.md"
    async with open_at(home, name), both.operator(both.one) as op, both.browser() as browser:
        if way == "by the operator":
            printed = (await asyncio.to_thread(both.two.run, "login")).stdout.strip()
            answer = await browser.post(f"{both.two.url}/api/session", json={"secret": printed.rpartition("#")[2]})
            assert answer.status_code == 200, (printed, answer.text)
        else:
            made = (await op.post(f"/api/documents/{quote(name, safe='')}/shares", json={"kind": "link", "role": "editor"})).json()
            await came_by_link(browser, both, both.two, made["address"])
        copy = both.browser()
        copy.cookies.update(dict(browser.cookies))
        async with copy, here(both.two, browser, name, both.address) as guest:
            mine = (await browser.get(f"{both.one.url}/api/session")).json()
            if way != "by its owner":
                assert (await browser.delete(f"{both.one.url}/api/session")).status_code == 204
            else:
                (found,) = [each for each in (await op.get("/api/sessions?all")).json()["sessions"] if each["person"]["id"] == mine["id"]]
                assert (await op.delete(f"/api/sessions/{found['id']}")).status_code == 204
            for each in (guest.wire, guest.slow):
                await each.until(lambda each=each: not each.open)  # type: ignore[misc]
                assert each.scopes[-1] == "!unauthorized"
            told = await next_of(guest.reader, "ended")
            assert (told["reason"], told["status"]) == ("unauthorized", 401)
        for node in (both.one, both.two):
            await refused(node, copy, name, both.address, "unauthorized")


async def went(both: Both, browser: httpx.AsyncClient, node: Served, login: str) -> str:
    """To the provider, from this node; the address that it sends the browser back to."""
    begun = await browser.get(f"{node.url}/login/oidc?next=/edit/a.md")
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient(timeout=60) as there:
        return await walk(there, begun.headers["location"], login, until=f"{both.address}/login/oidc/callback")


async def test_who_went_to_the_provider_from_one_node_comes_back_to_the_other(both: Both) -> None:
    """SIGN-8, SIGN-9, SIGN-11: what it takes is in the browser, sealed; a way counts once at all of them together."""
    both.provider.tell(enable="ada")
    async with both.browser() as browser:
        back = await went(both, browser, both.one, "ada")
        copy = dict(browser.cookies)
        answer = await browser.get(both.at(both.two, back))
        assert (answer.status_code, answer.headers["location"]) == (303, "/edit/a.md")
        for node in (both.one, both.two):
            assert (await browser.get(f"{node.url}/api/session")).json()["name"] == "Ada Lovelace"
        async with both.browser() as thief:
            thief.cookies.update(copy)
            for node in (both.one, both.two):
                assert (await thief.get(both.at(node, back))).headers["location"] == "/login?notice=again"
        signed_in = dict(browser.cookies)
        left = await browser.delete(f"{both.one.url}/api/session")
        assert left.json()["leave"].startswith(both.provider.issuer)
        async with both.browser() as later:
            later.cookies.update(signed_in)
            assert (await later.get(f"{both.two.url}/api/session")).status_code == 401


async def test_a_connection_outlives_the_tokens_of_the_provider_and_ends_with_what_it_says(both: Both, home: Served) -> None:
    """SIGN-10, RIGHTS-3: whichever node looks at the provider again, groups follow on open connections, and who is disabled there is told."""
    name = f"provider, {home.environment['COLLAB_NODE']}.md"
    both.provider.tell(enable="ada", groups={"ada": ["physics"]})
    async with open_at(home, name), both.operator(both.one) as op, both.browser() as browser:
        assert (await browser.get(both.at(both.two, await went(both, browser, both.one, "ada")))).status_code == 303
        shares = f"/api/documents/{quote(name, safe='')}/shares"
        assert (await op.post(shares, json={"kind": "group", "id": "physics", "role": "editor"})).status_code == 201
        person = (await browser.get(f"{both.one.url}/api/session")).json()["id"]
        assert (await op.post(shares, json={"kind": "person", "id": person, "role": "viewer"})).status_code == 201
        async with here(both.two, browser, name, both.address) as ada:
            both.provider.tell(asked=True)
            renewals = 0
            async with asyncio.timeout(2 * PATIENCE):
                while renewals < 2:
                    # Also without a socket: a connection that nobody asks for its events is over after some seconds.
                    for each in (ada.wire, ada.slow):
                        assert await each.type("x")
                    renewals += both.provider.tell(asked=True)["asked"].count("POST /token")
            assert ada.wire.scopes == ada.slow.scopes == ["read-write"]

            both.provider.tell(groups={"ada": ["staff"]})
            for each in (ada.wire, ada.slow):
                await each.until(lambda each=each: each.scopes[-1] == "readonly")  # type: ignore[misc]
            both.provider.tell(disable="ada")
            for each in (ada.wire, ada.slow):
                await each.until(lambda each=each: not each.open)  # type: ignore[misc]
                assert each.scopes[-1] == "!unauthorized"
            assert (await next_of(ada.reader, "ended"))["status"] == 401
