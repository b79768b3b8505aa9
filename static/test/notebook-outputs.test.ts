// @vitest-environment happy-dom

import { describe, expect, test } from "vitest";
import * as Y from "yjs";

import { allowed } from "../src/notebook/acts.ts";
import { runs } from "../src/notebook/ansi.ts";
import { CommandKeys } from "../src/notebook/keys.ts";
import { attachmentIn, chosen, formulaIn, hasPrograms, outputsIn, pictureOf } from "../src/notebook/outputs.ts";
import { notebook } from "../src/files/templates.ts";
import { textsOf, wholeOf } from "../src/words/contents.ts";
import { typed } from "../src/words/fragments.ts";

const text = (output: string): string => runs(output).map((run) => run.text).join("");

describe("a terminal's text", () => {
  test("has the colours and weights that programs give it", () => {
    const [red, plain, bright, cube, exact] = runs("\x1b[1;31mred\x1b[0m plain\x1b[94;40mbright\x1b[38;5;208mcube\x1b[48;2;1;2;300mexact");
    expect(red).toMatchObject({ text: "red", ink: 1, bold: true, paper: null });
    expect(plain).toMatchObject({ text: " plain", ink: null, bold: false });
    expect(bright).toMatchObject({ ink: 12, paper: 0 });
    expect(cube).toMatchObject({ ink: "#ff8700" });
    expect(exact).toMatchObject({ ink: "#ff8700", paper: "#0102ff" });
  });

  test("has no sequence left that is no colour", () => {
    expect(text("a\x1b[2Jb\x1b]0;title\x07c\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b(Bd\x9b31me\x00f\x1b")).not.toMatch(/[\x00-\x08\x0e-\x1f\x7f-\x9f]/);
    expect(text("\x1b[?25lx\x1b[1Gy")).toBe("xy");
  });

  test("shows a line that was written over as it was at last", () => {
    expect(text("10 %\r50 %\r100 %\r\nnext\r\n")).toBe("100 %\nnext\n");
    expect(text("abc\b\bX")).toBe("aX");
  });

  test("is read in linear time", () => {
    const start = performance.now();
    runs("\x1b[".repeat(200_000));
    runs(`\x1b]${"x".repeat(400_000)}`);
    runs("\x1b]".repeat(100_000));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("outputs", () => {
  test("are read from shared types and from lists of lines", () => {
    const outputs = new Y.Doc().getArray("outputs");
    outputs.push([
      new Y.Map(Object.entries({ output_type: "stream", name: "stderr", text: new Y.Text("warned") })),
      new Y.Map(Object.entries({ output_type: "error", ename: "E", evalue: "v", traceback: ["one", "two"] })),
      { output_type: "execute_result", execution_count: 3, data: { "text/plain": ["a\n", "b"] }, metadata: {} },
      { output_type: "other" },
      "words",
      null,
    ]);
    expect(outputsIn(outputs)).toMatchObject([
      { kind: "stream", error: true, text: "warned" },
      { kind: "error", text: "one\ntwo" },
      { kind: "data", count: 3 },
      { kind: "unknown", name: "other" },
      { kind: "unknown", name: "" },
      { kind: "unknown", name: "" },
    ]);
    expect(outputsIn(undefined)).toEqual([]);
    expect(outputsIn([{ output_type: "error", ename: "E", evalue: "v" }])).toMatchObject([{ text: "E: v" }]);
  });

  test("the richest representation that can be shown is, and what would have to run is said", () => {
    const of = (data: Record<string, unknown>): object | null => chosen(new Map(Object.entries(data)));
    expect(of({ "text/plain": "p", "text/html": "h", "image/png": "i" })).toMatchObject({ type: "text/html", live: false });
    expect(of({ "text/plain": "p", "application/vnd.jupyter.widget-view+json": {} })).toMatchObject({ type: "text/plain", live: true });
    expect(of({ "application/javascript": "x" })).toMatchObject({ type: "", live: true });
    expect(of({ "application/vnd.x+json": {} })).toMatchObject({ type: "application/vnd.x+json" });
    expect(of({ "text/x-rst": "r" })).toMatchObject({ type: "text/plain", value: "r" });
    expect(of({})).toBeNull();
    expect(hasPrograms("<p onclick=x>")).toBe(true);
    expect(hasPrograms("<p>on click = x</p>")).toBe(false);
  });

  test("a formula is one with and without signs around it", () => {
    expect(formulaIn("$\\displaystyle x$")).toEqual({ source: "\\displaystyle x", display: true });
    expect(formulaIn("$x$")).toEqual({ source: "x", display: false });
    expect(formulaIn("$$x$$\n")).toEqual({ source: "x", display: true });
    expect(formulaIn("\\begin{equation}x\\end{equation}")).toMatchObject({ display: true });
    expect(formulaIn("words $x$ and $y$")).toBeNull();
  });

  test("pictures are data of picture types only", () => {
    expect(pictureOf("image/png", ["QUJD\n", "REVG"])).toBe("data:image/png;base64,QUJDREVG");
    expect(pictureOf("image/png", "https://elsewhere.example/x.png")).toBeNull();
    expect(pictureOf("text/html", "QUJD")).toBeNull();
    expect(pictureOf("image/svg+xml", '<svg onload="x"/>')).toBe("data:image/svg+xml;charset=utf-8,%3Csvg%20onload%3D%22x%22%2F%3E");
    expect(attachmentIn({ a: { "text/html": "x", "image/png": "QQ==" } }, "a")).toBe("data:image/png;base64,QQ==");
    expect(attachmentIn({ a: 1 }, "a")).toBeNull();
    expect(attachmentIn(undefined, "__proto__")).toBeNull();
  });
});

test("keys of the command mode: letters, pairs in time, and no pair of others", () => {
  const keys = new CommandKeys();
  const press = (key: string, at: number, more: object = {}): string | null => keys.act({ key, timeStamp: at, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more } as KeyboardEvent);
  expect([press("d", 0), press("d", 500), press("d", 600)]).toEqual([null, "remove", null]);
  expect([press("d", 5000), press("d", 7000)]).toEqual([null, null]);
  expect([press("Enter", 8000), press("Enter", 8100)]).toEqual(["write", "write"]);
  expect(press("M", 9000, { shiftKey: true })).toBe("merge");
  expect(press("m", 9000)).toBe("toMarkdown");
  expect(press("ArrowUp", 9000, { altKey: true })).toBe("up");
  expect(press("z", 9000, { ctrlKey: true })).toBe("undo");
  expect(press("constructor", 9000)).toBeNull();
});

test("who may only read goes through cells, finds and copies, and does nothing else", () => {
  const reader = { readOnly: true, chosen: true };
  expect((["next", "find", "help", "copy", "write"] as const).every((name) => allowed(name, reader))).toBe(true);
  expect((["above", "remove", "up", "split", "merge", "toCode", "undo", "paste", "leaveBelow"] as const).some((name) => allowed(name, reader))).toBe(false);
  expect(allowed("remove", { readOnly: false, chosen: false })).toBe(false);
});

test("a notebook's own words are found in its cells, and its whole is a file", () => {
  const document = new Y.Doc();
  document.getMap("collab").set("format", "notebook");
  for (const [key, value] of Object.entries({ nbformat: 4, nbformat_minor: 4, metadata: new Y.Map() })) document.getMap("meta").set(key, value);
  const cell = (source: string): Y.Map<unknown> => new Y.Map(Object.entries({ id: source, cell_type: "markdown", source: new Y.Text(source), metadata: new Y.Map() }));
  document.getArray("cells").push([cell("one"), cell("two")]);
  const updates: Uint8Array[] = [];
  document.on("update", (update: Uint8Array) => updates.push(update));
  textsOf(document)[1]?.insert(3, " mine");
  textsOf(document)[0]?.insert(0, "my ");
  expect(typed(updates, textsOf(document))).toEqual(["my ", " mine"]);
  expect(JSON.parse(wholeOf(document))).toEqual({
    cells: [{ cell_type: "markdown", metadata: {}, source: "my one" }, { cell_type: "markdown", metadata: {}, source: "two mine" }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 4,
  });
});

test("a new notebook has a text and a place for code", () => {
  const made = JSON.parse(notebook("# Title\n\nWords.")) as { cells: { cell_type: string; source: string[] }[] };
  expect(made.cells.map(({ cell_type }) => cell_type)).toEqual(["markdown", "code"]);
  expect(made.cells[0]?.source).toEqual(["# Title\n", "\n", "Words."]);
});
