"""Which ID tokens are believed (SIGN-9)."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from collab.oidc.tokens import LEEWAY, UnknownKey, Untrue, claims_of, keys_of

NOW = 1_800_000_000.0
ISSUER = "https://login.example.org"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
UNKNOWN = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
CURVE = ECKey.generate_key("P-256", {"kid": "three", "use": "sig"})
SECRET = OctKey.import_key("the client's secret, which everybody who runs this server knows", {"kid": "one"})
PUBLISHED = json.dumps({"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False), SECRET.as_dict(), {"kty": "new"}]}).encode()


def claims(**more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"iss": ISSUER, "sub": "ada", "aud": "collab", "exp": NOW + 60, "iat": NOW, "nonce": "n"}
    return {name: value for name, value in (plain | more).items() if value is not None}


def signed(key: Any = KEY, header: dict[str, Any] | None = None, **more: Any) -> str:
    told = {"alg": "RS256", "kid": "one"} | (header or {})
    return jwt.encode(told, claims(**more), key, algorithms=["RS256", "HS256", "ES256"])


def believed(token: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"algorithms": ["RS256", "ES256"], "issuer": ISSUER, "client": "collab", "now": NOW, "nonce": "n"}
    return claims_of(token, keys_of(PUBLISHED), **(given | more))


def bare(header: dict[str, Any], **more: Any) -> str:
    parts = [json.dumps(each).encode() for each in (header, claims(**more))]
    return ".".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts) + "."


def test_a_token_of_the_provider_for_us_is_believed() -> None:
    """SIGN-9."""
    assert believed(signed())["sub"] == "ada"
    assert believed(signed(CURVE, {"alg": "ES256", "kid": "three"}))["sub"] == "ada"
    assert believed(signed(aud=["collab", "other"], azp="collab"))["sub"] == "ada"
    assert believed(signed(nonce=None), nonce=None)["sub"] == "ada"


@pytest.mark.parametrize("skew", [LEEWAY - 1, -(LEEWAY - 1)])
def test_clocks_may_differ_by_a_minute(skew: float) -> None:
    """SIGN-9."""
    assert believed(signed(iat=NOW + skew, exp=NOW + skew + 2, nbf=NOW + skew))["sub"] == "ada"


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": None},
        {"aud": ["collab", "other"]},
        {"aud": ["collab", "other"], "azp": "other"},
        {"azp": "other"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"exp": NOW - LEEWAY - 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": NOW + LEEWAY + 1, "exp": NOW + 600},
        {"iat": None},
        {"nbf": NOW + LEEWAY + 1},
        {"nonce": "another"},
        {"nonce": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_token_that_is_not_for_this_moment_and_us_is_not(more: dict[str, Any]) -> None:
    """SIGN-9."""
    with pytest.raises(Untrue):
        believed(signed(**more), access_token="an access token")


@pytest.mark.parametrize(
    "token",
    [
        bare({"alg": "none"}),
        bare({"alg": "none", "kid": "one"}),
        bare({"alg": "RS256", "kid": "one"}),
        signed(OTHER),
        signed(SECRET, {"alg": "HS256"}),
        signed()[:-4] + "AAAA",
        "",
        "a.b",
        "a.b.c",
        "x" * 100_000,
        signed() + ".x",
    ],
    # Keys are new in each process, the names of tests are not.
    ids=[f"forged {number}" for number in range(11)],
)
def test_a_token_that_the_provider_did_not_sign_is_not(token: str) -> None:
    """SIGN-9: not without a signature, nor by our own secret, nor by a key of the same name."""
    with pytest.raises(Untrue):
        believed(token)


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    """SIGN-9: the algorithm is the provider's, not the token's."""
    told = bare({"alg": "HS256", "kid": "one"})[:-1]
    seal = hmac.digest(KEY.as_pem(private=False), told.encode(), "sha256")
    with pytest.raises(Untrue):
        believed(f"{told}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}")


def test_a_key_that_is_not_published_is_told_apart_and_one_in_the_header_is_nobodys() -> None:
    """SIGN-9."""
    with pytest.raises(UnknownKey):
        believed(signed(UNKNOWN, {"kid": "two"}))
    with pytest.raises(Untrue):
        believed(signed(UNKNOWN, {"kid": "one", "jwk": UNKNOWN.as_dict(private=False), "jku": "https://evil.example/keys"}))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": [1]}', b'{"keys": [{"kty": "oct", "k": "AA"}]}', b"\xff"])
def test_what_holds_no_key_is_told(body: bytes) -> None:
    with pytest.raises(ValueError, match="jwks_uri"):
        keys_of(body)


def test_keys_of_secrets_are_left_out() -> None:
    keys = keys_of(PUBLISHED)
    assert isinstance(keys, KeySet)
    assert [key.kid for key in keys] == ["one", "three"]
