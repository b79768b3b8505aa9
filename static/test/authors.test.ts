import { describe, expect, test } from "vitest";
import * as Y from "yjs";

import type { Span } from "../src/authors/authors.ts";
import { runsIn, Whose } from "../src/authors/runs.ts";

/** A text that each of these clients adds to at these places, in turn. */
function written(...parts: readonly [client: number, at: number, words: string][]): Y.Text {
  const shared = new Y.Doc();
  for (const [client, at, words] of parts) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(shared));
    // Behind the update, which would make it draw another one if it held words of this.
    doc.clientID = client;
    doc.getText("content").insert(at, words);
    Y.applyUpdate(shared, Y.encodeStateAsUpdate(doc));
  }
  return shared.getText("content");
}

function whose(clients: Record<string, readonly Span[]>, pages: Record<number, number> = {}): Whose {
  return new Whose({ clients }, (client) => pages[client] ?? null);
}

describe("runs of authors", () => {
  test("cover the text in order, neighbours of one author in one", () => {
    const text = written([1, 0, "aaaa"], [2, 2, "bb"], [3, 6, "cc"]);
    expect(text.toString()).toBe("aabbaacc");
    const known = whose({ 1: [[0, 4, 0]], 2: [[0, 2, 1]], 3: [[0, 2, 0]] });
    expect(runsIn(text, known)).toEqual([
      { from: 0, to: 2, author: 0 },
      { from: 2, to: 4, author: 1 },
      { from: 4, to: 8, author: 0 },
    ]);
  });

  test("leave out what was deleted and count in UTF-16 units", () => {
    const text = written([1, 0, "a😀bcd"], [2, 3, "ä"]);
    text.delete(4, 2);
    expect(text.toString()).toBe("a😀äd");
    expect(runsIn(text, whose({ 1: [[0, 6, 0]], 2: [[0, 1, 1]] }))).toEqual([
      { from: 0, to: 3, author: 0 },
      { from: 3, to: 4, author: 1 },
      { from: 4, to: 5, author: 0 },
    ]);
  });

  test("part one client's words where they are of two, as after relaying", () => {
    const text = written([1, 0, "abcdef"]);
    expect(runsIn(text, whose({ 1: [[0, 2, 0], [2, 3, 1], [3, 6, 2]] }))).toEqual([
      { from: 0, to: 2, author: 0 },
      { from: 2, to: 3, author: 1 },
      { from: 3, to: 6, author: 2 },
    ]);
  });

  test("take what the server has not told yet from whose page it is, or leave it open", () => {
    const text = written([1, 0, "ab"], [1, 2, "cd"], [2, 4, "ef"], [3, 6, "gh"]);
    const known = whose({ 1: [[0, 2, 0]] }, { 1: 0, 2: 1 });
    expect(runsIn(text, known)).toEqual([
      { from: 0, to: 4, author: 0 },
      { from: 4, to: 6, author: 1 },
      { from: 6, to: 8, author: null },
    ]);
  });

  test("are read quickly from a large text of many pieces", () => {
    const doc = new Y.Doc();
    doc.clientID = 1;
    const text = doc.getText("content");
    for (let piece = 0; piece < 20_000; piece += 1) text.insert(Math.floor(text.length / 2), "some words ".repeat(5));
    const spans = Array.from({ length: 2000 }, (_, at): Span => [at * 550, (at + 1) * 550, at % 3]);
    const began = performance.now();
    const runs = runsIn(text, whose({ 1: spans }));
    expect(runs[runs.length - 1]?.to).toBe(text.length);
    // Some milliseconds; what is quadratic would take minutes.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
