"""Programs that rewrite the file are peers that were offline since what they had read (MERGE-1 to MERGE-8)."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from hashlib import sha256
from itertools import product

import pytest
from runtime.stage import PATH, Guest, Stage, passing, person, soon

from collab import protocol
from collab.codec import var_uint
from collab.errors import Changed
from collab.ports import Kind
from collab.runtime.merging import least

STORY = "".join(f"Line {number} of a story that everybody writes together.\n" for number in range(1, 31))

FRUITS = ["apples", "pears", "plums", "cherries", "grapes", "quinces", "figs", "dates", "limes", "lemons", "melons", "kiwis"]


@pytest.fixture
async def story(stage: Stage) -> Stage:
    """A document that is long enough for a body to be far from it."""
    stage.files.poke(PATH, STORY.encode())
    return stage


def outside(stage: Stage, body: str) -> None:
    """Another program rewrites the file, and the watch tells it."""
    stage.files.poke(PATH, body.encode())
    stage.rooms.noticed(stage.host().id)


async def settled(stage: Stage, *guests: Guest) -> str:
    """Everybody and the file are equal; gives the text."""
    await passing(60)
    for guest in guests:
        assert guest.text == stage.host().room.document.text()
    assert stage.files.peek(PATH) == stage.host().body()
    return stage.file()


async def test_a_change_outside_is_in_the_room_without_any_save(story: Stage) -> None:
    """MERGE-1."""
    ann = await story.guest("Ann")
    outside(story, STORY + "outside\n")
    await passing(2)
    assert ann.text == STORY + "outside\n"


async def test_a_program_that_had_read_before_our_last_saves_takes_out_no_word(story: Stage) -> None:
    """MERGE-2: the nearest of what it may have read is its base, not the newest."""
    ann = await story.guest("Ann")
    for word in ("first ", "second ", "third "):
        ann.type(word)
        await passing(11)
    assert story.file().startswith("third second first ")
    outside(story, "first " + STORY + "from the program\n")
    text = await settled(story, ann)
    assert text == "third second first " + STORY + "from the program\n"


async def test_an_editor_that_was_open_for_an_hour_takes_out_no_word_that_was_typed_meanwhile(story: Stage) -> None:
    """MERGE-2: a hundred saves later, with a restart and a checkpoint in between."""
    ann = await story.guest("Ann")
    ann.type("start ")
    await passing(11)
    read = story.file()
    words = [f"w{number} " for number in range(100)]
    for number, word in enumerate(words):
        ann.type(word)
        await passing(36)
        if number == 50:
            await story.restart()
            ann = await story.guest("Ann")
    outside(story, read + "from the editor\n")
    text = await settled(story, ann)
    assert text == "".join(reversed(words)) + "start " + STORY + "from the editor\n"


@pytest.mark.parametrize("read", range(6))
async def test_what_scripts_were_given_meanwhile_hides_nothing_of_what_the_file_held(story: Stage, read: int) -> None:
    """MERGE-2: what they were given is ahead of the file."""
    ann = await story.guest("Ann")
    held = [STORY]
    for number in range(6):
        ann.append("typed " * 20)
        held.append(f"program{number}\n" + held[-1])
        outside(story, held[-1])
        await passing(0.8)
        await story.documents.content(PATH)
    outside(story, "last of all\n" + held[read])
    text = await settled(story, ann)
    words = ["last of all\n", *(f"program{number}\n" for number in range(6))]
    assert [text.count(word) for word in words] == [1] * 7


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 100, 257])
def test_the_nearest_is_found_at_few_looks(count: int) -> None:
    """MERGE-2."""
    for best in range(count):
        looks = Counter[int]()

        def cost(place: int, best: int = best, looks: Counter[int] = looks) -> int:
            looks[place] += 1
            return abs(place - best)

        assert least(count, cost) == best
        assert looks.total() == len(looks) <= 36


async def test_a_body_that_comes_late_over_a_save_of_ours_changes_nothing(story: Stage) -> None:
    """MERGE-3."""
    ann = await story.guest("Ann")
    ann.type("new ")
    await passing(3)
    assert story.file() == "new " + STORY
    outside(story, STORY)
    assert await settled(story, ann) == "new " + STORY


async def test_an_old_body_that_is_put_back_on_purpose_counts(story: Stage) -> None:
    """MERGE-3: what was typed and is not in the file yet stays."""
    ann = await story.guest("Ann")
    ann.type("new ")
    await passing(60)
    ann.append("typing")
    outside(story, STORY)
    assert await settled(story, ann) == STORY + "typing"


async def test_going_back_from_another_outside_body_counts_however_quick(story: Stage) -> None:
    """MERGE-3: another branch is checked out, and the first one again."""
    ann = await story.guest("Ann")
    await passing(30)
    branch = STORY.replace("Line 7", "Row 7")
    outside(story, branch)
    await passing(1)
    assert ann.text == branch
    outside(story, STORY)
    await passing(1)
    assert ann.text == STORY
    assert await settled(story, ann) == STORY


async def test_what_people_save_while_another_branch_is_there_stays_when_the_first_one_comes_back(story: Stage) -> None:
    """MERGE-3: there and back and there again, our saves in between; each branch brings and takes its own words only."""
    ann = await story.guest("Ann")
    branch = STORY.replace("Line 7 ", "Row 7 branch ")
    other = STORY.replace("Line 9 ", "Row 9 other ")
    typed: list[str] = []
    for body in (branch, STORY, branch, STORY, other, STORY, other, branch, other, STORY):
        for act in ("here", "there"):
            if act == "there":
                outside(story, body)
                await passing(2)
            typed.append(f"{act}-{len(typed)} ")
            ann.append(typed[-1])
            await passing(3)
        assert ("branch" in ann.text, "other" in ann.text) == (body is branch, body is other)
        assert [ann.text.count(word) for word in typed] == [1] * len(typed)
    await settled(story, ann)
    assert not [name for name in story.files.paths() if "conflict" in name]


async def test_a_branch_with_what_people_wrote_on_it_comes_back_without_a_second_copy_of_their_words(story: Stage) -> None:
    """MERGE-3: somebody commits what is in the file before each checkout."""
    ann = await story.guest("Ann")
    ann.append("one ")
    await passing(20)
    main = story.file()
    outside(story, STORY.replace("Line 7 ", "Row 7 branch "))
    await passing(2)
    ann.append("two ")
    await passing(20)
    branch = story.file()
    outside(story, main)
    await passing(2)
    ann.append("three ")
    await passing(20)
    assert ann.text == STORY + "one two three "
    outside(story, branch)
    await passing(2)
    text = await settled(story, ann)
    assert text == STORY.replace("Line 7 ", "Row 7 branch ") + "one two three "


async def test_words_that_one_branch_has_and_another_has_not_stay_however_often_they_are_checked_out(story: Stage) -> None:
    """MERGE-3: what people wrote before the first checkout was committed to one of them, as git does; no save of ours comes between."""
    ann = await story.guest("Ann")
    ann.append("one ")
    await passing(20)
    main, other = story.file(), STORY.replace("Line 7 ", "Row 7 other ")
    typed = ["one "]
    for body in (other, main, other, main, other, main):
        typed.append(f"{len(typed)} ")
        ann.append(typed[-1])
        outside(story, body)
        await passing(1.5)
        assert ann.text == (other if body is other else STORY) + "".join(typed)
    assert await settled(story, ann) == STORY + "".join(typed)


async def test_a_branch_comes_back_over_a_restart_and_a_checkpoint_with_its_line_ends(stage: Stage) -> None:
    """MERGE-3, MERGE-8: and its version in the history is what the program wrote."""
    main = STORY.replace("\n", "\r\n", 3)
    other = main.replace("Line 7 ", "Row 7 other ")
    stage.files.poke(PATH, main.encode())
    ann = await stage.guest("Ann")
    ann.type("one ", len(main) - 3 - 1)
    await passing(20)
    mine = stage.file()
    outside(stage, other)
    await passing(20)
    outside(stage, mine)
    await passing(2)
    ann.append("x" * 300_000)
    await passing(20)
    ann.erase(len(ann.text) - 300_000, len(ann.text))
    await passing(30)
    assert (await stage.journal.load(stage.host().id)).checkpoint is not None
    await stage.restart()
    ann = await stage.guest("Ann")
    ann.type("two ")
    await soon()
    outside(stage, other)
    assert (await settled(stage, ann)).replace("one ", "").replace("two ", "") == other
    assert [ann.text.count(word) for word in ("one ", "two ")] == [1, 1]
    assert stage.file().count("\r\n") == 3
    versions = await stage.archive.versions.list(stage.host().id)
    bodies = [(await stage.archive.versions.read(stage.host().id, each.number))[1].decode() for each in versions]
    assert bodies.count(other) == 2


async def test_what_is_near_to_nothing_is_kept_beside_the_file_and_everybody_is_told(story: Stage) -> None:
    """MERGE-4."""
    ann = await story.page("Ann")
    ann.append("typing")
    other = "".join(f"{number * 7919:x} entirely {number:b}\n" for number in range(60))
    outside(story, other)
    assert await settled(story, ann) == STORY + "typing"
    (copy,) = [name for name in story.files.paths() if "conflict" in name]
    assert story.files.peek(copy) == other.encode()
    assert [notice["kind"] for notice in ann.notices] == ["conflict"]
    assert ann.notices[0]["path"] == copy


async def test_a_file_that_is_another_one_now_is_taken_when_nobody_has_anything_to_lose(story: Stage) -> None:
    """MERGE-4."""
    ann = await story.guest("Ann")
    await passing(60)
    other = "".join(f"{number * 7919:x} entirely {number:b}\n" for number in range(60))
    outside(story, other)
    assert await settled(story, ann) == other
    assert not [name for name in story.files.paths() if "conflict" in name]


@pytest.mark.parametrize(
    ("read", "typed", "body"),
    [
        ("one\n", "what people wrote since, and saved\n", "a program wrote quite another text\n"),
        ("", "all that people wrote\n", "a program wrote quite another text\n"),
        ("one\n", "", "2\n"),
        (STORY[:300], STORY[300:], "".join(f"{number}: nothing of that\n" for number in range(40))),
    ],
)
async def test_a_file_that_is_another_one_now_is_what_the_program_wrote_however_short_it_was_once(
    stage: Stage, read: str, typed: str, body: str
) -> None:
    """MERGE-4: an older body is not what the program had read because there is less in it to be missed."""
    stage.files.poke(PATH, read.encode())
    ann = await stage.guest("Ann")
    ann.append(typed)
    await passing(30)
    assert stage.file() == read + typed
    outside(stage, body)
    assert await settled(stage, ann) == body
    assert not [name for name in stage.files.paths() if "conflict" in name]


async def test_a_program_that_adds_to_a_short_text_that_it_had_read_takes_out_no_word(stage: Stage) -> None:
    """MERGE-2: however little that is of what it writes."""
    ann = await stage.guest("Ann")
    ann.append("what people wrote since, and saved\n")
    await passing(30)
    outside(stage, "all that a program has to say comes before\none\n")
    assert await settled(stage, ann) == "all that a program has to say comes before\none\nwhat people wrote since, and saved\n"


@pytest.mark.parametrize("read", ["", "# Title\n", "one paragraph that was here from the beginning\n"])
@pytest.mark.parametrize("kept", [slice(8, 12), slice(2, 5), slice(6, 7), slice(11, 3, -3)], ids=str)
@pytest.mark.parametrize("typing", ["", "somebody goes on\n"])
async def test_what_a_program_leaves_of_what_people_wrote_is_there_once_although_it_takes_out_most_of_it(
    stage: Stage, read: str, kept: slice, typing: str
) -> None:
    """MERGE-2: from the document's short beginning less was changed, but what is left would have been written twice."""
    rows = [f"{number}: a line of {fruit} that somebody wrote\n" for number, fruit in enumerate(FRUITS)]
    stage.files.poke(PATH, read.encode())
    ann = await stage.guest("Ann")
    ann.append("".join(rows))
    await passing(30)
    ann.append(typing)
    outside(stage, read + "".join(rows[kept]))
    text = await settled(stage, ann)
    assert text.replace(typing, "") == read + "".join(rows[kept])
    assert text.count("somebody goes on") == bool(typing)


