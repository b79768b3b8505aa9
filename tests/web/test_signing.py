"""Signing in with an account, and one's sessions (SIGN)."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from standing import ADA, NOW, ORIGIN, SECRET, Site, stand

from collab.access import Grant, Person, Role, sign, verify
from collab.ports import Account
from collab.runtime.accounts import FREE
from collab.web.sessions import Sessions, Spent
from collab.web.signing import destination

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from collab.ports import Member, SignIn

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CLIENT = Path(__file__).parents[2] / "static"
"""The sources of the web client."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def spoken(language: str) -> dict[str, str]:
    """What the page where one signs in says."""
    words: dict[str, str] = json.loads((CLIENT / "src" / "messages" / f"login.{language}.json").read_text("utf-8"))
    return words


def account(login: str = "ada", groups: tuple[str, ...] = ("physics",)) -> Account:
    return Account(login, f"account:{login}", login.title(), groups, NOW, password=CHEAP.hash(PASSWORD), changed=NOW)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    # To compare a password takes a second on a busy machine: then nobody who guesses would have to wait any more.
    async with stand(tmp_path, clock=lambda: 0.0, session_length="1h") as site:
        await site.archive.accounts.add(account())
        yield site


def browser(site: Site, **headers: str) -> httpx.AsyncClient:
    return site.client(Origin=ORIGIN, **headers)


