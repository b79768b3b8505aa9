/** The open cell: what is typed stays in it until it is kept, whatever others do to the table meanwhile. */

import { MapMode, type ChangeDesc } from "@codemirror/state";

import { element } from "../base/dom.ts";
import { merged } from "./cells.ts";
import type { Place, Sheet } from "./sheet.ts";

export class Field {
  readonly dom: HTMLTextAreaElement;
  private readonly base: string;
  /** The cell of a row that there is not yet. */
  readonly fresh: boolean;
  /** The begin of the cell, in the text of now. */
  private start: number;
  /** The row, in the text of now; null when it was deleted. */
  private row: { from: number; to: number } | null;

  constructor(
    private readonly sheet: Sheet,
    /** Where the cell is now. */
    public place: Place,
    label: string,
    typed: string | null,
  ) {
    this.base = sheet.value(place);
    const exists = place.row < sheet.rows;
    this.start = exists ? sheet.place(place).from : sheet.text.length;
    this.row = exists ? sheet.range(place.row) : null;
    this.fresh = !exists;
    this.dom = element("textarea", { class: "csv-field", "aria-label": label, rows: "1", spellcheck: "false" });
    this.dom.value = typed ?? this.base;
  }

  /** Whether the row was deleted meanwhile. */
  get gone(): boolean {
    return this.row === null && !this.fresh;
  }

  get changed(): boolean {
    return this.dom.value !== this.base;
  }

  /** The text has changed, and the sheet with it. */
  update(changes: ChangeDesc): void {
    if (this.row === null) return;
    this.start = changes.mapPos(this.start, -1);
    const found = deleted(changes, this.row) ? null : this.sheet.at(this.start);
    this.row = found === null ? null : this.sheet.range(found.row);
    this.place = found ?? this.place;
  }

  /** The value that the cell is to get: mine, with what others made of it since it was opened. */
  get value(): string {
    return merged(this.base, this.dom.value, this.sheet.value(this.place));
  }
}

/** Whether a row is gone with one of its line ends: an edit of its cells, even of all of them, leaves those. */
function deleted(changes: ChangeDesc, { from, to }: { from: number; to: number }): boolean {
  const lost = (position: number, mode: MapMode): boolean => changes.mapPos(position, 1, mode) === null;
  const withNext = lost(from, MapMode.TrackAfter) && lost(to, MapMode.TrackAfter);
  return withNext || (lost(from, MapMode.TrackBefore) && lost(to, MapMode.TrackBefore));
}
