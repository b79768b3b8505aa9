"""The file of a backup: a tar archive of databases behind a note of what is in it. It is read and compared with its note before it is used."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from typing import IO, TYPE_CHECKING, Final, cast

from collab.errors import Conflict, Exists, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT: Final = 1
"""The format of backups; a program refuses a newer one."""
NOTE: Final = "backup.json"
"""The first member: a JSON object."""
MEMBERS: Final = frozenset({"journal.sqlite", "state.sqlite", "archive.sqlite", "secret", "spent"})
"""What may be in it beside the note."""
_PIECE = 2**20
_MOST_NOTE = 2**20


def write(path: Path, members: Sequence[Path], note: Mapping[str, object], now: float) -> None:
    """Make the file `path`, which must be free, whole and durable, for its owner only. Exists, OSError."""
    if os.path.lexists(path):
        raise Exists(f"there is something of this name: {path}; a backup never replaces one")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    files = {member.name: {"size": member.stat().st_size, "sha256": _hash(member)} for member in members}
    words = json.dumps({"format": FORMAT, **note, "files": files}, indent=2).encode()
    try:
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                tar.addfile(_entry(NOTE, len(words), now), io.BytesIO(words))
                for member in members:
                    with member.open("rb") as content:
                        tar.addfile(_entry(member.name, member.stat().st_size, now), content)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError as error:
        raise Exists(f"there is something of this name: {path}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path) -> dict[str, object]:
    """The note of a backup, when all that it tells of is there, byte for byte. Malformed; Conflict for a newer format."""
    return _walk(path, None)


def unpack(path: Path, folder: Path) -> dict[str, object]:
    """As `read`; the members become files of the folder, for their owner only."""
    return _walk(path, folder)


def _walk(path: Path, folder: Path | None) -> dict[str, object]:
    note: dict[str, object] | None = None
    found: dict[str, object] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None or entry.name not in {NOTE, *MEMBERS}:
                    raise Malformed(f"{path} has something in it that is no part of a backup: {entry.name}")
                if note is None:
                    note = _noted(path, entry, content)
                else:
                    found[entry.name] = _take(content, None if folder is None else folder / entry.name)
    except (tarfile.TarError, EOFError) as error:
        raise Malformed(f"{path} is no backup of collab, or is damaged: {error}") from error
    if note is None or note.get("files") != found:
        raise Malformed(f"{path} is damaged or not whole: take another backup")
    return note


def _noted(path: Path, entry: tarfile.TarInfo, content: IO[bytes]) -> dict[str, object]:
    words = content.read(_MOST_NOTE)
    try:
        note = json.loads(words) if entry.name == NOTE else None
    except ValueError as error:
        raise Malformed(f"{path} is damaged: its note cannot be read") from error
    if not isinstance(note, dict) or not isinstance(note.get("format"), int):
        raise Malformed(f"{path} is no backup of collab")
    if note["format"] > FORMAT:
        raise Conflict(f"{path} was made by a newer version of collab: use that one")
    return cast("dict[str, object]", note)


def _take(content: IO[bytes], to: Path | None) -> dict[str, object]:
    digest, size = hashlib.sha256(), 0
    file = None if to is None else os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")
    try:
        while piece := content.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            if file is not None:
                file.write(piece)
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
    finally:
        if file is not None:
            file.close()
    return {"size": size, "sha256": digest.hexdigest()}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(name: str, size: int, now: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, int(now), 0o600
    return entry
