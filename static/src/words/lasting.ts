/** What the browser is asked for so that words outlast the page. */

/** Milliseconds after which it is done even when the page is never idle. */
const PATIENCE = 2000;

/** Call it when nobody waits for anything else. */
export function whenIdle(act: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(act, { timeout: PATIENCE });
  else setTimeout(act, 0);
}

const ASKED = "collab-lasting";

/** Ask that our storage is not cleared when room is short; once in this browser's life, since some ask the person. */
export async function askToLast(): Promise<void> {
  try {
    if (localStorage.getItem(ASKED) !== null || (await navigator.storage.persisted())) return;
    localStorage.setItem(ASKED, "1");
    await navigator.storage.persist();
  } catch {
    // Then the browser decides by itself.
  }
}
