/** Languages by file name, loaded only when they are needed. */

import { LanguageDescription, type LanguageSupport } from "@codemirror/language";

const MARKDOWN = /\.(md|markdown|mdown|mkd)$/i;
const PROSE = /(\.(md|markdown|mdown|mkd|txt|text|rst|adoc|org)|^[^.]*)$/i;

/** Text for people: no line numbers, a comfortable measure. */
export function isProse(fileName: string): boolean {
  return PROSE.test(fileName);
}

/** The language of a file, null for plain text. */
export async function languageOf(fileName: string): Promise<LanguageSupport | null> {
  if (MARKDOWN.test(fileName)) return (await import("./markdown.ts")).markdown();
  const { languages } = await import("@codemirror/language-data");
  return (await LanguageDescription.matchFilename(languages, fileName)?.load()) ?? null;
}

export const isMarkdown = (fileName: string): boolean => MARKDOWN.test(fileName);

/** Rows and cells. */
export const isTable = (fileName: string): boolean => /\.(csv|tsv)$/i.test(fileName);
