from __future__ import annotations

from io import BytesIO
from xml.parsers import expat
from zipfile import ZIP_STORED, ZipFile

import pytest

from collab.formats import media_type
from collab.wopi.blanks import TITLES, blank

PACKED = [ext for ext in TITLES if ext not in {"md", "txt", "csv"}]


@pytest.mark.parametrize("ext", PACKED)
def test_an_empty_document_is_a_whole_archive_of_well_formed_xml(ext: str) -> None:
    with ZipFile(BytesIO(blank(ext))) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if name != "mimetype":
                expat.ParserCreate(namespace_separator=" ").Parse(archive.read(name), True)


@pytest.mark.parametrize("ext", ["odt", "ods", "odp"])
def test_an_open_document_begins_with_its_media_type(ext: str) -> None:
    """OpenDocument 1.3, part 2, section 3.3."""
    body = blank(ext)
    with ZipFile(BytesIO(body)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", ZIP_STORED, b"")
        assert archive.read("mimetype").decode() == media_type(f"a.{ext}")
    assert body[38:].startswith(media_type(f"a.{ext}").encode())


@pytest.mark.parametrize("ext", ["docx", "xlsx", "pptx"])
def test_each_part_that_is_named_is_there(ext: str) -> None:
    """ECMA-376, part 2."""
    with ZipFile(BytesIO(blank(ext))) as archive:
        names = set(archive.namelist())
        named: set[str] = set()

        def read(name: str, base: str) -> None:
            def start(_: str, attributes: dict[str, str]) -> None:
                if "Target" in attributes:
                    folder = base
                    target = attributes["Target"]
                    while target.startswith("../"):
                        folder, target = folder.rpartition("/")[0], target[3:]
                    named.add(f"{folder}/{target}".lstrip("/"))
                if "PartName" in attributes:
                    named.add(attributes["PartName"].lstrip("/"))

            parser = expat.ParserCreate()
            parser.StartElementHandler = start
            parser.Parse(archive.read(name), True)

        for name in names:
            if name.endswith(".rels"):
                read(name, name.rpartition("_rels/")[0].rstrip("/"))
        read("[Content_Types].xml", "")
        assert named
        assert named <= names
        assert {name for name in names if not name.endswith(".rels")} - {"[Content_Types].xml"} <= named


def test_the_same_bytes_come_each_time() -> None:
    assert {ext: blank(ext) for ext in TITLES} == {ext: blank.__wrapped__(ext) for ext in TITLES}
    assert blank("md") == blank("txt") == blank("csv") == b""
    with pytest.raises(KeyError):
        blank("exe")
