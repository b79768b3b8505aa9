"""What each product is told of a file (WOPI-12)."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from collab.access import Person
from collab.ports import OfficeState, Stat
from collab.wopi.info import Facts, Product, check_file_info

HASH = "ab" * 32
STAT = Stat("id:" + "a" * 26, "notes/Größe 1.odt", "application/vnd.oasis.opendocument.text", 123, HASH, 1000.0)
FACTS = Facts(
    stat=STAT,
    state=OfficeState(7, HASH, 1_764_439_200.5),
    person=Person("name:ann", "Ann ✍"),
    owner="owner1",
    user="user2",
    writes=True,
    owns=False,
    relative=True,
    containers=True,
    live=False,
    info="kept",
    origin="https://docs.example.org",
    edit_url="https://docs.example.org/office/x?action=edit",
    view_url="https://docs.example.org/office/x?action=view",
    close_url="https://docs.example.org/",
    download_url="https://docs.example.org/api/documents/x/content",
    file_url="https://docs.example.org/wopi/file-url/x/y",
    folder_url="https://docs.example.org/?path=notes",
)
TYPES: dict[str, type] = {
    "BaseFileName": str,
    "FileExtension": str,
    "OwnerId": str,
    "UserId": str,
    "UserFriendlyName": str,
    "Size": int,
    "Version": str,
    "LastModifiedTime": str,
    "UserInfo": str,
    "FileNameMaxLength": int,
    "SHA256": str,
    "BreadcrumbBrandName": str,
    "BreadcrumbDocName": str,
    "BreadcrumbFolderName": str,
    "SupportedShareUrlTypes": list,
    "UserExtraInfo": dict,
}
"""Of properties that are no address and no boolean."""
COAUTHORING = {
    "SupportsCoauth",
    "SequenceNumber",
    "OfficeCollaborationServiceEndpointUrl",
    "RealTimeChannelEndpointUrl",
    "AccessTokenExpiry",
    "ServerTime",
    "SharingStatus",
    "FileGeoLocationCode",
}


def told(name: Product, **changes: Any) -> dict[str, object]:
    return check_file_info(replace(FACTS, **changes), name)


KEEPING = {"DownloadUrl", "FileUrl"}
SWITCHED_OFF = {
    Product.MICROSOFT: {"DisablePrint", "DisableTranslation", "ProtectInClient", "RestrictedWebViewOnly"},
    Product.COLLABORA: {"DisablePrint", "DisableExport", "DisableCopy", "HidePrintOption", "HideExportOption", "HideSaveOption"},
    Product.ONLYOFFICE: {"DisablePrint", "HidePrintOption"},
    Product.UNKNOWN: {"DisablePrint", "DisableTranslation", "ProtectInClient", "RestrictedWebViewOnly"},
}


@pytest.mark.parametrize("name", list(Product))
def test_who_may_look_only_is_offered_nothing_to_keep(name: Product) -> None:
    """APP-6, WOPI-12."""
    info = told(name, view_only=True, writes=False, download_url="", file_url="")
    assert {key for key in SWITCHED_OFF[name] if info.get(key) is not True} == set()
    assert not KEEPING & set(info)
    if name is not Product.COLLABORA:
        assert info["CopyPasteRestrictions"] == "BlockAll"
    assert not [key for key in SWITCHED_OFF[name] if told(name).get(key)]


@pytest.mark.parametrize("name", list(Product))
def test_each_product_is_told_what_every_one_needs(name: Product) -> None:
    """WOPI-12."""
    info = told(name)
    assert {key: info[key] for key in ("BaseFileName", "FileExtension", "OwnerId", "UserId", "UserFriendlyName", "Size", "UserInfo")} == {
        "BaseFileName": "Größe 1.odt",
        "FileExtension": ".odt",
        "OwnerId": "owner1",
        "UserId": "user2",
        "UserFriendlyName": "Ann ✍",
        "Size": 123,
        "UserInfo": "kept",
    }
    assert (info["Version"], info["LastModifiedTime"]) == ("7-" + HASH[-16:], "2025-11-29T18:00:00.500000Z")
    assert info["SupportsLocks"] is info["SupportsUpdate"] is info["UserCanWrite"] is True
    assert info["PostMessageOrigin"] == "https://docs.example.org"


@pytest.mark.parametrize(
    ("name", "writes", "live", "origin"), list(product(Product, [True, False], [True, False], ["", "https://docs.example.org"]))
)
def test_types_are_those_of_the_specification(name: Product, writes: bool, live: bool, origin: str) -> None:
    """WOPI-12: booleans are booleans, addresses are absolute, and of coauthoring nothing is told."""
    info = told(name, writes=writes, live=live, origin=origin)
    assert not COAUTHORING & set(info)
    for key, value in info.items():
        if key.endswith(("Url", "Origin")):
            assert isinstance(value, str)
            assert value.startswith("https://docs.example.org"), key
        else:
            assert type(value) is TYPES.get(key, bool), key


@pytest.mark.parametrize("name", list(Product))
@pytest.mark.parametrize("allowed", [True, False])
def test_who_may_not_write_is_told_so_everywhere(name: Product, allowed: bool) -> None:
    info = told(name, writes=allowed, relative=allowed)
    assert {info[key] for key in ("UserCanWrite", "UserCanRename")} == {allowed}
    assert {info[key] for key in ("ReadOnly", "UserCanNotWriteRelative")} == {not allowed}
    assert ("HostEditUrl" in info) <= allowed


@pytest.mark.parametrize("name", [Product.MICROSOFT, Product.UNKNOWN])
def test_microsoft_is_told_what_its_validator_asks_for(name: Product) -> None:
    """WOPI-12."""
    info = told(name)
    for key in ("SupportsGetLock", "SupportsExtendedLockLength", "SupportsRename", "SupportsDeleteFile", "SupportsUserInfo"):
        assert info[key] is True
    assert info["SupportsContainers"] is info["SupportsEcosystem"] is info["SupportsAddActivities"] is True
    assert info["LicenseCheckForEditIsEnabled"] is True
    assert info["SupportedShareUrlTypes"] == ["ReadOnly", "ReadWrite"]
    assert info["FileUrl"] == FACTS.file_url
    assert info["ClosePostMessage"] is info["FileSharingPostMessage"] is True
    assert told(name, containers=False)["SupportsContainers"] is told(name, containers=False)["SupportsEcosystem"] is False


def test_a_hash_is_told_of_bytes_that_stand_still_only() -> None:
    """WOPI-12: what has it rendered is kept by it."""
    assert told(Product.MICROSOFT)["SHA256"] == base64.b64encode(bytes.fromhex(HASH)).decode()
    assert "SHA256" not in told(Product.MICROSOFT, live=True)
    assert "SHA256" not in told(Product.MICROSOFT, stat=replace(STAT, etag="weak-" + "0" * 40))


def test_collabora_gets_files_by_its_own_request_and_is_told_who_may_end_a_session() -> None:
    """WOPI-12."""
    info = told(Product.COLLABORA, avatar="https://docs.example.org/ann.png")
    assert "FileUrl" not in info
    assert (info["UserExtraInfo"], info["EnableOwnerTermination"]) == ({"avatar": "https://docs.example.org/ann.png"}, False)
    assert told(Product.COLLABORA, owns=True)["EnableOwnerTermination"] is True
    for key in ("HidePrintOption", "HideSaveOption", "HideExportOption", "DisablePrint", "DisableExport", "DisableCopy"):
        assert info[key] is False


def test_onlyoffice_is_told_which_messages_the_page_takes() -> None:
    """WOPI-12."""
    assert "FileUrl" not in told(Product.ONLYOFFICE)
    for framed, origin in ((True, "https://docs.example.org"), (False, "")):
        info = told(Product.ONLYOFFICE, origin=origin)
        assert info["ClosePostMessage"] is info["EditModePostMessage"] is framed
    assert told(Product.ONLYOFFICE)["UserCanReview"] is True


def test_a_file_in_the_root_has_no_folder_s_name() -> None:
    info = told(Product.MICROSOFT, stat=replace(STAT, path="a.tar.gz"), folder_url="")
    assert (info["BreadcrumbDocName"], info["BreadcrumbFolderName"], info["FileExtension"]) == ("a.tar", "collab", ".gz")
    assert "BreadcrumbFolderUrl" not in info
