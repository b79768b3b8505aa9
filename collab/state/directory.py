"""The state directory: where it is, which root it belongs to, and the locks by which one server holds both."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from collab.errors import Conflict, Denied, Locked, Malformed, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FORMAT = 1
"""The format of the state; a program refuses a newer one."""

RESTORING = "restoring"
"""The file that is in a state directory while a backup is being restored into it."""
_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What file systems answer that have no flock on folders (NFS among them)."""


def default(root: Path, env: Mapping[str, str]) -> Path:
    """Where the state of `root` is when nobody says: `$XDG_STATE_HOME/collab/<16 hex digits of its real path's SHA-256>`."""
    base = env.get("XDG_STATE_HOME") or ""
    # The XDG base directory specification: a relative path is to be ignored.
    home = Path(base) if base.startswith("/") else Path(env.get("HOME") or "/") / ".local" / "state"
    digest = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()
    return home / "collab" / digest[:16]


@dataclass(frozen=True, slots=True)
class Directory:
    """A state directory that belongs to a root; both are real paths."""

    path: Path
    root: Path

    @property
    def database(self) -> Path:
        """The file of the state database."""
        return self.path / "state.sqlite"

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        return self.path / "journal.sqlite"

    @property
    def archive(self) -> Path:
        """The file of the archive, unless that is elsewhere."""
        return self.path / "archive.sqlite"

    @property
    def secret(self) -> Path:
        """The file of the key that signs."""
        return self.path / "secret"

    @property
    def spent(self) -> Path:
        """The folder or file of sessions that were closed."""
        return self.path / "spent"

    @contextlib.contextmanager
    def sit(self, index: int) -> Iterator[None]:
        """Be the one worker of this index. Locked: another one is, though it may not answer."""
        with contextlib.ExitStack() as held:
            _lock(held, self.path / f"worker-{index}.lock", os.O_RDWR | os.O_CREAT, lambda _: f"worker {index}")
            yield

    def hold(self, *, now: float, pid: int | None = None) -> Hold:
        """Lock state and root for one server until `Hold.release`; `Locked` tells whose they are. `now` in UTC seconds."""
        note = f"{os.getpid() if pid is None else pid} {socket.gethostname()} {_date(now)}"
        with contextlib.ExitStack() as held:
            state = _lock(held, self.path / "lock", os.O_RDWR | os.O_CREAT, _holder)
            _lock(held, self.root, os.O_RDONLY | os.O_DIRECTORY, _owner)
            os.ftruncate(state, 0)
            os.pwrite(state, note.encode(), 0)
            return Hold(held.pop_all())

    def share(self, node: str, *, now: float) -> Hold:
        """Lock state and root for one of several nodes of this machine: beside others of other names, and beside no server that is alone."""
        note = f"{os.getpid()} {socket.gethostname()} {_date(now)}"
        with contextlib.ExitStack() as held:
            own = _lock(held, self.path / f"node-{node}.lock", os.O_RDWR | os.O_CREAT, _holder)
            os.ftruncate(own, 0)
            os.pwrite(own, note.encode(), 0)
            first = False
            with contextlib.suppress(Locked), contextlib.ExitStack() as alone:
                _lock(alone, self.path / "lock", os.O_RDWR | os.O_CREAT, _holder)
                first = True
            for wait in (*[0.05] * 10, None):
                try:
                    _lock(held, self.path / "lock", os.O_RDWR | os.O_CREAT, _holder, how=fcntl.LOCK_SH)
                    break
                except Locked:
                    # Another node may be looking whether it is the first.
                    if wait is None:
                        raise
                    time.sleep(wait)
            _lock(held, self.root, os.O_RDONLY | os.O_DIRECTORY, _owner, how=fcntl.LOCK_SH)
            return Hold(held.pop_all(), first)


@dataclass(slots=True)
class Hold:
    """The locks of a running server; also a context manager. They end with the process, however it ends."""

    _held: contextlib.ExitStack
    first: bool = True
    """Nobody else holds them."""

    def release(self) -> None:
        """Let another server come. Idempotent."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def prepare(root: Path, state: Path, *, adopt: bool = False) -> Directory:
    """The state directory for `root`, made when it is missing.

    Raises `NotFound` for a root that is no folder, `Malformed` for a state inside the root, `Conflict` for a state that belongs to another
    root (unless `adopt`) or to a newer program, `Denied` and `Unavailable` as the disk says.
    """
    directory = _outside(root, state)
    try:
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_whole(directory)
        _claim(directory, adopt=adopt)
    except PermissionError as error:
        raise Denied(f"{error.strerror}: {directory.path}") from error
    except OSError as error:
        raise Unavailable(f"{error.strerror}: {directory.path}") from error
    return directory


def _outside(root: Path, state: Path) -> Directory:
    root, state = Path(os.path.realpath(root)), Path(os.path.realpath(state))
    if not root.is_dir():
        raise NotFound(f"no such folder: {root}")
    if state == root or root in state.parents:
        raise Malformed(f"the state directory {state} is inside the folder {root}: choose one outside, it holds secrets")
    return Directory(state, root)


def existing(root: Path, state: Path) -> Directory:
    """The state directory for `root`, as it is. NotFound when there is no state in it."""
    directory = Directory(Path(os.path.realpath(state)), Path(os.path.realpath(root)))
    if not directory.journal.is_file() and not directory.database.is_file():
        raise NotFound(f"there is no state in {directory.path}: name the state directory with --state")
    _check_whole(directory)
    return directory


_OWN = frozenset({"lock", "spool"})
"""What is of no state: the lock's file, and the folder in which bodies of a cloud wait on their way."""


