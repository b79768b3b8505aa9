"""One socket: what waits for the sign-in, several documents, tokens that end, and peers that do not read (WIRE-5, WIRE-13)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from runtime.stage import HOCUSPOCUS, KEEP_ALIVE, PATH, TOKEN_REQUEST, YWEBSOCKET, Role, Stage, passing, person, soon
from test_document import Replica

from collab import protocol
from collab.access import Grant
from collab.codec import var_string
from collab.errors import CollabError, Malformed, Unauthorized
from collab.runtime.meter import TURN_BYTES, TURN_MESSAGES
from collab.session import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collab.dialects import Dialect

BOTH = pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda dialect: dialect.name)
START = "one\n"


def small(stage: Stage, **limits: int) -> None:
    """Other limits for the sockets that come."""
    stage.rooms.limits = Limits(**limits)


# Before signing in


async def test_what_is_said_before_the_sign_in_is_answered_after_it(stage: Stage) -> None:
    ann = stage.on(stage.socket())
    ann.step1()
    ann.show()
    await soon()
    assert ann.said == []
    ann.sign_in(stage.token("Ann"))
    await soon()
    assert ann.scope == "read-write"
    assert ann.said[0] == protocol.authenticated("read-write")
    assert ann.text == START


async def test_a_y_websocket_client_is_sent_nothing_before_it_asks(stage: Stage) -> None:
    ann = stage.on(stage.socket(YWEBSOCKET, grant=Grant(person("Ann"), Role.EDITOR)), YWEBSOCKET)
    await passing(1)
    assert ann.said == []
    ann.step1()
    await soon()
    assert ann.text == START


@BOTH
async def test_an_edit_that_came_before_the_document_was_open_is_taken(stage: Stage, dialect: Dialect) -> None:
    """WIRE-8."""
    ann = stage.on(stage.socket(dialect, grant=Grant(person("Ann"), Role.EDITOR)), dialect)
    ann.step1()
    ann.type("early ")
    await soon()
    bob = await stage.guest("Bob")
    assert ann.text == bob.text
    assert sorted(bob.text.split()) == ["early", "one"]


async def test_the_bytes_that_wait_for_the_sign_in_are_bounded(stage: Stage) -> None:
    """WIRE-8."""
    small(stage, queue=1000)
    ann = stage.on(stage.socket())
    ann.send(protocol.step2(b"x" * 600))
    assert ann.socket.open()
    ann.send(protocol.step2(b"x" * 600))
    assert ann.socket.code() == 4413


async def test_the_messages_that_wait_for_the_sign_in_are_bounded(stage: Stage) -> None:
    """WIRE-8."""
    small(stage, queue_messages=3)
    ann = stage.on(stage.socket())
    for _ in range(3):
        ann.step1()
    assert ann.socket.open()
    ann.step1()
    assert ann.socket.code() == 1013


@pytest.mark.parametrize("messages", [1, 4])
async def test_the_bytes_that_wait_are_bounded_for_the_socket_however_many_documents_it_names(stage: Stage, messages: int) -> None:
    """WIRE-8."""
    small(stage, queue=1000)
    socket = stage.socket()
    sent = 0
    for number in range(20):
        waiting = stage.on(socket, path=f"{number}.md")
        for _ in range(messages):
            if socket.open():
                waiting.send(protocol.step2(b"x" * 90))
                sent += 90
    assert socket.code() == 4413
    assert sent <= 1100


async def test_the_messages_that_wait_are_bounded_for_the_socket_however_many_documents_it_names(stage: Stage) -> None:
    """WIRE-8."""
    small(stage, queue_messages=5)
    socket = stage.socket()
    waiting = [stage.on(socket, path=f"{number}.md") for number in range(3)]
    for number in range(5):
        waiting[number % 3].step1()
    assert socket.open()
    waiting[2].step1()
    assert socket.code() == 1013


async def test_the_documents_of_a_socket_are_bounded(stage: Stage) -> None:
    """WIRE-8."""
    small(stage, documents=3)
    socket = stage.socket()
    for number in range(3):
        stage.on(socket, path=f"{number}.md").step1()
    assert socket.open()
    stage.on(socket, path="last.md").step1()
    assert socket.code() == 1013


async def test_a_document_that_nobody_signs_in_for_is_refused_after_a_minute_and_the_socket_closed(stage: Stage) -> None:
    """WIRE-8, LIMIT-5."""
    ann = stage.on(stage.socket())
    ann.step1()
    await passing(59)
    assert ann.socket.open()
    await passing(2)
    assert ann.denied == ["timeout"]
    assert ann.socket.code() == 4408


async def test_a_document_that_nobody_signs_in_for_does_not_end_the_others_of_its_socket(stage: Stage) -> None:
    """WIRE-8, WIRE-9."""
    ann = await stage.guest("Ann")
    forgotten = stage.on(ann.socket, path="other.md")
    forgotten.step1()
    await passing(61)
    assert forgotten.denied == ["timeout"]
    assert ann.socket.open()
    ann.type("still here ")
    await soon()
    assert ann.statuses[-1:] == [1]


async def test_a_socket_on_which_no_document_is_named_is_closed_after_a_minute(stage: Stage) -> None:
    """LIMIT-5: pings do not name any."""
    socket = stage.socket()
    await passing(50)
    socket.send(b"\x09")
    assert socket.take() == [protocol.PONG]
    await passing(11)
    assert socket.code() == 4408


async def test_a_socket_on_which_every_document_was_refused_is_closed_after_a_minute(stage: Stage) -> None:
    """LIMIT-5, WIRE-12."""
    ann = stage.on(stage.socket())
    ann.sign_in("wrong")
    await passing(59)
    assert ann.denied == ["unauthorized"]
    assert ann.socket.open()
    await passing(2)
    assert ann.socket.code() == 4408


@pytest.mark.parametrize("stalls", [False, True])
async def test_a_socket_on_which_a_refused_document_is_opened_by_a_better_token_stays(stage: Stage, *, stalls: bool) -> None:
    """WIRE-12."""
    ann = stage.on(stage.socket())
    ann.sign_in("wrong")
    await soon()
    if stalls:
        ann.socket.stall()
        await soon()
        ann.socket.drain()
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await passing(200)
    assert ann.synced
    assert ann.socket.open()


async def test_a_socket_that_takes_back_the_only_document_it_named_is_closed_after_a_minute(stage: Stage) -> None:
    """LIMIT-5."""
    ann = stage.on(stage.socket())
    ann.step1()
    ann.send(b"\x07")
    await passing(59)
    assert ann.socket.open()
    await passing(2)
    assert ann.socket.code() == 4408


async def test_a_message_may_be_larger_once_somebody_is_signed_in(stage: Stage) -> None:
    """LIMIT-2."""
    ann = stage.on(stage.socket())
    assert ann.socket.limit == stage.limits.frame_before
    ann.sign_in("wrong")
    assert ann.socket.limit == stage.limits.frame_before
    ann.sign_in(stage.token("Ann"))
    assert ann.socket.limit == stage.limits.frame


# Refused


async def test_a_refused_document_is_denied_with_its_reason_and_the_socket_stays(stage: Stage) -> None:
    """WIRE-9, WIRE-12."""
    ann = await stage.guest("Ann")
    stage.files.poke("picture.md", b"\x89PNG\0")
    for path, token, reason in (
        ("other.md", "wrong", "unauthorized"),
        ("nowhere.md", stage.token("Ann"), "not-found"),
        ("picture.md", stage.token("Ann"), "not-text"),
        ("../etc/passwd", stage.token("Ann"), "malformed"),
        ("other.md", stage.token("Ann", document=PATH), "forbidden"),
    ):
        refused = stage.on(ann.socket, path=path)
        refused.sign_in(token)
        refused.step1()
        await soon()
        assert refused.denied[-1:] == [reason]
        assert not refused.synced
    assert ann.socket.open()
    ann.type("x")
    await soon()
    assert ann.statuses[-1:] == [1]
    assert stage.metrics.refusals == {"unauthorized": 1, "not-found": 1, "not-text": 1, "malformed": 1, "forbidden": 1}


async def test_what_still_comes_for_a_refused_document_is_passed_over_and_a_better_token_opens_it(stage: Stage) -> None:
    """WIRE-12."""
    ann = stage.on(stage.socket())
    ann.sign_in("wrong")
    ann.step1()
    await soon()
    assert not ann.synced
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await soon()
    assert ann.synced


async def test_a_document_is_closed_and_opened_again_while_the_others_of_its_socket_go_on(stage: Stage) -> None:
    """WIRE-9."""
    ann = await stage.guest("Ann")
    also = stage.on(ann.socket, path="other.md")
    also.sign_in(stage.token("Ann"))
    also.step1()
    await soon()
    assert also.text == START
    ann.send(b"\x07")
    await soon()
    assert stage.host().members == {}
    also.type("x")
    await soon()
    assert also.statuses == [1, 1]
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await soon()
    assert len(stage.host().members) == 1


async def test_a_document_that_is_closed_while_it_opens_and_opened_again_at_once_syncs(stage: Stage) -> None:
    """WIRE-9: pages detach and attach in one turn."""
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    ann.send(b"\x07")
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await soon()
    assert ann.synced
    assert len(stage.host().members) == 1
    ann.append("x")
    await soon()
    assert ann.statuses == [1, 1]


async def test_answers_carry_the_address_of_the_question_with_its_session(stage: Stage) -> None:
    """WIRE-9: the same document twice on one socket."""
    socket = stage.socket()
    twice = [stage.on(socket, path=f"{PATH}\0{session}") for session in "ab"]
    for guest in twice:
        guest.sign_in(stage.token("Ann"))
        guest.step1()
    await soon()
    assert all(guest.text == START for guest in twice)
    twice[0].type("x")
    await soon()
    assert [guest.statuses for guest in twice] == [[1, 1], [1]]
    assert twice[1].text == "x" + START


@BOTH
async def test_a_malformed_message_ends_its_socket_and_nobody_elses(stage: Stage, dialect: Dialect) -> None:
    """WIRE-1."""
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory", dialect)
    mallory.send(protocol.update(b"\x01\x01\x01"))
    assert mallory.socket.code() == 4400
    ann.type("x")
    await soon()
    assert ann.statuses[-1:] == [1]
    assert stage.file() == START


async def test_an_edit_that_is_refused_for_good_gets_status_0_and_ends_its_document_only(stage: Stage) -> None:
    """WIRE-6, WIRE-9, LIMIT-1."""
    small(stage, text=100)
    ann = await stage.guest("Ann")
    also = stage.on(ann.socket, path="other.md")
    also.sign_in(stage.token("Ann"))
    also.step1()
    await soon()
    ann.type("x" * 200)
    await soon()
    assert ann.statuses == [1, 0]
    assert ann.denied == ["too-large"]
    also.type("x")
    await soon()
    assert also.statuses == [1, 1]


@BOTH
@pytest.mark.parametrize("writable", [True, False])
async def test_who_may_only_read_reads_and_changes_nothing(stage: Stage, dialect: Dialect, *, writable: bool) -> None:
    """WIRE-10, AUTH-2, FILE-10: a viewer, and anybody at a file that may not be written."""
    stage.files.poke(PATH, START.encode(), writable=writable)
    vera = await stage.guest("Vera", dialect, role=Role.VIEWER if writable else Role.EDITOR)
    assert vera.text == START
    vera.type("x")
    vera.erase(0, 2)
    await soon()
    if dialect.addressed:
        assert vera.scope == "readonly"
        assert vera.statuses == [1, 0, 0]
    else:
        assert len(vera.denied) == 1
    assert (await stage.guest("Ann")).text == START
    await passing(20)
    assert stage.file() == START
    assert "exchanged" not in stage.steps


# y-websocket, which comes back at once


async def test_a_refused_y_websocket_client_is_told_held_5_s_and_closed_and_longer_each_time(stage: Stage) -> None:
    """WIRE-11."""
    for held in (5, 10, 20, 40, 60, 60):
        socket = stage.socket(YWEBSOCKET, refused=Unauthorized("No."), key="here")
        ann = stage.on(socket, YWEBSOCKET)
        ann.step1()
        await passing(held - 0.5)
        ann.hear()
        assert ann.denied == ["unauthorized: No."]
        assert socket.open()
        await passing(1)
        assert socket.closed == (4401, "unauthorized")
        await soon()
    other = stage.socket(YWEBSOCKET, refused=Unauthorized("No."), key="there")
    await passing(5.5)
    assert not other.open()


async def test_a_client_that_is_held_hears_something_so_that_it_does_not_give_up_and_come_again(stage: Stage) -> None:
    """WIRE-5, WIRE-11: y-websocket drops a socket that was silent for 30 s."""
    for _ in range(5):
        stage.rooms.refusals.delay("here")
    socket = stage.socket(YWEBSOCKET, refused=Unauthorized("No."), key="here")
    socket.take()
    for _ in range(2):
        await passing(20)
        assert KEEP_ALIVE in socket.take()
    assert socket.open()


async def test_no_more_than_200_refused_clients_are_held(stage: Stage) -> None:
    """WIRE-11."""
    sockets = [stage.socket(YWEBSOCKET, refused=Unauthorized("No."), key=str(number)) for number in range(200)]
    assert stage.rooms.refusals.full
    assert not any(socket.closed for socket in sockets)
    assert stage.socket(YWEBSOCKET, refused=Unauthorized("No."), key="last").closed == (4401, "unauthorized")
    for socket in sockets[:50]:
        socket.vanish()
    assert stage.rooms.refusals.held == 150
    await passing(6)
    assert stage.rooms.refusals.held == 0


async def test_a_document_that_is_not_there_is_refused_with_the_same_patience(stage: Stage) -> None:
    """FILE-4, WIRE-11."""
    socket = stage.socket(YWEBSOCKET, "nowhere.md", Grant(person("Ann"), Role.EDITOR), key="here")
    await passing(4.5)
    assert socket.open()
    await passing(1)
    assert socket.closed == (4404, "not-found")


PASSING = {"Changed", "Conflict", "Draining", "Exists", "Fenced", "Full", "Locked", "TooMany", "TooSlow", "Unavailable", "Unreachable"}


def kinds(kind: type[CollabError] = CollabError) -> Iterator[type[CollabError]]:
    for each in kind.__subclasses__():
        if each.__module__ == "collab.errors":
            yield each
            yield from kinds(each)


@pytest.mark.parametrize("kind", sorted(kinds(), key=str), ids=lambda kind: kind.__name__)
def test_a_close_code_tells_whether_to_come_back(kind: type[CollabError]) -> None:
    """WIRE-13."""
    final = kind("").final
    assert final == (kind.__name__ not in PASSING)
    assert 4400 <= kind.close_code < 4500 if final else kind.close_code in {1011, 1013, *range(4500, 4600)}


# The keep-alive


@BOTH
async def test_somebody_to_whom_nothing_else_is_said_hears_something_every_20_seconds(stage: Stage, dialect: Dialect) -> None:
    """WIRE-5."""
    quiet = await stage.guest("Vera", dialect, role=Role.VIEWER)
    for _ in range(5):
        quiet.said.clear()
        await passing(20)
        assert quiet.said
        assert set(quiet.said) == {KEEP_ALIVE}


async def test_who_hears_others_is_not_sent_a_keep_alive(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    bob.said.clear()
    for _ in range(20):
        ann.type("x")
        await passing(3)
    assert KEEP_ALIVE not in bob.said


# Tokens end


async def test_a_token_that_ends_is_asked_for_again_and_renewed_in_band(stage: Stage) -> None:
    """AUTH-1."""
    ann = await stage.guest("Ann", expires=stage.rooms.now() + 100)
    await passing(101)
    assert ann.said[-1] == TOKEN_REQUEST
    ann.sign_in(stage.token("Ann", expires=stage.rooms.now() + 100))
    await passing(60)
    assert ann.denied == []
    ann.type("x")
    await soon()
    assert ann.statuses[-1] == 1


async def test_a_token_that_ends_and_is_not_renewed_ends_its_document(stage: Stage) -> None:
    """AUTH-1."""
    ann = await stage.guest("Ann", expires=stage.rooms.now() + 100)
    await passing(111)
    assert ann.denied == ["unauthorized"]
    assert ann.socket.open()
    assert stage.host().members == {}


async def test_on_y_websocket_a_token_that_ends_ends_the_connection(stage: Stage) -> None:
    """AUTH-1."""
    ann = await stage.guest("Ann", YWEBSOCKET, expires=stage.rooms.now() + 100)
    await passing(100.5)
    assert len(ann.denied) == 1
    assert stage.host().members == {}
    await passing(6)
    assert ann.socket.code() == 4401


@pytest.mark.parametrize(
    ("name", "document", "reason"), [("Bob", None, "forbidden"), ("Ann", "other.md", "forbidden"), ("", None, "unauthorized")]
)
async def test_a_token_of_somebody_else_or_for_something_else_renews_nothing(
    stage: Stage, name: str, document: str | None, reason: str
) -> None:
    """AUTH-1, AUTH-2."""
    ann = await stage.guest("Ann")
    ann.sign_in(stage.token(name, document=document) if name else "wrong")
    await soon()
    assert ann.denied == [reason]


@pytest.mark.parametrize(("whose", "denied"), [("Ann", []), ("Bob", ["forbidden"])])
async def test_a_page_with_words_of_somebody_else_than_the_cookie_is_refused_before_it_hears_anything(
    stage: Stage, whose: str, denied: list[str]
) -> None:
    """ID-10."""
    grant = Grant(person("Ann"), Role.EDITOR, expires=stage.rooms.now() + 1000)
    page = stage.on(stage.socket(grant=grant))
    page.sign_in(f"cookie:{person(whose).id}")
    page.step1()
    page.type("unsent ")
    await soon()
    reader = await stage.guest("Eve")
    assert page.denied == denied
    assert (START in page.text) == (not denied)
    assert reader.text == (START if denied else "unsent " + START)


async def test_a_page_is_told_who_it_is(stage: Stage) -> None:
    """ID-10."""
    page = await stage.page("Ann")
    assert page.states[-1]["person"] == person("Ann").id


async def test_a_new_token_changes_what_may_be_done_from_the_next_frame_on(stage: Stage) -> None:
    """AUTH-2."""
    ann = await stage.guest("Ann", role=Role.VIEWER)
    ann.sign_in(stage.token("Ann"))
    ann.type("x")
    await soon()
    assert ann.scope == "read-write"
    assert ann.statuses[-1] == 1
    ann.sign_in(stage.token("Ann", Role.VIEWER))
    ann.type("y")
    await soon()
    assert ann.scope == "readonly"
    assert ann.statuses[-1] == 0


async def test_who_opens_a_document_is_written_down(stage: Stage) -> None:
    """PROC-8."""
    await stage.guest("Vera", role=Role.VIEWER)
    assert stage.audited == [("open", "Vera", PATH, "192.0.2.1", "viewer")]


async def test_a_socket_that_is_lost_while_its_document_opens_leaves_nothing_behind(stage: Stage) -> None:
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    ann.leave()
    await soon()
    assert stage.host().members == {}
    assert stage.rooms.connections == {}


# Peers that do not read


@BOTH
async def test_a_peer_that_does_not_read_leaves_the_set_and_gets_one_difference_when_it_reads_again(stage: Stage, dialect: Dialect) -> None:
    """SYNC-6, SYNC-7."""
    slow, ann = await stage.guest("Slow", dialect), await stage.guest("Ann")
    slow.socket.stall()
    assert not slow.socket.reads()
    await soon()
    written = len(slow.socket.writes)
    for _ in range(50):
        ann.append("word ")
        await soon()
    assert ann.statuses == [1] * 51
    assert len(slow.socket.writes) == written
    slow.updates.clear()
    slow.socket.drain()
    assert slow.socket.reads()
    await soon()
    assert len(slow.updates) == 1
    assert slow.text == ann.text
    ann.append("more ")
    await soon()
    assert slow.text == ann.text


async def test_statuses_that_a_peer_does_not_read_are_counted_and_paid_when_it_reads(stage: Stage) -> None:
    """SYNC-7."""
    slow = await stage.guest("Slow")
    stage.journal.refuse("full")
    for _ in range(5):
        slow.append("x")
    await soon()
    slow.socket.stall()
    await soon()
    stage.journal.refuse(None)
    await soon()
    assert slow.statuses == [1]
    slow.socket.drain()
    await soon()
    assert slow.statuses == [1] * 6


async def test_refusals_that_a_peer_does_not_read_are_counted_and_sent_when_it_reads(stage: Stage) -> None:
    """SYNC-7, WIRE-6."""
    vera = await stage.guest("Vera", role=Role.VIEWER)
    edits = [protocol.update(vera.replica.insert(0, "x")) for _ in range(3)]
    vera.socket.stall()
    await soon()
    host = stage.host()
    (peer,) = host.members
    for edit in edits:
        host.receive(peer, protocol.Kind.UPDATE, edit[3:])
    await soon()
    assert vera.statuses == [1]
    vera.socket.drain()
    await soon()
    assert vera.statuses == [1, 0, 0, 0]
    assert stage.metrics.refusals == {"readonly": 3}


async def test_an_edit_under_clocks_that_hold_another_text_gets_status_0_and_ends_its_document(stage: Stage) -> None:
    """ID-1, WIRE-6."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    ann.append("honest ")
    await soon()
    ann.leave()
    forged = Replica(client=ann.replica.doc.client_id).insert(0, "forged ")
    bob.send(protocol.update(forged))
    await soon()
    assert bob.statuses == [1, 0]
    assert bob.denied == ["equivocation"]
    assert stage.metrics.refusals == {"equivocation": 1}
    assert sorted(stage.host().room.document.text().split()) == ["forged", "honest", "one"]


