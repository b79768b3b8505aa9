"""Every code that a gateway can answer is one of our errors."""

from __future__ import annotations

import grpc
import pytest
from cs3.rpc.v1beta1.code_pb2 import Code

from collab.errors import (
    Changed,
    CollabError,
    Denied,
    Exists,
    Forbidden,
    Full,
    Locked,
    Malformed,
    NotFound,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from collab.gateway.codes import ERRORS, HTTP_ERRORS, LOCK_ERRORS, refusal, transfer_refusal

CS3 = [name.removeprefix("CODE_") for name, _ in Code.items() if name != "CODE_OK"]
GRPC = [code.name for code in grpc.StatusCode if code.name != "OK"]


def test_the_table_has_each_code_of_cs3_and_grpc_and_no_other() -> None:
    """CS3-1."""
    assert set(ERRORS) == set(CS3) | set(GRPC)
    assert set(LOCK_ERRORS) <= set(ERRORS)


@pytest.mark.parametrize("lock", [False, True])
@pytest.mark.parametrize("code", sorted({*CS3, *GRPC, "CODE_OF_LATER"}))
def test_each_code_is_an_error_that_says_what_it_is_about(code: str, *, lock: bool) -> None:
    """CS3-1."""
    error = refusal(code, "work/a.md", "the server's own words", lock=lock)

    assert isinstance(error, CollabError)
    assert error.detail.endswith("work/a.md")
    # What the storage cannot tell is tried again; what is said of a known fact are our words, not the server's.
    assert ("own words" in error.detail) is (type(error) is Unavailable)


EXPECTED = {
    **dict.fromkeys(("NOT_FOUND",), NotFound),
    **dict.fromkeys(("PERMISSION_DENIED",), Denied),
    **dict.fromkeys(("UNAUTHENTICATED",), Unauthorized),
    **dict.fromkeys(("INVALID_ARGUMENT", "OUT_OF_RANGE"), Malformed),
    **dict.fromkeys(("ALREADY_EXISTS",), Exists),
    **dict.fromkeys(("FAILED_PRECONDITION", "ABORTED"), Changed),
    **dict.fromkeys(("LOCKED",), Locked),
    **dict.fromkeys(("INSUFFICIENT_STORAGE",), Full),
    **dict.fromkeys(("UNIMPLEMENTED",), Unsupported),
}


@pytest.mark.parametrize("code", sorted({*CS3, *GRPC}))
def test_only_what_is_told_for_sure_is_more_than_a_storage_that_is_away(code: str) -> None:
    """CS3-1."""
    assert type(refusal(code, "a.md")) is EXPECTED.get(code, Unavailable)


@pytest.mark.parametrize("status", range(300, 600))
def test_each_status_of_a_transfer_is_an_error(status: int) -> None:
    """CS3-1."""
    error = transfer_refusal(status, "a.md")

    assert isinstance(error, HTTP_ERRORS[status][0] if status in HTTP_ERRORS else Unavailable)
    assert error.detail.endswith("a.md")


def test_a_feature_that_is_missing_is_no_reason_to_try_again() -> None:
    assert refusal("UNIMPLEMENTED", "").final
    assert isinstance(refusal("UNIMPLEMENTED", ""), Forbidden)
    assert refusal("UNIMPLEMENTED", "").detail == "the storage cannot do this"
