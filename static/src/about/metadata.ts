/** What is said about a document, as the server tells it and takes it. */

import { call, Problem } from "../base/api.ts";

export interface About {
  readonly tags: readonly string[];
  readonly description: string;
}

/** With whether anything of the kind is kept where the document is; `etag` names what was read. */
export interface Told extends About {
  readonly kept: boolean;
  readonly etag: string;
}

/** Characters and numbers that the server takes. */
export const MOST = { tags: 20, tag: 50, description: 1000 } as const;
/** How often a change is made anew on what somebody else changed at the same moment. */
const TIMES = 5;

const path = (document: string): string => `/api/documents/${encodeURIComponent(document)}/metadata`;

/** Raises `Problem`. */
export const read = (document: string): Promise<Told> => call("GET", path(document));

/** Say what `made` makes of what is said now; fields that it leaves out stay. Raises `Problem`. */
export async function write(document: string, made: (now: About) => Partial<About>): Promise<About> {
  for (let time = 1; ; time += 1) {
    const now = await read(document);
    try {
      return await call<About>("PUT", path(document), made(now), { "If-Match": `"${now.etag}"` });
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 412 || time === TIMES) throw problem;
    }
  }
}
