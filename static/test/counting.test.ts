import { ChangeSet, Text } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import { counted, minutes, type Count } from "../src/editor/count.ts";
import { touched } from "../src/editor/touched.ts";

test.each([
  ["", 0, 0],
  ["one two, three.", 3, 15],
  ["don’t re-read", 3, 13],
  ["私は本を読む", 5, 6],
  ["👩‍👩‍👧 é 🇨🇭", 1, 5],
  ["- [ ] a\n\nb\n", 2, 8],
  ["שלום עולם", 2, 9],
])("%j has %i words and %i characters", (text, words, characters) => expect(counted(text)).toEqual({ words, characters }));

test("a line without end is counted in parts, and no word is torn at a space", () => {
  expect(counted("word ".repeat(5000))).toEqual({ words: 5000, characters: 25_000 });
});

test("nobody reads a word in no time", () => {
  expect([0, 1, 220, 2200].map(minutes)).toEqual([0, 1, 1, 10]);
});

/** A number that depends on the seed alone (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe("a count that is kept", () => {
  test.each([1, 2, 3, 4, 5])("is the same as one from the start after 60 changes (seed %i)", (seed) => {
    const random = chance(seed);
    const pieces = ["a", " ", "\n", "two words", "\n\n", "漢字", "é😀", "x\ny\nz"];
    let doc = Text.of(["one two", "", "three four five", "six"]);
    const total: Count = counted(doc.toString());
    for (let round = 0; round < 20; round += 1) {
      const before = doc;
      let all: ChangeSet | null = null;
      for (let step = 0; step < 3; step += 1) {
        const from = Math.floor(random() * (doc.length + 1));
        const to = Math.min(doc.length, from + Math.floor(random() * 6));
        const insert = Text.of((pieces[Math.floor(random() * pieces.length)] ?? "").split("\n"));
        const change = ChangeSet.of({ from, to, insert }, doc.length);
        doc = change.apply(doc);
        all = all === null ? change : all.compose(change);
      }
      if (all === null) continue;
      const { gone, come } = touched(before, doc, all);
      for (const text of gone) ((total.words -= counted(text).words), (total.characters -= counted(text).characters));
      for (const text of come) ((total.words += counted(text).words), (total.characters += counted(text).characters));
      expect(total).toEqual(counted(doc.toString()));
    }
  });
});
