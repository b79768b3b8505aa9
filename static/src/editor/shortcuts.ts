/** The keys that one can use, in a window of their own. */

import "../styles/shortcuts.css";
import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { COMMANDS, type Command, type CommandName } from "./commands.ts";
import type { Desk } from "./desk.ts";
import { isMac, parts } from "./keys.ts";
import { isMarkdown, isProse } from "./languages.ts";
import { HISTORY_KEY, KEYS_KEY, MODE_KEY, OUTLINE_KEY, REGION_KEY, TOOLBAR_KEY } from "./regions.ts";

/** What they do, and one key or several. */
export type Row = readonly [label: Key, ...keys: string[]];

const WRITING: readonly Row[] = [
  ["editor.undo", "Mod-z"],
  ["editor.redo", "Mod-Shift-z"],
  ["editor.keys.all", "Mod-a"],
  ["editor.keys.lineUp", "Alt-ArrowUp", "Alt-ArrowDown"],
  ["editor.keys.copyLine", "Shift-Alt-ArrowDown"],
  ["editor.keys.deleteLine", "Mod-Shift-k"],
  ["editor.keys.leave", "Escape Tab"],
];
const FINDING: readonly Row[] = [
  ["editor.menu.find", "Mod-f"],
  ["editor.find.next", "Mod-g"],
  ["editor.find.previous", "Mod-Shift-g"],
  ["editor.keys.sameWord", "Mod-d"],
  ["editor.phrase.goto", "Mod-Alt-g"],
];
const LISTS: readonly Row[] = [
  ["editor.keys.indent", "Tab"],
  ["editor.keys.outdent", "Shift-Tab"],
  ["editor.keys.nextCell", "Tab"],
  ["editor.keys.previousCell", "Shift-Tab"],
  ["editor.keys.newRow", "Enter"],
];
const FOLD = isMac() ? "Mod-Alt" : "Ctrl-Shift";
const CODE: readonly Row[] = [
  ["editor.keys.comment", "Mod-/"],
  ["editor.keys.indentCode", "Tab"],
  ["editor.keys.outdentCode", "Shift-Tab"],
  ["editor.keys.fold", `${FOLD}-[`],
  ["editor.keys.unfold", `${FOLD}-]`],
];

export function showShortcuts(desk: Desk): void {
  const markdown = isMarkdown(desk.path);
  keysWindow([
    ["editor.keys.page", page(markdown)],
    ["editor.keys.writing", WRITING],
    ...(markdown ? ([["editor.keys.lists", LISTS], ["editor.tools", formats()]] as const) : []),
    ...(isProse(desk.path) ? [] : ([["editor.keys.code", CODE]] as const)),
    ["editor.keys.finding", FINDING],
  ]);
}

/** A window with these keys, by area. */
export function keysWindow(areas: readonly (readonly [title: Key, rows: readonly Row[]])[]): void {
  document.querySelector("dialog.shortcuts")?.remove();
  const dialog = element("dialog", { class: "shortcuts", "aria-labelledby": "shortcuts-title" });
  const close = button("", () => dialog.close(), "pic");
  close.append(icon("close"));
  close.setAttribute("aria-label", t("common.close"));
  dialog.append(
    element("header", {}, element("h2", { id: "shortcuts-title" }, t("editor.menu.keys")), close),
    element("div", { class: "areas", tabindex: "0", role: "region", "aria-labelledby": "shortcuts-title" }, ...areas.map(([title, rows]) => area(title, rows))),
  );
  // A press beside the window is a press on the dialog itself.
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function page(markdown: boolean): Row[] {
  const views: Row[] = [
    ["editor.keys.mode", MODE_KEY],
    ["editor.outline", OUTLINE_KEY],
  ];
  return [
    ["editor.menu.keys", KEYS_KEY],
    ["editor.keys.region", REGION_KEY],
    ["editor.keys.toolbar", TOOLBAR_KEY],
    ["editor.menu.history", HISTORY_KEY],
    ...(markdown ? views : []),
  ];
}

function formats(): Row[] {
  const commands = Object.entries(COMMANDS as Record<CommandName, Command>);
  return commands.flatMap(([name, { key }]): Row[] => (key === undefined ? [] : [[`editor.command.${name as CommandName}`, key]]));
}

function area(title: Key, rows: readonly Row[]): HTMLElement {
  const list = element("dl", {}, ...rows.flatMap(([label, ...keys]) => [element("dt", {}, t(label)), element("dd", {}, ...keys.flatMap(chord))]));
  return element("section", {}, element("h3", {}, t(title)), list);
}

const ARROWS: Readonly<Record<string, string>> = { ARROWUP: "↑", ARROWDOWN: "↓" };

/** One key or several at once; a space in it: one after the other. */
function chord(keys: string, at: number): (HTMLElement | string)[] {
  const shown = keys.split(" ").flatMap((each, after) => [
    after === 0 ? "" : " ",
    element("span", { class: "chord" }, ...parts(each).flatMap((name, number) => [number === 0 || isMac() ? "" : "+", element("kbd", {}, ARROWS[name] ?? name)])),
  ]);
  return at === 0 ? shown : [" ", ...shown];
}
