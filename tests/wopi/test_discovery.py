from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from suites import TYPES, FakeSuite, fake_suite, key

from collab.wopi.discovery import MOST_ACTIONS, MOST_BYTES, Action, Hosts, Unfit, filled, parse

if TYPE_CHECKING:
    from suites import Flavour

HERE = Hosts(frozenset({"127.0.0.1"}))
SOURCE = "https://docs.example/collab/wopi/files/abc"


def document(source: str, *, extra: str = "", zone: str = "external-https") -> bytes:
    action = f'<action name="edit" ext="odt" urlsrc="{source}"/>'
    return f'<wopi-discovery><net-zone name="{zone}"><app name="writer">{action}</app></net-zone>{extra}</wopi-discovery>'.encode()


def said(flavour: Flavour, *, signs: bool = True) -> bytes:
    with fake_suite(flavour, signs=signs) as suite:
        return suite.discovery()


@pytest.mark.parametrize("flavour", ["collabora", "onlyoffice", "microsoft"])
def test_each_product_is_known_and_what_it_opens(flavour: Flavour) -> None:
    discovery = parse(said(flavour), HERE)
    assert discovery.product == flavour
    assert {action.ext for action in discovery.actions if action.name == "edit"} == set(TYPES)
    assert len(discovery.keys) == 2
    assert discovery.strangers == ()
    assert discovery.find("edit", "odt", "").source.startswith("http://127.0.0.1:")  # type: ignore[union-attr]
    assert discovery.find("edit", "exe", "") is None
    assert parse(said(flavour, signs=False), HERE).keys == ()


def test_keys_are_the_current_and_the_old_one() -> None:
    with fake_suite() as suite:
        suite.rotate()
        assert suite.current is not None
        assert suite.old is not None
        keys = parse(suite.discovery(), HERE).keys
        assert [each.public_numbers() for each in keys] == [key(each).public_key().public_numbers() for each in (suite.current, suite.old)]


def test_a_type_counts_where_a_name_has_no_extension() -> None:
    body = b"""<wopi-discovery><net-zone name="external-http"><app name="application/msword">
        <action name="view" ext="" urlsrc="http://127.0.0.1/view?"/></app></net-zone></wopi-discovery>"""
    discovery = parse(body, HERE)
    assert discovery.find("view", "", "application/MSword") is not None
    assert discovery.find("view", "", "") is None
    assert discovery.find("view", "doc", "text/plain") is None


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query, keep_blank_values=True)


@pytest.mark.parametrize("flavour", ["collabora", "onlyoffice", "microsoft"])
def test_the_address_has_the_file_and_the_language_and_no_placeholder(flavour: Flavour) -> None:
    action = parse(said(flavour), HERE).find("edit", "docx", "")
    assert action is not None
    address = filled(action, file=SOURCE, language="de-DE", product=flavour)
    assert "<" not in address
    assert query(address) == {"WOPISrc": [SOURCE]} | ({"lang": ["de-DE"]} if flavour == "collabora" else {"ui": ["de-DE"], "rs": ["de-DE"]})
    assert query(filled(action, file=SOURCE, language="", product=flavour)) == {"WOPISrc": [SOURCE]}


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("http://h/a", "http://h/a?WOPISrc=x"),
        ("http://h/a?", "http://h/a?WOPISrc=x"),
        ("http://h/a?b=1&", "http://h/a?b=1&WOPISrc=x"),
        ("http://h/a?wopisrc=http://evil&b", "http://h/a?b&WOPISrc=x"),
        ("http://h/a?<ui=UI_LLCC>", "http://h/a?ui=en&WOPISrc=x"),
        ("http://h/a?<a=UNKNOWN&>c=1", "http://h/a?c=1&WOPISrc=x"),
        ("http://h/a?c=%2F", "http://h/a?c=%2F&WOPISrc=x"),
    ],
)
def test_what_an_address_has_of_its_own_stays(source: str, address: str) -> None:
    assert filled(Action("edit", "odt", "", source), file="x", language="en", product="") == address


@pytest.mark.parametrize(
    "source",
    [
        "javascript:alert(1)",
        "JavaScript://127.0.0.1/%0aalert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "//127.0.0.1/a",
        "http:///a",
        "http://127.0.0.1@evil.example/a",
        "http://evil.example#@127.0.0.1/",
        "http://evil.example?127.0.0.1/",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1\\.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://user:pass@127.0.0.1/",
        "http://127.0.0.1 /a",
        "http://127.0.0.1:x/a",
        "http://127.0.0.1:99999999/a",
        "http://[::1/a",
        "http://127.0.0.1/größe",
        "http://127.0.0.1/&#9;a",
        "http://127.0.0.1/" + "a" * 5000,
        "http://&lt;ui=UI_LLCC&amp;&gt;evil.example/",
    ],
)
def test_nobody_is_sent_to_an_address_that_was_not_configured(source: str) -> None:
    """WOPI-3."""
    discovery = parse(document(source.replace("\\", "&#92;")), HERE)
    assert discovery.actions == ()
    assert len(discovery.strangers) == 1


