/** What can be done with documents and folders, each with a way back where there is one. */

import { content, contentAddress, lease, type Item } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { encoded, fileName, folderOf } from "../base/names.ts";
import { base } from "../base/page.ts";
import { copy } from "../editor/attached.ts";
import type { Board } from "./board.ts";
import { entryOf, folderOfEntry, type Entry } from "./entries.ts";
import { exists, failure } from "./failures.ts";
import { free, inside, within } from "./naming.ts";
import { discard, move, purge, restore, star, write } from "./rest.ts";
import { namesIn } from "./folders.ts";
import { say, toast } from "./toasts.ts";
import type { Deed } from "./undo.ts";

interface Outcome<T> {
  readonly done: readonly (readonly [Entry, T])[];
  readonly failed: readonly (readonly [Entry, unknown])[];
}

/** One after another: what fails does not stop the rest. */
async function each<T>(entries: readonly Entry[], act: (entry: Entry) => Promise<T>): Promise<Outcome<T>> {
  const done: (readonly [Entry, T])[] = [];
  const failed: (readonly [Entry, unknown])[] = [];
  for (const entry of entries) {
    try {
      done.push([entry, await act(entry)]);
    } catch (problem) {
      failed.push([entry, problem]);
    }
  }
  return { done, failed };
}

/** The name of the only one, or how many they are. */
export function what(entries: readonly Entry[]): string {
  const [first] = entries;
  return entries.length === 1 && first !== undefined ? t("files.quoted", { name: first.name }) : t("files.count", { n: entries.length });
}

function complain(failed: Outcome<unknown>["failed"]): boolean {
  const [first] = failed;
  if (first === undefined) return false;
  toast(t("files.failed", { what: what(failed.map(([entry]) => entry)), why: failure(first[1]) }), [], "grave");
  return true;
}

/** Say what was done, and offer to take it back. */
function told(board: Board, words: string, undo: () => Promise<void>): void {
  const deed: Deed = { undo };
  board.deeds.push(deed);
  toast(words, [{ label: t("common.undo"), act: () => void takeBack(board, deed) }]);
}

/** Undo the deed, or the last one. */
export async function takeBack(board: Board, deed?: Deed): Promise<void> {
  try {
    if (!(await board.deeds.undo(deed))) say(t("files.undo.nothing"));
  } catch (problem) {
    toast(t("files.undo.failed", { why: failure(problem) }), [], "grave");
  }
}

export async function remove(board: Board, entries: readonly Entry[]): Promise<void> {
  const { done, failed } = await each(entries, discard);
  board.drop(done.map(([{ key }]) => key));
  if (done.length > 0) {
    const keys = done.map(([, { key }]) => key);
    told(board, t("files.deleted", { what: what(done.map(([entry]) => entry)) }), () => putBack(board, keys));
  }
  complain(failed);
}

async function putBack(board: Board, keys: readonly string[]): Promise<void> {
  const items: Item[] = [];
  for (const key of keys) items.push(await restore(key));
  await appeared(board, items);
  toast(t("files.restored", { what: what(items.map(entryOf)) }));
}

async function appeared(board: Board, items: readonly Item[]): Promise<void> {
  for (const item of items) board.put(item);
  // Of the other views nobody but the server knows what belongs there.
  if (board.place.view !== "files") await board.load();
  const [first] = items.map(entryOf);
  if (first !== undefined) board.grid.focus(first.key);
}

/** Out of the bin; where the name is taken, under another one. */
export async function bringBack(board: Board, entries: readonly Entry[]): Promise<void> {
  const { done, failed } = await each(entries, async (entry) => {
    try {
      return await restore(entry.id);
    } catch (problem) {
      if (!exists(problem)) throw problem;
      return restore(entry.id, await freePath(folderOfEntry(entry), entry.name));
    }
  });
  board.drop(done.map(([{ key }]) => key));
  const [one] = done.map(([, item]) => item);
  if (one !== undefined) {
    const words = done.length > 1 ? t("files.restored", { what: what(done.map(([entry]) => entry)) }) : t("files.restored.to", { path: one.path });
    toast(words, [{ label: t("files.show"), act: () => void board.go({ view: "files", folder: folderOf(one.path) }) }]);
  }
  complain(failed);
}

async function freePath(folder: string, name: string): Promise<string> {
  const names = await namesIn(folder).catch(() => new Set<string>());
  return inside(folder, free(name, (each) => names.has(each)));
}

