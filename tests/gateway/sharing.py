"""The calls about sharing, with the answers of real servers (OpenCloud's Reva, read from its sources; `old`: Reva v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cs3.identity.group.v1beta1 import group_api_pb2 as group_calls
from cs3.identity.group.v1beta1 import resources_pb2 as groups
from cs3.identity.user.v1beta1 import resources_pb2 as users
from cs3.identity.user.v1beta1 import user_api_pb2 as user_calls
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.rpc.v1beta1.status_pb2 import Status
from cs3.sharing.collaboration.v1beta1 import collaboration_api_pb2 as collaboration
from cs3.sharing.collaboration.v1beta1 import resources_pb2 as shares
from cs3.sharing.link.v1beta1 import link_api_pb2 as linking
from cs3.sharing.link.v1beta1 import resources_pb2 as links
from cs3.storage.provider.v1beta1 import resources_pb2 as wire
from cs3.types.v1beta1 import types_pb2 as types

from gateway.cloud import EVERYTHING, Caller, Given, Node

if TYPE_CHECKING:
    from gateway.cloud import Cloud, Link
    from gateway.server import CloudGateway

GRANTING = ("add_grant", "update_grant", "remove_grant", "deny_grant")
TREE = ("create_container", "move", "delete")
SHORTEST = 8
"""Characters of a link's password, where this cloud has a rule for it."""