def test_hosts_may_stand_for_all_below_them() -> None:
    """WOPI-3."""
    hosts = Hosts(frozenset({"a.example", "*.b.example"}))
    for address, known in {
        "https://a.example/x": True,
        "https://A.Example:9980/x": True,
        "https://x.a.example/": False,
        "https://b.example/": False,
        "https://x.b.example/": True,
        "https://x.y.b.example/": True,
        "https://xb.example/": False,
    }.items():
        assert hosts.know(address) is known, address


def test_from_a_page_under_tls_nobody_is_sent_to_one_without() -> None:
    """WOPI-3."""
    assert not Hosts(frozenset({"a.example"}), secure=True).know("http://a.example/")
    assert Hosts(frozenset({"a.example"}), secure=True).know("https://a.example/")


def test_of_several_zones_the_first_counts_that_leads_somewhere_known() -> None:
    zones = "".join(
        f'<net-zone name="{zone}"><app name="w"><action name="edit" ext="odt" urlsrc="{source}"/></app></net-zone>'
        for zone, source in (
            ("internal-http", "http://127.0.0.1/in"),
            ("external-http", "http://127.0.0.1/out"),
            ("external-https", "https://evil.example/"),
        )
    )
    discovery = parse(f"<wopi-discovery>{zones}</wopi-discovery>".encode(), HERE)
    assert [action.source for action in discovery.actions] == ["http://127.0.0.1/out"]
    assert parse(document("http://127.0.0.1/a", zone="anything"), HERE).actions


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><wopi-discovery>&c;</wopi-discovery>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"<html><wopi-discovery/></html>",
        b"{}",
        b"<wopi-discovery>",
        b"<wopi-discovery/><wopi-discovery/>",
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><wopi-discovery/>',
        b"<!DOCTYPE wopi-discovery><wopi-discovery/>",
        b"<wopi-discovery>&undefined;</wopi-discovery>",
        b"<wopi-discovery>\xff</wopi-discovery>",
        b"<a>" * 100_000,
        b"<wopi-discovery>" + b" " * MOST_BYTES + b"</wopi-discovery>",
    ],
    ids=range(13),
)
def test_what_is_no_discovery_is_refused_in_words(body: bytes) -> None:
    """WOPI-3."""
    with pytest.raises(Unfit) as refused:
        parse(body, HERE)
    assert str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-7", "utf-16", "nothing"])
def test_what_it_says_of_its_encoding_means_nothing(encoding: str) -> None:
    body = b"\xef\xbb\xbf" + f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + document("http://127.0.0.1/")
    assert parse(body, HERE).actions


def test_nothing_grows_without_end() -> None:
    action = '<action name="edit" ext="odt" urlsrc="http://127.0.0.1/"/>'
    body = f"<wopi-discovery><net-zone name='z'><app name='a'>{action * (MOST_ACTIONS + 1)}</app></net-zone></wopi-discovery>".encode()
    with pytest.raises(Unfit):
        parse(body, HERE)


def test_elements_that_stand_elsewhere_mean_nothing() -> None:
    inner = document("http://127.0.0.1/a").decode()
    discovery = parse(
        f"<wopi-discovery><other>{inner}</other><net-zone><proof-key modulus='x'/></net-zone></wopi-discovery>".encode(), HERE
    )
    assert (discovery.actions, discovery.keys) == ((), ())


def proof(modulus: str, exponent: str = "AQAB", **more: str) -> bytes:
    attributes = {"value": "x", "modulus": modulus, "exponent": exponent, **more}
    return document("http://127.0.0.1/", extra=f"<proof-key {' '.join(f'{name}={value!r}' for name, value in attributes.items())}/>")


GOOD = base64.b64encode(bytes([0xC5] * 256)).decode()


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        ("", "AQAB"),
        (GOOD, ""),
        ("not base64!", "AQAB"),
        (base64.b64encode(bytes([0xC5] * 64)).decode(), "AQAB"),
        (base64.b64encode(bytes([0xC5] * 4096)).decode(), "AQAB"),
        (GOOD, base64.b64encode(bytes(range(1, 200))).decode()),
        (GOOD, "AQ=="),
        (GOOD, "AgAA"),
    ],
)
def test_a_suite_whose_keys_cannot_be_is_never_taken_for_one_without(modulus: str, exponent: str) -> None:
    """WOPI-4."""
    with pytest.raises(Unfit):
        parse(proof(modulus, exponent), HERE)


def test_a_first_key_stands_alone() -> None:
    assert len(parse(proof(GOOD), HERE).keys) == 1
    assert len(parse(proof(GOOD, oldmodulus=GOOD, oldexponent="AQAB"), HERE).keys) == 2
    with pytest.raises(Unfit):
        parse(proof(GOOD, oldmodulus="?"), HERE)


def test_the_suite_of_tests_signs_nothing_unless_told() -> None:
    with fake_suite(signs=False) as suite:
        assert isinstance(suite, FakeSuite)
        assert suite.sign("t", "http://h/") == {}
