/** Two texts in one: what is the same, what only the later one has, what only the earlier one had. */

import type { Text } from "@codemirror/state";

export type Kind = "same" | "added" | "removed";

export interface Piece {
  kind: Kind;
  text: string;
}

export interface Range {
  from: number;
  to: number;
}

export interface Mark extends Range {
  kind: "added" | "removed";
}

/** Words that came and went. */
export interface Tally {
  added: number;
  removed: number;
}

/** Both texts, one inside the other, with the places of what differs, in order. */
export function woven(pieces: readonly Piece[]): { text: string; marks: Mark[] } {
  const marks: Mark[] = [];
  let at = 0;
  for (const { kind, text } of pieces) {
    if (kind !== "same") marks.push({ from: at, to: at + text.length, kind });
    at += text.length;
  }
  return { text: pieces.map(({ text }) => text).join(""), marks };
}

/** One of both texts. */
export const side = (pieces: readonly Piece[], without: "added" | "removed"): string =>
  pieces
    .filter(({ kind }) => kind !== without)
    .map(({ text }) => text)
    .join("");

/** What one looks at as one change: marks with no line between them that is the same. */
export function changes(text: string, marks: readonly Mark[]): Range[] {
  const found: Range[] = [];
  for (const { from, to } of marks) {
    const last = found.at(-1);
    if (last !== undefined && !text.slice(last.to, from).includes("\n")) last.to = to;
    else found.push({ from, to });
  }
  return found;
}

/** Lines around a change that stay in sight. */
const AROUND = 2;
/** Fewer lines than this are not worth a press to see them again. */
const WORTH = 4;

export interface Fold extends Range {
  lines: number;
}

/** Whole lines that are the same, away from every change, which ascend. */
export function folds(doc: Text, found: readonly Range[]): Fold[] {
  const made: Fold[] = [];
  let first = 1;
  const fold = (last: number): void => {
    if (last - first + 1 >= WORTH) made.push({ from: doc.line(first).from, to: doc.line(last).to, lines: last - first + 1 });
  };
  for (const { from, to } of found) {
    fold(doc.lineAt(from).number - AROUND - 1);
    first = doc.lineAt(to).number + AROUND + 1;
  }
  if (found.length > 0) fold(doc.lines);
  return made;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
/** Units of UTF-16 beyond which words are counted more simply: the page shall not stand still. */
const LONG = 50_000;

export function tally(pieces: readonly Piece[]): Tally {
  const only = (kind: Kind): string[] => pieces.filter((piece) => piece.kind === kind).map(({ text }) => text);
  return { added: words(only("added")), removed: words(only("removed")) };
}

function words(texts: readonly string[]): number {
  const long = texts.reduce((sum, { length }) => sum + length, 0) > LONG;
  return texts.reduce((sum, text) => sum + (long ? simply(text) : exactly(text)), 0);
}

const simply = (text: string): number => text.match(/[\p{L}\p{N}\p{M}]+/gu)?.length ?? 0;

function exactly(text: string): number {
  let count = 0;
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike) count += 1;
  return count;
}

/** The first mark that ends at or behind a place. */
export function reached(marks: readonly Range[], place: number): number {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.to ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
