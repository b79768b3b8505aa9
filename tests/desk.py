"""What somebody does at a LibreOffice without a window, through UNO: a JSON object on each line of input, the answer on a line of output.

Debian's own Python runs this, which is the one that knows UNO: it stands alone, and takes one argument, the name of the pipe that LibreOffice listens at.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

PATIENCE = 60.0
"""Seconds until LibreOffice must listen."""


def desktop(pipe: str) -> Any:
    """The desktop of the LibreOffice that listens at the pipe."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except NoConnectException:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)  # another process begins: there is no event to wait for


def values(**named: object) -> tuple[Any, ...]:
    """The properties of a call; those without a value are left out."""
    made = []
    for name, value in named.items():
        if value not in {"", None}:
            each = PropertyValue()
            each.Name, each.Value = name, value
            made.append(each)
    return tuple(made)


class Desk:
    """The papers that are open, by number."""

    def __init__(self, desktop: Any) -> None:
        self._desktop = desktop
        self._papers: list[Any] = []

    def open(self, path: str, reader: str = "", options: str = "") -> int:
        """A file, with this filter and its options; by default LibreOffice's own choice."""
        opened = values(Hidden=True, FilterName=reader, FilterOptions=options)
        return self._keep(self._desktop.loadComponentFromURL(Path(path).as_uri(), "_blank", 0, opened))

    def store(self, paper: int, path: str, writer: str = "", options: str = "") -> None:
        """Save a copy with this filter."""
        self._papers[paper].storeToURL(Path(path).as_uri(), values(FilterName=writer, FilterOptions=options, Overwrite=True))

    def close(self, paper: int) -> None:
        """Nobody looks at it any more."""
        self._papers[paper].close(True)

    def text(self, paper: int) -> str:
        """All that a text document says."""
        said: str = self._papers[paper].Text.String
        return said

    def append(self, paper: int, words: str) -> None:
        """Type at the end of a text document."""
        text = self._papers[paper].Text
        cursor = text.createTextCursor()
        cursor.gotoEnd(False)
        text.insertString(cursor, words, False)

    def replace(self, paper: int, old: str, new: str) -> int:
        """Replace words wherever they are; how often they were there."""
        search = self._papers[paper].createReplaceDescriptor()
        search.SearchString, search.ReplaceString = old, new
        count: int = self._papers[paper].replaceAll(search)
        return count

    def cell(self, paper: int, at: str) -> str:
        """What a cell of the first sheet shows, by its name such as B2."""
        shown: str = self._papers[paper].Sheets.getByIndex(0).getCellRangeByName(at).String
        return shown

    def fill(self, paper: int, at: str, value: str) -> None:
        """Type into a cell of the first sheet."""
        self._papers[paper].Sheets.getByIndex(0).getCellRangeByName(at).setFormula(value)

    def _keep(self, paper: Any) -> int:
        if paper is None:
            raise ValueError("LibreOffice opened nothing")
        self._papers.append(paper)
        return len(self._papers) - 1


def main() -> None:
    desk = Desk(desktop(sys.argv[1]))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, object] = {"answer": getattr(desk, asked["call"])(*asked["with"])}
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
