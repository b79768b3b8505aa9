"""Every knob, with unit and default: from flags, `COLLAB_…` variables or a TOML file, in this order (docs/reference/settings.md)."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from collab.access import SECRET_BYTES
from collab.errors import Malformed
from collab.gateway.resources import ResourceId
from collab.oidc.metadata import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB = 1024
MIB = 1024 * KIB

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+", re.ASCII)
SUITE = "Office"
"""What an office suite is called to which the settings give no name."""
_SUITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?", re.ASCII)
_BYTES = {"": 1, "B": 1, "KiB": KIB, "MiB": MIB, "GiB": 1024 * MIB}


class Misconfigured(Exception):
    """Settings that cannot be; the text is one line that says which and what to do."""


def seconds(value: object) -> float:
    """A duration in seconds: a number, or 90, 90s, 15m, 1h, 7d; ValueError for anything else."""
    match = _DURATION.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("a duration is written 90, 90s, 15m, 1h or 7d")
    return float(match[1]) * _SECONDS[match[2]]


def size(value: object) -> int:
    """A size in bytes: a number, or 500, 64KiB, 16MiB, 1GiB; ValueError for anything else."""
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("a size is written 500, 64KiB, 16MiB or 1GiB")
    return int(match[1]) * _BYTES[match[2] or ""]


def is_loopback(host: str) -> bool:
    """Whether nobody from another machine can reach this host name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _listed(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _networks(value: object) -> object:
    listed = _listed(value)
    return tuple(ipaddress.ip_network(str(each)) for each in listed) if isinstance(listed, list | tuple) else listed


def _origin(value: str) -> str:
    """Scheme, host and port in their shortest form, as browsers send them (RFC 6454, section 6.1)."""
    parts = _web_address(value)
    if parts.path not in {"", "/"}:
        raise ValueError(f"{value!r} has a path; an origin is https://name or https://name:port")
    if not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(f"the host of {value!r} is no name as browsers send it: no *, and other letters than a to z in their xn-- form")
    return origin_of(parts)


def _public(value: str) -> str:
    if not value:
        return ""
    parts = _web_address(value)
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    if "//" in path or any(part in {".", ".."} for part in path.split("/")):
        raise ValueError(f"the path of {value!r} cannot be a prefix")
    return origin_of(parts) + path


def _web_address(value: str) -> SplitResult:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{value!r} is no address such as https://docs.example.org or https://example.org/collab")
    return parts


def origin_of(parts: SplitResult) -> str:
    """The origin of an http(s) address, the scheme's own port left out."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    own = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, own} else "")


def _whole_secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < SECRET_BYTES:
        raise ValueError(f"must have at least {SECRET_BYTES} characters, for example those of `openssl rand -hex 32`")
    return value


_PROVIDER = r"^((dns:)?[^\s:]+:\d{1,5})?$"


class Suite(NamedTuple):
    """An office suite as the settings name it."""

    name: str
    """What tokens and people call it."""
    discovery: str
    """The address of its discovery (WOPI, `/hosting/discovery`)."""


def _suites(value: object) -> object:
    """`URL`, or several `NAME=URL`."""
    listed = _listed(value)
    if not isinstance(listed, list | tuple):
        return listed
    suites = tuple(each if isinstance(each, Suite) else _suite(str(each)) for each in listed)
    if len({suite.name.lower() for suite in suites}) < len(suites):
        raise ValueError("each office suite has a name of its own: Collabora=https://… OnlyOffice=https://…")
    return suites


def _suite(text: str) -> Suite:
    name, mark, address = text.partition("=")
    if "://" in name or not mark:
        name, address = SUITE, text
    if not _SUITE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an office suite: letters, digits, dots, - and _, at most 40")
    parts = _web_address(address)
    path = parts.path if parts.path.strip("/") else "/hosting/discovery"
    return Suite(name, origin_of(parts) + path)


def _suite_host(value: str) -> str:
    """A host name in lower case, `*.` before it for all names below it."""
    name = value.lower()
    if not _HOST.fullmatch(name.removeprefix("*.")):
        raise ValueError(f"{value!r} is no host name such as office.example.org or *.office.example.org")
    return name


def _cloud_root(value: str) -> str:
    if value and not value.startswith("/"):
        try:
            ResourceId.parse(value)
        except Malformed as error:
            raise ValueError(f"{error.detail}, nor an absolute path") from error
    return value


def _issuer(value: str) -> str:
    """An issuer is compared to the letter, so it stays as it is."""
    if value and not safe(value):
        raise ValueError(f"{value!r} is no issuer such as https://login.example.org/realms/lab (http only on this machine)")
    if value and (urlsplit(value).query or value != value.strip()):
        raise ValueError("an issuer has no query")
    return value


def _journal(value: str) -> str:
    if value and not value.startswith(("redis://", "rediss://", "unix://", "valkey://", "valkeys://")):
        raise ValueError("must be redis://name:port/0, rediss://… or unix:///socket")
    return value


Seconds: TypeAlias = Annotated[float, BeforeValidator(seconds)]
Bytes: TypeAlias = Annotated[int, BeforeValidator(size)]
Words: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Every setting. Each is a flag of `collab serve` (`--save-delay`), a variable (`COLLAB_SAVE_DELAY`) and a TOML key (`save_delay`)."""

    model_config = SettingsConfigDict(env_prefix="COLLAB_", extra="forbid", frozen=True, validate_default=True, env_ignore_empty=True)

    root: Annotated[Path, Field(description="The folder whose files are the documents.")] = Path("documents")
    state: Annotated[
        Path | None,
        Field(
            description="The folder for journal, names and secret, outside the root. "
            "By default one for each root under $XDG_STATE_HOME/collab (~/.local/state/collab).",
        ),
    ] = None
    config: Annotated[Path | None, Field(description="A TOML file with settings.")] = None
    client: Annotated[Path | None, Field(description="The folder of the built web client. By default the package's own.")] = None
    host: Annotated[str, Field(description="The address to listen on. Beyond loopback a secret must be set.", min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(description="The TCP port; 0 takes a free one.", ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(description="Processes that serve on this machine, each its share of the documents.", ge=1, le=64)] = 1
    secret: Annotated[
        SecretStr | None,
        AfterValidator(_whole_secret),
        Field(description="Signs tokens and sessions; at least 32 characters. By default made once and kept in the state. Never a flag."),
    ] = None
    public_url: Annotated[
        str,
        AfterValidator(_public),
        Field(description="The address that people use, with a path when served under one: https://example.org/collab."),
    ] = ""
    trusted_proxies: Annotated[
        tuple[Network, ...],
        NoDecode,
        BeforeValidator(_networks),
        Field(description="Addresses or networks whose X-Forwarded-For, -Proto and -Host count."),
    ] = ()
    allowed_hosts: Annotated[Words, Field(description="More names by which the server may be called, without port.")] = ()
    allowed_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="More origins (https://name:port) whose pages may write with a person's cookie."),
    ] = ()
    frame_ancestors: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="Origins (https://name:port) whose pages may show documents in a frame, with a token."),
    ] = ()
    drain: Annotated[Seconds, Field(description="Seconds between SIGTERM and the closing of the listener; /readyz answers 503.")] = 2.0
    session_length: Annotated[Seconds, Field(description="How long a browser stays signed in.", gt=0)] = 7 * 86400.0
    save_delay: Annotated[Seconds, Field(description="A file is saved this long after the last edit.")] = 2.0
    save_at_most: Annotated[Seconds, Field(description="A file is saved at most this long after the first unsaved edit.")] = 10.0
    room_idle: Annotated[Seconds, Field(description="A document that nobody has open leaves memory after this time.")] = 30.0
    room_memory: Annotated[
        Bytes, Field(description="Bytes of memory for open documents; above it those that nobody has open leave before their time.")
    ] = 512 * MIB
    members_role: Annotated[
        Literal["none", "viewer", "editor"],
        Field(description="What everybody with an account, or of the identity provider, may do with everything; guests of links never."),
    ] = "none"
    rights_interval: Annotated[
        Seconds, Field(description="How often it is looked at again what people who have a document open may do with it.", gt=0)
    ] = 30.0
    header_timeout: Annotated[Seconds, Field(description="A request's headers must be complete in this time.", gt=0)] = 10.0
    sign_in_timeout: Annotated[Seconds, Field(description="A Hocuspocus client must have signed in after this time.", gt=0)] = 60.0
    limit_text: Annotated[Bytes, Field(description="Bytes of a text document, and of a body sent to /api.", gt=0)] = 16 * MIB
    limit_notebook: Annotated[Bytes, Field(description="Bytes of a notebook's file.", gt=0)] = 32 * MIB
    upload_limit: Annotated[
        Bytes, Field(description="Bytes of a file that is uploaded; over limit_text it is kept, but not edited.", gt=0)
    ] = 256 * MIB
    attachment_limit: Annotated[Bytes, Field(description="Bytes of a picture or another file that is attached to a document.", gt=0)] = (
        32 * MIB
    )
    limit_frame: Annotated[Bytes, Field(description="Bytes of a WebSocket message after sign-in.", gt=0)] = 32 * MIB
    limit_frame_before: Annotated[Bytes, Field(description="Bytes of a WebSocket message before sign-in.", gt=0)] = MIB
    limit_awareness: Annotated[Bytes, Field(description="Bytes of one awareness message.", gt=0)] = 64 * KIB
    limit_name: Annotated[Bytes, Field(description="Bytes of a document's name.", gt=0)] = 1024
    rate_messages: Annotated[int, Field(description="Messages a second that are read of one connection for long.", gt=0)] = 5000
    rate_bytes: Annotated[Bytes, Field(description="Bytes a second that are read of one connection for long.", gt=0)] = 2 * MIB
    limit_connections: Annotated[int, Field(description="Connections from one address; trusted proxies are exempt.", gt=0)] = 2000
    limit_readers: Annotated[int, Field(description="Readers who are sent changes, in each process.", gt=0)] = 20_000
    limit_queue_bytes: Annotated[Bytes, Field(description="Bytes that a connection may send before sign-in.", gt=0)] = 5 * MIB
    limit_queue_messages: Annotated[int, Field(description="Messages that a connection may send before sign-in.", gt=0)] = 1000
    limit_queue_documents: Annotated[int, Field(description="Documents that a connection may name before sign-in.", gt=0)] = 100
    archive: Annotated[
        str, Field(description="The database of versions, authors and what writers have read: a URL. By default a file in the state.")
    ] = ""
    journal: Annotated[
        str,
        AfterValidator(_journal),
        Field(description="The journal: a Redis or Valkey by its URL. By default a file in the state.", repr=False),
    ] = ""
    redis_prefix: Annotated[
        str, Field(description="What the names of everything in Redis begin with; one for each set of nodes.", min_length=1)
    ] = "collab:"
    node: Annotated[
        str, Field(description="The name of this server among several that share root and state.", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    ] = ""
    node_address: Annotated[
        str,
        Field(description="Where the other nodes reach this one, name:port; it listens there.", pattern=r"^(\S+:\d{1,5})?$"),
    ] = ""
    heartbeat: Annotated[Seconds, Field(description="A node that was not heard of for so long is gone, by Redis' clock.", ge=0.5)] = 6.0
    bin_days: Annotated[float, Field(description="Days that something deleted waits in the bin.", gt=0, le=36500)] = 30.0
    storage: Annotated[
        Literal["local", "cs3"], Field(description="Where the files are: local (the root) or cs3 (a cloud, by its CS3 gateway).")
    ] = "local"
    cs3_gateway: Annotated[str, Field(description="The gateway of a cloud that speaks CS3, name:port.", pattern=r"^(\S+:\d{1,5})?$")] = ""
    cs3_tls: Annotated[bool, Field(description="The gateway is spoken to with TLS.")] = False
    cs3_root: Annotated[
        str,
        AfterValidator(_cloud_root),
        Field(description="The folder of the cloud that is served: an id (storage$space!opaque), or a path. By default all spaces."),
    ] = ""
    cs3_timeout: Annotated[Seconds, Field(description="Seconds in which the gateway must answer a call.", gt=0)] = 10.0
    cs3_machine_secret: Annotated[
        SecretStr | None,
        Field(description="What the cloud's operator lets the server act for users with (auth type machine). Never a flag."),
    ] = None
    cs3_user: Annotated[
        str,
        Field(description="One user of the cloud for whom the server acts, whoever comes. Empty: for each person who came from the cloud."),
    ] = ""
    cs3_app_name: Annotated[
        str, Field(description="What others in the cloud see as the holder of our locks.", min_length=1, max_length=80)
    ] = "Collab"
    cs3_links: Annotated[
        str,
        Field(
            description="Where the cloud's pages open public links, as `https://cloud.example.org/s/`; empty: no links are made from here.",
            pattern=r"^(https?://[^\s?#]+/)?$",
        ),
    ] = ""
    cs3_live: Annotated[
        str,
        Field(
            description="Where the cloud asks us to open text in our page, name:port (dns:name:port for OpenCloud); it listens there.",
            pattern=_PROVIDER,
        ),
    ] = ""
    cs3_live_name: Annotated[str, Field(description="What that is called in the cloud.", min_length=1, max_length=80)] = "Collab"
    cs3_office: Annotated[
        str,
        Field(description="The same for office files in the suites of wopi_discovery.", pattern=_PROVIDER),
    ] = ""
    cs3_office_name: Annotated[str, Field(description="What that is called in the cloud.", min_length=1, max_length=80)] = "Office"
    wopi_discovery: Annotated[
        tuple[Suite, ...],
        NoDecode,
        BeforeValidator(_suites),
        Field(description="Office suites: the address of a discovery, or several as NAME=address."),
    ] = ()
    wopi_suite_hosts: Annotated[
        tuple[Annotated[str, AfterValidator(_suite_host)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="More names, beside the discoveries' own, at which office suites may be opened; *.name for all below it."),
    ] = ()
    wopi_url: Annotated[
        str,
        AfterValidator(_public),
        Field(description="The address at which office suites reach this server. By default the public one."),
    ] = ""
    wopi_proof: Annotated[
        Literal["required", "off"],
        Field(description="Whether requests of a suite whose discovery has proof keys must be signed: required or off."),
    ] = "required"
    wopi_containers: Annotated[bool, Field(description="Office suites may look into folders, with a token for all documents.")] = True
    wopi_token_length: Annotated[Seconds, Field(description="How long a token of an office suite is valid at most.", gt=0)] = 36000.0
    iop_secret: Annotated[
        SecretStr | None,
        AfterValidator(_whole_secret),
        Field(description="What a Reva signs in with at /wopi/iop, in the place of wopiserver. Never a flag."),
    ] = None
    owners_group: Annotated[
        str,
        Field(
            description="A group of accounts, or of the provider, whose people own everything. Empty: only the operator does.",
            max_length=200,
        ),
    ] = ""
    oidc_issuer: Annotated[
        str,
        AfterValidator(_issuer),
        Field(description="A provider by which people sign in (OpenID Connect): its issuer, https://login.example.org/realms/lab."),
    ] = ""
    oidc_client_id: Annotated[str, Field(description="What this server is called at the provider.", max_length=500)] = ""
    oidc_client_secret: Annotated[
        SecretStr | None,
        Field(description="The secret that the provider gave this server. Never a flag. Without one it is a public client."),
    ] = None
    oidc_name: Annotated[str, Field(description="What the provider is called on the page where one signs in.", max_length=80)] = ""
    oidc_scopes: Annotated[
        Words, Field(description="What the provider is asked for; some give refresh tokens only with offline_access among it.")
    ] = ("openid", "profile", "email")
    oidc_prompt: Annotated[
        Literal["", "login", "consent", "select_account"],
        Field(description="What the provider asks the person for in any case: login, consent or select_account."),
    ] = ""
    oidc_name_claim: Annotated[str, Field(description="The claim with the person's name.", max_length=200)] = "name"
    oidc_groups_claim: Annotated[
        str, Field(description="The claim with the person's groups; a dot leads into a claim: realm_access.roles.", max_length=200)
    ] = "groups"
    oidc_orcid_claim: Annotated[str, Field(description="The claim with the person's ORCID.", max_length=200)] = "orcid"
    oidc_refresh: Annotated[
        Seconds, Field(description="How often the provider is asked whether a person may still be signed in.", ge=1)
    ] = 300.0
    oidc_unrefreshed: Annotated[
        Seconds, Field(description="How long a session lasts at most for which the provider gives no refresh token.", gt=0)
    ] = 8 * 3600.0
    templates: Annotated[
        Path | None, Field(description="A folder with files that new documents are made from, beside the empty ones that are built in.")
    ] = None
    audit: Annotated[str, Field(description="A file for audit events as JSON lines, - for standard error, empty for none.")] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="The least important messages that are logged: debug, info, warning or error."),
    ] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library calls it so
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then variables, then the file that one of them names."""
        named = init_settings().get("config") or env_settings().get("config")
        return init_settings, env_settings, InitSettingsSource(settings_cls, _file(Path(named)) if named else {})

    @model_validator(mode="after")
    def _provided(self) -> Settings:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("a provider needs both COLLAB_OIDC_ISSUER and COLLAB_OIDC_CLIENT_ID")
        if self.oidc_issuer and "openid" not in self.oidc_scopes:
            raise ValueError("COLLAB_OIDC_SCOPES needs openid: without it the provider does not say who signs in")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        if not is_loopback(self.host) and self.secret is None:
            raise ValueError(
                f"listening on {self.host} lets other machines in, so COLLAB_SECRET must be set (at least {SECRET_BYTES} characters); "
                "or listen on 127.0.0.1",
            )
        if bool(self.node) != bool(self.node_address) or (self.node and not self.journal):
            raise ValueError(
                "a node has a name and an address (COLLAB_NODE, COLLAB_NODE_ADDRESS), and its journal in Redis (COLLAB_JOURNAL)"
            )
        if self.workers > 1 and self.journal:
            raise ValueError("workers share the journal in the state: with a journal in Redis start a server for each node instead")
        if self.storage == "cs3" and not self.cs3_gateway:
            raise ValueError("files in a cloud need its gateway (COLLAB_CS3_GATEWAY)")
        if (self.cs3_live or self.cs3_office) and (self.storage != "cs3" or self.cs3_user):
            raise ValueError("applications of a cloud (COLLAB_CS3_LIVE, COLLAB_CS3_OFFICE) need COLLAB_STORAGE=cs3, and no COLLAB_CS3_USER")
        if self.cs3_live and self.cs3_live == self.cs3_office:
            raise ValueError("each application of a cloud has an address of its own: COLLAB_CS3_LIVE, COLLAB_CS3_OFFICE")
        if self.cs3_user and not self.cs3_machine_secret:
            raise ValueError(
                "to act for one user of the cloud (COLLAB_CS3_USER) the server needs the secret for it (COLLAB_CS3_MACHINE_SECRET)"
            )
        if self.save_at_most < self.save_delay:
            raise ValueError("save_at_most must not be shorter than save_delay")
        if self.limit_frame_before > self.limit_frame:
            raise ValueError("limit_frame_before must not be larger than limit_frame")
        return self

    @property
    def prefix(self) -> str:
        """The path under which everything is served: empty, or `/collab` without a slash at its end."""
        return urlsplit(self.public_url).path


def load(flags: Mapping[str, object] | None = None) -> Settings:
    """The settings, with flags (None where not given) over variables over the file; raises `Misconfigured`."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as e:
        raise Misconfigured(_words(e)) from None


CLIENTS = ("COLLAB_TOKEN", "COLLAB_URL")
"""Variables of the commands that speak to a server."""


def unknown(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The `COLLAB_…` variables that are no settings: very likely a slip of the pen."""
    return sorted(
        name
        for name in environ
        if name.startswith("COLLAB_")
        and name[7:].lower() not in Settings.model_fields
        and name not in CLIENTS
        and not name.startswith("COLLAB_TEST_")
    )


def _file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise Misconfigured(f"the settings file {path} cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise Misconfigured(f"the settings file {path} is not TOML: {e}") from e


def _words(error: ValidationError) -> str:
    """The first thing that is wrong, in one line, and never with the value of the secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"][:1])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; see docs/reference/settings.md"
    return f"COLLAB_{name.upper()} (--{name.replace('_', '-')}): {message}" if name else message
