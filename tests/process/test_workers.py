"""NODES-6, NODES-7: several processes of one server, real ones, that are killed, stopped and paused; real clients spread over them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import asking
import pytest
from measured import processes
from scale import scale
from serving import serving, until

from collab.cluster.fixed import worker_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from interop.conftest import Peers
    from interop.peer import Peer
    from serving import Served

NAME = "notes/under load.md"
WORKERS = 2
SECONDS = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, COLLAB_WORKERS=str(WORKERS)) as served:
        yield served


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def worker(server: Served, index: int) -> int:
    """The process of a worker: it holds the lock of its index."""
    inode = (server.state / f"worker-{index}.lock").stat().st_ino
    for line in Path("/proc/locks").read_text("ascii").splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
            return int(words[4])
    return 0


def owner(server: Served) -> int:
    """The worker of the document."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    listed = asking.get(f"{server.url}/api/documents", params={"path": "notes"}, headers=headers).json()["documents"]
    return worker_of(listed[0]["id"], WORKERS)


def relayed(server: Served) -> list[int]:
    """What the workers say of sessions that they relay; each connection asks one of them."""
    found = [re.search(r"^collab_sessions_relayed ([0-9.]+)$", asking.get(f"{server.url}/metrics").text, re.MULTILINE) for _ in range(12)]
    return [int(float(each[1])) for each in found if each is not None]


async def spread(server: Served, peers: Peers) -> list[Peer]:
    """Clients in sync, some in the worker of the document and some in another one: the kernel deals the connections out."""
    found: list[Peer] = []
    while len(found) < 4 or not 0 < max(relayed(server)) < len(found):
        assert len(found) < 30, "the kernel gives every connection to one worker"
        found.append(await (await peers(("hocuspocus-4", "y-websocket-3")[len(found) % 2], server, NAME)).synced())
    return found


async def test_clients_of_all_workers_are_in_one_room(server: Served, peers: Peers) -> None:
    server.write(NAME, "start\n")
    found = await spread(server, peers)
    for number, peer in enumerate(found):
        await peer.line(f"{number} was here", 1.0)
    expected = Counter(["start", *(f"{number} was here" for number in range(len(found)))])
    for peer in found:
        await peer.holds(expected)
        await peer.stored()
    await server.holds(NAME, expected)


async def test_whichever_worker_is_killed_while_people_type_nothing_acknowledged_is_lost(
    server: Served, peers: Peers, seeded: random.Random
) -> None:
    server.write(NAME, "start\n")
    found = await spread(server, peers)
    home = owner(server)
    for kill in range(scale(3, 12)):
        for number, peer in enumerate(found):
            await peer.type(f"{kill}-{number}", pause=20, seed=seeded.randrange(1, 2**31 - 1))
        before = await _stored(found)
        async with asyncio.timeout(SECONDS):
            while await _stored(found) < before + 40:
                pass
        # Twice the one where the document lives, once the other.
        pid = worker(server, home if kill % 3 != 1 else 1 - home)
        os.kill(pid, signal.SIGKILL)
        await until(lambda pid=pid: not running(pid))  # type: ignore[misc]
        async with asyncio.timeout(SECONDS):
            while await _stored(found) < before + 80:
                pass
        for peer in found:
            await peer.rest()
            await peer.stored()
    words = [word for peer in found for word in (await peer.rest())[0]]
    expected = Counter(["start", *words])
    for peer in found:
        await peer.holds(expected, within=SECONDS)
        await peer.stored()
    await server.holds(NAME, expected)


async def _stored(peers: list[Peer]) -> int:
    told = await asyncio.gather(*(peer.do("progress") for peer in peers))
    return sum(each["stored"] for each in told)


async def test_what_a_killed_worker_had_not_saved_is_in_the_file_without_anyone_opening_it(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, COLLAB_WORKERS="2", COLLAB_SAVE_DELAY="600", COLLAB_SAVE_AT_MOST="600") as server:
        server.write(NAME, "start\n")
        peer = await (await peers("hocuspocus-4", server, NAME)).synced()
        await peer.line("typed", 1.0)
        await peer.stored()
        assert server.read(NAME) == "start\n"
        await peer.offline()
        os.kill(worker(server, owner(server)), signal.SIGKILL)
        await server.shows(NAME, "start\ntyped\n")


