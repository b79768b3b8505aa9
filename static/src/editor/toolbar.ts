/** The buttons above the text. */

import type { Desk } from "./desk.ts";

/** Fill `parent` (role toolbar, hidden until then) with what can be done with this kind of document. */
export function toolbar(parent: HTMLElement, desk: Desk): void {
  parent.hidden = desk.readOnly;
}