async def test_a_file_that_is_seen_half_written_loses_nothing(story: Stage) -> None:
    """MERGE-5: the beginning of a body was merged, then the rest of it comes."""
    ann = await story.guest("Ann")
    await passing(30)
    half = STORY[: STORY.index("Line 16")]
    outside(story, half)
    await passing(20)
    assert ann.text == half
    ann.append("typing ")
    outside(story, STORY + "and the end\n")
    text = await settled(story, ann)
    assert sorted(text.split()) == sorted((STORY + "typing and the end\n").split())


@pytest.mark.parametrize("moment", ["append", "named", "checked", "exchanged"])
@pytest.mark.parametrize("part", [0.0, 0.5])
async def test_a_save_that_meets_a_file_in_the_middle_of_being_written_waits_for_its_writer(story: Stage, moment: str, part: float) -> None:
    """MERGE-5: truncated, then written by a program that had read before our last save; no word goes, whenever our own save comes between."""
    ann = await story.guest("Ann")
    ann.type("before ")
    await passing(15)
    body = (STORY[:100] + "outside " + STORY[100:]).encode()
    begun = asyncio.Event()

    async def truncate(word: str) -> None:
        if word == moment and not begun.is_set():
            begun.set()
            story.files.rewrite(node, body[: int(len(body) * part)])

    node = story.files.open(PATH)
    story.before = truncate
    ann.append("typed ")
    story.rooms.noticed(story.host().id)
    await begun.wait()
    await passing(0.9)
    story.files.rewrite(node, body)
    text = await settled(story, ann)
    assert text == "before " + STORY[:100] + "outside " + STORY[100:] + "typed "


