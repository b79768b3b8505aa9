/** The line below the text: words, place of the caret. */

import type { Desk } from "./desk.ts";

export function statusLine(parent: HTMLElement, desk: Desk): void {
  parent.hidden = desk.text.length < 0;
}
