/** The page of a notebook: cells to go through, to write in and to arrange. Nothing is run. */

import type { LanguageSupport } from "@codemirror/language";
import type { EditorView, KeyBinding } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import "../styles/notebook.css";
import { button, element, part } from "../base/dom.ts";
import { carriesFiles } from "../base/drops.ts";
import { t } from "../base/messages.ts";
import { folderOf } from "../base/names.ts";
import { note, unnote } from "../base/notes.ts";
import { printLight } from "../base/printing.ts";
import { filesIn, pick, take } from "../editor/images.ts";
import { languageNamed } from "../editor/languages.ts";
import type { Ways } from "../editor/ways.ts";
import type { Crowd } from "../people/crowd.ts";
import type { Places } from "../people/places.ts";
import { allowed, type ActName } from "./acts.ts";
import type { CellView } from "./cell.ts";
import { cellOf, Notebook, type Cell, type CellType, type Shared } from "./cells.ts";
import { Guests } from "./guests.ts";
import { CommandKeys } from "./keys.ts";
import { CellList, type Change } from "./list.ts";
import { Tools } from "./tools.ts";

export interface Shown {
  readonly document: Y.Doc;
  readonly awareness: Awareness;
  /** The document's path under the root as of now. */
  readonly path: string;
  /** Of the Content-Security-Policy. */
  readonly nonce: string;
  /** As of now. */
  readonly readOnly: boolean;
}

/** Milliseconds after one's last word in a cell in which one is told that it was deleted. */
const RECENT = 60_000;
/** What in a cell has a use of its own for keys and clicks. */
const CONTROLS = "a, button, input, summary, select, textarea, .cm-editor";

export class NotebookPage {
  readonly notebook: Notebook;
  readonly list: CellList;
  private readonly scroller = element("div", { class: "nb" });
  private readonly empty = element("div", { class: "nb-none", hidden: true });
  private readonly end = element("div", { class: "nb-end" });
  private readonly tools: Tools;
  private readonly keys = new CommandKeys();
  private readonly listeners = new Set<() => void>();
  private chosen: CellView | null = null;
  private writing = false;
  private clipboard: Record<string, unknown>[] = [];
  /** When words were typed here into a cell. */
  private readonly typed = new WeakMap<CellView, number>();
  /** What a cell is to be like when our words have come into it, and where the caret was in them. */
  private awaited: { view: CellView; at: number; words: string } | null = null;
  private language: Promise<LanguageSupport | null> | null = null;
  private status = 0;

  constructor(
    parent: HTMLElement,
    private readonly around: Shown,
  ) {
    this.notebook = new Notebook(around.document);
    const page = this;
    const desk = {
      undo: this.notebook.undo,
      awareness: around.awareness,
      nonce: around.nonce,
      keys: this.cellKeys(),
      get readOnly() {
        return around.readOnly;
      },
      get path() {
        return around.path;
      },
      get folder() {
        return folderOf(around.path);
      },
      get codeLanguage() {
        return page.notebook.language;
      },
      language: (type: CellType) => this.languageOf(type),
      place: (view: CellView) => this.list.place(view),
    };
    this.list = new CellList(this.notebook, this.scroller, desk, (change) => this.changed(change), (view, local) => this.edited(view, local));
    this.tools = new Tools(part("tools"), (name) => this.do(name), () => this.focus());
    this.scroller.append(this.list.dom, this.empty, this.end);
    parent.replaceChildren(this.scroller);
    this.listen();
    this.permit();
    this.choose(this.list.views[0] ?? null, { focus: false });
  }

  /** What the page's menu and keys do here. */
  get ways(): Ways {
    const { around } = this;
    return {
      get path() {
        return around.path;
      },
      slides: false,
      authors: false,
      focus: () => this.focus(),
      find: () => this.do("find"),
      print: () => void this.list.complete().then(() => print()),
      keys: () => this.do("help"),
      outline: () => void import("./outline.ts").then(({ toggleOutline }) => toggleOutline(this)),
      next: null,
      follow: () => {
        const view = this.writing ? this.chosen?.view : null;
        if (view) requestAnimationFrame(() => view.dispatch({ scrollIntoView: true }));
      },
    };
  }