@pytest.mark.parametrize(("chunk", "pause"), [(1, 0.01), (1, 0.3), *product([200, 4096, -2], [0.1, 0.7, 3.0]), (4096, 4.0), (10, 3.0)])
async def test_a_program_that_writes_a_piece_at_a_time_with_pauses_is_waited_for(story: Stage, chunk: int, pause: float) -> None:
    """MERGE-5: in pieces of so many bytes, one after the other for minutes, or half of the file; people type meanwhile, and nobody's caret has to
    jump.
    """
    ann = await story.guest("Ann")
    await passing(15)
    long = STORY * (1 if chunk < 4096 else 8)
    if long != STORY:
        outside(story, long)
        await passing(10)
    body = (long[:100] + "outside " + long[100:]).encode()
    step = len(body) // -chunk if chunk < 0 else chunk
    node = story.files.open(PATH)
    anchor = ann.replica.text.sticky_index(len(long) - 3)
    for end in range(0, len(body) + step, step):
        story.files.rewrite(node, body[:end])
        story.rooms.noticed(story.host().id)
        await passing(pause)
        ann.type(f"t{end} ")
    text = await settled(story, ann)
    typed = "".join(f"t{end} " for end in reversed(range(0, len(body) + step, step)))
    assert text == typed + body.decode()
    assert anchor.get_index() == len(text) - 3


