"""A cloud's page opens a file in our applications: the cloud asks, with the person's own token (rules APP-2 to APP-5)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest
from cs3.app.provider.v1beta1 import resources_pb2 as wire
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from cs3.types.v1beta1 import types_pb2 as types
from gateway import Cloud, CloudGateway
from gateway.cloud import Lock
from suites import FakeSuite, fake_suite

from collab.access import LEASE_SECONDS, Role, verify
from collab.archive.memory import MemoryArchive
from collab.cs3 import offering
from collab.cs3.openings import Openings
from collab.cs3.registering import Registration
from collab.errors import Unauthorized
from collab.gateway.applications import Applications, Asked, Mode
from collab.gateway.calls import Gateway
from collab.gateway.resources import Reference, ResourceId
from collab.wopi.addresses import Addresses
from collab.wopi.launch import Launcher
from collab.wopi.suites import Suites
from collab.wopi.tokens import unseal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SECRET = b"s" * 32
HERE = "https://docs.example.org/collab"
DAY = 86_400.0
WRITE = wire.VIEW_MODE_READ_WRITE


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """What the cloud's page gets."""

    code: str
    words: str
    address: str = ""
    form: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    instead: str = ""


@dataclass
class Site:
    """A cloud with our applications in it, and what they keep."""

    clock: Clock
    cloud: Cloud
    gateway: CloudGateway
    archive: MemoryArchive
    openings: Openings
    suite: FakeSuite

    async def open(self, path: str, app: str = "Write", mode: int = WRITE, *, user: str = "ann", token: str = "", **opaque: str) -> Answer:
        """As `user`'s page does it, for a file of Ann's."""
        node = self.cloud.at("ann", path)
        identity = resources.ResourceId(storage_id=self.cloud.storage, space_id=self.cloud.space("ann").id, opaque_id=node.id)
        request = api.OpenInAppRequest(
            ref=resources.Reference(resource_id=identity),
            view_mode=mode,
            app=app,
            opaque=types.Opaque(map={key: types.OpaqueEntry(decoder="plain", value=value.encode()) for key, value in opaque.items()}),
        )
        async with grpc.aio.insecure_channel(self.gateway.target) as channel:
            said: Any = await gateway_api_pb2_grpc.GatewayAPIStub(channel).OpenInApp(
                request, metadata=(("x-access-token", token or self.cloud.token(user)),)
            )
        code = Code.Name(said.status.code).removeprefix("CODE_")
        url = said.app_url
        return Answer(code, said.status.message, url.app_url, dict(url.form_parameters), said.forced_view_mode_reason, said.app_for_edit)

    async def role(self, answer: Answer) -> Role:
        assert answer.code == "OK", answer
        return verify(answer.form["access_token"], SECRET, now=self.clock.now).role


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite("onlyoffice") as made:
        yield made


@pytest.fixture
async def site(suite: FakeSuite) -> AsyncIterator[Site]:
    clock = Clock()
    cloud = Cloud(clock=clock)
    cloud.add_user("ann", "Ann of the Lab")
    cloud.add_user("bob")
    cloud.put("ann", "a.md", b"one")
    cloud.put("ann", "report.docx", b"PK")
    suites = Suites([("OnlyOffice", suite.url)], (), secure=False, clock=clock)
    await suites.offices[0].renew()
    launcher = Launcher(suites, lambda: Addresses(HERE, HERE), SECRET, now=clock, length=DAY)
    archive = MemoryArchive()
    numbers = iter(range(10_000))
    async with CloudGateway(cloud) as gateway, Gateway(gateway.target, clock=clock) as calls:
        openings = Openings(
            calls,
            archive.sessions(SECRET),
            archive.resources,
            launcher,
            lambda: HERE,
            "collab",
            SECRET,
            clock,
            lambda count: next(numbers).to_bytes(count),
            length=7 * DAY,
        )
        live, office = Applications("127.0.0.1:0", openings.live), Applications("127.0.0.1:0", openings.office)
        await live.start()
        await office.start()
        offered = [offering.live("Write", f"127.0.0.1:{live.port}"), offering.office("Office", f"dns:127.0.0.1:{office.port}", launcher)]
        registration = Registration(calls, lambda: [each for each in offered if each is not None])
        # A channel gives up a connection that a busy machine does not make at once; who tells comes again.
        async with asyncio.timeout(60):
            while registration.trouble is not None:
                await registration.tell()
        yield Site(clock, cloud, gateway, archive, openings, suite)
        await live.close()
        await office.close()
    suites.close()


# Live


