"""An open room: what one tick brings is gathered, and nobody is told "stored" before it is (JOURNAL-1, JOURNAL-3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import HOCUSPOCUS, PATH, YWEBSOCKET, Role, Stage, passing, soon

from collab import protocol
from collab.document import Document
from collab.errors import Poisoned, Unavailable
from collab.ports import Kind
from collab.runtime import host as module

if TYPE_CHECKING:
    from collab.dialects import Dialect
    from collab.document import Verdict

BOTH = pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda dialect: dialect.name)


# One tick


@BOTH
async def test_edits_of_one_tick_are_sent_together_in_one_write_to_each_peer(stage: Stage, dialect: Dialect) -> None:
    """SYNC-5."""
    ann, bob, reader = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET), await stage.guest("Vera", dialect, role=Role.VIEWER)
    before = len(reader.socket.writes)
    for _ in range(10):
        ann.append("a")
        bob.append("b")
    await soon()
    assert len(reader.socket.writes) == before + 1
    assert len(reader.updates) == 20
    assert sorted(reader.text) == sorted("one\n" + "a" * 10 + "b" * 10)
    assert reader.text == ann.text == bob.text


async def test_nobody_gets_its_own_edit_as_somebody_elses(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    mine, theirs = ann.append("a"), bob.append("b")
    await soon()
    assert ann.updates == [theirs]
    assert bob.updates == [mine]


async def test_a_tick_costs_the_journal_one_record(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    before = len((await stage.journal.load(stage.host().id)).records)
    for _ in range(10):
        ann.append("a")
        bob.append("b")
    await soon()
    assert len((await stage.journal.load(stage.host().id)).records) == before + 1


async def test_others_see_an_edit_before_it_is_stored(stage: Stage) -> None:
    """SYNC-3."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    stage.journal.refuse("the disk is full")
    ann.append("seen")
    await soon()
    assert bob.text == "one\nseen"
    assert ann.statuses == [1]


# Stored


async def test_each_step_2_and_each_update_gets_one_status_when_it_is_durable(stage: Stage) -> None:
    """WIRE-6, JOURNAL-1."""
    ann = await stage.guest("Ann")
    assert ann.statuses == [1]
    stage.journal.refuse("the disk is full")
    for number in range(5):
        ann.append("x")
        if number % 2:
            await soon()
    ann.send(protocol.update(b"\0\0"))
    await passing(60)
    assert ann.statuses == [1]
    stage.journal.refuse(None)
    await soon()
    assert ann.statuses == [1] * 7


