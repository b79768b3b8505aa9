"""Tables in text files (CSV, RFC 4180, and TSV) as rows of HTML."""

from __future__ import annotations

import csv
import re
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed
from collab.reading.blocks import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROWS: Final = 5_000
"""Rows that are shown."""
COLUMNS: Final = 200
SEPARATORS: Final = {"text/csv": ",;\t|", "text/tab-separated-values": "\t,;|"}
"""Media types, and what may stand between two cells, the likeliest first."""
_SAMPLE: Final = 64 * 1024
_NUMBER: Final = re.compile(r"[+-]?[\d.,  ]*\d[\d.,]*(?:[eE][+-]?\d+)?\s?[%€$£]?")


def rows(text: str, media: str) -> tuple[list[list[str]], bool]:
    """The cells of the rows that are shown, and whether there are more. Malformed, with the line."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=_separator(text[:_SAMPLE], SEPARATORS[media]), strict=True)
    try:
        found = [row[:COLUMNS] for row in islice(_whole(reader), ROWS + 1)]
    except csv.Error as error:
        raise Malformed(f"{error} ({reader.line_num})") from error
    return found[:ROWS], len(found) > ROWS


def _whole(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (row for row in reader if row)


def _separator(sample: str, likely: str) -> str:
    """What stands most often between cells of the first lines, outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", sample)
    lines = [line for line in bare.splitlines()[:20] if line]
    counts = [min((line.count(each) for line in lines[:-1] or lines), default=0) for each in likely]
    best = max(range(len(likely)), key=lambda index: (counts[index], -index))
    return likely[best]


def parts(found: Sequence[Sequence[str]]) -> Iterator[str]:
    """The head, then groups of rows: what goes into `<table>`."""
    if not found:
        return
    width = max(map(len, found))
    head, *body = found
    yield f"<thead><tr>{_cells(head, width, 'th')}</tr></thead>"
    for group in chunks(f"<tr>{_cells(row, width, 'td')}</tr>" for row in body):
        yield f"<tbody>{''.join(group)}</tbody>"


def _cells(row: Sequence[str], width: int, tag: str) -> str:
    opening = '<th scope="col"' if tag == "th" else "<td"
    cells = [f"{opening}{_side(cell)}>{escape(cell)}</{tag}>" for cell in row]
    return "".join(cells) + f"{opening}></{tag}>" * (width - len(row))


def _side(cell: str) -> str:
    return ' align="right"' if cell and len(cell) < 32 and _NUMBER.fullmatch(cell) else ""
