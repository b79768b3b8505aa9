/** Task lists: `- [ ] to do` and `- [x] done`, and the line that ticking changes. */

import type MarkdownIt from "markdown-it";
import type StateCore from "markdown-it/lib/rules_core/state_core.mjs";
import type Token from "markdown-it/lib/token.mjs";

import { hook } from "./hooks.ts";

/** Quotes and list marks before the box; the box's own content. */
const TASK = /^((?:[\s>]|[-*+]\s|\d{1,9}[.)]\s)*\[)([ xX])(?=\](?:\s|$))/;

export interface Box {
  /** UTF-16 offset of the space or `x` in its line. */
  at: number;
  ticked: boolean;
}

/** The box in a line of Markdown, null when it has none. */
export function boxIn(line: string): Box | null {
  const found = TASK.exec(line);
  return found === null ? null : { at: found[1]?.length ?? 0, ticked: found[2] !== " " };
}

/** A line as one knows it again, ticked or not. */
export function fingerprint(line: string): string {
  const box = boxIn(line);
  return (box === null ? line : `${line.slice(0, box.at)} ${line.slice(box.at + 1)}`).trimEnd();
}

/** Boxes at the start of list items become hooks with their line, counted from the block's first. */
export function tasks(md: MarkdownIt, mark: string): void {
  md.core.ruler.after("inline", "tasks", ({ tokens, env, Token }: StateCore) => {
    tokens.forEach((token, index) => {
      if (token.type === "inline" && tokens[index - 1]?.type === "paragraph_open" && tokens[index - 2]?.type === "list_item_open") {
        box(token, Token, env.first ?? 0);
      }
    });
  });
  md.renderer.rules["task"] = (all, index) => {
    const { line, ticked } = all[index]?.meta as { line: number; ticked: boolean };
    return `<span${hook(mark, "task", String(line), ticked ? "x" : "")}></span>`;
  };
}

function box(inline: Token, Made: StateCore["Token"], first: number): void {
  const start = inline.children?.[0];
  const found = /^\[([ xX])\](?:\s|$)/.exec(inline.content);
  // A link whose name is "x" is a link.
  if (found === null || start?.type !== "text" || !start.content.startsWith(found[0].slice(0, 3))) return;
  start.content = start.content.slice(3).replace(/^\s/, "");
  const task = new Made("task", "", 0);
  task.meta = { line: (inline.map?.[0] ?? first) - first, ticked: found[1] !== " " };
  inline.children?.unshift(task);
}
