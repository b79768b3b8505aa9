from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from standing import Site, stand

from collab.access import Role
from collab.web.streams import Broken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

NEW = {"If-None-Match": "*"}
LIMIT = 3 * 1024 * 1024


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    (root / "a.md").write_bytes(b"a")
    async with stand(tmp_path, upload_limit=LIMIT, limit_text=1000) as site:
        yield site


def at(name: str) -> str:
    return f"/api/documents/{name.replace('/', '%2F')}/content"


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"\0\xff" * 100, b"x" * 100_000, bytes(range(256)) * (LIMIT // 256)])
async def test_a_file_of_any_kind_is_kept_byte_for_byte(site: Site, body: bytes) -> None:
    """HTTP-12."""
    async with site.of() as ada:
        answer = await ada.put(at("notes/Größe 😀.bin"), content=body, headers=NEW)
        assert answer.status_code == 201
        made = answer.json()
        assert (made["path"], made["size"], made["role"], made["starred"]) == ("notes/Größe 😀.bin", len(body), "editor", False)
        assert (site.root / "notes" / "Größe 😀.bin").read_bytes() == body
        assert answer.headers["location"] == f"/api/documents/{made['id']}"
        assert answer.headers["etag"] == f'"{made["etag"]}"'
        assert (await ada.get(at(made["id"]))).content == body


async def test_a_file_that_is_there_is_never_replaced(site: Site) -> None:
    """HTTP-12."""
    async with site.of() as ada:
        refused(await ada.put(at("a.md"), content=b"other", headers=NEW), 412, "exists")
        refused(await ada.put(at("notes"), content=b"other", headers=NEW), 412, "exists")
        assert (site.root / "a.md").read_bytes() == b"a"


@pytest.mark.parametrize("said", [{}, {"If-None-Match": '"x"'}, {"If-None-Match": ""}])
async def test_an_upload_must_say_that_it_is_new(site: Site, said: dict[str, str]) -> None:
    """HTTP-12."""
    async with site.of() as ada:
        for name in ("a.md", "new.md"):
            refused(await ada.put(at(name), content=b"other", headers=said), 428, "precondition-required")
        assert not (site.root / "new.md").exists()


async def test_a_body_for_what_was_read_makes_no_new_file(site: Site) -> None:
    """HTTP-12."""
    async with site.of() as ada:
        refused(await ada.put(at("new.md"), content=b"other", headers={"If-Match": "*"}), 404, "not-found")
        assert not (site.root / "new.md").exists()


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("none/a.md", 404, "not-found"),
        (".hidden", 400, "malformed"),
        ("../a.md", 400, "malformed"),
        ("id:" + "a" * 26, 400, "malformed"),
        ("n" * 1025, 413, "too-large"),
    ],
)
async def test_a_name_that_cannot_be_is_refused(site: Site, name: str, status: int, reason: str) -> None:
    """FILE-1."""
    async with site.of() as ada:
        refused(await ada.put(at(name), content=b"x", headers=NEW), status, reason)


async def test_who_may_not_write_uploads_nothing(site: Site) -> None:
    """AUTH-1."""
    async with site.client() as nobody, site.of(Role.VIEWER) as viewer, site.of(Role.EDITOR, "b.md") as guest:
        refused(await nobody.put(at("b.md"), content=b"x", headers=NEW), 401, "unauthorized")
        refused(await viewer.put(at("b.md"), content=b"x", headers=NEW), 403, "forbidden")
        refused(await guest.put(at("c.md"), content=b"x", headers=NEW), 403, "forbidden")
        assert (await guest.put(at("b.md"), content=b"x", headers=NEW)).status_code == 201
    assert sorted(path.name for path in site.root.iterdir()) == ["a.md", "b.md", "notes"]


@pytest.mark.parametrize("said", [{"Content-Range": "bytes 0-1/2"}, {"Content-Encoding": "gzip"}])
async def test_what_is_not_the_file_itself_is_refused(site: Site, said: dict[str, str]) -> None:
    async with site.of() as ada:
        assert (await ada.put(at("b.md"), content=b"x", headers={**NEW, **said})).status_code in {400, 415}
    assert not (site.root / "b.md").exists()


async def test_a_file_over_the_limit_is_refused(site: Site) -> None:
    """LIMIT-7."""
    async with site.of() as ada:
        refused(await ada.put(at("b.bin"), content=b"x" * (LIMIT + 1), headers=NEW), 413, "too-large")
        assert (await ada.put(at("b.bin"), content=b"x" * LIMIT, headers=NEW)).status_code == 201


