"""WIRE-9, WIRE-12: names of documents, and several documents on one socket of Hocuspocus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from interop.peer import CLIENTS, HOCUSPOCUS

if TYPE_CHECKING:
    from interop.conftest import Peers
    from serving import Served


@pytest.mark.parametrize("client", HOCUSPOCUS)
async def test_several_documents_share_one_socket(client: str, shared_server: Served, peers: Peers) -> None:
    names = [f"many/{client}/{number}.md" for number in range(4)]
    for name in names:
        shared_server.write(name, f"this is {name}\n")
    peer = await peers(client, shared_server, names[0])
    for name in names[1:]:
        await peer.do("open", document=name)

    for number, name in enumerate(names):
        await peer.synced(name)
        await peer.line(f"edit {number}", 1.0, name)

    for number, name in enumerate(names):
        await peer.stored(name)
        expected = f"this is {name}\nedit {number}\n"
        await shared_server.shows(name, expected)
    assert peer.state["connections"] == 1


@pytest.mark.parametrize("client", HOCUSPOCUS)
async def test_a_document_that_is_refused_leaves_the_others_of_its_socket_alone(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"refused/{client}.md"
    shared_server.write(name, "here\n")
    peer = await (await peers(client, shared_server, name)).synced()

    await peer.do("open", document=f"refused/no such {client}.md")

    await peer.until(lambda: peer.of(f"refused/no such {client}.md")["refused"] == ["not-found"])
    await peer.line("and still here", 1.0)
    await peer.stored()
    await shared_server.shows(name, "here\nand still here\n")
    assert not (shared_server.root / f"refused/no such {client}.md").exists()
    assert peer.state["connections"] == 1


@pytest.mark.parametrize("client", HOCUSPOCUS)
async def test_a_document_is_closed_and_opened_again_on_a_socket_that_stays(client: str, shared_server: Served, peers: Peers) -> None:
    names = [f"again/{client}/{number}.md" for number in range(2)]
    for name in names:
        shared_server.write(name, "start\n")
    peer = await (await peers(client, shared_server, names[0])).synced()
    await peer.do("open", document=names[1])
    await peer.synced(names[1])
    await peer.line("once", 1.0, names[1])
    await peer.stored(names[1])

    await peer.do("close", document=names[1])
    await peer.line("meanwhile", 1.0)
    await peer.stored()
    await peer.do("open", document=names[1])

    await peer.reads("start\nonce\n", names[1])
    assert peer.text == "start\nmeanwhile\n"
    assert peer.state["connections"] == 1


async def test_one_document_is_open_twice_on_a_socket_when_the_client_names_its_sessions(shared_server: Served, peers: Peers) -> None:
    shared_server.write("twice.md", "start\n")
    peer = await (await peers("hocuspocus-4", shared_server, "twice.md")).synced()
    for key in ("left", "right"):
        await peer.do("open", document="twice.md", key=key, settings={"sessionAwareness": True})
        await peer.synced(key)

    await peer.line("from the left", 1.0, "left")
    await peer.until(lambda: "from the left" in peer.of("right")["text"])
    await peer.line("from the right", 1.0, "right")

    expected = "start\nfrom the left\nfrom the right\n"
    for key in ("left", "right", "twice.md"):
        await peer.reads(expected, key)
        await peer.stored(key)
    assert peer.state["connections"] == 1


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["Ordner/Größe & so.md", "100% +plus+ #hash?.txt", "a%2Fb.md", "e\u0301 is not \u00e9.md"])
async def test_a_name_is_matched_byte_for_byte(client: str, name: str, shared_server: Served, peers: Peers) -> None:
    path = shared_server.root / client / name
    if not path.exists():
        shared_server.write(f"{client}/{name}", f"I am {name}\n")

    peer = await (await peers(client, shared_server, f"{client}/{name}")).synced()

    await peer.reads(f"I am {name}\n")
