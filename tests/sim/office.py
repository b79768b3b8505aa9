"""The same world with office suites: they fetch once for several people, save with any token, unlock, come back, and lose answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, TypeVar

from collab.access import Person
from collab.authorship import UNKNOWN
from collab.errors import CollabError
from sim.world import WORD, World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from collab.runtime.rooms import Rooms

T = TypeVar("T")

PEOPLE = 3
"""People in one suite, each with a token."""


def _paragraphs(body: bytes) -> str:
    """What LibreOffice makes of a text: the last line end ends the last paragraph."""
    return body.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")


class Suite:
    """One office suite, with the document open for several people. Nothing tells it what is typed elsewhere until it fetches again."""

    def __init__(self, world: Offices, number: int) -> None:
        self.world = world
        self.name = f"suite{number}"
        self.text: str | None = None
        """What is open in it; None: nothing."""
        self.typed: set[str] = set()
        """Words of its people that are to be in the document in the end."""
        self.saved: set[str] = set()
        """Those that it was told are saved."""
        self.gone: set[str] = set()
        """Words that its people took out, and it was told that this is saved."""
        self._taken: set[str] = set()

    async def open(self) -> None:
        """Somebody opens the document: it is fetched."""
        body = await self._fetch()
        if body is None:
            return
        self.text = _paragraphs(body)
        self.typed, self.saved, self._taken = set(), set(), set()

    async def _fetch(self) -> bytes | None:
        """GetFile with the token of whoever came first."""
        token = self._token()
        return await self.world.ask(lambda: self.world.give(token))

    def _token(self) -> str:
        """That of one of its people, any of them."""
        return f"{self.name}, {self.world.random.randrange(PEOPLE)}"

    def edit(self) -> None:
        """Somebody types in it, or takes out a word: of anybody's, as far as all that was fetched has it."""
        rng, text = self.world.random, self.text
        if text is None:
            return
        # What came between two fetches and is not there when it is saved, may never have been seen.
        words = [word for word in WORD.findall(text) if (word in self.typed and word not in self.world.unsure) or word in self.world.sure]
        if words and rng.random() < 0.2:
            word = rng.choice(words)
            self.text = text.replace(word, "")
            self._taken.add(word)
            self.typed.discard(word)
            self.world.erased.add(word)
            return
        place, word = rng.randrange(len(text) + 1), self.world.word()
        self.text = text[:place] + word + text[place:]
        self.typed.add(word)

    async def save(self) -> None:
        """PutFile, again and again until it is answered; somebody may type in between."""
        if self.text is None:
            return
        rng = self.world.random
        text, typed, taken = self.text, set(self.typed), set(self._taken)
        end = "\r\n" if rng.random() < 0.3 else "\n"
        body = (rng.choice(["", "\ufeff"]) + f"{text}\n".replace("\n", end)).encode()
        token = self._token()
        for _ in range(rng.choice([1, 1, 1, 2])):
            if await self.world.ask(lambda: self.world.put(body, token)) is None:
                return
        self.saved |= typed
        self.gone |= taken
        self.world.counts["put"] += 1

    async def reload(self) -> None:
        """Everything is saved, and the document fetched anew under the same lock."""
        if self.text is None:
            return
        await self.save_all()
        body = await self._fetch()
        if body is not None:
            self._kept()
            self.text = _paragraphs(body)
            self.world.counts["reload"] += 1

    async def save_all(self) -> None:
        """Until everything is saved."""
        for _ in range(100):
            if self.text is None or (self.typed <= self.saved and self._taken <= self.gone):
                return
            await self.save()

    def _kept(self) -> None:
        """What was saved is the document's from now on."""
        self.world.expected |= self.saved & self.typed
        self.typed, self.saved, self._taken = set(), set(), set()

    async def close(self, *, unlock: bool = True) -> None:
        """The last one leaves: everything is saved, then it unlocks; or its time is over, and nobody unlocks."""
        if self.text is None:
            return
        await self.save_all()
        self._kept()
        self.text = None
        if unlock:
            await self.world.ask(self.world.unlock)
        self.world.counts["unlock" if unlock else "expired"] += 1


class Offices(World):
    """A world with an office suite, previews, browsers and programs. One suite has the lock at a time."""

    programs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expected: set[str] = set()
        """Words of suites that were saved, and that nobody took out since."""
        self.erased: set[str] = set()
        """Words that people in suites took out."""
        self.sure: set[str] = set()
        """Words that are in all that was given in this session."""
        self.unsure: set[str] = set()
        """Words of a suite that somebody was given the text without, just while they were saved: a body without them may be made of that, and then
        they stay.
        """
        self._putting: list[set[str]] = []
        self.counts = Counter[str](put=0, reload=0, unlock=0, expired=0, preview=0, lost=0, crash=0)
        self.suites: list[Suite] = []
        self.suite = Suite(self, 0)
        self._requests: dict[asyncio.Task[object], None] = {}
        self._fresh = True

    def start(self) -> None:
        self._hang_up()
        super().start()

    def crash(self) -> None:
        self._hang_up()
        super().crash()

    def _hang_up(self) -> None:
        """What a server began it does not finish after its end."""
        for request in self._requests:
            request.cancel()

    def write_outside(self) -> None:
        if self.programs:
            super().write_outside()

    def write_late(self) -> None:
        if self.programs:
            super().write_late()

    async def ask(self, act: Callable[[], Coroutine[object, object, T]]) -> T | None:
        """One request, and again a few times when it is not answered; None: it never was."""
        for _ in range(8):
            if self.rooms is not None:
                request: asyncio.Task[T] = asyncio.ensure_future(act())
                self._requests[request] = None
                await asyncio.wait([request])
                self._requests.pop(request, None)
                if not request.cancelled():
                    try:
                        found = request.result()
                    except CollabError:
                        pass
                    else:
                        if self.calm or self.random.random() > 0.1:
                            return found
                # The suite may go on, and save another body next.
                self.counts["lost"] += 1
                if self.random.random() < 0.3 and not self.calm:
                    return None
            await asyncio.sleep(self.random.random() * 3)
        return None

    async def _room(self) -> tuple[Rooms, str]:
        rooms = self.rooms
        assert rooms is not None
        return rooms, (await self.files.stat(self.path)).id

    async def give(self, token: str) -> bytes:
        """GetFile."""
        del token
        rooms, document = await self._room()
        host = await rooms.open(document)
        await self.delay()
        body = (await host.give(self.wall(), office=True))[1]
        words = set(WORD.findall(body.decode()))
        self.sure = words if self._fresh else self.sure & words
        self._fresh = False
        self.unsure.update(*(put - words for put in self._putting))
        return body

    async def put(self, body: bytes, token: str) -> bool:
        """PutFile."""
        rooms, document = await self._room()
        words = set(WORD.findall(body.decode()))
        self._putting.append(words)
        try:
            await rooms.revise(document, body, Person(token, token))
        finally:
            self._putting.remove(words)
        return True

    async def unlock(self) -> bool:
        """Unlock."""
        rooms, document = await self._room()
        await rooms.unlocked(document)
        self._fresh = True
        return True

    async def preview(self) -> None:
        """Somebody looks at it with another token."""
        if await self.ask(lambda: self.give("preview")) is not None:
            self.counts["preview"] += 1

    async def office(self, until: float) -> None:
        """A suite, and what it does."""
        loop, rng = asyncio.get_running_loop(), self.random
        while loop.time() < until:
            await asyncio.sleep(rng.random())
            suite = self.suite
            if suite.text is None:
                if rng.random() < 0.3:
                    self.suites.append(suite)
                    self.suite = suite = Suite(self, len(self.suites))
                    await suite.open()
                continue
            match rng.choices(["edit", "save", "reload", "close", "expire"], [50, 25, 3, 3, 1])[0]:
                case "edit":
                    suite.edit()
                case "save":
                    await suite.save()
                case "reload":
                    await suite.reload()
                case "close":
                    await suite.close()
                case "expire":
                    await suite.close(unlock=False)

    async def viewers(self, until: float) -> None:
        """Previews, now and then."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await asyncio.sleep(self.random.random() * 6)
            await self.preview()

    async def live(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(super().live(seconds), self.office(end), self.viewers(end))

    async def settle(self) -> None:
        self.calm = True
        await self.suite.close()
        self.suites.append(self.suite)
        await super().settle()

    async def check_authors(self) -> None:
        """Each character is somebody's. Where a phrase is written anew, a word that stays in it may be of whoever wrote it last."""
        assert self.rooms is not None
        picture = await self.rooms.authors((await self.files.stat(self.path)).id)
        counts = {share.author: share.characters for share in picture.shares}
        assert sum(counts.values()) == picture.length == len(self.clients[0].sees()), counts
        assert not counts.get(UNKNOWN), counts

    def missed(self) -> tuple[int, int]:
        """Words of suites that are lost or there twice, and how many there should be."""
        found = Counter(WORD.findall(self.clients[0].sees()))
        wanted = self.expected - self.erased
        return sum(found[word] != 1 for word in wanted), len(wanted)

    def check(self) -> None:
        for client in self.clients:
            client.erased |= self.erased
        self.outside = [word for word in self.outside if word not in self.erased]
        super().check()
        text = self.clients[0].sees()
        lost = sorted(self.expected - self.erased - set(WORD.findall(text)))
        assert not lost, f"words of suites are lost: {lost}"
        left = sorted(set().union(*(suite.gone for suite in self.suites)) & set(WORD.findall(text)))
        assert not left, f"words that suites took out are there: {left}"
        self.counts["crash"] = self.crashes


class ByToken(Offices):
    """What must not be: the base is what was last given to the token that saves, or what is there now."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._bases: dict[str, str] = {}

    async def give(self, token: str) -> bytes:
        rooms, document = await self._room()
        body = (await (await rooms.open(document)).give(self.wall()))[1]
        self._bases[token] = sha256(body).hexdigest()
        return body

    async def put(self, body: bytes, token: str) -> bool:
        rooms, document = await self._room()
        await rooms.put(document, body, self._bases.get(token), Person(token, token))
        self._bases[token] = sha256(body).hexdigest()
        return True

    async def check_authors(self) -> None:
        """The words are wrong already."""

    def check(self) -> None:
        """It is counted what is lost or doubled."""
