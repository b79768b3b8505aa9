"""The file follows the room, and whatever others write into it is merged (SAVE-2, SAVE-3, SAVE-5, TEXT-1, TEXT-2)."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from itertools import pairwise

import pytest
from runtime.stage import PATH, YWEBSOCKET, Guest, Stage, passing, soon

from collab.errors import Denied, TooLarge, Unavailable
from collab.ports import Kind
from collab.session import Limits

FIRST = b"one\n"


async def kinds(stage: Stage) -> list[Kind]:
    """What stands in the log."""
    return [record.kind for _, record in (await stage.journal.load(stage.host().id)).records]


async def settled(stage: Stage, guest: Guest, body: bytes | None = None) -> None:
    """Room, guest and file are equal, and after a restart they still are."""
    await passing(45)
    assert guest.text == stage.host().room.document.text()
    if body is not None:
        assert stage.files.peek(PATH) == body
    assert stage.files.peek(PATH) == stage.host().body()
    assert stage.files.asides() == 0
    await stage.restart()
    again = await stage.guest("Again")
    assert again.text == guest.text
    await passing(45)
    assert stage.files.peek(PATH) == stage.host().body()
    if body is not None:
        assert stage.files.peek(PATH) == body


# When


async def test_a_save_is_due_2_seconds_after_the_last_edit(stage: Stage) -> None:
    """SAVE-1."""
    ann = await stage.guest("Ann")
    for _ in range(3):
        ann.append("x")
        await passing(1.5)
        assert stage.file() == "one\n"
    await passing(0.6)
    assert stage.file() == "one\nxxx"


async def test_a_save_is_due_10_seconds_after_the_first_edit_at_most(stage: Stage) -> None:
    """SAVE-1."""
    ann = await stage.guest("Ann")
    for _ in range(10):
        ann.append("x")
        await passing(1)
        if stage.file() != "one\n":
            break
    assert asyncio.get_running_loop().time() == pytest.approx(10, abs=1)


async def test_when_the_last_person_leaves_the_document_is_saved_at_once(stage: Stage) -> None:
    """SAVE-1."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET)
    ann.append("x")
    await soon()
    ann.leave()
    await soon()
    assert stage.file() == "one\n"
    bob.append("y")
    bob.leave()
    await soon()
    assert stage.file() == "one\nxy"
    # And who comes next is no more in a hurry than the others.
    again = await stage.guest("Ann")
    again.append("z")
    await passing(1.9)
    assert stage.file() == "one\nxy"
    await passing(0.2)
    assert stage.file() == "one\nxyz"


async def test_a_document_that_is_opened_and_not_edited_is_not_written(stage: Stage) -> None:
    """SAVE-9."""
    node = stage.files.open(PATH)
    vera, ann = await stage.guest("Vera"), await stage.page("Ann")
    await passing(60)
    vera.leave()
    ann.leave()
    await passing(100)
    await stage.restart()
    await stage.guest("Ann")
    await passing(20)
    assert stage.files.open(PATH) is node
    assert await kinds(stage) == [Kind.SEED]
    assert [state["file"] for state in ann.states] == ["saved"]


async def test_an_edit_that_was_taken_back_leaves_the_file_as_it_is(stage: Stage) -> None:
    ann = await stage.page("Ann")
    node = stage.files.open(PATH)
    ann.append("x")
    ann.erase(4, 5)
    await passing(5)
    assert stage.files.open(PATH) is node
    assert ann.file() == "saved"
    assert stage.metrics.saves == {"unchanged": 1}
    await settled(stage, ann, FIRST)


# In which order


