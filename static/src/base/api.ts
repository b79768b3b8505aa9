/** The server's REST interface, as far as the pages use it. */

import { Lease } from "./lease.ts";
import { encoded } from "./names.ts";
import { base, token } from "./page.ts";

export interface Session {
  id: string;
  name: string;
  color: string;
  role: string;
  /** How one came: `account`, `oidc`, `guest` or `operator`. */
  kind?: string;
  version: string;
  /** Whether this person may choose another name. */
  renamable?: boolean;
  /** Of somebody from a cloud: where the folder is that they came by. */
  folder?: string;
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
  starred?: boolean;
  tags?: string[];
  /** Who has the file open in an application outside of the server; the name may be empty. */
  held?: { by: string; application: string };
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

type Headers = Readonly<Record<string, string>>;

/** Ask the server; a Blob is sent as it is, all else as JSON. Raises `Problem`, and an `AbortError` when the signal says so. */
export async function call<T>(method: string, path: string, body?: object, more: Headers = {}, signal: AbortSignal | null = null): Promise<T> {
  const response = await answer(method, path, body, more, signal);
  return (response.headers.get("Content-Type")?.includes("json") ? await response.json() : undefined) as T;
}

async function answer(method: string, path: string, body?: object, more: Headers = {}, signal: AbortSignal | null = null): Promise<Response> {
  const raw = body instanceof Blob;
  const content = body === undefined ? {} : { body: raw ? body : JSON.stringify(body) };
  const type = body && { "Content-Type": raw ? "application/octet-stream" : "application/json" };
  const headers = { ...type, ...(lease && { Authorization: `Bearer ${lease.token()}` }), ...more };
  const response = await fetch(base + path, { method, headers, credentials: lease === null ? "same-origin" : "omit", signal, ...content }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Problem(0, "offline", "The server does not answer. Check that it is running and that you are connected.");
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** What an answer that is no success says. */
export async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => null)) as { detail?: string; title?: string; reason?: string } | null;
  const detail = said?.detail ?? said?.title ?? `The server answered ${response.status}.`;
  return new Problem(response.status, said?.reason ?? "error", detail);
}

const renewal = async (): Promise<string> => (await call<{ token: string }>("POST", "/api/session/renewal")).token;
const refused = (error: unknown): boolean => error instanceof Problem && (error.status === 401 || error.status === 403);

/** What a page in a frame of another site shows instead of a cookie; null in all others. */
export const lease = token === "" ? null : new Lease(token, renewal, refused);

export const session = (): Promise<Session> => call("GET", "/api/session");

/** Be called this from now on. */
export const rename = (name: string): Promise<Session> => call("PATCH", "/api/session", { name });

export const signIn = (secret: string): Promise<void> => call("POST", "/api/session", { secret });

/** Nobody is signed in here any more, and what was kept to be read without a network is gone. `leave`: where to sign out at the provider as well. */
export async function signOut(): Promise<{ leave?: string } | undefined> {
  const said = await call<{ leave?: string } | undefined>("DELETE", "/api/session");
  await forgetPages();
  return said;
}

/** Caches of `src/reading/keeper.ts`, which is told when that was: what is on its way to it goes, too. */
async function forgetPages(): Promise<void> {
  try {
    const now = `collab-left ${Date.now()}`;
    // A full device has room for that only when the pages are gone.
    const tell = (): Promise<unknown> => caches.open(now).catch(() => null);
    await tell();
    for (const name of await caches.keys()) if (/^collab-(reading|left) /.test(name) && name !== now) await caches.delete(name);
    await tell();
  } catch {
    // This browser keeps nothing.
  }
}

/** A session of one's own that the server keeps a record of. */
export interface SignIn {
  id: string;
  agent: string;
  since: string;
  seen: string;
  /** This browser's. */
  current: boolean;
}

export const signIns = async (): Promise<SignIn[]> => (await call<{ sessions: SignIn[] }>("GET", "/api/sessions")).sessions;

export const endSignIn = (id: string): Promise<void> => call("DELETE", `/api/sessions/${encodeURIComponent(id)}`);

/** Another password for one's account; the other sessions end. */
export const changePassword = (password: string, fresh: string): Promise<void> => call("POST", "/api/session/password", { password, new: fresh });

/** All of one's own end but this browser's. */
export const endOtherSignIns = (): Promise<void> => call("DELETE", "/api/sessions?others");

export async function signOutEverywhere(): Promise<void> {
  await call("DELETE", "/api/sessions");
  await forgetPages();
}

interface Listing {
  documents: Item[];
  /** Whether this person may make something there. */
  writable: boolean;
}

/** What is in a folder. */
export const listing = (folder: string): Promise<Listing> => call("GET", `/api/documents?path=${encodeURIComponent(folder)}`);

export const list = async (folder: string): Promise<Item[]> => (await listing(folder)).documents;

export const create = (path: string, content = ""): Promise<Item> => call("POST", "/api/documents", { path, content });

const documentPath = (name: string): string => `/api/documents/${encodeURIComponent(name)}`;

/** What is known about a document; `name` is a path or an id. */
export const find = (name: string): Promise<Item> => call("GET", documentPath(name));

export const setStar = (id: string, on: boolean): Promise<void> => call(on ? "PUT" : "DELETE", `${documentPath(id)}/star`);

/** Remember among the recent ones that this document was opened. */
export const visit = (id: string): Promise<void> => call("PUT", `${documentPath(id)}/visit`);

/** The bytes of a document, for pages whose links carry no cookie. */
export const content = (name: string): Promise<Blob> => download(contentPath(name));

/** The bytes at a path of ours. Raises `Problem`. */
export const download = async (path: string): Promise<Blob> => (await answer("GET", path)).blob();

const contentPath = (name: string): string => `/api/documents/${encodeURIComponent(name)}/content`;

/** Merge a whole text of a copy that has another history; what it became: the document, or a copy beside it. */
export const offer = (name: string, text: string): Promise<Item> => call("POST", contentPath(name), new Blob([text]));

/** Where a document is downloaded; `name` is a path or an id. */
export const contentAddress = (name: string): string => base + contentPath(name);

export const editAddress = (name: string): string => `${base}/edit/${encoded(name)}`;

/** The page for readers: small, and kept on the device. */
export const readAddress = (name: string): string => `${base}/v/${encoded(name)}`;
