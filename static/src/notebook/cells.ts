/**
 * The cells of a notebook in the shared document, as jupyter_ydoc 4.2 lays them out (`YNotebook`), and the edits that change them.
 *
 * A source is a text of its own that is never replaced: whoever types in it while somebody else splits, merges or retypes the cell loses nothing.
 */

import * as Y from "yjs";

import { CellUndo } from "./undo.ts";

export type CellType = "code" | "markdown" | "raw";
export type Cell = Y.Map<unknown>;
/** Any type of the shared document. */
export type Shared = Y.AbstractType<any>;

export const TYPES: readonly CellType[] = ["code", "markdown", "raw"];

/** Where our own edits of the order of cells come from: the origin of their transactions, which undo knows. */
const OWN = { cells: true };
/** Letters of an id: nbformat allows up to 64 of these. */
const ID = 8;

export const typeOf = (cell: Cell): CellType => TYPES.find((each) => each === cell.get("cell_type")) ?? "raw";

/** The cell's source; null when another client made it of something else. */
export function sourceOf(cell: Cell): Y.Text | null {
  const source = cell.get("source");
  return source instanceof Y.Text ? source : null;
}

export function idOf(cell: Cell): string {
  const id = cell.get("id");
  return typeof id === "string" ? id : "";
}

/** The cell that a shared type belongs to; null for what is in none. */
export function cellOf(cells: Y.Array<unknown>, type: Shared): Cell | null {
  let found: Shared | null = type;
  while (found !== null && found.parent !== cells) found = found.parent;
  return found instanceof Y.Map ? found : null;
}

export class Notebook {
  readonly cells: Y.Array<unknown>;
  readonly meta: Y.Map<unknown>;
  /** Undoes only what was done on this page. */
  readonly undo: CellUndo;

  constructor(readonly document: Y.Doc) {
    this.cells = document.getArray("cells");
    this.meta = document.getMap("meta");
    this.undo = new CellUndo(this.cells, OWN);
  }

  /** All that are cells, in their order. */
  get all(): Cell[] {
    return this.cells.toArray().filter((each): each is Cell => each instanceof Y.Map);
  }

  /** The place of a cell among all, -1 when it is not there any more. */
  indexOf(cell: Cell): number {
    return this.cells.toArray().indexOf(cell);
  }

  /** A cell by what it is called: a moved one is another, with the same id. */
  withId(id: string): Cell | null {
    return this.all.find((cell) => idOf(cell) === id) ?? null;
  }

  /** The language of its code cells, as the kernel calls it. */
  get language(): string {
    const metadata = plainOf(this.meta.get("metadata"));
    const named = at(at(metadata, "language_info"), "name") || at(at(metadata, "kernelspec"), "language");
    return typeof named === "string" && named !== "" ? named : "python";
  }

  /** The name of its kernel for people; "" when it has none. */
  get kernel(): string {
    const named = at(at(plainOf(this.meta.get("metadata")), "kernelspec"), "display_name");
    return typeof named === "string" ? named : "";
  }

  /** Put a new cell at this place. */
  insert(index: number, type: CellType, source = ""): Cell {
    return this.act(() => this.put(index, made(type, source)));
  }

  /** Put cells of a notebook's file at this place, as new ones. */
  paste(index: number, given: readonly Record<string, unknown>[]): Cell[] {
    return this.act(() => given.map((each, after) => this.put(index + after, madeOf(each))));
  }

  remove(cells: readonly Cell[]): void {
    this.act(() => cells.forEach((cell) => this.take(cell)));
  }

  /**
   * Move a cell to this place among the others. An array of yjs cannot move what is in it: the cell is deleted, and a copy with its id is inserted.
   * Who types into the old one meanwhile finds the words in the copy, and of two copies one stays: both are mended by the server, which sees everybody's edits.
   */
  move(cell: Cell, to: number): Cell {
    return this.act(() => {
      const copy = cell.clone();
      this.take(cell);
      return this.put(Math.max(0, Math.min(to, this.cells.length)), copy);
    });
  }

  /**
   * What is before the offset becomes a new cell above. The rest stays where it is, with its outputs, as in Jupyter.
   *
   * Two people who split at the same place make the same cell, with the same id: of such copies one stays.
   */
  split(cell: Cell, offset: number): Cell {
    const source = sourceOf(cell);
    if (source === null) return cell;
    return this.act(() => {
      const head = source.toString().slice(0, offset);
      const above = made(typeOf(cell), head.replace(/\n$/, ""), offset === 0 ? undefined : idAt(cell, source, offset));
      const metadata = cell.get("metadata");
      if (metadata instanceof Y.Map) above.set("metadata", metadata.clone());
      const attachments = cell.get("attachments");
      if (attachments !== undefined) above.set("attachments", copied(attachments));
      source.delete(0, source.toString()[offset] === "\n" ? offset + 1 : offset);
      return this.put(this.indexOf(cell), above);
    });
  }

