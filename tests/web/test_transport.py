"""Rooms over plain HTTP on a real server, request by request (WIRE-15 to WIRE-18)."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from permitting import permitting
from serving import PATIENCE, serving, until
from standing import stand
from test_document import Replica
from web.test_carrier import events

from collab import protocol
from collab.codec import Reader, var_bytes, var_string
from collab.web.carrier import READERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from serving import Served

TOKEN_REQUEST = b"\x02\x00"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("transport"), COLLAB_SAVE_DELAY="0.2", COLLAB_LIMIT_FRAME_BEFORE="100KiB") as served:
        yield served


class Client:
    """Somebody who speaks Hocuspocus' words over plain HTTP, each request when the test wants it."""

    def __init__(self, http: httpx.AsyncClient, path: str = "", key: str = "") -> None:
        self.http = http
        self.path = path
        self.key = key
        self.batch = 0
        self.last = 0
        self.said: list[bytes] = []
        self.closed: dict[str, Any] | None = None

    async def open(self, **headers: str) -> Client:
        answer = await self.http.post("/transport", headers=headers)
        assert answer.status_code == 201, answer.text
        assert answer.headers["cache-control"] == "no-store"
        self.path, self.key = f"/transport/{answer.json()['id']}", answer.json()["key"]
        assert answer.headers["location"] == self.path
        return self

    def headers(self, **more: str) -> dict[str, str]:
        return {"Collab-Key": self.key} | {name.replace("_", "-"): value for name, value in more.items()}

    async def post(self, body: bytes = b"", *, number: object = None, **more: str) -> httpx.Response:
        """One batch: the next one, or the one of this number."""
        if number is None:
            self.batch += 1
            number = self.batch
        return await self.http.post(self.path, content=body, headers=self.headers(Collab_Batch=str(number), **more))

    async def say(self, name: str, *messages: bytes) -> None:
        address = protocol.address(name)
        answer = await self.post(b"".join(var_bytes(address + message) for message in messages))
        assert answer.status_code == 204, answer.text

    async def poll(self) -> httpx.Response:
        answer = await self.http.get(self.path + "?wait", headers=self.headers(Last_Event_ID=str(self.last)))
        if answer.status_code == 200:
            self.hear(answer.content)
        return answer

    def hear(self, text: bytes) -> None:
        for number, message in events(text):
            assert number == self.last + 1
            self.last = number
            if message.startswith(b'{"code"'):
                self.closed = json.loads(message)
            else:
                self.said.append(message)

    async def until(self, *found: bytes) -> None:
        """Until a message with each of these came."""
        async with asyncio.timeout(PATIENCE):
            while not all(any(each in message for message in self.said) for each in found):
                answer = await self.poll()
                assert answer.status_code == 200, answer.text

    async def until_closed(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while self.closed is None:
                assert (await self.poll()).status_code == 200
        return self.closed

    async def join(self, name: str, token: str, replica: Replica) -> None:
        await self.say(name, b"\x02\x00" + var_string(token), protocol.step1(replica.doc.get_state()))
        await self.until(b"\x02\x02")

    def take(self, name: str, replica: Replica) -> str:
        """What was said is applied; the text."""
        address = protocol.address(name)
        for message in self.said:
            reader = Reader(message.removeprefix(address))
            if reader.var_uint() in {0, 4} and reader.var_uint() in {1, 2}:
                replica.doc.apply_update(reader.var_bytes())
        return str(replica.text)


@asynccontextmanager
async def talking(server: Served, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE) as http:
        yield http


def is_problem(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert answer.json()["detail"]


async def counted(http: httpx.AsyncClient, metric: str) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(metric + " "))


async def test_an_edit_that_comes_twice_is_there_once_and_a_stream_goes_on_where_it_was_cut(server: Served) -> None:
    server.write("twice.md", "one\n")
    async with talking(server) as http:
        client, replica = await Client(http).open(), Replica(client=7)
        await client.join("twice.md", server.token(), replica)
        await client.until(b"\x00\x01")
        assert client.take("twice.md", replica) == "one\n"
        update = protocol.update(replica.insert(0, "two "))
        body = var_bytes(protocol.address("twice.md") + update)
        for _ in range(3):
            assert (await client.post(body, number=2)).status_code == 204
        client.batch = 2
        last = client.last
        first = await client.poll()
        # The answer was lost: the same events with the same numbers.
        client.last = last
        again = await client.poll()
        assert first.content
        assert again.content.startswith(first.content)
        await client.until(b"\x08\x01")
        await server.shows("twice.md", "two one\n")
        is_problem(await client.post(b"", number=9), 409, "gap")
        is_problem(await client.post(b"", number="x"), 400, "malformed")
        is_problem(await client.post(b"", number=-1), 400, "malformed")
        await client.say("twice.md", protocol.update(replica.insert(0, "three ")))
        await server.shows("twice.md", "three two one\n")


async def test_events_come_as_a_stream_that_nobody_may_hold_back(server: Served) -> None:
    server.write("stream.md", "one\n")
    async with talking(server) as http:
        client, replica = await Client(http).open(), Replica(client=8)
        async with http.stream("GET", client.path, headers=client.headers()) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            assert stream.headers["x-accel-buffering"] == "no"
            assert stream.headers["cache-control"] == "no-store, no-transform"
            pieces = stream.aiter_bytes()
            assert await anext(pieces) == b":\n\n", "something at once"
            await client.say("stream.md", b"\x02\x00" + var_string(server.token()), protocol.step1(replica.doc.get_state()))
            while not any(b"\x02\x02" in message for message in client.said):
                client.hear(await anext(pieces))
        assert await counted(http, "collab_connections_http") >= 1
        resumed = await counted(http, "collab_streams_resumed_total")
        async with http.stream("GET", client.path, headers=client.headers(Last_Event_ID="1")) as stream:
            assert stream.status_code == 200
        assert await counted(http, "collab_streams_resumed_total") == resumed + 1
        assert (await http.delete(client.path, headers=client.headers())).status_code == 204
        is_problem(await client.post(b""), 410, "gone")


async def test_nobody_speaks_for_another_connection(server: Served) -> None:
    async with talking(server) as http:
        client, other = await Client(http).open(), await Client(http).open()
        stranger = Client(http, client.path, other.key)
        is_problem(await stranger.poll(), 410, "gone")
        is_problem(await stranger.post(b""), 410, "gone")
        is_problem(await http.delete(client.path, headers=stranger.headers()), 410, "gone")
        is_problem(await http.get(client.path), 410, "gone")
        for path in ("/transport/-", "/transport/x-y", "/transport/-" + "0" * 36, "/transport/%2e%2e", "/transport/" + "ff-" + "0" * 36):
            is_problem(await http.get(path, headers=client.headers()), 410, "gone")
        assert (await http.get("/transport")).status_code == 405
        assert (await client.post(b"")).status_code == 204


async def test_a_page_of_another_origin_opens_no_connection_with_the_browsers_session(server: Served) -> None:
    secret = server.run("login").stdout.strip().partition("#")[2]
    async with talking(server) as http:
        assert (await http.post("/api/session", json={"secret": secret}, headers={"Origin": server.url})).status_code == 200
        is_problem(await http.post("/transport", headers={"Origin": "https://elsewhere.example"}), 403, "forbidden")
        is_problem(await http.post("/transport"), 403, "forbidden")
        is_problem(await http.post("/transport", headers={"Origin": "null"}), 403, "forbidden")
        assert (await http.post("/transport", headers={"Host": "elsewhere.example"})).status_code == 421
        client = await Client(http).open(Origin=server.url)
        is_problem(
            await http.post(client.path, headers=client.headers(Collab_Batch="1", Origin="https://elsewhere.example")), 403, "forbidden"
        )
        # The cookie is who one is: the word in band only asks for it.
        server.write("cookie.md", "one\n")
        address = protocol.address("cookie.md")
        body = var_bytes(address + b"\x02\x00" + var_string("cookie"))
        assert (await http.post(client.path, content=body, headers=client.headers(Collab_Batch="1", Origin=server.url))).status_code == 204
        await client.until(b"read-write")


@pytest.mark.parametrize(
    "body",
    [
        b"\x05abc",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\x00",
        b"\x00" * 1001,
    ],
    ids=["cut", "number over 64 bits", "padded number", "too many"],
)
async def test_a_body_that_is_no_batch_is_refused_and_does_not_count(server: Served, body: bytes) -> None:
    async with talking(server) as http:
        client = await Client(http).open()
        is_problem(await client.post(body, number=1), 400, "malformed")
        assert (await client.post(b"", number=1)).status_code == 204


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x03abc\x63", b"\x03abc\x00\x07", b"\xff" * 40])
async def test_a_message_that_no_socket_takes_ends_this_connection_too(server: Served, message: bytes) -> None:
    async with talking(server) as http:
        client = await Client(http).open()
        assert (await client.post(var_bytes(message))).status_code == 204
        assert (await client.until_closed())["code"] == 4400
        is_problem(await client.post(b""), 410, "gone")


async def test_sizes_are_those_of_sockets(server: Served) -> None:
    async with talking(server) as http:
        client = await Client(http).open()
        is_problem(await client.post(b"\x00" * 400_000, number=1), 413, "too-large")
        assert (await client.post(var_bytes(b"x" * 120_000), number=1)).status_code == 204
        assert (await client.until_closed())["code"] == 1009
        is_problem(await client.http.get(client.path, headers=client.headers(Last_Event_ID="99")), 409, "conflict")
        is_problem(await client.http.get(client.path, headers=client.headers(Last_Event_ID="one")), 400, "malformed")


async def test_few_requests_at_once_are_read(tmp_path: Path) -> None:
    """Bodies that never end hold little."""
    async with stand(tmp_path) as site, site.of() as http:
        client = await Client(http).open()
        begun = asyncio.Semaphore(0)
        release = asyncio.Event()

        async def receive() -> dict[str, Any]:
            begun.release()
            await release.wait()
            return {"type": "http.request", "body": b""}

        async def post(number: int) -> int:
            said: list[Any] = []

            async def send(message: Any) -> None:
                said.append(message)

            headers = [(b"collab-key", client.key.encode()), (b"collab-batch", b"%d" % number)]
            await site.answer(b"POST " + client.path.encode(), receive, send, *headers)
            return int(said[0]["status"])

        held = [asyncio.ensure_future(post(1)) for _ in range(READERS)]
        for _ in range(READERS):
            await begun.acquire()
        assert await post(1) == 429
        release.set()
        assert await asyncio.gather(*held) == [204] * READERS
        assert await post(2) == 204


async def test_rights_that_are_taken_back_and_a_token_that_ends_are_told_as_on_a_socket(tmp_path: Path) -> None:
    with permitting(tmp_path) as server:
        server.write("rights.md", "one\n")
        async with talking(server) as http:
            client, replica = await Client(http).open(), Replica(client=9)
            await client.join("rights.md", server.token("Ann"), replica)
            await client.until(b"read-write")
            server.permit(Ann="viewer")
            await client.until(b"readonly")
            client.said.clear()
            await client.say("rights.md", protocol.update(replica.insert(0, "no ")))
            await client.until(b"\x08\x00")
            server.permit(Ann="none")
            await client.until(b"forbidden")
            assert server.read("rights.md") == "one\n"

            server.permit()
            brief, other = await Client(http).open(), Replica(client=10)
            await brief.join("rights.md", server.token("Bob"), other)
            # In place of that one comes one that is over soon: on its way in one request, not in several.
            await brief.say("rights.md", b"\x02\x00" + var_string(server.token("Bob", seconds=8)))
            await brief.until(protocol.address("rights.md") + TOKEN_REQUEST)
            brief.said.clear()
            await brief.say("rights.md", b"\x02\x00" + var_string(server.token("Bob")))
            await brief.until(b"read-write")


async def test_a_stop_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        async with talking(server) as http:
            client = await Client(http).open()
            async with http.stream("GET", client.path, headers=client.headers()) as stream:
                pieces = stream.aiter_bytes()
                await anext(pieces)
                stopping = asyncio.ensure_future(asyncio.to_thread(server.stop))
                heard = b"".join([piece async for piece in pieces])
                assert b'"code": 1012' in heard
                assert await stopping == 0


async def on_both(http: httpx.AsyncClient, many: int) -> list[Client]:
    """So many connections, the last of which is at another worker than the first: the kernel deals them out by chance."""
    first = await Client(http).open()
    clients = [first, *[await Client(http).open() for _ in range(many - 2)]]
    for _ in range(100):
        last = await Client(http).open()
        if worker(last) != worker(first):
            return [*clients, last]
    raise AssertionError("a hundred connections are all at one worker")


def worker(client: Client) -> str:
    return client.path.partition("-")[0]


async def test_a_request_meets_its_connection_on_whatever_worker_it_arrives(tmp_path: Path) -> None:
    """NODES-7: each request has a TCP connection of its own here, which the kernel gives to any worker."""
    with serving(tmp_path, COLLAB_WORKERS="2", COLLAB_SAVE_DELAY="0.2") as server:
        server.write("workers.md", "one\n")
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            clients = await on_both(http, 6)
            replicas = [Replica(client=20 + number) for number in range(6)]
            for client, replica in zip(clients, replicas, strict=True):
                await client.join("workers.md", server.token(), replica)
                await client.until(b"\x00\x01")
                client.take("workers.md", replica)
            for number, (client, replica) in enumerate(zip(clients, replicas, strict=True)):
                await client.say("workers.md", protocol.update(replica.insert(0, f"{number} ")))
                await client.until(b"\x08\x01")
            await until(lambda: sorted(server.read("workers.md").split()) == sorted(["0", "1", "2", "3", "4", "5", "one"]))
            for client, replica in zip(clients, replicas, strict=True):
                async with asyncio.timeout(PATIENCE):
                    while client.take("workers.md", replica) != server.read("workers.md"):
                        await client.poll()
            # Streams through another worker come as they are.
            async with http.stream("GET", clients[0].path, headers=clients[0].headers(Last_Event_ID=str(clients[0].last))) as stream:
                pieces = stream.aiter_bytes()
                assert await anext(pieces) == b":\n\n"
                await clients[1].say("workers.md", protocol.update(replicas[1].insert(0, "seen ")))
                heard = b""
                while b"id: " not in heard:
                    heard += await anext(pieces)
                stopping = asyncio.ensure_future(asyncio.to_thread(server.stop))
                async for _ in pieces:
                    pass
                await stopping
        assert "Traceback" not in server.log.read_text()
