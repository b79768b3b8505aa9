"""Documents as they are read: rendered once for all readers, from the file, or from the room of a document that is open: what its journal holds of it.

No room is opened, nothing is locked, and nobody is given a body to come back with.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from collab.errors import NotFound, TooLarge, Unavailable
from collab.reading.documents import largest, needs_body, too_large, too_slow
from collab.runtime.rendering import rendered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from collab.ports import Files, Stat
    from collab.reading.blocks import Rendering
    from collab.runtime.metrics import Metrics
    from collab.runtime.rooms import Rooms

AGAIN: Final = 0.3
"""Seconds from the beginning of a rendering to the next one of the same document, at least."""
SHARE: Final = 1.0
"""Rendering of a document takes half of the time of its process at most: it rests as long as it took."""
REST: Final = 5.0
"""Seconds that it rests at most."""
KEPT: Final = 32 * 2**20
"""Bytes of renderings that are kept."""


@dataclass(eq=False, slots=True)
class Read:
    """A document as it was at some moment, rendered. `stat` is what the rendering is of."""

    stat: Stat
    rendering: Rendering
    begun: float
    """When it was begun (monotonic seconds): it has everything that was there then."""
    until: float
    """It is new enough until then, whatever is typed."""
    source: bytes = b""
    """Tells the text that was rendered from all others; empty when it is to be tried again."""
    made: dict[Hashable, bytes] = field(default_factory=dict)
    """What pages are made of it."""

    def page(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """A page of it, made once."""
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = make()
        return found

    @property
    def size(self) -> int:
        """Bytes, about: the blocks, and pages of them."""
        return 2 * self.rendering.size + sum(map(len, self.made.values()))


@dataclass(eq=False, slots=True)
class _Turn:
    """Who renders a document, and how many wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Readings:
    """The newest rendering of each document that is read. `aside` does work in another process; `clock` is monotonic seconds."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        rooms: Rooms,
        files: Files,
        *,
        aside: Callable[..., Awaitable[Rendering]],
        clock: Callable[[], float],
        metrics: Metrics,
        prefix: str,
    ) -> None:
        self.rooms = rooms
        self.files = files
        self.clock = clock
        self.metrics = metrics
        self._aside = aside
        self._prefix = prefix
        self._kept: OrderedDict[str, Read] = OrderedDict()
        self._turns: dict[str, _Turn] = {}

    def wait(self, document: str) -> float:
        """Seconds until it may be rendered again; 0 or less: it may be."""
        found = self._kept.get(document)
        return 0.0 if found is None else found.until - self.clock()

    async def read(self, stat: Stat, since: float | None = None) -> Read:
        """The document, rendered: as it is, or as it was less than a moment ago; `since`: with all that was there then. Errors as `Files.read`."""
        found = self._fresh(stat, since)
        if found is not None:
            return found
        turn = self._turns.setdefault(stat.id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                # Whoever was before us may have made it.
                return self._fresh(stat, since) or await self._render(stat)
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[stat.id]

    def forget(self, document: str) -> None:
        """It is gone."""
        self._kept.pop(document, None)

    def _fresh(self, stat: Stat, since: float | None) -> Read | None:
        found = self._kept.get(stat.id)
        if found is None or found.stat.path != stat.path:
            return None
        if found.begun < since if since is not None else (found.stat.etag != stat.etag and self.clock() >= found.until):
            return None
        self._kept.move_to_end(stat.id)
        return found

    async def _render(self, stat: Stat) -> Read:
        start = self.clock()
        read = await self._made(stat, start)
        self._kept[stat.id] = read
        self._kept.move_to_end(stat.id)
        size = sum(each.size for each in self._kept.values())
        while size > KEPT and len(self._kept) > 1:
            size -= self._kept.popitem(last=False)[1].size
        return read

    async def _made(self, stat: Stat, start: float) -> Read:
        try:
            now, body = await self._body(stat)
        except TooLarge:
            return Read(stat, too_large(stat.path), start, start)
        former, source = self._kept.get(stat.id), blake2b(body, digest_size=16).digest()
        if former is not None and (former.source, former.stat.path) == (source, now.path):
            # Opened or closed, saved, or written anew as it was: the same text is the same page.
            end = self.clock()
            return Read(now, former.rendering, start, max(former.until, end + min(SHARE * (end - start), REST)), source)
        self.metrics.renderings += 1
        try:
            rendering = await self._aside(rendered, now.path, self._prefix, body)
        except Unavailable:
            if self.rooms.stopping:
                raise
            # The process died of it, and once more: what a library cannot take is shown as it is written.
            rendering, source = too_slow(now.path, body), b""
        end = self.clock()
        return Read(now, rendering, start, max(start + AGAIN, end + min(SHARE * (end - start), REST)), source)

    async def _body(self, stat: Stat) -> tuple[Stat, bytes]:
        """What is rendered, and of what: the live text, once the journal holds it, else the file."""
        if stat.folder:
            raise NotFound("This is a folder.")
        host = self.rooms.live(stat.id)
        if host is not None:
            return await host.content()
        if not needs_body(stat.path):
            return stat, b""
        content = await self.files.read(stat.id, limit=largest(stat.path))
        return content.stat, content.body
