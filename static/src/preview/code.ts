/** Colours of source code, by the editor's own parsers; loaded by language. */

import { LanguageDescription, type Language } from "@codemirror/language";
import { classHighlighter, highlightCode } from "@lezer/highlight";

import { element } from "../base/dom.ts";

/** Characters up to which code is coloured, and up to which it is while one types. */
const LIMIT = 200_000;
const QUICK = 8000;

const known = new Map<string, Language | null>();

/** Colour the code if its language is here; false: not yet. */
export function colourNow(place: HTMLElement, text: string, name: string): boolean {
  if (name === "" || text.length > LIMIT) return true;
  const language = known.get(name.toLowerCase());
  if (language === undefined || (language !== null && text.length > QUICK)) return false;
  if (language !== null) colour(place, text, language);
  return true;
}

/** Colour the code; one whose language is not known, or cannot be loaded, stays as it is. */
export async function colourLater(place: HTMLElement, text: string, name: string): Promise<void> {
  const key = name.toLowerCase();
  if (!known.has(key)) known.set(key, await load(name).catch(() => null));
  const language = known.get(key) ?? null;
  if (language !== null) colour(place, text, language);
}

async function load(name: string): Promise<Language | null> {
  const { languages } = await import("@codemirror/language-data");
  const bare = name.replace(/^\{?\.?|[},;].*$/g, "");
  const found = LanguageDescription.matchLanguageName(languages, bare, false) ?? LanguageDescription.matchFilename(languages, `x.${bare}`);
  return (await found?.load())?.language ?? null;
}

function colour(place: HTMLElement, text: string, language: Language): void {
  const parts: (Node | string)[] = [];
  const put = (words: string, classes: string): void => void parts.push(classes === "" ? words : element("span", { class: classes }, words));
  highlightCode(text, language.parser.parse(text), classHighlighter, put, () => put("\n", ""));
  place.replaceChildren(...parts);
}
