"""Each operation of an office suite on files, against a real server: the rows of the WOPI specification, without Microsoft's validator."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import time
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asking
import pytest
from measured import peak
from office import BEN, Office, id_of, opened, sealed, told
from scale import scale
from serving import Served, serving, shared_server, until
from serving import server as own_server
from suites import Flavour, fake_suite

from collab.access import Grant, Role, sign
from collab.wopi.addresses import key_of
from collab.wopi.locks import LONGEST
from collab.wopi.names import to_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

__all__ = ["own_server", "shared_server"]

PRODUCTS: tuple[Flavour, ...] = ("collabora", "onlyoffice", "microsoft")
JSON_LOCK = '{"S":"0136ad16-9725-43c3-9ea0-5e01d2dbc162","E":2,"M":"DE997C5AC4E6"}'


@pytest.fixture
def server(shared_server: Served) -> Served:
    return shared_server


@pytest.fixture
def office(server: Served, request: pytest.FixtureRequest) -> Office:
    """Ann's session with a file of the test's own, which holds `stored`."""
    return opened(server, f"own/{sha256(request.node.name.encode()).hexdigest()[:16]}.docx")


@pytest.fixture(scope="session")
def suited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a suite of each product, none of which signs."""
    with ExitStack() as stack:
        suites = [stack.enter_context(fake_suite(name, signs=False)) for name in PRODUCTS]
        told = " ".join(f"{name}={suite.url}" for name, suite in zip(PRODUCTS, suites, strict=True))
        server = stack.enter_context(serving(tmp_path_factory.mktemp("suited"), COLLAB_WOPI_DISCOVERY=told))
        yield server


def mismatch(answer: httpx.Response, held: str) -> None:
    """409 with the lock that stands, words, and a body that programs can read."""
    assert told(answer, 409)["detail"]
    assert answer.headers["X-WOPI-Lock"] == held
    assert answer.headers["X-WOPI-LockFailureReason"]


def seen(server: Served, folder: str) -> list[Path]:
    """The files of a folder that people see."""
    return [path for path in (server.root / folder).iterdir() if not path.name.startswith(".")]


def version(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.headers["X-WOPI-ItemVersion"])


# --- tokens


@pytest.mark.parametrize("token", ["", "INVALID", "a.b.c", "é", "x" * 10_000])
def test_what_is_no_token_is_401(server: Served, office: Office, token: str) -> None:
    """WOPI-11."""
    office = Office(server, office.granted, token)
    for answer in (office.ask("GET"), office.get(), office.put(b"x", "l"), office.lock("l"), office.post("NONSENSE")):
        assert told(answer, 401)["reason"] == "unauthorized"
        assert token not in answer.text or not token


def test_a_token_that_is_over_or_forged_is_401(server: Served, office: Office) -> None:
    """WOPI-11."""
    head, _, signature = office.token.rpartition(".")
    forged = Office(server, office.granted, head + "." + signature[::-1])
    for each in (office.of(expires=time.time() - 1), forged):
        assert told(each.ask("GET"), 401)["detail"]


def test_a_token_of_the_interface_is_no_token_of_a_suite_and_a_suite_s_none_of_the_interface(server: Served, office: Office) -> None:
    """WOPI-11."""
    assert Office(server, office.granted, server.token()).ask("GET").status_code == 401
    answer = asking.get(f"{server.url}/api/session", headers={"Authorization": f"Bearer {office.token}"})
    assert answer.status_code == 401


def test_a_token_for_another_file_is_404(server: Served) -> None:
    """WOPI-11."""
    other = opened(server, "tokens/b.docx", b"secret")
    office = opened(server, "tokens/a.docx")
    swapped = Office(server, other.granted, office.token)
    for answer in (swapped.ask("GET"), swapped.get(), swapped.put(b"x", "l"), swapped.lock("l"), swapped.post("DELETE")):
        assert told(answer, 404)["reason"] == "not-found"
    assert other.get().content == b"secret"


def test_a_token_for_a_file_that_is_not_there_is_404(office: Office) -> None:
    gone = office.of(target="id:" + "z" * 26)
    for answer in (gone.ask("GET"), gone.get(), gone.put(b"x", "l"), gone.lock("l")):
        assert answer.status_code == 404


def test_a_token_comes_in_the_address_or_in_a_header(office: Office) -> None:
    assert asking.get(office.src, headers={"Authorization": f"Bearer {office.token}"}).json()["Version"] == office.info()["Version"]
    assert asking.get(office.src).status_code == 401


def test_a_session_that_was_signed_out_has_no_tokens_any_more(tmp_path: Path) -> None:
    """WOPI-11."""
    with serving(tmp_path) as server:
        office = opened(server, "a.docx", session="5e55")
        assert office.ask("GET").status_code == 200
        cookie = sign(Grant(BEN, Role.EDITOR, expires=time.time() + 60, id="5e55"), server.secret(), now=time.time(), use="session")
        jar = {f"collab_{server.port}": cookie}
        asking.delete(f"{server.url}/api/session", cookies=jar, headers={"Origin": server.url}).raise_for_status()
        assert told(office.ask("GET"), 401)["detail"].startswith("the session")


def test_a_host_that_is_not_this_server_is_refused(office: Office) -> None:
    assert office.ask("GET", Host="evil.example").status_code == 421


