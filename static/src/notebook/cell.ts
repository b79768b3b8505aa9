/** One cell on the page: nothing but its place far from the screen, its text and outputs near it, an editor where one writes. */

import * as Y from "yjs";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { plain } from "../editor/text.ts";
import { colourLater, colourNow } from "../preview/code.ts";
import { idOf, sourceOf, typeOf, type Cell, type CellType } from "./cells.ts";
import { drawn } from "./draw.ts";
import { attachmentIn, outputsIn } from "./outputs.ts";
import { rendering } from "./render.ts";
import { SourceEditor, type Desk } from "./source.ts";

/** Pixels that a line, and an output of unknown height, is expected to take. */
const LINE = 21;
const OUTPUT = 120;

export interface Around extends Desk {
  /** The document's folder. */
  readonly folder: string;
  /** The language of code cells, as the kernel calls it. */
  readonly codeLanguage: string;
  /** Where a cell is, from 1, and how many there are. */
  place(view: CellView): { n: number; all: number };
}

type Look = "away" | "still" | "editor" | "rendered";

export class CellView {
  readonly dom = element("div", { class: "nb-cell", role: "listitem", tabindex: "-1" });
  readonly prompt = element("span", { class: "nb-prompt", "aria-hidden": "true" });
  readonly guests = element("span", { class: "nb-guests" });
  readonly head = element("div", { class: "nb-head" }, this.prompt, this.guests);
  private readonly source = element("div", { class: "nb-source" });
  private readonly outputs = element("div", { class: "nb-outputs" });
  private readonly unfolded = new Set<number>();
  /** Its id: a deleted cell says nothing of itself any more. */
  readonly called: string;
  private look: Look = "away";
  private editor: SourceEditor | null = null;
  private near = false;
  /** Somebody here writes in it: Markdown is shown as its source. */
  private writing = false;

  constructor(
    readonly cell: Cell,
    private readonly around: Around,
  ) {
    this.called = idOf(cell);
    this.dom.append(this.head, element("div", { class: "nb-main" }, this.source, this.outputs));
    this.expect();
  }

  get id(): string {
    return idOf(this.cell);
  }

  get type(): CellType {
    return typeOf(this.cell);
  }

  get text(): Y.Text | null {
    return sourceOf(this.cell);
  }

  /** The editor of its source; null while there is none. */
  get view(): SourceEditor["view"] | null {
    return this.editor?.view ?? null;
  }

  /** Where files are put that belong into its source; null while there is no editor. */
  get place(): SourceEditor["place"] | null {
    return this.editor?.place ?? null;
  }

  /** What the editor shows, also when the cell is gone from the document. */
  get shown(): string {
    return this.editor?.view.state.doc.toString() ?? (this.text === null ? "" : plain(this.text));
  }

  /** It comes near the screen, or goes far from it. */
  set close(near: boolean) {
    this.near = near;
    if (!near && !this.dom.contains(document.activeElement)) this.writing = false;
    this.settle();
    if (near && this.outputs.childElementCount === 0) this.showOutputs();
  }

  /** Draw all that is to be seen of it, wherever it is; resolved when it is drawn. */
  async complete(): Promise<void> {
    if (this.look === "away") {
      this.still();
      this.showOutputs();
    }
    if (this.type === "markdown" && !this.writing) await this.render();
    else if (this.look === "still") await this.colour();
  }

  /** Write in it, with the caret at this offset; the present one when there is none. */
  write(offset?: number): void {
    this.writing = true;
    this.settle();
    const { view } = this;
    if (view === null) return;
    if (offset !== undefined) view.dispatch({ selection: { anchor: Math.min(offset, view.state.doc.length) } });
    view.focus();
    view.dispatch({ scrollIntoView: true });
  }

  /** Nobody here writes in it any more. */
  rest(): void {
    this.writing = false;
    this.settle();
  }

  /** What it shows of its source has changed. */
  sourceChanged(): void {
    if (this.look === "still") void this.colour();
    else if (this.look === "rendered") void this.render();
    else if (this.look === "away") this.expect();
  }

