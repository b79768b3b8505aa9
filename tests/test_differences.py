"""How two texts differ, as people read it (HISTORY-2)."""

from __future__ import annotations

import random

import pytest

from collab.differences import Change, changes


def told(earlier: str, later: str) -> str:
    signs = {"same": "{}", "removed": "[-{}]", "added": "[+{}]"}
    return "".join(signs[change.kind].format(change.text) for change in changes(earlier, later))


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ("one two three", "one three three", "one [-two][+three] three"),
        ("the quick fox", "the quack fox", "the [-quick][+quack] fox"),
        ("cat", "cats", "cat[+s]"),
        ("hello wor", "hello world, you", "hello wor[+ld, you]"),
        ("cable", "able", "[-c]able"),
        ("x é y", "x è y", "x [-é][+è] y"),
        ("na\u00efve", "naive", "[-na\u00efve][+naive]"),
        ("今日は雨です", "今日は雪です", "今日は[-雨][+雪]です"),
        ("ฉันกินข้าว", "ฉันกินปลา", "ฉันกิน[-ข้][+ปล]า[-ว]"),
        ("a_b", "a_c", "a_[-b][+c]"),
        ("", "x", "[+x]"),
        ("x", "x", "x"),
        ("", "", ""),
    ],
)
def test_whole_words_are_exchanged(earlier: str, later: str, expected: str) -> None:
    """HISTORY-2."""
    assert told(earlier, later) == expected


def test_what_is_longer_than_a_word_is_none() -> None:
    assert told("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500) == "x" * 500 + "[-a][+b]" + "y" * 500


def test_both_texts_are_in_their_difference() -> None:
    """HISTORY-2."""
    chance = random.Random(7)
    words = ["a", "bc", "cat", "cats", " ", " ", "\n", "é", "e\u0301", "今", "日", "👨‍👩‍👧", "_", "-", "naïve", "\u200d"]

    for _ in range(500):
        earlier = [chance.choice(words) for _ in range(chance.randrange(30))]
        later = [each for each in earlier if chance.random() > 0.2]
        for _ in range(chance.randrange(4)):
            later.insert(chance.randrange(len(later) + 1), chance.choice(words))
        found = changes("".join(earlier), "".join(later))
        assert "".join(each.text for each in found if each.kind != "added") == "".join(earlier)
        assert "".join(each.text for each in found if each.kind != "removed") == "".join(later)
        assert all(isinstance(each, Change) and each.text for each in found)
