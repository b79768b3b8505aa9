"""ID tokens: whose they are, for whom, and until when (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

if TYPE_CHECKING:
    from collections.abc import Sequence

LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
LONGEST: Final = 64 * 1024
"""Characters of a token."""


class Untrue(ValueError):
    """The token says nothing that counts; the text says why."""


class UnknownKey(Untrue):
    """The token names a key that is not among those that are known: the provider may have new ones."""


def keys_of(body: bytes) -> KeySet:
    """The provider's keys (RFC 7517). ValueError when there is none that can be used."""
    try:
        said = json.loads(body)
        listed = [each for each in said["keys"] if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") != "oct"]
        return KeySet.import_key_set({"keys": listed})
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("its keys (jwks_uri) cannot be read") from error


def claims_of(  # noqa: PLR0913 - each is a claim that is compared
    token: str,
    keys: KeySet,
    *,
    algorithms: Sequence[str],
    issuer: str,
    client: str,
    now: float,
    nonce: str | None = None,
    access_token: str | None = None,
) -> dict[str, Any]:
    """The claims of an ID token of this issuer for us. `nonce` None: it may have any (a renewal). `UnknownKey`, `Untrue`."""
    if len(token) > LONGEST or token.count(".") != 2:
        raise Untrue("it is no signed token")
    try:
        # The key is one that the provider published; what a header names besides (jku, x5u, jwk) is nobody's word.
        read = jwt.decode(token, keys, algorithms=list(algorithms))
    except InvalidKeyIdError as error:
        raise UnknownKey("it is signed with a key that the provider does not publish") from error
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Untrue(f"it is not signed as it must be: {type(error).__name__}") from error
    options: Any = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client}}
    params = {"client_id": client, "nonce": nonce, "access_token": access_token}
    try:
        claims = CodeIDToken(read.claims, read.header, options, params)
        claims.validate(now=int(now), leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Untrue(f"it is not for us, or not now: {type(error).__name__} {getattr(error, 'claim', '') or ''}".strip()) from error
    if not isinstance(claims["sub"], str) or not claims["sub"] or len(claims["sub"]) > 255:
        raise Untrue("it has no subject")
    if claims["iat"] > now + LEEWAY:
        raise Untrue("it was made in the future")
    return dict(claims)
