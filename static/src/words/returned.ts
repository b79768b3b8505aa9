/** Words that earlier pages of this device could not send: what fits the document is added, the rest is handed over. */

import * as Y from "yjs";

import { textsOf, wholeOf } from "./contents.ts";
import { typed } from "./fragments.ts";
import type { Kept, Snapshot } from "./kept.ts";

/** Why words can't be added. */
export type Why = "lineage" | "read-only" | "gap" | "refused" | "gone";

export interface Stranded {
  records: readonly Kept[];
  why: Why;
  /** The whole text with them, when it can be made. */
  whole: string | null;
  /** What was typed, as far as it is not deleted again. */
  typed: string;
}

export interface Verdict {
  fits: readonly Kept[];
  /** What to add to the document for them. */
  updates: readonly Uint8Array[];
  stranded: readonly Stranded[];
}

/** The document as it is, its history's name, and whether it may be written. */
export interface Standing {
  document: Y.Doc;
  lineage: string;
  readOnly: boolean;
}

/** What becomes of records of one person for one document. */
export function judge(records: readonly Kept[], snapshots: readonly Snapshot[], { document, lineage, readOnly }: Standing): Verdict {
  const reasonOf = (record: Kept): Why | null => {
    if (record.lineage !== lineage) return "lineage";
    if (record.held !== "") return "refused";
    return readOnly ? "read-only" : null;
  };
  const fork = copyOf(document);
  const usable = records.filter((record) => reasonOf(record) === null);
  const { fits, updates, left } = fitting(fork, usable, snapshots);
  const whys = new Map<Why, Kept[]>(left.length > 0 ? [["gap", left]] : []);
  for (const record of records) {
    const why = reasonOf(record);
    if (why !== null) whys.set(why, [...(whys.get(why) ?? []), record]);
  }
  const stranded = [...whys].map(([why, some]) => strand(why, some, snapshots, why === "lineage" ? null : fork));
  return { fits, updates, stranded };
}

/** Records with no document to add them to; `live` is one that has what they build on, as far as one is known. */
export function strand(why: Why, records: readonly Kept[], snapshots: readonly Snapshot[], live: Y.Doc | null): Stranded {
  const whole = wholeWith(records, snapshots, live);
  return { records, why, whole: whole && wholeOf(whole), typed: joined(typed(updatesOf(records), whole && textsOf(whole))) };
}

/** Pieces of text as one. */
export function joined(pieces: readonly string[]): string {
  return pieces.map((piece) => piece.replace(/\n+$/, "")).join("\n\n");
}

/** Add as many as possible to the fork: all together, else page by page, with the page's own copy when something is missing. */
function fitting(fork: Y.Doc, records: readonly Kept[], snapshots: readonly Snapshot[]): Pick<Verdict, "fits" | "updates"> & { left: Kept[] } {
  const all = updatesOf(records);
  if (records.length === 0 || tried(fork, all) !== null) {
    for (const update of all) Y.applyUpdate(fork, update);
    return { fits: records, updates: all, left: [] };
  }
  const [fits, updates, left]: [Kept[], Uint8Array[], Kept[]] = [[], [], []];
  for (const some of byPage(records)) {
    const way = [updatesOf(some), [...copies(snapshots, some), ...updatesOf(some)]].find((each) => tried(fork, each) !== null);
    if (way === undefined) {
      left.push(...some);
      continue;
    }
    for (const update of way) Y.applyUpdate(fork, update);
    fits.push(...some);
    updates.push(...way);
  }
  return { fits, updates, left };
}

function wholeWith(records: readonly Kept[], snapshots: readonly Snapshot[], live: Y.Doc | null): Y.Doc | null {
  const updates = updatesOf(records);
  const own = copies(snapshots, records);
  for (const way of [...(live === null ? [] : [updates, [...own, ...updates]]), ...(live === null && own.length > 0 ? [[...own, ...updates]] : [])]) {
    const made = tried(live, way);
    if (made !== null) return made;
  }
  return null;
}

/** A copy of the document with the updates; null when they need what is not there, or can't be read. */
function tried(document: Y.Doc | null, updates: readonly Uint8Array[]): Y.Doc | null {
  const made = document === null ? new Y.Doc() : copyOf(document);
  try {
    for (const update of updates) Y.applyUpdate(made, update);
  } catch {
    return null;
  }
  return made.store.pendingStructs === null && made.store.pendingDs === null ? made : null;
}

function copyOf(document: Y.Doc): Y.Doc {
  const made = new Y.Doc();
  Y.applyUpdate(made, Y.encodeStateAsUpdate(document));
  return made;
}

function copies(snapshots: readonly Snapshot[], records: readonly Kept[]): Uint8Array[] {
  const pages = new Set(records.map(({ client, lineage }) => `${client} ${lineage}`));
  return snapshots.filter(({ client, lineage }) => pages.has(`${client} ${lineage}`)).map(({ update }) => update);
}

function byPage(records: readonly Kept[]): Kept[][] {
  const pages = new Map<number, Kept[]>();
  for (const record of records) pages.set(record.client, [...(pages.get(record.client) ?? []), record]);
  return [...pages.values()];
}

const updatesOf = (records: readonly Kept[]): Uint8Array[] => records.map(({ update }) => update);
