"""What signs, and what signs in once (AUTH-3, PROC-9)."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from collab.errors import Unavailable
from collab.state.database import Database
from collab.state.secrets import LOGIN_SECONDS, Logins, signing_key
from collab.state.tables import STATE

NOW = 1_795_000_000.0
CHECKOUT = Path(__file__).parents[2]


def test_the_key_is_made_once_and_only_the_user_may_read_it(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    assert len(key) == 32
    assert signing_key(tmp_path) == key
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_key_comes_from_the_given_source(tmp_path: Path) -> None:
    assert signing_key(tmp_path, random=lambda count: b"r" * count) == b"r" * 32


def test_a_damaged_key_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(Unavailable, match="damaged"):
        signing_key(tmp_path)


KEY = """
import sys
from pathlib import Path
from collab.state.secrets import signing_key
print(signing_key(Path(sys.argv[1])).hex())
"""


def test_processes_that_begin_at_once_agree_on_the_key(tmp_path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", KEY, str(tmp_path)], cwd=CHECKOUT, stdout=subprocess.PIPE) for _ in range(4)]
    keys = set()
    for process in started:
        with process:
            keys.add(process.communicate(timeout=60)[0])
    assert keys == {signing_key(tmp_path).hex().encode() + b"\n"}


async def test_a_login_secret_is_good_once(tmp_path: Path) -> None:
    logins = Logins(Database(tmp_path / "state.sqlite", STATE))
    secret = logins.issue(NOW)
    other = logins.issue(NOW)
    assert len(secret) == 43
    assert await logins.redeem(secret, NOW + 1)
    assert not await logins.redeem(secret, NOW + 1)
    assert logins.redeem_sync(other, NOW + 1)


async def test_of_many_who_redeem_at_once_one_is_let_in(tmp_path: Path) -> None:
    one, two = (Logins(Database(tmp_path / "state.sqlite", STATE)) for _ in range(2))
    secret = one.issue(NOW)
    assert sorted(await asyncio.gather(*(logins.redeem(secret, NOW) for logins in (one, two, one, two)))) == [False, False, False, True]


async def test_an_expired_an_unknown_and_an_impossible_secret_are_refused(tmp_path: Path) -> None:
    logins = Logins(Database(tmp_path / "state.sqlite", STATE))
    secret = logins.issue(NOW)
    assert not await logins.redeem(secret, NOW + LOGIN_SECONDS)
    for wrong in ("", "x" * 43, "\ud800", "é\0", secret[:-1]):
        assert not await logins.redeem(wrong, NOW)


async def test_the_database_holds_no_secret_only_its_hash(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite", STATE)
    secret = Logins(database).issue(NOW)
    rows = database.look_sync(lambda connection: connection.execute("SELECT sha256 FROM logins").fetchall())
    assert rows == [(hashlib.sha256(secret.encode()).digest(),)]


async def test_expired_secrets_are_forgotten_when_another_is_issued(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite", STATE)
    logins = Logins(database)
    logins.issue(NOW)
    logins.issue(NOW + LOGIN_SECONDS + 1)
    assert database.look_sync(lambda connection: connection.execute("SELECT count(*) FROM logins").fetchone()) == (1,)
