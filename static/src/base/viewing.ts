/** A document that may be looked at only: nothing of it goes out of this page, as far as a page can see to that. */

import { t } from "./messages.ts";
import { note, unnote } from "./notes.ts";

export const viewOnly = document.documentElement.dataset["viewOnly"] === "yes";

/** Keys with Ctrl or Cmd that take the page somewhere else: print it, save it. */
const KEYS = new Set(["p", "s"]);

/** From now on nothing is copied, dragged, saved or printed; the styles do the rest. */
export function keepIn(): void {
  if (!viewOnly) return;
  // Before everybody else: editors copy what they have selected by themselves.
  const first = { capture: true };
  for (const kind of ["copy", "cut", "dragstart", "contextmenu"]) addEventListener(kind, (event) => refuse(event, kind === "copy" || kind === "cut"), first);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && KEYS.has(event.key.toLowerCase())) refuse(event, true);
  }, first);
  // Keys of other editors write there without any event. Over plain HTTP there is none.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  const no = (): Promise<void> => Promise.reject(new DOMException(t("editor.viewOnly.text"), "NotAllowedError"));
  if (clipboard !== undefined) Object.defineProperties(clipboard, { write: { value: no }, writeText: { value: no } });
}

function refuse(event: Event, tell: boolean): void {
  // What somebody types into a field of ours is their own.
  if (event.target instanceof HTMLInputElement && event.type !== "keydown") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (tell) note("view-only", { text: t("editor.viewOnly.text"), acts: [{ label: t("common.close"), act: () => void unnote("view-only") }] });
}
