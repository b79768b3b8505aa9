/** Commands that ask the syntax tree: what stands at the caret has to be in it. */

import { forceParsing } from "@codemirror/language";
import type { Command, EditorView } from "@codemirror/view";

/** How long a key may wait for the parser, in milliseconds. */
const PATIENCE = 200;

/** The editor with its text parsed to the end of the line where it is selected, at least: after a change the parser has 20 ms of the clock, and on a busy machine none of them. */
export function parsed(view: EditorView): EditorView {
  const { doc, selection } = view.state;
  forceParsing(view, doc.lineAt(selection.main.to).to, PATIENCE);
  return view;
}

/** The command, on what is parsed. */
export const onParsed =
  (command: Command): Command =>
  (view) =>
    command(parsed(view));
