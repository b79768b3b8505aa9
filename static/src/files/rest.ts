/** The requests that only the list of files makes. */

import { call, type Item } from "../base/api.ts";
import type { Binned, Entry, Visited } from "./entries.ts";

/** A name or a place is changed whatever was written meanwhile: it takes no word away. */
const ANY = { "If-Match": "*" };

const one = ({ isFolder, id, path }: Entry): string =>
  isFolder ? `/api/folders/${encodeURIComponent(path)}` : `/api/documents/${encodeURIComponent(id)}`;

export const move = (entry: Entry, path: string): Promise<Item> => call("PATCH", one(entry), { path }, ANY);

/** Into the bin: under this key it is there, until then (RFC 3339; null: a cloud does not tell). */
export const discard = (entry: Entry): Promise<{ key: string; path: string; until: string | null }> => call("DELETE", one(entry), undefined, ANY);

export const makeFolder = (path: string): Promise<Item> => call("POST", "/api/folders", { path });

/** A new file of these bytes; `Problem` "exists" when the name is taken. */
export const write = (path: string, bytes: Blob): Promise<Item> =>
  call("PUT", `/api/documents/${encodeURIComponent(path)}/content`, bytes, { "If-None-Match": "*" });

export const bin = async (): Promise<Binned[]> => (await call<{ entries: Binned[] }>("GET", "/api/bin")).entries;

/** Out of the bin, to where it was or to another path. */
export const restore = (key: string, path?: string): Promise<Item> =>
  call("POST", `/api/bin/${encodeURIComponent(key)}/restoration`, path === undefined ? {} : { path });

export const purge = (key: string): Promise<void> => call("DELETE", `/api/bin/${encodeURIComponent(key)}`);

export const shelf = (): Promise<{ starred: Item[]; recent: Visited[] }> => call("GET", "/api/shelf");

export const star = (id: string, on: boolean): Promise<void> => call(on ? "PUT" : "DELETE", `/api/documents/${encodeURIComponent(id)}/star`);
