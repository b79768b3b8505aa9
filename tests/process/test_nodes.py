"""NODES-8: two servers on one root and state, with a real Redis between them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asking
import pytest
from interop.pycrdt_peer import PycrdtPeer
from interop.test_office_suites import CEM, in_suites
from office import BEN, opened, told
from redis_server import Line, running
from serving import Served, free_port
from websockets.asyncio.client import connect
from wopi_clients import Collabora

from collab import protocol
from collab.access import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.conftest import Peers
    from redis_server import RedisServer

NAME = "notes.md"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


def end(server: Served) -> None:
    if server.process is not None:
        server.kill()


@pytest.fixture
def nodes(tmp_path: Path, redis: RedisServer) -> Iterator[tuple[Served, Served]]:
    common = {"COLLAB_JOURNAL": redis.url, "COLLAB_HEARTBEAT": "6s", "COLLAB_SAVE_DELAY": "0.5", "COLLAB_ROOM_IDLE": "1"}
    found = [
        Served(tmp_path / "root", tmp_path / "state", common | {"COLLAB_NODE": name, "COLLAB_NODE_ADDRESS": f"127.0.0.1:{free_port()}"})
        for name in ("one", "two")
    ]
    with ExitStack() as stack:
        for each in found:
            each.start()
            stack.callback(end, each)
        found[0].write(NAME, "start\n")
        yield found[0], found[1]
        print(found[0].log.read_text()[-6000:])


async def test_clients_of_both_are_in_one_room_and_go_on_when_the_node_of_the_document_is_killed(
    nodes: tuple[Served, Served], peers: Peers
) -> None:
    one, two = nodes
    first = await (await peers("hocuspocus-4", one, NAME)).stored()  # so the room is there
    second = await (await peers("hocuspocus-4", two, NAME)).stored()
    third = await (await peers("y-websocket-3", two, NAME)).synced()
    for number, peer in enumerate((first, second, third)):
        await peer.line(f"line {number}", 1.0)
    expected = Counter(["start", "line 0", "line 1", "line 2"])
    for peer in (first, second, third):
        await peer.holds(expected)
        await peer.stored()

    await second.type("word", pause=5, seed=7)
    before = (await second.do("progress"))["stored"]
    async with asyncio.timeout(60):
        while (await second.do("progress"))["stored"] < before + 30:
            pass
    await asyncio.to_thread(one.kill)
    async with asyncio.timeout(60):
        while (await second.do("progress"))["stored"] < before + 90:
            pass
    words, _ = await second.rest()
    await second.stored()
    expected += Counter(words)
    await third.holds(expected, within=60)
    await two.holds(NAME, expected)


async def test_a_node_that_ends_gives_its_documents_back_and_comes_again(nodes: tuple[Served, Served], peers: Peers) -> None:
    one, two = nodes
    first = await (await peers("hocuspocus-4", one, NAME)).stored()
    second = await (await peers("hocuspocus-4", two, NAME)).stored()
    await asyncio.to_thread(one.restart)
    await second.line("typed", 1.0)
    await second.stored()
    await first.holds(Counter(["start", "typed"]))
    await first.line("typed too", 1.0)
    await first.stored()
    await two.holds(NAME, Counter(["start", "typed", "typed too"]))


def test_requests_for_a_document_are_answered_by_either_node(nodes: tuple[Served, Served]) -> None:
    headers = {"Authorization": f"Bearer {nodes[0].token()}"}
    for number in range(6):
        read = asking.get(f"{nodes[number % 2].url}/api/documents/{NAME}/content", headers=headers)
        address = f"{nodes[1 - number % 2].url}/api/documents/{NAME}/content"
        put = asking.put(address, headers={**headers, "If-Match": read.headers["etag"]}, content=f"{number}\n")
        assert put.status_code == 200, put.text
        assert put.headers["x-collab-merged"] == "false"
    assert asking.get(address, headers=headers).text == "5\n"


async def test_a_suite_at_another_node_than_the_rooms_saves_a_text_in_which_people_type_also_when_that_node_dies(
    nodes: tuple[Served, Served],
) -> None:
    """WOPI-16, WOPI-24: what the suite goes on from belongs to document and lock, whichever node is asked, and whoever reads at another one."""
    one, two = nodes
    office = await asyncio.to_thread(opened, two, NAME, None)
    suite = Collabora([office, office.of(BEN)])
    async with PycrdtPeer(one.room(NAME, one.token())) as here, PycrdtPeer(two.room(NAME, one.token())) as there:
        await asyncio.to_thread(suite.open)
        await here.line("typed at one", 0.0)
        await there.line("typed at two", 1.0)
        expected = Counter(["start", "typed at one", "typed at two"])
        await here.holds(expected)
        # Somebody who only reads, at the room's node.
        assert await asyncio.to_thread(lambda: replace(office.of(CEM, role=Role.VIEWER), server=one).get().text.count("typed")) == 2
        await here.line("typed again", 0.0)
        suite.write("in the suite")
        await asyncio.to_thread(suite.save, 1)
        expected += Counter(["typed again", "in the suite"])
        await here.holds(expected)
        await there.holds(expected)
        async with connect(two.room(NAME, one.token()), open_timeout=60) as socket:
            await socket.send(protocol.step1(b"\0"))
            await in_suites(socket, ["Ann in office", "Ben ✍ in office", "Cem in office"])
        await asyncio.to_thread(one.kill)
        suite.write("after the node died")
        await asyncio.to_thread(suite.close, 0)
    await two.holds(NAME, expected + Counter(["after the node died"]))


async def test_a_suite_puts_a_file_in_the_place_of_one_whose_room_is_on_another_node(nodes: tuple[Served, Served]) -> None:
    """NODES-7, WOPI-5, WOPI-10: what people type in is replaced by an edit, and goes into the bin when a folder's new file overwrites it."""
    one, two = nodes
    office = await asyncio.to_thread(opened, two, "other.docx", b"PK")
    async with PycrdtPeer(one.room(NAME, one.token())) as peer:
        await peer.line("typed", 1.0)
        told(await asyncio.to_thread(office.relative, b"of the suite\n", relative=NAME, overwrite="true"), 200)
        await peer.reads("of the suite\n")
        await two.shows(NAME, "of the suite\n")

        await peer.line("typed too", 1.0)
        await two.shows(NAME, "of the suite\ntyped too\n")
        above = told(await asyncio.to_thread(office.ask, "GET", "/ancestry"), 200)["AncestorsWithRootFirst"][0]["Url"]
        socket = await connect(one.room(NAME, one.token()), open_timeout=60)
        await socket.send(protocol.step1(b"\0"))
        # The handshake is answered before the room is entered: only who is in it is told what becomes of the document.
        async with asyncio.timeout(60):
            while not (await socket.recv(decode=False)).startswith(b"\0\1"):
                pass
        headers = {"X-WOPI-Override": "CREATE_CHILD_FILE", "X-WOPI-RelativeTarget": NAME, "X-WOPI-OverwriteRelativeTarget": "true"}
        root = f"{two.url}{urlsplit(above).path}?{urlsplit(above).query}"
        told(await asyncio.to_thread(asking.post, root, headers=headers, timeout=60), 200)
        await two.shows(NAME, "")
        # Who typed is told that it was deleted.
        async with asyncio.timeout(60):
            while not (message := await socket.recv(decode=False)).startswith(b"\2\0"):
                pass
        assert b"was deleted" in message
        await socket.close()
    binned = await asyncio.to_thread(asking.get, f"{two.url}/api/bin", headers={"Authorization": f"Bearer {two.token()}"})
    assert [each["path"] for each in binned.json()["entries"]] == [NAME]


