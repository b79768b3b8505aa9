// @vitest-environment happy-dom

/** The list of files: names, order, places, selection and what can be undone, without a page. */

import { beforeEach, expect, test } from "vitest";

import type { Item } from "../src/base/api.ts";
import { speak } from "../src/base/messages.ts";
import { binnedEntry, entryOf, isMarkdownEntry, kindOf, matches, visitedEntry } from "../src/files/entries.ts";
import { size, time } from "../src/files/facts.ts";
import { complete, extension, fault, free, inside, retyped, stem, within } from "../src/files/naming.ts";
import { DEFAULT_ORDERS, ordersIn, pressed, sorted } from "../src/files/order.ts";
import { placeIn, queryOf, same } from "../src/files/place.ts";
import { Selection } from "../src/files/selection.ts";
import { Deeds } from "../src/files/undo.ts";

const item = (path: string, more: Partial<Item> = {}): Item => ({
  id: `id:${path}`,
  path,
  type: path.endsWith("/") ? "inode/directory" : "text/markdown",
  size: 1,
  etag: "e",
  modified: "2024-03-05T10:00:00Z",
  role: "editor",
  ...more,
});
const folder = (path: string): Item => item(path, { id: "", type: "inode/directory" });
const names = (items: Item[], order = DEFAULT_ORDERS.files): string[] => sorted(items.map(entryOf), order, "en").map(({ name }) => name);

beforeEach(() => speak("en"));

test("an extension is letters after the last dot of a name that has something before it", () => {
  expect(["a.md", "a.tar.gz", "Version 2.0", ".md", "a.b c", "résumé.odt", "x."].map(extension)).toEqual([".md", ".gz", "", "", "", ".odt", ""]);
  expect(stem("Plan 1.2.md")).toBe("Plan 1.2");
});

test("a typed name gets the wanted extension only when it has none", () => {
  expect(complete(" notes ", ".md")).toBe("notes.md");
  expect(complete("notes.txt", ".md")).toBe("notes.txt");
  expect(complete("Version 2.0", ".md")).toBe("Version 2.0.md");
  expect(complete("  ", ".md")).toBe("");
});

test("another template changes only the extension that the last one gave", () => {
  expect(retyped("sums.md", ".md", ".csv")).toBe("sums.csv");
  expect(retyped("sums.txt", ".md", ".csv")).toBe("sums.txt");
  expect(retyped("sums.csv", ".csv", "")).toBe("sums");
});

test("a taken name becomes the next one that is free, its extension kept", () => {
  const taken = (...all: string[]) => (name: string) => all.includes(name);
  expect(free("notes.md", taken())).toBe("notes.md");
  expect(free("notes.md", taken("notes.md"))).toBe("notes 2.md");
  expect(free("notes 2.md", taken("notes 2.md", "notes 3.md"))).toBe("notes 4.md");
  expect(free("folder", taken("folder"))).toBe("folder 2");
});

test("names that no file can have are told apart", () => {
  expect(["", "  ", "..", "a/b", ".hidden", "x".repeat(256), "ä".repeat(128), "fine.md"].map(fault)).toEqual([
    "empty",
    "empty",
    "empty",
    "slash",
    "hidden",
    "long",
    "long",
    null,
  ]);
});

test("a path is within a folder by whole names only", () => {
  expect([within("a/b", "a"), within("a", "a"), within("ab", "a")]).toEqual([true, true, false]);
  expect([inside("", "x"), inside("a/b", "x")]).toEqual(["x", "a/b/x"]);
});

test("folders come first and numbers count as numbers, whichever way names are sorted", () => {
  const items = [item("b10.md"), item("b2.md"), folder("z"), item("a.md"), folder("A")];
  expect(names(items)).toEqual(["A", "z", "a.md", "b2.md", "b10.md"]);
  expect(names([item("n 2.md"), item("n.txt"), item("n.md")])).toEqual(["n.md", "n.txt", "n 2.md"]);
  expect(names(items, { by: "name", down: true })).toEqual(["z", "A", "b10.md", "b2.md", "a.md"]);
});

test("sizes and times sort, and what is equal sorts by name", () => {
  const items = [item("c", { size: 5 }), item("b", { size: 5 }), item("a", { size: 9, modified: 1 })];
  expect(names(items, { by: "size", down: true })).toEqual(["a", "b", "c"]);
  expect(names(items, { by: "when", down: false })).toEqual(["a", "b", "c"]);
});

test("a press on the sorted column turns it round, on another one sorts as most people want it", () => {
  expect(pressed({ by: "name", down: false }, "name")).toEqual({ by: "name", down: true });
  expect(pressed({ by: "name", down: false }, "when")).toEqual({ by: "when", down: true });
  expect(pressed({ by: "when", down: true }, "name")).toEqual({ by: "name", down: false });
});

