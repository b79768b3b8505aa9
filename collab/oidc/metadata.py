"""What a provider says of itself (OpenID Connect Discovery 1.0), read strictly: whom we ask and believe is what it names, and nobody else."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures of ID tokens that count: such as need the provider's private key. `none`, and those by our own secret, do not."""
METHODS: Final = ("client_secret_basic", "client_secret_post")


class Unfit(ValueError):
    """No provider by which anybody may be signed in; the text says why."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The provider's addresses, and what it can do."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str
    """Empty: none."""
    end_session: str
    """Where one signs out there; empty: nowhere."""
    algorithms: tuple[str, ...]
    method: str
    """How we show our secret at the token endpoint."""
    names_itself: bool
    """It says in each answer who it is (RFC 9207)."""


def discovery_address(issuer: str) -> str:
    """Where the metadata of an issuer is (section 4.1)."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def safe(address: str) -> bool:
    """Whether we ask there: by https; or by http on this machine, which nobody else can listen to."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.hostname))


def loopback(host: str) -> bool:
    """Whether it is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read(body: bytes, issuer: str) -> Metadata:
    """The metadata of this issuer. `Unfit`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfit("its metadata is not JSON") from error
    if not isinstance(said, dict):
        raise Unfit("its metadata is no JSON object")
    if said.get("issuer") != issuer:
        raise Unfit(f"it calls itself {str(said.get('issuer'))[:200]!r}: COLLAB_OIDC_ISSUER must be that, to the letter")
    algorithms = tuple(each for each in _words(said, "id_token_signing_alg_values_supported", ("RS256",)) if each in ALGORITHMS)
    if not algorithms:
        raise Unfit(f"it signs in no way that we believe: {', '.join(ALGORITHMS)}")
    if "code" not in _words(said, "response_types_supported", ("code",)):
        raise Unfit("it gives no authorization codes (response type `code`)")
    if "S256" not in _words(said, "code_challenge_methods_supported", ("S256",)):
        raise Unfit("it takes no PKCE with S256")
    methods = _words(said, "token_endpoint_auth_methods_supported", METHODS[:1])
    return Metadata(
        issuer,
        _address(said, "authorization_endpoint", issuer),
        _address(said, "token_endpoint", issuer),
        _address(said, "jwks_uri", issuer),
        _address(said, "userinfo_endpoint", issuer) if said.get("userinfo_endpoint") else "",
        _address(said, "end_session_endpoint", issuer) if said.get("end_session_endpoint") else "",
        algorithms,
        next((each for each in METHODS if each in methods), METHODS[0]),
        said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: dict[str, object], name: str, issuer: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not safe(value):
        raise Unfit(f"its {name} is no https address")
    # An issuer elsewhere sends nobody to this machine.
    if urlsplit(value).scheme == "http" and urlsplit(issuer).scheme != "http":
        raise Unfit(f"its {name} is no https address")
    return value


def _words(said: dict[str, object], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = said.get(name)
    return default if not isinstance(value, list) else tuple(each for each in value if isinstance(each, str))