async def sign_in(client: httpx.AsyncClient, login: str = "ada", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/session", json={"account": login, "password": password})


# --- accounts


async def test_an_account_and_its_password_make_a_session_with_a_record(site: Site) -> None:
    """SIGN-1, AUTH-4."""
    async with browser(site, **{"User-Agent": FIREFOX}) as client:
        answer = await sign_in(client, " ADA ")
        assert answer.status_code == 200
        assert answer.json() == (await client.get("/api/session")).json()
        assert {key: answer.json()[key] for key in ("id", "name", "kind", "renamable")} == {
            "id": "account:ada",
            "name": "Ada",
            "kind": "account",
            "renamable": False,
        }
        assert "HttpOnly" in answer.headers["set-cookie"]
        grant = verify(client.cookies["collab_8000"], SECRET, now=NOW, use="session")
        record = await site.archive.sign_ins.get(grant.id)
        assert record is not None
        assert grant.shared
        assert (record.person, record.kind, record.groups, record.agent) == ("account:ada", "account", ("physics",), "Firefox, Linux")
        member = await site.archive.members.get("account:ada")
        assert member is not None
        assert member.seen == NOW


@pytest.mark.parametrize(("login", "password"), [("ada", "wrong"), ("ada", ""), ("eve", PASSWORD), ("", PASSWORD), ("a b", PASSWORD)])
async def test_whatever_is_wrong_the_words_are_the_same(site: Site, login: str, password: str) -> None:
    """SIGN-2."""
    async with browser(site) as client:
        answer = await sign_in(client, login, password)
        assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorized")
        assert answer.json()["detail"] == "the account or the password is wrong"
        assert "set-cookie" not in answer.headers


async def test_a_disabled_account_signs_nobody_in_in_the_same_words(site: Site) -> None:
    """SIGN-4."""
    await site.archive.accounts.disable("ada", NOW)
    async with browser(site) as client:
        assert (await sign_in(client)).json()["detail"] == "the account or the password is wrong"
        await site.archive.accounts.disable("ada", None)
        assert (await sign_in(client)).status_code == 200


async def test_an_account_that_is_disabled_while_its_password_is_compared_leaves_no_session(site: Site) -> None:
    """SIGN-4."""
    async with browser(site) as client:
        begin = site.archive.sign_ins.add

        async def late(sign_in: SignIn) -> None:
            await site.archive.accounts.disable("ada", NOW)
            await begin(sign_in)

        site.archive.sign_ins.add = late  # type: ignore[method-assign]  # another process comes in between
        answer = await sign_in(client)
        assert answer.status_code == 401
        assert await site.archive.sign_ins.live(NOW) == []


async def test_groups_that_are_taken_away_while_a_password_is_compared_come_into_no_session(site: Site) -> None:
    """SIGN-4, SHARE-1."""
    async with browser(site) as client:
        begin = site.archive.sign_ins.add

        async def late(sign_in: SignIn) -> None:
            known = await site.archive.accounts.describe("ada", groups=["chemistry"])
            await site.archive.sign_ins.regroup(known.person, known.groups)
            await begin(sign_in)

        site.archive.sign_ins.add = late  # type: ignore[method-assign]  # another process comes in between
        answer = await sign_in(client)
        assert answer.status_code == 401
        assert await site.archive.sign_ins.live(NOW) == []
        site.archive.sign_ins.add = begin  # type: ignore[method-assign]
        assert (await sign_in(client)).status_code == 200
        assert [each.groups for each in await site.archive.sign_ins.live(NOW)] == [("chemistry",)]


@pytest.mark.parametrize("removed", [False, True], ids=["changed", "removed"])
async def test_that_somebody_signed_in_takes_nothing_back_that_was_changed_at_the_same_moment(site: Site, *, removed: bool) -> None:
    """SIGN-4."""
    get = site.archive.members.get

    async def late(person: str) -> Member | None:
        found = await get(person)
        site.archive.members.get = get  # type: ignore[method-assign]
        # Another process comes in between.
        await (site.archive.accounts.remove("ada") if removed else site.archive.accounts.describe("ada", groups=["chemistry"]))
        return found

    see = site.archive.members.see

    async def seen(person: str, now: float) -> None:
        await late(person)
        await see(person, now)

    site.archive.members.get, site.archive.members.see = late, seen  # type: ignore[method-assign]
    async with browser(site) as client:
        assert (await sign_in(client)).status_code == 401
    member = await get("account:ada")
    assert member is None if removed else (member is not None and member.groups == ("chemistry",))


async def test_a_password_that_was_kept_weakly_is_kept_anew_when_it_is_typed(site: Site) -> None:
    """SIGN-2."""
    async with browser(site) as client:
        await sign_in(client)
        kept = await site.archive.accounts.find("ada")
        assert kept is not None
        assert "$m=65536,t=3,p=4$" in kept.password
        assert kept.changed == NOW
        assert (await sign_in(client)).status_code == 200


async def test_who_knows_their_password_changes_it_and_stays_signed_in_there_alone(site: Site) -> None:
    """SIGN-4."""
    new = "another good one"

    async def change(client: httpx.AsyncClient, password: str, fresh: str) -> int:
        return (await client.post("/api/session/password", json={"password": password, "new": fresh})).status_code

    async with browser(site) as laptop, browser(site) as phone, browser(site) as owner:
        await sign_in(laptop)
        await sign_in(phone)
        assert [await change(laptop, *each) for each in (("wrong", new), (PASSWORD, "short"), ("", ""), (PASSWORD, "x" * 1025))] == [
            403,
            400,
            400,
            400,
        ]
        assert (await phone.get("/api/session")).status_code == 200
        assert await change(laptop, PASSWORD, new) == 204
        assert [(await client.get("/api/session")).status_code for client in (laptop, phone)] == [200, 401]
        assert (await sign_in(phone)).status_code == 401
        assert (await sign_in(phone, password=new)).status_code == 200
        kept = await site.archive.accounts.find("ada")
        assert kept is not None
        assert "$m=65536,t=3,p=4$" in kept.password
        for _ in range(FREE):
            await change(laptop, "wrong", new)
        assert await change(laptop, new, PASSWORD) == 429
        await owner.post("/api/session", json={"secret": site.logins.issue(NOW)})
        assert await change(owner, PASSWORD, new) == 403
    async with (
        browser(site) as stranger,
        site.client(Origin="https://evil.example", Cookie=f"collab_8000={laptop.cookies['collab_8000']}") as evil,
    ):
        assert [await change(each, new, PASSWORD) for each in (stranger, evil)] == [401, 403]


async def test_who_guesses_waits_and_the_right_password_does_not_help_meanwhile(site: Site) -> None:
    """SIGN-3."""
    async with browser(site) as client:
        for _ in range(FREE):
            assert (await sign_in(client, password="wrong")).status_code == 401
        answer = await sign_in(client)
        assert (answer.status_code, answer.json()["reason"]) == (429, "too-many")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        answer = await sign_in(client, "somebody")
        assert answer.status_code == 429


async def test_many_guesses_at_once_are_no_way_around(site: Site) -> None:
    """SIGN-3."""
    async with browser(site) as client:
        answers = await asyncio.gather(*(sign_in(client, password=f"wrong {number}") for number in range(4 * FREE)))
        assert sorted(answer.status_code for answer in answers) == [401] * FREE + [429] * 3 * FREE


@pytest.mark.parametrize(
    "body", [{}, {"account": "ada"}, {"account": 1, "password": 2}, {"secret": "x", "account": "ada", "password": "y"}]
)
async def test_a_body_that_is_neither_secret_nor_account_is_refused(site: Site, body: dict[str, object]) -> None:
    async with browser(site) as client:
        assert (await client.post("/api/session", json=body)).status_code in {400, 401}
        assert not client.cookies


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_another_site_signs_nobody_in(site: Site, origin: str) -> None:
    """SIGN-5, AUTH-5: neither by the interface nor by the form."""
    async with site.client(Origin=origin) as client:
        assert (await sign_in(client)).status_code == 403
        form = await client.post("/login", data={"account": "ada", "password": PASSWORD})
        assert form.status_code == 403
    async with site.client() as client:
        assert (await client.post("/login", data={"account": "ada", "password": PASSWORD})).status_code == 403


async def test_signing_in_makes_a_new_session_and_ends_the_one_that_was_there(site: Site) -> None:
    """SIGN-5: a session that somebody else planted in the browser is worth nothing afterwards; links that were opened stay open."""
    async with browser(site) as client:
        await sign_in(client)
        planted = client.cookies["collab_8000"]
        first = verify(planted, SECRET, now=NOW, use="session")
        await site.archive.sign_ins.open(first.id, "d" * 64)
        site.time[0] += 2
        await sign_in(client)
        second = verify(client.cookies["collab_8000"], SECRET, now=NOW, use="session")
        assert first.id != second.id
        record = await site.archive.sign_ins.get(second.id)
        assert record is not None
        assert record.links == ("d" * 64,)
    async with site.client(Cookie=f"collab_8000={planted}") as thief:
        assert (await thief.get("/api/session")).status_code == 401


# --- the form that needs no script


async def test_the_form_signs_in_and_goes_where_one_wanted_to(site: Site) -> None:
    """SIGN-6."""
    async with browser(site) as client:
        answer = await client.post("/login", data={"account": "ada", "password": PASSWORD, "next": "/edit/notes.md?mode=source"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/edit/notes.md?mode=source")
        assert (await client.get("/api/session")).json()["name"] == "Ada"


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/edit/a.md", "/edit/a.md"),
        ("/edit/a%20b.md?mode=source#x", "/edit/a%20b.md?mode=source#x"),
        ("", "/"),
        ("edit/a.md", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/%09/evil.example", "/%09/evil.example"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/a//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/login?next=/login", "/"),
        ("/\u2028", "/"),
    ],
)
def test_after_signing_in_one_goes_nowhere_but_here(wanted: str, goes: str) -> None:
    """SIGN-6."""
    assert destination(wanted, "") == goes
    assert destination("/collab" + wanted, "/collab").startswith("/collab/")
    assert destination(wanted, "/collab") == "/collab/"


async def test_a_wrong_password_in_the_form_is_told_in_place_and_the_account_stays_written(tmp_path: Path) -> None:
    """SIGN-6."""
    client_folder = tmp_path / "built"
    client_folder.mkdir()
    for name in ("index", "login", "edit"):
        (client_folder / f"{name}.html").write_text("[__WAYS__|__NEXT__|__GO__|__ACCOUNT__|__NOTICE__|__WORDS__]")
    (client_folder / "login.json").write_text(json.dumps({"en": spoken("en")}))
    async with stand(tmp_path, client=client_folder, clock=lambda: 0.0) as site, browser(site) as client:
        assert (await client.get("/login?next=/edit/a.md")).text == "[|/edit/a.md|%2Fedit%2Fa.md|||]"
        assert (await client.get("/login/done")).text == "[|/|%2F|||]"
        await site.archive.accounts.add(account())
        assert (await client.get("/login?next=//evil&notice=again")).text == (
            "[account|/|%2F||again|That did not work, or took too long. Try again.]"
        )
        assert (await client.get("/login?notice=Send%20your%20password%20to%20eve")).text == "[account|/|%2F|||]"
        wrong = await client.post("/login", data={"account": '"><b>', "password": "x", "next": "/edit/a.md"})
        assert wrong.status_code == 401
        assert wrong.text == "[account|/edit/a.md|%2Fedit%2Fa.md|&quot;&gt;&lt;b&gt;|wrong|The account or the password is wrong.]"
        for _ in range(FREE):
            late = await client.post("/login", data={"account": "ada", "password": "x"})
        assert late.status_code == 429
        assert "|often|" in late.text
        assert int(late.headers["retry-after"]) >= 1
        site.archive.refuse("the database is away")
        away = await client.get("/login")
        assert away.status_code == 200


@pytest.mark.parametrize(
    ("accepted", "language"), [("", "en"), ("fr-CH, de;q=0.5", "fr"), ("de-AT,en;q=0.3", "de"), ("tlh", "en"), ("de;q=0, en", "en")]
)
async def test_without_scripts_the_page_speaks_the_language_of_its_reader(tmp_path: Path, accepted: str, language: str) -> None:
    """SIGN-6: its words are those of the client, which the build puts beside the pages."""
    built = tmp_path / "built"
    built.mkdir()
    for name in ("index", "login", "edit"):
        (built / f"{name}.html").write_text((CLIENT / f"{name}.html").read_text("utf-8"), "utf-8")
    (built / "login.json").write_text(json.dumps({each: spoken(each) for each in ("en", "de", "fr")}))
    words = spoken(language)
    async with stand(tmp_path, client=built) as site, browser(site, **{"Accept-Language": accepted}) as client:
        answer = await client.get("/login?notice=ended")
        assert answer.headers["vary"] == "Accept-Encoding, Accept-Language"
        assert f'<html lang="{language}">' in answer.text
        said = re.findall(r'data-t="([\w.]+)"[^>]*>([^<]*)<', answer.text)
        assert len(said) >= 8
        assert said == [(key, html.escape(words[key])) for key, _ in said]
        assert f">{html.escape(words['login.notice.ended'])}</p>" in answer.text
        assert (await client.get("/static/login.json")).status_code == 404


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"account=ada&password=x", {"Content-Type": "application/json"}),
        (b"account=ada&password=x", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"account=%ff", FORM),
        (b"&".join(b"a%d=1" % number for number in range(50)), FORM),
        (b"a=" + b"x" * 20_000, FORM),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(site: Site, body: bytes, headers: dict[str, str]) -> None:
    async with browser(site) as client:
        assert (await client.post("/login", content=body, headers=headers)).status_code in {400, 401, 413}