def test_no_token_is_in_the_log(tmp_path: Path) -> None:
    with serving(tmp_path, COLLAB_LOG_LEVEL="debug", COLLAB_AUDIT="-") as server:
        office = opened(server, "a.docx")
        address = office.info()["FileUrl"]
        for answer in (office.get(), office.put(b"x"), office.lock("l"), asking.get(address), office.of(expires=1.0).get()):
            assert answer.status_code
        log = server.log.read_text()
        assert office.granted.target in log
        assert office.token not in log
        assert office.token.rpartition(".")[2] not in log
        assert address.rpartition(".")[2] not in log


# --- CheckFileInfo


def test_check_file_info_tells_what_the_specification_requires(server: Served) -> None:
    """WOPI-12."""
    body = b"\0binary" * 100
    info = opened(server, "info/Größe 1.docx", body).info()
    assert (info["BaseFileName"], info["FileExtension"], info["Size"]) == ("Größe 1.docx", ".docx", len(body))
    assert type(info["Size"]) is int
    assert all(isinstance(info[name], str) and info[name] for name in ("OwnerId", "UserId", "Version", "UserFriendlyName"))
    assert info["UserId"].isalnum()
    assert info["OwnerId"].isalnum()
    assert "ann" not in info["UserId"]
    for name in ("UserCanWrite", "UserCanRename", "SupportsLocks", "SupportsGetLock", "SupportsExtendedLockLength", "SupportsUpdate"):
        assert info[name] is True
    for name in ("SupportsRename", "SupportsDeleteFile", "SupportsUserInfo", "SupportsAddActivities", "LicenseCheckForEditIsEnabled"):
        assert info[name] is True
    assert (info["ReadOnly"], info["UserCanNotWriteRelative"], info["IsEduUser"]) == (False, False, False)
    assert info["SHA256"] == base64.b64encode(sha256(body).digest()).decode()
    assert info["SupportedShareUrlTypes"] == ["ReadOnly", "ReadWrite"]


def test_every_address_in_it_is_absolute_and_this_server_s(server: Served, office: Office) -> None:
    """WOPI-13."""
    info = office.info()
    addresses = {name: value for name, value in info.items() if name.endswith(("Url", "Origin"))}
    assert {"HostEditUrl", "HostViewUrl", "CloseUrl", "DownloadUrl", "FileUrl", "PostMessageOrigin"} <= set(addresses)
    assert {f"{urlsplit(value).scheme}://{urlsplit(value).netloc}" for value in addresses.values()} == {server.url}
    answer = asking.get(info["DownloadUrl"], headers={"Authorization": f"Bearer {server.token()}"})
    assert answer.content == b"stored"


def test_a_person_is_the_same_in_every_file_and_another_one_is_not(server: Served, office: Office) -> None:
    one, other = office, opened(server, "people.docx")
    assert one.info()["UserId"] == other.info()["UserId"] != one.of(BEN).info()["UserId"]
    assert one.info()["OwnerId"] == other.of(BEN).info()["OwnerId"]


def test_a_viewer_is_told_that_nothing_can_be_changed(server: Served) -> None:
    info = opened(server, "viewer.docx", role=Role.VIEWER).info()
    assert (info["UserCanWrite"], info["ReadOnly"], info["UserCanRename"], info["UserCanNotWriteRelative"]) == (False, True, False, True)
    assert "HostEditUrl" not in info


def test_a_token_for_one_document_makes_no_others(server: Served) -> None:
    """WOPI-11."""
    office = opened(server, "scope/one.docx")
    for bound in (office.of(scope=office.granted.target), office.of(relative=False)):
        assert bound.info()["UserCanNotWriteRelative"] is True
        assert told(bound.relative(suggested=".odt"), 501)["reason"] == "not-offered"
    assert office.of(scope=office.granted.target).info()["SupportsContainers"] is False
    assert [path.name for path in (server.root / "scope").iterdir()] == ["one.docx"]


def _tells(office: Office, name: str) -> bool:
    return name in office.info()


async def test_each_product_is_told_what_it_understands(suited: Served) -> None:
    """WOPI-12."""
    office = opened(suited, "info/product.docx")
    own = {"collabora": "EnableOwnerTermination", "onlyoffice": "UserCanReview", "microsoft": "FileUrl"}
    for name, known in own.items():
        # The suites are asked when the server begins.
        await until(partial(_tells, office.of(suite=name), known))
        assert {each for each in own.values() if each in office.of(suite=name).info()} == {known}
    assert office.of(suite="none").ask("GET").status_code == 401


async def test_collabora_overwrites_when_its_user_chose_to_and_says_so_by_sending_no_time(suited: Served) -> None:
    """WOPI-9."""
    office = opened(suited, "outside/chosen.docx", suite="collabora")
    await until(lambda: "EnableOwnerTermination" in office.info())
    known = office.info()["LastModifiedTime"]
    office.lock("l")
    (suited.root / "outside" / "chosen.docx").write_bytes(b"from outside")
    assert told(office.put(b"from the suite", "l", known), 409)["COOLStatusCode"] == 1010
    assert office.put(b"from the suite", "l").status_code == 200
    assert office.get().content == b"from the suite"


# --- locks


