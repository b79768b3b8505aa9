"""From the room to the file: announced, written conditionally, looked at, and noted as done, in this order.

Whatever stands in the file and is not our own write is an outside body: it is merged from the state that its writer had read.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from collab import merge, protocol
from collab.document import Document, derived_client
from collab.errors import Changed, CollabError, NotFound, NotText, TooLarge, Unavailable
from collab.formats.text import decode
from collab.ledger import Base, history, merged
from collab.ports import Kind, Record
from collab.room import Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from collab.access import Person
    from collab.document import Step
    from collab.ports import Content, Displaced, Files, Journal, Log, Stat, Written
    from collab.runtime.host import Host
    from collab.runtime.metrics import Metrics

log = logging.getLogger("collab.runtime")

ATTEMPTS = 5
"""So often a save meets an outside body in a row before it waits."""
REREADS = (1.0, 30.0)
"""Seconds after which a displaced inode is read again: an in-place writer may still hold it."""
CHECKPOINT = 256 * 1024
"""Bytes of log that make a checkpoint due."""
SLOWEST = 60.0
"""Seconds between tries at most."""
DIFF_VERSION = b"1"
"""Part of a fork's client id: other edits for the same bodies need another id."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a save is due, in seconds."""

    debounce: float = 2.0
    latest: float = 10.0
    retry: float = 1.0


