"""Markdown as it is read: what the page's preview shows, without a script (docs/reference/rules.md, READ)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from collab.reading.links import Place, target_of
from collab.reading.markdown import Markdown
from collab.reading.marks import spoken
from collab.reading.words import LANGUAGES, WORDS, language_of

if TYPE_CHECKING:
    from collab.reading.links import Kind


def shown(source: str, folder: str = "f", prefix: str = "") -> str:
    return spoken("".join(Markdown(Place(prefix, folder)).page(source).parts), WORDS["en"])


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("# What's new?", '<h1 id="user-content-whats-new">What\'s new?</h1>'),
        ("~~old~~", "<s>old</s>"),
        ("| a |\n|--:|\n| 1 |", '<th align="right">a</th>'),
        ("- [x] did it", '<li class="md-task"><span class="md-box" role="img" aria-label="done">☑</span> did it</li>'),
        ("- [ ] do it", 'aria-label="to do">☐</span> do it'),
        ("- [x](y.md)", '<a href="/v/f/y.md" rel="noopener noreferrer">x</a>'),
        ("see https://example.org/a.", '<a href="https://example.org/a" rel="noopener noreferrer">https://example.org/a</a>.'),
        ("readme.md", "<p>readme.md</p>"),
        ("[x](../up.md#part)", 'href="/v/up.md#user-content-part"'),
        ("[x](../../out.md)", '<p><a rel="noopener noreferrer">x</a></p>'),
        ("[x](y.md.assets/a%20b.zip)", 'href="/api/documents/f%2Fy.md.assets%2Fa%20b.zip/content"'),
        ("[x](y.md.assets/sub/c.md)", 'href="/v/f/y.md.assets/sub/c.md"'),
        ("[x](sub/)", 'href="/?path=f/sub"'),
        ("[x](#Part)", 'href="#user-content-Part"'),
        ("![alt](a b.png)", "<p>![alt](a b.png)</p>"),
        ("![alt](<a b.png> 'title')", '<img src="/api/documents/f%2Fa%20b.png/content" alt="alt" title="title">'),
        ("![seen](https://evil.example/p.png)", '<a href="https://evil.example/p.png" rel="noopener noreferrer">seen</a>'),
        ("$a_b$", "<math><msub><mi>a</mi><mi>b</mi></msub></math>"),
        ("$$\na_b\n$$", '<math display="block">'),
        ("$5 and $6", "<p>$5 and $6</p>"),
        ("$\\undefined{x}$", '<code class="md-wrong">\\undefined{x}</code>'),
        ("```python\nimport os\n```", '<span class="tok-keyword">import</span>'),
        ("```nonsense\n<b>\n```", "<pre><code>&lt;b&gt;</code></pre>"),
        ("```mermaid\nA --> B\n```", "<figcaption>Source of a diagram</figcaption><pre><code>A --&gt; B</code></pre>"),
        ("```math\nx^2\n```", "<msup>"),
        ("a[^1]\n\n[^1]: note", 'id="user-content-note:1"'),
        ("<details><summary>s</summary>\n\n*inside*\n\n</details>", "<details><summary>s</summary>\n<p><em>inside</em></p>\n</details>"),
        ("[[toc]]\n\n# A\n\n## B", '<li class="md-level-1"><a href="#user-content-b" rel="noopener noreferrer">B</a></li>'),
    ],
)
def test_read_1_markdown_is_shown_as_in_the_preview(source: str, wanted: str) -> None:
    assert wanted in shown(source)


def test_front_matter_is_a_title_and_facts_and_never_executed() -> None:
    page = Markdown(Place("", "")).page("---\ntitle: T\nauthors: [A, {name: B}]\ndate: 2026-01-02\nlang: de-CH\n---\n\ntext")

    assert (page.title, page.language) == ("T", "de-CH")
    assert spoken(page.parts[0], WORDS["fr"]) == (
        '<h1 class="md-title">T</h1><dl class="md-matter"><dt>Auteur</dt><dd>A, B</dd><dt>Date</dt><dd>2026-01-02</dd></dl>'
    )


@pytest.mark.parametrize(
    "yaml", ["a: [", "- x", "a: &x [1]\nb: *x", "a: !!python/object/apply:os.system ['true']\n  x", "[" * 5_000, "just words"]
)
def test_front_matter_that_cannot_be_read_says_why(yaml: str) -> None:
    said = shown(f"---\n{yaml}\n---\n\ntext")

    assert "The lines at the start cannot be read: " in said
    assert "<p>text</p>" in said


def test_slugs_are_numbered_as_in_the_preview() -> None:
    ids = [part.split('"')[1] for part in Markdown(Place("", "")).page("# a\n\n# a\n\n# a-1\n\n# a").parts]

    assert ids == [f"user-content-{each}" for each in ("a", "a-1", "a-1-1", "a-2")]


@pytest.mark.parametrize(
    ("href", "kind", "to"),
    [
        ("javascript:alert()", "nowhere", ""),
        ("java\nscript:alert()", "nowhere", ""),
        ("//evil.example/x", "outside", "https://evil.example/x"),
        ("/\\evil.example/x", "outside", "https://evil.example/x"),
        ("data:text/html,x", "nowhere", ""),
        ("data:image/png;base64,AAAA", "picture", "data:image/png;base64,AAAA"),
        ("data:image/svg+xml;base64,AAAA", "nowhere", ""),
        ("%2e%2e/%2e%2e/x", "nowhere", ""),
        ("..%2f..%2fx", "nowhere", ""),
        ("/top.md", "document", "top.md"),
        ("mailto:a@b.example", "mail", "mailto:a@b.example"),
        ("https://", "nowhere", ""),
        ("https://[", "nowhere", ""),
    ],
)
def test_links_lead_where_the_preview_says(href: str, kind: Kind, to: str) -> None:
    target = target_of(href, "f")
    assert (target.kind, target.to) == (kind, to)


@pytest.mark.parametrize(
    "source",
    [
        "$" * 20_000,
        "$a " * 8_000,
        "$$\n" * 8_000,
        "[" * 20_000,
        "> " * 5_000 + "x",
        "*a **b " * 4_000,
        "<details>\n\n" * 2_000,
        "- " * 3_000 + "x",
        "`" * 20_000,
        "[^1]" * 3_000 + "\n\n[^1]: x",
        "![" * 5_000 + "x" + "](y)" * 5_000,
        "$" + "{" * 3_900 + "$",
        "$" + r"\sqrt{" * 600 + "x" + "}" * 600 + "$",
    ],
    ids=range(13),
)
def test_what_was_written_to_be_slow_is_not(source: str) -> None:
    start = time.process_time()
    shown(source)
    # Thirty times what the slowest takes; what is quadratic takes minutes.
    assert time.process_time() - start < 15


def test_every_language_has_every_word() -> None:
    assert {language: [*words] for language, words in WORDS.items()} == {language: [*WORDS["en"]] for language in LANGUAGES}
    assert all(("{}" in words[key]) is ("{}" in WORDS["en"][key]) for words in WORDS.values() for key in words)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-CH, fr;q=0.5", "de"),
        ("it, fr;q=0.3, de;q=0.4", "de"),
        ("", "en"),
        ("xx", "en"),
        ("de;q=0, fr;q=0", "en"),
        ("fr;q=x, de;q=0.1", "de"),
    ],
)
def test_the_language_is_the_readers(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
