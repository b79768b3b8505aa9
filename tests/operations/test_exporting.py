"""EXPORT-1, EXPORT-2: everything leaves in open formats, beside a running server, with what is not in the files yet."""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
import pytest
from pycrdt import Doc, Text
from serving import Served, serving
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server that saves late."""
    with serving(tmp_path, COLLAB_SAVE_DELAY="600", COLLAB_SAVE_AT_MOST="600", COLLAB_ROOM_IDLE="600") as served:
        yield served


def exported(server: Served, folder: Path, *what: str) -> tuple[int, str]:
    done = server.run("export", *what, "--to", str(folder))
    return done.returncode, done.stdout + done.stderr


def words(path: Path) -> object:
    return json.loads(path.read_text("utf-8"))


def test_documents_leave_with_their_history_while_the_server_runs(server: Served, tmp_path: Path) -> None:
    """EXPORT-1, EXPORT-2, META-1."""
    name = "ordner/ü 1.md"
    server.write(name, "one\r\n")
    server.write("never opened.txt", "plain\n")
    (server.root / "picture.png").write_bytes(b"\x89PNG\0")
    out = tmp_path / "out"
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token('=Ann')}"}, timeout=60) as ann:
        url = "/api/documents/ordner%2F%C3%BC%201.md/content"
        read = ann.get(url)
        ann.put(url.replace("content", "metadata"), json={"tags": ["=lab"], "description": "two\nlines"}).raise_for_status()
        ann.put(url, content="one\r\nzwei 😀\r\n".encode(), headers={"If-Match": read.headers["etag"]}).raise_for_status()
        server.stop()  # saved: a version
        server.start()
        # While somebody is there, a save waits.
        with connect(server.room(name, server.token()), open_timeout=60) as socket:
            socket.send(b"\0\0\1\0")
            socket.recv()
            read = ann.get(server.url + url)
            live = read.content + b"not in the file\r\n"
            ann.put(server.url + url, content=live, headers={"If-Match": read.headers["etag"]}).raise_for_status()
            status, told = exported(server, out, "--all")
            assert server.read(name) == "one\r\nzwei 😀\r\n"

    assert (status, told.splitlines()[-1]) == (0, f"3 documents: {out}")
    documents = out / "documents"
    assert (documents / name).read_bytes() == live
    assert (documents / "never opened.txt").read_text() == "plain\n"
    assert (documents / "picture.png").read_bytes() == b"\x89PNG\0"
    history = out / "histories" / name
    assert sorted(path.name for path in history.iterdir()) == [
        *("authors.json", "document.json", "state.yjs", "versions", "versions.csv", "versions.json")
    ]
    said = words(history / "document.json")
    assert isinstance(said, dict)
    assert (said["tags"], said["description"]) == (["=lab"], "two\nlines")
    versions = words(history / "versions.json")
    assert isinstance(versions, list)
    assert [(each["source"], [writer["name"] for writer in each["writers"]]) for each in versions] == [("first", []), ("save", ["=Ann"])]
    for each in versions:
        body = (history / each["file"]).read_bytes()
        assert (len(body), sha256(body).hexdigest()) == (each["size"], each["sha256"])
    with (history / "versions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["number"], row["writers"]) for row in rows] == [(str(versions[0]["number"]), ""), (str(versions[1]["number"]), "'=Ann")]
    authors = words(history / "authors.json")
    assert isinstance(authors, dict)
    assert authors["characters"] == len(live.decode().replace("\r\n", "\n")) == sum(each["characters"] for each in authors["authors"])
    assert {(each["kind"], each["name"], each["characters"]) for each in authors["authors"]} == {("person", "=Ann", 23), ("file", "", 4)}
    document: Doc[Text] = Doc()
    text = document.get("content", type=Text)
    document.apply_update((history / "state.yjs").read_bytes())
    assert str(text) == live.decode().replace("\r\n", "\n")
    assert not (out / "histories" / "picture.png").exists()


def test_a_document_whose_file_is_gone_or_was_written_outside_leaves_whole(server: Served, tmp_path: Path) -> None:
    """EXPORT-1."""
    server.write("a.md", "one\n")
    server.write("b.md", "one\n")
    with ExitStack() as there, httpx.Client(headers={"Authorization": f"Bearer {server.token()}"}, timeout=60) as ann:
        for name in ("a.md", "b.md"):
            url = f"{server.url}/api/documents/{name}/content"
            socket = there.enter_context(connect(server.room(name, server.token()), open_timeout=60))
            socket.send(b"\0\0\1\0")
            socket.recv()
            ann.put(url, content=b"one\nstored\n", headers={"If-Match": ann.get(url).headers["etag"]}).raise_for_status()
        server.kill()
    (server.root / "a.md").unlink()
    (server.root / "b.md").write_text("one\noutside\n")
    out = tmp_path / "out"

    assert exported(server, out, "--all")[0] == 0

    assert (out / "documents" / "a.md").read_text() == (out / "documents" / "b.md").read_text() == "one\nstored\n"
    assert (out / "histories" / "b.md" / "file.md").read_text() == "one\noutside\n"
    assert exported(server, out, "--all") == (2, f"collab export: {out} is not empty: an export goes into a folder of its own\n")
    assert "no such file" in exported(server, tmp_path / "other", "none.md")[1]
