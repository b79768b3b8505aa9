"""Microsoft's WOPI validator, its test cases run over HTTP by a program beside the checkout, in the three configurations that reach all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from checkout import ROOT
from serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALIDATOR = ROOT.parent / "shared" / "wopi-validator"
"""Not ours to copy: without it the tests of `tests/web/test_wopi.py` say the same in our words."""

DOCUMENT = "folder/test.wopitest"
"""Not in the root, which has no other name."""

pytestmark = pytest.mark.skipif(not VALIDATOR.is_dir(), reason="the validator is not beside this checkout")


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the server is set up, and what of the cases is for others."""

    settings: dict[str, str]
    token: tuple[str, ...]
    others: frozenset[str]
    """Prerequisites that are not met here: the cases behind them are reached in another configuration."""


ALL_FILES = frozenset({"UserCanNotWriteRelativePrereq", "ContainersUnsupportedPrereq"})
CONFIGURATIONS = {
    "containers": Configuration({}, (), ALL_FILES),
    "no new files": Configuration({}, ("--no-put-relative",), frozenset({"UserCanWriteRelativePrereq", "ContainersUnsupportedPrereq"})),
    "no containers": Configuration(
        {"COLLAB_WOPI_CONTAINERS": "false"}, (), frozenset({"ContainersPrereq", "UserCanNotWriteRelativePrereq"})
    ),
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library calls it so
        pass


@contextmanager
def discovery(folder: Path) -> Iterator[str]:
    """The address of the folder's discovery."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}/discovery.xml"
        finally:
            served.shutdown()
            thread.join()


def validated(folder: Path, configuration: Configuration, *, signed: bool) -> list[dict[str, Any]]:
    """What became of each case."""
    program = [sys.executable, str(VALIDATOR / "wopi_validator.py")]
    subprocess.run([*program, "--gen-proof", str(folder / "proof")], check=True, timeout=60)
    with discovery(folder / "proof") as address:
        settings = configuration.settings | ({"COLLAB_WOPI_DISCOVERY": address} if signed else {})
        with serving(folder, **settings) as server:
            server.write(DOCUMENT, "to be validated")
            made = server.run("token", "--wopi", "--document", DOCUMENT, "--role", "editor", "--name", "Ann", *configuration.token)
            opened = json.loads(made.stdout)
            asked = ["--wopi-src", opened["wopisrc"], "--token", opened["access_token"], "--token-ttl", str(opened["access_token_ttl"])]
            told = ["--testcases", str(VALIDATOR / "TestCases.xml"), "--json", str(folder / "out.json")]
            more = ["--proof-dir", str(folder / "proof")] if signed else []
            run = subprocess.run([*program, *told, *asked, *more], capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    results: list[dict[str, Any]] = json.loads((folder / "out.json").read_bytes())["results"]
    return results


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_nothing_fails_and_nothing_is_skipped_that_the_configuration_reaches(tmp_path: Path, name: str, signed: bool) -> None:
    """WOPI-2, WOPI-5."""
    results = validated(tmp_path, CONFIGURATIONS[name], signed=signed)
    assert {each["status"] for each in results} <= {"PASS", "SKIP"}
    skipped = {f"{each['prereq']} {each['name']}" for each in results if each["status"] == "SKIP"}
    assert {each for each in skipped if each.split()[0] not in CONFIGURATIONS[name].others} == set()
    assert len(results) - len(skipped) > 40


def test_each_case_is_reached_in_some_configuration() -> None:
    """What one leaves to the others, another one does not leave."""
    assert frozenset.intersection(*(each.others for each in CONFIGURATIONS.values())) == frozenset()