async def test_a_save_is_announced_before_it_is_made_and_noted_behind_it(stage: Stage) -> None:
    """SAVE-2: the announcement is durable first, and names body and state."""
    ann = await stage.guest("Ann")
    ann.append("x")
    await soon()
    stage.steps.clear()
    stage.journal.refuse("slow")
    await passing(5)
    assert "written" not in stage.steps
    stage.journal.refuse(None)
    await passing(1)
    changes = [step for step in stage.steps if step in {"append", "exchanged"}]
    assert changes == ["append", "exchanged", "append"]
    records = (await stage.journal.load(stage.host().id)).records
    assert [record.kind for _, record in records] == [Kind.SEED, Kind.UPDATE, Kind.ANNOUNCE, Kind.SAVED]
    digest = sha256(stage.files.peek(PATH)).hexdigest()
    assert records[2][1].meta["hash"] == digest
    assert records[3][1].meta == {"hash": digest, "place": records[2][0], "at": 5.0}


async def test_nothing_is_saved_before_the_journal_has_it(stage: Stage) -> None:
    """JOURNAL-3."""
    ann = await stage.page("Ann")
    stage.journal.refuse("the disk is full")
    ann.append("x")
    await passing(60)
    assert stage.file() == "one\n"
    assert ann.file() == "pending"
    stage.journal.refuse(None)
    await passing(5)
    assert stage.file() == "one\nx"


async def test_what_is_typed_during_a_save_is_saved_next(stage: Stage) -> None:
    """SAVE-4."""
    ann = await stage.page("Ann")

    async def typing(word: str) -> None:
        if word == "named":
            stage.before = None
            ann.append("during ")
            await soon()

    stage.before = typing
    ann.append("before ")
    await passing(3)
    assert stage.file() == "one\nbefore "
    assert ann.file() == "pending"
    await passing(3)
    assert stage.file() == "one\nbefore during "
    assert ann.file() == "saved"


async def test_whoever_types_during_a_save_is_named_with_the_version_that_has_it(stage: Stage) -> None:
    """HISTORY-1."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")

    async def typing(word: str) -> None:
        if word == "named":
            stage.before = None
            ann.append("late\n")
            await soon()

    stage.before = typing
    ann.append("a\n")
    bob.append("b\n")
    await passing(30)
    found = await stage.archive.versions.list(stage.host().id)
    assert [version.writers for version in found] == [("ann",), ("ann", "bob"), ()]


async def test_a_save_that_fails_is_tried_again_less_and_less_often_and_the_page_says_why(stage: Stage) -> None:
    """SAVE-4, SAVE-8."""
    ann = await stage.page("Ann")
    stage.files.refusals["write"] = Denied("the folder is read-only")
    ann.append("x")
    failed = []
    for second in range(200):
        before = stage.metrics.saves["failed"]
        await passing(1)
        if stage.metrics.saves["failed"] > before:
            failed.append(second)
    gaps = [later - earlier for earlier, later in pairwise(failed)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert max(gaps) <= 61
    assert (ann.states[-1]["file"], ann.states[-1]["detail"]) == ("failed", "the folder is read-only")
    assert ann.statuses == [1, 1]
    ann.append("y")
    await soon()
    assert ann.statuses == [1, 1, 1]
    assert stage.metrics.failures["save"] == len(failed)
    del stage.files.refusals["write"]
    await passing(61)
    assert stage.file() == "one\nxy"
    assert (ann.states[-1]["file"], ann.states[-1]["detail"]) == ("saved", "")
    await settled(stage, ann, b"one\nxy")


async def test_a_fault_of_ours_in_a_save_leaves_the_document_dirty(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """SAVE-4."""
    ann = await stage.page("Ann")

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(stage.files, "write", broken)
        ann.append("x")
        await passing(3)
        assert ann.file() == "failed"
    await passing(60)
    assert stage.file() == "one\nx"


# What others write


async def test_an_outside_body_is_merged_when_the_document_is_saved(stage: Stage) -> None:
    """SAVE-5, JOURNAL-6."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob", YWEBSOCKET)
    ann.append("two\n")
    await passing(1)
    stage.files.poke(PATH, b"zero\none\n")
    await passing(5)
    assert ann.text == bob.text == "zero\none\ntwo\n"
    assert (await kinds(stage)).count(Kind.MERGE) == 1
    await settled(stage, ann, b"zero\none\ntwo\n")


