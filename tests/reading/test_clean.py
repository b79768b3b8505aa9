"""The corpus of attacks on the page's preview, through every kind of document that is rendered on the server (docs/reference/rules.md, READ-3).

In a real browser they are tried in `tests/e2e/test_reading.py`; here, what is written is looked at by a parser.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from notebooks import cell, notebook

from collab.reading.documents import render
from collab.reading.marks import spoken
from collab.reading.words import WORDS

CORPUS = Path(__file__).parents[1] / "e2e" / "attacks"
ATTACKS = [
    pytest.param(text, id=f"{path.stem}: {name}")
    for path in sorted(CORPUS.glob("*.md"))
    for name, _, text in (part.partition("\n") for part in path.read_text("utf-8").split("=== ")[1:])
]
TAGS = frozenset(
    [
        "a",
        "abbr",
        "article",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
        "math",
        "mfrac",
        "mi",
        "mmultiscripts",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mprescripts",
        "mroot",
        "mrow",
        "ms",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
        "mtable",
        "mtd",
        "mtext",
        "mtr",
        "munder",
        "munderover",
    ]
)
CLASSES = ("md-", "tok-", "nb-", "ansi-")


class Look(HTMLParser):
    """Everything in some HTML that may not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            said = value or ""
            if name.startswith(("on", "xlink", "formaction", "style", "srcset", "srcdoc", "data-", "popover", "ping")):
                self.found.append(f"{tag} {name}={said}")
            if name in {"id", "name"} and not said.startswith("user-content-"):
                self.found.append(f"{name}={said}")
            if name == "class" and not all(each.startswith(CLASSES) for each in said.split()):
                self.found.append(f"class={said}")
            if name == "href" and urlsplit(said).scheme not in {"", "http", "https", "mailto", "tel"}:
                self.found.append(f"href={said}")
            if name == "src" and (
                tag != "img" or not said.startswith(("/api/documents/", "data:image/png;base64,", "data:image/gif;base64,"))
            ):
                self.found.append(f"{tag} src={said}")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"<?{data}")


def faults(path: str, body: str) -> list[str]:
    look = Look()
    made = render(path, "", body.encode("utf-8", "replace"))
    look.feed(spoken("".join((made.note, *(block.html for block in made.blocks))), WORDS["en"]))
    look.close()
    return look.found


def kinds(text: str) -> dict[str, str]:
    """The same attack in every kind of document."""
    displayed = {"output_type": "display_data", "metadata": {}, "data": {}}
    every = [
        {**displayed, "data": {media: text}}
        for media in ("text/html", "text/markdown", "text/latex", "text/plain", "image/png", "image/svg+xml")
    ]
    told = [
        {"output_type": "stream", "name": text, "text": text},
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]},
    ]
    return {
        "x.md": text,
        "front.md": f"---\ntitle: {json.dumps(text)}\nauthor: {json.dumps(text)}\nlang: {json.dumps(text)}\n---\n\n[[toc]]\n\n# {text}",
        "fence.md": f"~~~{text}\n{text}\n~~~\n\n$${text}$$\n\n![{text}]({text})\n\n- [ ] {text}\n\na[^1]\n\n[^1]: {text}",
        "x.html": text,
        "x.py": text,
        "x.js": text,
        "x.txt": text,
        "x.csv": text,
        "x.ipynb": notebook(cell(text, "a", "markdown"), cell(text, "b", outputs=[*every, *told]), cell(text, "c", "raw")),
        "broken.ipynb": text,
        "x.svgz": text,
    }


@pytest.mark.parametrize("text", ATTACKS)
def test_read_3_nothing_of_an_attack_stays_in_what_is_rendered(text: str) -> None:
    assert {kind: found for kind, body in kinds(text).items() if (found := faults(kind, body))} == {}


@pytest.mark.parametrize(
    "source",
    [
        # An attribute that an author leaves open, and the markup of ours that would close it.
        '<div title="\n\n$\\text{" onmouseover="attack()}$\n\n">',
        '<div title="\n\n```\n" onmouseover="attack()\n```\n\n">x</div>',
        "<b title='&#xFDD3;0&#xFDD4;'>x</b> $y$",
        '<b title="&#xFDD0;done&#xFDD1;">x</b> &#xFDD3;0&#xFDD4; $\\text{<script>}$',
        "\ufdd30\ufdd4 $x$ \ufdd0done\ufdd1",
        '<img alt="&#xFDD0;footnote&#xFDD2;" onerror=attack()>&#xFDD1;',
        '<a title="&#xFDD0;footnote&#xFDD2;x">&#xFDD1;" onclick=attack()</a>',
    ],
)
def test_read_3_marks_of_ours_cannot_be_written_by_an_author(source: str) -> None:
    assert faults("x.md", source) == []


def test_the_corpus_is_the_whole_one() -> None:
    assert len(ATTACKS) >= 290
