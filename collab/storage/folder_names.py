"""Which folder is which: ids for those that somebody asked for, which survive renames by whomever.

A folder has one name only, so the inode tells it from all others, wherever it is. One that was made anew at a path where there is nothing of the
old one left is the same (a checkout, a copy that came back).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from collab.errors import NotFound
from collab.storage.paths import binned, is_id, within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collab.state.database import Connection, Database


class Tree(Protocol):
    """The folders as they are now."""

    def which(self, path: bytes) -> str | None:
        """What tells the folder at a path from every other, None when there is none that may be served. Raises `Denied`, `Unavailable`."""

    def seek(self, which: str, near: bytes) -> bytes | None:
        """Where that folder is now: first around the path `near`, then anywhere."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    path: bytes
    file: str


class FolderNames:
    """The table of folders in the state database; `fresh_id` makes ids."""

    def __init__(self, database: Database, fresh_id: Callable[[], str]) -> None:
        self._database = database
        self._fresh_id = fresh_id

    def identify(self, tree: Tree, paths: Sequence[bytes]) -> list[str]:
        """The ids of folders; the root has the empty one. `NotFound` for what is none."""
        return self._database.run_sync(lambda connection: [self._identify(connection, tree, path) for path in paths])

    def find(self, tree: Tree, folder: str) -> bytes:
        """The path of the folder with this id. `NotFound`."""
        if not folder:
            return b""
        row = self._database.look_sync(lambda connection: _one(connection, "id = ?", folder)) if is_id(folder) else None
        if row is None:
            raise NotFound(f"no such folder: {folder}")
        if binned(row.path):
            raise NotFound(f"the folder was deleted, and is in the bin: {row.path.decode(errors='replace').rpartition('/')[2]}")
        if (now := tree.which(row.path)) == row.file:
            return row.path
        path = tree.seek(row.file, row.path)
        if path is None and now is None:
            raise NotFound(f"the folder was deleted: {row.path.decode(errors='replace')}")
        found = _Row(row.id, row.path if path is None else path, row.file if path is not None or now is None else now)
        self._database.run_sync(lambda connection: _put(connection, found))
        return found.path

    @staticmethod
    def shift(connection: Connection, path: bytes, to: bytes) -> None:
        """Whatever is at a path or under it was moved by us."""
        for row in _under(connection, path):
            _put(connection, _Row(row.id, to + row.path[len(path) :], row.file))

    def carry(self, path: bytes, to: bytes) -> None:
        """As `shift`, in a transaction of its own."""
        self._database.run_sync(lambda connection: self.shift(connection, path, to))

    def drop(self, path: bytes) -> None:
        """Whatever is at a path or under it is gone for good."""

        def act(connection: Connection) -> None:
            connection.executemany("DELETE FROM folders WHERE id = ?", [(row.id,) for row in _under(connection, path)])

        self._database.run_sync(act)

    def _identify(self, connection: Connection, tree: Tree, path: bytes) -> str:
        if not path:
            return ""
        which = tree.which(path)
        if which is None:
            raise NotFound(f"no such folder: {path.decode()}")
        known = _one(connection, "file = ?", which) or self._remade(connection, tree, path) or _Row(self._fresh_id(), path, which)
        if (known.path, known.file) != (path, which) or _one(connection, "id = ?", known.id) is None:
            _put(connection, _Row(known.id, path, which))
        return known.id

    def _remade(self, connection: Connection, tree: Tree, path: bytes) -> _Row | None:
        """The folder that was here, when it is nowhere else."""
        there = _one(connection, "path = ?", path)
        if there is None:
            return None
        elsewhere = tree.seek(there.file, path)
        if elsewhere is None:
            return there
        _put(connection, _Row(there.id, elsewhere, there.file))
        return None


def _put(connection: Connection, row: _Row) -> None:
    connection.execute("INSERT OR REPLACE INTO folders VALUES (?, ?, ?)", (row.id, row.path, row.file))


def _one(connection: Connection, where: str, value: object) -> _Row | None:
    rows = connection.execute(f"SELECT id, path, file FROM folders WHERE {where} ORDER BY id", (value,)).fetchall()  # noqa: S608 - constant
    return _Row(*rows[0]) if rows else None


def _under(connection: Connection, path: bytes) -> list[_Row]:
    # "0" comes behind "/": all that begins as the folder's path and a slash.
    query = "SELECT id, path, file FROM folders WHERE path >= ? AND path < ?"
    rows = [_Row(*row) for row in connection.execute(query, (path, path + b"0")).fetchall()]
    return [row for row in rows if within(row.path, path)]
