"""Folders and the ecosystem over WOPI (WOPI-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from standing import ADA, NOW, ORIGIN, SECRET, Site, stand

from collab.access import Role
from collab.wopi.addresses import id_of, key_of
from collab.wopi.tokens import Pass, seal, unseal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "work" / "deep").mkdir(parents=True)
    (root / "work" / "a.docx").write_bytes(b"PK a")
    (root / "work" / "b.TXT").write_bytes(b"text\n")
    (root / "work" / ".hidden").write_bytes(b"no")
    (root / "work" / "deep" / "c.odt").write_bytes(b"PK c")
    async with stand(tmp_path) as site:
        yield site


class Suite:
    """An office suite: it goes from address to address, as it is told them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, address: str, rest: str = "", **headers: str) -> httpx.Response:
        return await self.client.get(_with(address, rest), headers=_wopi(headers))

    async def do(self, address: str, override: str, **headers: str) -> httpx.Response:
        return await self.client.post(address, headers={**_wopi(headers), "X-WOPI-Override": override})

    async def told(self, address: str, rest: str = "", **headers: str) -> dict[str, object]:
        answer = await self.get(address, rest, **headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told


def _wopi(headers: dict[str, str]) -> dict[str, str]:
    return {f"X-WOPI-{name}": value for name, value in headers.items()}


def _with(address: str, rest: str) -> str:
    path, mark, query = address.partition("?")
    return path + rest + mark + query


def key(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2]


async def entry(site: Site, path: str = "work/deep/c.odt", role: Role = Role.EDITOR, **given: object) -> str:
    """Where a suite begins with a file."""
    stat = await site.files.stat(path)
    sealed = seal(Pass(ADA, role, stat.id, NOW + 3600, **given), SECRET, now=NOW)  # type: ignore[arg-type]
    return f"{ORIGIN}/wopi/files/{key_of(stat.id)}?access_token={sealed}"


async def ancestors(suite: Suite, address: str) -> dict[str, str]:
    """The folders above, root first, by name."""
    listed = (await suite.told(address, "/ancestry"))["AncestorsWithRootFirst"]
    assert isinstance(listed, list)
    return {each["Name"]: each["Url"] for each in listed}


async def children(suite: Suite, address: str, **headers: str) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    told = await suite.told(address, "/children", **headers)
    folders, files = told["ChildContainers"], told["ChildFiles"]
    assert isinstance(folders, list)
    assert isinstance(files, list)
    return {each["Name"]: each["Url"] for each in folders}, {each["Name"]: each for each in files}


@pytest.fixture
async def suite(site: Site) -> AsyncIterator[Suite]:
    async with site.client() as client:
        yield Suite(client)


# --- what is told


async def test_a_file_tells_the_folders_above_it_and_each_tells_its_own(site: Site, suite: Suite) -> None:
    above = await ancestors(suite, await entry(site))
    assert list(above) == ["collab", "work", "deep"]
    assert list(await ancestors(suite, above["deep"])) == ["collab", "work"]
    assert await ancestors(suite, above["collab"]) == {}
    assert key(above["collab"]) == "root"


async def test_a_folder_tells_its_children_as_their_own_addresses_would(site: Site, suite: Suite) -> None:
    above = await ancestors(suite, await entry(site))
    folders, files = await children(suite, above["work"])
    assert (list(folders), list(files)) == (["deep"], ["a.docx", "b.TXT"])
    for told in files.values():
        info = await suite.told(str(told["Url"]))
        assert {name: told[name] for name in ("Size", "Version", "LastModifiedTime")} == {
            name: info[name] for name in ("Size", "Version", "LastModifiedTime")
        }
        assert info["BaseFileName"] == told["Name"]
    assert (await suite.told(folders["deep"]))["Name"] == "deep"
    assert [*(await children(suite, folders["deep"]))[1]] == ["c.odt"]


@pytest.mark.parametrize(
    ("filters", "shown"),
    [(".docx", ["a.docx"]), (".txt,.ODT", ["b.TXT"]), (".pdf", []), ("", ["a.docx", "b.TXT"]), (".docx,.txt", ["a.docx", "b.TXT"])],
)
async def test_of_the_files_those_with_the_extensions_are_told_in_any_case(
    site: Site, suite: Suite, filters: str, shown: list[str]
) -> None:
    above = await ancestors(suite, await entry(site))
    folders, files = await children(suite, above["work"], FileExtensionFilterList=filters)
    assert (list(folders), list(files)) == (["deep"], shown)


async def test_a_version_in_a_list_stands_while_the_suite_has_the_file_locked(site: Site, suite: Suite) -> None:
    address = await entry(site)
    assert (await suite.do(address, "LOCK", Lock="mine")).status_code == 200
    info = await suite.told(address)
    folder = (await ancestors(suite, address))["deep"]
    (told,) = (await children(suite, folder))[1].values()
    assert (told["Version"], told["LastModifiedTime"]) == (info["Version"], info["LastModifiedTime"])


@pytest.mark.parametrize(("role", "writes"), [(Role.VIEWER, False), (Role.EDITOR, True), (Role.OWNER, True)])
async def test_a_container_tells_what_the_token_may_do(site: Site, suite: Suite, role: Role, writes: bool) -> None:
    above = await ancestors(suite, await entry(site, role=role))
    told = await suite.told(above["work"])
    assert told == {
        "Name": "work",
        "HostUrl": f"{ORIGIN}/?path=work",
        "SharingUrl": f"{ORIGIN}/?path=work",
        "SupportedShareUrlTypes": ["ReadOnly", "ReadWrite"],
        "IsAnonymousUser": False,
        "IsEduUser": False,
        "LicenseCheckForEditIsEnabled": True,
        "UserCanCreateChildContainer": writes,
        "UserCanCreateChildFile": writes,
        "UserCanDelete": writes,
        "UserCanRename": writes,
    }
    root = await suite.told(above["collab"])
    assert (root["Name"], root["UserCanCreateChildFile"], root["UserCanDelete"], root["UserCanRename"]) == ("collab", writes, False, False)


async def test_a_folder_has_addresses_for_people(site: Site, suite: Suite) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    for kind in ("ReadOnly", "ReadWrite"):
        assert (await suite.do(work, "GET_SHARE_URL", UrlType=kind)).json() == {"ShareUrl": f"{ORIGIN}/?path=work"}
    assert (await suite.do(work, "GET_SHARE_URL", UrlType="Other")).status_code == 501


async def test_files_and_folders_lead_to_the_ecosystem_and_that_to_the_root(site: Site, suite: Suite) -> None:
    address = await entry(site)
    deep = (await ancestors(suite, address))["deep"]
    for start in (address, deep):
        ecosystem = str((await suite.told(start, "/ecosystem_pointer"))["Url"])
        assert await suite.told(ecosystem) == {"SupportsContainers": True}
        root = await suite.told(ecosystem, "/root_container_pointer")
        assert root["ContainerPointer"] == {"Name": "collab", "Url": (await ancestors(suite, address))["collab"]}
        shortcut = await suite.do(ecosystem, "", EcosystemOperation="GET_ROOT_CONTAINER")
        assert shortcut.json() == root
        assert (await suite.do(ecosystem, "", EcosystemOperation="GET_ANYTHING")).status_code == 501


# --- what is changed


async def test_a_new_folder_has_an_address_that_works_after_renames(site: Site, suite: Suite) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    made = (await suite.do(work, "CREATE_CHILD_CONTAINER", RelativeTarget="new+AF8-one")).json()
    address = made["ContainerPointer"]["Url"]
    assert (made["ContainerPointer"]["Name"], made["ContainerInfo"]["Name"]) == ("new_one", "new_one")
    assert (site.root / "work" / "new_one").is_dir()
    assert (await suite.do(address, "RENAME_CONTAINER", RequestedName="Gr+APY-+AN8-e")).json() == {"Name": "Größe"}
    assert (site.root / "work" / "Größe").is_dir()
    (site.root / "work").rename(site.root / "elsewhere")
    assert (await suite.told(address))["Name"] == "Größe"
    assert list(await ancestors(suite, address)) == ["collab", "elsewhere"]
    child = (await suite.do(address, "CREATE_CHILD_FILE", RelativeTarget="x.docx")).json()
    assert (site.root / "elsewhere" / "Größe" / "x.docx").read_bytes() == b""
    assert (await suite.told(child["Url"]))["BaseFileName"] == "x.docx"
    assert {"HostViewUrl", "HostEditUrl"} < set(child)


async def test_people_who_edit_in_a_folder_that_a_suite_renames_go_on(site: Site, suite: Suite) -> None:
    deep = (await ancestors(suite, await entry(site)))["deep"]
    (site.root / "work" / "deep" / "notes.md").write_text("hello\n")
    document = (await site.files.stat("work/deep/notes.md")).id
    host = await site.app.rooms.open(document)
    await suite.do(deep, "RENAME_CONTAINER", RequestedName="other")
    assert host.stat.path == "work/other/notes.md"


@pytest.mark.parametrize("verb", ["CREATE_CHILD_CONTAINER", "CREATE_CHILD_FILE"])
async def test_a_suggested_name_is_changed_until_it_is_free_and_never_refused(site: Site, suite: Suite, verb: str) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    found = []
    for wanted in ("deep", "deep", ".hidden", "a/b\\c", "+AAA-", "x" * 600, " "):
        answer = await suite.do(work, verb, SuggestedTarget=wanted)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found.append(told["ContainerPointer"]["Name"] if "ContainerPointer" in told else told["Name"])
    assert len(set(found)) == len(found)
    assert found[:4] == ["deep (2)", "deep (3)", "hidden", "a_b_c"]
    assert all((site.root / "work" / name).exists() for name in found)


@pytest.mark.parametrize("verb", ["CREATE_CHILD_CONTAINER", "CREATE_CHILD_FILE"])
async def test_an_exact_name_that_is_taken_or_can_be_none_is_refused_with_the_reason(site: Site, suite: Suite, verb: str) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    taken = await suite.do(work, verb, RelativeTarget="deep")
    assert (taken.status_code, taken.headers["x-wopi-validrelativetarget"]) == (409, "deep (2)")
    header = "x-wopi-invalidcontainernameerror" if "CONTAINER" in verb else "x-wopi-invalidfilenameerror"
    for name in (".hidden", "a/b", "x" * 256, "x" * 513):
        refused = await suite.do(work, verb, RelativeTarget=name)
        assert refused.status_code == 400, name
        assert refused.headers[header]
    for headers in ({"RelativeTarget": "x", "SuggestedTarget": "x"}, {}):
        assert (await suite.do(work, verb, **headers)).status_code == 501


async def test_a_file_that_is_overwritten_waits_in_the_bin_unless_it_is_locked(site: Site, suite: Suite) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    assert (await suite.do(work, "CREATE_CHILD_FILE", RelativeTarget="a.docx", OverwriteRelativeTarget="False")).status_code == 409
    file = await entry(site, "work/a.docx")
    await suite.do(file, "LOCK", Lock="somebody's")
    locked = await suite.do(work, "CREATE_CHILD_FILE", RelativeTarget="a.docx", OverwriteRelativeTarget="True")
    assert (locked.status_code, locked.headers["x-wopi-lock"]) == (409, "somebody's")
    assert (site.root / "work" / "a.docx").read_bytes() == b"PK a"
    await suite.do(file, "UNLOCK", Lock="somebody's")
    made = await suite.do(work, "CREATE_CHILD_FILE", RelativeTarget="a.docx", OverwriteRelativeTarget="True")
    assert (made.status_code, made.json()["Name"], (site.root / "work" / "a.docx").read_bytes()) == (200, "a.docx", b"")
    async with site.of() as ada:
        assert [each["path"] for each in (await ada.get("/api/bin")).json()["entries"]] == ["work/a.docx"]


async def test_an_empty_folder_goes_into_the_bin_and_one_with_something_in_it_stays(site: Site, suite: Suite) -> None:
    work = (await ancestors(suite, await entry(site)))["work"]
    deep = (await children(suite, work))[0]["deep"]
    assert (await suite.do(deep, "DELETE_CONTAINER")).status_code == 409
    assert (site.root / "work" / "deep" / "c.odt").exists()
    (site.root / "work" / "deep" / "c.odt").unlink()
    assert (await suite.do(deep, "DELETE_CONTAINER")).status_code == 200
    assert not (site.root / "work" / "deep").exists()
    assert (await suite.get(deep)).status_code == 404
    assert (await suite.do(deep, "DELETE_CONTAINER")).status_code == 404
    async with site.of() as ada:
        assert [each["path"] for each in (await ada.get("/api/bin")).json()["entries"]] == ["work/deep"]


async def test_a_name_that_is_taken_renames_no_folder(site: Site, suite: Suite) -> None:
    deep = (await ancestors(suite, await entry(site)))["deep"]
    taken = await suite.do(deep, "RENAME_CONTAINER", RequestedName="a.docx")
    assert (taken.status_code, taken.headers["x-wopi-validrelativetarget"]) == (409, "a (2).docx")
    for name in (".hidden", "a/b", "", "x" * 256):
        refused = await suite.do(deep, "RENAME_CONTAINER", RequestedName=name)
        assert (refused.status_code, bool(refused.headers["x-wopi-invalidcontainernameerror"])) == (400, True)
    assert (await suite.do(deep, "RENAME_CONTAINER", RequestedName="deep")).json() == {"Name": "deep"}


async def test_the_root_stays(site: Site, suite: Suite) -> None:
    root = (await ancestors(suite, await entry(site)))["collab"]
    assert (await suite.do(root, "RENAME_CONTAINER", RequestedName="x")).status_code == 501
    assert (await suite.do(root, "DELETE_CONTAINER")).status_code == 501
    assert (await suite.do(root, "ANYTHING")).status_code == 501


# --- who may


async def test_who_may_only_read_changes_nothing(site: Site, suite: Suite) -> None:
    above = await ancestors(suite, await entry(site, role=Role.VIEWER))
    before = sorted(site.root.rglob("*"))
    for verb, headers in (
        ("CREATE_CHILD_CONTAINER", {"RelativeTarget": "x"}),
        ("CREATE_CHILD_FILE", {"SuggestedTarget": "x"}),
        ("RENAME_CONTAINER", {"RequestedName": "x"}),
        ("DELETE_CONTAINER", {}),
    ):
        assert (await suite.do(above["deep"], verb, **headers)).status_code == 404
    assert sorted(site.root.rglob("*")) == before


async def test_a_token_for_one_document_reaches_no_folder(site: Site, suite: Suite) -> None:
    address = await entry(site, scope="work/deep/c.odt")
    token = parse_qs(urlsplit(address).query)["access_token"][0]
    for path in ("/ancestry", "/ecosystem_pointer"):
        assert (await suite.get(address, path)).status_code == 404
    for path in ("/wopi/containers/root", "/wopi/ecosystem", "/wopi/ecosystem/root_container_pointer"):
        assert (await suite.client.get(f"{path}?access_token={token}")).status_code == 404


async def test_a_token_is_for_its_own_target_and_what_is_made_from_it_ends_when_it_ends(site: Site, suite: Suite) -> None:
    address = await entry(site, relative=False, session="s")
    above = await ancestors(suite, address)
    file_token = parse_qs(urlsplit(address).query)["access_token"][0]
    for name in ("collab", "work", "deep"):
        assert (await suite.client.get(f"/wopi/containers/{key(above[name])}?access_token={file_token}")).status_code == 404
        for bad in ("", "x", file_token[:-2]):
            assert (await suite.client.get(f"/wopi/containers/{key(above[name])}?access_token={bad}")).status_code == 401
        granted = unseal(parse_qs(urlsplit(above[name]).query)["access_token"][0], SECRET, now=NOW)
        assert granted == Pass(ADA, Role.EDITOR, id_of(key(above[name])), NOW + 3600, relative=False, session="s")
    site.time[0] = NOW + 3600
    assert (await suite.get(above["work"])).status_code == 401
    assert (await suite.client.get(f"/wopi/ecosystem?access_token={file_token}")).status_code == 401


async def test_where_folders_are_not_served_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.docx").write_bytes(b"PK")
    async with stand(tmp_path, wopi_containers=False) as site, site.client() as client:
        suite, address = Suite(client), await entry(site, "a.docx")
        info = await suite.told(address)
        assert (info["SupportsContainers"], info["SupportsEcosystem"]) == (False, False)
        assert (await suite.get(address, "/ancestry")).status_code == 501
        token = parse_qs(urlsplit(address).query)["access_token"][0]
        assert (await client.get(f"/wopi/ecosystem?access_token={token}")).status_code == 501
        root = seal(Pass(ADA, Role.EDITOR, "", NOW + 60), SECRET, now=NOW)
        for rest in ("", "/children", "/ancestry", "/ecosystem_pointer"):
            assert (await client.get(f"/wopi/containers/root{rest}?access_token={root}")).status_code == 501
        assert (await suite.do(f"/wopi/containers/root?access_token={root}", "CREATE_CHILD_FILE", RelativeTarget="x")).status_code == 501


async def test_a_folder_that_nobody_has_seen_is_not_found(suite: Suite) -> None:
    for target in ("id:" + "z" * 26, "work", "work/a.docx"):
        token = seal(Pass(ADA, Role.EDITOR, target, NOW + 60), SECRET, now=NOW)
        assert (await suite.client.get(f"/wopi/containers/{key_of(target)}?access_token={token}")).status_code == 404


async def test_what_suites_do_with_folders_is_audited(site: Site, suite: Suite, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "collab.audit"):
        work = (await ancestors(suite, await entry(site)))["work"]
        made = (await suite.do(work, "CREATE_CHILD_CONTAINER", RelativeTarget="new")).json()["ContainerPointer"]["Url"]
        await suite.do(made, "RENAME_CONTAINER", RequestedName="newer")
        await suite.do(made, "DELETE_CONTAINER")
        await suite.do(work, "CREATE_CHILD_FILE", RelativeTarget="x.docx")
    lines = [record.getMessage() for record in caplog.records if record.name == "collab.audit"]
    assert [word for line in lines for word in ("create", "rename", "delete") if f'"event": "{word}"' in line] == [
        "create",
        "rename",
        "delete",
        "create",
    ]
    assert not any("access_token" in line or "eyJ" in line for line in lines)
