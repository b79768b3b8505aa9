/** What a new document may begin with: ours, and those that people keep in a folder at the root. */

import { content, FOLDER, list, type Item } from "../base/api.ts";
import { spoken, t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { extension, stem } from "./naming.ts";
import type { Texts } from "./templates/en.ts";

/** The folder whose documents are templates. */
export const OWN = "Templates";

export const BUILT_IN = ["blank", "minutes", "paper", "slides", "todo", "table"] as const;
export type BuiltIn = (typeof BUILT_IN)[number];

export interface Template {
  readonly title: string;
  /** What a document made of it is called at first. */
  readonly name: string;
  readonly extension: string;
  /** The bytes that it begins with. */
  readonly bytes: () => Promise<Blob>;
}

const TEXTS: Readonly<Record<string, () => Promise<{ default: Texts }>>> = {
  de: () => import("./templates/de.ts"),
  fr: () => import("./templates/fr.ts"),
};

/** Our own templates, in the person's language; `today` is the date that stands in them (RFC 3339). */
export async function builtIn(today: string): Promise<Template[]> {
  const { default: texts } = await (TEXTS[spoken()] ?? (() => import("./templates/en.ts")))();
  return BUILT_IN.map((key) => {
    const end = key === "table" ? ".csv" : ".md";
    const name = t(`files.template.${key}.name`, { date: today }) + end;
    return { title: t(`files.template.${key}`), name, extension: end, bytes: async () => new Blob([filled(texts[key], today)]) };
  });
}

export const filled = (text: string, today: string): string => text.replaceAll("{date}", today);

/** The documents in the folder of templates; none when there is no such folder. */
export async function own(): Promise<Template[]> {
  const items = await list(OWN).catch((): Item[] => []);
  const documents = items.filter(({ type }) => type !== FOLDER);
  documents.sort((a, b) => a.path.localeCompare(b.path, spoken(), { numeric: true }));
  return documents.map(({ id, path }) => {
    const name = fileName(path);
    return { title: stem(name), name, extension: extension(name), bytes: () => content(id || path) };
  });
}
