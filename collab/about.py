"""What people say about a document: tags and a description. Plain text, within limits, one form for what looks the same."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed
from collab.finding import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TAGS: Final = 20
"""Tags of one document."""
TAG: Final = 50
"""Characters of a tag."""
DESCRIPTION: Final = 1000
"""Characters of a description: clouds keep it beside the file, where some have few kilobytes for all that is said about it."""
_JOINERS: Final = dict.fromkeys(map(ord, "\u200c\u200d"))
"""Cannot be seen, but without them emoji of several parts, and words in Persian or Indic scripts, fall apart."""


@dataclass(frozen=True, slots=True)
class About:
    """Tags in the order in which they were given, and a description of any number of lines."""

    tags: tuple[str, ...] = ()
    description: str = ""

    @property
    def etag(self) -> str:
        """Names this state: lower-case hex."""
        said = json.dumps([self.tags, self.description]).encode()
        return hashlib.sha256(said).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be said from now on; None: what is said already."""

    tags: tuple[str, ...] | None = None
    description: str | None = None

    def of(self, before: About) -> About:
        """What is said then."""
        tags, description = self.tags, self.description
        return About(before.tags if tags is None else tags, before.description if description is None else description)


def tags_of(said: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: each one line without commas, none twice in other case. Malformed."""
    found: dict[str, str] = {}
    for each in said:
        tag = unicodedata.normalize("NFC", " ".join(each.split()))
        if not tag:
            raise Malformed("a tag has at least one character")
        if len(tag) > TAG:
            raise Malformed(f"a tag has at most {TAG} characters: {tag[:TAG]}…")
        if "," in tag or not tag.translate(_JOINERS).isprintable():
            raise Malformed(f"a tag is one line of characters that can be printed, without commas: {tag!r}")
        found.setdefault(fold(tag), tag)
    if len(found) > TAGS:
        raise Malformed(f"a document has at most {TAGS} tags; these are {len(found)}")
    return tuple(found.values())


def description_of(said: str) -> str:
    """A description as it is kept: lines that end with LF, nothing around them. Malformed."""
    text = unicodedata.normalize("NFC", said.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) > DESCRIPTION:
        raise Malformed(f"a description has at most {DESCRIPTION} characters; this one has {len(text)}")
    if not text.translate(_JOINERS | dict.fromkeys(map(ord, "\n\t"))).isprintable():
        raise Malformed("a description is text: it has characters that cannot be printed")
    return text


def tagged(tags: Sequence[str], wanted: Iterable[str]) -> bool:
    """Whether each of the wanted words, folded, begins one of the tags."""
    folded = [fold(tag) for tag in tags]
    return all(any(tag.startswith(word) for tag in folded) for word in wanted)