  /** Where people are in it. */
  places(crowd: Crowd): Places {
    return new Guests(this, this.around.awareness, crowd);
  }

  /** The editor that is written in, for tests and for the console. */
  get view(): EditorView | null {
    return this.chosen?.view ?? null;
  }

  /** Called after changes of cells and of what is chosen; gives the way to stop. */
  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  focus(): void {
    if (this.writing) this.chosen?.view?.focus();
    else if (this.chosen !== null) this.chosen.dom.focus({ preventScroll: true });
    else this.scroller.querySelector<HTMLElement>("button")?.focus();
  }

  /** Rights, or the name, have changed. */
  permit(): void {
    const { readOnly } = this.around;
    this.list.permit(readOnly);
    this.end.hidden = readOnly;
    const adders = (): HTMLElement[] => [this.adder("end"), this.adder("endText")];
    this.end.replaceChildren(...adders());
    const words = element("p", {}, t(readOnly ? "notebook.empty.read" : "notebook.empty"));
    this.empty.replaceChildren(words, ...(readOnly ? [] : [element("div", { class: "acts" }, ...adders())]));
    if (readOnly && this.writing) this.stop();
    this.show();
  }

  /** Show a place of the shared document. */
  reveal({ type, index }: { type: Shared; index: number }, centre = true): void {
    const view = this.list.viewOf(cellOf(this.notebook.cells, type));
    if (view === null) return;
    const { top, bottom } = view.dom.getBoundingClientRect();
    const frame = this.scroller.getBoundingClientRect();
    if (centre || bottom < frame.top + 40 || top > frame.bottom - 40) view.dom.scrollIntoView({ block: view.dom.offsetHeight > frame.height ? "start" : "center" });
    const at = view.view?.coordsAtPos(Math.min(index, view.view.state.doc.length));
    if (at && (at.top < frame.top || at.bottom > frame.bottom)) this.scroller.scrollBy(0, at.top - frame.top - frame.height / 2);
  }

  /** Go to a place and write there. */
  go(place: { type: Shared; index: number }): void {
    const view = this.list.viewOf(cellOf(this.notebook.cells, place.type));
    if (view === null) return;
    this.reveal(place);
    this.write(view, place.index);
  }

  /** Put something above all cells. */
  above(dom: HTMLElement): void {
    this.scroller.before(dom);
  }

