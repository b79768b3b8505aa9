/** How a file of code is indented. */

import { indentUnit } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";

/** Lines that tell it. */
const LOOK = 200;

/** How this text is indented already; as `usual` when it tells nothing. */
export function indentation(text: string, usual: string): Extension {
  const lines = text.split("\n", LOOK);
  const tabs = lines.filter((line) => line.startsWith("\t")).length;
  const widths = lines.map((line) => /^ +(?=\S)/.exec(line)?.[0].length ?? 0).filter((width) => width > 1);
  const spaces = widths.length === 0 ? usual : " ".repeat(Math.min(8, ...widths));
  const unit = tabs > widths.length ? "\t" : spaces;
  return [indentUnit.of(unit), EditorState.tabSize.of(4)];
}

