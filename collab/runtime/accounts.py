"""Signing in with an account: one question, one answer, and the same time for each wrong one."""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from collab.errors import Forbidden, Malformed, NotFound, Unauthorized
from collab.runtime.throttle import Throttle, caller
from collab.state.passwords import checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import Account, Accounts, Members
    from collab.state.passwords import Passwords

LOGIN: Final = 60
"""Characters of an account's name."""
FREE: Final = 10
"""Wrong passwords in a row, from one address or for one account, before anybody has to wait."""
KNOWN: Final = 5000
"""Pairs of account and address from which somebody signed in, that are remembered."""
WRONG: Final = "the account or the password is wrong"
NOT_THIS: Final = "this is not the password that you sign in with now"


def login_of(text: str) -> str:
    """An account's name as it is kept: in small letters. `Malformed` unless it has 1 to 60 letters, digits and `. _ - @ +`."""
    login = unicodedata.normalize("NFKC", text.strip()).casefold()
    if not 1 <= len(login) <= LOGIN or not all(each.isalnum() or each in "._-@+" for each in login):
        raise Malformed(f"an account's name has 1 to {LOGIN} letters, digits, and . _ - @ +")
    return login


class Entrance:
    """Where people with accounts come in. `now` gives UTC seconds since the epoch, `clock` monotonic seconds."""

    def __init__(
        self, accounts: Accounts, members: Members, passwords: Passwords, *, now: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self.accounts = accounts
        self.members = members
        self._passwords = passwords
        self._now = now
        self._by_address = Throttle(clock, free=FREE)
        self._by_account = Throttle(clock, free=FREE)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def sign_in(self, name: str, password: str, address: str) -> Account:
        """The account of that name and password. `Unauthorized`, in the same words and time whatever was wrong; `Waiting`; `Unavailable`."""
        at = caller(address)
        self._by_address.take(at)
        try:
            login = login_of(name)
        except Malformed:
            login = ""
        # Whoever signed in from there before is not held up by others who guess.
        if (login, at) not in self._known:
            self._by_account.take(login)
        account = await self.accounts.find(login) if login else None
        kept = account.password if account is not None and account.disabled is None else ""
        if not await self._passwords.fits(password, kept) or account is None:
            raise Unauthorized(WRONG)
        self._by_address.undo(at)
        self._by_account.clear(login)
        self._remember(login, at)
        await self._renew(account, password)
        return account

    async def change_password(self, person: str, password: str, new: str, address: str) -> None:
        """Another password for the account of this person, who knows the one that counts. `Forbidden` when not; `Malformed`: the new one is none;
        `Waiting`; `Unavailable`.
        """
        checked(new)
        member = await self.members.get(person)
        try:
            account = await self.sign_in("" if member is None else member.login, password, address)
        except Unauthorized as error:
            raise Forbidden(NOT_THIS) from error
        kept = await self._passwords.encoded(new)
        # Its hash may have been made anew just now.
        before = await self.accounts.find(account.login)
        if account.person == person and before is not None and await self.still(account):
            await self.accounts.set_password(account.login, kept, self._now(), before=before.password)
        now = await self.accounts.find(account.login)
        if now is None or now.password != kept:
            raise Forbidden("the account was changed just now: sign in again")

    async def still(self, account: Account) -> bool:
        """Whether what was true of the account when it was looked at is still true: it may sign in, by the same password, in the same groups."""
        now = await self.accounts.find(account.login)
        if now is None or now.disabled is not None:
            return False
        return (now.person, now.changed, now.groups) == (account.person, account.changed, account.groups)

    async def _renew(self, account: Account, password: str) -> None:
        await self.members.see(account.person, self._now())
        if self._passwords.outdated(account.password):
            kept = await self._passwords.encoded(password)
            # The time of the change stays: it is the same password. An account that is gone by now is found out behind this.
            with suppress(NotFound):
                await self.accounts.set_password(account.login, kept, account.changed, before=account.password)

    def _remember(self, login: str, at: str) -> None:
        self._known[login, at] = None
        self._known.move_to_end((login, at))
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
