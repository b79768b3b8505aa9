from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import get_args

import jwt
import pytest

from collab.access import EVERYTHING, Grant, Person, Role, Share, Use, color_of, shared_role, sign, subject, targets, verify
from collab.errors import Forbidden, Unauthorized

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
NOW = 1_800_000_000.0
ADA = Person(id="name:Ada", name="Ada Lovelace ☃")
GRANT = Grant(person=ADA, role=Role.EDITOR, document="notes/Größe 😀.md", expires=NOW + 60, id="7")
CLAIMS: dict[str, object] = {"aud": "collab:token", "exp": NOW + 60, "sub": "a", "name": "A", "role": "editor"}


def forged(claims: dict[str, object], secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


@pytest.mark.parametrize("use", get_args(Use))
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("document", [None, "a.md", "id:abcdefghijklmnopqrstuvwxyz"])
def test_what_is_signed_is_verified_for_the_same_use(use: Use, role: Role, document: str | None) -> None:
    grant = Grant(person=ADA, role=role, document=document, expires=NOW + 60)
    assert verify(sign(grant, SECRET, now=NOW, use=use), SECRET, now=NOW, use=use) == grant


@pytest.mark.parametrize("use", get_args(Use))
def test_a_grant_whose_role_is_said_by_shares_is_signed_as_such(use: Use) -> None:
    """SHARE-1: and nobody who holds it, or a lease of it, makes it anything else."""
    grant = replace(GRANT, shared=True)
    assert verify(sign(grant, SECRET, now=NOW, use=use), SECRET, now=NOW, use=use) == grant
    assert grant.lease(NOW).shared
    assert not verify(sign(GRANT, SECRET, now=NOW, use=use), SECRET, now=NOW, use=use).shared


@pytest.mark.parametrize("made", get_args(Use))
@pytest.mark.parametrize("wanted", get_args(Use))
def test_a_session_is_no_token_and_a_token_no_session(made: Use, wanted: Use) -> None:
    """AUTH-1."""
    token = sign(GRANT, SECRET, now=NOW, use=made)
    if made == wanted:
        assert verify(token, SECRET, now=NOW, use=wanted) == GRANT
    else:
        with pytest.raises(Unauthorized):
            verify(token, SECRET, now=NOW, use=wanted)


def test_a_token_ends_at_its_second() -> None:
    """AUTH-1."""
    token = sign(GRANT, SECRET, now=NOW)
    assert verify(token, SECRET, now=NOW + 59.9) == GRANT
    with pytest.raises(Unauthorized, match="time is over"):
        verify(token, SECRET, now=NOW + 60)


def test_a_token_without_an_end_is_not_made() -> None:
    for expires in (None, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="end"):
            sign(Grant(person=ADA, role=Role.VIEWER, expires=expires), SECRET, now=NOW)


def test_a_short_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign(GRANT, SECRET[:31], now=NOW)


def test_a_forged_token_that_is_right_in_all_is_a_token() -> None:
    assert verify(forged(CLAIMS), SECRET, now=NOW).person == Person("a", "A")


@pytest.mark.parametrize("missing", sorted(CLAIMS))
def test_each_claim_is_required(missing: str) -> None:
    with pytest.raises(Unauthorized):
        verify(forged({name: value for name, value in CLAIMS.items() if name != missing}), SECRET, now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": "soon"},
        {"exp": True},
        {"until": "soon"},
        {"until": True},
        {"until": float("inf")},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"sub": 7},
        {"name": ["A"]},
        {"name": None},
        {"role": "admin"},
        {"role": "OWNER"},
        {"role": 3},
        {"document": 7},
        {"document": ["a.md"]},
        {"jti": 7},
        {"shared": "no"},
        {"shared": 0},
        {"shared": None},
        {"aud": ["collab:token", "collab:session"]},
        {"aud": None},
    ],
)
def test_a_claim_of_the_wrong_kind_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Unauthorized):
        verify(_raw({"alg": "HS256", "typ": "JWT"}, CLAIMS | wrong), SECRET, now=NOW)


