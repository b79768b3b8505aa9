"""What the bin knows of what is in it: a note for each key, and where the thing itself is. Both adapters keep it so.

The note is durable before the thing moves in, it says whereto before the thing moves out, and goes after that. So whatever a crash cuts off, the
thing is in its place, or in the bin with its note, and which documents it holds is known. Documents in the bin have a path there: their ids
stay theirs, and nothing that is made in their old place gets them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed, NotFound
from collab.formats import media_type
from collab.ports import Binned
from collab.storage.paths import BIN, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collab.storage.names import Names, Sight

LATEST: Final = 1e11
"""UTC seconds; nothing was deleted later."""


@dataclass(frozen=True, slots=True)
class Note:
    """Where something was, when it was deleted (UTC seconds) and by whom (a name), and the ids in it by their paths below it.

    `to`: where it is being restored to; empty as long as nobody wants that.
    """

    path: str
    deleted: float
    by: str
    documents: Mapping[str, str] = field(default_factory=dict)
    to: str = ""

    def encode(self) -> bytes:
        """JSON, which an operator can read too."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes) -> Note:
        """What `encode` wrote; `Malformed` for anything else, whoever wrote it."""
        try:
            given = json.loads(data)
            documents = {str(path): str(document) for path, document in given["documents"].items()}
            note = cls(str(given["path"]), float(given["deleted"]), str(given["by"]), documents, str(given.get("to", "")))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Malformed("this is no note of the bin") from error
        if not note.path or not 0 <= note.deleted < LATEST:
            raise Malformed("nothing can have been deleted there, or then")
        for path in (note.path, note.to, *documents):
            _check(path)
        return note

    def place(self, key: str) -> bytes:
        """The path of the thing in the bin."""
        return home(key) + b"/" + self.path.rpartition("/")[2].encode()

    def places(self, key: str) -> dict[str, bytes]:
        """The path in the bin of each document."""
        place = self.place(key)
        return {document: place + b"/" + below.encode() if below else place for below, document in self.documents.items()}


def _check(path: str) -> None:
    try:
        split(path)
    except NotFound as error:
        raise Malformed("nothing hidden can have been deleted") from error


def home(key: str) -> bytes:
    """The path of a key's own folder."""
    return BIN + b"/" + key.encode()


def described(key: str, note: Note, sight: Sight) -> Binned:
    """The entry as the port gives it."""
    kind = "inode/directory" if sight.folder else media_type(note.path)
    return Binned(key, note.path, kind, sight.size, note.deleted, note.by, tuple(note.documents.values()))


def contained(names: Names, sight: Sight, document: str) -> dict[str, str]:
    """The ids at or below a place, by their paths below it."""
    if not sight.folder:
        return {"": document}
    return {row.path[len(sight.path) + 1 :].decode(): row.id for row in names.below(sight.path)}


def reclaimed(names: Names, key: str, note: Note, look: Callable[[bytes], Sight | None]) -> dict[str, bytes]:
    """The places in the bin of documents that are there and are believed to be elsewhere: a crash forgot that they were moved in."""
    here = {row.id for row in names.below(note.place(key))}
    found = {}
    for document, path in note.places(key).items():
        sight = look(path) if document not in here else None
        if sight is not None and not sight.folder and _believed_elsewhere(names, document, sight, look):
            found[document] = path
    return found


def _believed_elsewhere(names: Names, document: str, here: Sight, look: Callable[[bytes], Sight | None]) -> bool:
    row = names.find(document)
    return row is not None and (row.deleted_at is not None or row.file == here.file or look(row.path) is None)


def returned(names: Names, key: str, note: Note, look: Callable[[bytes], Sight | None]) -> dict[str, bytes]:
    """The places of documents that are believed to be in the bin and were restored: a crash forgot that they were moved out."""
    if not note.to:
        return {}
    place, target = note.place(key), note.to.encode()
    taken = {row.path for row in names.below(target)}
    moved = {row.id: target + row.path[len(place) :] for row in names.below(place)}
    return {document: path for document, path in moved.items() if path not in taken and look(path) is not None}
