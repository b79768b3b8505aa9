"""What an office suite says that it can do (WOPI discovery): its XML read without a document type, within bounds, and with hosts that are known."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlencode, urlsplit
from xml.parsers import expat

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a discovery. Microsoft's has 300 KiB."""
MOST_ACTIONS: Final = 20_000
LONGEST_ADDRESS: Final = 4096
_DEPTH: Final = 16
_KEY_BITS: Final = range(1024, 8193)
_EXPONENT_BITS: Final = 33

_PLACEHOLDER: Final = re.compile(r"<([^<>]*)>")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_ZONES: Final = ("external-https", "external-http", "internal-https", "internal-http")
_LANGUAGE: Final = frozenset({"UI_LLCC", "DC_LLCC"})
_PRODUCTS: Final = (("/cool.html", "collabora"), ("/loleaflet.html", "collabora"), ("/hosting/wopi/", "onlyoffice"))
"""What stands in the addresses of a product."""


class Unfit(ValueError):
    """Bytes that are no discovery by which anything may be opened; the text says why."""


Keys: TypeAlias = tuple[RSAPublicKey, ...]
"""The current proof key and the one before it; none at all, or the first alone."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a suite does with files of one kind. `ext` has no dot and is lower case; without it `app` is their media type."""

    name: str
    """`view`, `edit`, `editnew` …, lower case."""
    ext: str
    app: str
    source: str
    """The address, with placeholders (`urlsrc`)."""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """One answer of `/hosting/discovery`."""

    product: str
    """`collabora`, `onlyoffice` or `microsoft`."""
    actions: tuple[Action, ...]
    keys: Keys
    strangers: tuple[str, ...] = ()
    """Where its actions lead, when that is to nowhere that anybody configured: then there are none."""

    def find(self, name: str, ext: str, media: str) -> Action | None:
        """The action of that name for files with this extension, or else of this media type."""
        named = [action for action in self.actions if action.name == name]
        by_ext = (action for action in named if ext and action.ext == ext)
        by_type = (action for action in named if not action.ext and action.app.lower() == media.lower())
        return next(by_ext, None) or next(by_type, None)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where suites may be opened: host names without port in lower case, `*.name` for all below it; `secure` when our own page is https."""

    names: frozenset[str]
    secure: bool = False

    def know(self, address: str) -> bool:
        """Whether a page of ours may send somebody, and a token, to this address."""
        if len(address) > LONGEST_ADDRESS or not address.isascii() or not address.isprintable() or {" ", "\\"} & set(address):
            return False
        try:
            parts = urlsplit(address)
            host, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if parts.username is not None or parts.password is not None or not host:
            return False
        if parts.scheme not in {"https"} | (set() if self.secure else {"http"}):
            return False
        above = host.split(".")
        return host in self.names or any("*." + ".".join(above[at:]) in self.names for at in range(1, len(above)))


def parse(body: bytes, hosts: Hosts) -> Discovery:
    """The discovery in these bytes; `Unfit` when it is none. Actions at hosts that nobody configured are left out, and told."""
    if len(body) > MOST_BYTES:
        raise Unfit(f"it is larger than {MOST_BYTES} bytes")
    read = _Reading()
    try:
        read.parser.Parse(body, True)
    except expat.ExpatError as e:
        raise Unfit("it is not XML") from e
    if not read.root:
        raise Unfit("it has no wopi-discovery")
    zones = [read.zones[zone] for zone in _ZONES if zone in read.zones] or list(read.zones.values())
    # A suite tells of itself by several ways; the first one counts that leads to a host that we know.
    known = [[action for action in zone if hosts.know(plain(action.source))] for zone in zones]
    actions = next(filter(None, known), [])
    every = [action.source for zone in zones for action in zone]
    product = next((name for mark, name in _PRODUCTS if any(mark in source for source in every)), "microsoft")
    strangers = () if actions else _strangers(every)
    return Discovery(product, tuple(actions), _keys(read.proof), strangers)


class _Reading:
    """What was met so far."""

    def __init__(self) -> None:
        # Whatever it says of its encoding: in all that suites send it is this one.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.buffer_text = True
        self.root = False
        self.zones: dict[str, list[Action]] = {}
        self.proof: Mapping[str, str] = {}
        self._open: list[tuple[str, Mapping[str, str]]] = []
        self._count = 0

    def _refuse(self, *_: object) -> None:
        raise Unfit("it has a document type, which no office suite sends")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) >= _DEPTH:
            raise Unfit("it is nested too deeply")
        above = [each for each, _ in self._open]
        self._open.append((name, attributes))
        if not above:
            self.root = name == "wopi-discovery"
        elif self.root and above == ["wopi-discovery"] and name == "proof-key":
            self.proof = attributes
        elif self.root and above == ["wopi-discovery", "net-zone", "app"] and name == "action":
            self._add(attributes)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _add(self, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ACTIONS:
            raise Unfit(f"it has more than {MOST_ACTIONS} actions")
        name, ext, source = (attributes.get(key, "") for key in ("name", "ext", "urlsrc"))
        if not _NAME.fullmatch(name) or (ext and not _NAME.fullmatch(ext)) or not source:
            return
        zone, app = self._open[1][1].get("name", ""), self._open[2][1]
        action = Action(name.lower(), ext.lower(), app.get("name", "")[:200], source, app.get("favIconUrl", ""))
        self.zones.setdefault(zone, []).append(action)


# --- addresses


def plain(source: str) -> str:
    """The address without its placeholders."""
    return _PLACEHOLDER.sub("", source)


def origin_of(address: str) -> str:
    """The origin of an http(s) address as browsers tell it (RFC 6454, section 6.1)."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    own = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, own} else "")


