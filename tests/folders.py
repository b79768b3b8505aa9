"""A folder with somebody else in it, for each adapter: what the tests do from outside."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from gateway import Cloud, CloudGateway
from gateway.cloud import MACHINE
from real_cloud import GATEWAY, OutsideReal

from collab.archive.memory import MemoryArchive
from collab.gateway.calls import Gateway
from collab.gateway.identity import Machine
from collab.gateway.transfers import Transfers
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.claims import Noted
from collab.storage.cs3.acting import Alone
from collab.storage.cs3.bin import CloudBin
from collab.storage.cs3.claims import CloudClaims
from collab.storage.cs3.cloud import Cloud as CloudAdapter
from collab.storage.cs3.files import CloudFiles
from collab.storage.cs3.folders import CloudFolders
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.local_folders import LocalFolders
from collab.storage.memory import MemoryFiles, Node
from collab.storage.memory_bin import MemoryBin, MemoryFolders
from collab.storage.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collab.ports import Bin, Files, Folders


@dataclass
class Time:
    """Clocks that stand still until they are moved. The wall clock begins with that of the file system: new files are too new to be trusted."""

    now: float = field(default_factory=time.time)
    ticks: float = 0.0

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds


class Outside(Protocol):
    """Somebody else who works in the folder."""

    time: Time

    @property
    def files(self) -> Files: ...

    @property
    def folders(self) -> Folders: ...

    @property
    def bin(self) -> Bin: ...

    def put(self, path: str, body: bytes) -> None:
        """A new file, over one that is there."""

    def writer(self, path: str) -> Callable[[bytes], None]:
        """A program that holds the file open, and replaces its content in place."""

    def rename(self, path: str, to: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def clear(self, path: str) -> None:
        """A folder and all in it is deleted."""

    def body(self, path: str) -> bytes: ...

    def protect(self, path: str) -> None:
        """The file becomes read-only."""

    def restart(self) -> Files:
        """The process dies, another begins."""

    async def close(self) -> None: ...


@dataclass
class OutsideMemory:
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        names = Names(Database(None, STATE), random=Random(1), clock=lambda: self.time.now, timer=lambda: self.time.ticks)
        self.files = MemoryFiles(names, clock=lambda: self.time.now)

    @property
    def folders(self) -> Folders:
        return MemoryFolders(self.files)

    @property
    def bin(self) -> Bin:
        return MemoryBin(self.files)

    def put(self, path: str, body: bytes) -> None:
        self.files.poke(path, body)

    def writer(self, path: str) -> Callable[[bytes], None]:
        node: Node = self.files.open(path)
        return lambda body: self.files.rewrite(node, body)

    def rename(self, path: str, to: str) -> None:
        self.files.rename(path, to)

    def remove(self, path: str) -> None:
        self.files.remove(path)

    def clear(self, path: str) -> None:
        self.files.clear(path)

    def body(self, path: str) -> bytes:
        return self.files.peek(path)

    def protect(self, path: str) -> None:
        self.files.open(path).writable = False

    def restart(self) -> Files:
        self.files = self.files.crash()
        return self.files

    async def close(self) -> None:
        await self.files.close()


class OutsideLocal:
    """`root` is made; the state is beside it."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.time = Time()
        self.root = folder / "root"
        self.root.mkdir()
        self.database = Database(folder / "state.sqlite", STATE)
        self.options = options
        self.random = Random(1)
        self.files = self.start()

    def start(self) -> LocalFiles:
        names = Names(self.database, random=self.random, clock=lambda: self.time.now, timer=lambda: self.time.ticks)
        return LocalFiles(self.root, names, **self.options)  # type: ignore[arg-type]

    @property
    def folders(self) -> Folders:
        return LocalFolders(self.files)

    @property
    def bin(self) -> Bin:
        return LocalBin(self.files)

    def put(self, path: str, body: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(".put")
        temporary.write_bytes(body)
        temporary.replace(target)

    def writer(self, path: str) -> Callable[[bytes], None]:
        file = (self.root / path).open("r+b")

        def write(body: bytes) -> None:
            file.seek(0)
            file.truncate()
            file.write(body)
            file.close()

        return write

    def rename(self, path: str, to: str) -> None:
        os.rename(self.root / path, self.root / to)  # noqa: PTH104 - over one that is there

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def clear(self, path: str) -> None:
        shutil.rmtree(self.root / path)

    def body(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def protect(self, path: str) -> None:
        (self.root / path).chmod(0o444)

    def restart(self) -> Files:
        self.files._threads.shutdown()
        self.files = self.start()
        return self.files

    def hidden(self) -> list[str]:
        """The names of hidden files, wherever they are."""
        return sorted(path.name for path in self.root.rglob(".*"))

    async def close(self) -> None:
        await self.files.close()
        self.database.close()


class OutsideCloud:
    """Ann, in a cloud of the tests: the root is a space of hers. What a restart begins anew is the server, not the cloud."""

    SPACE = "ann"

    def __init__(self) -> None:
        self.time = Time()
        self.cloud = Cloud(clock=lambda: self.time.now)
        self.cloud.add_user("ann")
        self.gateway = CloudGateway(self.cloud)
        self.archive = MemoryArchive()
        self.database = Database(None, STATE)
        self.used: list[CloudFiles] = []

    async def open(self) -> None:
        await self.gateway.start()
        self.start()

    def start(self) -> CloudFiles:
        clock = self.time
        calls = Gateway(self.gateway.target, clock=lambda: clock.now)
        acting = Alone(Machine(calls, MACHINE, clock=lambda: clock.now), "ann")
        self.adapter = CloudAdapter(
            calls, Transfers(), acting, self.archive.resources, root=self.cloud.root_id(self.SPACE), clock=lambda: clock.now
        )
        self.files = CloudFiles(self.adapter)
        self.folders = CloudFolders(self.adapter)
        self.bin = CloudBin(self.adapter)
        self.claims = CloudClaims(self.adapter, Noted(self.database))
        self.used.append(self.files)
        return self.files

    def put(self, path: str, body: bytes) -> None:
        self.cloud.put(self.SPACE, path, body)

    def writer(self, path: str) -> Callable[[bytes], None]:
        """Here nobody holds a file open: it is a new version of what has this id, wherever it is."""
        node = self.cloud.at(self.SPACE, path)
        return lambda body: self.cloud.write(node, body)

    def rename(self, path: str, to: str) -> None:
        folder, _, name = to.rpartition("/")
        space = self.cloud.space(self.SPACE)
        there = self.cloud.find(space, to)
        if there is not None:
            self.cloud.delete(there)
        parent = self.cloud.find(space, folder)
        assert parent is not None
        self.cloud.move(self.cloud.at(self.SPACE, path), parent, name)

    def remove(self, path: str) -> None:
        self.cloud.delete(self.cloud.at(self.SPACE, path))

    clear = remove

    def body(self, path: str) -> bytes:
        return self.cloud.body(self.SPACE, path)

    def protect(self, path: str) -> None:
        self.cloud.at(self.SPACE, path).writable = False

    def restart(self) -> Files:
        return self.start()

    async def close(self) -> None:
        for files in self.used:
            await files.close()
        await self.gateway.stop()
        self.database.close()


EVERYWHERE = ["memory", "local", "cs3", *(["gateway"] if GATEWAY else [])]
FOLDERS = ["memory", "local"]
"""Where a file is what is at a path: programs rename aside, hold files open and write into them, and only paths and inodes tell which document is which."""


async def outside_of(storage: str, folder: Path) -> Outside:
    """`memory`, `local` in this folder, `gateway`: the real cloud that the environment names, or `cs3`: a cloud, where a file is what has an id, whatever its path, and each upload a version."""
    if storage == "memory":
        return OutsideMemory()
    if storage == "local":
        return OutsideLocal(folder)
    if storage == "gateway":
        return OutsideReal(Time())
    made = OutsideCloud()
    await made.open()
    return made
