"""The routes of the WOPI host for files: headers in, headers and JSON out. What is done is in `collab.wopi.host`."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.errors import CollabError, Forbidden, Malformed, NotText, Unauthorized
from collab.runtime.acting import asked_by
from collab.web.api import read_body, users_bytes, visitor_of
from collab.web.streams import Pieces, answer
from collab.wopi.addresses import id_of
from collab.wopi.locks import Operation
from collab.wopi.proof import Signed
from collab.wopi.refusals import NotOffered, Refused, printable
from collab.wopi.tokens import DOWNLOAD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from collab.ports import Stat
    from collab.runtime.audit import Audit
    from collab.runtime.metrics import Metrics
    from collab.wopi.host import Given, WopiHost
    from collab.wopi.proof import Proofs
    from collab.wopi.tokens import Pass

log = logging.getLogger("collab.wopi")

NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
ACTIVITIES: Final = 256 * 1024
"""Bytes of AddActivities."""
_LOCKS: Final = {
    "LOCK": Operation.LOCK,
    "REFRESH_LOCK": Operation.REFRESH,
    "UNLOCK": Operation.UNLOCK,
    "GET_LOCK": Operation.GET,
}
_ONE: Final = re.compile(r"/wopi/(?:files/(?P<key>[^/]+)|file-url/(?P<file>[^/]+)/(?P<signed>[^/]+)$)")


_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""As Starlette's, which makes one for each answer."""
_CONTENTS: Final = re.compile(r"/wopi/files/([^/]+)/contents")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9._-]+")
"""A value in a query that stands for itself, and is the only one."""


