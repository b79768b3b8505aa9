"""The calls of the gateway that collab uses, with the answers that real servers give, odd ones too (see the tables in the tests beside this)."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import grpc
from cs3.app.provider.v1beta1 import provider_api_pb2 as applications
from cs3.app.provider.v1beta1 import provider_api_pb2_grpc
from cs3.app.registry.v1beta1 import registry_api_pb2 as registry
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.gateway.v1beta1 import resources_pb2 as transfers
from cs3.identity.user.v1beta1 import resources_pb2 as users
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.rpc.v1beta1.status_pb2 import Status
from cs3.storage.provider.v1beta1 import provider_api_pb2 as provider
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from cs3.storage.provider.v1beta1 import spaces_api_pb2 as spaces
from cs3.types.v1beta1 import types_pb2 as types

from gateway.cloud import MACHINE, Caller, Lock, Node, Space
from gateway.data import Transfer
from gateway.sharing import CALLS as SHARING
from gateway.sharing import Refused, Sharing

if TYPE_CHECKING:
    from gateway.server import CloudGateway

HOME = "/home"
OPEN = {"Authenticate", "WhoAmI", "AddAppProvider", "ListAppProviders"}
"""What is asked without a token."""


class Calls(Sharing, gateway_api_pb2_grpc.GatewayAPIServicer):  # type: ignore[misc]
    """Each call `X` is a method `_x(request, caller) -> response` here; what surrounds it is in `_wrapped`."""

    def __init__(self, gateway: CloudGateway) -> None:
        self.gateway = gateway
        self.cloud = gateway.cloud
        for name, (method, response) in CALLS.items():
            setattr(self, name, self._wrapped(name, getattr(self, method), response))

    def _wrapped(self, name: str, act: Any, response: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            gateway, moods = self.gateway, self.gateway.moods
            if name in moods.lacks or (moods.paths_only and name == "ListStorageSpaces"):
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"method {name} not implemented")
            await gateway.enter(name)
            if gateway.chance(moods.away):
                await context.abort(grpc.StatusCode.UNAVAILABLE, "connection refused")
            try:
                answer = act(request, self._caller(context, name))
                if inspect.isawaitable(answer):
                    answer = await answer
                answer.status.CopyFrom(Status(code=Code.Value("CODE_OK")))
            except Refused as refused:
                answer = response(status=refused.status)
            if gateway.chance(moods.mute):
                await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
            await asyncio.sleep(0)
            return answer

        return call

    def _caller(self, context: Any, name: str) -> Caller | None:
        if name in self.gateway.moods.refuses:
            raise Refused(self.gateway.moods.refuses[name])
        token = dict(context.invocation_metadata()).get("x-access-token", "")
        self.gateway.tokens.add(token)
        caller = self.cloud.caller(token)
        if caller is None and name not in OPEN:
            # No provider is found for nobody.
            raise Refused("UNAUTHENTICATED" if name in {"ListStorageSpaces", "GetHome"} else "NOT_FOUND")
        return caller

    # --- who

    def _authenticate(self, request: Any, _: Caller | None) -> Any:
        people, name, secret = self.cloud.people, request.client_id, request.client_secret
        if request.type == "publicshares":
            link = self.cloud.links.get(name)
            if link is None or (link.password and secret != f"password|{link.password}"):
                raise Refused("UNAUTHENTICATED" if link else "NOT_FOUND")
            return api.AuthenticateResponse(token=self.cloud.token(link.owner, link=name), user=self._user(Caller(link.owner, link)))
        person = people.get(name)
        good = {"machine": MACHINE, "basic": person.password if person else None}.get(request.type)
        if person is None or secret != good:
            raise Refused("UNAUTHENTICATED")
        return api.AuthenticateResponse(token=self.cloud.token(name), user=self._user(Caller(name)))

    def _who_am_i(self, request: Any, _: Caller | None) -> Any:
        caller = self.cloud.caller(request.token)
        if caller is None:
            raise Refused("UNAUTHENTICATED")
        return api.WhoAmIResponse(user=self._user(caller))

    def _user(self, caller: Caller) -> Any:
        person = self.cloud.people[caller.name]
        opaque = types.Opaque()
        if caller.link is not None:
            opaque.map["public-share-role"].CopyFrom(types.OpaqueEntry(decoder="plain", value=caller.link.role.encode()))
        identity = users.UserId(idp="https://cloud.example", opaque_id=f"user-{person.name}", type=person.kind)
        return users.User(id=identity, username=person.name, display_name=person.display, groups=person.groups, opaque=opaque)

    # --- where

    def _place(self, ref: Any, caller: Caller) -> tuple[Space, Node | None, Node | None, str]:
        """Space, what is there, the folder around it, and the name."""
        if ref.HasField("resource_id"):
            start = self.cloud.nodes.get(ref.resource_id.opaque_id)
            if start is None or self.cloud.binned(start) or ref.resource_id.storage_id != self.cloud.storage:
                raise Refused("NOT_FOUND")
            parts = [part for part in ref.path.split("/") if part not in {"", "."}]
        else:
            home, *_ = (space for space in self.cloud.spaces.values() if space.owner == caller.name and space.kind == "personal")
            start = home.root
            top, *parts = [part for part in ref.path.split("/") if part] or [""]
            if f"/{top}" != HOME:
                raise Refused("NOT_FOUND")
        parent, name, node = start.parent, start.name, start
        space = self.cloud.space_of(start)
        for number, part in enumerate(parts):
            if not node.folder:
                raise Refused("NOT_FOUND")
            parent, name = node, part
            child = node.children.get(part)
            if child is None:
                if number < len(parts) - 1:
                    return space, None, None, part
                return space, None, parent, part
            node = child
        return space, node, parent, name

    def _there(self, ref: Any, caller: Caller, right: str) -> Node:
        """What is there, if the caller may do this; what may not even be seen is not found."""
        _, node, _, _ = self._place(ref, caller)
        if node is None or "stat" not in self.cloud.allowed(caller, node):
            raise Refused("NOT_FOUND")
        if right not in self.cloud.allowed(caller, node):
            raise Refused("PERMISSION_DENIED")
        if self.gateway.chance(self.gateway.moods.forgets_locks):
            node.lock = None
        return node

    def _identity(self, node: Node) -> Any:
        return resources.ResourceId(storage_id=self.cloud.storage, space_id=self.cloud.space_of(node).id, opaque_id=node.id)

    def _info(self, node: Node, caller: Caller, keys: Any = ("*",)) -> Any:
        moods = self.gateway.moods
        info = resources.ResourceInfo(
            type=resources.RESOURCE_TYPE_CONTAINER if node.folder else resources.RESOURCE_TYPE_FILE,
            id=self._identity(node),
            etag=node.etag,
            mime_type="httpd/unix-directory" if node.folder else "application/octet-stream",
            mtime=types.Timestamp(seconds=int(node.mtime), nanos=int(node.mtime % 1 * 10**9)),
            path=f"{HOME}/{node.path()}".rstrip("/") if moods.paths_only else node.name,
            name=node.name,
            size=len(node.body or b""),
            permission_set=resources.ResourcePermissions(**dict.fromkeys(self.cloud.shown(caller, node), True)),
            owner=users.UserId(opaque_id=f"user-{self.cloud.space_of(node).owner}"),
        )
        if node.parent is not None:
            info.parent_id.CopyFrom(self._identity(node.parent))
        if not node.folder and not moods.no_checksums:
            info.checksum.CopyFrom(resources.ResourceChecksum(type=resources.RESOURCE_CHECKSUM_TYPE_SHA1, sum=node.sha1))
        lock = self.cloud.lock_of(node)
        if lock is not None:
            info.lock.CopyFrom(self._lock_message(lock))
        for key, value in node.metadata.items():
            if "*" in keys or key in keys:
                info.arbitrary_metadata.metadata[key] = value
        if node.processing:
            info.opaque.map["status"].CopyFrom(types.OpaqueEntry(decoder="plain", value=b"processing"))
        return info

    # --- looking

    def _stat(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "stat")
        info = self._info(node, caller, request.arbitrary_metadata_keys)
        node.processing = max(0, node.processing - 1)
        return provider.StatResponse(info=info)

    def _list_container(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "list_container")
        if not node.folder:
            raise Refused("NOT_FOUND")
        return provider.ListContainerResponse(
            infos=[self._info(child, caller, request.arbitrary_metadata_keys) for child in node.children.values()]
        )

    def _get_path(self, request: Any, caller: Caller) -> Any:
        node = self._there(resources.Reference(resource_id=request.resource_id), caller, "get_path")
        return provider.GetPathResponse(path=f"{HOME if self.gateway.moods.paths_only else ''}/{node.path()}")

    def _get_home(self, _: Any, __: Caller) -> Any:
        return provider.GetHomeResponse(path=HOME)

    def _list_storage_spaces(self, request: Any, caller: Caller) -> Any:
        del request
        shown = [space for space in self.cloud.spaces.values() if "stat" in self.cloud.allowed(caller, space.root)]
        return spaces.ListStorageSpacesResponse(
            storage_spaces=[
                resources.StorageSpace(
                    id=resources.StorageSpaceId(opaque_id=f"{self.cloud.storage}${space.id}"),
                    root=self._identity(space.root),
                    name=space.name,
                    space_type=space.kind,
                )
                for space in shown
            ]
        )

    # --- bytes

    def _initiate_file_download(self, request: Any, caller: Caller) -> Any:
        identity = request.ref.resource_id
        node_id, mark, _ = identity.opaque_id.partition(".REV.")
        if mark:
            plain = resources.ResourceId(storage_id=identity.storage_id, space_id=identity.space_id, opaque_id=node_id)
            node = self._there(resources.Reference(resource_id=plain), caller, "initiate_file_download")
            kept = next((version for version in node.versions if version.key == identity.opaque_id), None)
            if kept is None:
                raise Refused("NOT_FOUND")
            transfer = Transfer(caller, node, version=kept.body)
        else:
            node = self._there(request.ref, caller, "initiate_file_download")
            if node.folder:
                raise Refused("INVALID_ARGUMENT")
            transfer = Transfer(caller, node)
        names = ["simple", "spaces"]
        self.gateway.random.shuffle(names)
        token = self.gateway.data.begin(transfer)
        ways = [
            transfers.FileDownloadProtocol(protocol=name, download_endpoint=f"{self.gateway.data.address}/{name}", token=token)
            for name in names
        ]
        return api.InitiateFileDownloadResponse(protocols=ways)

    def _initiate_file_upload(self, request: Any, caller: Caller) -> Any:
        space, node, parent, name = self._place(request.ref, caller)
        around = node or parent
        if around is None:
            raise Refused("FAILED_PRECONDITION", "the parent does not exist")
        rights = self.cloud.allowed(caller, around)
        if "initiate_file_upload" not in rights:
            raise Refused("PERMISSION_DENIED" if "stat" in rights else "NOT_FOUND")
        if node is not None and node.folder:
            raise Refused("ALREADY_EXISTS" if request.if_not_exist else "FAILED_PRECONDITION", "this is a folder")
        if node is not None and self.gateway.chance(self.gateway.moods.forgets_locks):
            node.lock = None
        self._check_upload_lock(node, request.lock_id)
        if request.if_not_exist and node is not None:
            raise Refused("ALREADY_EXISTS")
        if request.if_match and not self.gateway.moods.ignores_if_match and (node is None or node.etag != request.if_match):
            raise Refused("FAILED_PRECONDITION")
        facts = {key: entry.value.decode() for key, entry in request.opaque.map.items()}
        length = int(facts.get("Upload-Length", "0"))
        if space.quota is not None and space.used() + length > space.quota:
            raise Refused("INSUFFICIENT_STORAGE")
        if length == 0:
            self._empty(node, parent, name)
            return api.InitiateFileUploadResponse()
        transfer = Transfer(
            caller,
            node,
            parent,
            name,
            if_match=request.if_match,
            new=request.if_not_exist,
            lock=request.lock_id,
            length=length,
            checksum=facts.get("Upload-Checksum", ""),
        )
        names = ["simple", "tus", "spaces"]
        self.gateway.random.shuffle(names)
        token = self.gateway.data.begin(transfer)
        ways = [
            transfers.FileUploadProtocol(protocol=each, upload_endpoint=f"{self.gateway.data.address}/{each}", token=token)
            for each in names
        ]
        return api.InitiateFileUploadResponse(protocols=ways)

    def _check_upload_lock(self, node: Node | None, given: str) -> None:
        lock = None if node is None else self.cloud.lock_of(node)
        if lock is None:
            if given:
                raise Refused("INTERNAL", "the file is not locked")
        elif not given:
            raise Refused("LOCKED")
        elif given != lock.id:
            raise Refused("INTERNAL", "mismatching lock")

    def _empty(self, node: Node | None, parent: Node | None, name: str) -> None:
        if node is not None:
            self.cloud.write(node, b"")
        else:
            assert parent is not None
            self.cloud.create(parent, name, b"")

    # --- locks

    @staticmethod
    def _lock_message(lock: Lock) -> Any:
        message = resources.Lock(lock_id=lock.id, type=lock.type, app_name=lock.application)
        if lock.user:
            message.user.CopyFrom(users.UserId(opaque_id=lock.user))
        if lock.until is not None:
            message.expiration.CopyFrom(types.Timestamp(seconds=int(lock.until)))
        return message

    @staticmethod
    def _lock_value(message: Any) -> Lock:
        until = float(message.expiration.seconds) if message.HasField("expiration") else None
        return Lock(message.lock_id, message.app_name, message.user.opaque_id, until, message.type)

    def _set_lock(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "initiate_file_upload")
        if node.folder:
            raise Refused("INVALID_ARGUMENT")
        if self.cloud.lock_of(node) is not None:
            raise Refused("FAILED_PRECONDITION", "already locked")
        node.lock = self._lock_value(request.lock)
        return provider.SetLockResponse()

    def _get_lock(self, request: Any, caller: Caller) -> Any:
        lock = self.cloud.lock_of(self._there(request.ref, caller, "stat"))
        if lock is None:
            raise Refused("NOT_FOUND", "no lock")
        return provider.GetLockResponse(lock=self._lock_message(lock))

    def _refresh_lock(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "initiate_file_upload")
        # Also one that is over.
        if node.lock is None:
            raise Refused("FAILED_PRECONDITION", "not locked")
        if request.lock.app_name != node.lock.application or node.lock.user not in {"", f"user-{caller.name}"}:
            raise Refused("PERMISSION_DENIED")
        if node.lock.id != (request.existing_lock_id or request.lock.lock_id):
            raise Refused("ABORTED", "mismatching lock")
        node.lock = self._lock_value(request.lock)
        return provider.RefreshLockResponse()

    def _unlock(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "initiate_file_upload")
        lock = self.cloud.lock_of(node)
        if lock is None:
            raise Refused("ABORTED", "not locked")
        if request.lock.app_name != lock.application or request.lock.user.opaque_id != lock.user:
            raise Refused("PERMISSION_DENIED")
        if request.lock.lock_id != lock.id or not lock.id:
            raise Refused("LOCKED", "mismatching lock")
        node.lock = None
        return provider.UnlockResponse()

    def _check_lock(self, node: Node, given: str) -> None:
        """Of what is in a folder, no lock is asked for."""
        lock = self.cloud.lock_of(node)
        if lock is not None and lock.id != given:
            raise Refused("LOCKED")

    # --- the tree

    def _create_container(self, request: Any, caller: Caller) -> Any:
        _, node, parent, name = self._place(request.ref, caller)
        if node is not None:
            raise Refused("ALREADY_EXISTS")
        if parent is None:
            raise Refused("FAILED_PRECONDITION", "the parent does not exist")
        if "create_container" not in self.cloud.allowed(caller, parent):
            raise Refused("PERMISSION_DENIED")
        self.cloud.make(parent, name)
        return provider.CreateContainerResponse()

    def _move(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.source, caller, "move")
        _, there, parent, name = self._place(request.destination, caller)
        self._check_lock(node, request.lock_id)
        if there is not None:
            raise Refused("ALREADY_EXISTS")
        if parent is None:
            raise Refused("NOT_FOUND")
        if node in parent.above():
            raise Refused("INTERNAL", "cannot move into itself")
        if "create_container" not in self.cloud.allowed(caller, parent):
            raise Refused("PERMISSION_DENIED")
        self.cloud.move(node, parent, name)
        return provider.MoveResponse()

    def _delete(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "delete")
        self._check_lock(node, request.lock_id)
        if node.parent is None:
            raise Refused("PERMISSION_DENIED")
        self.cloud.delete(node)
        return provider.DeleteResponse()

    # --- the bin

    def _bin(self, ref: Any, caller: Caller, right: str) -> Space:
        node = self._there(ref, caller, right)
        return self.cloud.space_of(node)

    def _list_recycle(self, request: Any, caller: Caller) -> Any:
        space = self._bin(request.ref, caller, "list_recycle")
        return provider.ListRecycleResponse(
            recycle_items=[
                resources.RecycleItem(
                    type=resources.RESOURCE_TYPE_CONTAINER if binned.node.folder else resources.RESOURCE_TYPE_FILE,
                    key=key,
                    ref=resources.Reference(resource_id=self._identity(space.root), path=f"./{binned.path}"),
                    size=len(binned.node.body or b""),
                    deletion_time=types.Timestamp(seconds=int(binned.at)),
                )
                for key, binned in space.bin.items()
            ]
        )

    def _restore_recycle_item(self, request: Any, caller: Caller) -> Any:
        space = self._bin(request.ref, caller, "restore_recycle_item")
        if request.key not in space.bin:
            raise Refused("NOT_FOUND")
        binned = space.bin[request.key]
        if request.HasField("restore_ref"):
            _, there, parent, name = self._place(request.restore_ref, caller)
        else:
            folder, _, name = binned.path.rpartition("/")
            parent = self.cloud.find(space, folder)
            there = self.cloud.find(space, binned.path)
        if there is not None:
            raise Refused("ALREADY_EXISTS")
        if parent is None:
            raise Refused("NOT_FOUND", "the parent does not exist")
        self.cloud.restore(space, request.key, parent, name)
        return provider.RestoreRecycleItemResponse()

    def _purge_recycle(self, request: Any, caller: Caller) -> Any:
        space = self._bin(request.ref, caller, "purge_recycle")
        if request.key not in space.bin:
            raise Refused("NOT_FOUND")
        self.cloud.purge(space, request.key)
        return provider.PurgeRecycleResponse()

    # --- versions and metadata

    def _list_file_versions(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "list_file_versions")
        return provider.ListFileVersionsResponse(
            versions=[
                resources.FileVersion(key=each.key, size=len(each.body), mtime=int(each.mtime), etag=each.etag) for each in node.versions
            ]
        )

    def _restore_file_version(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "restore_file_version")
        self._check_lock(node, request.lock_id)
        kept = next((version for version in node.versions if version.key == request.key), None)
        if kept is None:
            raise Refused("NOT_FOUND")
        self.cloud.write(node, kept.body)
        return provider.RestoreFileVersionResponse()

    def _set_arbitrary_metadata(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "initiate_file_upload")
        self._check_lock(node, request.lock_id)
        for key, value in ({} if self.gateway.moods.deaf_metadata else request.arbitrary_metadata.metadata).items():
            if key == "mtime":
                node.mtime = float(value)
            elif key == "etag":
                node.etag = value
            else:
                node.metadata[key] = value
        return provider.SetArbitraryMetadataResponse()

    def _unset_arbitrary_metadata(self, request: Any, caller: Caller) -> Any:
        node = self._there(request.ref, caller, "initiate_file_upload")
        self._check_lock(node, request.lock_id)
        for key in request.arbitrary_metadata_keys:
            node.metadata.pop(key, None)
        return provider.UnsetArbitraryMetadataResponse()

    # --- applications

    def _add_app_provider(self, request: Any, _: Caller | None) -> Any:
        if not self.gateway.moods.deaf_registry:
            self.gateway.applications[request.provider.name] = request.provider
        return registry.AddAppProviderResponse()

    def _list_app_providers(self, request: Any, _: Caller | None) -> Any:
        del request
        return registry.ListAppProvidersResponse(providers=self.gateway.applications.values())

    async def _open_in_app(self, request: Any, caller: Caller) -> Any:
        """As the cloud's page asks for it: the application is asked with the user's own token."""
        node = self._there(request.ref, caller, "stat")
        found = self.gateway.applications.get(request.app)
        if found is None:
            raise Refused("NOT_FOUND", "no such application")
        asked = applications.OpenInAppRequest(
            opaque=request.opaque,
            resource_info=self._info(node, caller),
            view_mode=request.view_mode,
            access_token=self.cloud.token(caller.name, link=caller.link.token if caller.link else ""),
        )
        async with grpc.aio.insecure_channel(found.address.removeprefix("dns:")) as channel:
            answer = await provider_api_pb2_grpc.ProviderAPIStub(channel).OpenInApp(asked, timeout=20)
        if answer.status.code != Code.Value("CODE_OK"):
            raise Refused(Code.Name(answer.status.code).removeprefix("CODE_"), answer.status.message)
        return answer


CALLS: dict[str, tuple[str, Any]] = {
    "Authenticate": ("_authenticate", api.AuthenticateResponse),
    "WhoAmI": ("_who_am_i", api.WhoAmIResponse),
    "Stat": ("_stat", provider.StatResponse),
    "ListContainer": ("_list_container", provider.ListContainerResponse),
    "GetPath": ("_get_path", provider.GetPathResponse),
    "GetHome": ("_get_home", provider.GetHomeResponse),
    "ListStorageSpaces": ("_list_storage_spaces", spaces.ListStorageSpacesResponse),
    "InitiateFileDownload": ("_initiate_file_download", api.InitiateFileDownloadResponse),
    "InitiateFileUpload": ("_initiate_file_upload", api.InitiateFileUploadResponse),
    "SetLock": ("_set_lock", provider.SetLockResponse),
    "GetLock": ("_get_lock", provider.GetLockResponse),
    "RefreshLock": ("_refresh_lock", provider.RefreshLockResponse),
    "Unlock": ("_unlock", provider.UnlockResponse),
    "CreateContainer": ("_create_container", provider.CreateContainerResponse),
    "Move": ("_move", provider.MoveResponse),
    "Delete": ("_delete", provider.DeleteResponse),
    "ListRecycle": ("_list_recycle", provider.ListRecycleResponse),
    "RestoreRecycleItem": ("_restore_recycle_item", provider.RestoreRecycleItemResponse),
    "PurgeRecycle": ("_purge_recycle", provider.PurgeRecycleResponse),
    "ListFileVersions": ("_list_file_versions", provider.ListFileVersionsResponse),
    "RestoreFileVersion": ("_restore_file_version", provider.RestoreFileVersionResponse),
    "SetArbitraryMetadata": ("_set_arbitrary_metadata", provider.SetArbitraryMetadataResponse),
    "UnsetArbitraryMetadata": ("_unset_arbitrary_metadata", provider.UnsetArbitraryMetadataResponse),
    "AddAppProvider": ("_add_app_provider", registry.AddAppProviderResponse),
    "ListAppProviders": ("_list_app_providers", registry.ListAppProvidersResponse),
    "OpenInApp": ("_open_in_app", applications.OpenInAppResponse),
    **SHARING,
}
"""Each call with its method and the answer that carries a refusal. What is not here is UNIMPLEMENTED."""