/** Gone for good: asks before. */
export async function destroy(board: Board, entries: readonly Entry[]): Promise<void> {
  const { confirmed } = await import("./confirm.ts");
  const wanted = await confirmed(t("files.purge.title", { what: what(entries) }), t("files.purge.text"), t("files.act.purge"));
  if (!wanted) return;
  const { done, failed } = await each(entries, ({ id }) => purge(id));
  board.drop(done.map(([{ key }]) => key));
  if (done.length > 0) toast(t("files.purged", { what: what(done.map(([entry]) => entry)) }));
  complain(failed);
}

/** Move into a folder; `both`: where a name is taken there, under another one. */
export async function relocate(board: Board, entries: readonly Entry[], folder: string, both = false): Promise<void> {
  const going = entries.filter((entry) => folderOfEntry(entry) !== folder);
  if (going.length === 0) return;
  if (going.some((entry) => entry.isFolder && within(folder, entry.path))) return toast(t("files.move.self"), [], "grave");
  const names = both ? await namesIn(folder) : new Set<string>();
  const { done, failed } = await each(going, async (entry) => {
    const name = free(entry.name, (each) => names.has(each));
    names.add(name);
    return move(entry, inside(folder, name));
  });
  for (const [entry, item] of done) board.put(item, entry);
  if (done.length > 0) {
    const words = t("files.moved", { what: what(done.map(([entry]) => entry)), folder: fileName(folder) || t("files.root") });
    told(board, words, () => moveBack(board, done));
  }
  const clashes = failed.filter(([, problem]) => exists(problem)).map(([entry]) => entry);
  if (clashes.length === 0) return void complain(failed);
  const keep = { label: t("files.keepBoth"), act: () => void relocate(board, clashes, folder, true) };
  toast(t("files.move.exists", { what: what(clashes) }), [keep], "grave");
}

async function moveBack(board: Board, done: Outcome<Item>["done"]): Promise<void> {
  for (const [entry, item] of done) board.put(await move(entryOf(item), entry.path), entryOf(item));
  const [first] = done;
  if (first !== undefined) board.grid.focus(first[0].key);
  toast(t("files.move.undone", { what: what(done.map(([entry]) => entry)) }));
}

/** Give another name; raises `Problem`. */
export async function rename(board: Board, entry: Entry, name: string): Promise<void> {
  const item = await move(entry, inside(folderOfEntry(entry), name));
  board.put(item, entry);
  board.grid.focus(entryOf(item).key);
  told(board, t("files.renamed", { name }), async () => {
    const back = await move(entryOf(item), entry.path);
    board.put(back, entryOf(item));
    board.grid.focus(entryOf(back).key);
    toast(t("files.renamed", { name: entry.name }));
  });
}

export async function mark(board: Board, { key, id, name, starred }: Entry): Promise<void> {
  board.change(key, { starred: !starred });
  try {
    await star(id, !starred);
    say(t(starred ? "files.unstarred" : "files.starred", { name }));
  } catch (problem) {
    board.change(key, { starred });
    toast(failure(problem), [], "grave");
  }
}

/** A copy beside the document, with the same bytes. */
export async function duplicate(board: Board, entry: Entry): Promise<void> {
  try {
    const bytes = await content(entry.id);
    const folder = folderOfEntry(entry);
    const names = await namesIn(folder);
    names.add(entry.name);
    const item = await write(inside(folder, free(entry.name, (name) => names.has(name))), bytes);
    await copy(item.id, entry.id);
    await appeared(board, [item]);
    toast(t("files.duplicated", { name: fileName(item.path) }));
  } catch (problem) {
    toast(t("files.failed", { what: what([entry]), why: failure(problem) }), [], "grave");
  }
}

/** One document as it is, all else in an archive. */
export async function download(entries: readonly Entry[]): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  if (entries.length === 1 && !first.isFolder && lease !== null) return (await import("../words/outcomes.ts")).saveAs(await content(first.id), first.name);
  if (entries.length === 1 && !first.isFolder) return element("a", { href: contentAddress(first.id), download: first.name }).click();
  const { archive } = await import("./archive.ts");
  await archive(entries);
}

export function present({ path }: Entry): void {
  open(`${base}/present/${encoded(path)}`, "_blank", "noopener");
}