async def test_an_edit_whose_client_ids_owner_does_not_answer_is_taken_after_a_while(stage: Stage) -> None:
    """ID-2: nobody's words wait for ever."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    ann.append("one ")
    await soon()
    ann.socket.heard = None
    words = ann.replica.insert(0, "two ")
    bob.replica.doc.apply_update(words)
    bob.send(protocol.update(words))
    await passing(9)
    assert bob.statuses == [1]
    await passing(12)
    assert bob.statuses == [1, 1]
    assert stage.host().room.document.text() == bob.text


async def test_echoes_that_a_peer_does_not_read_come_when_it_reads(stage: Stage) -> None:
    """SYNC-7, WIRE-7."""
    slow = await stage.guest("Slow", YWEBSOCKET)
    stage.journal.refuse("full")
    update = slow.append("x")
    await soon()
    slow.socket.stall()
    await soon()
    stage.journal.refuse(None)
    await soon()
    slow.socket.drain()
    await soon()
    assert update in slow.updates


async def test_a_page_that_reads_again_is_told_how_things_are_now(stage: Stage) -> None:
    """SYNC-7."""
    slow = await stage.page("Slow")
    stage.journal.refuse("full")
    slow.append("x")
    await passing(0.5)
    assert slow.states[-1]["owed"] == 1
    slow.socket.stall()
    await soon()
    stage.journal.refuse(None)
    await passing(5)
    slow.socket.drain()
    await soon()
    assert (slow.states[-1]["owed"], slow.states[-1]["file"]) == (0, "saved")


async def test_an_edit_between_two_stalls_of_one_tick_is_not_forgotten(stage: Stage) -> None:
    """SYNC-6."""
    slow, ann = await stage.guest("Slow"), await stage.guest("Ann")
    slow.socket.stall()
    await soon()
    ann.append("word ")
    await soon()
    host = stage.host()
    host.stall(next(peer for peer in host.members if peer.person.name == "Slow"))
    slow.socket.drain()
    await soon()
    assert slow.text == ann.text


async def test_a_question_for_the_owner_of_a_client_id_waits_until_the_owner_reads(stage: Stage) -> None:
    """ID-2, SYNC-7: what an honest peer relays is not held for ever."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    ann.append("one ")
    await soon()
    ann.socket.stall()
    await soon()
    # Ann's next words reach Bob by another way.
    words = ann.replica.insert(0, "two ")
    bob.replica.doc.apply_update(words)
    bob.send(protocol.update(words))
    await soon()
    assert bob.statuses == [1]
    ann.socket.drain()
    await soon()
    assert bob.statuses == [1, 1]
    assert stage.host().room.document.text() == ann.text == bob.text


