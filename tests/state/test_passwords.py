"""What is kept of passwords (SIGN-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from collab.errors import Malformed
from collab.state.passwords import LEAST, MOST, Passwords, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


async def test_what_is_kept_fits_its_password_alone_and_is_salted(passwords: Passwords) -> None:
    """SIGN-2."""
    kept = await passwords.encoded("correct horse")
    assert kept.startswith("$argon2id$")
    assert "correct" not in kept
    assert kept != await passwords.encoded("correct horse")
    assert await passwords.fits("correct horse", kept)
    assert not await passwords.fits("Correct horse", kept)


@pytest.mark.parametrize("kept", ["", "no hash", "$argon2id$v=19$m=64,t=1,p=1$broken"])
async def test_nothing_fits_where_nothing_was_kept(passwords: Passwords, kept: str) -> None:
    """SIGN-2."""
    assert not await passwords.fits("", kept)
    assert not await passwords.fits("a password that nobody has", kept)
    assert not passwords.outdated(kept)


async def test_letters_count_however_a_keyboard_writes_them(passwords: Passwords) -> None:
    """SIGN-2."""
    assert await passwords.fits("Cafe\u0301 au lait", await passwords.encoded("Café au lait"))
    assert await passwords.fits("half \ud800 of a pair", await passwords.encoded("half \ud800 of a pair"))


async def test_what_was_made_with_other_parameters_is_to_be_made_anew(passwords: Passwords) -> None:
    """SIGN-2."""
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    kept = await passwords.encoded("correct horse")
    assert not passwords.outdated(kept)
    assert stronger.outdated(kept)
    assert await stronger.fits("correct horse", kept)
    stronger.close()


async def test_by_default_the_second_choice_of_the_standard_is_used() -> None:
    """SIGN-2: RFC 9106, section 4."""
    passwords = Passwords()
    assert "$m=65536,t=3,p=4$" in await passwords.encoded("correct horse")
    passwords.close()


def test_a_password_has_a_length_that_may_be() -> None:
    """SIGN-2."""
    for fine in ("x" * LEAST, "x" * MOST, " " * LEAST, "pässwörter"):
        assert checked(fine) == fine
    for wrong in ("", "x" * (LEAST - 1), "x" * (MOST + 1)):
        with pytest.raises(Malformed, match="at least 10"):
            checked(wrong)
