"""Code in the colours of the editor. The door to Pygments."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pygments.lexers import find_lexer_class_by_name, find_lexer_class_for_filename
from pygments.token import Token
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygments.lexer import Lexer
    from pygments.token import _TokenType

LONGEST: Final = 256 * 1024
"""Characters that are coloured; what is longer stays plain."""
_LINE: Final = 4_000
"""Characters of a line that is coloured: longer ones are data, and slow."""

# The most general first: the last that fits is taken.
_CLASSES: Final = (
    (Token.Comment, "comment"),
    (Token.Keyword, "keyword"),
    (Token.Keyword.Type, "typeName"),
    (Token.Keyword.Constant, "atom"),
    (Token.Operator.Word, "keyword"),
    (Token.Name.Builtin, "variableName2"),
    (Token.Name.Class, "className"),
    (Token.Name.Namespace, "namespace"),
    (Token.Name.Function, "definition"),
    (Token.Name.Decorator, "meta"),
    (Token.Name.Attribute, "propertyName"),
    (Token.Name.Tag, "typeName"),
    (Token.Name.Label, "labelName"),
    (Token.Literal.String, "string"),
    (Token.Literal.Number, "number"),
    (Token.Literal.Date, "number"),
    (Token.Generic.Heading, "heading"),
    (Token.Generic.Subheading, "heading"),
    (Token.Generic.Deleted, "deleted"),
    (Token.Generic.Inserted, "inserted"),
    (Token.Generic.Emph, "emphasis"),
    (Token.Generic.Strong, "strong"),
    (Token.Error, ""),
)


def lines(source: str, *, language: str = "", name: str = "") -> list[str]:
    """Each line of the source as HTML, without its end; the language by its own name or by that of a file."""
    lexer = _lexer(language, name) if len(source) <= LONGEST else None
    if lexer is None or max(map(len, source.split("\n")), default=0) > _LINE:
        return [escape(line, quote=False) for line in source.split("\n")]
    return "".join(_coloured(lexer, source)).split("\n")


@lru_cache(maxsize=512)
def coloured(source: str, language: str) -> str:
    """A piece of code in a text as HTML."""
    return "\n".join(lines(source, language=language))


def _coloured(lexer: Lexer, source: str) -> Iterator[str]:
    """Runs of one colour, none over the end of a line."""
    same = groupby(lexer.get_tokens(source), key=lambda token: _class(token[0]))
    for found, tokens in same:
        for number, line in enumerate("".join(text for _, text in tokens).split("\n")):
            if number:
                yield "\n"
            if line:
                yield f'<span class="tok-{found}">{escape(line, quote=False)}</span>' if found else escape(line, quote=False)


@lru_cache(maxsize=1024)
def _class(kind: _TokenType) -> str:
    return next((name for each, name in reversed(_CLASSES) if kind[: len(each)] == each), "")


def _lexer(language: str, name: str) -> Lexer | None:
    try:
        found = find_lexer_class_by_name(language) if language else find_lexer_class_for_filename(name)
    except ClassNotFound:
        return None
    # Nothing is guessed, stripped or ended: lines stay lines.
    return None if found is None else found(stripnl=False, ensurenl=False)
