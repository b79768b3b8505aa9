"""A PostgreSQL of the tests' own: a new cluster in a temporary folder, on a Unix socket, as a user who may not do much."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from collab.archive.engine import Database
from collab.archive.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0
QUICK = {"fsync": "off", "listen_addresses": "", "max_connections": "60", "shared_buffers": "16MB"}
"""It lives no longer than the tests, so nothing has to outlive the machine."""


@cache
def programs() -> Path:
    """The folder of PostgreSQL's programs; Debian keeps them out of the search path. The newest that is really there."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))]
    folders += [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=SECONDS).stdout
            if told.startswith("postgres (PostgreSQL)"):
                return folder
    raise AssertionError("PostgreSQL is not installed: apt-get install postgresql")


@dataclass(slots=True)
class Postgres:
    """One cluster, and its server while it runs."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    made: int = 0
    opened: str | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://collab@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user="collab", dbname=database, autocommit=True)

    def new(self) -> str:
        """The URL of a new database with nothing in it."""
        self.made += 1
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE test{self.made}".encode())
        return self.url(f"test{self.made}")

    def empty(self) -> str:
        """The URL of a database with the archive's tables, as a new one opens it, and no rows."""
        if self.opened is None:
            self.opened = self.new()
            database = Database(self.opened)
            database._threads.shutdown()
            database._engine.dispose()
        names = ", ".join(sorted(metadata.tables))
        with psycopg.connect(self.opened.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())
        return self.opened

    def prepare(self) -> None:
        """An empty cluster."""
        user = self._user()
        if user:
            shutil.chown(self.folder, user["user"])
        data, options = str(self.folder / "data"), ("--username=collab", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        made = [str(programs() / "initdb"), "--pgdata", data, *options]
        subprocess.run(made, check=True, capture_output=True, timeout=SECONDS, cwd=self.folder, **user)

    def start(self) -> None:
        """Run the server until it answers."""
        options: list[str] = [f"--{name}={value}" for name, value in QUICK.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(programs() / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._user(),
            )
        ready = [
            str(programs() / "pg_isready"),
            "--host",
            str(self.folder),
            "--username=collab",
            "--dbname=postgres",
            "--timeout=10",
            "--quiet",
        ]
        for _ in range(600):
            if subprocess.run(ready, check=False, timeout=SECONDS).returncode == 0:
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)  # another process has no event to wait for
        raise AssertionError("PostgreSQL does not answer")

    def pids(self) -> list[int]:
        """The server's processes."""
        assert self.process is not None
        first = self.process.pid
        told = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout
        return [first, *map(int, told.split())]

    def pause(self) -> None:
        """It takes connections and answers nobody, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        # The first one alone at first: it must not start another one while they are listed.
        self.process.send_signal(number)
        for pid in self.pids():
            # Whoever was connected a moment ago may be gone by now.
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """At once, whoever is connected and whatever they do."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(SECONDS)

    @staticmethod
    def _user() -> dict[str, Any]:
        """PostgreSQL does not run as root."""
        if os.geteuid() != 0:
            return {}
        known = {entry.pw_name for entry in pwd.getpwall()}
        name = "postgres" if "postgres" in known else "nobody"
        return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for all tests of this process; who stops it starts it again."""
    # Short, for the socket's path, and where another user gets to.
    folder = Path(tempfile.mkdtemp(prefix="collab-pg-", dir="/tmp"))
    server = Postgres(folder)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
