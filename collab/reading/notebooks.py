"""Notebooks (nbformat 4) in blocks of HTML: sources and outputs as they were saved. Nothing of an output runs."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from collab.reading.ansi import shown
from collab.reading.clean import Cleaner
from collab.reading.code import coloured
from collab.reading.markdown import Markdown
from collab.reading.marks import unmarked, word
from collab.reading.maths import formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from collab.formats.notebook import Notebook
    from collab.reading.links import Place

OUTPUT: Final = 64 * 1024
"""Characters of an output that are shown."""
OUTPUTS: Final = 200
"""Outputs of a cell that are shown."""
PICTURE: Final = 4 * 2**20
"""Characters of a picture in base64 that is shown."""
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]+")
_RUNS: Final = ("application/javascript", "text/javascript", "application/vnd.jupyter.widget-view+json")


def parts(notebook: Notebook, place: Place) -> tuple[list[str], str]:
    """A block for each cell, and the title."""
    writer = _Writer(notebook, place)
    return [*writer.parts()], writer.title


class _Writer:
    def __init__(self, notebook: Notebook, place: Place) -> None:
        self._notebook = notebook
        self._cleaner = Cleaner(place)
        self._texts = Markdown(place)
        self._language = _language(notebook.metadata)
        self.title = ""

    def parts(self) -> Iterator[str]:
        for cell in self._notebook.cells:
            kind, source = cell["cell_type"], str(cell["source"])
            if kind == "markdown":
                yield self._markdown(source, cell.get("attachments"))
            elif kind == "code":
                yield self._code(cell, source)
            else:
                yield f'<pre class="nb-raw">{escape(unmarked(source))}</pre>'

    def _markdown(self, source: str, attachments: object) -> str:
        page = self._texts.page(source, lambda name: _attached(attachments, name))
        self.title = self.title or page.title
        return "".join(page.parts)

    def _code(self, cell: Mapping[str, Any], source: str) -> str:
        count = cell.get("execution_count")
        number = f"[{count}]" if isinstance(count, int) else "[ ]"
        code = f'<pre class="nb-code"><code>{coloured(unmarked(source), self._language)}</code></pre>'
        outputs = cell.get("outputs")
        listed = outputs if isinstance(outputs, list) else []
        shown_ones = "".join(f'<div class="nb-output">{self._output(each)}</div>' for each in listed[:OUTPUTS] if isinstance(each, dict))
        more = f"<p>{word('outputs.more', str(len(listed) - OUTPUTS))}</p>" if len(listed) > OUTPUTS else ""
        return f'<div class="nb-cell"><span class="nb-count">{number}</span>{code}</div>{shown_ones}{more}'

    def _output(self, output: Mapping[str, Any]) -> str:
        kind = output.get("output_type")
        if kind == "stream":
            return _lines(_text(output.get("text")), wrong=output.get("name") == "stderr")
        if kind == "error":
            trace = output.get("traceback")
            told = "\n".join(map(str, trace)) if isinstance(trace, list) and trace else f"{output.get('ename')}: {output.get('evalue')}"
            return _lines(told, wrong=True)
        data = output.get("data")
        return self._data(data) if isinstance(data, dict) else f"<p>{word('output.unknown')}</p>"

    def _data(self, data: Mapping[str, Any]) -> str:
        """The richest form that can be shown."""
        address = next(filter(None, (_picture(media, data.get(media)) for media in _PICTURES)), None)
        if address is not None:
            return f'<img src="{address}" alt="{escape(_text(data.get("text/plain"))[:200])}">'
        media = next((media for media in ("text/html", "text/markdown", "text/latex", "text/plain") if media in data), "")
        text = unmarked(_text(data.get(media)))
        if media == "text/html":
            return self._cleaner.clean(text[: 8 * OUTPUT])
        if media == "text/markdown":
            return "".join(self._texts.page(text[:OUTPUT]).parts)
        if media == "text/latex":
            return f"<div>{formula(text.strip().strip('$'), display=True)}</div>"
        said = "output.runs" if any(each in data for each in _RUNS) else "output.unknown"
        return _lines(text) if media else f"<p>{word(said)}</p>"


def _lines(text: str, *, wrong: bool = False) -> str:
    clean = unmarked(text)
    cut = f"<p>{word('output.cut')}</p>" if len(clean) > OUTPUT else ""
    look = "nb-text nb-wrong" if wrong else "nb-text"
    return f'<pre class="{look}">{shown(clean[:OUTPUT])}</pre>{cut}'


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


def _picture(media: str, value: object) -> str | None:
    """A picture as its own address, None: it is none."""
    data = _text(value)
    return f"data:{media};base64,{''.join(data.split())}" if len(data) <= PICTURE and _BASE64.fullmatch(data) else None


def _attached(attachments: object, name: str) -> str | None:
    found = attachments.get(name) if isinstance(attachments, dict) else None
    if not isinstance(found, dict):
        return None
    return next((address for media in _PICTURES if (address := _picture(media, found.get(media))) is not None), None)


def _language(metadata: Mapping[str, Any]) -> str:
    info, spec = metadata.get("language_info"), metadata.get("kernelspec")
    for place, key in ((info, "name"), (spec, "language")):
        if isinstance(place, dict) and isinstance(place.get(key), str):
            return str(place[key])
    return "python"