test("of stored orders only what makes sense is taken", () => {
  expect(ordersIn(null)).toEqual(DEFAULT_ORDERS);
  expect(ordersIn("[{]")).toEqual(DEFAULT_ORDERS);
  const stored = { files: { by: "size", down: true }, recent: { by: "colour", down: 1 }, other: { by: "name", down: true }, bin: null };
  expect(ordersIn(JSON.stringify(stored))).toEqual({ ...DEFAULT_ORDERS, files: { by: "size", down: true } });
});

test("a place is its address, and an address that makes no sense is the root", () => {
  for (const place of [
    { view: "files", folder: "" },
    { view: "files", folder: "a b/ü&?" },
    { view: "bin", folder: "" },
  ] as const) {
    expect(placeIn(queryOf(place))).toEqual(place);
  }
  expect(placeIn("?view=nothing&path=/a/")).toEqual({ view: "files", folder: "a" });
  expect(placeIn("?view=recent&path=a")).toEqual({ view: "recent", folder: "" });
  expect(same({ view: "files", folder: "a" }, { view: "files", folder: "b" })).toBe(false);
});

test("an entry keeps its key when it is renamed, and a folder is known by its path", () => {
  expect(entryOf(item("a.md", { id: "id:x" })).key).toBe(entryOf(item("b.md", { id: "id:x" })).key);
  expect(entryOf(folder("a/b"))).toMatchObject({ key: "folder:a/b", name: "b", isFolder: true });
  expect(visitedEntry({ ...item("a.md"), opened: "2024-05-05T00:00:00Z" }).when).toBe("2024-05-05T00:00:00Z");
  const binned = { key: "k", path: "x/a.md", type: "text/markdown", size: 3, deleted: "2024-01-01T00:00:00Z", by: "Ann", until: "2024-01-31T00:00:00Z" };
  expect(binnedEntry(binned)).toMatchObject({ key: "k", name: "a.md", readOnly: true, binned });
});

test("pictures of entries follow their kind", () => {
  const kinds = [folder("f"), item("a.md"), item("a.CSV", { type: "text/csv" }), item("a.png", { type: "image/png" }), item("a.zip", { type: "application/zip" })];
  expect(kinds.map(entryOf).map(kindOf)).toEqual(["folder", "text", "table", "picture", "file"]);
  expect([item("a.md"), item("a.txt"), folder("a.md")].map(entryOf).map(isMarkdownEntry)).toEqual([true, false, false]);
});

test("a name is found by all words that are typed, in any order, without case and accents", () => {
  const entry = entryOf(item("Résumé of the Meeting.md"));
  expect(["meeting resume", "RÉSUMÉ", "of  the"].every((query) => matches(entry, query))).toBe(true);
  expect(matches(entry, "meeting minutes")).toBe(false);
});

test("rows are chosen one by one, from an anchor, or all, and forgotten when they are gone", () => {
  const order = ["a", "b", "c", "d", "e"];
  const selection = new Selection();
  selection.toggle("b");
  selection.extend(order, "d", "a");
  expect(selection.in(order)).toEqual(["b", "c", "d"]);
  selection.extend(order, "a", "d");
  expect(selection.in(order)).toEqual(["a", "b"]);
  selection.toggle("a");
  expect(selection.in(order)).toEqual(["b"]);
  selection.all(order);
  selection.prune(["b", "e"]);
  expect([selection.size, selection.has("b"), selection.has("c")]).toEqual([2, true, false]);
  selection.clear();
  selection.extend(order, "c", "b");
  expect(selection.in(order)).toEqual(["b", "c"]);
});

test("deeds are undone once, the last first, or the one that is named", async () => {
  const undone: string[] = [];
  const deed = (name: string): { undo: () => Promise<void> } => ({ undo: async () => void undone.push(name) });
  const [first, second, third] = [deed("first"), deed("second"), deed("third")];
  const deeds = new Deeds();
  for (const each of [first, second, third]) deeds.push(each);
  expect(await deeds.undo(second)).toBe(true);
  expect(await deeds.undo(second)).toBe(false);
  expect([await deeds.undo(), await deeds.undo(), await deeds.undo()]).toEqual([true, true, false]);
  expect(undone).toEqual(["second", "third", "first"]);
});

test("sizes and times are short, in the language that is spoken", async () => {
  expect([0, 999, 1536, 10_400, 5e9].map(size)).toEqual(["0 B", "999 B", "1.5 kB", "10 kB", "5 GB"]);
  const now = new Date(2024, 5, 6, 12);
  const local = (...at: [number, number, number, number]): string => new Date(...at).toISOString();
  expect(time(local(2024, 5, 6, 9), now).short).toContain("09:00");
  expect(time(local(2024, 2, 5, 9), now).short).not.toContain("2024");
  expect(time(local(2019, 2, 5, 9), now).short).toContain("2019");
  expect(time("never", now)).toEqual({ iso: "", short: "", full: "" });
  await speak("de");
  expect(size(1536)).toBe("1,5 kB");
  await speak("fr");
  expect(size(12)).toBe("12 o");
});
