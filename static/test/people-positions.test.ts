import { ChangeSet } from "@codemirror/state";
import { expect, test } from "vitest";
import * as Y from "yjs";

import { Positions, relative } from "../src/people/positions.ts";

const always = (): boolean => true;

function shared(words: string): Y.Text {
  const text = new Y.Doc().getText("content");
  text.insert(0, words);
  return text;
}

const at = (text: Y.Text, index: number): unknown => JSON.parse(JSON.stringify(Y.createRelativePositionFromTypeIndex(text, index)));
const cursor = (text: Y.Text, anchor: number, head = anchor): object => ({ cursor: { anchor: at(text, anchor), head: at(text, head) } });

test("a caret is where it was said to be", () => {
  const text = shared("one two three");
  const positions = new Positions(text);
  positions.said(7, cursor(text, 4, 7));
  positions.settle(always);
  expect(positions.of(7)).toMatchObject({ anchor: 4, head: 7 });
});

test("a caret goes along with edits exactly as yjs would place it, without being looked up again", () => {
  const text = shared("one two three");
  const positions = new Positions(text);
  for (let index = 0; index <= text.length; index += 1) positions.said(index, cursor(text, index));
  positions.settle(always);
  const fresh = Array.from({ length: 14 }, (_, index) => Y.createRelativePositionFromTypeIndex(text, index));
  const edits = [{ from: 4, insert: "new " }, { from: 0, to: 2 }, { from: 15, insert: "!" }, { from: 3, to: 9 }];
  for (const { from, to = from, insert = "" } of edits) {
    const length = text.length;
    text.delete(from, to - from);
    text.insert(from, insert);
    positions.map(ChangeSet.of({ from, to, insert }, length));
  }
  const placed = fresh.map((position) => Y.createAbsolutePositionFromRelativePosition(position, text.doc as Y.Doc)?.index);
  expect(fresh.map((_, index) => positions.of(index)?.head)).toEqual(placed);
});

test("a caret in words that have not come yet appears with them", () => {
  const text = shared("one");
  const there = new Y.Doc();
  Y.applyUpdate(there, Y.encodeStateAsUpdate(text.doc as Y.Doc));
  there.getText("content").insert(3, " two");
  const positions = new Positions(text);
  positions.said(7, cursor(there.getText("content"), 5));
  positions.settle(always);
  expect(positions.of(7)).toBeNull();
  Y.applyUpdate(text.doc as Y.Doc, Y.encodeStateAsUpdate(there));
  positions.map(ChangeSet.of({ from: 3, insert: " two" }, 3));
  positions.settle(always);
  expect(positions.of(7)?.head).toBe(5);
});

test("no more is looked up in one go than there is time for", () => {
  const text = shared("one");
  const positions = new Positions(text);
  for (let client = 0; client < 200; client += 1) positions.said(client, cursor(text, 2));
  let looks = 0;
  expect(positions.settle(() => (looks += 1) <= 50)).toBe(false);
  expect([...positions.clients].filter((client) => positions.of(client) !== null)).toHaveLength(50);
  expect(positions.settle(always)).toBe(true);
  expect([...positions.clients].filter((client) => positions.of(client) !== null)).toHaveLength(200);
});

test("a key that leaves the place as it is counts as a move, and a state said again does not", () => {
  const text = shared("one");
  const positions = new Positions(text);
  positions.said(7, { ...cursor(text, 1), typed: 1 });
  positions.said(7, { ...cursor(text, 1), typed: 1, idle: true });
  positions.settle(always);
  expect(positions.of(7)?.moves).toBe(1);
  positions.said(7, { ...cursor(text, 1), typed: 2 });
  expect(positions.of(7)?.moves).toBe(2);
});

test("who takes the caret away, or leaves, has none", () => {
  const text = shared("one");
  const positions = new Positions(text);
  positions.said(7, cursor(text, 1));
  positions.settle(always);
  positions.said(7, { cursor: null });
  expect(positions.of(7)).toBeNull();
});

const END = { type: null, tname: "content", item: null, assoc: 0 };

test("the end of the text is a place", () => {
  const text = shared("one");
  const positions = new Positions(text);
  positions.said(7, { cursor: { anchor: END, head: END } });
  positions.settle(always);
  expect(positions.of(7)?.head).toBe(3);
});

test.each([
  undefined,
  null,
  7,
  "x",
  {},
  [],
  { item: {} },
  { item: { client: "1", clock: 0 } },
  { item: { client: -1, clock: 0 } },
  { item: { client: 1, clock: 1e300 } },
  { item: { client: 1, clock: 0 }, assoc: {} },
  { tname: "other", item: null },
  { type: { client: 1, clock: 0 }, item: null },
  { type: null, tname: null, item: null },
])("the position %j is none", (said) => {
  expect(relative(said, "content")).toBeNull();
});

test("a forged position makes no new type in the document", () => {
  const text = shared("one");
  const positions = new Positions(text);
  positions.said(7, { cursor: { anchor: { ...END, tname: "junk" }, head: { ...END, tname: "junk" } } });
  positions.settle(always);
  expect([...(text.doc as Y.Doc).share.keys()]).toEqual(["content"]);
});
