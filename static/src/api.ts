/** The server's REST interface, as far as the pages use it. */

import { encoded } from "./names.ts";
import { base } from "./page.ts";

export interface Session {
  id: string;
  name: string;
  color: string;
  role: string;
  version: string;
}

export interface Item {
  id: string;
  path: string;
  type: string;
  size: number;
  etag: string;
  /** UTC, RFC 3339 or seconds since the epoch. */
  modified: string | number;
  role: string;
}

export const FOLDER = "inode/directory";

/** An answer that is not a success: problem+json (RFC 9457), or no answer at all (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
  ) {
    super(detail);
  }
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await answer(method, path, body);
  if (!response.ok) throw await problemOf(response);
  return (response.headers.get("Content-Type")?.includes("json") ? await response.json() : undefined) as T;
}

async function answer(method: string, path: string, body?: object): Promise<Response> {
  const content = body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    return await fetch(base + path, { method, credentials: "same-origin", ...content });
  } catch {
    throw new Problem(0, "offline", "The server does not answer. Check that it is running and that you are connected.");
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => null)) as { detail?: string; title?: string; reason?: string } | null;
  const detail = said?.detail ?? said?.title ?? `The server answered ${response.status}.`;
  return new Problem(response.status, said?.reason ?? "error", detail);
}

export const session = (): Promise<Session> => call("GET", "/api/session");

export const signIn = (secret: string): Promise<void> => call("POST", "/api/session", { secret });

export const signOut = (): Promise<void> => call("DELETE", "/api/session");

export const list = async (folder: string): Promise<Item[]> =>
  (await call<{ documents: Item[] }>("GET", `/api/documents?path=${encodeURIComponent(folder)}`)).documents;

export const create = (path: string): Promise<Item> => call("POST", "/api/documents", { path });

/** Where a document is downloaded; `name` is a path or an id. */
export const contentAddress = (name: string): string => `${base}/api/documents/${encodeURIComponent(name)}/content`;

export const editAddress = (name: string): string => `${base}/edit/${encoded(name)}`;