async def test_an_edit_that_is_known_and_not_yet_durable_is_not_acknowledged_when_it_comes_again(stage: Stage) -> None:
    """JOURNAL-1, ID-1."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    stage.journal.refuse("the disk is full")
    update = ann.append("x")
    await soon()
    bob.send(protocol.update(update))
    await passing(1)
    assert bob.statuses == [1]
    stage.journal.refuse(None)
    await soon()
    assert bob.statuses == [1, 1]


@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
async def test_words_that_are_stored_already_are_acknowledged_although_a_save_that_was_announced_behind_them_came_to_nothing(
    stage: Stage, *, before: bool
) -> None:
    """WIRE-6: when Redis loses its memory, what was to name a place in the log fails, and the words do not."""
    ann, append = await stage.guest("Ann"), stage.journal.append
    ann.append("two\n")
    await soon()
    lost = asyncio.get_running_loop().create_future()
    stage.journal.append = lambda document, record: lost if record.kind is Kind.ANNOUNCE else append(document, record)  # type: ignore[method-assign]
    await passing(2.5)
    again = protocol.update(ann.replica.doc.get_update())
    for word in ("again", "lost") if before else ("lost", "again"):
        if word == "again":
            ann.send(again)
        else:
            lost.set_exception(Unavailable("Redis had lost its memory; try again"))
        await soon()
    stage.journal.append = append  # type: ignore[method-assign]
    await passing(30)
    assert ann.statuses == [1, 1, 1]
    assert stage.file() == "one\ntwo\n"


async def test_what_a_closed_journal_did_not_take_is_never_acknowledged(stage: Stage) -> None:
    """JOURNAL-1."""
    ann = await stage.guest("Ann")
    stage.journal.refuse("the disk is full")
    update = ann.append("x")
    await soon()
    await stage.journal.close()
    ann.send(protocol.update(update))
    await soon()
    assert ann.statuses == [1]


async def test_a_y_websocket_client_gets_its_own_update_back_when_it_is_durable_and_not_before(stage: Stage) -> None:
    """WIRE-7, JOURNAL-1."""
    ann = await stage.guest("Ann", YWEBSOCKET)
    stage.journal.refuse("the disk is full")
    updates = [ann.append("x"), ann.append("y")]
    await passing(30)
    assert updates[0] not in ann.updates
    stage.journal.refuse(None)
    await soon()
    assert [update for update in ann.updates if update in updates] == updates


async def test_a_page_is_told_when_the_server_has_an_edit_that_is_not_stored_yet_and_why(stage: Stage) -> None:
    """JOURNAL-5."""
    ann = await stage.page("Ann")
    assert (ann.states[-1]["owed"], ann.states[-1]["file"], ann.states[-1]["path"], ann.states[-1]["journal"]) == (0, "saved", PATH, "")
    stage.journal.refuse("the disk is full")
    ann.append("x")
    ann.append("y")
    await passing(0.3)
    assert (ann.states[-1]["owed"], ann.states[-1]["journal"]) == (2, "the disk is full")
    stage.journal.refuse(None)
    await soon()
    assert (ann.states[-1]["owed"], ann.states[-1]["journal"]) == (0, "")


async def test_only_pages_of_ours_are_told_states(stage: Stage) -> None:
    ann, page = await stage.guest("Ann"), await stage.page("Bob")
    ann.append("x")
    await passing(10)
    assert ann.states == []
    assert [state["file"] for state in page.states] == ["saved", "pending", "saved"]


async def test_a_page_is_told_whether_it_may_write_and_when_the_file_was_saved(stage: Stage) -> None:
    page, vera = await stage.page("Ann"), await stage.page("Vera", role=Role.VIEWER)
    assert (page.states[0]["writable"], vera.states[0]["writable"]) == (True, False)
    page.append("x")
    await passing(10)
    assert page.states[-1]["saved_at"] == "1970-01-01T00:00:02Z"


async def test_while_the_journal_does_not_answer_a_room_takes_only_so_much(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOURNAL-5: nobody is read above a bound, and nothing that waits is dropped."""
    monkeypatch.setattr(module, "UNSTORED", 1000)
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET)
    stage.journal.refuse("the disk is full")
    while ann.socket.reads():
        ann.append("some words ")
        await soon()
    assert not bob.socket.reads()
    late = await stage.guest("Carla")
    assert not late.socket.reads()
    bob.leave()
    text = ann.text
    stage.journal.refuse(None)
    await soon()
    assert ann.socket.reads()
    assert late.socket.reads()
    assert late.text == text
    assert set(ann.statuses) == {1}
    ann.append("more")
    await soon()
    assert late.text == text + "more"


# A document that its library left half changed


class Trap:
    """The CRDT library fails half-way at one update."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
        honest = Document.apply

        def apply(document: Document, data: bytes, verdict: Verdict) -> bytes:
            if word in data:
                honest(document, data, verdict)
                raise Poisoned("half changed")
            return honest(document, data, verdict)

        monkeypatch.setattr(Document, "apply", apply)


async def test_a_half_changed_document_is_made_anew_and_only_its_sender_notices(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNC-2."""
    Trap(monkeypatch, b"trap")
    ann, bob, mallory = await stage.guest("Ann"), await stage.guest("Bob"), await stage.guest("Mallory")
    ann.append("before ")
    await soon()
    mallory.append("trap")
    ann.append("during ")
    bob.show()
    await soon()
    bob.append("after ")
    await soon()
    assert mallory.denied == ["poisoned"]
    assert ann.text == bob.text == "one\nbefore during after "
    assert ann.statuses == [1, 1, 1]
    assert bob.statuses == [1, 1]
    assert stage.metrics.failures == {"rebuild": 1}
    await passing(12)
    assert stage.file() == ann.text


