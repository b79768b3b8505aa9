"""AUTH-1, AUTH-2, WIRE-8, WIRE-10: what each client sees of tokens: wrong, missing, over, for reading only, for another document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from interop.peer import CLIENTS, HOCUSPOCUS, Y_WEBSOCKET
from serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import Peers
    from serving import Served

BEFORE = "nobody changes this\n"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["wrong", "over", "for another secret"])
async def test_a_token_that_is_not_valid_is_refused_in_words_and_reads_nothing(
    client: str, fault: str, shared_server: Served, peers: Peers
) -> None:
    name = f"{client}/{fault}.md"
    shared_server.write(name, BEFORE)
    tokens = {
        "wrong": "wrong",
        "over": shared_server.token(f"late {client}", seconds=-60),
        "for another secret": _forged(shared_server.token(f"forger {client}")),
    }

    peer = await peers(client, shared_server, name, token=tokens[fault])

    await peer.denied("unauthorized")
    assert peer.text == ""
    assert not peer.of()["synced"]


def _forged(token: str) -> str:
    head, claims, signature = token.split(".")
    return ".".join([head, claims, signature[:-6] + ("AAAAAA" if signature[-6:] != "AAAAAA" else "BBBBBB")])


@pytest.mark.parametrize("client", [*Y_WEBSOCKET, "hocuspocus-3", "hocuspocus-4"])
async def test_without_a_token_nobody_is_let_in(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"{client}/without.md"
    shared_server.write(name, BEFORE)

    peer = await peers(client, shared_server, name, token=None)

    await peer.denied("unauthorized")
    assert peer.text == ""


async def test_a_provider_2_without_a_token_which_sends_no_sign_in_at_all_is_refused_in_time(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, COLLAB_SIGN_IN_TIMEOUT="1s") as server:
        server.write("without.md", BEFORE)

        peer = await peers("hocuspocus-2", server, "without.md", token=None)

        await peer.until(lambda: peer.refused or peer.codes)
        assert peer.text == ""
        assert not peer.of()["synced"]


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_token_for_another_document_opens_nothing_else(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"{client}/mine.md"
    shared_server.write(name, "mine\n")
    shared_server.write(f"{client}/other.md", "other\n")
    token = shared_server.token(client, document=name)

    mine = await (await peers(client, shared_server, name, token=token)).synced()
    await mine.reads("mine\n")
    other = await peers(client, shared_server, f"{client}/other.md", token=token)

    await other.until(lambda: other.refused)
    assert other.refused[0].split(":")[0] in {"forbidden", "not-found"}
    assert other.text == ""


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_reader_reads_on_and_what_it_types_stays_its_own(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"{client}/read only.md"
    shared_server.write(name, "first\nsecond\n")
    editor = await (await peers("y-websocket-3", shared_server, name)).synced()
    reader = await (await peers(client, shared_server, name, token=shared_server.token(f"reader {client}", role="viewer"))).synced()
    await reader.reads("first\nsecond\n")
    if client in HOCUSPOCUS:
        await reader.until(lambda: reader.of()["scope"] == "readonly")

    await reader.insert(0, "FORGED ")
    await reader.delete(len("FORGED "), len("first"))
    await editor.line("third", 1.0)

    await reader.until(lambda: "third" in reader.text)
    await shared_server.shows(name, "first\nsecond\nthird\n")
    await editor.line("fourth", 1.0)
    await reader.until(lambda: "fourth" in reader.text)
    assert editor.text == "first\nsecond\nthird\nfourth\n"
    if client in HOCUSPOCUS:
        assert reader.of()["pending"] > 0  # it is never told that these were stored


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_reader_that_reconnects_with_edits_of_its_own_brings_none_of_them(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"{client}/reader returns.md"
    shared_server.write(name, "as it was\n")
    reader = await (await peers(client, shared_server, name, token=shared_server.token(f"reader {client}", role="viewer"))).synced()
    await reader.do("disconnect")
    await reader.lost()
    await reader.delete(0, 5)
    await reader.insert(0, "FORGED ")

    await reader.do("connect")

    await reader.synced()
    editor = await (await peers("hocuspocus-4", shared_server, name)).synced()
    await editor.line("and more", 1.0)
    await reader.until(lambda: "and more" in reader.text)
    await editor.stored()
    await shared_server.shows(name, "as it was\nand more\n")


async def test_a_token_of_the_command_line_opens_its_document(shared_server: Served, peers: Peers) -> None:
    shared_server.write("by command.md", "hello\n")
    made = shared_server.run("token", "--document", "by command.md", "--role", "editor", "--name", "Ann", "--expires", "1h")
    assert (made.returncode, made.stdout.count("\n")) == (0, 1), made.stderr

    for client in ("y-websocket-2", "hocuspocus-4"):
        peer = await (await peers(client, shared_server, "by command.md", token=made.stdout.strip())).synced()
        await peer.line(client, 1.0)

    await shared_server.shows("by command.md", "hello\ny-websocket-2\nhocuspocus-4\n")


async def test_a_client_that_gets_a_good_token_after_a_bad_one_is_let_in(shared_server: Served, peers: Peers) -> None:
    shared_server.write("renewed.md", "hello\n")
    for client in ("y-websocket-2", "hocuspocus-4"):
        peer = await peers(client, shared_server, "renewed.md", token=shared_server.token(f"late {client}", seconds=-1))
        await peer.denied("unauthorized")
        await peer.do("disconnect")
        await peer.lost()

        await peer.do("token", token=shared_server.token(f"late {client}"))
        await peer.do("connect")

        await peer.synced()
        await peer.reads("hello\n")
