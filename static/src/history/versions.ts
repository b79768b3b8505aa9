/** The versions of a document, as the server tells them. */

import { call, download } from "../base/api.ts";
import type { Piece } from "./pieces.ts";
import type { Version } from "./sittings.ts";

/** Newest first, and whether there are older ones. */
export interface Page {
  versions: Version[];
  more: boolean;
}

export interface Restored {
  path: string;
  /** The restoration's own number; null for what is no text. */
  version: number | null;
  /** What was there until then. */
  before: number | null;
}

/** Newest to oldest in one answer. */
export const MOST = 500;

const all = (document: string): string => `/api/documents/${encodeURIComponent(document)}/versions`;

export const page = (document: string, limit: number, before?: number): Promise<Page> =>
  call("GET", `${all(document)}?limit=${limit}${before === undefined ? "" : `&before=${before}`}`);

/** `to`: null for the text as it is now; `from`: null for the version before. */
export async function difference(document: string, from: number | null, to: number | null, signal: AbortSignal): Promise<Piece[]> {
  const asked = `${all(document)}/${to ?? "now"}/difference${from === null ? "" : `?from=${from}`}`;
  return (await call<{ changes: Piece[] }>("GET", asked, undefined, {}, signal)).changes;
}

export const bytes = (document: string, number: number): Promise<Blob> => download(`${all(document)}/${number}/content`);

export const rename = (document: string, number: number, name: string): Promise<Version> => call("PATCH", `${all(document)}/${number}`, { name });

/** Make it the text again; `over`: take that restoration back. */
export const restore = (document: string, number: number, over?: number): Promise<Restored> =>
  call("POST", `${all(document)}/${number}/restoration${over === undefined ? "" : `?over=${over}`}`);
