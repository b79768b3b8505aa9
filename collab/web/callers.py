"""Who is connected from where: so that one address cannot take every socket of the server."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Network: TypeAlias = IPv4Network | IPv6Network
IPV6_SITE = 64
"""Bits of an IPv6 address that name one network; a caller may choose the rest freely (RFC 4291, section 2.5.4)."""


class Callers:
    """Open connections by client address, counted from the first packet; trusted proxies are not counted."""

    def __init__(self, limit: int, trusted: Iterable[Network] = ()) -> None:
        self.limit = limit
        self._trusted = tuple(trusted)
        self._counts: Counter[str] = Counter()

    def enter(self, address: str) -> int:
        """How many connections the caller has with this one; 0 when it is not counted. Each needs one `leave`."""
        caller = self._caller(address)
        if caller is None:
            return 0
        self._counts[caller] += 1
        return self._counts[caller]

    def leave(self, address: str) -> None:
        """One connection less."""
        caller = self._caller(address)
        if caller is not None:
            self._counts[caller] -= 1
            if self._counts[caller] <= 0:
                del self._counts[caller]

    def _caller(self, address: str) -> str | None:
        """The word that a caller is counted under."""
        try:
            ip = ip_address(address)
        except ValueError:
            return address
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        if any(ip in network for network in self._trusted):
            return None
        if isinstance(ip, IPv6Address):
            return str(IPv6Network((int(ip), IPV6_SITE), strict=False))
        return str(ip)
