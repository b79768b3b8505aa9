"""Scripts are peers: bodies and edits are merged from what they had read (MERGE-7, HTTP-2, HTTP-4)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from standing import Site, stand

from collab.access import Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

TEXT = "first line\r\nsecond 😀 line\r\nthird line\r\n"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.md").write_bytes(TEXT.encode())
    (root / "b.bin").write_bytes(b"\0\1\2")
    async with stand(tmp_path, limit_text=1000) as site:
        yield site


def at(name: str) -> str:
    return f"/api/documents/{name}/content"


def etag(body: str | bytes) -> str:
    return f'"{sha256(body.encode() if isinstance(body, str) else body).hexdigest()}"'


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["detail"]


async def test_two_scripts_that_read_the_same_are_merged(site: Site) -> None:
    """MERGE-7."""
    async with site.of() as ada:
        read = (await ada.get(at("a.md"))).headers["etag"]
        first = await ada.put(at("a.md"), content=TEXT.replace("first", "FIRST").encode(), headers={"If-Match": read})
        assert (first.status_code, first.headers["x-collab-merged"]) == (200, "false")
        second = await ada.put(at("a.md"), content=TEXT.replace("third", "THIRD").encode(), headers={"If-Match": read})
        assert (second.status_code, second.headers["x-collab-merged"]) == (200, "true")
        both = TEXT.replace("first", "FIRST").replace("third", "THIRD")
        now = await ada.get(at("a.md"))
        assert now.text.encode() == both.encode()
        assert second.headers["etag"] == now.headers["etag"] == etag(both)
        # The answer that was lost: the same again is the same edit.
        again = await ada.put(at("a.md"), content=TEXT.replace("third", "THIRD").encode(), headers={"If-Match": read})
        assert again.status_code == 200
        assert (await ada.get(at("a.md"))).content == both.encode()


async def test_a_state_that_was_never_saved_is_a_base_too(site: Site) -> None:
    """MERGE-7."""
    async with site.of() as ada:
        for word in ("one", "two", "three"):
            now = await ada.get(at("a.md"))
            body = now.content + f"{word}\r\n".encode()
            await ada.put(at("a.md"), content=body, headers={"If-Match": now.headers["etag"]})
        edited = await ada.patch(
            at("a.md"), json={"edits": [{"start": 0, "stop": 0, "text": "# "}]}, headers={"If-Match": now.headers["etag"]}
        )
        assert (edited.status_code, edited.headers["x-collab-merged"]) == (200, "true")
        assert (await ada.get(at("a.md"))).content == f"# {TEXT}one\r\ntwo\r\nthree\r\n".encode()


@pytest.mark.parametrize("unit", ["code-point", "utf-16", "utf-8"])
async def test_edits_count_in_the_unit_that_they_name(site: Site, unit: str) -> None:
    text = TEXT.replace("\r\n", "\n")
    width = {"code-point": 4, "utf-16": 2, "utf-8": 1}[unit]
    code = {"code-point": "utf-32-le", "utf-16": "utf-16-le", "utf-8": "utf-8"}[unit]

    def place(word: str) -> int:
        return len(text[: text.index(word)].encode(code)) // width

    edits = [
        {"start": place("third"), "stop": place("third") + 5, "text": "3rd"},
        {"start": place(" line\nthird"), "stop": place("\nthird"), "text": "\nnew"},
        {"start": 0, "stop": 5, "text": "1st"},
    ]
    async with site.of() as ada:
        answer = await ada.patch(at("a.md"), json={"edits": edits, "unit": unit}, headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert (await ada.get(at("a.md"))).content.decode() == "1st line\r\nsecond 😀\r\nnew\r\n3rd line\r\n"


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([{"start": 0, "stop": 99, "text": ""}], "is not in the text, which ends at"),
        ([{"start": 3, "stop": 2, "text": ""}], "is not in the text"),
        ([{"start": 0, "stop": 4, "text": ""}, {"start": 3, "stop": 5, "text": ""}], "two edits overlap at 3"),
        ([{"start": 1, "stop": 1, "text": "a"}, {"start": 1, "stop": 1, "text": "b"}], "two edits overlap at 1"),
        ([{"start": 0.5, "stop": 1, "text": ""}], "an edit is an object"),
        ([{"start": 0, "stop": True, "text": ""}], "an edit is an object"),
        ([{"start": 0, "stop": 1}], "an edit is an object"),
        ([{"start": 0, "stop": 1, "text": "\0"}], "an edit is an object"),
        ("x", "'edits' must be a list"),
    ],
)
async def test_edits_that_mean_nothing_are_refused_and_change_nothing(site: Site, edits: object, words: str) -> None:
    async with site.of() as ada:
        answer = await ada.patch(at("a.md"), json={"edits": edits}, headers={"If-Match": "*"})
        refused(answer, 400, "malformed")
        assert words in answer.json()["detail"]
        assert (await ada.get(at("a.md"))).content == TEXT.encode()


async def test_a_place_inside_a_character_is_refused(site: Site) -> None:
    async with site.of() as ada:
        inside = TEXT.replace("\r\n", "\n").index("😀") + 1
        answer = await ada.patch(
            at("a.md"), json={"edits": [{"start": inside, "stop": inside, "text": "x"}], "unit": "utf-16"}, headers={"If-Match": "*"}
        )
        refused(answer, 400, "malformed")


async def test_a_change_must_say_what_was_read(site: Site) -> None:
    """HTTP-4."""
    async with site.of() as ada:
        refused(await ada.put(at("a.md"), content=b"x"), 428, "precondition-required")
        refused(await ada.patch(at("a.md"), json={"edits": []}), 428, "precondition-required")
        unknown = {"If-Match": etag("never there")}
        refused(await ada.put(at("a.md"), content=b"x", headers=unknown), 412, "changed")
        refused(await ada.patch(at("a.md"), json={"edits": []}, headers=unknown), 412, "changed")
        refused(await ada.put(at("a.md"), content=b"x", headers={"If-Match": 'W/"1"'}), 412, "changed")
        refused(await ada.put(at("none.md"), content=b"x", headers={"If-Match": "*"}), 404, "not-found")
        refused(await ada.put(at("a.md"), content=b"\xff", headers={"If-Match": "*"}), 415, "not-text")
        refused(await ada.put(at("a.md"), content=b"x" * 2000, headers={"If-Match": "*"}), 413, "too-large")
    assert (site.root / "a.md").read_bytes() == TEXT.encode()
    async with site.of(Role.VIEWER) as vera:
        refused(await vera.put(at("a.md"), content=b"x", headers={"If-Match": "*"}), 403, "forbidden")
        refused(await vera.patch(at("a.md"), json={"edits": []}, headers={"If-Match": "*"}), 403, "forbidden")


async def test_what_is_no_text_is_replaced_when_it_is_what_was_read(site: Site) -> None:
    async with site.of() as ada:
        read = (await ada.get(at("b.bin"))).headers["etag"]
        assert (await ada.put(at("b.bin"), content=b"\0other", headers={"If-Match": read})).status_code == 200
        assert (site.root / "b.bin").read_bytes() == b"\0other"
        refused(await ada.put(at("b.bin"), content=b"\0late", headers={"If-Match": read}), 412, "changed")


@pytest.mark.parametrize(
    ("asked", "status", "said", "body"),
    [
        ("bytes=0-4", 206, "bytes 0-4/42", "first"),
        ("bytes=37-", 206, "bytes 37-41/42", "ine\r\n"),
        ("bytes=-4", 206, "bytes 38-41/42", "ne\r\n"),
        ("bytes=-900", 206, "bytes 0-41/42", TEXT),
        ("bytes=40-900", 206, "bytes 40-41/42", "\r\n"),
        ("bytes=4-2", 200, None, TEXT),
        ("bytes=0-1,3-4", 200, None, TEXT),
        ("lines=1-2", 200, None, TEXT),
        ("bytes=-", 200, None, TEXT),
    ],
)
async def test_a_range_is_answered_as_the_standard_says(site: Site, asked: str, status: int, said: str | None, body: str) -> None:
    """RFC 9110, section 14."""
    assert len(TEXT.encode()) == 42
    async with site.of() as ada:
        answer = await ada.get(at("a.md"), headers={"Range": asked})
        assert (answer.status_code, answer.headers.get("content-range"), answer.content.decode()) == (status, said, body)
        assert answer.headers["accept-ranges"] == "bytes"
        changed = await ada.get(at("a.md"), headers={"Range": asked, "If-Range": etag("other")})
        assert (changed.status_code, changed.content) == (200, TEXT.encode())


async def test_a_range_that_is_not_there_is_refused(site: Site) -> None:
    """RFC 9110, section 15.5.17."""
    async with site.of() as ada:
        answer = await ada.get(at("a.md"), headers={"Range": "bytes=42-"})
        refused(answer, 416, "range-not-satisfiable")
        assert answer.headers["content-range"] == "bytes */42"