class Saver:
    """The saver of one room. `clock` is monotonic."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        host: Host,
        files: Files,
        journal: Journal,
        *,
        limit: int,
        timing: Timing,
        clock: Callable[[], float],
        metrics: Metrics,
        spawn: Callable[[Coroutine[object, object, None]], object],
        settled: Callable[[], None],
        audit: Callable[[str, Person, Stat, str], None],
    ) -> None:
        self._audit = audit
        self._host = host
        self._files = files
        self._journal = journal
        self._limit = limit
        self._timing = timing
        self._clock = clock
        self._metrics = metrics
        self._spawn = spawn
        self._settled = settled
        self._first: float | None = None
        """When the first edit came that the file does not hold; None: nothing to do."""
        self._last = 0.0
        self._not_before = 0.0
        self._failures = 0
        self._saving = asyncio.Lock()
        self._wake = asyncio.Event()
        self._hurry = False
        self._running = False
        self._watched: list[Base] = []
        """Bases of the writers whose displaced inodes are looked at again."""
        self._copies: dict[Base, bytes] = {}
        """The states of watched bases whose places are behind the checkpoint."""
        self._staying: set[str] = set()
        """SHA-256 of displaced bodies that could not be merged: they say nothing of the last save."""

    @property
    def dirty(self) -> bool:
        """Whether there is something to save, or a save under way, or a displaced inode to be looked at."""
        return self._first is not None or self._saving.locked() or bool(self._watched)

    def touch(self) -> None:
        """There was an edit."""
        now = self._clock()
        self._last = now
        if self._first is None:
            self._first, self._hurry = now, False
            self._host.say("pending")
        if not self._running:
            self._running = True
            self._spawn(self._run())

    def hurry(self) -> None:
        """Save now: the last one left."""
        self._hurry = True
        self._wake.set()

    async def _run(self) -> None:
        try:
            while self._first is not None and not self._host.closed:
                await self._until_due()
                if self._first is not None and not self._host.closed:
                    await self.save()
        finally:
            self._running = False
            self._settled()

    async def _until_due(self) -> None:
        while self._first is not None:
            now = self._clock()
            due = now if self._hurry else min(self._last + self._timing.debounce, self._first + self._timing.latest)
            due = max(due, self._not_before)
            if due <= now:
                return
            self._wake.clear()
            try:
                async with asyncio.timeout(due - now):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def save(self) -> bool:
        """One save; True when the file holds what the room had. Never raises for storage or journal."""
        async with self._saving:
            # Cleared before the write and set again on failure: what is typed meanwhile is the next save's.
            self._first, self._hurry = None, False
            try:
                await self._write()
            except CollabError as error:
                self._fail(error)
                return False
            except Exception as error:
                log.exception("%s could not be saved", self._host.id)
                self._fail(Unavailable(f"The server failed ({type(error).__name__}); it is in its log."))
                return False
            self._failures, self._not_before = 0, 0.0
            if self._first is None:
                self._host.say("saved", saved_at=self._host.stat.modified)
            return True

    async def save_rest(self) -> None:
        """A last save before the room goes, if anything is left to save; a failure leaves it to the next start."""
        async with self._saving:
            pass
        while self._first is not None and await self.save():
            pass

    def _fail(self, error: CollabError) -> None:
        self._failures += 1
        now = self._clock()
        self._first = now if self._first is None else self._first
        self._not_before = now + min(self._timing.retry * 2 ** (self._failures - 1), SLOWEST)
        self._metrics.saved("failed")
        self._metrics.failed("save")
        log.warning("%s is stored, not in the file: %s", self._host.id, error.detail)
        self._host.say("failed", error.detail)

    async def _write(self) -> None:
        host = self._host
        for _ in range(ATTEMPTS):
            await host.sound()
            if host.ledger.announced is not None:
                # A try before this one may have reached the file.
                await self._absorb_file()
            base = host.ledger.base
            host.perform(host.room.tidy())
            host.commit()
            writers, body = tuple(host.writers), host.body()
            digest = sha256(body).hexdigest()
            state = host.room.document.encode() if host.logged > CHECKPOINT else None
            endings, logged = host.room.document.endings, host.logged
            # In the same step as the body: the position of this record names the state that the body holds.
            place = await host.append(Record(Kind.ANNOUNCE, meta={"hash": digest}))
            host.ledger.announced = Base(digest, place)
            host.ledger.note(digest)
            try:
                written = await self._exchange(body, digest, base)
            except Changed:
                # Nothing was written: nobody can have read it.
                host.ledger.announced = None
                await self._absorb_file()
                continue
            await self._done(base, digest, place, written)
            for person in writers:
                host.writers.pop(person, None)
                self._audit("write", person, host.stat, "")
            if state is not None:
                await self._copy_bases(place)
                await self._journal.checkpoint(host.id, place, state, host.ledger.to_meta(endings))
                host.logged -= logged
            return
        raise Unavailable("The file keeps being changed from outside; trying again.")

    async def _exchange(self, body: bytes, digest: str, base: Base) -> Written | None:
        """Write, or when the file holds this body already only look whether it still does."""
        host = self._host
        try:
            if digest != base.hash:
                return await self._files.write(host.id, body, if_match=base.hash)
            host.stat = await self._files.stat(host.id)
        except NotFound:
            # Perhaps renamed, perhaps a saver that moves the old file aside: a look settles it, or the next try.
            host.stat = await self._files.stat(host.id)
            raise Unavailable("The file was renamed; saving it under its new name.") from None
        if host.stat.etag != base.hash:
            raise Changed("The file was changed from outside.")
        return None

    async def _done(self, base: Base, digest: str, place: int, written: Written | None) -> None:
        """The file holds the announced body: what was displaced is looked at, then the save is noted."""
        host = self._host
        displaced = written.displaced if written is not None else None
        self._metrics.saved("unchanged" if written is None else "written")
        if written is not None:
            host.stat = written.stat
        if displaced is not None and sha256(displaced.body).hexdigest() != base.hash:
            base = await self.absorb(displaced.body, [base], in_file=False)
        await host.append(Record(Kind.SAVED, meta={"hash": digest, "place": place}))
        host.ledger.settle(Base(digest, place))
        if displaced is not None:
            self._watched.append(base)
            self._spawn(self._watch(displaced, base))

    async def _copy_bases(self, place: int) -> None:
        """A checkpoint at this place makes one state of all that is before it: what is watched needs its own."""
        behind = [base for base in self._watched if base.place < place and base not in self._copies]
        if behind:
            known = await self._journal.load(self._host.id)
            self._copies.update({base: Document.replay(history(known, base)).encode() for base in behind})

    async def _watch(self, displaced: Displaced, base: Base) -> None:
        """Read the displaced inode again, twice, then let it go; what could not be merged stays beside the file."""
        merged_all = True
        try:
            waited = 0.0
            for at in REREADS:
                await self._pause(at - waited)
                waited = at
                late = await displaced.reread()
                if late is not None:
                    last, base = base, await self._absorb_late(late, base)
                    merged_all = base is not last
            # At the end it stays beside the file: a program may write into it after us, and the next start looks again.
            if merged_all and not self._host.closing.is_set():
                await displaced.discard()
            elif not merged_all:
                self._staying.add(sha256(displaced.body).hexdigest())
        finally:
            self._forget(base)
            self._settled()

    def _forget(self, base: Base) -> None:
        self._watched.remove(base)
        if base not in self._watched:
            self._copies.pop(base, None)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not while the room is being closed."""
        try:
            async with asyncio.timeout(seconds):
                await self._host.closing.wait()
        except TimeoutError:
            return

    async def _absorb_late(self, late: bytes, base: Base) -> Base:
        """The writer's new base, or the same when its words could not be merged."""
        try:
            async with self._saving:
                after = await self.absorb(late, [base], in_file=False)
                self._watched.append(after)
                self._forget(base)
                return after
        except CollabError as error:
            log.warning("%s: what a late writer wrote can't be merged: %s", self._host.id, error.detail)
            return base

    async def _absorb_file(self) -> None:
        """Somebody else wrote the file: merge what stands there."""
        host = self._host
        content = await self._files.read(host.id, limit=read_limit(self._limit))
        host.stat = content.stat
        await self.meet(content)

    async def meet(self, content: Content) -> None:
        """Compare the file, and what a crash left beside it, with the log; whatever is not our own write is merged."""
        host = self._host
        digest = sha256(content.body).hexdigest()
        beside = [sha256(leftover.body).hexdigest() for leftover in content.leftovers]
        announced = host.ledger.announced
        displaced = [body for body in beside if announced is None or body != announced.hash]
        self._doubt(digest, set(beside) - self._staying)
        done = []
        for leftover, body in zip(content.leftovers, beside, strict=True):
            if body in {*host.ledger.known, digest} or await self._clear(leftover, len(displaced)):
                done.append(leftover)
            else:
                self._staying.add(body)
        await self._meet_file(content, digest)
        # Only now: they are the proof that the announced save was made, until its end, or what came after it, is noted.
        for leftover in done:
            await leftover.discard()

    async def _meet_file(self, content: Content, digest: str) -> None:
        host = self._host
        announced = host.ledger.announced
        if digest == host.ledger.base.hash:
            host.ledger.announced = None
        elif announced is not None and digest == announced.hash:
            # A write of ours whose end was not noted.
            await host.append(Record(Kind.SAVED, meta={"hash": digest, "place": announced.place}))
            host.ledger.settle(announced)
        else:
            host.ledger.settle(await self.absorb(content.body, host.ledger.candidates(), in_file=True))

    def _doubt(self, digest: str, beside: set[str]) -> None:
        """An announced body that never reached the file was read by nobody: a write that was made leaves what it displaced."""
        ledger = self._host.ledger
        announced = ledger.announced
        if announced is None or digest == announced.hash:
            return
        merged_since = {reader.hash for reader in ledger.readers if max((reader.place, *reader.merges)) > announced.place}
        if ledger.base.hash not in beside and not beside - (set(ledger.known) - merged_since):
            ledger.announced = None

    async def _clear(self, leftover: Displaced, beside: int) -> bool:
        """Merge what was displaced by a save that a crash, or the end, cut off before it was looked at for the last time.

        False when it can't be merged, and stays beside the file; `beside`: how many are there.
        """
        bases = await self._readers(beside)
        if not bases:
            log.warning("%s: what its writer had read is not known any more; what was displaced stays beside the file", self._host.id)
            return False
        try:
            await self.absorb(leftover.body, bases, in_file=False)
        except (NotText, TooLarge) as error:
            log.warning("%s: what was displaced can't be merged, and stays beside the file: %s", self._host.id, error.detail)
            return False
        return True

    async def _readers(self, beside: int) -> list[Base]:
        """The states that the writers of displaced files may have read: what the file held before our saves.

        None where a checkpoint may have taken one of them away: a merge from another would take out words that its writer never saw.
        """
        ledger = self._host.ledger
        known = await self._journal.load(self._host.id)
        held = [base for base in (*ledger.former, *([ledger.base] if ledger.announced else [])) if base.place >= known.position]
        if known.checkpoint is not None and len(held) < beside:
            return []
        return [*reversed(held), *(base for base in ledger.readers if base.place >= known.position)]

    async def absorb(self, body: bytes, candidates: list[Base], *, in_file: bool) -> Base:
        """Merge an outside body from the nearest of the states that its writer may have read; gives the writer's new base.

        One journal record holds update, hash and base. NotText when it is no text any more.
        """
        host = self._host
        text, form, marks = decode(body)
        check_text(text, self._limit)
        await host.settled()
        known = await self._journal.load(host.id)
        await host.sound()
        base = self._nearest(known, candidates, text)
        fork = self._fork(known, base, sha256(body).digest())
        update = fork.edit(merge.edits(fork.text(), text))
        places = tuple((mark.utf8, mark.ending) for mark in marks)
        fork.endings = places
        host.commit()
        # From here to the record nothing may come between: the update is in the log where the line ends say.
        equal = text == host.room.document.text()  # an equal body is no edit, whatever its base
        if equal:
            update, host.room.document.endings = b"", places
        else:
            fork.follow(host.room.document)
        meta = {
            "hash": sha256(body).hexdigest(),
            "form": form.to_json(),
            "endings": list(places if equal else fork.endings),
            "base": None if equal else base.to_json(),
            "in_file": in_file,
        }
        # Durable before anybody sees it: what a client held of a merge that a crash forgot would come back beside the next merge.
        position = await host.append(Record(Kind.MERGE, update, meta))
        await host.sound()
        document = host.room.document
        if update:
            document.apply_own(update)
            host.room.measure()
            host.edits += 1
            fork.follow(document)
            host.perform([Spread(protocol.update(update))])
        if not equal:
            document.endings = fork.endings if fork.text() == document.text() else ()
        host.ledger.form = form
        host.ledger.note(sha256(body).hexdigest())
        self.touch()
        self._metrics.saved("merged")
        log.info("%s: an outside edit was merged", host.id)
        after = merged(meta, position)
        if not in_file:
            host.ledger.remember(after)
        if base in self._copies and not equal:
            self._copies[after] = Document.replay([self._copies[base], *([update] if update else [])]).encode()
        return after

    def _steps(self, known: Log, base: Base) -> Iterable[Step]:
        return [self._copies[base]] if base in self._copies else history(known, base)

    def _fork(self, known: Log, base: Base, body: bytes) -> Document:
        """The document at a base, under a client id that depends on base and body alone: the same merge is the same update anywhere."""
        seen = Document.replay(self._steps(known, base))
        state = repr(sorted(seen.state.items())).encode()
        client = derived_client(str(seen.lineage).encode(), state, base.hash.encode(), body, DIFF_VERSION)
        return Document.replay(self._steps(known, base), client)

    def _nearest(self, known: Log, candidates: list[Base], text: str) -> Base:
        """The base from which the fewest bytes were deleted and inserted: words that it does not have are not missed, and none twice.

        What is as near as another stands behind it in `candidates`.
        """
        there = [base for base in candidates if base in self._copies or base.place >= known.position] or candidates[:1]
        if len(there) == 1:
            return there[0]
        return min(there, key=lambda base: _cost(Document.replay(self._steps(known, base)).text(), text))


def read_limit(text: int) -> int:
    """Bytes that a file may have whose text has so many: a byte order mark, and each line end may take two."""
    return 2 * text + 3


def check_text(text: str, limit: int) -> None:
    """TooLarge for a text over the limit in bytes."""
    if len(text) > limit or len(text.encode()) > limit:
        raise TooLarge(f"The text has over {limit} bytes; it can be downloaded, not edited here.")


def _cost(before: str, after: str) -> int:
    return sum(edit.stop - edit.start + len(edit.text.encode()) for edit in merge.edits(before, after))
