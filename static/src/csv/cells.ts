/** One record of a CSV text as cells, and back (RFC 4180; the delimiter may be another). Offsets are UTF-16 units. */

import { ChangeSet, Text } from "@codemirror/state";

export interface Cell {
  /** The cell's range in the record, quotes included. */
  from: number;
  to: number;
  value: string;
  /** Something stands before, after or instead of a quote where nothing should: shown as it is. */
  broken: boolean;
}

export interface Splice {
  from: number;
  to: number;
  insert: string;
}

export const DELIMITERS = [",", ";", "\t", "|"] as const;
const QUOTE = '"';
const SURROGATE_HIGH = /[\uD800-\uDBFF]$/;
const SURROGATE_LOW = /^[\uDC00-\uDFFF]/;

/** The cells of one record, which has no line end. An empty record is one empty cell. */
export function cellsOf(record: string, delimiter: string): Cell[] {
  const cells: Cell[] = [];
  for (let from = 0; from <= record.length; ) {
    const cell = record[from] === QUOTE ? quoted(record, from, delimiter) : bare(record, from, delimiter);
    cells.push(cell);
    from = cell.to + 1;
  }
  return cells;
}

function bare(record: string, from: number, delimiter: string): Cell {
  const end = record.indexOf(delimiter, from);
  const to = end < 0 ? record.length : end;
  const value = record.slice(from, to);
  return { from, to, value, broken: false };
}

function quoted(record: string, from: number, delimiter: string): Cell {
  let close = record.indexOf(QUOTE, from + 1);
  while (close >= 0 && record[close + 1] === QUOTE) close = record.indexOf(QUOTE, close + 2);
  if (close < 0) return { from, to: record.length, value: record.slice(from), broken: true };
  const end = record.indexOf(delimiter, close);
  const to = end < 0 ? record.length : end;
  if (to > close + 1) return { from, to, value: record.slice(from, to), broken: true };
  return { from, to, value: record.slice(from + 1, close).replaceAll('""', QUOTE), broken: false };
}

/** A value as it is written: in quotes where it must be, or where it was before. */
export function written(value: string, delimiter: string, before = ""): string {
  const needed = value.includes(delimiter) || value.includes(QUOTE) || value.includes("\n");
  const kept = before.length > 1 && before.startsWith(QUOTE) && before.endsWith(QUOTE);
  return needed || kept ? QUOTE + value.replaceAll(QUOTE, '""') + QUOTE : value;
}

/** The smallest single replacement that makes `after` of `before`; surrogate pairs stay whole. Null when they are equal. */
export function splice(before: string, after: string): Splice | null {
  if (before === after) return null;
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (SURROGATE_HIGH.test(before.slice(0, start))) start -= 1;
  if (SURROGATE_LOW.test(before.slice(before.length - end))) end -= 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

/** What becomes of a value that two people changed: both changes, theirs first where they meet. */
export function merged(base: string, mine: string, theirs: string): string {
  const [ours, others] = [splice(base, mine), splice(base, theirs)];
  if (ours === null) return theirs;
  if (others === null) return mine;
  const [my, their] = [ChangeSet.of(ours, base.length), ChangeSet.of(others, base.length)];
  return their.compose(my.map(their)).apply(Text.of(base.split("\n"))).toString();
}

/** The delimiter that splits the first records into the same number of cells, and into the most of them. */
export function delimiterOf(records: readonly string[]): string {
  let best = { delimiter: DELIMITERS[0] as string, even: -1, count: 1 };
  for (const delimiter of DELIMITERS) {
    const counts = records.map((record) => cellsOf(record, delimiter).length);
    const count = counts[0] ?? 1;
    const even = count > 1 ? counts.filter((each) => each === count).length : 0;
    if (even > best.even || (even === best.even && count > best.count)) best = { delimiter, even, count };
  }
  return best.delimiter;
}

/** 0 -> "A", 25 -> "Z", 26 -> "AA". */
export function columnName(column: number): string {
  const letter = String.fromCharCode(65 + (column % 26));
  return column < 26 ? letter : columnName(Math.floor(column / 26) - 1) + letter;
}
