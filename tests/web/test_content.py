"""Scripts are peers: bodies and edits are merged from what they had read (MERGE-7, HTTP-2, HTTP-4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import pytest
from notebooks import cell, notebook, sources
from scale import scale
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
        assert second.json()["etag"] == now.headers["etag"].strip('"') == sha256(both.encode()).hexdigest()
        assert first.headers["etag"] == etag(TEXT.replace("first", "FIRST"))
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


async def test_a_script_that_goes_on_from_what_it_sent_takes_nobodys_words_away(site: Site) -> None:
    """MERGE-7: the answer to a merge has no etag (RFC 9110, section 9.3.4); what was sent is what its writer has read."""
    async with site.of() as ada:
        read = (await ada.get(at("a.md"))).headers["etag"]
        await ada.put(at("a.md"), content=TEXT.replace("first", "FIRST").encode(), headers={"If-Match": read})
        mine = TEXT.replace("third", "THIRD")
        merged = await ada.put(at("a.md"), content=mine.encode(), headers={"If-Match": read})
        assert merged.headers["x-collab-merged"] == "true"
        assert "etag" not in merged.headers
        more = mine.replace("second", "SECOND")
        assert (await ada.put(at("a.md"), content=more.encode(), headers={"If-Match": etag(mine)})).status_code == 200
        assert (await ada.get(at("a.md"))).text.encode() == TEXT.replace("first", "FIRST").replace("third", "THIRD").replace(
            "second", "SECOND"
        ).encode()


async def test_what_was_read_before_anybody_opened_it_is_known_when_its_file_was_changed_meanwhile(site: Site) -> None:
    """MERGE-7."""
    async with site.of() as ada:
        read = (await ada.get(at("a.md"))).headers["etag"]
        (site.root / "a.md").write_bytes(TEXT.replace("first", "FIRST").encode())
        answer = await ada.put(at("a.md"), content=TEXT.replace("third", "THIRD").encode(), headers={"If-Match": read})
        assert answer.status_code == 200
        await site.app.rooms.flush([answer.json()["id"]])
        assert (await ada.get(at("a.md"))).content == TEXT.replace("first", "FIRST").replace("third", "THIRD").encode()


async def test_preconditions_and_heads_are_what_the_standard_says(site: Site) -> None:
    """HTTP-4, RFC 9110: sections 9.3.2 and 13."""
    async with site.of() as ada:
        whole = await ada.get(at("a.md"))
        head = await ada.head(at("a.md"), headers={"Range": "bytes=0-1"})
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "42")
        assert head.headers["etag"] == whole.headers["etag"]
        for tags in (whole.headers["etag"], f"W/{whole.headers['etag']}", f'"x", {whole.headers["etag"]}', "*"):
            known = await ada.get(at("a.md"), headers={"If-None-Match": tags, "Range": "bytes=0-1"})
            assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", whole.headers["etag"])
        assert (await ada.get(at("a.md"), headers={"If-None-Match": etag("other")})).status_code == 200
        part = await ada.get(at("a.md"), headers={"Range": "BYTES=0-4", "If-Range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, b"first")
        weak = await ada.get(at("a.md"), headers={"Range": "bytes=0-4", "If-Range": f"W/{whole.headers['etag']}"})
        assert (weak.status_code, weak.content) == (200, TEXT.encode())
        assert (await ada.get(at("a.md"), headers={"If-Match": whole.headers["etag"]})).status_code == 200
        refused(await ada.get(at("a.md"), headers={"If-Match": etag("other")}), 412, "changed")


async def test_who_waits_for_news_is_told_when_there_are_some(site: Site) -> None:
    """HTTP-14."""
    async with site.of() as ada:
        read = (await ada.get(at("a.md"))).headers["etag"]
        wait = {"If-None-Match": read, "Prefer": "wait=20"}
        waiting = asyncio.ensure_future(ada.get(at("a.md"), headers=wait))
        await ada.put(at("a.md"), content=b"new\n", headers={"If-Match": read})
        answer = await waiting
        assert (answer.status_code, answer.content) == (200, b"new\n")
        none = await ada.get(at("a.md"), headers={"If-None-Match": answer.headers["etag"], "Prefer": "respond-async, wait=1"})
        assert none.status_code == 304


@pytest.mark.parametrize("unit", ["code-point", "utf-16", "utf-8"])
async def test_many_edits_of_one_request_are_all_made(site: Site, unit: str) -> None:
    text = "😀ab\r\n" * 90
    width = {"code-point": 4, "utf-16": 5, "utf-8": 7}[unit]
    edits = [{"start": line * width, "stop": line * width, "text": "-\r\n"} for line in range(90)]
    async with site.of() as ada:
        await ada.put(at("a.md"), content=text.encode(), headers={"If-Match": "*"})
        answer = await ada.patch(at("a.md"), json={"edits": edits, "unit": unit}, headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert (await ada.get(at("a.md"))).content == ("-\r\n😀ab\r\n" * 90).encode()


async def test_a_part_of_a_grapheme_can_be_edited_and_a_part_of_a_character_cannot(site: Site) -> None:
    """TEXT-5."""
    family = "👨‍👩‍👧"
    async with site.of() as ada:
        await ada.put(at("a.md"), content=f"{family}\r\nx\r\n".encode(), headers={"If-Match": "*"})
        for unit, inside in (("utf-16", 1), ("utf-8", 2)):
            body = {"edits": [{"start": inside, "stop": inside, "text": "x"}], "unit": unit}
            refused(await ada.patch(at("a.md"), json=body, headers={"If-Match": "*"}), 400, "malformed")
        body = {"edits": [{"start": 3, "stop": 5, "text": ""}], "unit": "code-point"}
        assert (await ada.patch(at("a.md"), json=body, headers={"If-Match": "*"})).status_code == 200
        assert (await ada.get(at("a.md"))).content.decode() == "👨‍👩\r\nx\r\n"


async def test_line_ends_that_differ_stay_with_their_lines(site: Site) -> None:
    """TEXT-1."""
    async with site.of() as ada:
        await ada.put(at("a.md"), content=b"a\r\nb\nc\r\nd\r\n", headers={"If-Match": "*"})
        edits = [{"start": 0, "stop": 1, "text": "A\r\nA"}, {"start": 4, "stop": 5, "text": "ß"}]
        assert (await ada.patch(at("a.md"), json={"edits": edits}, headers={"If-Match": "*"})).status_code == 200
        assert (await ada.get(at("a.md"))).content == "A\r\nA\r\nb\nß\r\nd\r\n".encode()


async def test_who_cannot_say_what_it_had_read_is_merged_from_the_nearest(site: Site) -> None:
    """MERGE-10: two copies of another history that share words which the document lost."""
    lost = TEXT + "fourth, which was lost\r\n"
    async with site.of() as ada:
        await ada.put(at("a.md"), content=TEXT.replace("third", "THIRD").encode(), headers={"If-Match": "*"})
        first = await ada.post(at("a.md"), content=(lost + "of one\r\n").encode())
        assert (first.status_code, first.headers["x-collab-merged"]) == (200, "true")
        await ada.post(at("a.md"), content=(lost + "of one\r\nof another\r\n").encode())
        await ada.post(at("a.md"), content=(lost + "of one\r\nof another\r\n").encode())
        assert (await ada.get(at("a.md"))).text.splitlines() == [
            *("first line", "second 😀 line", "THIRD line", "fourth, which was lost", "of one", "of another")
        ]


async def test_what_is_near_nothing_is_kept_beside(site: Site) -> None:
    """MERGE-10."""
    (site.root / "long.md").write_text("\n".join(f"line {number} of the text" for number in range(30)))
    async with site.of() as ada:
        other = "".join(f"{number * 7919 % 1000}x" for number in range(100)).encode()
        answer = await ada.post(at("long.md"), content=other)
        assert answer.status_code == 201
        assert answer.json()["path"].startswith("long (conflict ")
        assert (site.root / answer.json()["path"]).read_bytes() == other
        refused(await ada.post(at("long.md"), content=b"\xff"), 415, "not-text")
    async with site.of(Role.VIEWER) as vera:
        refused(await vera.post(at("long.md"), content=b"x"), 403, "forbidden")


async def test_copies_that_share_what_the_document_lost_bring_it_once_in_any_order(site: Site) -> None:
    """MERGE-10, RESTORE-2: each copy has some of what was lost, and words of its own; some come twice, others type meanwhile."""
    random = Random(20261129)
    async with site.of() as ada:
        for case in range(scale(12, 200)):
            name = f"case {case}.md"
            known = [f"known {number} in {case}" for number in range(random.randrange(1, 9))]
            (site.root / name).write_text("".join(f"{line}\n" for line in known))

            def with_line(lines: list[str], line: str) -> list[str]:
                at = random.randrange(len(lines) + 1)
                return [*lines[:at], line, *lines[at:]]

            states = [known]
            for number in range(random.randrange(6)):
                states.append(with_line(states[-1], f"lost {number} of {case}"))
            copies = []
            for number in range(random.randrange(1, 4)):
                copy = random.choice(states)
                for more in range(random.randrange(3)):
                    copy = with_line(copy, f"own {number} {more} of {case}")
                copies.append(copy)
            expected = set(known).union(*copies)
            for number, copy in enumerate(random.choices(copies, k=2) + copies):
                if random.random() < 0.5:
                    now = await ada.get(at(name))
                    body = "".join(f"{line}\n" for line in with_line(now.text.splitlines(), f"live {number} of {case}"))
                    expected.add(f"live {number} of {case}")
                    await ada.put(at(name), content=body.encode(), headers={"If-Match": now.headers["etag"]})
                await ada.post(at(name), content="".join(f"{line}\n" for line in copy).encode())
            assert Counter((await ada.get(at(name))).text.splitlines()) == Counter(expected), case


async def test_edits_of_a_notebooks_json_are_merged_with_what_others_did_to_its_cells(site: Site) -> None:
    """NOTEBOOK-7, MERGE-7: the places count in the JSON that was read; what would be no notebook is refused in words."""
    study = notebook(cell("# Größe 😀", "title", "markdown"), cell("x = 1", "first"), cell("print(x)", "second"))
    (site.root / "study.ipynb").write_text(study)
    async with site.of() as ada:
        read = await ada.get(at("study.ipynb"))
        assert read.text == study
        if_read = {"If-Match": read.headers["etag"]}
        await ada.put(at("study.ipynb"), content=study.replace("x = 1", "x = 100").encode(), headers=if_read)
        place = study.index("print(x)")
        edits = [
            {"start": place, "stop": place, "text": "# shown\\n"},
            {"start": study.index("😀"), "stop": study.index("😀") + 1, "text": "☃"},
        ]
        answer = await ada.patch(at("study.ipynb"), json={"edits": edits}, headers=if_read)
        assert (answer.status_code, answer.headers["x-collab-merged"]) == (200, "true")
        now = await ada.get(at("study.ipynb"))
        assert sources(now.text) == ["# Größe ☃", "x = 100", "# shown\nprint(x)"]

        broken = {"edits": [{"start": 0, "stop": 1, "text": "["}]}
        refused(await ada.patch(at("study.ipynb"), json=broken, headers={"If-Match": "*"}), 415, "not-text")
        cut = {"edits": [{"start": now.text.index('"cells"'), "stop": now.text.index('"cells"') + 7, "text": '"call"'}]}
        answer = await ada.patch(at("study.ipynb"), json=cut, headers={"If-Match": "*"})
        refused(answer, 415, "not-text")
        assert "no list of cells" in answer.json()["detail"]
        assert (await ada.get(at("study.ipynb"))).content == now.content


async def test_a_notebook_over_its_limit_is_refused_with_words_and_can_be_downloaded(tmp_path: Path) -> None:
    """NOTEBOOK-10."""
    (tmp_path / "root").mkdir()
    small, large = notebook(cell("x" * 500, "a")).encode(), notebook(cell("x" * 1_000, "a")).encode()
    (tmp_path / "root" / "large.ipynb").write_bytes(large)
    (tmp_path / "root" / "small.ipynb").write_bytes(small)
    async with stand(tmp_path, limit_text=100, limit_notebook=1_000) as site, site.of() as ada:
        answer = await ada.put(at("small.ipynb"), content=large, headers={"If-Match": "*"})
        refused(answer, 413, "too-large")
        assert "over 1000 bytes" in answer.json()["detail"]
        assert (await ada.get(at("small.ipynb"))).content == small
        assert (await ada.get(at("large.ipynb"))).content == large
