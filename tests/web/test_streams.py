"""Bytes that office suites get and put, in pieces (FILE-15, FILE-16)."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from standing import ADA, NOW, SECRET, Site, stand

from collab.access import Role
from collab.archive.memory import MemoryArchive
from collab.archive.memory_office import MemoryOfficeStates
from collab.runtime.acting import caller
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from collab.ports import OfficeState

LIMIT = 3 * 2**20
BODY = Random(6).randbytes(2 * 2**20 + 7)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.docx").write_bytes(BODY)
    (root / "notes.md").write_bytes(b"words\n")
    async with stand(tmp_path, upload_limit=LIMIT, limit_text=100_000) as site:
        yield site


class Suite:
    """An office suite with one file open."""

    def __init__(self, site: Site, document: str, client: httpx.AsyncClient) -> None:
        self.token = seal(Pass(ADA, Role.EDITOR, document, NOW + 3600), SECRET, now=NOW)
        self.target = f"/wopi/files/{key_of(document)}"
        self.client = client
        self.site = site

    async def operate(self, override: str, path: str = "", body: bytes | AsyncIterator[bytes] = b"", **headers: str) -> httpx.Response:
        given = {"X-WOPI-Override": override, **{f"X-WOPI-{name.replace('_', '-')}": value for name, value in headers.items()}}
        return await self.client.post(self.target + path, params={"access_token": self.token}, content=body, headers=given)

    async def put(self, body: bytes | AsyncIterator[bytes], lock: str = "L") -> httpx.Response:
        return await self.operate("PUT", "/contents", body, Lock=lock)

    async def get(self, **headers: str) -> httpx.Response:
        return await self.client.get(self.target + "/contents", params={"access_token": self.token}, headers=headers)


@pytest.fixture
async def suite(site: Site) -> AsyncIterator[Suite]:
    async with site.client() as client:
        made = Suite(site, (await site.files.stat("a.docx")).id, client)
        assert (await made.operate("LOCK", Lock="L")).status_code == 200
        yield made


def names(site: Site) -> list[str]:
    """All but the note for desktop applications that the file is open."""
    return sorted(path.name for path in site.root.iterdir() if not path.name.startswith(".~lock."))


async def test_the_bytes_come_whole_or_in_part(suite: Suite) -> None:
    whole = await suite.get()
    assert (whole.status_code, whole.content, whole.headers["content-length"]) == (200, BODY, str(len(BODY)))
    part = await suite.get(Range="bytes=1000000-1999999")
    assert (part.status_code, part.content) == (206, BODY[1_000_000:2_000_000])
    assert part.headers["content-range"] == f"bytes 1000000-1999999/{len(BODY)}"
    assert part.headers["x-wopi-itemversion"] == whole.headers["x-wopi-itemversion"]
    head = await suite.client.head(suite.target + "/contents", params={"access_token": suite.token})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(BODY)))


class Asked(MemoryOfficeStates):
    """What suites know, and in whose name it was asked for."""

    def __init__(self, archive: MemoryArchive) -> None:
        super().__init__(archive)
        self.callers: list[str] = []

    async def get(self, document: str) -> OfficeState | None:
        self.callers.append(caller())
        return await super().get(document)


async def test_a_file_is_read_in_the_name_of_the_session_that_the_token_came_from(tmp_path: Path) -> None:
    """With whose rights a cloud is asked."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.docx").write_bytes(BODY)
    archive = MemoryArchive()
    archive.office = asked = Asked(archive)
    async with stand(tmp_path, archive=archive) as site, site.client() as client:
        document = (await site.files.stat("a.docx")).id
        token = seal(Pass(ADA, Role.EDITOR, document, NOW + 3600, session="hers"), SECRET, now=NOW)
        got = await client.get(f"/wopi/files/{key_of(document)}/contents", params={"access_token": token})
        assert (got.status_code, got.content) == (200, BODY)
        assert set(asked.callers) == {"hers"}


async def test_the_short_address_gives_the_same_bytes(suite: Suite) -> None:
    info = (await suite.client.get(suite.target, params={"access_token": suite.token})).json()
    assert (await suite.client.get(info["FileUrl"])).content == BODY


@pytest.mark.parametrize("size", [0, 1000, LIMIT])
async def test_what_a_suite_puts_is_the_file(site: Site, suite: Suite, size: int) -> None:
    body = BODY[:size] if size < len(BODY) else bytes(size)
    put = await suite.put(body)
    assert put.status_code == 200
    assert (site.root / "a.docx").read_bytes() == body
    got = await suite.get()
    assert (got.content, got.headers["x-wopi-itemversion"]) == (body, put.headers["x-wopi-itemversion"])
    assert names(site) == ["a.docx", "notes.md"]