class Refused(Exception):
    """An answer with another code than OK."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = Status(code=Code.Value(f"CODE_{code}"), message=message or f"the server's words for {code}")


class Sharing:
    """What `rpcs.Calls` mixes in."""

    gateway: CloudGateway
    cloud: Cloud

    # --- who there is

    def _find_users(self, request: Any, _: Caller) -> Any:
        words = _query(request.filters)
        found = [each for each in self.cloud.people.values() if words in f"{each.name} {each.display}".lower()]
        return user_calls.FindUsersResponse(users=[self._found(each.name) for each in found])

    def _get_user(self, request: Any, _: Caller) -> Any:
        name = request.user_id.opaque_id.removeprefix("user-")
        if name not in self.cloud.people:
            raise Refused("NOT_FOUND")
        return user_calls.GetUserResponse(user=self._found(name))

    def _found(self, name: str) -> Any:
        person = self.cloud.people[name]
        return users.User(
            id=users.UserId(idp="https://cloud.example", opaque_id=f"user-{name}", type=person.kind),
            username=name,
            mail=f"{name}@cloud.example",
            display_name=person.display,
        )

    def _groups(self) -> list[str]:
        return sorted({group for person in self.cloud.people.values() for group in person.groups})

    def _find_groups(self, request: Any, _: Caller) -> Any:
        words = _query(request.filters)
        return group_calls.FindGroupsResponse(groups=[_group(name) for name in self._groups() if words in name.lower()])

    def _get_group(self, request: Any, _: Caller) -> Any:
        name = request.group_id.opaque_id.removeprefix("group-")
        if name not in self._groups():
            raise Refused("NOT_FOUND")
        return group_calls.GetGroupResponse(group=_group(name))

    # --- by name

    def _create_share(self, request: Any, caller: Caller) -> Any:
        node = self._named(request.resource_info.id, caller)
        if "add_grant" not in self.cloud.allowed(caller, node):
            raise Refused("PERMISSION_DENIED", "no permission to add grants on shared resource")
        grantee, wanted = request.grant.grantee, _names(request.grant.permissions.permissions)
        group = grantee.type == wire.GRANTEE_TYPE_GROUP
        subject = grantee.group_id.opaque_id.removeprefix("group-") if group else grantee.user_id.opaque_id.removeprefix("user-")
        if not group and subject in {caller.name, self.cloud.space_of(node).owner}:
            # An error of Go's, which is none of CS3's codes.
            raise Refused("UNKNOWN", "owner/creator and grantee are the same")
        if node.parent is not None and wanted & set(GRANTING):
            raise Refused("INVALID_ARGUMENT", "resharing not supported")
        self._check(node, caller, wanted)
        if any(each.node is node and (each.group, each.subject) == (group, subject) for each in self.cloud.given.values()):
            raise Refused("ALREADY_EXISTS")
        share = Given(f"share-{next(self.cloud.numbers)}", node, subject, group, frozenset(wanted), _end(request.grant), caller.name)
        self.cloud.given[share.id] = share
        return collaboration.CreateShareResponse(share=self._share(share))

    def _list_shares(self, request: Any, caller: Caller) -> Any:
        wanted = {each.resource_id.opaque_id for each in request.filters}
        found = [each for each in self.cloud.given.values() if each.node.id in wanted and self._may_know(each, caller)]
        return collaboration.ListSharesResponse(shares=[self._share(each) for each in found])

    def _may_know(self, share: Given, caller: Caller) -> bool:
        return caller.name in {share.creator, self.cloud.space_of(share.node).owner}

    def _update_share(self, request: Any, caller: Caller) -> Any:
        share = self.cloud.given.get(request.ref.id.opaque_id)
        if share is None or (not self.gateway.moods.paths_only and request.share.id.opaque_id != share.id):
            raise Refused("NOT_FOUND")
        if not self._may_know(share, caller):
            raise Refused("PERMISSION_DENIED")
        # The one server reads the mask, the other the field.
        masked = list(request.update_mask.paths) if not self.gateway.moods.paths_only else [request.field.WhichOneof("field")]
        for path in masked:
            if path == "permissions":
                wanted = _names((request.field if self.gateway.moods.paths_only else request.share).permissions.permissions)
                self._check(share.node, caller, wanted)
                share.rights = frozenset(wanted)
            elif path == "expiration":
                share.expires = _end(request.field if self.gateway.moods.paths_only else request.share)
            else:
                raise Refused("INTERNAL", "updating this is not supported")
        return collaboration.UpdateShareResponse(share=self._share(share))

    def _remove_share(self, request: Any, caller: Caller) -> Any:
        share = self.cloud.given.get(request.ref.id.opaque_id)
        if share is None:
            raise Refused("INTERNAL", "error getting share")
        if not self._may_know(share, caller):
            raise Refused("PERMISSION_DENIED")
        del self.cloud.given[share.id]
        return collaboration.RemoveShareResponse()

    def _share(self, share: Given) -> Any:
        if share.group:
            grantee = wire.Grantee(type=wire.GRANTEE_TYPE_GROUP, group_id=groups.GroupId(opaque_id=f"group-{share.subject}"))
        else:
            grantee = wire.Grantee(type=wire.GRANTEE_TYPE_USER, user_id=users.UserId(opaque_id=f"user-{share.subject}"))
        message = shares.Share(
            id=shares.ShareId(opaque_id=share.id),
            resource_id=self._identity(share.node),  # type: ignore[attr-defined]
            permissions=shares.SharePermissions(permissions=wire.ResourcePermissions(**dict.fromkeys(share.rights, True))),
            grantee=grantee,
            creator=users.UserId(opaque_id=f"user-{share.creator}"),
        )
        if share.expires is not None:
            message.expiration.CopyFrom(types.Timestamp(seconds=int(share.expires)))
        return message

    # --- by link

    def _create_public_share(self, request: Any, caller: Caller) -> Any:
        node = self._named(request.resource_info.id, caller)
        wanted = _names(request.grant.permissions.permissions)
        if "add_grant" not in self.cloud.allowed(caller, node):
            raise Refused("INVALID_ARGUMENT", "no share permission")
        if not wanted <= self.cloud.allowed(caller, node) | {"get_quota"}:
            raise Refused("INVALID_ARGUMENT", "insufficient permissions to create that kind of share")
        self._check_link(request.grant, request.grant.password)
        role = "editor" if "initiate_file_upload" in wanted else "viewer"
        link = self.cloud.link(
            self.cloud.space_of(node).name, node.path(), role, expires=_end(request.grant), password=request.grant.password
        )
        link.creator = caller.name
        return linking.CreatePublicShareResponse(share=self._link(link))

    def _check_link(self, grant: Any, password: str | None) -> None:
        end = _end(grant)
        if end is not None and end <= self.cloud.clock():
            raise Refused("INVALID_ARGUMENT", "expiration date is in the past")
        if password is None:
            return
        if not password and self.gateway.moods.passwords:
            raise Refused("INVALID_ARGUMENT", "password protection is enforced")
        if password and len(password) < SHORTEST and self.gateway.moods.passwords:
            raise Refused("INVALID_ARGUMENT", f"at least {SHORTEST} characters are required")

    def _list_public_shares(self, request: Any, caller: Caller) -> Any:
        wanted = {each.resource_id.opaque_id for each in request.filters}
        found = [each for each in self.cloud.links.values() if each.node.id in wanted and caller.name in {each.owner, each.creator}]
        return linking.ListPublicSharesResponse(share=[self._link(each) for each in found])

    def _update_public_share(self, request: Any, caller: Caller) -> Any:
        link, update = self._known_link(request.ref, caller), request.update
        kinds = linking.UpdatePublicShareRequest.Update
        if update.type == kinds.TYPE_PERMISSIONS:
            link.role = "editor" if update.grant.permissions.permissions.initiate_file_upload else "viewer"
        elif update.type == kinds.TYPE_PASSWORD:
            self._check_link(update.grant, update.grant.password)
            link.password = update.grant.password
        elif update.type == kinds.TYPE_EXPIRATION:
            self._check_link(update.grant, None)
            link.expires = _end(update.grant)
        else:
            raise Refused("INTERNAL", "invalid update type")
        return linking.UpdatePublicShareResponse(share=self._link(link))

    def _remove_public_share(self, request: Any, caller: Caller) -> Any:
        del self.cloud.links[self._known_link(request.ref, caller).token]
        return linking.RemovePublicShareResponse()

    def _known_link(self, ref: Any, caller: Caller) -> Link:
        found = [each for each in self.cloud.links.values() if each.token == ref.id.opaque_id.removeprefix("public-")]
        if not found or caller.name not in {found[0].owner, found[0].creator}:
            raise Refused("INTERNAL", "error loading public share")
        return found[0]

    def _link(self, link: Link) -> Any:
        rights = {"stat": True, "initiate_file_download": True, **({"initiate_file_upload": True} if link.role == "editor" else {})}
        message = links.PublicShare(
            id=links.PublicShareId(opaque_id=f"public-{link.token}"),
            token=link.token,
            resource_id=self._identity(link.node),  # type: ignore[attr-defined]
            permissions=links.PublicSharePermissions(permissions=wire.ResourcePermissions(**rights)),
            password_protected=bool(link.password),
            creator=users.UserId(opaque_id=f"user-{link.creator or link.owner}"),
        )
        if link.expires is not None:
            message.expiration.CopyFrom(types.Timestamp(seconds=int(link.expires)))
        return message

    # --- what they share

    def _named(self, identity: Any, caller: Caller) -> Node:
        return self._there(wire.Reference(resource_id=identity), caller, "stat")  # type: ignore[attr-defined, no-any-return]

    def _check(self, node: Node, caller: Caller, wanted: set[str]) -> None:
        if not wanted <= self.cloud.allowed(caller, node):
            raise Refused("PERMISSION_DENIED", "insufficient permissions to create that kind of share")
        if not node.folder and wanted & set(TREE):
            raise Refused("INVALID", "cannot set the requested permissions on that type of resource")


def _names(permissions: Any) -> set[str]:
    return {field.name for field, value in permissions.ListFields() if value} & (EVERYTHING | set(GRANTING))


def _end(message: Any) -> float | None:
    return float(message.expiration.seconds) or None if message.HasField("expiration") else None


def _query(filters: Any) -> str:
    if len(filters) != 1:
        raise Refused("UNKNOWN", "only one query filter supported")
    return str(filters[0].query).lower()


def _group(name: str) -> Any:
    return groups.Group(id=groups.GroupId(opaque_id=f"group-{name}"), group_name=name, display_name=f"Group {name}")


CALLS: dict[str, tuple[str, Any]] = {
    "FindUsers": ("_find_users", user_calls.FindUsersResponse),
    "GetUser": ("_get_user", user_calls.GetUserResponse),
    "FindGroups": ("_find_groups", group_calls.FindGroupsResponse),
    "GetGroup": ("_get_group", group_calls.GetGroupResponse),
    "CreateShare": ("_create_share", collaboration.CreateShareResponse),
    "ListShares": ("_list_shares", collaboration.ListSharesResponse),
    "UpdateShare": ("_update_share", collaboration.UpdateShareResponse),
    "RemoveShare": ("_remove_share", collaboration.RemoveShareResponse),
    "CreatePublicShare": ("_create_public_share", linking.CreatePublicShareResponse),
    "ListPublicShares": ("_list_public_shares", linking.ListPublicSharesResponse),
    "UpdatePublicShare": ("_update_public_share", linking.UpdatePublicShareResponse),
    "RemovePublicShare": ("_remove_public_share", linking.RemovePublicShareResponse),
}
"""As `rpcs.CALLS`."""
