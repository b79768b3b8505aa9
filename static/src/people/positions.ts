/**
 * Where the others' carets are in the editor's text, with bounded work.
 *
 * yjs finds a relative position by walking over all that is before it. So each is looked up once, when it was said, and
 * then goes along with the edits.
 */

import type { ChangeDesc } from "@codemirror/state";
import * as Y from "yjs";

import { field } from "./people.ts";

/** Offsets (UTF-16) in the text. */
export interface Caret {
  readonly anchor: number;
  readonly head: number;
  /** Counts what its person did: moves, and keys that leave the place as it is. */
  readonly moves: number;
}

interface Entry {
  key: string;
  said: unknown;
  /** Which side of an insertion at its place it is on. */
  side: -1 | 1;
  moves: number;
  found: { anchor: number; head: number } | null;
}

export class Positions {
  private readonly entries = new Map<number, Entry>();
  private readonly stale = new Set<number>();
  private readonly root: Root;

  constructor(private readonly text: Y.Text) {
    this.root = text._item?.id ?? Y.findRootTypeKey(text);
  }

  /** Take what a client's awareness state says, undefined when it is gone. */
  said(client: number, state: unknown): void {
    const said = field(state, "cursor");
    if (said === undefined || said === null) return this.forget(client);
    const former = this.entries.get(client);
    const key = [plainKey(field(said, "anchor")), plainKey(field(said, "head"))].join();
    const typed = field(state, "typed");
    const entryKey = `${key} ${typeof typed === "number" ? typed : ""}`;
    if (former?.key === entryKey) return;
    const side = Number(field(field(said, "head"), "assoc") ?? 0) < 0 ? -1 : 1;
    this.entries.set(client, { key: entryKey, said, side, moves: (former?.moves ?? 0) + 1, found: former?.found ?? null });
    this.stale.add(client);
  }

  /** The clients with a caret in this text, as far as they are found. */
  get clients(): Iterable<number> {
    return this.entries.keys();
  }

  of(client: number): Caret | null {
    const entry = this.entries.get(client);
    return entry?.found ? { ...entry.found, moves: entry.moves } : null;
  }

  /** Go along with an edit of the editor's text. */
  map(changes: ChangeDesc): void {
    for (const [client, entry] of this.entries) {
      // It may have waited for these very words.
      if (entry.found === null) this.stale.add(client);
      else entry.found = { anchor: changes.mapPos(entry.found.anchor, entry.side), head: changes.mapPos(entry.found.head, entry.side) };
    }
  }

  /** Find what is not found yet, as long as there is `time`; only while editor and shared text are the same. False when there is more to do. */
  settle(time: () => boolean): boolean {
    for (const client of this.stale) {
      if (!time()) return false;
      this.stale.delete(client);
      const entry = this.entries.get(client);
      if (entry !== undefined) entry.found = this.find(entry.said);
    }
    return true;
  }

  private forget(client: number): void {
    this.entries.delete(client);
    this.stale.delete(client);
  }

  private find(said: unknown): { anchor: number; head: number } | null {
    const head = this.index(field(said, "head"));
    const anchor = plainKey(field(said, "anchor")) === plainKey(field(said, "head")) ? head : this.index(field(said, "anchor"));
    return anchor === null || head === null ? null : { anchor, head };
  }

  private index(said: unknown): number | null {
    const position = relative(said, this.root);
    if (position === null || this.text.doc === null) return null;
    try {
      const found = Y.createAbsolutePositionFromRelativePosition(position, this.text.doc);
      return found?.type === this.text ? Math.min(found.index, this.text.length) : null;
    } catch {
      // A position that yjs cannot read is somebody else's mistake: no caret for it.
      return null;
    }
  }
}

/** A type of a document: by its name, or by its id when it is inside of another. */
type Root = string | Y.ID;

/** The relative position in what a client says; null for one that is not in this type: yjs would make those of other names. */
export function relative(said: unknown, root: Root): Y.RelativePosition | null {
  const [item, name, type] = [idIn(field(said, "item")), field(said, "tname") ?? null, idIn(field(said, "type"))];
  if (item === undefined || type === undefined || (item === null && name === null && type === null)) return null;
  const inside = typeof root === "string" ? type === null && (name === null || name === root) : name === null && (type === null || Y.compareIDs(type, root));
  const assoc = field(said, "assoc") ?? 0;
  if (!inside || typeof assoc !== "number") return null;
  const [nested, named] = typeof root === "string" ? [null, root] : [root, null];
  return new Y.RelativePosition(item === null ? nested : null, item === null ? named : null, item, assoc < 0 ? -1 : 0);
}

/** Undefined for what is no id. */
function idIn(said: unknown): Y.ID | null | undefined {
  if (said === undefined || said === null) return null;
  const [client, clock] = [field(said, "client"), field(said, "clock")];
  return count(client) && count(clock) ? Y.createID(client, clock) : undefined;
}

const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function plainKey(said: unknown): string {
  const id = idIn(field(said, "item"));
  return id === undefined ? "" : `${id?.client}:${id?.clock}:${String(field(said, "assoc")).slice(0, 3)}`;
}