async def test_what_two_writers_did_alike_in_one_place_is_there_once(story: Stage) -> None:
    """MERGE-6."""
    ann = await story.guest("Ann")
    at = STORY.index("story")
    ann.erase(at, at + 5)
    ann.type("tale", at)
    outside(story, STORY.replace("story", "tale", 1) + "outside\n")
    text = await settled(story, ann)
    assert text == STORY.replace("story", "tale", 1) + "outside\n"
    await story.restart()
    again = await story.guest("Ann")
    assert again.text == text
    outside(story, text.replace("tale", "novel", 1))
    assert (await settled(story, again)).startswith("Line 1 of a novel")


async def test_line_ends_that_somebody_else_brought_meanwhile_stay_as_they_are(story: Stage) -> None:
    """TEXT-2 and MERGE-7: a writer decides the line ends of what it had read, no others."""
    first = STORY.replace("\n", "\r\n")
    story.files.poke(PATH, first.encode())
    ann = await story.guest("Ann")
    digest = sha256(first.encode()).hexdigest()
    await story.documents.put(PATH, (first + "Bob\nBob\r\n").encode(), if_match=digest, writer=person("Bob"))
    ann.type("typed ")
    await passing(60)
    one = first.replace("Line 7 of a story that everybody writes together.\r\n", "Line 7.\n")
    await story.documents.put(PATH, one.encode(), if_match=digest, writer=person("Cleo"))
    await settled(story, ann)
    assert story.file() == "typed " + one + "Bob\nBob\r\n"
    await story.restart()
    assert (await story.guest("Dora")).text == story.file().replace("\r", "")
    assert story.host().body().decode() == story.file()


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("changed", [False, True], ids=["the same", "another body"])
async def test_line_ends_stay_when_somebody_types_while_a_body_is_merged(stage: Stage, *, changed: bool, torn: bool) -> None:
    """TEXT-2, HISTORY-3: what is typed then is in the text, and not in what was merged; also where a character is cut in two."""
    first = "one\r\n😀 two\nthree\r\n"
    stage.files.poke(PATH, first.encode())
    ann = await stage.guest("Ann")
    ann.type("typed ")
    await soon()
    document = stage.host().room.document
    at = var_uint(document.lineage)
    half = document.text().index("😀") - len("typed ") + 1
    cut = b"\x01\x01\x07\x00\xc4" + at + var_uint(half) + at + var_uint(half + 1) + b"\x01x\x00"

    async def type_meanwhile(word: str) -> None:
        if word == "append":
            stage.before = None
            ann.append("meanwhile\n")
            if torn:
                ann.send(protocol.update(cut))
            await passing(0.1)

    stage.before = type_meanwhile
    body = first.replace("three", "3") if changed else first
    await stage.documents.put(PATH, body.encode(), if_match=sha256(first.encode()).hexdigest(), writer=person("Bob"))
    expected = "typed " + body.replace("😀", "\ufffdx\ufffd" if torn else "😀") + "meanwhile\r\n"
    assert await settled(stage) == expected
    await stage.crash()
    await stage.guest("Cleo")
    assert stage.host().body().decode() == expected


