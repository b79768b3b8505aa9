"""The shape of the house: what may be imported where, and how large and how named things are. Arrows are import-linter's."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest
from checkout import ROOT, below, files, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = below("collab", ".py")
SHELL = {"__main__.py", "cli.py", "settings.py"}
"""The files directly in `collab/` that put things together or read the environment."""
PURE = [path for path in MODULES if path.parent == ROOT / "collab" and path.name not in SHELL] + below("collab/formats", ".py")
OUTSIDE = {
    "asyncio",
    "concurrent",
    "datetime",
    "fcntl",
    "grpc",
    "httptools",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "prometheus_client",
    "pydantic_settings",
    "random",
    "redis",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "starlette",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
    "uvicorn",
    "uvloop",
    "websockets",
}
"""Modules of I/O, clocks, chance and environment."""
DOORS = {
    "argon2": {"collab/state/passwords.py"},
    "authlib": {"collab/oidc"},
    "cryptography": {"collab/state/sealing.py", "collab/wopi"},
    "cs3": {"collab/gateway"},
    "google": {"collab/gateway"},
    "grpc": {"collab/gateway"},
    "httpx": {"collab/gateway", "collab/oidc", "collab/wopi"},
    "joserfc": {"collab/oidc"},
    "inotify_simple": {"collab/storage/local_watch.py"},
    "jupyter_ydoc": {"collab/formats/cells.py"},
    "pycrdt": {"collab/authorship.py", "collab/document.py", "collab/formats/cells.py", "collab/formats/moved.py"},
    "redis": {"collab/redis"},
    "sqlite3": {"collab/state/database.py"},
    "starlette": {"collab/app", "collab/cluster/passing.py", "collab/web"},
    "uvicorn": {"collab/web"},
    "websockets": {"collab/web"},
}
"""Libraries that few may know, and who: files, or folders with all that is in them."""
SCREEN = 60
"""Lines. One function in a hundred, such as a plain list of wirings, may be longer; none twice as long."""
EMPTY_WORDS = ("Manager", "Handler", "Helper", "Utils", "Util")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


@cache
def imports(path: Path) -> set[str]:
    """The top names of everything that a module imports, also for types only."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_each_imported_library_is_declared() -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {_plain(re.split(r"[<>=!~\[; ]", line)[0]) for line in lines}
    # What settings are made with: pydantic-settings is nothing without it.
    declared.add("pydantic")
    imported = set().union(*map(imports, MODULES)) - set(sys.stdlib_module_names) - {"collab"}
    sources = packages_distributions()

    assert {library for library in imported if not declared & {_plain(source) for source in sources.get(library, [library])}} == set()


def _plain(name: str) -> str:
    """The name of a distribution as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", PURE, ids=name)
def test_a_file_directly_in_collab_does_no_io(path: Path) -> None:
    assert imports(path) & OUTSIDE == set()


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_known_behind_its_door_only(library: str) -> None:
    knowing = {name(path) for path in MODULES if library in imports(path)}

    assert {each for each in knowing if not any(each == door or each.startswith(door + "/") for door in DOORS[library])} == set()


def test_functions_fit_a_screen() -> None:
    lengths = {f"{name(path)}:{each.name}": (each.end_lineno or 0) - each.lineno + 1 for path in MODULES for each in functions(path)}
    long = [function for function, lines in lengths.items() if lines > SCREEN]

    assert len(long) * 100 <= len(lengths), long
    assert max(lengths.values()) <= 2 * SCREEN


def test_names_are_nouns_for_things() -> None:
    classes = [node.name for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    stems = [path.stem for path in MODULES]

    assert [each for each in classes if each.endswith(EMPTY_WORDS)] == []
    assert [each for each in stems if each in {"utils", "util", "helpers", "helper", "misc", "common"}] == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__main__.py"], ids=name)
def test_each_module_says_in_its_first_line_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_a_test_beside_the_mirror_stands_where_its_module_does() -> None:
    apart = {"bench", "contract", "deploy", "e2e", "interop", "process", "sim"}
    about_all = {"test_docs.py", "test_house.py", "test_notebooks.py"}
    mirror = [
        path for path in below("tests", ".py") if path.name.startswith("test_") and path.relative_to(ROOT / "tests").parts[0] not in apart
    ]
    lost = [
        name(path)
        for path in mirror
        if path.name not in about_all
        and not (ROOT / "collab" / path.relative_to(ROOT / "tests").parent / path.name.removeprefix("test_")).exists()
        and not (ROOT / "collab" / path.relative_to(ROOT / "tests").parent / path.stem.removeprefix("test_")).is_dir()
        and path.stem.removeprefix("test_") != path.parent.name
    ]

    assert lost == []


def test_nothing_that_was_built_or_fetched_is_tracked() -> None:
    built = [
        path
        for path in files()
        if {"node_modules", "client"} & set(path.relative_to(ROOT).parts[:-1]) or path.name.endswith((".min.js", ".whl"))
    ]

    assert [name(path) for path in built] == []


def test_no_file_is_too_large_to_read() -> None:
    assert [name(path) for path in files() if path.stat().st_size > 1 << 20] == []


def test_no_wait_of_a_page_takes_a_promise_for_a_yes() -> None:
    """`wait_for_function` does not wait for the answer of an async function: it is over at once. `comes_true` waits."""
    waits = re.compile(r"wait_for_function\(\s*[frb]*[\"']+\s*(async\b|fetch\(|new Promise|\(\) => new Promise)")

    assert [name(path) for path in (ROOT / "tests").rglob("*.py") if waits.search(path.read_text(encoding="utf-8"))] == []
