"""SYNC-2, SYNC-3, SYNC-4, WIRE-4, WIRE-6, WIRE-10, ID-1, ID-2, ID-7, ID-8, TEXT-3, LIMIT-1: messages in, effects out."""

from __future__ import annotations

import random

import pytest
from pycrdt import merge_updates
from test_document import Replica, lineage, seeded

from collab import protocol
from collab.access import Person, Role
from collab.awareness import REMEMBERED, read
from collab.codec import Reader, var_string, var_uint
from collab.dialects import HOCUSPOCUS, YWEBSOCKET, Dialect
from collab.document import Document
from collab.errors import Equivocation, OtherLineage, Poisoned, TooLarge
from collab.protocol import Kind
from collab.room import ANSWER, READERS, SHOWN, STRIKES, Answer, Rebuild, Refuse, Room, Send, Spread, Store
from collab.session import Limits, Peer


def person(name: str) -> Person:
    return Person(name.lower(), name)


class Visit:
    """A room and the peers in it."""

    def __init__(self, text: str = "one two three\n", limits: Limits | None = None) -> None:
        self.room = Room(seeded(text), limits=limits or Limits())
        self._ids = 0

    def enter(self, name: str = "Alice", role: Role = Role.EDITOR, dialect: Dialect = HOCUSPOCUS) -> Peer:
        self._ids += 1
        peer = Peer(self._ids, person(name), role, dialect, b"")
        self.room.join(peer)
        return peer

    def say(self, peer: Peer, kind: Kind, payload: bytes) -> list[object]:
        return list(self.room.receive(peer, kind, payload, 0.0))

    def replica(self, client: int = 7) -> Replica:
        return Replica(self.room.document, client)


def awareness(client: int, clock: int = 1, state: str = "{}") -> bytes:
    return var_uint(1) + var_uint(client) + var_uint(clock) + var_string(state)


def test_nothing_is_sent_before_the_peer_asks_and_then_step_2_comes_before_step_1() -> None:
    visit = Visit()
    peer = visit.enter()
    first, second = visit.say(peer, Kind.STEP1, b"\0")
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert first.message[:2] == b"\x00\x01"
    assert second.message == protocol.step1(visit.room.document.state_vector())


def test_a_newcomer_hears_once_who_is_here() -> None:
    visit = Visit()
    visit.say(visit.enter(), Kind.AWARENESS, awareness(7))
    peer = visit.enter("Bob")
    assert len(visit.say(peer, Kind.STEP1, b"\0")) == 3
    assert len(visit.say(peer, Kind.STEP1, b"\0")) == 2
    (answer,) = visit.say(peer, Kind.QUERY_AWARENESS, b"")
    assert isinstance(answer, Send)
    assert read(Reader(answer.message, 1).var_bytes())[0][0] == 7


def test_an_edit_is_in_the_document_stored_and_sent_on_as_it_came() -> None:
    visit = Visit()
    peer = visit.enter()
    update = visit.replica().insert(0, "new ")
    assert visit.say(peer, Kind.UPDATE, update) == [Store(update, peer, 1, ((7, "alice"),)), Spread(protocol.update(update), peer)]
    assert visit.room.document.text() == "new one two three\n"


def test_each_update_and_each_step_2_gets_one_status() -> None:
    visit = Visit()
    peer, replica = visit.enter(), visit.replica()
    visit.say(peer, Kind.STEP1, b"\0")
    statuses = []
    for kind, update in (
        (Kind.STEP2, b"\0\0"),
        (Kind.UPDATE, replica.insert(0, "a")),
        (Kind.UPDATE, b"\0\0"),
        (Kind.STEP2, replica.insert(0, "b")),
    ):
        statuses += [effect.statuses for effect in visit.say(peer, kind, update) if isinstance(effect, Store)]
    assert statuses == [1, 1, 1, 1]


