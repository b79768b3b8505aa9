"""Markdown in blocks of HTML, with what the page's preview takes: tables, strikethrough, links by themselves, tasks, footnotes, formulas, front matter.
The door to markdown-it-py.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from collab.reading.clean import Cleaner
from collab.reading.code import coloured
from collab.reading.links import target_of
from collab.reading.marks import Inserts, unmarked, word
from collab.reading.maths import formula, maths
from collab.reading.matter import Matter, front_matter, markup, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from markdown_it.rules_core import StateCore

    from collab.reading.links import Place

_TASK: Final = re.compile(r"\[([ xX])\](?:\s|$)")
_SLUG: Final = re.compile(r"[^\w\- ]")
_CONTENTS: Final = re.compile(r"\[\[?_?toc_?\]\]?", re.IGNORECASE)
_CONTAINERS: Final = re.compile(
    r"<(/?)(?:article|aside|blockquote|center|details|div|dl|figure|footer|header|main|nav|ol|section|table|tbody|thead|ul)(?=[\s/>])",
    re.IGNORECASE,
)
_SPAN: Final = 400
"""Blocks that an author's unclosed tag may span."""
_TEXTS: Final = frozenset({"text", "code_inline", "text_special", "formula"})
_ALIGNED: Final = re.compile(r"text-align:(left|right|center)")


# "readme.md" is a file and no site of Moldova's. Made once: its patterns are as long as a page.
_LINKS: Final = LinkifyIt().set({"fuzzy_link": False, "fuzzy_ip": False, "fuzzy_email": True})


@dataclass(frozen=True, slots=True)
class Page:
    """What a text comes to."""

    parts: list[str]
    title: str
    language: str = ""


@dataclass(slots=True)
class _Writing:
    """One text on its way."""

    inserts: Inserts = field(default_factory=Inserts)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    """Level, slug and text."""
    slugs: Counter[str] = field(default_factory=Counter)


class Markdown:
    """For documents of one place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._attached: Callable[[str], str | None] | None = None
        self._cleaner = Cleaner(place)
        self._writing = _Writing()
        self._md = self._parser()

    def page(self, source: str, attached: Callable[[str], str | None] | None = None) -> Page:
        """All blocks of a text; `attached` gives the address of a picture that is in the document itself, by its name."""
        self._attached = attached
        self._writing = writing = _Writing()
        text = unmarked(source)
        env: dict[str, Any] = {}
        tokens = self._md.parse(text, env)
        titled = any(token.type == "heading_open" and token.tag == "h1" for token in tokens)
        matter = Matter()
        parts: list[str] = []
        for piece in _joined(_pieces(tokens)):
            if piece[0].type == "front_matter":
                matter = read(piece[0].content)
                made = markup(piece[0].content, matter, titled=titled)
            elif _is_contents(piece):
                made = _contents(writing.headings)
            else:
                made = str(self._md.renderer.render(piece, self._md.options, env))
            clean = writing.inserts.fill(self._cleaner.clean(made))
            if clean.strip():
                parts.append(clean)
        title = matter.title or next((text for level, _, text in writing.headings if level == 1), "")
        return Page(parts, title, matter.language)

    def _parser(self) -> MarkdownIt:
        md = MarkdownIt("commonmark", {"html": True, "linkify": True, "typographer": False}).enable(["table", "strikethrough", "linkify"])
        md.linkify = _LINKS
        footnote_plugin(md)
        front_matter(md)
        maths(md, self._formula)
        md.core.ruler.after("inline", "tasks", _tasks)
        md.core.ruler.push("anchors", self._anchors)
        rules: dict[str, Callable[..., str]] = {
            "fence": self._fence,
            "code_block": lambda tokens, index: self._code(tokens[index].content, ""),
            "task": self._task,
            "image": self._image,
            "th_open": _cell,
            "td_open": _cell,
            "footnote_ref": _reference,
            "footnote_block_open": lambda *_: '<section class="md-footnotes"><ol>\n',
            "footnote_block_close": lambda *_: "</ol></section>\n",
            "footnote_open": lambda tokens, index: f'<li id="note:{_note(tokens[index])[0]}">',
            "footnote_close": lambda *_: "</li>\n",
            "footnote_anchor": _back,
        }
        for name, rule in rules.items():
            md.add_render_rule(name, lambda _self, tokens, index, _options, _env, rule=rule: rule(tokens, index))
        return md

    def _anchors(self, state: StateCore) -> None:
        for token, inline in zip(state.tokens, state.tokens[1:], strict=False):
            if token.type == "heading_open":
                text = "".join(each.content for each in inline.children or () if each.type in _TEXTS)
                slug = self._slug(text)
                if slug:
                    token.attrSet("id", slug)
                    self._writing.headings.append((int(token.tag[1:]), slug, text))

    def _slug(self, text: str) -> str:
        """The second "notes" is "notes-1", as at GitHub."""
        slug = _SLUG.sub("", text.strip().lower()).replace(" ", "-")
        slugs = self._writing.slugs
        while slug and (count := slugs[slug]):
            slugs[slug] += 1
            if not slugs[f"{slug}-{count}"]:
                slug = f"{slug}-{count}"
        slugs[slug] += 1
        return slug

    def _formula(self, source: str, display: bool) -> str:
        made = self._writing.inserts.add(formula(source, display=display))
        return f"<div>{made}</div>\n" if display else f"<span>{made}</span>"

    def _fence(self, tokens: Sequence[Token], index: int) -> str:
        language = (re.match(r"\S*", tokens[index].info.strip()) or [""])[0]
        source = tokens[index].content
        if language == "math":
            return self._formula(source, True)
        if language.lower() == "mermaid":
            inside = f"<figcaption>{word('diagram')}</figcaption>{self._code(source, '')}"
            return f"<figure>{inside}</figure>\n"
        return self._code(source, re.sub(r"^\{?\.?([\w+#-]*).*", r"\1", language))

    def _code(self, source: str, language: str) -> str:
        made = self._writing.inserts.add(coloured(source.removesuffix("\n"), language))
        return f"<pre><code>{made}</code></pre>\n"

    def _task(self, tokens: Sequence[Token], index: int) -> str:
        ticked = bool(tokens[index].meta["ticked"])
        said, box = (word("done"), "☑") if ticked else (word("todo"), "☐")
        return f'<span class="md-box" role="img" aria-label="{said}">{box}</span> '

    def _image(self, tokens: Sequence[Token], index: int) -> str:
        token = tokens[index]
        src, alt = str(token.attrGet("src") or ""), _plain(token.children or [])
        title = token.attrGet("title")
        attached = self._attached(src.removeprefix("attachment:")) if self._attached and src.startswith("attachment:") else None
        if attached is not None:
            return f"<span>{self._writing.inserts.add(_img(attached, alt))}</span>"
        target = target_of(src, self._place.folder)
        if target.kind in {"document", "picture"}:
            return _img(src, alt, "" if title is None else str(title))
        if target.kind == "outside":
            name = alt or urlsplit(target.to).path.rpartition("/")[2] or target.to
            said = word("elsewhere")
            return f'<a href="{escape(target.to)}">{escape(name)}</a> <span class="md-elsewhere">({said})</span>'
        return f'<span class="md-missing">{escape(alt)}</span>'


def _plain(tokens: Sequence[Token]) -> str:
    """What is said in place of a picture."""
    return "".join(
        _plain(each.children or []) if each.type == "image" else " " if each.type == "softbreak" else each.content for each in tokens
    )


def _img(src: str, alt: str, title: str = "") -> str:
    titled = f' title="{escape(title)}"' if title else ""
    return f'<img src="{escape(src)}" alt="{escape(alt)}"{titled}>'


def _tasks(state: StateCore) -> None:
    """Boxes at the start of list items."""
    tokens = state.tokens
    for index, token in enumerate(tokens):
        if token.type != "inline" or index < 2 or tokens[index - 1].type != "paragraph_open" or tokens[index - 2].type != "list_item_open":
            continue
        children = token.children or []
        found = _TASK.match(token.content)
        # A link whose name is "x" is a link.
        if found is None or not children or children[0].type != "text" or not children[0].content.startswith(found[0][:3]):
            continue
        children[0].content = children[0].content[3:].lstrip(" \t")
        tokens[index - 2].attrSet("class", "md-task")
        children.insert(0, Token("task", "", 0, meta={"ticked": found[1] != " "}))


def _cell(tokens: Sequence[Token], index: int) -> str:
    """Columns are aligned by the attribute of old, for the page's policy forbids styles."""
    token = tokens[index]
    side = _ALIGNED.search(str(token.attrGet("style") or ""))
    return f'<{token.tag} align="{side[1]}">' if side else f"<{token.tag}>"


