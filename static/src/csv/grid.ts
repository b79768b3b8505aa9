/** A table on the screen, of which only what is seen is drawn: rows and columns may be many. It edits nothing itself. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { columnName } from "./cells.ts";
import type { Area, Place, Sheet } from "./sheet.ts";

/** Rows and columns drawn beyond the edges, so that scrolling finds them there. */
const SPARE = 6;
const NARROWEST = 5;
const WIDEST = 36;

/** Somebody else in a cell. */
export interface Guest {
  place: Place;
  name: string;
  color: string;
}

export class Grid {
  /** What scrolls. */
  readonly dom: HTMLElement;
  /** Holds the focus; what it is on is its active descendant. */
  private readonly table: HTMLElement;
  private readonly body = element("div", { class: "csv-body", role: "presentation" });
  private readonly head = element("div", { class: "csv-row csv-head", role: "row", "aria-rowindex": "1" });
  private lefts: number[] = [0];
  private rowHeight = 32;
  private letter = 8;
  private drawing = 0;
  area: Area = { from: { row: 0, column: 0 }, to: { row: 0, column: 0 } };
  active: Place = { row: 0, column: 0 };
  guests: readonly Guest[] = [];

  constructor(
    private readonly sheet: () => Sheet,
    label: string,
    private readonly readOnly: () => boolean,
  ) {
    this.table = element("div", { class: "csv-grid", role: "grid", tabindex: "0", "aria-label": label, "aria-multiselectable": "true" }, this.head, this.body);
    this.dom = element("div", { class: "csv-scroller" }, this.table);
    this.dom.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(this.dom);
  }

  focus(): void {
    this.table.focus({ preventScroll: true });
  }

  /** Rows to be seen: behind the last one there is a place for the next one. */
  private get rows(): number {
    return this.sheet().rows + (this.readOnly() ? 0 : 1);
  }

  /** Widths by what is in the columns; call it when the sheet is another. */
  measure(): void {
    const style = getComputedStyle(this.dom);
    const size = Number.parseFloat(style.fontSize);
    this.letter = size * 0.6;
    this.rowHeight = Math.max(matchMedia("(pointer: coarse)").matches ? 44 : 28, Math.round(size * 2));
    this.dom.style.setProperty("--row", `${this.rowHeight}px`);
    this.settle();
  }

  /** Where the columns are, for the sheet of now. */
  settle(): void {
    const widths = this.sheet().widths();
    this.lefts = [this.gutter];
    for (let column = 0; column < this.sheet().columns; column += 1) {
      const letters = Math.min(WIDEST, Math.max(NARROWEST, (widths[column] ?? 0) + 2));
      this.lefts.push((this.lefts.at(-1) ?? 0) + Math.round(letters * this.letter) + 18);
    }
    this.draw();
  }

  private get gutter(): number {
    return Math.round(Math.max(3, String(this.sheet().rows).length + 1) * this.letter) + 12;
  }

