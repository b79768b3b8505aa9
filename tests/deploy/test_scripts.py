"""The scripts of docs/how-to/write-a-script.md do what the page says, as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from checkout import ROOT, text
from interop.peer import install
from serving import Served, server

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server"]

SECONDS = 60.0
LINE = "a line with ü and 😀"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with each script of the page under the name that its first line has, and with the libraries that it wants."""
    install()
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "node_modules").symlink_to(ROOT / "tests" / "interop" / "node_modules")
    page = text(ROOT / "docs" / "how-to" / "write-a-script.md")
    for body, name in re.findall(r"^```\w+\n((?:#|//) (\w+\.\w+): .*?)^```$", page, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(body, "utf-8")
    return folder


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def stored(server: Served, name: str) -> str:
    """What a new start finds: the server is killed, so the file has what the journal had."""
    server.kill()
    server.start()
    server.stop()
    return server.read(name)


def test_the_python_script_leaves_when_its_line_is_stored(server: Served, scripts: Path) -> None:
    """WIRE-7, JOURNAL-1."""
    server.write("notes.md", "# Notes\n")

    done = run(sys.executable, scripts / "append.py", f"{server.ws}/ws/notes.md", server.token(), LINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert stored(server, "notes.md") == f"# Notes\n{LINE}\n"


def test_the_python_script_says_why_it_was_refused(server: Served, scripts: Path) -> None:
    """WIRE-11."""
    done = run(sys.executable, scripts / "append.py", f"{server.ws}/ws/missing.md", server.token(), LINE)

    assert done.returncode == 1
    assert done.stderr.startswith("not-found")


def test_the_hocuspocus_script_leaves_when_its_line_is_stored(server: Served, scripts: Path) -> None:
    """WIRE-6, JOURNAL-1."""
    server.write("a folder/notes.md", "# Notes\n")

    done = run("node", scripts / "append.mjs", f"{server.ws}/collaboration", "a folder/notes.md", server.token(), LINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert stored(server, "a folder/notes.md") == f"# Notes\n{LINE}\n"


def test_the_y_websocket_script_shows_the_text(server: Served, scripts: Path) -> None:
    """FILE-3."""
    server.write("a folder/notes.md", f"{LINE}\n")

    done = run("node", scripts / "show.mjs", f"{server.ws}/ws", "a folder/notes.md", server.token(role="viewer"))

    assert (done.returncode, done.stdout) == (0, f"{LINE}\n")


def test_the_curl_commands_of_the_page_are_answered(server: Served) -> None:
    """HTTP-8."""
    server.write("notes.md", "# Notes\n")
    page = text(ROOT / "docs" / "how-to" / "write-a-script.md")
    commands = re.findall(r"^curl .*$", page, re.MULTILINE)

    answers = [
        run("bash", "-c", command.replace("http://127.0.0.1:8000", server.url).replace("$TOKEN", server.token()) + " --fail --silent")
        for command in commands
    ]

    assert [answer.returncode for answer in answers] == [0, 0]
    assert answers[0].stdout == "# Notes\n"
    assert '"path":"notes.md"' in answers[1].stdout.replace(" ", "")


def test_a_script_that_changes_a_text_is_merged(server: Served, scripts: Path) -> None:
    """MERGE-7."""
    server.write("notes.md", "Straße 😀\n")

    done = run(sys.executable, scripts / "shout.py", server.url, "notes.md", server.token())

    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert stored(server, "notes.md") == "STRASSE 😀\n"