  /** Add the lower cell's source, outputs and pictures to the upper one, and take it away. */
  merge(upper: Cell, lower: Cell): Cell {
    const [source, more] = [sourceOf(upper), sourceOf(lower)];
    if (source === null || more === null) return upper;
    return this.act(() => {
      const between = source.length === 0 || more.length === 0 ? "" : typeOf(upper) === "markdown" ? "\n\n" : "\n";
      source.insert(source.length, between + more.toString());
      const [outputs, others] = [upper.get("outputs"), lower.get("outputs")];
      if (outputs instanceof Y.Array && others instanceof Y.Array) outputs.push(others.toArray().map(copied));
      const [pictures, further] = [plainOf(upper.get("attachments")), plainOf(lower.get("attachments"))];
      if (further !== undefined && typeOf(upper) !== "code") upper.set("attachments", { ...(further as object), ...(pictures as object) });
      this.take(lower);
      return upper;
    });
  }

  /** Make a cell one of another type; its source stays the same text. */
  retype(cell: Cell, type: CellType): void {
    if (typeOf(cell) === type) return;
    this.act(() => {
      cell.set("cell_type", type);
      // Each type may have only what nbformat gives it.
      if (type === "code") {
        cell.delete("attachments");
        for (const [key, value] of Object.entries(ofCode())) cell.set(key, value);
      } else for (const key of Object.keys(ofCode())) cell.delete(key);
    });
  }

  private put(index: number, cell: Cell): Cell {
    this.cells.insert(index, [cell]);
    return cell;
  }

  private take(cell: Cell): void {
    const index = this.indexOf(cell);
    if (index >= 0) this.cells.delete(index);
  }

  /** One step that can be undone by itself. */
  private act<T>(edit: () => T): T {
    this.undo.stopCapturing();
    const done = this.document.transact(edit, OWN);
    this.undo.stopCapturing();
    return done;
  }
}

const ofCode = (): Record<string, unknown> => ({ outputs: new Y.Array(), execution_count: null, execution_state: "idle" });

/** An id that says where a cell was split: by the letter before that place, which is another for each place and each split. */
function idAt(cell: Cell, source: Y.Text, offset: number): string {
  const { item } = Y.createRelativePositionFromTypeIndex(source, offset, -1);
  return `${idOf(cell).slice(0, 24)}-${item?.client.toString(36)}-${item?.clock.toString(36)}`;
}

function made(type: CellType, source: string, id = crypto.randomUUID().slice(0, ID)): Cell {
  const fields: [string, unknown][] = [
    ["id", id],
    ["cell_type", type],
    ["source", new Y.Text(source)],
    ["metadata", new Y.Map()],
    ...(type === "code" ? Object.entries(ofCode()) : []),
  ];
  return new Y.Map(fields);
}

/** A new cell that is like one in a file. */
function madeOf(given: Readonly<Record<string, unknown>>): Cell {
  const type = TYPES.find((each) => each === given["cell_type"]) ?? "raw";
  const cell = made(type, String(given["source"] ?? ""));
  cell.set("metadata", new Y.Map(Object.entries((given["metadata"] as object | undefined) ?? {})));
  if (type !== "code" && given["attachments"] !== undefined) cell.set("attachments", given["attachments"]);
  if (type !== "code") return cell;
  cell.set("execution_count", given["execution_count"] ?? null);
  const outputs = Array.isArray(given["outputs"]) ? (given["outputs"] as Record<string, unknown>[]) : [];
  cell.set("outputs", Y.Array.from(outputs.map(outputOf)));
  return cell;
}

function outputOf(given: Readonly<Record<string, unknown>>): Y.Map<unknown> {
  const stream = given["output_type"] === "stream";
  return new Y.Map(Object.entries(given).map(([key, value]) => [key, stream && key === "text" ? new Y.Text(String(value)) : value]));
}

const copied = (value: unknown): unknown => (value instanceof Y.AbstractType ? (value.clone() as unknown) : value);

/** A shared value as plain data. */
export const plainOf = (value: unknown): unknown => (value instanceof Y.AbstractType ? (value.toJSON() as unknown) : value);

/** A field of data that may be anything. */
export function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
