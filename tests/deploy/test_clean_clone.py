"""A clone on a bare machine: the README's first command serves, and the package brings its pages along."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import httpx
import pytest
from checkout import ROOT, files
from scale import scale
from serving import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SECONDS = 300.0
PAGES = {"collab/web/client/index.html", "collab/web/client/edit.html", "collab/web/client/login.html"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would give, without anything that was built or installed."""
    folder = tmp_path_factory.mktemp("clone")
    for path in files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a person who has neither settings nor an active environment."""
    ours = ("COLLAB_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "ROOT", "PORT", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if not part.startswith(sys.prefix))
    return kept | {"PATH": path, "XDG_STATE_HOME": str(tmp_path_factory.mktemp("states"))}


@pytest.fixture(scope="module")
def address(clone: Path, environment: dict[str, str]) -> Iterator[str]:
    """What `make serve` prints, in the clone, while it serves."""
    command = ["make", "serve", f"PORT={free_port()}"]
    with subprocess.Popen(command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as make:
        assert make.stdout is not None
        assert make.stderr is not None
        try:
            printed = make.stdout.readline()
            assert printed, make.stderr.read()
            yield printed.strip()
        finally:
            make.send_signal(signal.SIGTERM)
            make.communicate(timeout=60)


def test_the_first_command_prints_one_address_that_signs_in(address: str) -> None:
    """AUTH-3."""
    base, _, secret = address.partition("/login#")

    answer = httpx.post(f"{base}/api/session", json={"secret": secret}, headers={"Origin": base}, trust_env=False, timeout=60)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", base)
    assert answer.status_code == 200


def test_the_first_command_makes_a_welcome_document(address: str, clone: Path) -> None:
    assert address
    assert [path.name for path in (clone / "documents").iterdir()] == ["welcome.md"]
    assert (clone / "documents" / "welcome.md").read_text() == (ROOT / "docs" / "tutorial" / "welcome.md").read_text()


def test_the_first_command_serves_built_pages(address: str) -> None:
    page = httpx.get(f"{address.partition('#')[0]}", trust_env=False, timeout=60)
    parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)

    assert parts
    assert {httpx.get(httpx.URL(address).join(part), trust_env=False, timeout=60).status_code for part in parts} == {200}


def test_a_wheel_builds_the_pages_that_it_holds(clone: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """With the libraries that the first command installed; at full scale it installs them itself, as in a folder where nothing was made."""
    shutil.rmtree(clone / "collab" / "web" / "client", ignore_errors=True)
    if scale(0, 1):
        shutil.rmtree(clone / "static" / "node_modules", ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(clone)]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert set(wheel.namelist()) >= {*PAGES, "collab/archive/migrations/env.py", "collab/archive/migrations/versions/first.py"}
        assert not [name for name in wheel.namelist() if name.startswith(("static/", "tests/")) or "node_modules" in name]


def test_without_npm_a_wheel_says_what_to_install(clone: Path, environment: dict[str, str], tmp_path: Path) -> None:
    shutil.rmtree(clone / "collab" / "web" / "client", ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(clone)]

    done = subprocess.run(command, env=environment | {"PATH": ""}, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert done.returncode != 0
    assert "install Node 20 or newer" in done.stderr


def test_the_procfile_starts_the_same(clone: Path) -> None:
    assert (clone / "Procfile").read_text() == "web: make --silent serve\n"
