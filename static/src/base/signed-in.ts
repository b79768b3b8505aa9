/** What the window in which somebody signed in tells the pages that wait: where it came back from another site, they do not hold it any more. */

import { base } from "./page.ts";

const CHANNEL = `collab-signed-in${base}`;

/** Null where a browser has none, or not here: then a page that waits looks again when it gets the focus. */
function channel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return null;
  }
}

/** Tell all pages of this browser that somebody has just signed in. */
export function tellSignedIn(): void {
  const all = channel();
  all?.postMessage("");
  all?.close();
}

/** Call `then` whenever somebody has signed in in another window. */
export function onSignedIn(then: () => void): void {
  channel()?.addEventListener("message", then);
}
