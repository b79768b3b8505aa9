"""A provider on the network: what it says of itself, its keys, and its answers to codes and refresh tokens."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from collab.errors import Unauthorized, Unavailable
from collab.oidc.metadata import Metadata, Unfit, discovery_address, read
from collab.oidc.tokens import UnknownKey, Untrue, claims_of, keys_of
from collab.oidc.wire import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import KeySet

log = logging.getLogger("collab.oidc")

KNOWN: Final = 3600.0
"""Seconds for which what it says of itself, and its keys, are taken as they were."""
RETRY: Final = 10.0
"""Seconds between two looks at it that anybody could cause: while it is away, or for a key that nobody knows."""


class Refused(Unauthorized):
    """The provider says no: the code was used, the session there is over, or the person may not sign in any more."""


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the provider."""

    issuer: str
    id: str
    secret: str = field(repr=False)
    """Empty: a public client, which only PKCE protects."""
    scope: str = "openid profile email"
    prompt: str = ""
    """What the provider is to ask the person for in any case; empty: it decides."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gave. Nothing of it leaves the server but the claims' words."""

    claims: dict[str, Any]
    """Of the ID token, with what the provider told besides (userinfo)."""
    refresh: str = field(repr=False)
    """Empty: none was given."""


class Provider:
    """One provider. `now` gives UTC seconds since the epoch, `clock` monotonic seconds."""

    def __init__(self, client: Client, *, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self.client = client
        self._now, self._clock = now, clock
        self._metadata: Metadata | None = None
        self._keys: KeySet | None = None
        self._asked = self._keys_asked = float("-inf")
        self._lock = asyncio.Lock()
        self._trouble = "it was not asked yet"

    async def metadata(self) -> Metadata:
        """What it says of itself. While it is away, what it said before. `Unavailable`."""
        async with self._lock:
            age = self._clock() - self._asked
            if age >= (RETRY if self._metadata is None else KNOWN):
                self._asked = self._clock()
                try:
                    self._metadata = read(await self._get(discovery_address(self.client.issuer)), self.client.issuer)
                except (Unavailable, Unfit) as error:
                    self._trouble = str(error)
                    log.warning("the provider %s: %s", self.client.issuer, error)
                    if self._metadata is not None:
                        # It is asked again soon, and meanwhile is what it was.
                        self._asked += RETRY - KNOWN
            if self._metadata is None:
                raise Unavailable(f"the provider of sign-ins does not answer as it must: {self._trouble}")
            return self._metadata

    async def examine(self) -> str:
        """Whether it can be asked, and takes us for who we are: what it is, in words. `Unavailable` says what is wrong."""
        metadata = await self.metadata()
        await self._known_keys(metadata, again=False)
        # It knows us, and not this code.
        with suppress(Refused):
            await self._token(prepare_token_request("authorization_code", redirect_uri="", code="none", code_verifier="x" * 43))
        return f"{metadata.issuer} answers, with keys, and knows this server"

    async def address(self, redirect: str, *, state: str, nonce: str, verifier: str) -> str:
        """Where a browser signs in. `Unavailable`."""
        metadata = await self.metadata()
        found: str = prepare_grant_uri(
            metadata.authorization,
            self.client.id,
            "code",
            redirect_uri=redirect,
            scope=self.client.scope,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            prompt=self.client.prompt or None,
        )
        return found

    async def leave(self, back: str) -> str:
        """Where a browser signs out there, and comes `back` from; empty when that is nowhere, or not known now."""
        try:
            metadata = await self.metadata()
        except Unavailable:
            return ""
        if not metadata.end_session:
            return ""
        mark = "&" if "?" in metadata.end_session else "?"
        return f"{metadata.end_session}{mark}{urlencode({'client_id': self.client.id, 'post_logout_redirect_uri': back})}"

    async def redeem(self, code: str, redirect: str, *, nonce: str, verifier: str) -> Tokens:
        """What a code stands for. `Refused`; `Unavailable`."""
        said = await self._token(prepare_token_request("authorization_code", redirect_uri=redirect, code=code, code_verifier=verifier))
        token = said.get("id_token")
        if not isinstance(token, str):
            raise Refused("the provider gave no ID token: is `openid` among COLLAB_OIDC_SCOPES?")
        return await self._tokens(said, await self._verified(token, said, nonce))

    async def renew(self, refresh: str, subject: str) -> Tokens:
        """The next tokens of the same person. `Refused`: the session there is over. `Unavailable`: nobody can say."""
        said = await self._token(prepare_token_request("refresh_token", refresh_token=refresh))
        token = said.get("id_token")
        try:
            claims = await self._verified(token, said, None) if isinstance(token, str) else {"sub": subject}
        except (Refused, Unavailable) as error:
            # Clocks may be apart, or keys, or those are away: that is no word of the provider's about the person, and what it says elsewhere is not all of
            # it. What was used to ask may be worth nothing any more, so what came for it counts.
            log.warning("what the provider %s says with a renewal is passed over: %s", self.client.issuer, error.detail)
            return Tokens({"sub": subject}, _refresh(said) or refresh)
        if claims["sub"] != subject:
            raise Refused("the provider answered for somebody else")
        renewed = await self._tokens(said, claims)
        return renewed if renewed.refresh else Tokens(renewed.claims, refresh)

    async def _tokens(self, said: dict[str, Any], claims: dict[str, Any]) -> Tokens:
        return Tokens({**claims, **await self._userinfo(said, claims["sub"])}, _refresh(said))

    async def _verified(self, token: str, said: dict[str, Any], nonce: str | None) -> dict[str, Any]:
        metadata = await self.metadata()
        for look in (False, True):
            try:
                return claims_of(
                    token,
                    await self._known_keys(metadata, again=look),
                    algorithms=metadata.algorithms,
                    issuer=metadata.issuer,
                    client=self.client.id,
                    now=self._now(),
                    nonce=nonce,
                    access_token=said.get("access_token"),
                )
            except UnknownKey as error:
                if look:
                    raise Refused(f"the provider's ID token is not believed: {error}") from error
            except Untrue as error:
                log.warning("an ID token of %s is not believed: %s", metadata.issuer, error)
                raise Refused(f"the provider's ID token is not believed: {error}") from error
        raise AssertionError

    async def _known_keys(self, metadata: Metadata, *, again: bool) -> KeySet:
        """Its keys; `again`: one was not among them, so there may be new ones."""
        async with self._lock:
            age = self._clock() - self._keys_asked
            if self._keys is None or age >= KNOWN or (again and age >= RETRY):
                try:
                    self._keys = keys_of(await self._get(metadata.jwks))
                    self._keys_asked = self._clock()
                except ValueError as error:
                    raise Unavailable(f"the provider of sign-ins does not answer as it must: {error}") from error
                except Unavailable:
                    if self._keys is None or again:
                        raise
            return self._keys

    async def _userinfo(self, said: dict[str, Any], subject: str) -> dict[str, Any]:
        """What it tells of the person besides; nothing when it does not, or tells of somebody else (Core 1.0, section 5.3.2)."""
        metadata, access = await self.metadata(), said.get("access_token")
        if not metadata.userinfo or not isinstance(access, str):
            return {}
        try:
            told = json.loads(await self._get(metadata.userinfo, {"Authorization": f"Bearer {access}"}))
        except (Unavailable, ValueError, RecursionError) as error:
            log.warning("the provider %s tells nothing about a person: %s", metadata.issuer, error)
            return {}
        return told if isinstance(told, dict) and told.get("sub") == subject else {}

    async def _token(self, body: str) -> dict[str, Any]:
        """What the token endpoint answers to a grant. `Refused`, `Unavailable`."""
        metadata = await self.metadata()
        method = metadata.method if self.client.secret else "none"
        who = self.client.id, self.client.secret
        if method == "client_secret_basic":
            # RFC 6749, section 2.3.1: both are encoded as in a form.
            who = quote_plus(who[0]), quote_plus(who[1])
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = ClientAuth(*who, method).prepare("POST", metadata.token, headers, body)
        status, answer = await ask("POST", url, headers, body.encode())
        try:
            said = json.loads(answer)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Unavailable(f"the provider of sign-ins does not answer as it must: status {status}, and no JSON")
        if status == HTTPStatus.OK and isinstance(said.get("access_token"), str):
            return said
        error = str(said.get("error", ""))[:80]
        if error == "invalid_grant":
            raise Refused("the provider does not take this any more: sign in again")
        # It is we whom it does not take: nobody is signed off for that.
        log.error(
            "the provider %s refuses this server at its token endpoint: %s (status %s)", metadata.issuer, error or "no reason", status
        )
        raise Unavailable(f"the provider of sign-ins refuses this server: {error or status}; see COLLAB_OIDC_CLIENT_ID and _SECRET")

    async def _get(self, url: str, headers: dict[str, str] | None = None) -> bytes:
        status, body = await ask("GET", url, {"Accept": "application/json", **(headers or {})})
        if status != HTTPStatus.OK:
            raise Unavailable(f"{url} answers {status}")
        return body


def _refresh(said: dict[str, Any]) -> str:
    refresh = said.get("refresh_token")
    return refresh if isinstance(refresh, str) else ""
