// @vitest-environment happy-dom

/** What is found, packed and dropped: streams of lines, marks in them, archives, folders. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { parents, picked } from "../src/files/dropped.ts";
import { lines, pieces } from "../src/files/search.ts";
import { filled } from "../src/files/templates.ts";
import de from "../src/files/templates/de.ts";
import en from "../src/files/templates/en.ts";
import fr from "../src/files/templates/fr.ts";
import { crc32, zip } from "../src/files/zip.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function streamed(...parts: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(stream)) found.push(line);
  return found;
}

test("lines come whole, wherever the network cuts them, even within a letter", async () => {
  const text = bytes('{"a":"ü☃"}\n\n{"b":1}\n{"c":2}');
  for (let cut = 0; cut <= text.length; cut += 1) {
    expect(await all(streamed(text.slice(0, cut), text.slice(cut)))).toEqual(['{"a":"ü☃"}', '{"b":1}', '{"c":2}']);
  }
});

test("a line is cut at its matches and loses no letter", () => {
  const text = "the budget for the budget";
  expect(pieces(text, [[19, 25], [4, 10]])).toEqual([
    { text: "the ", hit: false },
    { text: "budget", hit: true },
    { text: " for the ", hit: false },
    { text: "budget", hit: true },
  ]);
  expect(pieces(text, [[4, 10], [6, 12], [20, 99], [3, 3]]).map((piece) => piece.text).join("")).toBe(text);
  expect(pieces("", [])).toEqual([]);
});

test("the checksum is that of the standard's example", () => {
  expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
});

test("an archive is read by another program, names and times and bytes as they were", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zip-"));
  const modified = new Date(2024, 1, 29, 13, 14, 16);
  const files = [
    { name: "a/Größe ☃.md", bytes: bytes("ü\n"), modified },
    { name: "empty.txt", bytes: bytes(""), modified },
  ];
  writeFileSync(join(folder, "made.zip"), new Uint8Array(await zip(files).arrayBuffer()));
  const script =
    "import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None;" +
    "print(json.dumps([[i.filename, list(i.date_time), z.read(i).decode()] for i in z.infolist()]))";
  const read: unknown = JSON.parse(execFileSync("python3", ["-c", script, join(folder, "made.zip")], { encoding: "utf8" }));
  rmSync(folder, { recursive: true });
  expect(read).toEqual([
    ["a/Größe ☃.md", [2024, 2, 29, 13, 14, 16], "ü\n"],
    ["empty.txt", [2024, 2, 29, 13, 14, 16], ""],
  ]);
});

test("the folders above chosen files are made once, the outer ones first", () => {
  expect(parents(["a/b/c.md", "a/d.md", "e.md", "a/b/f.md"])).toEqual(["a", "a/b"]);
  const load = picked([new File(["x"], "alone.md")]);
  expect([load.files.map(({ path }) => path), load.folders]).toEqual([["alone.md"], []]);
});

test("templates say the same in every language: front matter, formulas, footnotes, slides and boxes", () => {
  for (const texts of [en, de, fr]) {
    expect(texts.paper).toMatch(/^---\n[\s\S]*?\n---\n[\s\S]*\$\$[\s\S]*\[\^1\]:/);
    expect(texts.slides.split("\n---\n").length).toBeGreaterThan(2);
    expect(texts.todo).toMatch(/- \[ \] .*[\s\S]*- \[x\] /);
    expect(texts.table.split("\n").map((line) => line.split(",").length)).toEqual([3, 3, 1]);
    expect(filled(texts.minutes, "2024-02-29")).toContain("2024-02-29");
  }
});
