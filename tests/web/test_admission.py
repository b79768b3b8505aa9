from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest

from collab.access import Grant, Person, Role, sign
from collab.archive.memory import MemoryArchive
from collab.errors import CollabError, Forbidden, Malformed, Unauthorized
from collab.web.admission import Admission, Knock, Misdirected, Visitor, names_of
from collab.web.sessions import Sessions, Spent

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = bytes(range(32))
NOW = 1_800_000_000.0
ADA = Person("name:Ada", "Ada")
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
PUBLIC = "https://docs.example/collab"
CLIENT = ("192.0.2.7", 4000)
PROXY = ("10.0.0.1", 4000)


class Never:
    """Nobody signs in by an address here."""

    async def redeem(self, secret: str, now: float) -> bool:
        del secret, now
        return False


SESSIONS = Sessions(SECRET, Never(), Spent(None, NOW), MemoryArchive().sign_ins, owner=ADA, length=3600, now=lambda: NOW, random=bytes)


def admission(host: str = "127.0.0.1", public_url: str = "", allowed: Sequence[str] = (), origins: Sequence[str] = ()) -> Admission:
    return Admission(
        hosts=names_of(host, (public_url,), allowed),
        public_origin="https://docs.example" if public_url else "",
        origins=frozenset(origins),
        proxies=PROXIES,
        port=8000,
        secret=SECRET,
        read_session=SESSIONS.read,
        now=lambda: NOW,
    )


def knock(
    method: str = "GET",
    *headers: tuple[str, str],
    host: str | None = "127.0.0.1:8000",
    client: tuple[str, int] | None = CLIENT,
    query: str = "",
    scheme: str = "http",
    websocket: bool = False,
) -> Knock:
    named = [] if host is None else [("host", host)]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in [*named, *headers]]
    return Knock(method, b"/", query.encode(), raw, client, scheme, websocket)


def token(expires: float = NOW + 60) -> str:
    return sign(Grant(ADA, Role.EDITOR, expires=expires), SECRET, now=NOW)


def session(name: str = "collab_8000") -> tuple[str, str]:
    return "cookie", f"{name}={sign(Grant(ADA, Role.OWNER, expires=NOW + 60, id='s'), SECRET, now=NOW, use='session')}"


# --- host


@pytest.mark.parametrize(
    ("bound", "public_url", "allowed", "host", "error"),
    [
        ("127.0.0.1", "", (), "127.0.0.1:8000", None),
        ("127.0.0.1", "", (), "LOCALHOST:8000", None),
        ("127.0.0.1", "", (), "localhost", None),
        ("127.0.0.1", "", (), "[::1]:8000", None),
        ("::1", "", (), "[::1]:8000", None),
        ("localhost", "", (), "127.0.0.1:8000", None),
        ("0.0.0.0", "", (), "localhost:8000", None),
        ("127.0.0.1", "", (), "evil.example:8000", Misdirected),
        ("127.0.0.1", "", (), "127.0.0.1.evil.example", Misdirected),
        ("127.0.0.1", "", (), "localhost.evil.example", Misdirected),
        ("127.0.0.1", "", (), "docs.example", Misdirected),
        ("0.0.0.0", "", (), "0.0.0.0:8000", Misdirected),
        ("0.0.0.0", "", (), "192.0.2.1:8000", Misdirected),
        ("192.0.2.1", "", (), "192.0.2.1:8000", None),
        ("192.0.2.1", "", (), "localhost:8000", Misdirected),
        ("2001:db8::1", "", (), "[2001:db8::1]:8000", None),
        ("docs.internal", "", (), "docs.internal:8000", None),
        ("127.0.0.1", PUBLIC, (), "docs.example", None),
        ("127.0.0.1", PUBLIC, (), "docs.example:443", None),
        ("127.0.0.1", "https://[2001:db8::2]/x", (), "[2001:db8::2]", None),
        ("127.0.0.1", "", ("Other.Example",), "other.example:1", None),
        ("127.0.0.1", "", (), "", Malformed),
        ("127.0.0.1", "", (), "localhost:8000:9", Malformed),
        ("127.0.0.1", "", (), "localhost:port", Malformed),
        ("127.0.0.1", "", (), "user@localhost", Malformed),
        ("127.0.0.1", "", (), "localhost/x", Malformed),
        ("127.0.0.1", "", (), "localhost; script-src *", Malformed),
        ("127.0.0.1", "", (), "lócalhost", Malformed),
        ("127.0.0.1", "", (), None, Malformed),
    ],
)
def test_the_host_must_be_a_configured_name(
    bound: str,
    public_url: str,
    allowed: Sequence[str],
    host: str | None,
    error: type[CollabError] | None,
) -> None:
    """AUTH-6, AUTH-11."""
    door = admission(bound, public_url, allowed)
    for websocket in (False, True):
        if error is None:
            assert host is not None
            assert door.admit(knock(host=host, websocket=websocket)).host == host.lower()
        else:
            with pytest.raises(error) as refused:
                door.admit(knock(host=host, websocket=websocket))
            assert refused.value.status == (421 if error is Misdirected else 400)


