/** Where a parsed text can be cut, so that a change of a word changes little of the page. */

import Token from "markdown-it/lib/token.mjs";

import { ATTRIBUTE, hookValue } from "./hooks.ts";

export interface Piece {
  tokens: Token[];
  first: number;
  end: number;
  source: string;
}

/** Items of a list from which on it is cut. */
const LONG = 48;
const SHORTEST = 8;
const LONGEST = 64;

const NAMES = "article|aside|blockquote|center|details|div|dl|figure|footer|header|main|nav|ol|section|table|tbody|thead|ul";
const CONTAINERS = new RegExp(`<(/?)(?:${NAMES})(?=[\\s/>])`, "gi");
/** Pieces that an author's unclosed tag may span. */
const SPAN = 400;

/** The tokens of each top-level block; long lists in several. */
export function pieces(tokens: readonly Token[], mark: string): Token[][] {
  const found: Token[][] = [];
  let piece: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    piece.push(token);
    depth += token.nesting;
    if (depth > 0) continue;
    found.push(...cut(piece, mark));
    piece = [];
  }
  return found;
}

/** A long list as several that go on: cut where the words of an item say so, so that an item more moves few of the cuts. */
function cut(list: Token[], mark: string): Token[][] {
  const [open, close] = [list[0], list.at(-1)];
  const items = open?.type.endsWith("_list_open") ? itemsOf(list) : [];
  if (open === undefined || close === undefined || items.length < LONG) return [list];
  const parts: Token[][] = [];
  let part: Token[][] = [];
  for (const item of items) {
    if (part.length >= LONGEST || (part.length >= SHORTEST && isCut(item))) {
      parts.push(part.flat());
      part = [];
    }
    part.push(item);
  }
  parts.push(part.flat());
  let count = Number(open.attrGet("start") ?? 1);
  return parts.map((each, index) => {
    const first = opening(open, each, count);
    if (index > 0) first.attrSet(ATTRIBUTE, hookValue(mark, "more"));
    const made = [first, ...each, close];
    count += each.filter(({ type, level }) => type === "list_item_open" && level === open.level + 1).length;
    return made;
  });
}

function opening(open: Token, items: readonly Token[], start: number): Token {
  const made = new Token(open.type, open.tag, 1);
  made.block = true;
  made.map = [items[0]?.map?.[0] ?? 0, Math.max(...items.map(({ map }) => map?.[1] ?? 0))];
  if (open.type === "ordered_list_open" && start !== 1) made.attrSet("start", String(start));
  return made;
}

function itemsOf(list: readonly Token[]): Token[][] {
  const items: Token[][] = [];
  let depth = 0;
  for (const token of list.slice(1, -1)) {
    if (depth === 0) items.push([]);
    items.at(-1)?.push(token);
    depth += token.nesting;
  }
  return items;
}

function isCut(item: readonly Token[]): boolean {
  const words = item.find(({ type }) => type === "inline")?.content ?? "";
  let hash = 0;
  for (let index = 0; index < words.length; index += 1) hash = (Math.imul(hash, 31) + words.charCodeAt(index)) | 0;
  return hash % 16 === 0;
}

/** With lines and source; an author's `<details>` and all until its `</details>` are one piece. */
export function joined(all: readonly Token[][], text: string): Piece[] {
  const starts = lineStarts(text);
  const found: Piece[] = [];
  const balances = all.map(opened);
  for (let index = 0; index < all.length; ) {
    const next = closing(balances, index);
    const tokens = all.slice(index, next).flat();
    const { first, end } = linesOf(tokens) ?? { first: found.at(-1)?.end ?? 0, end: found.at(-1)?.end ?? 0 };
    found.push({ tokens, first, end, source: text.slice(starts[first] ?? text.length, starts[end] ?? text.length) });
    index = next;
  }
  return found;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = 0; (at = text.indexOf("\n", at) + 1) > 0; ) starts.push(at);
  return starts;
}

/** Not all tokens that open a block know their lines: those of footnotes do not. */
function linesOf(tokens: readonly Token[]): { first: number; end: number } | null {
  const maps = tokens.map(({ map }) => map).filter((map) => map !== null);
  return maps.length === 0 ? null : maps.reduce((all, [first, end]) => ({ first: Math.min(all.first, first), end: Math.max(all.end, end) }), {
    first: Infinity,
    end: 0,
  });
}

/** The piece after the one where what this one opens is closed. */
function closing(balances: readonly number[], index: number): number {
  let open = balances[index] ?? 0;
  if (open <= 0) return index + 1;
  for (let at = index + 1; at < Math.min(balances.length, index + SPAN); at += 1) {
    open += balances[at] ?? 0;
    if (open <= 0) return at + 1;
  }
  return index + 1;
}

/** How many containers a block of HTML opens and does not close. */
function opened(piece: readonly Token[]): number {
  const token = piece[0];
  if (token?.type !== "html_block") return 0;
  const tags = token.content.replace(/<!--[\s\S]*?(?:-->|$)/g, "").matchAll(CONTAINERS);
  return [...tags].reduce((sum, tag) => sum + (tag[1] === "/" ? -1 : 1), 0);
}
