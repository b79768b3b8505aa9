/** The editor page: one document, who is here, and what has become of my words. */

import type { Text } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { content, contentAddress, editAddress, find, lease, Problem, session, type Item } from "../base/api.ts";
import { followAuthors } from "../authors/follow.ts";
import { Connection } from "../words/connection.ts";
import { element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { begin } from "../base/start.ts";
import { keepIn, viewOnly } from "../base/viewing.ts";
import type { Desk } from "../editor/desk.ts";
import { Menu } from "../editor/menu.ts";
import { Modes } from "../editor/modes.ts";
import { keyboardSpace, pageKeys } from "../editor/regions.ts";
import { star } from "../editor/star.ts";
import { statusLine } from "../editor/status.ts";
import { toolbar } from "../editor/toolbar.ts";
import { textWays, type Ways } from "../editor/ways.ts";
import { fileName, folderOf, nameIn } from "../base/names.ts";
import { note, type Act } from "../base/notes.ts";
import { address, base, nonce, version } from "../base/page.ts";
import { post } from "../base/posted.ts";
import { peopleBar, type PeopleBar } from "../people/bar.ts";
import { Self } from "../people/self.ts";
import { TextEditor } from "../editor/text.ts";
import { isNotebook } from "../editor/languages.ts";
import type { NotebookPage } from "../notebook/page.ts";
import { historyDoor } from "../history/door.ts";
import type { Place as Past } from "../history/place.ts";
import { step, tabMemory } from "../words/versions.ts";
import { Account, type Page } from "../words/account.ts";
import { isCells, wholeOf } from "../words/contents.ts";
import type { Place } from "../words/earlier.ts";
import { Opening } from "../words/opening.ts";
import type { Notice } from "../words/notices.ts";
import { saveAs } from "../words/outcomes.ts";
import { atRisk, type Facts } from "../words/words.ts";

/** Milliseconds between two looks whether somebody still types outside of the text. */
const LOOK = 5000;

class EditPage {
  private readonly connection: Connection;
  private readonly people: PeopleBar;
  private readonly self: Self;
  private readonly account: Account;
  private readonly opening: Opening;
  private readonly documentWatchers = new Set<() => void>();
  private readonly saveWatchers = new Set<(saved: boolean) => void>();
  /** When the file was written last, null while it is behind. */
  private saved: string | null = null;
  private editor: TextEditor | null = null;
  private modes: Modes | null = null;
  private notebook: NotebookPage | null = null;
  private frozen = false;
  private introduced = false;
  /** The document is here, its name is not. */
  private unopened = false;
  /** The page loads anew when nothing is typed outside of the text any more. */
  private ended: ReturnType<typeof setTimeout> | undefined;
  private path: string;
  private folder = "";

  constructor(private readonly name: string) {
    this.path = name;
    this.showTitle();
    const watcher = {
      changed: (facts: Readonly<Facts>) => this.changed(facts),
      opened: () => this.openWhenNamed(),
      refused: (reason: string) => this.refused(reason),
      admitted: () => this.admitted(),
      made: (update: Uint8Array) => this.account.made(update),
      stored: () => this.account.stored(),
      noticed: (notice: Notice) => this.account.noticed(notice),
    };
    this.opening = new Opening(part("editor"), name);
    this.connection = new Connection(address.collaboration(), name, version, watcher, lease?.token);
    this.account = new Account(this.connection, this.page());
    // In frames the way to the files is there when they may be seen.
    part("back").hidden = lease !== null;
    if (lease !== null) part("back").addEventListener("click", (event) => this.toFiles(event));
    this.self = new Self(this.connection.awareness);
    this.people = peopleBar(part("people"), this.connection.awareness, () => this.connection.facts.link === "open");
    part("back").append(icon("back"));
    if (viewOnly) {
      part("read-only").textContent = t("editor.viewOnly");
      part("read-only").title = t("editor.viewOnly.text");
    }
  }

  /** For the console and for tests. */
  get inside(): object {
    const { provider, text } = this.connection;
    return { provider, text, view: this.editor?.view ?? this.notebook?.view ?? null, notebook: this.notebook };
  }

  /** Who wrote what is here, as a table. */
  async authors(): Promise<void> {
    const { showAuthors } = await import("../authors/table.ts");
    showAuthors({ path: this.path, awareness: this.connection.awareness, colors: this.editor !== null });
  }

  /** Who else may read and write this. */
  async share(): Promise<void> {
    const { showSharing } = await import("../sharing/dialog.ts");
    showSharing({ name: this.path, title: fileName(this.path), here: this.connection.awareness });
  }

  /** Sign our carets; the server puts the name in anyway. */
  async introduce(): Promise<void> {
    try {
      const me = await session();
      const { id, name, color, version: server } = me;
      this.around(me.folder);
      this.account.belongs(me);
      this.introduced = true;
      this.self.introduce({ id, name, color });
      this.compare(server);
    } catch (problem) {
      // Without a session the connection is refused, and says so.
      if (!(problem instanceof Problem)) throw problem;
    }
  }

  /** Where the folder is that somebody from a cloud may go on in; none in all other frames. */
  private around(folder: string | undefined): void {
    if (lease === null || folder === undefined) return;
    this.folder = folder;
    part("back").hidden = false;
    this.showTitle();
  }

  private toFiles(event: Event): void {
    event.preventDefault();
    post(address.files(this.folder));
  }

  /** The person has another name: the server knows it from the next connection on. */
  named(): void {
    void this.introduce();
    this.connection.anew();
  }

  private changed(facts: Readonly<Facts>): void {
    this.account.changed(facts);
    this.showAccess(facts);
    this.showSaves(facts);
    if (facts.report === null) return;
    if (facts.report.path !== "" && facts.report.path !== this.path) this.renamed(facts.report.path);
    if (this.unopened && !this.path.startsWith("id:")) {
      this.unopened = false;
      this.open();
    }
    this.compare(facts.report.version);
  }

  /** What kind of document it is stands in its path: who came by an id waits for that. */
  private openWhenNamed(): void {
    if (this.path.startsWith("id:")) this.unopened = true;
    else this.open();
  }

  private open(): void {
    if (isCells(this.connection.document)) void this.openCells();
    else this.openText();
  }

  /** A notebook's page is loaded when there is one to show. */
  private async openCells(): Promise<void> {
    const loaded = await import("../notebook/page.ts").catch(() => null);
    this.opening.end();
    if (loaded === null) return note("preview", { text: t("notebook.failed"), acts: [{ label: t("common.retry"), act: () => this.again() }], kind: "grave" });
    const { document, awareness } = this.connection;
    const [path, readOnly] = [(): string => this.path, (): boolean => this.connection.facts.readOnly || this.frozen];
    const notebook = new loaded.NotebookPage(part("editor"), {
      document,
      awareness,
      nonce,
      get path() {
        return path();
      },
      get readOnly() {
        return readOnly();
      },
    });
    this.notebook = notebook;
    this.account.open();
    this.people.open(async (crowd) => notebook.places(crowd));
    this.furnish(notebook.ways);
    if (matchMedia("(hover: hover)").matches) notebook.focus();
  }

  private openText(): void {
    const { text, awareness, facts } = this.connection;
    const parent = part("editor");
    this.editor = new TextEditor(parent, { text, awareness, fileName: fileName(this.path), nonce, readOnly: facts.readOnly });
    this.opening.end();
    this.account.open();
    const desk = this.desk(this.editor);
    toolbar(part("tools"), desk);
    statusLine(part("status"), desk);
    const modes = Modes.for(desk);
    if (isNotebook(this.path)) note("notebook", { text: t("notebook.asText") });
    this.people.open(async (crowd) => (await import("../people/textplaces.ts")).textPlaces(desk, modes, crowd));
    this.modes = modes;
    followAuthors(desk);
    this.furnish(textWays(desk, modes));
    const line = /^#L(\d+)$/.exec(location.hash)?.[1];
    if (line !== undefined) return this.show(lineStart(this.editor.view.state.doc, Number(line)));
    if (!facts.readOnly && modes.mode !== "preview" && matchMedia("(hover: hover)").matches) this.editor.view.focus();
  }

  /** What every kind of document has around it. */
  private furnish(ways: Ways): void {
    pageKeys(ways);
    keyboardSpace(ways);
    // In a frame of another site there is no list of files in which a star would be seen.
    if (lease === null) star(part("star"), this.name).then((item) => tellHeld(item), () => undefined);
    const share = part("share");
    share.append(icon("share"), t("sharing.button"));
    share.hidden = this.connection.facts.readOnly;
    share.addEventListener("click", () => void this.share());
    new Menu(ways, () => this.download(), () => this.connection.facts.readOnly);
    if (!viewOnly) historyDoor(this.inHistory());
    addEventListener("collab-about", () => void this.about());
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

  /** What is said about the document. */
  private async about(): Promise<void> {
    const { showAbout } = await import("../about/window.ts");
    const { facts } = this.connection;
    showAbout({ document: facts.report?.id ?? this.name, name: fileName(this.path), readOnly: facts.readOnly });
  }

  /** What the history needs of this page. */
  private inHistory(): Past {
    const { connection, name, saveWatchers, documentWatchers } = this;
    const path = (): string => this.path;
    return {
      get document() {
        return connection.facts.report?.id ?? name;
      },
      get path() {
        return path();
      },
      get readOnly() {
        return connection.facts.readOnly;
      },
      watch: (listener) => {
        const edited = (): void => listener(false);
        connection.document.on("update", edited);
        saveWatchers.add(listener);
        documentWatchers.add(edited);
        return () => {
          connection.document.off("update", edited);
          saveWatchers.delete(listener);
          documentWatchers.delete(edited);
        };
      },
      focus: () => (this.notebook ?? this.editor?.view)?.focus(),
    };
  }

  /** Tell who watches when the file was written. */
  private showSaves({ report }: Readonly<Facts>): void {
    const saved = report?.file === "saved" ? (report.savedAt ?? "") : null;
    if (saved === this.saved) return;
    this.saved = saved;
    if (saved !== null) for (const listener of this.saveWatchers) listener(true);
  }

  private documentChanged(): void {
    for (const listener of this.documentWatchers) listener();
    this.notebook?.permit();
  }

  private showAccess({ readOnly }: Readonly<Facts>): void {
    const tag = part("read-only");
    // The same again would cost a frame, with each key.
    if (tag.hidden === readOnly) {
      tag.hidden = !readOnly;
      part("share").hidden = readOnly;
      this.notebook?.permit();
    }
    if (this.editor === null || this.editor.view.state.readOnly === (readOnly || this.frozen)) return;
    this.editor.readOnly = readOnly || this.frozen;
    this.documentChanged();
  }

  private showTitle(): void {
    const name = this.path.startsWith("id:") ? "" : this.path;
    part("title").replaceChildren(element("bdi", {}, fileName(name)));
    part("title").title = name;
    part("back").setAttribute("href", address.files(lease === null ? folderOf(name) : this.folder));
    document.title = `${fileName(name) || t("common.document")} · collab`;
  }

  private renamed(path: string): void {
    this.path = path;
    this.showTitle();
    if (!this.name.startsWith("id:") && lease === null) history.replaceState(null, "", editAddress(path) + location.hash);
    this.documentChanged();
  }

  private compare(server: string): void {
    const { facts } = this.connection;
    const typing = server !== version && isTyping();
    const busy = facts.link !== "open" || facts.unsynced > 0 || atRisk(facts) || typing;
    const next = step(version, server, busy, tabMemory());
    // Whoever ends that without an edit tells nobody.
    if (typing && next === "wait") this.ended ??= setTimeout(() => this.look(), LOOK);
    if (next === "reload") this.reload();
    if (next === "tell") {
      const text = t("words.version", { server, page: version });
      note("version", { text, acts: [{ label: t("words.act.reload"), act: () => void this.account.again() }] });
    }
  }

  private look(): void {
    this.ended = undefined;
    this.compare(this.connection.facts.report?.version ?? "");
  }

  private reload(): void {
    this.freeze();
    this.again();
  }

  private again(): void {
    if (lease === null) location.reload();
    else post(editAddress(this.path));
  }

  private freeze(): void {
    this.frozen = true;
    if (this.editor !== null) this.editor.readOnly = true;
    this.documentChanged();
  }

  private refused(reason: string): void {
    this.opening.end();
    void this.account.refused(reason);
    if (reason === "not-text" && lease === null) void this.toSuite();
  }

  /** What is no text opens in an office suite, when one takes it. */
  private async toSuite(): Promise<void> {
    const [{ knownSuites, offers, officeAddress, preferred }, found] = await Promise.all([import("../office/offers.ts"), find(this.name).catch(() => null)]);
    await knownSuites();
    const offer = found === null ? null : preferred(offers(found.path, found.role === "viewer"));
    if (offer !== null) location.replace(officeAddress(this.name, offer));
  }

  private admitted(): void {
    this.account.admitted();
    if (!this.introduced) void this.introduce();
  }

  /** What the account of the words needs of this page. */
  private page(): Page {
    const path = (): string => this.path;
    return {
      get path() {
        return path();
      },
      whole: () => (this.editor === null && this.notebook === null ? null : wholeOf(this.connection.document)),
      freeze: () => this.freeze(),
      again: () => this.again(),
      show: (place) => this.go(place),
      focus: () => (this.editor?.view ?? this.notebook)?.focus(),
      download: () => this.download(),
    };
  }

  private go(place: Place): void {
    if (this.notebook === null) this.show(place.index);
    else this.notebook.go(place);
  }

  private show(at: number): void {
    if (part("editor").hidden) void this.modes?.set("source");
    this.editor?.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.editor?.view.focus();
  }

  private download(): Act {
    const label = t("words.act.download");
    if (lease === null) return { label, act: contentAddress(this.name), download: fileName(this.path) };
    const failed = (problem: unknown): void => note("download", { text: problem instanceof Problem ? problem.message : String(problem) });
    return { label, act: () => void content(this.name).then((bytes) => saveAs(bytes, fileName(this.path)), failed) };
  }
}

/** What is in a window or in the open cell of a table, and a file on its way into the text, would be gone with the page. */
const isTyping = (): boolean => document.querySelector("dialog[open], .csv-field, .cm-waiting, [data-note=upload]") !== null;

/** Who has the file open on a desktop meanwhile: that is in nobody's way. */
async function tellHeld({ held }: Item): Promise<void> {
  if (held !== undefined) (await import("../words/held.ts")).tellHeld(held);
}

/** Where a line begins; the nearest one when there is none of this number. */
function lineStart(text: Text, number: number): number {
  return text.line(Math.min(Math.max(number, 1), text.lines)).from;
}

async function start(): Promise<void> {
  await begin();
  keepIn();
  const name = nameIn(location.pathname, base);
  if (name === null) {
    part("editor").setAttribute("aria-busy", "false");
    const acts = [{ label: t("common.files"), act: address.files() }];
    return note("refusal", { title: t("words.nameless.title"), text: t("words.nameless.text"), acts, kind: "grave" });
  }
  const page = new EditPage(name);
  void page.introduce();
  addEventListener("collab-named", () => page.named());
  addEventListener("collab-authors", () => void page.authors());
  addEventListener("collab-share", () => void page.share());
  Object.defineProperty(window, "collab", { get: () => page.inside });
}

void start();