def _raw(header: dict[str, object], claims: dict[str, object]) -> str:
    """A token whose claims the library would not encode, signed with the right secret."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = jwt.get_algorithm_by_name("HS256").sign(b".".join(parts), SECRET)
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_other_algorithms_are_refused(algorithm: str) -> None:
    with pytest.raises(Unauthorized):
        verify(forged(CLAIMS, algorithm=algorithm), SECRET, now=NOW)


def test_an_unsigned_token_is_refused() -> None:
    """AUTH-1."""
    header, claims, _ = forged(CLAIMS).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in (f"{none}.{claims}.", f"{header}.{claims}.", f"{header}.{claims}"):
        with pytest.raises(Unauthorized):
            verify(token, SECRET, now=NOW)


def test_another_secret_is_refused() -> None:
    """AUTH-1."""
    with pytest.raises(Unauthorized):
        verify(sign(GRANT, OTHER_SECRET, now=NOW), SECRET, now=NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "\ud800", "x" * 8193, "Bearer x", " "])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(token, SECRET, now=NOW)


def test_deep_nesting_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=").decode()
    for token in (f"{deep}.e30.AA", f"e30.{deep}.AA"):
        with pytest.raises(Unauthorized):
            verify(token, SECRET, now=NOW)


def test_every_changed_character_breaks_the_token() -> None:
    token = sign(GRANT, SECRET, now=NOW)
    for at, char in enumerate(token[:-1]):  # the last character has bits that mean nothing
        with pytest.raises(Unauthorized):
            verify(token[:at] + ("A" if char != "A" else "B") + token[at + 1 :], SECRET, now=NOW)


def test_the_refusal_does_not_tell_the_token() -> None:
    token = sign(GRANT, OTHER_SECRET, now=NOW)
    with pytest.raises(Unauthorized) as refusal:
        verify(token, SECRET, now=NOW)
    assert token not in str(refusal.value)


def test_a_grant_covers_its_document_by_any_name_given() -> None:
    everything = Grant(person=ADA, role=Role.VIEWER)
    one = Grant(person=ADA, role=Role.VIEWER, document="a.md")
    assert everything.covers("a.md")
    assert one.covers("id:abcdefghijklmnopqrstuvwxyz", "a.md")
    assert not one.covers("b.md", "A.md", "")
    assert not one.covers()


@pytest.mark.parametrize("held", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_may_do_what_the_ones_below_it_may(held: Role, needed: Role) -> None:
    """AUTH-2."""
    grant = Grant(person=ADA, role=held, document="a.md")
    if held >= needed:
        grant.require(needed, "a.md")
    else:
        with pytest.raises(Forbidden, match=f"needs the role {needed.word}; yours is {held.word}"):
            grant.require(needed, "a.md")
    with pytest.raises(Forbidden, match="another document"):
        grant.require(needed, "b.md")


@pytest.mark.parametrize(
    ("expires", "until", "now", "lease", "end"),
    [
        (NOW + 3600, None, NOW, NOW + 600, NOW + 3600),
        (NOW + 3600, None, NOW + 0.9, NOW + 600, NOW + 3600),
        (NOW + 60, None, NOW, NOW + 60, NOW + 60),
        (NOW + 60.7, None, NOW, NOW + 60, NOW + 60),
        (NOW + 600, NOW + 3600, NOW + 500, NOW + 1100, NOW + 3600),
        (NOW + 600, NOW + 700, NOW + 500, NOW + 700, NOW + 700),
    ],
)
def test_a_lease_lasts_ten_minutes_at_most_and_not_beyond_the_first_end(
    expires: float, until: float | None, now: float, lease: float, end: float
) -> None:
    """AUTH-10."""
    grant = Grant(person=ADA, role=Role.EDITOR, document="a.md", expires=expires, until=until)
    leased = grant.lease(now)
    assert leased == Grant(person=ADA, role=Role.EDITOR, document="a.md", expires=lease, until=end)
    assert verify(sign(leased, SECRET, now=now), SECRET, now=now) == leased


def test_what_has_no_end_is_not_leased() -> None:
    with pytest.raises(ValueError, match="end"):
        Grant(person=ADA, role=Role.OWNER).lease(NOW)


def test_a_role_is_found_by_its_word() -> None:
    assert [Role.of(role.word) for role in Role] == list(Role)
    with pytest.raises(ValueError, match="choose viewer, editor or owner"):
        Role.of("admin")


def _contrast(color: str, other: float) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    own = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (max(own, other) + 0.05) / (min(own, other) + 0.05)


def test_a_color_is_stable_and_readable_on_white_and_on_black() -> None:
    colors = [color_of(f"person {n}") for n in range(300)]
    assert colors == [color_of(f"person {n}") for n in range(300)]
    assert len(set(colors)) > 200
    for color in colors:
        assert re.fullmatch("#[0-9a-f]{6}", color)
        assert _contrast(color, 1.0) >= 4.5
        assert _contrast(color, 0.0) >= 4.5


# --- what shares come to

NOTES = "id:abcdefghijklmnopqrstuvwxyz"
PATH = "work/papers/notes.md"
ME = frozenset({subject("person", "ann"), subject("group", "readers"), subject("link", "d1")})


def given(target: str = NOTES, whom: str = "person:ann", role: Role = Role.EDITOR, expires: float | None = None) -> Share:
    return Share("s1", target, whom, role, made=NOW, expires=expires)


@pytest.mark.parametrize(
    ("path", "document", "folder", "wanted"),
    [
        (PATH, NOTES, False, (NOTES, "work/papers", "work", "")),
        ("notes.md", NOTES, False, (NOTES, "")),
        ("work/papers", "", True, ("work/papers", "work", "")),
        ("", "", True, ("",)),
        (PATH, "", False, ("work/papers", "work", "")),
    ],
)
def test_a_share_counts_for_what_is_in_it(path: str, document: str, folder: bool, wanted: tuple[str, ...]) -> None:
    """SHARE-2."""
    assert targets(path, document, folder=folder) == wanted


@pytest.mark.parametrize("whom", sorted(ME))
@pytest.mark.parametrize("target", [NOTES, "work/papers", "work", EVERYTHING])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("most", list(Role))
def test_a_share_with_any_of_a_persons_subjects_on_any_folder_around_gives_its_role_and_at_most_the_grants(
    whom: str, target: str, role: Role, most: Role
) -> None:
    """SHARE-2."""
    assert shared_role([given(target, whom, role)], most, ME, targets(PATH, NOTES), NOW) == min(role, most)


@pytest.mark.parametrize(
    "share",
    [
        given(whom="person:bob"),
        given(whom="group:ann"),
        given(whom="person:readers"),
        given(whom="link:d2"),
        given("id:zzzzzzzzzzzzzzzzzzzzzzzzzz"),
        given("work/paper"),
        given("work/papers/notes.md"),
        given("work/papers/"),
        given("papers"),
        given("/id/work"),
        given(expires=NOW),
        given(expires=NOW - 1),
    ],
)
def test_what_is_shared_with_others_of_other_things_or_until_earlier_gives_nothing(share: Share) -> None:
    """SHARE-2."""
    with pytest.raises(Forbidden, match="shared this with you"):
        shared_role([share], Role.OWNER, ME, targets(PATH, NOTES), NOW)


def test_the_strongest_live_share_counts_wherever_it_is() -> None:
    """SHARE-2."""
    shares = [given("work", role=Role.EDITOR, expires=NOW + 1), given(role=Role.VIEWER), given("", "group:readers", Role.OWNER, NOW)]
    assert shared_role(shares, Role.OWNER, ME, targets(PATH, NOTES), NOW) is Role.EDITOR
    assert shared_role(shares, Role.OWNER, ME, targets(PATH, NOTES), NOW + 1) is Role.VIEWER
