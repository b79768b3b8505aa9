"""CS3's messages (protobuf) ⇄ our values. The only module that knows their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cs3.app.registry.v1beta1 import resources_pb2 as registry
from cs3.identity.user.v1beta1 import resources_pb2 as users
from cs3.storage.provider.v1beta1 import resources_pb2 as wire
from cs3.types.v1beta1 import types_pb2 as types

from collab.gateway.resources import (
    FILE,
    FOLDER,
    OTHER,
    Application,
    Endpoint,
    FileVersion,
    Permissions,
    Recycled,
    Reference,
    Resource,
    ResourceId,
    Space,
    StorageLock,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KINDS: Final = {wire.RESOURCE_TYPE_FILE: FILE, wire.RESOURCE_TYPE_CONTAINER: FOLDER}
_SUMS: Final = {
    wire.RESOURCE_CHECKSUM_TYPE_SHA1: "sha1",
    wire.RESOURCE_CHECKSUM_TYPE_MD5: "md5",
    wire.RESOURCE_CHECKSUM_TYPE_ADLER32: "adler32",
}
_LOCKS: Final = {"shared": wire.LOCK_TYPE_SHARED, "write": wire.LOCK_TYPE_WRITE, "exclusive": wire.LOCK_TYPE_EXCL}
_LOCK_WORDS: Final = {number: word for word, number in _LOCKS.items()}


def resource_id(message: Any) -> ResourceId:  # noqa: ANN401 - the library has no types
    """From a `ResourceId`."""
    return ResourceId(message.storage_id, message.space_id, message.opaque_id)


def resource_id_message(of: ResourceId) -> Any:  # noqa: ANN401
    """To a `ResourceId`."""
    return wire.ResourceId(storage_id=of.storage, space_id=of.space, opaque_id=of.opaque)


def reference_message(ref: Reference) -> Any:  # noqa: ANN401
    """To a `Reference`: by id alone, relative to an id (`./…`), or absolute (`/…`)."""
    if ref.id is None:
        return wire.Reference(path=f"/{ref.path}")
    return wire.Reference(resource_id=resource_id_message(ref.id), path=f"./{ref.path}" if ref.path else "")


def resource(info: Any) -> Resource:  # noqa: ANN401
    """From a `ResourceInfo`."""
    kind = _SUMS.get(info.checksum.type)
    return Resource(
        id=resource_id(info.id),
        kind=_KINDS.get(info.type, OTHER),
        name=info.name or info.path.rstrip("/").rpartition("/")[2],
        path=info.path,
        size=info.size,
        etag=info.etag,
        modified=seconds(info.mtime),
        type=info.mime_type,
        checksum=(kind, info.checksum.sum.lower()) if kind and info.checksum.sum else None,
        parent=resource_id(info.parent_id) if info.HasField("parent_id") else None,
        permissions=permissions(info.permission_set),
        owner=info.owner.opaque_id,
        lock=lock(info.lock) if info.HasField("lock") and info.lock.lock_id else None,
        metadata=dict(info.arbitrary_metadata.metadata),
        processing=opaque(info.opaque).get("status") == "processing",
    )


def permissions(of: Any) -> Permissions:  # noqa: ANN401
    """From a `ResourcePermissions`."""
    return Permissions(
        stat=of.stat,
        list=of.list_container,
        download=of.initiate_file_download,
        upload=of.initiate_file_upload,
        create=of.create_container,
        delete=of.delete,
        move=of.move,
        share=of.add_grant,
        versions=of.list_file_versions,
        restore_version=of.restore_file_version,
        recycle=of.list_recycle,
        restore=of.restore_recycle_item,
        purge=of.purge_recycle,
    )


def lock(message: Any) -> StorageLock:  # noqa: ANN401
    """From a `Lock`."""
    until = seconds(message.expiration) if message.HasField("expiration") else None
    return StorageLock(message.lock_id, message.app_name, message.user.opaque_id, until, _LOCK_WORDS.get(message.type, "write"))


def lock_message(of: StorageLock) -> Any:  # noqa: ANN401
    """To a `Lock`."""
    message = wire.Lock(lock_id=of.id, app_name=of.application, type=_LOCKS[of.kind])
    if of.user:
        message.user.CopyFrom(users.UserId(opaque_id=of.user))
    if of.until is not None:
        message.expiration.CopyFrom(types.Timestamp(seconds=int(of.until)))
    return message


def version(message: Any) -> FileVersion:  # noqa: ANN401
    """From a `FileVersion`."""
    return FileVersion(message.key, message.size, float(message.mtime), message.etag)


def recycled(message: Any) -> Recycled:  # noqa: ANN401
    """From a `RecycleItem`."""
    path = message.ref.path.removeprefix(".").strip("/")
    return Recycled(message.key, _KINDS.get(message.type, OTHER), path, message.size, seconds(message.deletion_time))


def space(message: Any) -> Space:  # noqa: ANN401
    """From a `StorageSpace`."""
    return Space(message.id.opaque_id, resource_id(message.root), message.name, message.space_type)


def user(message: Any) -> User:  # noqa: ANN401
    """From a `User`."""
    kind = users.UserType.Name(message.id.type).removeprefix("USER_TYPE_") if message.id.type in users.UserType.values() else ""
    return User(
        id=message.id.opaque_id,
        idp=message.id.idp,
        name=message.display_name or message.username,
        username=message.username,
        kind=kind,
        opaque=opaque(message.opaque),
    )


def application(message: Any) -> Application:  # noqa: ANN401
    """From a `ProviderInfo`."""
    priority = opaque(message.opaque).get("priority", "")
    return Application(
        name=message.name,
        address=message.address,
        types=tuple(message.mime_types),
        product=message.product_name,
        description=message.description,
        icon=message.icon,
        editor=message.capability == registry.ProviderInfo.CAPABILITY_EDITOR,
        priority=int(priority) if priority.isdecimal() else 0,
    )


def application_message(of: Application) -> Any:  # noqa: ANN401
    """To a `ProviderInfo`; phones are shown it, too."""
    kind = registry.ProviderInfo.CAPABILITY_EDITOR if of.editor else registry.ProviderInfo.CAPABILITY_VIEWER
    return registry.ProviderInfo(
        opaque=opaque_message({"priority": str(of.priority)}),
        mime_types=of.types,
        address=of.address,
        capability=kind,
        name=of.name,
        description=of.description,
        icon=of.icon,
        desktop_only=False,
        product_name=of.product,
    )


def opaque(message: Any) -> dict[str, str]:  # noqa: ANN401
    """The entries of an `Opaque` that are text."""
    return {key: entry.value.decode(errors="replace") for key, entry in message.map.items()}


def opaque_message(values: Mapping[str, str]) -> Any:  # noqa: ANN401
    """To an `Opaque` of plain text."""
    return types.Opaque(map={key: types.OpaqueEntry(decoder="plain", value=value.encode()) for key, value in values.items()})


def downloads(protocols: Sequence[Any]) -> list[Endpoint]:
    """From `FileDownloadProtocol`s."""
    return [Endpoint(each.protocol, each.download_endpoint, each.token) for each in protocols]


def uploads(protocols: Sequence[Any]) -> list[Endpoint]:
    """From `FileUploadProtocol`s."""
    return [Endpoint(each.protocol, each.upload_endpoint, each.token) for each in protocols]


def seconds(timestamp: Any) -> float:  # noqa: ANN401
    """UTC seconds of a `Timestamp`."""
    return float(timestamp.seconds) + float(timestamp.nanos) / 10**9
