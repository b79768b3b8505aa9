"""CheckFileInfo: what each product is told of a file, as a function of facts.

Properties as in Microsoft's WOPI specification, Collabora Online's and ONLYOFFICE's. Of the properties for coauthoring (`SupportsCoauth`,
`AccessTokenExpiry`, `ServerTime`, `SharingStatus` …) either none or all may be there: none is.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collab.wopi import names, states

if TYPE_CHECKING:
    from collab.access import Person
    from collab.ports import OfficeState, Stat

BRAND: Final = "collab"
SHARES: Final = ("ReadOnly", "ReadWrite")
"""Types of addresses that GetShareUrl gives."""
NAME_CHARACTERS: Final = 200
"""Characters of a name without its extension that a suite may ask for: four bytes each would be too many for a file system, two are not."""


_BLOCK: Final = "BlockAll"
_NOTHING_TO_KEEP: Final = {
    "DisablePrint": True,
    "DisableTranslation": True,
    "ProtectInClient": True,
    "RestrictedWebViewOnly": True,
    "CopyPasteRestrictions": _BLOCK,
}
"""What somebody may look at and not keep, in the specification's words; a translation is sent elsewhere."""


class Product(StrEnum):
    """Whose office suite asks."""

    MICROSOFT = "microsoft"
    COLLABORA = "collabora"
    ONLYOFFICE = "onlyoffice"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file and of who asks. Addresses are absolute, empty ones are left out."""

    stat: Stat
    state: OfficeState
    person: Person
    owner: str
    """Who the file belongs to, as suites are told it."""
    user: str
    """Who asks, as suites are told it."""
    writes: bool
    """Whether this person may change the file here."""
    owns: bool
    """Whether this person may end the session of everybody."""
    relative: bool
    """Whether this person may make new files beside it."""
    containers: bool
    """Whether folders are served to this person."""
    live: bool
    """Whether people may type in it meanwhile."""
    view_only: bool = False
    """Whether this person was let in to look only: neither to download, print nor copy."""
    info: str = ""
    """What PutUserInfo left."""
    origin: str = ""
    """Of the page that shows the suite in a frame."""
    edit_url: str = ""
    view_url: str = ""
    close_url: str = ""
    download_url: str = ""
    file_url: str = ""
    folder_url: str = ""
    avatar: str = ""


def check_file_info(facts: Facts, product: Product) -> dict[str, object]:
    """The answer, for this product."""
    return {**_common(facts), **_BY_PRODUCT[product](facts)}


def _common(facts: Facts) -> dict[str, object]:
    name = facts.stat.path.rpartition("/")[2]
    return {
        "BaseFileName": name,
        "FileExtension": names.split(name)[1],
        "OwnerId": facts.owner,
        "UserId": facts.user,
        "UserFriendlyName": facts.person.name,
        "IsAnonymousUser": False,
        "Size": facts.stat.size,
        "Version": states.word(facts.state),
        "LastModifiedTime": states.time_of(facts.state.modified),
        "UserCanWrite": facts.writes,
        "ReadOnly": not facts.writes,
        "UserCanNotWriteRelative": not facts.relative,
        "UserCanRename": facts.writes,
        "SupportsLocks": True,
        "SupportsGetLock": True,
        "SupportsExtendedLockLength": True,
        "SupportsUpdate": True,
        "SupportsRename": True,
        "SupportsDeleteFile": True,
        "SupportsUserInfo": True,
        "UserInfo": facts.info,
        **({"PostMessageOrigin": facts.origin} if facts.origin else {}),
    }


def _pages(facts: Facts) -> dict[str, object]:
    """Addresses of pages for people."""
    folder = facts.stat.path.rpartition("/")[0]
    given = {
        "HostEditUrl": facts.edit_url if facts.writes else "",
        "HostViewUrl": facts.view_url,
        "CloseUrl": facts.close_url,
        "DownloadUrl": facts.download_url,
        "BreadcrumbBrandUrl": facts.close_url,
        "BreadcrumbFolderUrl": facts.folder_url,
    }
    return {
        **{name: url for name, url in given.items() if url},
        "BreadcrumbBrandName": BRAND,
        "BreadcrumbDocName": names.split(facts.stat.path.rpartition("/")[2])[0],
        "BreadcrumbFolderName": folder.rpartition("/")[2] or BRAND,
    }


def _microsoft(facts: Facts) -> dict[str, object]:
    framed = bool(facts.origin)
    return {
        **_pages(facts),
        "SupportsContainers": facts.containers,
        "SupportsEcosystem": facts.containers,
        "SupportsAddActivities": True,
        "SupportedShareUrlTypes": list(SHARES),
        "FileNameMaxLength": NAME_CHARACTERS,
        "LicenseCheckForEditIsEnabled": True,
        "IsEduUser": False,
        "UserCanAttend": False,
        "UserCanPresent": False,
        "CloseButtonClosesWindow": not framed,
        "ClosePostMessage": framed,
        "EditModePostMessage": framed,
        "FileSharingPostMessage": framed,
        **({"FileUrl": facts.file_url} if facts.file_url else {}),
        **(_NOTHING_TO_KEEP if facts.view_only else {}),
        # It keeps what it has rendered by this: the bytes that it gets must have it.
        **({} if facts.live or len(facts.stat.etag) != 64 else {"SHA256": _sha256(facts.stat.etag)}),
    }


def _collabora(facts: Facts) -> dict[str, object]:
    return {
        "EnableOwnerTermination": facts.owns,
        "EnableInsertRemoteImage": False,
        "EnableInsertRemoteFile": False,
        "EnableShare": bool(facts.origin),
        "DisableInactiveMessages": False,
        "DisablePrint": facts.view_only,
        "DisableExport": facts.view_only,
        "DisableCopy": facts.view_only,
        "HidePrintOption": facts.view_only,
        "HideExportOption": facts.view_only,
        "HideSaveOption": facts.view_only,
        "HideRepairOption": False,
        "DownloadAsPostMessage": False,
        "UserExtraInfo": {"avatar": facts.avatar} if facts.avatar else {},
    }


def _onlyoffice(facts: Facts) -> dict[str, object]:
    framed = bool(facts.origin)
    return {
        **_pages(facts),
        "SupportsReviewing": True,
        "UserCanReview": facts.writes,
        "DisablePrint": facts.view_only,
        **({"HidePrintOption": True, "CopyPasteRestrictions": _BLOCK} if facts.view_only else {}),
        "ClosePostMessage": framed,
        "EditModePostMessage": framed,
        "EditNotificationPostMessage": framed,
        "FileSharingPostMessage": framed,
        "FileVersionPostMessage": False,
        "FileNameMaxLength": NAME_CHARACTERS,
    }


_BY_PRODUCT: Final = {
    Product.MICROSOFT: _microsoft,
    Product.COLLABORA: _collabora,
    Product.ONLYOFFICE: _onlyoffice,
    # Who says nothing of itself is told what the specification has.
    Product.UNKNOWN: _microsoft,
}


def _sha256(etag: str) -> str:
    return base64.b64encode(bytes.fromhex(etag)).decode()