async def test_a_peer_that_does_not_read_for_a_minute_is_closed_and_may_come_back(stage: Stage) -> None:
    """SYNC-7."""
    slow, ann = await stage.guest("Slow"), await stage.guest("Ann")
    slow.socket.stall()
    await passing(59)
    assert slow.socket.open()
    await passing(2)
    assert slow.socket.code() == 1013
    assert len(stage.host().members) == 1
    ann.append("x")
    await soon()
    assert ann.statuses[-1] == 1


async def test_who_joins_while_its_socket_is_not_read_is_brought_up_to_date_when_it_is(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    late = stage.on(ann.socket, path="other.md")
    bob = await stage.guest("Bob", path="other.md")
    late.sign_in(stage.token("Ann"))
    late.step1()
    ann.socket.stall()
    await soon()
    bob.append("x")
    await soon()
    ann.socket.drain()
    await soon()
    assert late.text == bob.text


async def test_what_comes_when_the_socket_is_over_is_passed_over(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    ann.leave()
    ann.socket.connection.receive(b"what ever")
    ann.socket.connection.stalled()
    ann.socket.connection.drained()
    assert stage.rooms.connections == {}


def test_a_message_of_the_servers_own_kind_is_malformed_from_a_client() -> None:
    """WIRE-14."""
    with pytest.raises(Malformed):
        protocol.read(protocol.address("a") + b"\x06" + var_string("x"), HOCUSPOCUS)


async def test_one_that_asks_without_end_and_reads_nothing_fills_no_memory(stage: Stage) -> None:
    """SYNC-6: what it asks for is made when it has read what came before."""
    stage.files.poke(PATH, b"0123456789abcdef" * 20_000)
    ann = await stage.guest("Ann", role=Role.VIEWER)
    socket = ann.socket
    socket.room = 300_000
    before = len(socket.writes)
    for _ in range(1000):
        ann.send(protocol.step1(b"\0"))
    await soon()
    assert sum(map(len, socket.writes[before:])) < 1_000_000
    assert not socket.reads()
    for asked in range(1, 5):
        socket.drain()
        await soon()
        assert len(socket.writes) <= before + 2 * (asked + 1)
    assert ann.text == "0123456789abcdef" * 20_000


async def test_what_waits_behind_an_output_that_waits_is_taken_in_order(stage: Stage) -> None:
    """SYNC-7."""
    ann = await stage.guest("Ann")
    ann.socket.stall()
    for word in ("one ", "two ", "three "):
        ann.append(word)
    await soon()
    assert stage.host().room.document.text() == START
    ann.socket.drain()
    await soon()
    assert stage.host().room.document.text() == START + "one two three "
    assert ann.statuses == [1] * 4


# Floods


async def test_who_floods_is_read_more_slowly_and_not_closed_and_nobody_else_is(stage: Stage) -> None:
    """LOAD-4."""
    await stage.end()
    stage.limits = Limits(rate_messages=TURN_MESSAGES // 10, rate_bytes=10_000, frame=50_000)
    await stage.start()
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    for _ in range(TURN_MESSAGES):
        ann.send(b"\x03")
    assert not ann.socket.reads()
    assert bob.socket.reads()
    await soon()
    # What may come at once came: she only waited for the others.
    assert ann.socket.reads()
    assert stage.metrics.slowed == 0
    for _ in range(2 * TURN_MESSAGES):
        ann.send(b"\x03")
    await soon()
    assert not ann.socket.reads()
    assert stage.metrics.slowed == 1
    await passing(25)
    assert ann.socket.reads()
    assert bob.socket.reads()
    assert ann.socket.closed is None
    bob.append("word")
    await soon()
    assert ann.text.endswith("word")


async def test_the_more_flood_at_once_the_less_of_each_is_read_in_a_turn(stage: Stage) -> None:
    """LOAD-6."""
    many = [await stage.guest(f"Guest {number}") for number in range(20)]
    calm = await stage.guest("Calm")

    def flood() -> list[int]:
        """How many messages are read of each in one turn."""
        read = [0] * len(many)
        for place, guest in enumerate(many):
            while guest.socket.reads():
                guest.send(b"\x03")
                read[place] += 1
        return read

    first = flood()
    assert TURN_MESSAGES // 2 < first[0] <= TURN_MESSAGES
    assert sum(first) < 5 * TURN_MESSAGES
    await soon()
    assert flood() == [TURN_MESSAGES // 20] * 20
    # A little later, who floods alone has all of it again.
    alone = []
    for _ in range(3):
        await passing(2)
        alone.append(0)
        while calm.socket.reads():
            calm.send(b"\x03")
            alone[-1] += 1
    assert alone[0] <= TURN_MESSAGES // 20
    assert alone[1:] == [TURN_MESSAGES // 20, TURN_MESSAGES]


async def test_beside_a_busy_room_each_calm_one_has_its_share_in_every_turn(stage: Stage) -> None:
    """LOAD-6: by what is taken and heard, in turns of the loop."""
    busy = [await stage.guest(f"Busy {number}") for number in range(2)]
    for room in range(5):
        stage.files.poke(f"calm-{room}.md", b"")
    pairs = [[await stage.guest(f"{name} {room}", path=f"calm-{room}.md") for name in ("Ann", "Bob")] for room in range(5)]
    words = ""
    for turn in range(3):
        before, taken = stage.metrics.edits, [0] * len(busy)
        for place, guest in enumerate(busy):
            while guest.socket.reads():
                guest.type("x")
                taken[place] += 1
        for ann, _ in pairs:
            ann.append(f"{turn}\n")
        words += f"{turn}\n"
        # All of it goes out in the next turn, and is heard in the one after it: no word of a calm room waits for more of the busy one.
        for _ in range(2):
            await asyncio.sleep(0)
        assert [bob.text for _, bob in pairs] == [words] * len(pairs)
        flood = stage.metrics.edits - before - len(pairs)
        assert flood <= sum(taken)
        if turn:
            assert taken == [TURN_MESSAGES // len(busy)] * len(busy)
            assert flood <= TURN_MESSAGES
        await soon()
    assert all(ann.socket.open() for ann, _ in pairs)


async def test_what_came_before_the_document_was_open_is_no_more_at_once(stage: Stage) -> None:
    """LOAD-6."""
    ann = stage.on(stage.socket(YWEBSOCKET, grant=Grant(person("Ann"), Role.EDITOR)), YWEBSOCKET)
    many = 2 * TURN_MESSAGES - 100
    ann.send(b"".join(protocol.update(ann.replica.insert(0, "x")) for _ in range(many)))
    edits = [0]
    while edits[-1] < many:
        await asyncio.sleep(0)
        edits.append(stage.metrics.edits)
    assert max(new - old for old, new in pairwise(edits)) <= TURN_MESSAGES
    assert ann.socket.open()


async def test_long_messages_count_by_their_bytes_and_the_longest_may_come_at_once(stage: Stage) -> None:
    """LOAD-4."""
    await stage.end()
    stage.limits = Limits(rate_messages=100, rate_bytes=10_000, frame=TURN_BYTES + 100)
    await stage.start()
    ann = await stage.guest("Ann")
    ann.append("x" * TURN_BYTES)
    await soon()
    assert stage.metrics.slowed == 0
    assert ann.socket.reads()
    ann.append("y" * TURN_BYTES)
    await soon()
    assert stage.metrics.slowed == 1
    assert not ann.socket.reads()
    ann.leave()
    await passing(61)
    assert stage.rooms.hosts == []


async def test_who_types_for_hours_is_never_slowed(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    for _ in range(5):
        for _ in range(TURN_MESSAGES):
            ann.send(b"\x03")
        await passing(600)
    assert stage.metrics.slowed == 0
    assert ann.socket.reads()
