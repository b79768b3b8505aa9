"""What new documents are made from: empty ones that are built in, and the files of a folder of the operator's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed, NotFound, TooLarge, Unavailable
from collab.formats import media_type
from collab.wopi.blanks import TITLES, blank

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST: Final = 200
"""Files of the folder that are offered."""


@dataclass(frozen=True, slots=True)
class Template:
    """One of them. `name` is an extension for what is built in, else a file's name; `title` is for people."""

    name: str
    title: str
    type: str
    """Media type."""

    @property
    def ext(self) -> str:
        """The extension that a document made from it has, without a dot; empty when it has none."""
        return self.name.rpartition(".")[2].lower() if "." in self.name or self.name in TITLES else ""


@dataclass(frozen=True, slots=True)
class Templates:
    """All of them. `folder` may be none; its files have at most `limit` bytes."""

    folder: Path | None
    limit: int

    async def offered(self) -> Sequence[Template]:
        """The operator's own by name, then what is built in."""
        return [*await asyncio.to_thread(self._own), *(Template(ext, title, media_type(f"a.{ext}")) for ext, title in TITLES.items())]

    async def body(self, name: str, path: str) -> bytes:
        """The bytes of a new document at the path. NotFound, `Malformed` when the path has another extension, TooLarge, Unavailable."""
        template = next((each for each in await self.offered() if each.name == name), None)
        if template is None:
            raise NotFound(f"there is no template {name}: GET /api/templates lists them")
        if template.ext and path.rpartition(".")[2].lower() != template.ext:
            raise Malformed(f"a document that is made from {name} has a name that ends in .{template.ext}")
        if self.folder is None or name in TITLES:
            return blank(name)
        return await asyncio.to_thread(self._read, self.folder / name)

    def _own(self) -> list[Template]:
        if self.folder is None:
            return []
        try:
            names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith((".", "~$")) and path.is_file())
        except OSError as e:
            raise Unavailable(f"the folder of templates cannot be read: {e.strerror}") from e
        # A name that says what is built in would hide that.
        return [Template(name, name.rpartition(".")[0] or name, media_type(name)) for name in names if name not in TITLES][:MOST]

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                body = file.read(self.limit + 1)
        except OSError as e:
            raise Unavailable(f"the template {path.name} cannot be read: {e.strerror}") from e
        if len(body) > self.limit:
            raise TooLarge(f"the template {path.name} is over {self.limit} bytes")
        return body