def test_no_server_without_a_name_and_none_of_the_same_name_comes_beside_them(nodes: tuple[Served, Served]) -> None:
    one, two = nodes
    alone = Served(one.root, one.state).run("serve", "--port", "0")
    again = Served(two.root, two.state, two.environment).run("serve", "--port", "0")
    assert (alone.returncode, again.returncode) == (2, 2)
    assert str(two.pid) in again.stderr


async def launched(server: Served) -> tuple[int | None, list[str]]:
    """The status with which it ended, None: it serves; and what it wrote."""
    written = server.log.stat().st_size if server.log.exists() else 0
    process = await asyncio.to_thread(server.launch)
    assert process.stdout is not None
    printed = await asyncio.to_thread(process.stdout.readline)
    if printed:
        process.kill()
    status = await asyncio.to_thread(process.wait, 60)
    process.stdout.close()
    return None if printed else status, server.log.read_bytes()[written:].decode().splitlines()


async def test_a_node_that_starts_while_redis_breaks_or_is_away_says_so_in_one_line(tmp_path: Path, redis: RedisServer) -> None:
    """REDIS-1."""
    line = Line(redis)
    await line.open()
    settings = {
        "COLLAB_JOURNAL": line.url,
        "COLLAB_NODE": "one",
        "COLLAB_NODE_ADDRESS": f"127.0.0.1:{free_port()}",
        "COLLAB_LOG_LEVEL": "warning",
    }
    server = Served(tmp_path / "root", tmp_path / "state", settings)
    assert (await launched(server))[0] is None
    whole = line.answered
    ends = []
    for cut in range(0, whole + whole // 4, whole // 4):
        line.refusing, line.for_good, line.cut_after = False, True, cut
        status, told = await launched(server)
        ends.append(status)
        if status is not None:
            assert status == 2
            assert len(told) == 1, told
            assert told[0].startswith("collab serve: Redis does not take it: ")
    assert ends[:3] == [2] * 3, ends
    line.refusing = True
    assert (await launched(server))[0] == 2
    await line.close()