async def test_a_text_opens_in_our_page_with_a_short_token_for_it_alone(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = site.cloud.token("ann")
    answer = await site.open("a.md", token=token, lang="de")
    assert answer.code == "OK", answer
    document = urlsplit(answer.address).path.rpartition("/")[2]
    assert answer.address == f"{HERE}/edit/{document}?lang=de"
    assert set(answer.form) == {"access_token", "access_token_ttl"}
    grant = verify(answer.form["access_token"], SECRET, now=site.clock.now)
    assert (grant.role, grant.document, grant.person.name) == (Role.EDITOR, document, "Ann of the Lab")
    assert grant.expires == site.clock.now + LEASE_SECONDS
    assert int(answer.form["access_token_ttl"]) == int((site.clock.now + LEASE_SECONDS) * 1000)
    assert grant.until == site.clock.now + DAY
    session = await site.archive.sessions(SECRET).get(grant.id)
    assert session is not None
    assert session.token.count(".") == 2
    assert (session.username, session.role, session.guest) == ("ann", "editor", False)
    # What is sealed is known to the session alone.
    for shown in (str(answer), repr(session), caplog.text):
        assert session.token not in shown
        assert token not in shown
    assert (
        await site.archive.resources.find(document)
        == f"{site.cloud.storage}${site.cloud.space('ann').id}!{site.cloud.at('ann', 'a.md').id}"
    )


@pytest.mark.parametrize("mode", ["VIEW_ONLY", "READ_ONLY", "PREVIEW", "EMBEDDED"])
async def test_every_other_mode_is_for_reading(site: Site, mode: str) -> None:
    answer = await site.open("a.md", mode=wire.ViewMode.Value(f"VIEW_MODE_{mode}"))
    assert await site.role(answer) is Role.VIEWER
    assert answer.reason == ""


@pytest.mark.parametrize(
    ("shared", "mode", "outcome"),
    [
        ("editor", "READ_WRITE", Role.EDITOR),
        ("viewer", "READ_WRITE", Role.VIEWER),
        ("viewer", "READ_ONLY", Role.VIEWER),
        ("uploader", "READ_WRITE", None),
        ("secure-viewer", "READ_WRITE", None),
        ("secure-viewer", "READ_ONLY", None),
        ("secure-viewer", "VIEW_ONLY", Role.VIEWER),
    ],
)
async def test_what_the_cloud_allows_decides(site: Site, shared: str, mode: str, outcome: Role | None) -> None:
    site.cloud.share("ann", "a.md", "bob", shared)
    answer = await site.open("a.md", mode=wire.ViewMode.Value(f"VIEW_MODE_{mode}"), user="bob")
    if outcome is None:
        assert answer.code == "PERMISSION_DENIED"
        assert answer.words
        assert answer.form == {}
    else:
        assert await site.role(answer) is outcome
        lowered = mode == "READ_WRITE" and outcome is Role.VIEWER
        assert bool(answer.reason) == lowered


@pytest.mark.parametrize(("role", "outcome"), [("editor", Role.EDITOR), ("viewer", Role.VIEWER), ("uploader", None)])
async def test_a_guest_has_the_role_of_the_link_and_not_of_its_maker(site: Site, role: str, outcome: Role | None) -> None:
    link = site.cloud.link("ann", "a.md", role, expires=site.clock.now + 3600)
    answer = await site.open("a.md", token=site.cloud.token("ann", link=link.token))
    if outcome is None:
        assert answer.code == "PERMISSION_DENIED"
        return
    assert await site.role(answer) is outcome
    grant = verify(answer.form["access_token"], SECRET, now=site.clock.now)
    assert grant.person.name == "Guest"
    other = verify(
        (await site.open("a.md", token=site.cloud.token("ann", link=link.token))).form["access_token"], SECRET, now=site.clock.now
    )
    assert grant.person.id != other.person.id


async def test_a_file_that_is_open_elsewhere_is_read_and_reva_learns_where(site: Site) -> None:
    node = site.cloud.at("ann", "a.md")
    node.lock = Lock("1", "Collabora", until=site.clock.now + 60)
    answer = await site.open("a.md")
    assert await site.role(answer) is Role.VIEWER
    assert answer.reason.endswith("Collabora to edit instead")
    assert answer.instead == "Collabora"
    for lock in (Lock("1", "Collabora", until=site.clock.now - 1), Lock("2", "collab", until=site.clock.now + 60)):
        node.lock = lock
        assert await site.role(await site.open("a.md")) is Role.EDITOR


async def test_a_session_ends_with_the_token_unless_the_server_may_act_for_people(site: Site) -> None:
    """A link's guest stays only as long as their token in any case: nobody can sign in for them."""
    link = site.cloud.link("ann", "a.md", "editor")
    for lasting, guest, ends in ((False, "", 300.0), (True, "", 7 * DAY), (True, link.token, 300.0)):
        openings = replace(site.openings, lasting=lasting)
        asked = await asking(site, site.cloud.token("ann", lifetime=300, link=guest))
        grant = (await openings.admit(asked)).grant
        assert grant.expires == site.clock.now + ends, (lasting, guest)
        lease = verify((await openings.live(asked)).form["access_token"], SECRET, now=site.clock.now)
        assert (lease.expires, lease.until) == (site.clock.now + min(ends, LEASE_SECONDS), site.clock.now + ends)


async def test_a_token_that_is_over_is_told_so(site: Site) -> None:
    asked = replace(await asking(site, site.cloud.token("ann")), token=site.cloud.token("ann", lifetime=-1))
    with pytest.raises(Unauthorized):
        await site.openings.live(asked)
    assert await site.archive.sessions(SECRET).of(asked.resource.id.document) == []


async def asking(site: Site, token: str) -> Asked:
    """What the cloud asks for `a.md`."""
    identity = ResourceId(site.cloud.storage, site.cloud.space("ann").id, site.cloud.at("ann", "a.md").id)
    return Asked(await site.openings.gateway.stat(token, Reference(identity)), Mode.READ_WRITE, token)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("new", b"", "OK"),
        ("new.md", b"", "OK"),
        ("nb.ipynb", b"{}", "OK"),
        ("table.csv", b"a,b", "OK"),
        ("run.py", b"x", "OK"),
        ("picture.png", b"x", "FAILED_PRECONDITION"),
        ("report.docx", b"", "FAILED_PRECONDITION"),
    ],
)
async def test_what_is_text_opens_and_what_is_none_is_told_so(site: Site, name: str, body: bytes, code: str) -> None:
    site.cloud.put("ann", name, body)
    assert (await site.open(name)).code == code