def test_two_hosts_are_refused() -> None:
    with pytest.raises(Malformed):
        admission().admit(knock("GET", ("host", "localhost")))


# --- proxies


@pytest.mark.parametrize("client", [CLIENT, None, ("11.0.0.1", 1), ("no address", 1)])
def test_forwarded_headers_of_a_stranger_do_not_count(client: tuple[str, int] | None) -> None:
    """AUTH-7."""
    lies = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "docs.example")]
    visitor = admission(public_url=PUBLIC).admit(knock("GET", *lies, client=client))
    assert visitor == Visitor(client[0] if client else "", "http", "127.0.0.1:8000")


@pytest.mark.parametrize("client", [PROXY, ("fd00::1", 1), ("::ffff:10.0.0.1", 1)])
def test_forwarded_headers_of_a_trusted_proxy_count(client: tuple[str, int]) -> None:
    """AUTH-7."""
    said = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "docs.example")]
    visitor = admission(public_url=PUBLIC).admit(knock("GET", *said, host="upstream:8000", client=client))
    assert visitor == Visitor("203.0.113.9", "https", "docs.example")


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["2001:db8::9"], "2001:db8::9"),
        (["[2001:db8::9]:4711"], "2001:db8::9"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["203.0.113.9, unknown"], "10.0.0.1"),
        (["203.0.113.9, "], "203.0.113.9"),
        ([], "10.0.0.1"),
    ],
)
def test_the_address_is_the_nearest_that_no_proxy_vouches_for(hops: list[str], address: str) -> None:
    """AUTH-7."""
    headers = [("x-forwarded-for", hop) for hop in hops]
    assert admission().admit(knock("GET", *headers, client=PROXY)).address == address


def test_a_forwarded_host_must_be_configured_too() -> None:
    with pytest.raises(Misdirected):
        admission(public_url=PUBLIC).admit(knock("GET", ("x-forwarded-host", "evil.example"), client=PROXY))
    with pytest.raises(Malformed):
        admission(public_url=PUBLIC).admit(knock("GET", ("x-forwarded-proto", "gopher"), client=PROXY))


# --- origin

SAME = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (SAME, True),
        ("https://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("http://127.0.0.1.evil.example:8000", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("https://docs.example", True),
        ("http://docs.example", False),
        ("https://friend.example:81", True),
    ],
)
@pytest.mark.parametrize("credentials", ["token", "cookie", "none"])
@pytest.mark.parametrize(
    ("method", "websocket"), [("GET", True), ("POST", False), ("PATCH", False), ("DELETE", False), ("PUT", False), ("ODD", False)]
)
def test_an_origin_that_is_not_ours_neither_writes_nor_opens_a_socket(
    origin: str,
    welcome: bool,
    credentials: str,
    method: str,
    websocket: bool,
) -> None:
    """AUTH-5, AUTH-11."""
    given = {"token": [("authorization", f"Bearer {token()}")], "cookie": [session()], "none": []}[credentials]
    door = admission(public_url=PUBLIC, origins=["https://friend.example:81"])
    request = knock(method, ("origin", origin), *given, websocket=websocket)
    if welcome:
        assert (door.admit(request).grant is None) == (credentials == "none")
    else:
        with pytest.raises(Forbidden, match="COLLAB_ALLOWED_ORIGINS"):
            door.admit(request)


NEIGHBOURS = ["http://127.0.0.1:8001", "http://127.0.0.1"]


@pytest.mark.parametrize("origin", NEIGHBOURS)
def test_another_port_of_this_host_opens_a_socket_with_a_token_of_its_own(origin: str) -> None:
    """AUTH-5."""
    given = ("authorization", f"Bearer {token()}")
    assert admission().admit(knock("GET", ("origin", origin), given, websocket=True)).grant is not None
    assert admission().admit(knock("GET", ("origin", origin), websocket=True)).grant is None


@pytest.mark.parametrize("origin", NEIGHBOURS)
def test_another_port_of_this_host_neither_uses_the_session_nor_writes(origin: str) -> None:
    """AUTH-5."""
    given = ("authorization", f"Bearer {token()}")
    for request in (
        knock("GET", ("origin", origin), session(), websocket=True),
        knock("GET", ("origin", origin), session(), given, websocket=True),
        knock("POST", ("origin", origin), given),
        knock("POST", ("origin", origin), session()),
    ):
        with pytest.raises(Forbidden):
            admission().admit(request)


