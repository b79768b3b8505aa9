"""What `collab doctor` says of a server that is well, and of each way in which it can't be."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from oidc.served import SECRET, provided
from proxies import certificate, program, running
from redis_server import running as redis_running
from serving import Served, free_port, serving
from suites import fake_suite

from collab.operations import examinations
from collab.operations.doctor import STEPS, Finding, Step, Verdict, examine
from collab.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = re.compile(r"(ok|warning|failed|not tried) +([a-zA-Z ]+): (\S.*)")
OURS = "https://docs.example.org"
"""A server that a provider knows."""
PASSING = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host;"
)


@dataclass(frozen=True, slots=True)
class Report:
    status: int
    text: str

    def __getitem__(self, step: str) -> tuple[str, str]:
        """The verdict of a step, and everything that was said."""
        for line, after in zip(lines := self.text.splitlines(), [*lines[1:], ""], strict=True):
            found = LINE.fullmatch(line)
            if found is not None and found[2] == step:
                return found[1], found[3] + (f" | {after.strip()}" if after.startswith(" ") else "")
        raise KeyError(step)


def report(served: Served) -> Report:
    done = served.run("doctor")
    assert done.stderr == ""
    return Report(done.returncode, done.stdout)


@dataclass(frozen=True, slots=True)
class Fronted:
    """A server that knows itself by https://localhost:PORT; the proxy there comes from the test."""

    served: Served
    folder: Path
    port: int

    def report(self, passing: str, *, name: str = "localhost", days: int = 2) -> Report:
        """What is found behind an nginx that passes this on, with a certificate for this name."""
        certificate(self.folder, name, days=days)
        with running(nginx(self.folder, self.port, self.served.port, passing), self.folder, self.port):
            return report(self.served)


@pytest.fixture(scope="module")
def fronted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    folder, port = tmp_path_factory.mktemp("fronted"), free_port()
    environment = {
        "COLLAB_PUBLIC_URL": f"https://localhost:{port}",
        "COLLAB_TRUSTED_PROXIES": "127.0.0.1",
        "SSL_CERT_FILE": str(folder / "fullchain.pem"),
    }
    served = Served(folder / "root", folder / "state", environment, free_port())
    served.process = served.launch()
    try:
        assert served.process.stdout is not None
        assert served.process.stdout.readline().startswith(b"https://localhost:")
        yield Fronted(served, folder, port)
    finally:
        if served.process is not None:
            served.kill()


