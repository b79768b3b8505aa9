/** The keys of emacs, which undo only what is ours. */

import { insertNewlineContinueMarkup } from "@codemirror/lang-markdown";
import { insertNewlineAndIndent } from "@codemirror/commands";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { emacs, EmacsHandler } from "@replit/codemirror-emacs";
import type * as Y from "yjs";

import { parsed } from "./parsed.ts";

export function emacsKeys(undo: Y.UndoManager): Extension {
  EmacsHandler.bindKey("C-/|C-x u|S-C--|C-z", () => void undo.undo());
  EmacsHandler.bindKey("S-C-/|S-C-x u|C--|S-C-z", () => void undo.redo());
  // Lists go on, as with all other keys.
  EmacsHandler.bindKey("Return|C-m", (view: EditorView) => insertNewlineContinueMarkup(parsed(view)) || insertNewlineAndIndent(view));
  return emacs();
}