def test_a_lock_is_taken_told_refreshed_changed_and_freed(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "locks/all.docx")
    before = office.info()["Version"]
    assert office.held() == ""
    steps = [
        (office.lock("one"), "one"),
        (office.lock("one"), "one"),
        (office.lock("one", "REFRESH_LOCK"), "one"),
        (office.lock(JSON_LOCK, old="one"), JSON_LOCK),
        (office.lock(JSON_LOCK, "UNLOCK"), None),
    ]
    assert {version(answer) for answer, _ in steps} == {before}
    assert office.held() == ""
    assert office.lock("l" * LONGEST).status_code == 200
    assert office.held() == "l" * LONGEST
    assert office.info()["Version"] == before


def test_whoever_has_another_lock_is_told_which_one_stands(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "locks/other.docx")
    office.lock("one")
    for answer in (
        office.lock("two"),
        office.lock("two", "REFRESH_LOCK"),
        office.lock("two", "UNLOCK"),
        office.lock("three", old="two"),
        office.put(b"new", "two"),
        office.put(b"new"),
        office.post("RENAME_FILE", X_WOPI_RequestedName="new", X_WOPI_Lock="two"),
        office.post("DELETE"),
    ):
        mismatch(answer, "one")
    assert office.held() == "one"
    assert office.get().content == b"stored"


def test_what_needs_a_lock_says_that_there_is_none(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "locks/free.docx")
    for answer in (office.lock("l", "UNLOCK"), office.lock("l", "REFRESH_LOCK"), office.lock("new", old="l"), office.put(b"new", "l")):
        mismatch(answer, "")


@pytest.mark.parametrize("lock", ["", "l" * (LONGEST + 1)])
@pytest.mark.parametrize("override", ["LOCK", "UNLOCK", "REFRESH_LOCK"])
def test_what_is_no_id_of_a_lock_is_400(server: Served, override: str, lock: str) -> None:
    """WOPI-2."""
    office = opened(server, "locks/length.docx") if "locks/length.docx" not in server.writers else opened(server, "locks/length.docx", None)
    assert told(office.lock(lock, override), 400)["reason"] == "malformed"
    assert office.held() == ""


def test_an_id_of_a_lock_that_is_not_ascii_is_400(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "locks/ascii.docx")
    headers = [(b"X-WOPI-Override", b"LOCK"), (b"X-WOPI-Lock", "é".encode())]
    assert asking.post(office.src, params={"access_token": office.token}, headers=headers).status_code == 400


def test_an_empty_header_is_none(server: Served) -> None:
    """WOPI-2: with an empty old lock it is Lock, and not UnlockAndRelock."""
    office = opened(server, "locks/empty.docx")
    assert office.lock("one", old="").status_code == 200
    assert office.held() == "one"


def test_another_user_of_the_suite_shares_the_lock_and_another_suite_is_told_who_has_it(suited: Served) -> None:
    """WOPI-2."""
    office = opened(suited, "locks/shared.docx", suite="collabora")
    office.lock("one")
    ben = office.of(BEN)
    assert ben.lock("one").status_code == 200
    assert ben.put(b"by Ben", "one").status_code == 200
    answer = office.of(BEN, suite="onlyoffice").lock("two")
    mismatch(answer, "one")
    assert answer.headers["X-WOPI-LockFailureReason"] == "the document is open in collabora (Ben ?)"
    assert answer.json()["detail"] == "the document is open in collabora (Ben ✍)"


def test_a_session_that_only_reads_is_answered_and_locks_nothing(server: Served) -> None:
    """WOPI-2: ONLYOFFICE sends locks in such sessions too."""
    office = opened(server, "locks/reading.docx")
    viewer = office.of(BEN, role=Role.VIEWER)
    for override in ("LOCK", "REFRESH_LOCK", "UNLOCK"):
        assert viewer.lock("theirs", override).status_code == 200
        assert office.held() == ""
    office.lock("mine")
    assert viewer.lock("mine", "UNLOCK").status_code == 200
    assert office.held() == "mine"


def test_a_file_that_became_read_only_is_not_locked_anew_and_can_be_unlocked(server: Served) -> None:
    office = opened(server, "locks/mode.docx")
    office.lock("one")
    (server.root / "locks" / "mode.docx").chmod(0o444)
    assert office.info()["UserCanWrite"] is False
    assert office.lock("one", "UNLOCK").status_code == 200
    assert office.lock("two").status_code == 200
    assert office.held() == ""


def test_locks_and_versions_survive_a_server_that_is_killed(own_server: Served) -> None:
    """WOPI-2, WOPI-8."""
    office = opened(own_server, "a.docx")
    office.lock("one")
    put = office.put(b"new", "one")
    own_server.kill()
    own_server.start()
    assert (office.held(), office.info()["Version"], office.get().content) == ("one", version(put), b"new")
    assert office.info()["LastModifiedTime"] == put.json()["LastModifiedTime"]
    mismatch(office.lock("two"), "one")


# --- GetFile


@pytest.mark.parametrize("body", [b"", b"\0\xff" * 1000, "Größe 😀\r\n".encode(), b"\xef\xbb\xbfwith a mark\r\n", b"x" * 3_000_000])
@pytest.mark.parametrize("name", ["docx", "md"])
def test_a_suite_gets_the_exact_bytes(server: Served, name: str, body: bytes) -> None:
    path = f"get/{sha256(body).hexdigest()[:8]}.{name}"
    office = opened(server, path, body)
    answer = office.get()
    assert (answer.content, version(answer)) == (body, office.info()["Version"])
    assert answer.headers["Content-Length"] == str(len(body))