  /** Something else of it has changed: its type, its number, its outputs. */
  changed(): void {
    this.name();
    this.settle();
    if (this.look === "rendered") void this.render();
    if (this.look !== "away") this.showOutputs();
  }

  permit(readOnly: boolean): void {
    if (this.editor !== null) this.editor.readOnly = readOnly;
  }

  /** What screen readers call it. */
  name(): void {
    const { n, all } = this.around.place(this);
    const count = this.cell.get("execution_count");
    const { type } = this;
    const kind = t(`notebook.type.${type}`);
    const label = type === "code" && typeof count === "number" ? t("notebook.cell.run", { n, all, kind, count }) : t("notebook.cell", { n, all, kind });
    if (this.dom.getAttribute("aria-label") !== label) this.dom.setAttribute("aria-label", label);
    this.dom.dataset["type"] = type;
    this.prompt.textContent = type === "code" ? `[${typeof count === "number" ? count : " "}]` : "";
  }

  destroy(): void {
    this.editor?.destroy();
    this.editor = null;
    this.dom.remove();
  }

  private settle(): void {
    const wanted = this.wanted();
    const again = wanted === "editor" && this.editor !== null && this.editor.type !== this.type;
    if (wanted === this.look && !again) return;
    this.close_();
    this.look = wanted;
    if (wanted === "editor") this.edit();
    else if (wanted === "rendered") void this.render();
    else if (wanted === "still") this.still();
  }

  private wanted(): Look {
    if (this.text === null) return this.near ? "still" : this.look;
    if (this.type === "markdown" && !this.writing) return this.near || this.look === "rendered" ? "rendered" : this.look === "away" ? "away" : "still";
    if (this.writing || this.near || this.dom.contains(document.activeElement)) return "editor";
    return this.look === "away" ? "away" : "still";
  }

  private close_(): void {
    this.editor?.destroy();
    this.editor = null;
    this.source.className = "nb-source";
    this.source.replaceChildren();
  }

  private edit(): void {
    const { text } = this;
    if (text === null) return;
    const label = (): string => t("notebook.source", { n: this.around.place(this).n });
    this.editor = new SourceEditor(this.source, text, this.type, label, this.around);
  }

  private still(): void {
    this.look = "still";
    void this.colour();
  }

  private async colour(): Promise<void> {
    const { text, type } = this;
    if (text === null) return this.source.replaceChildren(element("p", { class: "nb-note" }, t("notebook.cell.broken")));
    const place = element("code", {}, plain(text));
    this.source.replaceChildren(element("pre", { class: "nb-still" }, place));
    const language = type === "code" ? this.around.codeLanguage : type;
    const words = place.textContent;
    if (type !== "raw" && !colourNow(place, words, language)) await colourLater(place, words, language);
  }

  private async render(): Promise<void> {
    const { text } = this;
    if (text === null) return;
    const words = plain(text);
    this.look = "rendered";
    const sheet = this.source.querySelector<HTMLElement>(":scope > .md-sheet") ?? element("div", { class: "md-sheet" });
    if (sheet.parentElement === null) this.source.replaceChildren(sheet);
    const attachments = this.cell.get("attachments");
    this.source.classList.toggle("nb-empty", words.trim() === "");
    if (words.trim() === "") return sheet.replaceChildren(element("p", {}, t("notebook.empty.text")));
    await rendering(sheet, words, { folder: this.around.folder, attached: (name) => attachmentIn(attachments, name) });
  }

  private showOutputs(): void {
    const all = this.type === "code" ? outputsIn(this.cell.get("outputs")) : [];
    const again = (): void => this.showOutputs();
    this.outputs.hidden = all.length === 0;
    this.outputs.replaceChildren(...drawn(all, { folder: this.around.folder, unfolded: this.unfolded, again }));
  }

  /** How high it is taken to be until it is drawn. */
  private expect(): void {
    const outputs = this.cell.get("outputs");
    const lines = this.text === null ? 1 : plain(this.text).split("\n").length;
    const height = 30 + lines * LINE + (outputs instanceof Y.Array ? Math.min(outputs.length, 4) * OUTPUT : 0);
    this.dom.style.setProperty("contain-intrinsic-block-size", `auto ${height}px`);
  }
}
