from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

from collab.access import Grant, Person, Role, sign
from collab.errors import Unauthorized
from collab.wopi.tokens import LONGEST, Pass, seal, unseal

SECRET = b"a secret of thirty-two bytes, ok"
PASS = Pass(
    Person("name:ada", "Ada ✍"),
    Role.EDITOR,
    "id:abcdefghijklmnopqrstuvwxyz",
    expires=2000.0,
    scope="notes.odt",
    suite="collabora",
    relative=False,
    session="5e55",
    foreign="a cloud's whole token",
)


def test_a_token_gives_back_what_was_sealed() -> None:
    for granted in (PASS, Pass(PASS.person, Role.VIEWER, "id:x", expires=2000.0)):
        assert unseal(seal(granted, SECRET, now=1000.0), SECRET, now=1999.0) == granted


def test_what_it_carries_of_another_system_is_not_readable_in_it() -> None:
    token = seal(PASS, SECRET, now=1000.0)

    claims = jwt.decode(token, options={"verify_signature": False})

    assert "whole token" not in str(claims)


def test_a_token_whose_time_is_over_says_so() -> None:
    with pytest.raises(Unauthorized, match="time is over"):
        unseal(seal(PASS, SECRET, now=1000.0), SECRET, now=2000.0)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é",
        "x" * (LONGEST + 1),
        seal(PASS, b"another secret of 32 bytes, fine", now=1000.0),
        seal(PASS, SECRET, now=1000.0)[:-2],
        sign(Grant(PASS.person, Role.OWNER, expires=2000.0), SECRET, now=1000.0),
        jwt.encode({"aud": "collab:wopi", "exp": 2000}, SECRET, algorithm="HS256"),
        jwt.encode({"aud": "collab:wopi", "exp": 2000, "sub": 1, "name": "", "role": "owner", "target": ""}, SECRET, algorithm="HS256"),
        jwt.encode({"aud": "collab:wopi", "exp": 9000, "sub": "", "name": "", "role": "owner", "target": ""}, "", algorithm="none"),
    ],
)
def test_every_other_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthorized, match="not valid here"):
        unseal(token, SECRET, now=1000.0)


def test_a_secret_that_is_too_short_signs_nothing() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        seal(replace(PASS, foreign=""), b"short", now=1000.0)
