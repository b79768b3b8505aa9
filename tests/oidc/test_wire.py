"""What is asked of a provider, where, and how much of its answer is read (SIGN-12)."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from collab.errors import Unavailable
from collab.oidc.provider import Client, Provider
from collab.oidc.wire import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISCOVERY = "/.well-known/openid-configuration"


@dataclass(slots=True)
class Site:
    """A web server that answers as it is told, and remembers what it was asked."""

    origin: str
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    endless: bool = False
    """After an answer more follows, until the client hangs up."""
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    sent: int = 0
    """Bytes of an endless answer that went out."""

    def says(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[path] = status, headers, body

    def describes(self, **more: object) -> None:
        """It is a provider."""
        said = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/auth",
            "token_endpoint": f"{self.origin}/token",
            "jwks_uri": f"{self.origin}/jwks",
        }
        self.says(DISCOVERY, json.dumps(said | more).encode())


@contextmanager
def site() -> Iterator[Site]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, said = made.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if not made.endless:
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            try:
                self.wfile.write(said)
                while made.endless and made.sent < 64 * MOST:
                    self.wfile.write(b" " * 65536)
                    made.sent += 65536
            except OSError:
                made.endless = False

        do_POST = do_GET  # noqa: N815 - the library calls it so

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as above
            del format, arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def sites() -> Iterator[Sequence[Site]]:
    with site() as ours, site() as other:
        yield ours, other


def provider(issuer: str) -> Provider:
    return Provider(Client(issuer, "collab", "a secret"), now=lambda: 0.0, clock=lambda: 0.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirections_lead_nowhere(sites: Sequence[Site], status: int) -> None:
    """Neither what is asked nor our secret comes to another host, whatever the provider says."""
    ours, other = sites
    other.describes(issuer=ours.origin)
    ours.says(DISCOVERY, b"", status, Location=other.origin + DISCOVERY)
    with pytest.raises(Unavailable, match=f"answers {status}"):
        await provider(ours.origin).metadata()

    ours.describes()
    ours.says("/token", b"", status, Location=f"{other.origin}/token")
    other.says("/token", b'{"access_token": "x"}')
    with pytest.raises(Unavailable):
        await provider(ours.origin).renew("a refresh token", "ada")
    assert [path for _, path, _, _ in ours.asked] == [DISCOVERY, DISCOVERY, "/token"]
    assert other.asked == []


async def test_keys_and_what_is_told_of_a_person_are_followed_nowhere(sites: Sequence[Site]) -> None:
    ours, other = sites
    ours.describes(userinfo_endpoint=f"{ours.origin}/userinfo")
    for path in ("/jwks", "/userinfo"):
        ours.says(path, b"", 302, Location=other.origin + path)
    with pytest.raises(Unavailable):
        await provider(ours.origin).examine()
    ours.says("/token", b'{"access_token": "secret of the person"}')
    tokens = await provider(ours.origin).renew("a refresh token", "ada")
    assert (tokens.claims, tokens.refresh) == ({"sub": "ada"}, "a refresh token")
    assert "/userinfo" in [path for _, path, _, _ in ours.asked]
    assert other.asked == []


@pytest.mark.parametrize("status", [200, 503], ids=["unknown", "away"])
async def test_the_next_refresh_token_is_not_lost_when_nobody_can_say_whether_its_id_token_is_true(
    sites: Sequence[Site], status: int
) -> None:
    """SIGN-10: the one that was used may be worth nothing any more, and a provider whose keys are away signs nobody off."""
    ours, _ = sites
    # What is said elsewhere is not all: groups may be in the ID token only.
    ours.describes(userinfo_endpoint=f"{ours.origin}/userinfo")
    ours.says("/userinfo", b'{"sub": "ada", "name": "Ada"}')
    ours.says("/jwks", b'{"keys": []}', status)
    ours.says("/token", b'{"access_token": "a", "refresh_token": "the next", "id_token": "e30.e30.e30"}')
    tokens = await provider(ours.origin).renew("a refresh token", "ada")
    assert (tokens.claims, tokens.refresh) == ({"sub": "ada"}, "the next")


async def test_no_answer_is_read_beyond_its_most(sites: Sequence[Site]) -> None:
    ours, _ = sites
    ours.describes()
    status, headers, body = ours.answers[DISCOVERY]
    ours.answers[DISCOVERY] = status, headers, body + b" " * (MOST - len(body))
    assert (await provider(ours.origin).metadata()).issuer == ours.origin
    ours.answers[DISCOVERY] = status, headers, body + b" " * (MOST + 1 - len(body))
    with pytest.raises(Unavailable, match=f"more than {MOST} bytes"):
        await provider(ours.origin).metadata()


async def test_an_answer_without_an_end_is_hung_up_on(sites: Sequence[Site]) -> None:
    ours, _ = sites
    ours.describes()
    ours.endless = True
    with pytest.raises(Unavailable, match=f"more than {MOST} bytes"):
        await provider(ours.origin).metadata()
    assert ours.sent < 64 * MOST


async def test_an_answer_that_grows_when_it_is_unpacked_is_asked_for_by_nobody_and_read_by_nobody(sites: Sequence[Site]) -> None:
    ours, _ = sites
    ours.says(DISCOVERY, gzip.compress(b" " * 32 * MOST), Content_Encoding="gzip")
    with pytest.raises(Unavailable, match=f"more than {MOST} bytes"):
        await provider(ours.origin).metadata()
    assert ours.asked[0][2]["accept-encoding"] == "identity"
