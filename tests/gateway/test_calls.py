"""Each call against a gateway, with the answers that real ones give."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lines import Line

from collab.errors import Changed, Denied, Exists, Locked, Malformed, NotFound, Unauthorized, Unavailable, Unsupported
from collab.gateway.calls import Gateway
from collab.gateway.resources import FILE, FOLDER, Reference, ResourceId, StorageLock
from gateway import CloudGateway
from gateway.cloud import Lock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from collab.gateway.resources import Resource
    from gateway.conftest import Clock


def root(cloud: CloudGateway, space: str = "ann") -> Reference:
    return Reference(ResourceId.parse(cloud.cloud.root_id(space)))


def at(cloud: CloudGateway, path: str, space: str = "ann") -> Reference:
    return root(cloud, space).below(*path.split("/"))


async def stat(cloud: CloudGateway, gateway: Gateway, path: str = "work/a.md") -> Resource:
    return await gateway.stat(cloud.cloud.token("ann"), at(cloud, path))


# Looking


async def test_a_file_is_told_by_path_and_by_id(cloud: CloudGateway, gateway: Gateway, clock: Clock) -> None:
    file = await stat(cloud, gateway)
    assert (file.kind, file.name, file.size, file.modified) == (FILE, "a.md", 3, clock.now)
    assert file.checksum == ("sha1", sha1(b"one").hexdigest())
    assert file.etag.startswith('"')
    assert file.permissions.upload
    token = cloud.cloud.token("ann")
    assert await gateway.stat(token, Reference(file.id)) == file
    assert await gateway.path(token, file.id) == "work/a.md"
    assert [each.name for each in await gateway.list(token, root(cloud))] == ["work"]
    assert file.parent is not None
    folder = await gateway.stat(token, Reference(file.parent))
    assert (folder.kind, folder.name) == (FOLDER, "work")
    assert [(each.name, each.kind, each.root) for each in await gateway.spaces(token)] == [("ann", "personal", root(cloud).id)]


async def test_a_server_without_spaces_tells_absolute_paths(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.moods.paths_only = True
    token = cloud.cloud.token("ann")
    with pytest.raises(Unsupported):
        await gateway.spaces(token)
    home = Reference(None, await gateway.home(token))
    file = await gateway.stat(token, home.below("work", "a.md"))
    assert (file.path, file.name) == ("/home/work/a.md", "a.md")
    assert await gateway.path(token, file.id) == "home/work/a.md"


async def test_a_token_that_is_over_finds_nothing_and_nothing_is_believed_deleted(
    cloud: CloudGateway, gateway: Gateway, clock: Clock
) -> None:
    """CS3-3."""
    file = await stat(cloud, gateway)
    tokens = [cloud.cloud.token("ann", lifetime=-1.0), cloud.cloud.broken_token(), "no token at all", ""]
    acts: list[Callable[[str], Awaitable[object]]] = [
        lambda token: gateway.stat(token, Reference(file.id)),
        lambda token: gateway.list(token, root(cloud)),
        lambda token: gateway.delete(token, Reference(file.id)),
        lambda token: gateway.locked(token, Reference(file.id)),
        lambda token: gateway.download(token, Reference(file.id)),
        gateway.spaces,
    ]
    for token in tokens:
        for act in acts:
            with pytest.raises(Unauthorized):
                await act(token)
    ending = cloud.cloud.token("ann", lifetime=100.0)
    assert await gateway.stat(ending, Reference(file.id)) == file
    clock.now += 101.0
    with pytest.raises(Unauthorized):
        await gateway.stat(ending, Reference(file.id))


async def test_what_is_not_there_is_not_found_once_the_token_is_known_to_be_good(cloud: CloudGateway, gateway: Gateway) -> None:
    """CS3-3: one question for a token, not one for each thing that is not there."""
    token = cloud.cloud.token("ann")
    for _ in range(3):
        with pytest.raises(NotFound, match=r"none\.md"):
            await gateway.stat(token, at(cloud, "work/none.md"))
    assert cloud.calls["WhoAmI"] == 1


async def test_nobody_knows_whether_a_file_is_gone_while_nobody_knows_the_token(cloud: CloudGateway, gateway: Gateway) -> None:
    """CS3-3."""
    cloud.moods.refuses["WhoAmI"] = "UNAVAILABLE"
    with pytest.raises(Unavailable):
        await gateway.stat(cloud.cloud.token("ann"), at(cloud, "work/none.md"))


async def test_each_sees_what_was_shared_with_them(cloud: CloudGateway, gateway: Gateway) -> None:
    file = await stat(cloud, gateway)
    bob = cloud.cloud.token("bob")
    with pytest.raises(NotFound):
        await gateway.stat(bob, Reference(file.id))
    expected = {
        "editor": (True, True),
        "viewer": (True, False),
        "uploader": (False, True),
        "secure-viewer": (False, False),
    }
    for role, (download, upload) in expected.items():
        cloud.cloud.share("ann", "work", "bob", role)
        seen = (await gateway.stat(bob, Reference(file.id))).permissions
        assert (seen.stat, seen.download, seen.upload) == (True, download, upload), role
    cloud.cloud.unshare("ann", "work", "bob")
    with pytest.raises(NotFound):
        await gateway.stat(bob, Reference(file.id))


async def test_the_guest_of_a_link_is_the_owner_with_a_role_in_words(cloud: CloudGateway, gateway: Gateway) -> None:
    link = cloud.cloud.link("ann", "work/a.md", "viewer", password="pw")
    with pytest.raises(Unauthorized):
        await gateway.authenticate("publicshares", link.token, "password|wrong")
    login = await gateway.authenticate("publicshares", link.token, "password|pw")
    assert (login.user.id, login.user.opaque["public-share-role"]) == ("user-ann", "viewer")
    seen = await gateway.stat(login.token, at(cloud, "work/a.md"))
    assert seen.permissions.upload
    with pytest.raises(Denied):
        await gateway.upload(login.token, Reference(seen.id), length=3, sha1="", if_match=seen.etag)


# Bytes: what is answered at once


async def test_a_stale_condition_is_refused_at_once(cloud: CloudGateway, gateway: Gateway) -> None:
    file, token = await stat(cloud, gateway), cloud.cloud.token("ann")
    with pytest.raises(Changed):
        await gateway.upload(token, Reference(file.id), length=3, sha1="", if_match='"other"')
    with pytest.raises(Exists):
        await gateway.upload(token, at(cloud, "work/a.md"), length=3, sha1="")
    with pytest.raises(Changed):
        await gateway.upload(token, at(cloud, "none/a.md"), length=3, sha1="")
    cloud.moods.ignores_if_match = True
    assert await gateway.upload(token, Reference(file.id), length=3, sha1="", if_match='"other"')


async def test_over_quota_is_told_before_a_byte_is_sent(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.cloud.space("ann").quota = 10
    with pytest.raises(Unavailable, match="quota"):
        await gateway.upload(cloud.cloud.token("ann"), at(cloud, "work/b.md"), length=8, sha1="")


async def test_no_bytes_are_there_without_a_transfer(cloud: CloudGateway, gateway: Gateway) -> None:
    file, token = await stat(cloud, gateway), cloud.cloud.token("ann")
    assert await gateway.upload(token, Reference(file.id), length=0, sha1="", if_match=file.etag) == []
    assert cloud.cloud.body("ann", "work/a.md") == b""
    assert [each.etag for each in await gateway.versions(token, Reference(file.id))] == [file.etag]


# Locks: each cell of the table


OURS = StorageLock("lock-1", "collab")


async def test_one_lock_for_each_file(cloud: CloudGateway, gateway: Gateway) -> None:
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    assert await gateway.locked(token, ref) is None
    await gateway.lock(token, ref, OURS)
    assert await gateway.locked(token, ref) == OURS
    for again in (OURS, replace(OURS, id="lock-2"), replace(OURS, application="other")):
        with pytest.raises(Locked):
            await gateway.lock(token, ref, again)
    for unlocked, error in (
        (replace(OURS, id="lock-2"), Locked),
        (replace(OURS, application="other"), Denied),
        (replace(OURS, user="user-bob"), Denied),
    ):
        with pytest.raises(error):
            await gateway.unlock(token, ref, unlocked)
    await gateway.unlock(token, ref, OURS)
    with pytest.raises(Locked):
        await gateway.unlock(token, ref, OURS)
    with pytest.raises(NotFound):
        await gateway.locked(token, at(cloud, "work/none.md"))


async def test_of_many_who_want_a_lock_one_has_it(cloud: CloudGateway, gateway: Gateway) -> None:
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    answers = await asyncio.gather(
        *(gateway.lock(token, ref, StorageLock(f"lock-{number}", "collab")) for number in range(8)), return_exceptions=True
    )
    assert [answer is None for answer in answers].count(True) == 1
    assert all(answer is None or isinstance(answer, Locked) for answer in answers)


async def test_a_lock_is_refreshed_by_whoever_has_its_id_also_when_it_is_over(cloud: CloudGateway, gateway: Gateway, clock: Clock) -> None:
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    with pytest.raises(Locked):
        await gateway.refresh_lock(token, ref, OURS)
    await gateway.lock(token, ref, replace(OURS, until=clock.now + 60))
    cloud.cloud.share("ann", "work", "bob", "editor")
    await gateway.refresh_lock(cloud.cloud.token("bob"), ref, replace(OURS, until=clock.now + 120))
    clock.now += 121.0
    assert await gateway.locked(token, ref) is None
    await gateway.refresh_lock(token, ref, replace(OURS, until=clock.now + 60))
    assert await gateway.locked(token, ref) == replace(OURS, until=clock.now + 60)
    with pytest.raises(Locked):
        await gateway.refresh_lock(token, ref, replace(OURS, id="lock-2"))
    with pytest.raises(Denied):
        await gateway.refresh_lock(token, ref, replace(OURS, application="other"))
    await gateway.refresh_lock(token, ref, replace(OURS, id="lock-2"), instead_of="lock-1")
    now = await gateway.locked(token, ref)
    assert now is not None
    assert now.id == "lock-2"


async def test_who_may_not_write_may_not_lock(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.cloud.share("ann", "work", "bob", "viewer")
    with pytest.raises(Denied):
        await gateway.lock(cloud.cloud.token("bob"), at(cloud, "work/a.md"), OURS)


@pytest.mark.parametrize(("held", "given", "error"), [("", "x", Unavailable), ("x", "", Locked), ("x", "y", Unavailable), ("x", "x", None)])
async def test_an_upload_under_a_lock_names_it(
    cloud: CloudGateway, gateway: Gateway, held: str, given: str, error: type[Exception] | None
) -> None:
    file, token = await stat(cloud, gateway), cloud.cloud.token("ann")
    cloud.cloud.at("ann", "work/a.md").lock = Lock(held, "collab") if held else None
    attempt = gateway.upload(token, Reference(file.id), length=3, sha1="", if_match=file.etag, lock=given)
    if error is None:
        assert await attempt
    else:
        with pytest.raises(error):
            await attempt


async def test_what_changes_a_locked_file_names_the_lock(cloud: CloudGateway, gateway: Gateway) -> None:
    file, token = await stat(cloud, gateway), cloud.cloud.token("ann")
    ref = Reference(file.id)
    cloud.cloud.put("ann", "work/a.md", b"two")
    (kept,) = await gateway.versions(token, ref)
    await gateway.lock(token, ref, OURS)
    acts: list[Callable[[str], Awaitable[object]]] = [
        lambda lock: gateway.set_metadata(token, ref, {"collab.tags": "x"}, lock=lock),
        lambda lock: gateway.unset_metadata(token, ref, ["collab.tags"], lock=lock),
        lambda lock: gateway.restore_version(token, ref, kept.key, lock=lock),
        lambda lock: gateway.move(token, ref, at(cloud, "work/b.md"), lock=lock),
    ]
    for act in acts:
        with pytest.raises(Locked):
            await act("")
        await act(OURS.id)
    assert await gateway.locked(token, ref) == OURS
    with pytest.raises(Locked):
        await gateway.delete(token, ref)
    await gateway.delete(token, ref, lock=OURS.id)


# The tree, the bin, metadata


async def test_folders_and_moves(cloud: CloudGateway, gateway: Gateway) -> None:
    token = cloud.cloud.token("ann")
    file = await stat(cloud, gateway)
    await gateway.make(token, at(cloud, "new"))
    with pytest.raises(Exists):
        await gateway.make(token, at(cloud, "new"))
    with pytest.raises(Changed):
        await gateway.make(token, at(cloud, "none/new"))
    with pytest.raises(Exists):
        await gateway.move(token, Reference(file.id), at(cloud, "new"))
    with pytest.raises(NotFound):
        await gateway.move(token, Reference(file.id), at(cloud, "none/x"))
    await gateway.move(token, Reference(file.id), at(cloud, "new/b.md"))
    moved = await gateway.stat(token, Reference(file.id))
    assert (moved.id, moved.etag, await gateway.path(token, file.id)) == (file.id, file.etag, "new/b.md")


async def test_what_is_deleted_comes_back_with_its_id(cloud: CloudGateway, gateway: Gateway, clock: Clock) -> None:
    token, file = cloud.cloud.token("ann"), await stat(cloud, gateway)
    await gateway.delete(token, Reference(file.id))
    with pytest.raises(NotFound):
        await gateway.stat(token, Reference(file.id))
    (item,) = await gateway.recycled(token, root(cloud))
    assert (item.path, item.kind, item.size, item.deleted) == ("work/a.md", FILE, 3, clock.now)
    with pytest.raises(NotFound):
        await gateway.restore(token, root(cloud), item.key, at(cloud, "none/a.md"))
    await gateway.restore(token, root(cloud), item.key, at(cloud, "b.md"))
    assert (await gateway.stat(token, at(cloud, "b.md"))).id == file.id
    await gateway.delete(token, at(cloud, "b.md"))
    await gateway.purge(token, root(cloud), item.key)
    with pytest.raises(NotFound):
        await gateway.purge(token, root(cloud), item.key)


async def test_metadata_of_others_stays(cloud: CloudGateway, gateway: Gateway) -> None:
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    cloud.cloud.at("ann", "work/a.md").metadata["others"] = "theirs"
    await gateway.set_metadata(token, ref, {"collab.tags": "x"})
    assert (await gateway.stat(token, ref)).metadata == {"others": "theirs", "collab.tags": "x"}
    assert (await gateway.stat(token, ref, keys=("collab.tags",))).metadata == {"collab.tags": "x"}
    await gateway.unset_metadata(token, ref, ["collab.tags"])
    assert (await gateway.stat(token, ref)).metadata == {"others": "theirs"}


# How a server is


async def test_a_server_that_was_away_is_there_again_by_the_same_channel(cloud: CloudGateway, gateway: Gateway) -> None:
    """CS3-4."""
    file = await stat(cloud, gateway)
    await cloud.stop()
    with pytest.raises(Unavailable):
        await stat(cloud, gateway)
    await cloud.start()
    async with asyncio.timeout(60):
        while True:
            try:
                assert await stat(cloud, gateway) == file
                break
            except Unavailable:
                await asyncio.sleep(0.02)


async def test_a_server_that_answers_slowly_is_connected_to(cloud: CloudGateway, tmp_path: Path) -> None:
    """CS3-4."""
    line = Line(cloud.target, str(tmp_path / "line"))
    line.late = 0.5
    await line.open()
    try:
        async with Gateway(f"unix:{line.path}") as gateway:
            assert await gateway.applications() == []
    finally:
        await line.close()


async def test_a_call_that_takes_too_long_is_given_up(cloud: CloudGateway) -> None:
    """CS3-4."""
    cloud.moods.holds["Stat"] = asyncio.Event()
    async with Gateway(cloud.target, timeout=0.1) as gateway:
        with pytest.raises(Unavailable, match="in time"):
            await stat(cloud, gateway)
    cloud.moods.holds.pop("Stat").set()


async def test_a_call_that_the_server_does_not_have_is_asked_for_again_only_later(
    cloud: CloudGateway, gateway: Gateway, clock: Clock
) -> None:
    """CS3-5."""
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    cloud.moods.lacks.add("SetLock")
    for _ in range(3):
        with pytest.raises(Unsupported):
            await gateway.lock(token, ref, OURS)
    assert gateway.lacks("SetLock")
    cloud.moods.lacks.clear()
    clock.now += 601.0
    await gateway.lock(token, ref, OURS)
    cloud.moods.refuses["Unlock"] = "UNIMPLEMENTED"
    with pytest.raises(Unsupported):
        await gateway.unlock(token, ref, OURS)
    assert gateway.lacks("Unlock")


async def test_no_token_is_in_an_error(cloud: CloudGateway, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """CS3-6."""
    caplog.set_level("DEBUG")
    token = cloud.cloud.token("ann", lifetime=-1.0)
    with pytest.raises(Unauthorized) as caught:
        await gateway.stat(token, at(cloud, "work/a.md"))
    assert token not in str(caught.value)
    await stat(cloud, gateway)
    assert not any(known and known in caplog.text for known in cloud.tokens)


@pytest.mark.parametrize("call", ["Stat", "GetLock", "RefreshLock", "Move"])
async def test_what_is_refused_without_a_known_reason_is_tried_again(cloud: CloudGateway, gateway: Gateway, call: str) -> None:
    token, ref = cloud.cloud.token("ann"), at(cloud, "work/a.md")
    cloud.moods.refuses[call] = "INTERNAL"
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "Stat": lambda: gateway.stat(token, ref),
        "GetLock": lambda: gateway.locked(token, ref),
        "RefreshLock": lambda: gateway.refresh_lock(token, ref, OURS),
        "Move": lambda: gateway.move(token, ref, at(cloud, "b.md")),
    }
    with pytest.raises(Unavailable, match="server's words"):
        await acts[call]()


async def test_a_name_that_is_none_for_the_server_is_malformed(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.moods.refuses["Stat"] = "INVALID_ARGUMENT"
    with pytest.raises(Malformed):
        await stat(cloud, gateway)


def certificate() -> tuple[bytes, bytes]:
    """A key, and a certificate for 127.0.0.1 that it signed itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), made.public_bytes(pem)


async def test_a_gateway_with_tls_is_spoken_to_when_its_certificate_is_trusted(
    cloud: CloudGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate()
    trusted = tmp_path / "trusted.pem"
    async with CloudGateway(cloud.cloud, tls=tls) as server:
        for certificates, good in ((certificate()[1], False), (tls[1], True)):
            trusted.write_bytes(certificates)
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            async with Gateway(server.target, tls=True, timeout=60.0) as gateway:
                if good:
                    assert (await gateway.authenticate("basic", "ann", "pw")).user.username == "ann"
                else:
                    with pytest.raises(Unavailable):
                        await gateway.authenticate("basic", "ann", "pw")
