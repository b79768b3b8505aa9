/** What the server finds, as it finds it. */

import { lease, problemOf, Problem, type Item } from "../base/api.ts";
import { base } from "../base/page.ts";

/** A line with what was found; `ranges` are UTF-16 offsets in `text`. */
export interface Match {
  line: number;
  text: string;
  ranges: [number, number][];
}

export type News = { document: Item; matches: Match[] } | { searched: number; done?: boolean; more?: boolean };

/** The answers one after another (newline-delimited JSON); raises `Problem`, and an AbortError when the signal ends it. */
export async function* search(query: string, folder: string, signal: AbortSignal): AsyncGenerator<News> {
  // In a frame of another site there is no cookie.
  const how: RequestInit = lease === null ? { credentials: "same-origin" } : { credentials: "omit", headers: { Authorization: `Bearer ${lease.token()}` } };
  const asked = new URLSearchParams({ q: query, path: folder, in: "all" });
  const response = await fetch(`${base}/api/search?${asked}`, { signal, ...how }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new Problem(0, "offline", "");
  });
  if (!response.ok || response.body === null) throw await problemOf(response);
  for await (const line of lines(response.body)) yield JSON.parse(line) as News;
}

/** The lines of a stream of UTF-8, without empty ones. */
export async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : (parts.pop() ?? "");
    for (const part of parts) if (part.trim() !== "") yield part;
    if (done) return;
  }
}

/** The text in pieces, and whether each is a match; ranges that make no sense are left out. */
export function pieces(text: string, ranges: readonly (readonly [number, number])[]): { text: string; hit: boolean }[] {
  const made: { text: string; hit: boolean }[] = [];
  let at = 0;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    if (start < at || end <= start || end > text.length) continue;
    if (start > at) made.push({ text: text.slice(at, start), hit: false });
    made.push({ text: text.slice(start, end), hit: true });
    at = end;
  }
  if (at < text.length) made.push({ text: text.slice(at), hit: false });
  return made;
}
