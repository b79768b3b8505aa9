"""Rooms are opened once, go when nobody needs them, and come back the same (ID-6, JOURNAL-8)."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from runtime.stage import KEEP_ALIVE, PATH, YWEBSOCKET, Stage, passing, person, soon

from collab.access import Grant, Role
from collab.errors import Denied, Draining, Forbidden, NotFound, NotText, TooLarge, Unavailable
from collab.ports import Kind
from collab.runtime import rooms
from collab.runtime.rooms import LAST_SAVE, PATIENCE, ROOM
from collab.session import Limits

OWNER = Grant(person("Ann"), Role.OWNER)


async def test_a_document_is_loaded_once_however_many_open_it_at_the_same_time(stage: Stage) -> None:
    """SYNC-10."""
    guests = [stage.on(stage.socket()) for _ in range(20)]
    for guest in guests:
        guest.sign_in(stage.token("Ann"))
        guest.step1()
    await soon()
    assert all(guest.text == "one\n" for guest in guests)
    assert len(stage.rooms.hosts) == 1
    assert [record.kind for _, record in (await stage.journal.load(stage.host().id)).records] == [Kind.SEED]


async def test_a_path_and_an_id_open_the_same_room(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    bob = await stage.guest("Bob", path=stage.host().id)
    ann.append("x")
    await soon()
    assert bob.text == ann.text


async def test_a_failed_load_opens_nothing_closes_with_a_passing_code_and_the_next_try_loads(stage: Stage) -> None:
    """SYNC-10, WIRE-12, WIRE-13."""
    stage.files.refusals["read"] = Unavailable("the disk does not answer")
    guests = [stage.on(stage.socket()) for _ in range(3)]
    plain = stage.on(stage.socket(YWEBSOCKET, grant=OWNER), YWEBSOCKET)
    for guest in (*guests, plain):
        if guest.address:
            guest.sign_in(stage.token("Ann"))
        guest.step1()
    await soon()
    assert [(guest.denied, guest.socket.closed) for guest in guests] == [([], (1013, "unavailable"))] * 3
    assert not any(guest.synced for guest in (*guests, plain))
    await passing(6)
    assert plain.socket.code() == 1013
    assert stage.rooms.hosts == []
    del stage.files.refusals["read"]
    assert (await stage.guest("Ann")).text == "one\n"


async def test_a_fault_of_ours_while_loading_is_told_as_a_passing_one_and_counted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNC-10."""

    async def broken(document: str) -> None:
        raise ZeroDivisionError(document)

    monkeypatch.setattr(stage.journal, "load", broken)
    with pytest.raises(Unavailable):
        await stage.rooms.enter(PATH, OWNER)
    assert stage.metrics.failures == {"load": 1}
    assert stage.rooms.hosts == []


async def test_a_document_is_not_seen_before_its_beginning_is_durable(stage: Stage) -> None:
    """ID-6, JOURNAL-1."""
    stage.journal.refuse("the disk is full")
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await passing(5)
    assert not ann.synced
    stage.journal.refuse(None)
    await soon()
    assert ann.synced


@pytest.mark.parametrize(
    ("body", "limit", "error"),
    [
        (b"\xff\xfeU\0T\0F\0", 100, NotText),
        (b"bin\0ary", 100, NotText),
        (b"caf\xe9", 100, NotText),
        (b"x" * 101, 100, TooLarge),
    ],
)
async def test_what_is_no_text_or_too_long_is_refused_in_words_and_not_changed(
    stage: Stage, body: bytes, limit: int, error: type[NotText | TooLarge]
) -> None:
    """TEXT-4, LIMIT-1."""
    stage.rooms.limits = Limits(text=limit)
    stage.files.poke("file.md", body)
    with pytest.raises(error) as told:
        await stage.rooms.enter("file.md", OWNER)
    assert " " in told.value.detail
    assert stage.files.peek("file.md") == body
    assert stage.rooms.hosts == []


async def test_a_name_that_is_too_long_is_refused(stage: Stage) -> None:
    """LIMIT-4."""
    with pytest.raises(TooLarge):
        await stage.rooms.enter("é/" * 341 + "éx", OWNER)
    with pytest.raises(NotFound):
        await stage.rooms.enter("é/" * 340 + "éx", OWNER)


async def test_opening_never_creates(stage: Stage) -> None:
    """FILE-4."""
    with pytest.raises(NotFound):
        await stage.rooms.enter("nowhere.md", OWNER)
    with pytest.raises(KeyError):
        stage.files.peek("nowhere.md")


async def test_a_document_whose_file_is_gone_is_entered_as_long_as_its_room_lives(stage: Stage) -> None:
    """MERGE-9: also by who loads the page again, and was alone."""
    ann = await stage.page("Ann")
    document = stage.host().id
    stage.files.remove(PATH)
    ann.append("word ")
    await passing(5)
    assert ann.file() == "gone"
    ann.leave()
    ann.socket.vanish()
    await passing(5)
    for name in (PATH, document):
        again = await stage.page("Ann", path=name)
        assert (again.text, again.file()) == ("one\nword ", "gone")
        again.socket.vanish()
    with pytest.raises(Forbidden):
        await stage.rooms.enter(PATH, Grant(person("Bob"), Role.OWNER, "other.md"))
    await stage.documents.put_back(document)
    assert stage.file() == "one\nword "
    await passing(60)
    assert stage.rooms.hosts == []


async def test_a_folder_is_not_opened(stage: Stage) -> None:
    stage.files.poke("folder/a.md", b"")
    with pytest.raises(NotFound):
        await stage.rooms.enter("folder", OWNER)


async def test_a_grant_opens_what_it_names_by_path_or_id_and_nothing_else(stage: Stage) -> None:
    """AUTH-1."""
    stat = await stage.files.stat(PATH)
    for named in (PATH, stat.id):
        for asked in (PATH, stat.id):
            host, role = await stage.rooms.enter(asked, Grant(person("Ann"), Role.VIEWER, named))
            assert (host.stat.id, role) == (stat.id, Role.VIEWER)
        with pytest.raises(Forbidden):
            await stage.rooms.enter("other.md", Grant(person("Ann"), Role.OWNER, named))


# Idle


async def test_a_room_that_nobody_uses_goes_and_comes_back_the_same(stage: Stage) -> None:
    """ID-6."""
    ann = await stage.guest("Ann")
    lineage = stage.host().room.document.lineage
    ann.append("word ")
    await soon()
    ann.leave()
    await passing(29)
    assert len(stage.rooms.hosts) == 1
    await passing(5 + 30)
    assert stage.rooms.hosts == []
    assert stage.metrics.rooms == 0
    # Ann's own copy, with words that she typed meanwhile.
    offline = ann.replica.insert(0, "offline ")
    again = stage.on(stage.socket())
    again.replica = ann.replica
    again.sign_in(stage.token("Ann"))
    again.step1()
    await soon()
    assert stage.host().room.document.lineage == lineage
    assert stage.host().room.document.text() == again.text == "offline one\nword "
    assert offline


async def test_rooms_that_nobody_uses_leave_before_their_time_when_memory_is_short_the_longest_unused_first(stage: Stage) -> None:
    """LOAD-3."""
    await stage.end()
    stage.memory = 10 * ROOM
    await stage.start()
    names = [f"{number}.md" for number in range(30)]
    for name in names:
        stage.files.poke(name, b"text\n")
    stays = await stage.guest("Ann", path=names[0])
    for name in names[1:]:
        (await stage.guest("Bob", path=name)).leave()
        await soon()
        assert stage.metrics.memory == sum(entry.size for entry in stage.rooms._open.values()) <= 10 * ROOM + 2 * (ROOM + 2**10)
    assert [host.stat.path for host in stage.rooms.hosts] == [names[0], *names[-len(stage.rooms.hosts) + 1 :]]
    # Who comes again is not the longest unused any more.
    second = stage.rooms.hosts[1].stat.path
    (await stage.guest("Bob", path=second)).leave()
    (await stage.guest("Bob", path=names[1])).leave()
    await soon()
    assert second in {host.stat.path for host in stage.rooms.hosts}
    assert stays.text == "text\n"
    stays.append("more\n")
    await passing(60)
    assert stage.file(names[0]) == "text\nmore\n"


async def test_what_the_file_does_not_hold_stays_however_short_memory_is(stage: Stage) -> None:
    """LOAD-3."""
    await stage.end()
    stage.memory = 0
    await stage.start()
    stage.files.refusals["write"] = Denied("read-only")
    ann = await stage.guest("Ann")
    ann.append("x")
    await soon()
    ann.leave()
    stage.files.poke("other.md", b"")
    (await stage.guest("Bob", path="other.md")).leave()
    await passing(5)
    assert [host.stat.path for host in stage.rooms.hosts] == [PATH, "other.md"]
    stage.files.refusals.clear()
    await passing(120)
    assert stage.file().endswith("x")
    assert stage.rooms.hosts == []
    assert stage.metrics.memory == 0


