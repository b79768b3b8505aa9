/** What one can do with Markdown: each command with its picture, its key and its state. */

import { openSearchPanel } from "@codemirror/search";
import type { EditorState, StateCommand } from "@codemirror/state";
import type { EditorView, KeyBinding } from "@codemirror/view";
import type * as Y from "yjs";

import type { Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { cycleHeading, heading, kindOf, levelOf, list, quote } from "./blocks.ts";
import { around, marked, toggle, type Edit } from "./inline.ts";
import { codeBlock, footnote, formula, link, rule, table } from "./inserts.ts";
import { indentItems, outdentItems } from "./lists.ts";
import { parsed } from "./parsed.ts";
import { addColumn, addRow, alignTable, cycleAlignment, enterRow, nextCell, previousCell, removeColumn, removeRow } from "./tablekeys.ts";

export interface Command {
  edit: Edit;
  icon: Icon;
  /** In CodeMirror's words. */
  key?: string;
  /** Whether it is on at the caret; a command without it is never on. */
  pressed?: (state: EditorState) => boolean;
}

const lineAt = (state: EditorState): string => state.doc.lineAt(state.selection.main.head).text;
const levelAt = (state: EditorState): number => levelOf(state, state.doc.lineAt(state.selection.main.head));
const is = (node: string) => (state: EditorState): boolean => around(state, node, state.selection.main) !== null;

export const COMMANDS = {
  heading: { edit: cycleHeading, icon: "heading", pressed: (state) => levelAt(state) > 0 },
  heading1: { edit: heading(1), icon: "heading", key: "Mod-Alt-1" },
  heading2: { edit: heading(2), icon: "heading", key: "Mod-Alt-2" },
  heading3: { edit: heading(3), icon: "heading", key: "Mod-Alt-3" },
  bold: { edit: toggle("bold"), icon: "bold", key: "Mod-b", pressed: (state) => marked(state, "bold") },
  italic: { edit: toggle("italic"), icon: "italic", key: "Mod-i", pressed: (state) => marked(state, "italic") },
  strike: { edit: toggle("strike"), icon: "strike", key: "Mod-Shift-x", pressed: (state) => marked(state, "strike") },
  code: { edit: toggle("code"), icon: "code", key: "Mod-e", pressed: (state) => marked(state, "code") },
  link: { edit: link, icon: "link", key: "Mod-k", pressed: is("Link") },
  footnote: { edit: footnote, icon: "footnote" },
  quote: { edit: quote, icon: "quote", key: "Mod-Shift-9", pressed: (state) => /^ {0,3}>/.test(lineAt(state)) },
  bullet: { edit: list("bullet"), icon: "bullet", key: "Mod-Shift-8", pressed: (state) => kindOf(lineAt(state)) === "bullet" },
  number: { edit: list("number"), icon: "number", key: "Mod-Shift-7", pressed: (state) => kindOf(lineAt(state)) === "number" },
  task: { edit: list("task"), icon: "task", key: "Mod-Shift-6", pressed: (state) => kindOf(lineAt(state)) === "task" },
  codeBlock: { edit: codeBlock, icon: "codeBlock", pressed: is("FencedCode") },
  table: { edit: table((n) => t("editor.table.column", { n })), icon: "table" },
  formula: { edit: formula, icon: "formula" },
  rule: { edit: rule, icon: "rule" },
  addRow: { edit: addRow, icon: "addRow" },
  removeRow: { edit: removeRow, icon: "removeRow" },
  addColumn: { edit: addColumn, icon: "addColumn" },
  removeColumn: { edit: removeColumn, icon: "removeColumn" },
  align: { edit: cycleAlignment, icon: "align" },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

/** The commands of the toolbar, in groups; the last ones only in a table. */
export const GROUPS: readonly (readonly CommandName[])[] = [
  ["heading", "bold", "italic", "strike", "code"],
  ["link", "footnote"],
  ["bullet", "number", "task", "quote"],
  ["codeBlock", "table", "formula", "rule"],
];
export const TABLE: readonly CommandName[] = ["addRow", "removeRow", "addColumn", "removeColumn", "align"];

/** Do it, as one step that can be undone; says whether it applied. */
export function perform(view: EditorView, undo: Y.UndoManager, name: CommandName): boolean {
  if (view.state.readOnly) return false;
  const spec = COMMANDS[name].edit(parsed(view).state);
  if (spec === null) return false;
  undo.stopCapturing();
  view.dispatch(spec);
  if (TABLE.includes(name)) straighten(view);
  undo.stopCapturing();
  return true;
}

function straighten(view: EditorView): void {
  const spec = alignTable(view.state);
  if (spec !== null) view.dispatch(spec);
}

/** Either of both, the first that applies. */
const either =
  (...commands: StateCommand[]): StateCommand =>
  (target) =>
    commands.some((command) => command(target));

/** The keys of Markdown. Tab means something in lists and tables only: elsewhere it leaves the text. */
export function markdownKeys(undo: Y.UndoManager): KeyBinding[] {
  const named = Object.entries(COMMANDS as Record<CommandName, Command>).flatMap(([name, { key }]): KeyBinding[] =>
    key === undefined ? [] : [{ key, run: (view) => perform(view, undo, name as CommandName) || !view.state.readOnly, preventDefault: true }],
  );
  return [
    ...named,
    { key: "Tab", run: either(nextCell, indentItems), shift: either(previousCell, outdentItems) },
    { key: "Enter", run: enterRow },
  ];
}

/** Open the panel for it. */
export const find = (view: EditorView): boolean => openSearchPanel(view);
