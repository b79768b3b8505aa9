/** Where one is: a view, and in the view of files a folder. It is the page's address, so that "back" works. */

import { base } from "../base/page.ts";

export const VIEWS = ["files", "recent", "starred", "bin"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  readonly view: View;
  /** A path under the root, "" for the root itself. */
  readonly folder: string;
}

/** The place that the query of an address names; what makes no sense is the root. */
export function placeIn(query: string): Place {
  const said = new URLSearchParams(query);
  const view = VIEWS.find((each) => each === said.get("view")) ?? "files";
  return { view, folder: view === "files" ? (said.get("path") ?? "").replace(/^\/+|\/+$/g, "") : "" };
}

/** The query of a place's address. */
export function queryOf({ view, folder }: Place): string {
  if (view !== "files") return `?view=${view}`;
  return folder === "" ? "" : `?path=${encodeURIComponent(folder)}`;
}

export const addressOf = (place: Place): string => `${base}/${queryOf(place)}`;

export const inFolder = (folder: string): Place => ({ view: "files", folder });

export const same = (one: Place, other: Place): boolean => one.view === other.view && one.folder === other.folder;
