/** A CSV document as a table whose cells can be edited. Each edit changes only the characters of its cell, so that everybody's edits merge. */

import "../styles/csv.css";

import type { ChangeSpec } from "@codemirror/state";
import type { ViewUpdate } from "@codemirror/view";

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import type { Desk } from "../editor/desk.ts";
import { columnName } from "./cells.ts";
import { Field } from "./field.ts";
import { Grid } from "./grid.ts";
import { guests, tell, watchGuests } from "./guests.ts";
import { pasted, Sheet, type Place } from "./sheet.ts";

const TABS = /\.tsv$/i;

export class CsvTable {
  private sheet: Sheet;
  private readonly grid: Grid;
  private readonly tools = element("div", { class: "csv-tools" });
  private readonly warning = element("p");
  /** Words that could not be kept in the table, until they are put away. */
  private readonly left = element("div");
  private readonly said = element("div", { class: "csv-said", role: "status" }, this.warning, this.left);
  private anchor: Place = { row: 0, column: 0 };
  private field: Field | null = null;
  private shown = false;

  constructor(
    parent: HTMLElement,
    private readonly desk: Desk,
  ) {
    this.sheet = this.read();
    this.grid = new Grid(() => this.sheet, t("csv.table", { name: fileName(desk.path) }), () => desk.readOnly);
    parent.replaceChildren(element("div", { class: "csv" }, this.tools, this.said, this.grid.dom));
    this.listen();
    this.showTools();
    desk.watch((update) => this.updated(update));
    desk.watchDocument(() => this.showTools());
    watchGuests(desk, () => this.showGuests());
  }

  show(): void {
    this.shown = true;
    this.sheet = this.read();
    this.grid.measure();
    this.showGuests();
    this.warn();
  }

  hide(): void {
    this.shown = false;
    this.keep();
  }

  /** The cell in which a place of the text is shown; null when it is off the screen. */
  elementAt(offset: number): HTMLElement | null {
    const place = this.sheet.at(offset);
    return place === null ? null : this.grid.cellAt(place);
  }

  /** Bring the cell that holds a place of the text into view. */
  reveal(offset: number): void {
    const place = this.sheet.at(offset);
    if (place !== null) this.grid.show(place);
  }

  private read(): Sheet {
    return new Sheet(this.desk.view.state.doc, TABS.test(this.desk.path));
  }

  private listen(): void {
    const { dom } = this.grid;
    dom.addEventListener("keydown", (event) => this.pressed(event));
    dom.addEventListener("pointerdown", (event) => this.pointed(event));
    // The second press of a double click: the click itself would be lost when somebody else's change is drawn under it.
    dom.addEventListener("mousedown", (event) => {
      if (event.detail !== 2 || event.button !== 0 || this.grid.placeOf(event) === null) return;
      // Or the focus would go to the table.
      if (this.edit(null)) event.preventDefault();
    });
    dom.addEventListener("copy", (event) => this.copy(event));
    dom.addEventListener("cut", (event) => {
      this.copy(event);
      this.clear();
    });
    dom.addEventListener("paste", (event) => this.paste(event));
    dom.addEventListener("focus", () => this.tell());
  }

  private showTools(): void {
    const { readOnly } = this.desk;
    const act = (label: string, run: () => void): HTMLButtonElement => button(label, () => {
      this.keep();
      run();
      this.grid.focus();
    }, "quiet");
    this.tools.hidden = readOnly;
    this.tools.replaceChildren(
      act(t("csv.rowAbove"), () => this.insertRow(this.grid.area.from.row)),
      act(t("csv.rowBelow"), () => this.insertRow(this.grid.area.to.row + 1)),
      act(t("csv.rowDelete"), () => this.deleteRows()),
      act(t("csv.columnLeft"), () => this.insertColumn(this.grid.area.from.column)),
      act(t("csv.columnRight"), () => this.insertColumn(this.grid.area.to.column + 1)),
      act(t("csv.columnDelete"), () => this.deleteColumns()),
      act(t("csv.undo"), () => void this.desk.undo.undo()),
      act(t("csv.redo"), () => void this.desk.undo.redo()),
    );
    this.grid.draw();
  }

  // --- the text

