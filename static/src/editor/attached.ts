/** What is attached to a document, as the server tells it. */

import { call } from "../base/api.ts";
import { sent } from "../files/send.ts";

export interface Attached {
  name: string;
  path: string;
  /** What the text says of it. */
  reference: string;
  type: string;
  size: number;
  /** In the list: the text names it. */
  used?: boolean;
}

const of = (document: string): string => `/api/documents/${encodeURIComponent(document)}/attachments`;

/** Attach a file; `progress` is told how many bytes are sent. Raises `Problem`. */
export const attach = (document: string, name: string, file: File, progress: (sent: number) => void): Promise<Attached> =>
  sent<Attached>("POST", `${of(document)}?name=${encodeURIComponent(name)}`, file, progress).done;

export const attachments = async (document: string): Promise<Attached[]> =>
  (await call<{ attachments: Attached[] }>("GET", of(document))).attachments;

/** Into the bin; the key brings it back. */
export const discard = async (document: string, name: string): Promise<string> =>
  (await call<{ key: string }>("DELETE", `${of(document)}/${encodeURIComponent(name)}`)).key;

export const restore = (document: string, name: string, key: string): Promise<Attached> =>
  call("POST", `${of(document)}/${encodeURIComponent(name)}/restoration`, { key });

/** Those of the document of which this one is a copy. */
export const copy = (document: string, from: string): Promise<unknown> => call("POST", `${of(document)}/copies`, { from });
