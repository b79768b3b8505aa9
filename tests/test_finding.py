from __future__ import annotations

import random
import unicodedata

import pytest
import regex

from collab.errors import Malformed
from collab.finding import LINES, LONGEST, PIECE, WIDTH, WORDS, Hunt, Match, Query, fold


def hunt(words: str, *pieces: str) -> Hunt:
    """Everything that is found in a text that comes in these pieces."""
    query = Query.of(words)
    made = Hunt(query, set(query.words))
    for piece in pieces:
        made.feed(piece)
    made.end()
    return made


def shown(match: Match) -> list[str]:
    """What the ranges mark, as a browser counts."""
    units = match.text.encode("utf-16-le")
    return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in match.ranges]


def found(words: str, *pieces: str) -> list[tuple[int, list[str]]]:
    made = hunt(words, *pieces)
    return [(match.line, shown(match)) for match in made.matches] if made.found else []


# --- words


@pytest.mark.parametrize("nothing", ["", "  \t\n", "\u3000"])
def test_nothing_is_not_looked_for(nothing: str) -> None:
    with pytest.raises(Malformed, match="at least one word"):
        Query.of(nothing)


@pytest.mark.parametrize("much", ["x" * (LONGEST + 1), " ".join(map(str, range(WORDS + 1)))])
def test_too_much_is_refused(much: str) -> None:
    with pytest.raises(Malformed, match="at most"):
        Query.of(much)


def test_words_are_told_apart_by_space_and_count_once() -> None:
    assert Query.of("  Plan\u3000plan\tB ").words == ("plan", "b")


@pytest.mark.parametrize("pattern", [".*", "a|b", "[a-z]", "(a+)+$", "\\w"])
def test_what_somebody_types_is_never_a_pattern(pattern: str) -> None:
    assert found(pattern, "abc\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n") == []
    assert found(pattern, f"x {pattern} y") == [(1, [pattern])]


# --- names


@pytest.mark.parametrize(
    ("words", "path", "is_found"),
    [
        ("budget", "notes/Budget 2026.md", True),
        ("notes budget", "notes/Budget 2026.md", True),
        ("notes", "notes/Budget 2026.md", False),
        ("notes", "notes", True),
        ("budget 2025", "notes/Budget 2026.md", False),
        ("STRASSE", "Straße.md", True),
        ("Größe", unicodedata.normalize("NFD", "größe.md"), True),
        ("md", "a.MD", True),
    ],
)
def test_a_name_has_all_words_and_one_at_least_in_its_last_part(words: str, path: str, is_found: bool) -> None:
    assert Query.of(words).names(path) is is_found


# --- texts


def test_a_text_has_all_words_anywhere_and_its_lines_any() -> None:
    text = "Alpha and beta\nnothing\nBETA alone\n"
    assert found("beta alpha", text) == [(1, ["Alpha", "beta"]), (3, ["BETA"])]
    assert found("beta gamma", text) == []


def test_words_of_the_name_need_not_be_in_the_text() -> None:
    query = Query.of("budget travel")
    made = Hunt(query, set(query.missing("Budget.md")))
    made.feed("Travel: 100\n")
    made.end()
    assert made.found


@pytest.mark.parametrize(
    ("words", "line", "marked"),
    [
        ("strasse", "Die Straße hier", ["Straße"]),
        ("straße", "Die STRASSE hier", ["STRASSE"]),
        ("s", "aßa", ["ß"]),
        ("as", "aßa", ["aß"]),
        ("hier", "Straße hier", ["hier"]),
        ("x", "İİ x", ["x"]),
        ("İstanbul", "in i̇STANBUL", ["i̇STANBUL"]),
        ("tanbul", "İstanbul", ["tanbul"]),
        ("ΣΊΣΥΦΟΣ", "(Σίσυφος)", ["Σίσυφος"]),
        ("ffi", "oﬃce ffi", ["ﬃ", "ffi"]),
        ("café", "un cafe\u0301 noir", ["cafe\u0301"]),
        ("cafe\u0301", "un café noir", ["café"]),
        ("cafe", "café, cafe\u0301 and cafe", ["cafe"]),
        ("noir", "😀😀 noir", ["noir"]),
        ("😀", "a😀b", ["😀"]),
        ("aa", "aaaaa", ["aaaa"]),
        ("ab bc", "xabcx", ["abc"]),
    ],
)
def test_places_are_those_of_the_text_as_it_is_in_utf_16(words: str, line: str, marked: list[str]) -> None:
    (match,) = hunt(words, line).matches
    assert match.text == line
    assert shown(match) == marked


