/** Anchors of headings, as GitHub makes them, and the table of contents that `[toc]` stands for. */

import type MarkdownIt from "markdown-it";
import type StateCore from "markdown-it/lib/rules_core/state_core.mjs";
import type Token from "markdown-it/lib/token.mjs";

import { escaped, hook, hookValue, ATTRIBUTE } from "./hooks.ts";

export interface Heading {
  level: number;
  slug: string;
  text: string;
}

/** "What's new?" -> "whats-new". */
export function slugOf(text: string): string {
  const kept = text.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "");
  return kept.replaceAll(" ", "-");
}

/** Slugs of one document: the second "notes" is "notes-1". */
export class Slugs {
  private readonly counts = new Map<string, number>();

  next(text: string): string {
    const slug = slugOf(text);
    const count = this.counts.get(slug) ?? 0;
    this.counts.set(slug, count + 1);
    if (count === 0) return slug;
    const numbered = `${slug}-${count}`;
    if (this.counts.has(numbered)) return this.next(text);
    this.counts.set(numbered, 1);
    return numbered;
  }
}

/** Each heading gets its id, and is noted in `env.headings`. */
export function headings(md: MarkdownIt, mark: string): void {
  md.core.ruler.push("anchors", ({ tokens, env }: StateCore) => {
    tokens.forEach((token, index) => {
      if (token.type !== "heading_open") return;
      const text = plainText(tokens[index + 1]);
      const slug: string = env.slugs.next(text);
      if (slug === "") return;
      token.attrSet("id", slug);
      token.attrSet(ATTRIBUTE, hookValue(mark, "heading"));
      env.headings.push({ level: Number(token.tag.slice(1)), slug, text });
    });
  });
}

function plainText(inline: Token | undefined): string {
  const kept = inline?.children?.filter(({ type }) => ["text", "code_inline", "text_special", "formula"].includes(type));
  return (kept ?? []).map(({ content }) => content).join("");
}

export const isContents = (tokens: readonly Token[]): boolean =>
  tokens[0]?.type === "paragraph_open" && /^\[\[?_?toc_?\]\]?$/i.test(tokens[1]?.content.trim() ?? "");

/** The headings as nested lists of links. */
export function contents(mark: string, all: readonly Heading[]): string {
  const top = Math.min(...all.map(({ level }) => level));
  const item = ({ slug, text }: Heading): string =>
    `<li><a href="#${encodeURIComponent(slug)}">${escaped(text)}</a></li>`;
  const levels = all.map(({ level }) => String(level - top));
  return all.length === 0 ? "" : `<div${hook(mark, "toc", ...levels)}><ul>${all.map(item).join("")}</ul></div>\n`;
}