async def test_somebody_who_says_what_was_read_is_merged_from_that(story: Stage) -> None:
    """MERGE-7."""
    ann = await story.guest("Ann")
    digest = sha256(STORY.encode()).hexdigest()
    ann.type("new ")
    await passing(60)
    stat, more = await story.documents.put(PATH, (STORY + "put\n").encode(), if_match=digest, writer=person("Bob"))
    await soon()
    assert more
    assert ann.text == "new " + STORY + "put\n"
    assert stat.etag == sha256(ann.text.encode()).hexdigest()
    with pytest.raises(Changed):
        await story.documents.put(PATH, b"x", if_match="0" * 64, writer=person("Bob"))
    assert await settled(story, ann) == "new " + STORY + "put\n"


async def test_what_was_given_while_somebody_typed_is_a_base_also_after_a_crash(story: Stage) -> None:
    """MERGE-7."""
    ann = await story.guest("Ann")
    ann.type("given ")
    stat, body = await story.documents.content(PATH)
    assert body.decode() == "given " + STORY
    ann.type("later ", 0)
    await soon()
    await story.crash()
    again = await story.guest("Ann")
    await story.documents.put(PATH, body + b"put\n", if_match=stat.etag, writer=person("Bob"))
    assert await settled(story, again) == "later given " + STORY + "put\n"


async def test_what_is_given_is_known_also_when_somebody_types_at_that_moment(story: Stage) -> None:
    """MERGE-7."""
    ann = await story.guest("Ann")
    ann.type("given ")
    await soon()

    async def type_meanwhile(word: str) -> None:
        if word == "append":
            story.before = None
            ann.type("meanwhile ")
            await passing(0.1)

    story.before = type_meanwhile
    stat, body = await story.documents.content(PATH)
    ann.type("then ")
    await story.documents.put(PATH, body + b"put\n", if_match=stat.etag, writer=person("Bob"))
    assert await settled(story, ann) == "then meanwhile given " + STORY + "put\n"


async def test_what_is_given_while_a_program_is_merged_takes_out_nothing_of_it(story: Stage) -> None:
    """MERGE-7: the merge is in the log, and not in the text yet."""
    ann = await story.guest("Ann")
    ann.type("typed ")
    await soon()
    given: list[asyncio.Task[tuple[object, bytes]]] = []

    async def read_meanwhile(word: str) -> None:
        if word == "append":
            story.before = None
            given.append(asyncio.ensure_future(story.documents.content(PATH)))
            await passing(0.1)

    story.before = read_meanwhile
    outside(story, STORY + "outside\n")
    await passing(1.5)
    _, body = await given[0]
    await story.documents.put(PATH, body + b"put\n", if_match=sha256(body).hexdigest(), writer=person("Bob"))
    text = await settled(story, ann)
    assert sorted(text.split()) == sorted(("typed " + STORY + "outside\nput\n").split())


