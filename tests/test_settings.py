from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import pytest

from collab.settings import MIB, Misconfigured, Settings, Suite, is_loopback, load, seconds, size, unknown

SECRET = "s" * 32


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("COLLAB_"):
            monkeypatch.delenv(name)


def refusal(**flags: object) -> str:
    with pytest.raises(Misconfigured) as refused:
        load(flags)
    words = str(refused.value)
    assert "\n" not in words
    return words


def test_every_setting_says_what_it_is_and_has_a_default() -> None:
    assert load().port == 8000
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90", 90), (90, 90), (1.5, 1.5), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604800), ("0.5", 0.5), (" 2 s ", 2), ("0", 0)],
)
def test_a_duration_is_written_in_seconds_or_with_its_unit(written: object, meant: float) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize("written", ["", "1w", "-1", "1h30m", "h", "soon", True, None, "1e3", "inf", "nan", "٣"])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="90s, 15m, 1h or 7d"):
        seconds(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("500", 500), (500, 500), ("64KiB", 65536), ("16 MiB", 16 * MIB), ("1GiB", 1 << 30), ("7B", 7)]
)
def test_a_size_is_written_in_bytes_or_with_its_unit(written: object, meant: int) -> None:
    assert size(written) == meant


@pytest.mark.parametrize("written", ["", "1.5MiB", "1MB", "-1", "much", False, None])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="64KiB, 16MiB or 1GiB"):
        size(written)


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "collab.toml"
    file.write_text('port = 1\nhost = "localhost"\ndrain = "5s"\n')
    monkeypatch.setenv("COLLAB_CONFIG", str(file))
    monkeypatch.setenv("COLLAB_PORT", "2")
    monkeypatch.setenv("COLLAB_DRAIN", "3")
    settings = load({"drain": "4", "root": None})
    assert (settings.port, settings.host, settings.drain) == (2, "localhost", 4.0)
    assert settings.root == Path("documents")


def test_the_flag_config_wins_over_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.toml").write_text("port = 1\n")
    (tmp_path / "two.toml").write_text("port = 2\n")
    monkeypatch.setenv("COLLAB_CONFIG", str(tmp_path / "one.toml"))
    assert load().port == 1
    assert load({"config": tmp_path / "two.toml"}).port == 2


def test_a_file_that_is_not_there_or_no_toml_is_refused_in_words(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(config=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("port = ")
    assert "is not TOML" in refusal(config=tmp_path / "bad.toml")
    (tmp_path / "latin.toml").write_bytes(b"host = '\xe9'")
    assert "is not TOML" in refusal(config=tmp_path / "latin.toml")


def test_a_key_of_the_file_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("prot = 1\n")
    assert refusal(config=tmp_path / "c.toml") == "prot: there is no such setting; see docs/reference/settings.md"


def test_lists_are_written_with_commas_or_spaces_or_as_toml_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    monkeypatch.setenv("COLLAB_ALLOWED_HOSTS", "a.example b.example")
    (tmp_path / "c.toml").write_text('allowed_origins = ["https://a.example:443", "http://b.example:81"]\n')
    settings = load({"config": tmp_path / "c.toml"})
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"))
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.allowed_origins == ("https://a.example", "http://b.example:81")
    assert load({"frame_ancestors": "https://A.example/ http://[::1]:81"}).frame_ancestors == ("https://a.example", "http://[::1]:81")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_on_loopback_no_secret_is_needed(host: str) -> None:
    assert is_loopback(host)
    assert load({"host": host}).secret is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "docs.example", "localhost.example"])
