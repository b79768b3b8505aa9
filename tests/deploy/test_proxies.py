"""The proxies' configurations of docs/how-to, adapted by ports and paths alone, before a real server under a prefix."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pycrdt
import pytest
from checkout import ROOT, text
from proxies import SECONDS, certificate, program, running
from serving import Served, free_port
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


NAME = "docs.example.org"
PREFIX = "/collab"
NOTES = "reports/Größe 1.md"
STRANGER = "203.0.113.9"


@dataclass(frozen=True, slots=True)
class Proxied:
    """A server behind a proxy, as people on another machine see it."""

    served: Served
    port: int
    folder: Path
    trust: ssl.SSLContext

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request below the prefix, as if `NAME` were this machine's."""
        headers = {"Host": f"{NAME}:{self.port}"} | options.pop("headers", {})
        url = f"https://127.0.0.1:{self.port}{path}"
        with httpx.Client(verify=self.trust, trust_env=False, timeout=SECONDS) as client:
            return client.request(method, url, headers=headers, extensions={"sni_hostname": NAME}, **options)

    def bearer(self, **options: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.served.token(**options)}"}

    def socket(self, path: str, *, origin: str | None = None, headers: dict[str, str] | None = None) -> connect:
        """A WebSocket below the prefix."""
        url = f"wss://{NAME}:{self.port}{path}"
        options: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "ssl": self.trust, "server_hostname": NAME, "proxy": None}
        return connect(url, open_timeout=SECONDS, origin=origin, additional_headers=headers, **options)  # type: ignore[arg-type]  # a NewType of str


def replaced(document: str, changes: dict[str, str]) -> str:
    """The documented configuration with each change made, each of which it must have."""
    config = text(ROOT / "docs" / "how-to" / document)
    for old, new in changes.items():
        assert old in config, f"{document} has no {old!r}: adapt this test to it"
        config = config.replace(old, new)
    return config