def test_what_is_known_is_compared_and_acknowledged_without_being_sent_on() -> None:
    visit = Visit()
    peer = visit.enter()
    update = visit.replica().insert(0, "new ")
    visit.say(peer, Kind.UPDATE, update)
    assert visit.say(peer, Kind.UPDATE, update) == [Store(b"", peer, 1)]


def test_a_gap_is_asked_for_and_its_status_waits_until_the_part_has_come() -> None:
    visit = Visit()
    peer, replica = visit.enter(), visit.replica()
    replica.insert(0, "a")
    later, latest = replica.insert(1, "b"), replica.insert(2, "c")
    (asked,) = visit.say(peer, Kind.UPDATE, later)
    assert isinstance(asked, Send)
    assert asked.message[:2] == b"\x00\x00"
    assert visit.say(peer, Kind.UPDATE, latest) == []
    whole = replica.doc.get_update(visit.room.document.state_vector())
    store, _ = visit.say(peer, Kind.STEP2, whole)
    assert isinstance(store, Store)
    assert store.statuses == 2
    assert visit.room.document.text() == "abcone two three\n"


@pytest.mark.parametrize("before", ["Z", ""], ids=["a known page", "a new page"])
def test_of_an_update_with_a_gap_what_needs_nothing_is_taken_and_the_rest_when_its_writer_comes_back(before: str) -> None:
    """After a crash a page has heard of words of somebody else that only his page still has, and goes on writing."""
    visit = Visit()
    alice, bob, replica, lost = visit.enter("Alice"), visit.enter("Bob"), visit.replica(7), visit.replica(8)
    if before:
        visit.say(alice, Kind.UPDATE, lost.insert(0, before))
    visit.room.leave(alice)
    first, second = lost.insert(len(before), "a"), lost.insert(len(before) + 1, "b")
    own = replica.insert(3, " own")
    held = merge_updates(own, second)

    store, spread, asked = visit.say(bob, Kind.STEP2, held)
    assert isinstance(store, Store)
    assert isinstance(spread, Spread)
    assert isinstance(asked, Send)
    assert (store.peer, store.statuses) == (bob, 0)
    assert visit.room.document.text() == before + "one own two three\n"

    for _ in range(STRIKES - 1):
        (asked,) = visit.say(bob, Kind.STEP2, held)
        assert asked == Send(bob, protocol.step1(visit.room.document.state_vector()))
    assert visit.say(bob, Kind.STEP2, held) == [Store(b"", bob, 1)]

    alice = visit.enter("Alice")
    visit.say(alice, Kind.STEP1, b"\0")
    effects = visit.say(alice, Kind.STEP2, merge_updates(first, second))
    assert visit.room.document.text() == before + "abone own two three\n"
    assert effects[-1] == Send(bob, protocol.step1(visit.room.document.state_vector()))
    assert visit.say(bob, Kind.STEP2, held) == [Store(b"", bob, 0)]


def test_what_may_be_somebodys_own_is_not_said_to_be_stored_while_it_builds_on_what_nobody_has() -> None:
    visit = Visit()
    peer, replica = visit.enter(), visit.replica()
    visit.say(peer, Kind.AWARENESS, awareness(7))
    replica.insert(0, "a")
    gap = replica.insert(1, "b")
    visit.say(peer, Kind.UPDATE, gap)
    for _ in range(STRIKES - 1):
        (asked,) = visit.say(peer, Kind.STEP2, gap)
        assert asked == Send(peer, protocol.step1(visit.room.document.state_vector()))
    assert visit.say(peer, Kind.STEP2, gap) == []
    assert peer.waiting == 1

    (asked,) = visit.say(peer, Kind.UPDATE, replica.insert(2, "c"))
    assert isinstance(asked, Send)
    store, _ = visit.say(peer, Kind.STEP2, replica.doc.get_update())
    assert isinstance(store, Store)
    assert store.statuses == 2
    assert visit.room.document.text() == "abcone two three\n"


