"""The call by which a cloud opens a file in an application (rule APP-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from cs3.app.provider.v1beta1 import provider_api_pb2 as api
from cs3.app.provider.v1beta1 import provider_api_pb2_grpc
from cs3.app.provider.v1beta1 import resources_pb2 as wire
from cs3.rpc.v1beta1.code_pb2 import Code
from cs3.storage.provider.v1beta1 import resources_pb2 as resources
from cs3.types.v1beta1 import types_pb2 as types

from collab.errors import (
    Changed,
    CollabError,
    Denied,
    Forbidden,
    Locked,
    Malformed,
    NotFound,
    NotText,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from collab.gateway.applications import Applications, Asked, Mode, Opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "the user's whole token"


class Opener:
    """Answers what the test wants."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Opening | Exception = Opening("https://docs.example/edit/a", {"access_token": "short"})

    async def __call__(self, asked: Asked) -> Opening:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
async def stub(opener: Opener) -> AsyncIterator[Any]:
    served = Applications("127.0.0.1:0", opener)
    await served.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        yield provider_api_pb2_grpc.ProviderAPIStub(channel)
    await served.close()
    await served.close()


def request(mode: int = wire.VIEW_MODE_READ_WRITE, **opaque: str) -> Any:
    info = resources.ResourceInfo(
        type=resources.RESOURCE_TYPE_FILE,
        id=resources.ResourceId(storage_id="s", space_id="p", opaque_id="o"),
        name="a.md",
        size=3,
        permission_set=resources.ResourcePermissions(stat=True, initiate_file_download=True),
    )
    told = types.Opaque(map={key: types.OpaqueEntry(decoder="plain", value=value.encode()) for key, value in opaque.items()})
    return api.OpenInAppRequest(resource_info=info, view_mode=mode, access_token=TOKEN, opaque=told)


async def test_everything_that_is_asked_arrives_and_the_token_is_not_shown(stub: Any, opener: Opener) -> None:
    answer = await stub.OpenInApp(request(lang="de"))
    assert answer.status.code == Code.Value("CODE_OK")
    assert (answer.app_url.app_url, answer.app_url.method) == ("https://docs.example/edit/a", "POST")
    assert dict(answer.app_url.form_parameters) == {"access_token": "short"}
    assert answer.app_url.target == wire.TARGET_IFRAME
    (asked,) = opener.asked
    assert (str(asked.resource.id), asked.resource.name, asked.mode, asked.language) == ("s$p!o", "a.md", Mode.READ_WRITE, "de")
    assert asked.token == TOKEN
    assert TOKEN not in repr(asked)
    assert "short" not in repr(opener.answer)
    assert (asked.resource.permissions.download, asked.resource.permissions.upload) == (True, False)


@pytest.mark.parametrize("mode", Mode)
async def test_each_view_mode_has_its_name(stub: Any, opener: Opener, mode: Mode) -> None:
    await stub.OpenInApp(request(wire.ViewMode.Value(f"VIEW_MODE_{mode}")))
    assert opener.asked[0].mode is mode


@pytest.mark.parametrize("mode", [wire.VIEW_MODE_INVALID, 77])
async def test_a_mode_that_is_none_is_refused(stub: Any, opener: Opener, mode: int) -> None:
    answer = await stub.OpenInApp(request(mode))
    assert Code.Name(answer.status.code) == "CODE_INVALID_ARGUMENT"
    assert opener.asked == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("x"), "NOT_FOUND"),
        (Denied("x"), "PERMISSION_DENIED"),
        (Forbidden("x"), "PERMISSION_DENIED"),
        (Unauthorized("x"), "UNAUTHENTICATED"),
        (Locked("x"), "LOCKED"),
        (NotText("x"), "FAILED_PRECONDITION"),
        (TooLarge("x"), "FAILED_PRECONDITION"),
        (Changed("x"), "FAILED_PRECONDITION"),
        (Malformed("x"), "INVALID_ARGUMENT"),
        (Unavailable("x"), "UNAVAILABLE"),
        (CollabError("x"), "INTERNAL"),
    ],
)
async def test_what_goes_wrong_has_a_code_and_words(stub: Any, opener: Opener, error: CollabError, code: str) -> None:
    opener.answer = error
    answer = await stub.OpenInApp(request())
    assert (Code.Name(answer.status.code), answer.status.message) == (f"CODE_{code}", "x")


async def test_a_fault_of_ours_says_nothing_of_itself(stub: Any, opener: Opener) -> None:
    opener.answer = RuntimeError(f"with {TOKEN}")
    answer = await stub.OpenInApp(request())
    assert Code.Name(answer.status.code) == "CODE_INTERNAL"
    assert TOKEN not in answer.status.message


async def test_why_it_is_for_reading_only_is_passed_on(stub: Any, opener: Opener) -> None:
    opener.answer = Opening("https://a", {}, reason="It is open: use Office to edit instead", instead="Office")
    answer = await stub.OpenInApp(request())
    assert (answer.forced_view_mode_reason, answer.app_for_edit) == ("It is open: use Office to edit instead", "Office")


async def test_an_address_that_is_taken_is_told(opener: Opener) -> None:
    first = Applications("127.0.0.1:0", opener)
    await first.start()
    with pytest.raises(Unavailable, match="cannot listen"):
        await Applications(f"127.0.0.1:{first.port}", opener).start()
    await first.close()
