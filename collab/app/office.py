"""Office suites: how they are found, opened and served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.app.places import base_address
from collab.web.iop import InteropDoor
from collab.wopi.addresses import Addresses
from collab.wopi.host import Surroundings as OfficeSurroundings
from collab.wopi.host import WopiHost
from collab.wopi.info import Product
from collab.wopi.iop import Interop
from collab.wopi.launch import Launcher
from collab.wopi.live import Live
from collab.wopi.proof import Proofs
from collab.wopi.suites import Suites

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.app.adapters import Adapters
    from collab.runtime.bin import Trash
    from collab.runtime.documents import Documents
    from collab.runtime.metrics import Metrics
    from collab.runtime.rooms import Rooms
    from collab.settings import Settings
    from collab.web.admission import Admission
    from collab.web.api import Api
    from collab.web.health import Health
    from collab.wopi.claiming import Claiming
    from collab.wopi.rejected import Rejected


def suites_of(settings: Settings, adapters: Adapters, metrics: Metrics, health: Health) -> Suites:
    """The office suites of the settings, and how they are."""
    secure = settings.public_url.startswith("https:")
    suites = Suites(settings.wopi_discovery, settings.wopi_suite_hosts, secure=secure, clock=adapters.clock)
    metrics.offices = lambda: {office.name: office.healthy for office in suites.offices}
    health.offices = lambda: [office.name for office in suites.offices if not office.healthy]
    return suites


def addresses_of(settings: Settings, admission: Admission) -> Callable[[], Addresses]:
    """Where we are, for people and for office suites; the port is known when the server listens."""

    def addresses() -> Addresses:
        public = base_address(settings, admission.port)
        return Addresses(settings.wopi_url or public, public)

    return addresses


def proofs_of(settings: Settings, adapters: Adapters, admission: Admission, suites: Suites) -> Proofs:
    """What looks at the signatures of office suites."""
    addresses = addresses_of(settings, admission)
    return Proofs(suites, lambda: addresses().base, adapters.now, required=settings.wopi_proof == "required")


def launcher_of(settings: Settings, adapters: Adapters, admission: Admission, suites: Suites) -> Launcher:
    """How documents are opened in office suites."""
    return Launcher(suites, addresses_of(settings, admission), adapters.secret, now=adapters.now, length=settings.wopi_token_length)


def interop_of(settings: Settings, adapters: Adapters, api: Api, suites: Suites, rejected: Rejected) -> InteropDoor:
    """What a Reva asks."""
    interop = Interop(
        documents=api.documents,
        suites=suites,
        locks=adapters.locks,
        addresses=addresses_of(settings, api.admission),
        secret=adapters.secret,
        now=adapters.now,
        length=settings.wopi_token_length,
    )
    return InteropDoor(interop, rejected, api.audit, "" if settings.iop_secret is None else settings.iop_secret.get_secret_value())


def office_host(  # noqa: PLR0913 - the surroundings
    settings: Settings,
    adapters: Adapters,
    admission: Admission,
    documents: Documents,
    *,
    rooms: Rooms,
    trash: Trash,
    rejected: Rejected,
    suites: Suites,
    claiming: Claiming,
) -> WopiHost:
    """What office suites reach."""
    return WopiHost(
        OfficeSurroundings(
            documents=documents,
            rights=adapters.rights,
            view_only=adapters.view_only,
            trash=trash,
            live=Live(documents, rooms),
            locks=adapters.locks,
            claiming=claiming,
            states=adapters.office,
            infos=adapters.infos,
            authors=adapters.authors,
            addresses=addresses_of(settings, admission),
            keep=rejected.keep,
            product=lambda name: Product(suites.product(name) or "unknown"),
            secret=adapters.secret,
            now=adapters.now,
            over=adapters.spent.__contains__,
            containers=settings.wopi_containers,
        )
    )
