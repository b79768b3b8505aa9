"""Names of attachments, where they are, and how a text names them (ATTACH-2, ATTACH-4)."""

from __future__ import annotations

import json
import random
import unicodedata

import pytest

from collab.runtime.attaching import document_of, escaped, folder_of, numbered, reference, renamed, renamed_in_json, safe, used_in


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("notes.md.assets/a.png", "notes.md"),
        ("notes.md.assets", "notes.md"),
        ("deep/er/notes.md.assets/b/c.png", "deep/er/notes.md"),
        ("a.md.assets/b.md.assets/c.png", "a.md.assets/b.md"),
        ("a.md.assets/b.md", "a.md"),
        ("notes.md", None),
        ("assets/a.png", None),
        (".assets/a.png", None),
        ("notes.md.assets.d/a.png", None),
        ("", None),
    ],
)
def test_a_file_belongs_to_the_document_that_its_folder_is_named_after(path: str, document: str | None) -> None:
    assert document_of(path) == document


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("plan.png", "plan.png"),
        ("my plan (1).png", "my-plan-(1).png"),
        ("C:\\Users\\a\\b.png", "b.png"),
        ("../../etc/passwd", "passwd"),
        (".hidden", "hidden"),
        ("größe 漢字.png", "größe-漢字.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("???", "file"),
        ("..", "file"),
        ("a\0b\nc.png", "abc.png"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("x" * 300, "x" * 100),
        ("a.png. . ", "a.png"),
        ("漢" * 100 + ".png", "漢" * 65 + ".png"),
        ("😀" * 60, "😀" * 50),
        ("Con.png", "Con-.png"),
        ("com1", "com1-"),
        ("console.png", "console.png"),
        ("notes.md.assets", "notes.md-assets"),
        ("x" * 92 + ".assets" + "y" * 90, "x" * 92 + ".assetsy"),
        ("a\u0301" * 150, "á" * 100),
    ],
)
def test_names_are_safe_and_can_be_read(name: str, stored: str) -> None:
    assert safe(name) == stored
    assert safe(stored) == stored


def test_any_name_becomes_one_that_can_be_a_file() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        name = safe("".join(chr(chance.choice([chance.randrange(128), chance.randrange(0xD800)])) for _ in range(chance.randrange(1, 40))))
        assert name
        assert name == unicodedata.normalize("NFC", name)
        assert not set(name) & set("/\\\0\n:*?")
        assert not name.startswith(".")
        assert document_of(f"a.md.assets/{name}") == "a.md"
        assert len(name.encode()) <= 200


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert [numbered("a.b.png", number) for number in (1, 2, 20)] == ["a.b.png", "a.b-2.png", "a.b-20.png"]
    assert numbered("README", 2) == "README-2"


def test_a_text_names_what_is_attached_relative_to_itself() -> None:
    assert folder_of("deep/notes.md") == "deep/notes.md.assets"
    assert reference("deep/my notes (1).md", "a.png") == "my%20notes%20%281%29.md.assets/a.png"
    assert escaped("größe.png") == "größe.png"
    assert escaped("a\"b'c`d|e&f.png") == "a%22b%27c%60d%7Ce%26f.png"


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("![](notes.md.assets/my%20plan.png)", True),
        ("![](<notes.md.assets/my plan.png>)", True),
        ('<img src="./notes.md.assets/my%20plan.png">', True),
        ("![](notes.md.assets/my&#32;plan.png)", True),
        ("![](my%20plan.png)", False),
        ("nothing", False),
    ],
)
def test_what_no_text_names_is_told(text: str, used: bool) -> None:
    assert used_in(text)("my plan.png") is used


def test_a_name_in_another_form_of_unicode_is_the_same_name() -> None:
    assert used_in(unicodedata.normalize("NFD", "![](n.md.assets/größe.png)"))("größe.png")


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("![](old.md.assets/a.png)", "![](new%20name.md.assets/a.png)"),
        ("[x]: old.md.assets/a.png", "[x]: new%20name.md.assets/a.png"),
        ('<img src="./old.md.assets/a.png">', '<img src="./new%20name.md.assets/a.png">'),
        ("old.md.assets/a.png", "new%20name.md.assets/a.png"),
        ("![](very-old.md.assets/a.png)", "![](very-old.md.assets/a.png)"),
        ("![](old.md)", "![](old.md)"),
        ("![](old.md.assets/a.png) ![](old.md.assets/b.png)", "![](new%20name.md.assets/a.png) ![](new%20name.md.assets/b.png)"),
    ],
)
def test_when_a_document_is_renamed_its_text_names_its_attachments_anew(text: str, then: str) -> None:
    assert renamed(text, "old.md", "new name.md") == then
    assert renamed(then, "new name.md", "old.md") == text


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("as_lines", [True, False])
def test_the_strings_of_a_notebook_name_its_attachments_however_they_are_written(*, ascii_only: bool, as_lines: bool) -> None:
    lines = ["# Größe\n", "größe.ipynb.assets/plan-😀.png\n", 'and <img src="größe.ipynb.assets/b.png">']
    source = lines if as_lines else "".join(lines)
    made = json.dumps({"cells": [{"source": source, "outputs": ["größe.ipynb"]}]}, ensure_ascii=ascii_only, indent=1)
    used = used_in(made, as_json=True)
    assert [used(name) for name in ("plan-😀.png", "b.png", "c.png")] == [True, True, False]
    then = renamed_in_json(made, "größe.ipynb", 'my "new" ä.ipynb')
    words = "".join(json.loads(then)["cells"][0]["source"])
    assert words == "".join(lines).replace("größe.ipynb", "my%20%22new%22%20ä.ipynb")
    assert then.isascii() is ascii_only
    assert renamed_in_json(then, 'my "new" ä.ipynb', "größe.ipynb") == made