def test_head_tells_what_get_would_without_the_bytes(server: Served) -> None:
    office = opened(server, "get/head.docx")
    answer = office.ask("HEAD", "/contents")
    assert (answer.content, answer.headers["Content-Length"], version(answer)) == (b"", "6", office.info()["Version"])


def test_a_file_over_the_size_that_the_suite_takes_is_412(server: Served) -> None:
    office = opened(server, "get/large.docx")
    for most, status in ((5, 412), (6, 200), (2**31 - 1, 200)):
        assert office.ask("GET", "/contents", X_WOPI_MaxExpectedSize=str(most)).status_code == status
    assert office.ask("GET", "/contents", X_WOPI_MaxExpectedSize="").status_code == 200


# --- PutFile


def test_a_suite_with_the_lock_puts_a_body_and_is_told_version_and_time(server: Served) -> None:
    """WOPI-8."""
    office = opened(server, "put/one.docx")
    versions, times = [office.info()["Version"]], [office.info()["LastModifiedTime"]]
    office.lock("l")
    for body in (b"one", b"two", b"two", b"", b"one"):
        put = office.put(body, "l")
        info = office.info()
        assert (version(put), put.json()["LastModifiedTime"]) == (info["Version"], info["LastModifiedTime"])
        assert version(office.get()) == info["Version"]
        assert office.get().content == body == (server.root / "put" / "one.docx").read_bytes()
        versions.append(info["Version"])
        times.append(info["LastModifiedTime"])
    assert len(set(versions)) == len(versions)
    assert times == sorted(set(times))
    assert all("." in each for each in times)


def test_without_a_lock_only_an_empty_file_takes_a_body(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "put/empty.docx", b"")
    assert office.put(b"first").status_code == 200
    mismatch(office.put(b"second"), "")
    mismatch(office.put(b""), "")
    assert office.get().content == b"first"


def test_what_counts_is_whether_the_stored_file_is_empty_not_the_request(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "put/emptied.docx")
    mismatch(office.put(b""), "")
    office.lock("l")
    assert office.put(b"", "l").status_code == 200
    office.lock("l", "UNLOCK")
    assert office.put(b"new").status_code == 200


def test_a_body_that_is_refused_is_beside_the_file(server: Served) -> None:
    """WOPI-1, WOPI-2."""
    office = opened(server, "refused/one.docx")
    office.lock("one")
    mismatch(office.put(b"words of somebody", "two"), "one")
    kept = [path for path in seen(server, "refused") if path.name != "one.docx"]
    assert [path.read_bytes() for path in kept] == [b"words of somebody"]


def test_who_only_reads_puts_nothing(server: Served) -> None:
    """WOPI-11."""
    office = opened(server, "viewing/one.docx", b"", role=Role.VIEWER)
    for answer in (office.put(b"x", "l"), office.post("RENAME_FILE", X_WOPI_RequestedName="n"), office.post("DELETE")):
        assert answer.status_code == 404
    assert office.relative(suggested=".odt").status_code == 501
    assert [path.name for path in (server.root / "viewing").iterdir()] == ["one.docx"]


def test_a_body_over_the_limit_is_413(tmp_path: Path) -> None:
    with serving(tmp_path, COLLAB_UPLOAD_LIMIT="1KiB") as server:
        office = opened(server, "a.docx", b"")
        assert told(office.put(b"x" * 1025), 413)["detail"]
        assert office.put(b"x" * 1024).status_code == 200


def test_an_operation_that_there_is_not_is_501(office: Office) -> None:
    for override in ("NONSENSE", "", "lock", "GET_NEW_ACCESS_TOKEN", "PUT"):
        assert told(office.post(override), 501)["reason"] == "not-offered"
    assert office.ask("POST", "/contents", b"x", X_WOPI_Override="LOCK").status_code == 501
    assert office.ask("POST", "/contents", b"x").status_code == 501
    assert office.ask("PUT", "/contents", b"x").status_code == 405


def test_a_client_that_waits_for_100_continue_is_told_to_go_on_and_one_without_a_token_is_not(server: Served) -> None:
    office = opened(server, "put/expect.docx", b"")
    for token, lines in ((office.token, [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]), ("none", [b"HTTP/1.1 401 Unauthorized\r\n"])):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.putrequest("POST", f"{urlsplit(office.src).path}/contents?access_token={token}")
        for name, value in (("Content-Length", "3"), ("Expect", "100-continue"), ("X-WOPI-Override", "PUT")):
            connection.putheader(name, value)
        connection.endheaders()
        with connection.sock.makefile("rb") as answer:
            assert [answer.readline() for _ in lines] == lines
            if token != "none":
                connection.send(b"new")
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        connection.close()
    assert office.get().content == b"new"


# --- a file that somebody else changes


def test_a_body_from_outside_is_new_to_suites_when_nobody_has_it_locked(server: Served) -> None:
    """WOPI-8."""
    office = opened(server, "outside/free.docx")
    before = office.info()
    (server.root / "outside" / "free.docx").write_bytes(b"from outside")
    after = office.info()
    assert (after["Version"] != before["Version"], after["Size"]) == (True, 12)
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    office.lock("l")
    assert office.put(b"new", "l", after["LastModifiedTime"]).status_code == 200


