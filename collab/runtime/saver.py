"""From the room to the file: announced, written conditionally, looked at, and noted as done, in this order.

Whatever stands in the file and is not our own write is an outside body: it is merged from the state that its writer had read.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from collab import merge
from collab.errors import (
    Changed,
    CollabError,
    Conflict,
    Exists,
    Fenced,
    Forbidden,
    Locked,
    NotFound,
    NotText,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from collab.formats.bodies import most
from collab.ledger import deletions
from collab.opening import state_upto
from collab.ports import Kind, Record
from collab.runtime.aside import LARGE as BESIDE
from collab.runtime.copies import copy_beside
from collab.runtime.merging import Guess
from collab.runtime.settling import Ends, displaced_settled, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextlib import AbstractContextManager

    from collab.access import Person
    from collab.document import Ending
    from collab.ledger import Base
    from collab.ports import Content, Displaced, Files, Journal, Stat, Written
    from collab.runtime.chronicle import Chronicle
    from collab.runtime.host import Host
    from collab.runtime.merging import Merger
    from collab.runtime.metrics import Metrics
    from collab.session import Limits

log = logging.getLogger("collab.runtime")

ATTEMPTS = 5
"""So often a save meets an outside body in a row before it waits."""
REREADS = (1.0, 30.0)
"""Seconds after which a displaced inode is read again: an in-place writer may still hold it."""
CHECKPOINT = 256 * 1024
"""Bytes of log that make a checkpoint due."""
PATIENCE = 5.0
"""Seconds that a room which goes waits for the archive."""
SLOWEST = 60.0
"""Seconds between tries at most."""
NONE = -1
"""In the file is less of what people took out than ever was counted."""
GUARDED = 64
"""Bytes of a file that may become anything."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a save is due, in seconds."""

    debounce: float = 2.0
    latest: float = 10.0
    retry: float = 1.0


@dataclass(frozen=True, slots=True)
class _Shot:
    """A document at one moment."""

    body: bytes
    digest: str
    sketch: str
    edits: int
    gone: int
    """How many edits had taken something out."""
    writers: tuple[Person, ...]
    endings: tuple[Ending, ...]
    logged: int
    due: bool
    """A checkpoint should follow."""
    state: bytes | None