async def test_a_file_that_returns_as_it_was_is_the_same_document_however_much_was_typed_meanwhile(story: Stage) -> None:
    """FILE-8, MERGE-9: with a line more."""
    ann = await story.guest("Ann")
    known = story.host().id
    await passing(5)
    story.files.remove(PATH)
    story.rooms.noticed(known)
    await passing(5)
    typed = "".join(f"{number * 7919:x} entirely {number:b}\n" for number in range(200))
    ann.append(typed)
    await passing(5)
    outside(story, "more\n" + STORY)
    assert await settled(story, ann) == "more\n" + STORY + typed
    assert (await story.documents.find(PATH)).id == known


async def test_the_same_body_twice_is_one_edit(story: Stage) -> None:
    """MERGE-7: a script that lost the answer says it again."""
    ann = await story.guest("Ann")
    digest = sha256(STORY.encode()).hexdigest()
    ann.type("new ")
    for _ in range(3):
        await story.documents.put(PATH, (STORY + "put\n").encode(), if_match=digest, writer=person("Bob"))
    assert await settled(story, ann) == "new " + STORY + "put\n"


async def test_the_same_body_again_is_one_edit_also_when_what_was_read_stood_there_twice(story: Stage) -> None:
    """MERGE-7: a request is repeated after what it names was restored; who reads it anew and writes the same makes a new edit."""
    ann = await story.guest("Ann")
    document = story.host().id
    ann.type("x ")
    await soon()
    await story.documents.restore(document, STORY.encode(), number=1, writer=person("Cleo"))
    digest, body = sha256(STORY.encode()).hexdigest(), (STORY + "put\n").encode()
    await story.documents.put(PATH, body, if_match=digest, writer=person("Bob"))
    await soon()
    ann.append("more\n")
    await passing(20)
    await story.documents.put(PATH, body, if_match=digest, writer=person("Bob"))
    assert await settled(story, ann) == STORY + "put\nmore\n"
    ann.erase(len(STORY), len(ann.text))
    await soon()
    stat, _ = await story.documents.content(PATH)
    assert stat.etag == digest
    await story.documents.put(PATH, body, if_match=digest, writer=person("Bob"))
    assert await settled(story, ann) == STORY + "put\n"


async def test_a_base_from_before_a_checkpoint_is_still_known(story: Stage) -> None:
    """MERGE-8."""
    ann = await story.guest("Ann")
    digest = sha256(STORY.encode()).hexdigest()
    dice = random.Random(3)
    for _ in range(6):
        ann.type(dice.randbytes(40_000).hex() + "\n")
        await passing(11)
    records = (await story.journal.load(story.host().id)).records
    assert Kind.SEED not in {record.kind for _, record in records}
    await story.restart()
    again = await story.guest("Ann")
    before = again.text
    await story.documents.put(PATH, (STORY + "put\n").encode(), if_match=digest, writer=person("Bob"))
    assert await settled(story, again) == before + "put\n"


async def test_a_text_that_shrinks_without_an_edit_that_says_why_is_not_in_the_file(story: Stage) -> None:
    """GUARD-1."""
    ann = await story.page("Ann")
    await passing(5)
    host = story.host()
    emptied = host.room.document
    emptied.edit([])
    host.writer = lambda: bytes  # type: ignore[method-assign]
    ann.append("x")
    await passing(30)
    assert story.file() == STORY
    assert ann.file() == "failed"
    (copy,) = [name for name in story.files.paths() if "kept" in name]
    assert story.files.peek(copy) == b""
    assert [notice["kind"] for notice in ann.notices] == ["kept"]


async def test_a_text_that_people_empty_is_empty_in_the_file(story: Stage) -> None:
    """GUARD-1."""
    ann = await story.guest("Ann")
    await passing(5)
    ann.erase(0, len(STORY))
    await passing(30)
    assert story.file() == ""


