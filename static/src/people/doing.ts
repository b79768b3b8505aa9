/** What somebody does, in words: where their caret is, and whether they type. */

import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";

import { t } from "../base/messages.ts";
import type { Doing } from "./presence.ts";

/** Blocks that are looked at before a caret for its heading. */
const FAR = 3000;
const LONGEST = 60;

/** `offset` null: without a caret. */
export function doingWords(doing: Doing, state: EditorState, offset: number | null): string {
  if (doing === "idle") return t("people.idle");
  const typing = doing === "typing";
  if (offset === null) return typing ? t("people.typing") : t("people.reading");
  const place = headingAt(state, offset);
  if (place !== null) return typing ? t("people.typing.in", { place }) : t("people.in", { place });
  const line = state.doc.lineAt(Math.min(offset, state.doc.length)).number;
  return typing ? t("people.typing.line", { line }) : t("people.line", { line });
}

/** The words of the heading under which an offset of a Markdown text is; null for none. */
export function headingAt(state: EditorState, offset: number): string | null {
  let node = syntaxTree(state).topNode.childBefore(offset + 1);
  for (let steps = 0; node !== null && steps < FAR; steps += 1) {
    if (/^(ATX|Setext)Heading/.test(node.name)) return heading(state.sliceDoc(node.from, Math.min(node.to, node.from + 500)));
    node = node.prevSibling;
  }
  return null;
}

function heading(source: string): string | null {
  const words = (source.split("\n")[0] ?? "")
    .replace(/^\s*#{1,6}\s*/, "")
    .replace(/\s+#+\s*$/, "")
    .replace(/[*_`~]+/g, "")
    .trim();
  const letters = Array.from(words);
  if (letters.length === 0) return null;
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST).join("")}…` : words;
}