def _note(token: Token) -> tuple[int, int]:
    return token.meta["id"] + 1, token.meta.get("subId", 0)


def _reference(tokens: Sequence[Token], index: int) -> str:
    number, again = _note(tokens[index])
    said = word("footnote", str(number))
    return f'<sup><a class="md-ref" id="from:{number}:{again}" href="#note:{number}" aria-label="{said}">{number}</a></sup>'


def _back(tokens: Sequence[Token], index: int) -> str:
    number, again = _note(tokens[index])
    said = word("back", str(number))
    return f' <a class="md-back" href="#from:{number}:{again}" aria-label="{said}">↩</a>'


def _is_contents(piece: Sequence[Token]) -> bool:
    return piece[0].type == "paragraph_open" and len(piece) > 1 and _CONTENTS.fullmatch(piece[1].content.strip()) is not None


def _contents(headings: Sequence[tuple[int, str, str]]) -> str:
    """The headings as a list of links."""
    top = min((level for level, _, _ in headings), default=1)
    deeper = {level: f' class="md-level-{min(level - top, 3)}"' if level > top else "" for level, _, _ in headings}
    items = "".join(f'<li{deeper[level]}><a href="#{quote(slug)}">{escape(text)}</a></li>' for level, slug, text in headings)
    return f'<div class="md-toc"><ul>{items}</ul></div>' if items else ""


def _pieces(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """The tokens of each top-level block."""
    piece: list[Token] = []
    depth = 0
    for token in tokens:
        piece.append(token)
        depth += token.nesting
        if depth <= 0:
            yield piece
            piece, depth = [], 0
    if piece:
        yield piece


def _joined(pieces: Iterable[list[Token]]) -> Iterator[list[Token]]:
    """An author's `<details>` and all until its `</details>` are one piece."""
    every = [*pieces]
    balances = [*map(_opened, every)]
    index = 0
    while index < len(every):
        end = _closing(balances, index)
        yield [token for piece in every[index:end] for token in piece]
        index = end


def _closing(balances: Sequence[int], index: int) -> int:
    """The piece after the one where what this one opens is closed."""
    still = balances[index]
    if still > 0:
        for at in range(index + 1, min(len(balances), index + _SPAN)):
            still += balances[at]
            if still <= 0:
                return at + 1
    return index + 1


def _opened(piece: Sequence[Token]) -> int:
    """How many containers a block of HTML opens and does not close."""
    if piece[0].type != "html_block":
        return 0
    return sum(-1 if each[1] else 1 for each in _CONTAINERS.finditer(re.sub(r"<!--.*?(?:-->|\Z)", "", piece[0].content, flags=re.DOTALL)))
