"""The contract of storages on a real cloud: `CS3_TEST_GATEWAY=name:port CS3_TEST_USER=… CS3_TEST_SECRET=… pytest tests/contract`.

`CS3_TEST_AUTH` is the auth type (`basic`, or `machine`), `CS3_TEST_ROOT` a folder's id (`storage$space!opaque`; by default the user's personal space), in which
each test makes a folder of its own and deletes it. What somebody else does is done here by plain calls that block: this is not the adapter.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest
from cs3.gateway.v1beta1 import gateway_api_pb2 as api
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.storage.provider.v1beta1 import provider_api_pb2 as provider
from cs3.storage.provider.v1beta1 import spaces_api_pb2 as spaces

from collab.archive.memory import MemoryArchive
from collab.gateway import messages
from collab.gateway.calls import Gateway
from collab.gateway.resources import Reference, ResourceId
from collab.gateway.transfers import Transfers
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.claims import Noted
from collab.storage.cs3 import Cloud, CloudBin, CloudClaims, CloudFiles, CloudFolders, Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from folders import Time

    from collab.ports import Files

GATEWAY = os.environ.get("CS3_TEST_GATEWAY", "")


class Refused(Exception):
    """An answer that is not OK."""


class Plain:
    """Calls that block, as one user."""

    def __init__(self) -> None:
        self.stub = gateway_api_pb2_grpc.GatewayAPIStub(grpc.insecure_channel(GATEWAY))
        self.token = ""
        kind, user, secret = os.environ.get("CS3_TEST_AUTH", "basic"), os.environ["CS3_TEST_USER"], os.environ["CS3_TEST_SECRET"]
        self.token = self.call("Authenticate", api.AuthenticateRequest(type=kind, client_id=user, client_secret=secret)).token

    def call(self, name: str, request: Any) -> Any:
        answer = getattr(self.stub, name)(request, timeout=20, metadata=(("x-access-token", self.token),))
        if answer.status.code != Code.Value("CODE_OK"):
            raise Refused(f"{name}: {Code.Name(answer.status.code)} {answer.status.message}")
        return answer

    def root(self) -> ResourceId:
        if "CS3_TEST_ROOT" in os.environ:
            return ResourceId.parse(os.environ["CS3_TEST_ROOT"])
        found = [messages.space(each) for each in self.call("ListStorageSpaces", spaces.ListStorageSpacesRequest()).storage_spaces]
        return next(each.root for each in found if each.kind == "personal")

    def stat(self, ref: Reference) -> Any:
        try:
            return self.call("Stat", provider.StatRequest(ref=messages.reference_message(ref))).info
        except Refused:
            return None

    def make(self, ref: Reference) -> None:
        self.call("CreateContainer", provider.CreateContainerRequest(ref=messages.reference_message(ref)))

    def delete(self, ref: Reference) -> None:
        self.call("Delete", provider.DeleteRequest(ref=messages.reference_message(ref)))

    def move(self, ref: Reference, to: Reference) -> None:
        self.call("Move", provider.MoveRequest(source=messages.reference_message(ref), destination=messages.reference_message(to)))

    def write(self, ref: Reference, body: bytes) -> None:
        facts = {"Upload-Length": str(len(body)), "Upload-Checksum": f"sha1 {hashlib.sha1(body).hexdigest()}"}
        request = provider.InitiateFileUploadRequest(ref=messages.reference_message(ref), opaque=messages.opaque_message(facts))
        ways = self.call("InitiateFileUpload", request).protocols
        if body:
            way = next(way for way in ways if way.protocol == "simple")
            httpx.put(way.upload_endpoint, content=body, headers=self._headers(way), timeout=20).raise_for_status()
        self._done(ref)

    def _done(self, ref: Reference) -> None:
        """In process no more."""
        while messages.resource(self.stat(ref)).processing:
            time.sleep(0.02)

    def read(self, ref: Reference) -> bytes:
        ways = self.call("InitiateFileDownload", provider.InitiateFileDownloadRequest(ref=messages.reference_message(ref))).protocols
        way = next(way for way in ways if way.protocol in {"simple", "spaces"})
        return httpx.get(way.download_endpoint, headers=self._headers(way), timeout=20).raise_for_status().content

    def _headers(self, way: Any) -> dict[str, str]:
        return {"X-Reva-Transfer": way.token, "X-Access-Token": self.token}


class Signed:
    """The port `Acting`: the token of the tests' user."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def credentials(self, document: str | None) -> Credentials:
        del document
        return Credentials(self._token, "", None)

    async def refused(self, credentials: Credentials) -> None:
        del credentials

    def doubted(self, document: str | None) -> None:
        del document


class OutsideReal:
    """A folder of a real cloud. Its clock cannot be moved: what waits for time to pass is about others."""

    def __init__(self, moments: Time) -> None:
        self.time = moments
        self.plain = Plain()
        around = Reference(self.plain.root()).below(f"collab-contract-{os.urandom(6).hex()}")
        self.plain.make(around)
        self.root = Reference(messages.resource_id(self.plain.stat(around).id))
        self.archive = MemoryArchive()
        self.noted = Noted(Database(None, STATE))
        self.used: list[CloudFiles] = []
        self.files = self.start()

    def start(self) -> CloudFiles:
        self.adapter = Cloud(
            Gateway(GATEWAY), Transfers(), Signed(self.plain.token), self.archive.resources, root=str(self.root.id), application="Collab"
        )
        self.folders, self.bin, files = CloudFolders(self.adapter), CloudBin(self.adapter), CloudFiles(self.adapter)
        self.claims = CloudClaims(self.adapter, self.noted)
        self.used.append(files)
        return files

    def locked(self, path: str) -> bool:
        """Whether it bears a lock of ours."""
        lock = messages.resource(self.plain.stat(self.at(path))).lock
        return lock is not None and (lock.application, lock.user) == ("Collab", "")

    def at(self, path: str) -> Reference:
        return self.root.below(*path.split("/"))

    def put(self, path: str, body: bytes) -> None:
        parts = path.split("/")
        for number in range(1, len(parts)):
            if self.plain.stat(self.root.below(*parts[:number])) is None:
                self.plain.make(self.root.below(*parts[:number]))
        self.plain.write(self.at(path), body)

    def writer(self, path: str) -> Callable[[bytes], None]:
        ref = Reference(messages.resource_id(self.plain.stat(self.at(path)).id))
        return lambda body: self.plain.write(ref, body)

    def rename(self, path: str, to: str) -> None:
        if self.plain.stat(self.at(to)) is not None:
            self.plain.delete(self.at(to))
        self.plain.move(self.at(path), self.at(to))

    def remove(self, path: str) -> None:
        self.plain.delete(self.at(path))

    clear = remove

    def body(self, path: str) -> bytes:
        return self.plain.read(self.at(path))

    def protect(self, path: str) -> None:
        pytest.skip(f"one user cannot make {path} read-only for himself in a real cloud; the tests' own cloud can")

    def restart(self) -> Files:
        self.files = self.start()
        return self.files

    async def close(self) -> None:
        for files in self.used:
            await files.close()
        self.plain.delete(self.root)
