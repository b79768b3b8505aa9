"""A search over the files of a folder, while people edit them (LIMIT-6, JOURNAL-3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest
from runtime.stage import PATH, Stage, passing, soon

from collab.errors import TooMany, Unavailable
from collab.finding import Query
from collab.runtime.search import Bounds, Found, Search, Searched, Turn, Turns, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


async def at_once(act: Callable[[], T]) -> T:
    """Beside the loop, in a world where no time passes."""
    return act()


async def slowly(act: Callable[[], T]) -> T:
    await passing(1)
    return act()


def search(stage: Stage, words: str, where: Where = Where.ALL, bounds: Bounds | None = None, aside: object = at_once) -> Search:
    return Search(stage.rooms, stage.files, stage.documents, Query.of(words), where, bounds or Bounds(), aside)  # type: ignore[arg-type]


async def events(search: Search, folder: str = "") -> tuple[list[str], Searched]:
    """What was found, in order: paths, with the lines of those that were found by their text; and the end."""
    everything = [event async for event in search.below(folder)]
    end = everything.pop()
    assert isinstance(end, Searched)
    found = [event for event in everything if isinstance(event, Found)]
    return [":".join([each.stat.path, *(str(match.line) for match in each.matches)]) for each in found], end


@pytest.fixture
async def files(stage: Stage) -> Stage:
    """Some files, of several kinds."""
    for path, body in {
        "plan.md": b"nothing of it\n",
        "deep/er/Plan B.txt": b"one\r\nmore of the PLAN\r\n",
        "deep/table.csv": b"a,b\nplan,c\nplan,d\n",
        "deep/broken.txt": b"plan \xff",
        "deep/null.txt": b"plan \0",
        "deep/wide.txt": "plan".encode("utf-16"),
        "deep/marked.txt": b"\xef\xbb\xbfplan",
        "deep/planner.png": b"plan",
    }.items():
        stage.files.poke(path, body)
    return stage


async def test_names_come_first_then_texts_and_each_document_once(files: Stage) -> None:
    found, end = await events(search(files, "plan"))
    assert found == ["plan.md", "deep/planner.png", "deep/er/Plan B.txt", "deep/marked.txt:1", "deep/table.csv:2:3"]
    assert end == Searched(10, more=False)


async def test_names_or_texts_are_searched_alone(files: Stage) -> None:
    assert (await events(search(files, "plan", Where.NAME)))[0] == ["plan.md", "deep/planner.png", "deep/er/Plan B.txt"]
    found, end = await events(search(files, "plan", Where.CONTENT))
    assert found == ["deep/marked.txt:1", "deep/table.csv:2:3", "deep/er/Plan B.txt:2"]
    assert end == Searched(10, more=False)


async def test_a_folder_is_found_by_its_name_and_is_no_document(files: Stage) -> None:
    assert await events(search(files, "DEEP")) == (["deep"], Searched(10, more=False))
    assert (await events(search(files, "deep", Where.CONTENT)))[0] == []


async def test_only_what_is_below_the_folder_is_found_and_its_own_path_is_no_name(files: Stage) -> None:
    found, end = await events(search(files, "plan"), "deep/er")
    assert found == ["deep/er/Plan B.txt"]
    assert end.documents == 1
    assert (await events(search(files, "deep plan"), "deep/er"))[0] == []
    assert (await events(search(files, "er b"), "deep"))[0] == ["deep/er/Plan B.txt"]


async def test_words_may_be_part_in_the_name_and_part_in_the_text(files: Stage) -> None:
    assert (await events(search(files, "table plan")))[0] == ["deep/table.csv:2:3"]
    assert (await events(search(files, "table plan", Where.CONTENT)))[0] == []


async def test_a_text_that_is_too_large_to_be_edited_is_not_read(files: Stage) -> None:
    """LIMIT-1."""
    files.files.poke("large.txt", b"plan" + b"\n" * (2 * files.limits.text))
    found, end = await events(search(files, "plan", Where.CONTENT))
    assert "large.txt:1" not in found
    assert end == Searched(11, more=False)


async def test_a_search_ends_when_it_has_found_enough(files: Stage) -> None:
    """LIMIT-6."""
    found, end = await events(search(files, "plan", bounds=Bounds(documents=4)))
    assert found == ["plan.md", "deep/planner.png", "deep/er/Plan B.txt", "deep/marked.txt:1"]
    assert end.more
    assert (await events(search(files, "plan", bounds=Bounds(documents=5))))[1] == Searched(10, more=False)


async def test_a_search_ends_when_the_tree_is_too_large(files: Stage) -> None:
    """LIMIT-6."""
    found, end = await events(search(files, "plan", bounds=Bounds(entries=4)))
    assert found == ["plan.md"]
    assert end.more


async def test_a_search_ends_in_time_and_tells_meanwhile_how_far_it_is(files: Stage) -> None:
    """LIMIT-6."""
    started = asyncio.get_running_loop().time()
    everything = [event async for event in search(files, "plan", Where.CONTENT, Bounds(seconds=7.5), slowly).below("")]
    assert asyncio.get_running_loop().time() - started == 7.5
    assert everything[-1] == Searched(5, more=True)
    told = [event for event in everything if isinstance(event, Searched) and event.more is None]
    assert [event.documents for event in told] == sorted(event.documents for event in told)
    assert len(told) >= 3


async def test_what_a_room_has_is_found_before_the_file_has_it(files: Stage) -> None:
    ann = await files.guest("Ann")
    ann.append("a word\n")
    await soon()
    assert files.file() == "one\n"
    assert (await events(search(files, "word")))[0] == ["notes.md:2"]
    assert "notes.md:1" in (await events(search(files, "one", Where.CONTENT)))[0]
    ann.erase(0, 4)
    await soon()
    assert "notes.md:1" not in (await events(search(files, "one", Where.CONTENT)))[0]


async def test_what_the_journal_does_not_have_is_not_told_and_holds_up_nobody(files: Stage) -> None:
    """JOURNAL-3."""
    ann = await files.guest("Ann")
    files.journal.refuse("the disk is full")
    ann.append("plan\n")
    await soon()
    started = asyncio.get_running_loop().time()
    found, end = await events(search(files, "plan", Where.CONTENT))
    assert "notes.md:2" not in found
    assert "deep/table.csv:2:3" in found
    assert end.more
    assert asyncio.get_running_loop().time() - started == 2
    files.journal.refuse(None)
    await soon()
    assert "notes.md:2" in (await events(search(files, "plan", Where.CONTENT)))[0]


async def test_what_goes_away_during_a_search_is_passed_over(files: Stage) -> None:
    running = search(files, "plan", Where.CONTENT).below("")
    assert isinstance(first := await anext(running), Found)
    assert first.stat.path == "deep/marked.txt"
    files.files.remove("deep/table.csv")
    rest = [event async for event in running]
    assert [event.stat.path for event in rest if isinstance(event, Found)] == ["deep/er/Plan B.txt"]


async def test_a_storage_that_refuses_a_file_is_told_as_more(files: Stage) -> None:
    running = search(files, "plan", Where.CONTENT).below("")
    await anext(running)
    files.files.refusals["read"] = Unavailable("the disk refuses")
    rest = [event async for event in running]
    assert rest[-1] == Searched(10, more=True)


async def test_one_document_can_be_searched_alone(files: Stage) -> None:
    stat = await files.documents.find("deep/table.csv")
    everything = [event async for event in search(files, "plan").among([stat])]
    assert [event.stat.path for event in everything if isinstance(event, Found)] == ["deep/table.csv"]
    assert everything[-1] == Searched(1, more=False)


async def test_a_long_text_is_looked_at_step_by_step_beside_the_loop(stage: Stage) -> None:
    stage.files.poke("long.txt", b"hay\n" * 1_000_000 + b"needle\n")
    steps = 0

    async def counted(act: Callable[[], T]) -> T:
        nonlocal steps
        steps += 1
        return act()

    assert (await events(search(stage, "needle", aside=counted)))[0] == ["long.txt:1000001"]
    assert steps >= 4


async def test_a_search_that_is_cancelled_reads_nothing_more(files: Stage) -> None:
    looked: list[int] = []

    async def counted(act: Callable[[], T]) -> T:
        looked.append(1)
        await passing(1)
        return act()

    task = asyncio.create_task(events(search(files, "plan", Where.CONTENT, aside=counted)))
    await passing(3.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = len(looked)
    await passing(10)
    assert len(looked) == before


# --- turns


def begun(turns: Sequence[Turn]) -> list[int]:
    return [number for number, turn in enumerate(turns) if turn.begun.is_set()]


def test_a_person_has_few_searches_at_a_time_and_others_go_on() -> None:
    """LIMIT-6."""
    turns = Turns(each=2, together=3)
    each = [turns.turn(person) for person in "aaabcb"]
    assert begun(each) == [0, 1, 3]
    each[3].leave()
    assert begun(each) == [0, 1, 3, 4]
    each[0].leave()
    assert begun(each) == [0, 1, 2, 3, 4]
    each[1].leave()
    assert begun(each) == [0, 1, 2, 3, 4, 5]


def test_a_turn_that_nobody_waits_for_any_more_is_the_next_ones() -> None:
    turns = Turns(each=1, together=1)
    each = [turns.turn(person) for person in "abc"]
    each[1].leave()
    each[1].leave()
    assert begun(each) == [0]
    each[0].leave()
    each[0].leave()
    assert begun(each) == [0, 2]
    assert not turns.turn("d").begun.is_set()


def test_a_person_whose_searches_wait_starts_no_more() -> None:
    """LIMIT-6."""
    turns = Turns(each=1, together=4, waiting=2)
    each = [turns.turn("a") for _ in range(3)]
    with pytest.raises(TooMany):
        turns.turn("a")
    assert turns.turn("b").begun.is_set()
    each[2].leave()
    each.append(turns.turn("a"))
    assert begun(each) == [0]


async def test_two_files_of_the_stage_are_found(stage: Stage) -> None:
    assert (await events(search(stage, "one")))[0] == [f"{PATH}:1", "other.md:1"]