async def test_what_people_took_out_before_a_crash_is_out_of_the_file_after_it(story: Stage) -> None:
    """GUARD-1."""
    ann = await story.guest("Ann")
    await passing(5)
    ann.erase(0, len(STORY) - 100)
    await soon()
    assert story.file() == STORY
    await story.crash()
    await passing(30)
    assert story.file() == STORY[-100:]


async def test_what_people_took_out_stays_out_when_a_program_comes_that_had_read_it_before(story: Stage) -> None:
    """GUARD-1, MERGE-2: also when the program came while the server was away."""
    ann = await story.guest("Ann")
    await passing(5)
    ann.erase(0, len(STORY) - 100)
    await passing(60)
    assert story.file() == STORY[-100:]
    outside(story, STORY + "more\n")
    assert await settled(story, ann) == STORY[-100:] + "more\n"
    await story.stop()
    story.files.poke(PATH, (STORY + "more\nlast\n").encode())
    await story.start()
    await passing(2)
    again = await story.guest("Ann")
    assert await settled(story, again) == STORY[-100:] + "more\nlast\n"
    assert not [name for name in story.files.paths() if "kept" in name]


async def test_a_file_that_is_deleted_outside_leaves_the_text_in_the_room_until_somebody_puts_it_back(story: Stage) -> None:
    """MERGE-9."""
    ann = await story.page("Ann")
    known = story.host().id
    await passing(5)
    story.files.remove(PATH)
    story.rooms.noticed(known)
    await passing(5)
    assert ann.file() == "gone"
    ann.append("still here")
    await passing(30)
    assert ann.file() == "gone"
    await story.documents.put_back(known)
    assert await settled(story, ann) == STORY + "still here"
    assert story.host().id == known
    assert [notice["kind"] for notice in ann.notices] == ["gone", "back"]


async def test_what_is_typed_while_a_file_is_put_back_is_saved_next_and_nobody_is_told_before_that_it_is_in_the_file(story: Stage) -> None:
    """MERGE-9, SAVE-4."""
    ann = await story.page("Ann")
    known = story.host().id
    await passing(5)
    story.files.remove(PATH)
    story.rooms.noticed(known)
    await passing(60)

    async def typing(word: str) -> None:
        if word == "created":
            ann.type("typed meanwhile ")
            ann.erase(40, len(ann.replica.text))
            await soon()

    story.before = typing
    await story.documents.put_back(known)
    story.before = None
    await soon()
    assert (story.file(), ann.file()) == (STORY, "pending")
    await passing(5)
    assert (story.file(), ann.file()) == (ann.text, "saved")


async def test_a_crash_behind_putting_a_file_back_loses_and_doubles_nothing_although_a_program_writes_it_meanwhile(story: Stage) -> None:
    """MERGE-9, SAVE-3: what is written in the place of nothing displaces nothing that would tell that it was written."""
    ann = await story.page("Ann")
    known = story.host().id
    await passing(5)
    story.files.remove(PATH)
    story.rooms.noticed(known)
    words = "".join(f"w{number} " for number in range(100))
    ann.type(words)
    await passing(5)
    back = asyncio.ensure_future(story.documents.put_back(known))
    while PATH not in story.files.paths():
        await passing(0)
    story.journal.refuse("the power goes")
    await story.crash()
    back.cancel()
    assert story.file() == words + STORY
    story.files.poke(PATH, f"outside {words}{STORY}".encode())
    await passing(5)
    again = await story.guest("Ann")
    again.append("more")
    assert await settled(story, again) == f"outside {words}{STORY}more"


async def test_each_body_that_the_file_held_is_a_version(story: Stage) -> None:
    """HISTORY-1."""
    ann = await story.guest("Ann")
    await passing(5)
    ann.type("one ")
    await passing(11)
    outside(story, "one " + STORY + "outside\n")
    await passing(11)
    ann.type("two ")
    await settled(story, ann)
    found = await story.archive.versions.list(story.host().id)
    assert [version.source for version in found] == ["save", "outside", "save", "first"]
    bodies = [(await story.archive.versions.read(story.host().id, version.number))[1].decode() for version in found]
    assert bodies == ["two one " + STORY + "outside\n", "one " + STORY + "outside\n", "one " + STORY, STORY]
    assert [version.writers for version in found] == [("ann",), (), ("ann",), ()]