def filled(action: Action, *, file: str, language: str, product: str) -> str:
    """Where the action opens the file with this WOPISrc, in this language (`de-DE`). Placeholders that we know are filled, others left out."""

    def fill(match: re.Match[str]) -> str:
        name, _, value = match[1].rstrip("&").partition("=")
        return f"{name}={language}&" if value in _LANGUAGE and language else ""

    address = _PLACEHOLDER.sub(fill, action.source)
    base, _, query = address.partition("?")
    more = {"WOPISrc": file} | ({"lang": language} if language and product == "collabora" else {})
    taken = {name.lower() for name in more}
    # Some discoveries have values in it that are no pairs, such as the name of a build: they stay as they are.
    kept = [part for part in query.split("&") if part and part.partition("=")[0].lower() not in taken]
    return f"{base}?{'&'.join([*kept, urlencode(more)])}"


def _strangers(sources: Iterable[str]) -> tuple[str, ...]:
    """What to call addresses that are not followed, once each: their hosts, as far as they have one; at most five."""
    names: dict[str, None] = {}
    for source in sources:
        try:
            parts = urlsplit(plain(source))
            names[re.sub(r"[^a-z0-9:/._-]", "?", f"{parts.scheme}://{parts.hostname or ''}")[:100]] = None
        except ValueError:
            names["an address that is none"] = None
    return tuple(names)[:5]


# --- keys


def _keys(attributes: Mapping[str, str]) -> Keys:
    """The keys of `proof-key`; `Unfit` for one that cannot be: a suite that signs must never be taken for one that does not."""
    if not any(attributes.get(name, "").strip() for name in ("value", "modulus", "exponent")):
        return ()
    current = _key(attributes.get("modulus", ""), attributes.get("exponent", ""))
    if not attributes.get("oldmodulus", "").strip():
        return (current,)
    return current, _key(attributes["oldmodulus"], attributes.get("oldexponent", ""))


def _key(modulus: str, exponent: str) -> RSAPublicKey:
    """An RSA key of two numbers, big-endian in base64."""
    n, e = _number(modulus), _number(exponent)
    if n.bit_length() not in _KEY_BITS or not 1 < e.bit_length() <= _EXPONENT_BITS:
        raise Unfit("its proof-key is of a size that cannot be used")
    try:
        return RSAPublicNumbers(e, n).public_key()
    except ValueError as error:
        raise Unfit("its proof-key is no key") from error


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text.strip(), validate=True), "big")
    except (binascii.Error, ValueError) as e:
        raise Unfit("its proof-key is not base64") from e