async def test_an_outside_body_is_merged_when_the_document_is_opened(stage: Stage) -> None:
    """SAVE-5."""
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await passing(40)
    await stage.stop()
    stage.files.poke(PATH, b"zero\none\ntwo\n")
    await passing(1)
    await stage.start()
    ann = await stage.guest("Ann")
    assert ann.text == "zero\none\ntwo\n"
    await settled(stage, ann, b"zero\none\ntwo\n")


async def test_an_outside_body_that_came_between_check_and_exchange_is_merged_from_what_was_displaced(stage: Stage) -> None:
    """SAVE-5."""
    ann = await stage.guest("Ann")

    async def race(word: str) -> None:
        if word == "checked":
            stage.before = None
            stage.files.poke(PATH, b"zero\none\n")

    stage.before = race
    ann.append("two\n")
    await passing(10)
    assert ann.text == "zero\none\ntwo\n"
    await settled(stage, ann, b"zero\none\ntwo\n")


@pytest.mark.parametrize("seconds", [0.5, 20.0])
async def test_a_program_that_still_writes_into_the_displaced_file_is_read_again(stage: Stage, seconds: float) -> None:
    """SAVE-6: after 1 s and after 30 s."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    assert stage.file() == "one\ntwo\n"
    await passing(seconds)
    stage.files.rewrite(node, b"zero\none\n")
    await passing(40)
    assert ann.text == "zero\none\ntwo\n"
    await settled(stage, ann, b"zero\none\ntwo\n")


async def test_a_program_that_writes_twice_into_the_displaced_file_is_merged_from_what_it_wrote_first(stage: Stage) -> None:
    """SAVE-6, JOURNAL-6: the base moves with its writer, or its words would be doubled."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    stage.files.rewrite(node, b"zero\none\n")
    await passing(10)
    stage.files.rewrite(node, b"zero\nhalf\none\n")
    await passing(40)
    assert ann.text == "zero\nhalf\none\ntwo\n"
    await settled(stage, ann, b"zero\nhalf\none\ntwo\n")


async def test_what_a_late_writer_wrote_is_not_dropped_while_it_cannot_be_merged(stage: Stage) -> None:
    """FILE-7, SAVE-6: cut in the middle of a character at first, and text at the end."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    stage.files.rewrite(node, "zér".encode()[:2])
    await passing(10)
    assert stage.files.asides() == 1
    stage.files.rewrite(node, "zéro\none\n".encode())
    await passing(40)
    assert ann.text == "zéro\none\ntwo\n"
    await settled(stage, ann)


async def test_what_a_late_writer_wrote_is_not_dropped_when_the_journal_is_gone(stage: Stage) -> None:
    """FILE-7."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    stage.files.rewrite(node, b"zero\none\n")
    await stage.journal.close()
    await stage.stop()
    assert stage.files.asides() == 1
    stage.journal = stage.journal.crash()
    stage.files = stage.files.crash()
    await stage.start()
    assert (await stage.guest("Ann")).text == "zero\none\ntwo\n"
    await passing(45)
    assert stage.files.asides() == 0


async def test_at_the_end_displaced_files_are_read_a_last_time_without_waiting_and_kept(stage: Stage) -> None:
    """SAVE-6."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    stage.files.rewrite(node, b"zero\none\n")
    start = asyncio.get_running_loop().time()
    await stage.stop()
    assert asyncio.get_running_loop().time() - start < 5
    assert stage.files.asides() == 1
    stage.files = stage.files.crash()
    await stage.start()
    await passing(10)
    assert (await stage.guest("Ann")).text == "zero\none\ntwo\n"
    assert stage.file() == "zero\none\ntwo\n"
    await passing(45)
    assert stage.files.asides() == 0


@pytest.mark.parametrize("before", [FIRST, b"zero\none\n"])
async def test_what_a_program_writes_into_the_displaced_file_after_the_end_is_merged_at_the_next_start(stage: Stage, before: bytes) -> None:
    """SAVE-6, FILE-7: from what it had read, or had written before the end, so that nothing is doubled or taken out."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    if before != FIRST:
        stage.files.rewrite(node, before)
    await stage.stop()
    stage.files.rewrite(node, before + b"half\n")
    stage.files = stage.files.crash()
    await stage.start()
    again = await stage.guest("Ann")
    assert sorted(again.text.split()) == sorted([*before.decode().split(), "half", "two"])
    await settled(stage, again)


