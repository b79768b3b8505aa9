/** A CSV text as rows and columns: what is in them, and the changes of the text that edit them. Nothing here draws. */

import type { ChangeDesc, ChangeSpec, Text } from "@codemirror/state";

import { cellsOf, delimiterOf, splice, written, type Cell } from "./cells.ts";
import { Records } from "./records.ts";

/** Records that are looked at for the delimiter, and for the widths of columns. */
const SAMPLE = 100;
/** Records whose cells are counted; a longer one further down shows all its cells when it is on the screen. */
const COUNTED = 5000;

export interface Place {
  row: number;
  column: number;
}

/** A rectangle of cells, both ends included. */
export interface Area {
  from: Place;
  to: Place;
}

export class Sheet {
  readonly delimiter: string;
  private readonly records: Records;
  /** Columns that there are at least. */
  columns = 1;

  constructor(
    public text: Text,
    tabs = false,
  ) {
    this.delimiter = tabs ? "\t" : delimiterOf(firstLines(text));
    this.records = new Records(text, this.delimiter);
    for (let row = 0; row < Math.min(this.rows, COUNTED); row += 1) this.cells(row);
  }

  get rows(): number {
    return this.records.length;
  }

  /** The row in which a quote begins that nothing closes, or -1. */
  get openQuote(): number {
    return this.records.open < 0 ? -1 : this.rows - 1;
  }

  update(changes: ChangeDesc, text: Text): void {
    this.text = text;
    this.records.update(changes, text);
  }

  /** The cells of a row, with ranges in its record. */
  cells(row: number): Cell[] {
    const cells = cellsOf(this.records.record(row), this.delimiter);
    this.columns = Math.max(this.columns, cells.length);
    return cells;
  }

  range(row: number): { from: number; to: number } {
    return this.records.range(row);
  }

  /** The value of a cell; "" where a short row has none. */
  value({ row, column }: Place): string {
    return row < this.rows ? (this.cells(row)[column]?.value ?? "") : "";
  }

  /** The range of a cell in the text; the end of its row where it has none. */
  place({ row, column }: Place): { from: number; to: number } {
    const { from, to } = this.records.range(row);
    const cell = this.cells(row)[column];
    return cell === undefined ? { from: to, to } : { from: from + cell.from, to: from + cell.to };
  }

  /** The cell that holds an offset of the text; null when there is none. */
  at(offset: number): Place | null {
    const row = this.records.at(offset);
    if (row < 0) return null;
    const inside = offset - this.records.range(row).from;
    const column = this.cells(row).findIndex((cell) => inside <= cell.to);
    return { row, column: column < 0 ? this.cells(row).length - 1 : column };
  }

  /** The smallest change that gives the cell this value; null when it has it. Missing cells before it are made. */
  edit({ row, column }: Place, value: string): ChangeSpec | null {
    if (row >= this.rows) return this.append(column, value);
    const cells = this.cells(row);
    const { from, to } = this.records.range(row);
    const cell = cells[column];
    if (cell === undefined) {
      if (value === "") return null;
      return { from: to, insert: this.delimiter.repeat(column - cells.length + 1) + written(value, this.delimiter) };
    }
    if (cell.value === value) return null;
    const raw = this.text.sliceString(from + cell.from, from + cell.to);
    const found = splice(raw, written(value, this.delimiter, raw));
    if (found === null) return null;
    const base = from + cell.from;
    return { from: base + found.from, to: base + found.to, insert: found.insert };
  }

  /** A row behind the last one. */
  private append(column: number, value: string): ChangeSpec | null {
    const insert = this.delimiter.repeat(column) + written(value, this.delimiter);
    return value === "" ? null : { from: this.text.length, insert: this.lineEnd() + insert + "\n" };
  }

  /** What the last row wants before another one follows. */
  private lineEnd(): string {
    const { length } = this.text;
    return length === 0 || this.text.sliceString(length - 1) === "\n" ? "" : "\n";
  }

  /** An empty row that is then this one. */
  insertRow(row: number): ChangeSpec {
    const empty = this.delimiter.repeat(this.columns - 1);
    if (row < this.rows) return { from: this.records.range(row).from, insert: `${empty}\n` };
    return { from: this.text.length, insert: `${this.lineEnd()}${empty}\n` };
  }

  deleteRows(first: number, last: number): ChangeSpec {
    const { from } = this.records.range(first);
    const { to } = this.records.range(last);
    if (last + 1 < this.rows) return { from, to: to + 1 };
    // The last ones: their line end, or the one before them.
    return to < this.text.length ? { from, to: to + 1 } : { from: Math.max(0, from - 1), to };
  }

