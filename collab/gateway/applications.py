"""What a cloud asks an application: to open a file for somebody (CS3, `app.provider`). The gRPC half; who opens what how is the caller's."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import grpc
from cs3.app.provider.v1beta1 import provider_api_pb2 as api
from cs3.app.provider.v1beta1 import provider_api_pb2_grpc
from cs3.app.provider.v1beta1 import resources_pb2 as wire
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.rpc.v1beta1.status_pb2 import Status

from collab.errors import CollabError, Conflict, Forbidden, Locked, Malformed, NotFound, NotText, TooLarge, Unauthorized, Unavailable
from collab.gateway import messages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from collab.gateway.resources import Resource

log = logging.getLogger("collab.gateway")

GRACE: Final = 2.0
"""Seconds in which answers under way may end when the server stops."""
_CODES: Final[tuple[tuple[type[CollabError], str], ...]] = (
    (NotFound, "NOT_FOUND"),
    (Forbidden, "PERMISSION_DENIED"),
    (Unauthorized, "UNAUTHENTICATED"),
    (Locked, "LOCKED"),
    (NotText, "FAILED_PRECONDITION"),
    (TooLarge, "FAILED_PRECONDITION"),
    (Conflict, "FAILED_PRECONDITION"),
    (Malformed, "INVALID_ARGUMENT"),
    (Unavailable, "UNAVAILABLE"),
)


class Mode(StrEnum):
    """A view mode: what the cloud's page lets somebody do."""

    VIEW_ONLY = "VIEW_ONLY"
    """To be looked at, and neither downloaded, printed nor copied."""
    READ_ONLY = "READ_ONLY"
    READ_WRITE = "READ_WRITE"
    PREVIEW = "PREVIEW"
    EMBEDDED = "EMBEDDED"


@dataclass(frozen=True, slots=True)
class Asked:
    """A file that is to be opened. `token` is the user's, for all their files: it goes nowhere from here."""

    resource: Resource
    mode: Mode
    token: str = field(repr=False)
    view_token: str = field(default="", repr=False)
    """Of a file that its user may look at and not download (`VIEW_ONLY`): with it the application reads it; empty: with the user's own."""
    language: str = ""
    """BCP 47, as the cloud's page says it; empty: it does not."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the cloud's page opens a frame with: an address, and a form that is posted there."""

    address: str
    form: Mapping[str, str] = field(repr=False)
    method: str = "POST"
    reason: str = ""
    """Why it is opened for reading only although more was asked for, in words that end as Reva parses them."""
    instead: str = ""
    """The application that has the file, and in which it can be edited instead."""


class Applications:
    """Serves one application at `address` (`host:port`). `opener` decides; what it raises is the answer's status, in words."""

    def __init__(self, address: str, opener: Callable[[Asked], Awaitable[Opening]]) -> None:
        self._address = address
        self._opener = opener
        self._server: Any = None
        self.port = 0
        """On which it listens."""

    async def start(self) -> None:
        """Listen. Unavailable: the address cannot be had."""
        # Two servers of one machine must not share a port unnoticed.
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        provider_api_pb2_grpc.add_ProviderAPIServicer_to_server(_Servicer(self._opener), server)
        try:
            self.port = server.add_insecure_port(self._address)
        except RuntimeError:
            self.port = 0
        if not self.port:
            raise Unavailable(f"cannot listen for the cloud on {self._address}: choose another address")
        await server.start()
        self._server = server

    async def close(self) -> None:
        """Listen no more. Idempotent."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(GRACE)


class _Servicer(provider_api_pb2_grpc.ProviderAPIServicer):  # type: ignore[misc]  # the library has no types
    """The service's one call."""

    def __init__(self, opener: Callable[[Asked], Awaitable[Opening]]) -> None:
        self._opener = opener

    async def OpenInApp(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - as the service calls it
        """Where the file opens."""
        del context
        try:
            opening = await self._opener(_asked(request))
        except CollabError as error:
            log.info("not opened: %s", error.reason)
            return api.OpenInAppResponse(status=Status(code=Code.Value(f"CODE_{_code(error)}"), message=error.detail))
        except Exception:
            log.exception("a file could not be opened")
            return api.OpenInAppResponse(status=Status(code=Code.Value("CODE_INTERNAL"), message="the server failed; it is in its log"))
        address = wire.OpenInAppURL(
            app_url=opening.address, method=opening.method, form_parameters=dict(opening.form), target=wire.TARGET_IFRAME
        )
        return api.OpenInAppResponse(
            status=Status(code=Code.Value("CODE_OK")),
            app_url=address,
            forced_view_mode_reason=opening.reason,
            app_for_edit=opening.instead,
        )


def _code(error: CollabError) -> str:
    """CS3's name for it."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), "INTERNAL")


def _asked(request: Any) -> Asked:  # noqa: ANN401
    """What the request says; `Malformed` for a mode that is none."""
    try:
        mode = Mode(wire.ViewMode.Name(request.view_mode).removeprefix("VIEW_MODE_"))
    except ValueError:
        raise Malformed(f"there is no view mode {request.view_mode}") from None
    told = messages.opaque(request.opaque)
    # OpenCloud's and oCIS' name for it.
    view_token = told.get("viewOnlyToken", "") if mode is Mode.VIEW_ONLY else ""
    return Asked(messages.resource(request.resource_info), mode, request.access_token, view_token, told.get("lang", ""))
