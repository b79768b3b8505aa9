"""PEER-1, PEER-2, PEER-3: `collab watch` on two machines beside somebody in a browser, with all that can go away gone once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from serving import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.conftest import Peers
    from serving import Served

NAME = "folder/shared ü.md"


@dataclass
class Watcher:
    """A machine with a file, a memory of its own, and `collab watch` on it while it runs."""

    server: Served
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.grant(3600)

    @property
    def file(self) -> Path:
        return self.folder / "my copy.md"

    def grant(self, seconds: float) -> None:
        new = self.folder / "token.new"
        new.write_text(self.server.token(self.folder.name, seconds=seconds) + "\n")
        new.replace(self.folder / "token")

    def start(self, *where: str) -> None:
        command = [sys.executable, "-m", "collab", "watch", *where, str(self.file), "--token-file", str(self.folder / "token")]
        with (self.folder / "told").open("ab") as told:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                env=self.server.variables() | {"XDG_STATE_HOME": str(self.folder / "state")},
            )

    def end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        return process.wait(PATIENCE)

    def pause(self) -> None:
        """Until it is ended."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    @property
    def told(self) -> list[str]:
        return (self.folder / "told").read_text().splitlines()

    @property
    def lines(self) -> Counter[str]:
        return Counter(self.file.read_text("utf-8").splitlines()) if self.file.exists() else Counter()

    def append(self, line: str) -> None:
        """As an editor saves: in place."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def prepend(self, line: str) -> None:
        """As other editors save: a new file in its place."""
        new = self.folder / "new"
        new.write_text(f"{line}\n{self.file.read_text('utf-8')}", "utf-8")
        new.replace(self.file)

    async def holds(self, lines: Counter[str]) -> None:
        await until(lambda: self.lines == lines, within=60, saying=lambda: (self.lines, self.told))

    async def tells(self, words: str, times: int = 1) -> None:
        await until(lambda: sum(words in line for line in self.told) >= times, within=60, saying=lambda: self.told)


@contextmanager
def machines(server: Served, folder: Path) -> Iterator[tuple[Watcher, Watcher]]:
    both = Watcher(server, folder / "ann"), Watcher(server, folder / "bob")
    try:
        yield both
    finally:
        for each in both:
            if each.process is not None:
                each.end(signal.SIGKILL)


async def test_two_editors_and_a_browser_have_every_word_once_whatever_goes_away(server: Served, peers: Peers, tmp_path: Path) -> None:
    """PEER-1, PEER-2, PEER-3."""
    server.write(NAME, "start\n")
    cat = await peers("hocuspocus-4", server, NAME)
    words = Counter(["start"])
    with machines(server, tmp_path) as (ann, bob):

        async def everybody_has(*lines: str) -> None:
            words.update(lines)
            await ann.holds(words)
            await bob.holds(words)
            await cat.holds(words, within=60)

        for each in (ann, bob):
            each.start(f"{server.url}/edit/{quote(NAME)}")
        await everybody_has()
        await ann.tells("are kept in step")
        await bob.tells("are kept in step")

        await cat.synced()
        await cat.line("of Cat", 0.0)
        ann.append("of Ann")
        bob.prepend("of Bob")
        await everybody_has("of Cat", "of Ann", "of Bob")

        # A watcher is killed; both sides go on, and it comes back.
        ann.end(signal.SIGKILL)
        ann.append("of Ann, unwatched")
        await cat.line("of Cat, meanwhile", 0.5)
        bob.append("of Bob, meanwhile")
        await bob.holds(words + Counter(["of Cat, meanwhile", "of Bob, meanwhile"]))
        ann.start()
        await everybody_has("of Ann, unwatched", "of Cat, meanwhile", "of Bob, meanwhile")

        # The server is killed, and a token is over when it is back.
        await asyncio.to_thread(server.kill)
        ann.prepend("of Ann, cut off")
        bob.append("of Bob, cut off")
        await ann.tells("not in step: the server cannot be reached")
        bob.grant(-1)
        await asyncio.to_thread(server.start)
        await bob.tells("; put a new token into the file")
        bob.grant(3600)
        await everybody_has("of Ann, cut off", "of Bob, cut off")
        await bob.tells("in step again")

        # He ends while there is something that he has not seen: his own words go there, and the others' come.
        bob.pause()
        await cat.line("of Cat, unseen", 0.0)
        await cat.stored()
        bob.append("saved a moment before the end")
        words.update(["of Cat, unseen", "saved a moment before the end"])
        assert {bob.end(signal.SIGINT), ann.end(signal.SIGTERM)} == {0}
        assert bob.told[-1].endswith(" stopped")
        assert bob.lines == words
        await cat.holds(words)
        await server.holds(NAME, words)
        for each in (ann, bob):
            assert sorted(path.name for path in each.folder.iterdir()) == ["my copy.md", "state", "token", "told"]
