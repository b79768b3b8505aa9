"""Places in HTML that are filled in after it was sanitised, marked by characters that no text may have (Unicode, section 23.7, noncharacters)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WORD, _END, _WITH, _INSERT, _DONE = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3", "\ufdd4"
_NONE: Final = dict.fromkeys([*range(0xFDD0, 0xFDF0), 0], "\ufffd")
_WORDS: Final = re.compile(f'{_WORD}([a-z.]+)(?:{_WITH}([^<>"&{_WORD}-{_DONE}]*))?{_END}')
_FORBIDDEN: Final = re.compile('[<>&"]')
"""What is said within words stands in attributes, too."""
_INSERTS: Final = re.compile(f"{_INSERT}(\\d+){_DONE}")
_INSERTED: Final = re.compile(f"[{_INSERT}{_DONE}]")


def unmarked(text: str) -> str:
    """An author's text, which has no marks."""
    return text.translate(_NONE)


def word(key: str, said: str = "") -> str:
    """Stands for words of the catalogue, with something said in them; in text and in attributes."""
    plain = _FORBIDDEN.sub("", unmarked(said))
    return f"{_WORD}{key}{_WITH}{plain}{_END}" if said else f"{_WORD}{key}{_END}"


def spoken(markup: str, words: Mapping[str, str]) -> str:
    """Markup with the words of one language."""
    return _WORDS.sub(lambda found: html.escape(words.get(found[1], found[1]).replace("{}", found[2] or "")), markup)


def has_insert(value: str) -> bool:
    """Whether a value has the mark of an insert: in an attribute it would break out of it."""
    return _INSERTED.search(value) is not None


class Inserts:
    """Markup of our own making, which no sanitiser needs to look at: formulas, coloured code."""

    def __init__(self) -> None:
        self._all: list[str] = []

    def add(self, markup: str) -> str:
        """What stands for it in text."""
        self._all.append(markup)
        return f"{_INSERT}{len(self._all) - 1}{_DONE}"

    def fill(self, markup: str) -> str:
        """Markup that was sanitised, with all inserts. An author who writes marks by numbers (`&#xFDD3;`) gets an insert of the document once more."""
        inserts: Sequence[str] = self._all
        return _INSERTS.sub(lambda found: inserts[int(found[1])] if len(found[1]) < 9 and int(found[1]) < len(inserts) else "", markup)
