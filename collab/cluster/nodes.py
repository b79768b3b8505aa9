"""The other nodes, as rooms see them: sessions that are relayed, and questions to all (`collab.runtime.elsewhere.Neighbours`)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from collab.cluster.relay import Guests, Relay
from collab.cluster.words import Facts, error_of, of_error, of_stat, pack, stat_of, unpack
from collab.errors import CollabError, Malformed, NotFound, Unavailable
from collab.runtime.elsewhere import Ahead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from collab.cluster.link import Exchange, Wire
    from collab.cluster.relay import Away
    from collab.ports import Place, Placement, Stat
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.cluster")

QUICK: Final = 2.0
"""Seconds for questions that somebody waits for."""
SLOW: Final = 40.0
"""Seconds for what saves files."""
DELETED: Final = "The document was deleted."


class Nodes:
    """The other nodes, as this one knows them. `pass_in` serves a request of another node (see `collab.cluster.passing`)."""

    def __init__(self, exchange: Exchange, placement: Placement, rooms: Rooms) -> None:
        self.pass_in: Callable[[Wire], Awaitable[None]] | None = None
        self._exchange = exchange
        self._placement = placement
        self._rooms = rooms
        self._relays: dict[tuple[str, str], Relay] = {}
        self._dialing: dict[tuple[str, str], asyncio.Lock] = {}
        self._guests: set[Guests] = set()
        exchange.answer = self._answer
        rooms.neighbours = self

    @property
    def relayed(self) -> int:
        """Sessions of sockets here in rooms elsewhere."""
        return sum(map(len, self._relays.values()))

    @property
    def guests(self) -> int:
        """Sessions of sockets elsewhere in rooms here."""
        return sum(map(len, self._guests))

    @property
    def wires(self) -> int:
        """Wires over which sessions are relayed, from here and to here."""
        return len(self._relays) + len(self._guests)

    async def close(self) -> None:
        """Hang up: sessions here and there end with a passing error."""
        await self._exchange.close()
        for relay in tuple(self._relays.values()):
            relay.close()

    # --- sessions

    async def enter(self, place: Place, document: str) -> Away:
        """The room of a document that lives there."""
        relay = await self._relay(place)
        return await relay.room(document)

    async def _relay(self, place: Place) -> Relay:
        where = place.node, place.address
        async with self._dialing.setdefault(where, asyncio.Lock()):
            relay = self._relays.get(where)
            if relay is None or not relay.open:
                wire = await self._exchange.dial(place.node, place.address, "link")
                relay = self._relays[where] = Relay(wire, place.node, lambda ended: self._forget(where, ended))
            return relay

    def _forget(self, where: tuple[str, str], relay: Relay) -> None:
        if self._relays.get(where) is relay:
            del self._relays[where]

    async def _answer(self, wire: Wire, facts: dict[str, str]) -> None:
        purpose = facts.get("for")
        if purpose == "link":
            guests = Guests(wire, self._rooms)
            self._guests.add(guests)
            try:
                await guests.serve()
            finally:
                self._guests.discard(guests)
        elif purpose == "http" and self.pass_in is not None:
            await self.pass_in(wire)
        elif purpose == "ask":
            await self._reply(wire)

    # --- questions

    async def find(self, name: str) -> Stat | None:
        """What is known of a document that is open on another node."""
        for answer in await self._ask_all(QUICK, "find", name=name):
            if answer.get("stat") is not None:
                return stat_of(answer["stat"])
        return None

    async def flush(self, path: str) -> None:
        """Save the documents in a folder or deeper."""
        await self._ask_all(SLOW, "flush", path=path)

    async def relocate(self, path: str, to: str) -> None:
        """A folder was moved."""
        await self._ask_all(QUICK, "relocate", path=path, to=to)

    async def dismiss(self, documents: Sequence[str], path: str | None) -> None:
        """These were deleted."""
        await self._ask_all(SLOW, "dismiss", documents=list(documents), path=path)

    async def recover(self, documents: Sequence[str]) -> None:
        """Save what the journal has of these."""
        await self._ask_all(SLOW, "recover", documents=list(documents))

    async def ahead(self, documents: Collection[str]) -> dict[str, Ahead]:
        """Those that are ahead of their files."""
        if not documents:
            return {}
        found: dict[str, Ahead] = {}
        for answer in await self._ask_all(QUICK, "ahead", documents=list(documents)):
            found.update((document, Ahead(**facts)) for document, facts in answer["ahead"].items())
        return found

    async def readable(self, document: str) -> str | None:
        """The live text of a document."""
        for answer in await self._ask_all(QUICK, "readable", document=document):
            if answer.get("text") is not None:
                return str(answer["text"])
        return None

    async def _ask_all(self, seconds: float, verb: str, **facts: object) -> list[Facts]:
        """What those say who answer in time."""
        try:
            others = await self._placement.others()
        except CollabError as error:
            log.warning("the other nodes are not known: %s", error.detail)
            return []
        asked = (self._ask(node, address, seconds, {"verb": verb, **facts}) for node, address in sorted(others.items()))
        return [answer for answer in await asyncio.gather(*asked) if answer is not None]

    async def _ask(self, node: str, address: str, seconds: float, facts: Facts) -> Facts | None:
        try:
            async with asyncio.timeout(seconds):
                wire = await self._exchange.dial(node, address, "ask")
                try:
                    wire.send(pack(facts))
                    answer = unpack(await wire.receive())
                finally:
                    wire.close()
            if "error" in answer:
                raise error_of(answer)
        except (TimeoutError, CollabError) as error:
            log.warning(
                "%s was asked to %s: %s", node, facts["verb"], error.detail if isinstance(error, CollabError) else "no answer in time"
            )
            return None
        return answer

    async def _reply(self, wire: Wire) -> None:
        facts = unpack(await wire.receive())
        try:
            answer = await self._do(facts)
        except CollabError as error:
            answer = of_error(error)
        wire.send(pack(answer))
        await wire.drained()

    async def _do(self, facts: Facts) -> Facts:
        rooms = self._rooms
        verb = facts["verb"]
        if verb == "find":
            stat = rooms.open_one(facts["name"])
            return {"stat": None if stat is None else of_stat(stat)}
        if verb == "ahead":
            return {"ahead": await self._ahead(facts["documents"])}
        if verb == "readable":
            return {"text": await self._text(facts["document"])}
        if verb == "relocate":
            rooms.relocate(facts["path"], facts["to"])
        elif verb == "flush":
            await rooms.flush([host.id for host in rooms.below(facts["path"])])
        elif verb == "recover":
            await rooms.recover(facts["documents"])
        elif verb == "dismiss":
            inside = [] if facts["path"] is None else [host.id for host in rooms.below(facts["path"])]
            await asyncio.gather(*(rooms.remove(document, NotFound(DELETED)) for document in {*facts["documents"], *inside}))
        else:
            raise Malformed("Another node asks what this one does not know.")
        return {}

    async def _ahead(self, documents: Sequence[str]) -> Facts:
        hosts = [host for document in documents if (host := self._rooms.live(document)) is not None and host.file.word != "saved"]
        return {host.id: {"size": live.size, "etag": live.etag} for host in hosts for live in (await host.live(),)}

    async def _text(self, document: str) -> str | None:
        host = self._rooms.live(document)
        if host is None or host.file.word == "saved":
            return None
        try:
            async with asyncio.timeout(QUICK):
                await host.sound()
                text = host.room.document.readable()
                await host.settled()
        except TimeoutError:
            raise Unavailable("The journal does not hold yet what was typed.") from None
        return text