  /** Draw what is seen, once before the next frame. */
  draw(): void {
    if (this.drawing === 0) this.drawing = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.drawing = 0;
    const sheet = this.sheet();
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.dom;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - SPARE);
    const last = Math.min(this.rows, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + SPARE);
    const left = Math.max(0, this.columnAt(scrollLeft) - SPARE);
    const right = Math.min(sheet.columns, this.columnAt(scrollLeft + clientWidth) + 1 + SPARE);
    this.table.setAttribute("aria-rowcount", String(this.rows + 1));
    this.table.setAttribute("aria-colcount", String(sheet.columns + 1));
    this.body.style.height = `${this.rows * this.rowHeight}px`;
    const width = `${this.lefts[sheet.columns] ?? this.lefts.at(-1) ?? 0}px`;
    this.body.style.width = width;
    this.head.style.width = width;
    this.drawHead(left, right);
    const rows: HTMLElement[] = [];
    for (let row = first; row < last; row += 1) rows.push(this.row(row, left, right));
    this.body.replaceChildren(...rows);
    this.point();
  }

  private columnAt(x: number): number {
    let column = 0;
    while (column + 1 < this.lefts.length && (this.lefts[column + 1] ?? 0) <= x) column += 1;
    return column;
  }

  private drawHead(left: number, right: number): void {
    const corner = element("div", { class: "csv-corner", role: "columnheader", "aria-colindex": "1" }, element("span", { class: "away" }, t("csv.row")));
    corner.style.width = `${this.gutter}px`;
    const cells = [corner];
    for (let column = left; column < right; column += 1) {
      const cell = element("div", { class: "csv-cell", role: "columnheader", "aria-colindex": String(column + 2) }, columnName(column));
      this.put(cell, column);
      cells.push(cell);
    }
    this.head.replaceChildren(...cells);
  }

  private row(row: number, left: number, right: number): HTMLElement {
    const cells = row < this.sheet().rows ? this.sheet().cells(row) : [];
    const number = element("div", { class: "csv-number", role: "rowheader", "aria-colindex": "1" }, row < this.sheet().rows ? String(row + 1) : "+");
    number.style.width = `${this.gutter}px`;
    const made = element("div", { class: row === 0 ? "csv-row csv-first" : "csv-row", role: "row", "aria-rowindex": String(row + 2) }, number);
    made.style.top = `${row * this.rowHeight}px`;
    for (let column = left; column < right; column += 1) made.append(this.cell({ row, column }, cells[column]?.value ?? "", cells[column]?.broken === true));
    return made;
  }

  private cell(place: Place, value: string, broken: boolean): HTMLElement {
    const { row, column } = place;
    const name = `${columnName(column)}${row + 1}`;
    const [line = "", ...more] = value.split("\n");
    const here = this.holds(place);
    const made = element("div", {
      class: "csv-cell",
      role: "gridcell",
      id: `csv-${row}-${column}`,
      "aria-colindex": String(column + 2),
      "aria-label": value === "" ? t("csv.cell.empty", { name }) : t("csv.cell", { name, value }),
      "aria-selected": String(here),
      "aria-readonly": String(this.readOnly()),
      "data-row": String(row),
      "data-column": String(column),
    });
    made.append(more.length > 0 ? `${line} ↵` : line);
    if (broken) made.classList.add("broken");
    if (/^-?[\d\s.,’']+%?$/.test(value)) made.classList.add("number");
    for (const guest of this.guests) if (guest.place.row === row && guest.place.column === column) visit(made, guest);
    this.put(made, column);
    return made;
  }

  private put(cell: HTMLElement, column: number): void {
    const left = this.lefts[column] ?? 0;
    cell.style.left = `${left}px`;
    cell.style.width = `${(this.lefts[column + 1] ?? left) - left}px`;
  }

  private holds({ row, column }: Place): boolean {
    const { from, to } = this.area;
    return row >= from.row && row <= to.row && column >= from.column && column <= to.column;
  }

  /** Tell assistive technology where we are. */
  private point(): void {
    const id = `csv-${this.active.row}-${this.active.column}`;
    const cell = this.cellAt(this.active);
    if (cell === null) this.table.removeAttribute("aria-activedescendant");
    else this.table.setAttribute("aria-activedescendant", id);
    for (const former of this.body.querySelectorAll(".active")) former.classList.remove("active");
    cell?.classList.add("active");
  }

  /** The drawn cell of a place; null when it is off the screen. */
  cellAt({ row, column }: Place): HTMLElement | null {
    return this.body.querySelector(`#csv-${row}-${column}`);
  }

  /** The place that an event is about; null beside the cells. */
  placeOf(event: Event): Place | null {
    const cell = event.target instanceof Element ? event.target.closest<HTMLElement>(".csv-cell[data-row]") : null;
    return cell === null ? null : { row: Number(cell.dataset["row"]), column: Number(cell.dataset["column"]) };
  }

  /** Go there; `anchor` keeps the other corner of a selection. */
  go(place: Place, anchor: Place = place): void {
    this.active = place;
    this.area = {
      from: { row: Math.min(place.row, anchor.row), column: Math.min(place.column, anchor.column) },
      to: { row: Math.max(place.row, anchor.row), column: Math.max(place.column, anchor.column) },
    };
    this.reveal(place);
    // The cells stay what they are where they can, so that a double click finds the same one twice.
    if (this.cellAt(place) === null) this.drawNow();
    else this.paint();
  }

  private paint(): void {
    for (const cell of this.body.querySelectorAll<HTMLElement>(".csv-cell")) {
      const place = { row: Number(cell.dataset["row"]), column: Number(cell.dataset["column"]) };
      cell.setAttribute("aria-selected", String(this.holds(place)));
    }
    this.point();
  }

  /** How many rows a page has. */
  get page(): number {
    return Math.max(1, Math.floor(this.dom.clientHeight / this.rowHeight) - 2);
  }

  /** Bring a cell into view; where we are stays as it is. */
  show(place: Place): void {
    this.reveal(place);
    this.draw();
  }

  private reveal({ row, column }: Place): void {
    const { dom, rowHeight } = this;
    const top = row * rowHeight;
    // The head lies over the first row of what is seen.
    const room = dom.clientHeight - rowHeight * 2;
    if (top < dom.scrollTop) dom.scrollTop = top;
    else if (top > dom.scrollTop + room) dom.scrollTop = top - room;
    const [left, right] = [this.lefts[column] ?? 0, this.lefts[column + 1] ?? 0];
    if (left - this.gutter < dom.scrollLeft) dom.scrollLeft = left - this.gutter;
    else if (right > dom.scrollLeft + dom.clientWidth) dom.scrollLeft = right - dom.clientWidth;
  }

  /** The box of a place in the body. */
  box({ row, column }: Place): { left: number; top: number; width: number; height: number } {
    const left = this.lefts[column] ?? 0;
    return { left, top: (row + 1) * this.rowHeight, width: (this.lefts[column + 1] ?? left + 120) - left, height: this.rowHeight };
  }
}

function visit(cell: HTMLElement, { name, color }: Guest): void {
  cell.classList.add("guest");
  cell.dataset["name"] = name;
  cell.style.setProperty("--who", color);
  cell.setAttribute("aria-label", `${cell.getAttribute("aria-label") ?? ""}, ${t("csv.guest", { name })}`);
}
