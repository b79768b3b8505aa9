/** The editor page: one document, who is here, and what has become of my words. */

import { content, contentAddress, editAddress, lease, Problem, session } from "./api.ts";
import { Connection } from "./connection.ts";
import { element, part } from "./dom.ts";
import { fileName, folderOf, nameIn } from "./names.ts";
import { note, unnote, type Act } from "./notes.ts";
import { address, base, nonce, version } from "./page.ts";
import { initials, inkOn, personIn, present, type Person } from "./people.ts";
import { inFrame, refusal, type Remedy } from "./refusals.ts";
import { timeOfDay } from "./show.ts";
import { TextEditor, plain } from "./text.ts";
import { step, tabMemory } from "./versions.ts";
import { atRisk, words, type Facts } from "./words.ts";

/** Milliseconds for which a state must last before it is read aloud. */
const SETTLED = 1500;

class EditPage {
  private readonly connection: Connection;
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
    this.connection.awareness.on("change", () => this.showPeople());
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
    if (!facts.readOnly && matchMedia("(hover: hover)").matches) this.editor.view.focus();
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
    if (this.editor !== null) this.editor.readOnly = readOnly || this.frozen;
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
    document.title = `${fileName(name) || "Document"} · collab`;
  }

  private showPeople(): void {
    const { awareness } = this.connection;
    const people = present(awareness.getStates(), awareness.clientID);
    const me = personIn(awareness.getLocalState())?.id;
    part("people").replaceChildren(...people.map((person) => picture(person, person.id === me)));
  }

  private renamed(path: string): void {
    this.path = path;
    this.showTitle();
    if (!this.name.startsWith("id:") && lease === null) history.replaceState(null, "", editAddress(path));
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

function picture(person: Person, mine: boolean): HTMLLIElement {
  const label = mine ? `${person.name} (you)` : person.name;
  const face = element("span", { class: "face", "aria-hidden": "true" }, initials(person.name));
  face.style.setProperty("--who", person.color);
  face.style.setProperty("--ink", inkOn(person.color));
  return element("li", { title: label, "data-name": person.name }, face, element("bdi", { class: "name" }, label));
}

function start(): void {
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

start();
