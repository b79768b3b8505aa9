"""From a name to the place where the document is now, whatever was renamed, filled again or deleted from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from collab.errors import Denied, NotFound
from collab.storage.names import Names, Place, Question, Row, Sight
from collab.storage.paths import binned, is_id, split

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tree(Protocol):
    """The files as they are now."""

    def look(self, path: bytes) -> Sight | None:
        """The file or folder at a path, None when there is none that may be served. Raises `Denied`, `Unavailable`."""

    def search(self, file: str, near: bytes) -> Sight | None:
        """Where `Sight.file` is now: first in the folder of `near`, then anywhere."""


class Places:
    """Names resolved in a tree."""

    def __init__(self, tree: Tree, names: Names) -> None:
        self._tree = tree
        self.names = names

    def resolve(self, name: str) -> Place | Question:
        """The place of a path or an id; folders have no id. Raises `Malformed`, `NotFound`, `Denied`, `Unavailable`."""
        if is_id(name):
            return self._find(name)
        path = b"/".join(split(name))
        sight = self._tree.look(path)
        if sight is None:
            raise NotFound(f"no such file: {name}")
        return self.identify([sight])[0]

    def identify(self, sights: Sequence[Sight]) -> list[Place | Question]:
        """The document of each file; folders as they are."""
        found = iter(self.names.identify([sight for sight in sights if not sight.folder], self.present))
        return [Place("", sight) if sight.folder else next(found) for sight in sights]

    def present(self, path: bytes) -> bool:
        """Whether there is a file; what cannot be looked at is not believed to be gone."""
        try:
            sight = self._tree.look(path)
        except Denied:
            return True
        return sight is not None and not sight.folder

    def _find(self, document: str) -> Place | Question:
        row = self.names.find(document)
        if row is None:
            raise NotFound(f"no such document: {document}")
        sight = self._tree.look(row.path)
        if sight is None or sight.folder:
            sight = self._search(row)
        if binned(sight.path):
            raise NotFound(f"the file was deleted, and is in the bin: {_shown(row).rpartition('/')[2]}")
        if (known := self.names.known(row, sight)) is not None:
            return known
        place = self.names.identify([sight], self.present)[0]
        if place.id != document:
            self.names.bury(document)
            raise _deleted(row)
        return place

    def _search(self, row: Row) -> Sight:
        if row.deleted_at is not None:
            raise _deleted(row)
        if self.names.waiting(row.id):
            raise NotFound(f"the file is not at {_shown(row)} just now: it is being renamed, replaced or deleted")
        sight = self._tree.search(row.file, row.path)
        if sight is None:
            self.names.bury(row.id)
            raise _deleted(row)
        return sight


def _shown(row: Row) -> str:
    return row.path.decode(errors="replace")


def _deleted(row: Row) -> NotFound:
    return NotFound(f"the file was deleted: {_shown(row)}")
