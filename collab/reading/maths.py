"""Formulas: `$…$` and `$$…$$` in Markdown, as the page's preview takes them, and LaTeX as MathML. The door to math-core."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from math_core import LatexError, LatexToMathML

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

LONGEST: Final = 4_000
"""Characters of a formula that is set."""
_DEEPEST: Final = 48
"""Elements within each other; a browser stops at 512, and so many formulas say nothing to people."""
_TAGS: Final = frozenset(
    [
        "math",
        "mfrac",
        "mi",
        "mmultiscripts",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mprescripts",
        "mroot",
        "mrow",
        "ms",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
        "mtable",
        "mtd",
        "mtext",
        "mtr",
        "munder",
        "munderover",
    ]
)
"""Of MathML Core what cannot lead anywhere: neither `maction`, `semantics` nor HTML within."""
_ATTRIBUTES: Final = frozenset(
    [
        "accent",
        "accentunder",
        "columnspan",
        "depth",
        "display",
        "displaystyle",
        "fence",
        "form",
        "height",
        "largeop",
        "linethickness",
        "lspace",
        "mathvariant",
        "maxsize",
        "minsize",
        "movablelimits",
        "rowspan",
        "rspace",
        "scriptlevel",
        "separator",
        "stretchy",
        "symmetric",
        "voffset",
        "width",
    ]
)
_VALUE: Final = re.compile(r"[A-Za-z0-9.%+-]{0,32}")
_SPACE: Final = re.compile(r"\s")

_converter = LatexToMathML(fancy_error=False, max_expansions=200)


@lru_cache(maxsize=2048)
def formula(source: str, *, display: bool) -> str:
    """The formula as MathML; what cannot be set is shown as it is written, and why."""
    trimmed = source.strip()
    try:
        if len(trimmed) > LONGEST:
            return _as_written(trimmed)
        made = _converter.convert_with_local_state(trimmed, displaystyle=display)
        return _checked(made) or _as_written(trimmed)
    except (LatexError, ET.ParseError):
        return _as_written(trimmed)


def _as_written(source: str) -> str:
    return f'<code class="md-wrong">{escape(source)}</code>'


def _checked(made: str) -> str:
    """The library's MathML with only what is known; empty when it nests too deeply."""
    root = ET.fromstring(made)  # noqa: S314 - no document type can be in it: it has none, or does not parse
    out: list[str] = []
    return "".join(out) if root.tag == "math" and _write(root, out, 0) else ""


def _write(element: ET.Element, out: list[str], depth: int) -> bool:
    if depth > _DEEPEST or element.tag not in _TAGS:
        return False
    kept = "".join(f' {name}="{value}"' for name, value in element.attrib.items() if name in _ATTRIBUTES and _VALUE.fullmatch(value))
    # Styles are forbidden by the page's policy: the sides of equations are classes of ours.
    style = element.attrib.get("style", "")
    side = next((f' class="md-{each}"' for each in ("left", "right") if f"text-align: {each}" in style), "")
    out.append(f"<{element.tag}{kept}{side}>{escape(element.text or '')}")
    for child in element:
        if not _write(child, out, depth + 1):
            return False
        out.append(escape(child.tail or ""))
    out.append(f"</{element.tag}>")
    return True


# --- in Markdown


def maths(md: MarkdownIt, write: Callable[[str, bool], str]) -> None:
    """Teach the parser formulas; `write` gives the markup of a source, displayed or not."""
    md.inline.ruler.after("escape", "formula", _inline)
    md.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.add_render_rule("formula", lambda _self, tokens, index, _options, _env: write(tokens[index].content, False))
    md.add_render_rule("display", lambda _self, tokens, index, _options, _env: write(tokens[index].content, True))


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    double = state.src.startswith("$$", state.pos)
    fence = "$$" if double else "$"
    start = state.pos + len(fence)
    end = _end_of_double(state, start) if double else _end_of_single(state, start)
    if end < 0:
        # Else the second dollar would be looked at as an opening one.
        if double:
            if not silent:
                state.pending += fence
            state.pos += 2
        return double
    if not silent:
        state.push("display" if double else "formula", "code", 0).content = state.src[start:end].strip()
    state.pos = end + len(fence)
    return True


def _end_of_single(state: StateInline, start: int) -> int:
    """As pandoc has it: no space inside of the dollars, no digit after the last, and none between them."""
    if start >= state.posMax or _SPACE.match(state.src, start):
        return -1
    end = _next(state, "$", start)
    if end <= start or _SPACE.match(state.src, end - 1):
        return -1
    return -1 if re.match(r"[\d$]", state.src[end + 1 : end + 2]) else end


def _end_of_double(state: StateInline, start: int) -> int:
    end = _next(state, "$$", start)
    return end if end >= 0 and state.src[start:end].strip() else -1


def _next(state: StateInline, dollars: str, start: int) -> int:
    """The next place of these dollars without a backslash before them, -1 when there is none."""
    # Of the state's own memory, whose keys are places: these are none.
    key = -len(dollars)
    if start >= state.cache.get(key, state.posMax + 1):
        return -1
    at = state.src.find(dollars, start)
    while 0 <= at < state.posMax:
        if not _escaped(state.src, at):
            return at
        at = state.src.find(dollars, at + 1)
    # A text full of dollars is not searched once for each.
    state.cache[key] = start
    return -1


def _escaped(text: str, at: int) -> bool:
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """`$$`, then lines without an empty one between, until one that ends with `$$`."""
    first = _line(state, start_line)
    if not first.startswith("$$") or state.sCount[start_line] - state.blkIndent >= 4:
        return False
    found = _end_of_block(state, first, start_line, end_line)
    if found is None:
        return False
    if silent:
        return True
    source, line = found
    token = state.push("display", "div", 0)
    token.block = True
    token.content = source
    token.map = [start_line, line + 1]
    state.line = line + 1
    return True


def _end_of_block(state: StateBlock, first: str, start_line: int, end_line: int) -> tuple[str, int] | None:
    opening = first[2:].strip()
    single = opening.removesuffix("$$")
    if "$$" in single or (not single and opening):
        return None
    if single != opening:
        return single, start_line
    hopeless: dict[str, int] = state.env.setdefault("hopeless", {})
    if start_line < hopeless.get("lines", -1):
        return None
    lines = [opening]
    for line in range(start_line + 1, end_line):
        text = _line(state, line).rstrip()
        if not text.strip() or state.sCount[line] < state.blkIndent:
            hopeless["lines"] = line
            return None
        if text.endswith("$$"):
            return "\n".join([*lines, text[:-2]]), line
        lines.append(text)
    hopeless["lines"] = end_line
    return None


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