async def test_a_displaced_file_goes_into_the_bin_with_its_document_and_is_read_when_it_comes_back(stage: Stage) -> None:
    """SAVE-6, FILE-11."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    entry = await stage.trash.discard(PATH, if_match="*", by="Ann")
    await passing(1)
    stage.files.rewrite(node, FIRST + b"half\n")
    stage.files = stage.files.crash()
    await stage.restart()
    await stage.trash.restore(entry.key, None)
    again = await stage.guest("Ann")
    assert sorted(again.text.split()) == ["half", "one", "two"]
    await settled(stage, again)


async def test_a_displaced_file_goes_for_good_with_its_document(stage: Stage) -> None:
    """FILE-14."""
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await passing(2.1)
    assert stage.files.asides() == 1
    entry = await stage.trash.discard(PATH, if_match="*", by="Ann")
    await passing(1)
    await stage.trash.purge(entry.key)
    assert stage.files.asides() == 0


@pytest.mark.parametrize("word", ["append", "written", "named", "checked", "exchanged", "synced"])
@pytest.mark.parametrize("outside", [False, True])
async def test_a_crash_at_any_step_of_a_save_forgets_nothing_and_doubles_nothing(stage: Stage, word: str, *, outside: bool) -> None:
    """SAVE-3, FILE-7, JOURNAL-9."""
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await passing(1)
    assert ann.statuses == [1, 1]
    reached = asyncio.Event()

    async def stop(step: str) -> None:
        if outside and step == "checked" and stage.file() == "one\n":
            stage.files.poke(PATH, b"zero\none\n")
        if step == word:
            reached.set()
            await asyncio.Event().wait()

    stage.before = stop
    await reached.wait()
    stage.before = None
    if outside and word in {"append", "written", "named"}:
        stage.files.poke(PATH, b"zero\none\n")
    await stage.crash()
    await passing(10)
    expected = ("zero\n" if outside else "") + "one\ntwo\n"
    again = await stage.guest("Ann")
    assert again.text == expected
    # Ann was there before the crash: she brings nothing twice.
    back = stage.on(stage.socket())
    back.replica = ann.replica
    back.sign_in(stage.token("Ann"))
    back.step1()
    await soon()
    assert back.text == again.text == expected
    await settled(stage, again, expected.encode())


async def test_a_leftover_that_is_no_text_locks_nobody_out_and_is_kept(stage: Stage) -> None:
    """FILE-7, TEXT-4."""
    ann = await stage.guest("Ann")
    reached = asyncio.Event()

    async def stop(step: str) -> None:
        if step == "checked":
            stage.files.poke(PATH, b"\x89PNG\0")
        if step == "exchanged":
            reached.set()
            await asyncio.Event().wait()

    stage.before = stop
    ann.append("two\n")
    await reached.wait()
    stage.before = None
    await stage.crash()
    assert (await stage.guest("Ann")).text == "one\ntwo\n"
    await passing(60)
    assert stage.file() == "one\ntwo\n"
    assert stage.files.asides() == 1


async def test_the_same_body_written_again_is_no_edit(stage: Stage) -> None:
    """TEXT-6."""
    ann = await stage.guest("Ann")
    stage.files.poke(PATH, FIRST)
    ann.append("x")
    await passing(5)
    assert Kind.MERGE not in await kinds(stage)
    await settled(stage, ann, b"one\nx")


async def test_a_file_that_is_always_being_written_is_left_for_a_while(stage: Stage) -> None:
    """SAVE-5: no save fights, and no word is lost."""
    ann = await stage.page("Ann")
    count = 0

    async def busy(step: str) -> None:
        nonlocal count
        if step == "named" and count < 7:
            count += 1
            stage.files.poke(PATH, stage.files.peek(PATH) + b"%d\n" % count)

    stage.before = busy
    ann.append("x\n")
    await passing(5)
    assert ann.file() == "failed"
    await passing(30)
    assert sorted(ann.text.split()) == sorted(["one", "x", *"1234567"])
    assert stage.file() == ann.text
    assert ann.file() == "saved"


@pytest.mark.parametrize(("body", "word"), [(b"\x89PNG\0", "text"), (b"x" * 200, "over 100 bytes")])
async def test_a_file_that_became_something_else_is_not_overwritten_and_the_page_says_why(stage: Stage, body: bytes, word: str) -> None:
    """SAVE-8, TEXT-4."""
    stage.rooms.limits = Limits(text=100)
    ann = await stage.page("Ann")
    ann.append("x")
    stage.files.poke(PATH, body)
    await passing(30)
    assert stage.files.peek(PATH) == body
    assert ann.file() == "failed"
    assert word in str(ann.states[-1]["detail"])
    assert ann.statuses == [1, 1]
    stage.files.poke(PATH, FIRST)
    await passing(61)
    assert stage.file() == "one\nx"


async def test_an_outside_body_is_not_seen_before_it_is_durable(stage: Stage) -> None:
    """JOURNAL-6, JOURNAL-3."""
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await passing(1)
    stage.files.poke(PATH, b"zero\none\n")

    async def cut(step: str) -> None:
        if step == "named":
            stage.journal.refuse("the disk is full")

    stage.before = cut
    await passing(20)
    assert ann.text == "one\ntwo\n"
    stage.before = None
    stage.journal.refuse(None)
    await passing(5)
    assert ann.text == "zero\none\ntwo\n"


# Names


async def test_a_file_that_was_deleted_outside_leaves_the_text_and_the_page_says_so(stage: Stage) -> None:
    """SAVE-7, SAVE-8."""
    ann = await stage.page("Ann")
    stage.files.remove(PATH)
    ann.append("x")
    await passing(60)
    assert ann.file() == "gone"
    assert ann.states[-1]["detail"]
    assert ann.statuses == [1, 1]
    with pytest.raises(KeyError):
        stage.file()
    # The same file comes back.
    stage.files.poke(PATH, FIRST)
    await passing(61)
    assert stage.file() == ann.text == "one\nx"


async def test_a_file_that_was_renamed_outside_while_people_edit_is_saved_under_its_new_name(stage: Stage) -> None:
    """SAVE-7, FILE-5."""
    ann = await stage.page("Ann")
    stage.files.rename(PATH, "new name.md")
    ann.append("x")
    await passing(20)
    assert stage.file("new name.md") == "one\nx"
    with pytest.raises(KeyError):
        stage.file()
    assert (ann.states[-1]["file"], ann.states[-1]["path"]) == ("saved", "new name.md")


async def test_a_name_that_is_empty_only_for_a_moment_is_the_same_document(stage: Stage) -> None:
    """SAVE-7: editors move the old file aside and write a new one."""
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await passing(1.8)
    stage.files.rename(PATH, "notes.md~")
    await passing(0.5)
    stage.files.poke(PATH, b"zero\none\n")
    await passing(40)
    assert ann.text == stage.file() == "zero\none\ntwo\n"
    assert stage.file("notes.md~") == "one\n"


# Bytes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbfone\r\n", b"\xef\xbb\xbfone\r\ntwo\r\n"),
        (b"one", b"onetwo\n"),
        (b"", b"two\n"),
        (b"one\r", b"one\rtwo\r"),
        (b"a\r\nb\nc\r\nd\re\r\n", b"a\r\nb\nc\r\nd\re\r\ntwo\r\n"),
        ("é😀\r\n\u2028x\n\r\n".encode(), "é😀\r\n\u2028x\n\r\ntwo\r\n".encode()),
    ],
)
async def test_byte_order_mark_line_ends_and_final_newline_stay_as_they_were(stage: Stage, before: bytes, after: bytes) -> None:
    """TEXT-1, TEXT-2."""
    stage.files.poke(PATH, before)
    ann = await stage.guest("Ann")
    ann.append("two\n")
    await settled(stage, ann, after)
    crashed = await stage.guest("Ann")
    crashed.append("3\n")
    await soon()
    await stage.crash()
    await passing(10)
    eol = after[-2:] if after.endswith(b"\r\n") else after[-1:]
    assert stage.files.peek(PATH) == after + b"3" + eol


async def test_mixed_line_ends_move_with_edits_and_merges_and_survive_a_restart(stage: Stage) -> None:
    """TEXT-2, TEXT-6."""
    stage.files.poke(PATH, b"a\r\nb\nc\r\nd\re\r\n")
    ann = await stage.guest("Ann")
    ann.type("😀 ", 0)
    ann.type("x\n", len(b"\xf0\x9f\x98\x80 a\n"))
    await passing(1)
    stage.files.poke(PATH, b"a\r\nb\nc\r\nc2\nd\re\r\n")
    await passing(10)
    expected = "😀 a\r\nx\r\nb\nc\r\nc2\nd\re\r\n".encode()
    assert stage.files.peek(PATH) == expected
    await settled(stage, ann, expected)
    again = await stage.guest("Ann")
    again.append("end\n")
    await settled(stage, again, expected + b"end\r\n")


async def test_an_outside_body_with_other_line_ends_is_taken_as_it_is(stage: Stage) -> None:
    """TEXT-1, TEXT-2."""
    stage.files.poke(PATH, b"a\r\nb\r\n")
    ann = await stage.guest("Ann")
    await passing(1)
    stage.files.poke(PATH, b"a\nb\n")
    ann.append("c\n")
    await settled(stage, ann, b"a\nb\nc\n")


# The log


async def test_checkpoints_keep_the_log_small(stage: Stage) -> None:
    """JOURNAL-7."""
    ann = await stage.guest("Ann")
    for _ in range(30):
        ann.append("x" * 20_000)
        await passing(3)
    log = await stage.journal.load(stage.host().id)
    assert log.checkpoint is not None
    assert sum(len(record.body) for _, record in log.records) < 400_000
    assert len(log.records) < 60
    await settled(stage, ann, b"one\n" + b"x" * 600_000)
    # What is known of the past is known from the checkpoint too.
    stage.files.poke(PATH, b"zero\n" + stage.files.peek(PATH))
    again = await stage.guest("Again")
    again.append("end\n")
    await settled(stage, again, b"zero\none\n" + b"x" * 600_000 + b"end\n")


async def test_an_edit_during_a_checkpoint_is_not_lost(stage: Stage) -> None:
    """JOURNAL-7."""
    ann = await stage.guest("Ann")

    async def typing(word: str) -> None:
        if word == "checkpoint":
            ann.append("during\n")
            await soon()

    stage.before = typing
    ann.append("x" * 300_000 + "\n")
    await passing(3)
    stage.before = None
    await stage.crash()
    await passing(10)
    assert stage.file() == "one\n" + "x" * 300_000 + "\nduring\n"


async def test_errors_of_the_storage_are_told_and_not_raised(stage: Stage) -> None:
    """SAVE-8."""
    ann = await stage.page("Ann")
    for error in (Unavailable("No space left on device"), TooLarge("over the quota")):
        stage.files.refusals["write"] = error
        ann.append("x")
        await passing(70)
        assert ann.states[-1]["detail"] == error.detail
    stage.files.refusals.clear()
    await passing(61)
    await settled(stage, ann, b"one\nxx")


async def test_an_outside_body_never_takes_out_what_its_writer_could_not_have_read(stage: Stage) -> None:
    """SAVE-5, TEXT-6: a save that was announced and then not made has no readers."""
    ann = await stage.guest("Ann")
    for number, theirs in enumerate(("zero\n", "another line of theirs\n", "x\n")):
        mine = f"line {number} of mine\n"
        ann.append(mine)
        await passing(1)
        body = theirs.encode() + stage.files.peek(PATH)
        stage.files.poke(PATH, body)
        await passing(9)
        assert mine in ann.text
        assert ann.text.startswith(theirs)
        assert stage.file() == ann.text


async def test_a_write_that_reached_the_file_although_it_failed_is_our_own(stage: Stage) -> None:
    """SAVE-3: what was typed between it and the next try is neither lost nor doubled."""
    ann = await stage.guest("Ann")
    honest = stage.files.write

    async def told_wrong(name: str, body: bytes, *, if_match: str | None) -> None:
        await honest(name, body, if_match=if_match)
        stage.files.write = honest  # type: ignore[method-assign]
        raise Unavailable("the folder could not be synced")

    stage.files.write = told_wrong  # type: ignore[method-assign,assignment]
    ann.append("two\n")
    await passing(2.1)
    assert stage.file() == "one\ntwo\n"
    ann.append("three\n")
    await passing(10)
    assert Kind.MERGE not in await kinds(stage)
    assert ann.text == stage.file() == "one\ntwo\nthree\n"


async def test_a_late_writer_is_merged_from_what_it_had_read_although_a_checkpoint_came_between(stage: Stage) -> None:
    """SAVE-6, JOURNAL-7."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    ann.append("x" * 300_000 + "\n")
    await passing(5)
    assert (await stage.journal.load(stage.host().id)).checkpoint is not None
    stage.files.rewrite(node, b"zero\none\n")
    await passing(60)
    expected = "zero\none\ntwo\n" + "x" * 300_000 + "\n"
    assert ann.text == expected
    await settled(stage, ann, expected.encode())


