import { ChangeSet, Text } from "@codemirror/state";
import MarkdownIt from "markdown-it";
import { expect, test } from "vitest";

import { headings, plainly } from "../src/editor/headings.ts";
import { Sections } from "../src/editor/sections.ts";

const seen = (text: string): string[] => headings(text.split("\n")).map(({ level, text: words, line }) => `${level} ${line} ${words}`);

test.each([
  ["# One\n\n## Two ##\n###Three\n#### ", ["1 1 One", "2 3 Two", "4 5 "]],
  ["One\n===\n\ntwo\nlines\n---\n", ["1 1 One", "2 4 two lines"]],
  ["```\n# no\n```\n# yes", ["1 4 yes"]],
  ["~~~~\n# no\n~~~\n# no\n~~~~\n# yes", ["1 6 yes"]],
  ["    # code\n# yes", ["1 2 yes"]],
  ["---\ntitle: x\n# no\n---\n# yes", ["1 5 yes"]],
  ["<!--\n# no\n-->\n# yes", ["1 4 yes"]],
  ["- a\n---\n# yes", ["1 3 yes"]],
  ["> a\n---\n", []],
  ["- a\n\n  # inside\n\n# yes", ["1 5 yes"]],
  ["a\n# b", ["1 2 b"]],
])("the headings of %j", (text, expected) => expect(seen(text)).toEqual(expected));

test.each([
  ["**bold** and *italic*", "bold and italic"],
  ["`a_b` [link](x.md) ![pic](y.png)", "a_b link pic"],
  ["snake_case stays", "snake_case stays"],
  ["C\\# \\*", "C# *"],
  ["2 * 3", "2 * 3"],
])("%j is read as %j", (text, words) => expect(plainly(text)).toBe(words));

/** What the preview's parser finds at the top level. */
const parser = new MarkdownIt({ html: true });
function parsed(text: string): string[] {
  const tokens = parser.parse(text, {});
  return tokens.flatMap(({ type, level, tag, map }) => (type === "heading_open" && level === 0 ? [`${tag.slice(1)} ${(map?.[0] ?? 0) + 1}`] : []));
}

test("where a parser of the whole language finds headings, the outline finds them", () => {
  const lines = ["# a", "## b ##", "words", "", "===", "---", "- item", "1. item", "> quote", "  more", "    code", "```", "<!-- x -->", "***", "####### no", "#", "\ttab", "| a |"];
  let state = 7;
  const next = (): number => (state = (state * 1103515245 + 12345) % 2147483648);
  for (let round = 0; round < 3000; round += 1) {
    // Front matter is not the parser's.
    const text = ["words", ...Array.from({ length: 7 }, () => lines[(next() >> 8) % lines.length] ?? "")].join("\n");
    const ours = headings(text.split("\n")).map(({ level, line }) => `${level} ${line}`);
    if (String(ours) !== String(parsed(text))) expect(ours, JSON.stringify(text)).toEqual(parsed(text));
  }
});

test("headings that are kept are those of a text read from its start, after any changes", () => {
  const pieces = ["# a\n", "\n", "```\n", "words\n===\n", "- item\n  more", "x", "\n\n", "<!--", "-->\n", "    code\n", "---\n"];
  let state = 11;
  const next = (below: number): number => ((state = (state * 1103515245 + 12345) % 2147483648) >> 8) % below;
  let doc = Text.of(Array.from({ length: 1500 }, (_, line) => (line % 7 === 0 ? `## Part ${line}` : `line ${line}`)));
  const kept = new Sections(doc);
  for (let round = 0; round < 150; round += 1) {
    const specs = Array.from({ length: 1 + next(3) }, () => {
      const from = next(doc.length + 1);
      return { from, to: Math.min(doc.length, from + next(round % 10 === 0 ? 4000 : 40)), insert: pieces[next(pieces.length)] ?? "" };
    }).sort((one, other) => one.from - other.from);
    const apart = specs.filter((spec, at) => at === 0 || spec.from > (specs[at - 1]?.to ?? 0));
    const changes = ChangeSet.of(apart, doc.length);
    doc = changes.apply(doc);
    kept.change(doc, changes);
    if (round % 4 === 3) continue;
    const reading = kept.read();
    let step = reading.next();
    while (step.done !== true) step = reading.next();
    expect(step.value).toEqual(headings(doc.iterLines()));
  }
});
