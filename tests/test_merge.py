"""TEXT-5, TEXT-6: what changed between two texts."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Text
from scale import scale
from scripts import CLUSTERS, steady, texts, whole_clusters

from collab import merge
from collab.merge import Edit, edits, nearness


def applied(base: str, changes: list[Edit]) -> str:
    body = base.encode()
    for start, stop, text in reversed(changes):
        body = body[:start] + text.encode() + body[stop:]
    return body.decode()


def document(text: str) -> tuple[Doc[Text], Text]:
    doc: Doc[Text] = Doc()
    doc["content"] = content = Text(text)
    return doc, content


def fork(doc: Doc[Text]) -> tuple[Doc[Text], Text]:
    other: Doc[Text] = Doc()
    other["content"] = content = Text()
    other.apply_update(doc.get_update())
    return other, content


def write(content: Text, changes: list[Edit]) -> None:
    for start, stop, text in reversed(changes):
        del content[start:stop]
        content.insert(start, text)


def borders(text: str) -> set[int]:
    """UTF-8 offsets between grapheme clusters."""
    places, place = {0}, 0
    for cluster in regex.findall(r"\X", text):
        place += len(cluster.encode())
        places.add(place)
    return places


def torn(base: str, new: str, changes: list[Edit]) -> list[Edit]:
    """The edits that begin or end inside a grapheme cluster of either text."""
    in_base, in_new = borders(base), borders(new)
    found, shift = [], 0
    for start, stop, text in changes:
        end = start + shift + len(text.encode())
        if not ({start, stop} <= in_base and {start + shift, end} <= in_new):
            found.append(Edit(start, stop, text))
        shift = end - stop
    return found


def cost(changes: list[Edit]) -> int:
    return sum(stop - start + len(text.encode()) for start, stop, text in changes)


def mutated(seed: int, lines: list[str], count: int) -> list[str]:
    """`lines` with a word changed, a line put in or a line taken out, `count` times, far from each other."""
    source, new = random.Random(seed), lines[:]
    for place in sorted(source.sample(range(len(lines) // 10), count), reverse=True):
        here = place * 10
        words = new[here].split(" ")
        words[source.randrange(len(words) - 1)] = "changed"
        new[here : here + 1] = source.choice([[" ".join(words)], ["put in\n", new[here]], []])
    return new


def prose(seed: int, size: int) -> list[str]:
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _ in range(5000)]
    lines = []
    while size > 0:
        lines.append(" ".join(source.choices(words, k=12)) + "\n")
        size -= len(lines[-1])
    return lines


# What the edits are


@steady
@given(texts, texts)
def test_text_6_the_edits_of_any_two_texts_make_the_second_of_the_first(base: str, new: str) -> None:
    assert applied(base, edits(base, new)) == new


@steady
@given(whole_clusters, st.data())
def test_text_6_the_edits_of_a_changed_text_are_ascending_and_apart(clusters: list[str], data: st.DataObject) -> None:
    changed = clusters[:]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed)))
        changed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.lists(st.sampled_from(CLUSTERS), max_size=3))
    base, new = "".join(clusters), "".join(changed)
    found = edits(base, new)
    assert applied(base, found) == new
    ends = [-1, *(place for edit in found for place in edit[:2])]
    assert all(stop < start for stop, start in zip(ends[::2], ends[1::2], strict=False))
    assert all(start < stop or text for start, stop, text in found)


@steady
@given(texts)
def test_text_6_equal_text_is_no_edit(text: str) -> None:
    assert edits(text, text) == []


@steady
@given(texts, texts)
def test_text_5_no_edit_tears_a_cluster_of_either_text(base: str, new: str) -> None:
    assert torn(base, new, edits(base, new)) == []


@settings(steady, max_examples=scale(50, 500))
@given(texts, texts, st.integers(0, 200))
def test_text_5_also_inside_of_long_lines_no_cluster_is_torn(one: str, other: str, fill: int) -> None:
    line = "日本 words, слова " * 250
    base, new = line + one + line[:fill] + line, line + other + line[fill:] + line
    found = edits(base, new)
    assert applied(base, found) == new
    assert torn(base, new, found) == []


@pytest.mark.parametrize(
    ("base", "new", "changes"),
    [
        ("", "new", [(0, 0, "new")]),
        ("old", "", [(0, 3, "")]),
        ("alpha beta gamma", "alpha beta GAMMA!", [(11, 16, "GAMMA!")]),
        ("alpha beta gamma", "alpha beta beta gamma", [(11, 11, "beta ")]),
        ("colour", "color", [(4, 5, "")]),
        ("cat", "cats", [(3, 3, "s")]),
        ("the cat sat on the mat", "the dog sat on a mat", [(4, 7, "dog"), (15, 18, "a")]),
        ("1,2,3\n", "4,2,5\n", [(0, 1, "4"), (4, 5, "5")]),
        ("one two three", "foo bar baz", [(0, 13, "foo bar baz")]),
        ("ab cd\n", "ab ce\nab cd\n", [(0, 0, "ab ce\n")]),
        ("p1\n\np2\n", "p1\n\nnew\n\np2\n", [(4, 4, "new\n\n")]),
        ("  x = 1\n  y = 2\n", "    x = 1\n    y = 2\n", [(2, 2, "  "), (10, 10, "  ")]),
        ("the quick fox\njumps over\n", "the quick\nfox jumps over\n", [(9, 10, "\n"), (13, 14, " ")]),
        ("a\nb\nc\n", "a\nc\n", [(2, 4, "")]),
        ("no end", "no end\n", [(6, 6, "\n")]),
        ("snake_case_name", "snake_cool_name", [(7, 10, "ool")]),
        ("e", "e\u0301", [(0, 1, "e\u0301")]),
        ("e\u0301tude", "etude", [(0, 3, "e")]),
        ("\u0301abc", "e\u0301abc", [(0, 2, "e\u0301")]),
        ("👨‍👩‍👧", "👨‍👩‍👦", [(0, 18, "👨‍👩‍👦")]),
        ("🇩🇪🇫🇷", "🇩🇪🇮🇹", [(8, 16, "🇮🇹")]),
        ("🇩🇪🇫🇷", "🇫🇷", [(0, 8, "")]),
        ("👍", "👍🏽", [(0, 4, "👍🏽")]),
        ("❤", "❤️", [(0, 3, "❤️")]),
        ("😀", "😁", [(0, 4, "😁")]),
        ("각", "간", [(0, 3, "간")]),
        ("\u1112\u1161", "\u1112\u1161\u11ab", [(0, 6, "\u1112\u1161\u11ab")]),
        ("日本語テキスト", "日本テキスト新", [(6, 9, ""), (21, 21, "新")]),
        ("שלום עולם", "שלום גדול עולם", [(9, 9, "גדול ")]),
        ("привет мир", "привет, мир", [(12, 12, ",")]),
        ("สวัสดีครับ", "สวัสดีค่ะ", [(18, 30, "ค่ะ")]),
    ],
)
def test_text_6_these_are_the_edits_that_a_person_would_name(base: str, new: str, changes: list[tuple[int, int, str]]) -> None:
    assert edits(base, new) == changes


@pytest.mark.parametrize("gap", ["\n", " ", ""])
def test_text_6_small_changes_of_a_large_text_are_small_edits(gap: str) -> None:
    lines = [line.replace("\n", gap) for line in prose(1, 300_000)]
    new = "".join(lines[:40]) + "INSERTED " + "".join(lines[40:2000]) + "ANOTHER " + "".join(lines[2000:-1]) + "END"
    base = "".join(lines)
    found = edits(base, new)
    assert applied(base, found) == new
    assert cost(found) <= len("INSERTED ANOTHER END") + len(lines[-1])


def test_text_6_a_hundred_changes_are_about_a_hundred_small_edits() -> None:
    base = prose(2, 400_000)
    new = mutated(3, base, 100)
    found = edits("".join(base), "".join(new))
    assert applied("".join(base), found) == "".join(new)
    assert len(found) <= 100
    assert cost(found) <= 100 * max(map(len, base))


@pytest.mark.parametrize("lost", [0, 10])
def test_text_6_a_change_in_each_line_is_a_small_edit_of_each_line(lost: int) -> None:
    base = [f"{number},{number * 7919 % 1000},0,0,name{number % 50}\n" for number in range(5000)]
    new = [line.replace(",0,0,", ",0,1,") for line in base]
    del new[2500 : 2500 + lost]
    found = edits("".join(base), "".join(new))
    assert applied("".join(base), found) == "".join(new)
    assert cost(found) <= 2 * len(new) + sum(map(len, base[2500 : 2500 + lost])) + 100


def test_text_6_indenting_every_line_keeps_every_word() -> None:
    base = "".join(prose(4, 300_000))
    found = edits(base, base.replace("\n", "\n    "))
    assert sum(stop - start for start, stop, _ in found) == 0


# Merged three ways


def test_text_6_an_outside_edit_and_a_live_edit_are_both_kept() -> None:
    live, content = document("alpha beta gamma")
    outside, forked = fork(live)
    content.insert(6, "BRAVE ")
    write(forked, edits("alpha beta gamma", "alpha beta GAMMA!"))
    live.apply_update(outside.get_update(live.get_state()))
    assert str(content) == "alpha BRAVE beta GAMMA!"


@steady
@given(texts, texts)
def test_text_5_pycrdt_takes_the_edits_by_their_bytes(base: str, new: str) -> None:
    _, content = document(base)
    write(content, edits(base, new))
    assert str(content) == new


@steady
@given(whole_clusters, st.data())
def test_text_6_what_two_people_put_in_is_there_once_and_whole(clusters: list[str], data: st.DataObject) -> None:
    ours, theirs = (data.draw(st.integers(0, len(clusters))) for _ in range(2))
    base = "".join(clusters)
    new = "".join([*clusters[:theirs], "[outside]", *clusters[theirs:]])
    place = len("".join(clusters[:ours]).encode())
    assume(place in borders(base))
    live, content = document(base)
    outside, forked = fork(live)
    content.insert(place, "[live]")
    write(forked, edits(base, new))
    live.apply_update(outside.get_update(live.get_state()))
    merged = str(content)
    assert merged.count("[live]") == 1
    assert merged.replace("[live]", "") == new


@steady
@given(texts, texts, st.data())
def test_text_6_words_typed_meanwhile_are_never_lost(base: str, new: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(sorted(borders(base))))
    live, content = document(base)
    outside, forked = fork(live)
    content.insert(place, "[live]")
    write(forked, edits(base, new))
    live.apply_update(outside.get_update(live.get_state()))
    assert str(content).replace("[live]", "", 1) == new


# The same everywhere, in bounded time

BOUNDS = {"_EXACT": 6, "_PAIRED": 12, "_PHRASED": 6, "_REACH": 5, "_REACHES": (2, 4, 8, 16), "_PIECE": 3, "_REFINED": 8, "_SAMPLED": 16}


@steady
@given(texts, texts, st.lists(texts, max_size=4), st.sampled_from([0, 300, 20_000, 1 << 28]))
def test_text_6_the_edits_are_right_wherever_the_bounds_are(one: str, other: str, between: list[str], work: int) -> None:
    base = "".join(text + one for text in between)
    new = "".join(text + other for text in between)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**BOUNDS, "_WORK": work}.items():
            patch.setattr(merge, name, value)
        found = edits(base, new)
        near = nearness(base, new)
    assert applied(base, found) == new
    assert torn(base, new, found) == []
    assert (near == 1) == (base == new)
    assert 0 <= near <= 1


def test_text_6_every_process_finds_the_same_edits() -> None:
    script = (
        "import random; from collab.merge import edits; r = random.Random(5); "
        "a, b = (''.join(r.choice(['w%d ' % r.randrange(900), 'x\\n', 'é ']) for _ in range(20000)) for _ in 'ab'); "
        "print(hash(tuple(map(tuple, ((s, e, len(t)) for s, e, t in edits(a, b))))))"
    )
    answers = {
        subprocess.run([sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def chaos(seed: int, alphabet: list[str], size: int) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=size))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a\n", "b\n"], ["a\n", "b\n"]),
        (["a", "b", " "], ["a", "b", " "]),
        (["a", "b", " ", ",", "\n"], ["a", "b", " ", ",", "\n"]),
        (["日", "本", "語", "に", "は"], ["は", "日", "本", "い", "ろ"]),
        (["привет ", "мир ", "да\n"], ["мир ", "нет ", "да\n"]),
        (["🇩", "🇪"], ["🇪", "🇩🇫"]),
        (["e", "\u0301"], ["\u0301", "e", "x"]),
        (["a"], ["b"]),
    ],
    ids=["lines", "one line", "both", "cjk", "cyrillic", "flags", "marks", "nothing common"],
)
def test_text_6_texts_that_have_nothing_to_do_with_each_other_take_bounded_time(one: list[str], other: list[str]) -> None:
    size = scale(100_000, 500_000)
    base, new = chaos(1, one, size), chaos(2, other, size)
    started = time.process_time()
    found = edits(base, new)
    assert time.process_time() - started < 4
    if len(found) < 1000:
        assert applied(base, found) == new
    started = time.process_time()
    nearness(base, new)
    assert time.process_time() - started < 4


def test_text_6_a_few_changes_of_a_very_large_text_are_found_quickly() -> None:
    base = prose(6, scale(2_000_000, 10_000_000))
    new = mutated(7, base, 20)
    started = time.process_time()
    found = edits("".join(base), "".join(new))
    near = nearness("".join(base), "".join(new))
    assert time.process_time() - started < 1
    assert len(found) <= 20
    assert near > 0.99


# Nearness


@steady
@given(texts, texts)
def test_nearness_is_one_for_equal_texts_only(base: str, new: str) -> None:
    assert 0 <= nearness(base, new) <= 1
    assert (nearness(base, new) == 1) == (base == new)


@pytest.mark.parametrize("size", [3_000, 600_000])
def test_the_nearest_text_is_the_one_that_was_changed_least(size: int) -> None:
    base = prose(8, size)
    text = "".join(base)
    order = [
        text,
        "".join(mutated(9, base, 2)),
        "".join(base[: len(base) // 2]) + "".join(prose(10, size // 2)),
        "".join(prose(11, size)),
        "",
    ]
    scores = [nearness(text, other) for other in order]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)
    assert scores[2] == pytest.approx(0.5, abs=0.1)


def test_lines_that_moved_are_still_near() -> None:
    lines = prose(12, 50_000)
    assert nearness("".join(lines), "".join(lines[::-1])) > 0.95