async def test_a_writer_that_is_merged_twice_around_a_checkpoint_doubles_nothing(stage: Stage) -> None:
    """SAVE-6, JOURNAL-6, JOURNAL-7."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("two\n")
    await passing(2.1)
    ann.append("x" * 300_000 + "\n")
    stage.files.rewrite(node, b"zero\none\n")
    await passing(5)
    stage.files.rewrite(node, b"zero\nhalf\none\n")
    await passing(60)
    assert ann.text == "zero\nhalf\none\ntwo\n" + "x" * 300_000 + "\n"
    assert stage.file() == ann.text


@pytest.mark.parametrize("saves", [1, 3])
async def test_a_crash_while_a_late_writer_is_waited_for_loses_neither_its_words_nor_those_saved_since(stage: Stage, saves: int) -> None:
    """SAVE-6, FILE-7."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    words = [f"saved {number}\n" for number in range(saves)]
    for word in words:
        ann.append(word)
        await passing(2.5)
    stage.files.rewrite(node, b"zero\none\n")
    await stage.crash()
    again = await stage.guest("Ann")
    await passing(10)
    assert again.text == "zero\none\n" + "".join(words)
    await settled(stage, again, again.text.encode())


async def test_the_same_words_from_inside_and_outside_are_both_kept(stage: Stage) -> None:
    """SAVE-5: nobody outside had read the announced body, however much alike the two are."""
    ann = await stage.guest("Ann")
    ann.append("the same words\n")
    await passing(1)
    stage.files.poke(PATH, b"one\nthe same words too\n")
    await passing(10)
    assert sorted(ann.text.splitlines()) == ["one", "the same words", "the same words too"]
    assert stage.file() == ann.text


