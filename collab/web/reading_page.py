"""The page of a document for readers: whole without a script, with its styles in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from collab.reading.marks import spoken
from collab.reading.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collab.errors import CollabError
    from collab.ports import Stat
    from collab.reading.blocks import Block, Rendering

SAID = ("live", "offline", "kept", "changed", "gone", "barred", "signed.out", "login", "home.kept")
"""Words that the page's script says."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a page is made with: addresses of our own files, empty for what is not built, and the style sheet itself."""

    prefix: str
    script: str = ""
    icon: str = ""
    touch_icon: str = ""
    style: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Of one document's pages: the language of its words, and what its reader may do."""

    language: str
    edits: bool
    framed: bool = False
    """In a frame of another site, where there is no cookie: a script has a token."""


def page(stat: Stat, rendering: Rendering, kind: Kind, looks: Looks, *, nonce: str, token: str = "") -> str:  # noqa: PLR0913 - what it is made of
    """The page of a document."""
    words = WORDS[kind.language]
    name = stat.path.rpartition("/")[2]
    title = rendering.title
    data = {
        "base": looks.prefix,
        "version": rendering.version,
        "shell": rendering.shell,
        "path": stat.path,
        "id": stat.id,
        "token": token,
        "words": json.dumps({key: words[key] for key in SAID}, ensure_ascii=False),
    }
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items() if value)
    heading = (
        f'<p class="name"><bdi>{escape(name)}</bdi></p>'
        if rendering.shell == "sheet"
        else f'<h1 class="name"><bdi>{escape(name)}</bdi></h1>'
    )
    language = f' lang="{escape(rendering.language)}"' if rendering.language else ""
    note = f'<p id="note" class="note">{spoken(rendering.note, words)}</p>' if rendering.note else ""
    return "".join(
        (
            _head(kind.language, f"{title} · {name}" if title and title != name else name, looks, nonce, framed=kind.framed),
            f"<body{attributes}>",
            f'<a class="skip" href="#document">{escape(words["skip"])}</a>',
            f'<header id="bar">{heading}{_actions(stat, kind, looks, words)}<p id="live" role="status"></p></header>',
            f'<main id="document" tabindex="-1"{language}>{note}{body(rendering, words)}</main>',
            "</body></html>",
        )
    )


def body(rendering: Rendering, words: Mapping[str, str]) -> str:
    """The document itself. What `static/src/reading/` does with a patch has to come to the same."""
    inside = "".join(wrapped(rendering.shell, block, words) for block in rendering.blocks)
    if rendering.shell == "table":
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(words["document"])}"><table id="body">{inside}</table></div>'
    if rendering.shell in {"code", "text"}:
        return f'<pre id="body" class="lines {rendering.shell}">{inside}</pre>'
    return f'<article id="body" class="sheet">{inside}</article>'


def wrapped(shell: str, block: Block, words: Mapping[str, str]) -> str:
    """One block as it stands in the page."""
    html = spoken(block.html, words)
    if shell == "table":
        return html
    return f'<span class="b">{html}</span>' if shell in {"code", "text"} else f'<div class="b">{html}</div>'


def refusal(error: CollabError, wanted: str, language: str, looks: Looks, nonce: str) -> str:
    """A page that says why there is nothing to read. `wanted` is the address that somebody who signs in comes back to."""
    words = WORDS[language]
    said = words.get(f"refused.{error.status}", words["refused"])
    login = f"{looks.prefix}/login?next={quote(wanted, safe='')}"
    sign_in = f'<p><a class="button" href="{escape(login)}">{escape(words["login"])}</a></p>' if error.status == 401 else ""
    return "".join(
        (
            _head(language, said, looks, nonce),
            f'<body data-base="{escape(looks.prefix)}" data-refused="{error.status}"><main id="document"><article class="sheet"><h1>{escape(said)}</h1>',
            f"<p>{escape(words['refused.detail'].replace('{}', error.detail))}</p>{sign_in}",
            f'<p><a href="{escape(looks.prefix)}/">{escape(words["files"])}</a></p></article></main></body></html>',
        )
    )


def home(recent: Sequence[Stat], language: str, looks: Looks, nonce: str) -> str:
    """The first page of the installed application: what was opened last; its script adds what is kept on the device."""
    words = WORDS[language]
    links = "".join(
        f'<li><a href="{escape(looks.prefix)}/v/{quote(stat.path)}"><bdi>{escape(stat.path.rpartition("/")[2])}</bdi></a> '
        f'<span class="quiet"><bdi>{escape(stat.path.rpartition("/")[0])}</bdi></span></li>'
        for stat in recent
    )
    said = json.dumps({key: words[key] for key in SAID}, ensure_ascii=False)
    return "".join(
        (
            _head(language, words["home"], looks, nonce),
            f'<body data-base="{escape(looks.prefix)}" data-home="yes" data-words="{escape(said)}">',
            f'<main id="document"><article class="sheet"><h1>{escape(words["home"])}</h1><p>{escape(words["home.lead"])}</p>',
            f"<h2>{escape(words['home.recent'])}</h2>",
            f'<ul class="shelf">{links}</ul>' if links else f"<p>{escape(words['home.none'])}</p>",
            f'<div id="kept"></div><p><a href="{escape(looks.prefix)}/">{escape(words["files"])}</a></p></article></main></body></html>',
        )
    )


def _actions(stat: Stat, kind: Kind, looks: Looks, words: Mapping[str, str]) -> str:
    prefix, path = escape(looks.prefix), quote(stat.path)
    folder = quote(stat.path.rpartition("/")[0])
    links = [
        (f"{prefix}/?path={folder}" if folder else f"{prefix}/", "files", ""),
        *([(f"{prefix}/edit/{path}", "edit", "")] if kind.edits else []),
        (f"{prefix}/api/documents/{quote(stat.path, safe='')}/content", "download", " download"),
    ]
    if kind.framed:
        # Nobody is signed in there.
        links = []
    shown = "".join(f'<a id="to-{word}" href="{href}"{more}>{escape(words[word])}</a>' for href, word, more in links)
    return f'<nav aria-label="{escape(words["actions"])}">{shown}</nav>' if shown else ""


def _head(language: str, title: str, looks: Looks, nonce: str, *, framed: bool = False) -> str:
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
        '<meta name="theme-color" content="#fcfcfa" media="(prefers-color-scheme: light)">',
        '<meta name="theme-color" content="#171b19" media="(prefers-color-scheme: dark)">',
        f"<title>{escape(title)}</title>",
        f'<link rel="icon" href="{escape(looks.icon)}">' if looks.icon else "",
        f'<link rel="apple-touch-icon" href="{escape(looks.touch_icon)}">' if looks.touch_icon else "",
        "" if framed else f'<link rel="manifest" href="{escape(looks.prefix)}/manifest.webmanifest">',
        '<base target="_blank">' if framed else "",
        f'<style nonce="{nonce}">{looks.style}</style>' if looks.style else "",
        f'<script nonce="{nonce}" src="{escape(looks.script)}" defer></script>' if looks.script else "",
        "</head>",
    ]
    return "".join(parts)