# --- sessions


async def test_ones_sessions_are_listed_and_one_of_them_is_ended(site: Site) -> None:
    """SIGN-7."""
    async with browser(site, **{"User-Agent": FIREFOX}) as laptop, browser(site) as phone:
        await sign_in(laptop)
        site.time[0] += 5
        await sign_in(phone)
        listed = (await laptop.get("/api/sessions")).json()["sessions"]
        assert [(each["agent"], each["current"], each["kind"]) for each in listed] == [
            ("", False, "account"),
            ("Firefox, Linux", True, "account"),
        ]
        gone = await laptop.delete(f"/api/sessions/{listed[0]['id']}")
        assert gone.status_code == 204
        assert (await phone.get("/api/session")).status_code == 401
        assert (await phone.get("/api/session")).json()["detail"].startswith("this session was ended")
        assert (await laptop.get("/api/session")).status_code == 200
        assert [each["current"] for each in (await laptop.get("/api/sessions")).json()["sessions"]] == [True]


async def test_signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(site: Site) -> None:
    """SIGN-7."""
    await site.archive.accounts.add(account("bob"))
    async with browser(site) as laptop, browser(site) as phone, browser(site) as bob:
        for client, login in ((laptop, "ada"), (phone, "ada"), (bob, "bob")):
            await sign_in(client, login)
        copy = dict(laptop.cookies)
        answer = await laptop.delete("/api/sessions")
        assert answer.status_code == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]
        laptop.cookies.update(copy)
        assert [(await client.get("/api/session")).status_code for client in (laptop, phone, bob)] == [401, 401, 200]


