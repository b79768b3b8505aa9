"""People who came from a cloud, in rooms, through a gateway: what they may do, in whose name it is saved, and how it ends (CLOUD-1 to CLOUD-4)."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from typing import TYPE_CHECKING

import pytest
from gateway import Cloud, CloudGateway
from gateway.cloud import MACHINE, Lock
from runtime.stage import Guest, Stage
from serving import until

from collab.access import Grant, Person, Role, sign, verify
from collab.archive.memory import MemoryArchive
from collab.archive.memory_sessions import MemoryCloudSessions
from collab.codec import var_bytes
from collab.cs3.openings import Openings
from collab.errors import Forbidden, NotFound, Unauthorized
from collab.gateway.applications import Asked, Mode
from collab.gateway.calls import Gateway
from collab.gateway.identity import Machine
from collab.gateway.resources import Reference, ResourceId
from collab.gateway.transfers import Transfers
from collab.ports import CloudSession
from collab.runtime.acting import asked_by
from collab.runtime.farewell import BEFORE, Farewell
from collab.runtime.rooms import Rooms, Surroundings
from collab.runtime.saver import Timing
from collab.storage.cs3 import Cloud as CloudAdapter
from collab.storage.cs3 import CloudFiles, CloudRoomLocks, People
from collab.storage.cs3.keepers import Sessions
from collab.wopi.addresses import Addresses
from collab.wopi.launch import Launcher
from collab.wopi.suites import Suites

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.runtime.connection import Editing


SECRET = bytes(range(32))
DAY = 86_400.0


class Clock:
    """The wall's, which moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Skies(Stage):
    """A server of ours on a cloud with a file of Ann's, which Bob may write."""

    def __init__(self, *, machine: bool) -> None:
        super().__init__()
        self.clock = Clock()
        self.cloud = Cloud(clock=self.clock)
        for name in ("ann", "bob"):
            self.cloud.add_user(name)
        self.node = self.cloud.put("ann", "notes.md", b"one\n")
        self.cloud.share("ann", "notes.md", "bob", "editor")
        self.server = CloudGateway(self.cloud)
        self.machine = machine
        self.shared = MemoryArchive()
        self.used: list[CloudAdapter] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if not self.server.port:
            await self.server.start()
        self.gateway = Gateway(self.server.target, clock=self.clock)
        machine = Machine(self.gateway, MACHINE, clock=self.clock) if self.machine else None
        self.people = People(self.gateway, self.shared.sessions(SECRET), machine, clock=self.clock, timer=self.clock)
        root = self.cloud.root_id("ann")
        of = partial(CloudAdapter, self.gateway, Transfers(), resources=self.shared.resources, root=root, clock=self.clock)
        self.adapter = of(self.people.keepers)
        self.requests = of(self.people.caller, locks=self.adapter.locks, etags=self.adapter.etags)
        self.used.append(self.adapter)
        self.asked = CloudFiles(self.requests)
        addresses = Addresses("https://docs.example.org", "https://docs.example.org")
        launcher = Launcher(Suites((), (), secure=False, clock=loop.time), lambda: addresses, SECRET, now=self.clock, length=DAY)
        self.openings = Openings(
            self.gateway,
            self.shared.sessions(SECRET),
            self.shared.resources,
            launcher,
            lambda: addresses.public,
            "Collab",
            SECRET,
            self.clock,
            os.urandom,
            7 * DAY,
            lasting=self.machine,
        )
        self.rooms = Rooms(
            Surroundings(
                files=CloudFiles(self.adapter),
                journal=self.journal,
                bases=self.archive.bases,
                versions=self.archive.versions,
                authors=self.archive.authors,
                metrics=self.metrics,
                authorise=lambda token: verify(token, SECRET, now=self.clock()),
                frame=var_bytes,
                clock=loop.time,
                now=self.clock,
                random=self._random.randbytes,
                audit=self._audit,
                timing=Timing(debounce=0.1, latest=0.5, retry=0.1),
                locks=CloudRoomLocks(self.adapter),
                rights=self.people.rights(self.requests),
                review=0.1,
            )
        )
        self.people.bind(self.adapter, self.rooms.present)
        self._running = True
        await self.rooms.start()

    async def end(self) -> None:
        await super().end()
        for adapter in self.used:
            await adapter.close()
        await self.server.stop()

    @property
    def seats(self) -> list[Editing]:
        return [seat for connection in self.rooms.connections for seat in connection.seats()]

    @property
    def resource(self) -> ResourceId:
        return ResourceId(self.cloud.storage, self.cloud.space("ann").id, self.node.id)

    @property
    def document(self) -> str:
        return self.resource.document

    @property
    def body(self) -> str:
        return self.cloud.body("ann", "notes.md").decode()

    async def come(self, name: str, mode: Mode = Mode.READ_WRITE, *, link: str = "", lifetime: float = DAY) -> tuple[str, Grant]:
        """Somebody opens the file in the cloud's page, which posts a token."""
        theirs = self.cloud.token(name, link=link, lifetime=lifetime)
        resource = await self.gateway.stat(theirs, Reference(self.resource))
        grant = (await self.openings.admit(Asked(resource, mode, theirs))).grant
        now = self.clock()
        return sign(grant.lease(now), SECRET, now=now), grant

    async def opens(self, name: str, mode: Mode = Mode.READ_WRITE, *, link: str = "", lifetime: float = DAY) -> Guest:
        """And is in its room, at a page of ours."""
        token, _ = await self.come(name, mode, link=link, lifetime=lifetime)
        guest = self.on(self.socket(), path=self.document)
        guest.sign_in(token)
        guest.step1()
        guest.greet()
        await until(lambda: guest.synced or guest.denied)
        return guest


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what takes some seconds on purpose."""
    monkeypatch.setattr("collab.runtime.rights.DOUBT", 0.3)
    monkeypatch.setattr("collab.runtime.locking.AGAIN", 0.2)


@pytest.fixture(params=[False, True], ids=["alone", "machine"])
async def skies(request: pytest.FixtureRequest) -> AsyncIterator[Skies]:
    made = Skies(machine=request.param)
    await made.start()
    yield made
    await made.end()


@pytest.fixture
async def plain() -> AsyncIterator[Skies]:
    made = Skies(machine=False)
    await made.start()
    yield made
    await made.end()


async def test_rights_that_the_cloud_gives_and_takes_count_while_people_type(plain: Skies) -> None:
    """CLOUD-2, RIGHTS-1: edit, view, edit, nothing."""
    ann, bob = await plain.opens("ann"), await plain.opens("bob")
    bob.append("b")
    await until(lambda: plain.body == "one\nb")
    plain.cloud.share("ann", "notes.md", "bob", "viewer")
    await until(lambda: bob.scope == "readonly")
    assert bob.states[-1]["why"] == "taken"
    bob.append("c")
    ann.append("a")
    await until(lambda: plain.body == ann.text)
    assert "c" not in ann.text
    plain.cloud.share("ann", "notes.md", "bob", "editor")
    await until(lambda: bob.scope == "read-write" and ann.text == bob.text)
    await until(lambda: plain.body == ann.text)
    assert sorted(plain.body) == sorted("one\nbca")
    plain.cloud.unshare("ann", "notes.md", "bob")
    await until(lambda: bob.denied)
    assert (bob.denied, ann.denied) == (["forbidden"], [])


@pytest.mark.parametrize(("role", "scope"), [("editor", "read-write"), ("viewer", "readonly")])
async def test_guests_of_a_link_may_do_what_the_link_says_and_not_what_their_permission_set_shows(
    plain: Skies, role: str, scope: str
) -> None:
    """CLOUD-2."""
    await plain.opens("ann")
    link = plain.cloud.link("ann", "notes.md", role)
    guest = await plain.opens("ann", link=link.token)
    assert guest.scope == scope
    _, grant = await plain.come("ann", link=link.token)
    assert grant.person.name == "Guest"
    assert grant.person.id.startswith("cs3:guest#")
    link.expires = plain.clock.now
    plain.clock.now += 61
    await until(lambda: guest.denied)
    assert guest.denied == ["unauthorized"]


@pytest.mark.parametrize(("mode", "scope"), [(Mode.READ_ONLY, "readonly"), (Mode.VIEW_ONLY, "readonly"), (Mode.READ_WRITE, "read-write")])
async def test_a_session_never_allows_more_than_it_was_opened_for(plain: Skies, mode: Mode, scope: str) -> None:
    """CLOUD-2."""
    assert (await plain.opens("ann", mode)).scope == scope


@pytest.mark.parametrize(
    ("role", "mode", "allowed"),
    [
        ("editor", Mode.READ_WRITE, Role.EDITOR),
        ("viewer", Mode.READ_WRITE, Role.VIEWER),
        ("editor", Mode.READ_ONLY, Role.VIEWER),
        ("uploader", Mode.READ_WRITE, None),
        ("secure-viewer", Mode.READ_WRITE, None),
        ("secure-viewer", Mode.VIEW_ONLY, Role.VIEWER),
    ],
)
async def test_what_the_permission_set_says_to_the_persons_own_token_counts(
    plain: Skies, role: str, mode: Mode, allowed: Role | None
) -> None:
    """CLOUD-2: the table of who may do what."""
    _, grant = await plain.come("bob", mode)
    with asked_by(grant.id):
        stat = await plain.asked.stat("notes.md")
    plain.cloud.share("ann", "notes.md", "bob", role)
    rights = plain.people.rights(plain.requests)
    if allowed is None:
        with pytest.raises(Forbidden):
            await rights.role(grant, stat)
    else:
        assert await rights.role(grant, stat) is allowed
    with pytest.raises(Unauthorized):
        await rights.role(Grant(Person("eve", "Eve"), Role.OWNER, id="nobody's"), stat)


@pytest.mark.parametrize("ends", ["is over", "is not taken any more"])
async def test_a_token_that_is_over_is_never_taken_for_a_deleted_file(skies: Skies, ends: str) -> None:
    """CLOUD-3, CS3-3: with the machine secret people go on, else they are asked to sign in again, and nothing is lost."""
    ann = await skies.opens("ann", lifetime=1000)
    ann.append("a")
    await until(lambda: skies.body == "one\na")
    if ends == "is over":
        # Perhaps while somebody looks with it.
        skies.clock.now += 1000
    else:
        skies.cloud.over |= skies.server.tokens
    looks = skies.server.calls["Stat"]
    if skies.machine:
        await until(lambda: skies.server.calls["Stat"] > looks + 2)
        ann.append("b")
        await until(lambda: skies.body == "one\nab")
    else:
        await until(lambda: ann.denied)
    assert ann.denied == ([] if skies.machine else ["unauthorized"])
    assert all(state["file"] != "gone" for state in ann.states)
    (host,) = skies.rooms.hosts
    assert host.file.word != "gone"


async def test_words_that_were_typed_before_a_sign_in_ends_are_saved_before_it_ends(plain: Skies) -> None:
    """CLOUD-3."""
    ann = await plain.opens("ann", lifetime=1000)
    (host,) = plain.rooms.hosts
    (entry,) = plain.rooms._open.values()
    entry.saver._timing = Timing(debounce=3600, latest=3600)
    ann.append("a")
    await until(lambda: host.file.word == "pending")
    farewell = Farewell(plain.rooms, plain.people.keepers.ends, plain.clock)
    await farewell.look()
    assert plain.body == "one\n"
    plain.clock.now += 1000 - BEFORE / 2
    # Meanwhile it would have been held on.
    assert plain.node.lock is not None
    plain.node.lock.until = None
    await farewell.look()
    assert plain.body == "one\na"


async def test_what_nobody_is_left_to_save_is_saved_in_the_name_of_who_had_it_open_last_also_after_a_restart(skies: Skies) -> None:
    """CLOUD-4."""
    ann, bob = await skies.opens("ann"), await skies.opens("bob")
    ann.append("a")
    ann.leave()
    bob.leave()
    await until(lambda: skies.body == "one\na")
    ann = await skies.opens("ann")
    ann.append("b")
    await until(lambda: ann.statuses[-1:] == [1])
    await skies.rooms.stop()
    await skies.start()
    await skies.rooms.recover([skies.document])
    await until(lambda: skies.body == "one\nab")


async def test_a_lock_that_another_application_takes_makes_readers_until_it_is_free(plain: Skies) -> None:
    """LOCK-2, LOCK-3: the words of the room and of the other application are in the file, once."""
    ann = await plain.opens("ann")
    lock = plain.cloud.lock_of(plain.node)
    assert lock is not None
    assert (lock.application, lock.user) == ("Collab", "")
    plain.node.lock = Lock("foreign", "Office", "", plain.clock.now + 100)
    ann.append("a")
    await until(lambda: ann.scope == "readonly")
    assert (ann.states[-1]["why"], ann.states[-1]["application"]) == ("lost", "Office")
    plain.cloud.write(plain.node, b"zero\none\n")
    plain.node.lock = None
    await until(lambda: ann.scope == "read-write")
    await until(lambda: plain.body == ann.text == "zero\none\na")


async def test_a_session_that_was_ended_opens_nothing_any_more(plain: Skies) -> None:
    """CLOUD-1."""
    ann = await plain.opens("ann")
    token, grant = await plain.come("bob")
    await plain.people.sessions.end(grant.id)
    bob = plain.on(plain.socket(), path=plain.document)
    bob.sign_in(token)
    await until(lambda: bob.denied)
    assert bob.denied == ["unauthorized"]
    with asked_by(grant.id), pytest.raises(Unauthorized):
        await plain.asked.stat("notes.md")
    assert ann.denied == []


async def test_who_may_only_look_reads_with_the_token_that_the_cloud_gave_for_that(plain: Skies) -> None:
    """APP-6: nobody else is there; their own token downloads nothing."""
    plain.cloud.share("ann", "notes.md", "bob", "secure-viewer")
    theirs = plain.cloud.token("bob")
    resource = await plain.gateway.stat(theirs, Reference(plain.resource))
    for view_token, denied in (("", ["denied"]), (plain.cloud.token("ann"), [])):
        grant = (await plain.openings.admit(Asked(resource, Mode.VIEW_ONLY, theirs, view_token))).grant
        assert grant.role is Role.VIEWER
        assert await plain.people.view_only(grant)
        bob = plain.on(plain.socket(), path=plain.document)
        bob.sign_in(sign(grant.lease(plain.clock()), SECRET, now=plain.clock()))
        bob.step1()
        await until(lambda bob=bob: bob.synced or bob.denied)  # type: ignore[misc]
        assert bob.denied == denied
    assert bob.text == "one\n"
    with asked_by(grant.id):
        assert (await plain.asked.read(plain.document, limit=100)).body == b"one\n"
    await plain.people.sign_out(grant)
    with asked_by(grant.id), pytest.raises(Unauthorized):
        await plain.asked.read(plain.document, limit=100)


@pytest.mark.parametrize("lacking", [set(), {"SetLock", "GetLock", "RefreshLock", "Unlock"}], ids=["lost", "no locks"])
async def test_what_a_save_replaced_where_nothing_could_prevent_it_is_merged_and_told_to_all_and_in_the_history(
    plain: Skies, lacking: set[str]
) -> None:
    """CS3-10: a cloud that compares no etags, and has no lock that keeps others out."""
    plain.server.moods.ignores_if_match, plain.server.moods.lacks = True, lacking
    plain.server.moods.loses_locks = 0.0 if lacking else 1.0
    ann, bob = await plain.opens("ann"), await plain.opens("bob")
    held = plain.server.moods.holds["PUT"] = asyncio.Event()
    puts = plain.server.calls["PUT"]
    ann.append("a")
    await until(lambda: plain.server.calls["PUT"] > puts)
    plain.cloud.write(plain.node, b"zero\none\n")
    held.set()
    await until(lambda: plain.body == ann.text == bob.text == "zero\none\na")
    for guest in (ann, bob):
        assert [notice["kind"] for notice in guest.notices] == ["replaced"]
    versions = await plain.archive.versions.list(plain.document, limit=10)
    assert [version.source for version in versions if version.source not in {"first", "save"}] == ["replaced"]
    (found,) = [version for version in versions if version.source == "replaced"]
    assert (await plain.archive.versions.read(plain.document, found.number))[1] == b"zero\none\n"


async def test_who_signs_out_is_out_of_the_room_at_once(plain: Skies) -> None:
    """CLOUD-5."""
    ann, bob = await plain.opens("ann"), await plain.opens("bob")
    (seat,) = [seat for seat in plain.seats if seat.grant.person.name == "Bob"]
    await plain.people.sign_out(seat.grant)
    plain.rooms.review_session(seat.grant.id)
    await until(lambda: bob.denied)
    assert (bob.denied, ann.denied) == (["unauthorized"], [])


async def test_a_right_that_is_lost_is_never_taken_for_a_deleted_file(plain: Skies) -> None:
    """RIGHTS-4: nobody who may still see it is there, and nobody ever was."""
    bob = await plain.opens("bob")
    bob.append("b")
    await until(lambda: plain.body == "one\nb")
    plain.cloud.unshare("ann", "notes.md", "bob")
    bob.append("c")
    await until(lambda: bob.denied)
    assert bob.denied == ["forbidden"]
    assert all(state["file"] != "gone" for state in bob.states)
    ann = await plain.opens("ann")
    await until(lambda: plain.body == ann.text)
    assert ann.text.startswith("one\nb")


async def test_a_file_that_is_deleted_while_who_sees_its_folder_has_it_open_is_told_to_be_gone(
    plain: Skies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RIGHTS-4: the text lives on in its room, also for who sees neither file nor folder."""
    monkeypatch.setattr("collab.runtime.rights.DOUBT", 12.0)
    ann, bob = await plain.opens("ann"), await plain.opens("bob")
    plain.cloud.delete(plain.node)

    def told() -> bool:
        plain.rooms.noticed(plain.document)
        return ann.states[-1]["file"] == bob.states[-1]["file"] == "gone"

    await until(told)
    assert (ann.denied, bob.denied) == ([], [])