# Announced, and not written


async def test_an_outside_edit_after_a_save_that_failed_takes_out_nothing_that_was_acknowledged(stage: Stage) -> None:
    """SAVE-3, SAVE-5, JOURNAL-9: its writer cannot have read what was announced only."""
    stage.files.poke(PATH, b"- a\n")
    ann = await stage.guest("Ann")
    stage.files.refusals["write"] = Unavailable("No space left on device")
    ann.append("- b\n")
    await passing(2.5)
    assert ann.statuses == [1, 1]
    stage.files.poke(PATH, b"- a\n- c\n")
    del stage.files.refusals["write"]
    await passing(10)
    assert sorted(ann.text.splitlines()) == ["- a", "- b", "- c"]
    await settled(stage, ann)


async def test_an_outside_edit_after_a_crash_before_the_exchange_takes_out_nothing_that_was_acknowledged(stage: Stage) -> None:
    """SAVE-3, SAVE-5, JOURNAL-9."""
    stage.files.poke(PATH, b"- a\n")
    ann = await stage.guest("Ann")
    ann.append("- b\n")
    reached = asyncio.Event()

    async def stop(step: str) -> None:
        if step == "written":
            reached.set()
            await asyncio.Event().wait()

    stage.before = stop
    await reached.wait()
    assert ann.statuses == [1, 1]
    stage.before = None
    stage.files.poke(PATH, b"- a\n- c\n")
    await stage.crash()
    await passing(10)
    assert sorted(stage.file().splitlines()) == ["- a", "- b", "- c"]
    await settled(stage, await stage.guest("Ann"))


