/** Tables of Markdown (GFM) in the text: where their cells are, and what makes their columns stand in line. */

import type { ChangeSpec, EditorState, Line } from "@codemirror/state";

import { around } from "./inline.ts";
import { columns } from "./width.ts";

/** Rows beyond which a table is left as it is. */
const LONGEST = 400;
const DELIMITERS = /^\s{0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Offsets of a cell's words in the document, both at the same place in an empty one, and of the bar after it. */
export interface Cell {
  from: number;
  to: number;
  bar: number;
}

export interface Table {
  rows: readonly Line[];
  /** Cells by row; row 1 is the delimiters. */
  cells: readonly (readonly Cell[])[];
  from: number;
  to: number;
}

export type Alignment = "" | "left" | "center" | "right";

/** The table around a position, null when there is none or it is too long. */
export function tableAt(state: EditorState, at: number): Table | null {
  const here = state.doc.lineAt(at);
  if (!here.text.includes("|") || around(state, "FencedCode", { from: at, to: at }) !== null) return null;
  const rows = [here];
  const grow = (step: 1 | -1): void => {
    for (let number = here.number + step; number >= 1 && number <= state.doc.lines && rows.length <= LONGEST; number += step) {
      const line = state.doc.line(number);
      if (!line.text.includes("|") || line.text.trim() === "") return;
      rows[step === 1 ? "push" : "unshift"](line);
    }
  };
  grow(-1);
  grow(1);
  const delimiters = rows.findIndex((line, row) => row > 0 && DELIMITERS.test(line.text) && line.text.includes("-"));
  const own = rows.slice(delimiters - 1);
  const [first, last] = [own[0], own.at(-1)];
  if (delimiters < 1 || rows.length > LONGEST || first === undefined || last === undefined || here.number < first.number) return null;
  return { rows: own, cells: own.map(cellsOf), from: first.from, to: last.to };
}

/** The cells of a row: what is between its pipes; a pipe after a backslash is a letter. */
export function cellsOf(line: Line): Cell[] {
  const bars = [...line.text.matchAll(/\\.|\|/g)].filter(([sign]) => sign === "|").map(({ index }) => index);
  const edges = [-1, ...bars, line.text.length];
  const cells = edges.slice(1).map((end, at) => {
    const start = (edges[at] ?? -1) + 1;
    const raw = line.text.slice(start, end);
    const text = raw.trim();
    // The caret of an empty cell stands after its first space.
    const from = line.from + start + (text === "" ? Math.min(1, raw.length) : raw.indexOf(text));
    return { from, to: from + text.length, bar: line.from + end, outside: text === "" };
  });
  if (cells.length > 1 && cells[0]?.outside) cells.shift();
  if (cells.length > 1 && cells.at(-1)?.outside && /\|\s*$/.test(line.text)) cells.pop();
  return cells.map(({ from, to, bar }) => ({ from, to, bar }));
}

/** Row and column of a position in a table. */
export function placeIn({ rows, cells }: Table, at: number): { row: number; column: number } {
  const row = Math.max(0, rows.findIndex((line) => line.from <= at && at <= line.to));
  const own = cells[row] ?? [];
  const after = own.findIndex(({ bar }) => at <= bar);
  return { row, column: after === -1 ? Math.max(0, own.length - 1) : after };
}

export function alignmentOf(text: string): Alignment {
  const [left, right] = [text.startsWith(":"), text.endsWith(":")];
  if (left && right) return "center";
  return right ? "right" : left ? "left" : "";
}

export function delimiter(alignment: Alignment, width: number): string {
  const dashes = (ends: number): string => "-".repeat(Math.max(width - ends, 1));
  return { "": dashes(0), left: `:${dashes(1)}`, center: `:${dashes(2)}:`, right: `${dashes(1)}:` }[alignment];
}

/** Changes of spaces and dashes alone that make the columns stand in line; what is in the cells stays as it is. */
export function aligned(state: EditorState, { rows, cells }: Table): ChangeSpec[] {
  const text = (cell: Cell | undefined): string => (cell === undefined ? "" : state.sliceDoc(cell.from, cell.to));
  const alignments = (cells[1] ?? []).map((cell) => alignmentOf(text(cell)));
  const count = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(3, ...cells.map((row, at) => (at === 1 ? 0 : columns(text(row[column]))))),
  );
  return rows.flatMap((line, row) => {
    const own = cells[row] ?? [];
    const parts = widths.slice(0, own.length).map((width, column) => {
      const words = row === 1 ? delimiter(alignments[column] ?? "", width) : text(own[column]);
      return { words, ...padding(width - (row === 1 ? width : columns(words)), row === 1 ? "" : (alignments[column] ?? "")) };
    });
    return spaced(state, line, own, parts, row === 1);
  });
}

interface Part {
  words: string;
  before: number;
  after: number;
}

function padding(space: number, alignment: Alignment): { before: number; after: number } {
  const before = { "": 0, left: 0, center: Math.floor(space / 2), right: space }[alignment];
  return { before, after: space - before };
}

/** Replace what is between the cells, and only where it differs, so that what others type in cells merges. */
function spaced(state: EditorState, line: Line, cells: readonly Cell[], parts: readonly Part[], delimiters: boolean): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  const put = (from: number, to: number, insert: string): void => {
    if (state.sliceDoc(from, to) !== insert) changes.push({ from, to, insert });
  };
  const indent = /^\s*/.exec(line.text)?.[0] ?? "";
  let end = line.from;
  for (const [at, { words, before }] of parts.entries()) {
    const cell = cells[at] ?? { from: line.to, to: line.to };
    const last = parts[at - 1];
    const lead = last === undefined ? `${indent}| ` : `${" ".repeat(last.after)} | `;
    // An empty cell has no words between its spaces: its place is found again from the bar before it.
    put(end, cell.from, lead + " ".repeat(before));
    if (delimiters) put(cell.from, cell.to, words);
    end = cell.to;
  }
  put(end, line.to, `${" ".repeat(parts.at(-1)?.after ?? 0)} |`);
  return changes;
}
