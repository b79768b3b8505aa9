"""The HTTP server: one port for everything, and a stop in order: not ready any more, rooms stored, then connections closed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import resource
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from collab.web.door import Config, Door

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

logger = logging.getLogger("collab.web")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
DESCRIPTORS = 65_536
"""Open files that the process asks for; a connection is one."""

KEEP_ALIVE_SECONDS = 75
"""So long a connection may rest between two requests: longer than proxies and clients keep one (nginx: 60 s; ngx_http_upstream_module, keepalive_timeout),
so that they hang up first, and no request meets a connection that is being closed.
"""
KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 120_000),
)
"""A peer whose machine is gone is noticed after two minutes, silent or with data on its way (tcp(7)). Accepted sockets inherit these."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound socket; IPv4 first when a name has both. Port 0 is any free one. `shared`: other processes of this user listen there, too, and the
    kernel gives each a share of the connections (SO_REUSEPORT, socket(7)). Raises OSError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for option in KEEPALIVE:
            listener.setsockopt(*option)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """uvicorn, begun with `begin()` and stopped in order: `drain()` on the first SIGTERM or SIGINT, `drain_seconds` later `stop()`, then the connections close.

    The listener is open until then. A second signal ends the wait, and nothing else.
    """

    def __init__(  # noqa: PLR0913 - as below
        self,
        config: Config,
        *,
        begin: Callable[[], Awaitable[None]],
        drain: Callable[[], None],
        stop: Callable[[], Awaitable[None]],
        ready: Callable[[int], None],
        drain_seconds: float,
        watch: int | None = None,
    ) -> None:
        super().__init__(config)
        self._watch = watch
        self._begin = begin
        self._drain = drain
        self._stop = stop
        self._ready = ready
        self._drain_seconds = drain_seconds
        self._leaving: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say on which port."""
        if self._watch is not None:
            asyncio.get_running_loop().add_reader(self._watch, self._orphan, self._watch)
        await self._begin()
        await super().startup(sockets)
        if sockets and self.started:
            self._ready(sockets[0].getsockname()[1])

    def _orphan(self, watch: int) -> None:
        """Who looks after this process is gone: it ends as by a signal."""
        asyncio.get_running_loop().remove_reader(watch)
        logger.warning("the supervisor is gone: this worker ends")
        self.interrupt()

    def interrupt(self) -> None:
        """What a signal does."""
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self._leave())
        else:
            self._hurry.set()

    async def _leave(self) -> None:
        with reported("draining"):
            self._drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._drain_seconds)
        with reported("storing the rooms"):
            await self._stop()
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are ours while we serve, where signals can be had: in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.interrupt)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)


@contextlib.contextmanager
def reported(act: str) -> Generator[None, None, None]:
    """A step of stopping that failed is logged; the steps behind it are made all the same."""
    try:
        yield
    except Exception:
        logger.exception("%s failed", act)


def no_port(_port: int) -> None:
    """Tell nobody the port."""


def nothing() -> None:
    """Do nothing."""


async def no_rooms() -> None:
    """Begin, or store, nothing."""


def configure(app: Any, door: Door, *, loop: str = "uvloop") -> Config:  # noqa: ANN401 - any ASGI application
    """How uvicorn is set up: no access log (addresses hold tokens), no header that names it, nobody's forwarded headers believed."""
    return Config(
        door,
        app,
        loop=loop,
        interface="asgi3",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_per_message_deflate=False,
        ws_max_size=door.limits.first_message_bytes,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(door.limits.close_seconds) + 5,
    )


def serve(  # noqa: PLR0913 - the parts of a server; collab.app gives them by name
    app: Any,  # noqa: ANN401 - any ASGI application
    door: Door,
    *,
    host: str,
    port: int,
    drain_seconds: float,
    on_begin: Callable[[], Awaitable[None]] = no_rooms,
    on_drain: Callable[[], None] = nothing,
    on_stop: Callable[[], Awaitable[None]] = no_rooms,
    on_ready: Callable[[int], None] = no_port,
    loop: str = "uvloop",
    watch: int | None = None,
) -> None:
    """Serve until a signal comes, or (`watch`, the reading end of a pipe) until the process that holds its other end is gone. Prints nothing.
    OSError: the address cannot be had; what `on_begin` raises; SystemExit: the application did not start.
    """
    listener = listen(host, port, shared=watch is not None)
    more_descriptors()
    server = Server(
        configure(app, door, loop=loop),
        begin=on_begin,
        drain=on_drain,
        stop=on_stop,
        ready=on_ready,
        drain_seconds=drain_seconds,
        watch=watch,
    )
    with listener:
        server.run(sockets=[listener])


def more_descriptors() -> None:
    """Ask for as many open files as the system lets us have, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