async def test_signing_out_everywhere_else_leaves_this_session_alone(site: Site) -> None:
    """SIGN-7."""
    await site.archive.accounts.add(account("bob"))
    async with browser(site) as laptop, browser(site) as phone, browser(site) as bob:
        for client, login in ((laptop, "ada"), (phone, "ada"), (bob, "bob")):
            await sign_in(client, login)
        answer = await laptop.delete("/api/sessions?others")
        assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
        assert [(await client.get("/api/session")).status_code for client in (laptop, phone, bob)] == [200, 401, 200]
        (left,) = (await laptop.get("/api/sessions")).json()["sessions"]
        assert left["current"]


async def test_nobody_ends_or_sees_anothers_sessions_but_an_owner_of_everything(site: Site) -> None:
    """SIGN-7."""
    await site.archive.accounts.add(account("bob"))
    async with browser(site) as ada, browser(site) as bob, browser(site) as owner:
        await sign_in(ada)
        await sign_in(bob, "bob")
        (own,) = (await ada.get("/api/sessions")).json()["sessions"]
        assert (await bob.delete(f"/api/sessions/{own['id']}")).status_code == 404
        assert (await bob.delete("/api/sessions/never")).status_code == 404
        assert (await ada.get("/api/session")).status_code == 200
        await owner.post("/api/session", json={"secret": site.logins.issue(NOW)})
        assert (await owner.get("/api/sessions")).json() == {"sessions": []}
        every = (await owner.get("/api/sessions?all")).json()["sessions"]
        assert {each["person"]["id"] for each in every} == {"account:ada", "account:bob"}
        assert (await owner.delete(f"/api/sessions/{own['id']}")).status_code == 204
        assert (await ada.get("/api/session")).status_code == 401