  private updated(update: ViewUpdate): void {
    if (!update.docChanged || !this.shown) return;
    const columns = this.sheet.columns;
    this.sheet.update(update.changes, update.state.doc);
    this.field?.update(update.changes);
    const last = this.grid.active.row;
    if (last >= this.sheet.rows && last > 0) this.go({ row: Math.max(0, this.sheet.rows - 1), column: this.grid.active.column });
    if (this.sheet.columns === columns) this.grid.draw();
    else this.grid.settle();
    if (this.field !== null) this.follow(this.field);
    this.showGuests();
    this.warn();
  }

  private change(changes: ChangeSpec | null): void {
    if (changes === null || this.desk.readOnly) return;
    this.desk.undo.stopCapturing();
    this.desk.view.dispatch({ changes, userEvent: "input" });
  }

  private warn(): void {
    const row = this.sheet.openQuote;
    const empty = this.sheet.rows === 0;
    const words = empty ? t("csv.empty") : row < 0 ? "" : t("csv.openQuote", { n: row + 1 });
    if (this.warning.textContent !== words) this.warning.textContent = words;
    this.warning.hidden = words === "";
    this.said.hidden = words === "" && this.left.childElementCount === 0;
  }

  // --- where we are

  private go(place: Place, extend = false): void {
    const row = Math.max(0, Math.min(place.row, this.desk.readOnly ? this.sheet.rows - 1 : this.sheet.rows));
    const column = Math.max(0, Math.min(place.column, this.sheet.columns - 1));
    if (!extend) this.anchor = { row, column };
    this.grid.go({ row, column }, this.anchor);
    this.tell();
  }

  private tell(): void {
    const { row } = this.grid.active;
    if (row < this.sheet.rows) tell(this.desk, this.sheet.place(this.grid.active).from);
  }

  private showGuests(): void {
    if (!this.shown) return;
    this.grid.guests = guests(this.desk, (offset) => this.sheet.at(offset));
    this.grid.draw();
  }

  private pointed(event: PointerEvent): void {
    const place = this.grid.placeOf(event);
    if (place === null || event.target === this.field?.dom) return;
    this.keep();
    this.go(place, event.shiftKey);
  }

  // --- keys

  private pressed(event: KeyboardEvent): void {
    if (event.target === this.field?.dom) return this.pressedInside(event);
    const { row, column } = this.grid.active;
    const command = event.ctrlKey || event.metaKey;
    const ends: Record<string, Place> = {
      ArrowUp: { row: command ? 0 : row - 1, column },
      ArrowDown: { row: command ? this.sheet.rows - 1 : row + 1, column },
      ArrowLeft: { row, column: command ? 0 : column - 1 },
      ArrowRight: { row, column: command ? this.sheet.columns - 1 : column + 1 },
      Home: { row: command ? 0 : row, column: 0 },
      End: { row: command ? this.sheet.rows - 1 : row, column: this.sheet.columns - 1 },
      PageUp: { row: row - this.grid.page, column },
      PageDown: { row: row + this.grid.page, column },
    };
    const to = ends[event.key];
    if (to !== undefined) {
      event.preventDefault();
      return this.go(to, event.shiftKey);
    }
    if (!this.act(event, command)) return;
    event.preventDefault();
  }

  /** Keys that do something; false for all others, Tab among them: it leaves the table. */
  private act(event: KeyboardEvent, command: boolean): boolean {
    const { key } = event;
    if (command && key.toLowerCase() === "z") return this.back(event.shiftKey);
    if (command && key.toLowerCase() === "y") return this.back(true);
    if (command && key.toLowerCase() === "a") return this.selectAll();
    if (command || event.altKey || this.desk.readOnly) return false;
    if (key === "Enter" || key === "F2") return this.edit(null);
    if (key === "Delete" || key === "Backspace") return this.clear();
    return [...key].length === 1 ? this.edit(key) : false;
  }

  private pressedInside(event: KeyboardEvent): void {
    // Keys of an input method belong to it.
    if (event.isComposing) return;
    const { row, column } = this.grid.active;
    const after: Record<string, Place | null> = {
      Escape: { row, column },
      Enter: event.altKey || event.shiftKey ? null : { row: row + 1, column },
      Tab: { row, column: column + (event.shiftKey ? -1 : 1) },
    };
    const to = after[event.key];
    if (to === undefined || to === null) return;
    event.preventDefault();
    if (event.key === "Escape") this.close();
    else this.keep();
    this.go(to);
    this.grid.focus();
  }

