/** What stands at a place. */

import { FOLDER, listing, type Item } from "../base/api.ts";
import { binnedEntry, entryOf, visitedEntry, type Entry } from "./entries.ts";
import type { Place } from "./place.ts";
import { bin, shelf } from "./rest.ts";

/** Without the folders with what is attached to a document that stands there too: they go where it goes. */
export function unattached(items: readonly Item[]): Item[] {
  const folders = new Set(items.filter(({ type }) => type !== FOLDER).map(({ path }) => `${path}.assets`));
  return items.filter(({ type, path }) => type !== FOLDER || !folders.has(path));
}

export interface Standing {
  /** In no order. */
  entries: Entry[];
  /** Whether something new may stand there. */
  writable: boolean;
}

/** All that is at the place; raises `Problem`. */
export async function standing({ view, folder }: Place): Promise<Standing> {
  if (view === "files") {
    const { documents, writable } = await listing(folder);
    return { entries: unattached(documents).map(entryOf), writable };
  }
  return { entries: await listed(view), writable: true };
}

async function listed(view: Exclude<Place["view"], "files">): Promise<Entry[]> {
  if (view === "bin") return (await bin()).map(binnedEntry);
  if (view === "recent") return (await shelf()).recent.map(visitedEntry);
  return (await shelf()).starred.map((item) => entryOf({ ...item, starred: true }));
}