def test_the_schemes_own_port_is_left_out_of_an_origin() -> None:
    door = admission(allowed=["docs.test"])
    for host, scheme, origin in [
        ("docs.test:80", "http", "http://docs.test"),
        ("docs.test", "https", "https://docs.test"),
        ("docs.test:443", "wss", "https://docs.test"),
    ]:
        request = knock("GET", ("origin", origin), host=host, scheme=scheme, websocket=True)
        assert door.admit(request).origin == origin


def test_two_origins_are_refused() -> None:
    with pytest.raises(Forbidden):
        admission().admit(knock("POST", ("origin", SAME), ("origin", SAME)))


def test_reading_asks_for_no_origin() -> None:
    visitor = admission().admit(knock("GET", ("origin", "http://evil.example"), session()))
    assert visitor.via == "cookie"


@pytest.mark.parametrize(("method", "websocket"), [("GET", True), ("POST", False), ("DELETE", False)])
def test_a_cookie_without_an_origin_neither_writes_nor_opens_a_socket(method: str, websocket: bool) -> None:
    """AUTH-5, AUTH-11."""
    with pytest.raises(Forbidden, match="Origin"):
        admission().admit(knock(method, session(), websocket=websocket))
    with_token = knock(method, ("authorization", f"Bearer {token()}"), session(), websocket=websocket)
    assert admission().admit(with_token).via == "token"
    assert admission().admit(knock(method, websocket=websocket)).via is None


@pytest.mark.parametrize(
    ("site", "welcome"),
    [("same-origin", True), ("same-site", True), ("none", True), ("cross-site", False)],
)
def test_a_cookie_that_comes_from_another_site_does_not_write(site: str, welcome: bool) -> None:
    request = knock("POST", ("origin", SAME), ("sec-fetch-site", site), session())
    if welcome:
        assert admission().admit(request).via == "cookie"
    else:
        with pytest.raises(Forbidden, match="another site"):
            admission().admit(request)


def test_a_friends_origin_may_come_from_another_site() -> None:
    request = knock("POST", ("origin", "https://friend.example"), ("sec-fetch-site", "cross-site"), session())
    assert admission(origins=["https://friend.example"]).admit(request).via == "cookie"


# --- sign-in


def test_a_token_signs_in_by_header() -> None:
    for word in ("Bearer", "bearer", "BEARER"):
        visitor = admission().admit(knock("GET", ("authorization", f"{word} {token()}")))
        assert (visitor.via, visitor.require().person) == ("token", ADA)


def test_a_token_in_the_query_signs_in_on_sockets_only() -> None:
    assert admission().admit(knock(query=f"a=b&token={token()}", websocket=True)).via == "token"
    assert admission().admit(knock(query=f"token={token()}")).via is None


def test_a_session_signs_in_by_the_cookie_of_this_port() -> None:
    """AUTH-4."""
    assert admission().admit(knock("GET", session())).require().role is Role.OWNER
    assert admission().admit(knock("GET", session("collab_8001"))).via is None
    ours = session()[1]
    for cookies in (f"a=b; {ours}", f"{ours};c=d", f"collab_8000=old; {ours}"):
        assert admission().admit(knock("GET", ("cookie", cookies))).via == "cookie"


def test_a_session_is_no_token_and_a_token_no_session() -> None:
    """AUTH-1."""
    cookie = session()[1].partition("=")[2]
    door = admission()
    for request in (
        knock("GET", ("authorization", f"Bearer {cookie}")),
        knock(query=f"token={cookie}", websocket=True),
        knock("GET", ("cookie", f"collab_8000={token()}")),
    ):
        visitor = door.admit(request)
        assert visitor.grant is None
        assert isinstance(visitor.refused, Unauthorized)


@pytest.mark.parametrize("query", ["token=wrong", "token=%FF", f"token={token(NOW - 1)}", f"token={token()}&token={token()}"])
def test_a_token_that_does_not_count_is_remembered_and_not_replaced_by_a_cookie(query: str) -> None:
    visitor = admission().admit(knock("GET", ("origin", SAME), session(), query=query, websocket=True))
    assert visitor.grant is None
    assert visitor.refused is not None
    with pytest.raises(CollabError):
        visitor.require()


def test_credentials_of_another_scheme_are_not_ours() -> None:
    assert admission().admit(knock("GET", ("authorization", "Basic YTpi"), session())).via == "cookie"
    assert admission().admit(knock("GET", ("authorization", "Basic YTpi"))).refused is None


def test_without_credentials_a_visitor_is_told_how_to_sign_in() -> None:
    with pytest.raises(Unauthorized, match="collab login"):
        admission().admit(knock()).require()


def test_no_secret_is_shown() -> None:
    assert repr(SECRET)[2:-1] not in repr(admission())