async def test_a_folder_is_not_opened(site: Site) -> None:
    site.cloud.put("ann", "folder/a.md", b"")
    assert (await site.open("folder")).code in {"FAILED_PRECONDITION", "INVALID_ARGUMENT"}


# Office


async def test_an_office_file_opens_in_the_suite_with_its_own_token(site: Site) -> None:
    answer = await site.open("report.docx", "Office", lang="de-DE")
    assert answer.code == "OK", answer
    assert answer.address.startswith(f"{site.suite.origin}/hosting/wopi/word/edit?")
    query = parse_qs(urlsplit(answer.address).query)
    granted = unseal(answer.form["access_token"], SECRET, now=site.clock.now)
    assert (granted.role, granted.suite, granted.scope) == (Role.EDITOR, "OnlyOffice", granted.target)
    assert query["ui"] == ["de-DE"]
    assert query["WOPISrc"][0].startswith(f"{HERE}/wopi/files/")
    assert granted.session in {session.id for session in await site.archive.sessions(SECRET).of(granted.target)}


async def test_an_office_file_for_reading_opens_the_suites_viewer(site: Site) -> None:
    answer = await site.open("report.docx", "Office", wire.VIEW_MODE_READ_ONLY)
    assert answer.address.startswith(f"{site.suite.origin}/hosting/wopi/word/view?")
    assert unseal(answer.form["access_token"], SECRET, now=site.clock.now).role is Role.VIEWER


async def test_what_no_suite_opens_is_told_so(site: Site) -> None:
    site.cloud.put("ann", "picture.png", b"x")
    assert (await site.open("picture.png", "Office")).code == "FAILED_PRECONDITION"


def test_a_suite_that_was_not_heard_of_yet_offers_nothing() -> None:
    with ExitStack() as stack:
        suites = Suites([("Away", "http://127.0.0.1:9/hosting/discovery")], (), secure=False, clock=Clock())
        stack.callback(suites.close)
        launcher = Launcher(suites, lambda: Addresses(HERE, HERE), SECRET, now=Clock(), length=DAY)
        assert offering.office("Office", "x:1", launcher) is None


def test_the_live_application_offers_text_markdown_notebooks_tables_and_code() -> None:
    types = set(offering.live("Write", "x:1").types)
    assert {"text/plain", "text/markdown", "text/csv", "text/x-python", "application/x-ipynb+json", "application/vnd.jupyter"} <= types
    assert not types & {"application/pdf", "image/png", "application/vnd.oasis.opendocument.text"}
