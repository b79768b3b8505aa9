"""Who has which room, in Redis: one heartbeat a node, and claims with fencing numbers that nobody renews (docs/explanation/several-nodes.md).

A Redis that was restarted or replaced may have forgotten claims. For as long as a heartbeat lives after that, and after a node joined, only who
holds a document claims it: so whoever is alive is heard before anybody takes what is theirs.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Unavailable
from collab.ports import Place
from collab.redis.keys import LUA, PREFIX
from collab.redis.server import Script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from collab.redis.server import Reply, Server

log = logging.getLogger("collab.cluster")

HEARTBEAT = 6.0
"""Seconds after which a node that was not heard of is gone, by Redis' clock."""
BEATS = 3
"""So many heartbeats in that time."""
FAREWELL = 3.0
"""Seconds in which Redis is told that a node ends."""
BURIED = 60
"""Seconds, and as many lives of a heartbeat, for which is remembered what a node that is gone had."""
TOGETHER = 512
"""Claims that are looked at by one script."""

_COMMON: Final = (
    LUA
    + """
local me, name, incarnation, life = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local now = millis()
local epoch = redis.call('HMGET', P .. 'epoch', 'run', 'since')
local told = redis.pcall('INFO', 'server')
local run = type(told) == 'string' and string.match(told, 'run_id:(%x+)') or ''
if epoch[1] ~= run then
  redis.call('HSET', P .. 'epoch', 'run', run, 'since', int(now))
  epoch[2] = int(now)
end
local function heard(node)
  local of, which = string.match(node, '^(.*)/(%x+)$')
  local told = of and redis.call('GET', P .. 'node:' .. of)
  if not told then return nil end
  local is, since, address = string.match(told, '^(%x+) (%d+) (.*)$')
  return is == which, tonumber(since), address
end
"""
)

BEAT = Script(
    _COMMON
    + """
local address, first = ARGV[6], ARGV[7] == '1'
local known, since = heard(me)
if known == false and not first then return {-1} end
local again = not known
if again then since = now end
redis.call('SET', P .. 'node:' .. name, incarnation .. ' ' .. int(since) .. ' ' .. address, 'PX', life)
redis.call('SADD', P .. 'members', me)
redis.call('PERSIST', P .. 'docs:' .. me)
local gone = {}
local sure = now - since >= life and now - epoch[2] >= life
for _, node in ipairs(redis.call('SMEMBERS', P .. 'members')) do
  local alive = heard(node)
  if alive == false or (alive == nil and sure) then
    if redis.call('EXISTS', P .. 'docs:' .. node) == 0 then
      redis.call('SREM', P .. 'members', node)
    else
      if redis.call('PTTL', P .. 'docs:' .. node) < 0 then redis.call('PEXPIRE', P .. 'docs:' .. node, ARGV[8]) end
      gone[#gone + 1] = node
    end
  end
end
return {again and 1 or 0, epoch[2], gone}
"""
)

CLAIM = Script(
    _COMMON
    + """
local id, held, floor = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local mine, since = heard(me)
if not mine then return {'beat'} end
local row = redis.call('HMGET', doc(id), 'node', 'fence')
local node, fence = row[1], tonumber(row[2] or '0')
local fresh = math.min(now - since, now - epoch[2])
if held == 0 or held < fence then
  if node == me then return {'here', int(fence)} end
  if node then
    local alive, _, address = heard(node)
    if alive then return {'there', int(fence), node, address} end
    if alive == nil and fresh < life then return {'wait', int(life - fresh)} end
  elseif now - epoch[2] < life then
    return {'wait', int(life - (now - epoch[2]))}
  end
end
fence = math.max(tonumber(redis.call('GET', P .. 'fence') or '0'), now, held, fence, floor) + 1
redis.call('SET', P .. 'fence', int(fence))
redis.call('HSET', doc(id), 'node', me, 'fence', int(fence))
redis.call('SADD', P .. 'docs:' .. me, id)
if node and node ~= me then redis.call('SREM', P .. 'docs:' .. node, id) end
return {'here', int(fence)}
"""
)

RELEASE = Script(
    LUA
    + """
local me, id, fence = ARGV[2], ARGV[3], tonumber(ARGV[4])
local row = redis.call('HMGET', doc(id), 'node', 'fence', 'edited', 'saved', 'trimmed', 'position')
if row[1] ~= me or tonumber(row[2]) ~= fence then return 0 end
redis.call('SREM', P .. 'docs:' .. me, id)
if redis.call('XLEN', log(id)) == 0 and tonumber(row[3] or '0') <= tonumber(row[4] or '0') then
  redis.call('DEL', doc(id), log(id))
else
  redis.call('HDEL', doc(id), 'node')
end
return 1
"""
)

