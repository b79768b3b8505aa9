"""People who come to a server by what was shared with them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from standing import SECRET

from collab.access import Grant, Person, Role, Share, sign, subject
from collab.archive.store import Archive
from collab.ports import Member, SignIn

if TYPE_CHECKING:
    import httpx
    from serving import Served
    from standing import Site

    from collab.access import Kind


async def came(
    site: Site, name: str, *, kind: str = "account", most: Role = Role.OWNER, groups: tuple[str, ...] = (), links: tuple[str, ...] = ()
) -> httpx.AsyncClient:
    """Somebody with a session that has a record; the person's id is `account:` and the name in small letters."""
    return site.client(await token_of(site, name, kind=kind, most=most, groups=groups, links=links))


async def token_of(
    site: Site, name: str, *, kind: str = "account", most: Role = Role.OWNER, groups: tuple[str, ...] = (), links: tuple[str, ...] = ()
) -> str:
    now, session = site.time[0], os.urandom(8).hex()
    person = Person(f"{kind}:{name.lower()}", name)
    await site.archive.sign_ins.add(SignIn(session, person.id, name, kind, now, now, now + 3600, groups, links))
    if kind != "guest":
        await site.archive.members.put(Member(person.id, kind, name, name.lower(), groups, now))
    return sign(Grant(person, most, expires=now + 3600, id=session, shared=True), SECRET, now=now)


async def share(site: Site, target: str, kind: Kind, name: str, role: Role, *, expires: float | None = None, folder: str = "") -> Share:
    """As the operator gives it beside the server: `target` is a path of a document or a folder."""
    stat = await site.files.stat(target)
    if stat.folder and stat.path and not folder:
        (folder,) = await site.folders.identify([stat.path])
    given = Share(os.urandom(8).hex(), stat.id or stat.path, subject(kind, name), role, site.time[0], "", expires, folder)
    return await site.archive.shares.add(given)


async def guest_token(served: Served, link: str, name: str = "Gil") -> str:
    """Of somebody new who opened this link of a server that runs, as if they had sent the form: a token for clients that know no cookies."""
    now, session, person = time.time(), os.urandom(8).hex(), Person(f"guest:{name.lower()}", name)
    archive = Archive(f"sqlite:///{served.state / 'archive.sqlite'}")
    await archive.sign_ins.add(SignIn(session, person.id, name, "guest", now, now, now + 3600, (), (link,)))
    await archive.close()
    return sign(Grant(person, Role.EDITOR, expires=now + 3600, id=session, shared=True), served.secret(), now=now)
