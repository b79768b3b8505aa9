/** Keys and commands in a table of Markdown: from cell to cell, rows and columns, and straight columns when one leaves it. */

import { EditorSelection, type ChangeSpec, type EditorState, type StateCommand } from "@codemirror/state";
import { EditorView, ViewPlugin, type PluginValue, type ViewUpdate } from "@codemirror/view";

import type { Edit } from "./inline.ts";
import { aligned, alignmentOf, delimiter, placeIn, tableAt, type Alignment, type Cell, type Table } from "./tables.ts";

interface Place {
  table: Table;
  row: number;
  column: number;
}

export function placeOf(state: EditorState): Place | null {
  const table = tableAt(state, state.selection.main.head);
  return table && { table, ...placeIn(table, state.selection.main.head) };
}

const columnsOf = (table: Table): number => Math.max(...table.cells.map((row) => row.length));

/** The next cell, and a new row after the last one. */
export const nextCell: StateCommand = ({ state, dispatch }) => {
  const place = placeOf(state);
  if (place === null) return false;
  const { table, row, column } = place;
  const next = table.cells[row]?.[column + 1] ?? table.cells[row === 0 ? 2 : row + 1]?.[0];
  if (next !== undefined) dispatch(selected(state, next));
  else if (!state.readOnly) dispatch(state.update(newRow(table, table.rows.length - 1)));
  return true;
};

export const previousCell: StateCommand = ({ state, dispatch }) => {
  const place = placeOf(state);
  if (place === null) return false;
  const { table, row, column } = place;
  const previous = column > 0 ? table.cells[row]?.[column - 1] : table.cells[row === 2 ? 0 : row - 1]?.at(-1);
  if (previous !== undefined) dispatch(selected(state, previous));
  return true;
};

/** A new row below this one; on an empty last row, out of the table instead. */
export const enterRow: StateCommand = ({ state, dispatch }) => {
  const place = placeOf(state);
  if (place === null || state.readOnly || !state.selection.main.empty) return false;
  const { table, row } = place;
  const line = table.rows[row];
  // Before the table's first bar and after its last, Enter is what it is elsewhere.
  if (line === undefined || state.selection.main.head === line.from) return false;
  const empty = row > 1 && row === table.rows.length - 1 && (table.cells[row] ?? []).every(({ from, to }) => from === to);
  if (empty) dispatch(state.update({ changes: { from: line.from, to: line.to }, selection: { anchor: line.from }, userEvent: "delete.line" }));
  else dispatch(state.update(newRow(table, Math.max(row, 1))));
  return true;
};

const selected = (state: EditorState, { from, to }: Cell): ReturnType<EditorState["update"]> =>
  state.update({ selection: EditorSelection.single(from, to), scrollIntoView: true, userEvent: "select" });

function newRow(table: Table, after: number): { changes: ChangeSpec; selection: { anchor: number }; userEvent: string; scrollIntoView: boolean } {
  const at = table.rows[after]?.to ?? table.to;
  const insert = `\n|${"   |".repeat(columnsOf(table))}`;
  return { changes: { from: at, insert }, selection: { anchor: at + 3 }, userEvent: "input.table", scrollIntoView: true };
}

const inTable =
  (edit: (state: EditorState, place: Place) => ReturnType<Edit>): Edit =>
  (state) => {
    const place = placeOf(state);
    return place && edit(state, place);
  };

export const addRow: Edit = inTable((_, { table, row }) => newRow(table, Math.max(row, 1)));

export const removeRow: Edit = inTable((state, { table, row }) => {
  const line = table.rows[row];
  // Without head and delimiters it is no table.
  if (line === undefined || row < 2) return null;
  const to = Math.min(line.to + 1, state.doc.length);
  const from = to === line.to ? line.from - 1 : line.from;
  return { changes: { from, to }, selection: { anchor: table.cells[row - 1 === 1 ? 0 : row - 1]?.[0]?.from ?? table.from }, userEvent: "delete.table" };
});

/** An empty column after this one. */
export const addColumn: Edit = inTable((state, { table, row, column }) => {
  const changes = state.changes(
    table.cells.flatMap((cells, at): ChangeSpec[] => {
      const cell = cells[column];
      return cell === undefined ? [] : [{ from: cell.to, insert: at === 1 ? " | ---" : emptyCell(state, table, at, cell) }];
    }),
  );
  const cell = table.cells[row]?.[column] ?? { from: table.from, to: table.from, bar: table.from };
  return { changes, selection: { anchor: changes.mapPos(cell.to, -1) + (cell.from === cell.to ? 2 : 3) }, userEvent: "input.table", scrollIntoView: true };
});

