/** Formulas in Markdown: `$…$` and `$$…$$` in a line, and `$$` blocks. `$5 and $6` is none. */

import type MarkdownIt from "markdown-it";
import type StateBlock from "markdown-it/lib/rules_block/state_block.mjs";
import type StateInline from "markdown-it/lib/rules_inline/state_inline.mjs";

import { escaped, hook } from "./hooks.ts";

const DOLLAR = 0x24;
const SPACE = /\s/;

/** Where a search for an end found none, so that a text full of dollars is not searched once for each. */
const hopeless = new WeakMap<object, Map<string, number>>();

export function maths(md: MarkdownIt, mark: string): void {
  md.inline.ruler.after("escape", "formula", inline);
  md.block.ruler.before("fence", "formula", block, { alt: ["paragraph", "reference", "blockquote", "list"] });
  md.renderer.rules["formula"] = (tokens, index) => within(hook(mark, "formula"), tokens[index]?.content ?? "");
  md.renderer.rules["display_inline"] = (tokens, index) => within(hook(mark, "display"), tokens[index]?.content ?? "");
  md.renderer.rules["display"] = (tokens, index) => display(mark, tokens[index]?.content ?? "");
}

const within = (hooked: string, source: string): string => `<span${hooked}><code>${escaped(source)}</code></span>`;

/** A formula on its own lines. */
export function display(mark: string, source: string): string {
  return `<div${hook(mark, "display")}><code>${escaped(source.trim())}</code></div>\n`;
}

function inline(state: StateInline, silent: boolean): boolean {
  if (state.src.charCodeAt(state.pos) !== DOLLAR) return false;
  const fence = state.src.startsWith("$$", state.pos) ? "$$" : "$";
  const start = state.pos + fence.length;
  const end = fence === "$$" ? endOfDouble(state, start) : endOfSingle(state, start);
  if (end < 0) {
    // Else the second dollar would be looked at as an opening one.
    if (fence === "$$" && !silent) state.pending += fence;
    if (fence === "$$") state.pos += 2;
    return fence === "$$";
  }
  if (!silent) state.push(fence === "$$" ? "display_inline" : "formula", "code", 0).content = state.src.slice(start, end).trim();
  state.pos = end + fence.length;
  return true;
}

/** As pandoc has it: no space inside of the dollars, no digit after the last, and none between them. */
function endOfSingle(state: StateInline, start: number): number {
  if (start >= state.posMax || SPACE.test(state.src[start] ?? " ")) return -1;
  const end = next(state, "$", start);
  const ends = end > start && !SPACE.test(state.src[end - 1] ?? " ") && !/[\d$]/.test(state.src[end + 1] ?? "");
  return ends ? end : -1;
}

function endOfDouble(state: StateInline, start: number): number {
  const end = next(state, "$$", start);
  return state.src.slice(start, Math.max(end, start)).trim() === "" ? -1 : end;
}

/** The next place of these dollars without a backslash before them, -1 when there is none. */
function next(state: StateInline, dollars: string, start: number): number {
  for (let at = start; (at = state.src.indexOf(dollars, at)) >= 0 && at < state.posMax; at += 1) if (!escapedAt(state.src, at)) return at;
  return -1;
}

function escapedAt(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes += 1;
  return slashes % 2 === 1;
}

/** `$$`, then lines without an empty one between, until one that ends with `$$`. */
function block(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const first = lineOf(state, startLine);
  if (!first.startsWith("$$") || (state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  const found = endOfBlock(state, first, startLine, endLine);
  if (found === null) return false;
  if (silent) return true;
  const token = state.push("display", "div", 0);
  token.block = true;
  token.content = found.source;
  token.map = [startLine, found.line + 1];
  state.line = found.line + 1;
  return true;
}

function endOfBlock(state: StateBlock, first: string, startLine: number, endLine: number): { source: string; line: number } | null {
  const opening = first.slice(2).trim();
  const single = opening.endsWith("$$") ? opening.slice(0, -2) : opening;
  if (single.includes("$$") || (single === "" && opening !== "")) return null;
  if (single !== opening) return { source: single, line: startLine };
  const memory = hopeless.get(state) ?? new Map<string, number>();
  hopeless.set(state, memory);
  if (startLine < (memory.get("lines") ?? -1)) return null;
  const lines = [opening];
  for (let line = startLine + 1; line < endLine; line += 1) {
    const text = lineOf(state, line).trimEnd();
    if (text.trim() === "" || (state.sCount[line] ?? 0) < state.blkIndent) return remember(memory, line);
    if (text.endsWith("$$")) return { source: [...lines, text.slice(0, -2)].join("\n"), line };
    lines.push(text);
  }
  return remember(memory, endLine);
}

function remember(memory: Map<string, number>, line: number): null {
  memory.set("lines", line);
  return null;
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);
}
