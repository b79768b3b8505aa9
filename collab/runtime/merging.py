"""A body that somebody else wrote becomes edits of what its writer had read, by one record of the journal.

Who names what it had read (REST, WOPI) is believed. A program that rewrites the file does not say: the nearest of what it may have
read is taken. Where nothing is near, the body is kept beside the file, and everybody in the room is told.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self, TypeVar

from collab import merge, protocol
from collab.document import Document, derived_client
from collab.errors import Conflict, Unavailable
from collab.formats import bodies
from collab.formats.bodies import Body
from collab.formats.office import written
from collab.formats.text import Form as TextForm
from collab.formats.text import encode
from collab.ledger import Base, history, joined, merged, outside_since, placed, reaches, together
from collab.nearest import Known, remains, steps
from collab.opening import rewritten, told
from collab.ports import Kind, Log, Record
from collab.room import Spread
from collab.runtime.aside import LARGE as BESIDE
from collab.runtime.copies import copy_beside
from collab.succession import added, left, more

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from collab.access import Person
    from collab.document import Rewriting
    from collab.formats.bodies import Form
    from collab.formats.looks import Looks
    from collab.opening import Rewritten
    from collab.ports import Bases, Files, Journal, Kept
    from collab.runtime.chronicle import Chronicle
    from collab.runtime.host import Host
    from collab.runtime.metrics import Metrics
    from collab.session import Limits

log = logging.getLogger("collab.runtime")

Cost = TypeVar("Cost", int, tuple[int, int, int])

DIFF_VERSION = b"2"
"""Part of a fork's client id: other edits for the same bodies need another id."""
OLDER = 8
"""Bodies of the archive that may be what a program had read: those that look most like what it wrote, …"""
LOOKED_AT = 512
"""… of so many."""
STALE = 10.0
"""Seconds after a save of ours in which an older body is a copy that came late; after that it is put back on purpose."""
FAR = 0.2
"""A body that has less than this in common with everything that its writer may have read is none of them."""
SHORT = 200
"""Characters under which everything is far from everything."""
AWAY = 3600.0
"""Seconds for which a program that put another body there may come back with the first one, as if nobody had written meanwhile."""
WRITING = 60.0
"""Seconds that a program may take to write a file."""
EACH = 16
"""So many of the newest states are all looked at: what programs wrote and what we saved may come in turns."""
REMEMBERED = 2**21
"""Characters of states that are remembered: making them anew takes the longer, the more was typed."""
TRIES = 3
"""So often a merge is made beside the event loop while people type on; then it is made on it."""
LARGE = 2**16
"""Characters from which on the nearest is sought beside the event loop."""


@dataclass(frozen=True)
class _State:
    """A state that a writer may have read, and a log in which everything is that made it."""

    base: Base
    log: Log
    told: tuple[Looks, bytes, bytes] | None = None
    """What it tells of itself, where that is known: looks, lineage, state vector."""
    wanted: Body | None = None
    """What is to be made of it, where that is not what the writer wrote …"""
    after: Base | None = None
    """… and what the writer's new base is then."""
    office: int | None = None
    """Of an office suite: up to where in the log was looked at what it may have."""
    longer: bool = False
    """What the suite wrote is longer than what is wanted, by the line end behind each text."""

    @property
    def keeps(self) -> bool:
        """Whether line ends and byte order mark stay as they are in the room, whatever the writer's are."""
        return self.office is not None and self.wanted is not None

    @classmethod
    def of(cls, base: Base, document: Document) -> Self:
        """The state that a live document has just now."""
        return cls(base, Log(document.encode(), position=base.place), _told(document))

    @cached_property
    def looks(self) -> Looks:
        """What the writer may have read."""
        return self.seen[0]

    @cached_property
    def mark(self) -> tuple[bytes, bytes]:
        """Lineage and state vector: what tells states apart."""
        return self.seen[1:]

    @cached_property
    def seen(self) -> tuple[Looks, bytes, bytes]:
        """What it tells of itself: looks, lineage, state vector."""
        return self.told or _told(self.document())

    def document(self, client: int | None = None) -> Document:
        """Made anew."""
        return Document.replay(history(self.log, self.base), client, text=self.told[0].words if self.told else None)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a writer may have read who does not say it."""

    bases: tuple[Base, ...]
    known: bool = False
    """The file held just this body before: however far it is, it is no other file."""
    undone: frozenset[int] = frozenset()
    """What it takes back: the places of programs' merges, and nothing else …"""
    held: Base | None = None
    """… since the file held it."""