def test_what_its_writer_has_to_confirm_is_not_said_to_be_stored_because_others_words_are_missing() -> None:
    """ID-7: Alice is here, and has not said yet what Bob brings of her; Carol's first word is lost."""
    visit = Visit()
    alice, bob, hers, lost = visit.enter("Alice"), visit.enter("Bob"), visit.replica(8), visit.replica(9)
    visit.say(alice, Kind.AWARENESS, awareness(8))
    lost.insert(0, "c")
    brought = merge_updates(hers.insert(0, "a"), lost.insert(1, "d"))
    bob.waiting = 1
    for _ in range(STRIKES + 1):
        effects = visit.say(bob, Kind.STEP2, brought)
    assert not [effect for effect in effects if isinstance(effect, Store)]
    assert visit.room.document.text() == "one two three\n"


def test_words_behind_words_that_nobody_has_are_not_said_to_be_stored() -> None:
    """Some clients show, and build on, what they cannot have whole."""
    visit = Visit()
    bob, lost, replica = visit.enter("Bob"), visit.replica(8), visit.replica(7)
    replica.doc.apply_update(lost.insert(0, "a"))
    behind = replica.insert(1, "b")
    visit.say(bob, Kind.UPDATE, behind)
    for _ in range(STRIKES):
        effects = visit.say(bob, Kind.STEP2, behind)
    assert effects == []
    assert bob.waiting == 1


def test_another_lineage_is_told_before_it_is_sent_anything() -> None:
    visit = Visit()
    with pytest.raises(OtherLineage):
        visit.say(visit.enter(), Kind.STEP1, seeded("x", 9).state_vector())


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.STEP2])
def test_a_viewer_changes_nothing_and_is_told(kind: Kind) -> None:
    visit = Visit()
    viewer = visit.enter("Vera", Role.VIEWER)
    replica = visit.replica()
    before = visit.room.document.encode()
    assert visit.say(viewer, kind, replica.insert(0, "x")) == [Answer(viewer)]
    assert visit.say(viewer, kind, visit.replica(8).erase(0, 3)) == [Answer(viewer)]
    assert visit.room.document.encode() == before


def test_a_viewer_with_nothing_new_is_acknowledged() -> None:
    visit = Visit()
    viewer = visit.enter("Vera", Role.VIEWER)
    replica = visit.replica()
    deletion = replica.erase(0, 3)
    visit.say(visit.enter(), Kind.UPDATE, deletion)
    assert visit.say(viewer, Kind.STEP2, b"\0\0") == [Store(b"", viewer, 1)]
    assert visit.say(viewer, Kind.STEP2, replica.doc.get_update()) == [Store(b"", viewer, 1)]
    assert visit.say(viewer, Kind.UPDATE, b"\0\0") == [Answer(viewer)]


def test_a_viewer_on_y_websocket_is_told_once() -> None:
    visit = Visit()
    viewer = visit.enter("Vera", Role.VIEWER, YWEBSOCKET)
    replica = visit.replica()
    (told,) = visit.say(viewer, Kind.UPDATE, replica.insert(0, "x"))
    assert isinstance(told, Send)
    assert told.message[:2] == b"\x02\x00"
    assert visit.say(viewer, Kind.UPDATE, replica.insert(0, "y")) == []


def test_words_under_the_client_id_of_somebody_who_is_here_wait_for_that_persons_word() -> None:
    visit = Visit()
    alice, mallory = visit.enter("Alice"), visit.enter("Mallory")
    honest, forger = visit.replica(7), visit.replica(7)
    visit.say(alice, Kind.UPDATE, honest.insert(0, "honest "))
    forger.doc.apply_update(visit.room.document.encode())
    forged = forger.insert(0, "forged ")
    (asked,) = visit.say(mallory, Kind.UPDATE, forged)
    assert isinstance(asked, Send)
    assert asked.peer is alice
    mine = honest.insert(0, "mine ")
    effects = visit.say(alice, Kind.STEP2, mine)
    assert Spread(protocol.update(mine), alice) in effects
    (refused,) = [effect for effect in effects if isinstance(effect, Refuse)]
    assert refused.peer is mallory
    assert isinstance(refused.error, Equivocation)
    text = visit.room.document.text()
    assert text.count("mine ") == text.count("honest ") == 1
    assert text.count("forged ") == 1