@dataclass(frozen=True, slots=True)
class WopiDoor:
    """The routes under `/wopi/files`. `limit`: bytes of a body."""

    host: WopiHost
    proofs: Proofs
    audit: Audit
    metrics: Metrics
    limit: int

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/wopi/files/{key}"
        return [
            Route(one, self.guarded(self.check_file_info), methods=["GET"]),
            Route(one, self.guarded(self.operate), methods=["POST"]),
            Route(one + "/contents", Contents(self), methods=["GET"]),
            Route(one + "/contents", self.guarded(self.put_file), methods=["POST"]),
            Route(one + "/ecosystem_pointer", self.guarded(self.ecosystem), methods=["GET"]),
            Route("/wopi/file-url/{key}/{signed}", self.answered(self.file_url), methods=["GET"]),
        ]

    # --- who asks

    def guarded(self, act: Callable[[Request, Pass], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """The route for whoever has a token for its target, and for the suite that it was made for; refusals in WOPI's words."""

        async def checked(request: Request) -> Response:
            granted = self.host.admit(token_of(request), id_of(request.path_params["key"]))
            if self.proofs.wanted(granted):
                await self.proofs.check(granted, signed_of(request))
            with asked_by(granted.session):
                return await act(request, granted)

        return self.answered(checked)

    def answered(self, act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """The route with refusals in WOPI's words."""

        async def answer(request: Request) -> Response:
            try:
                return await act(request)
            except (CollabError, Refused) as error:
                return self.refused(request.method, error)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it

        return answer

    def refused(self, method: str, error: CollabError | Refused) -> Response:
        """The answer to who is refused, counted."""
        self.metrics.refused(error.reason)
        log.info("%s %s: %s", method, error.status, error.reason)
        return refusal(error)

    async def document_of(self, scope: Scope) -> str | None:
        """The id of the document that a request is for, or whose place it gives to another body, if its token is good for it; None for everything
        else, which is answered here.
        """
        match = _ONE.match(scope["path"])
        if match is None:
            return None
        try:
            if match["signed"] is not None:
                return self.host.admit(match["signed"], id_of(match["file"]), audience=DOWNLOAD).target
            request = Request(scope)
            granted = self.host.admit(token_of(request), id_of(match["key"]))
            name = overwritten(request, "PUT_RELATIVE")
            return (name and await self.host.beside(granted, name)) or granted.target
        except CollabError:
            return None

    # --- what is asked

    async def check_file_info(self, request: Request, granted: Pass) -> Response:
        """CheckFileInfo."""
        del request
        return JSONResponse(await self.host.check_file_info(granted), headers=NO_STORE)

    async def get_file(self, scope: Scope) -> Response:
        """GetFile."""
        asked = headers_of(scope)
        token = _token(scope["query_string"], asked)
        granted = self.host.admit(token, id_of(scope["path_params"]["key"]))
        if self.proofs.wanted(granted):
            await self.proofs.check(granted, _signed(scope, token, asked))
        most = asked.get("x-wopi-maxexpectedsize", "")
        with asked_by(granted.session):
            given = await self.host.get_file(granted, most=int(most) if most.isdecimal() else None)
        if scope["method"] == "GET":
            self.audit("download", granted.person, given.reader.stat, scope["state"]["visitor"].address, granted.suite)
        return _bytes(scope["method"], asked, given)

    async def file_url(self, request: Request) -> Response:
        """The bytes for whoever has this short-lived address."""
        signed, target = request.path_params["signed"], id_of(request.path_params["key"])
        with asked_by(self.host.admit(signed, target, audience=DOWNLOAD).session):
            given = await self.host.get_bytes(signed, target)
        return _bytes(request.method, request.headers, given)

    async def put_file(self, request: Request, granted: Pass) -> Response:
        """PutFile."""
        asked = headers_of(request.scope)
        _expect(asked, "PUT")
        given, timestamp = asked.get("x-wopi-lock", ""), _either(asked, "wopi-timestamp")
        put = await self.host.put_file(granted, Pieces(request, self.limit), given=given, timestamp=timestamp)
        self.audited("put", request, granted, put.stat)
        return _done(put.version, {"LastModifiedTime": put.modified})

    async def ecosystem(self, request: Request, granted: Pass) -> Response:
        """GetEcosystem."""
        del request
        return JSONResponse({"Url": await self.host.ecosystem(granted)}, headers=NO_STORE)

    async def operate(self, request: Request, granted: Pass) -> Response:
        """What `X-WOPI-Override` says."""
        override = request.headers.get("x-wopi-override", "")
        if override in _LOCKS:
            return await self._lock(request, granted, _LOCKS[override])
        act = {
            "PUT_RELATIVE": self._put_relative,
            "RENAME_FILE": self._rename,
            "DELETE": self._delete,
            "PUT_USER_INFO": self._put_user_info,
            "GET_SHARE_URL": self._share_url,
            "ADD_ACTIVITIES": self._activities,
        }.get(override)
        if act is None:
            raise NotOffered(f"there is no operation {printable(override)[:60]!r} here")
        return await act(request, granted)

    async def _lock(self, request: Request, granted: Pass, operation: Operation) -> Response:
        given, old = request.headers.get("x-wopi-lock", ""), request.headers.get("x-wopi-oldlock", "")
        if operation is Operation.LOCK and old:
            operation = Operation.RELOCK
        locked = await self.host.lock(granted, operation, given, old)
        return _done(locked.version, headers={"X-WOPI-Lock": locked.lock} if operation is Operation.GET else {})

    async def _put_relative(self, request: Request, granted: Pass) -> Response:
        made = await self.host.put_relative(
            granted,
            Pieces(request, self.limit),
            suggested=request.headers.get("x-wopi-suggestedtarget", ""),
            relative=request.headers.get("x-wopi-relativetarget", ""),
            overwrite=request.headers.get("x-wopi-overwriterelativetarget", "").lower() == "true",
        )
        self.audited("create", request, granted, None, str(made["Name"]))
        return JSONResponse(made, headers=NO_STORE)

    async def _rename(self, request: Request, granted: Pass) -> Response:
        name = await self.host.rename(granted, request.headers.get("x-wopi-requestedname", ""), request.headers.get("x-wopi-lock", ""))
        self.audited("rename", request, granted, None, name)
        return JSONResponse({"Name": name}, headers=NO_STORE)

    async def _delete(self, request: Request, granted: Pass) -> Response:
        self.audited("delete", request, granted, await self.host.delete(granted))
        return _done()

    async def _put_user_info(self, request: Request, granted: Pass) -> Response:
        await self.host.put_user_info(granted, await read_body(request, 4096))
        return _done()

    async def _share_url(self, request: Request, granted: Pass) -> Response:
        return JSONResponse({"ShareUrl": await self.host.share_url(granted, request.headers.get("x-wopi-urltype", ""))}, headers=NO_STORE)

    async def _activities(self, request: Request, granted: Pass) -> Response:
        try:
            fields = json.loads(await read_body(request, ACTIVITIES))
        except (ValueError, RecursionError) as error:
            raise Malformed("the activities are not JSON") from error
        listed = fields.get("Activities") if isinstance(fields, dict) else None
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise Malformed("the body has a list of objects, Activities")
        return JSONResponse({"ActivityResponses": await self.host.activities(granted, listed)}, headers=NO_STORE)

    def audited(self, event: str, request: Request, granted: Pass, stat: Stat | None, detail: str = "") -> None:
        """A line for the audit; `detail` says more, else the suite does."""
        self.audit(event, granted.person, stat, visitor_of(request).address, detail or granted.suite)


class Contents:
    """GetFile as an ASGI application. `scope["path_params"]["key"]` names the file."""

    def __init__(self, door: WopiDoor) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            response = await self._door.get_file(scope)
        except (CollabError, Refused) as error:
            response = self._door.refused(scope["method"], error)
        await response(scope, receive, send)


class First:
    """ASGI middleware before the router: what suites ask for most is not looked for among all routes. GetFile and PutFile go the same way with it and
    without.
    """

    def __init__(self, app: ASGIApp, door: WopiDoor) -> None:
        self._app = app
        self._contents = Contents(door)
        self._put = door.guarded(door.put_file)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let others answer."""
        match = _CONTENTS.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] in {"GET", "POST"} else None
        if match is None:
            await self._app(scope, receive, send)
            return
        scope["path_params"] = {"key": match[1]}
        if scope["method"] == "GET":
            await self._contents(scope, receive, send)
            return
        response = await self._put(Request(scope, receive, send))
        await response(scope, receive, send)


def headers_of(scope: Scope) -> dict[str, str]:
    """A request's headers by their names in lower case, of one that came twice the first."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def token_of(request: Request) -> str:
    """The access token of a request, from its query or its header; empty when there is none."""
    return _token(request.scope["query_string"], request.headers)


def _token(query: bytes, asked: Mapping[str, str]) -> str:
    name, _, rest = query.partition(b"=")
    if name == b"access_token" and rest and _PLAIN.fullmatch(rest):
        return rest.decode("ascii")
    told = QueryParams(query).get("access_token", "")
    bearer = asked.get("authorization", "")
    return told or (bearer[7:].strip() if bearer[:7].lower() == "bearer " else "")


def overwritten(request: Request, override: str) -> str:
    """The name of what this operation may put something else in the place of, as the header has it; empty: it is another request, or overwrites nothing."""
    asked = request.headers
    overwrites = asked.get("x-wopi-override", "") == override and asked.get("x-wopi-overwriterelativetarget", "").lower() == "true"
    return asked.get("x-wopi-relativetarget", "") if overwrites else ""


def signed_of(request: Request) -> Signed:
    """What the request's signature says, and of what."""
    return _signed(request.scope, token_of(request), request.headers)


def _signed(scope: Scope, token: str, asked: Mapping[str, str]) -> Signed:
    query: str = scope["query_string"].decode("latin-1")
    return Signed.of(token, scope["path"] + (f"?{query}" if query else ""), asked)


def refusal(error: CollabError | Refused) -> Response:
    """A refusal as office suites understand it: never 403, which some take for the end of everything; JSON with each."""
    status = error.status
    if isinstance(error, Forbidden):
        status = 404
    elif isinstance(error, NotText) or (error.status == 412 and error.reason == "changed"):
        status = 409
    headers = {**NO_STORE, "X-WOPI-ServerError": printable(error.detail)}
    fields: Mapping[str, object] = {}
    if isinstance(error, Refused):
        headers |= error.headers
        fields = error.fields
    if status == 409 and "X-WOPI-Lock" not in headers:
        headers |= {"X-WOPI-Lock": "", "X-WOPI-LockFailureReason": printable(error.detail)}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="collab"'
    return JSONResponse({"status": status, "reason": error.reason, "detail": error.detail, **fields}, status, headers)


def _done(version: str = "", fields: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None) -> Response:
    told = {"X-WOPI-ItemVersion": version} if version else {}
    return _Told(_JSON(fields or {}), {**NO_STORE, **told, **(headers or {})})


class _Told(Response):
    """A JSON answer, set up as Starlette's own, which looks for what is never there."""

    def __init__(self, body: str, headers: Mapping[str, str]) -> None:
        self.status_code = 200
        self.background = None
        self.body = body.encode()
        told = {**headers, "Content-Length": str(len(self.body)), "Content-Type": "application/json"}
        self.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]


def _bytes(method: str, asked: Mapping[str, str], given: Given) -> Response:
    stat = given.reader.stat
    told = {
        "X-WOPI-ItemVersion": given.version,
        "Content-Type": "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": f'"{stat.etag}"',
    }
    return answer(method, asked, given.reader, {**NO_STORE, **users_bytes(stat), **told})


def _expect(asked: Mapping[str, str], override: str) -> None:
    said = asked.get("x-wopi-override", "")
    if said != override:
        raise NotOffered(f"there is no operation {printable(said)[:60]!r} on the contents of a file")


def _either(asked: Mapping[str, str], name: str) -> str:
    """A header of Collabora Online, by its name or by the one that it had before."""
    return asked.get(f"x-cool-{name}", "") or asked.get(f"x-lool-{name}", "")
