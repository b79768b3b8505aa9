/** What a code cell has put out, from data that may be anything, and what of it is shown. */

import { at, plainOf } from "./cells.ts";

export type Output =
  | { kind: "stream"; error: boolean; text: string }
  | { kind: "error"; text: string }
  | { kind: "data"; count: number | null; data: Bundle; metadata: unknown }
  | { kind: "unknown"; name: string };

/** Representations of the same thing, by media type. */
export type Bundle = ReadonlyMap<string, unknown>;

/** What is shown of a bundle. `live`: it has a part that would have to run, and that never runs here. */
export interface Choice {
  type: string;
  value: unknown;
  live: boolean;
}

/** Media types that are shown, the richest first, in Jupyter's order. */
const SHOWN = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "image/gif", "image/webp", "application/json", "text/plain"];
/** Those that would run: programs of the page, and widgets that talk to a kernel. */
const LIVE = /^application\/(?:javascript|vnd\.jupyter\.widget|vnd\.(?:plotly|bokehjs|holoviews|vega|vegalite|geo))|^text\/javascript/;

/** The outputs of a cell, of which another client may have made anything. */
export function outputsIn(value: unknown): Output[] {
  const given = plainOf(value);
  return Array.isArray(given) ? given.map(outputIn) : [];
}

function outputIn(given: unknown): Output {
  const name = at(given, "output_type");
  if (name === "stream") return { kind: "stream", error: at(given, "name") === "stderr", text: joined(at(given, "text")) };
  if (name === "error") return { kind: "error", text: traceback(given) };
  if (name !== "display_data" && name !== "execute_result") return { kind: "unknown", name: typeof name === "string" ? name : "" };
  const [count, data] = [at(given, "execution_count"), at(given, "data")];
  const entries = typeof data === "object" && data !== null ? Object.entries(data) : [];
  return { kind: "data", count: typeof count === "number" ? count : null, data: new Map(entries), metadata: at(given, "metadata") };
}

function traceback(given: unknown): string {
  const lines = at(given, "traceback");
  const text = Array.isArray(lines) ? lines.map(joined).join("\n") : joined(lines);
  return text.trim() === "" ? `${joined(at(given, "ename"))}: ${joined(at(given, "evalue"))}` : text;
}

/** nbformat's multiline strings: one, or a list of lines. */
export function joined(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => (typeof each === "string" ? each : "")).join("");
  return typeof value === "string" ? value : "";
}

/** What to show of the bundle, without the types in `but`; null when it has nothing that can be shown. */
export function chosen(data: Bundle, but: ReadonlySet<string> = new Set()): Choice | null {
  const live = [...data.keys()].some((type) => LIVE.test(type));
  const type = SHOWN.find((each) => data.has(each) && !but.has(each));
  if (type !== undefined) return { type, value: data.get(type), live };
  const other = [...data.keys()].find((each) => !but.has(each) && !LIVE.test(each));
  if (other === undefined) return live ? { type: "", value: null, live } : null;
  // A vendor's JSON and other texts can be read as they are.
  if (/^text\//.test(other)) return { type: "text/plain", value: data.get(other), live };
  return { type: other, value: data.get(other), live };
}

/** Markup whose programs are taken out. */
export const hasPrograms = (markup: string): boolean => /<script[\s>/]|<iframe[\s>/]|\son[a-z]+\s*=/i.test(markup);

/** A formula as authors of notebooks write it, without the signs around it; null when it is a text with formulas. */
export function formulaIn(latex: string): { source: string; display: boolean } | null {
  const text = latex.trim();
  const [, double] = /^\$\$([^$]+)\$\$$/.exec(text) ?? /^\\\[([\s\S]+)\\\]$/.exec(text) ?? [];
  if (double !== undefined) return { source: double, display: true };
  const [, single] = /^\$([^$]+)\$$/.exec(text) ?? /^\\\(([\s\S]+)\\\)$/.exec(text) ?? [];
  if (single !== undefined) return { source: single, display: /^\s*\\displaystyle/.test(single) };
  return /^\\begin\{[a-z]+\*?\}[\s\S]*\\end\{[a-z]+\*?\}$/.test(text) || !text.includes("$") ? { source: text, display: true } : null;
}

/** An address of data for a picture; null when it is none. SVG too: in an `img` nothing of it runs or loads. */
export function pictureOf(type: string, value: unknown): string | null {
  if (type === "image/svg+xml") return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(joined(value).replace(/\p{Surrogate}/gu, "\uFFFD"))}`;
  const base64 = joined(value).replace(/\s+/g, "");
  return /^image\/(?:png|jpeg|gif|webp|avif)$/.test(type) && /^[a-z0-9+/]+=*$/i.test(base64) ? `data:${type};base64,${base64}` : null;
}

/** The pictures that a cell's text may show by `attachment:name`. */
export function attachmentIn(attachments: unknown, name: string): string | null {
  const bundle = at(plainOf(attachments), name);
  const entries = typeof bundle === "object" && bundle !== null ? Object.entries(bundle) : [];
  for (const [type, value] of entries) {
    const found = pictureOf(type, value);
    if (found !== null) return found;
  }
  return null;
}