  /** Show a stretch of a cell's source, selected; `stay`: and write there. */
  mark(view: CellView, from: number, to: number, stay: boolean): void {
    const focused = document.activeElement;
    this.write(view, from);
    view.view?.dispatch({ selection: { anchor: from, head: Math.min(to, view.view.state.doc.length) }, scrollIntoView: true });
    view.dom.scrollIntoView({ block: "nearest" });
    if (view.text !== null) this.reveal({ type: view.text, index: from }, false);
    if (!stay && focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }

  /** Choose a cell; with `focus` the keyboard goes to it. */
  choose(view: CellView | null, { focus = true, scroll = true } = {}): void {
    const former = this.chosen;
    if (former !== view) {
      this.writing = false;
      former?.dom.classList.remove("chosen", "writing");
      former?.dom.setAttribute("tabindex", "-1");
      former?.rest();
    }
    this.chosen = view;
    if (view !== null) {
      view.dom.classList.add("chosen");
      view.dom.tabIndex = 0;
      if (this.tools.near.parentElement !== view.head) view.head.append(this.tools.near);
      if (focus) view.dom.focus({ preventScroll: true });
      if (focus && scroll) view.dom.scrollIntoView({ block: "nearest" });
      if (focus) this.tell(view);
    }
    this.show();
  }

  // --- what is done

  do(name: ActName): void {
    const { chosen } = this;
    if (!this.allows(name)) return;
    const at = chosen === null ? this.list.views.length - 1 : this.list.views.indexOf(chosen);
    const to = (index: number): void => this.choose(this.list.views[Math.max(0, Math.min(index, this.list.views.length - 1))] ?? null);
    const acts: Readonly<Record<ActName, () => void>> = {
      previous: () => to(at - 1),
      next: () => to(at + 1),
      first: () => to(0),
      last: () => to(this.list.views.length - 1),
      write: () => chosen && this.write(chosen),
      stay: () => this.stop(),
      leave: () => this.leave(at),
      leaveBelow: () => this.add(at + 1, "code"),
      above: () => this.add(at, "code"),
      below: () => this.add(at + 1, chosen?.type === "markdown" && this.writing ? "markdown" : "code"),
      end: () => this.add(this.list.views.length, "code"),
      endText: () => this.add(this.list.views.length, "markdown"),
      image: () => pick((files) => this.attach(files, this.chosen)),
      cut: () => this.cut(at),
      copy: () => this.copy(),
      paste: () => this.pick(this.notebook.paste(at + 1, this.clipboard).at(-1)),
      remove: () => this.remove(at),
      up: () => this.move(at, at - 1),
      down: () => this.move(at, at + 1),
      split: () => this.split(),
      merge: () => this.merge(at),
      toCode: () => this.retype("code"),
      toMarkdown: () => this.retype("markdown"),
      toRaw: () => this.retype("raw"),
      undo: () => void this.notebook.undo.undo(),
      redo: () => void this.notebook.undo.redo(),
      find: () => void import("./find.ts").then(({ find }) => find(this)),
      help: () => void import("./help.ts").then(({ showKeys }) => showKeys()),
    };
    acts[name]();
  }

  private allows(name: ActName): boolean {
    const { undo } = this.notebook;
    if (name === "undo" && !undo.canUndo()) return false;
    if (name === "redo" && !undo.canRedo()) return false;
    if (name === "paste" && this.clipboard.length === 0) return false;
    return allowed(name, { readOnly: this.around.readOnly, chosen: this.chosen !== null });
  }

  private pick(cell: Cell | undefined): void {
    const view = this.list.viewOf(cell ?? null);
    if (view !== null) this.choose(view);
  }

  private write(view: CellView, offset?: number): void {
    if (this.around.readOnly && view.type === "markdown") return;
    this.choose(view, { focus: false });
    this.writing = true;
    view.dom.classList.add("writing");
    view.write(offset);
    this.show();
  }

  /** Back to choosing. */
  private stop(): void {
    const { chosen } = this;
    this.writing = false;
    chosen?.dom.classList.remove("writing");
    chosen?.dom.focus({ preventScroll: true });
    chosen?.rest();
    this.show();
  }

  private leave(at: number): void {
    this.stop();
    if (at + 1 < this.list.views.length) this.choose(this.list.views[at + 1] ?? null);
    else if (this.allows("end")) this.add(at + 1, "code");
  }

  private add(index: number, type: CellType): void {
    const cell = this.notebook.insert(index, type);
    const view = this.list.viewOf(cell);
    if (view !== null) this.write(view);
  }

  /** Files into the text of a cell, where one writes or at its end; of one that is no text, and of none, into a new text below. */
  private attach(files: readonly File[], view: CellView | null): void {
    if (this.around.readOnly) return;
    if (view?.type !== "markdown") this.add(view === null ? this.list.views.length : this.list.views.indexOf(view) + 1, "markdown");
    else if (view.view === null) this.write(view, view.shown.length);
    const place = this.chosen?.place;
    if (place) void take(place, files, place.view.state.selection.main.to);
  }

  private cut(at: number): void {
    this.copy();
    this.remove(at);
  }

  private copy(): void {
    if (this.chosen !== null) this.clipboard = [this.chosen.cell.toJSON() as Record<string, unknown>];
  }

  private remove(at: number): void {
    if (this.chosen === null) return;
    this.notebook.remove([this.chosen.cell]);
    this.choose(this.list.views[Math.min(at, this.list.views.length - 1)] ?? null);
    if (this.chosen === null) this.focus();
  }

  private move(from: number, to: number): void {
    if (this.chosen === null || to < 0 || to >= this.list.views.length || from === to) return;
    const { writing } = this;
    const at = this.chosen.view?.state.selection.main.head;
    const view = this.list.viewOf(this.notebook.move(this.chosen.cell, to));
    if (view === null) return;
    if (writing) this.write(view, at);
    else this.choose(view);
  }

  private split(): void {
    const { chosen } = this;
    const at = chosen?.view?.state.selection.main.head;
    if (chosen === null || at === undefined) return;
    this.notebook.split(chosen.cell, at);
    this.write(chosen, 0);
  }

  private merge(at: number): void {
    const [upper, lower] = [this.list.views[at], this.list.views[at + 1]];
    if (upper === undefined || lower === undefined) return;
    this.notebook.merge(upper.cell, lower.cell);
    this.choose(upper);
  }

  private retype(type: CellType): void {
    if (this.chosen === null) return;
    const { chosen, writing } = this;
    const at = chosen.view?.state.selection.main.head;
    this.notebook.retype(chosen.cell, type);
    if (writing) this.write(chosen, at);
    else this.choose(chosen);
  }

  private adder(name: "end" | "endText"): HTMLButtonElement {
    return button(t(`notebook.act.${name}`), () => this.do(name));
  }

  // --- what happens

  /** The cells are others now. What was chosen is found again in its copy, when it was moved. */
  private changed({ gone, local }: Change): void {
    const mine = gone.find(({ view }) => view === this.chosen);
    const focused = mine?.view.dom.contains(document.activeElement) === true;
    const { writing } = this;
    if (mine !== undefined) {
      const copy = this.list.withId(mine.view.called);
      const at = mine.view.view?.state.selection.main.head;
      if (copy === null && !local) this.lost(mine.view, mine.index);
      const words = mine.view.shown;
      for (const { view } of gone) this.list.drop(view);
      this.chosen = null;
      this.writing = false;
      const next = copy ?? this.list.views[Math.min(mine.index, this.list.views.length - 1)] ?? null;
      if (copy !== null && writing && focused) this.writeOn(copy, at ?? 0, words);
      else this.choose(next, { focus: focused, scroll: false });
    } else for (const { view } of gone) this.list.drop(view);
    this.show();
    for (const listener of this.listeners) listener();
  }

  /** Go on in the copy of a cell that somebody moved. Words of ours which it has not yet are brought by the server: then the caret is behind them again. */
  private writeOn(copy: CellView, at: number, words: string): void {
    this.write(copy, at);
    this.awaited = copy.shown === words ? null : { view: copy, at, words };
  }

  private edited(view: CellView, local: boolean): void {
    if (local) this.typed.set(view, Date.now());
    if (local) this.awaited = null;
    else if (this.awaited?.view === view && view.shown === this.awaited.words) {
      view.view?.dispatch({ selection: { anchor: this.awaited.at } });
      this.awaited = null;
    }
    for (const listener of this.listeners) listener();
  }

  /** Words of ours were in a cell that somebody deleted: they are shown, and can be put back. */
  private lost(view: CellView, index: number): void {
    const words = view.shown;
    if (words.trim() === "" || Date.now() - (this.typed.get(view) ?? -Infinity) > RECENT) return;
    const { called } = view;
    const type = (view.dom.dataset["type"] as CellType | undefined) ?? "code";
    const back = (): void => {
      this.pick(this.notebook.insert(Math.min(index, this.list.views.length), type, words));
      unnote(`gone-${called}`);
    };
    const acts = [
      { label: t("notebook.gone.back"), act: back, kind: "primary" as const },
      { label: t("common.copy"), act: () => void navigator.clipboard.writeText(words) },
      { label: t("notebook.gone.dismiss"), act: () => void unnote(`gone-${called}`) },
    ];
    note(`gone-${called}`, { text: [t("notebook.gone"), words.length > 2000 ? `${words.slice(0, 2000)}…` : words], acts, kind: "grave" });
  }

  private listen(): void {
    const { dom } = this.list;
    dom.addEventListener("keydown", (event) => this.pressed(event));
    dom.addEventListener("pointerdown", (event) => this.pointed(event));
    dom.addEventListener("dblclick", (event) => {
      const view = this.list.owner(event.target);
      if (view !== null && view.type === "markdown" && view.view === null && !this.isControl(event.target)) this.write(view);
    });
    this.scroller.addEventListener("dragover", (event) => {
      if (!this.around.readOnly && carriesFiles(event)) event.preventDefault();
    });
    // Before an editor of code would read it as text.
    this.scroller.addEventListener("paste", (event) => this.given(event, event.clipboardData, this.chosen), { capture: true });
    this.scroller.addEventListener("drop", (event) => this.given(event, event.dataTransfer, this.list.owner(event.target)), { capture: true });
    dom.addEventListener("focusin", (event) => this.focused(event));
    dom.addEventListener("click", (event) => this.clicked(event));
    const { undo } = this.notebook;
    for (const name of ["stack-item-added", "stack-item-popped", "stack-cleared"] as const) undo.on(name, () => this.show());
    undo.on("stack-item-popped", ({ changedParentTypes }) => this.undone([...changedParentTypes.keys()]));
    this.notebook.meta.observeDeep(() => {
      this.language = null;
      this.show();
    });
    printLight();
    addEventListener("keydown", (event) => this.printing(event));
  }

  /** Files are pasted or dropped. An editor of a text takes them by itself, at their place; one of code takes those that are text, as text. */
  private given(event: ClipboardEvent | DragEvent, data: DataTransfer | null, view: CellView | null): void {
    const files = this.around.readOnly ? [] : filesIn(data);
    const editing = view?.view?.dom.contains(event.target as Node) === true;
    if (files.length === 0 || (editing && (view.type === "markdown" || !files.some(({ type }) => type.startsWith("image/"))))) return;
    event.preventDefault();
    event.stopPropagation();
    this.attach(files, view);
  }

  /** The browser's own way to print waits for nothing. */
  private printing(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "p" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.defaultPrevented) return;
    event.preventDefault();
    this.ways.print();
  }

