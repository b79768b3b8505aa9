"""How long a document takes to open on a slow phone: `python tests/bench/opening.py --client before=FOLDER --client now=FOLDER`.

Each client is a folder with a built web client. They take turns, each time with a new profile (nothing cached), in a Chromium that is
slowed down: the network as a slow 4G connection (1.6 Mbit/s down, 0.75 up, a round trip of 150 ms, and 562 ms as developer tools count it), the
processor four times. A table in Markdown is printed: first contentful paint, the moment at which one can type, bytes over the network.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.people import FLAGS, chromium, invitation  # the folder of the tests is no package
from serving import Served, serving

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

DOWN, UP = 1_638_400 / 8, 750 * 1024 / 8
"""Bytes a second."""
SLOWER = 4
PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
TYPING = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('.cm-content[contenteditable="true"]')) return
  window.canType = performance.now()
  observer.disconnect()
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['contenteditable'] })
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True, slots=True)
class Opening:
    """One page load: milliseconds since the navigation began, and bytes as they came over the network until one could type."""

    paint: float
    typing: float
    received: int


async def opened(page: Page, url: str, latency: float) -> Opening:
    """Open the address on a slow phone until one can type."""
    session = await page.context.new_cdp_session(page)
    received = 0

    def count(event: dict[str, Any]) -> None:
        nonlocal received
        received += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": latency, "downloadThroughput": DOWN, "uploadThroughput": UP}
    await session.send("Network.emulateNetworkConditions", conditions)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await page.add_init_script(TYPING)
    await page.goto(url, wait_until="commit")
    await page.locator('.cm-content[contenteditable="true"]').wait_for(timeout=60_000)
    return Opening(await page.evaluate(PAINT), await page.evaluate("window.canType"), received)


async def measured(browser: Browser, served: Served, latency: float) -> Opening:
    """A new profile signs in and opens the document."""
    context = await browser.new_context(**PHONE)  # type: ignore[arg-type]  # the settings have several types
    secret = invitation(served, "Ann", "editor").partition("#")[2]
    await context.request.post(served.url + "/api/session", data={"secret": secret}, headers={"Origin": served.url})
    try:
        return await opened(await context.new_page(), f"{served.url}/edit/paper.md", latency)
    finally:
        await context.close()


def paper(size: int) -> str:
    """A Markdown document of about so many characters."""
    part = "## Section {n}\n\nA paragraph with *emphasis*, a [link](other.md) and `code`, long enough to be wrapped on a phone.\n\n- one\n- two\n\n"
    return "# A paper\n\n" + "".join(part.format(n=n) for n in range(size // len(part)))


def row(name: str, latency: float, runs: list[Opening]) -> str:
    """Medians, and the slowest run."""
    paint, typing = [run.paint for run in runs], [run.typing for run in runs]
    received = statistics.median(run.received for run in runs) / 1000
    return (
        f"| {name} | {latency:.0f} | {statistics.median(paint) / 1000:.2f} ({max(paint) / 1000:.2f}) "
        f"| {statistics.median(typing) / 1000:.2f} ({max(typing) / 1000:.2f}) | {received:.0f} |"
    )


async def run(clients: dict[str, Path], rounds: int) -> None:
    """Measure all clients in turn and print the table."""
    results: dict[tuple[str, float], list[Opening]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for _ in range(rounds):
            for name, folder in clients.items():
                with tempfile.TemporaryDirectory() as place, serving(Path(place), COLLAB_CLIENT=str(folder)) as served:
                    served.write("paper.md", paper(20_000))
                    for latency in (150.0, 562.5):
                        results.setdefault((name, latency), []).append(await measured(browser, served, latency))
        await browser.close()
    print("| client | round trip, ms | first contentful paint, s (slowest) | typing, s (slowest) | kB received |\n|---|---|---|---|---|")
    for (name, latency), runs in results.items():
        print(row(name, latency, runs))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--client", action="append", default=[], metavar="NAME=FOLDER", help="a built web client; may be given several times"
    )
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    built = Path(__file__).resolve().parents[2] / "collab" / "web" / "client"
    clients = {name: Path(folder) for name, _, folder in (each.partition("=") for each in arguments.client)} or {"now": built}
    asyncio.run(run(clients, arguments.rounds))


if __name__ == "__main__":
    main()