/** What is inserted after the words of a cell, so that an empty cell follows it. */
function emptyCell(state: EditorState, { rows }: Table, row: number, { from, to }: Cell): string {
  const closed = state.sliceDoc(to, rows[row]?.to ?? to).includes("|");
  return `${from === to ? "" : " "}|  ${closed ? "" : " |"}`;
}

export const removeColumn: Edit = inTable((state, { table, column }) => {
  if (columnsOf(table) < 2) return null;
  const changes = state.changes(
    table.cells.flatMap((cells, row): ChangeSpec[] => {
      const cell = cells[column];
      const [before, after] = [cells[column - 1], cells[column + 1]];
      if (cell === undefined) return [];
      if (after !== undefined) return [{ from: cell.from, to: after.from }];
      return before === undefined ? [] : [{ from: before.to, to: Math.max(cell.to, emptyEnd(state, table, row, cell)) }];
    }),
  );
  return { changes, selection: state.selection.map(changes), userEvent: "delete.table", scrollIntoView: true };
});

/** The spaces after an empty cell go with it, but for the one before the bar. */
function emptyEnd(state: EditorState, { rows }: Table, row: number, { to }: Cell): number {
  const line = rows[row];
  const rest = line === undefined ? "" : state.sliceDoc(to, line.to);
  return to + Math.max(0, (/^ */.exec(rest)?.[0].length ?? 0) - 1);
}

/** The column's alignment: left, centre, right, and none again. */
export const cycleAlignment: Edit = inTable((state, { table, column }) => {
  const cell = table.cells[1]?.[column];
  if (cell === undefined) return null;
  const order: readonly Alignment[] = ["", "left", "center", "right"];
  const next = order[(order.indexOf(alignmentOf(state.sliceDoc(cell.from, cell.to))) + 1) % 4] ?? "";
  return { changes: { from: cell.from, to: cell.to, insert: delimiter(next, cell.to - cell.from) }, userEvent: "input.table" };
});

/** Make the columns stand in line. */
export const alignTable: Edit = (state) => straight(state, state.selection.main.head);

function straight(state: EditorState, at: number): ReturnType<Edit> {
  const table = tableAt(state, at);
  if (table === null) return null;
  const changes = state.changes(aligned(state, table));
  return changes.empty ? null : { changes, userEvent: "format.table" };
}

/** This position, or the line above when its own was a row and is none any more. */
function rowAt(state: EditorState, at: number): number {
  const line = state.doc.lineAt(at);
  return line.text.includes("|") || line.number === 1 ? at : line.from - 1;
}

/** Remembers the table that one types in, and straightens it when the caret has left it. */
class Leaving implements PluginValue {
  private touched: number | null = null;

  constructor(private readonly view: EditorView) {}

  update({ docChanged, selectionSet, changes, state, transactions }: ViewUpdate): void {
    if (this.touched !== null && docChanged) this.touched = rowAt(state, changes.mapPos(this.touched));
    const line = state.doc.lineAt(state.selection.main.head);
    const own = transactions.some((each) => each.docChanged && (each.isUserEvent("input") || each.isUserEvent("delete")));
    if (own && line.text.includes("|")) this.touched = state.selection.main.head;
    else if (this.touched !== null && (selectionSet || docChanged) && state.doc.lineAt(this.touched).number !== line.number) this.look();
  }

  private look(): void {
    const at = this.touched;
    const { state } = this.view;
    const table = at === null ? null : tableAt(state, at);
    const { head } = state.selection.main;
    if (at === null || (table !== null && head >= table.from && head <= table.to)) return;
    this.touched = null;
    // An update cannot be made while another one is.
    if (table !== null && !state.readOnly) queueMicrotask(() => this.straighten(at));
  }

  private straighten(at: number): void {
    const { state } = this.view;
    const edit = at <= state.doc.length ? straight(state, at) : null;
    if (edit) this.view.dispatch(edit);
  }
}

export const straightTables = ViewPlugin.fromClass(Leaving);