async def test_a_page_in_a_frame_and_another_site_end_nothing(site: Site) -> None:
    """SIGN-7, AUTH-5."""
    async with browser(site) as ada:
        await sign_in(ada)
        (own,) = (await ada.get("/api/sessions")).json()["sessions"]
        assert (await ada.delete("/api/sessions", headers={"Origin": "https://evil.example"})).status_code == 403
        grant = Grant(Person("account:ada", "Ada"), Role.OWNER, "id:" + "a" * 26, expires=NOW + 600, id=own["id"], shared=True)
    async with site.client(sign(grant, SECRET, now=NOW)) as frame:
        for answer in (
            await frame.get("/api/sessions"),
            await frame.delete("/api/sessions"),
            await frame.delete(f"/api/sessions/{own['id']}"),
        ):
            assert answer.status_code == 403
    async with site.client() as stranger:
        assert (await stranger.get("/api/sessions")).status_code == 401


async def test_signing_out_ends_the_record_and_every_token_that_came_of_it(site: Site) -> None:
    """SIGN-1."""
    async with browser(site) as client:
        await sign_in(client)
        grant = verify(client.cookies["collab_8000"], SECRET, now=NOW, use="session")
        lease = sign(replace(grant, until=grant.expires), SECRET, now=NOW)
        async with site.client(lease) as page:
            assert (await page.get("/api/session")).status_code == 200
            await client.delete("/api/session")
            assert (await page.get("/api/session")).status_code == 401
        record = await site.archive.sign_ins.get(grant.id)
        assert record is not None
        assert record.ended == NOW


async def test_an_archive_that_is_away_is_told_as_that(site: Site) -> None:
    async with browser(site) as client:
        await sign_in(client)
        assert (await client.get("/api/session")).status_code == 200
        site.archive.refuse("the database is away")
        assert (await client.get("/api/session")).status_code == 200
        assert (await sign_in(client)).status_code == 503


@pytest.mark.parametrize("kind", ["guest", "account"])
async def test_a_guest_chooses_a_name_and_nobody_else_with_a_record_does(site: Site, kind: str) -> None:
    """AUTH-12."""
    archive = site.archive
    sessions = Sessions(SECRET, site.logins, Spent(None, NOW), archive.sign_ins, owner=ADA, length=3600, now=lambda: NOW, random=os.urandom)
    cookie, grant = await sessions.begin(Person(f"{kind}:x", "Curious Cat"), kind, most=Role.EDITOR)
    async with browser(site, Cookie=f"collab_8000={cookie}") as client:
        answer = await client.patch("/api/session", json={"name": "Grace"})
        assert answer.status_code == (200 if kind == "guest" else 403)
        record = await site.archive.sign_ins.get(grant.id)
        assert record is not None
        assert record.name == ("Grace" if kind == "guest" else "Curious Cat")
