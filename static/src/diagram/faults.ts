/** What the drawing program's errors mean for the person who wrote the diagram. */

import type { Fault } from "./talk.ts";

/** Longer sources are not drawn. */
export const LONGEST = 50_000;

const FRONT_MATTER = /^[^\S\n]*---[^\S\n]*\n[\s\S]*?\n[^\S\n]*---[^\S\n]*\n+/;
const COMMENT = /^\s*%%(?!\{)[^\n]+$/;

/** The fault of a source for which the program threw this. */
export function faultOf(error: unknown, source: string): Fault {
  const words = error instanceof Error ? error.message : String(error);
  if (source.trim() === "") return { kind: "empty", line: 0, words };
  if (source.length > LONGEST || /^Edge limit exceeded/.test(words)) return { kind: "large", line: 0, words };
  if (/^No diagram type detected/.test(words)) return { kind: "kind", line: 0, words: first(source) };
  const line = lineIn(words);
  if (line > 0) return { kind: "syntax", line: writtenLine(source, line), words: expectation(words) };
  return { kind: /pars|lex|syntax/i.test(words) ? "syntax" : "other", line: 0, words: brief(words) };
}

/** The line that the program names: it counts what is left of the source without front matter and comments. */
function lineIn(words: string): number {
  return Number(/\bline:? ?(\d+)/i.exec(words)?.[1] ?? 0);
}

/** The line of the source that is the program's n-th one. */
export function writtenLine(source: string, line: number): number {
  const lines = source.split("\n");
  const skipped = (FRONT_MATTER.exec(source)?.[0].split("\n").length ?? 1) - 1;
  const kept = lines.map((text, index) => ({ text, number: index + 1 })).filter(({ text, number }) => number > skipped && !COMMENT.test(text));
  const start = kept.findIndex(({ text }) => text.trim() !== "");
  return kept[Math.min(start + line, kept.length) - 1]?.number ?? lines.length;
}

/** What was expected, without the picture of the place that the program draws with dashes. */
function expectation(words: string): string {
  return brief(/Expecting[\s\S]*/.exec(words)?.[0] ?? "");
}

const first = (source: string): string => brief(source.trim().split("\n", 1)[0] ?? "");

function brief(words: string): string {
  const plain = words.replace(/\s+/g, " ").trim();
  return plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
}
