/** What the list shows: a document, a folder, or something in the bin. */

import { editAddress, FOLDER, lease, type Item } from "../base/api.ts";
import { fileName, folderOf } from "../base/names.ts";
import type { Held } from "../office/held.ts";
import { plainAddress } from "../office/offers.ts";
import { extension } from "./naming.ts";

/** Something in the bin. Times are RFC 3339. */
export interface Binned {
  key: string;
  path: string;
  type: string;
  size: number;
  deleted: string;
  by: string;
  until: string | null;
}

/** A document with the time at which this person opened it last. */
export type Visited = Item & { opened: string };

export interface Entry {
  /** The same as long as it is the same thing. */
  readonly key: string;
  readonly path: string;
  readonly name: string;
  readonly isFolder: boolean;
  readonly type: string;
  readonly size: number;
  /** When it changed, was opened or was deleted, as its view has it: RFC 3339, or seconds since the epoch. */
  readonly when: string | number;
  readonly readOnly: boolean;
  readonly starred: boolean;
  /** What a document is called in requests. */
  readonly id: string;
  readonly binned: Binned | null;
  /** Who has it open in an application outside of the server. */
  readonly held: Held | null;
  readonly tags: readonly string[];
}

export function entryOf(item: Item): Entry {
  const isFolder = item.type === FOLDER;
  return {
    key: isFolder ? `folder:${item.path}` : item.id || item.path,
    path: item.path,
    name: fileName(item.path),
    isFolder,
    type: item.type,
    size: item.size,
    when: item.modified,
    readOnly: item.role === "viewer",
    starred: item.starred === true,
    id: item.id || item.path,
    binned: null,
    held: item.held ?? null,
    tags: item.tags ?? [],
  };
}

export const visitedEntry = (item: Visited): Entry => ({ ...entryOf(item), when: item.opened });

export function binnedEntry(binned: Binned): Entry {
  const { key, path, type, size, deleted } = binned;
  const common = { key, path, name: fileName(path), isFolder: type === FOLDER, type, size };
  return { ...common, when: deleted, readOnly: true, starred: false, id: key, binned, held: null, tags: [] };
}

export const folderOfEntry = (entry: Entry): string => folderOf(entry.path);

export type Kind = "folder" | "text" | "table" | "notebook" | "picture" | "file";

const TEXT = /^(text\/|application\/(json|xml|x-yaml|yaml|toml|javascript|x-sh|x-tex))/;
const TABLES = new Set([".csv", ".tsv"]);
const PROSE = new Set([".md", ".markdown", ".txt", ".mdx", ".rst"]);

/** What its picture shows. */
export function kindOf({ isFolder, type, name }: Entry): Kind {
  if (isFolder) return "folder";
  const end = extension(name).toLowerCase();
  if (TABLES.has(end)) return "table";
  if (end === ".ipynb") return "notebook";
  if (type.startsWith("image/")) return "picture";
  return PROSE.has(end) || TEXT.test(type) ? "text" : "file";
}

/** Where a document is opened: what is no text, in an office suite when there is one for it. */
export const openAddress = (entry: Entry): string =>
  // In a cloud's frame by the id: paths are other ones in other people's eyes.
  lease !== null ? editAddress(entry.id) : (kindOf(entry) === "file" ? plainAddress(entry.path, entry.readOnly) : editAddress(entry.path));

/** Whether it can be shown as slides. */
export const isMarkdownEntry = ({ isFolder, name }: Entry): boolean => !isFolder && /\.(md|markdown|mdx)$/i.test(name);

/** As people type when they look for something: without case and accents. */
export const folded = (words: string): string => words.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

const TAG = /(?<!\S)tag:("[^"]*"?|\S*)/g;

/** Whether each of the words is somewhere in the name, and each of the tags (`tag:word`, `tag:"two words"`) is the beginning of one. */
export function matches(entry: Entry, query: string): boolean {
  const [name, asked] = [folded(entry.name), folded(query)];
  const wanted = [...asked.matchAll(TAG)].map(([, tag = ""]) => tag.replaceAll('"', "").trim());
  if (wanted.length > 0 && !wanted.every((tag) => entry.tags.some((each) => folded(each).startsWith(tag)))) return false;
  return asked
    .replace(TAG, " ")
    .split(/\s+/)
    .every((word) => name.includes(word));
}

/** What is typed into the search to find a tag. */
export const askedTag = (tag: string): string => (/\s/.test(tag) ? `tag:"${tag}"` : `tag:${tag}`);
