"""What `collab doctor` looks at, step by step: whether the server could do its work with these settings, and what to mend where not.

Nothing is changed for long: what a step tries it takes back, and no server has to be stopped for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from collab.errors import CollabError
from collab.operations import examinations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from collab.operations.cloud import CloudExamination
    from collab.settings import Settings

PATIENCE = 30.0
"""Seconds that a step may take."""


class Verdict(StrEnum):
    """What a step found."""

    GOOD = "ok"
    WEAK = "warning"
    """It works, and something will hurt."""
    BAD = "failed"
    UNTRIED = "not tried"
    """What it needs has failed before it, or there is nothing of this kind in the settings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` says what to do, empty when there is nothing to be done."""

    step: str
    verdict: Verdict
    detail: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f"\n{'':11}{self.mend}" if self.mend else ""
        return f"{self.verdict:<10} {self.step}: {self.detail}{mend}"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is looked at. `look` gives what is good about it in words; it raises `examinations.Weak`, `examinations.Untried`, or anything else."""

    name: str
    look: Callable[[Settings], Awaitable[str]]
    mend: str
    """What to do when it fails, unless the error says better."""


Steps: TypeAlias = "Sequence[Step]"

_BEFORE: Steps = (
    Step("settings", examinations.settings, "look the names up in docs/reference/settings.md"),
    Step(
        "web client",
        examinations.client,
        "build it (`make` in a checkout), or install the package anew; or name its folder in COLLAB_CLIENT",
    ),
)
_FOLDER: Steps = (
    Step("folder", examinations.folder, "let the server's user read and write the folder of COLLAB_ROOT, on a file system of Linux"),
    Step("outside changes", examinations.watch, "raise fs.inotify.max_user_watches (sysctl), above the number of folders"),
)
_AFTER: Steps = (
    Step("state", examinations.state, "let the server's user write the folder of COLLAB_STATE, on a local disk with room on it"),
    Step("archive", examinations.archive, "see whether the database of COLLAB_ARCHIVE runs and lets us in: docs/how-to/archive.md"),
    Step("Redis", examinations.redis, "see whether the Redis of COLLAB_JOURNAL runs and lets us in: docs/how-to/several-nodes.md"),
    Step("server", examinations.server, "look into the server's log; start it with `collab serve`"),
    Step("public address", examinations.public, "look at the proxy: docs/how-to/behind-a-proxy.md"),
    Step("certificate", examinations.certificate, "renew the certificate of the proxy, with the whole chain"),
    Step("WebSocket", examinations.websocket, "let the proxy pass Upgrade and Connection on: docs/how-to/behind-a-proxy.md"),
    Step("provider", examinations.sign_in, "see COLLAB_OIDC_ISSUER, and whether the provider is reached from here: docs/how-to/sign-in.md"),
    Step("office suites", examinations.offices, "see whether the suites of COLLAB_WOPI_DISCOVERY run: docs/how-to/office-suites.md"),
    Step("way back for suites", examinations.way_back, "set COLLAB_WOPI_URL to an address at which the suites' machines reach this server"),
)
STEPS: Steps = (*_BEFORE, *_FOLDER, *_AFTER)
"""For a folder of this machine."""


def cloud_steps(cloud: CloudExamination) -> Steps:
    """For files in a cloud."""
    cs3 = "docs/how-to/cs3.md"
    return (
        *_BEFORE,
        Step("cloud", cloud.address, f"see whether COLLAB_CS3_GATEWAY is right, reached from here, and wants TLS (COLLAB_CS3_TLS): {cs3}"),
        Step(
            "cloud's sign-in",
            cloud.sign_in,
            "see whether the secret is that of the cloud's auth type `machine`, and the user is known there",
        ),
        Step("spaces", cloud.spaces, "see what COLLAB_CS3_ROOT names, and what that user may see"),
        Step("transfers", cloud.upload, "the address that the gateway gives for transfers must be reached from here, too"),
        Step("locks", cloud.lock, "let people who may write files lock them"),
        Step("metadata", cloud.metadata, f"see {cs3}"),
        Step("versions", cloud.versions, f"see {cs3}"),
        Step("applications", cloud.applications, f"start the server, and look into its log: {cs3}"),
        *_AFTER,
    )


async def examine(settings: Settings, tell: Callable[[Finding], None], steps: Steps = STEPS) -> bool:
    """Take all steps, in order, and tell each as it ends. False when one has failed."""
    good = True
    for step in steps:
        finding = await _take(step, settings)
        good = good and finding.verdict is not Verdict.BAD
        tell(finding)
    return good


async def _take(step: Step, settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return Finding(step.name, Verdict.GOOD, await step.look(settings))
    except examinations.Untried as error:
        return Finding(step.name, Verdict.UNTRIED, str(error))
    except examinations.Weak as error:
        return Finding(step.name, Verdict.WEAK, str(error), error.mend or step.mend)
    except CollabError as error:
        return Finding(step.name, Verdict.BAD, " ".join(error.detail.split()), step.mend)
    except TimeoutError:
        return Finding(step.name, Verdict.BAD, f"there was no end in {PATIENCE:.0f} s", step.mend)
    except OSError as error:
        return Finding(step.name, Verdict.BAD, error.strerror or str(error), step.mend)


def run(settings: Settings, user: str, say: Callable[[str], None]) -> int:
    """The whole examination, a line or two for each step; the exit status is 1 when something has failed. `user`: in whose name a cloud is tried."""
    # What a step leaves behind is in the state, where others of this user look too.
    with contextlib.suppress(OSError):
        os.umask(0o077)
    return 0 if asyncio.run(_examined(settings, user, lambda finding: say(str(finding)))) else 1


async def _examined(settings: Settings, user: str, tell: Callable[[Finding], None]) -> bool:
    if settings.storage != "cs3":
        return await examine(settings, tell)
    try:
        # Nobody else needs the extra.
        from collab.operations.cloud import CloudExamination  # noqa: PLC0415
    except ModuleNotFoundError as error:
        tell(Finding("cloud", Verdict.BAD, f"a library is not installed ({error.name})", "pip install 'collab[cs3]'"))
        return False
    cloud = CloudExamination(settings, user or settings.cs3_user)
    try:
        return await examine(settings, tell, cloud_steps(cloud))
    finally:
        await cloud.close()