def test_a_body_from_outside_under_a_lock_is_never_replaced_whoever_looks_meanwhile(server: Served) -> None:
    """WOPI-1, WOPI-9."""
    office = opened(server, "outside/locked.docx")
    known = office.info()
    office.lock("l")
    assert office.get().content == b"stored"
    (server.root / "outside" / "locked.docx").write_bytes(b"from outside")
    viewer = office.of(BEN, role=Role.VIEWER)
    for _ in range(2):
        assert viewer.info()["Version"] == version(viewer.get()) != known["Version"]
    # What it says that it has read, counts, and not what others read.
    for timestamp in (known["LastModifiedTime"], None):
        answer = office.put(b"from the suite", "l", timestamp)
        assert told(answer, 409)["COOLStatusCode"] == 1010
        assert answer.headers["X-WOPI-Lock"] == "l"
    assert office.get().content == b"from outside"
    assert b"from the suite" in {path.read_bytes() for path in (server.root / "outside").iterdir() if path.is_file()}
    # When everybody has left, it can be opened anew.
    office.lock("l", "UNLOCK")
    office.info()
    office.lock("l2")
    assert office.put(b"after both", "l2").status_code == 200


def test_what_happens_outside_between_two_bodies_of_a_suite_is_seen(server: Served) -> None:
    """WOPI-1, WOPI-6, WOPI-9: a body that follows another one has no look before it."""
    office = opened(server, "between/one.docx")
    file, lock = server.root / "between" / "one.docx", server.root / "between" / ".~lock.one.docx#"

    def beside() -> set[bytes]:
        return {path.read_bytes() for path in file.parent.iterdir() if path.is_file()}

    office.lock("l")
    assert office.put(b"one", "l").status_code == 200
    stamp = office.put(b"two", "l").json()["LastModifiedTime"]
    ours = lock.read_bytes()
    lock.write_bytes(b"Bob,bob,host,29.11.2026 14:05,file:///home/bob;")
    mismatch(office.put(b"while Bob has it", "l", stamp), "l")
    assert beside() >= {b"two", b"while Bob has it"}
    lock.write_bytes(ours)
    assert office.put(b"three", "l", stamp).status_code == 200
    file.write_bytes(b"from outside")
    assert told(office.put(b"after it", "l"), 409)["COOLStatusCode"] == 1010
    assert file.read_bytes() == b"from outside"
    assert b"after it" in beside()
    assert office.put(b"read it", "l", office.info()["LastModifiedTime"]).status_code == 200
    assert office.put(b"and on", "l").status_code == 200
    file.rename(file.with_name("moved.docx"))
    assert office.put(b"after the move", "l").status_code in {200, 404}
    file.with_name("moved.docx").rename(file)
    assert office.put(b"last", "l").status_code == 200
    assert file.read_bytes() == b"last"


def test_collabora_s_time_stamp_of_another_body_is_1010_and_its_own_is_not(server: Served) -> None:
    """WOPI-9."""
    office = opened(server, "outside/stamp.docx")
    first = office.info()["LastModifiedTime"]
    office.lock("l")
    second = told(office.put(b"one", "l", first), 200)["LastModifiedTime"]
    third = told(office.put(b"two", "l", second), 200)["LastModifiedTime"]
    answer = office.put(b"three", "l", "2020-01-01T00:00:00.000000Z")
    assert (answer.status_code, answer.json()["COOLStatusCode"], answer.json()["LOOLStatusCode"]) == (409, 1010, 1010)
    assert office.put(b"three", "l", first).status_code == 409
    assert office.get().content == b"two"
    old = office.ask("POST", "/contents", b"x", **{"X-WOPI-Override": "PUT", "X-WOPI-Lock": "l", "X-LOOL-WOPI-Timestamp": first})
    assert old.status_code == 409
    assert office.put(b"three", "l", third).status_code == 200


def test_a_suite_that_was_not_answered_puts_again_with_what_it_knows(server: Served) -> None:
    """WOPI-9."""
    office = opened(server, "outside/again.docx")
    known = office.info()["LastModifiedTime"]
    office.lock("l")
    # Nobody reads the first answer.
    office.put(b"one", "l", known)
    assert office.put(b"one", "l", known).status_code == 200
    office.put(b"two", "l", office.info()["LastModifiedTime"])
    office.lock("l", "UNLOCK")


def test_of_many_bodies_at_once_each_is_taken_whole_and_one_is_last(server: Served) -> None:
    """WOPI-9."""
    office = opened(server, "outside/many.docx")
    office.lock("l")
    bodies = [b"%d" % number * 50_000 for number in range(8)]

    async def all_at_once() -> list[httpx.Response]:
        return await asyncio.gather(*(asyncio.to_thread(office.put, body, "l") for body in bodies))

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({version(answer) for answer in answers}) == 8
    last = max(answers, key=lambda answer: answer.json()["LastModifiedTime"])
    assert office.get().content == bodies[answers.index(last)]
    assert version(last) == office.info()["Version"]


# --- live documents


