/** What stands at a place. */

import { list } from "../base/api.ts";
import { binnedEntry, entryOf, visitedEntry, type Entry } from "./entries.ts";
import type { Place } from "./place.ts";
import { bin, shelf } from "./rest.ts";

/** All entries of the place, in no order; raises `Problem`. */
export async function entriesAt({ view, folder }: Place): Promise<Entry[]> {
  if (view === "bin") return (await bin()).map(binnedEntry);
  if (view === "recent") return (await shelf()).recent.map(visitedEntry);
  if (view === "starred") return (await shelf()).starred.map((item) => entryOf({ ...item, starred: true }));
  return (await list(folder)).map(entryOf);
}
