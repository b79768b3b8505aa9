"""Notebooks: bytes to what is shared and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notebooks import cell, notebook
from notebooks import sources as sources_of
from scale import scale

from collab.errors import NotText, TooLarge
from collab.formats.bodies import readable
from collab.formats.notebook import Notebook, NotebookForm, decode
from collab.session import Limits

LIMIT = 2**20
EXAMPLES = settings(max_examples=scale(40, 5_000), deadline=None, derandomize=True)

PLAIN = notebook(
    cell("# Überschrift\ntext", "title", "markdown"),
    cell("x = 1\ny = 2", "first", outputs=[{"output_type": "stream", "name": "stdout", "text": "1\n2\n"}], execution_count=3),
    kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["a\nb\n", "\n", "x\x0cy\n", "é\u2028z", "\\/"])
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([1.0, -0.0, 1e-5, 1e22]) | texts
values = st.recursive(scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3), max_leaves=6)
objects = st.dictionaries(texts, values, max_size=3)
sources = texts | st.lists(texts, max_size=3)
outputs = st.fixed_dictionaries({"output_type": st.just("stream"), "name": st.just("stdout"), "text": sources}) | st.fixed_dictionaries(
    {
        "output_type": st.just("display_data"),
        "data": objects,
        "metadata": objects,
    }
)
ids = st.text("abcXYZ-_09", min_size=1, max_size=8)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": sources},
    optional={
        "id": ids,
        "metadata": objects,
        "outputs": st.lists(outputs, max_size=2),
        "execution_count": st.none() | st.integers(0, 99),
        "attachments": objects,
    },
)
notebooks = st.fixed_dictionaries(
    {"cells": st.lists(cells, max_size=4), "nbformat": st.just(4), "nbformat_minor": st.integers(0, 5)},
    optional={"metadata": objects, "other": values},
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file as some program may write it."""
    value = draw(notebooks)
    if draw(st.booleans()):
        value = dict(reversed(list(value.items())))
    indent = draw(st.sampled_from([None, 1, 2, "\t"]))
    separators = draw(st.sampled_from([None, (",", ":"), (",", " : "), (", ", ": ")]))
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()), sort_keys=draw(st.booleans()))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(["", "\ufeff", "\n"])) + text + draw(st.sampled_from(["", "\n", "  \r\n"]))


def read(text: str) -> tuple[Notebook, NotebookForm]:
    found, form = decode(text.encode(), LIMIT)
    return found, NotebookForm.from_json(json.loads(json.dumps(form.to_json())))


@EXAMPLES
@given(files())
def test_every_notebook_comes_back_byte_for_byte(text: str) -> None:
    """NOTEBOOK-2."""
    found, form = read(text)
    assert form.encode(found) == text.encode()


@EXAMPLES
@given(files(), st.data())
def test_an_edit_of_one_cell_leaves_the_others_as_they_were_written(text: str, data: st.DataObject) -> None:
    """NOTEBOOK-2."""
    found, form = read(text)
    if not found.cells:
        return
    place = data.draw(st.integers(0, len(found.cells) - 1))
    changed = [{**each, "source": "changed"} if number == place else each for number, each in enumerate(found.cells)]
    after = form.encode(Notebook(changed, found.metadata, found.minor, found.named)).decode()
    old, new = json.loads(text.lstrip("\ufeff")), json.loads(after.lstrip("\ufeff"))
    assert "".join(new["cells"][place].pop("source")) == "changed"
    old["cells"][place].pop("source")
    if not found.named or (all("id" in each for each in old["cells"]) and len({each["id"] for each in old["cells"]}) == len(old["cells"])):
        assert json.dumps(new, sort_keys=True) == json.dumps(old, sort_keys=True)
    again, _ = read(after)
    assert [each["source"] for each in again.cells] == [each["source"] for each in changed]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("as Jupyter writes it", lambda text: text),
        ("keys in another order", lambda text: json.dumps({key: json.loads(text)[key] for key in ("nbformat", "nbformat_minor", "metadata", "cells")}, indent=2)),
        ("in one line", lambda text: json.dumps(json.loads(text))),
        ("without any space", lambda text: json.dumps(json.loads(text), separators=(",", ":"))),
        ("Windows' line ends", lambda text: text.replace("\n", "\r\n")),
        ("tabs", lambda text: json.dumps(json.loads(text), indent="\t", ensure_ascii=False)),
        ("spaced by hand", lambda text: text.replace('"cells": [', '"cells" : [ ').replace('"metadata": {}', '"metadata": { }')),
        ("unknown members", lambda text: text.replace('"nbformat": 4', '"mine": {"b": 1.50, "a": [ ]},\n "nbformat": 4')),
    ],
)  # fmt: skip
def test_only_the_lines_of_the_cell_that_was_edited_change(what: str, change: Any) -> None:
    """NOTEBOOK-2: a `git diff` shows one line."""
    text = change(PLAIN)
    found, form = read(text)
    assert form.whole is None, what
    edited = [{**each, "source": each["source"].replace("y = 2", "y = 3")} for each in found.cells]
    assert form.encode(Notebook(edited, found.metadata, found.minor)).decode() == text.replace("y = 2", "y = 3"), what


@pytest.mark.parametrize("digits", ["1.0", "1e-5", "1E400", "-0.0", "12345678901234567890123", "0.10", "NaN", "-Infinity"])
def test_numbers_keep_their_digits(digits: str) -> None:
    """NOTEBOOK-2."""
    text = PLAIN.replace('"language": "python"', f'"language": [{digits}]')
    found, form = read(text)
    edited = [{**each, "source": "new"} for each in found.cells]
    assert f"[{digits}]" in form.encode(Notebook(edited, found.metadata, found.minor)).decode()


def test_an_older_notebook_gets_no_ids() -> None:
    """NOTEBOOK-2."""
    text = notebook(cell("a"), cell("b"), minor=4)
    found, form = read(text)
    assert len({each["id"] for each in found.cells}) == 2
    more = [*found.cells, cell("c", "new")]
    after = form.encode(Notebook(more, found.metadata, found.minor)).decode()
    assert after == notebook(cell("a"), cell("b"), cell("c"), minor=4)
    assert sources_of(after) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"cells": 1, "nbformat": 4}',
        '{"worksheets": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}',
        '{"cells": [], "nbformat": 5, "nbformat_minor": 0, "metadata": {}}',
        '{"cells": [{"cell_type": "code"}], "nbformat": 4}',
        '{"cells": [3], "nbformat": 4}',
        '{"cells": [], "nbformat": 4} x',
        '{"cells": [], "nbformat": 4, "metadata": ' + "[" * 40 + "]" * 40 + "}",
        PLAIN.replace('"cells": [', '"cells": [\n<<<<<<< ours'),
    ],
)
def test_what_is_no_notebook_says_why(text: str) -> None:
    """NOTEBOOK-1."""
    with pytest.raises(NotText, match=r"it is|its values"):
        decode(text.encode(), LIMIT)


def test_a_notebook_over_its_limit_is_refused() -> None:
    """LIMIT-1."""
    with pytest.raises(TooLarge):
        decode(PLAIN.encode(), 100)


def test_people_read_sources_under_headings() -> None:
    """NOTEBOOK-7."""
    assert (
        readable(PLAIN.encode(), "application/x-ipynb+json", Limits())
        == "## 1 markdown\n\n# Überschrift\ntext\n\n## 2 code\n\nx = 1\ny = 2\n"
    )
    assert readable(b"{broken", "application/x-ipynb+json", Limits()) == "{broken"
