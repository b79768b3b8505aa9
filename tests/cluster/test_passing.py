"""NODES-7: requests for a document that lives on another node."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from cluster.pair import settle
from runtime.stage import PATH, person

from collab.access import Grant, Role
from collab.cluster.passing import Interrupted, Passage, Passing
from collab.web.admission import Visitor
from collab.web.gate import PASSED

if TYPE_CHECKING:
    from cluster.pair import Node, Pair
    from starlette.types import Message, Receive, Scope, Send


class Asked:
    """What answers on a node: says who it is, who asks, and gives the body back, piece by piece."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scopes: list[Scope] = []
        self.over = asyncio.Event()
        self.hold = False
        """Answers begin, and do not end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-node", self.name.encode()), (b"x-two", b"\xe9")]})
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.over.set()
                return
            more = message["more_body"] or self.hold
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})


class Caller:
    """Somebody who asks a node."""

    def __init__(self, node: Node, app: Asked, *pieces: bytes, path: str = f"/api/documents/{PATH}/content") -> None:
        self.pieces = [*pieces] or [b""]
        self.said: list[Message] = []
        self.gone = asyncio.Event()
        visitor = Visitor("192.0.2.7", "https", "docs.example", Grant(person("Ann"), Role.EDITOR, "x", 77.0, "jti"), "cookie")
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "PUT",
            "path": path,
            "query_string": b"a=b%20c",
            "headers": [(b"if-match", b'"x"'), (b"cookie", b"secret")],
            "state": {"visitor": visitor},
        }
        self._passing = Passing(app, node.passage)

    async def receive(self) -> Message:
        if not self.pieces:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        body = self.pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.pieces)}

    async def send(self, message: Any) -> None:
        self.said.append(message)

    async def ask(self) -> None:
        await self._passing(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return int(self.said[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.said[1:])


@pytest.fixture
async def apps(pair: Pair) -> dict[str, Asked]:
    found = {}
    for name, node in (("owner", pair.owner), ("relay", pair.relay)):
        assert node.placement is not None
        node.passage = Passage(node.exchange, node.placement, node.rooms, node.files)
        node.passage.app = found[name] = Asked(name)
        node.nodes.pass_in = node.passage.serve
    return found


async def test_a_request_is_answered_where_the_document_lives_as_if_it_had_come_there(pair: Pair, apps: dict[str, Asked]) -> None:
    pieces = [bytes([number]) * 300_000 for number in range(10)]
    caller = Caller(pair.relay, apps["relay"], *pieces)
    await caller.ask()
    assert caller.status == 200
    assert caller.said[0]["headers"] == [(b"x-node", b"owner"), (b"x-two", b"\xe9")]
    assert caller.body == b"".join(pieces)
    assert not apps["relay"].scopes
    (scope,) = apps["owner"].scopes
    assert scope["state"]["visitor"] == caller.scope["state"]["visitor"]
    assert (scope["method"], scope["path"], scope["query_string"]) == ("PUT", caller.scope["path"], b"a=b%20c")
    assert scope["headers"] == [(b"if-match", b'"x"')]
    assert PASSED in scope


async def test_what_lives_here_or_nowhere_is_answered_here_and_held_meanwhile_only(pair: Pair, apps: dict[str, Asked]) -> None:
    document = (await pair.relay.files.stat("other.md")).id
    caller = Caller(pair.relay, apps["relay"], path="/api/documents/other.md")
    await caller.ask()
    await Caller(pair.relay, apps["relay"], path="/api/documents").ask()
    await Caller(pair.relay, apps["relay"], path=f"/api/documents/{PATH}/star").ask()
    await Caller(pair.relay, apps["relay"], path="/api/documents/missing.md").ask()
    assert len(apps["relay"].scopes) == 4
    await settle()
    assert document not in pair.places.owners


async def test_whoever_hangs_up_is_not_answered_any_more(pair: Pair, apps: dict[str, Asked]) -> None:
    apps["owner"].hold = True
    caller = Caller(pair.relay, apps["relay"], b"x")
    asking = asyncio.ensure_future(caller.ask())
    await settle()
    assert caller.body == b"x"
    caller.gone.set()
    await asyncio.wait_for(apps["owner"].over.wait(), 1)
    await asking
    assert len(apps["owner"].scopes) == 1


async def test_half_an_answer_is_never_taken_for_a_whole_one(pair: Pair, apps: dict[str, Asked]) -> None:
    apps["owner"].hold = True
    caller = Caller(pair.relay, apps["relay"], b"x")
    asking = asyncio.ensure_future(caller.ask())
    await settle()
    pair.network.vanish("owner")
    with pytest.raises(Interrupted):
        await asking
    assert caller.said[-1]["more_body"]


async def test_a_node_that_is_gone_is_waited_for_and_then_told(pair: Pair, apps: dict[str, Asked]) -> None:
    exchange = pair.network.exchanges.pop("owner")
    caller = Caller(pair.relay, apps["relay"], b"x")
    asking = asyncio.ensure_future(caller.ask())
    await asyncio.sleep(5)
    assert not caller.said
    pair.network.exchanges["owner"] = exchange
    await asking
    assert caller.status == 200

    del pair.network.exchanges["owner"]
    late = Caller(pair.relay, apps["relay"], b"x")
    await late.ask()
    assert late.status == 503
    assert json.loads(late.body)["reason"] in {"moved", "unreachable"}


async def test_a_document_that_moves_meanwhile_is_looked_for_once_more(pair: Pair, apps: dict[str, Asked]) -> None:
    caller = Caller(pair.relay, apps["relay"], b"x")
    pair.places.take_away(pair.host.id)
    await caller.ask()
    assert caller.said[0]["headers"][0] == (b"x-node", b"relay")
