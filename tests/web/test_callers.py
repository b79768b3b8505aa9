from __future__ import annotations

from ipaddress import ip_network

from collab.web.callers import Callers


def test_each_address_is_counted_for_itself_and_forgotten_when_it_left() -> None:
    callers = Callers(2)
    assert [callers.enter("192.0.2.1"), callers.enter("192.0.2.1"), callers.enter("192.0.2.2")] == [1, 2, 1]
    callers.leave("192.0.2.1")
    assert callers.enter("192.0.2.1") == 2
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        callers.leave(address)
    assert not callers._counts


def test_a_network_of_ipv6_is_one_caller() -> None:
    callers = Callers(2)
    assert [callers.enter("2001:db8::1"), callers.enter("2001:db8::ffff:2"), callers.enter("2001:db8:0:1::1")] == [1, 2, 1]


def test_an_ipv4_address_in_ipv6_is_that_ipv4_address() -> None:
    callers = Callers(2, [ip_network("198.51.100.0/24")])
    assert [callers.enter("192.0.2.1"), callers.enter("::ffff:192.0.2.1"), callers.enter("::ffff:198.51.100.7")] == [1, 2, 0]


def test_trusted_proxies_are_not_counted() -> None:
    callers = Callers(1, [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")])
    assert [callers.enter("10.1.2.3"), callers.enter("10.1.2.3"), callers.enter("2001:db8::1")] == [0, 0, 0]
    callers.leave("10.1.2.3")
    assert not callers._counts


def test_a_peer_without_an_ip_address_is_counted_under_its_name() -> None:
    callers = Callers(1)
    assert [callers.enter(""), callers.enter("")] == [1, 2]
