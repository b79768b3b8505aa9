"""One document and everybody on it: messages in, effects out. It does nothing itself; the runtime performs the effects in order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collab import protocol, updates
from collab.access import Role, same
from collab.awareness import REMEMBERED, Presence, Speaker
from collab.document import reserved
from collab.errors import CollabError, Equivocation, Poisoned, TooLarge
from collab.formats.bodies import TEXT
from collab.protocol import Kind
from collab.session import Asked, Limits, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.document import Document, Place, Verdict

STRIKES = 3
"""So often a missing part is asked for."""
READERS = 2**20
"""Bytes of an update or step 2 of somebody who may not write: its deletions, which we know."""
SHOWN = 64
"""Client ids that one peer may ever show itself under."""
ANSWER = 10.0
"""Seconds that the owner of a client id has to say what it has."""
HELD = 256
"""Updates that may wait for their client id's owner."""


@dataclass(slots=True)
class Send:
    """A message to one peer."""

    peer: Peer
    message: bytes


@dataclass(slots=True)
class Spread:
    """A message to everybody but one."""

    message: bytes
    but: Peer | None = None


@dataclass(slots=True)
class Store:
    """An update for the journal (empty: nothing new, but what is known has to be durable), and the statuses due when it is there."""

    update: bytes
    peer: Peer | None = None
    statuses: int = 0
    owners: tuple[tuple[int, str], ...] = ()
    """Client ids that were seen for the first time, and who wrote."""
    torn: frozenset[Place] = frozenset()
    """Pairs of surrogates that were mended before the update."""
    shy: Spread | None = None
    """What others are told when it is durable, and not before: after a crash it would come back from them beside what is made anew."""


@dataclass(slots=True)
class Answer:
    """A status that need not wait: the edit is refused."""

    peer: Peer


@dataclass(slots=True)
class Refuse:
    """The session of a peer ends, with the reason."""

    peer: Peer
    error: CollabError


@dataclass(slots=True)
class Rebuild:
    """The document is no longer trusted: make it anew from the journal before the next message."""


Effect = Send | Spread | Store | Answer | Refuse | Rebuild


@dataclass(slots=True)
class _Held:
    peer: Peer
    kind: Kind
    payload: bytes
    asked: Asked
    since: float
    had: dict[int, int] | None
    """See `Verdict.had`."""


