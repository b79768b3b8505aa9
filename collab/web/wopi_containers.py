"""The routes of the WOPI host for folders and the ecosystem. What is done is in `collab.wopi.containers`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.errors import CollabError
from collab.web.wopi import NO_STORE, overwritten, signed_of, token_of
from collab.wopi.addresses import id_of
from collab.wopi.refusals import NotOffered, printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope

    from collab.web.wopi import WopiDoor
    from collab.wopi.containers import Containers
    from collab.wopi.tokens import Pass


_CONTAINER: Final = re.compile(r"/wopi/containers/(?P<key>[^/]+)")


@dataclass(frozen=True, slots=True)
class ContainersDoor:
    """The routes under `/wopi/containers` and `/wopi/ecosystem`, and the way from a file to its folders; `door` is that of files."""

    door: WopiDoor
    containers: Containers

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        guarded, one = self.door.guarded, "/wopi/containers/{key}"
        ecosystem = "/wopi/ecosystem"
        return [
            Route("/wopi/files/{key}/ancestry", guarded(self.above_file), methods=["GET"]),
            Route(one, guarded(self.check), methods=["GET"]),
            Route(one, guarded(self.operate), methods=["POST"]),
            Route(one + "/children", guarded(self.children), methods=["GET"]),
            Route(one + "/ancestry", guarded(self.above_folder), methods=["GET"]),
            Route(one + "/ecosystem_pointer", guarded(self.pointer), methods=["GET"]),
            Route(ecosystem, self._anywhere(self.check_ecosystem), methods=["GET"]),
            Route(ecosystem, self._anywhere(self.shortcut), methods=["POST"]),
            Route(ecosystem + "/root_container_pointer", self._anywhere(self.root), methods=["GET"]),
        ]

    def _anywhere(self, act: Callable[[Request, Pass], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """For whoever has a token, whatever it is for."""

        async def checked(request: Request) -> Response:
            granted = self.door.host.admit(token_of(request), None)
            await self.door.proofs.check(granted, signed_of(request))
            return await act(request, granted)

        return self.door.answered(checked)

    async def document_of(self, scope: Scope) -> str | None:
        """As `WopiDoor.document_of`, also of the files that requests for folders overwrite."""
        match = _CONTAINER.fullmatch(scope["path"])
        if match is None:
            return await self.door.document_of(scope)
        request = Request(scope)
        name = overwritten(request, "CREATE_CHILD_FILE")
        try:
            return (name and await self.containers.inside(self.door.host.admit(token_of(request), id_of(match["key"])), name)) or None
        except CollabError:
            return None

    # --- the ecosystem

    async def pointer(self, request: Request, granted: Pass) -> Response:
        """GetEcosystem of a container."""
        del request
        return _told({"Url": self.containers.ecosystem(granted)})

    async def check_ecosystem(self, request: Request, granted: Pass) -> Response:
        """CheckEcosystem."""
        del request
        return _told(self.containers.check_ecosystem(granted))

    async def root(self, request: Request, granted: Pass) -> Response:
        """GetRootContainer."""
        del request
        return _told(await self.containers.root(granted))

    async def shortcut(self, request: Request, granted: Pass) -> Response:
        """What `X-WOPI-EcosystemOperation` says: a way to the root container in one request."""
        operation = request.headers.get("x-wopi-ecosystemoperation", "")
        if operation != "GET_ROOT_CONTAINER":
            raise _unknown(operation)
        return await self.root(request, granted)

    # --- containers

    async def check(self, request: Request, granted: Pass) -> Response:
        """CheckContainerInfo."""
        del request
        return _told(await self.containers.check(granted))

    async def children(self, request: Request, granted: Pass) -> Response:
        """EnumerateChildren."""
        return _told(await self.containers.children(granted, request.headers.get("x-wopi-fileextensionfilterlist", "")))

    async def above_folder(self, request: Request, granted: Pass) -> Response:
        """EnumerateAncestors of a container."""
        del request
        return _told(await self.containers.above_folder(granted))

    async def above_file(self, request: Request, granted: Pass) -> Response:
        """EnumerateAncestors of a file."""
        del request
        return _told(await self.containers.above_file(granted))

    async def operate(self, request: Request, granted: Pass) -> Response:
        """What `X-WOPI-Override` says."""
        override = request.headers.get("x-wopi-override", "")
        act = {
            "CREATE_CHILD_CONTAINER": self._create_folder,
            "CREATE_CHILD_FILE": self._create_file,
            "RENAME_CONTAINER": self._rename,
            "DELETE_CONTAINER": self._delete,
            "GET_SHARE_URL": self._share_url,
        }.get(override)
        if act is None:
            raise _unknown(override)
        return await act(request, granted)

    async def _create_folder(self, request: Request, granted: Pass) -> Response:
        suggested, relative = _targets(request)
        made = await self.containers.create_folder(granted, suggested=suggested, relative=relative)
        self.door.audited("create", request, granted, made.folder)
        return _told(made.told)

    async def _create_file(self, request: Request, granted: Pass) -> Response:
        suggested, relative = _targets(request)
        overwrite = request.headers.get("x-wopi-overwriterelativetarget", "").lower() == "true"
        made = await self.containers.create_file(granted, suggested=suggested, relative=relative, overwrite=overwrite)
        self.door.audited("create", request, granted, None, str(made["Name"]))
        return _told(made)

    async def _rename(self, request: Request, granted: Pass) -> Response:
        name = await self.containers.rename(granted, request.headers.get("x-wopi-requestedname", ""))
        self.door.audited("rename", request, granted, None, name)
        return _told({"Name": name})

    async def _delete(self, request: Request, granted: Pass) -> Response:
        self.door.audited("delete", request, granted, await self.containers.delete(granted))
        return _told({})

    async def _share_url(self, request: Request, granted: Pass) -> Response:
        return _told({"ShareUrl": await self.containers.share_url(granted, request.headers.get("x-wopi-urltype", ""))})


def _targets(request: Request) -> tuple[str, str]:
    return request.headers.get("x-wopi-suggestedtarget", ""), request.headers.get("x-wopi-relativetarget", "")


def _unknown(operation: str) -> NotOffered:
    return NotOffered(f"there is no operation {printable(operation)[:60]!r} here")


def _told(fields: dict[str, object]) -> Response:
    return JSONResponse(fields, headers=NO_STORE)
