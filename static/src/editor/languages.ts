/** Languages by file name, loaded only when they are needed. */

import { LanguageDescription, type LanguageSupport } from "@codemirror/language";

const MARKDOWN = /\.(md|markdown|mdown|mkd)$/i;
const PROSE = /(\.(md|markdown|mdown|mkd|txt|text|rst|adoc|org)|^[^.]*)$/i;

/** Files of programs that have no extension, or one of texts. */
const CODE = /^(?:(?:docker|container|make|gnumake|jenkins|gem|rake|vagrant|proc|just|brew)file|build|workspace|cmakelists\.txt|requirements.*\.txt)$/i;

/** Text for people: no line numbers, a comfortable measure. */
export function isProse(fileName: string): boolean {
  return PROSE.test(fileName) && !CODE.test(fileName.slice(fileName.lastIndexOf("/") + 1));
}

/** How lines of such a file are indented when there are none yet. */
export function usualIndent(fileName: string): string {
  if (/(?:makefile|\.mk|\.go)$/i.test(fileName)) return "\t";
  return /\.pyw?$/i.test(fileName) ? "    " : "  ";
}

/** The language of a file, null for plain text. */
export async function languageOf(fileName: string): Promise<LanguageSupport | null> {
  if (MARKDOWN.test(fileName)) return (await import("./markdown.ts")).markdown();
  const { languages } = await import("@codemirror/language-data");
  return (await LanguageDescription.matchFilename(languages, fileName)?.load()) ?? null;
}

/** The language of this name, as a kernel calls it; null when it is not known. */
export async function languageNamed(name: string): Promise<LanguageSupport | null> {
  const { languages } = await import("@codemirror/language-data");
  const found = LanguageDescription.matchLanguageName(languages, name, false) ?? LanguageDescription.matchLanguageName(languages, name);
  return (await found?.load()) ?? null;
}

export const isMarkdown = (fileName: string): boolean => MARKDOWN.test(fileName);

/** Cells of text and code, with what they put out. */
export const isNotebook = (fileName: string): boolean => /\.ipynb$/i.test(fileName);

/** Rows and cells. */
export const isTable = (fileName: string): boolean => /\.(csv|tsv)$/i.test(fileName);
