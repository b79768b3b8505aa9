/** The keys that one can use, in a window of their own. */

import type { Desk } from "./desk.ts";

export function showShortcuts(desk: Desk): void {
  desk.view.focus();
}
