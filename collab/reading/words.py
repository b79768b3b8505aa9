"""What is said on the pages of readers, in each language. `{}` is something that is said in the words."""

from __future__ import annotations

import json
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("en", "de", "fr")


def _read(language: str) -> Mapping[str, str]:
    words: dict[str, str] = json.loads(files("collab.reading").joinpath(f"words.{language}.json").read_text("utf-8"))
    return MappingProxyType(words)


WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({language: _read(language) for language in LANGUAGES})


def language_of(*wishes: str) -> str:
    """The best of our languages for the first list of wishes (RFC 9110, section 12.5.4) that has one of them; English when none has."""
    return next(filter(None, map(_best, wishes)), "en")


def _best(accepted: str) -> str:
    wishes: list[tuple[float, int, str]] = []
    for number, part in enumerate(accepted.split(",")[:32]):
        tag, _, quality = part.strip().partition(";")
        name = tag.partition("-")[0].strip().lower()
        if name in WORDS:
            wishes.append((-_weight(quality), number, name))
    best = min(wishes, default=(0.0, 0, ""))
    return best[2] if best[0] else ""


def _weight(quality: str) -> float:
    name, _, value = quality.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    try:
        return max(0.0, min(float(value), 1.0))
    except ValueError:
        return 0.0