async def test_while_a_document_is_made_anew_it_is_neither_saved_nor_given_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNC-2: nothing of what its library left half changed reaches the file, a download or a merge."""
    Trap(monkeypatch, b"trap")
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory")
    ann.append("before ")
    await passing(1)
    stage.journal.refuse("slow")
    ann.append("during ")
    await soon()
    mallory.append("trap")
    await soon()
    asked = asyncio.ensure_future(stage.documents.content(PATH))
    await passing(5)
    stage.journal.refuse(None)
    await soon()
    _, body = await asked
    assert b"trap" not in body
    await passing(20)
    assert stage.file() == ann.text == "one\nbefore during "
    assert "trap" not in stage.host().room.document.text()


async def test_an_outside_body_that_is_merged_while_a_document_is_made_anew_stays(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNC-2, SAVE-5."""
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory")
    Trap(monkeypatch, b"trap")
    ann.append("before ")
    await passing(1.9)
    stage.files.poke(PATH, b"outside one\n")

    async def slowly(word: str) -> None:
        if word == "append":
            await asyncio.sleep(0.05)

    stage.before = slowly
    for number in range(20):
        await passing(0.02)
        if number == 4:
            mallory.append("trap")
        else:
            ann.append(".")
    await passing(30)
    assert stage.host().room.document.text() == ann.text == stage.file()
    assert "outside" in ann.text
    assert "trap" not in ann.text


async def test_what_waits_for_a_document_that_is_made_anew_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNC-2."""
    Trap(monkeypatch, b"trap")
    monkeypatch.setattr(module, "INBOX", 20)
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory")
    stage.journal.refuse("slow")
    ann.append("x")
    mallory.append("trap")
    for _ in range(21):
        ann.append("y")
    await soon()
    assert ann.socket.closed == (1013, "too-many")
    stage.journal.refuse(None)
    await soon()
    assert stage.host().members == {}


async def test_a_document_that_cannot_be_made_anew_is_closed_and_loaded_when_somebody_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SYNC-2, SYNC-10: nobody waits for ever."""
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory")
    ann.append("kept ")
    await soon()
    with monkeypatch.context() as patch:
        Trap(patch, b"trap")
        honest = stage.journal.load

        async def load(document: str) -> None:
            raise Poisoned(f"{document} cannot be read")

        patch.setattr(stage.journal, "load", load)
        mallory.append("trap")
        await soon()
        patch.setattr(stage.journal, "load", honest)
    assert ann.socket.closed == (1013, "unavailable")
    again = await stage.guest("Ann")
    assert again.text == "one\nkept "
    again.append("more")
    await passing(12)
    assert stage.file() == "one\nkept more"


async def test_who_left_while_a_document_was_made_anew_is_not_answered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    Trap(monkeypatch, b"trap")
    ann, mallory = await stage.guest("Ann"), await stage.guest("Mallory", YWEBSOCKET)
    stage.journal.refuse("slow")
    ann.append("x")
    mallory.append("trap")
    ann.append("y")
    ann.leave()
    stage.journal.refuse(None)
    await soon()
    assert len(stage.rooms.connections) == 1
    assert stage.host().members == {}
    await passing(6)
    assert mallory.socket.closed == (4400, "poisoned")


# Presence


async def test_presence_is_sent_on_stamped_and_goes_with_its_connection(stage: Stage) -> None:
    """ID-8."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    ann.show('{"user":{"name":"The Dean"}}')
    await soon()
    assert any(b'"name":"Ann"' in message for message in bob.said)
    assert not any(b"Dean" in message for message in bob.said)
    bob.said.clear()
    ann.leave()
    await soon()
    (gone,) = bob.said
    assert gone.endswith(b"null")


async def test_presence_that_nobody_renews_goes(stage: Stage) -> None:
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    ann.show()
    await passing(50)
    bob.said.clear()
    await passing(30)
    assert any(message.endswith(b"null") for message in bob.said)


async def test_a_viewers_edit_does_not_reach_anybody(stage: Stage) -> None:
    """WIRE-10."""
    ann, vera = await stage.guest("Ann"), await stage.guest("Vera", role=Role.VIEWER)
    ann.said.clear()
    vera.append("x")
    await passing(5)
    assert ann.said == []
    assert stage.metrics.refusals == {"readonly": 1}


async def test_a_client_with_a_copy_of_another_history_is_refused_and_the_others_go_on(stage: Stage) -> None:
    """ID-5."""
    ann = await stage.guest("Ann")
    other = await stage.guest("Bob", path="other.md")
    stranger = stage.on(stage.socket())
    stranger.replica.doc.apply_update(stage.host("other.md").room.document.encode())
    stranger.sign_in(stage.token("Bob"))
    stranger.step1()
    await soon()
    assert stranger.denied == ["lineage"]
    assert not stranger.synced
    ann.append("x")
    await soon()
    assert ann.statuses == [1, 1]
    assert other.text == "one\n"
