"""The editor of an office suite that tests play: a page in a frame, whose server really does WOPI for it, and which speaks as its product does."""

from __future__ import annotations

import html
import http.client
import json
import secrets
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suites import FakeSuite

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Suite</title>
<style>html, body { height: 100%; margin: 0; font: 16px sans-serif } body { display: flex; flex-direction: column }
nav { display: flex; flex-wrap: wrap; gap: 4px; padding: 4px; background: #dde } textarea { flex: 1; border: 0; padding: 1rem; font: inherit }</style>
<nav aria-label="Suite"><b id="who"></b><button id="save">Save</button><button id="share">Share</button><button id="rename">Rename</button>
<button id="copy">Save as</button><button id="close">Close</button></nav>
<textarea id="text" aria-label="Document"></textarea>
<script>
const { id, product, host, text, writes, person, hostile } = JSON.parse(__FACTS__)
const area = document.getElementById("text")
const heard = (window.heard = [])
let open = false, modified = false
area.value = text
area.readOnly = !writes
document.getElementById("who").textContent = person
const say = (MessageId, Values = {}) => parent.postMessage(JSON.stringify({ MessageId, SendTime: Date.now(), Values }), host)
const ask = async (what, body = "") => (await fetch(`/session/${id}/${what}`, { method: "POST", body })).json()
const modify = (now) => { modified = now; if (product === "collabora") say("Doc_ModifiedStatus", { Modified: now }) }
area.addEventListener("input", () => modify(true))
async function save(notify) {
  const { status, detail } = await ask("save", area.value)
  if (status === 200) modify(false)
  if (notify) say("Action_Save_Resp", { success: status === 200, errorMsg: detail })
  document.body.dataset.saved = status
}
const on = (button, act) => document.getElementById(button).addEventListener("click", act)
on("save", () => save(true))
on("share", () => say(product === "collabora" ? "UI_Share" : "UI_Sharing"))
on("rename", async () => { await ask("rename", "renamed"); say("File_Rename", { NewName: "<b>not this</b>" }) })
on("copy", () => say("UI_SaveAs", { format: "odt" }))
on("close", async () => { await ask("close"); say("UI_Close", { EverModified: true }) })
const loaded = () => {
  if (open) return
  open = true
  if (product !== "collabora") return say("App_LoadingStatus", { DocumentLoadedTime: Date.now() })
  say("App_LoadingStatus", { Status: "Frame_Ready", Features: {} })
  say("App_LoadingStatus", { Status: "Document_Loaded", DocumentLoadedTime: Date.now() })
}
addEventListener("message", ({ origin, source, data }) => {
  if (origin !== host || source !== parent) return
  const { MessageId, Values } = JSON.parse(data)
  heard.push({ MessageId, Values })
  if (MessageId === "Host_PostmessageReady") loaded()
  if (MessageId === "Reset_Access_Token") ask("token", Values.token)
  if (MessageId === "Host_RefreshSessionInfo") ask("token", Values.Tokens[0].Value)
  if (MessageId === "Action_Save") save(Values.Notify)
  if (MessageId === "Action_SaveAs") ask("copy", Values.Filename)
})
if (product === "collabora") say("App_LoadingStatus", { Status: "Initialized" })
if (hostile) {
  const frame = document.createElement("iframe")
  frame.src = hostile
  frame.height = 40
  document.body.append(frame)
}
</script>
"""
"""What somebody sees in the frame. Its words go to its own server, which does WOPI."""
HOSTILE = """<!doctype html><meta charset="utf-8"><title>Hostile</title>
<script>
for (const MessageId of ["UI_Close", "UI_Share", "UI_Sharing", "File_Rename"]) top.postMessage(JSON.stringify({ MessageId, SendTime: 1, Values: {} }), "*")
document.title = "done"
</script>
"""
"""A page of another origin inside the suite's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the WOPI host; `lock` is the one that stands."""

    status: int
    body: bytes
    lock: str


@dataclass(slots=True)
class Session:
    """One opened document."""

    source: str
    token: str
    ttl: int
    lock: str
    info: dict[str, object] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    """Those that came later."""


@dataclass(slots=True)
class SuitePage:
    """The editor while it runs. `suite` signs its requests."""

    suite: FakeSuite
    port: int = 0
    sessions: dict[str, Session] = field(default_factory=dict)
    silent: bool = False
    """It answers with a page that says nothing."""
    headers: dict[str, str] = field(default_factory=dict)
    hostile: str = ""
    """The address of a page that its own shows in a frame."""
    failing: bool = False
    """It cannot save."""

    @property
    def origin(self) -> str:
        """Another site than the server's, not only another origin."""
        return f"http://localhost:{self.port}"

    def ask(self, session: Session, path: str, method: str, override: str = "", body: bytes = b"", **headers: str) -> Answer:
        """A WOPI request, signed."""
        url = f"{session.source}{path}?access_token={quote(session.token, safe='')}"
        parts = urlsplit(url)
        more = {"X-WOPI-Override": override} if override else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = self.suite.sign(session.token, url)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as connection:
            said = {**named, **more, **signed, "Authorization": f"Bearer {session.token}"}
            connection.request(method, f"{parts.path}?{parts.query}", body or None, said)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.getheader("X-WOPI-Lock") or "")

    def open(self, query: str, form: bytes) -> str:
        """The page with the document, locked when this person may write."""
        fields = dict(parse_qsl(form.decode()))
        source = parse_qs(query)["WOPISrc"][0]
        session = Session(source, fields["access_token"], int(fields["access_token_ttl"]), secrets.token_hex(8))
        answer = self.ask(session, "", "GET")
        assert answer.status == HTTPStatus.OK, answer
        session.info = json.loads(answer.body)
        if session.info["UserCanWrite"]:
            answer = self.ask(session, "", "POST", "LOCK", X_WOPI_Lock=session.lock)
            # Somebody else in this suite has it already: they share the lock.
            session.lock = (answer.lock if answer.status == HTTPStatus.CONFLICT else "") or session.lock
        text = self.ask(session, "/contents", "GET").body.decode()
        number = secrets.token_hex(4)
        self.sessions[number] = session
        facts = {
            "id": number,
            "product": self.suite.flavour,
            "host": session.info["PostMessageOrigin"],
            "text": text,
            "writes": session.info["UserCanWrite"],
            "person": session.info["UserFriendlyName"],
            "hostile": self.hostile,
        }
        return PAGE.replace("__FACTS__", json.dumps(json.dumps(facts)).replace("<", "\\u003c"))

    def put(self, session: Session, body: bytes) -> Answer:
        """Save. Collabora tells the time of what it had read, and without it overwrites whatever there is."""
        known = {"X_COOL_WOPI_Timestamp": str(session.info["LastModifiedTime"])} if self.suite.flavour == "collabora" else {}
        answer = self.ask(session, "/contents", "POST", "PUT", body, X_WOPI_Lock=session.lock, **known)
        if answer.status == HTTPStatus.OK and answer.body:
            session.info |= json.loads(answer.body)
        return answer

    def act(self, session: Session, act: str, body: bytes) -> dict[str, object]:
        """What the page asks its server for."""
        if act == "token":
            session.token = body.decode()
            session.tokens.append(session.token)
            return {"status": 200}
        if act == "save" and self.failing:
            return {"status": 500, "detail": "the suite's disk is full"}
        answer = {
            "save": lambda: self.put(session, body),
            "close": lambda: self.ask(session, "", "POST", "UNLOCK", X_WOPI_Lock=session.lock),
            "rename": lambda: self.ask(session, "", "POST", "RENAME_FILE", X_WOPI_Lock=session.lock, X_WOPI_RequestedName=body.decode()),
            "copy": lambda: self.ask(session, "", "POST", "PUT_RELATIVE", b"a copy", X_WOPI_SuggestedTarget=body.decode()),
        }[act]()
        return {"status": answer.status, "detail": _detail(answer.body)}


def _detail(body: bytes) -> str:
    """What an answer says in words."""
    try:
        return str(json.loads(body).get("detail", ""))
    except (ValueError, AttributeError):
        return ""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    page: ClassVar[SuitePage]

    def do_GET(self) -> None:
        self._answer(200, "text/html", HOSTILE)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if path.startswith("/session/"):
            _, _, number, act = path.split("/")
            return self._answer(200, "application/json", json.dumps(self.page.act(self.page.sessions[number], act, body)))
        if self.page.silent:
            return self._answer(200, "text/html", "<!doctype html><title>Silent</title>")
        try:
            return self._answer(200, "text/html", self.page.open(query, body))
        except (AssertionError, KeyError, OSError, ValueError) as e:
            return self._answer(500, "text/html", html.escape(repr(e)))

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), **self.page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library calls it so
        pass


@contextmanager
def suite_page(suite: FakeSuite) -> Iterator[SuitePage]:
    """The editor of this suite on a port of its own, which its discovery names from now on; ended when left."""

    class Answers(_Answers):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    Answers.page = page = SuitePage(suite, server.server_port)
    suite.office = page.origin
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