  /** An empty column that is then this one. */
  insertColumn(column: number): ChangeSpec[] {
    return this.eachRow((cells, { from, to }) => {
      const cell = cells[column];
      if (cell !== undefined) return { from: from + cell.from, insert: this.delimiter };
      return cells.length === column ? { from: to, insert: this.delimiter } : null;
    });
  }

  deleteColumns(first: number, last: number): ChangeSpec[] {
    return this.eachRow((cells, { from }) => {
      const [one, other] = [cells[first], cells[Math.min(last, cells.length - 1)]];
      if (one === undefined || other === undefined) return null;
      // With the delimiter behind it; the last column goes with the one before it.
      if (last < cells.length - 1) return { from: from + one.from, to: from + other.to + 1 };
      return { from: from + Math.max(0, one.from - 1), to: from + other.to };
    });
  }

  private eachRow(change: (cells: Cell[], range: { from: number; to: number }) => ChangeSpec | null): ChangeSpec[] {
    const changes: ChangeSpec[] = [];
    for (let row = 0; row < this.rows; row += 1) {
      const found = change(this.cells(row), this.records.range(row));
      if (found !== null) changes.push(found);
    }
    return changes;
  }

  /** The cells of an area as other programs paste them: tabs and line ends. */
  copied({ from, to }: Area): string {
    const lines: string[] = [];
    for (let row = from.row; row <= to.row; row += 1) {
      const values: string[] = [];
      for (let column = from.column; column <= to.column; column += 1) values.push(written(this.value({ row, column }), "\t"));
      lines.push(values.join("\t"));
    }
    return lines.join("\n");
  }

  /** Give the cells from this one on these values; rows and columns that are missing are made. */
  paste({ row, column }: Place, values: readonly (readonly string[])[]): ChangeSpec[] {
    const changes: ChangeSpec[] = [];
    let behind = "";
    values.forEach((line, down) => {
      const at = row + down;
      if (at < this.rows) changes.push(...this.pasteRow(at, column, line));
      else behind += `${this.delimiter.repeat(column) + line.map((value) => written(value, this.delimiter)).join(this.delimiter)}\n`;
    });
    if (behind !== "") changes.push({ from: this.text.length, insert: this.lineEnd() + behind });
    return changes;
  }

  private pasteRow(row: number, column: number, line: readonly string[]): ChangeSpec[] {
    const count = this.cells(row).length;
    const inside = line.slice(0, Math.max(0, count - column)).map((value, right) => this.edit({ row, column: column + right }, value));
    const beyond = line.slice(Math.max(0, count - column)).map((value) => written(value, this.delimiter));
    const changes = inside.filter((change) => change !== null);
    if (beyond.length === 0) return changes;
    const gap = this.delimiter.repeat(Math.max(1, column - count + 1));
    return [...changes, { from: this.records.range(row).to, insert: gap + beyond.join(this.delimiter) }];
  }

  /** The longest value of each column among the first rows, in characters. */
  widths(): number[] {
    const widths: number[] = [];
    for (let row = 0; row < Math.min(this.rows, SAMPLE); row += 1) {
      this.cells(row).forEach(({ value }, column) => (widths[column] = Math.max(widths[column] ?? 0, longestLine(value))));
    }
    return widths;
  }
}

/** The cells in what other programs put on the clipboard. */
export function pasted(words: string): string[][] {
  const text = words.replace(/\r\n?/g, "\n");
  const sheet = lines(text);
  return sheet.map((record) => cellsOf(record, "\t").map(({ value }) => value));
}

function lines(text: string): string[] {
  const records: string[] = [];
  let from = 0;
  let inside = false;
  for (let position = 0; position < text.length; position += 1) {
    if (text[position] === '"' && (inside || position === from || text[position - 1] === "\t")) inside = !inside;
    else if (text[position] === "\n" && !inside) {
      records.push(text.slice(from, position));
      from = position + 1;
    }
  }
  if (from < text.length) records.push(text.slice(from));
  return records;
}

function firstLines(text: Text): string[] {
  const count = Math.min(text.lines, SAMPLE);
  return Array.from({ length: count }, (_, index) => text.line(index + 1).text).filter((line) => line !== "");
}

function longestLine(value: string): number {
  return Math.max(...value.split("\n").map((line) => line.length));
}