VERIFY = Script(
    LUA
    + """
local me, answers = ARGV[2], {}
for at = 3, #ARGV, 2 do
  local row = redis.call('HMGET', doc(ARGV[at]), 'node', 'fence')
  local fence, held = tonumber(row[2] or '0'), tonumber(ARGV[at + 1])
  if row[1] == me and fence == held then
    redis.call('SADD', P .. 'docs:' .. me, ARGV[at])
    answers[#answers + 1] = 0
  elseif fence > held then
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 2
  end
end
return answers
"""
)

OTHERS = Script(
    _COMMON
    + """
local found = {}
for _, node in ipairs(redis.call('SMEMBERS', P .. 'members')) do
  local alive, _, address = heard(node)
  if alive and node ~= me then
    found[#found + 1] = node
    found[#found + 1] = address
  end
end
return found
"""
)

LEAVE = Script(
    _COMMON
    + """
if heard(me) then redis.call('DEL', P .. 'node:' .. name) end
return 0
"""
)


class RedisPlacement:
    """The port `Placement` on a Redis.

    `name`: a node of this name that ran before is gone when this one starts, so it has to be one that nobody else has (docs: the state's own).
    `incarnation`: hex digits that no start had before. `address`: where other nodes reach this one, without spaces. `heartbeat`: seconds.
    `forgotten` is told documents of which Redis has forgotten who has them, though they are here; `restarted`, that it may have forgotten more.
    """

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        server: Server,
        *,
        name: str,
        incarnation: str,
        address: str = "",
        heartbeat: float = HEARTBEAT,
        prefix: str = PREFIX,
    ) -> None:
        self._server = server
        self._name, self._incarnation, self._address = name, incarnation, address
        self.node = f"{name}/{incarnation}"
        """The id of this node."""
        self._life = int(heartbeat * 1000)
        self._prefix = prefix
        self._common = (prefix, self.node, name, incarnation, self._life)
        self._claims: dict[str, int] = {}
        self._forgotten: dict[str, int] = {}
        """What Redis has forgotten is ours: with the last fencing number."""
        self._claiming: dict[str, asyncio.Task[Place]] = {}
        self._lost: asyncio.Queue[str] = asyncio.Queue()
        self._orphaned: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self._told: set[str] = set()
        """Nodes that are gone, and what they had was told."""
        self._others: dict[str, str] | None = None
        """As they were told last."""
        self._epoch: bytes | None = None
        self._beating: asyncio.Task[None] | None = None
        self._first = True
        self._unsure = False
        """Others may have believed that this node is gone: what of its claims stands, is not known."""
        self._replaced = False
        """Redis was restarted or replaced, and nobody was told yet."""
        self._closed = False
        self.trouble: str | None = None
        """Why other nodes may believe that this one is gone, in words, or None."""
        self.forgotten: Callable[[str], None] = lambda _: None
        self.restarted: Callable[[], None] = lambda: None
        self.floor: Callable[[str], int] = lambda _: 0
        """A number that the storage knows of a document: new ones are greater, whatever Redis and its clock say."""
        self.taken: Callable[[str, int], None] = lambda _document, _fence: None
        """Tells the storage the number of a document before anybody here has it. Fenced, Unavailable."""

    async def start(self) -> None:
        """Be heard of from now on. Unavailable when Redis does not answer."""
        await self._beat()
        self._beating = asyncio.get_running_loop().create_task(self._beat_loop())

    async def close(self) -> None:
        """Be gone: what is not released is orphaned at once. Idempotent, raises nothing."""
        beating, self._beating = self._beating, None
        if beating is None:
            return
        self._closed = True
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        try:
            async with asyncio.timeout(FAREWELL):
                await self._server.call(LEAVE, *self._common)
        except (TimeoutError, CollabError) as error:
            why = error.detail if isinstance(error, CollabError) else "Redis does not answer"
            log.warning("other nodes learn in %.0f s that this one is gone: %s", self._life / 1000, why)

    def fence(self, document: str) -> int | None:
        """The fencing number of a document whose room lives here; None: it does not, or nobody knows."""
        return self._claims.get(document)

    async def claim(self, document: str) -> Place:
        """Where the room lives: here from now on, when it lived nowhere or its node is gone. What lives here already needs no Redis."""
        held = self._claims.get(document)
        if held is not None:
            return Place(self.node, self._address, held)
        claiming = self._claiming.get(document)
        if claiming is None:
            claiming = self._claiming[document] = asyncio.get_running_loop().create_task(self._claim(document))
            claiming.add_done_callback(lambda _: self._claiming.pop(document))
        return await asyncio.shield(claiming)

    async def _claim(self, document: str) -> Place:
        held = self._forgotten.get(document, 0)
        floor = await asyncio.to_thread(self.floor, document)
        for _ in range(2 * BEATS):
            answer = await self._server.call(CLAIM, *self._common, document, held, floor)
            match answer[0]:
                case b"here":
                    fence = int(answer[1])
                    await asyncio.to_thread(self.taken, document, fence)
                    self._claims[document] = fence
                    self._forgotten.pop(document, None)
                    return Place(self.node, self._address, fence)
                case b"there":
                    if self._forgotten.pop(document, None) is not None:
                        self._lost.put_nowait(document)
                    return Place(answer[2].decode(), answer[3].decode(), int(answer[1]))
                case b"beat":
                    await self._beat()
                case _:
                    await asyncio.sleep(int(answer[1]) / 1000 + 0.001)
        raise Unavailable("Redis does not say yet where the document is open; come back in a moment.")

    async def release(self, document: str) -> None:
        """The room was closed here."""
        self._forgotten.pop(document, None)
        fence = self._claims.pop(document, None)
        if fence is not None:
            await self._server.call(RELEASE, self._prefix, self.node, document, fence)

    async def others(self) -> dict[str, str]:
        """The ids of the other nodes, and their addresses; while Redis is away, those that were there before."""
        try:
            found = [each.decode() for each in await self._server.call(OTHERS, *self._common)]
        except Unavailable:
            if self._others is None:
                raise
        else:
            self._others = dict(zip(found[::2], found[1::2], strict=True))
        return dict(self._others)

    def lose(self, document: str, fence: int) -> None:
        """Somebody learned that this claim does not stand any more."""
        if self._claims.get(document) == fence:
            del self._claims[document]
            self._lost.put_nowait(document)

    def forget(self, document: str, fence: int) -> None:
        """Somebody learned that Redis does not know this claim any more, or what came after it."""
        if self._claims.get(document) == fence:
            del self._claims[document]
            self._forgotten[document] = fence
            self.forgotten(document)

    async def lost(self) -> AsyncIterator[str]:
        """Documents whose rooms were here and live elsewhere now, or may."""
        while True:
            yield await self._lost.get()

    async def orphaned(self) -> AsyncIterator[frozenset[str]]:
        """Documents whose node is gone."""
        while True:
            yield await self._orphaned.get()

    # --- heartbeats

    @property
    def _buried(self) -> int:
        return BURIED * max(1000, self._life)

    async def _beat_loop(self) -> None:
        # redis-py may swallow a cancellation: the flag ends the loop all the same.
        while not self._closed:
            await asyncio.sleep(self._life / 1000 / BEATS)
            try:
                await self._beat()
            except CollabError as error:
                if self.trouble is None:
                    log.warning("no heartbeat: %s", error.detail)
                self.trouble = error.detail

    async def _beat(self) -> None:
        first = self._first
        unsure, self._unsure = self._unsure, True
        again, *rest = await self._server.call(BEAT, *self._common, self._address, int(first), self._buried)
        self._first = False
        if again < 0:
            raise Unavailable(f"another node has started with the name {self._name}: each needs one of its own")
        epoch, gone = rest
        self.trouble = None
        known, self._epoch = self._epoch, epoch
        if not first and epoch != known:
            self._replaced = True
        self._unsure = unsure or self._replaced or (again and not first)
        if self._unsure:
            await self._verify()
            self._unsure = False
        if self._replaced:
            self._replaced = False
            self.restarted()
        new = {node.decode() for node in gone} - self._told
        for node in sorted(new):
            await self._tell(node)
        self._told = {node.decode() for node in gone}

    async def _tell(self, node: str) -> None:
        log.warning("node %s is gone", node)
        left = await self._server.ask("SMEMBERS", f"{self._prefix}docs:{node}")
        if left:
            self._orphaned.put_nowait(frozenset(document.decode() for document in left))

    async def _verify(self) -> None:
        """Redis, or others, did not hear of this node for a while: what of its claims stands?"""
        claims = list(self._claims.items())
        for start in range(0, len(claims), TOGETHER):
            some = claims[start : start + TOGETHER]
            answers: Iterable[Reply] = await self._server.call(VERIFY, self._prefix, self.node, *(each for claim in some for each in claim))
            for (document, fence), answer in zip(some, answers, strict=True):
                if answer == 1:
                    self.lose(document, fence)
                elif answer == 2:
                    self.forget(document, fence)
