"""Reverse proxies before a server, and certificates for them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from serving import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 60.0


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    assert found, f"this test needs {name}: `make test` installs it, or says what to install"
    return found


def certificate(folder: Path, name: str, *, days: int = 2) -> None:
    """One for this host that it signed itself: `fullchain.pem`, `privkey.pem`."""
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days {days} -keyout privkey.pem -out fullchain.pem"
    )
    words = [*command.split(), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def _listens(port: int) -> Callable[[], bool]:
    def connects() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return connects


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """A proxy that listens; ended when left."""
    environment = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
        try:
            asyncio.run(until(_listens(port), within=SECONDS, saying=(folder / "proxy.log").read_text))
            yield
        finally:
            process.terminate()


PLAIN = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off;
  {stores}
  {servers}
}}
"""
SERVER = """
server {{
  listen 127.0.0.1:{port};
  client_max_body_size 64m;
  location / {{
    proxy_pass http://127.0.0.1:{upstream};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    # No Upgrade, no Connection: what an inspecting proxy leaves of a WebSocket's handshake.
    {more}
  }}
}}
"""
HOLDS = "proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 1;"
"""Compresses what must not be transformed, and so gives nothing on before it is much or whole."""


def blocking(folder: Path, upstream: int, ports: dict[int, str]) -> list[str]:
    """The command of an nginx without WebSockets, that listens on each of these ports with some words more in its configuration."""
    folder.mkdir()
    stores = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    servers = "\n".join(SERVER.format(port=port, upstream=upstream, more=more) for port, more in ports.items())
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + PLAIN.format(folder=folder, stores=stores, servers=servers))
    return [program("nginx"), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