  private back(forth: boolean): true {
    if (forth) this.desk.undo.redo();
    else this.desk.undo.undo();
    return true;
  }

  private selectAll(): true {
    this.anchor = { row: 0, column: 0 };
    this.grid.go({ row: this.sheet.rows - 1, column: this.sheet.columns - 1 }, this.anchor);
    return true;
  }

  // --- the open cell

  private edit(typed: string | null): boolean {
    if (this.desk.readOnly || this.field !== null) return false;
    const { active } = this.grid;
    const name = `${columnName(active.column)}${active.row + 1}`;
    this.field = new Field(this.sheet, active, t("csv.field", { name }), typed);
    const { dom } = this.field;
    dom.addEventListener("blur", () => this.keep());
    dom.addEventListener("input", () => this.fit(dom));
    this.grid.dom.append(dom);
    this.follow(this.field);
    dom.focus({ preventScroll: true });
    dom.setSelectionRange(dom.value.length, dom.value.length);
    return true;
  }

  /** Keep the open cell over its place. */
  private follow(field: Field): void {
    const { left, top, width, height } = this.grid.box(field.place);
    for (const [name, value] of Object.entries({ left, top, "min-width": width, "min-height": height })) field.dom.style.setProperty(name, `${value}px`);
    this.fit(field.dom);
  }

  private fit(dom: HTMLTextAreaElement): void {
    dom.rows = Math.min(8, dom.value.split("\n").length);
  }

  private close(): void {
    const { field } = this;
    this.field = null;
    field?.dom.remove();
  }

  /** Leave the open cell with what was typed. */
  private keep(): void {
    const { field } = this;
    if (field === null) return;
    const { changed, gone, fresh, place, dom } = field;
    if (changed && gone) this.lost(t("csv.rowGone"), dom.value);
    else if (changed && this.desk.readOnly) this.lost(t("csv.readOnly"), dom.value);
    else if (changed && fresh) this.change(this.sheet.edit({ row: this.sheet.rows, column: place.column }, dom.value));
    else if (changed) this.change(this.sheet.edit(place, field.value));
    this.close();
  }

  /** The row was deleted, or the right to write taken, by somebody while something was typed: the words are shown, to be copied. */
  private lost(why: string, typed: string): void {
    const copying = button(t("common.copy"), () => void navigator.clipboard.writeText(typed));
    const closing = button(t("common.close"), () => {
      told.remove();
      this.warn();
      this.grid.focus();
    });
    const told = element("p", {}, why, " ", element("q", {}, typed), " ", copying, " ", closing);
    this.left.append(told);
    this.warn();
  }

  // --- rows, columns, areas

  private insertRow(row: number): void {
    this.change(this.sheet.insertRow(row));
    this.go({ row, column: this.grid.active.column });
  }

  private deleteRows(): void {
    const { from, to } = this.grid.area;
    if (from.row < this.sheet.rows) this.change(this.sheet.deleteRows(from.row, Math.min(to.row, this.sheet.rows - 1)));
    this.go({ row: from.row, column: this.grid.active.column });
  }

  private insertColumn(column: number): void {
    this.change(this.sheet.insertColumn(column));
    this.sheet = this.read();
    this.grid.settle();
    this.go({ row: this.grid.active.row, column });
  }

  private deleteColumns(): void {
    const { from, to } = this.grid.area;
    this.change(this.sheet.deleteColumns(from.column, to.column));
    this.sheet = this.read();
    this.grid.settle();
    this.go({ row: this.grid.active.row, column: from.column });
  }

  private clear(): boolean {
    const { from, to } = this.grid.area;
    const rows = Array.from({ length: to.row - from.row + 1 }, () => Array.from({ length: to.column - from.column + 1 }, () => ""));
    const inside = rows.slice(0, Math.max(0, this.sheet.rows - from.row));
    this.change(inside.flatMap((line, down) => line.flatMap((_, right) => this.sheet.edit({ row: from.row + down, column: from.column + right }, "") ?? [])));
    return true;
  }

  private copy(event: ClipboardEvent): void {
    if (event.target === this.field?.dom) return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", this.sheet.copied(this.grid.area));
  }

  private paste(event: ClipboardEvent): void {
    if (event.target === this.field?.dom) return;
    event.preventDefault();
    const values = pasted(event.clipboardData?.getData("text/plain") ?? "");
    if (values.length > 0) this.change(this.sheet.paste(this.grid.area.from, values));
  }
}
