/** The keys of vim, which undo only what is ours and say of `:w` what is true. */

import type { Extension } from "@codemirror/state";
import { CodeMirror, Vim, vim } from "@replit/codemirror-vim";
import type * as Y from "yjs";

import { element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";

/** Commands that write, as vim has them: name and least abbreviation. */
const WRITE = [
  ["write", "w"],
  ["wall", "wa"],
  ["wq", "wq"],
  ["xit", "x"],
  ["update", "up"],
] as const;

/** The part of vim's editor that we speak to. */
interface Shown {
  openNotification(what: Node, options: { bottom: boolean; duration: number }): void;
}

/** There is nothing to do: every key is sent at once. What became of it is what the page says anyway. */
function say(editor: Shown): void {
  const words = t("editor.vim.write", { state: part("words-seen").textContent ?? "" });
  editor.openNotification(element("span", { role: "status" }, words), { bottom: true, duration: 4000 });
}

export function vimKeys(undo: Y.UndoManager): Extension {
  Object.assign(CodeMirror.commands, { undo: () => void undo.undo(), redo: () => void undo.redo() });
  for (const [name, least] of WRITE) Vim.defineEx(name, least, (editor: unknown) => say(editor as Shown));
  return vim({ status: true });
}
