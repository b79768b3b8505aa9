"""What a provider may say of itself (SIGN-12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collab.oidc.metadata import Unfit, discovery_address, read, safe

ISSUER = "https://login.example.org/realms/lab"


def said(issuer: str = ISSUER, **more: Any) -> bytes:
    plain = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": "https://tokens.example.org/token",
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["code", "id_token"],
        "id_token_signing_alg_values_supported": ["HS256", "none", "ES256", "RS256"],
    }
    return json.dumps({name: value for name, value in (plain | more).items() if value is not None}).encode()


def test_what_it_says_is_read() -> None:
    """SIGN-12."""
    metadata = read(said(userinfo_endpoint=f"{ISSUER}/me", authorization_response_iss_parameter_supported=True), ISSUER)
    assert (metadata.token, metadata.userinfo, metadata.end_session) == ("https://tokens.example.org/token", f"{ISSUER}/me", "")
    assert metadata.algorithms == ("ES256", "RS256")
    assert metadata.method == "client_secret_basic"
    assert metadata.names_itself
    assert (
        read(said(token_endpoint_auth_methods_supported=["private_key_jwt", "client_secret_post"]), ISSUER).method == "client_secret_post"
    )
    assert read(said(id_token_signing_alg_values_supported=None), ISSUER).algorithms == ("RS256",)
    assert discovery_address(ISSUER + "/") == f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "more",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ISSUER + "/"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"token_endpoint": "http://login.example.org/token"},
        {"token_endpoint": "http://127.0.0.1:8080/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:password@login.example.org/keys"},
        {"userinfo_endpoint": "ftp://login.example.org/"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"response_types_supported": ["id_token"]},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_who_says_something_else_is_no_provider(more: dict[str, Any]) -> None:
    """SIGN-12."""
    with pytest.raises(Unfit):
        read(said(**more), ISSUER)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b"<html>"])
def test_what_is_no_metadata_is_refused(body: bytes) -> None:
    """SIGN-12."""
    with pytest.raises(Unfit):
        read(body, ISSUER)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://login.example.org/x", True),
        ("http://127.0.0.1:9/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://localhost.evil.example/x", False),
        ("http://10.0.0.1/x", False),
        ("https://a@b/x", False),
        ("https://b/x#y", False),
        ("https://", False),
        ("https://b:port/", False),
        ("//b/x", False),
        ("gopher://b/x", False),
    ],
)
def test_only_safe_addresses_are_asked(address: str, may: bool) -> None:
    """SIGN-12."""
    assert safe(address) is may
