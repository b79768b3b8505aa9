"""One socket: signing in, its documents, its peer that does not read."""

from __future__ import annotations

from runtime.stage import Stage


async def test_smoke(stage: Stage) -> None:
    stage.files.poke("notes.md", b"one\n")
    ann = await stage.guest("Ann")
    ann.type("x")
    assert ann.text == "xone\n"