def test_requests_for_a_document_are_answered_whichever_worker_they_come_to(server: Served) -> None:
    """NODES-4."""
    server.write(NAME, "start\n")
    address = f"{server.url}/api/documents/notes%2Funder%20load.md"
    headers = {"Authorization": f"Bearer {server.token()}"}
    text = "start\n"
    for number in range(12):  # each request is a connection of its own
        read = asking.get(f"{address}/content", headers=headers)
        assert (read.status_code, read.text) == (200, text)
        text = f"start\n{number}\n" + "x" * 200_000
        put = asking.put(f"{address}/content", headers={**headers, "If-Match": read.headers["etag"]}, content=text)
        assert put.status_code == 200, put.text
        assert put.headers["x-collab-merged"] == "false"
        (listed,) = asking.get(f"{server.url}/api/documents", params={"path": "notes"}, headers=headers).json()["documents"]
        assert listed["etag"] == put.headers["etag"].strip('"')
        found = asking.get(f"{server.url}/api/search", params={"q": f"{number}"}, headers=headers)
        assert found.status_code == 200
    # An archive that is late is told afterwards.
    versions = asyncio.run(until(lambda: asking.get(f"{address}/versions", headers=headers).json()["versions"]))
    assert versions[-1]["source"] == "first"
    assert asyncio.run(until(lambda: asking.get(f"{address}/authors", headers=headers).json()["characters"] == len(text)))
    assert asking.get(f"{address}/content", headers={}).status_code == 401
    viewer = {"Authorization": f"Bearer {server.token(role='viewer')}"}
    for _ in range(6):
        assert asking.put(f"{address}/content", headers={**viewer, "If-Match": "*"}, content="x").status_code == 403
    gone = asking.delete(address, headers={**headers, "If-Match": "*"})
    assert gone.status_code == 200
    for _ in range(6):
        assert asking.get(f"{address}/content", headers=headers).status_code == 404


def test_who_signs_out_is_signed_out_at_every_worker(server: Served) -> None:
    secret = server.address.rpartition("#")[2]
    origin = {"Origin": server.url}
    cookies = asking.post(f"{server.url}/api/session", json={"secret": secret}, headers=origin).cookies
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert {asking.get(f"{server.url}/api/session", headers=cookie).status_code for _ in range(8)} == {200}
    assert asking.delete(f"{server.url}/api/session", headers={**cookie, **origin}).status_code == 204
    assert {asking.get(f"{server.url}/api/session", headers=cookie).status_code for _ in range(8)} == {401}


async def test_a_worker_that_is_paused_is_never_doubled_and_the_others_go_on(server: Served) -> None:
    before = processes(server.pid)
    paused = worker(server, 1)
    os.kill(paused, signal.SIGSTOP)
    try:
        other = worker(server, 0)
        os.kill(other, signal.SIGKILL)
        await until(lambda: len(processes(server.pid)) == WORKERS and worker(server, 0) not in {0, other})
        assert paused in processes(server.pid)
        assert worker(server, 1) == paused
        assert len(before) == WORKERS
    finally:
        os.kill(paused, signal.SIGCONT)


async def test_all_end_together_and_whatever_was_typed_is_in_the_file(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, COLLAB_WORKERS="2", COLLAB_SAVE_DELAY="600", COLLAB_SAVE_AT_MOST="600") as server:
        server.write(NAME, "start\n")
        peer = await (await peers("hocuspocus-4", server, NAME)).synced()
        await peer.line("typed", 1.0)
        await peer.stored()
        workers = processes(server.pid)
        refused = server.run("serve", "--port", "0")
        assert refused.returncode == 2
        assert str(server.pid) in refused.stderr
        assert await asyncio.to_thread(server.stop) == 0
        assert not any(map(running, workers))
        assert server.read(NAME) == "start\ntyped\n"


async def test_workers_end_when_their_supervisor_is_killed_and_nobody_else_begins_before(tmp_path: Path) -> None:
    with serving(tmp_path, COLLAB_WORKERS="2", COLLAB_DRAIN="120") as server:
        workers = processes(server.pid)
        server.kill()
        assert server.run("serve", "--port", "0").returncode == 2
        assert all(map(running, workers))
        for pid in workers:
            os.kill(pid, signal.SIGTERM)  # the second signal: they wait no longer
        await until(lambda: not any(map(running, workers)))
        await asyncio.to_thread(server.start)
        assert len(processes(server.pid)) == WORKERS


def test_a_port_that_another_server_of_this_user_has_is_refused(server: Served, tmp_path: Path) -> None:

    (tmp_path / "other").mkdir()
    second = replace(server, root=tmp_path / "other", state=tmp_path / "other state", process=None)
    refused = second.run("serve", "--port", str(server.port))
    assert refused.returncode == 2
    assert "cannot listen" in refused.stderr