def test_what_people_type_while_a_suite_has_a_document_is_no_news_to_it_and_stays(server: Served) -> None:
    """WOPI-8."""
    office = opened(server, "live/one.md", b"one\ntwo\nthree\n")
    known = office.info()
    office.lock("l")
    assert office.get().content == b"one\ntwo\nthree\n"
    typed(server, "live/one.md", b"one\ntwo\nthree\ntyped\n")
    info = office.info()
    assert (info["Version"], info["LastModifiedTime"]) == (known["Version"], known["LastModifiedTime"])
    assert version(office.get()) == known["Version"]
    put = office.put(b"from the suite\none\ntwo\nthree\ntyped\n", "l", known["LastModifiedTime"])
    assert version(put) == office.info()["Version"] != known["Version"]
    assert office.get().content == b"from the suite\none\ntwo\nthree\ntyped\n"
    office.lock("l", "UNLOCK")
    typed(server, "live/one.md", b"and more\n")
    assert office.info()["Version"] != version(put)


def test_bytes_that_are_no_text_are_not_taken_into_a_text_and_are_kept(server: Served) -> None:
    """WOPI-1."""
    office = opened(server, "live/text.md", b"words\n")
    office.lock("l")
    assert told(office.put(b"PK\0\xff", "l"), 409)["reason"] == "not-text"
    assert office.get().content == b"words\n"
    assert b"PK\0\xff" in {path.read_bytes() for path in (server.root / "live").iterdir() if path.is_file()}


def typed(server: Served, name: str, body: bytes) -> None:
    """Somebody in a browser, or a script, makes it the text."""
    address = f"{server.url}/api/documents/{name.replace('/', '%2F')}/content"
    asking.put(address, content=body, headers={"Authorization": f"Bearer {server.token()}", "If-Match": "*"}).raise_for_status()


# --- PutRelativeFile


def reached(answer: httpx.Response) -> dict[str, Any]:
    """What the address that was told gives, as it is."""
    found: dict[str, Any] = asking.get(told(answer, 200)["Url"]).raise_for_status().json()
    return found


def test_an_extension_stands_for_the_stem_of_the_file(server: Served) -> None:
    """WOPI-10."""
    office = opened(server, "relative/report.docx")
    answer = office.relative(b"as odt", suggested=".odt")
    assert told(answer, 200)["Name"] == "report.odt" == reached(answer)["BaseFileName"]
    assert (server.root / "relative" / "report.odt").read_bytes() == b"as odt"
    assert told(office.relative(suggested=".odt"), 200)["Name"] == "report (2).odt"


def test_a_suggested_name_is_changed_until_it_is_free(server: Served) -> None:
    """WOPI-10."""
    office = opened(server, "suggested/a.docx")
    names = [told(office.relative(suggested=to_header("Größe 1_/2.docx")), 200)["Name"] for _ in range(3)]
    assert names == ["Größe 1__2.docx", "Größe 1__2 (2).docx", "Größe 1__2 (3).docx"]
    assert len(list((server.root / "suggested").iterdir())) == 4


def test_a_relative_name_is_exact_or_refused(server: Served) -> None:
    """WOPI-10."""
    office = opened(server, "exact/a.docx")
    answer = office.relative(b"1", relative=to_header("made_up.docx"))
    assert told(answer, 200)["Name"] == "made_up.docx"
    for overwrite in ("", "False", "false"):
        taken = office.relative(b"2", relative=to_header("made_up.docx"), overwrite=overwrite)
        assert told(taken, 409)["reason"] == "exists"
        assert taken.headers["X-WOPI-ValidRelativeTarget"] == to_header("made_up (2).docx")
    assert (server.root / "exact" / "made_up.docx").read_bytes() == b"1"
    before = reached(answer)["Version"]
    over = office.relative(b"3", relative=to_header("made_up.docx"), overwrite="True")
    assert (told(over, 200)["Name"], reached(over)["Version"] != before) == ("made_up.docx", True)
    assert (server.root / "exact" / "made_up.docx").read_bytes() == b"3"
    assert urlsplit(over.json()["Url"]).path == urlsplit(answer.json()["Url"]).path


def test_a_file_that_is_locked_is_not_replaced_by_name(server: Served) -> None:
    """WOPI-2."""
    office = opened(server, "over/a.docx")
    other = opened(server, "over/b.docx", b"b")
    other.lock("theirs")
    mismatch(office.relative(b"new", relative="b.docx", overwrite="True"), "theirs")
    assert other.get().content == b"b"


def test_a_live_document_that_is_replaced_by_name_has_the_new_text(server: Served) -> None:
    office = opened(server, "over/a.md", b"a")
    other = opened(server, "over/c.md", b"words\n")
    assert other.get().content == b"words\n"
    assert office.relative(b"other words\n", relative="c.md", overwrite="true").status_code == 200
    assert other.get().content == b"other words\n"


@pytest.mark.parametrize("name", ["a/b.docx", "..", ".hidden.docx", "n" * 513, "n" * 300, "+AC8-.docx"])
def test_a_relative_name_that_cannot_be_is_400_with_the_reason(server: Served, name: str) -> None:
    """WOPI-10."""
    office = opened(server, "bad/a.docx") if "bad/a.docx" not in server.writers else opened(server, "bad/a.docx", None)
    answer = office.relative(relative=name)
    assert told(answer, 400)["detail"]
    assert answer.headers["X-WOPI-InvalidFileNameError"]
    assert [path.name for path in (server.root / "bad").iterdir()] == ["a.docx"]


