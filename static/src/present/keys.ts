/** Keys of a presentation. */

export type Command = "next" | "back" | "first" | "last" | "full" | "overview" | "black" | "speaker" | "keys" | "print" | "leave";
export type Stroke = { command: Command } | { digit: string } | { go: number } | null;

const COMMANDS: Readonly<Record<string, Command>> = {
  ArrowRight: "next",
  ArrowDown: "next",
  PageDown: "next",
  " ": "next",
  n: "next",
  ArrowLeft: "back",
  ArrowUp: "back",
  PageUp: "back",
  Backspace: "back",
  p: "back",
  Home: "first",
  End: "last",
  f: "full",
  o: "overview",
  b: "black",
  ".": "black",
  s: "speaker",
  "?": "keys",
  Escape: "leave",
};

/** For the list that `?` shows: what each does, and its keys. */
export const LISTED: readonly { command: Command | "number"; keys: readonly string[] }[] = [
  { command: "next", keys: ["→", "↓", "Space", "Page Down"] },
  { command: "back", keys: ["←", "↑", "Shift Space", "Page Up"] },
  { command: "first", keys: ["Home"] },
  { command: "last", keys: ["End"] },
  { command: "number", keys: ["1 2 Enter"] },
  { command: "overview", keys: ["O"] },
  { command: "speaker", keys: ["S"] },
  { command: "full", keys: ["F"] },
  { command: "black", keys: ["B"] },
  { command: "print", keys: ["Ctrl P"] },
  { command: "keys", keys: ["?"] },
  { command: "leave", keys: ["Esc"] },
];

type Pressed = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** What a key means; `typed` are the digits before it. */
export function strokeOf({ key, shiftKey, ctrlKey, metaKey, altKey }: Pressed, typed: string): Stroke {
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "p") return { command: "print" };
  if (ctrlKey || metaKey || altKey) return null;
  if (/^\d$/.test(key)) return { digit: key };
  if (key === "Enter") return typed === "" ? { command: "next" } : { go: Number(typed) };
  if (key === " " && shiftKey) return { command: "back" };
  const command = COMMANDS[key] ?? COMMANDS[key.toLowerCase()];
  return command === undefined ? null : { command };
}

/** Whether the key is for what has the focus and not for the presentation. */
export function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable=true]") !== null) return true;
  return (key === " " || key === "Enter") && target.closest("button, a[href], summary, input") !== null;
}