async def test_each_request_is_made_in_the_name_of_who_asks(plain: Skies) -> None:
    """CLOUD-2."""
    plain.cloud.put("ann", "private.md", b"secret\n")
    _, ann = await plain.come("ann")
    _, bob = await plain.come("bob")
    with asked_by(ann.id):
        private = await plain.asked.stat("private.md")
    with asked_by(bob.id), pytest.raises((NotFound, Forbidden)):
        await plain.asked.stat(private.id)
    with pytest.raises(Unauthorized):
        await plain.asked.stat("private.md")


async def test_the_clouds_token_is_told_to_nobody(plain: Skies, caplog: pytest.LogCaptureFixture) -> None:
    """CLOUD-1, AUTH-9: neither in a log, nor in what a page or an error is told, nor in what objects say of themselves."""
    caplog.set_level(logging.DEBUG)
    theirs = plain.cloud.token("ann", lifetime=1000)
    asked = Asked(await plain.gateway.stat(theirs, Reference(plain.resource)), Mode.READ_WRITE, theirs)
    grant = (await plain.openings.admit(asked)).grant
    session = await plain.people.sessions.get(grant.id)
    assert session is not None
    credentials = await plain.people.sessions.credentials(session)
    plain.clock.now += 2000
    errors = []
    for act in (plain.openings.admit(asked), plain.people.sessions.credentials(session), plain.gateway.who_am_i(theirs)):
        with pytest.raises(Unauthorized) as raised:
            await act
        errors.append(f"{raised.value!r} {raised.value}")
    told = [sign(grant, SECRET, now=0), repr(grant), repr(session), repr(credentials), repr(asked), caplog.text, *errors]
    assert [each for each in told if theirs in each or theirs.split(".")[2] in each] == []


class Late(MemoryCloudSessions):
    """An archive that says what it found when it is let."""

    def __init__(self) -> None:
        super().__init__(MemoryArchive())
        self.found, self.let = asyncio.Event(), asyncio.Event()

    async def get(self, session: str) -> CloudSession | None:
        found = await super().get(session)
        self.found.set()
        await self.let.wait()
        return found


async def test_who_signs_out_while_their_session_is_asked_for_is_out_at_once() -> None:
    """CLOUD-5: the answer is from before."""
    kept, clock = Late(), Clock()
    await kept.put(CloudSession("s", "", "ann", "u", "ann", "token", None, clock.now + 60, "editor"))
    sessions = Sessions(kept, None, clock=clock, timer=clock)
    asking = asyncio.ensure_future(sessions.get("s"))
    await kept.found.wait()
    await sessions.end("s")
    kept.let.set()
    assert await asking is None
    assert await sessions.get("s") is None
