"""The page with the files, as a person uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from e2e.people import MILLISECONDS
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Person
    from playwright.async_api import Locator, Page


@dataclass(slots=True)
class Files:
    """One page with a list of documents and folders."""

    page: Page

    @classmethod
    async def of(cls, person: Person, query: str = "") -> Files:
        """The page at this query, its list loaded."""
        files = cls(await person.new_page())
        await files.page.goto(f"{person.served.url}/{query}")
        await files.loaded()
        return files

    @classmethod
    async def folder(cls, person: Person, path: str) -> Files:
        return await cls.of(person, f"?path={quote(path, safe='')}")

    @property
    def names(self) -> Locator:
        """The names in the list, in order."""
        return self.page.locator("#rows .open bdi")

    @property
    def toast(self) -> Locator:
        return self.page.locator(".toast")

    @property
    def window(self) -> Locator:
        return self.page.locator("dialog[open]")

    async def choose(self, name: str) -> None:
        """One of the window's choices, by keyboard: the window may still be moving."""
        choice = self.window.get_by_role("radio", name=name)
        await choice.press("Space")
        await expect(choice).to_be_checked()

    @property
    def message(self) -> Locator:
        return self.page.locator("#message")

    def row(self, name: str) -> Locator:
        return self.page.locator("#rows [role=row]").filter(has=self.page.locator(f'input[aria-label$=" {name}"]'))

    def open(self, name: str) -> Locator:
        """What opens the document or folder of this name."""
        return self.row(name).locator(".open")

    async def loaded(self) -> None:
        await self.page.locator('#grid[aria-busy="false"]').wait_for(state="attached")
        await self.page.locator("#me button").first.wait_for()

    async def shows(self, *names: str) -> None:
        """Until exactly these names are listed, in this order."""
        await expect(self.names).to_have_text(list(names), timeout=MILLISECONDS)

    async def menu(self, name: str, act: str) -> None:
        """Choose from the menu of a row."""
        await self.row(name).locator(".more").click()
        await self.page.get_by_role("menuitem", name=act, exact=True).click()

    async def focused(self, name: str) -> None:
        """Until the row of this name has the keyboard's focus."""
        await expect(self.open(name)).to_be_focused(timeout=MILLISECONDS)

    async def rename(self, name: str, typed: str) -> None:
        """Type another name for the row that has the focus, over the part before the extension."""
        await self.press("F2")
        await expect(self.page.get_by_label(f"New name for {name}")).to_be_focused()
        await self.page.keyboard.type(typed)
        await self.press("Enter")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)
