/** Folders that are not the one on the page. */

import { FOLDER, list } from "../base/api.ts";
import { fileName } from "../base/names.ts";

/** The names in a folder. */
export async function namesIn(folder: string): Promise<Set<string>> {
  return new Set((await list(folder)).map(({ path }) => fileName(path)));
}

/** The paths of the folders in a folder, as people count. */
export async function foldersIn(folder: string, language: string): Promise<string[]> {
  const { compare } = new Intl.Collator(language, { numeric: true });
  return (await list(folder))
    .filter(({ type }) => type === FOLDER)
    .map(({ path }) => path)
    .sort(compare);
}