def nginx(folder: Path, port: int, upstream: int) -> list[str]:
    """The command that serves docs/how-to/nginx.conf."""
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "/etc/ssl/collab/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
    }
    (folder / "collab.conf").write_text(replaced("nginx.conf", changes))
    stores = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    main = f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{\n{stores}\ninclude {folder}/collab.conf;\n}}\n"
    (folder / "nginx.conf").write_text(main)
    return [program("nginx"), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def caddy(folder: Path, port: int, upstream: int) -> list[str]:
    """The command that serves docs/how-to/Caddyfile, with a certificate of ours instead of one from the internet."""
    changes = {
        f"{NAME} {{\n": f"{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/fullchain.pem {folder}/privkey.pem\n",
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
    }
    here = "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {\n\t\tprotocols h1\n\t}\n}\n"
    (folder / "Caddyfile").write_text(here + replaced("Caddyfile", changes))
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp(request.param.__name__)
    certificate(folder, NAME)
    port, upstream = free_port(), free_port()
    environment = {
        "COLLAB_PUBLIC_URL": f"https://{NAME}:{port}{PREFIX}",
        "COLLAB_TRUSTED_PROXIES": "127.0.0.1",
        "COLLAB_AUDIT": str(folder / "audit.jsonl"),
    }
    served = Served(folder / "root", folder / "state", environment, upstream)
    served.write(NOTES, "# Notes\n")
    served.process = served.launch()
    try:
        assert served.process.stdout is not None
        served.address = served.process.stdout.readline().decode().strip()
        with running(request.param(folder, port, upstream), folder, port):
            yield Proxied(served, port, folder, ssl.create_default_context(cafile=folder / "fullchain.pem"))
    finally:
        served.kill()


@pytest.fixture(scope="module")
def signed_in(proxied: Proxied) -> str:
    """The `Set-Cookie` that a browser gets which opens a new address of `collab login`."""
    printed = proxied.served.run("login").stdout.strip()
    assert printed.startswith(f"{proxied.origin}{PREFIX}/login#")
    secret = printed.partition("#")[2]
    answer = proxied.ask("POST", f"{PREFIX}/api/session", json={"secret": secret}, headers={"Origin": proxied.origin})
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"]


@pytest.fixture
def browser(signed_in: str) -> dict[str, str]:
    """The headers of that browser."""
    return {"Cookie": signed_in.partition(";")[0]}


def test_the_printed_address_is_the_public_one(proxied: Proxied) -> None:
    """HTTP-6."""
    assert proxied.served.address.startswith(f"{proxied.origin}{PREFIX}/login#")


def test_pages_and_their_parts_come_under_the_prefix(proxied: Proxied, browser: dict[str, str]) -> None:
    """HTTP-6, HTTP-7."""
    page = proxied.ask("GET", f"{PREFIX}/", headers=browser)
    parts = re.findall(rf'(?:src|href)="({PREFIX}/static/[^"]+)"', page.text)

    assert page.status_code == 200
    assert parts
    assert {proxied.ask("GET", part).status_code for part in parts} == {200}
    assert not re.findall(rf'(?:src|href)="/(?!{PREFIX[1:]}/)', page.text)


def test_the_prefix_without_its_slash_leads_to_the_prefix(proxied: Proxied) -> None:
    """HTTP-7."""
    answer = proxied.ask("GET", PREFIX)

    assert answer.status_code == 308
    assert answer.headers["location"].removeprefix(proxied.origin) == f"{PREFIX}/"


def test_the_cookie_is_for_the_prefix_and_for_tls_only(signed_in: str) -> None:
    """AUTH-4, HTTP-6."""
    attributes = {part.strip().lower() for part in signed_in.split(";")[1:]}

    assert attributes >= {f"path={PREFIX}", "httponly", "secure", "samesite=lax"}


def test_a_name_in_one_segment_passes_the_proxy_as_it_was(proxied: Proxied) -> None:
    """FILE-3, HTTP-7."""
    answer = proxied.ask("GET", f"{PREFIX}/api/documents/reports%2FGr%C3%B6%C3%9Fe%201.md/content", headers=proxied.bearer())

    assert (answer.status_code, answer.text) == (200, "# Notes\n")


def test_a_write_of_another_origin_is_refused(proxied: Proxied, browser: dict[str, str]) -> None:
    """AUTH-5."""
    headers = browser | {"Origin": "https://evil.example.org"}

    assert proxied.ask("POST", f"{PREFIX}/api/documents", json={"path": "evil.md"}, headers=headers).status_code == 403


def test_another_host_is_refused(proxied: Proxied) -> None:
    """AUTH-6: by the server, or with an empty answer by a proxy that knows no such site."""
    answer = proxied.ask("GET", f"{PREFIX}/", headers={"Host": "evil.example.org"})

    assert answer.status_code == 421 or answer.content == b""


def test_what_a_client_says_of_itself_does_not_count(proxied: Proxied) -> None:
    """AUTH-7."""
    forged = {"X-Forwarded-For": STRANGER, "X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "http"}
    name = f"forged-{proxied.port}.md"

    answer = proxied.ask("POST", f"{PREFIX}/api/documents", json={"path": name}, headers=proxied.bearer() | forged)

    audit = (proxied.folder / "audit.jsonl").read_text()
    assert answer.status_code == 201
    assert name in audit
    assert STRANGER not in audit


async def first_answer(socket: ClientConnection) -> str:
    """What `content` holds after step 1 was answered."""
    doc = pycrdt.Doc[Any]()
    content = doc.get("content", type=pycrdt.Text)
    await socket.send(b"\x00\x00\x01\x00")
    async with asyncio.timeout(SECONDS):
        async for frame in socket:
            assert isinstance(frame, bytes)
            if frame[:2] == b"\x00\x01":
                pycrdt.handle_sync_message(frame[1:], doc)
                return str(content)
    raise AssertionError(f"closed with {socket.close_code} {socket.close_reason}")


@pytest.mark.parametrize("path", ["reports/Gr%C3%B6%C3%9Fe%201.md", "reports%2FGr%C3%B6%C3%9Fe%201.md"])
async def test_a_websocket_of_a_page_of_ours_passes(proxied: Proxied, browser: dict[str, str], path: str) -> None:
    """AUTH-5, HTTP-7."""
    async with proxied.socket(f"{PREFIX}/ws/{path}", origin=proxied.origin, headers=browser) as socket:
        assert await first_answer(socket) == "# Notes\n"


async def test_a_websocket_of_a_script_passes_with_its_token(proxied: Proxied) -> None:
    """AUTH-1, HTTP-7."""
    token = proxied.served.token()
    async with proxied.socket(f"{PREFIX}/ws/reports/Gr%C3%B6%C3%9Fe%201.md?token={token}") as socket:
        assert await first_answer(socket) == "# Notes\n"


@pytest.mark.parametrize("path", ["/ws/reports/Gr%C3%B6%C3%9Fe%201.md", "/collaboration"])
@pytest.mark.parametrize("origin", ["https://evil.example.org", f"http://{NAME}", f"https://{NAME}", "null"])
async def test_a_websocket_of_another_origin_is_refused(proxied: Proxied, browser: dict[str, str], path: str, origin: str) -> None:
    """AUTH-5, AUTH-11: the proxy's port is part of the origin."""
    with pytest.raises(InvalidStatus) as refused:
        await proxied.socket(PREFIX + path, origin=origin, headers=browser)

    assert refused.value.response.status_code == 403


async def test_hocuspocus_signs_in_through_the_proxy(proxied: Proxied) -> None:
    """AUTH-1, HTTP-7."""
    name, token = NOTES.encode(), proxied.served.token(role="viewer").encode()
    address = bytes([len(name)]) + name
    length = bytes([len(token) & 0x7F | 0x80, len(token) >> 7])
    async with proxied.socket(f"{PREFIX}/collaboration") as socket, asyncio.timeout(SECONDS):
        await socket.send(address + b"\x02\x00" + length + token)

        assert await socket.recv() == address + b"\x02\x02\x08readonly"


async def test_an_edit_through_the_proxy_is_echoed_when_it_is_stored(proxied: Proxied) -> None:
    """WIRE-7, HTTP-7."""
    proxied.served.write(name := f"edited-{time.monotonic_ns()}.md", "")
    doc = pycrdt.Doc[Any]()
    doc.get("content", type=pycrdt.Text).insert(0, "through the proxy")
    message = pycrdt.create_update_message(doc.get_update())
    async with proxied.socket(f"{PREFIX}/ws/{name}?token={proxied.served.token()}") as socket, asyncio.timeout(SECONDS):
        await first_answer(socket)
        await socket.send(message)
        async for frame in socket:
            if frame == message:
                break

    assert socket.close_code == 1000


def test_no_log_has_a_token(proxied: Proxied) -> None:
    """AUTH-9: after requests and sockets with tokens, of which the tests before made many more."""
    token = proxied.served.token()
    proxied.ask("GET", f"{PREFIX}/api/documents?token={token}", headers={"Authorization": f"Bearer {token}"})
    logs = [*proxied.folder.glob("*.log"), proxied.served.log]

    assert [log.name for log in logs if token.rpartition(".")[0] in log.read_text()] == []