async def test_a_displaced_file_that_stays_says_nothing_of_a_save_that_failed(stage: Stage) -> None:
    """SAVE-3, SAVE-5: what lies beside the file for long is no proof that the announced body was written."""
    stage.files.poke(PATH, b"- a\n")
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    ann.append("- b\n")
    await passing(2.1)
    stage.files.rewrite(node, b"\x89PNG\0")
    await stage.crash()
    ann = await stage.guest("Ann")
    assert stage.files.asides() == 1
    stage.files.refusals["write"] = Unavailable("No space left on device")
    ann.append("- c\n")
    await passing(2.5)
    assert ann.statuses == [1, 1]
    stage.files.poke(PATH, b"- a\n- b\n- d\n")
    del stage.files.refusals["write"]
    await passing(10)
    assert sorted(stage.file().splitlines()) == ["- a", "- b", "- c", "- d"]


@pytest.mark.parametrize("saves", [0, 1])
async def test_a_displaced_file_whose_writer_had_read_what_a_checkpoint_took_away_stays_beside_the_file(stage: Stage, saves: int) -> None:
    """FILE-7, SAVE-6, JOURNAL-9: merged from another state it would take out what was saved."""
    ann = await stage.guest("Ann")
    node = stage.files.open(PATH)
    saved = "x" * 300_000 + "\n"
    ann.append(saved)
    await passing(2.1)
    for _ in range(saves):
        ann.append("two\n")
        await passing(2.1)
    assert (await stage.journal.load(stage.host().id)).checkpoint is not None
    stage.files.rewrite(node, b"one\nlog line\n")
    await stage.crash()
    await stage.guest("Ann")
    await passing(10)
    assert stage.file() == "one\n" + saved + "two\n" * saves
    assert stage.files.asides() == 1


async def test_a_file_whose_line_ends_take_more_bytes_than_its_text_may_have_opens_again(stage: Stage) -> None:
    """LIMIT-1, TEXT-1: nobody is locked out of a document by what was saved for them."""
    stage.rooms.limits = Limits(text=1000)
    stage.files.poke(PATH, b"a\r\n" * 300)
    ann = await stage.guest("Ann")
    ann.append("b\n" * 150)
    await passing(5)
    assert len(stage.files.peek(PATH)) > 1000
    ann.leave()
    await passing(80)
    assert stage.rooms.hosts == []
    again = await stage.guest("Ann")
    again.append("c\n")
    await passing(5)
    assert stage.files.peek(PATH) == b"a\r\n" * 300 + b"b\r\n" * 150 + b"c\r\n"


async def test_what_comes_from_outside_counts_for_the_limit_of_the_text(stage: Stage) -> None:
    """LIMIT-1."""
    stage.rooms.limits = Limits(text=1000)
    ann = await stage.guest("Ann")
    stage.files.poke(PATH, b"one\n" + b"x" * 900 + b"\n")
    ann.append("two\n")
    await passing(5)
    assert len(ann.text) == 909
    ann.append("y" * 200)
    await soon()
    assert ann.denied == ["too-large"]
