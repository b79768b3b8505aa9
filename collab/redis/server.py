"""The one door to redis-py: scripts on a Redis (7 or newer) or Valkey. What it says comes back in words, passwords never do."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from collab.errors import Malformed, Unavailable
from collab.redis.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

ANSWER = 10.0
"""Seconds in which Redis has to answer; then the connection is given up."""
CONNECT = 3.0
"""Seconds in which it has to take a connection."""
PARTING = 5.0
"""Seconds for which a server that stops waits for any answer; then it asks nothing more."""
GIVEN_UP = "Redis did not answer when the server stopped"
CONNECTIONS = 16
SCHEMES = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}
"""What may be asked for, and what is taken for it."""

Reply: TypeAlias = Any
"""What Redis answers: int, bytes, None, or a list of these."""


class Refused(Unavailable):
    """Redis has answered that it does not."""


class Script:
    """A Lua script, known to Redis by its SHA-1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()  # as EVALSHA names it


@dataclass(frozen=True, slots=True)
class Call:
    """A script with its arguments; a script computes the names of its keys, so that Redis Cluster is out of question."""

    script: Script
    arguments: tuple[bytes | str | int, ...]


class Server:
    """A Redis at a URL (`redis://`, `rediss://`, `unix://`; `valkey` for `redis`). Errors: `Unavailable`, `Malformed` for a URL that is none."""

    def __init__(self, url: str, *, answer: float = ANSWER, parting: float = PARTING) -> None:
        self._redis = _client(url, answer)
        self._turns = Turns(CONNECTIONS, answer)
        self._patience = parting
        self._closed = False
        self._loading = asyncio.Lock()
        self._loads = 0
        """How often scripts were loaded."""
        self._loaded: dict[str, int] = {}
        """Which of those loads was a script's last one, by its digest."""
        self._asking: set[asyncio.Timeout] = set()
        self._waiting: float | None = None
        """Since when something that was asked waits for any answer, in the loop's seconds; None: nothing does."""
        self._parting: asyncio.TimerHandle | None = None
        self._given_up = False
        self.given_up: Callable[[], None] = lambda: None
        """Told once, when nothing is asked any more before it was closed."""

    async def call(self, script: Script, *arguments: bytes | str | int) -> Reply:
        """One script's answer."""
        (reply,) = await self.call_all([Call(script, arguments)])
        if isinstance(reply, Unavailable):
            raise reply
        return reply

    async def call_all(self, calls: Sequence[Call]) -> list[Reply]:
        """The answers to scripts that are sent together and done in this order, one after the other. What Redis refuses is an `Unavailable` in its
        place; when the connection breaks nobody knows which ones were done, and it is raised.
        """
        scripts = {each.script for each in calls}
        async with self._asked():
            # Twice: what another one has loaded meanwhile may be forgotten by now.
            for _ in range(2):
                before = self._loads
                replies = await self._send(calls)
                if not any(isinstance(reply, NoScriptError) for reply in replies):
                    break
                await self._load(scripts, before)
            else:
                # In order: what came behind a script that was not known was done, so the caller's scripts have to bear being done again.
                replies = await self._send(calls)
        return [_unavailable(reply) if isinstance(reply, RedisError) else reply for reply in replies]

    async def _send(self, calls: Sequence[Call]) -> list[Reply]:
        async with self._open().pipeline(transaction=len(calls) > 1) as pipe:
            for each in calls:
                pipe.evalsha(each.script.digest, 0, *each.arguments)
            return list(await pipe.execute(raise_on_error=False))

    async def _load(self, scripts: Iterable[Script], before: int) -> None:
        """Those that nobody has loaded since the load `before`: of many that find a Redis without them, one loads."""
        async with self._loading:
            for script in scripts:
                if self._loaded.get(script.digest, 0) <= before:
                    await self._open().execute_command("SCRIPT LOAD", script.text)  # type: ignore[no-untyped-call]  # the library's own
                    self._loads += 1
                    self._loaded[script.digest] = self._loads

    async def ask(self, *command: bytes | str | int) -> Reply:
        """A plain command's answer."""
        async with self._asked():
            return await self._open().execute_command(*command)  # type: ignore[no-untyped-call]  # the library's own

    async def weakness(self) -> str | None:
        """Why what it has taken may be gone after a crash, in words; None: it has it on the disk before it answers. Unavailable: nobody knows."""
        wanted = {"appendonly": "yes", "appendfsync": "always"}
        for name, value in wanted.items():
            try:
                held = await self._setting(name)
            except Refused:
                return "Redis does not tell how it keeps what it takes (CONFIG GET is refused)"
            if held != value:
                return f"Redis has {name} {held or 'unknown'}, not {value}"
        if await self._setting("maxmemory") not in {"0", ""} and await self._setting("maxmemory-policy") != "noeviction":
            return "Redis may drop what it has taken when its memory is full: set maxmemory-policy noeviction"
        return None

    async def _setting(self, name: str) -> str:
        found = await self.ask("CONFIG GET", name)
        told = found.get(name, found.get(name.encode(), b"")) if isinstance(found, dict) else b""
        return told.decode() if isinstance(told, bytes) else str(told)

    def hasten(self) -> None:
        """The server stops. A Redis that gives no answer for `parting` seconds from now on, though it is asked, is asked nothing more: what waits,
        and what comes, is `Unavailable` at once. Idempotent.
        """
        if self._parting is None and not self._given_up and not self._closed:
            self._waiting = asyncio.get_running_loop().time() if self._waiting is not None else None
            self._look()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        end = self._patience + (now if self._waiting is None else self._waiting)
        if now < end:
            self._parting = loop.call_at(end, self._look)
            return
        self._given_up, self._parting = True, None
        for each in self._asking:
            each.reschedule(now)
        self.given_up()

    @contextlib.asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """The block asks, and is over when there is an answer, or at its end for want of one. Unavailable."""
        if self._given_up:
            raise Unavailable(GIVEN_UP)
        loop = asyncio.get_running_loop()
        if self._waiting is None:
            self._waiting = loop.time()
        answered = turn = False
        limit = asyncio.timeout(None)
        self._asking.add(limit)
        try:
            async with limit:
                await self._turns.take()
                turn = True
                yield
            answered = True
        except (RedisError, OSError) as error:  # with what `asyncio.timeout` raises
            answered = isinstance(error, ResponseError)
            raise (Unavailable(GIVEN_UP) if self._given_up else _unavailable(error)) from error
        finally:
            self._asking.discard(limit)
            if turn:
                self._turns.give(answered=answered)
            if answered:
                self._waiting = loop.time() if self._asking else None

    async def close(self) -> None:
        """Hang up. Idempotent."""
        self._closed = True
        if self._parting is not None:
            self._parting.cancel()
            self._parting = None
        await self._redis.aclose()

    def _open(self) -> Redis:
        if self._closed:
            raise Unavailable("the connection to Redis is closed")
        return self._redis


def _client(url: str, answer: float) -> Redis:
    scheme, found, rest = url.partition("://")
    if not found or scheme not in SCHEMES:
        raise Malformed("the address of Redis must be redis://name:port/0, rediss://… or unix:///socket (COLLAB_JOURNAL)")
    try:
        urlsplit(url).port  # noqa: B018 - raises for what is no number
        pool = BlockingConnectionPool.from_url(
            f"{SCHEMES[scheme]}://{rest}",
            timeout=answer,
            socket_timeout=answer,
            socket_connect_timeout=min(CONNECT, answer),
            max_connections=CONNECTIONS,
            client_name="collab",
            # Who asks knows what may be asked twice, and when.
            retry=Retry(NoBackoff(), 0),
        )
        return Redis.from_pool(pool)
    except (ValueError, TypeError):
        raise Malformed("the address of Redis is none (COLLAB_JOURNAL)") from None


def _unavailable(error: Exception) -> Unavailable:
    words = " ".join(str(error).split()) or type(error).__name__
    kind = Refused if isinstance(error, ResponseError) else Unavailable
    return kind(f"Redis does not take it: {words}")