def test_a_new_file_has_one_name_only(server: Served) -> None:
    office = opened(server, "both/a.docx")
    assert office.relative(suggested=".odt", relative="b.odt").status_code == 400
    assert office.relative().status_code == 400


def test_a_new_file_is_opened_by_what_was_answered(suited: Served) -> None:
    """WOPI-13."""
    server, office = suited, opened(suited, "answered/a.docx", suite="collabora")
    made = told(office.relative(b"new", suggested="b.docx"), 200)
    token = parse_qs(urlsplit(made["Url"]).query)["access_token"][0]
    theirs = office.of(target=id_of(server, "answered/b.docx"))
    assert made["Url"].partition("?")[0] == theirs.src
    same = Office(server, theirs.granted, token)
    assert same.get().content == b"new"
    assert same.info()["UserId"] == office.info()["UserId"]
    assert made["HostEditUrl"] == f"{server.url}/office/{theirs.granted.target}?suite=collabora&action=edit"
    assert made["HostViewUrl"] == f"{server.url}/office/{theirs.granted.target}?suite=collabora&action=view"
    assert office.ask("GET").status_code == 200
    assert Office(server, office.granted, token).ask("GET").status_code == 404


# --- RenameFile, DeleteFile


def rename(office: Office, name: str, lock: str = "") -> httpx.Response:
    return office.post("RENAME_FILE", X_WOPI_RequestedName=to_header(name), X_WOPI_Lock=lock)


def test_a_rename_leaves_extension_address_and_lock_alone(server: Served) -> None:
    """WOPI-10, WOPI-13."""
    office = opened(server, "rename/a.docx")
    before = office.info()["Version"]
    office.lock("l")
    assert told(rename(office, "Größe_2", "l"), 200) == {"Name": "Größe_2"}
    info = office.info()
    assert (info["BaseFileName"], info["Version"], office.held()) == ("Größe_2.docx", before, "l")
    assert office.put(b"new", "l").status_code == 200
    assert (server.root / "rename" / "Größe_2.docx").read_bytes() == b"new"
    mismatch(rename(office, "other", "wrong"), "l")


def test_a_rename_to_a_name_that_is_taken_gets_another(server: Served) -> None:
    """WOPI-10."""
    office = opened(server, "renames/a.docx")
    opened(server, "renames/b.docx", b"b")
    assert told(rename(office, "b"), 200) == {"Name": "b (2)"}
    assert told(rename(office, "b (2)"), 200) == {"Name": "b (2)"}
    assert (server.root / "renames" / "b.docx").read_bytes() == b"b"


@pytest.mark.parametrize("name", ["a/b", ".hidden", "n" * 513, "n" * 300])
def test_a_rename_to_what_cannot_be_a_name_is_400_with_the_reason(server: Served, name: str) -> None:
    """WOPI-10."""
    path = "rename/bad.docx"
    office = opened(server, path) if path not in server.writers else opened(server, path, None)
    answer = rename(office, name)
    assert (told(answer, 400)["reason"], bool(answer.headers["X-WOPI-InvalidFileNameError"])) == ("malformed", True)
    assert office.info()["BaseFileName"] == "bad.docx"


def test_a_file_that_is_deleted_is_in_the_bin_and_gone_for_suites(server: Served) -> None:
    office = opened(server, "delete/a.docx")
    assert office.post("DELETE").status_code == 200
    assert not (server.root / "delete" / "a.docx").exists()
    for answer in (office.ask("GET"), office.get(), office.lock("l"), rename(office, "new"), office.post("DELETE")):
        assert answer.status_code == 404
    entries = asking.get(f"{server.url}/api/bin", headers={"Authorization": f"Bearer {server.token()}"}).json()["entries"]
    assert [(each["path"], each["by"]) for each in entries if each["path"] == "delete/a.docx"] == [("delete/a.docx", "Ann")]


def test_a_body_for_a_document_that_was_deleted_meanwhile_is_kept_where_it_was(server: Served) -> None:
    """WOPI-1."""
    office = opened(server, "deleted/a.docx")
    office.lock("l")
    address = f"{server.url}/api/documents/{office.granted.target}"
    asking.delete(address, headers={"Authorization": f"Bearer {server.token()}", "If-Match": "*"}).raise_for_status()
    assert office.put(b"last words", "l").status_code == 404
    assert [path.read_bytes() for path in seen(server, "deleted")] == [b"last words"]


# --- the rest


def test_what_a_suite_keeps_about_a_user_comes_back_for_that_user(server: Served) -> None:
    office = opened(server, "info/user.docx")
    assert office.of(BEN).post("PUT_USER_INFO", b"x" * 1024).status_code == 200
    assert office.post("PUT_USER_INFO", b"Ann's").status_code == 200
    assert (office.info()["UserInfo"], office.of(BEN).info()["UserInfo"]) == ("Ann's", "x" * 1024)
    for body in (b"x" * 1025, "é".encode(), b"x" * 100_000):
        assert office.post("PUT_USER_INFO", body).status_code in {400, 413}
    assert office.info()["UserInfo"] == "Ann's"


def test_an_erased_person_is_nobody_to_suites_either(own_server: Served) -> None:
    office = opened(own_server, "a.docx")
    office.post("PUT_USER_INFO", b"about Ann")
    erased = own_server.run("erase", "Ann")
    assert (erased.returncode, office.info()["UserInfo"]) == (0, ""), erased.stderr


