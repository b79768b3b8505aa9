"""Signing in by a provider: there and back (OpenID Connect Core 1.0, section 3.1; RFC 9700), and out again."""

from __future__ import annotations

import json
import logging
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collab.access import Person
from collab.errors import CollabError, Unavailable
from collab.oidc.identity import identity
from collab.oidc.provider import Refused
from collab.ports import Member, ProviderSession
from collab.web.api import visitor_of
from collab.web.signing import destination

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from collab.access import Grant
    from collab.oidc.identity import Claims
    from collab.oidc.provider import Provider, Tokens
    from collab.ports import Members, ProviderSessions
    from collab.state.sealing import Sealer
    from collab.web.sessions import Spent
    from collab.web.signing import Signing

log = logging.getLogger("collab.oidc")

BACK: Final = "/login/oidc/callback"
"""Where the provider sends the browser back to: what is registered there."""
WAY: Final = 600.0
"""Seconds that somebody may be away at the provider."""
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody on the way to the provider and back, in a sealed cookie of this browser, for as long as it takes."""

    state: str
    nonce: str
    verifier: str
    next: str
    until: float


@dataclass(frozen=True, slots=True)
class OidcDoor:
    """The routes. `random` gives that many bytes; `base` is our address for people; `interval` seconds between renewals, `unrenewed` those of a
    session that the provider lets nobody renew.
    """

    provider: Provider
    signing: Signing
    members: Members
    sessions: ProviderSessions
    names: Claims
    sealer: Sealer
    spent: Spent
    now: Callable[[], float]
    random: Callable[[int], bytes]
    base: Callable[[], str]
    interval: float
    unrenewed: float

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/login/oidc", self.go, methods=["GET"]), Route(BACK, self.back, methods=["GET"])]

    async def go(self, request: Request) -> Response:
        """Off to the provider."""
        wanted = destination(request.query_params.get("next", ""), self._prefix)
        way = Way(self._word(), self._word(), self._word(), wanted, self.now() + WAY)
        try:
            address = await self.provider.address(self._redirect(), state=way.state, nonce=way.nonce, verifier=way.verifier)
        except Unavailable:
            return self._again("provider", wanted)
        answer = RedirectResponse(address, 303, headers=_HEADERS)
        answer.set_cookie(
            self._cookie(way.state),
            self._sealed(way),
            max_age=int(WAY),
            path=self._prefix + BACK,
            secure=visitor_of(request).scheme == "https",
            httponly=True,
            # The provider's page sends the browser back, which is another site's doing.
            samesite="lax",
        )
        return answer

    async def back(self, request: Request) -> Response:
        """Back from the provider, with a code or without."""
        said = request.query_params
        state = said.get("state", "")
        way = self._opened(request, state)
        if way is None or len(said.getlist("state")) > 1 or len(said.getlist("code")) > 1:
            return self._again("again", "")
        answer = await self._signed_in(request, way)
        answer.delete_cookie(self._cookie(state), path=self._prefix + BACK)
        return answer

    async def left(self, grant: Grant) -> str:
        """Somebody signed out here; where they sign out at the provider as well, or the empty string."""
        if not grant.shared or not grant.person.id.startswith("oidc:"):
            return ""
        await self.sessions.end(grant.id)
        return await self.provider.leave(f"{self.base()}/login")

    async def _signed_in(self, request: Request, way: Way) -> Response:
        said = request.query_params
        # Each way is gone once: what comes again is a copy of an address.
        self.spent.add(f"oidc-{way.state}", way.until)
        try:
            metadata = await self.provider.metadata()
            issuer = said.get("iss")
            if issuer != metadata.issuer and (issuer is not None or metadata.names_itself):
                log.warning("an answer came that says it is from %r, and not from %s", (issuer or "")[:200], metadata.issuer)
                return self._again("again", way.next)
            if "error" in said or "code" not in said:
                log.info("the provider signed nobody in: %s", said.get("error", "no code")[:80])
                return self._again("refused", way.next)
            tokens = await self.provider.redeem(said["code"], self._redirect(), nonce=way.nonce, verifier=way.verifier)
            return await self._begun(request, way, tokens)
        except Refused as error:
            log.info("nobody was signed in: %s", error.detail)
            return self._again("again", way.next)
        except Unavailable as error:
            log.warning("nobody can be signed in: %s", error.detail)
            return self._again("provider", way.next)
        except CollabError as error:
            log.warning("nobody can be signed in: %s", error.detail)
            return self._again("away", way.next)

    async def _begun(self, request: Request, way: Way, tokens: Tokens) -> Response:
        now = self.now()
        known = identity(tokens.claims, self.provider.client.issuer, self.names)
        await self.members.put(Member(known.person, "oidc", known.name, known.login, known.groups, now, now, known.orcid))
        length = None if tokens.refresh else self.unrenewed
        cookie, grant = await self.signing.begin(request, Person(known.person, known.name), "oidc", groups=known.groups, length=length)
        if tokens.refresh:
            kept = json.dumps({"refresh": tokens.refresh, "sub": tokens.claims["sub"]})
            try:
                await self.sessions.put(ProviderSession(grant.id, known.person, kept, now + self.interval))
            except Unavailable:
                # Nobody could ever look whether it still counts.
                await self.signing.api.sessions.close(grant)
                raise
        return self.signing.keep(cookie, grant, visitor_of(request), RedirectResponse(way.next, 303, headers=_HEADERS))

    # --- the way

    def _sealed(self, way: Way) -> str:
        held = json.dumps([way.nonce, way.verifier, way.next, way.until])
        return urlsafe_b64encode(self.sealer.seal(held, way.state)).rstrip(b"=").decode()

    def _opened(self, request: Request, state: str) -> Way | None:
        """The way of this state, if this browser went it, not too long ago and not before."""
        if not _STATE.fullmatch(state) or f"oidc-{state}" in self.spent:
            return None
        value = request.cookies.get(self._cookie(state), "")
        try:
            held = json.loads(self.sealer.open(urlsafe_b64decode(value + "=" * (-len(value) % 4)), state))
            way = Way(state, *held)
        except (ValueError, TypeError):
            return None
        return way if self.now() < way.until else None

    def _cookie(self, state: str) -> str:
        """One for each way: somebody may begin in two tabs."""
        return f"collab_oidc_{self.signing.api.admission.mark}_{state[:8]}"

    def _word(self) -> str:
        return urlsafe_b64encode(self.random(32)).rstrip(b"=").decode()

    @property
    def _prefix(self) -> str:
        return self.signing.api.prefix

    def _redirect(self) -> str:
        return self.base() + BACK

    def _again(self, notice: str, wanted: str) -> Response:
        """The page where one signs in, with what went wrong."""
        goes = destination(wanted, self._prefix)
        further = "" if goes == self._prefix + "/" else f"&next={quote(goes, safe='')}"
        return RedirectResponse(f"{self._prefix}/login?notice={notice}{further}", 303, headers=_HEADERS)
