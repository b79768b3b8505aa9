import { expect, test } from "vitest";
import * as Y from "yjs";

import { forgettable } from "../src/words/forgetting.ts";

const BIG = "x".repeat(50_000);

/** Two pages with a cell of some source, which has a large output. */
function pages(source: string): [Y.Doc, Y.Doc] {
  const made = [new Y.Doc({ gcFilter: forgettable }), new Y.Doc({ gcFilter: forgettable })] as [Y.Doc, Y.Doc];
  cells(made[0]).insert(0, [cell(source), cell("other")]);
  tell(made[0], made[1]);
  return made;
}

function cell(source: string): Y.Map<unknown> {
  const outputs = Y.Array.from([new Y.Map(Object.entries({ text: new Y.Text(BIG) }))]);
  return new Y.Map(Object.entries({ id: "one", cell_type: "code", source: new Y.Text(source), outputs }));
}

const cells = (page: Y.Doc): Y.Array<Y.Map<unknown>> => page.getArray("cells");
const sourceOf = (page: Y.Doc, place: number): Y.Text => cells(page).get(place).get("source") as Y.Text;
const has = (update: Uint8Array, words: string): boolean => new TextDecoder().decode(update).includes(words);

function tell(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
}

function move(page: Y.Doc): void {
  page.transact(() => {
    const source = sourceOf(page, 0).toString();
    cells(page).delete(0);
    cells(page).insert(1, [cell(source)]);
  });
}

test("words typed into a cell are still there to be sent when it turns out to be moved", () => {
  const [ann, bob] = pages("source");
  const known = Y.encodeStateVector(bob);
  sourceOf(ann, 0).insert(6, " typed");
  move(bob);
  tell(bob, ann);
  expect(cells(ann).length).toBe(2);
  expect(has(Y.encodeStateAsUpdate(ann, known), " typed")).toBe(true);
  const third = new Y.Doc({ gcFilter: forgettable });
  cells(third);
  tell(ann, third);
  expect(third.toJSON()).toEqual(ann.toJSON());
});

test("outputs, and words that people take out themselves, are forgotten as ever", () => {
  const [ann] = pages("before");
  sourceOf(ann, 0).insert(0, "taken out ");
  sourceOf(ann, 0).delete(0, 10);
  move(ann);
  cells(ann).delete(0);
  const text = ann.getText("content");
  text.insert(0, "plain text");
  text.delete(0, 5);
  const state = Y.encodeStateAsUpdate(ann);
  expect(has(state, "taken out")).toBe(false);
  expect(has(state, "plain")).toBe(false);
  expect(state.length).toBeLessThan(2 * BIG.length);
});
