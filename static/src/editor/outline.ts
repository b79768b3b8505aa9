/** The headings of the document, to jump to. */

import type { Desk } from "./desk.ts";

/** Keep the outline in `parent` as the text is now. */
export function outline(parent: HTMLElement, desk: Desk): void {
  parent.dataset["path"] = desk.path;
}
