"""Who somebody is, from what a provider says of them (claims)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS: Final = 500
"""Of one person; of more the first count, in order of their names."""
LONGEST: Final = 200
"""Characters of a group's name, or of what somebody is known by at the provider."""
NAME: Final = 60
_ORCID = re.compile(r"(?:https?://(?:sandbox\.)?orcid\.org/)?(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider calls its claims; a dot leads into a claim, as in `realm_access.roles`."""

    name: str = "name"
    groups: str = "groups"
    orcid: str = "orcid"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of a provider."""

    person: str
    """The id of our person."""
    name: str
    login: str
    """What the person is known by there: a user name, or an address."""
    groups: tuple[str, ...]
    orcid: str
    """`0000-0002-1825-0097`; empty: not known."""


def person_of(issuer: str, subject: str) -> str:
    """The id of our person: what is stable of a user is issuer and subject together (OpenID Connect Core 1.0, section 5.7)."""
    return "oidc:" + hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def identity(claims: Mapping[str, object], issuer: str, named: Claims) -> Identity:
    """Who it is. `claims` are those of a verified ID token, with what the provider told besides; they have a subject."""
    login = _shown(claims.get("preferred_username"), LONGEST) or _shown(claims.get("email"), LONGEST)
    name = _shown(_claim(claims, named.name), NAME) or _shown(login, NAME) or "Somebody"
    return Identity(
        person_of(issuer, str(claims["sub"])), name, login, _groups(_claim(claims, named.groups)), orcid(_claim(claims, named.orcid))
    )


def orcid(value: object) -> str:
    """A researcher's id at ORCID, as it is written; empty when it is none: its last digit is a sum of the others (ISO 7064, 11-2)."""
    match = _ORCID.fullmatch(value.strip().rstrip("/")) if isinstance(value, str) else None
    if match is None:
        return ""
    digits, total = "".join(match.groups()), 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    last = (12 - total % 11) % 11
    return "-".join(match.groups()) if digits[-1] == ("X" if last == 10 else str(last)) else ""


def _claim(claims: Mapping[str, object], name: str) -> object:
    """The claim of this name; names with dots in them are whole names first."""
    if not name or name in claims:
        return claims.get(name)
    first, mark, rest = name.partition(".")
    inner = claims.get(first)
    return _claim(inner, rest) if mark and isinstance(inner, dict) else None


def _groups(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    names = {each.strip() for each in given if isinstance(each, str) and each.strip() and len(each) <= LONGEST and each.isprintable()}
    return tuple(sorted(names)[:GROUPS])


def _shown(value: object, most: int) -> str:
    """Words that can be shown: what cannot be seen is left out."""
    if not isinstance(value, str):
        return ""
    seen = "".join(each for each in unicodedata.normalize("NFC", value[: 4 * most]) if each.isprintable())
    return " ".join(seen.split())[:most].strip()