def test_words_that_the_owner_does_not_have_are_not_taken_as_the_owners() -> None:
    visit = Visit()
    alice, mallory = visit.enter("Alice"), visit.enter("Mallory")
    visit.say(alice, Kind.AWARENESS, awareness(7))
    visit.say(mallory, Kind.UPDATE, visit.replica(7).insert(0, "forged "))
    effects = visit.say(alice, Kind.STEP2, b"\0\0")
    (refused,) = [effect for effect in effects if isinstance(effect, Refuse)]
    assert refused.peer is mallory
    # Her text is kept, but under a client id that is nobody's.
    assert 7 not in visit.room.document.state
    assert visit.room.document.text() == "forged one two three\n"


def test_relayed_words_of_somebody_who_is_away_are_taken_and_stay_that_persons() -> None:
    visit = Visit()
    alice, bob = visit.enter("Alice"), visit.enter("Bob")
    replica = visit.replica(7)
    visit.say(alice, Kind.UPDATE, replica.insert(0, "a"))
    visit.room.leave(alice)
    store, _ = visit.say(bob, Kind.UPDATE, replica.insert(1, "b"))
    assert isinstance(store, Store)
    assert visit.room.owners == {7: "alice"}
    again = visit.enter("Alice")
    assert visit.say(again, Kind.UPDATE, replica.insert(2, "c"))[1] == Spread(protocol.update(replica.made[-1]), again)


def test_when_the_owner_leaves_what_waited_is_taken() -> None:
    visit = Visit()
    alice, bob = visit.enter("Alice"), visit.enter("Bob")
    replica = visit.replica(7)
    visit.say(alice, Kind.UPDATE, replica.insert(0, "a"))
    update = replica.insert(1, "b")
    visit.say(bob, Kind.UPDATE, update)
    assert Spread(protocol.update(update), bob) in visit.room.leave(alice)
    assert visit.room.document.text().startswith("abone")


def test_other_content_under_a_known_clock_keeps_the_text_and_ends_the_connection() -> None:
    visit = Visit()
    replica = Replica(visit.room.document, 7)
    visit.say(visit.enter("Mallory"), Kind.UPDATE, visit.replica(7).insert(0, "forged "))
    alice = visit.enter("Alice")
    replica.insert(4, "honest ")
    effects = visit.say(alice, Kind.STEP2, replica.doc.get_update())
    assert isinstance(effects[-1], Refuse)
    assert isinstance(effects[-1].error, Equivocation)
    stored = [effect for effect in effects if isinstance(effect, Store)]
    assert stored[0].statuses == 0
    text = visit.room.document.text()
    assert text.count("honest ") == text.count("forged ") == 1
    assert Document.replay([visit.room.document.encode()]).text() == text


def test_presence_is_stamped_spread_and_gone_with_its_connection() -> None:
    visit = Visit()
    alice = visit.enter("Alice")
    (spread,) = visit.say(alice, Kind.AWARENESS, awareness(7, state='{"user":{"name":"The Dean"}}'))
    assert isinstance(spread, Spread)
    assert b'"name":"Alice"' in spread.message
    mallory = visit.enter("Mallory")
    assert visit.say(mallory, Kind.AWARENESS, awareness(7, 9)) == []
    (gone,) = visit.room.leave(alice)
    assert isinstance(gone, Spread)
    assert read(Reader(gone.message, 1).var_bytes()) == [(7, 2, "null")]


def test_presence_under_a_client_id_that_another_person_wrote_under_is_passed_over() -> None:
    visit = Visit()
    alice = visit.enter("Alice")
    visit.say(alice, Kind.UPDATE, visit.replica(7).insert(0, "x"))
    visit.room.leave(alice)
    assert visit.say(visit.enter("Mallory"), Kind.AWARENESS, awareness(7)) == []
    assert visit.say(visit.enter("Mallory"), Kind.AWARENESS, awareness(lineage())) == []


