/**
 * What our renderer tells the page about an element. A mark that nobody can guess comes first: the same attribute in an author's HTML says
 * nothing.
 */

export const ATTRIBUTE = "data-own";

const TEXT = ["heading", "task", "formula", "display", "code", "diagram", "footnote", "footnotes", "back", "toc", "more"] as const;
const MATTER = ["matter", "title", "label", "wrong"] as const;
export const KINDS = [...TEXT, ...MATTER] as const;
export type Kind = (typeof KINDS)[number];

export interface Hook {
  kind: Kind;
  words: readonly string[];
}

/** The attribute for markup. */
export function hook(mark: string, kind: Kind, ...words: string[]): string {
  return ` ${ATTRIBUTE}="${hookValue(mark, kind, ...words)}"`;
}

export function hookValue(mark: string, kind: Kind, ...words: string[]): string {
  return [mark, kind, ...words.map((word) => encodeURIComponent(word.replace(/\p{Surrogate}/gu, "\uFFFD")))].join(" ");
}

/** The hook in an attribute's value, null when it is not from our renderer. */
export function hookIn(mark: string, value: string): Hook | null {
  const [given, kind, ...words] = value.split(" ");
  const known = KINDS.find((each) => each === kind);
  return given === mark && known !== undefined ? { kind: known, words: words.map(decodeURIComponent) } : null;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as text in markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