def test_ranges_are_in_order_and_apart() -> None:
    generator = random.Random(7)
    for _ in range(300):
        line = "".join(generator.choices("aAbß İé\u0301😀", k=generator.randrange(1, 60)))
        words = "".join(generator.choices("aAbß İé😀", k=generator.randrange(1, 5)))
        if not words.split():
            continue
        for match in hunt(words, line).matches:
            edges = [edge for pair in match.ranges for edge in pair]
            assert edges == sorted(set(edges))
            folded = [fold(word) for word in words.split()]
            assert all(any(word in fold(part) for word in folded) for part in shown(match))


# --- lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_editors_count_them(end: str) -> None:
    text = end.join(["one", "", "two\u2028still two\x0b\x85", "three"])
    assert found("still", text) == [(3, ["still"])]
    assert found("three", text) == [(4, ["three"])]


def test_at_most_so_many_lines_of_a_text_are_told_and_all_words_still_count() -> None:
    text = "common\n" * 1000
    assert [line for line, _ in found("common", text)] == list(range(1, LINES + 1))
    assert found("common rare", text) == []
    assert len(found("common rare", text + "rare")) == LINES


def test_a_text_is_looked_at_no_further_than_it_tells_something_new() -> None:
    query = Query.of("common")
    made = Hunt(query, set(query.words))
    made.feed("common\n" * LINES)
    assert made.over


@pytest.mark.parametrize("words", ["needle", "needle thread"])
def test_where_a_text_is_cut_into_pieces_makes_no_difference(words: str) -> None:
    generator = random.Random(11)
    text = "".join(generator.choices(["hay ", "needle", "thread", "\r\n", "\n", "\r", "é", "ß"], [60, 1, 1, 5, 5, 2, 5, 5], k=2000))
    whole = hunt(words, text)
    for _ in range(20):
        cuts = sorted(generator.choices(range(len(text)), k=generator.randrange(1, 60)))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert hunt(words, *pieces).matches == whole.matches


# --- long lines


def test_a_long_line_is_cut_around_the_first_match() -> None:
    line = "a " * 500 + "needle" + " z" * 500
    (match,) = hunt("needle", line).matches
    assert len(match.text) <= WIDTH
    assert match.text.startswith("…")
    assert match.text.endswith("…")
    assert shown(match) == ["needle"]


def test_a_match_at_either_end_of_a_long_line_has_its_surroundings() -> None:
    (first,) = hunt("needle", "needle" + " z" * 500).matches
    (last,) = hunt("needle", "a " * 500 + "needle").matches
    assert first.text.startswith("needle z")
    assert last.text.endswith("a needle")
    assert len(first.text) > WIDTH - 3
    assert len(last.text) > WIDTH - 3


@pytest.mark.parametrize("character", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0323", "한", "👍🏽", "\U0001d11e"])
@pytest.mark.parametrize("shift", range(5))
def test_no_character_is_torn_where_a_long_line_is_cut(character: str, shift: int) -> None:
    line = "x" * shift + character * 200 + "needle" + character * 200
    (match,) = hunt("needle", line).matches
    before, _, after = match.text.strip("…").partition("needle")
    assert before
    assert after
    assert set(regex.findall(r"\X", before)) == {character}
    assert set(regex.findall(r"\X", after)) == {character}
    assert shown(match) == ["needle"]


@pytest.mark.parametrize("place", [0, 100, PIECE - 3, PIECE, PIECE + 900, 2 * PIECE - 3, 3 * PIECE - 6])
@pytest.mark.parametrize("hay", ["h", "é"])
def test_a_line_without_end_is_searched_in_pieces_and_told_once(place: int, hay: str) -> None:
    text = hay * place + "needle" + hay * (3 * PIECE - 6 - place)
    made = hunt("needle", "first\n" + text + "\nneedle\n")
    assert [(match.line, shown(match)) for match in made.matches] == [(2, ["needle"]), (3, ["needle"])]
    assert len(made.matches[0].text) <= WIDTH


def test_all_words_of_a_line_without_end_count() -> None:
    assert len(found("alpha omega", "alpha" + "x" * 3 * PIECE + "omega")) == 1


def test_no_more_of_a_text_is_held_than_a_piece_and_a_line_of_bounded_length() -> None:
    query = Query.of("needle")
    made = Hunt(query, set(query.words))
    for _ in range(40):
        made.feed("x" * PIECE)
        assert len(made._rest) <= PIECE