@pytest.mark.parametrize(("typed", "left"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("\r", "\n"), ("\r\r\n", "\n\n"), ("é😀\r\n", "é😀\n")])
def test_a_carriage_return_is_taken_out_at_once(typed: str, left: str) -> None:
    visit = Visit("")
    peer, replica = visit.enter(), visit.replica()
    effects = visit.say(peer, Kind.UPDATE, replica.insert(0, typed))
    assert visit.room.document.text() == left
    for effect in effects:
        if isinstance(effect, Spread) and effect.but is not peer:
            replica.doc.apply_update(Reader(effect.message, 2).var_bytes())
    assert str(replica.text) == left


def test_nul_is_taken_out_before_the_text_leaves_as_a_file() -> None:
    visit = Visit("")
    peer, replica = visit.enter(), visit.replica()
    visit.say(peer, Kind.UPDATE, replica.insert(0, "é\0\0😀\0"))
    assert len(visit.room.tidy()) == 2
    assert visit.room.document.text() == "é😀"
    assert visit.room.tidy() == []


def test_a_common_edit_is_taken_the_short_way_as_it_is_the_long_way() -> None:
    """SYNC-2: the same document, the same size, and what is told about it are what effects would have said."""
    rng = random.Random(5)
    long, short = Visit(), Visit()
    replicas = [long.replica(client) for client in (7, 8)]
    writers = [(long.enter(name), short.enter(name)) for name in ("Alice", "Bob")]
    taken = 0
    for number in range(400):
        replica, (peer, same_peer) = rng.choice(list(zip(replicas, writers, strict=True)))
        end = len(replica.text)
        if rng.random() < 0.3 and end > 20:
            start = rng.randrange(end - 3)
            update = replica.erase(start, start + rng.randrange(1, 3))
        else:
            update = replica.insert(rng.randrange(end + 1), rng.choice(["a", "word ", "\r\n", "x" * 200]))
        for other in replicas:
            if other is not replica:
                other.doc.apply_update(update)
        effects = long.say(peer, Kind.UPDATE, update)
        if short.room.typed(same_peer, update):
            taken += 1
            assert effects == [Store(update, peer, 1), Spread(protocol.update(update), peer)], number
        else:
            short.say(same_peer, Kind.UPDATE, update)
        for effect in effects[2:]:
            if isinstance(effect, Store):
                for other in replicas:
                    other.doc.apply_update(effect.update)
        assert (short.room.size, short.room.deletions, short.room.owners) == (long.room.size, long.room.deletions, long.room.owners)
    assert taken > 200
    assert short.room.document.text() == long.room.document.text() == str(replicas[0].text)
    assert short.room.document.state == long.room.document.state


def test_what_has_to_be_looked_at_closely_is_not_taken_the_short_way() -> None:
    """SYNC-3, ID-1, ID-2, TEXT-3, LIMIT-1: and nothing happens then."""
    visit = Visit("", Limits(text=1_000))
    alice, bob, vera = visit.enter(), visit.enter("Bob"), visit.enter("Vera", Role.VIEWER)
    replica = visit.replica()
    first = replica.insert(0, "first ")
    assert not visit.room.typed(alice, first), "nobody wrote under this client id before"
    visit.say(alice, Kind.UPDATE, first)
    next_one = replica.insert(0, "next ")
    gap = replica.insert(0, "behind ")
    before = visit.room.document.encode(), visit.room.size
    for peer, update in (
        (vera, next_one),
        (bob, next_one),
        (alice, gap),
        (alice, first),
        (alice, visit.replica(9).insert(0, "new")),
        (alice, visit.replica(7).insert(0, "carriage\r\n")),
        (alice, visit.replica(7).insert(0, "\U0001f600")),
        (alice, visit.replica(7).insert(0, "x" * 1_001)),
        (alice, b"\1\1\7\6\4\1\4root\1x\0"),
        (alice, next_one[:-1]),
    ):
        assert not visit.room.typed(peer, update)
        assert (visit.room.document.encode(), visit.room.size) == before
    visit.room.barred = True
    assert not visit.room.typed(alice, next_one)
    visit.room.barred = False
    assert visit.room.typed(alice, next_one)
    assert visit.room.document.text() == "next first "


