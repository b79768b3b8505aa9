/** An open page and a newer server: reload without loss, and never in a loop. */

export type Step = "none" | "wait" | "reload" | "tell";

/** What a tab remembers; null where the browser denies it, as some do in frames of other sites. */
export function tabMemory(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

const KEY = "collab-reloaded-for";

/**
 * What to do about the server's version.
 *
 * `wait` until everything is stored, `reload` now (remembered in `memory`), `tell` when a reload for this version did not help,
 * or when nothing can be remembered.
 */
export function step(page: string, server: string, busy: boolean, memory: Pick<Storage, "getItem" | "setItem"> | null): Step {
  if (server === "" || server === page) return "none";
  if (memory === null || memory.getItem(KEY) === server) return "tell";
  if (busy) return "wait";
  memory.setItem(KEY, server);
  return "reload";
}