def test_an_address_to_share_leads_to_the_page_and_another_type_is_501(server: Served) -> None:
    office = opened(server, "share/a.docx")
    for kind, action in (("ReadOnly", "view"), ("ReadWrite", "edit")):
        address = told(office.post("GET_SHARE_URL", X_WOPI_UrlType=kind), 200)["ShareUrl"]
        assert address == f"{server.url}/office/{office.granted.target}?action={action}"
    for kind in ("UnknownType", ""):
        assert office.post("GET_SHARE_URL", X_WOPI_UrlType=kind).status_code == 501


def test_the_bytes_are_had_without_a_token_for_ten_minutes(server: Served) -> None:
    """WOPI-13."""
    office = opened(server, "url/a.docx")
    address = office.info()["FileUrl"]
    assert urlsplit(address).query == ""
    assert asking.get(address).content == b"stored"
    office.lock("l")
    office.put(b"current", "l")
    rename(office, "renamed", "l")
    assert asking.get(address).content == b"current"
    signed = address.rpartition("/")[2]
    claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    assert claims["exp"] - time.time() <= 601
    assert "name" not in claims or claims["role"] == "viewer"


def test_an_address_of_bytes_opens_nothing_else(server: Served) -> None:
    """WOPI-11."""
    office, other = opened(server, "url/b.docx"), opened(server, "url/c.docx", b"other")
    address = office.info()["FileUrl"]
    signed = address.rpartition("/")[2]
    assert Office(server, office.granted, signed).ask("GET").status_code == 401
    base = address.rpartition("/")[0]
    assert asking.get(f"{base.rpartition('/')[0]}/{key_of(other.granted.target)}/{signed}").status_code == 404
    assert asking.get(f"{base}/{office.token}").status_code == 401
    assert asking.get(f"{base}/{signed[:-4]}AAAA").status_code == 401
    expired = sealed(server, office.of(expires=1.0).granted)
    assert asking.get(f"{base}/{expired}").status_code == 401


def test_each_activity_is_answered_in_its_turn(server: Served) -> None:
    office = opened(server, "activities.docx")
    sent = {"Activities": [{"Type": kind, "Id": f"id {number}"} for number, kind in enumerate(("Comment", "Nonsense", "Comment"))]}
    answers = told(office.post("ADD_ACTIVITIES", json.dumps(sent).encode()), 200)["ActivityResponses"]
    assert [(each["Id"], each["Status"]) for each in answers] == [("id 0", 3), ("id 1", 3), ("id 2", 3)]
    for body in (b"", b"[]", b"{}", b'{"Activities": [1]}', b'{"Activities": [{"Type": "Comment"}]}', b"[" * 100_000):
        assert office.post("ADD_ACTIVITIES", body).status_code == 400


def test_refusals_are_counted(server: Served) -> None:
    office = opened(server, "counted.docx")
    office.lock("one")
    office.lock("two")
    numbers = asking.get(f"{server.url}/metrics").text
    assert 'collab_refusals_total{reason="lock-mismatch"}' in numbers


def test_two_workers_are_one_host(tmp_path: Path) -> None:
    """NODES-7."""
    with serving(tmp_path, COLLAB_WORKERS="2") as server:
        offices = [opened(server, f"{number}.{kind}", b"one\n") for number in range(3) for kind in ("docx", "md")]
        for office in offices:
            address = office.info()["FileUrl"]
            office.lock("l")
            for number in range(8):
                body = b"body %d\n" % number
                put = office.put(body, "l")
                assert version(put) == office.info()["Version"], put.text
                assert office.get().content == body == asking.get(address).content
            bare = asking.get(office.src + "/contents", headers={"Authorization": f"Bearer {office.token}"})
            assert bare.content == body
            mismatch(office.lock("other"), "l")
            assert Office(server, office.granted, "INVALID").get().status_code == 401


def test_a_large_body_is_put_in_flat_memory(tmp_path: Path) -> None:
    """FILE-16: of a gigabyte nobody holds more than a piece, neither on its way in nor when it cannot be taken."""
    size, piece = scale(128, 1024) * 2**20 + 1, bytes(2**20)

    def body(last: bytes) -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece
        yield last

    with serving(tmp_path, COLLAB_UPLOAD_LIMIT=str(2**31)) as server:
        office = opened(server, "huge.docx")
        assert office.lock("mine").status_code == 200
        assert office.put(bytes(2**22), "mine").status_code == 200
        before = peak(server.pid)
        assert office.ask("POST", "/contents", body(b"1"), X_WOPI_Override="PUT", X_WOPI_Lock="mine").status_code == 200
        assert office.ask("POST", "/contents", body(b"2"), X_WOPI_Override="PUT", X_WOPI_Lock="theirs").status_code == 409
        assert peak(server.pid) - before < 16 * 2**20
        stored, kept = sorted(server.root.glob("huge*.docx"), key=lambda path: len(path.name))
        for path, last in ((stored, b"1"), (kept, b"2")):
            assert path.stat().st_size == size
            with path.open("rb") as file:
                assert all(each == piece for each in iter(partial(file.read, len(piece)), b"") if len(each) > 1)
                file.seek(-1, 2)
                assert file.read() == last
