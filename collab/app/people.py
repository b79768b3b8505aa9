"""Who people are, how they sign in, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collab.access import Role
from collab.app.places import base_address
from collab.oidc.identity import Claims as ProviderClaims
from collab.runtime.accounts import Entrance
from collab.runtime.desk import Desk
from collab.runtime.given import Given, SharedRights
from collab.runtime.sharing import Sharing, Stores
from collab.state.sealing import Sealer
from collab.web.agents import agent_of
from collab.web.gate import READ
from collab.web.links import LinksDoor
from collab.web.shares import SharesDoor
from collab.web.signing import Signing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from starlette.routing import Route

    from collab.access import Grant
    from collab.app.adapters import Adapters
    from collab.ports import (
        Rights,
    )
    from collab.runtime.audit import Audit
    from collab.runtime.renewing import Renewing
    from collab.runtime.rooms import Rooms
    from collab.runtime.signed import SignedIn
    from collab.settings import Settings
    from collab.state.passwords import Passwords
    from collab.web.api import Api
    from collab.web.oidc import OidcDoor
    from collab.web.pages import Pages


def share_routes(  # noqa: PLR0913, PLR0917 - the surroundings
    settings: Settings, adapters: Adapters, api: Api, sharing: Sharing, signed: SignedIn, passwords: Passwords
) -> list[Route]:
    """Where people share, and where links lead."""
    if adapters.desk is not None:
        cloud = adapters.desk
        return SharesDoor(api, lambda _: cloud, Role.VIEWER, narrow=True).routes()

    def address(secret: str) -> str:
        return f"{base_address(settings, api.admission.port)}/s/{secret}"

    def desk(grant: Grant) -> Desk:
        return Desk(sharing, adapters.members, passwords, address, adapters.now, grant.person.id)

    links = LinksDoor(
        api,
        sharing,
        signed,
        passwords,
        agent=agent_of,
        reads=READ,
        now=adapters.now,
        clock=adapters.clock,
        random=adapters.random,
    )
    return [*SharesDoor(api, desk, Role.OWNER).routes(), *links.routes()]


def rights_by_shares(settings: Settings, adapters: Adapters, given: Given, signed: SignedIn) -> Rights:
    """Who may do what: of those who have a session with a record, what was shared says it."""
    members = None if settings.members_role == "none" else Role.of(settings.members_role)
    return SharedRights(adapters.rights, given, signed, members=members, owners=settings.owners_group, now=adapters.now)


def sharer(adapters: Adapters, rooms: Rooms, given: Given, signed: SignedIn) -> Sharing:
    """What people do with shares."""
    return Sharing(
        Stores(adapters.shares, adapters.links, adapters.sign_ins, adapters.folders),
        given,
        signed,
        rights=adapters.rights,
        seats=rooms.seats,
        look=rooms.reviews.soon,
        over=adapters.spent.among,
        now=adapters.now,
        random=adapters.random,
    )


@dataclass(frozen=True, slots=True)
class SigningIn:
    """What there is for signing in."""

    routes: list[Route]
    loops: Sequence[Callable[[], Coroutine[object, object, None]]]
    renewing: Renewing | None


def signing_in(  # noqa: PLR0913, PLR0917 - the surroundings
    settings: Settings, adapters: Adapters, api: Api, rooms: Rooms, pages: Pages, signed: SignedIn, passwords: Passwords
) -> SigningIn:
    """Accounts and a provider."""
    entrance = Entrance(adapters.accounts, adapters.members, passwords, now=adapters.now, clock=adapters.clock)
    signing = Signing(api, entrance, signed, pages, rooms.reviews.dismiss)
    oidc, renewing = _oidc(settings, adapters, signing, api.audit)
    routes = [*signing.routes(), *([] if oidc is None else oidc.routes())]
    return SigningIn(routes, [] if renewing is None else [renewing.run], renewing)


def _oidc(settings: Settings, adapters: Adapters, signing: Signing, audit: Audit) -> tuple[OidcDoor | None, Renewing | None]:
    """How people sign in by a provider, and what looks whether that still counts."""
    if not settings.oidc_issuer:
        return None, None
    # Without a provider, a server starts sooner without what speaks to one.
    from collab.oidc.provider import Client, Provider  # noqa: PLC0415
    from collab.runtime.renewing import Renewing  # noqa: PLC0415
    from collab.web.oidc import OidcDoor  # noqa: PLC0415

    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    client = Client(settings.oidc_issuer, settings.oidc_client_id, secret, " ".join(settings.oidc_scopes), settings.oidc_prompt)
    provider = Provider(client, now=adapters.now, clock=adapters.clock)
    names = ProviderClaims(settings.oidc_name_claim, settings.oidc_groups_claim, settings.oidc_orcid_claim)
    signing.provider = settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or ""
    door = OidcDoor(
        provider,
        signing,
        adapters.members,
        adapters.provider_sessions,
        names,
        Sealer(adapters.secret, "oidc-way"),
        adapters.spent,
        adapters.now,
        adapters.random,
        lambda: base_address(settings, signing.api.admission.port),
        interval=settings.oidc_refresh,
        unrenewed=settings.oidc_unrefreshed,
    )
    signing.left = door.left
    renewing = Renewing(
        provider,
        adapters.provider_sessions,
        adapters.sign_ins,
        adapters.members,
        names,
        audit,
        now=adapters.now,
        interval=settings.oidc_refresh,
        ended=signing.gone,
    )
    return door, renewing
