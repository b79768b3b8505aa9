/** What can be done with cells, by name: for keys, buttons and the list of keys. */

import type { Icon } from "../base/icons.ts";

/** What each needs to be allowed: nothing, a chosen cell, or also the right to write. */
const NEEDS = {
  previous: "",
  next: "",
  first: "",
  last: "",
  find: "",
  help: "",
  copy: "cell",
  stay: "cell",
  leave: "cell",
  write: "cell",
  undo: "writing",
  redo: "writing",
  paste: "writing",
  end: "writing",
  endText: "writing",
  image: "writing",
  above: "both",
  below: "both",
  cut: "both",
  remove: "both",
  up: "both",
  down: "both",
  split: "both",
  merge: "both",
  leaveBelow: "both",
  toCode: "both",
  toMarkdown: "both",
  toRaw: "both",
} as const satisfies Record<string, "" | "cell" | "writing" | "both">;

export type ActName = keyof typeof NEEDS;

/** Whether it can be done now. */
export function allowed(name: ActName, { readOnly, chosen }: { readOnly: boolean; chosen: boolean }): boolean {
  const needs: string = NEEDS[name];
  return (!readOnly || (needs !== "writing" && needs !== "both")) && (chosen || (needs !== "cell" && needs !== "both"));
}

/** The buttons above all cells, in groups, and their keys (CodeMirror's names). */
export const TOOLS: readonly (readonly (readonly [ActName, Icon, string?])[])[] = [
  [["undo", "undo", "Mod-z"], ["redo", "redo", "Mod-Shift-z"]],
  [["above", "above", "A"], ["below", "below", "B"], ["image", "image"]],
  [["up", "up", "Alt-ArrowUp"], ["down", "down", "Alt-ArrowDown"]],
  [["split", "splitCell", "Ctrl-Shift--"], ["merge", "mergeCells", "Shift-M"], ["remove", "trash", "D D"]],
  [["find", "search", "Mod-f"], ["help", "keys", "H"]],
];

/** The types that a cell can be made, and their keys. */
export const KINDS: readonly (readonly [ActName, string])[] = [["toCode", "Y"], ["toMarkdown", "M"], ["toRaw", "R"]];
