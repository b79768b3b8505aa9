"""Sharing in a cloud, by CS3: who else may do what with a resource, by name, in a group or by a public link, and who there is to share with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cs3.identity.group.v1beta1 import group_api_pb2 as group_calls
from cs3.identity.group.v1beta1 import resources_pb2 as groups
from cs3.identity.user.v1beta1 import resources_pb2 as users
from cs3.identity.user.v1beta1 import user_api_pb2 as user_calls
from cs3.sharing.collaboration.v1beta1 import collaboration_api_pb2 as sharing
from cs3.sharing.collaboration.v1beta1 import resources_pb2 as shares
from cs3.sharing.link.v1beta1 import link_api_pb2 as linking
from cs3.sharing.link.v1beta1 import resources_pb2 as links
from cs3.storage.provider.v1beta1 import resources_pb2 as wire
from cs3.types.v1beta1 import types_pb2 as types
from google.protobuf.field_mask_pb2 import FieldMask

from collab.access import Role
from collab.errors import Forbidden
from collab.gateway import messages
from collab.gateway.resources import FOLDER
from collab.gateway.roles import SOMEBODY, role_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collab.gateway.calls import Gateway
    from collab.gateway.resources import Permissions, Resource, ResourceId

PERSON: Final = "person"
GROUP: Final = "group"
LINK: Final = "link"

_READ: Final = ("stat", "get_path", "get_quota", "initiate_file_download", "list_container", "list_recycle")
_WRITE: Final = ("initiate_file_upload", "restore_recycle_item")
_TREE: Final = ("create_container", "delete", "move")
_CREATION: Final = "CreatePublicShare"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody, or a group, that something can be given to."""

    kind: str
    """`person` or `group`."""
    id: str
    """The opaque part of the id."""
    idp: str
    name: str
    """What others are shown."""
    detail: str = ""
    """What tells those of one name apart: an address, or what they sign in with."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was given. Times are UTC seconds since the epoch."""

    kind: str
    """`person`, `group` or `link`."""
    id: str
    party: str
    """The opaque id of the person or the group; of a link its token, which is its secret."""
    name: str
    """Of a link, as its maker called it; else empty: the cloud tells names elsewhere."""
    role: Role | None
    """None: nothing that an editor of texts could do with it, as uploading only."""
    expires: float | None
    password: bool = False
    creator: str = ""
    """The opaque id of who gave it."""


