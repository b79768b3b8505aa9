"""Whether a request comes from the office suite that it was made for: its signature against the keys of the suite's discovery (WOPI, proof keys)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from collab.errors import CollabError, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collab.wopi.discovery import Keys
    from collab.wopi.suites import Office, Suites
    from collab.wopi.tokens import Pass

log = logging.getLogger("collab.wopi")

OLDEST: Final = 20 * 60.0
"""Seconds that the time of a request may differ from ours."""
NET_EPOCH: Final = 621_355_968_000_000_000
"""1970 in ticks of 100 ns since the year 1 (.NET's DateTime)."""
_DIGITS: Final = 19
"""A number with fewer fits into the eight bytes that are signed; ours have 18."""
_TICKS: Final = 10_000_000
_LONGEST: Final = 2048
"""Characters of a signature."""


class Unproven(CollabError):
    """The request is not signed by the suite that its token was made for (WOPI demands the status 500)."""

    status: ClassVar[int] = 500
    reason: ClassVar[str] = "unproven"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was sent. `target` is path, without our prefix, and query, as they stood in the request line."""

    token: str
    target: str
    proof: bytes = b""
    """Signed with the suite's key."""
    old: bytes = b""
    """The same with the key before."""
    ticks: int | None = None

    @classmethod
    def of(cls, token: str, target: str, headers: Mapping[str, str]) -> Signed:
        """What the headers say; what is no signature and no time in them, is none."""
        stamp = headers.get("x-wopi-timestamp", "")
        return cls(
            token,
            target,
            _bytes(headers.get("x-wopi-proof", "")),
            _bytes(headers.get("x-wopi-proofold", "")),
            int(stamp) if stamp.isascii() and stamp.isdecimal() and len(stamp) < _DIGITS else None,
        )

    def fits(self, keys: Keys, base: str) -> bool:
        """Whether one of these keys signed it, for the server at `base`. What only the old key says of the key before is too old."""
        data = self._data(base)
        tried = [(key, sign) for key in keys[:1] for sign in (self.proof, self.old)] + [(key, self.proof) for key in keys[1:2]]
        for key, sign in tried:
            try:
                key.verify(sign, data, PKCS1v15(), SHA256())
            except InvalidSignature:
                continue
            return True
        return False

    def timely(self, now: float) -> bool:
        """Whether it was made at about this time."""
        return self.ticks is not None and abs((self.ticks - NET_EPOCH) / _TICKS - now) <= OLDEST

    def _data(self, base: str) -> bytes:
        # Letters of the address in upper case, nothing else: it is compared as it was sent, never decoded.
        parts = self.token.encode(), (base + self.target).upper().encode(), struct.pack(">q", self.ticks or 0)
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)


class Proofs:
    """Looks at requests. `base` gives the address at which suites reach this server, with its prefix; `now` UTC seconds since the epoch."""

    def __init__(self, suites: Suites, base: Callable[[], str], now: Callable[[], float], *, required: bool) -> None:
        self._suites = suites
        self._base = base
        self._now = now
        self._required = required

    def wanted(self, granted: Pass) -> bool:
        """Whether there is anything to check. `Unauthorized` as below."""
        return bool(self._of(granted)) and self._required

    async def check(self, granted: Pass, request: Signed) -> None:
        """`Unproven` when a signature is demanded and missing, wrong or too old; `Unauthorized` when the token's suite is none of ours any more.

        A token without a suite is good with each configured one: it must be signed as soon as one of them has keys.
        """
        offices = self._of(granted)
        if not self._required or not offices:
            return
        unknown = [office for office in offices if office.discovery is None]
        await asyncio.gather(*(office.renew() for office in unknown))
        if all(keys == () for keys in _keys(offices)):
            return
        if not request.timely(self._now()):
            raise self._refusal(granted, "it has no X-WOPI-TimeStamp, or one over 20 minutes from our time")
        if self._fits(offices, request):
            return
        if not request.proof and not request.old:
            raise self._refusal(granted, "it has no X-WOPI-Proof")
        # The suite may have new keys that nobody told us.
        if any(await asyncio.gather(*(office.renew() for office in offices if office not in unknown))) and self._fits(offices, request):
            return
        raise self._refusal(granted, "its X-WOPI-Proof fits no key")

    def _of(self, granted: Pass) -> Sequence[Office]:
        """The suites with which the token is good."""
        if not granted.suite:
            return self._suites.offices
        office = self._suites.get(granted.suite)
        if office is None:
            raise Unauthorized("the office suite of this token is not configured any more: open the document again")
        return (office,)

    def _fits(self, offices: Sequence[Office], request: Signed) -> bool:
        base = self._base()
        return any(keys and request.fits(keys, base) for keys in _keys(offices))

    def _refusal(self, granted: Pass, why: str) -> Unproven:
        suite = granted.suite or "an office suite"
        log.warning("a request that should be of %s is refused: %s", suite, why)
        return Unproven(f"this should be a request of {suite}, but {why}; see COLLAB_WOPI_DISCOVERY, COLLAB_WOPI_URL")


def _keys(offices: Sequence[Office]) -> list[Keys | None]:
    """The keys of each suite; None of one that has never answered."""
    return [None if office.discovery is None else office.discovery.keys for office in offices]


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if len(text) <= _LONGEST else b""
    except (binascii.Error, ValueError):
        return b""