def test_a_document_does_not_grow_over_its_limit() -> None:
    visit = Visit("", Limits(text=100))
    peer, replica = visit.enter(), visit.replica()
    for _ in range(8):
        visit.say(peer, Kind.UPDATE, replica.insert(0, "x" * 20))
        visit.say(peer, Kind.UPDATE, replica.erase(0, 20))
    with pytest.raises(TooLarge):
        visit.say(peer, Kind.UPDATE, replica.insert(0, "y" * 101))
    assert visit.room.document.text() == ""


def test_a_document_that_the_library_left_half_changed_is_rebuilt_and_the_sender_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    visit = Visit()
    peer = visit.enter()

    def fail(_self: Document, _data: bytes, _verdict: object) -> None:
        raise Poisoned("half")

    monkeypatch.setattr(Document, "apply", fail)
    rebuild, refuse = visit.say(peer, Kind.UPDATE, visit.replica().insert(0, "x"))
    assert isinstance(rebuild, Rebuild)
    assert isinstance(refuse, Refuse)
    assert refuse.peer is peer


def shown(clients: range) -> bytes:
    """All of them come and go."""
    entries = b"".join(
        var_uint(client) + var_uint(1) + var_string("{}") + var_uint(client) + var_uint(2) + var_string("null") for client in clients
    )
    return var_uint(2 * len(clients)) + entries


def many(visit: Visit, peer: Peer, clients: range) -> None:
    for start in clients[::400]:
        visit.say(peer, Kind.AWARENESS, shown(range(start, min(start + 400, clients.stop))))


@pytest.mark.parametrize(("viewers", "ids"), [(1, REMEMBERED + 400), (REMEMBERED // SHOWN + 1, SHOWN)])
def test_whoever_shows_thousands_of_client_ids_does_not_take_over_that_of_somebody_who_is_here(viewers: int, ids: int) -> None:
    """ID-8, ID-2."""
    visit = Visit()
    alice, mallory = visit.enter("Alice"), visit.enter("Mallory", Role.VIEWER)
    visit.say(alice, Kind.AWARENESS, awareness(7))
    for number in range(viewers):
        many(visit, visit.enter("Mallory", Role.VIEWER), range(10_000 + number * ids, 10_000 + (number + 1) * ids))
    assert visit.say(mallory, Kind.AWARENESS, awareness(7, 2)) == []
    update = visit.replica(7).insert(0, "a")
    store, _ = visit.say(alice, Kind.UPDATE, update)
    assert store == Store(update, alice, 1, ((7, "alice"),))


def test_the_client_ids_that_one_peer_may_ever_show_are_bounded() -> None:
    """ID-8, LIMIT-3."""
    visit = Visit()
    mallory = visit.enter("Mallory", Role.VIEWER)
    many(visit, mallory, range(10_000, 12_000))
    assert len(mallory.shown) == SHOWN
    assert len(visit.room._live) <= SHOWN


def test_words_that_wait_for_an_owner_who_does_not_answer_are_taken_after_a_while_with_their_status() -> None:
    """ID-2, WIRE-6."""
    visit = Visit()
    alice, bob = visit.enter("Alice"), visit.enter("Bob")
    visit.say(alice, Kind.AWARENESS, awareness(7))
    update = visit.replica(7).insert(0, "a")
    visit.say(bob, Kind.UPDATE, update)
    assert visit.room.expire(ANSWER) == []
    store, _ = visit.room.expire(ANSWER + 1)
    assert isinstance(store, Store)
    assert (store.peer, store.statuses) == (bob, 1)
    assert visit.room.expire(ANSWER + 2) == []


def test_statuses_that_were_owed_survive_a_wait_for_the_owner_of_a_client_id() -> None:
    """WIRE-6, SYNC-4, ID-7: after a crash somebody brings the words of another, and has typed behind them."""
    visit = Visit()
    alice, bob = visit.enter("Alice"), visit.enter("Bob")
    lost, brought = visit.replica(7), visit.replica(8)
    words = lost.insert(0, "a")
    brought.doc.apply_update(words)
    visit.say(alice, Kind.AWARENESS, awareness(7))
    (asked,) = visit.say(bob, Kind.UPDATE, brought.insert(1, "b"))
    assert isinstance(asked, Send)
    (asked,) = visit.say(bob, Kind.STEP2, brought.doc.get_update(visit.room.document.state_vector()))
    assert isinstance(asked, Send)
    assert asked.peer is alice
    effects = visit.say(alice, Kind.STEP2, words)
    assert sum(effect.statuses for effect in effects if isinstance(effect, Store) and effect.peer is bob) == 1
    assert visit.room.document.text().startswith("ab")


def test_who_sent_other_content_under_a_known_clock_is_told_so_before_it_ends() -> None:
    """ID-1, WIRE-6: status 0 on Hocuspocus; y-websocket has none."""
    for dialect in (HOCUSPOCUS, YWEBSOCKET):
        visit = Visit()
        visit.say(visit.enter("Alice"), Kind.UPDATE, visit.replica(7).insert(0, "honest "))
        bob = visit.enter("Bob", dialect=dialect)
        effects = visit.say(bob, Kind.UPDATE, Replica(client=7).insert(0, "forged "))
        assert [effect for effect in effects if isinstance(effect, Answer)] == ([Answer(bob)] if dialect.statuses else [])
        assert isinstance(effects[-1], Refuse)


def test_an_update_of_a_viewer_is_not_compared_with_what_we_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """WIRE-10: it is refused whatever it holds, and does not cost a reading of the document."""
    visit = Visit()
    compared: list[object] = []
    honest = Document._held

    def held(document: Document, known: list[tuple[int, int, int]]) -> object:
        compared.append(known)
        return honest(document, known)

    monkeypatch.setattr(Document, "_held", held)
    update = visit.replica(7).insert(0, "a")
    visit.say(visit.enter("Alice"), Kind.UPDATE, update)
    viewer = visit.enter("Vera", Role.VIEWER)
    forged = Replica(client=7).insert(0, "z")
    for data in (update, forged):
        assert visit.say(viewer, Kind.UPDATE, data) == [Answer(viewer)]
    assert compared == []
    visit.say(visit.enter("Mallory"), Kind.UPDATE, forged)
    assert len(compared) > 0


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.STEP2])
def test_what_a_viewer_says_is_bounded(kind: Kind) -> None:
    """LIMIT-2, WIRE-10."""
    visit = Visit()
    viewer = visit.enter("Vera", Role.VIEWER)
    deletions = b"\0\1" + var_uint(lineage()) + var_uint(READERS // 2) + b"\0\1" * (READERS // 2)
    with pytest.raises(TooLarge):
        visit.say(viewer, kind, deletions)


def test_a_full_document_can_be_made_shorter() -> None:
    """LIMIT-1."""
    visit = Visit("a" * 99, Limits(text=100))
    peer, replica = visit.enter(), visit.replica()
    for _ in range(5):
        store, _ = visit.say(peer, Kind.UPDATE, replica.erase(0, 10))
        assert isinstance(store, Store)
        assert store.statuses == 1
    assert visit.room.document.text() == "a" * 49


def test_a_text_of_more_than_a_third_of_the_limit_is_pasted_at_once() -> None:
    """LIMIT-1: what is refused is over the limit."""
    visit = Visit("", Limits(text=1000))
    peer, replica = visit.enter(), visit.replica()
    visit.say(peer, Kind.UPDATE, replica.insert(0, "x" * 900))
    assert visit.room.document.length() == 900