  private isControl(target: EventTarget | null): boolean {
    return target instanceof Element && target.closest(CONTROLS) !== null;
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing || event.defaultPrevented) return;
    const cell = event.target instanceof Element && event.target.matches(".nb-cell");
    if (!cell) return;
    const act = this.keys.act(event);
    if (act === null) return;
    event.preventDefault();
    if (act === "split" || this.allows(act)) this.do(act);
  }

  private pointed(event: PointerEvent): void {
    const view = this.list.owner(event.target);
    if (view === null || this.tools.near.contains(event.target as Node)) return;
    if (view.view?.dom.contains(event.target as Node) === true) return;
    if (view !== this.chosen) this.choose(view, { focus: !this.isControl(event.target), scroll: false });
    else if (this.writing && !this.isControl(event.target)) this.stop();
  }

  /** The focus has come into a cell, by whichever way. */
  private focused({ target }: FocusEvent): void {
    const view = this.list.owner(target);
    if (view === null) return;
    if (view.view?.contentDOM === target) {
      if (view !== this.chosen) this.choose(view, { focus: false });
      this.writing = true;
      view.dom.classList.add("writing");
      view.write();
      this.show();
    } else if (view !== this.chosen) this.choose(view, { focus: false });
  }

  /** Links to headings, whose names Jupyter and we write otherwise. */
  private clicked(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void import("./outline.ts").then(({ goToHeading }) => goToHeading(this, link.getAttribute("href") ?? ""));
  }

  /** What was undone is brought into view. */
  private undone(types: readonly Shared[]): void {
    const found = types.map((type) => this.list.viewOf(cellOf(this.notebook.cells, type))).find((view) => view !== null);
    if (found === undefined || found === null || (this.writing && found === this.chosen)) return;
    if (this.writing) found.dom.scrollIntoView({ block: "nearest" });
    else this.choose(found);
  }

  private async languageOf(type: CellType): Promise<LanguageSupport | null> {
    if (type === "markdown") return (await import("../editor/markdown.ts")).markdown();
    if (type === "raw") return null;
    this.language ??= languageNamed(this.notebook.language).catch(() => null);
    return this.language;
  }

  // --- what is shown around the cells

  /** Tell the others which cell is chosen here: as a caret at its start. */
  private tell({ text }: CellView): void {
    const state = this.around.awareness.getLocalState();
    if (state === null || text === null) return;
    const place = Y.createRelativePositionFromTypeIndex(text, 0);
    this.around.awareness.setLocalState({ ...state, cursor: { anchor: place, head: place } });
  }

  private show(): void {
    const { chosen, writing } = this;
    const { readOnly } = this.around;
    this.empty.hidden = this.list.views.length > 0;
    this.end.hidden = readOnly || this.list.views.length === 0;
    this.tools.show({ type: chosen?.type ?? null, writing, allows: (name) => this.allows(name) }, readOnly);
    this.status ||= requestAnimationFrame(() => {
      this.status = 0;
      this.showStatus();
    });
  }

  private showStatus(): void {
    const { chosen, writing } = this;
    const status = part("status");
    const counts = element("span", { class: "counts" }, element("span", {}, t("notebook.status.cells", { n: this.list.views.length })), element("span", {}, this.notebook.kernel || this.notebook.language));
    const n = chosen === null ? 0 : this.list.place(chosen).n;
    const place = element("span", { class: "place" }, n === 0 ? "" : t(writing ? "notebook.status.writing" : "notebook.status.choosing", { n }));
    status.replaceChildren(counts, place);
    status.hidden = false;
  }

  // --- keys while one writes

  private cellKeys(): KeyBinding[] {
    const act = (name: ActName): (() => boolean) => () => {
      this.do(name);
      return true;
    };
    return [
      { key: "Escape", run: (view) => view.state.selection.ranges.length === 1 && act("stay")() },
      { key: "Ctrl-m", run: act("stay") },
      { key: "Shift-Enter", run: act("leave") },
      { key: "Mod-Enter", run: act("stay") },
      { key: "Alt-Enter", run: act("leaveBelow") },
      { key: "Ctrl-Shift--", run: act("split") },
      { key: "Mod-f", run: act("find") },
      { key: "ArrowUp", run: (view) => this.over(view, -1) },
      { key: "ArrowDown", run: (view) => this.over(view, 1) },
    ];
  }

  /** Over the first or last line of a cell into its neighbour. */
  private over(view: EditorView, step: 1 | -1): boolean {
    const { main, ranges } = view.state.selection;
    if (!main.empty || ranges.length > 1 || this.chosen === null) return false;
    const line = view.state.doc.lineAt(main.head);
    if (step < 0 ? line.number > 1 : line.number < view.state.doc.lines) return false;
    // A long line may be wrapped, and have another one above or below the caret.
    const moved = view.moveVertically(main, step > 0);
    if (moved.head !== main.head && view.lineBlockAt(moved.head).from === line.from && moved.head !== (step < 0 ? line.from : line.to)) return false;
    const next = this.list.views[this.list.views.indexOf(this.chosen) + step];
    if (next === undefined) return false;
    if (next.type === "markdown") this.choose(next);
    else this.write(next, step < 0 ? next.shown.length : 0);
    return true;
  }
}
