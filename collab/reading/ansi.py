"""Output as a terminal shows it (ECMA-48): colours and weights; all other control sequences say nothing here."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_CONTROL: Final = re.compile(
    "\x1b\\[([0-?]*)[ -/]*([@-~])|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_STYLES: Final = {1: "bold", 2: "faint", 3: "italic", 4: "underline", 9: "strike"}
_ENDS: Final = {22: ("bold", "faint"), 23: ("italic",), 24: ("underline",), 29: ("strike",)}
_MOST: Final = 64
"""Numbers of one sequence that are looked at."""


def shown(output: str) -> str:
    """The output as HTML."""
    text = _overwritten(output)
    out: list[str] = []
    look: dict[str, str] = {}
    at = 0
    for found in _CONTROL.finditer(text):
        out.append(_run(text[at : found.start()], look))
        at = found.end()
        if found[2] == "m":
            _change(look, [int(each) if each.isdecimal() and len(each) < 4 else 0 for each in re.split("[;:]", found[1] or "0")[:_MOST]])
    out.append(_run(text[at:], look))
    return "".join(out)


def _run(text: str, look: dict[str, str]) -> str:
    if not text or not look:
        return escape(text, quote=False)
    return f'<span class="{" ".join(look.values())}">{escape(text, quote=False)}</span>'


def _overwritten(text: str) -> str:
    """Lines that a program has written over, as progress bars do, as they were at last."""
    lines = re.sub(r"\r+\n", "\n", text)
    if "\r" not in lines:
        return lines
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines.split("\n"))


def _change(look: dict[str, str], codes: list[int]) -> None:
    index = 0
    while index < len(codes):
        code = codes[index]
        index += 1
        if code in {38, 48}:
            # A colour of 256 or of 16 million: the sixteen of a terminal are shown, the others are not.
            kind = codes[index] if index < len(codes) else 0
            number = codes[index + 1] if kind == 5 and index + 1 < len(codes) else -1
            index += {5: 2, 2: 4}.get(kind, 0)
            _color(look, "ink" if code == 38 else "paper", number)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            _color(look, "ink", code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            _color(look, "paper", code - 40 if code < 100 else code - 92)
        else:
            _style(look, code)


def _color(look: dict[str, str], part: str, number: int) -> None:
    if 0 <= number < 16:
        look[part] = f"ansi-{part}-{number % 8}"
    else:
        look.pop(part, None)


def _style(look: dict[str, str], code: int) -> None:
    if code == 0:
        look.clear()
    elif code in _STYLES:
        look[_STYLES[code]] = f"ansi-{_STYLES[code]}"
    elif code in {39, 49}:
        look.pop("ink" if code == 39 else "paper", None)
    for each in _ENDS.get(code, ()):
        look.pop(each, None)
