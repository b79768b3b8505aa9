/** Where the records of a CSV text begin: kept while the text changes, so that an edit costs a look at its own record. */

import type { ChangeDesc, Text } from "@codemirror/state";

const CHUNK = 1 << 15;
const NEWLINE = 10;
const QUOTE = 34;

/** Code units of a text, read forward. */
class Units {
  private start = 0;
  private chunk = "";

  constructor(private readonly text: Text) {}

  at(position: number): number {
    const index = position - this.start;
    if (index >= 0 && index < this.chunk.length) return this.chunk.charCodeAt(index);
    if (position >= this.text.length) return -1;
    this.start = position;
    this.chunk = this.text.sliceString(position, Math.min(position + CHUNK, this.text.length));
    return this.chunk.charCodeAt(0);
  }
}

export class Records {
  /** The offset at which each record begins; a line end at the end of the text begins none. */
  private starts: number[] = [];
  private delimiter: number;
  /** The quote that is never closed swallows everything behind it: the offset of its record, or -1. */
  open = -1;

  constructor(
    private text: Text,
    delimiter: string,
  ) {
    this.delimiter = delimiter.charCodeAt(0);
    this.starts = this.scan(0, () => false);
    this.settle();
  }

  get length(): number {
    return this.starts.length;
  }

  /** The range of a record in the text, without its line end. */
  range(row: number): { from: number; to: number } {
    const from = this.starts[row];
    if (from === undefined) throw new RangeError(`no record ${row}`);
    const next = this.starts[row + 1];
    if (next !== undefined) return { from, to: next - 1 };
    const end = this.text.length;
    return { from, to: end > from && this.open !== from && this.text.sliceString(end - 1, end) === "\n" ? end - 1 : end };
  }

  record(row: number): string {
    const { from, to } = this.range(row);
    return this.text.sliceString(from, to);
  }

  /** The record that holds the offset; -1 in an empty text. */
  at(offset: number): number {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The text has changed. */
  update(changes: ChangeDesc, text: Text): void {
    const [first, last] = bounds(changes);
    this.text = text;
    if (first === null || last === null) return;
    const delta = changes.newLength - changes.length;
    // One before: a change at a record's very begin may join it to the one before.
    const row = Math.max(0, this.at(first.a) - 1);
    const old = this.starts;
    const from = old.length === 0 ? 0 : (old[row] ?? 0);
    let meets = old.length;
    const fresh = this.scan(from, (start) => {
      if (start <= last.b) return false;
      const known = this.index(old, start - delta);
      if (known < 0 || (old[known] ?? 0) <= last.a) return false;
      meets = known;
      return true;
    });
    const kept = old.slice(0, old.length === 0 ? 0 : row);
    for (const start of fresh) kept.push(start);
    for (let index = meets; index < old.length; index += 1) kept.push((old[index] ?? 0) + delta);
    this.starts = kept;
    if (meets === old.length) this.settle();
    else if (this.open >= 0) this.open += delta;
  }

  private index(sorted: readonly number[], wanted: number): number {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return sorted[low] === wanted ? low : -1;
  }

  /** The begins of the records from this one on, until `done` says that a begin is known. */
  private scan(from: number, done: (start: number) => boolean): number[] {
    const units = new Units(this.text);
    const starts: number[] = [];
    for (let start = from; start < this.text.length; ) {
      if (done(start)) return starts;
      starts.push(start);
      start = this.end(units, start);
    }
    return starts;
  }

  /** Whether the last record ends inside a quote. */
  private settle(): void {
    const last = this.starts.at(-1) ?? -1;
    const state = { inside: false };
    if (last >= 0) this.end(new Units(this.text), last, state);
    this.open = state.inside ? last : -1;
  }

  /** The offset behind the record's line end, or the text's end. */
  private end(units: Units, start: number, state = { inside: false }): number {
    let begin = true;
    for (let position = start; position < this.text.length; position += 1) {
      const unit = units.at(position);
      if (state.inside) {
        if (unit !== QUOTE) continue;
        if (units.at(position + 1) === QUOTE) position += 1;
        else state.inside = false;
      } else if (unit === NEWLINE) return position + 1;
      else if (unit === QUOTE && begin) state.inside = true;
      begin = !state.inside && unit === this.delimiter;
    }
    return this.text.length;
  }
}

interface Ends {
  a: number;
  b: number;
}

/** The begin of the first change and the end of the last one, before and after; null for no change. */
function bounds(changes: ChangeDesc): [Ends | null, Ends | null] {
  let first: Ends | null = null;
  let last: Ends | null = null;
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    first ??= { a: fromA, b: fromB };
    last = { a: toA, b: toB };
  });
  return [first, last];
}