async def test_a_body_over_the_limit_changes_nothing(site: Site, suite: Suite) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // 2**16 + 1):
            yield bytes(2**16)

    for body in (bytes(LIMIT + 1), endless()):
        assert (await suite.put(body)).status_code == 413
    assert (site.root / "a.docx").read_bytes() == BODY
    assert names(site) == ["a.docx", "notes.md"]


async def test_a_suite_that_hangs_up_in_the_middle_changes_nothing(site: Site, suite: Suite) -> None:
    come = iter([{"type": "http.request", "body": BODY[1:], "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(come)

    async def send(message: Any) -> None:
        del message

    request = f"POST {suite.target}/contents?access_token={suite.token}".encode()
    await site.answer(request, receive, send, (b"x-wopi-override", b"PUT"), (b"x-wopi-lock", b"L"))
    assert (site.root / "a.docx").read_bytes() == BODY
    assert names(site) == ["a.docx", "notes.md"]
    assert site.app.metrics.failures["request"] == 0


async def test_of_two_puts_at_once_under_one_lock_both_are_taken_one_after_the_other(site: Site, suite: Suite) -> None:
    bodies = [BODY[number:] for number in range(6)]
    answers = await asyncio.gather(*(suite.put(body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * len(bodies)
    assert len({answer.headers["x-wopi-itemversion"] for answer in answers}) == len(bodies)
    last = max(answers, key=lambda answer: int(answer.headers["x-wopi-itemversion"].split("-")[0]))
    assert (site.root / "a.docx").read_bytes() == bodies[answers.index(last)]
    assert names(site) == ["a.docx", "notes.md"]


async def test_a_large_body_that_is_refused_is_kept_beside_the_file(site: Site, suite: Suite) -> None:
    refused = await suite.put(BODY[1:], lock="another")
    assert (refused.status_code, refused.headers["x-wopi-lock"]) == (409, "L")
    assert (site.root / "a.docx").read_bytes() == BODY
    (copy,) = set(names(site)) - {"a.docx", "notes.md"}
    assert (site.root / copy).read_bytes() == BODY[1:]
    (site.root / "a.docx").write_bytes(b"PK theirs")
    assert (await suite.put(BODY[2:])).status_code == 409
    assert (site.root / "a.docx").read_bytes() == b"PK theirs"
    assert (site.root / copy).read_bytes() == BODY[2:]


async def test_a_text_that_became_too_long_is_kept_beside_it(site: Site) -> None:
    async with site.client() as client:
        suite = Suite(site, (await site.files.stat("notes.md")).id, client)
        assert (await suite.operate("LOCK", Lock="L")).status_code == 200
        assert (await suite.put(b"words and more\n")).status_code == 200
        assert (await suite.put(b"long\n" * 100_000)).status_code == 413
        assert (await suite.get()).content == b"words and more\n"
    (copy,) = (path for path in site.root.iterdir() if "conflict" in path.name)
    assert copy.read_bytes() == b"long\n" * 100_000


@pytest.mark.parametrize("how", [{"SuggestedTarget": "b.docx"}, {"RelativeTarget": "b.docx"}, {"SuggestedTarget": ".docx"}])
async def test_a_new_file_beside_it_has_the_bytes_that_came(site: Site, suite: Suite, how: dict[str, str]) -> None:
    made = await suite.operate("PUT_RELATIVE", "", BODY[3:], **how)
    assert made.status_code == 200
    assert (site.root / made.json()["Name"]).read_bytes() == BODY[3:]
    assert sha256((await suite.client.get(made.json()["Url"].replace("?", "/contents?"))).content).digest() == sha256(BODY[3:]).digest()
    assert len(names(site)) == 3


@pytest.mark.parametrize("name", ["a.docx", "notes.md"])
async def test_a_file_is_overwritten_only_when_that_is_asked_for(site: Site, suite: Suite, name: str) -> None:
    (site.root / "b.docx").write_bytes(b"PK other")
    target = {"a.docx": "b.docx"}.get(name, name)
    body = b"new\n" if target == "notes.md" else BODY[4:]
    before = (site.root / target).read_bytes()
    assert (await suite.operate("PUT_RELATIVE", "", body, RelativeTarget=target)).status_code == 409
    assert (site.root / target).read_bytes() == before
    made = await suite.operate("PUT_RELATIVE", "", body, RelativeTarget=target, OverwriteRelativeTarget="true")
    assert made.status_code == 200
    assert (await suite.client.get(made.json()["Url"].replace("?", "/contents?"))).content == body
