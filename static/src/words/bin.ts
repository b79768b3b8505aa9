/** A document that was deleted, as the server's bin has it. */

import { call, type Item } from "../base/api.ts";

export interface Binned {
  key: string;
  path: string;
  /** RFC 3339. */
  deleted: string;
  /** A name. */
  by: string;
}

/** What would bring the document back: it, or the last folder around it that went with it; null when there is nothing, or for who may not see the bin. */
export async function binned(path: string): Promise<Binned | null> {
  const answer = await call<{ entries: Binned[] }>("GET", "/api/bin").catch(() => null);
  return answer?.entries.find((entry) => entry.path === path || path.startsWith(`${entry.path}/`)) ?? null;
}

/** Put it back where it was. Raises `Problem`. */
export const putBack = ({ key }: Binned): Promise<Item> => call("POST", `/api/bin/${encodeURIComponent(key)}/restoration`, {});

/** What the server knows of a document; null when there is none for us. */
export const described = (name: string): Promise<Item | null> => call<Item>("GET", `/api/documents/${encodeURIComponent(name)}`).catch(() => null);