@dataclass(slots=True)
class Room:
    """A live document. `owners` says who first wrote under each client id; `now` is in monotonic seconds everywhere."""

    document: Document
    owners: dict[int, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    presence: Presence = field(init=False)
    peers: dict[int, Peer] = field(default_factory=dict)
    _claims: OrderedDict[int, str] = field(default_factory=OrderedDict)
    """Client ids that were seen in awareness only, and whose they are."""
    _live: dict[int, Peer] = field(default_factory=dict)
    """Client ids and the connection that writes or shows itself under them."""
    _held: dict[int, list[_Held]] = field(default_factory=dict)
    """Updates under somebody else's client id, by that owner's peer id."""
    barred: bool = False
    """Nobody's edits are taken just now."""
    deletions: int = 0
    """Counts the edits that took something out: a text that shrinks without one shrank by a fault."""
    _now: float = 0.0
    _size: int = 0
    """At least the bytes of the text."""
    _most: int = 0
    """What it may have; a document never changes its format."""

    def __post_init__(self) -> None:
        """The presence has the room's limit."""
        self.presence = Presence(self.limits.awareness)
        self._size = self.document.length()
        self._most = self.limits.of(self.document.format)

    @property
    def size(self) -> int:
        """At least the bytes of the text."""
        return self._size

    def join(self, peer: Peer) -> None:
        """A peer enters; nothing is sent before it asks (some clients take only the first step 2 for their sync)."""
        self.peers[peer.id] = peer

    def leave(self, peer: Peer) -> list[Effect]:
        """A peer is gone, and its presence with it; what waited for its word is taken without."""
        self.peers.pop(peer.id, None)
        effects: list[Effect] = []
        gone = self.presence.leave(peer.id)
        if gone:
            effects.append(Spread(protocol.awareness(gone)))
        effects += self._give_up(peer)
        for waiting in self._held.values():
            waiting[:] = [held for held in waiting if held.peer is not peer]
        return effects

    def receive(self, peer: Peer, kind: Kind, payload: bytes, now: float) -> list[Effect]:
        """What a message of a peer brings. CollabError: the peer is refused, and nobody else notices."""
        self._now = now
        if kind is Kind.UPDATE or kind is Kind.STEP2:
            return self._edit(peer, kind, payload)
        if kind is Kind.AWARENESS:
            return self._awareness(peer, payload, now)
        if kind is Kind.STEP1:
            return self._step1(peer, payload)
        if kind is Kind.QUERY_AWARENESS:
            return [Send(peer, protocol.awareness(self.presence.everybody() or b"\0"))]
        return []

    def typed(self, peer: Peer, payload: bytes) -> bool:
        """Whether an update was a common edit, under a client id that is known as this peer's: then it is in the document, is to be stored with one
        status, and goes to everybody else as it is. Else nothing happened, and `receive` tells. CollabError as there, and Poisoned.
        """
        if peer.role < Role.EDITOR or self.barred:
            return False
        document = self.document
        edit = document.common(payload)
        if edit is None:
            return False
        new = edit.new
        if new is not None:
            client = new[0]
            size = self._size + document.widening(len(payload), new[2])
            if size > self._most or self._live.get(client) is not peer or self.owners.get(client) != peer.person.id:
                return False
            self._size = size
        document.take(payload, edit)
        if edit.deleted is not None:
            self.deletions += 1
        return True

    def _step1(self, peer: Peer, payload: bytes) -> list[Effect]:
        peer.had = self.document.check_state_vector(payload)
        peer.asked.append(Asked.HANDSHAKE)
        effects: list[Effect] = [Send(peer, protocol.step2(self.document.diff(payload))), self._ask(peer)]
        everybody = b"" if peer.greeted else self.presence.everybody()
        peer.greeted = True
        if everybody:
            effects.append(Send(peer, protocol.awareness(everybody)))
        return effects

    def _ask(self, peer: Peer) -> Send:
        return Send(peer, protocol.step1(self.document.state_vector()))

    def _awareness(self, peer: Peer, payload: bytes, now: float) -> list[Effect]:
        changed = self.presence.receive(payload, Speaker(peer.id, peer.person, peer.color, self._may_own(peer)), now)
        return [Spread(protocol.awareness(changed))] if changed else []

    def _may_own(self, peer: Peer) -> Callable[[int], bool]:
        def may_own(client: int) -> bool:
            whose = self.owners.get(client) or self._claims.get(client)
            if whose is None and client in self._live:
                whose = self._live[client].person.id
            if client not in peer.shown and len(peer.shown) >= SHOWN:
                return False
            if whose is None and not reserved(client):
                self._claims[client] = whose = peer.person.id
                if len(self._claims) > REMEMBERED:
                    self._claims.popitem(last=False)
            if whose is not None and same(whose, peer.person.id):
                peer.shown.add(client)
                self._live[client] = peer
                return True
            return False

        return may_own

    def expire(self, now: float) -> list[Effect]:
        """Presence that nobody renewed goes, and nobody waits for ever for somebody who does not say what it has."""
        gone = self.presence.expire(now)
        effects: list[Effect] = [Spread(protocol.awareness(gone))] if gone else []
        late = [owner for owner, waiting in self._held.items() if waiting and now - waiting[0].since > ANSWER]
        for owner in late:
            effects += self._give_up(self.peers[owner])
        return effects

    def _give_up(self, owner: Peer) -> list[Effect]:
        for client in [client for client, peer in self._live.items() if peer is owner]:
            del self._live[client]
        return self._release(owner)

    def _edit(self, peer: Peer, kind: Kind, payload: bytes) -> list[Effect]:
        if kind is Kind.UPDATE:
            return self._take(peer, kind, payload, Asked.HANDSHAKE)
        asked = peer.asked.popleft() if peer.asked else Asked.HANDSHAKE
        effects = self._take(peer, kind, payload, asked)
        return effects + self._release(peer, checked=peer) if asked is Asked.CHECK else effects

    def _take(  # noqa: PLR0913, PLR0917 - one edit, and what is known of it
        self, peer: Peer, kind: Kind, payload: bytes, asked: Asked, checked: Peer | None = None, had: dict[int, int] | None = None
    ) -> list[Effect]:
        writes = peer.writes and not self.barred
        if not writes and len(payload) > READERS:
            raise TooLarge(f"Who only reads has nothing to say of more than {READERS} bytes.")
        verdict = self.document.judge(payload, fast=kind is Kind.UPDATE, compare=writes)
        verdict.had = had
        if kind is Kind.STEP2 and asked is Asked.HANDSHAKE and had is None:
            verdict.had, peer.had = peer.had, None
        if not writes:
            return self._read_only(peer, kind, verdict)
        if verdict.conflict is not None:
            return self._equivocation(peer, payload, verdict)
        if verdict.missing:
            return self._gap(peer, kind, asked, verdict)
        return self._fitting(peer, kind, payload, asked, verdict, checked)

    def _fitting(  # noqa: PLR0913, PLR0917 - one edit, and what is known of it
        self, peer: Peer, kind: Kind, payload: bytes, asked: Asked, verdict: Verdict, checked: Peer | None
    ) -> list[Effect]:
        if not verdict.new and (not verdict.deletes or (kind is Kind.STEP2 and self.document.adds_nothing(verdict))):
            return [Store(b"", peer, self._statuses(peer, kind, asked))]
        self._check_size(payload, verdict)
        foreign = self._foreign(peer, payload, verdict)
        if foreign is not None and foreign[0] is not checked:
            return self._hold(foreign[0], _Held(peer, kind, payload, asked, self._now, verdict.had))
        if foreign is not None:
            verdict.conflict, verdict.parsed = foreign[1], verdict.parsed or updates.read(payload)
            return self._equivocation(peer, payload, verdict)
        return self._apply(peer, kind, payload, verdict, self._statuses(peer, kind, asked))

    def _statuses(self, peer: Peer, kind: Kind, asked: Asked) -> int:
        """Statuses that are due: one for each update and each step 2, but a step 2 that we asked for beside the handshake pays
        only what waited for it, since providers count none of their own for it.
        """
        if kind is Kind.STEP2 and asked is not Asked.CHECK:
            waiting, peer.waiting, peer.strikes, peer.stuck = peer.waiting, 0, 0, False
            return waiting + (asked is Asked.HANDSHAKE)
        return 0 if kind is Kind.STEP2 else 1

    def _apply(self, peer: Peer, kind: Kind, payload: bytes, verdict: Verdict, statuses: int) -> list[Effect]:
        owners = self._credit(peer, kind, verdict)
        try:
            payload = self.document.apply(payload, verdict)
        except Poisoned as error:
            return [Rebuild(), Refuse(peer, error)]
        self.deletions += verdict.deletes
        spread = Spread(protocol.update(payload), peer)
        late = bool(verdict.late)
        store = Store(payload, peer, statuses, owners, verdict.torn, spread if late else None)
        effects: list[Effect] = [store] if late else [store, spread]
        if late and (made := self.document.carry(verdict.late)):
            effects.append(Store(made, shy=Spread(protocol.update(made))))
        if kind is Kind.STEP2 and verdict.new:
            effects += self._ask_again(peer)
        return effects + self.tidy() if verdict.untidy or b"\r" in payload else effects

    def tidy(self) -> list[Effect]:
        """What clients made and no file should hold is put right: see `Document.tidy`."""
        effects: list[Effect] = []
        # It may take out a cell: who had that of us, and typed into the cell before, would after a crash bring both in one.
        shy = self.document.format != TEXT
        for made in self.document.tidy():
            self.deletions += 1
            spread = Spread(protocol.update(made))
            effects += [Store(made, shy=spread)] if shy else [Store(made), spread]
        return effects

    def permit(self, peer: Peer) -> list[Effect]:
        """The peer may write from now on: what was not taken from it before is asked for."""
        peer.told = False
        if not peer.unheard or Asked.GAP in peer.asked:
            return []
        peer.unheard = False
        peer.asked.append(Asked.GAP)
        return [self._ask(peer)]

    def measure(self) -> None:
        """The text grew by what no peer sent."""
        self._size = self.document.length()

    def _check_size(self, payload: bytes, verdict: Verdict) -> None:
        """TooLarge when the new structs could make the document longer than it may be."""
        if not verdict.new:
            return
        more = self.document.growth(payload, verdict)
        most = self._most
        self._size += more
        if self._size > most:
            self._size = self.document.length() + more
            if self._size > most:
                raise TooLarge(f"The document would be over {most} bytes.")

    def _credit(self, peer: Peer, kind: Kind, verdict: Verdict) -> tuple[tuple[int, str], ...]:
        """Who writes under which client id: who first sends an update, or showed itself, under it. Words of somebody else stay that
        person's; a step 2 proves nothing, since after a crash it may hold the words of anybody.
        """
        owners, person = self.owners, peer.person.id
        fresh = []
        for client, _, _ in verdict.new:
            whose = owners.get(client)
            if whose is None:
                whose = self._claims.pop(client, person if kind is Kind.UPDATE else None)
                if whose is None:
                    continue
                owners[client] = whose
                fresh.append((client, whose))
            if whose == person:
                self._live[client] = peer
        return tuple(fresh)

    def _foreign(self, peer: Peer, payload: bytes, verdict: Verdict) -> tuple[Peer, updates.Id] | None:
        """The live connection of another person who owns a client id of the new structs and has not said the same, and where."""
        for client, clock, length in verdict.new:
            owner = self._live.get(client)
            if owner is None or owner is peer or owner.person.id == peer.person.id:
                continue
            if not self._vouched(owner, (client, clock, length), verdict.parsed or updates.read(payload)):
                return owner, (client, clock)
        return None

    def _vouched(self, owner: Peer, span: updates.Range, update: updates.Update) -> bool:
        """Whether the owner has sent the same structs itself, in something that waits: after a crash two may relay each other's words."""
        client, clock, length = span
        sent = (updates.read(held.payload) for waiting in self._held.values() for held in waiting if held.peer is owner)
        said = [each for each in sent if client in each.structs]
        ours = updates.Update({client: update.structs[client]})
        return any(
            each.structs[client][0].clock <= clock
            and each.structs[client][-1].end >= clock + length
            and updates.differs(ours, updates.Update({client: each.structs[client]})) is None
            for each in said
        )

    def _hold(self, owner: Peer, held: _Held) -> list[Effect]:
        waiting = self._held.setdefault(owner.id, [])
        if len(waiting) >= HELD:
            raise Equivocation("Too many edits under the client id of somebody else.")
        waiting.append(held)
        if len(waiting) > 1:
            return []
        owner.asked.append(Asked.CHECK)
        return [self._ask(owner)]

    def _release(self, owner: Peer, checked: Peer | None = None) -> list[Effect]:
        """The owner of a client id has told what it has, or is gone: now what others sent under it can be judged."""
        effects: list[Effect] = []
        waiting = self._held.get(owner.id, [])
        for held in tuple(waiting):
            waiting.remove(held)
            try:
                effects += self._take(held.peer, held.kind, held.payload, held.asked, checked, held.had)
            except CollabError as error:
                effects += [*self._answers(held.peer), Refuse(held.peer, error)]
        if not waiting:
            self._held.pop(owner.id, None)
        return effects

    def _gap(self, peer: Peer, kind: Kind, asked: Asked, verdict: Verdict) -> list[Effect]:
        """Take what fits, and ask for what is missing; the status waits until it has come. One question at a time."""
        fits, left = self.document.parted(verdict)
        taken = self._take_part(peer, kind, fits, verdict.had)
        effects = taken or []
        if any(isinstance(effect, Rebuild) for effect in effects):
            return effects
        if asked is Asked.GAP:
            peer.strikes += 1
            if peer.strikes >= STRIKES:
                # After a crash it may have heard of words that nobody else has; whose they are may come back with what they build on.
                peer.stuck = True
                return effects if taken is None else effects + self._acknowledge_part(peer, left)
        else:
            peer.waiting += asked is not Asked.CHECK
            if Asked.GAP in peer.asked:
                return effects
        peer.asked.append(Asked.GAP)
        return [*effects, self._ask(peer)]

    def _take_part(self, peer: Peer, kind: Kind, fits: bytes, had: dict[int, int] | None) -> list[Effect] | None:
        """None when somebody else has to say first that he wrote it."""
        verdict = self.document.judge(fits)
        verdict.had = had
        if self.document.adds_nothing(verdict):
            return []
        if verdict.missing or self._foreign(peer, fits, verdict) is not None:
            return None
        self._check_size(fits, verdict)
        return self._apply(peer, kind, fits, verdict, 0)

    def _acknowledge_part(self, peer: Peer, left: updates.Update) -> list[Effect]:
        """A peer that has said three times what it has, has said all that is its own, unless what is left may be its own. What others wrote waits in
        its copy, too, and nobody sees it there.
        """
        if any(self._may_be_own(peer, structs[0]) for structs in left.structs.values()):
            return []
        waiting, peer.waiting = peer.waiting, 0
        return [Store(b"", peer, waiting)] if waiting else []

    def _may_be_own(self, peer: Peer, first: updates.Struct) -> bool:
        """Whether a peer may have written what cannot be taken from this struct of a client id on: nobody lacks what stands before one's own."""
        client = first.client
        whose = self.owners.get(client) or self._claims.get(client)
        if client in peer.shown or (whose is not None and same(whose, peer.person.id)):
            return True
        return first.kind != updates.SKIP and first.clock <= self.document.state.get(client, 0)

    def _ask_again(self, peer: Peer) -> list[Effect]:
        """Somebody has brought something: those who have what builds on what nobody had are asked once more."""
        effects: list[Effect] = []
        for other in self.peers.values():
            if other.stuck and other is not peer:
                other.stuck = False
                other.asked.append(Asked.GAP)
                effects.append(self._ask(other))
        return effects

    def _read_only(self, peer: Peer, kind: Kind, verdict: Verdict) -> list[Effect]:
        if kind is Kind.STEP2 and self.document.adds_nothing(verdict):
            return [Store(b"", peer, 1)]
        peer.unheard = True
        if peer.dialect.statuses:
            return [Answer(peer)]
        if peer.told:
            return []
        peer.told = True
        return [Send(peer, protocol.denied("readonly: you may read this document, not change it", peer.dialect))]

    @staticmethod
    def _answers(peer: Peer) -> list[Effect]:
        return [Answer(peer)] if peer.dialect.statuses else []

    def _equivocation(self, peer: Peer, payload: bytes, verdict: Verdict) -> list[Effect]:
        """Other content under clocks that we know: the text is kept under a client id of its own, the connection ends."""
        refused = Refuse(peer, Equivocation("Another text is known under this client id. Your text was kept; reload the document."))
        answers = self._answers(peer)
        try:
            kept = self.document.salvage(verdict, str(self.document.lineage).encode() + payload)
            again = self.document.judge(kept)
        except CollabError:
            return [*answers, refused]
        if again.missing or again.conflict is not None or not again.new or self._foreign(peer, kept, again) is not None:
            return [*answers, refused]
        return [*self._apply(peer, Kind.STEP2, kept, again, 0), *answers, refused]
