"""The office suites of the settings: what each said last that it can do, asked again on a timer, and at once when a signature does not fit."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import collab
from collab.wopi.discovery import MOST_BYTES, Discovery, Hosts, Unfit, origin_of, parse, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import httpx

log = logging.getLogger("collab.wopi")

REFRESH: Final = 600.0
"""Seconds between two looks at a suite."""
RETRY: Final = 15.0
"""The same while it does not answer."""
AT_MOST: Final = 10.0
"""Seconds for a whole answer."""
EXTRA_LOOKS: Final = 5
"""Looks beside the timer's that may come at once; another one each `EXTRA_SECONDS`. Whoever sends wrong signatures makes us ask no more."""
EXTRA_SECONDS: Final = 10.0
_REDIRECTS: Final = 3
_TIMEOUT: Final = 5.0


class Office:
    """One suite. Without a discovery it has never answered. `clock` gives monotonic seconds."""

    def __init__(self, name: str, address: str, hosts: Hosts, clock: Callable[[], float]) -> None:
        self.name = name
        self.address = address
        self.discovery: Discovery | None = None
        self.detail = "it was not asked yet"
        """What is wrong with it, in words; empty when nothing is."""
        self._hosts = hosts
        self._clock = clock
        self._looks = float(EXTRA_LOOKS)
        self._counted = clock()
        self._looking: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether it answered the last time, with something to open."""
        return not self.detail

    @property
    def product(self) -> str:
        """`collabora`, `onlyoffice`, `microsoft`; empty while nobody knows."""
        return "" if self.discovery is None else self.discovery.product

    async def watch_loop(self) -> None:
        """Look at it, for ever."""
        while True:
            await self._ask()
            await asyncio.sleep(REFRESH if self.healthy else RETRY)

    async def renew(self) -> bool:
        """Ask now, beside the timer; False when that was done too often just now. It never raises: `detail` tells."""
        if not self._busy:
            now = self._clock()
            self._looks, self._counted = min(EXTRA_LOOKS, self._looks + (now - self._counted) / EXTRA_SECONDS), now
            if self._looks < 1:
                return False
            self._looks -= 1
        await self._ask()
        return True

    def close(self) -> None:
        """Give up the look that goes on, if one does."""
        if self._looking is not None:
            self._looking.cancel()

    @property
    def _busy(self) -> bool:
        return self._looking is not None and not self._looking.done()

    async def _ask(self) -> None:
        """One look for all who want one now."""
        if self._looking is None or not self._busy:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        # Most servers have no suite, and start sooner without it.
        import httpx  # noqa: PLC0415

        before = self.detail
        try:
            async with asyncio.timeout(AT_MOST):
                body = await _fetch(self.address)
            self.discovery = parse(body, self._hosts)
            self.detail = _complaint(self.discovery)
        except Unfit as e:
            self.detail = f"what it says cannot be used: {e}"
        except (httpx.InvalidURL, ValueError):
            self.detail = "it sends us to an address that is none"
        except (httpx.HTTPError, TimeoutError, OSError) as e:
            self.detail = f"it does not answer: {type(e).__name__}"
        if self.detail and self.detail != before:
            log.warning("the office suite %s at %s: %s", self.name, self.address, self.detail)
        elif before and not self.detail:
            log.info("the office suite %s at %s answers", self.name, self.address)


class Suites:
    """`configured` are names with addresses of discoveries; `hosts` more names at which they may be opened. `secure`: our own page is https."""

    def __init__(self, configured: Iterable[tuple[str, str]], hosts: Iterable[str], *, secure: bool, clock: Callable[[], float]) -> None:
        more = frozenset(hosts)
        listed = [(name, address, urlsplit(address).hostname or "") for name, address in configured]
        self.offices: Sequence[Office] = [Office(name, at, Hosts(more | {own}, secure), clock) for name, at, own in listed]
        """All of them, as the settings list them."""
        self.hosts = Hosts(more | {own for _, _, own in listed}, secure)
        """Where any suite may be opened."""

    def get(self, name: str) -> Office | None:
        """The suite of that name."""
        return next((office for office in self.offices if office.name == name), None)

    def at(self, address: str) -> Office | None:
        """The suite that opens at this address: at its discovery's host, or where one of its actions does."""
        host = _host(address)
        own = [office for office in self.offices if _host(office.address) == host]
        further = [
            office
            for office in self.offices
            if office.discovery and any(_host(plain(each.source)) == host for each in office.discovery.actions)
        ]
        # Suites on one host are told apart by port and path.
        exact = [office for office in [*own, *further] if office.discovery and _opens(office.discovery, address)]
        return next(iter([*exact, *own, *further]), None)

    def product(self, name: str) -> str:
        """What product it is; for the empty name the only one's, when there is one suite. Empty: nobody knows."""
        office = self.offices[0] if not name and len(self.offices) == 1 else self.get(name)
        return "" if office is None else office.product

    def origins(self, name: str) -> Sequence[str]:
        """Where the suite of that name is opened, as `scheme://host:port`; none while nobody knows."""
        office = self.get(name)
        actions = () if office is None or office.discovery is None else office.discovery.actions
        return sorted({origin_of(plain(action.source)) for action in actions})

    async def watch_loop(self) -> None:
        """Look at all of them, for ever."""
        await asyncio.gather(*(office.watch_loop() for office in self.offices))

    def close(self) -> None:
        """Look no more."""
        for office in self.offices:
            office.close()


async def _fetch(address: str) -> bytes:
    """The bytes at the address; redirects are followed within its host only."""
    import httpx  # noqa: PLC0415 - as in `_look`

    agent = f"collab/{collab.__version__}"
    headers = {"User-Agent": agent, "Accept": "application/xml, text/xml", "Accept-Encoding": "identity"}
    # Looks are rare: nothing is kept open between two of them.
    async with httpx.AsyncClient(timeout=_TIMEOUT, headers=headers) as client:
        for _ in range(_REDIRECTS + 1):
            async with client.stream("GET", address) as answer:
                if answer.next_request is None:
                    return await _body(answer)
                further = str(answer.next_request.url)
            if not _same_host(address, further):
                raise Unfit("it sends us to another host")
            address = further
    raise Unfit("it sends us round in circles")


async def _body(answer: httpx.Response) -> bytes:
    if answer.status_code != 200:
        raise Unfit(f"it answers {answer.status_code}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unfit("it is packed, which it was asked not to be")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unfit(f"it is larger than {MOST_BYTES} bytes")
    return bytes(body)


def _same_host(before: str, after: str) -> bool:
    """Whether a redirect stays where the settings sent us: on the host, and under TLS when it was."""
    one, two = urlsplit(before), urlsplit(after)
    return one.hostname == two.hostname and two.scheme in {one.scheme, "https"} and (one.scheme != two.scheme or one.port == two.port)


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""


def _opens(discovery: Discovery, address: str) -> bool:
    """Whether one of its actions is at this address, whatever the query."""
    return any(plain(action.source).partition("?")[0] == plain(address).partition("?")[0] for action in discovery.actions)


def _complaint(discovery: Discovery) -> str:
    if discovery.strangers:
        return (
            f"it is opened at {', '.join(discovery.strangers)}, which nobody configured: "
            "if that is right, name the host in COLLAB_WOPI_SUITE_HOSTS"
        )
    return "" if discovery.actions else "it opens nothing"
