"""PEER-3, PEER-4: what other servers, and those between us and ours, may answer; and how often they are asked."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from serving import PATIENCE

from collab.errors import CollabError, Malformed, TooMany, Unauthorized, Unavailable
from collab.remote.address import Address
from collab.remote.commands import token_of
from collab.remote.local import LocalFile
from collab.remote.memory import Memory
from collab.remote.server import Body, Remote
from collab.remote.sync import Sync
from collab.remote.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b"a text\n"
ETAG = f'"{sha256(BODY).hexdigest()}"'


class Strange(ThreadingHTTPServer):
    """A server that answers all that it is asked in one way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answer: tuple[int, dict[str, str], bytes] = (200, {"ETag": ETAG}, BODY)
        self.asked: list[dict[str, str]] = []
        self.heard = threading.Event()
        """It was asked for the first time."""

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up."""


class Answering(BaseHTTPRequestHandler):
    server: Strange

    def do_GET(self) -> None:
        self.server.asked.append(dict(self.headers))
        self.server.heard.set()
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def running(server: Strange) -> Iterator[Strange]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def strange() -> Iterator[Strange]:
    with running(Strange()) as server:
        yield server


def remote(server: Strange, scheme: str = "http") -> Remote:
    return Remote(Address(f"{scheme}://127.0.0.1:{server.server_port}/sub", "f/ü.md"), lambda: "secret")


def test_a_question_names_the_document_and_has_the_token_in_a_header(strange: Strange) -> None:
    """PEER-4."""
    body = remote(strange).read("old", seconds=25)
    assert body is not None
    assert body.content == BODY
    (asked,) = strange.asked
    assert {name: asked[name] for name in ("Authorization", "If-None-Match", "Prefer")} == {
        "Authorization": "Bearer secret",
        "If-None-Match": '"old"',
        "Prefer": "wait=25",
    }


def test_a_token_does_not_follow_a_redirection(strange: Strange) -> None:
    """PEER-4."""
    with running(Strange()) as other:
        strange.answer = (302, {"Location": f"http://127.0.0.1:{other.server_port}/"}, b"")
        with pytest.raises(Malformed, match="at another address"):
            remote(strange).read()
        assert other.asked == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((200, {"ETag": ETAG}, b"a text, changed on its way\n"), Unavailable, "changes or cuts"),
        ((200, {"ETag": ETAG, "Content-Length": "900"}, BODY), Unavailable, "cannot be reached"),
        ((200, {}, b"<html>Sign in to the network</html>"), Unavailable, "no ETag"),
        ((502, {}, b"<html>Bad gateway</html>"), Unavailable, "answers 502"),
        ((429, {"Retry-After": "7"}, json.dumps({"detail": "Too many."}).encode()), TooMany, "Too many."),
    ],
)
def test_what_is_no_answer_of_ours_is_refused_in_words(
    strange: Strange, answer: tuple[int, dict[str, str], bytes], error: type[CollabError], words: str
) -> None:
    """PEER-3."""
    strange.answer = answer
    asking = remote(strange)
    with pytest.raises(error, match=words):
        asking.read()
    assert asking.wait == (7.0 if error is TooMany else 0.0)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent(tmp_path: Path) -> None:
    """PEER-4."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    server = Strange()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with running(server):
        with pytest.raises(Unavailable, match="certificate is not trusted"):
            remote(server, "https").read()
        assert server.asked == []


@pytest.mark.parametrize("status", [304, 503, 429])
def test_a_server_that_does_not_wait_is_not_asked_again_and_again(strange: Strange, tmp_path: Path, status: int) -> None:
    """PEER-3."""
    (tmp_path / "a.md").write_bytes(BODY)
    memory = Memory.open(tmp_path / "memory")
    memory.hold(memory.learn(BODY, 0.0))
    lines: list[str] = []
    sync = Sync(LocalFile(tmp_path / "a.md"), remote(strange), memory, lines.append, time.time)
    strange.answer = (status, {"Retry-After": "60"} if status == 429 else {}, b"{}")
    watching = Watching(sync, renewable=True)
    listener = threading.Thread(target=watching._listen_there, daemon=True)
    listener.start()
    assert strange.heard.wait(PATIENCE)
    begun = time.monotonic()
    while time.monotonic() - begun < 2.5:
        if not watching.news.empty():
            watching.news.get()
            watching._asked.release()
        watching._stopped.wait(0.02)
    watching._stopped.set()
    assert 1 <= len(strange.asked) <= (1 if status == 429 else 4)
    memory.close()


def test_a_token_file_that_is_away_while_it_is_replaced_is_looked_for_again(strange: Strange, tmp_path: Path) -> None:
    """PEER-3: who listens to the server goes on listening."""
    (tmp_path / "a.md").write_bytes(b"before\n")
    memory = Memory.open(tmp_path / "memory")
    memory.hold(memory.learn(b"before\n", 0.0))
    token = tmp_path / "token"
    there = Remote(remote(strange).address, token_of(token))
    watching = Watching(Sync(LocalFile(tmp_path / "a.md"), there, memory, lambda _: None, time.time), renewable=True)
    listener = threading.Thread(target=watching._listen_there, daemon=True)
    listener.start()
    assert isinstance(watching.news.get(timeout=PATIENCE), Unauthorized)
    token.write_text("secret\n")
    watching._asked.release()
    assert isinstance(watching.news.get(timeout=PATIENCE), Body)
    watching._stopped.set()
    watching._asked.release()
    listener.join(PATIENCE)
    memory.close()
