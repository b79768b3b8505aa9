/** The keys of a notebook. */

import { keysWindow, type Row } from "../editor/shortcuts.ts";
import { KEYS_KEY, OUTLINE_KEY, REGION_KEY, TOOLBAR_KEY } from "../editor/regions.ts";

const CHOOSING: readonly Row[] = [
  ["notebook.keys.previous", "ArrowUp", "ArrowDown", "K", "J"],
  ["notebook.act.write", "Enter"],
  ["notebook.act.above", "A"],
  ["notebook.act.below", "B"],
  ["notebook.act.remove", "D D"],
  ["notebook.keys.undo", "Z", "Shift-Z"],
  ["notebook.keys.copy", "C", "X", "V"],
  ["notebook.keys.type", "Y", "M", "R"],
  ["notebook.keys.move", "Alt-ArrowUp", "Alt-ArrowDown"],
  ["notebook.act.merge", "Shift-M"],
  ["notebook.act.find", "F"],
  ["notebook.act.help", "H"],
];
const WRITING: readonly Row[] = [
  ["notebook.keys.leave", "Escape"],
  ["notebook.keys.next", "Shift-Enter"],
  ["notebook.keys.insert", "Alt-Enter"],
  ["notebook.act.split", "Ctrl-Shift--"],
  ["notebook.keys.undo", "Mod-z", "Mod-Shift-z"],
  ["editor.keys.comment", "Mod-/"],
  ["notebook.act.find", "Mod-f"],
];
const PAGE: readonly Row[] = [
  ["editor.menu.keys", KEYS_KEY],
  ["editor.outline", OUTLINE_KEY],
  ["editor.keys.region", REGION_KEY],
  ["editor.keys.toolbar", TOOLBAR_KEY],
];

/** Show them in a window. */
export function showKeys(): void {
  keysWindow([
    ["notebook.keys.choosing", CHOOSING],
    ["notebook.keys.writing", WRITING],
    ["editor.keys.page", PAGE],
  ]);
}
