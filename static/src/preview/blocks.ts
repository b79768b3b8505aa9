/** A text as blocks of markup with their lines. What has not changed since the last time is not rendered again. */

import type Token from "markdown-it/lib/token.mjs";

import { matterMarkup, read } from "./front-matter.ts";
import { contents, isContents, Slugs, type Heading } from "./headings.ts";
import { parser } from "./markdown.ts";
import { joined, pieces } from "./pieces.ts";
import { quiet } from "./quiet.ts";

export interface Block {
  /** As the author and our renderer made it: not sanitised. */
  html: string;
  /** Lines, counted from 0; `end` is the first after it. */
  first: number;
  end: number;
}

interface Env {
  references?: Record<string, unknown>;
  footnotes?: { list?: unknown[] };
  slugs: Slugs;
  headings: Heading[];
  first: number;
}

const NUMBERED = new Set(["heading_open", "footnote_reference_open"]);

type Rule = (state: InstanceType<ReturnType<typeof parser>["core"]["State"]>) => void;

export class Rendering {
  private readonly md;
  private readonly chain: Rule[];
  private readonly tail: Rule[];
  private cache = new Map<string, string>();
  private references = "";

  constructor(private readonly mark: string) {
    this.md = parser(mark);
    const { ruler } = this.md.core;
    ruler.disable(["normalize", "block", "footnoteTail"]);
    this.chain = ruler.getRules("");
    ruler.enableOnly("footnoteTail");
    this.tail = ruler.getRules("");
  }

  /** All blocks of the text from its start to its end. */
  async blocks(text: string): Promise<Block[]> {
    // One character stays one: lines and offsets are the editor's.
    const source = text.replace(/[\0\r]/g, (found) => (found === "\r" ? " " : "\uFFFD"));
    const env: Env = { slugs: new Slugs(), headings: [], first: 0 };
    const tokens: Token[] = [];
    this.md.block.parse(source, this.md, env, tokens);
    const all = joined(pieces(tokens, this.mark), source);
    const kept = this.kept(env);
    const notes: Token[] = [];
    const titled = tokens.some(({ type, tag }) => type === "heading_open" && tag === "h1");
    const blocks: (Block & { contents: boolean })[] = [];
    for (const piece of all) {
      const { first, end } = piece;
      const block = { first, end, html: "", contents: isContents(piece.tokens) };
      if (piece.tokens[0]?.type === "front_matter") block.html = await this.matter(piece.tokens[0].content, titled);
      else if (!block.contents) block.html = this.markup(piece.tokens, piece.source, env, first, notes, kept);
      blocks.push(block);
    }
    this.cache = kept.now;
    for (const block of blocks) if (block.contents) block.html = contents(this.mark, env.headings);
    const last = this.notes(notes, env, source);
    return [...blocks, ...last].filter(({ html }) => html.trim() !== "").map(({ html, first, end }) => ({ html, first, end }));
  }

  /** What was rendered for the last text, and what is for this one: link definitions are valid everywhere. */
  private kept(env: Env): { before: Map<string, string>; now: Map<string, string> } {
    const references = JSON.stringify(env.references ?? {});
    const before = references === this.references ? this.cache : new Map<string, string>();
    this.references = references;
    return { before, now: new Map() };
  }

  private markup(tokens: Token[], source: string, env: Env, first: number, notes: Token[], kept: ReturnType<Rendering["kept"]>): string {
    // What is numbered throughout the document is rendered anew: anchors and footnotes.
    const numbered = source.includes("[^") || source.includes("^[") || tokens.some(({ type }) => NUMBERED.has(type));
    if (numbered) return this.rendered(tokens, env, first, notes);
    const [open] = tokens;
    // Parts of a long list are not what their lines alone would be. All others are: to copy a megabyte for each key press would be dear.
    const key = open?.attrs == null ? source : `${open.attrs.join()} ${source}`;
    const html = kept.now.get(key) ?? kept.before.get(key) ?? this.rendered(tokens, env, first, notes);
    kept.now.set(key, html);
    return html;
  }

  private rendered(tokens: Token[], env: Env, first: number, notes: Token[]): string {
    const state = new this.md.core.State("", this.md, env);
    state.tokens = tokens;
    env.first = first;
    for (const rule of this.chain) rule(state);
    return quiet(this.md.renderer.render(withoutNotes(state.tokens, notes), this.md.options, env));
  }

  private async matter(yaml: string, titled: boolean): Promise<string> {
    return matterMarkup(this.mark, yaml, await read(yaml), titled);
  }

  private notes(tokens: Token[], env: Env, source: string): Block[] {
    if (env.footnotes?.list === undefined) return [];
    const state = new this.md.core.State("", this.md, env);
    state.tokens = tokens;
    for (const rule of this.tail) rule(state);
    const end = source.split("\n").length;
    return [{ html: quiet(this.md.renderer.render(state.tokens, this.md.options, env)), first: end, end }];
  }
}

/** Footnotes are moved to the document's end, wherever they are defined. */
function withoutNotes(tokens: Token[], notes: Token[]): Token[] {
  if (!tokens.some(({ type }) => type === "footnote_reference_open")) return tokens;
  let depth = 0;
  return tokens.filter((token) => {
    if (token.type === "footnote_reference_open") depth += 1;
    const inside = depth > 0;
    if (token.type === "footnote_reference_close") depth -= 1;
    if (inside) notes.push(token);
    return !inside;
  });
}
