/** YAML between two lines `---` at the very start: what a document says of itself. It is data; nothing in it is executed. */

import type MarkdownIt from "markdown-it";

import { escaped, hook } from "./hooks.ts";

const LIMIT = 64_000;
const FENCE = /^---[ \t]*$/;
const END = /^(---|\.\.\.)[ \t]*$/;

/** The keys that are shown, in this order. */
const LABELS = { author: "author", authors: "author", date: "date", keywords: "keywords", tags: "keywords" } as const;

export interface FrontMatter {
  title: string;
  facts: { label: "author" | "date" | "keywords"; text: string }[];
  /** Why it could not be read, in words. */
  fault: string | null;
}

/** The lines of front matter at the start of a text: the YAML, and the line after its end. Null: there is none. */
export function split(text: string): { yaml: string; end: number } | null {
  if (!text.startsWith("---")) return null;
  const lines = text.slice(0, LIMIT).split("\n");
  const end = lines.findIndex((line, index) => index > 0 && END.test(line));
  return FENCE.test(lines[0] ?? "") && end > 1 && (lines[1] ?? "").trim() !== "" ? { yaml: lines.slice(1, end).join("\n"), end: end + 1 } : null;
}

/** What is said in YAML. */
export async function read(yaml: string): Promise<FrontMatter> {
  const { parse } = await import("yaml");
  try {
    const said: unknown = parse(yaml, { maxAliasCount: 20, schema: "failsafe", logLevel: "error" });
    if (said === null || typeof said !== "object" || Array.isArray(said)) throw new TypeError("expected names and values, such as “title: …”");
    const own = new Map(Object.entries(said));
    const facts = Object.entries(LABELS).map(([key, label]) => ({ label, text: words(own.get(key)) }));
    return { title: words(own.get("title")), facts: facts.filter(({ text }) => text !== ""), fault: null };
  } catch (error) {
    return { title: "", facts: [], fault: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

/** Text, several with commas; of people their names. */
function words(value: unknown, depth = 0): string {
  if (typeof value === "string") return value.trim();
  if (typeof value !== "object" || value === null || depth > 2) return "";
  if (Array.isArray(value)) return value.map((each) => words(each, depth + 1)).filter((each) => each !== "").join(", ");
  return words(new Map(Object.entries(value)).get("name"), depth + 1);
}

/** A document without a heading of the first level has the title as one. */
export function matterMarkup(mark: string, yaml: string, { title, facts, fault }: FrontMatter, titled: boolean): string {
  if (fault !== null) return `<div${hook(mark, "matter")}><p${hook(mark, "wrong", fault)}></p><pre><code>${escaped(yaml)}</code></pre></div>`;
  const heading = title === "" || titled ? "" : `<h1${hook(mark, "title")}>${escaped(title)}</h1>`;
  const fact = ({ label, text }: FrontMatter["facts"][number]): string => `<dt${hook(mark, "label", label)}></dt><dd>${escaped(text)}</dd>`;
  return heading + (facts.length === 0 ? "" : `<dl${hook(mark, "matter")}>${facts.map(fact).join("")}</dl>`);
}

/** The block rule that takes front matter out of the text. */
export function frontMatter(md: MarkdownIt): void {
  md.block.ruler.before("code", "front_matter", (state, startLine, _endLine, silent) => {
    if (startLine !== 0 || state.level !== 0 || state.blkIndent !== 0) return false;
    const found = split(state.src);
    if (found === null) return false;
    if (silent) return true;
    const token = state.push("front_matter", "", 0);
    token.content = found.yaml;
    token.map = [0, found.end];
    state.line = found.end;
    return true;
  });
}