def empty(root: Path, state: Path, random: Callable[[int], bytes] = os.urandom) -> tuple[Directory, bytes]:
    """A state directory for `root` into which a backup is to be restored, with the mark that this is not finished (see `finish`); and what was
    drawn for it, which stays the same when it was cut off and is done again.

    Conflict for one that holds something else than a restore that was cut off. Else as `prepare`.
    """
    directory = _outside(root, state)
    directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {path.name for path in directory.path.iterdir()}
    if RESTORING not in found and found - _OWN:
        raise Conflict(f"the state directory {directory.path} is not empty: move it away, or choose another with --state")
    held = _record(directory.path / RESTORING) or {"draw": random(16).hex()}
    _write(directory.path / RESTORING, held)
    for name in found - {RESTORING, *_OWN}:
        (directory.path / name).unlink()
    return directory, str(held["draw"]).encode()


def finish(directory: Directory) -> None:
    """What was restored is whole."""
    inode = directory.root.stat()
    record = {"format": FORMAT, "root": os.fsdecode(directory.root), "device": inode.st_dev, "inode": inode.st_ino}
    _write(directory.path / "root.json", record)
    (directory.path / RESTORING).unlink()
    _sync(directory.path)


def _check_whole(directory: Directory) -> None:
    if (directory.path / RESTORING).exists():
        raise Conflict(f"the state in {directory.path} was restored by half only: run `collab restore` again")


def _claim(directory: Directory, *, adopt: bool) -> None:
    """Compare the record of the state with its root, and write it when it is new, adopted, or the root has another path now."""
    inode = directory.root.stat()
    record = {"format": FORMAT, "root": os.fsdecode(directory.root), "device": inode.st_dev, "inode": inode.st_ino}
    held = _record(directory.path / "root.json")
    if held is None:
        _write(directory.path / "root.json", record)
        return
    version = held.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise Conflict(f"the state in {directory.path} was made by a newer version of collab: use that one, or another state directory")
    if not adopt and (held.get("device"), held.get("inode")) != (inode.st_dev, inode.st_ino):
        raise Conflict(
            f"the state in {directory.path} belongs to another folder (it was {held.get('root')}). If {directory.root} is that folder, "
            "moved or restored, start once with --adopt; else choose another state directory"
        )
    if held != record:
        _write(directory.path / "root.json", record)


def _record(path: Path) -> dict[str, object] | None:
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Conflict(f"{path} is damaged: restore it; if the state is that of this folder, deleting the file helps too") from error
    return record if isinstance(record, dict) else {}


def _write(path: Path, record: Mapping[str, object]) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(record, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _lock(held: contextlib.ExitStack, path: Path, flags: int, whose: Callable[[int], str], *, how: int = fcntl.LOCK_EX) -> int:
    """Open and lock; `whose` tells from the descriptor who else has it."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{error.strerror}: {path}") from error
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError as error:
        where = path if path.is_dir() else path.parent
        raise Locked(f"{where} is in use by {whose(descriptor)}: stop that first, two servers would lose edits") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise Unavailable(f"{error.strerror}: the lock on {path} cannot be taken") from error
    return descriptor


def _holder(descriptor: int) -> str:
    """Who has locked the state, from "pid host started" as `hold` writes it."""
    words = os.pread(descriptor, 300, 0).decode("utf-8", "replace").split()
    return f"process {words[0]} on {words[1]}, since {words[2]}" if len(words) == 3 else "another server"


def _owner(descriptor: int) -> str:
    """Who has locked the folder, told by the kernel: a note in the folder would be a file among the users' files."""
    inode = os.fstat(descriptor)
    file = f"{os.major(inode.st_dev):02x}:{os.minor(inode.st_dev):02x}:{inode.st_ino}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[1:2] == ["FLOCK"] and words[5:6] == [file]:
                return f"process {words[4]}, since {_date(Path('/proc', words[4]).stat().st_mtime)}"
    return "another server"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
