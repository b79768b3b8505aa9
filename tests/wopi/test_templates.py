from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collab.errors import Malformed, NotFound, TooLarge, Unavailable
from collab.wopi.blanks import TITLES, blank
from collab.wopi.templates import MOST, Templates

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t").mkdir()
    for name, body in {
        "Letter.odt": b"PK letter",
        "Minutes.md": b"# Minutes\n",
        ".hidden.odt": b"",
        "~$Letter.docx": b"",
        "odt": b"",
    }.items():
        (tmp_path / "t" / name).write_bytes(body)
    (tmp_path / "t" / "folder.odt").mkdir()
    (tmp_path / "secret.odt").write_bytes(b"secret")
    return tmp_path / "t"


async def test_the_operators_own_come_before_what_is_built_in(folder: Path) -> None:
    offered = await Templates(folder, 1000).offered()
    assert [each.name for each in offered] == ["Letter.odt", "Minutes.md", *TITLES]
    assert [each.title for each in offered[:2]] == ["Letter", "Minutes"]
    assert offered[0].type == "application/vnd.oasis.opendocument.text"
    assert [each.name for each in await Templates(None, 1000).offered()] == list(TITLES)


async def test_a_document_has_the_templates_bytes_and_extension(folder: Path) -> None:
    templates = Templates(folder, 1000)
    assert await templates.body("Letter.odt", "a/Dear Ben.ODT") == b"PK letter"
    assert await templates.body("odt", "a.odt") == blank("odt")
    assert await templates.body("md", "a.md") == b""
    for name, path in (("Letter.odt", "a.docx"), ("odt", "a"), ("md", "a.txt")):
        with pytest.raises(Malformed):
            await templates.body(name, path)


@pytest.mark.parametrize(
    "name", ["", "none.odt", "../secret.odt", "folder.odt", ".hidden.odt", "~$Letter.docx", "t/Letter.odt", "Letter.odt\0", "exe"]
)
async def test_nothing_else_is_a_template(folder: Path, name: str) -> None:
    with pytest.raises(NotFound):
        await Templates(folder, 1000).body(name, "a.odt")


async def test_what_cannot_be_read_or_is_too_large_is_told(folder: Path) -> None:
    with pytest.raises(TooLarge):
        await Templates(folder, 5).body("Letter.odt", "a.odt")
    with pytest.raises(Unavailable):
        await Templates(folder / "none", 5).offered()


async def test_so_many_are_offered_and_no_more(tmp_path: Path) -> None:
    for number in range(MOST + 5):
        (tmp_path / f"{number:04}.txt").touch()
    assert len(await Templates(tmp_path, 10).offered()) == MOST + len(TITLES)
