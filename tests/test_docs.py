"""The documentation is complete, its links lead somewhere, and nothing in the checkout speaks of the machine it was made on."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import re
import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from checkout import ROOT, below, files, text

import collab
from collab import cli
from collab.errors import CollabError
from collab.runtime.metrics import Metrics
from collab.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = ROOT / "docs" / "reference"
RULE = r"\b(?:WIRE|SYNC|ID|JOURNAL|SAVE|FILE|TEXT|AUTH|HTTP|PROC|REDIS|LIMIT|WOPI|CS3|META|FOLDER)-\d+\b"
RULE = r"\b(?:WIRE|SYNC|ID|JOURNAL|SAVE|FILE|TEXT|AUTH|HTTP|PROC|REDIS|LIMIT|SIGN|WOPI|CS3|META)-\d+\b"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
MARKDOWN = [path for path in files() if path.suffix == ".md" and not path.is_relative_to(ROOT / "tests")]


def rules() -> list[str]:
    return re.findall(rf"^- \*\*({RULE})\*\* ", text(REFERENCE / "rules.md"), re.MULTILINE)


def cited(folder: str) -> dict[str, set[Path]]:
    """Each rule that is named in the folder, with the files that name it; lists of rules like this file's own do not count."""
    found: dict[str, set[Path]] = {}
    for path in below(folder, ".py", ".mjs", ".js", ".ts"):
        if path != Path(__file__):
            for rule in re.findall(RULE, text(path)):
                found.setdefault(rule, set()).add(path)
    return found


def test_each_rule_has_a_number_of_its_own() -> None:
    assert len(rules()) == len(set(rules()))


def test_the_numbers_of_a_group_run_without_a_hole() -> None:
    groups: dict[str, list[int]] = {}
    for rule in rules():
        group, _, number = rule.partition("-")
        groups.setdefault(group, []).append(int(number))

    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in groups.values()), groups


def test_each_rule_is_cited_by_a_test() -> None:
    assert sorted(set(rules()) - cited("tests").keys(), key=rules().index) == []


@pytest.mark.parametrize("folder", ["tests", "collab", "static", "docs"])
def test_no_rule_is_cited_that_does_not_exist(folder: str) -> None:
    in_docs = {rule for path in MARKDOWN for rule in re.findall(RULE, text(path))} if folder == "docs" else set()

    assert (cited(folder).keys() | in_docs) - set(rules()) == set()


