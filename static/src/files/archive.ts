/** Several documents, or folders with all in them, as one download. */

import { content, list } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { folderOfEntry, entryOf, type Entry } from "./entries.ts";
import { failure } from "./failures.ts";
import { toast } from "./toasts.ts";
import { zip, type Packed } from "./zip.ts";

/** Bytes that a page can hold without trouble, and as many files as the format counts. */
const MOST = 500_000_000;
const MOST_FILES = 65_000;

/** Fetch everything and save it as an archive; says what it does, and when it can't. */
export async function archive(entries: readonly Entry[]): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  const folder = folderOfEntry(first);
  const name = `${entries.length === 1 ? first.name : folder.split("/").at(-1) || t("files.root")}.zip`;
  toast(t("files.archive.gathering", { name }));
  try {
    const documents = [...(await gathered(entries)), ...(await attached(entries))];
    if (documents.length === 0) return toast(t("files.archive.empty"), [], "grave");
    const weight = documents.reduce((sum, { size }) => sum + size, 0);
    if (weight > MOST || documents.length > MOST_FILES) return toast(t("files.archive.large"), [], "grave");
    save(zip(await fetched(documents, folder)), name);
    toast(t("files.archive.done", { n: documents.length, name }));
  } catch (problem) {
    toast(t("files.failed", { what: t("files.quoted", { name }), why: failure(problem) }), [], "grave");
  }
}

async function gathered(entries: readonly Entry[]): Promise<Entry[]> {
  const all: Entry[] = [];
  for (const entry of entries) {
    if (entry.isFolder) all.push(...(await gathered((await list(entry.path)).map(entryOf))));
    else all.push(entry);
  }
  return all;
}

/** What is attached to documents that were chosen by themselves; in a folder it is found with all else. */
async function attached(entries: readonly Entry[]): Promise<Entry[]> {
  const chosen = entries.filter(({ isFolder }) => !isFolder);
  const found = await Promise.all(chosen.map(({ path }) => list(`${path}.assets`).catch(() => [])));
  return gathered(found.flat().map(entryOf));
}

async function fetched(documents: readonly Entry[], folder: string): Promise<Packed[]> {
  const files: Packed[] = [];
  for (const { id, path, when } of documents) {
    const bytes = new Uint8Array(await (await content(id)).arrayBuffer());
    const name = folder === "" || !path.startsWith(`${folder}/`) ? path : path.slice(folder.length + 1);
    files.push({ name, bytes, modified: new Date(typeof when === "number" ? when * 1000 : when) });
  }
  return files;
}

function save(bytes: Blob, name: string): void {
  const url = URL.createObjectURL(bytes);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
