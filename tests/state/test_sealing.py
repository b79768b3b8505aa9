"""CLOUD-1: what is sealed opens under the same secret, for the same thing, undamaged."""

from __future__ import annotations

import pytest

from collab.state.sealing import Sealer

SECRET = bytes(range(32))


def test_what_is_sealed_is_opened_and_never_looks_the_same() -> None:
    sealer = Sealer(SECRET, "one")
    first, second = sealer.seal("wörd", "a"), sealer.seal("wörd", "a")
    assert first != second
    assert {sealer.open(first, "a"), Sealer(SECRET, "one").open(second, "a")} == {"wörd"}
    assert "wörd".encode() not in first


@pytest.mark.parametrize(
    ("sealer", "about"), [(Sealer(SECRET, "other"), "a"), (Sealer(bytes(32), "one"), "a"), (Sealer(SECRET, "one"), "b")]
)
def test_it_opens_for_nothing_else(sealer: Sealer, about: str) -> None:
    sealed = Sealer(SECRET, "one").seal("word", "a")
    with pytest.raises(ValueError, match="another secret"):
        sealer.open(sealed, about)


@pytest.mark.parametrize("at", range(0, 32, 5))
def test_a_damaged_one_does_not_open(at: int) -> None:
    sealer = Sealer(SECRET, "one")
    sealed = bytearray(sealer.seal("a word or two", "a"))
    sealed[at] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        sealer.open(bytes(sealed), "a")
    with pytest.raises(ValueError, match="damaged"):
        sealer.open(bytes(sealed[:at]), "a")