def anchors(path: Path) -> set[str]:
    """The fragments that a Markdown file's headings have on code hosts."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(path: Path) -> Iterator[tuple[Path, str]]:
    for target in LINK.findall(FENCE.sub("", text(path))):
        if not re.match(r"[a-z]+:", target):
            name, _, fragment = target.partition("#")
            yield (path.parent / unquote(name) if name else path), fragment


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_relative_link_leads_somewhere(path: Path) -> None:
    broken = [
        str(target) for target, fragment in links(path) if not target.exists() or (fragment and fragment not in anchors(target.resolve()))
    ]

    assert broken == []


def test_each_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {target.resolve() for target, _ in links(index)} | {index}
    # What a page shows or hands out needs no line of its own in the index.
    own = {target.resolve() for page in linked for target, _ in links(page)} | {ROOT / "docs" / "tutorial" / "welcome.md"}

    assert set(below("docs")) - linked - own == set()


def test_each_part_of_the_package_is_in_the_architecture() -> None:
    page = text(ROOT / "docs" / "explanation" / "architecture.md")
    parts = {path.relative_to(ROOT / "collab").parts for path in below("collab", ".py")} - {("__init__.py",)}

    assert {part[0] + ("/" if len(part) > 1 else "") for part in parts if f"`{part[0]}{'/' if len(part) > 1 else ''}`" not in page} == set()


def rows(path: Path, name: str) -> dict[str, list[str]]:
    """The rows of the tables of a page whose first cell is code that begins as `name`: the code, and the other cells."""
    found = re.findall(rf"^\| `({name}[^`]*)` \|(.*)\|$", text(path), re.MULTILINE)
    return {code: [cell.strip() for cell in rest.split("|")] for code, rest in found}


def test_each_setting_is_in_the_reference_and_no_other() -> None:
    documented = rows(REFERENCE / "settings.md", "COLLAB_")

    assert sorted(documented) == sorted(f"COLLAB_{name.upper()}" for name in Settings.model_fields)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_reference_tells_the_default_of_each_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [each for each in os.environ if each.startswith("COLLAB_")]:
        monkeypatch.delenv(variable)
    told = rows(REFERENCE / "settings.md", "COLLAB_")[f"COLLAB_{name.upper()}"][0].strip("`")
    default = getattr(Settings(), name)

    if told:
        monkeypatch.setenv(f"COLLAB_{name.upper()}", told)
        assert getattr(Settings(), name) == default
    else:
        assert default in {None, "", ()}


def test_each_metric_is_in_the_reference_and_no_other() -> None:
    metrics = Metrics()
    exported = {family.name + ("_total" if family.type == "counter" else "") for family in metrics.collect()}

    assert {name.partition("{")[0] for name in rows(REFERENCE / "metrics.md", "collab_")} == exported


for _module in pkgutil.walk_packages(collab.__path__, "collab."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)


def flags() -> dict[str, set[str]]:
    """Each command with its flags that are no settings."""
    parsers = next(action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)).choices
    settings = {"--" + name.replace("_", "-") for name in Settings.model_fields} | {"-h", "--help"}
    return {command: _flags(parser) - settings for command, parser in parsers.items()}


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    """Those of a command, and of the commands below it."""
    below = [each for action in parser._actions if isinstance(action, argparse._SubParsersAction) for each in action.choices.values()]
    return {flag for action in parser._actions for flag in action.option_strings}.union(*map(_flags, below))


def test_each_command_and_its_flags_are_in_the_reference_and_no_other() -> None:
    _, *sections = re.split(r"^## `collab ", text(REFERENCE / "cli.md"), flags=re.MULTILINE)
    told = {
        section.partition("`")[0]: set(re.findall(r"^\| `(--[a-z-]+)`", section, re.MULTILINE)) - {"--public-url"} for section in sections
    }
    told.pop("--version")

    assert told == flags()


def errors(kind: type[CollabError] = CollabError) -> Iterator[type[CollabError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from errors(each)


@pytest.mark.parametrize("error", sorted(set(errors()), key=str), ids=str)
def test_each_error_stands_in_the_tables_of_close_codes_and_statuses(error: type[CollabError]) -> None:
    closes = re.findall(r"^\| ([0-9, ]+) \|(.*)$", text(REFERENCE / "protocol.md"), re.MULTILINE)
    statuses = re.findall(r"^\| (\d+) \|(.*)$", text(REFERENCE / "http-api.md"), re.MULTILINE)

    assert any(str(error.close_code) in codes and f"`{error.reason}`" in row for codes, row in closes)
    # What only frames can be wrong in is no HTTP.
    assert error.__module__ == "collab.frames" or any(
        str(error.status) == status and f"`{error.reason}`" in row for status, row in statuses
    )


def project() -> dict[str, list[str]]:
    pyproject = tomllib.loads(text(ROOT / "pyproject.toml"))
    return {
        "build": pyproject["build-system"]["requires"],
        "project": pyproject["project"]["dependencies"],
        **pyproject["project"]["optional-dependencies"],
        **pyproject.get("dependency-groups", {}),
    }


def packages() -> set[str]:
    """Everything that the project names as a dependency, in Python and in npm."""
    python = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for group in project().values() for line in group}
    npm: set[str] = set()
    for path in files():
        if path.name == "package.json":
            package = json.loads(text(path))
            for name, version in (package.get("dependencies", {}) | package.get("devDependencies", {})).items():
                alias = re.fullmatch(r"npm:(.+)@[^@]+", version)
                npm.add(alias[1] if alias else name)
    return python | npm


def test_each_dependency_has_its_line() -> None:
    page = text(ROOT / "docs" / "explanation" / "dependencies.md")

    assert {name for name in packages() if f"`{name}`" not in page} == set()


def test_no_line_is_about_a_dependency_that_is_gone() -> None:
    page = text(ROOT / "docs" / "explanation" / "dependencies.md")
    lines = re.findall(r"^- `([^`]+)`:", page, re.MULTILINE)

    assert set(lines) - packages() == set()


def test_lock_files_have_no_addresses() -> None:
    locks = [path for path in files() if path.name == "package-lock.json"]

    assert locks
    assert [str(path) for path in locks if '"resolved"' in text(path)] == []


def hosts() -> set[str]:
    """The names of this machine and of the package indexes that it is set up with, except the public ones."""
    configured = " ".join(value for name, value in os.environ.items() if re.search("INDEX|REGISTRY|PROXY", name, re.IGNORECASE))
    indexes = set(re.findall(r"//(?:[^@/\s]*@)?([\w.-]+)", configured)) - {"pypi.org", "registry.npmjs.org", "localhost", "127.0.0.1"}
    own = socket.gethostname()
    return indexes | ({own} if len(own) > 7 and own != "localhost" else set())


@pytest.mark.parametrize(
    "trace",
    [
        re.escape(str(ROOT) + "/"),
        r"(?<![\w.])/(?:work|farm|root)/",
        r"https?://(?:registry|files|deb|security)\.[a-z.-]+",
        *map(re.escape, sorted(hosts())),
    ],
)
def test_nothing_tells_on_which_machine_it_was_made(trace: str) -> None:
    pattern = re.compile(trace)

    assert [str(path) for path in files() if path != Path(__file__) and pattern.search(text(path))] == []
