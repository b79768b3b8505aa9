import { EditorSelection, EditorState, type StateCommand } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import type { Edit } from "../src/editor/inline.ts";
import { addColumn, alignTable, cycleAlignment, enterRow, nextCell, placeOf, previousCell, removeColumn, removeRow } from "../src/editor/tablekeys.ts";
import { tableAt } from "../src/editor/tables.ts";
import { columns } from "../src/editor/width.ts";

/** `^` is the caret, `‹›` a selection. */
function stateOf(text: string): EditorState {
  const caret = text.indexOf("^");
  return EditorState.create({ doc: text.replace(/[\^]/g, ""), selection: EditorSelection.cursor(Math.max(0, caret)) });
}
function shown(state: EditorState): string {
  const text = state.doc.toString();
  const { from, to, empty } = state.selection.main;
  return empty ? `${text.slice(0, from)}^${text.slice(from)}` : `${text.slice(0, from)}‹${text.slice(from, to)}›${text.slice(to)}`;
}
function done(text: string, command: StateCommand): string {
  let state = stateOf(text);
  return command({ state, dispatch: (transaction) => (state = transaction.state) }) ? shown(state) : "nothing";
}
function edited(text: string, edit: Edit): string {
  const state = stateOf(text);
  const spec = edit(state);
  return spec === null ? "nothing" : shown(state.update(spec).state);
}

const TABLE = "| a | b |\n| - | - |\n| 1 | 2 |";

test.each([
  ["abc", 3],
  ["漢字", 4],
  ["é", 1],
  ["e\u0301", 1],
  ["👩‍👩‍👧‍👦", 2],
  ["🇨🇭", 2],
  ["✍🏽", 2],
  ["한글", 4],
  ["ｱ", 1],
  ["Ａ", 2],
  ["\u200b", 0],
  ["☃", 1],
])("%j is %i columns wide", (text, width) => expect(columns(text)).toBe(width));

describe("finding", () => {
  test("a table is found from each of its rows and from nowhere else", () => {
    const state = stateOf(`words\n\n${TABLE}\n\nx | y\n`);
    const at = (text: string): number => state.doc.toString().indexOf(text);
    for (const text of ["| a", "| - ", "| 1"]) expect(tableAt(state, at(text))?.rows.length).toBe(3);
    expect(tableAt(state, 0)).toBeNull();
    expect(tableAt(state, at("x | y"))).toBeNull();
  });
  test("a pipe after a backslash is a letter", () => {
    expect(tableAt(stateOf("| a \\| b | c |\n| --- | --- |"), 3)?.cells[0]?.length).toBe(2);
  });
  test("rows may do without pipes at their ends", () => {
    expect(tableAt(stateOf("a | b\n--- | ---\n1 | 2"), 1)?.cells.map((row) => row.length)).toEqual([2, 2, 2]);
  });
  test("the caret's row and column are told", () => {
    expect(placeOf(stateOf("| a | b |\n| - | - |\n| 1 | 2^ |"))).toMatchObject({ row: 2, column: 1 });
  });
});

describe("keys", () => {
  test.each([
    ["| a^ | b |\n| - | - |\n| 1 | 2 |", "| a | ‹b› |\n| - | - |\n| 1 | 2 |"],
    ["| a | b^ |\n| - | - |\n| 1 | 2 |", "| a | b |\n| - | - |\n| ‹1› | 2 |"],
    ["| a | b |\n| - | - |\n| 1 | 2^ |", "| a | b |\n| - | - |\n| 1 | 2 |\n| ^  |   |"],
    ["wo^rds", "nothing"],
  ])("Tab in %j goes to the next cell", (before, after) => expect(done(before, nextCell)).toBe(after));
  test("Shift and Tab goes back, over the line of dashes", () => {
    expect(done("| a | b |\n| - | - |\n| 1^ | 2 |", previousCell)).toBe("| a | ‹b› |\n| - | - |\n| 1 | 2 |");
    expect(done("| a^ | b |\n| - | - |", previousCell)).toBe("| a^ | b |\n| - | - |");
  });
  test("Enter makes a new row, and on an empty last one leaves the table", () => {
    expect(done("| a^ | b |\n| - | - |\n| 1 | 2 |", enterRow)).toBe("| a | b |\n| - | - |\n| ^  |   |\n| 1 | 2 |");
    expect(done("| a | b |\n| - | - |\n| ^  |   |", enterRow)).toBe("| a | b |\n| - | - |\n^");
    expect(done("a | b^ without a table", enterRow)).toBe("nothing");
  });
});

describe("columns", () => {
  test("they stand in line, by what is seen", () => {
    const before = "|a^|b|\n|:-|-:|\n|long words|漢字|\n||👩‍👩‍👧|";
    expect(edited(before, alignTable).replace("^", "")).toBe("| a          |    b |\n| :--------- | ---: |\n| long words | 漢字 |\n|            |   👩‍👩‍👧 |");
  });
  test("what stands in line is left alone", () => {
    const once = edited("|a^|b|\n|-|-|\n|long words|x|", alignTable);
    expect(edited(once, alignTable)).toBe("nothing");
  });
  test("only spaces, pipes and dashes are touched", () => {
    const state = stateOf("|a^|b|\n|-|-|\n|long  words \\| x|y|");
    const spec = alignTable(state);
    const text = spec === null ? "" : state.update(spec).newDoc.toString();
    expect(text.replace(/[\s|\\-]/g, "")).toBe("ablongwordsxy");
  });
  test("ragged rows stay as ragged as they were", () => {
    expect(edited("| a^ | b |\n| - | - |\n| 1 |\n| 1 | 2 | 3 |", alignTable).replace("^", "")).toBe("| a   | b   |\n| --- | --- |\n| 1   |\n| 1   | 2   | 3   |");
  });
  test.each([
    ["| a^ | b |\n| - | - |\n| 1 | 2 |", "| a | ^  | b |\n| - | --- | - |\n| 1 |   | 2 |"],
    ["| a | b^ |\n| - | - |\n| 1 |   |", "| a | b | ^  |\n| - | - | --- |\n| 1 | |    |"],
    ["a | b^\n- | -\n1 | 2", "a | b | ^  |\n- | - | ---\n1 | 2 |   |"],
  ])("a column is added in %j", (before, after) => expect(edited(before, addColumn)).toBe(after));
  test.each([
    ["| a^ | b |\n| - | - |\n| 1 | 2 |", "| ^b |\n| - |\n| 2 |"],
    ["| a | b^ |\n| - | - |\n| 1 |   |", "| a^ |\n| - |\n| 1 |"],
    ["| a^ |\n| - |", "nothing"],
  ])("a column is removed from %j", (before, after) => expect(edited(before, removeColumn)).toBe(after));
  test("the head and the dashes cannot be removed, other rows can", () => {
    expect(edited("| a^ | b |\n| - | - |", removeRow)).toBe("nothing");
    expect(edited("| a | b |\n| - | - |\n| 1^ | 2 |\n| 3 | 4 |", removeRow)).toBe("| ^a | b |\n| - | - |\n| 3 | 4 |");
  });
  test("the alignment of a column goes round", () => {
    let text = "| a^ | b |\n| --- | --- |";
    const seen = [1, 2, 3, 4].map(() => (text = edited(text, cycleAlignment)).split("\n")[1]);
    expect(seen).toEqual(["| :-- | --- |", "| :-: | --- |", "| --: | --- |", "| --- | --- |"]);
  });
});
