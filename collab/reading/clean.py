"""The only place where an author's markup is taken: what comes out runs nothing, loads nothing from elsewhere, names and covers nothing of ours.

The door to nh3 (ammonia), which parses as browsers do (HTML standard) and writes anew what is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import nh3

from collab.reading.links import PREFIX
from collab.reading.marks import has_insert

if TYPE_CHECKING:
    from collab.reading.links import Place

_TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
"""As the page's preview."""
_NEVER: Final = frozenset(
    ["script", "style", "template", "noembed", "noframes", "iframe", "xmp", "title", "textarea", "svg", "math", "object", "select"]
)
"""Of these the content goes, too."""
_ANY: Final = frozenset(
    [
        "abbr",
        "align",
        "class",
        "colspan",
        "datetime",
        "dir",
        "height",
        "id",
        "lang",
        "name",
        "open",
        "reversed",
        "rowspan",
        "scope",
        "span",
        "start",
        "title",
        "type",
        "value",
        "width",
    ]
)
_ATTRIBUTES: Final = {
    "*": set(_ANY),
    "a": {"href", "aria-label"},
    "img": {"src", "alt"},
    "span": {"role", "aria-label"},
}
_SIZE: Final = re.compile(r"\d{1,4}%?")
_ID: Final = re.compile(r"\S{1,200}")
_CLASSES: Final = frozenset(
    [
        "md-back",
        "md-box",
        "md-elsewhere",
        "md-footnotes",
        "md-level-1",
        "md-level-2",
        "md-level-3",
        "md-matter",
        "md-missing",
        "md-ref",
        "md-task",
        "md-toc",
        "md-title",
    ]
)
"""Of ours, none of which places, hides or covers anything: an author may write them, too."""
_SCHEMES: Final = {"http", "https", "mailto", "tel", "data"}


class Cleaner:
    """For one document, by its place: links and pictures get their addresses there."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._cleaner = nh3.Cleaner(
            tags=set(_TAGS),
            clean_content_tags=set(_NEVER),
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            strip_comments=True,
            link_rel="noopener noreferrer",
            url_schemes=_SCHEMES,
        )

    def clean(self, markup: str) -> str:
        """The same, harmless, and balanced."""
        return self._cleaner.clean(markup)

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if has_insert(value):
            return None
        if name in {"href", "src"}:
            return self._place.link(value) if name == "href" else self._place.picture(value)
        if name in {"id", "name"}:
            return _own(value)
        if name == "class":
            return " ".join(each for each in value.split() if each in _CLASSES) or None
        wrong = (name in {"width", "height"} and not _SIZE.fullmatch(value)) or (name == "role" and (tag, value) != ("span", "img"))
        return None if wrong else value


def _own(name: str) -> str | None:
    if name.startswith(PREFIX):
        return name
    return PREFIX + name if _ID.fullmatch(name) else None