class Merger:
    """Merges into one room. `now` is UTC seconds; `touch` is called when there is something to save; `thread` does long work."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        host: Host,
        files: Files,
        journal: Journal,
        bases: Bases,
        chronicle: Chronicle,
        *,
        limits: Limits,
        now: Callable[[], float],
        touch: Callable[[], None],
        thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        aside: Callable[..., Awaitable[Any]],
        metrics: Metrics,
    ) -> None:
        self._host = host
        self._files = files
        self._journal = journal
        self._bases = bases
        self._chronicle = chronicle
        self._limits = limits
        self._now = now
        self._touch = touch
        self.thread = thread
        self.aside = aside
        self._metrics = metrics
        self._remembered: dict[Base, tuple[Looks, bytes, bytes]] = {}

    async def digest(self, body: bytes) -> str:
        """SHA-256 of a body."""
        if len(body) < BESIDE:
            return sha256(body).hexdigest()
        found: str = (await self.thread(partial(sha256, body))).hexdigest()
        return found

    # --- what somebody may have read

    async def candidates(self, digest: str) -> Guess:
        """What the writer of a body with this hash, which stands in the file, may have read; the newest first.

        A body that the file held before is put back on purpose, so it is an edit of what stood there; unless a save of ours replaced it a moment
        ago, and nobody else wrote since: then it is a copy that comes late, and an edit of itself.
        """
        ledger = self._host.ledger
        before = [kept for kept in reversed(ledger.past) if kept.hash == digest] or await self._archived(
            self._bases.find(self._host.id, digest)
        )
        if not before:
            return Guess(tuple(dict.fromkeys([*ledger.candidates(), *map(_base, reversed(ledger.past))])))
        held, since = _base(before[0]), ledger.since(digest)
        ours = all(each.ours for each in since)
        if since and ours and self._now() - since[0].at < STALE:
            return Guess((held,), known=True)
        if since and not ours and self._now() - since[0].at < AWAY and (back := await self._back(held)) is not None:
            return back
        return Guess(tuple(ledger.candidates()), known=True)

    async def _back(self, held: Base) -> Guess | None:
        """Who puts a body of the file back over another program's (another branch, and the first one again) takes back the programs' changes since,
        and not people's. None when they are not known.
        """
        known = await self._journal.load(self._host.id)
        log = await self._log(held, known, until=known.position)
        since = outside_since(log, held.hash)
        if since is None:
            return None
        state = together([held, *since.values()], since)
        return Guess((state,), known=True, undone=frozenset(since), held=held) if reaches(log, held) and reaches(log, state) else None

    async def _archived(self, kept: Awaitable[list[Kept]]) -> list[Kept]:
        """What the archive has. When it does not answer, nothing else may have been read if the journal still has the whole log."""
        try:
            return await kept
        except Unavailable:
            if (await self._journal.load(self._host.id)).checkpoint is None:
                return []
            raise

    async def _older(self, looks: Looks) -> list[Base]:
        """Of the archive's bases those that look most like this."""
        sketch = merge.sketch(looks.words)
        kept = await self._archived(self._bases.recent(self._host.id, LOOKED_AT))
        likely = sorted(kept, key=lambda each: -merge.overlap(each.sketch, sketch))[:OLDER]
        return [_base(each) for each in likely]

    async def named(self, digest: str, made: str = "") -> Base | None:
        """The base with this hash, if it is still known; `made`: the SHA-256 of what its reader made of it. Where the file held it several times, and
        this was merged after the last of them, it is the same edit that comes again.
        """
        ledger = self._host.ledger
        found = [base for base in ledger.candidates() if base.hash == digest]
        found += [_base(kept) for kept in reversed(ledger.past) if kept.hash == digest]
        found = found or [_base(kept) for kept in await self._archived(self._bases.find(self._host.id, digest))]
        last = max((max(base.place, *base.merges, 0) for base in found), default=0)
        again = {(kept.place, kept.merges[:-1]) for kept in ledger.past if kept.hash == made and kept.merges and kept.merges[-1] > last}
        return next((base for base in found if (base.place, base.merges) in again), found[0] if found else None)

    async def _read(self, body: bytes) -> Body:
        """A body in the document's format; a long one is read beside the event loop. NotText, TooLarge."""
        given, limits = self._host.room.document.format, self._limits
        if len(body) < LARGE:
            return bodies.read(body, given, limits)
        found: Body = await self.aside(bodies.read, body, given, limits)
        return found

    async def body_of(self, base: Base) -> bytes | None:
        """The body of a base, but for line ends that differ; None when the log does not reach back to it any more."""
        states = await self._states([base])
        return states[0].document().body(self._host.ledger.form) if states else None

    async def _states(self, bases: Iterable[Base]) -> list[_State]:
        """Those that can be made anew, in the same order."""
        found: list[_State] = []
        known: Log | None = None
        for base in bases:
            if self._host.stands(base):
                found.append(_State.of(base, self._host.room.document))
                continue
            known = known or await self._journal.load(self._host.id)
            whole = await self._log(base, known, until=max((base.place, *base.merges)))
            if reaches(whole, base):
                found.append(_State(base, whole, self._remembered.get(base)))
        return found

    def _remember(self, states: Iterable[_State]) -> None:
        """Those that were looked at, the newest first, as far as there is room."""
        left, self._remembered = REMEMBERED, {}
        for state in states:
            told = state.__dict__.get("seen", state.told)
            if told is not None and len(told[0].words) <= left:
                left -= len(told[0].words)
                self._remembered[state.base] = told

    async def _log(self, base: Base, known: Log, *, until: int) -> Log:
        """What the journal has, with what the archive has of the log from a base on until there."""
        if base.place >= known.position:
            return known
        parts = await self._bases.parts(self._host.id, base.place, until)
        whole = partial(joined, parts, known)
        found: Log = whole() if sum(len(part.body) for part in parts) < LARGE else await self.thread(whole)
        return found

    # --- merging

    async def absorb(self, body: bytes, guess: Guess, *, in_file: bool, replaced: bool = False) -> Base:
        """Merge what a program wrote, from the nearest of the states that it may have read; gives the writer's new base. `replaced`: a save of ours took
        its place in the file before anybody could see it.

        NotText, TooLarge: it is no text that could be edited here.
        """
        host = self._host
        read = await self._read(body)
        looks = read.looks
        await host.settled()
        states = await self._states(guess.bases)
        if self._lost(guess, states) and read.text != host.room.document.text():
            return await self._set_aside(body, None, in_file=in_file)
        if in_file and not guess.known and (grown := await self._grown(read)) is not None:
            states = [grown]
        state = await self._nearest(states, looks)
        far = state is None or (not guess.known and self._far(state, looks))
        if in_file and not guess.known and (far or state is states[-1]):
            # Perhaps it was read long ago.
            older = await self._states(await self._older(looks))
            state = await self._nearest([*([state] if state else []), *older], looks)
            far = state is None or self._far(state, looks)
        if in_file and not guess.known and (newest := await self._replaced(state, looks)) is not None:
            return await self._merge(body, read, newest, in_file=True)
        if state is None or (far and not self._rewritten(state)):
            return await self._set_aside(body, state, in_file=in_file)
        if guess.held is not None:
            state = await self._returned(read, state, guess)
        return await self._merge(body, read, state, in_file=in_file, replaced=replaced)

    def _lost(self, guess: Guess, states: list[_State]) -> bool:
        """Whether what the file held can't be made anew: the journal has forgotten it. From whatever else is known, words would be taken out that the
        writer never saw.
        """
        base = self._host.ledger.base
        return base in guess.bases and all(state.base != base for state in states)

    async def _returned(self, read: Body, state: _State, guess: Guess) -> _State:
        """What is wanted of a body that the file held before: it, with what people wrote since and nothing of what programs did."""
        held = Document.replay(history(state.log, guess.held))
        form, held.endings = held.fitted(read), read.endings
        held.follow(Document.undone(placed(state.log, state.base), guess.undone))
        return replace(state, wanted=await self._read(held.body(form)), after=guess.held)

    async def put(self, body: bytes, base: Base, by: Person | None) -> bool:
        """Merge what somebody wrote who says what it had read. Whether the live text is more than the body. NotText, TooLarge; Conflict when
        that base can't be made anew.
        """
        read = await self._read(body)
        await self._host.settled()
        states = await self._states([base])
        if not states:
            raise Conflict("what was read is not known any more")
        await self._merge(body, read, states[0], in_file=False, by=by)
        return self._host.room.document.text() != read.text

    async def revise(self, body: bytes, bases: Iterable[Base], by: Person, office: int) -> bool:
        """Merge what an office suite put, which does not say what it had before it: the nearest of these, the newest first. False when none can be
        made anew. `office`: up to where in the log was looked at what it may have. NotText, TooLarge.
        """
        read = await self._read(body)
        await self._host.settled()
        states = await self._states(dict.fromkeys(bases))
        if not states:
            return False
        if read.format == bodies.TEXT:
            states = await self._written(states, read)
        state = await self._likeliest(states, read)
        await self._merge(body, read, replace(state, office=office), in_file=False, by=by)
        return True

    async def guess(self, body: bytes) -> list[Base]:
        """What a text may have been made of, the newest first, when what its writer had is not known any more; nothing when nothing is near."""
        read, ledger = await self._read(body), self._host.ledger
        bases = [*ledger.candidates(), *map(_base, reversed(ledger.past)), *await self._older(read.looks)]
        states = await self._states(dict.fromkeys(bases))
        nearest = await self._nearest(states, read.looks)
        return [] if nearest is None or self._far(nearest, read.looks) else [nearest.base]

    async def _written(self, states: list[_State], read: Body) -> list[_State]:
        """The states with what somebody wanted of each who saved this in a suite; line ends and byte order mark are no edits."""
        form, media, longer = self._host.ledger.form, self._host.stat.type, self._host.ledger.office.longer

        def write() -> list[_State]:
            found = [written(state.looks.words, read.text, media, longer=state.base == longer) for state in states]
            return [
                replace(state, told=state.seen, wanted=Body(text, form), longer=more)
                for state, (text, more) in zip(states, found, strict=True)
            ]

        return write() if len(read.text) < LARGE else await self.thread(write)

    async def _likeliest(self, states: list[_State], read: Body) -> _State:
        """As `_nearest`, where each state has its own text that may be wanted of it; all are looked at, they are few."""
        known = Known(self._host.room.document.looks().words)

        def far(state: _State) -> tuple[int, ...]:
            wanted = state.wanted
            return state.looks.cost(read.looks, known) if wanted is None else (steps(state.looks.words, wanted.text, known),)

        def least() -> _State:
            return min(states, key=far)

        return least() if len(read.text) * len(states) < LARGE else await self.thread(least)

    async def restore(self, body: bytes, base: Base, by: Person) -> int:
        """As `put`, with a version of its own; gives its number."""
        await self.put(body, base, by)
        # Nothing came between: the merge's record is the last that the ledger took.
        place = self._host.ledger.position
        await self._chronicle.saved(place, self._now(), sha256(body).hexdigest(), body, [by], "restore")
        return place

    async def offer(self, body: bytes, by: Person) -> bool:
        """Merge what somebody has whose copy has another history, from the nearest state of before this history; unless a later one has more of it
        already. Then: what it has more than that, and what it has no more of the former, since it can have taken nothing else out. False when
        nothing is near. NotText, TooLarge.
        """
        read = await self._read(body)
        await self._host.settled()
        ledger = self._host.ledger
        bases = [*ledger.candidates(), *map(_base, reversed(ledger.past)), *await self._older(read.looks)]
        states = await self._states(dict.fromkeys(bases))
        nearest = await self._nearest(states, read.looks)
        if nearest is None or self._far(nearest, read.looks):
            return False
        early = [each for each in states if max((each.base.place, *each.base.merges)) <= ledger.origin]
        seen, form = await self._nearest(early, read.looks), ledger.form
        if read.format != bodies.TEXT or not isinstance(form, TextForm):
            await self.put(body, nearest.base, by)
            return True
        texts = {each.base: each.document().text() for each in states}
        first = texts[seen.base] if seen else ""
        best = min(states, key=lambda each: (more(texts[each.base], read.text, first), each is not seen))
        if best is seen or best in early:
            await self.put(body, (seen or best).base, by)
            return True
        await self.put(encode(added(texts[best.base], read.text, first), form), best.base, by)
        if seen is not None:
            await self.put(encode(left(first, read.text), form), seen.base, by)
        return True

    async def _grown(self, read: Body) -> _State | None:
        """The last body that a program wrote, when it took something from the end of the text and is the beginning of this one: its writer had
        not come to its end. A notebook that is half written is none.
        """
        begun, text = self._host.ledger.begun, read.text
        if read.format != bodies.TEXT or begun is None or not 0 <= self._now() - begun[2] < WRITING:
            return None
        states = await self._states(begun[:2])
        if len(states) < len(begun[:2]):
            return None
        before, last = states[0].looks.words, states[1].looks.words
        return states[1] if len(last) < min(len(before), len(text)) and text.startswith(last) else None

    async def _nearest(self, states: list[_State], looks: Looks) -> _State | None:
        """The state from which the fewest bytes were deleted and inserted: words that it does not have are not missed, and none twice. Words that are
        in the live text and were inserted as well count more: then they would be there twice.

        `states`: the newest first. What is as near as another stands behind it.
        """
        if len(states) < 2:
            return states[0] if states else None

        known = Known(self._host.room.document.looks().words)

        @cache
        def cost(place: int) -> tuple[int, int, int]:
            return states[place].looks.cost(looks, known)

        def costs(places: list[int], at: int) -> tuple[int, int, int]:
            return cost(places[at])

        def nearest() -> int:
            # The documents are made, looked at and dropped in the same thread.
            # What was given was ahead of the file: each kind grows farther by itself.
            held = {each.hash for each in self._host.ledger.held}
            kinds = [[place for place, each in enumerate(states) if (each.base.hash in held) is kind] for kind in (True, False)]
            found = [places[least(len(places), partial(costs, places))] for places in kinds if places]
            return min(found, key=lambda place: (cost(place), place))

        place = nearest() if len(looks.words) + sum(map(len, looks.rest)) < LARGE else await self.thread(nearest)
        self._remember(states)
        return states[place]

    async def _replaced(self, nearest: _State | None, looks: Looks) -> _State | None:
        """What stood in the file, when that is another one now, however short it was and is: its writer left nothing of what it may have read, and
        nobody has anything to lose.
        """
        base = self._host.ledger.base
        if nearest is not None and (nearest.base == base or remains(nearest.looks.words, looks.words) >= FAR):
            return None
        newest = await self._states([base])
        return newest[0] if newest and self._rewritten(newest[0]) else None

    def _far(self, state: _State, looks: Looks) -> bool:
        before = state.looks.words
        return min(len(before), len(looks.words)) >= SHORT and merge.nearness(before, looks.words) < FAR

    def _rewritten(self, state: _State) -> bool:
        """Whether nobody has anything to lose by a file that is another one now: the room had nothing that the file did not."""
        host = self._host
        return state.base == host.ledger.base and host.room.document.looks() == state.looks and not self._fresh(state.base)

    def _fresh(self, base: Base) -> bool:
        """Whether a save of ours was made so late that the writer may not have seen it."""
        held = self._host.ledger.held[-1:]
        return bool(held) and held[0].hash == base.hash and held[0].ours and self._now() - held[0].at < STALE

    async def _merge(  # noqa: PLR0913 - a body, and what is known of it
        self,
        body: bytes,
        read: Body,
        state: _State,
        *,
        in_file: bool,
        by: Person | None = None,
        replaced: bool = False,
    ) -> Base:
        host = self._host
        own, read = read, state.wanted or read
        await host.sound()
        digest = await self.digest(body)
        sketch: bytes = merge.sketch(read.looks.words) if len(body) < BESIDE else await self.thread(partial(_sketched, read))
        mark = sha256(read.text.encode()).hexdigest() if state.wanted else digest
        client, made, form, fork = await self._made(mark, read, state, long=len(body) >= BESIDE)
        update, behind = made.update, made.behind
        host.commit()
        # From here to the record nothing may come between: the update is in the log where the line ends say.
        live = host.room.document
        equal = read.text == live.text()  # an equal body is no edit, whatever its base
        if equal:
            update, behind = b"", b""
            form = live.fitted(read)
            live.endings = endings = live.endings if state.keeps else read.endings
        elif state.keeps:
            fork = live.next([update, behind]) if live.endings else None
            endings = () if fork is None else fork.endings
        else:
            behind, fork = self._met(read, state, client, made, fork)
            endings = read.endings if fork is None else fork.endings
        meta: dict[str, object] = {
            "hash": digest,
            "form": form.to_json(),
            "endings": list(endings),
            "base": None if equal else state.base.to_json(),
            "in_file": in_file,
            "by": by.id if by else "",
            "at": self._now(),
            "sketch": sketch.hex(),
            **({"replaced": True} if replaced else {}),
            **_told_of(state, behind),
        }
        if meta["endings"] != list(own.endings):
            meta["read"] = list(own.endings)  # those of the body itself, which may have to be made anew
        record = Record(Kind.MERGE, update, meta)
        # Durable before anybody sees it: what a client held of a merge that a crash forgot would come back beside the next merge.
        with host.merging(update):
            position = await host.append(record)
            await host.sound()
            if update:
                self._apply([update, *([behind] if behind else [])])
        if not equal:
            host.room.document.inherit(fork)
        host.room.deletions += made.cuts
        if by is not None and update:
            host.writers[by] = host.edits
        host.ledger.take(position, record)
        if update:
            async with host.reading(long=len(body) >= BESIDE):
                host.room.measure()
                host.perform(host.room.tidy())
        self._touch()
        self._metrics.saved("merged")
        log.info("%s: an outside edit was merged", host.id)
        if by is None:
            await self._chronicle.outside(position, self._now(), digest, body, "replaced" if replaced else "outside")
            if update or replaced:
                host.tell("replaced" if replaced else "merged", by="")
        return merged(meta, host.ledger.position)

    async def _made(self, digest: str, read: Body, state: _State, *, long: bool) -> tuple[int, Rewriting, Form, Document | None]:
        """What makes the body of a state: the client id of the edits, the edits, the form, and the fork in which they were made, if it is here."""
        host, mark = self._host, bytes.fromhex(digest)
        if long:
            for _ in range(TRIES):
                edits = host.edits
                live = host.room.document.encode()
                far: Rewritten = await self.aside(rewritten, state.log, state.base, read, (mark, DIFF_VERSION), live)
                await host.sound()
                if edits == host.edits:
                    return far.client, far.made, far.form, None
        fork, live_one = _fork(state, mark), host.room.document
        made = fork.rewrite(read, None if fork.client in live_one.state else live_one)
        return fork.client, made, fork.fitted(read), fork

    def _met(self, read: Body, state: _State, client: int, made: Rewriting, fork: Document | None) -> tuple[bytes, Document | None]:
        """What follows on a rewriting in the room, and the fork where it counts."""
        live = self._host.room.document
        late = live.late_for(client, made.update)
        if fork is None and (late or read.endings or live.endings):
            fork = state.document(client)
            fork.receive(made.update)
        if fork is None:
            return made.behind, None
        fork.endings = read.endings
        return fork.meet(live, made, late), fork

    def _apply(self, made: list[bytes]) -> None:
        host = self._host
        document = host.room.document
        for update in made:
            document.apply_own(update)
        host.edits += 1
        host.perform([Spread(protocol.update(update)) for update in made])

    # --- conflicts

    async def _set_aside(self, body: bytes, state: _State | None, *, in_file: bool) -> Base:
        """Nothing that its writer may have read is near, or known: the body goes beside the file, and the room goes on as it was."""
        host = self._host
        path = await copy_beside(self._files, host.stat.path, body, "conflict", self._now())
        host.commit()
        digest = sha256(body).hexdigest()
        base = state.base if state is not None else host.ledger.base
        meta = {
            "hash": digest,
            "form": host.ledger.form.to_json(),
            "endings": list(host.room.document.endings),
            "base": base.to_json(),
            "in_file": in_file,
            "by": "",
            "at": self._now(),
            "conflict": path,
        }
        record = Record(Kind.MERGE, b"", meta)
        host.ledger.take(await host.append(record), record)
        self._touch()
        self._metrics.saved("conflict")
        log.warning("%s: what another program wrote has nothing in common with what it may have read; kept as %s", host.id, path)
        host.tell("conflict", path=path, by="")
        return merged(meta, host.ledger.position)