@pytest.mark.parametrize("said", [[(b"content-length", b"%d" % (LIMIT + 1))], []])
async def test_a_body_over_the_limit_is_not_read_on(site: Site, said: list[tuple[bytes, bytes]]) -> None:
    """LIMIT-7."""
    read, status, told = 0, 0, b""

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 2**20, "more_body": True}

    async def send(message: Any) -> None:
        nonlocal status, told
        status, told = message.get("status", status), told + message.get("body", b"")

    await site.answer(b"PUT " + at("b.bin").encode(), receive, send, (b"if-none-match", b"*"), *said)
    assert (status, json.loads(told)["reason"]) == (413, "too-large")
    assert read == (0 if said else 4)
    assert not (site.root / "b.bin").exists()


async def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    """HTTP-12."""
    come = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(come)

    async def send(message: Any) -> None:
        del message

    await site.answer(b"PUT " + at("b.bin").encode(), receive, send, (b"if-none-match", b"*"))
    assert sorted(path.name for path in site.root.iterdir()) == ["a.md", "notes"]
    assert site.app.metrics.failures["request"] == 0


async def test_an_upload_is_audited_as_a_new_document(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """PROC-8."""
    with caplog.at_level("INFO", "collab.audit"):
        async with site.of() as ada:
            made = (await ada.put(at("b.bin"), content=b"x", headers=NEW)).json()
    (line,) = [json.loads(record.getMessage()) for record in caplog.records if record.name == "collab.audit"]
    assert (line["event"], line["document"]) == ("create", {"id": made["id"], "path": "b.bin"})


# What is no text, in pieces

BINARY = bytes(range(256)) * 8000


async def test_a_file_that_is_no_text_is_replaced_only_by_who_has_read_it(site: Site) -> None:
    """HTTP-12, FILE-15."""
    (site.root / "b.bin").write_bytes(BINARY)
    async with site.of() as ada:
        read = await ada.get(at("b.bin"))
        assert read.content == BINARY
        answer = await ada.put(at("b.bin"), content=BINARY[1:], headers={"If-Match": read.headers["etag"]})
        assert (answer.status_code, answer.headers["x-collab-merged"]) == (200, "false")
        assert (site.root / "b.bin").read_bytes() == BINARY[1:]
        refused(await ada.put(at("b.bin"), content=b"\0late", headers={"If-Match": read.headers["etag"]}), 412, "changed")
        assert (await ada.get(at("b.bin"))).headers["etag"] == answer.headers["etag"]
        assert (await ada.put(at("b.bin"), content=b"\0any", headers={"If-Match": "*"})).status_code == 200
    assert sorted(path.name for path in site.root.iterdir()) == ["a.md", "b.bin", "notes"]


async def test_a_change_that_is_too_large_or_breaks_off_changes_nothing(site: Site) -> None:
    """HTTP-12, FILE-16."""
    (site.root / "b.bin").write_bytes(BINARY)
    async with site.of() as ada:
        refused(await ada.put(at("b.bin"), content=b"\0" * (LIMIT + 1), headers={"If-Match": "*"}), 413, "too-large")
    come = iter([{"type": "http.request", "body": BINARY[1:], "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(come)

    async def send(message: Any) -> None:
        del message

    await site.answer(b"PUT " + at("b.bin").encode(), receive, send, (b"if-match", b"*"))
    assert (site.root / "b.bin").read_bytes() == BINARY
    assert sorted(path.name for path in site.root.iterdir()) == ["a.md", "b.bin", "notes"]
    assert site.app.metrics.failures["request"] == 0


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=5-", 5, None), ("bytes=-7", -7, None), ("bytes=300000-1299999", 300_000, 1_300_000)],
)
async def test_a_part_of_a_large_file_is_that_part(site: Site, asked: str, start: int, stop: int | None) -> None:
    """HTTP-12."""
    (site.root / "b.bin").write_bytes(BINARY)
    async with site.of() as ada:
        answer = await ada.get(at("b.bin"), headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, BINARY[start:stop])
        first, size = len(BINARY[:start]), len(BINARY)
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{size}"
        whole = await ada.head(at("b.bin"))
        assert (whole.status_code, whole.headers["content-length"], whole.content) == (200, str(size), b"")
        refused(await ada.get(at("b.bin"), headers={"Range": f"bytes={size}-"}), 416, "range-not-satisfiable")


async def test_a_download_of_a_file_that_somebody_writes_into_breaks_off(site: Site) -> None:
    """FILE-16."""
    path = site.root / "b.bin"
    path.write_bytes(BINARY)
    pieces: list[bytes] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))
        with path.open("r+b") as file:
            file.write(b"theirs")

    with pytest.raises(Broken):
        await site.answer(b"GET " + at("b.bin").encode(), receive, send)
    assert 0 < sum(map(len, pieces)) < len(BINARY)
