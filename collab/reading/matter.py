"""YAML between two lines `---` at the very start: what a document says of itself. It is data; nothing in it is executed. The door to PyYAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import yaml

from collab.reading.marks import word

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

LONGEST: Final = 64_000
"""Characters that are looked at for the end."""
_FENCE: Final = re.compile(r"---[ \t]*\r?")
_END: Final = re.compile(r"(?:---|\.\.\.)[ \t]*\r?")
_LABELS: Final = {"author": "author", "authors": "author", "date": "date", "keywords": "keywords", "tags": "keywords"}
"""The keys that are shown, in this order."""
_BRACKETS: Final = 500
"""Nested ones cost the parser their square."""
_MOST: Final = 200
"""Names of a list that are shown."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class _Loader(yaml.BaseLoader):
    """Everything is text, and nothing stands for something else: text that names itself again and again grows without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node, and never an alias of one."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*name) are not followed here")
        return super().compose_node(parent, index)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a document says of itself."""

    title: str = ""
    language: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    """Why it could not be read, in words."""


def split(text: str) -> tuple[str, int] | None:
    """The YAML, and the line after its end. None: there is none."""
    if not text.startswith("---"):
        return None
    lines = text[:LONGEST].split("\n")
    end = next((index for index, line in enumerate(lines) if index and _END.fullmatch(line)), -1)
    if not _FENCE.fullmatch(lines[0]) or end <= 1 or not lines[1].strip():
        return None
    return "\n".join(lines[1:end]), end + 1


def read(source: str) -> Matter:
    """What is said in YAML."""
    if source.count("[") + source.count("{") > _BRACKETS:
        return Matter(fault="there are too many brackets")
    try:
        said = yaml.load(source, _Loader)  # noqa: S506 - a loader that makes text alone
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 0
        return Matter(fault=f"{error.problem or error.context or 'this is no YAML'} ({line})")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Matter(fault=str(error).partition("\n")[0] or "this is no YAML")
    if not isinstance(said, dict):
        return Matter(fault="names and values are expected, such as title: …")
    found = [(label, _words(said.get(key))) for key, label in _LABELS.items()]
    language = _words(said.get("lang"))
    return Matter(
        _words(said.get("title")),
        language if _LANGUAGE.fullmatch(language) else "",
        tuple((label, words) for label, words in found if words),
    )


def _words(value: object, depth: int = 0) -> str:
    """Text, several with commas; of people their names."""
    if isinstance(value, str):
        return value.strip()
    if depth > 2:
        return ""
    if isinstance(value, list):
        return ", ".join(filter(None, (_words(each, depth + 1) for each in value[:_MOST])))
    return _words(value.get("name"), depth + 1) if isinstance(value, dict) else ""


def markup(source: str, matter: Matter, *, titled: bool) -> str:
    """A document without a heading of the first level has the title as one."""
    if matter.fault:
        return f'<div class="md-matter"><p>{word("matter.wrong", matter.fault)}</p><pre><code>{escape(source)}</code></pre></div>'
    heading = "" if titled or not matter.title else f'<h1 class="md-title">{escape(matter.title)}</h1>'
    facts = "".join(f"<dt>{word('matter.' + label)}</dt><dd>{escape(words)}</dd>" for label, words in matter.facts)
    return heading + (f'<dl class="md-matter">{facts}</dl>' if facts else "")


def front_matter(md: MarkdownIt) -> None:
    """The block rule that takes front matter out of the text."""

    def rule(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
        found = split(state.src) if start_line == 0 and state.level == 0 and state.blkIndent == 0 else None
        if found is None:
            return False
        if not silent:
            token = state.push("front_matter", "", 0)
            token.content, end = found
            token.map = [0, end]
            state.line = end
        return True

    md.block.ruler.before("code", "front_matter", rule)