def _told(document: Document) -> tuple[Looks, bytes, bytes]:
    return document.looks(), *told(document)


def _sketched(read: Body) -> bytes:
    return merge.sketch(read.looks.words)


def _told_of(state: _State, behind: bytes) -> dict[str, object]:
    """What a record says of a merge that not every one has."""
    facts = {
        "drop": behind.hex() or None,
        "after": None if state.after is None else state.after.to_json(),
        "office": None if state.office is None else [state.office, state.longer],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _fork(state: _State, body: bytes) -> Document:
    """The document at a base, under a client id that depends on base and body alone: the same merge is the same update anywhere."""
    return state.document(derived_client(*state.mark, state.base.hash.encode(), body, DIFF_VERSION))


def least(count: int, cost: Callable[[int], Cost]) -> int:
    """The first place of the least cost among so many, at few looks: the more was typed since a state was read, the farther it is, so it is sought
    among ever larger steps first, and then around the best of these.
    """
    places = list(range(EACH))
    while places[-1] < count - 1:
        places.append(min(places[-1] + places[-2], count - 1))
    known = {place: cost(place) for place in places if place < count}
    while True:
        best = min(known, key=lambda place: (known[place], place))
        around = (
            max((place for place in known if place < best), default=best),
            min((place for place in known if place > best), default=best),
        )
        between = {(place + best) // 2 for place in around} - known.keys()
        if not between:
            return best
        known.update((place, cost(place)) for place in between)


def _base(kept: Kept) -> Base:
    return Base(kept.hash, kept.place, kept.merges)
