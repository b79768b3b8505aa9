"""The one place that decides who may come in: host, proxies, origin and sign-in, for HTTP and WebSockets alike."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from collab.access import Grant, sign, verify
from collab.errors import CollabError, Forbidden, Malformed, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collab.web.callers import Network

Via: TypeAlias = Literal["token", "cookie"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_CREDENTIALS = frozenset({b"authorization", b"cookie"})
"""Headers without which a request is nobody's: office suites have their tokens in the address."""
_OWN_PORT = {"http": "80", "https": "443"}


class Misdirected(CollabError):
    """The request is for a host that this server is not (RFC 9110, section 15.5.20)."""

    status: ClassVar[int] = 421
    close_code: ClassVar[int] = 4403
    reason: ClassVar[str] = "misdirected"


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as it came, before anybody believes it. Names of headers are lower case; `scheme` is http, https, ws or wss."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    client: tuple[str, int] | None
    scheme: str
    websocket: bool = False
    framing: bool = False
    """A form that asks for a page with a token in its body; what the browser sends by itself does not count."""

    def values(self, name: bytes) -> list[str]:
        """The header's values in the order in which they came."""
        return [value.decode("latin-1").strip() for key, value in self.headers if key == name]

    def listed(self, name: bytes) -> list[str]:
        """The members of a list header (RFC 9110, section 5.6.1)."""
        return [part.strip() for value in self.values(name) for part in value.split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came, as far as it can be believed. `host` is name and port as the browser wrote them, in lower case."""

    address: str
    scheme: str
    """`http` or `https`, as the browser sees it."""
    host: str
    grant: Grant | None = None
    via: Via | None = None
    refused: CollabError | None = None
    """Why the credentials that were given do not count."""

    @property
    def origin(self) -> str:
        """The server's own origin in this visitor's eyes."""
        return _origin(self.scheme, self.host)

    def require(self) -> Grant:
        """The grant, or why there is none: `Unauthorized`."""
        if self.grant is None:
            raise self.refused or Unauthorized("sign in with the address that `collab login` prints, or send a token")
        return self.grant


@dataclass(slots=True)
class Admission:
    """Decides about knocks. `port` is the one that the server listens on."""

    hosts: frozenset[str]
    """Names of this server without port, in lower case."""
    public_origin: str
    origins: frozenset[str]
    proxies: tuple[Network, ...]
    port: int
    secret: bytes = field(repr=False)
    read_session: Callable[[str], Grant]
    now: Callable[[], float]
    frames: tuple[str, ...] = ()
    """Origins whose pages may show ours in a frame."""
    common: int | None = None
    """The port of the address that several nodes have in common."""

    @property
    def mark(self) -> int:
        """What is in the names of our cookies, which browsers do not keep apart by port: ours, or that of all nodes."""
        return self.port if self.common is None else self.common

    @property
    def cookie(self) -> str:
        """The name of the session cookie."""
        return f"collab_{self.mark}"

    def admit(self, knock: Knock) -> Visitor:
        """Who it is. `Malformed`, `Misdirected` or `Forbidden` when the request must not be answered; bad credentials are in `refused`."""
        visitor = self._seen(knock)
        if knock.framing:
            self._check_framing(knock, visitor)
            return visitor
        named = {name for name, _ in knock.headers}
        origin = self._checked_origin(knock, visitor) if b"origin" in named else None
        if not knock.websocket and named.isdisjoint(_CREDENTIALS):
            return visitor
        grant, via, refused = self._signed_in(knock)
        if via == "cookie" and grant is not None:
            self._check_cookie_use(knock, origin)
        return Visitor(visitor.address, visitor.scheme, visitor.host, grant, via, refused)

    def authorise(self, token: str) -> Grant:
        """The grant of a token, also of one that came in band; `Unauthorized`."""
        return verify(token, self.secret, now=self.now())

    def lease(self, grant: Grant) -> tuple[str, Grant]:
        """A token for the memory of a page, and what it grants: the same for ten minutes at most."""
        now = self.now()
        lease = grant.lease(now)
        return sign(lease, self.secret, now=now), lease

    def _seen(self, knock: Knock) -> Visitor:
        address = knock.client[0] if knock.client else ""
        scheme = "https" if knock.scheme in {"https", "wss"} else "http"
        hosts = knock.values(b"host")
        if self._trusted(address):
            scheme = (knock.listed(b"x-forwarded-proto") or [scheme])[-1].lower()
            hosts = knock.listed(b"x-forwarded-host")[-1:] or hosts
            address = self._forwarded(address, knock.listed(b"x-forwarded-for"))
        if len(hosts) != 1 or scheme not in _OWN_PORT:
            raise Malformed("the request must name one host, and be http or https")
        return Visitor(address, scheme, self._known(hosts[0].lower()))

    def _known(self, host: str) -> str:
        parts = _HOST.fullmatch(host)
        if parts is None:
            raise Malformed("the request's Host is no name with a port")
        if parts["name"] not in self.hosts:
            raise Misdirected(
                f"this server is not called {parts['name']}; if it is, set COLLAB_PUBLIC_URL, or add the name to COLLAB_ALLOWED_HOSTS",
            )
        return host

    def _trusted(self, address: str) -> bool:
        if not self.proxies:
            return False
        try:
            ip = _address(address)
        except ValueError:
            return False
        return any(ip in network for network in self.proxies)

    def _forwarded(self, address: str, hops: list[str]) -> str:
        """The nearest address that no trusted proxy vouches for; what stands left of it anybody may have written."""
        while hops and self._trusted(address):
            try:
                address = str(_address(_without_port(hops.pop())))
            except ValueError:
                break
        return address

    def _checked_origin(self, knock: Knock, visitor: Visitor) -> str | None:
        origins = knock.values(b"origin")
        if not origins or (knock.method in SAFE and not knock.websocket):
            return None
        if len(origins) > 1 or not (self._ours(origins[0], visitor) or self._neighbour(knock, origins[0], visitor)):
            raise Forbidden("a page of another origin asks for this; if it may, add its origin to COLLAB_ALLOWED_ORIGINS")
        return origins[0]

    def _check_framing(self, knock: Knock, visitor: Visitor) -> None:
        """Only a page that may show ours, or ours itself, posts such a form. Its origin is compared and not the allowed ones of sessions."""
        origins = knock.values(b"origin")
        if len(origins) != 1 or not origins[0] or origins[0] not in {visitor.origin, self.public_origin, *self.frames}:
            raise Forbidden("a page of this origin may not show documents in a frame; if it may, add its origin to COLLAB_FRAME_ANCESTORS")

    def _ours(self, origin: str, visitor: Visitor) -> bool:
        return bool(origin) and origin in {visitor.origin, self.public_origin, *self.origins}

    def _neighbour(self, knock: Knock, origin: str, visitor: Visitor) -> bool:
        """Another port of this host opens a socket: it may with a token of its own, never with the browser's session."""
        return knock.websocket and not self._cookies(knock) and _same_host(origin, visitor)

    def _check_cookie_use(self, knock: Knock, origin: str | None) -> None:
        if knock.method in SAFE and not knock.websocket:
            return
        if origin is None:
            raise Forbidden("a browser's session may write only with an Origin header; scripts use a token")
        if "cross-site" in knock.values(b"sec-fetch-site") and origin not in self.origins:
            raise Forbidden("a page of another site asks for this with your session")

    def _signed_in(self, knock: Knock) -> tuple[Grant | None, Via | None, CollabError | None]:
        try:
            token = self._token(knock)
            if token is not None:
                return self.authorise(token), "token", None
        except CollabError as e:
            return None, "token", e
        return self._session(knock)

    def _token(self, knock: Knock) -> str | None:
        bearers = [value[7:].strip() for value in knock.values(b"authorization") if value[:7].lower() == "bearer "]
        if not bearers and knock.websocket:
            bearers = [value for name, value in parse_qsl(knock.query.decode("latin-1")) if name == "token"]
        if len(bearers) > 1:
            raise Malformed("send one token")
        return bearers[0] if bearers else None

    def _session(self, knock: Knock) -> tuple[Grant | None, Via | None, CollabError | None]:
        refused: CollabError | None = None
        for cookie in self._cookies(knock):
            try:
                return self.read_session(cookie), "cookie", None
            except CollabError as e:
                refused = e
        return None, "cookie" if refused else None, refused

    def _cookies(self, knock: Knock) -> list[str]:
        """The values of our cookie; more than one when another path or domain set the same name."""
        pairs = [part.strip().partition("=") for value in knock.values(b"cookie") for part in value.split(";")]
        return [value for name, _, value in pairs if name == self.cookie][:4]


def names_of(host: str, addresses: Iterable[str], allowed: Iterable[str]) -> frozenset[str]:
    """The names that a server that listens on `host` answers to: its own, those it was told, alone or in addresses, and on loopback loopback's."""
    names = {name.lower() for name in allowed}
    for address in filter(None, addresses):
        name = urlsplit(address).hostname or ""
        names.add(f"[{name}]" if ":" in name else name)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return frozenset({*names, host.lower(), *(LOOPBACK_NAMES if host == "localhost" else ())})
    if ip.is_loopback or ip.is_unspecified:
        names |= LOOPBACK_NAMES
    if not ip.is_unspecified:
        names.add(f"[{ip}]" if ip.version == 6 else str(ip))
    return frozenset(names)


def _origin(scheme: str, host: str) -> str:
    """As browsers write it: without the scheme's own port (RFC 6454, section 6.1)."""
    return f"{scheme}://{host.removesuffix(':' + _OWN_PORT[scheme])}"


def _same_host(origin: str, visitor: Visitor) -> bool:
    """Whether an origin differs from the server's in its port at most."""
    theirs, ours = urlsplit(origin), urlsplit(visitor.origin)
    return theirs.hostname is not None and (theirs.scheme, theirs.hostname) == (ours.scheme, ours.hostname)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(text)
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip
