"""Signing in and out: the session of a browser, by a printed address or an account, and one's sessions to be looked at and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import collab
from collab.access import Person, Role, color_of
from collab.errors import CollabError, Forbidden, Malformed, NotFound, Unauthorized
from collab.ports import Stat
from collab.runtime.signed import ENDED
from collab.runtime.throttle import Waiting
from collab.web.agents import agent_of
from collab.web.api import json_body, read_body, text_of, utc, visitor_of
from collab.web.problems import Problem
from collab.web.sessions import person_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import SignIn
    from collab.runtime.accounts import Entrance
    from collab.runtime.signed import SignedIn
    from collab.web.admission import Visitor
    from collab.web.api import Api
    from collab.web.pages import Pages

FORM = 16 * 1024
"""Bytes of a form at most."""
_ROOT = Stat("", "", "inode/directory", 0, "", 0.0, folder=True)
_NO_STORE = {"Cache-Control": "no-store"}


def kind_of(grant: Grant) -> str:
    """How the person came here: `account`, `oidc`, `guest`, or `operator` for what the operator signed."""
    return grant.person.id.partition(":")[0] if grant.shared else "operator"


def destination(wanted: str, prefix: str) -> str:
    """Where to go after signing in: a path of ours, and the page of files for whatever else somebody wrote there."""
    home = prefix + "/"
    if not wanted.startswith(home) or wanted.startswith("//") or "\\" in wanted or not wanted.isascii() or not wanted.isprintable():
        return home
    # An address without a host only; browsers read `/\\host` and `//host` as one with a host.
    path = wanted.partition("?")[0].partition("#")[0]
    return home if "//" in path or path in {prefix + "/login", prefix + "/login/"} else wanted


async def _nowhere(_: Grant) -> str:
    return ""


@dataclass(slots=True)
class Signing:
    """The routes of sessions. `ended` is told the ids of sessions that were ended here and why, so that their sockets go at once."""

    api: Api
    entrance: Entrance
    signed: SignedIn
    pages: Pages
    ended: Callable[[set[str], CollabError], None]
    provider: str = ""
    """What the provider is called, when people sign in by one."""
    left: Callable[[Grant], Awaitable[str]] = _nowhere
    """Told that somebody signed out; where they sign out at their provider, or the empty string."""

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [
            Route("/api/session", self.who, methods=["GET"]),
            Route("/api/session", self.sign_in, methods=["POST"]),
            Route("/api/session", self.rename, methods=["PATCH"]),
            Route("/api/session", self.sign_out, methods=["DELETE"]),
            Route("/api/session/password", self.change_password, methods=["POST"]),
            Route("/api/session/renewal", self.renew, methods=["POST"]),
            Route("/api/sessions", self.list, methods=["GET"]),
            Route("/api/sessions", self.end_all, methods=["DELETE"]),
            Route("/api/sessions/{id}", self.end, methods=["DELETE"]),
            Route("/login", self.page, methods=["GET"]),
            Route("/login", self.form, methods=["POST"]),
            Route("/login/done", self.done, methods=["GET"]),
        ]

    # --- one's own session

    async def who(self, request: Request) -> Response:
        """Who the caller is."""
        visitor = visitor_of(request)
        grant = visitor.require()
        around = await self.api.around(grant)
        folder = None if around is None else around[1]
        return self.answer(grant, renamable=visitor.via == "cookie", view_only=await self.api.view_only(grant), folder=folder)

    async def sign_in(self, request: Request) -> Response:
        """The secret of a printed address, or an account with its password, becomes a cookie."""
        visitor = visitor_of(request)
        fields = await json_body(request, {"secret", "account", "password"})
        if "secret" in fields and len(fields) == 1:
            cookie, grant = await self.api.sessions.redeem(text_of(fields, "secret"))
            self.api.audit("sign-in", grant.person, None, visitor.address, grant.role.word)
        else:
            try:
                cookie, grant = await self._account(request, text_of(fields, "account"), text_of(fields, "password"))
            except Waiting as error:
                return _later(error)
        return self.keep(cookie, grant, visitor, self.answer(grant, renamable=True))

    async def rename(self, request: Request) -> Response:
        """What others see of the caller, whom nobody gave a name; the same person, until the same time."""
        visitor = visitor_of(request)
        grant = visitor.require()
        if visitor.via != "cookie":
            raise Forbidden("a token's name was given with it: make another one with `collab token`")
        name = person_name(text_of(await json_body(request, {"name"}), "name"))
        cookie, renamed = await self.api.sessions.rename(grant, name)
        self.signed.forget()
        self.api.audit("name", renamed.person, None, visitor.address, grant.person.name)
        return self.keep(cookie, renamed, visitor, self.answer(renamed, renamable=True))

    async def change_password(self, request: Request) -> Response:
        """Another password for the caller's account; whoever is signed in elsewhere with it is signed off."""
        visitor = visitor_of(request)
        grant = visitor.require()
        if visitor.via != "cookie" or kind_of(grant) != "account":
            raise Forbidden("only who is signed in with an account of this server has a password here")
        fields = await json_body(request, {"password", "new"})
        try:
            await self.entrance.change_password(grant.person.id, text_of(fields, "password"), text_of(fields, "new"), visitor.address)
        except Waiting as error:
            return _later(error)
        self.api.audit("password", grant.person, None, visitor.address)
        await self._end_others(grant, visitor)
        return Response(status_code=204, headers=_NO_STORE)

    async def sign_out(self, request: Request) -> Response:
        """The session ends; a copy of its cookie is worth nothing, nor is a token of somebody who came from a cloud."""
        visitor = visitor_of(request)
        if visitor.grant is not None:
            await self.api.signed_out(visitor.grant)
        if visitor.grant is not None and visitor.via == "cookie":
            await self.api.sessions.close(visitor.grant)
            self.gone({visitor.grant.id})
            self.api.audit("sign-out", visitor.grant.person, None, visitor.address)
            leave = await self.left(visitor.grant)
            if leave:
                return self._forgotten(JSONResponse({"leave": leave}, headers=_NO_STORE))
        return self._forgotten(Response(status_code=204, headers=_NO_STORE))

    async def renew(self, request: Request) -> Response:
        """A new token for a page that holds one in its memory, for ten minutes at most and never beyond its first one's end."""
        grant = visitor_of(request).require()
        if grant.until is None:
            raise Forbidden("only the token of a page in a frame is renewed; make a new one with `collab token`, or sign in again")
        token, lease = self.api.admission.lease(grant)
        return JSONResponse({"token": token, "expires": utc(lease.expires or 0.0)}, headers=_NO_STORE)

    # --- all of them

    async def list(self, request: Request) -> Response:
        """The sessions of the caller; with `all`, for an owner of everything, those of everybody."""
        grant = _whole(visitor_of(request))
        every = request.query_params.get("all") is not None
        if every:
            await self._require_owner(grant)
        found = await self.api.sessions.sign_ins.live(self.api.sessions.now(), None if every else grant.person.id)
        return JSONResponse({"sessions": [_told(each, grant) for each in found]}, headers=_NO_STORE)

    async def end(self, request: Request) -> Response:
        """One of one's own sessions ends, or for an owner of everything anybody's."""
        visitor = visitor_of(request)
        grant = _whole(visitor)
        record = await self.api.sessions.sign_ins.get(request.path_params["id"])
        if record is None or (record.person != grant.person.id and not await self._owner(grant)):
            raise NotFound("there is no such session, or it is somebody else's")
        await self.api.sessions.sign_ins.end(record.id, self.api.sessions.now())
        self.gone({record.id})
        self.api.audit("session-end", Person(record.person, record.name), None, visitor.address, grant.person.name)
        return Response(status_code=204, headers=_NO_STORE)

    async def end_all(self, request: Request) -> Response:
        """Sign out everywhere: all of one's own sessions end, this one too, unless `others` alone are meant."""
        visitor = visitor_of(request)
        grant = _whole(visitor)
        if request.query_params.get("others") is not None:
            await self._end_others(grant, visitor)
            return Response(status_code=204, headers=_NO_STORE)
        own = {each.id for each in await self.api.sessions.sign_ins.live(self.api.sessions.now(), grant.person.id)}
        await self.api.sessions.sign_ins.end_all(grant.person.id, self.api.sessions.now())
        if visitor.via == "cookie":
            await self.api.sessions.close(grant)
        self.gone(own | {grant.id})
        self.api.audit("session-end", grant.person, None, visitor.address, "everywhere")
        return self._forgotten(Response(status_code=204, headers=_NO_STORE))

    async def _end_others(self, grant: Grant, visitor: Visitor) -> None:
        """All sessions of the person but this one."""
        own = await self.api.sessions.sign_ins.live(self.api.sessions.now(), grant.person.id)
        await self.api.sessions.sign_ins.end_all(grant.person.id, self.api.sessions.now(), but=grant.id)
        self.gone({each.id for each in own} - {grant.id})
        self.api.audit("session-end", grant.person, None, visitor.address, "elsewhere")

    # --- the page, and its form for browsers without scripts

    async def page(self, request: Request) -> Response:
        """Where one signs in. `next` is where to go afterwards."""
        return await self.shown(request, request.query_params.get("next", ""), notice=request.query_params.get("notice", ""))

    async def done(self, request: Request) -> Response:
        """Where a window ends that was opened only to sign in: it tells the pages that wait, and closes. Who is not signed in may do so here."""
        if visitor_of(request).grant is None:
            return await self.page(request)
        words = {"WAYS": "done", "PROVIDER": "", "NEXT": self.api.prefix + "/", "ACCOUNT": ""}
        return self.pages.login(request, words, notice="done")

    async def form(self, request: Request) -> Response:
        """Sign in with an account, by a form of our own page."""
        if not request.headers.get("origin"):
            raise Forbidden("this form is sent by the page where one signs in, and by nothing else; scripts use /api/session")
        fields = await _form(request)
        wanted = fields.get("next", "")
        try:
            cookie, grant = await self._account(request, fields.get("account", ""), fields.get("password", ""))
        except Waiting as error:
            answer = await self.shown(request, wanted, notice="often", account=fields.get("account", ""), status=error.status)
            answer.headers["Retry-After"] = str(error.seconds)
            return answer
        except Unauthorized as error:
            answer = await self.shown(request, wanted, notice="wrong", account=fields.get("account", ""), status=error.status)
            answer.headers["WWW-Authenticate"] = 'Bearer realm="collab"'
            return answer
        except CollabError as error:
            return await self.shown(request, wanted, notice="away", account=fields.get("account", ""), status=error.status)
        # Each answer on the way says so, or a browser parts the window from the page that opened it, and waits for it.
        headers = {**_NO_STORE, "Cross-Origin-Opener-Policy": "same-origin"}
        goes = RedirectResponse(destination(wanted, self.api.prefix), 303, headers=headers)
        return self.keep(cookie, grant, visitor_of(request), goes)

    async def shown(self, request: Request, wanted: str, *, notice: str = "", account: str = "", status: int = 200) -> Response:
        """The page, with what went wrong: `notice` is a word that the page knows."""
        ways = " ".join([*(["provider"] if self.provider else []), *(["account"] if await self._accounts() else [])])
        words = {"WAYS": ways, "PROVIDER": self.provider, "NEXT": destination(wanted, self.api.prefix), "ACCOUNT": account}
        return self.pages.login(request, words, notice=notice, status=status)

    # --- what they share

    async def begin(self, request: Request, person: Person, kind: str, **more: object) -> tuple[str, Grant]:
        """A new session with a record in this browser; the one that was there ends, if it has a record, and its links are taken along."""
        visitor = visitor_of(request)
        before = None if visitor.grant is None or visitor.via != "cookie" else await self.signed.of(visitor.grant)
        links = () if before is None else before.links
        agent = agent_of(request.headers.get("user-agent", ""))
        cookie, grant = await self.api.sessions.begin(person, kind, links=links, agent=agent, **more)  # type: ignore[arg-type]  # as there
        if before is not None and visitor.grant is not None:
            await self.api.sessions.close(visitor.grant)
            self.gone({before.id})
        self.api.audit("sign-in", person, None, visitor.address, kind)
        return cookie, grant

    def keep(self, cookie: str, grant: Grant, visitor: Visitor, response: Response) -> Response:
        """The browser keeps this cookie as long as it is worth something."""
        response.set_cookie(
            self.api.admission.cookie,
            cookie,
            max_age=self.api.sessions.left(grant),
            path=self.api.prefix or "/",
            secure=visitor.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    def answer(self, grant: Grant, *, renamable: bool, view_only: bool = False, folder: str | None = None) -> JSONResponse:
        """Who somebody is."""
        person = grant.person
        known = {
            "id": person.id,
            "name": person.name,
            "color": color_of(person.id),
            "role": grant.role.word,
            "kind": kind_of(grant),
            "version": collab.__version__,
            "renamable": renamable and self.api.sessions.renamable(grant),
            **({"viewOnly": True} if view_only else {}),
            **({} if folder is None else {"folder": folder}),
        }
        return JSONResponse(known, headers=_NO_STORE)

    async def _account(self, request: Request, name: str, password: str) -> tuple[str, Grant]:
        account = await self.entrance.sign_in(name, password, visitor_of(request).address)
        cookie, grant = await self.begin(request, Person(account.person, account.name), "account", groups=account.groups)
        if not await self.entrance.still(account):
            # It was disabled, or its password changed, between the look at it and the session.
            await self.api.sessions.close(grant)
            raise Unauthorized("the account was changed just now: sign in again")
        return cookie, grant

    async def _accounts(self) -> bool:
        try:
            return await self.entrance.accounts.any()
        except CollabError:
            # Nobody can say: who has one can try.
            return True

    async def _owner(self, grant: Grant) -> bool:
        try:
            return await self.api.rights.role(grant, _ROOT) is Role.OWNER
        except Forbidden:
            return False

    async def _require_owner(self, grant: Grant) -> None:
        if not await self._owner(grant):
            raise Forbidden("only an owner of everything sees the sessions of others")

    def gone(self, sessions: set[str]) -> None:
        """These were ended: what is known of them is old, and their sockets go."""
        self.signed.forget()
        self.ended(sessions, Unauthorized(ENDED))

    def _forgotten(self, response: Response) -> Response:
        response.delete_cookie(self.api.admission.cookie, path=self.api.prefix or "/")
        return response


def _whole(visitor: Visitor) -> Grant:
    """The visitor's grant, which is for more than one document: what a page in a frame holds is nobody's to end sessions with."""
    grant = visitor.require()
    if grant.document is not None:
        raise Forbidden("your token is for one document: sign in to see your sessions")
    return grant


def _told(record: SignIn, grant: Grant) -> dict[str, object]:
    return {
        "id": record.id,
        "person": {"id": record.person, "name": record.name},
        "kind": record.kind,
        "agent": record.agent,
        "since": utc(record.made),
        "seen": utc(record.seen),
        "expires": utc(record.expires),
        "current": record.id == grant.id,
    }


def _later(error: Waiting) -> Response:
    answer = Problem.of(error)
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form (application/x-www-form-urlencoded). `Malformed`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Malformed("this takes a form of the page where one signs in")
    try:
        return dict(parse_qsl((await read_body(request, FORM)).decode(), keep_blank_values=True, errors="strict", max_num_fields=10))
    except ValueError as error:
        raise Malformed("the form is not UTF-8, or has too many fields") from error
