/** Our Markdown: CommonMark with tables, strikethrough, links by themselves, tasks, footnotes, formulas, front matter and anchors. */

import { footnote } from "@mdit/plugin-footnote";
import MarkdownIt from "markdown-it";
import type Token from "markdown-it/lib/token.mjs";

import { frontMatter } from "./front-matter.ts";
import { headings } from "./headings.ts";
import { escaped, hook } from "./hooks.ts";
import { display, maths } from "./maths.ts";
import { tasks } from "./tasks.ts";

const HOST = /^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?:[/?#][^\s<>]*)?/u;
/** UTF-16 units of an address that is looked at. */
const LONGEST = 2000;

/** The parser; `mark` makes our renderer's hooks known from an author's attributes. */
export function parser(mark: string): MarkdownIt {
  const md = new MarkdownIt({ html: true, linkify: true, typographer: false });
  // "readme.md" is a file and no site of Moldova's.
  md.linkify.set({ fuzzyLink: false, fuzzyIP: false });
  md.linkify.add("www.", {
    validate: (text, at) => HOST.exec(text.slice(at, at + LONGEST))?.[0].replace(/[.,;:!?'"*_~)\]]+$/, "").length ?? 0,
    normalize: (match) => (match.url = `http://${match.url}`),
  });
  footnote(md);
  frontMatter(md);
  maths(md, mark);
  tasks(md, mark);
  headings(md, mark);
  dressFences(md, mark);
  dressFootnotes(md, mark);
  withoutStyles(md);
  return md;
}

/** Columns are aligned by the attribute of old, for the page's policy forbids styles. */
function withoutStyles(md: MarkdownIt): void {
  for (const cell of ["th_open", "td_open"]) {
    md.renderer.rules[cell] = (tokens, index, options, _env, self) => {
      const token = tokens[index] as Token;
      token.attrs = (token.attrs ?? []).map(([name, value]) => (name === "style" ? ["align", value.replace("text-align:", "")] : [name, value]));
      return self.renderToken(tokens, index, options);
    };
  }
}

function dressFences(md: MarkdownIt, mark: string): void {
  md.renderer.rules["fence"] = (tokens, index) => {
    const { content, info } = tokens[index] as Token;
    const language = /^\S*/.exec(md.utils.unescapeAll(info).trim())?.[0] ?? "";
    return language === "math" ? display(mark, content) : code(mark, content, language);
  };
  md.renderer.rules["code_block"] = (tokens, index) => code(mark, tokens[index]?.content ?? "", "");
}

function code(mark: string, content: string, language: string): string {
  const kind = language.toLowerCase() === "mermaid" ? hook(mark, "diagram") : hook(mark, "code", language);
  return `<pre${kind}><code>${escaped(content)}</code></pre>\n`;
}

interface Note {
  id: number;
  subId?: number;
}

/** Ids with a colon, which no heading's anchor has. */
function dressFootnotes(md: MarkdownIt, mark: string): void {
  const meta = (tokens: Token[], index: number): Note => tokens[index]?.meta as Note;
  const { rules } = md.renderer;
  rules["footnote_ref"] = (tokens, index) => {
    const { id, subId = 0 } = meta(tokens, index);
    return `<sup><a id="from:${id + 1}:${subId}" href="#note:${id + 1}"${hook(mark, "footnote", String(id + 1))}>${id + 1}</a></sup>`;
  };
  rules["footnote_block_open"] = () => `<section${hook(mark, "footnotes")}><ol>\n`;
  rules["footnote_block_close"] = () => "</ol></section>\n";
  rules["footnote_open"] = (tokens, index) => `<li id="note:${meta(tokens, index).id + 1}">`;
  rules["footnote_close"] = () => "</li>\n";
  rules["footnote_anchor"] = (tokens, index) => {
    const { id, subId = 0 } = meta(tokens, index);
    return ` <a href="#from:${id + 1}:${subId}"${hook(mark, "back", String(id + 1))}>↩</a>`;
  };
}
