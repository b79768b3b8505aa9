"""Who somebody is by a provider's claims (SIGN-8)."""

from __future__ import annotations

import pytest

from collab.oidc.identity import Claims, identity, orcid, person_of

ISSUER = "https://login.example.org"


def test_a_person_is_issuer_and_subject_together() -> None:
    """SIGN-8."""
    assert person_of(ISSUER, "ada") == person_of(ISSUER, "ada")
    assert len({person_of(ISSUER, "ada"), person_of(ISSUER, "Ada"), person_of(ISSUER + "a", "da"), person_of("https://b", "ada")}) == 4
    assert person_of(ISSUER, "\ud800").startswith("oidc:")


@pytest.mark.parametrize(
    ("claims", "name", "login"),
    [
        ({"name": " Ada  Lovelace ", "preferred_username": "ada"}, "Ada Lovelace", "ada"),
        ({"preferred_username": "ada"}, "ada", "ada"),
        ({"email": "ada@example.org"}, "ada@example.org", "ada@example.org"),
        ({}, "Somebody", ""),
        ({"name": ["x"], "email": 7}, "Somebody", ""),
        ({"name": "\u202eA\0da\n" + "x" * 100}, "Ada" + "x" * 57, ""),
    ],
)
def test_a_name_is_what_can_be_shown(claims: dict[str, object], name: str, login: str) -> None:
    """SIGN-8."""
    known = identity({"sub": "ada", **claims}, ISSUER, Claims())
    assert (known.name, known.login) == (name, login)


@pytest.mark.parametrize(
    ("claims", "named", "groups"),
    [
        ({"groups": ["b", "a", "b", "", " ", 7, None, "x" * 201, "\n"]}, "groups", ("a", "b")),
        ({"groups": "one"}, "groups", ("one",)),
        ({"groups": {"a": 1}}, "groups", ()),
        ({}, "groups", ()),
        ({"realm_access": {"roles": ["lab"]}}, "realm_access.roles", ("lab",)),
        ({"https://example.org/groups": ["lab"]}, "https://example.org/groups", ("lab",)),
        ({"realm_access": ["lab"]}, "realm_access.roles", ()),
        ({"groups": ["lab"]}, "", ()),
        ({"groups": [f"g{number:04}" for number in range(900)]}, "groups", tuple(f"g{number:04}" for number in range(500))),
    ],
)
def test_groups_are_words_of_the_claim_that_the_settings_name(claims: dict[str, object], named: str, groups: tuple[str, ...]) -> None:
    """SIGN-8."""
    assert identity({"sub": "ada", **claims}, ISSUER, Claims(groups=named)).groups == groups


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("http://orcid.org/0000-0001-5109-3700/", "0000-0001-5109-3700"),
        ("0000000218250097", "0000-0002-1825-0097"),
        ("0000-0002-1694-233X", "0000-0002-1694-233X"),
        ("0000-0002-1825-0098", ""),
        ("https://evil.example/0000-0002-1825-0097", ""),
        ("", ""),
        (None, ""),
        (["0000-0002-1825-0097"], ""),
    ],
)
def test_an_orcid_is_one_whose_last_digit_fits(value: object, known: str) -> None:
    """SIGN-8."""
    assert orcid(value) == known
