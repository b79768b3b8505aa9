from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest
from serving import Served

import collab
from collab.access import Role, verify
from collab.cli import WRONG, main
from collab.wopi.tokens import Pass, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "s" * 32


@dataclass(slots=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """What a command that works prints: one line, and nothing on stderr."""
        assert (self.status, self.err) == (0, ""), self.err
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return self.out[:-1]

    @property
    def refusal(self) -> str:
        """What a command that cannot work prints: one line on stderr."""
        assert (self.status, self.out) == (WRONG, ""), self.out
        assert self.err.count("\n") == 1, self.err
        return self.err[:-1]


@dataclass(slots=True)
class Shell:
    folder: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def place(self) -> tuple[str, ...]:
        return ("--root", str(self.root), "--state", str(self.state))

    def __call__(self, *arguments: str, **variables: str) -> Answer:
        """The command in this process, which is quicker; as a process of its own it is started by `served`."""
        with self.patch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            try:
                status = main(arguments)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 0
        out, err = self.captured.readouterr()
        return Answer(status, out, err)

    def key(self) -> bytes:
        return (self.state / "secret").read_bytes()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: None) -> Shell:  # noqa: ARG001 - it is restored
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.md").write_bytes(b"a")
    for name in list(os.environ):
        if name.startswith(("COLLAB_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, monkeypatch, capsys)


@pytest.fixture
def served(shell: Shell) -> Iterator[Served]:
    served = Served(shell.root, shell.state)
    served.start()
    try:
        yield served
    finally:
        if served.process is not None:
            served.kill()


def ask(address: str, *, token: str = "", body: object = None, method: str = "GET") -> tuple[int, dict[str, object]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {**headers, "Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_the_version_is_told(shell: Shell) -> None:
    assert shell("--version").line == f"collab {collab.__version__}"
    done = subprocess.run([sys.executable, "-m", "collab", "--version"], capture_output=True, check=True)
    assert done.stdout.decode() == f"collab {collab.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "COMMAND"),
        (("fly",), "invalid choice: 'fly'"),
        (("token", "--role", "editor", "--name", "Ada"), "--document --all is required"),
        (("token", "--all", "--document", "a.md", "--role", "editor", "--name", "Ada"), "not allowed with"),
        (("token", "--all", "--name", "Ada"), "--role"),
        (("token", "--all", "--role", "admin", "--name", "Ada"), "viewer"),
        (("token", "--all", "--role", "editor"), "--name"),
        (("token", "--all", "--role", "editor", "--name", " "), "a name has 1 to 200 characters"),
        (("token", "--all", "--role", "editor", "--name", "a\nb"), "a name has 1 to 200 characters"),
        (("token", "--all", "--role", "editor", "--name", "A", "--expires", "soon"), "90s, 15m, 1h or 7d"),
        (("token", "--all", "--role", "editor", "--name", "A", "--expires", "0"), "must live for some time"),
        (("token", "--all", "--wopi", "--role", "editor", "--name", "A"), "--wopi is for one document"),
        (("token", "--document", "no.odt", "--wopi", "--role", "editor", "--name", "A"), "there is no file no.odt"),
        (("token", "--document", "a.md", "--no-put-relative", "--role", "editor", "--name", "A"), "give --wopi too"),
        (("serve", "--port", "many"), "COLLAB_PORT"),
        (("serve", "--secret", SECRET), "unrecognized arguments"),
        (("serve", "--iop-secret", SECRET), "unrecognized arguments"),
        (("login", "--role", "editor"), "give --name too"),
    ],
)
def test_a_command_that_is_wrong_says_so_in_one_line(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    place = shell.place if arguments and arguments[0] != "fly" else ()
    refusal = shell(*arguments, *place).refusal
    assert words in refusal
    assert refusal.startswith("collab")


def test_a_token_is_alone_on_its_line_and_works_before_the_first_start(shell: Shell) -> None:
    """PROC-9."""
    line = shell("token", "--document", "none.md", "--role", "viewer", "--name", "Ada ☃", "--expires", "15m", *shell.place).line
    grant = verify(line, shell.key(), now=time.time())
    assert (grant.person.name, grant.role, grant.document) == ("Ada ☃", Role.VIEWER, "none.md")
    assert grant.expires is not None
    assert 890 < grant.expires - time.time() < 902


def test_a_document_that_exists_is_named_by_its_id(shell: Shell) -> None:
    def document() -> str | None:
        line = shell("token", "--document", "a.md", "--role", "editor", "--name", "Ada", *shell.place).line
        return verify(line, shell.key(), now=time.time()).document

    first = document()
    assert first is not None
    assert first.startswith("id:")
    assert document() == first
    line = shell("token", "--document", first, "--role", "editor", "--name", "Ada", *shell.place).line
    assert verify(line, shell.key(), now=time.time()).document == first


def test_a_name_that_cannot_be_is_refused(shell: Shell) -> None:
    assert shell("token", "--document", "../a.md", "--role", "editor", "--name", "Ada", *shell.place).refusal


def wopi(shell: Shell, *more: str, **variables: str) -> tuple[str, int, Pass]:
    """Address, end in milliseconds and meaning of what an office suite is opened with."""
    told = json.loads(shell("token", "--wopi", "--document", "a.md", "--name", "Ada ☃", *shell.place, *more, **variables).line)
    assert sorted(told) == ["access_token", "access_token_ttl", "wopisrc"]
    return told["wopisrc"], told["access_token_ttl"], unseal(told["access_token"], shell.key(), now=time.time())


def test_a_token_for_an_office_suite_is_a_line_of_json(shell: Shell) -> None:
    source, ends, granted = wopi(shell, "--role", "editor", "--expires", "15m")
    assert granted.target.startswith("id:")
    assert source == f"http://127.0.0.1:8000/wopi/files/{granted.target.removeprefix('id:')}"
    assert ends == granted.expires * 1000
    assert 890 < granted.expires - time.time() < 902
    assert (granted.person.name, granted.role, granted.scope, granted.suite, granted.relative) == ("Ada ☃", Role.EDITOR, None, "", True)

    source, _, granted = wopi(shell, "--role", "viewer", "--no-put-relative", "--public-url", "https://docs.example/collab")
    assert source.startswith("https://docs.example/collab/wopi/files/")
    assert (granted.role, granted.relative) == (Role.VIEWER, False)
    source, _, _ = wopi(shell, "--role", "owner", COLLAB_WOPI_URL="http://collab:8000", COLLAB_PUBLIC_URL="https://docs.example")
    assert source.startswith("http://collab:8000/wopi/files/")


def test_a_token_for_an_office_suite_names_the_running_server(shell: Shell, served: Served) -> None:
    assert wopi(shell, "--role", "viewer")[0].startswith(f"{served.url}/wopi/files/")


def test_the_same_name_is_the_same_person(shell: Shell) -> None:
    lines = [shell("token", "--all", "--role", "editor", "--name", name, *shell.place).line for name in ("Ada", "Ada", "Ben")]
    people = [verify(line, shell.key(), now=time.time()).person for line in lines]
    assert people[0] == people[1]
    assert people[0].id != people[2].id


def test_places_come_from_variables_too_and_have_a_default(shell: Shell) -> None:
    """PROC-2."""
    arguments = ("token", "--all", "--role", "editor", "--name", "Ada")
    line = shell(*arguments, COLLAB_ROOT=str(shell.root), COLLAB_STATE=str(shell.state)).line
    assert verify(line, shell.key(), now=time.time()).document is None
    assert stat.S_IMODE((shell.state / "secret").stat().st_mode) == 0o600
    line = shell(*arguments, COLLAB_ROOT="root", XDG_STATE_HOME=str(shell.folder / "xdg")).line
    (secret,) = (shell.folder / "xdg" / "collab").glob("*/secret")
    assert verify(line, secret.read_bytes(), now=time.time()).document is None


def test_a_configured_secret_signs(shell: Shell) -> None:
    line = shell("token", "--all", "--role", "editor", "--name", "Ada", *shell.place, COLLAB_SECRET=SECRET).line
    assert verify(line, SECRET.encode(), now=time.time()).role is Role.EDITOR
    assert not (shell.state / "secret").exists()


@pytest.mark.parametrize("command", ["serve", "token", "login"])
def test_a_root_that_is_not_there_is_refused(shell: Shell, command: str) -> None:
    more = ("--all", "--role", "editor", "--name", "Ada") if command == "token" else ()
    assert "none" in shell(command, *more, "--root", str(shell.folder / "none"), "--state", str(shell.state)).refusal


def test_a_state_inside_the_root_is_refused(shell: Shell) -> None:
    """PROC-2."""
    assert "outside" in shell("serve", "--port", "0", "--root", str(shell.root), "--state", str(shell.root / "state")).refusal


def test_beyond_loopback_a_secret_must_be_configured(shell: Shell) -> None:
    """AUTH-8."""
    assert "COLLAB_SECRET must be set" in shell("serve", "--host", "0.0.0.0", "--port", "0", *shell.place).refusal
    assert "at least 32" in shell("serve", "--host", "0.0.0.0", "--port", "0", *shell.place, COLLAB_SECRET="short").refusal


def test_a_server_that_stands_is_used_by_its_printed_address(shell: Shell, served: Served) -> None:
    """AUTH-3, AUTH-9, PROC-9."""
    base, _, secret = served.address.partition("/login#")
    assert base == served.url
    status, who = ask(f"{base}/api/session", body={"secret": secret}, method="POST")
    assert (status, who["role"]) == (200, "owner")
    assert ask(f"{base}/api/session", body={"secret": secret}, method="POST")[0] == 401

    token = shell("token", "--document", "a.md", "--role", "editor", "--name", "Ada", *shell.place).line
    status, listing = ask(f"{base}/api/documents", token=token)
    assert status == 200
    assert isinstance(listing["documents"], list)
    assert [entry["path"] for entry in listing["documents"]] == ["a.md"]
    assert served.process is not None
    log = served.log.read_text()
    assert secret not in log
    assert token not in log


def test_login_prints_a_new_address_for_the_running_server(shell: Shell, served: Served) -> None:
    """AUTH-3, PROC-9."""
    line = shell("login", *shell.place).line
    base, _, secret = line.partition("/login#")
    assert base == served.url
    assert ask(f"{base}/api/session", body={"secret": secret}, method="POST")[1]["role"] == "owner"

    line = shell("login", "--name", "Ben", "--role", "viewer", "--public-url", served.url, *shell.place).line
    base, _, invitation = line.partition("/login#")
    status, who = ask(f"{base}/api/session", body={"secret": invitation}, method="POST")
    assert (status, who["name"], who["role"]) == (200, "Ben", "viewer")
    assert ask(f"{base}/api/session", body={"secret": invitation}, method="POST")[0] == 401
    token = shell("token", "--all", "--role", "viewer", "--name", "Ben", *shell.place).line
    assert ask(f"{base}/api/session", token=token)[1]["id"] == who["id"]


def test_login_without_a_server_warns_and_prints_where_it_would_be(shell: Shell) -> None:
    answer = shell("login", *shell.place, COLLAB_PORT="8123")
    assert answer.status == 0
    assert answer.out.startswith("http://127.0.0.1:8123/login#")
    assert "no server seems to run" in answer.err


def test_a_second_server_is_refused_and_told_whose_the_state_is(shell: Shell, served: Served) -> None:
    """PROC-1."""
    assert str(served.pid) in shell("serve", "--port", "0", *shell.place).refusal
    other = ("--root", str(shell.root), "--state", str(shell.folder / "other"))
    assert str(served.pid) in shell("serve", "--port", "0", *other).refusal


def test_a_port_that_is_taken_is_told(shell: Shell, served: Served, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    place = ("--root", str(tmp_path / "b"), "--state", str(tmp_path / "b-state"))
    assert str(served.port) in shell("serve", "--port", str(served.port), *place).refusal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_order(shell: Shell, served: Served, number: signal.Signals) -> None:
    process, served.process = served.process, None
    assert process is not None
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    assert process.stdout is not None
    assert process.stdout.read() == b""
    process.stdout.close()
    assert not (shell.state / "server.json").exists()


def test_audit_events_go_where_the_settings_say(shell: Shell) -> None:
    """PROC-8."""
    served = Served(shell.root, shell.state, {"COLLAB_AUDIT": str(shell.folder / "audit.jsonl"), "COLLAB_TYPO": "1"})
    served.start()
    try:
        token = shell("token", "--all", "--role", "editor", "--name", "Ada", *shell.place).line
        assert ask(f"{served.url}/api/documents", token=token, body={"path": "b.md"}, method="POST")[0] == 201
    finally:
        served.stop()
    (line,) = (shell.folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "create"
    assert "COLLAB_TYPO is set, but there is no such setting" in served.log.read_text()


def test_a_server_loads_nothing_of_what_speaks_to_neighbours_suites_and_providers_before_it_has_any() -> None:
    """What each costs is the time that every start takes."""
    dear = ("authlib", "grpc", "httpx", "joserfc", "psycopg", "redis")
    asked = f"import sys, collab.cli; print(*(name for name in {dear} if name in sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)

    assert loaded.stdout == "\n"