class Sharing:
    """Calls about sharing, each with the token of whoever shares. Errors as those of `Gateway`; what a cloud's own rules forbid is told in its words."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def links(self) -> bool:
        """As far as is known, there are public links."""
        return not self._gateway.lacks(_CREATION)

    # --- who there is

    async def people(self, token: str, words: str) -> Sequence[Party]:
        """People whose names, addresses or sign-in names have these words in them, as far as the cloud tells."""
        wanted = user_calls.Filter(type=user_calls.Filter.TYPE_QUERY, query=words)
        request = user_calls.FindUsersRequest(filters=[wanted], skip_fetching_user_groups=True)
        answer = await self._gateway.ask("FindUsers", request, token, words)
        return [
            Party(PERSON, each.id.opaque_id, each.id.idp, each.display_name or each.username, each.mail or each.username)
            for each in answer.users
        ]

    async def groups(self, token: str, words: str) -> Sequence[Party]:
        """The same of groups."""
        wanted = group_calls.Filter(type=group_calls.Filter.TYPE_QUERY, query=words)
        request = group_calls.FindGroupsRequest(filters=[wanted], skip_fetching_members=True)
        answer = await self._gateway.ask("FindGroups", request, token, words)
        return [Party(GROUP, each.id.opaque_id, each.id.idp, each.display_name or each.group_name, each.mail) for each in answer.groups]

    async def name(self, token: str, kind: str, party: str) -> str:
        """What a person or a group is called."""
        if kind == GROUP:
            request = group_calls.GetGroupRequest(group_id=groups.GroupId(opaque_id=party), skip_fetching_members=True)
            found = (await self._gateway.ask("GetGroup", request, token, party)).group
            return str(found.display_name or found.group_name)
        request = user_calls.GetUserRequest(user_id=users.UserId(opaque_id=party), skip_fetching_user_groups=True)
        found = (await self._gateway.ask("GetUser", request, token, party)).user
        return str(found.display_name or found.username)

    # --- by name

    async def given(self, token: str, of: ResourceId) -> Sequence[Given]:
        """Who was given the resource itself by name, as far as the caller may know; what is given with a folder around it is not in it."""
        asked = shares.Filter(type=shares.Filter.TYPE_RESOURCE_ID, resource_id=messages.resource_id_message(of))
        found: list[Given] = []
        page = ""
        while True:
            request = sharing.ListSharesRequest(filters=[asked], page_token=page)
            answer = await self._gateway.ask("ListShares", request, token, of)
            found += map(_share, answer.shares)
            page = answer.next_page_token
            if not page:
                return found

    async def give(self, token: str, resource: Resource, to: Party, role: Role, expires: float | None) -> Given:
        """Give it to a person or a group. Exists: they have it already. Forbidden: nobody may give it, or not so much."""
        grant = shares.ShareGrant(
            grantee=_grantee(to),
            permissions=shares.SharePermissions(permissions=_permissions(role, folder=resource.kind == FOLDER)),
            **_expiring(expires),
        )
        request = sharing.CreateShareRequest(resource_info=_info(resource), grant=grant)
        return _share((await self._gateway.ask("CreateShare", request, token, to.name, said=True)).share)

    async def change(self, token: str, share: str, *, folder: bool, role: Role | None = None, expires: float | None = None) -> Given:
        """Another role, or another end when `role` is None. Servers differ in which of the request's fields they read."""
        fields = sharing.UpdateShareRequest.UpdateField
        changed = shares.Share(id=shares.ShareId(opaque_id=share))
        if role is not None:
            permissions = shares.SharePermissions(permissions=_permissions(role, folder=folder))
            changed.permissions.CopyFrom(permissions)
            field, path = fields(permissions=permissions), "permissions"
        else:
            # A time of nothing is no end.
            end = _expiring(expires).get("expiration", types.Timestamp())
            if expires is not None:
                changed.expiration.CopyFrom(end)
            field, path = fields(expiration=end), "expiration"
        request = sharing.UpdateShareRequest(ref=_share_ref(share), field=field, share=changed, update_mask=FieldMask(paths=[path]))
        return _share((await self._gateway.ask("UpdateShare", request, token, "a share", said=True)).share)

    async def take(self, token: str, share: str) -> None:
        """Take it back."""
        await self._gateway.ask("RemoveShare", sharing.RemoveShareRequest(ref=_share_ref(share)), token, "a share", said=True)

    # --- by link

    async def public(self, token: str, of: ResourceId) -> Sequence[Given]:
        """The public links of the resource itself, as far as the caller may know."""
        kind = linking.ListPublicSharesRequest.Filter
        asked = kind(type=kind.TYPE_RESOURCE_ID, resource_id=messages.resource_id_message(of))
        found: list[Given] = []
        page = ""
        while True:
            request = linking.ListPublicSharesRequest(filters=[asked], page_token=page)
            answer = await self._gateway.ask("ListPublicShares", request, token, of)
            found += map(_link, answer.share)
            page = answer.next_page_token
            if not page:
                return found

    async def publish(self, token: str, resource: Resource, role: Role, *, expires: float | None, password: str) -> Given:
        """A new link for whoever has it; `password` is empty where none is asked for."""
        grant = links.Grant(
            permissions=links.PublicSharePermissions(permissions=_permissions(role, folder=resource.kind == FOLDER)),
            password=password,
            **_expiring(expires),
        )
        request = linking.CreatePublicShareRequest(resource_info=_info(resource), grant=grant)
        return _link((await self._gateway.ask(_CREATION, request, token, "a link", said=True)).share)

    async def republish(  # noqa: PLR0913 - each is one of the facts of a link
        self,
        token: str,
        link: str,
        *,
        folder: bool,
        role: Role | None = None,
        password: str | None = None,
        expires: float | None = None,
    ) -> Given:
        """Change a link: its role, else its password (empty: none any more), else its end."""
        kind = linking.UpdatePublicShareRequest.Update
        if role is not None:
            permissions = links.PublicSharePermissions(permissions=_permissions(role, folder=folder))
            update = kind(type=kind.TYPE_PERMISSIONS, grant=links.Grant(permissions=permissions))
        elif password is not None:
            update = kind(type=kind.TYPE_PASSWORD, grant=links.Grant(password=password))
        else:
            update = kind(type=kind.TYPE_EXPIRATION, grant=links.Grant(**_expiring(expires)))
        request = linking.UpdatePublicShareRequest(ref=_link_ref(link), update=update)
        return _link((await self._gateway.ask("UpdatePublicShare", request, token, "a link", said=True)).share)

    async def unpublish(self, token: str, link: str) -> None:
        """The link opens nothing any more."""
        await self._gateway.ask("RemovePublicShare", linking.RemovePublicShareRequest(ref=_link_ref(link)), token, "a link", said=True)


