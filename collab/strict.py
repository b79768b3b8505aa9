"""What clients may put into a notebook: what is no cell is refused before it is shared, as far as its structs tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.errors import Forbidden, Malformed
from collab.formats.notebook import CELLS, SOURCE
from collab.updates import ANY, BINARY, DELETED, DOC, EMBED, GC, JSON, SKIP, TYPE, Id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collab.layout import Layout, Place
    from collab.updates import Struct

ARRAY, MAP, TEXT = range(3)
"""The first byte of a TYPE's content: the shared types of a notebook."""
DEPTH: Final = 16
"""Shared types inside each other."""
_HOME: Final = (CELLS, None)
_NO_TEXT: Final = frozenset((ANY, BINARY, DOC, EMBED, JSON, TYPE))
_NOTHING: Final = frozenset((GC, SKIP, DELETED))


def check(fresh: Iterable[Struct], added: Layout, document: Layout) -> bool:
    """Whether the structs that an update brings may need to be put right. Forbidden for what is no notebook."""
    untidy = False
    for each in fresh:
        if each.kind in _NOTHING:
            continue
        place = added.place((each.client, each.clock))
        if each.kind == DOC or (each.kind == TYPE and each.content[0] > TEXT):
            raise Forbidden("A notebook takes maps, arrays, texts and values only.")
        if place is not None:
            untidy |= _check_one(each, place, added, document)
    return untidy


def _check_one(each: Struct, place: Place, added: Layout, document: Layout) -> bool:
    parent, key = place
    if parent == CELLS:
        if key is not None or each.kind != TYPE or each.content[0] != MAP:
            raise Forbidden(f"The shared array '{CELLS}' takes cells only, each of them a map.")
        return True
    if not isinstance(parent, tuple):
        return False
    home = _home(parent, added, document)
    if each.kind == TYPE:
        _check_depth(home, added, document)
    if home == _HOME and key == SOURCE and (each.kind != TYPE or each.content[0] != TEXT):
        raise Forbidden(f"The '{SOURCE}' of a cell is a shared text.")
    if each.kind in _NO_TEXT and _is_source(home, added, document):
        raise Forbidden(f"The '{SOURCE}' of a cell takes text only.")
    return home == _HOME and key in {"id", SOURCE}


def _home(parent: Id, added: Layout, document: Layout) -> Place | None:
    """Where a type is."""
    return added.place(parent) if parent in added.types else document.place(parent)


def _is_source(home: Place | None, added: Layout, document: Layout) -> bool:
    return home is not None and home[1] == SOURCE and isinstance(home[0], tuple) and _home(home[0], added, document) == _HOME


def _check_depth(home: Place | None, added: Layout, document: Layout) -> None:
    for _ in range(DEPTH):
        if home is None or not isinstance(home[0], tuple):
            return
        home = _home(home[0], added, document)
    raise Malformed(f"Shared types that are in each other deeper than {DEPTH}.")