def nginx(folder: Path, port: int, upstream: int, passing: str) -> list[str]:
    stores = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    tls = f"ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem;"
    place = f"location / {{ proxy_pass http://127.0.0.1:{upstream}; {passing} proxy_set_header X-Forwarded-Proto https; }}"
    server = f"server {{ listen 127.0.0.1:{port} ssl; server_name localhost; {tls} {place} }}"
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ access_log off; {stores} {server} }}"
    )
    return [program("nginx"), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def test_a_server_that_lacks_nothing_is_told_so_step_by_step(fronted: Fronted) -> None:
    found = fronted.report(PASSING, days=90)
    assert found.status == 0, found.text
    assert [told[2] for line in found.text.splitlines() if (told := LINE.fullmatch(line))] == [step.name for step in STEPS]
    for step in ("settings", "web client", "folder", "outside changes", "state", "server", "public address", "certificate", "WebSocket"):
        assert found[step][0] == "ok", found.text
    for step in ("Redis", "provider", "office suites", "way back for suites"):
        assert found[step][0] == "not tried", found.text
    assert not [*fronted.served.root.iterdir()]


def test_a_proxy_that_holds_back_sockets_is_named(fronted: Fronted) -> None:
    found = fronted.report("proxy_set_header Host $http_host;")
    assert found.status == 1
    assert found["public address"][0] == "ok"
    assert found["certificate"][0] == "warning"
    assert found["WebSocket"][0] == "failed"
    assert "Upgrade" in found["WebSocket"][1]


def test_a_proxy_that_changes_the_host_is_named(fronted: Fronted) -> None:
    found = fronted.report("proxy_set_header Host elsewhere.example.org;")
    assert (found.status, found["public address"][0]) == (1, "failed")
    assert "another Host" in found["public address"][1]


def test_a_certificate_that_nobody_believes_is_named(fronted: Fronted) -> None:
    found = fronted.report(PASSING, name="other.example.org")
    assert found.status == 1
    assert found["certificate"][0] == "failed"
    assert "localhost" in found["certificate"][1]


def test_a_proxy_that_is_not_there_and_a_server_that_was_stopped(fronted: Fronted) -> None:
    try:
        fronted.served.stop()
        found = report(fronted.served)
    finally:
        fronted.served.process = fronted.served.launch()
        assert fronted.served.process.stdout is not None
        fronted.served.process.stdout.readline()
    assert found.status == 1
    assert found["server"] == ("not tried", "none runs on this state")
    assert [found[step][0] for step in ("public address", "certificate", "WebSocket")] == ["failed"] * 3


@dataclass(slots=True)
class Patient:
    """A folder with a state, examined in this process."""

    folder: Path

    async def __call__(self, **settings: object) -> dict[str, Finding]:
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        found: list[Finding] = []
        good = await examine(load({"root": root, "state": self.folder / "state", **settings}), found.append)
        assert good == all(each.verdict is not Verdict.BAD for each in found)
        return {each.step: each for each in found}


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


async def test_a_folder_that_is_missing_and_pages_that_were_not_built(tmp_path: Path) -> None:
    found = await Patient(tmp_path)(root=tmp_path / "none", client=tmp_path)
    assert found["folder"].verdict is Verdict.BAD
    assert "No such file" in found["folder"].detail
    assert "COLLAB_ROOT" in found["folder"].mend
    assert found["web client"].verdict is Verdict.BAD


async def test_a_setting_that_nobody_hears(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_PROT", "8001")
    found = await patient()
    assert found["settings"].verdict is Verdict.WEAK
    assert "COLLAB_PROT" in found["settings"].detail


async def test_a_state_that_others_may_read(patient: Patient) -> None:
    with serving(patient.folder) as served:
        served.stop()
    (patient.folder / "state").chmod(0o755)
    found = await patient()
    assert found["state"].verdict is Verdict.WEAK
    assert "chmod 700" in found["state"].mend


async def test_more_folders_than_may_be_watched(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/b", "c", ".hidden/d"):
        (patient.folder / "root" / name).mkdir(parents=True)
    few = patient.folder / "few"
    monkeypatch.setattr(examinations, "WATCHES", few)
    for most, verdict in (("5", Verdict.WEAK), ("6", Verdict.GOOD)):
        few.write_text(most)
        found = await patient()
        assert (found["outside changes"].verdict, found["outside changes"].detail[:9]) == (verdict, "4 folders")


async def test_a_redis_that_is_well_that_may_forget_and_that_is_away(patient: Patient) -> None:
    with redis_running() as redis:
        found = await patient(journal=redis.url)
        assert found["Redis"].verdict is Verdict.GOOD, found["Redis"]
        redis.cli("CONFIG", "SET", "appendfsync", "everysec")
        found = await patient(journal=redis.url)
        assert found["Redis"].verdict is Verdict.WEAK
        assert "everysec" in found["Redis"].detail
        redis.stop()
        found = await patient(journal=redis.url)
        assert found["Redis"].verdict is Verdict.BAD
        redis.start()


async def test_a_database_that_is_away(patient: Patient) -> None:
    found = await patient(archive=f"postgresql://nobody:hidden@127.0.0.1:{free_port()}/none")
    assert found["archive"].verdict is Verdict.BAD
    assert "hidden" not in str(found["archive"])


async def test_office_suites_that_sign_that_do_not_and_that_are_away(patient: Patient) -> None:
    with ExitStack() as stack:
        signing = stack.enter_context(fake_suite())
        found = await patient(wopi_discovery=f"Signing={signing.url}")
        assert found["office suites"].verdict is Verdict.GOOD, found["office suites"]
        assert found["way back for suites"].verdict is Verdict.WEAK
        silent = stack.enter_context(fake_suite("onlyoffice", signs=False))
        found = await patient(wopi_discovery=f"Signing={signing.url},Silent={silent.url}")
        assert found["office suites"].verdict is Verdict.WEAK
        assert "Silent" in found["office suites"].detail
        found = await patient(wopi_discovery=f"Away=http://127.0.0.1:{free_port()}")
        assert found["office suites"].verdict is Verdict.BAD


async def test_a_provider_that_knows_this_server_one_that_does_not_and_one_that_is_away(patient: Patient) -> None:
    with provided(OURS) as provider:
        known = {"public_url": OURS, "oidc_issuer": provider.issuer, "oidc_client_id": "collab", "oidc_client_secret": SECRET}
        well = (await patient(**known))["provider"]
        assert well.verdict is Verdict.GOOD, well
        assert well.detail == (
            f"{provider.issuer} answers, with keys, and knows this server; there this server's redirect address must be {OURS}/login/oidc/callback"
        )
        public = (await patient(**(known | {"oidc_client_id": "public", "oidc_client_secret": None})))["provider"]
        assert public.verdict is Verdict.WEAK, public
        assert "COLLAB_OIDC_CLIENT_SECRET" in public.mend
        for wrong, told in (
            ({"oidc_client_secret": "another"}, "refuses this server: invalid_client; see COLLAB_OIDC_CLIENT_ID and _SECRET"),
            ({"oidc_client_id": "nobody"}, "refuses this server: invalid_client; see COLLAB_OIDC_CLIENT_ID and _SECRET"),
            ({"oidc_client_secret": None}, "refuses this server: invalid_client; see COLLAB_OIDC_CLIENT_ID and _SECRET"),
            (
                {"oidc_issuer": provider.issuer + "/"},
                f"it calls itself '{provider.issuer}': COLLAB_OIDC_ISSUER must be that, to the letter",
            ),
        ):
            found = (await patient(**(known | wrong)))["provider"]
            assert found.verdict is Verdict.BAD, found
            assert told in found.detail
            assert SECRET not in str(found)
        provider.tell(mode="ill")
        ill = (await patient(**known))["provider"]
        assert (ill.verdict, "it answers 503" in ill.detail) == (Verdict.BAD, True), ill
    away = (await patient(**known))["provider"]
    assert away.verdict is Verdict.BAD
    assert "it cannot be reached" in away.detail
    assert "COLLAB_OIDC_ISSUER" in away.mend


async def test_a_step_that_never_ends_and_one_that_breaks_do_not_hold_up_the_others(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> str:
        await asyncio.Event().wait()
        return ""

    async def broken(_: object) -> str:
        raise OSError(5, "Input/output error")

    async def well(_: object) -> str:
        return "well"

    monkeypatch.setattr("collab.operations.doctor.PATIENCE", 0.01)
    found: list[Finding] = []
    steps = [Step("one", never, "mend one"), Step("two", broken, "mend two"), Step("three", well, "")]
    assert not await examine(load({"root": patient.folder}), found.append, steps)
    assert [each.verdict for each in found] == [Verdict.BAD, Verdict.BAD, Verdict.GOOD]
    assert str(found[1]) == "failed     two: Input/output error\n           mend two"
