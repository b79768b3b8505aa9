"""Requests for a document that lives on another node: passed on to that node, whole, with who asks; the caller notices nothing."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from collab.cluster.words import Facts, grant_of, of_grant, pack, unpack
from collab.errors import CollabError, Fenced, NotFound, Unavailable, Unreachable
from collab.ports import Place
from collab.runtime.elsewhere import Elsewhere
from collab.runtime.rooms import AGAIN, ARRIVAL
from collab.storage.paths import is_id
from collab.web.admission import Visitor
from collab.web.gate import PASSED
from collab.web.problems import Problem
from collab.web.transport import node_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from collab.cluster.link import Exchange, Wire
    from collab.ports import Files, Placement
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.cluster")

ANSWER: Final = 60.0
"""Seconds from the end of a request until its answer begins."""
_ONE: Final = re.compile(r"/api/documents/(?P<name>[^/]+)(?P<rest>/.*)?")
_READ: Final = re.compile(r"/v/(?P<name>.+)")
_HERE: Final = re.compile(r"/star|/visit|/shares(/.*)?")
"""What is not of the document's text, but of the caller, or of who may do what."""
_OWN: Final = frozenset({b"cookie", b"authorization", b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te"})
"""Headers that stay here: who the caller is, is known; the connection is another one (RFC 9110, section 7.6.1)."""

GO, MOVED = b"go", b"moved"
MORE, LAST = b"\x00", b"\x01"
"""Before a piece of a body: more come, or this is the last one."""


class Interrupted(ConnectionError):
    """An answer ended in the middle. The server closes the connection, so that nobody takes half of it for the whole."""


class Passage:
    """`app` is what answers where the document lives."""

    def __init__(self, exchange: Exchange, placement: Placement, rooms: Rooms, files: Files) -> None:
        self.app: ASGIApp | None = None
        self._exchange = exchange
        self._placement = placement
        self._rooms = rooms
        self._files = files
        self.office: Callable[[Scope], Awaitable[str | None]] = _nowhere
        """The id of the document that an office suite's request changes or is for, if its token is good for that."""

    # --- on the node that was asked

    async def handle(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer here, or where the document lives, or the connection over plain HTTP."""
        node = node_of(scope["path"])
        if node is not None:
            await self._carry(node, app, scope, receive, send)
            return
        document = await self._document(scope)
        if document is None:
            await app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + ARRIVAL
        while True:
            try:
                tenure = await self._rooms.tenures.take(document, again=False)
            except Elsewhere as there:
                error: CollabError = there
                with suppress(Unreachable):
                    if await self._pass_on(there.place, document, scope, receive, send):
                        return
            except CollabError as refused:
                error = refused
            else:
                try:
                    await app(scope, receive, send)
                finally:
                    await self._rooms.tenures.give(tenure)
                return
            if loop.time() > end or not isinstance(error, Fenced | Unreachable):
                await Problem.of(error)(scope, receive, send)
                return
            await asyncio.sleep(AGAIN)

    async def _carry(self, node: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """To the node that has the connection, while it is there; this one says what there is to say of a connection that is not."""
        address = None if node == self._placement.node else (await self._placement.others()).get(node)
        if address is not None:
            try:
                if await self._pass_on(Place(node, address, 0), "", scope, receive, send):
                    return
            except Unreachable:
                pass
            except Interrupted:
                if scope["query_string"]:
                    raise
                # A stream of events may end anywhere: its reader goes on behind the last whole one.
                await send({"type": "http.response.body", "body": b""})
                return
        await app(scope, receive, send)

    async def _document(self, scope: Scope) -> str | None:
        """The id of the document that the request is for; None: none that lives anywhere, or it makes no difference."""
        office = await self.office(scope)
        if office is not None:
            return await self._there(office)
        read = _READ.fullmatch(scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        match = read or _ONE.fullmatch(scope["path"])
        if match is None or scope["state"]["visitor"].grant is None:
            return None
        rest = "" if read else match["rest"] or ""
        if _HERE.fullmatch(rest):
            return None
        try:
            name = unquote_to_bytes(match["name"]).decode()
            stat = await self._files.stat(name)
        except NotFound:
            return await self._gone(name) if rest == "/return" else None
        except (CollabError, UnicodeDecodeError):
            return None
        return stat.id or None

    async def _there(self, document: str) -> str | None:
        """The id again, of a document that has a file."""
        try:
            return (await self._files.stat(document)).id or None
        except CollabError:
            return None

    async def _gone(self, name: str) -> str | None:
        """A document whose file is gone lives on in its open room."""
        if is_id(name) or self._rooms.neighbours is None or self._rooms.open_one(name) is not None:
            return name if is_id(name) else None
        stat = await self._rooms.neighbours.find(name)
        return None if stat is None else stat.id

    async def _pass_on(self, place: Place, document: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the node took it. Unreachable, before anything of the request was read."""
        wire = await self._exchange.dial(place.node, place.address, "http")
        try:
            wire.send(pack(_request(document, scope)))
            if await wire.receive() != GO:
                return False
            await _converse(wire, scope, receive, send)
        finally:
            wire.close()
        return True

    # --- on the node where the document lives

    async def serve(self, wire: Wire) -> None:
        """A request of another node."""
        facts = unpack(await wire.receive())
        if not facts["document"]:
            await self._answer(facts, wire)
            return
        try:
            tenure = await self._rooms.tenures.take(facts["document"], again=False)
        except CollabError:
            wire.send(MOVED)
            return
        try:
            await self._answer(facts, wire)
        finally:
            await self._rooms.tenures.give(tenure)

    async def _answer(self, facts: Facts, wire: Wire) -> None:
        wire.send(GO)
        assert self.app is not None  # noqa: S101 - wired before anybody listens
        await self.app(_scope(facts), _Body(wire).receive, _Answer(wire).send)
        with suppress(Unreachable):
            await wire.drained()


class Passing:
    """ASGI middleware behind the gate."""

    def __init__(self, app: ASGIApp, passage: Passage) -> None:
        self._app = app
        self._passage = passage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Here, or elsewhere."""
        if scope["type"] != "http" or PASSED in scope or "visitor" not in scope.get("state", {}):
            await self._app(scope, receive, send)
        else:
            await self._passage.handle(self._app, scope, receive, send)


async def _nowhere(_: Scope) -> None:
    """No office suite asks."""


def _request(document: str, scope: Scope) -> Facts:
    visitor: Visitor = scope["state"]["visitor"]
    # An office suite's token is looked at there as well; everybody else's grant is in the request.
    own = _OWN if visitor.grant is not None else _OWN - {b"authorization"}
    return {
        "document": document,
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": [[key.decode("latin-1"), value.decode("latin-1")] for key, value in scope["headers"] if key not in own],
        "visitor": {
            "address": visitor.address,
            "scheme": visitor.scheme,
            "host": visitor.host,
            "via": visitor.via,
            "grant": None if visitor.grant is None else of_grant(visitor.grant),
        },
    }


def _scope(facts: Facts) -> Scope:
    told = facts["visitor"]
    grant = None if told["grant"] is None else grant_of(told["grant"])
    visitor = Visitor(told["address"], told["scheme"], told["host"], grant, told["via"])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": facts["method"],
        "scheme": visitor.scheme,
        "path": facts["path"],
        "raw_path": facts["path"].encode("latin-1"),
        "query_string": facts["query"].encode("latin-1"),
        "root_path": "",
        "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in facts["headers"]],
        "client": (visitor.address, 0),
        "server": None,
        "state": {"visitor": visitor},
        PASSED: True,
    }


async def _converse(wire: Wire, scope: Scope, receive: Receive, send: Send) -> None:
    """The body there, the answer back."""
    sent = asyncio.Event()
    upload = asyncio.get_running_loop().create_task(_upload(wire, receive, sent))
    begun = False
    try:
        while True:
            frame = await (wire.receive() if begun else _first(wire, sent))
            if not begun:
                begun = True
                facts = unpack(frame)
                headers = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in facts["headers"]]
                await send({"type": "http.response.start", "status": facts["status"], "headers": headers})
                continue
            more = frame[:1] == MORE
            await send({"type": "http.response.body", "body": frame[1:], "more_body": more})
            if not more:
                return
    except (Unreachable, TimeoutError) as error:
        if wire.aborted:
            return  # by who asked: nobody reads this
        if begun:
            raise Interrupted from error
        log.warning("a node did not answer a request that was passed on to it")
        away = Unavailable("The node where the document lives is gone; come back in a moment, and look first what became of your change.")
        await Problem.of(away)(scope, receive, send)
    finally:
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)


async def _first(wire: Wire, sent: asyncio.Event) -> bytes:
    """The beginning of the answer. TimeoutError when the request is whole and nothing comes."""
    arriving = asyncio.ensure_future(wire.receive())
    uploaded = asyncio.ensure_future(sent.wait())
    try:
        await asyncio.wait({arriving, uploaded}, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(ANSWER):
            return await arriving
    finally:
        uploaded.cancel()
        arriving.cancel()


async def _upload(wire: Wire, receive: Receive, sent: asyncio.Event) -> None:
    """Until the caller hangs up."""
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                wire.abort()
                return
            more = bool(message.get("more_body"))
            wire.send(MORE if more else LAST, message.get("body", b""))
            await wire.drained()
            if not more:
                sent.set()
    except Unreachable:
        return
    finally:
        sent.set()


class _Body:
    """What the caller sends, as ASGI's `receive`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._whole = False

    async def receive(self) -> Message:
        try:
            frame = await self._wire.receive()
        except Unreachable:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": frame[1:], "more_body": frame[:1] == MORE}


class _Answer:
    """What the caller gets, as ASGI's `send`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI
        if message["type"] == "http.response.start":
            headers = [[key.decode("latin-1"), value.decode("latin-1")] for key, value in message.get("headers", ())]
            self._wire.send(pack({"status": message["status"], "headers": headers}))
        elif message["type"] == "http.response.body":
            self._wire.send(MORE if message.get("more_body") else LAST, message.get("body", b""))
        # Who has hung up, is told nothing.
        with suppress(Unreachable):
            await self._wire.drained()
