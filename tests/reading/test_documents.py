"""Every kind of document as it is read, and what is said when it cannot be shown (docs/reference/rules.md, READ)."""

from __future__ import annotations

import pytest
from notebooks import cell, notebook

from collab.reading.documents import LARGEST, largest, render, too_slow
from collab.reading.marks import spoken
from collab.reading.words import WORDS

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def shown(path: str, body: str | bytes) -> tuple[str, str, str]:
    """Shell, note and HTML."""
    made = render(path, "", body if isinstance(body, bytes) else body.encode())
    return made.shell, spoken(made.note, WORDS["en"]), spoken("".join(block.html for block in made.blocks), WORDS["en"])


def outputs(*found: dict[str, object]) -> str:
    return shown("n.ipynb", notebook(cell("1", "a", outputs=[*found])))[2]


def data(**media: object) -> dict[str, object]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {key.replace("_", "/", 1).replace("__", "+"): value for key, value in media.items()},
    }


def test_read_1_code_is_coloured_and_every_line_is_there() -> None:
    shell, note, html = shown("x.py", "import os\n\n\ndef f():\n    return '''a\nb'''\n")

    assert (shell, note) == ("code", "")
    assert html.count("\n") == 6
    assert '<span class="tok-string">b' in html


def test_read_1_a_table_has_a_head_rows_of_one_length_and_numbers_to_the_right() -> None:
    shell, _, html = shown("d.csv", 'name;value\nann;3,5\n"a;b"\n')

    assert shell == "table"
    assert html == (
        '<thead><tr><th scope="col">name</th><th scope="col">value</th></tr></thead>'
        '<tbody><tr><td>ann</td><td align="right">3,5</td></tr><tr><td>a;b</td><td></td></tr></tbody>'
    )


def test_a_long_table_is_cut_and_says_so() -> None:
    _, note, html = shown("d.tsv", "a\tb\n" + "1\t2\n" * 6_000)

    assert note == "The first 5000 rows are shown. Download the file for all of them."
    assert html.count("<tr>") == 5_000


def test_a_table_that_cannot_be_read_is_shown_as_it_is_written() -> None:
    shell, note, html = shown("d.csv", 'a,b\n"x"y,1\n')

    assert shell == "text"
    assert "(2)" in note
    assert "&quot;" not in html
    assert '"x"y,1' in html


def test_read_1_a_notebook_has_its_sources_and_outputs() -> None:
    body = notebook(
        cell("# T\n\n$x$", "a", "markdown"),
        cell(
            "import os",
            "b",
            execution_count=3,
            outputs=[{"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m <b>"}, data(image_png=PNG, text_plain="pic")],
        ),
    )
    made = render("n.ipynb", "", body.encode())
    _, _, html = shown("n.ipynb", body)

    assert (made.shell, made.title, len(made.blocks)) == ("sheet", "T", 2)
    assert "[3]" in html
    assert '<span class="ansi-ink-1">red</span> &lt;b&gt;' in html
    assert f'<img src="data:image/png;base64,{PNG}" alt="pic">' in html


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (data(text_html="<b onclick=x>bold</b><script>x</script>", text_plain="p"), "<b>bold</b></div>"),
        (data(text_latex="$$x^2$$"), '<math display="block">'),
        (data(text_markdown="*m*"), "<em>m</em>"),
        (data(application_javascript="x", text_plain="said"), ">said</pre>"),
        (data(application_javascript="x"), "This output is a program, which does not run here."),
        (data(image_png='"><script>'), "This output cannot be shown."),
        (data(image_svg__xml="<svg onload=x>"), "This output cannot be shown."),
        ({"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}, "E: v"),
        ({"output_type": "display_data"}, "This output cannot be shown."),
        ({"output_type": "stream", "text": ["a", "b"]}, ">ab</pre>"),
        ({"output_type": "stream", "text": "10%\r100%\n"}, ">100%\n</pre>"),
        ({"output_type": "stream", "text": "x" * 100_000}, "The output is longer than this."),
    ],
)
def test_read_3_outputs_are_shown_and_never_run(output: dict[str, object], wanted: str) -> None:
    html = outputs(output)

    assert wanted in html
    assert "<script" not in html
    assert "onclick" not in html


def test_a_broken_notebook_says_what_is_wrong_and_shows_what_is_there() -> None:
    shell, note, html = shown("n.ipynb", '{"cells": [<b>')

    assert shell == "text"
    assert "This notebook is broken: " in note
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("path", "body", "note"),
    [
        ("x.md", b"", "This document is empty."),
        ("x.csv", b"\n\n", "This document is empty."),
        ("x.txt", b"", "This document is empty."),
        ("x.bin", b"\0\1", "This file is no text. It can be downloaded."),
        ("x.md", b"\xff", "This file is no text. It can be downloaded."),
        ("x.docx", b"PK\3\4\0", "This file is no text. It can be downloaded."),
        ("x.md", b"x" * (LARGEST + 1), "This document is too long for a page to read on (more than 2 MiB). It can be downloaded."),
    ],
)
def test_read_9_what_cannot_be_shown_says_why(path: str, body: bytes, note: str) -> None:
    assert shown(path, body)[1] == note


def test_a_picture_is_shown_by_its_address_whatever_its_name_is() -> None:
    made = render('f/"<b>.png', "/p", b"")

    assert made.blocks[0].html == (
        '<p class="md-picture"><img src="/p/api/documents/f%2F%22%3Cb%3E.png/content" alt="&quot;&lt;b&gt;.png"></p>'
    )


def test_what_takes_too_long_is_shown_as_it_is_written() -> None:
    made = too_slow("x.md", b"*a* <b>\n")

    assert made.shell == "text"
    assert made.blocks[0].html == "*a* &lt;b&gt;\n"
    assert largest("x.ipynb") == 8 * largest("x.md")
