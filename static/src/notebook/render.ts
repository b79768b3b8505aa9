/** Markdown of a cell, as the preview shows it. */

import "../styles/preview.css";
import { dressed } from "../preview/dress.ts";
import type { Drawing } from "../preview/drawings.ts";
import type { Rendering } from "../preview/blocks.ts";
import { MARK } from "../preview/sanitise.ts";

interface Around {
  folder: string;
  attached?: (name: string) => string | null;
}

let renderer: Promise<Rendering> | null = null;
/** What an element shows last: of two renderings that overtake each other the later one stays. */
const wanted = new WeakMap<HTMLElement, string>();

/** Fill `place` with what the Markdown looks like; resolved when all is drawn. */
export async function rendering(place: HTMLElement, source: string, { folder, attached }: Around): Promise<void> {
  wanted.set(place, source);
  renderer ??= import("../preview/blocks.ts").then((blocks) => new blocks.Rendering(MARK));
  const blocks = await (await renderer).blocks(unfronted(source));
  if (wanted.get(place) !== source) return;
  const drawings: Drawing[] = [];
  const setting = { folder, readOnly: true, drawing: (drawing: Drawing) => drawings.push(drawing), ...(attached && { attached }) };
  place.replaceChildren(...blocks.map(({ html }) => dressed(html, setting)));
  const late = drawings.filter((drawing) => !drawing.now());
  await new Promise((resolve) => requestAnimationFrame(resolve));
  await Promise.all(late.map((drawing) => drawing.later()));
}

/** A formula that stands without signs around it, as Jupyter allows it; it numbers none. */
const BARE = /^([ \t]*)\\begin\{(equation|align|alignat|gather|multline|eqnarray)(\*?)\}([\s\S]*?)\\end\{\2\3\}[ \t]*$/gm;
/** KaTeX has no eqnarray and no multline. */
const NAMES: Readonly<Record<string, string>> = { eqnarray: "align*", multline: "gather*" };

/** As our preview reads it: cells have no front matter, a line of dashes at their start is a line. */
function unfronted(source: string): string {
  const parts = source.includes("```") || !source.includes("\\begin") ? [source] : source.split("$$");
  return `\n${parts.map((part, index) => (index % 2 === 0 && parts.length % 2 === 1 ? part.replace(BARE, display) : part)).join("$$")}`;
}

function display(_: string, space: string, name: string, _star: string, body: string): string {
  const known = NAMES[name] ?? `${name}*`;
  return `${space}$$\n\\begin{${known}}${body}\\end{${known}}\n${space}$$`;
}
