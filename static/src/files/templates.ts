/** What a new document may begin with: ours, and those that people keep in a folder at the root. */

import { content, FOLDER, list, type Item } from "../base/api.ts";
import { spoken, t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { knownSuites, offers, preferred } from "../office/offers.ts";
import { fromTemplate, templates, type OfficeTemplate } from "../office/rest.ts";
import { extension, stem } from "./naming.ts";
import { write } from "./rest.ts";
import type { Texts } from "./templates/en.ts";

/** The folder whose documents are templates. */
export const OWN = "Templates";

export const BUILT_IN = ["blank", "minutes", "paper", "slides", "todo", "table", "notebook"] as const;
export type BuiltIn = (typeof BUILT_IN)[number];

/** Empty office documents that we have words for. */
const EMPTY = ["odt", "ods", "odp", "docx", "xlsx", "pptx"] as const;

export interface Template {
  readonly title: string;
  /** What a document made of it is called at first. */
  readonly name: string;
  readonly extension: string;
  /** Make the document at this path; `Problem` "exists" when the name is taken. */
  readonly make: (path: string) => Promise<Item>;
  /** Of the server, for office suites. */
  readonly office?: boolean;
}

const TEXTS: Readonly<Record<string, () => Promise<{ default: Texts }>>> = {
  de: () => import("./templates/de.ts"),
  fr: () => import("./templates/fr.ts"),
};

/** Our own templates, in the person's language; `today` is the date that stands in them (RFC 3339). */
export async function builtIn(today: string): Promise<Template[]> {
  const { default: texts } = await (TEXTS[spoken()] ?? (() => import("./templates/en.ts")))();
  return BUILT_IN.map((key) => {
    const end = ENDS[key] ?? ".md";
    const name = t(`files.template.${key}.name`, { date: today }) + end;
    return { title: t(`files.template.${key}`), name, extension: end, make: (path) => write(path, new Blob([key === "notebook" ? notebook(filled(texts[key], today)) : filled(texts[key], today)])) };
  });
}

const ENDS: Readonly<Partial<Record<BuiltIn, string>>> = { table: ".csv", notebook: ".ipynb" };

/** A notebook (nbformat 4.5) with this text, and a cell for code; of Python, until a program that runs it says otherwise. */
export function notebook(text: string): string {
  const id = (): string => crypto.randomUUID().slice(0, 8);
  const cells = [
    { cell_type: "markdown", id: id(), metadata: {}, source: text.split(/(?<=\n)/) },
    { cell_type: "code", execution_count: null, id: id(), metadata: {}, outputs: [], source: [] },
  ];
  const metadata = { kernelspec: { display_name: "Python 3 (ipykernel)", language: "python", name: "python3" }, language_info: { name: "python" } };
  return `${JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}

export const filled = (text: string, today: string): string => text.replaceAll("{date}", today);

/** The server's templates: files of whoever runs it, and empty office documents as far as a suite edits them. */
export async function office(): Promise<Template[]> {
  const [found] = await Promise.all([templates().catch(() => []), knownSuites()]);
  return found.map(ofServer).filter((each) => each !== null);
}

function ofServer({ name, title }: OfficeTemplate): Template | null {
  const make = (path: string): Promise<Item> => fromTemplate(path, name);
  if (name.includes(".")) return { title, name, extension: extension(name), make, office: true };
  // What is built in is called by its extension. The texts among it are in our own list already.
  const end = `.${name}`;
  const empty = EMPTY.find((each) => each === name);
  if (empty === undefined || preferred(offers(`x${end}`, false))?.action !== "edit") return null;
  return { title: t(`office.template.${empty}`), name: t(`office.template.${empty}.name`) + end, extension: end, make, office: true };
}

/** The documents in the folder of templates; none when there is no such folder. */
export async function own(): Promise<Template[]> {
  const items = await list(OWN).catch((): Item[] => []);
  const documents = items.filter(({ type }) => type !== FOLDER);
  documents.sort((a, b) => a.path.localeCompare(b.path, spoken(), { numeric: true }));
  return documents.map(({ id, path }) => {
    const name = fileName(path);
    return { title: stem(name), name, extension: extension(name), make: async (to) => write(to, await content(id || path)) };
  });
}