class Saver:
    """The saver of one room. `clock` is monotonic."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        host: Host,
        files: Files,
        journal: Journal,
        *,
        merger: Merger,
        chronicle: Chronicle,
        limits: Limits,
        timing: Timing,
        clock: Callable[[], float],
        now: Callable[[], float],
        metrics: Metrics,
        spawn: Callable[[Coroutine[object, object, None]], object],
        settled: Callable[[], None],
        renamed: Callable[[Stat, Stat], None],
        audit: Callable[[str, Person, Stat, str], None],
        denied: Callable[[CollabError], None],
        secure: Callable[[], Awaitable[None]],
        writing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._audit = audit
        self._denied = denied
        self._secure = secure
        self._writing = writing
        self._host = host
        self._files = files
        self._journal = journal
        self._merger = merger
        self._chronicle = chronicle
        self._now = now
        self._most = most(limits)
        self._timing = timing
        self._clock = clock
        self._metrics = metrics
        self._spawn = spawn
        self._settled = settled
        self._renamed = renamed
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
        self._deletions = 0
        """How many of the edits that took something out are in the file."""
        self._size = 0
        """Bytes of the file as we know it."""
        self._refused = ""
        """SHA-256 of the text that the guard keeps out of the file."""
        self._noticed = self._looking = False
        self._ends = Ends()
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
            if self._host.file.word != "gone":
                self._host.say("pending")
        if not self._running:
            self._running = True
            self._spawn(self._run())

    def hurry(self) -> None:
        """Save now: the last one left."""
        self._hurry = True
        self._wake.set()

    def again(self) -> None:
        """Somebody came in whose name it may go: what failed is tried at once."""
        if self._failures:
            self._not_before = 0.0
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
            # A timeout would throw, for each room with each pause of who types there.
            timer = asyncio.get_running_loop().call_later(due - now, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    async def save(self) -> bool:
        """One save; True when the file holds what the room had. Never raises for storage or journal."""
        async with self._saving:
            # Cleared before the write and set again on failure: what is typed meanwhile is the next save's.
            self._first, self._hurry = None, False
            try:
                await self._write()
            except NotFound as error:
                self._fail(error, "gone")
                return False
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

    def _fail(self, error: CollabError, word: str = "failed") -> None:
        self._failures += 1
        now = self._clock()
        self._first = now if self._first is None else self._first
        self._not_before = now + min(self._timing.retry * 2 ** (self._failures - 1), SLOWEST)
        self._metrics.saved("failed")
        self._metrics.failed("save")
        log.warning("%s is stored, not in the file: %s", self._host.id, error.detail)
        if isinstance(error, Forbidden | Unauthorized | Locked | Unavailable):
            self._denied(error)
        self._say_gone(error.detail) if word == "gone" else self._host.say(word, error.detail)

    def _say_gone(self, detail: str) -> None:
        if self._host.file.word != "gone":
            self._host.tell("gone")
        self._host.say("gone", detail)

    async def _write(self) -> None:
        host = self._host
        for _ in range(ATTEMPTS):
            await host.sound()
            if host.ledger.announced is not None:
                # A try before this one may have reached the file.
                await self._absorb_file()
            base = host.ledger.base
            shot, record, appended = await self._announce()
            body, digest = shot.body, shot.digest
            place = await appended
            host.ledger.take(place, record)
            try:
                with self._writing():
                    written = await self._exchange(body, digest, base)
            except Changed:
                # Nothing was written: nobody can have read it.
                host.ledger.announced = None
                await self._absorb_file()
                continue
            try:
                await self._done(base, digest, place, written)
            except BaseException:
                # The next look finds beside the file what nobody has looked at.
                if written is not None and written.displaced is not None:
                    written.displaced.leave()
                raise
            self._deletions, self._size = shot.gone, len(body)
            self._ends.add(body)
            if written is not None:
                await self._chronicle.saved(place, self._now(), digest, body, shot.writers)
            for person in shot.writers:
                if host.writers.get(person, 0) <= shot.edits:
                    host.writers.pop(person, None)
                self._audit("write", person, host.stat, "")
            if shot.due:
                await self._checkpoint(place, shot.state, shot.endings, shot.logged)
            return
        raise Unavailable("The file keeps being changed from outside; trying again.")

    async def _announce(self) -> tuple[_Shot, Record, asyncio.Future[int]]:
        """The document as it is, and the record that says so, on its way to the journal: its position names the state that the body holds."""
        host = self._host
        for last in (False, False, True):
            await host.sound()
            with host.holding():
                shot = await self._shoot(at_once=last or max(self._size, host.room.size) < BESIDE)
                await self._guard(shot.body)
                if shot.edits == host.edits:
                    record = Record(Kind.ANNOUNCE, meta={"hash": shot.digest, "at": self._now(), "sketch": shot.sketch})
                    return shot, record, host.append(record)
        raise Unavailable("People type faster than their text can be written down; trying again.")

    async def _shoot(self, *, at_once: bool) -> _Shot:
        """The document as it is. A long one in steps, between which the event loop goes on while what people type waits."""
        host, document = self._host, self._host.room.document
        async with host.reading():
            host.perform(host.room.tidy())
            host.commit()
            edits = host.edits
        if not at_once:
            await asyncio.sleep(0)
        words = document.looks().words
        if not at_once:
            await asyncio.sleep(0)
        write = partial(_written, host.writer(), words)
        body, digest, sketch = write() if at_once else await self._merger.thread(write)
        return _Shot(
            body,
            digest,
            sketch,
            edits,
            host.room.deletions,
            tuple(host.writers),
            document.endings,
            host.logged,
            due=host.logged > CHECKPOINT and not self._chronicle.behind,
            state=document.encode() if at_once and host.logged > CHECKPOINT else None,
        )

    async def _guard(self, body: bytes) -> None:
        """A text that is much shorter without an edit that took something out is so by a fault of ours: it is kept beside, not in the file."""
        host = self._host
        before = self._size
        if before < GUARDED or len(body) > before // 2 or host.room.deletions != self._deletions:
            return
        digest = sha256(body).hexdigest()
        if digest != self._refused:
            path = await copy_beside(self._files, host.stat.path, body, "kept", self._now())
            self._refused = digest
            self._metrics.failed("guard")
            log.error(
                "%s would shrink from %d to %d bytes, and no edit says why; what would have been written is %s",
                host.id,
                before,
                len(body),
                path,
            )
            host.tell("kept", path=path)
        raise Unavailable(
            f"The text would shrink from {before} to {len(body)} bytes, and no edit says why. The file stays as it is; look at it before you go on."
        )

    # --- what happens outside

    def notice(self) -> None:
        """Somebody may have changed, moved or deleted the file: look, soon."""
        self._noticed = True
        if not self._looking:
            self._looking = True
            self._spawn(self._look())

    async def _look(self) -> None:
        try:
            while self._noticed and not self._host.closed:
                self._noticed = False
                async with self._saving:
                    try:
                        await self._look_once()
                    except CollabError as error:
                        log.warning("%s: what was changed outside can't be merged: %s", self._host.id, error.detail)
                        if isinstance(error, Unavailable):
                            self._chronicle.owe()
                        if isinstance(error, Forbidden):
                            # Nobody here is shown the file any more: it is not gone.
                            self._host.review()
        finally:
            self._looking = False
            self._settled()

    async def _look_once(self) -> None:
        host = self._host
        try:
            stat = await self._files.stat(host.id)
        except NotFound:
            stat = None
        if stat is None or stat.etag != host.ledger.base.hash:
            content = await self._rested()
            if content is None:
                self._say_gone("The file was deleted outside. The text is safe here.")
                return
            stat = content.stat
            await host.sound()
            self._meet_again(stat)
            await self.meet(content)
        else:
            self._meet_again(stat)

    async def catch_up(self) -> None:
        """Whatever happened outside is merged, and the next save need not wait. NotText, TooLarge, Unavailable, Denied."""
        async with self._saving:
            await self._look_once()
        self._not_before = 0.0
        self._wake.set()

    def _meet_again(self, stat: Stat) -> None:
        """The file is there, perhaps under another name, perhaps after it was gone."""
        host, before = self._host, self._host.stat
        moved, back = stat.path != before.path, host.file.word == "gone"
        host.found(stat)
        if moved:
            self._renamed(before, stat)
        if back:
            host.tell("back")
            host.say("saved" if self._first is None else "pending")
        elif moved:
            host.say_all()

    async def _rested(self) -> Content | None:
        """The file when its writer has come to an end; None when it is gone."""
        begun = self._ends.begun((await self._host.written()).body)
        return await settled(self._files, self._host.id, limit=self._most, known=begun, pause=self._pause, now=self._now)

    async def put(self, body: bytes, digest: str | None, by: Person) -> bool:
        """What somebody wrote who had read the body with this hash (None: what is there now). Whether the live text is more than that.
        Changed when that is not known any more; NotText, TooLarge.
        """
        host = self._host
        async with self._saving:
            await host.sound()
            base = await self._merger.named(digest, await self._merger.digest(body)) if digest is not None else None
            if base is None:
                async with host.writing() as made:
                    giving = host.given(made, self._now()) if digest in {None, made.digest} else None
                base = await giving if giving is not None else None
            if base is None:
                raise Changed("What you had read is not known any more: read the document again, then make your change in that.")
            return await self._merger.put(body, base, by)

    async def offer(self, body: bytes, by: Person) -> str:
        """What somebody has whose copy has another history, so that nobody can say what it had read: merged from the nearest, or kept beside the
        file when nothing is near. The path of that copy, else empty. NotText, TooLarge.
        """
        host = self._host
        async with self._saving:
            await host.sound()
            async with host.writing() as made:
                giving = host.given(made, self._now())
            await giving
            if await self._merger.offer(body, by):
                return ""
            path = await copy_beside(self._files, host.stat.path, body, "conflict", self._now())
        host.tell("conflict", path=path, by=by.name)
        return path

    async def revise(self, body: bytes, by: Person) -> None:
        """What an office suite put; it does not say what it had before it. When all that it may have is known no more,
        the body is merged from the nearest of what is. Conflict: nothing is near. NotText, TooLarge.
        """
        host, merger = self._host, self._merger
        async with self._saving:
            await host.sound()
            office, place = host.ledger.office, host.ledger.position
            if office.put is not None and not office.given and office.put.hash == await merger.digest(body):
                return  # it is said again
            choices = office.choices()
            for bases in choices:
                if await merger.revise(body, bases, by, place):
                    return
            async with host.writing() as former:
                giving, writers = host.given(former, self._now()), tuple(host.writers)
            base = await giving
            await self._chronicle.replaced(base.place, self._now(), former.body, writers)
            # Who was never given anything replaces what is there.
            guess = await merger.guess(body) if choices else [base]
            if not guess or not await merger.revise(body, guess, by, place):
                raise Conflict("What was saved has nothing in common with anything that is known of the document.")

    async def restore(self, body: bytes, by: Person, over: int | None) -> tuple[str, int]:
        """Make the text this body, by an edit of what is there now, or of what the restoration with this number made: then what was done since
        stays. What was there is a version first.

        The SHA-256 of that, and the number of the restoration. Changed, NotText, TooLarge, Unavailable.
        """
        host = self._host
        async with self._saving:
            await host.sound()
            async with host.writing() as former:
                giving, writers = host.given(former, self._now()), tuple(host.writers)
            base = await giving
            await self._chronicle.replaced(base.place, self._now(), former.body, writers)
            if over is not None:
                made = [each for each in host.ledger.readers if each.merges[-1:] == (over,)]
                if not made:
                    raise Changed("That was too long ago to be taken back by itself: restore the version that you want.")
                base = made[-1]
            return former.digest, await self._merger.restore(body, base, by)

    async def body_of(self, digest: str) -> bytes | None:
        """The body that somebody may have read, if line ends and all can be made anew."""
        async with self._saving:
            base = await self._merger.named(digest)
            body = await self._merger.body_of(base) if base is not None else None
        return body if body is not None and sha256(body).hexdigest() == digest else None

    async def put_back(self) -> None:
        """The file is gone, and somebody wants it back: as it is in the room. Exists, Unavailable."""
        host = self._host
        async with self._saving:
            await host.sound()
            await host.settled()
            async with host.writing() as made:
                record = Record(Kind.ANNOUNCE, meta={"hash": made.digest, "at": self._now(), "anew": True})
                appended, edits, gone = host.append(record), host.edits, host.room.deletions
            body, place = made.body, await appended
            host.ledger.take(place, record)
            with self._writing():
                if host.elsewhere:
                    raise Fenced("The document lives elsewhere.")
                await self._secure()
                written = await self._files.write(host.stat.path, body, if_match=None)
            if written.stat.id != host.id:
                raise Exists("Another document has this name by now.")
            self._deletions, self._size = gone, len(body)
            await self._done(host.ledger.base, made.digest, place, written)
            self._failures, self._not_before = 0, 0.0
            host.tell("back")
            if host.edits == edits:
                self._first = None
                host.say("saved", saved_at=written.stat.modified)
            else:
                # What was typed meanwhile is the next save's, and soon: there is a file again.
                host.say("pending", saved_at=written.stat.modified)
                self.touch()
            self._wake.set()

    async def _checkpoint(
        self, place: int, state: bytes | None, endings: tuple[Ending, ...], logged: int, *, resting: bool = False
    ) -> None:
        """What the journal held up to here goes to the archive, then out of the journal: in between a crash leaves it in both.

        `resting`: the file holds just this state, so what came to the log since it was written does not matter.
        """
        host = self._host
        known = await self._journal.load(host.id)
        if await self._chronicle.cut(known, place, host.ledger.past, host.room.document.lineage):
            state = state or await self._merger.aside(state_upto, known, place)
            meta = host.ledger.to_meta_anew(endings, ahead=False) if resting else host.ledger.to_meta(endings)
            await self._journal.checkpoint(host.id, place, state, meta)
            host.logged -= logged

    async def rest(self) -> None:
        """The room goes, and the file holds everything: the archive has it, too, when it answers soon. Raises nothing."""
        host, ledger, document = self._host, self._host.ledger, self._host.room.document
        if self.dirty or host.file.word != "saved" or ledger.base.merges or ledger.announced is not None or self._chronicle.behind:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                if (await self._journal.load(host.id)).position < ledger.position:
                    await self._checkpoint(ledger.position, document.encode(), document.endings, host.logged, resting=True)
        except (TimeoutError, CollabError) as error:
            log.warning("%s rests in the journal only: %s", host.id, error)

    async def _exchange(self, body: bytes, digest: str, base: Base) -> Written | None:
        """Write, or when the file holds this body already only look whether it still does."""
        host = self._host
        if host.elsewhere:
            raise Fenced("The document lives elsewhere.")
        await self._secure()
        try:
            if digest != base.hash:
                return await self._files.write(host.id, body, if_match=base.hash)
            host.found(await self._files.stat(host.id))
        except NotFound:
            # Perhaps renamed, perhaps a saver that moves the old file aside: a look settles it, or the next try.
            host.found(await self._files.stat(host.id))
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
            host.found(written.stat)
        if displaced is not None and await self._merger.digest(displaced.body) != base.hash:
            theirs = await displaced_settled(displaced, known=self._ends.begun((await host.written()).body), pause=self._pause)
            # Nobody can have read what we wrote this moment.
            guess = await self._merger.candidates(sha256(theirs).hexdigest())
            read = tuple(each for each in guess.bases if each != host.ledger.announced)
            base = await self._merger.absorb(
                theirs, replace(guess, bases=read), in_file=False, replaced=written is not None and written.replaced
            )
            self._ends.add(theirs)
        record = Record(Kind.SAVED, meta={"hash": digest, "place": place, "at": self._now()})
        host.ledger.take(await host.append(record), record)
        if displaced is not None:
            self._watched.append(base)
            self._spawn(self._watch(displaced, base))

    async def _watch(self, displaced: Displaced, base: Base) -> None:
        """Read the displaced inode again, twice, then let it go; what could not be merged stays beside the file."""
        merged_all = True
        try:
            waited = 0.0
            for at in REREADS:
                await self._pause(at - waited)
                waited = at
                if await displaced.reread() is not None:
                    begun = self._ends.begun((await self._host.written()).body)
                    late = await displaced_settled(displaced, known=begun, pause=self._pause)
                    last, base = base, await self._absorb_late(late, base)
                    merged_all = base is not last
            # At the end it stays beside the file: a program may write into it after us, and the next start looks again.
            if merged_all and not self._host.closing.is_set():
                await displaced.discard()
            elif not merged_all:
                self._staying.add(sha256(displaced.body).hexdigest())
        finally:
            displaced.leave()
            self._watched.remove(base)
            self._settled()

    async def _pause(self, seconds: float) -> bool:
        """Wait, but not while the room is being closed: then False."""
        try:
            async with asyncio.timeout(seconds):
                await self._host.closing.wait()
        except TimeoutError:
            return True
        return False

    async def _absorb_late(self, late: bytes, base: Base) -> Base:
        """The writer's new base, or the same when its words could not be merged."""
        try:
            async with self._saving:
                after = await self._merger.absorb(late, Guess((base,)), in_file=False)
                self._watched.append(after)
                self._watched.remove(base)
                return after
        except CollabError as error:
            log.warning("%s: what a late writer wrote can't be merged: %s", self._host.id, error.detail)
            return base

    async def _absorb_file(self) -> None:
        """Somebody else may have written the file: merge what stands there, when its writer has come to an end."""
        host = self._host
        stat = await self._files.stat(host.id)
        own = {base.hash for base in host.ledger.candidates()}
        content = await self._files.read(host.id, limit=self._most) if stat.etag in own else await self._rested()
        if content is None:
            raise NotFound("The file was deleted outside. The text is safe here.")
        host.found(content.stat)
        await self.meet(content)

    async def begin(self, content: Content) -> None:
        """`meet` the file when its room is opened: a program may be writing it just now. NotFound."""
        if await self._merger.digest(content.body) not in {base.hash for base in self._host.ledger.candidates()}:
            rested = await self._rested()
            if rested is None:
                raise NotFound("The file was deleted.")
            content = rested
        self._host.stat = content.stat
        await self.meet(content)

    async def meet(self, content: Content) -> None:
        """Compare the file, and what a crash left beside it, with the log; whatever is not our own write is merged."""
        host = self._host
        digest = await self._merger.digest(content.body)
        beside = [await self._merger.digest(leftover.body) for leftover in content.leftovers]
        announced = host.ledger.announced
        displaced = [body for body in beside if announced is None or body != announced.hash]
        if content.traces:
            self._doubt(digest, set(beside) - self._staying)
        done = []
        for leftover, body in zip(content.leftovers, beside, strict=True):
            if body in {*host.ledger.known, digest} or await self._clear(leftover, len(displaced)):
                done.append(leftover)
            else:
                self._staying.add(body)
        await self._meet_file(content, digest)
        self._size = len(content.body)
        await self._recount()
        self._ends.add(content.body)
        # Only now: they are the proof that the announced save was made, until its end, or what came after it, is noted.
        for leftover in done:
            await leftover.discard()

    async def _recount(self) -> None:
        """What was taken out before the last save may be in the file again, with a body whose writer had read it before."""
        host = self._host
        async with host.reading(long=self._size >= BESIDE):
            write = host.writer()
        size = len(write() if self._size < BESIDE else await self._merger.thread(write))
        if size <= self._size // 2:
            known, base = await self._journal.load(host.id), host.ledger.base
            if base.place < known.position or deletions(known, base):
                self._deletions = NONE

    async def _meet_file(self, content: Content, digest: str) -> None:
        host = self._host
        announced = host.ledger.announced
        if digest == host.ledger.base.hash:
            host.ledger.announced = None
        elif announced is not None and digest == announced.hash:
            # A write of ours whose end was not noted.
            record = Record(Kind.SAVED, meta={"hash": digest, "place": announced.place, "at": self._now()})
            host.ledger.take(await host.append(record), record)
        else:
            await self._merger.absorb(content.body, await self._merger.candidates(digest), in_file=True)

    def _doubt(self, digest: str, beside: set[str]) -> None:
        """An announced body that never reached the file was read by nobody: a write that was made leaves what it displaced."""
        ledger = self._host.ledger
        announced = ledger.announced
        if announced is None or digest == announced.hash or ledger.anew:
            return
        merged_since = {reader.hash for reader, at in zip(ledger.readers, ledger.readers_at, strict=True) if at > announced.place}
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
            await self._merger.absorb(leftover.body, Guess(tuple(bases)), in_file=False)
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


def _written(write: Callable[[], bytes], words: str) -> tuple[bytes, str, str]:
    body = write()
    return body, sha256(body).hexdigest(), merge.sketch(words).hex()