def _info(resource: Resource) -> Any:  # noqa: ANN401 - the library has no types
    kind = wire.RESOURCE_TYPE_CONTAINER if resource.kind == FOLDER else wire.RESOURCE_TYPE_FILE
    return wire.ResourceInfo(id=messages.resource_id_message(resource.id), type=kind, path=resource.path, name=resource.name)


def _grantee(to: Party) -> Any:  # noqa: ANN401
    if to.kind == GROUP:
        return wire.Grantee(type=wire.GRANTEE_TYPE_GROUP, group_id=groups.GroupId(idp=to.idp, opaque_id=to.id))
    identity = users.UserId(idp=to.idp, opaque_id=to.id, type=users.USER_TYPE_PRIMARY)
    return wire.Grantee(type=wire.GRANTEE_TYPE_USER, user_id=identity)


def _permissions(role: Role, *, folder: bool) -> Any:  # noqa: ANN401
    """As clouds know their roles: a server refuses what has no meaning for a file, and what lets people give it on."""
    names = (*_READ, *(_WRITE if role >= Role.EDITOR else ()), *(_TREE if role >= Role.EDITOR and folder else ()))
    return wire.ResourcePermissions(**dict.fromkeys(names, True))


def _expiring(expires: float | None) -> Mapping[str, Any]:
    return {} if expires is None else {"expiration": types.Timestamp(seconds=int(expires))}


def _share_ref(share: str) -> Any:  # noqa: ANN401
    return shares.ShareReference(id=shares.ShareId(opaque_id=share))


def _link_ref(link: str) -> Any:  # noqa: ANN401
    return links.PublicShareReference(id=links.PublicShareId(opaque_id=link))


def _share(message: Any) -> Given:  # noqa: ANN401
    group = message.grantee.type == wire.GRANTEE_TYPE_GROUP
    party = message.grantee.group_id.opaque_id if group else message.grantee.user_id.opaque_id
    return Given(
        kind=GROUP if group else PERSON,
        id=message.id.opaque_id,
        party=party,
        name="",
        role=_role(messages.permissions(message.permissions.permissions)),
        expires=_end(message),
        creator=message.creator.opaque_id,
    )


def _link(message: Any) -> Given:  # noqa: ANN401
    return Given(
        kind=LINK,
        id=message.id.opaque_id,
        party=message.token,
        name=message.display_name,
        role=_role(messages.permissions(message.permissions.permissions)),
        expires=_end(message),
        password=message.password_protected,
        creator=message.creator.opaque_id,
    )


def _role(permissions: Permissions) -> Role | None:
    try:
        return Role.OWNER if permissions.share else role_of(permissions, SOMEBODY)
    except Forbidden:
        return None


def _end(message: Any) -> float | None:  # noqa: ANN401
    return messages.seconds(message.expiration) or None if message.HasField("expiration") else None
