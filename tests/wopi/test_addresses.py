from __future__ import annotations

import pytest

from collab.wopi.addresses import ROOT, Addresses, id_of, key_of, with_token

HERE = Addresses("https://office.example.org/collab", "https://example.org/collab")


@pytest.mark.parametrize("identity", ["", "id:abcdefghijklmnopqrstuvwxyz", "storage$space!a/b c%2Fd", "é"])
def test_an_id_is_one_segment_of_an_address_and_comes_back(identity: str) -> None:
    key = key_of(identity)

    assert "/" not in key
    assert key.isascii()
    assert id_of(key) == identity


def test_addresses_are_those_of_the_settings() -> None:
    assert HERE.file("id:abcdefghijklmnopqrstuvwxyz") == "https://office.example.org/collab/wopi/files/abcdefghijklmnopqrstuvwxyz"
    assert HERE.container("") == f"https://office.example.org/collab/wopi/containers/{ROOT}"
    assert HERE.ecosystem == "https://office.example.org/collab/wopi/ecosystem"
    assert HERE.page("a/ü.md") == "https://example.org/collab/edit/a%2F%C3%BC.md"
    assert with_token(HERE.ecosystem, "a.b+c") == HERE.ecosystem + "?access_token=a.b%2Bc"
