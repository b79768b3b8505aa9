/** One file on its way to the server, with its progress: what fetch cannot tell. */

import { lease, Problem, type Item } from "../base/api.ts";
import { base } from "../base/page.ts";

export interface Sending<T = Item> {
  readonly done: Promise<T>;
  readonly cancel: () => void;
}

/** Make a new file of these bytes; `progress` is told how many of them are sent. `done` raises `Problem`; "cancelled" when it was. */
export function send(path: string, file: Blob, progress: (sent: number) => void): Sending<Item> {
  return sent("PUT", `/api/documents/${encodeURIComponent(path)}/content`, file, progress, { "If-None-Match": "*" });
}

/** The same at any address of the server. */
export function sent<T>(method: string, path: string, file: Blob, progress: (sent: number) => void, headers: Readonly<Record<string, string>> = {}): Sending<T> {
  const request = new XMLHttpRequest();
  request.open(method, base + path);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  if (lease !== null) request.setRequestHeader("Authorization", `Bearer ${lease.token()}`);
  request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
  const done = new Promise<T>((resolve, reject) => {
    request.addEventListener("load", () => (request.status === 201 || request.status === 200 ? resolve(JSON.parse(request.responseText) as T) : reject(problemIn(request))));
    request.addEventListener("error", () => reject(new Problem(0, "offline", "")));
    request.addEventListener("abort", () => reject(new Problem(0, "cancelled", "")));
  });
  request.send(file);
  return { done, cancel: () => request.abort() };
}

function problemIn({ status, responseText }: XMLHttpRequest): Problem {
  try {
    const said = JSON.parse(responseText) as { detail?: string; title?: string; reason?: string };
    return new Problem(status, said.reason ?? "error", said.detail ?? said.title ?? "");
  } catch {
    return new Problem(status, "error", String(status));
  }
}