async def test_very_many_connections_are_kept_alive_a_few_in_each_turn_of_the_loop(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """WIRE-5."""
    monkeypatch.setattr(rooms, "SLICE", 3)
    guests = [await stage.guest(f"Ann{number}") for number in range(10)]
    await passing(30)
    for guest in guests:
        guest.socket.take()
    for guest in guests:
        guest.socket.heard = None
    await passing(19)
    assert all(any(KEEP_ALIVE in frame for frame in guest.socket.take()) for guest in guests)


async def test_a_room_stays_while_somebody_is_there_or_something_is_not_in_the_file(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    await passing(200)
    assert len(stage.rooms.hosts) == 1
    stage.files.refusals["write"] = Denied("read-only")
    ann.append("x")
    await soon()
    ann.leave()
    await passing(300)
    assert len(stage.rooms.hosts) == 1
    del stage.files.refusals["write"]
    await passing(200)
    assert stage.rooms.hosts == []
    assert stage.file() == "one\nx"


@pytest.mark.parametrize("body", [b"one\n", b"one\r\ntwo\nthree\r\n"], ids=["plain", "mixed line ends"])
async def test_a_room_that_goes_takes_its_document_with_it_at_once(stage: Stage, body: bytes) -> None:
    """Documents of megabytes do not wait for Python's search for cycles, nor stay for good where that sees nothing."""
    stage.files.poke(PATH, body)
    ann = await stage.page("Ann")
    ann.append("word ")
    document = stage.host().room.document
    held = [weakref.ref(each) for each in (document, document._doc)]
    del document
    ann.leave()
    gc.collect()
    gc.disable()
    try:
        await passing(120)
        assert stage.rooms.hosts == []
        assert [each() for each in held] == [None, None]
    finally:
        gc.enable()


async def test_who_comes_in_the_moment_in_which_a_room_goes_is_in_a_room_that_lives(stage: Stage) -> None:
    host = await stage.rooms.open((await stage.files.stat(PATH)).id)
    entry = stage.rooms._open[host.id]
    guest = stage.on(stage.socket(YWEBSOCKET, grant=OWNER), YWEBSOCKET)
    stage.rooms._idle(entry)
    guest.step1()
    await soon()
    assert guest.synced
    assert len(host.members) == 1
    assert not host.closed
    assert stage.rooms.live(host.id) is host


async def test_what_a_script_puts_in_the_moment_in_which_a_room_goes_is_in_a_room_that_lives_and_in_the_file(stage: Stage) -> None:
    """SAVE-1."""
    host = await stage.rooms.open((await stage.files.stat(PATH)).id)
    entry = stage.rooms._open[host.id]
    putting = asyncio.ensure_future(stage.rooms.put(host.id, b"one\nput\n", None, person("Ann")))
    stage.rooms._idle(entry)
    await putting
    assert stage.rooms.live(host.id) is host
    assert (await stage.guest("Bob")).text == "one\nput\n"
    await passing(120)
    assert stage.file() == "one\nput\n"


async def test_the_lineage_survives_a_restart_and_a_crash(stage: Stage) -> None:
    """ID-6."""
    ann = await stage.guest("Ann")
    lineage = stage.host().room.document.lineage
    ann.append("x")
    await passing(10)
    await stage.restart()
    assert (await stage.guest("Ann")).text == "one\nx"
    assert stage.host().room.document.lineage == lineage
    await stage.crash()
    assert (await stage.guest("Ann")).text == "one\nx"
    assert stage.host().room.document.lineage == lineage


# The end, and the start after it


async def test_at_the_end_everything_is_saved(stage: Stage) -> None:
    """SAVE-1, PROC-5."""
    guests = [await stage.guest("Ann", path=path) for path in (PATH, "other.md")]
    for guest in guests:
        guest.append("word ")
    await soon()
    await stage.stop()
    assert stage.file() == stage.file("other.md") == "one\nword "
    assert stage.rooms.hosts == []
    with pytest.raises(Draining):
        await stage.rooms.open("id:" + "a" * 26)


async def test_a_save_for_which_nobody_waits_any_more_comes_to_its_end(stage: Stage) -> None:
    """SAVE-4: who deletes a document, or is about to lose the right to write it, waits for its save so long and no longer."""
    ann, document, loop = await stage.page("Ann"), stage.host().id, asyncio.get_running_loop()
    ann.append("two\n")
    await soon()
    answering = asyncio.Event()

    async def slow(word: str) -> None:
        if word == "named":
            await answering.wait()

    stage.before = slow
    begun = loop.time()
    await stage.rooms.flush([document])
    assert loop.time() - begun == LAST_SAVE
    ann.append("three\n")
    await soon()
    await stage.rooms.flush([document])
    answering.set()
    await passing(5)
    assert (stage.file(), ann.file()) == ("one\ntwo\nthree\n", "saved")
    # Nobody has to type again for it.
    answering.clear()
    ann.append("four\n")
    await soon()
    await stage.rooms.flush([document])
    answering.set()
    await passing(120)
    assert (stage.file(), ann.file()) == ("one\ntwo\nthree\nfour\n", "saved")


async def test_from_the_end_on_nothing_is_taken_from_peers_so_that_it_stays_theirs(stage: Stage) -> None:
    """PROC-5."""
    ann = await stage.guest("Ann")
    stage.rooms.stopping = True
    ann.append("x")
    await passing(5)
    assert ann.statuses == [1]
    await stage.stop()
    assert stage.file() == "one\n"


async def test_a_journal_that_does_not_answer_does_not_keep_the_server_and_loses_nothing_that_was_acknowledged(stage: Stage) -> None:
    """PROC-5, JOURNAL-1."""
    ann = await stage.guest("Ann")
    ann.append("stored ")
    await soon()
    stage.journal.refuse("the disk is gone")
    ann.append("not ")
    await soon()
    start = asyncio.get_running_loop().time()
    await stage.stop()
    assert asyncio.get_running_loop().time() - start <= LAST_SAVE + 10
    assert ann.statuses == [1, 1]
    stage.journal.refuse(None)
    stage.journal = stage.journal.crash()
    stage.files = stage.files.crash()
    await stage.start()
    await passing(10)
    assert "stored " in stage.file()


async def test_a_closed_journal_does_not_keep_the_other_rooms_from_their_end(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    stage.journal.refuse("the disk is gone")
    ann.append("x")
    await soon()
    await stage.journal.close()
    await stage.stop()
    assert stage.rooms.hosts == []


async def test_after_a_crash_what_was_acknowledged_is_saved_at_the_start_without_anybody_opening_it(stage: Stage) -> None:
    """JOURNAL-8, JOURNAL-9."""
    ann = await stage.guest("Ann")
    ann.append("word ")
    await soon()
    assert ann.statuses == [1, 1]
    await stage.crash()
    assert stage.file() == "one\n"
    await passing(5)
    assert stage.file() == "one\nword "
    await passing(60)
    assert stage.rooms.hosts == []


async def test_a_document_whose_file_is_gone_is_left_in_the_journal_at_the_start(stage: Stage) -> None:
    """JOURNAL-8."""
    ann = await stage.guest("Ann")
    ann.append("word ")
    await soon()
    stage.files.remove(PATH)
    await stage.crash()
    await passing(10)
    assert stage.rooms.hosts == []
    assert len(await stage.journal.unsaved()) == 1
    assert stage.metrics.failures == {}


async def test_a_task_that_fails_is_counted_and_the_rooms_go_on(stage: Stage) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    stage.rooms.spawn(fail())
    await soon()
    assert stage.metrics.failures == {"task": 1}
    assert (await stage.guest("Ann")).synced


async def test_who_waits_while_a_room_is_stored_for_the_last_time_is_told_to_come_back(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    ann.append("x")
    await soon()
    document = stage.host().id

    async def slowly(_: str) -> None:
        await passing(0.1)

    stage.before = slowly
    stopping = asyncio.ensure_future(stage.stop())
    await soon()
    with pytest.raises(Draining):
        await stage.rooms.open(document)
    await stopping
    assert stage.file() == "one\nx"


@pytest.mark.parametrize(
    ("body", "same"), [(b"first line\nsecond line\n", True), (b"quite another file\n", False), (b"\x89PNG\0", False), (b"", False)]
)
async def test_a_file_that_comes_back_is_the_same_document_when_its_text_is_near_the_one_known(
    stage: Stage, body: bytes, *, same: bool
) -> None:
    """FILE-8."""
    stage.files.poke("file.md", b"first line\nsecond line\nthird\n")
    ann = await stage.guest("Ann", path="file.md")
    document = stage.host("file.md").id
    ann.leave()
    await passing(35)
    stage.files.remove("file.md")
    with pytest.raises(NotFound):
        await stage.files.stat(document)
    await passing(3)
    with pytest.raises(NotFound):
        await stage.files.stat(document)
    stage.files.poke("file.md", body)
    assert ((await stage.files.stat("file.md")).id == document) == same


async def test_a_file_that_was_renamed_while_the_server_was_down_gets_its_words_without_anybody_opening_it(stage: Stage) -> None:
    """JOURNAL-8, SAVE-7: a rename is believed after a while only."""
    ann = await stage.guest("Ann")
    ann.append("word ")
    await soon()
    stage.files.rename(PATH, "new name.md")
    await stage.crash()
    await passing(10)
    assert stage.file("new name.md") == "one\nword "


async def test_a_document_that_cannot_be_recovered_does_not_keep_the_server(stage: Stage) -> None:
    """PROC-5."""
    ann = await stage.guest("Ann")
    ann.append("word ")
    await soon()
    stage.files.remove(PATH)
    await stage.crash()
    await passing(1)
    start = asyncio.get_running_loop().time()
    await stage.stop()
    assert asyncio.get_running_loop().time() == start


async def test_the_server_ends_although_a_document_is_being_opened_and_the_journal_does_not_answer(stage: Stage) -> None:
    """PROC-5."""
    stage.journal.refuse("the disk is gone")
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    await soon()
    start = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        await stage.stop()
    assert asyncio.get_running_loop().time() - start <= 2 * PATIENCE
    assert stage.rooms.hosts == []


async def test_who_waited_for_a_room_that_was_removed_as_soon_as_it_was_made_is_not_given_it(stage: Stage) -> None:
    """FILE-4."""
    document = (await stage.files.stat(PATH)).id
    stage.journal.refuse("slow")
    first = asyncio.ensure_future(stage.rooms.open(document))
    await soon()
    removing = asyncio.ensure_future(stage.rooms.remove(document, NotFound("The document was deleted.")))
    await soon()
    late = asyncio.ensure_future(stage.rooms.open(document))
    await soon()
    stage.files.remove(PATH)
    stage.journal.refuse(None)
    await removing
    assert (await first).closed
    with pytest.raises(NotFound):
        await late
    assert stage.rooms.hosts == []


# --- a journal that forgets


async def refilled(stage: Stage) -> str:
    """The journal's medium has lost the document, and the room has written what it has into a new log; its id."""
    document = stage.host().id
    await stage.host().settled()
    assert await stage.rooms.refill(document, stage.journal)
    return document


async def test_what_people_typed_is_in_the_new_log_under_the_same_lineage_and_is_saved_after_a_crash(stage: Stage) -> None:
    """REDIS-5."""
    ann = await stage.guest("Ann")
    ann.append("typed\n")
    await soon()
    document = await refilled(stage)
    log = await stage.journal.load(document)
    assert (log.checkpoint is not None, log.records) == (True, ())
    assert await stage.journal.unsaved() == [document]
    lineage = stage.host().room.document.lineage
    await stage.crash()
    await passing(5)
    assert stage.file() == "one\ntyped\n"
    assert stage.host().room.document.lineage == lineage
    assert (await stage.guest("Bob")).text == "one\ntyped\n"


async def test_people_go_on_in_a_room_whose_log_began_anew(stage: Stage) -> None:
    """REDIS-5."""
    ann = await stage.guest("Ann")
    ann.append("before\n")
    await passing(5)
    await refilled(stage)
    ann.append("after\n")
    await passing(5)
    assert stage.file() == "one\nbefore\nafter\n"
    assert ann.statuses == [1, 1, 1]
    await stage.crash()
    assert (await stage.guest("Bob")).text == "one\nbefore\nafter\n"


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("crash", [True, False])
async def test_a_program_that_wrote_while_the_log_was_lost_takes_nobodys_words(stage: Stage, *, saved: bool, crash: bool) -> None:
    """REDIS-5: what the file held before can be made anew only if nobody had typed more."""
    ann = await stage.guest("Ann")
    await passing(5)
    if not saved:
        ann.append("typed\n")
        await soon()
    stage.files.poke(PATH, b"one\nprogram's\n")
    document = await refilled(stage)
    if crash:
        await stage.crash()
    await stage.rooms.open(document)
    stage.rooms.noticed(document)
    await passing(30)
    bob = await stage.guest("Bob")
    everything = "".join(stage.files.peek(path).decode() for path in stage.files.paths())
    assert "program's" in everything
    assert ("typed" in bob.text) is not saved
    assert stage.file() == bob.text
    assert "program's" in bob.text or not saved


async def test_a_program_that_writes_again_before_the_first_save_behind_a_lost_log_takes_nobodys_words(stage: Stage) -> None:
    """REDIS-5: it has read what nobody can make anew, and nothing of what others were given since."""
    ann = await stage.guest("Ann")
    ann.append("saved\n")
    await passing(5)
    ann.append("typed\n")
    await soon()
    stage.files.poke(PATH, b"one\nsaved\nprogram's\n")
    document = await refilled(stage)
    again: list[str] = []

    async def before(word: str) -> None:
        if word == "checked" and not again:
            again.append(word)
            await stage.documents.content(PATH)
            stage.files.poke(PATH, b"one\nsaved\nprogram's\nand more\n")
            raise Unavailable("not now")

    stage.before = before
    stage.rooms.noticed(document)
    await passing(60)
    assert again
    assert ann.text == "one\nsaved\ntyped\n"
    assert stage.file() == ann.text
    assert any("and more" in stage.files.peek(path).decode() for path in stage.files.paths())


async def test_a_save_that_was_announced_when_the_log_was_lost_is_known_as_ours(stage: Stage) -> None:
    """REDIS-5, SAVE-3."""
    ann = await stage.guest("Ann")
    ann.append("typed\n")
    await soon()
    lost: list[str] = []

    async def before(word: str) -> None:
        if word == "write" and not lost:
            lost.append(word)
            await stage.rooms.refill(stage.host().id, stage.journal)

    stage.before = before
    await passing(5)
    await stage.crash()
    await passing(30)
    assert stage.file() == "one\ntyped\n"
    assert (await stage.guest("Bob")).text == "one\ntyped\n"
    assert stage.files.paths().count(PATH) == len([path for path in stage.files.paths() if not path.startswith("other")])


async def test_a_room_that_goes_leaves_everything_in_a_checkpoint_if_the_journal_may_forget(stage: Stage) -> None:
    """REDIS-5."""
    stage.forgetful = True
    await stage.restart()
    ann = await stage.guest("Ann")
    document = stage.host().id
    ann.append("typed\n")
    await soon()
    ann.leave()
    await passing(120)
    assert stage.rooms.hosts == []
    log = await stage.journal.load(document)
    assert (log.checkpoint is not None, log.records) == (True, ())
    stage.files.poke(PATH, b"one\ntyped\nprogram's\n")
    await stage.rooms.open(document)
    bob = await stage.guest("Bob")
    assert bob.text == "one\ntyped\nprogram's\n"
    bob.leave()
    await passing(120)
    again = await stage.journal.load(document)
    assert again.records == ()
    await stage.guest("Cleo")
    assert (await stage.journal.load(document)).position == again.position


async def test_who_waited_for_a_room_that_has_to_go_as_soon_as_it_was_made_is_given_one_that_lives(stage: Stage) -> None:
    """REDIS-5, LOAD-3."""
    await stage.end()
    stage.forgetful, stage.memory = True, 0
    await stage.start()
    document, other = [(await stage.files.stat(path)).id for path in (PATH, "other.md")]
    await stage.rooms.open(other)
    loop, resting, going = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    async def slow(word: str) -> None:
        if word == "checkpoint":
            resting.set()
            await going.wait()

    def leaving() -> None:
        """Somebody leaves the other room in the turn of the loop in which this one was made."""
        if document in stage.rooms._open:
            stage.before = slow
            stage.rooms._settled(stage.rooms._open[other])
        else:
            loop.call_soon(leaving)

    async def given() -> bool:
        host = await stage.rooms.open(document)
        return stage.rooms.live(document) is host

    arriving = asyncio.ensure_future(given())
    leaving()
    await resting.wait()
    await soon()
    going.set()
    assert await arriving


async def test_a_room_that_goes_is_not_held_up_by_an_archive_that_takes_nothing(stage: Stage) -> None:
    stage.forgetful = True
    await stage.restart()
    ann = await stage.guest("Ann")
    document = stage.host().id
    stage.archive.refuse("away")
    ann.leave()
    await passing(120)
    assert stage.rooms.hosts == []
    assert (await stage.journal.load(document)).checkpoint is None
    stage.archive.refuse(None)
