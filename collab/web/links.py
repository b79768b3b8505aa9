"""`/s/<secret>`: where a link leads. A page that works without scripts; whoever sends its form comes in, as a guest or as who they are."""

from __future__ import annotations

import html
import logging
import re
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from collab.access import Person, Role
from collab.errors import CollabError, Forbidden, Malformed, NotFound, Unavailable
from collab.reading.words import language_of
from collab.runtime.given import GUEST
from collab.runtime.sharing import digest_of
from collab.runtime.throttle import Throttle, Waiting, caller
from collab.web.api import read_body, visitor_of
from collab.web.link_words import WORDS
from collab.web.sessions import NAME_LENGTH, person_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from collab.access import Grant
    from collab.ports import Link, SignIn
    from collab.runtime.given import Records
    from collab.runtime.sharing import Sharing
    from collab.state.passwords import Passwords
    from collab.web.api import Api

log = logging.getLogger("collab.web")

FORM: Final = 16 * 1024
"""Bytes of the form at most."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The form's origin would be `null` with `no-referrer`; this tells nobody more than who we are.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_STYLE: Final = """
:root{color-scheme:light dark;--paper:light-dark(#fcfcfa,#171b19);--raised:light-dark(#fff,#1e2421);--ink:light-dark(#1f2623,#e3e8e4);
--soft:light-dark(#5b6661,#9ba7a1);--line:light-dark(#767f7a,#8a948f);--accent:light-dark(#2f6f5e,#7cc3ac);--on:light-dark(#fff,#10201a);
--bad:light-dark(#b3261e,#ff9d92)}
*{box-sizing:border-box}
body{margin:0;min-height:100dvh;display:grid;place-items:center;padding:1rem;font:100%/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{width:min(100%,26rem);padding:1.5rem;border-radius:.75rem;background:var(--raised)}
h1{margin:0 0 .75rem;font-size:1.25rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:0 0 1rem}
label{display:block;font-weight:600}
small{display:block;margin-bottom:.25rem;color:var(--soft)}
input{width:100%;min-height:2.75rem;margin-bottom:1rem;padding:.5rem .75rem;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);
border-radius:.5rem}
button{width:100%;min-height:2.75rem;font:inherit;font-weight:600;color:var(--on);background:var(--accent);border:0;border-radius:.5rem;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
[role=alert]{color:var(--bad);font-weight:600}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says beside its form."""

    alert: str = ""
    """A word of the catalogue."""
    name: str = ""
    """As it was written."""
    seconds: int = 0
    status: int = 200


class LinksDoor:
    """The routes of links. `agent` says which browser somebody has; `reads` is the prefix of pages to be read at; `now` gives UTC seconds since the
    epoch, `clock` monotonic ones, `random` that many bytes.
    """

    def __init__(  # noqa: PLR0913 - what it works on
        self,
        api: Api,
        sharing: Sharing,
        records: Records,
        passwords: Passwords,
        *,
        agent: Callable[[str], str],
        reads: str,
        now: Callable[[], float],
        clock: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self._api = api
        self._sharing = sharing
        self._records = records
        self._passwords = passwords
        self._agent = agent
        self._reads = reads
        self._now = now
        self._random = random
        self._guesses = Throttle(clock, free=5, first=5.0, most=300.0)
        """Of one caller for one link."""
        self._storm = Throttle(clock, free=100, most=30.0)
        """Of all callers for one link: nobody is locked out for long by who guesses from many addresses."""
        self._guests = Throttle(clock, free=60, most=60.0)
        """New guests from one address."""

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/s/{secret}", self.show, methods=["GET"]), Route("/s/{secret}", self.enter, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The form. It uses nothing up, so that whoever looks ahead (messengers, browsers) takes nothing away."""
        try:
            return await self._page(request, await self._link(request), Shown())
        except CollabError as error:
            return self._closed(request, error)

    async def enter(self, request: Request) -> Response:
        """Come in. A form of our own page only."""
        visitor = visitor_of(request)
        origins = request.headers.getlist("origin")
        if len(origins) != 1 or origins[0] not in {visitor.origin, self._api.admission.public_origin}:
            raise Forbidden("this form is sent by the page of the link, and by nothing else")
        try:
            link = await self._link(request)
            fields = await _form(request)
        except CollabError as error:
            return self._closed(request, error)
        name = fields.get("name", "")
        try:
            return await self._entered(request, link, name, fields.get("password", ""))
        except (Waiting, _Wrong, Malformed, Unavailable) as error:
            return await self._again(request, link, name, error)
        except CollabError as error:
            return self._closed(request, error)

    async def _again(self, request: Request, link: Link, name: str, error: CollabError) -> Response:
        """The form again, with what was wrong."""
        alert = {403: "wrong", 400: "unnamed", 429: "often"}.get(error.status, "away")
        seconds = error.seconds if isinstance(error, Waiting) else 0
        answer = await self._page(request, link, Shown(alert, name, seconds, error.status))
        if seconds:
            answer.headers["Retry-After"] = str(seconds)
        return answer

    # --- coming in

    async def _entered(self, request: Request, link: Link, name: str, password: str) -> Response:
        visitor = visitor_of(request)
        record = await self._record(request)
        whole = record is None and visitor.via == "cookie" and visitor.grant is not None and not visitor.grant.shared
        known = whole or (record is not None and link.digest in record.links)
        person = Person("", "") if known or record is not None else Person(f"{GUEST}:{self._random(12).hex()}", person_name(name))
        if not known:
            await self._check(link, password, caller(visitor.address), new=record is None)
        # What may fail comes before a use is taken: nobody gets that back.
        goes = RedirectResponse(await self._goal(link), 303, headers={**_HEADERS, "Referrer-Policy": "no-referrer"})
        if known:
            return goes
        if record is not None:
            await self._use(link)
            await self._api.sessions.sign_ins.open(record.id, link.digest)
            self._records.forget()
            self._audit(request, Person(record.person, record.name), link)
            return goes
        agent = self._agent(request.headers.get("user-agent", ""))
        cookie, grant = await self._api.sessions.begin(person, GUEST, most=Role.EDITOR, links=[link.digest], agent=agent)
        try:
            await self._use(link)
        except CollabError:
            with suppress(Unavailable):
                await self._api.sessions.close(grant)
            raise
        self._audit(request, person, link)
        return self._kept(cookie, grant, request, goes)

    async def _use(self, link: Link) -> None:
        try:
            await self._sharing.links.use(link.digest, self._now())
        except NotFound as error:
            # Somebody else had its last use, or it was taken back just now.
            raise _Over from error

    def _kept(self, cookie: str, grant: Grant, request: Request, goes: Response) -> Response:
        goes.set_cookie(
            self._api.admission.cookie,
            cookie,
            max_age=self._api.sessions.left(grant),
            path=self._api.prefix or "/",
            secure=visitor_of(request).scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return goes

    def _audit(self, request: Request, person: Person, link: Link) -> None:
        self._api.audit("link", person, None, visitor_of(request).address, f"{link.digest[:12]} {link.role}")

    async def _check(self, link: Link, password: str, address: str, *, new: bool) -> None:
        if new:
            self._guests.take(address)
        if link.password:
            own, storm = f"{link.digest} {address}", link.digest
            self._guesses.take(own)
            self._storm.take(storm)
            if not await self._passwords.fits(password, link.password):
                raise _Wrong
            self._guesses.clear(own)
            self._storm.clear(storm)

    async def _record(self, request: Request) -> SignIn | None:
        """The record of the session that is there, if it has one and counts."""
        visitor = visitor_of(request)
        if visitor.grant is None or visitor.via != "cookie":
            return None
        try:
            return await self._records.of(visitor.grant)
        except Unavailable:
            raise
        except CollabError:
            return None

    async def _link(self, request: Request) -> Link:
        """NotFound for one that there is not, `_Over` for one that opens nothing any more."""
        secret = request.path_params["secret"]
        if not _SECRET.fullmatch(secret):
            raise NotFound("there is no such link")
        link = await self._sharing.links.find(digest_of(secret))
        now = self._now()
        if link.ended(now) is None:
            return link
        record = await self._record(request)
        if record is not None and link.digest in record.links and link.revoked is None and (link.expires is None or now < link.expires):
            # Whoever came in by it before, comes in again.
            return link
        raise _Over

    async def _goal(self, link: Link) -> str:
        """Where what was shared is, for whoever opened the link."""
        prefix = self._api.prefix
        if not link.target or link.folder:
            return f"{prefix}/?{urlencode({'path': link.target})}" if link.target else f"{prefix}/"
        try:
            path = (await self._api.documents.find(link.target)).path
        except NotFound as error:
            raise _Over from error
        if link.role == Role.VIEWER.word:
            return f"{prefix}{self._reads}{quote(path)}"
        return f"{prefix}/edit/{quote(path)}"

    # --- pages

    async def _page(self, request: Request, link: Link, shown: Shown) -> Response:
        words, record = WORDS[language_of(request.headers.get("accept-language", ""))], await self._record(request)
        visitor = visitor_of(request)
        known = record is not None and link.digest in record.links
        whole = visitor.via == "cookie" and visitor.grant is not None and not visitor.grant.shared
        may = words["write"] if link.role == Role.EDITOR.word else words["read"]
        parts = [f"<h1>{await self._title(link, words)}</h1>", f"<p>{may}</p>"]
        if shown.alert:
            parts.append(f'<p role="alert" id="alert">{words[shown.alert].format(seconds=shown.seconds)}</p>')
        parts.append('<form method="post">')
        if record is not None or whole:
            name = visitor.grant.person.name if visitor.grant is not None else ""
            parts.append(f"<p>{words['as'].format(name=f'<bdi>{html.escape(name)}</bdi>')}</p>")
        else:
            parts.append(
                _field(
                    words, "name", "shown", f'type="text" maxlength="{NAME_LENGTH}" autocomplete="name" value="{html.escape(shown.name)}"'
                )
            )
        if link.password and not known and not whole:
            parts.append(_field(words, "password", "given", 'type="password" maxlength="1024" autocomplete="off"'))
        parts.append(f'<button type="submit">{words["open"]}</button></form>')
        return self._answer(request, words["title"], "\n".join(parts), shown.status)

    async def _title(self, link: Link, words: Mapping[str, str]) -> str:
        """What it is called: not before a password is known."""
        path = ""
        if not link.password:
            try:
                path = link.target if link.folder else (await self._api.documents.find(link.target)).path
            except CollabError:
                path = ""
        name = path.rpartition("/")[2]
        return f"<bdi>{html.escape(name)}</bdi> {words['named']}" if name else words["title"]

    def _closed(self, request: Request, error: CollabError) -> Response:
        """The page of a link that opens nothing, or not just now."""
        words = WORDS[language_of(request.headers.get("accept-language", ""))]
        status = 410 if isinstance(error, _Over) else error.status
        title, text = {404: ("unknown", "look"), 410: ("over", "ask")}.get(status, ("title", "away"))
        return self._answer(request, words[title], f"<h1>{words[title]}</h1>\n<p>{words[text]}</p>", status)

    def _answer(self, request: Request, title: str, body: str, status: int) -> HTMLResponse:
        nonce = urlsafe_b64encode(self._random(16)).rstrip(b"=").decode()
        language = language_of(request.headers.get("accept-language", ""))
        policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        page = (
            f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
            f'<title>{title} · collab</title><style nonce="{nonce}">{_STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n'
        )
        return HTMLResponse(page, status, {**_HEADERS, "Content-Security-Policy": policy, "Vary": "Accept-Language"})


class _Wrong(Forbidden):
    """Not the password."""

    def __init__(self) -> None:
        super().__init__("this is not the password of the link")


class _Over(NotFound):
    """The link opens nothing any more."""

    def __init__(self) -> None:
        super().__init__("the link opens nothing any more")


def _field(words: Mapping[str, str], name: str, hint: str, attributes: str) -> str:
    return (
        f'<label for="{name}">{words[name]}</label><small id="{name}-hint">{words[hint]}</small>'
        f'<input id="{name}" name="{name}" aria-describedby="{name}-hint" required {attributes}>'
    )


async def _form(request: Request) -> Mapping[str, str]:
    """The form's fields. `Malformed`, TooLarge."""
    try:
        return dict(parse_qsl((await read_body(request, FORM)).decode(), keep_blank_values=True, errors="strict", max_num_fields=10))
    except ValueError as error:
        raise Malformed("the form is not UTF-8, or has too many fields") from error
