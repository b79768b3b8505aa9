/** The keys of the command mode, as Jupyter has them: what they do to the chosen cell. */

import type { ActName } from "./acts.ts";

/** Keys as events name them; two letters: one after the other. */
const KEYS: Readonly<Record<string, ActName>> = {
  ArrowUp: "previous",
  k: "previous",
  ArrowDown: "next",
  j: "next",
  Home: "first",
  End: "last",
  Enter: "write",
  a: "above",
  b: "below",
  x: "cut",
  c: "copy",
  v: "paste",
  dd: "remove",
  Delete: "remove",
  Backspace: "remove",
  m: "toMarkdown",
  y: "toCode",
  r: "toRaw",
  z: "undo",
  "Shift+Z": "redo",
  "Mod+z": "undo",
  "Mod+y": "redo",
  "Mod+Shift+Z": "redo",
  "Shift+M": "merge",
  "Alt+ArrowUp": "up",
  "Alt+ArrowDown": "down",
  "Shift+Enter": "leave",
  "Mod+Enter": "stay",
  "Alt+Enter": "leaveBelow",
  "Mod+f": "find",
  f: "find",
  h: "help",
  "?": "help",
};

/** Milliseconds in which the second of two keys is to follow. */
const PAIR = 1000;

export class CommandKeys {
  private first = "";
  private at = -Infinity;

  /** What the key does now; null for one that does nothing. */
  act(event: KeyboardEvent): ActName | null {
    const pressed = named(event);
    const twice = `${pressed}${pressed}`;
    const pair = this.first === pressed && event.timeStamp - this.at < PAIR && Object.hasOwn(KEYS, twice);
    this.first = pair ? "" : pressed;
    this.at = event.timeStamp;
    const name = pair ? twice : pressed;
    return Object.hasOwn(KEYS, name) ? (KEYS[name] ?? null) : null;
  }
}

function named({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string {
  const letter = shiftKey && key !== "?" ? key.toUpperCase() : key;
  const name = letter.length > 1 ? key : letter;
  const shift = shiftKey && key !== "?" ? "Shift+" : "";
  return `${ctrlKey || metaKey ? "Mod+" : ""}${altKey ? "Alt+" : ""}${shift}${name}`;
}
