"""The calls of a CS3 gateway (gRPC), each with a time-out, each with the token of whoever it is for.

All raise what `codes.ERRORS` says: `NotFound`, `Denied`, `Unauthorized`, `Unavailable`, and `Unsupported` for a call that the server does not have, which then
is not asked again for a while. A token is neither kept nor told to anybody: not in a log, not in an error.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from hashlib import sha256
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
from cs3.app.registry.v1beta1 import registry_api_pb2 as registry
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.storage.provider.v1beta1 import provider_api_pb2 as provider
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from cs3.storage.provider.v1beta1 import spaces_api_pb2 as spaces

from collab.errors import NotFound, Unauthorized, Unavailable, Unsupported
from collab.gateway import messages
from collab.gateway.codes import OK, refusal
from collab.gateway.identity import Login, expires

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collab.gateway.resources import (
        Application,
        Endpoint,
        FileVersion,
        Recycled,
        Reference,
        Resource,
        ResourceId,
        Space,
        StorageLock,
        User,
    )

    # The class has a method `list`.
    Resources = list[Resource]
    Endpoints = list[Endpoint]

TIMEOUT: Final = 10.0
"""Seconds for a call."""
LACKING: Final = 600.0
"""Seconds for which a call that the server does not have is not asked again: it may be replaced by a newer one."""
SURE: Final = 60.0
"""Seconds for which a token that the cloud knew counts as known, and before the end that it names from which it is asked about each time."""
TOKEN: Final = "x-access-token"  # noqa: S105 - the name of a header

OPEN: Final = frozenset({"Authenticate", "AddAppProvider", "ListAppProviders"})
"""What is asked without a token."""

_PAUSES: Final = (0.02, 0.06)
"""Seconds between tries of a call that only looks, when the server is away."""
_LOOKS: Final = frozenset(
    {
        "Stat",
        "ListContainer",
        "GetPath",
        "GetHome",
        "ListStorageSpaces",
        "InitiateFileDownload",
        "ListFileVersions",
        "ListShares",
        "ListPublicShares",
        "FindUsers",
        "FindGroups",
        "GetUser",
        "GetGroup",
        "ListRecycle",
        "GetLock",
    }
    | {"WhoAmI", "Authenticate", "RefreshLock"}
)

_BY_PLACE: Final = frozenset({"SetArbitraryMetadata", "UnsetArbitraryMetadata"})
"""What one storage of a cloud may have and another one not: when an answer says that it is lacking, others are asked on."""

_OPTIONS: Final = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    # So long a connection may take to be made, whatever its name says.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.max_receive_message_length", 64 * 2**20),
    # A proxy of the environment is for the outer world.
    ("grpc.enable_http_proxy", 0),
]


class Gateway:
    """The gateway at `target` (`host:port`); it connects when it is first needed, and again whenever it has to. `clock` gives UTC seconds, `timer` monotonic ones."""

    def __init__(
        self,
        target: str,
        *,
        tls: bool = False,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self._tls = tls
        self._timeout = timeout
        self._clock = clock
        self._timer = timer
        self._channel: Any = None
        self._stub: Any = None
        self._lacking: dict[str, float] = {}
        self._known: dict[bytes, float] = {}
        """When the cloud knew a token, by its SHA-256."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connection; calls under way fail. Idempotent."""
        if self._channel is not None:
            channel, self._channel, self._stub = self._channel, None, None
            await channel.close()

    def lacks(self, call: str) -> bool:
        """Whether the server said lately that it does not have this call."""
        until = self._lacking.get(call)
        return until is not None and until > self._timer()

    # --- who

    async def authenticate(self, kind: str, client: str, secret: str) -> Login:
        """Sign in: `basic`, `bearer`, `machine`, `publicshares` (`secret` is `password|…` or empty), `appauth`, … Unauthorized: not so."""
        request = api.AuthenticateRequest(type=kind, client_id=client, client_secret=secret)
        try:
            answer = await self._call("Authenticate", request, "", "")
        except NotFound as error:
            raise Unauthorized("the cloud knows no such user or link") from error
        return Login(answer.token, messages.user(answer.user), expires(answer.token))

    async def who_am_i(self, token: str) -> User:
        """Whose token it is. Unauthorized: it is over, or nobody's."""
        answer = await self._call("WhoAmI", api.WhoAmIRequest(token=token), token, "")
        return messages.user(answer.user)

    async def verify(self, token: str) -> None:
        """Unauthorized when the token is not good (any more); Unavailable when nobody knows."""
        end = expires(token)
        now = self._clock()
        if end is not None and end <= now:
            raise Unauthorized("the cloud's sign-in is over: sign in again")
        digest = sha256(token.encode()).digest()
        if now - self._known.get(digest, -SURE) < SURE and (end is None or end > now + SURE):
            return
        await self.who_am_i(token)
        self._known = {each: at for each, at in self._known.items() if now - at < SURE}
        self._known[digest] = now

    # --- looking

    async def stat(self, token: str, ref: Reference, *, keys: Sequence[str] = ("*",)) -> Resource:
        """A file or folder, with these keys of its arbitrary metadata. NotFound only with a token that is good."""
        request = provider.StatRequest(ref=messages.reference_message(ref), arbitrary_metadata_keys=list(keys))
        return messages.resource((await self._call("Stat", request, token, ref)).info)

    async def list(self, token: str, ref: Reference, *, keys: Sequence[str] = ()) -> Resources:
        """What is in a folder, with these keys of its arbitrary metadata."""
        found: Resources = []
        page = ""
        while True:
            request = provider.ListContainerRequest(
                ref=messages.reference_message(ref), page_token=page, arbitrary_metadata_keys=list(keys)
            )
            answer = await self._call("ListContainer", request, token, ref)
            found += map(messages.resource, answer.infos)
            page = answer.next_page_token
            if not page:
                return found

    async def path(self, token: str, of: ResourceId) -> str:
        """Where it is now, under the root of its space (of the server, where there are no spaces), `/` between parts, none at the ends."""
        request = provider.GetPathRequest(resource_id=messages.resource_id_message(of))
        answer = await self._call("GetPath", request, token, of)
        return str(answer.path).removeprefix(".").strip("/")

    async def home(self, token: str) -> str:
        """The path of the caller's home on a server without spaces."""
        return str((await self._call("GetHome", provider.GetHomeRequest(), token, "")).path).strip("/")

    async def spaces(self, token: str) -> Sequence[Space]:
        """The spaces that the caller may see."""
        answer = await self._call("ListStorageSpaces", spaces.ListStorageSpacesRequest(), token, "")
        return [messages.space(each) for each in answer.storage_spaces]

    # --- bytes

    async def download(self, token: str, ref: Reference, *, lock: str = "") -> Endpoints:
        """Where the bytes are given; of a former version when the id is that version's key."""
        request = provider.InitiateFileDownloadRequest(ref=messages.reference_message(ref), lock_id=lock)
        return messages.downloads((await self._call("InitiateFileDownload", request, token, ref)).protocols)

    async def upload(  # noqa: PLR0913 - the facts of a body
        self, token: str, ref: Reference, *, length: int, sha1: str, if_match: str | None = None, lock: str = ""
    ) -> Endpoints:
        """Where the bytes are taken, as many as `length` says; with `length=0` it is done. `if_match`: an etag, None for a new file.

        Also Changed, Exists, Locked, and Unavailable for a lock id that does not fit (INTERNAL).
        """
        facts = {"Upload-Length": str(length), "Upload-Checksum": f"sha1 {sha1}"}
        request = provider.InitiateFileUploadRequest(
            ref=messages.reference_message(ref),
            lock_id=lock,
            opaque=messages.opaque_message(facts),
            **({"if_not_exist": True} if if_match is None else {"if_match": if_match}),
        )
        return messages.uploads((await self._call("InitiateFileUpload", request, token, ref, again=length > 0)).protocols)

    async def versions(self, token: str, ref: Reference) -> Sequence[FileVersion]:
        """The bodies that the file had, oldest first."""
        answer = await self._call("ListFileVersions", provider.ListFileVersionsRequest(ref=messages.reference_message(ref)), token, ref)
        return sorted(map(messages.version, answer.versions), key=lambda each: (each.modified, each.key))

    async def restore_version(self, token: str, ref: Reference, key: str, *, lock: str = "") -> None:
        """Make a former body the present one."""
        request = provider.RestoreFileVersionRequest(ref=messages.reference_message(ref), key=key, lock_id=lock)
        await self._call("RestoreFileVersion", request, token, ref)

    # --- the tree

    async def make(self, token: str, ref: Reference) -> None:
        """An empty folder. Also Exists, Changed (the folder around it is not there)."""
        await self._call("CreateContainer", provider.CreateContainerRequest(ref=messages.reference_message(ref)), token, ref)

    async def move(self, token: str, source: Reference, to: Reference, *, lock: str = "") -> None:
        """Rename or move; the id stays. Also Exists, Locked."""
        request = provider.MoveRequest(source=messages.reference_message(source), destination=messages.reference_message(to), lock_id=lock)
        await self._call("Move", request, token, source)

    async def delete(self, token: str, ref: Reference, *, lock: str = "") -> None:
        """Into the bin. Also Locked."""
        await self._call("Delete", provider.DeleteRequest(ref=messages.reference_message(ref), lock_id=lock), token, ref)

    async def recycled(self, token: str, root: Reference) -> Sequence[Recycled]:
        """What is in the bin of a space."""
        found: list[Recycled] = []
        page = ""
        while True:
            request = provider.ListRecycleRequest(ref=messages.reference_message(root), page_token=page)
            answer = await self._call("ListRecycle", request, token, root)
            found += map(messages.recycled, answer.recycle_items)
            page = answer.next_page_token
            if not page:
                return found

    async def restore(self, token: str, root: Reference, key: str, to: Reference) -> None:
        """Out of the bin, to a free place. Also Exists."""
        request = provider.RestoreRecycleItemRequest(
            ref=messages.reference_message(root), key=key, restore_ref=messages.reference_message(to)
        )
        await self._call("RestoreRecycleItem", request, token, to)

    async def purge(self, token: str, root: Reference, key: str) -> None:
        """Gone for good."""
        await self._call("PurgeRecycle", provider.PurgeRecycleRequest(ref=messages.reference_message(root), key=key), token, root)

    # --- locks

    async def lock(self, token: str, ref: Reference, lock: StorageLock) -> None:
        """Take it. Locked: somebody has it, be it with the same id."""
        await self._call(
            "SetLock",
            provider.SetLockRequest(ref=messages.reference_message(ref), lock=messages.lock_message(lock)),
            token,
            ref,
            lock=True,
        )

    async def locked(self, token: str, ref: Reference) -> StorageLock | None:
        """The lock that holds now. NotFound: there is no such file."""
        request = provider.GetLockRequest(ref=messages.reference_message(ref))
        try:
            answer = await self._call("GetLock", request, token, ref)
        except NotFound:
            # No lock, or no file.
            return (await self.stat(token, ref, keys=())).lock
        return messages.lock(answer.lock) if answer.HasField("lock") else None

    async def refresh_lock(self, token: str, ref: Reference, lock: StorageLock, *, instead_of: str = "") -> None:
        """Hold it on, also one that is over: whoever writes compares the etag first. `instead_of`: the id whose place the lock's takes. Locked: it is not that one."""
        request = provider.RefreshLockRequest(
            ref=messages.reference_message(ref), lock=messages.lock_message(lock), existing_lock_id=instead_of
        )
        await self._call("RefreshLock", request, token, ref, lock=True)

    async def unlock(self, token: str, ref: Reference, lock: StorageLock) -> None:
        """Give it back. Locked: it is not this one, or none."""
        request = provider.UnlockRequest(ref=messages.reference_message(ref), lock=messages.lock_message(lock))
        await self._call("Unlock", request, token, ref, lock=True)

    # --- metadata

    async def set_metadata(self, token: str, ref: Reference, values: Mapping[str, str], *, lock: str = "") -> None:
        """Arbitrary metadata under these keys; others stay. Never `mtime` or `etag`, which servers take for the file's own."""
        message = resources.ArbitraryMetadata(metadata=dict(values))
        request = provider.SetArbitraryMetadataRequest(ref=messages.reference_message(ref), arbitrary_metadata=message, lock_id=lock)
        await self._call("SetArbitraryMetadata", request, token, ref)

    async def unset_metadata(self, token: str, ref: Reference, keys: Sequence[str], *, lock: str = "") -> None:
        """Without these keys."""
        request = provider.UnsetArbitraryMetadataRequest(
            ref=messages.reference_message(ref), arbitrary_metadata_keys=list(keys), lock_id=lock
        )
        await self._call("UnsetArbitraryMetadata", request, token, ref)

    # --- applications

    async def register(self, application: Application) -> None:
        """Let the cloud's pages offer it, until the registry forgets. It is asked without a token, as each application does."""
        request = registry.AddAppProviderRequest(provider=messages.application_message(application))
        await self._call("AddAppProvider", request, "", application.name)

    async def applications(self) -> Sequence[Application]:
        """What the registry has."""
        answer = await self._call("ListAppProviders", registry.ListAppProvidersRequest(), "", "")
        return [messages.application(each) for each in answer.providers]

    # --- how

    async def ask(self, name: str, request: Any, token: str, about: object, *, said: bool = False) -> Any:  # noqa: ANN401
        """The answer to another call. `said`: what it does not take is told in the cloud's own words, since its rules are its own."""
        return await self._call(name, request, token, about, said=said)

    async def _call(  # noqa: PLR0913 - the facts of a call
        self,
        name: str,
        request: Any,  # noqa: ANN401
        token: str,
        about: object,
        *,
        lock: bool = False,
        again: bool | None = None,
        said: bool = False,
    ) -> Any:  # noqa: ANN401
        """The answer, when its status is OK. `again`: it may be asked twice for the same; by default what only looks."""
        pauses = _PAUSES if (name in _LOOKS if again is None else again) else ()
        for pause in pauses:
            try:
                return await self._once(name, request, token, about, lock=lock, told=said)
            except Unavailable:
                await asyncio.sleep(pause * (0.5 + random()))  # noqa: S311 - all who wait for a server do not come at the same moment
        return await self._once(name, request, token, about, lock=lock, told=said)

    async def _once(  # noqa: PLR0913 - as `_call`
        self,
        name: str,
        request: Any,  # noqa: ANN401
        token: str,
        about: object,
        *,
        lock: bool,
        told: bool,
    ) -> Any:  # noqa: ANN401
        if self.lacks(name):
            raise refusal("UNIMPLEMENTED", str(about))
        try:
            answer = await getattr(self._connected(), name)(request, timeout=self._timeout, metadata=((TOKEN, token),) if token else ())
        except grpc.aio.AioRpcError as error:
            code, said, everywhere = error.code().name, str(error.details()), True
        else:
            code, said, everywhere = _code(answer.status), answer.status.message, name not in _BY_PLACE
            if code == OK:
                return answer
        wrong = refusal(code, str(about), said.replace(token, "…") if token else said, lock=lock, told=told)
        if isinstance(wrong, Unsupported) and everywhere:
            self._lacking[name] = self._timer() + LACKING
        if isinstance(wrong, NotFound) and name not in OPEN:
            # A token that is not good finds nothing, which is not "deleted".
            await self.verify(token)
        raise wrong

    def _connected(self) -> Any:  # noqa: ANN401
        if self._stub is None:
            make = grpc.aio.secure_channel if self._tls else grpc.aio.insecure_channel
            how = (grpc.ssl_channel_credentials(_trusted()),) if self._tls else ()
            self._channel = make(self.target, *how, options=_OPTIONS)
            self._stub = gateway_api_pb2_grpc.GatewayAPIStub(self._channel)
        return self._stub


def _trusted() -> bytes | None:
    """The certificates of the system, or those of SSL_CERT_FILE; None: the library's own."""
    known = ssl.get_default_verify_paths().cafile
    try:
        return Path(known).read_bytes() if known else None
    except OSError:
        return None


def _code(status: Any) -> str:  # noqa: ANN401
    """The name of a status' code; one that is newer than we are has a number only."""
    try:
        return str(Code.Name(status.code)).removeprefix("CODE_")
    except ValueError:
        return f"code {status.code}"
