import { Text } from "@codemirror/state";
import { expect, test } from "vitest";

import { foreign, pair } from "../src/history/comparing.ts";
import { changes, folds, reached, side, tally, woven, type Piece } from "../src/history/pieces.ts";
import { addressed } from "../src/history/place.ts";
import { condensed, joined, nearest, type Version } from "../src/history/sittings.ts";

const START = Date.parse("2026-03-02T12:00:00Z");
const version = (number: number, minutes: number, more: Partial<Version> = {}): Version => ({
  number,
  at: new Date(START + minutes * 60_000).toISOString(),
  size: 1,
  etag: String(number),
  source: "save",
  writers: [],
  name: "",
  ...more,
});
const numbers = (versions: readonly Version[]): number[] => versions.map(({ number }) => number);
const same = (text: string): Piece => ({ kind: "same", text });
const added = (text: string): Piece => ({ kind: "added", text });
const removed = (text: string): Piece => ({ kind: "removed", text });

test("of a sitting the last version is shown", () => {
  expect(numbers(condensed([version(1, 0), version(2, 1), version(3, 2), version(4, 60), version(5, 61)]))).toEqual([3, 5]);
});

test("what has a name, what no save of ours was, and what one looks at is shown too", () => {
  const all = [version(1, 0, { source: "first" }), version(2, 1), version(3, 2, { name: "sent" }), version(4, 3), version(5, 4), version(6, 5, { source: "restore" }), version(7, 6)];
  expect(numbers(condensed(all, new Set([4])))).toEqual([1, 3, 4, 5, 6, 7]);
});

test("what is told anew counts, and the order is that of the numbers", () => {
  const found = joined([version(1, 0), version(3, 2)], [version(3, 2, { name: "x" }), version(2, 1)]);
  expect(found.map(({ number, name }) => `${number}${name}`)).toEqual(["1", "2", "3x"]);
});

test.each([
  [3, 3],
  [4, 3],
  [9, 5],
  [0, 1],
])("the nearest version to %d is %d", (number, expected) => {
  expect(nearest([version(1, 0), version(3, 1), version(5, 2)], number)?.number).toBe(expected);
});

const shown = [version(1, 0), version(3, 10), version(5, 20)];

test.each([
  [3, "before", { from: 1, to: 3 }],
  [1, "before", { from: 1, to: 1 }],
  [3, "now", { from: 3, to: null }],
  [3, "none", { from: 3, to: 3 }],
  [3, 5, { from: 3, to: 5 }],
  [5, 1, { from: 1, to: 5 }],
  [3, 3, { from: 3, to: 3 }],
] as const)("version %d against %s", (current, against, expected) => expect(pair(current, against, shown, false)).toEqual(expected));

test("the oldest one that is known here may not be the first", () => expect(pair(1, "before", shown, true)).toEqual({ from: null, to: 1 }));

const pieces = [same("a "), removed("b"), added("c d"), same(" e")];

test("the text of a version is the later or the earlier one of both", () => {
  expect(side(pieces, foreign({ from: 1, to: 3 }, 3))).toBe("a c d e");
  expect(side(pieces, foreign({ from: 3, to: 5 }, 3))).toBe("a b e");
  expect(side(pieces, foreign({ from: 3, to: null }, 3))).toBe("a b e");
});

test("both texts are woven into one", () => {
  expect(woven(pieces)).toEqual({
    text: "a bc d e",
    marks: [
      { from: 2, to: 3, kind: "removed" },
      { from: 3, to: 6, kind: "added" },
    ],
  });
});

test("marks of one line are one change", () => {
  const { text, marks } = woven([added("x"), same(" y "), removed("z"), same("\n"), added("w\n"), same("v")]);
  expect(changes(text, marks)).toEqual([
    { from: 0, to: 5 },
    { from: 6, to: 8 },
  ]);
});

test("words are counted in every script, marks of punctuation are none", () => {
  expect(tally([added("don’t, 3.5 – "), removed("今日は"), same("a b c")])).toEqual({ added: 2, removed: 2 });
  expect(tally([added("word ".repeat(50_000))]).added).toBe(50_000);
});

test("lines that are the same are folded, but for those around a change", () => {
  const doc = Text.of(Array.from({ length: 30 }, (_, at) => `line ${at + 1}`));
  const at = (line: number): { from: number; to: number } => ({ from: doc.line(line).from, to: doc.line(line).to });
  const lines = folds(doc, [at(10), at(14)]).map(({ from, to, lines: count }) => [doc.lineAt(from).number, doc.lineAt(to).number, count]);
  expect(lines).toEqual([
    [1, 7, 7],
    [17, 30, 14],
  ]);
  expect(folds(doc, [])).toEqual([]);
});

test("the first range that reaches a place is found", () => {
  const ranges = [
    { from: 0, to: 2 },
    { from: 5, to: 6 },
  ];
  expect([0, 2, 3, 6, 7].map((place) => reached(ranges, place))).toEqual([0, 0, 1, 1, 2]);
});

test.each([
  ["#version=12", 12],
  ["#version=", undefined],
  ["#version=1e9", undefined],
  ["#L3", undefined],
])("the address %s names version %s", (hash, expected) => expect(addressed(hash)).toBe(expected));