def test_beyond_loopback_a_secret_must_be_set(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTH-8."""
    assert not is_loopback(host)
    words = refusal(host=host)
    assert "COLLAB_SECRET must be set" in words
    assert "127.0.0.1" in words
    monkeypatch.setenv("COLLAB_SECRET", SECRET)
    assert load({"host": host}).host == host


def test_an_empty_secret_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_SECRET", "")
    assert "COLLAB_SECRET must be set" in refusal(host="0.0.0.0")


def test_a_short_secret_is_refused_and_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_SECRET", "tooshort")
    words = refusal()
    assert "at least 32 characters" in words
    assert "tooshort" not in words
    monkeypatch.setenv("COLLAB_SECRET", SECRET)
    assert SECRET not in repr(load())
    assert SECRET not in refusal(port="x")


@pytest.mark.parametrize(
    ("given", "kept", "prefix"),
    [
        ("", "", ""),
        ("https://docs.example", "https://docs.example", ""),
        ("https://docs.example/", "https://docs.example", ""),
        ("https://Docs.Example:443/collab/", "https://docs.example/collab", "/collab"),
        ("http://[::1]:8000/a/b", "http://[::1]:8000/a/b", "/a/b"),
        ("https://x.example/größe", "https://x.example/gr%C3%B6%C3%9Fe", "/gr%C3%B6%C3%9Fe"),
    ],
)
def test_the_public_address_gives_the_prefix(given: str, kept: str, prefix: str) -> None:
    settings = load({"public_url": given})
    assert (settings.public_url, settings.prefix) == (kept, prefix)


@pytest.mark.parametrize(
    "given",
    [
        "docs.example",
        "ftp://docs.example",
        "https://",
        "https://u:p@docs.example",
        "https://docs.example/?a",
        "https://docs.example/#a",
        "https://docs.example/a//b",
        "https://docs.example/a/../b",
        "https://docs.example:x/",
    ],
)
def test_what_is_no_public_address_is_refused(given: str) -> None:
    assert "COLLAB_PUBLIC_URL" in refusal(public_url=given)


@pytest.mark.parametrize("setting", ["allowed_origins", "frame_ancestors"])
@pytest.mark.parametrize(
    "given",
    ["https://a.example/path", "a.example", "null", "*", "https://*", "https://*.example", "https://a;b", "https://größe.example"],
)
def test_what_is_no_origin_is_refused(setting: str, given: str) -> None:
    assert f"COLLAB_{setting.upper()}" in refusal(**{setting: given})


@pytest.mark.parametrize(
    ("given", "suites"),
    [
        ("", ()),
        ("https://Office.example", (Suite("Office", "https://office.example/hosting/discovery"),)),
        ("http://office:9980/", (Suite("Office", "http://office:9980/hosting/discovery"),)),
        ("https://office.example/a/hosting/discovery", (Suite("Office", "https://office.example/a/hosting/discovery"),)),
        (
            "Collabora=https://a.example, OnlyOffice=https://b.example/docs/hosting/discovery",
            (
                Suite("Collabora", "https://a.example/hosting/discovery"),
                Suite("OnlyOffice", "https://b.example/docs/hosting/discovery"),
            ),
        ),
    ],
)
def test_an_office_suite_is_an_address_and_several_have_names(
    given: str, suites: tuple[Suite, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_WOPI_DISCOVERY", given)
    assert load().wopi_discovery == suites


@pytest.mark.parametrize(
    "given",
    [
        "office.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "A=ftp://a.example",
        "A=",
        "https://u:p@a.example",
        "https://a.example https://b.example",
        "A=https://a.example a=https://b.example",
        "größe=https://a.example",
        f"{'a' * 41}=https://a.example",
    ],
)
def test_what_is_no_office_suite_is_refused(given: str) -> None:
    assert "COLLAB_WOPI_DISCOVERY" in refusal(wopi_discovery=given)


def test_names_at_which_suites_open_may_stand_for_all_below_them() -> None:
    hosts = load({"wopi_suite_hosts": "Office.example *.officeapps.example"}).wopi_suite_hosts
    assert hosts == ("office.example", "*.officeapps.example")
    for wrong in ("*", "https://a.example", "a.*", "*.*.example", "a/b"):
        assert "COLLAB_WOPI_SUITE_HOSTS" in refusal(wopi_suite_hosts=wrong)


def test_the_secret_of_another_system_is_whole_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLAB_IOP_SECRET", "tooshort")
    assert "tooshort" not in refusal()
    monkeypatch.setenv("COLLAB_IOP_SECRET", SECRET)
    assert SECRET not in repr(load())


def test_numbers_are_checked() -> None:
    assert "COLLAB_PORT (--port)" in refusal(port=65536)
    assert "COLLAB_LIMIT_TEXT (--limit-text)" in refusal(limit_text=0)
    assert "COLLAB_TRUSTED_PROXIES" in refusal(trusted_proxies="10.0.0.1/8")
    assert "COLLAB_LOG_LEVEL" in refusal(log_level="loud")
    assert "save_at_most" in refusal(save_delay="20s")
    assert "limit_frame_before" in refusal(limit_frame="1KiB")


def test_variables_that_are_no_settings_are_told() -> None:
    assert unknown({"COLLAB_PROT": "1", "COLLAB_PORT": "1", "HOME": "/", "COLLAB_TEST_SCALE": "full"}) == ["COLLAB_PROT"]
