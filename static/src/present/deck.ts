/** What is shown of a document: its slides, and before them one of what it says of itself. */

import { read, type FrontMatter } from "../preview/front-matter.ts";
import { cut, type Slide } from "./slides.ts";

export interface Page extends Slide {
  /** The document's own words, on its first page. */
  matter: FrontMatter | null;
}

/** The pages of a text; `key` of each tells whether two show the same. */
export async function pagesOf(text: string): Promise<Page[]> {
  const { matter: yaml, slides } = cut(text);
  const pages = slides.map((slide) => ({ ...slide, matter: null }));
  const matter = yaml === null ? null : await read(yaml);
  if (matter === null || matter.title === "") return pages;
  const first = { source: "", notes: "", heading: matter.title, matter };
  const [cover, ...rest] = pages;
  // A document that says its title twice has one page for it.
  const twice = cover !== undefined && isTitle(cover.source, matter.title);
  return twice ? [{ ...first, notes: cover.notes }, ...rest] : [first, ...pages];
}

const isTitle = (source: string, title: string): boolean => source.replace(/^#\s+/, "").replace(/\n=+$/, "").trim() === title;

export const keyOf = ({ source, matter }: Page): string => (matter === null ? source : JSON.stringify(matter));
