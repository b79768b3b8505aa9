/** The editor page: one document, who is here, and what has become of my words. */

import { content, contentAddress, editAddress, lease, Problem, session } from "../base/api.ts";
import { Connection } from "../words/connection.ts";
import { element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { begin } from "../base/start.ts";
import type { Desk } from "../editor/desk.ts";
import { isProse } from "../editor/languages.ts";
import { Menu } from "../editor/menu.ts";
import { Modes } from "../editor/modes.ts";
import { statusLine } from "../editor/status.ts";
import { toolbar } from "../editor/toolbar.ts";
import { fileName, folderOf, nameIn } from "../base/names.ts";
import { note, unnote, type Act } from "../base/notes.ts";
import { address, base, nonce, version } from "../base/page.ts";
import { peopleBar } from "../people/bar.ts";
import { inFrame, refusal, type Remedy } from "../words/refusals.ts";
import { timeOfDay } from "../base/show.ts";
import { TextEditor, plain } from "../editor/text.ts";
import { step, tabMemory } from "../words/versions.ts";
import { atRisk, words, type Facts } from "../words/words.ts";

/** Milliseconds for which a state must last before it is read aloud. */
const SETTLED = 1500;

class EditPage {
  private readonly connection: Connection;
  private readonly documentWatchers = new Set<() => void>();
  private editor: TextEditor | null = null;
  private frozen = false;
  /** Whoever signs in now may be somebody else. */
  private stranger = false;
  private path: string;
  private speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly name: string) {
    this.path = name;
    this.showTitle();
    const watcher = {
      changed: (facts: Readonly<Facts>) => this.changed(facts),
      opened: () => this.open(),
      refused: (reason: string) => this.refused(reason),
      admitted: () => {
        if (this.stranger) void this.introduce();
        if (unnote("refusal")) this.editor?.view.focus();
      },
    };
    this.connection = new Connection(address.collaboration(), name, version, watcher, lease?.token);
    // The list of files is not shown in frames.
    part("back").hidden = lease !== null;
    peopleBar(part("people"), this.connection.awareness);
    part("back").append(icon("back"));
    addEventListener("online", () => this.connection.hurry());
    addEventListener("beforeunload", (event) => {
      if (atRisk(this.connection.facts)) event.preventDefault();
    });
  }

  /** For the console and for tests. */
  get inside(): object {
    const { provider, text } = this.connection;
    return { provider, text, view: this.editor?.view ?? null };
  }

  /** Sign our carets; the server puts the name in anyway. */
  async introduce(): Promise<void> {
    try {
      const { id, name, color, version: server } = await session();
      this.stranger = false;
      this.connection.awareness.setLocalStateField("user", { id, name, color });
      this.compare(server);
    } catch (problem) {
      // Without a session the connection is refused, and says so.
      if (!(problem instanceof Problem)) throw problem;
    }
  }

  private changed(facts: Readonly<Facts>): void {
    this.showWords(facts);
    this.showAccess(facts);
    this.showLoss(facts);
    if (facts.report === null) return;
    if (facts.report.path !== "" && facts.report.path !== this.path) this.renamed(facts.report.path);
    this.compare(facts.report.version);
  }

  private open(): void {
    const { text, awareness, facts } = this.connection;
    const parent = part("editor");
    this.editor = new TextEditor(parent, { text, awareness, fileName: fileName(this.path), nonce, readOnly: facts.readOnly });
    parent.setAttribute("aria-busy", "false");
    const desk = this.desk(this.editor);
    toolbar(part("tools"), desk);
    if (isProse(fileName(this.path))) statusLine(part("status"), desk);
    const modes = Modes.for(desk);
    new Menu(desk, modes, () => this.act("download"));
    if (!facts.readOnly && modes.mode !== "preview" && matchMedia("(hover: hover)").matches) this.editor.view.focus();
  }

  private desk({ view, undo, watch }: TextEditor): Desk {
    const { connection, documentWatchers } = this;
    const path = (): string => this.path;
    return {
      view,
      undo,
      text: connection.text,
      awareness: connection.awareness,
      get path() {
        return path();
      },
      get readOnly() {
        return view.state.readOnly;
      },
      watch,
      watchDocument: (listener) => {
        documentWatchers.add(listener);
        return () => documentWatchers.delete(listener);
      },
    };
  }

  private documentChanged(): void {
    for (const listener of this.documentWatchers) listener();
  }

  private showWords(facts: Readonly<Facts>): void {
    const { state, text } = words(facts, timeOfDay);
    part("words").dataset["state"] = state;
    part("words").title = text;
    if (part("words-seen").textContent === text) return;
    part("words-seen").textContent = text;
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => (part("words-said").textContent = text), SETTLED);
  }

  private showAccess({ readOnly }: Readonly<Facts>): void {
    part("read-only").hidden = !readOnly;
    if (this.editor === null || this.editor.view.state.readOnly === (readOnly || this.frozen)) return;
    this.editor.readOnly = readOnly || this.frozen;
    this.documentChanged();
  }

  private showLoss({ refused }: Readonly<Facts>): void {
    if (!refused) return void unnote("loss");
    const text = "The server did not take your last changes: your rights may have changed. They are only on this page.";
    note("loss", { text, acts: [this.act("copy"), this.act("reload")], kind: "grave" });
  }

  private showTitle(): void {
    const name = this.path.startsWith("id:") ? "" : this.path;
    part("title").replaceChildren(element("bdi", {}, fileName(name)));
    part("title").title = name;
    part("back").setAttribute("href", address.files(folderOf(name)));
    document.title = `${fileName(name) || t("common.document")} · collab`;
  }

  private renamed(path: string): void {
    this.path = path;
    this.showTitle();
    if (!this.name.startsWith("id:") && lease === null) history.replaceState(null, "", editAddress(path));
    this.documentChanged();
  }

  private compare(server: string): void {
    const { facts } = this.connection;
    const busy = facts.link !== "open" || facts.unsynced > 0 || atRisk(facts);
    const next = step(version, server, busy, tabMemory());
    if (next === "reload") this.reload();
    if (next === "tell") {
      const text = `The server is now version ${server}, this page is ${version}.`;
      note("version", { text, acts: [{ label: "Reload", act: () => this.again() }] });
    }
  }

  private reload(): void {
    this.freeze();
    this.again();
  }

  private again(): void {
    if (lease === null) location.reload();
    else reopen(editAddress(this.path), lease.token());
  }

  private freeze(): void {
    this.frozen = true;
    if (this.editor !== null) this.editor.readOnly = true;
    this.documentChanged();
  }

  private refused(reason: string): void {
    const plainly = refusal(reason);
    if (plainly === null) return;
    this.stranger ||= reason === "unauthorized";
    const said = lease === null ? plainly : inFrame(reason, plainly);
    // What can't be joined any more shall not grow either.
    if (!said.remedies.includes("retry")) this.freeze();
    part("editor").setAttribute("aria-busy", "false");
    const acts = said.remedies.filter((remedy) => remedy !== "copy" || this.editor !== null).map((remedy) => this.act(remedy));
    note("refusal", { ...said, acts, kind: "grave" });
  }

  private act(remedy: Remedy): Act {
    const acts: Readonly<Record<Remedy, Act>> = {
      "sign-in": { label: "Sign in", act: address.login() },
      retry: { label: "Try again", act: () => this.connection.retry() },
      files: { label: "All files", act: address.files(folderOf(this.path)) },
      download: this.download(),
      copy: { label: "Save a copy of my text", act: () => this.saveCopy() },
      reload: { label: "Reload", act: () => this.again() },
    };
    return acts[remedy];
  }

  private download(): Act {
    const label = "Download the file";
    if (lease === null) return { label, act: contentAddress(this.name), download: fileName(this.path) };
    const failed = (problem: unknown): void => note("download", { text: problem instanceof Problem ? problem.message : String(problem) });
    return { label, act: () => void content(this.name).then((bytes) => this.save(bytes), failed) };
  }

  private saveCopy(): void {
    this.save(new Blob([plain(this.connection.text)], { type: "text/plain;charset=utf-8" }));
  }

  private save(bytes: Blob): void {
    const url = URL.createObjectURL(bytes);
    element("a", { href: url, download: fileName(this.path) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

/** Load the page again in its frame: a form with its token, as the site around it sent one. */
function reopen(action: string, token: string): void {
  const form = element("form", { method: "post", action, hidden: true }, element("input", { type: "hidden", name: "token", value: token }));
  document.body.append(form);
  form.submit();
}

async function start(): Promise<void> {
  await begin();
  const name = nameIn(location.pathname, base);
  if (name === null) {
    const acts = [{ label: "All files", act: address.files() }];
    const text = "It may have been cut off when it was copied.";
    return note("refusal", { title: "This address names no document", text, acts, kind: "grave" });
  }
  const page = new EditPage(name);
  void page.introduce();
  Object.defineProperty(window, "collab", { get: () => page.inside });
}

void start();
