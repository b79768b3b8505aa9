/** NOTEBOOK-9: cells in the shared document, edited by several pages at once. */

import { expect, test } from "vitest";
import * as Y from "yjs";

import { idOf, Notebook, sourceOf, typeOf, type Cell } from "../src/notebook/cells.ts";

/** A page of its own, with all that the other one has. */
function page(from?: Notebook): Notebook {
  const made = new Notebook(new Y.Doc());
  if (from !== undefined) together(from, made);
  return made;
}

function together(...pages: Notebook[]): void {
  for (const one of pages) for (const other of pages) Y.applyUpdate(other.document, Y.encodeStateAsUpdate(one.document));
}

function notebook(...sources: string[]): Notebook {
  const made = page();
  sources.forEach((source, index) => made.insert(index, "code", source));
  made.undo.clear();
  return made;
}

const cell = (of: Notebook, index: number): Cell => of.all[index] ?? expect.fail("no such cell");
const text = (found: Cell): Y.Text => sourceOf(found) ?? expect.fail("no source");
const sources = (of: Notebook): string[] => of.all.map((each) => text(each).toString());
/** As an editor does it: in a transaction whose origin undo knows. */
function type(of: Notebook, index: number, at: number, words: string): void {
  of.undo.addTrackedOrigin("keys");
  of.document.transact(() => text(cell(of, index)).insert(at, words), "keys");
}

test("a new cell has what the format wants of its type, and nothing else", () => {
  const { insert, all } = { insert: page(), all: ["code", "markdown", "raw"] as const };
  all.forEach((each, index) => insert.insert(index, each, "x"));
  const [code, markdown, raw] = insert.cells.toJSON() as Record<string, unknown>[];
  expect(code).toEqual({ id: expect.stringMatching(/^[\w-]{8}$/), cell_type: "code", source: "x", metadata: {}, outputs: [], execution_count: null, execution_state: "idle" });
  expect(markdown).toEqual({ id: expect.any(String), cell_type: "markdown", source: "x", metadata: {} });
  expect(Object.keys(raw ?? {}).sort()).toEqual(["cell_type", "id", "metadata", "source"]);
});

test("a split puts what is before the caret above, and loses no word that is typed meanwhile", () => {
  const [one, other] = [notebook("first\nsecond"), page()];
  together(one, other);
  type(other, 0, 2, "HERE");
  type(other, 0, 15, "THERE");
  const lower = cell(one, 0);
  one.split(lower, 6);
  expect(sources(one)).toEqual(["first", "second"]);
  expect(cell(one, 1)).toBe(lower);
  together(one, other);
  expect(sources(one)).toEqual(sources(other));
  expect(sources(one).join()).toContain("HERE");
  expect(sources(one)[1]).toContain("secondTHERE".slice(0, 3));
  expect(sources(one).join().match(/HERE|THERE/g)).toHaveLength(2);
});

test("two people who split at the same place make the same cell, so that it can be known as one", () => {
  const one = notebook("first\nsecond");
  const other = page(one);
  for (const each of [one, other]) each.split(cell(each, 0), 6);
  together(one, other);
  expect(sources(one)).toEqual(["first", "first", "second"]);
  expect(cell(one, 0).toJSON()).toEqual(cell(one, 1).toJSON());
  one.split(cell(one, 2), 3);
  one.split(cell(one, 3), 2);
  expect(new Set(one.all.map(idOf)).size).toBe(4);
  expect(one.all.every((each) => /^[A-Za-z0-9_-]{1,64}$/.test(idOf(each)))).toBe(true);
});

test("a split at any place makes both parts, and undo makes them one again", () => {
  const whole = "ab\n\ncd";
  for (let offset = 0; offset <= whole.length; offset += 1) {
    const made = notebook(whole);
    made.split(cell(made, 0), offset);
    expect(sources(made).join("\n").replaceAll("\n", "")).toBe("abcd");
    made.undo.undo();
    expect(sources(made)).toEqual([whole]);
  }
});

test("merged cells have both sources, outputs and pictures; words typed into the upper one stay", () => {
  const made = notebook("one", "two");
  (cell(made, 0).get("outputs") as Y.Array<unknown>).push([new Y.Map(Object.entries({ output_type: "stream", name: "stdout", text: new Y.Text("1") }))]);
  (cell(made, 1).get("outputs") as Y.Array<unknown>).push([new Y.Map(Object.entries({ output_type: "stream", name: "stdout", text: new Y.Text("2") }))]);
  const other = page(made);
  type(other, 0, 3, " more");
  made.merge(cell(made, 0), cell(made, 1));
  together(made, other);
  expect(sources(made)).toEqual(sources(other));
  expect(sources(made)).toHaveLength(1);
  expect(sources(made)[0]).toContain("more");
  expect(sources(made)[0]).toContain("two");
  expect((cell(made, 0).toJSON() as { outputs: { text: string }[] }).outputs.map((each) => each.text)).toEqual(["1", "2"]);
  made.undo.undo();
  expect(sources(made).map((each) => each.replace(" more", ""))).toEqual(["one", "two"]);
});

test("merged texts are two paragraphs, and both have their pictures", () => {
  const made = page();
  made.paste(0, [{ cell_type: "markdown", source: "a", attachments: { "a.png": { "image/png": "QQ==" } } }, { cell_type: "markdown", source: "b", attachments: { "b.png": { "image/png": "Qg==" } } }]);
  made.merge(cell(made, 0), cell(made, 1));
  expect(made.cells.toJSON()).toMatchObject([{ source: "a\n\nb", attachments: { "a.png": {}, "b.png": {} } }]);
});

