/** Lists: items move a level in or out with all that is below them, and numbers keep counting. */

import { countColumn, type ChangeSpec, type EditorState, type Line, type StateCommand } from "@codemirror/state";

import { around } from "./inline.ts";

/** Lines above and below the selection that are looked at: a list that is longer keeps its numbers there. */
const REACH = 400;

/** A line of a list as it is to be. */
interface Row {
  line: Line;
  /** Columns before the first letter. */
  indent: number;
  /** Of an item: columns up to its words; null: the line begins no item. */
  content: number | null;
  number: number | null;
  delimiter: string;
  blank: boolean;
}

function rowOf(line: Line): Row {
  const [, space = "", marker = "", gap = ""] = /^(\s*)([-+*]|\d{1,9}[.)])?([ \t]+|$)?/.exec(line.text) ?? [];
  const indent = countColumn(space, 4);
  const item = marker !== "" && (gap !== "" || line.text.length === space.length + marker.length);
  const number = item && /\d/.test(marker) ? Number.parseInt(marker, 10) : null;
  const width = marker.length + Math.min(gap.length === 0 || gap.length > 4 ? 1 : gap.length, 4);
  return {
    line,
    indent,
    content: item ? indent + width : null,
    number,
    delimiter: item ? marker.slice(-1) : "",
    blank: line.text.trim() === "",
  };
}

/** The rows of the list around the selection; null when the selection is in none. */
function listAround(state: EditorState): { rows: Row[]; first: number; last: number } | null {
  const { from, to } = state.selection.main;
  const { doc } = state;
  const [start, end] = [doc.lineAt(from).number, doc.lineAt(to).number];
  if (around(state, "FencedCode", { from, to: from }) !== null) return null;
  const rows: Row[] = [];
  let top = start;
  for (let at = start; at >= Math.max(1, start - REACH); at -= 1) {
    const row = rowOf(doc.line(at));
    if (!row.blank && row.content === null && row.indent === 0 && at !== start) break;
    top = at;
  }
  for (let at = top; at <= Math.min(doc.lines, end + REACH); at += 1) {
    const row = rowOf(doc.line(at));
    if (at > end && !row.blank && row.content === null && row.indent === 0) break;
    rows.push(row);
  }
  const first = start - top;
  return rows[first]?.content === null ? null : { rows, first, last: end - top };
}

/** One level in: below the item before it. Does nothing, and says that it did, where there is none. */
export const indentItems: StateCommand = ({ state, dispatch }) => {
  const found = listAround(state);
  if (found === null || state.readOnly) return false;
  const { rows, first } = found;
  const own = rows[first]?.indent ?? 0;
  const before = rows.slice(0, first).findLast((row) => row.content !== null && row.indent <= own);
  const deeper = before !== undefined && before.indent === own ? (before.content ?? own) : own;
  return move(state, dispatch, found, deeper - own);
};

/** One level out: beside the item that it is below. */
export const outdentItems: StateCommand = ({ state, dispatch }) => {
  const found = listAround(state);
  if (found === null || state.readOnly) return false;
  const { rows, first } = found;
  const own = rows[first]?.indent ?? 0;
  const parent = rows.slice(0, first).findLast((row) => row.content !== null && row.indent < own);
  return move(state, dispatch, found, (parent?.indent ?? 0) - own);
};

type Dispatch = Parameters<StateCommand>[0]["dispatch"];

function move(state: EditorState, dispatch: Dispatch, { rows, first, last }: { rows: Row[]; first: number; last: number }, by: number): boolean {
  if (by === 0) return true;
  const changes: ChangeSpec[] = [];
  const deepest = lastIndent(rows, first, last);
  for (let at = first; at < rows.length; at += 1) {
    const row = rows[at];
    // What is below the last item goes with it.
    if (row === undefined || (at > last && !row.blank && row.indent <= deepest)) break;
    if (row.blank) continue;
    changes.push(shifted(row, by));
    row.indent = Math.max(0, row.indent + by);
    if (row.content !== null) row.content += by;
  }
  changes.push(...renumbered(rows, first));
  const made = state.changes(changes);
  dispatch(state.update({ changes: made, selection: state.selection.map(made, 1), userEvent: by > 0 ? "input.indent" : "delete.dedent", scrollIntoView: true }));
  return true;
}

function lastIndent(rows: readonly Row[], first: number, last: number): number {
  const items = rows.slice(first, last + 1).filter((row) => row.content !== null);
  return items.at(-1)?.indent ?? 0;
}

function shifted({ line, indent }: Row, by: number): ChangeSpec {
  if (by > 0) return { from: line.from, insert: " ".repeat(by) };
  const space = /^\s*/.exec(line.text)?.[0] ?? "";
  // Tabs become spaces: one would stand for more than what goes.
  const kept = space.includes("\t") ? " ".repeat(Math.max(0, indent + by)) : "";
  return { from: line.from, to: line.from + (kept !== "" || space.includes("\t") ? space.length : Math.min(-by, space.length)), insert: kept };
}

/** Changes that make the numbers of each list count up by one from its first. A list that repeats one number does so on purpose. */
function renumbered(rows: readonly Row[], first: number): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  const open: { indent: number; next: number; delimiter: string; lazy: boolean; fresh: boolean }[] = [];
  for (const [at, row] of rows.entries()) {
    if (row.content === null) continue;
    while ((open.at(-1)?.indent ?? -1) > row.indent) open.pop();
    const level = open.at(-1);
    if (level === undefined || level.indent < row.indent || level.delimiter !== row.delimiter) {
      if (level?.indent === row.indent) open.pop();
      // An item that comes to a level of its own begins to count there.
      const number = row.number !== null && at >= first && open.length > 0 ? 1 : (row.number ?? 0);
      if (number !== row.number && row.number !== null) changes.push(numbered(row, number));
      open.push({ indent: row.indent, next: number + 1, delimiter: row.delimiter, lazy: false, fresh: true });
      continue;
    }
    if (row.number === null) continue;
    if (level.fresh && row.number === level.next - 1 && at < first) level.lazy = true;
    level.fresh = false;
    const wanted = level.lazy ? level.next - 1 : level.next;
    if (row.number !== wanted) changes.push(numbered(row, wanted));
    if (!level.lazy) level.next += 1;
  }
  return changes;
}

function numbered({ line, number }: Row, wanted: number): ChangeSpec {
  const from = line.from + (/^\s*/.exec(line.text)?.[0].length ?? 0);
  return { from, to: from + String(number).length, insert: String(wanted) };
}
