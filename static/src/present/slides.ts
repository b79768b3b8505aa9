/** The slides in a Markdown document: cut by lines `---`, or by its headings when it has none. */

import type Token from "markdown-it/lib/token.mjs";

import { parser } from "../preview/markdown.ts";

/** One slide; all three are Markdown, `heading` is plain text. */
export interface Slide {
  source: string;
  notes: string;
  heading: string;
}

export interface Cut {
  /** The YAML at the document's start, null when there is none. */
  matter: string | null;
  slides: Slide[];
}

interface Block {
  kind: "text" | "break" | "heading" | "comment" | "note" | "definition" | "matter";
  first: number;
  end: number;
  token: Token;
  /** Of a paragraph or heading. */
  words: string;
}

const SEPARATOR = /^-{3,}[ \t]*$/;
const NOTE = /^notes?:[ \t]*/i;
const COMMENT = /^\s*(?:<!--[\s\S]*?-->\s*)+$/;
const markdown = parser("");

export function cut(text: string): Cut {
  const lines = text.replace(/[\0\r]/g, " ").split("\n");
  const tokens: Token[] = [];
  markdown.block.parse(lines.join("\n"), markdown, {}, tokens);
  const blocks = blocksOf(tokens, lines);
  const definitions = definitionsIn(blocks, lines);
  const matter = blocks.find(({ kind }) => kind === "matter")?.token.content ?? null;
  const slides = groups(blocks).map((group) => slide(group, lines, definitions));
  return { matter, slides: slides.filter(({ source, notes }) => source !== "" || notes !== "") };
}

function blocksOf(tokens: readonly Token[], lines: readonly string[]): Block[] {
  const found: Block[] = [];
  let depth = 0;
  tokens.forEach((token, index) => {
    if (depth === 0 && token.nesting >= 0) found.push(block(token, tokens[index + 1], extent(tokens, index), lines));
    depth += token.nesting;
  });
  return found;
}

/** The lines of a block; some say them only of what is in them. */
function extent(tokens: readonly Token[], index: number): [number, number] {
  const own = tokens[index]?.map;
  if (own) return own;
  let depth = 0;
  const inside: number[] = [];
  for (const token of tokens.slice(index)) {
    depth += token.nesting;
    inside.push(...(token.map ?? []));
    if (depth <= 0) break;
  }
  return inside.length === 0 ? [0, 0] : [Math.min(...inside), Math.max(...inside)];
}

function block(token: Token, next: Token | undefined, [first, end]: [number, number], lines: readonly string[]): Block {
  const words = token.nesting > 0 && next?.type === "inline" ? next.content : "";
  return { kind: kindOf(token, words, lines[first] ?? ""), first, end, token, words };
}

function kindOf({ type, tag, content }: Token, words: string, line: string): Block["kind"] {
  if (type === "front_matter") return "matter";
  if (type === "hr" && SEPARATOR.test(line.trim())) return "break";
  if (type === "heading_open" && (tag === "h1" || tag === "h2")) return "heading";
  if (type === "paragraph_open" && NOTE.test(words)) return "note";
  if (type === "html_block" && COMMENT.test(content)) return "comment";
  if (type === "footnote_reference_open") return "definition";
  return "text";
}

/** The blocks of each slide. */
function groups(blocks: readonly Block[]): Block[][] {
  const lines = blocks.some(({ kind }) => kind === "break");
  const made: Block[][] = [[]];
  for (const block of blocks) {
    if (block.kind === "break" || (!lines && block.kind === "heading")) made.push([]);
    if (block.kind !== "break" && block.kind !== "matter" && block.kind !== "definition") made.at(-1)?.push(block);
  }
  return made.filter((group) => group.length > 0);
}

function slide(group: readonly Block[], lines: readonly string[], definitions: readonly Definition[]): Slide {
  const from = group.findIndex(({ kind }) => kind === "note");
  const shown = (from < 0 ? group : group.slice(0, from)).filter(({ kind }) => kind !== "comment");
  const spoken = group.filter((block) => !shown.includes(block));
  const source = written(shown, lines);
  const heading = group.find(({ token }) => token.type === "heading_open")?.words ?? "";
  return { source: defined(source, definitions), notes: spoken.map((block) => said(block, lines)).join("\n\n").trim(), heading: plain(heading) };
}

/** The lines of these blocks. An empty line between two changes neither of them. */
function written(blocks: readonly Block[], lines: readonly string[]): string {
  return blocks.map(({ first, end }) => lines.slice(first, end).join("\n").trimEnd()).join("\n\n").replace(/^\n+/, "");
}

function said({ kind, first, end, token }: Block, lines: readonly string[]): string {
  if (kind === "comment") return token.content.replace(/<!--|-->/g, "").trim();
  return lines.slice(first, end).join("\n").replace(kind === "note" ? /^\s*notes?:[ \t]*/i : "", "");
}

/** A heading's source as words for the eye and the ear. */
export function plain(markup: string): string {
  return markup.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`~]+|\\(?=[^\w\s])/g, "").replace(/<[^>]*>/g, "").trim();
}

/** A link's target or a footnote that is written elsewhere in the document: `label` is as in the text, in lower case. */
interface Definition {
  label: string;
  text: string;
}

function definitionsIn(blocks: readonly Block[], lines: readonly string[]): Definition[] {
  const notes = blocks.filter(({ kind }) => kind === "definition").map(({ first, end }) => definition(lines.slice(first, end).join("\n").trimEnd()));
  // Definitions of links leave no token behind: what is in no block is one, or empty.
  const taken = new Set(blocks.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, index) => first + index)));
  const rest = lines.map((line, index) => (taken.has(index) ? "" : line)).join("\n");
  const links = rest.split(/^(?= {0,3}\[)/m).map((text) => definition(text.trim()));
  return [...notes, ...links].filter(({ label }) => label !== "");
}

function definition(text: string): Definition {
  return { label: (/^\s*\[((?:[^\]\\]|\\.)+)\]:/.exec(text)?.[1] ?? "").toLowerCase(), text };
}

/** The slide with the definitions that it uses. */
function defined(source: string, definitions: readonly Definition[]): string {
  const lower = source.toLowerCase();
  const used = definitions.filter(({ label }) => lower.includes(`[${label}]`));
  return [source, ...used.map(({ text }) => text)].filter((text) => text !== "").join("\n\n");
}