test("a moved cell keeps its id and all that is in it; undo puts it back", () => {
  const made = notebook("one", "two", "three");
  const [first] = made.cells.toJSON() as unknown[];
  made.move(cell(made, 0), 2);
  expect(sources(made)).toEqual(["two", "three", "one"]);
  expect((made.cells.toJSON() as unknown[])[2]).toEqual(first);
  made.undo.undo();
  expect(sources(made)).toEqual(["one", "two", "three"]);
});

test("undo of a deletion brings the cell back with its outputs, and nobody else's edit is undone", () => {
  const one = notebook("one", "two");
  (cell(one, 0).get("outputs") as Y.Array<unknown>).push([new Y.Map(Object.entries({ output_type: "stream", name: "stdout", text: new Y.Text("out") }))]);
  const before = one.cells.toJSON() as unknown[];
  const other = page(one);
  one.remove([cell(one, 0)]);
  type(other, 1, 3, "!");
  together(one, other);
  one.undo.undo();
  together(one, other);
  expect(one.cells.toJSON()).toEqual([before[0], { ...(before[1] as object), source: "two!" }]);
  expect(other.cells.toJSON()).toEqual(one.cells.toJSON());
});

test("undo does not take away a cell, or a copy of one, in which others have written", () => {
  const one = notebook("one", "two");
  const other = page(one);
  one.insert(2, "code", "mine");
  one.move(cell(one, 0), 1);
  together(one, other);
  type(other, 1, 3, " theirs");
  type(other, 2, 4, " too");
  together(one, other);
  one.undo.undo();
  one.undo.undo();
  expect(sources(one).join("|")).toContain("theirs");
  expect(sources(one).join("|")).toContain("too");
});

test("undo takes a cell away that only its maker has written in, and redo brings it again", () => {
  const made = notebook("one");
  made.insert(1, "markdown");
  type(made, 1, 0, "mine");
  made.undo.undo();
  made.undo.undo();
  expect(sources(made)).toEqual(["one"]);
  made.undo.redo();
  made.undo.redo();
  expect(sources(made)).toEqual(["one", "mine"]);
});

test("another type is set in place: words typed meanwhile stay, and only what the type has is there", () => {
  const [one, other] = [notebook("x"), page()];
  cell(one, 0).set("execution_count", 3);
  together(one, other);
  type(other, 0, 1, "y");
  one.retype(cell(one, 0), "markdown");
  together(one, other);
  expect(one.cells.toJSON()).toEqual([{ id: idOf(cell(one, 0)), cell_type: "markdown", source: "xy", metadata: {} }]);
  one.retype(cell(one, 0), "code");
  expect(typeOf(cell(one, 0))).toBe("code");
  expect(one.cells.toJSON()).toMatchObject([{ outputs: [], execution_count: null }]);
  one.undo.undo();
  one.undo.undo();
  expect(one.cells.toJSON()).toMatchObject([{ cell_type: "code", execution_count: 3 }]);
});

test("pasted cells are new ones with all that they had", () => {
  const made = notebook("x = 1");
  const [given] = made.cells.toJSON() as Record<string, unknown>[];
  const outputs = [{ output_type: "stream", name: "stdout", text: "1\n" }];
  const [pasted] = made.paste(1, [{ ...given, execution_count: 4, outputs }]);
  expect(pasted?.toJSON()).toMatchObject({ source: "x = 1", execution_count: 4, outputs });
  expect(idOf(cell(made, 1))).not.toBe(given?.["id"]);
});

test("what other clients made of something else is no cell, and no source", () => {
  const made = page();
  made.cells.push(["words", new Y.Map(Object.entries({ id: 7, cell_type: "else", source: "plain" }))]);
  expect(made.all).toHaveLength(1);
  expect([idOf(cell(made, 0)), typeOf(cell(made, 0)), sourceOf(cell(made, 0))]).toEqual(["", "raw", null]);
  made.split(cell(made, 0), 2);
  made.merge(cell(made, 0), cell(made, 0));
  expect(made.cells.length).toBe(2);
});

test("many pages that split, retype and type at once agree, and every word is there once", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 15; round += 1) {
    const pages = [notebook("aa\nbb", "cc", "dd\nee")];
    pages.push(page(pages[0]), page(pages[0]));
    const typed: string[] = [];
    const ids = (pages[0]?.all ?? []).map(idOf);
    pages.forEach((each, who) => {
      for (let step = 0; step < 3; step += 1) {
        const found = cell(each, random(each.all.length));
        if (random(2) === 0) {
          const word = `<${round}.${who}.${step}>`;
          typed.push(word);
          each.document.transact(() => text(found).insert(random(text(found).length + 1), word));
          // What two people split at two places at once is there twice, where both had it: here everybody splits their own.
        } else if (random(2) === 0) each.split(each.withId(ids[who] ?? "") ?? found, 1 + random(2));
        else each.retype(found, random(2) === 0 ? "markdown" : "code");
      }
    });
    together(...pages);
    const [first, ...others] = pages.map((each) => JSON.stringify(each.cells.toJSON()));
    expect(others).toEqual([first, first]);
    // A word may itself be split by a split: its letters are there all the same.
    const all = sources(pages[0] ?? expect.fail()).join("").replaceAll("\n", "");
    const letters = (words: string): string => [...words].sort().join("");
    expect(letters(all)).toBe(letters(["aabbccddee", ...typed].join("")));
  }
});
