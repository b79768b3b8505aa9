"""A real provider of the tests' own: certified, in Node, on this machine."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from serving import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

HERE = Path(__file__).parent
SECRET = "a secret: of the client+/"


def install() -> None:
    """What package-lock.json names, in node_modules, once."""
    modules, lock = HERE / "node_modules", HERE / "package-lock.json"
    mark = modules / ".package-lock.json"
    (HERE.parent.parent / ".make").mkdir(exist_ok=True)
    with (HERE.parent.parent / ".make" / "oidc.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not mark.exists() or mark.stat().st_mtime_ns < lock.stat().st_mtime_ns:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, stdin=subprocess.DEVNULL, capture_output=True)
            os.utime(mark)


@dataclass(slots=True)
class Provided:
    """The provider while it runs. `tell` says what happens to it."""

    issuer: str
    process: subprocess.Popen[str]

    def tell(self, **what: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told


@contextmanager
def provided(ours: str, *, refresh: bool = True) -> Iterator[Provided]:
    """A provider that knows the server at the origin `ours`; without `refresh` it gives no refresh tokens."""
    install()
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    settings = {"issuer": issuer, "port": port, "redirect": f"{ours}/login/oidc/callback", "back": f"{ours}/login", "refresh": refresh}
    process = subprocess.Popen(
        ["node", str(HERE / "provider.mjs"), json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"] == port
        yield Provided(issuer, process)
    finally:
        process.kill()
        process.communicate()


class _Form(HTMLParser):
    """Where a page's first form goes, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and not self.action:
            self.action = given.get("action") or ""
        if tag == "input" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


async def walk(client: httpx.AsyncClient, address: str, login: str, *, until: str) -> str:
    """A browser at the provider: follow it, sign in as this person, and go on until an address begins with `until`; that address."""
    method, data = "GET", None
    for _ in range(20):
        answer = await client.request(method, address, data=data)
        method, data = "GET", None
        if answer.is_redirect:
            address = urljoin(address, answer.headers["location"])
            if address.startswith(until):
                return address
            continue
        form = _Form()
        form.feed(answer.text)
        assert form.action, f"{answer.status_code} {urlsplit(address).path}: {answer.text[:500]}"
        address, method = urljoin(address, form.action), "POST"
        data = form.fields | {name: value for name, value in {"login": login, "password": "x"}.items() if name in form.fields}
    raise AssertionError(f"no way leads from the provider to {until}")
