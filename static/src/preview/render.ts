/** A text rendered once, with all that belongs to it: for slides. */

import "../styles/preview.css";
import { dressed } from "./dress.ts";
import type { Drawing } from "./drawings.ts";
import { loaded } from "./pictures.ts";
import { MARK, PREFIX } from "./sanitise.ts";

/**
 * The elements of a Markdown text in a document of this folder ("" for the root): sanitised, with formulas, coloured code, diagrams and
 * pictures. Put them into an element of class `md-sheet`. Tasks cannot be ticked there.
 */
export async function rendered(markdown: string, folder: string): Promise<DocumentFragment> {
  const { Rendering } = await import("./blocks.ts");
  const drawings: Drawing[] = [];
  const whole = document.createDocumentFragment();
  for (const { html } of await new Rendering(MARK).blocks(markdown)) {
    whole.append(dressed(html, { folder, readOnly: true, drawing: (drawing) => drawings.push(drawing) }));
  }
  await Promise.all(drawings.map(async (drawing) => drawing.now() || drawing.later()));
  await loaded(whole);
  return whole;
}

/** What `#anchor` in an address means within these elements. */
export function anchored(root: ParentNode, hash: string): HTMLElement | null {
  try {
    return root.querySelector<HTMLElement>(`[id="${CSS.escape(PREFIX + decodeURIComponent(hash.slice(1)))}"]`);
  } catch {
    return null;
  }
}
