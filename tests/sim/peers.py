"""The same world with scripts that come back over REST, a file that is deleted outside and returns, and versions that are restored."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from collab.access import Person
from collab.errors import Changed, CollabError
from collab.runtime.documents import Documents
from sim.virtual import in_order
from sim.world import Refusals, World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

SCRIPT = Person("script", "Script")


class Traffic(World):
    """A world with more than one door. `restores`: whether versions are restored; then words of before may be gone."""

    restores = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refused = Refusals(self)
        self.put: list[str] = []
        """Words that a script was told are taken, or will have been told in the end."""
        self.optional: set[str] = set()
        """Words that a restoration may have taken out."""
        self.counts = {"put": 0, "removed": 0, "returned": 0, "back": 0, "restored": 0, "taken back": 0}
        self._removed = b""
        self._requests: set[asyncio.Task[object]] = set()
        self._scripts: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._hang_up()
        super().start()
        assert self.rooms is not None
        self.files.recognise = self.rooms.recognise
        self.documents = Documents(self.rooms, self.files, self.archive.versions)

    def crash(self) -> None:
        self._hang_up()
        super().crash()

    def _hang_up(self) -> None:
        """What a server began it does not finish after its end."""
        for request in in_order(self._requests):
            request.cancel()

    async def _ask(self, act: Callable[[], Coroutine[object, object, T]]) -> T:
        """One request, again and again until it is answered. Changed."""
        while True:
            if self.rooms is not None:
                request: asyncio.Task[T] = asyncio.ensure_future(act())
                self._requests.add(request)
                await asyncio.wait([request])
                self._requests.discard(request)
                if not request.cancelled():
                    try:
                        return request.result()
                    except Changed:
                        raise
                    except CollabError:
                        pass
            await asyncio.sleep(self.random.random() * 2)

    # --- what happens

    async def script(self) -> None:
        """Reads, and comes back after a while with a word more; says it again when the answer was lost."""
        stat, body = await self._ask(lambda: self.documents.content(self.path, keep=True))
        await asyncio.sleep(self.random.random() * 20)
        new = self._rewritten(body)
        self.put.append(self.outside.pop())
        for _ in range(self.random.choice([1, 1, 2, 3])):
            try:
                await self._ask(lambda: self.documents.put(self.path, new, if_match=stat.etag, writer=SCRIPT))
            except Changed as error:
                self.refused.append(f"script: {error.detail}")
            self.counts["put"] += 1

    def write_outside(self) -> None:
        if self.path in self.files.paths():
            super().write_outside()

    def remove(self) -> None:
        """Somebody deletes the file, and nothing is in it that was never seen here."""
        (host,) = self.rooms.hosts if self.rooms is not None and self.rooms.hosts else [None]
        if host is None or self.path not in self.files.paths() or sha256(self.files.peek(self.path)).hexdigest() != host.ledger.base.hash:
            return
        self._removed = self.files.peek(self.path)
        self.files.remove(self.path)
        self.counts["removed"] += 1
        self.notice()

    def bring(self) -> None:
        """The file returns as it was, or with a word more."""
        if self.path in self.files.paths() or not self._removed:
            return
        body = self._rewritten(self._removed) if self.random.random() < 0.5 else self._removed
        self.files.poke(self.path, body)
        self.counts["returned"] += 1
        self.notice()

    async def put_back(self) -> None:
        """Somebody at a page presses the button."""
        for host in self.rooms.hosts if self.rooms is not None else []:
            if host.file.word == "gone":
                await self._once(self.documents.put_back(host.id), "back")

    async def restore(self) -> None:
        """A version is restored, and perhaps that is taken back."""
        for host in self.rooms.hosts if self.rooms is not None else []:
            found = await self.archive.versions.list(host.id)
            if not found:
                return
            number = self.random.choice(found).number
            _, body = await self.archive.versions.read(host.id, number)
            try:
                made = await self._once(self.documents.restore(host.id, body, number=number, writer=SCRIPT), "restored")
                self._excuse()
                if made is not None and self.random.random() < 0.4:
                    again = self.documents.restore(host.id, body, number=number, writer=SCRIPT, over=made.version)
                    await self._once(again, "taken back")
            finally:
                # Also when nobody hears of the end.
                self._excuse()

    def _excuse(self) -> None:
        self.optional.update(self.outside, self.put, *(client.typed for client in self.clients))

    async def _once(self, act: Coroutine[object, object, T], word: str) -> T | None:
        """One request that nobody repeats."""
        request = asyncio.ensure_future(act)
        self._requests.add(request)
        await asyncio.wait([request])
        self._requests.discard(request)
        if request.cancelled() or isinstance(request.exception(), CollabError):
            return None
        self.counts[word] += 1
        return request.result()

    # --- a schedule

    async def live(self, seconds: float) -> None:
        meddling = asyncio.ensure_future(self._meddle())
        await super().live(seconds)
        meddling.cancel()
        await asyncio.wait([meddling])

    async def _meddle(self) -> None:
        while True:
            await asyncio.sleep(self.random.random() * 3)
            match self.random.choice(["script", "remove", "bring", "put back", "put back", "restore"]):
                case "script":
                    self._scripts.append(asyncio.ensure_future(self.script()))
                case "remove":
                    self.remove()
                case "bring":
                    self.bring()
                case "put back":
                    await self.put_back()
                case "restore" if self.restores:
                    await self.restore()

    async def settle(self) -> None:
        self.calm = True
        await asyncio.sleep(30)
        self.bring()
        if self._scripts:
            await asyncio.wait(self._scripts)
        await super().settle()

    def check(self) -> None:
        for script in self._scripts:
            script.result()
        self.outside = [word for word in [*self.outside, *self.put] if word not in self.optional]
        for client in self.clients:
            client.erased |= self.optional
        super().check()
        self.outside = [word for word in self.outside if word not in self.put]


class Restorations(Traffic):
    """Where versions are restored too."""

    restores = True
