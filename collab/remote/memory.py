"""What is remembered of a local file between two commands: which document it is, and what its writers may have read of it.

Beside nobody's files, in `$XDG_STATE_HOME/collab/files/`: a folder for each local file, by its real path. What is written here is durable before the
local file is changed, so that a crash at any step leaves no body that nobody can name.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from collab.errors import Locked, Unavailable
from collab.remote.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

BODIES: Final = 16
"""Bodies that are remembered, the newest."""
BYTES: Final = 64 * 2**20
"""Bytes of them together; the newest stays whatever its size."""


@dataclass(frozen=True, slots=True)
class Known:
    """A body that the local file held or was to hold, and when (UTC seconds); the server knows it by its hash."""

    hash: str
    at: float


def place(file: Path, env: Mapping[str, str]) -> Path:
    """Where the memory of a local file is."""
    base = env.get("XDG_STATE_HOME") or ""
    home = Path(base) if base.startswith("/") else Path(env.get("HOME") or "/") / ".local" / "state"
    return home / "collab" / "files" / sha256(os.fsencode(os.path.realpath(file))).hexdigest()[:32]


@dataclass(slots=True)
class Memory:
    """The memory in one folder; `held` is the hash of what the local file holds, as far as the document has it."""

    folder: Path
    base: str = ""
    document: str = ""
    """The document's id; empty while nothing is known."""
    path: str = ""
    held: str = ""
    bodies: list[Known] = field(default_factory=list)
    """The newest last."""
    sent: str = ""
    """The hash of what was sent, and nobody knows whether the document has it; empty: all is answered."""
    upon: str = ""
    """The hash of what its writer had read."""
    _lock: int = -1

    @classmethod
    def open(cls, folder: Path) -> Self:
        """What is remembered, for this process alone until `close`. Locked: another `collab` is at work on the file."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise Locked("another collab pull, push or watch is at work on this file: that one keeps it in step") from error
        memory = cls(folder, _lock=lock)
        memory._load()
        return memory

    def close(self) -> None:
        """Let others."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def address(self) -> Address | None:
        """The document, by its id: a rename does not matter."""
        return Address(self.base, self.document) if self.document else None

    def _load(self) -> None:
        try:
            told = json.loads((self.folder / "known.json").read_bytes())
            self.base, self.document, self.path, self.held = (str(told[name]) for name in ("base", "document", "path", "held"))
            self.bodies = [Known(str(each["hash"]), float(each["at"])) for each in told["bodies"]]
            self.sent, self.upon = str(told.get("sent", "")), str(told.get("upon", ""))
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self.folder} is damaged: take it away; then pull the document under another name") from error

    def body(self, digest: str) -> bytes | None:
        """A body that is remembered."""
        try:
            content = (self.folder / digest).read_bytes()
        except OSError:
            return None
        return content if sha256(content).hexdigest() == digest else None

    def learn(self, content: bytes, now: float) -> str:
        """From now on the local file may hold this; its hash."""
        digest = sha256(content).hexdigest()
        _put(self.folder / digest, content)
        self.bodies = [*(each for each in self.bodies if each.hash != digest), Known(digest, now)][-BODIES:]
        self._drop()
        self.save()
        return digest

    def hold(self, digest: str) -> None:
        """The local file holds this, and the document has it."""
        self.held = digest
        self.answered()

    def send(self, content: bytes, base: str) -> None:
        """What is sent next, made of `base`, is remembered until its answer is."""
        digest = sha256(content).hexdigest()
        _put(self.folder / digest, content)
        self.sent, self.upon = digest, base
        self.save()

    def answered(self) -> None:
        """Nothing is on its way."""
        self.sent = self.upon = ""
        self.save()

    def save(self) -> None:
        """Write it down."""
        told = {"base": self.base, "document": self.document, "path": self.path, "held": self.held, "sent": self.sent, "upon": self.upon}
        words = {**told, "bodies": [asdict(each) for each in self.bodies]}
        _put(self.folder / "known.json", json.dumps(words, indent=1).encode())

    def _drop(self) -> None:
        sizes = {each.hash: self._size(each.hash) for each in self.bodies}
        while len(self.bodies) > 1 and sum(sizes[each.hash] for each in self.bodies) > BYTES:
            self.bodies.pop(0)
        keep = {each.hash for each in self.bodies} | {self.held, self.sent}
        for path in self.folder.iterdir():
            if len(path.name) == 64 and path.name not in keep:
                path.unlink(missing_ok=True)

    def _size(self, digest: str) -> int:
        with suppress(OSError):
            return (self.folder / digest).stat().st_size
        return 0


def _put(path: Path, content: bytes) -> None:
    """The file in one step, durable."""
    new = path.with_name(f"{path.name}.new")
    with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor with its mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
